//! The cell: the one place where the table meets shared memory, and the only module with `unsafe`.
//!
//! One allocation holds the value slot, the state and the waiters. A counted [`Handle`] keeps it
//! alive. Five facts are the whole protocol: `[cell-1]`
//!
//! 1. write the slot, 2. *then* apply the event, 3. *then* take the waiters, 4. *then* notify, with
//!    no lock held; 5. registration validates the state in the same atomic step in which it
//!    registers.
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

mod lend;
mod own;
mod producer;
mod wait;

pub(crate) use own::{Handle, Settlement, Settling};
pub(crate) use producer::Producer;
pub(crate) use wait::{Registration, Ticket, Until};

use std::{sync::Arc, task::Waker};

use crate::{
    error::{Cancelled, Failure},
    machine::State,
    sync::{AtomicBool, Mutex, UnsafeCell},
    waiter::{Callback, Waiter},
};

/// How the work ended, in the form in which it is stored.
pub(crate) type Outcome<T, E> = Result<T, Failure<E>>;

/// Where a cell is.
pub(crate) type Address = std::num::NonZero<usize>;

struct Cell<T, E> {
    inner: Mutex<Inner<T, E>>,
    /// Written once, under the lock, by the step that settles; read without it by those who have
    /// seen, under the lock, that it was settled.
    slot: UnsafeCell<Option<Outcome<T, E>>>,
    /// Whether somebody has looked at the outcome.
    looked: AtomicBool,
}

/// What the lock guards.
struct Inner<T, E> {
    state: State,
    /// Why it is Cancelled, once it is.
    cause: Cancelled,
    /// How many handles there are, the promise's included.
    handles: usize,
    /// How many of them are lent to callbacks that have still to return. Whoever wants the value waits for these.
    lent: u32,
    /// Whether only the owner may apply a cancel (phase Owned).
    owned: bool,
    /// Whether a cancel was asked for that this future could not grant at once.
    requested: bool,
    /// What the first canceller who gave a reason said.
    reason: Option<Arc<str>>,
    /// To be woken by the first such request.
    owner: Option<Waker>,
    /// The name of the next waiter.
    next: u64,
    /// Everyone who waits and the loop views, in the order in which they registered; once it is settled, those who
    /// wait for the end of the lending.
    waiters: Vec<(Ticket, Waiter)>,
    /// The thread callbacks, in the order in which they registered.
    callbacks: Vec<Callback<T, E>>,
}
