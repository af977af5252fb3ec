//! The cell: the one place where the table meets shared memory, and the only module with `unsafe`.
//!
//! One allocation holds the value slot, the word and the waiters. A counted [`Handle`] keeps it
//! alive. Five facts are the whole protocol: `[cell-1]`
//!
//! ```text
//! fact                                                   where
//! 1  write the slot,                                     Slot::write       in one step:
//! 2  then apply the event,                               Word::settle      Handle::settle, Handle::cancel
//! 3  then take the waiters,                              Waiters::take_all
//! 4  then notify, with no lock held.                     Settlement::pay, Settling::pay
//! 5  Registering validates the state in the same step.   Word::register in Handle::register_until
//! ```
//!
//! Every decision is the word's: see [`word`]. Who may touch the slot, the waiters and the handles, and when, is said at
//! the head of `slot`, `list` and `handle`.
//!
//! One lock per cell makes 1 to 3 one step and 5 another, so that every call is one critical
//! section: its linearization point. Nothing of the user's runs in it: no callback, no
//! wake, clone or drop of a waker, no drop of a value. `[callback-6]`
//!
//! What follows for any number of waiters and callbacks is shown in `tests/unbounded`, whose steps these calls are: its
//! `sites.rs` has them by name, and changes with them.
//!
//! What is promised to the outside is one happens-before edge: what the settling thread did before
//! it settled is visible to whoever sees the future settled, because both took the lock.
//! `[cell-2]`

mod handle;
mod lend;
mod list;
mod producer;
mod settle;
mod slot;
mod wait;
mod weak;
mod word;

pub(crate) use handle::Handle;
pub(crate) use lend::Lent;
pub(crate) use list::Ticket;
pub(crate) use producer::Producer;
pub(crate) use settle::{Rest, Settlement, Settling};
pub(crate) use wait::Registration;
pub(crate) use weak::Weak;
pub(crate) use word::{End, Until};

use std::task::Waker;

use crate::{
    error::{Failure, Reason},
    sync::{AtomicBool, Mutex},
    waiter::Callback,
};
use list::Waiters;
use slot::Slot;
use word::Word;

/// As many handles as the word counts.
const MOST_HANDLES: u32 = u32::MAX;

/// How the work ended, in the form in which it is stored.
pub(crate) type Outcome<T, E> = Result<T, Failure<E>>;

/// Where a cell is.
pub(crate) type Address = std::num::NonZero<usize>;

struct Cell<T, E> {
    inner: Mutex<Inner<T, E>>,
    slot: Slot<T, E>,
    /// Whether somebody has looked at the outcome.
    looked: AtomicBool,
}

/// What the lock guards.
struct Inner<T, E> {
    word: Word,
    /// What the first canceller who gave a reason said.
    reason: Option<Reason>,
    /// To be woken by the first request to cancel.
    owner: Option<Waker>,
    waiters: Waiters,
    /// The thread callbacks, in the order in which they registered.
    callbacks: Vec<Callback<T, E>>,
}
