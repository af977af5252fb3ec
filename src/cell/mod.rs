//! The cell: the one place where the table meets shared memory, and one of the three modules with `unsafe`.
//!
//! One allocation holds the word, the value slot, and a place for one who waits or one callback: of more there is a list,
//! elsewhere. Its memory is mostly that of one before: see [`memory`]. A counted [`Handle`] keeps it alive. Five facts are
//! the whole protocol: `[cell-1]`
//!
//! ```text
//! fact                                                   where
//! 1  write the slot,                                     Slot::write       in this order;
//! 2  then apply the event, in one step of the word,      Word::settle      Handle::settle, Handle::cancel
//! 3  then take the waiters,                              Open::settled     2 and 3 with the place's lock held, if the word
//!                                                                          says that there may be somebody
//! 4  then notify, with no lock held.                     Kind::tell, Settling::wake, Settling::pay
//! 5  Registering validates the state in the same step,   Word::register in Handle::register_until
//!    with the lock held.
//! ```
//!
//! Every decision is the word's: see [`word`]. Who may touch the slot, the place and the handles, and when, is said at
//! the head of `slot`, `list`, `place` and `handle`; which step of one thread is seen by which of another, at the head of `atom`.
//!
//! A call is one step of the word: its linearization point. Most take no lock. The place's lock makes 2 and 3 one step and 5
//! another for all who look for somebody there. Nothing of the user's runs in it: no callback, no
//! wake, clone or drop of a waker, no drop of a value. `[callback-6]`
//!
//! Only the producer writes the slot. A cancel writes nothing there, since a producer who comes too late may be writing: why
//! the cell is Cancelled is in the word, and the reason in the list.
//!
//! What follows for any number of waiters and callbacks is shown in `tests/unbounded`, whose steps these calls are: its
//! `sites.rs` has them by name, and changes with them.
//!
//! What is promised to the outside is one happens-before edge: what the settling thread did before
//! it settled is visible to whoever sees the future settled. `[cell-2]`

mod atom;
mod handle;
mod lend;
mod list;
mod memory;
mod place;
mod producer;
mod settle;
mod slot;
mod wait;
mod weak;
mod word;

pub(crate) use handle::Handle;
pub(crate) use lend::Lent;
pub(crate) use list::Ticket;
pub(crate) use producer::{Producer, drop_unseen};
pub(crate) use settle::{First, Settling};
pub(crate) use wait::Registration;
pub(crate) use weak::{Canceller, Weak};
pub(crate) use word::{End, Until};

use crate::{
    error::Failure,
    sync::{Alive, AtomicBool, AtomicU32, Lock},
};
use atom::Atom;
use place::{Marked, Place};
use slot::Slot;

/// As many handles as the word counts; more are refused.
const MOST_HANDLES: u64 = (1 << 24) - 1;
/// As many handles lent to callbacks as the word counts; more are refused.
const MOST_LENT: u64 = (1 << 20) - 1;
/// As many holds as the word counts: one for all weak handles, and one for each thread that is just telling somebody, or
/// giving up the first or last weak one. More wait for that. There is room for one more, which says so.
const MOST_HOLDS: u64 = (1 << 7) - 1;
/// As many weak handles as are counted; more end the process, as with [`Arc`](std::sync::Arc).
const MOST_WEAK: u32 = u32::MAX / 2;

/// How the work ended, in the form in which it is stored.
pub(crate) type Outcome<T, E> = Result<T, Failure<E>>;

/// Where a cell is.
pub(crate) type Address = std::num::NonZero<usize>;

struct Cell<T, E> {
    word: Atom,
    /// Who waits and who is called. The lock guards it, and the mark that says what is in it.
    place: Place<T, E>,
    marked: Marked,
    lock: Lock,
    /// How many weak handles there are. All of them have one hold.
    weak: AtomicU32,
    /// Whether somebody has looked at the outcome.
    looked: AtomicBool,
    slot: Slot<T, E>,
    /// What shows under loom that nobody comes after the end.
    alive: Alive,
}
