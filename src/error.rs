//! Every answer that is not a value, as types.
//!
//! Each method's error type has only the cases that the method can meet, and each message says
//! what happened, what it means and what to do.

use std::{
    any::Any,
    fmt,
    sync::{Mutex, PoisonError},
};

use thiserror::Error;

use crate::deferred::TooDeep;

/// Why a settled future holds no value. `[settled-2]`
#[derive(Debug, Error)]
pub enum Failure<E> {
    /// The work ended with this error.
    #[error("the work failed: {0}")]
    Error(E),
    /// The work panicked.
    #[error("the work panicked: {0}")]
    Panicked(Panic),
    /// The future was cancelled: the work never ran, or its owner stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The running work dropped its promise without an outcome.
    #[error(
        "the work ended without an outcome: its running promise was dropped; no value will come"
    )]
    Abandoned,
}

/// Why a future is Cancelled. `[cancel-6]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum Cancelled {
    /// Somebody called `cancel`.
    #[error("cancelled on request; no value will come")]
    Requested,
    /// The pending promise was dropped, for instance with the queue that held its job.
    #[error("cancelled because its promise was dropped before the work began; no value will come")]
    Dropped,
    /// The initializer of a worker panicked, and the pool with it broke before the work began.
    #[error(
        "cancelled because the initializer of its pool panicked, and the pool runs no job any more; no \
         value will come; mend the initializer and submit to a new pool"
    )]
    Broken,
    /// The owner stopped the work of its own accord, for instance because its loop was closed.
    #[error("cancelled because its owner stopped it; no value will come")]
    Stopped,
}

/// What `cancel` did. `[cancel-1]`
///
/// Python's answers are projections of it: see [`as_thread`](Self::as_thread) and
/// [`as_loop`](Self::as_loop).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a cancel may be refused, or only be a request"]
pub enum Cancel {
    /// This call cancelled the future.
    Now,
    /// The future had been cancelled before.
    Already,
    /// The work belongs to an owner, who has been asked to stop it. It may still end otherwise.
    Requested,
    /// The future cannot be cancelled any more. To a running job the request is still visible, as
    /// [`cancel_requested`](crate::Promise::cancel_requested).
    Refused(Refusal),
}

/// Why a cancel was refused. `[cancel-1]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The work has begun and runs to its end; code in a thread cannot be interrupted.
    Running,
    /// The work has ended.
    Finished,
}

impl Cancel {
    /// The answer of `concurrent.futures.Future.cancel` (difference D31): is the future cancelled,
    /// or going to be? `[cancel-1]`
    #[must_use]
    pub const fn as_thread(self) -> bool {
        matches!(self, Self::Now | Self::Already | Self::Requested)
    }

    /// The answer of `asyncio.Future.cancel` (difference D31): did this call change anything?
    /// `[cancel-1]`
    #[must_use]
    pub const fn as_loop(self) -> bool {
        matches!(self, Self::Now | Self::Requested)
    }
}

/// A captured panic. It is `Sync` although the payload is not: the message is lent, the payload
/// given away. `[panic-1]`
pub struct Panic(Box<Captured>);

struct Captured {
    message: Box<str>,
    /// The lock is never taken; it is what makes a payload that is only `Send` shareable.
    payload: Mutex<Box<dyn Any + Send>>,
}

impl Panic {
    /// Wraps what [`std::panic::catch_unwind`] caught. `[panic-1]`
    #[must_use]
    pub fn new(payload: Box<dyn Any + Send>) -> Self {
        let message = match payload.downcast_ref::<&str>() {
            Some(message) => message,
            None => payload.downcast_ref::<String>().map_or("(not a text)", String::as_str),
        };
        Self(Box::new(Captured { message: message.into(), payload: Mutex::new(payload) }))
    }

    /// The panic's message; `(not a text)` if it was raised with something else. `[panic-1]`
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The panic's payload, as [`std::panic::resume_unwind`] takes it. `[panic-1]`
    #[must_use]
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        self.0.payload.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Panic").field(&self.message()).finish()
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Panic {}

/// Why a read answered no value: the future is not settled, or it failed. `[read-1]`
///
/// `W` says why there is no outcome yet, as far as the method can meet it: [`WouldDeadlock`],
/// [`WaitError`] or [`InvalidState`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoValue<W, F> {
    /// There is no outcome yet.
    #[error("{0}")]
    Unsettled(W),
    /// There is an outcome, and it is not a value.
    #[error("{0}")]
    Failed(F),
}

/// The future is not settled, and this method does not wait. `[read-2]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the future is not settled yet, and this call does not wait; await it, or add a callback")]
pub struct InvalidState;

/// The wait's time was over before the future settled. The future is untouched. `[wait-3]` From
/// [`tasks::timeout`](crate::tasks::timeout) it means that the coroutine was stopped. `[combine-2]`
///
/// It is a type of its own, so that it cannot be taken for a timeout that the work itself reports
/// as its error (difference D6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "the time was over before what was waited for had ended; a future is unchanged and can be waited for again, the \
     coroutine of a timeout was stopped"
)]
pub struct Expired;

/// Why a wait with a deadline ended without an outcome. `[wait-3]` `[deadlock-1]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WaitError {
    /// The deadline passed.
    #[error(transparent)]
    Expired(#[from] Expired),
    /// Waiting here might never end.
    #[error(transparent)]
    WouldDeadlock(#[from] WouldDeadlock),
}

/// Blocking here might never end, so the call did not block. `[deadlock-1]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WouldDeadlock {
    /// This thread runs an event loop.
    #[error(
        "this thread runs an event loop, and blocking it could stop the very work that is waited for; \
         await the future in a task, or block in another thread (run_in_executor)"
    )]
    EventLoop,
    /// This thread is a worker of the pool that is to be waited for.
    #[error(
        "this thread is a worker of the pool whose end is to be waited for, and it would wait for \
         itself; the pool was shut down, wait for it from another thread"
    )]
    OwnWorker,
    /// This thread is a worker, and its wait would close a circle of waits between workers.
    #[error(
        "this thread is a worker, and what it wants to wait for waits for it: the wait would close a \
         circle between the jobs of one or more pools; let one of the jobs return what it has, and \
         add a callback for the rest"
    )]
    Circle,
    /// This thread already runs many jobs or callbacks inside each other, each of which waits. `[pool-7]`
    /// `[callback-8]`
    #[error(
        "this thread runs so many jobs or callbacks inside each other, each waiting for the next, that one \
         more might overflow its stack; wait in another thread, or make the chain shorter"
    )]
    TooDeep,
}

impl From<TooDeep> for WouldDeadlock {
    fn from(_: TooDeep) -> Self {
        Self::TooDeep
    }
}

impl From<TooDeep> for RunError {
    fn from(_: TooDeep) -> Self {
        Self::TooDeep
    }
}

/// A cancel came first: the value is handed back, and the future stays cancelled. `[promise-2]`
#[derive(Clone, Copy, PartialEq, Eq, Error)]
#[error("the outcome came too late and is handed back: {cause}")]
pub struct Lost<V> {
    /// What the loser wanted to deliver.
    pub value: V,
    /// Why the future was cancelled.
    pub cause: Cancelled,
}

impl<V> fmt::Debug for Lost<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lost").field("cause", &self.cause).finish_non_exhaustive()
    }
}

/// A loop or an executor that takes no more work hands it back; it has not run and never will.
/// `[schedule-3]` `[pool-4]`
#[derive(Clone, Copy, PartialEq, Eq, Error)]
#[error("the loop or executor is closed and takes no more work; the work is handed back, unrun")]
pub struct Closed<J>(
    /// The work.
    pub J,
);

impl<J> fmt::Debug for Closed<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closed(..)")
    }
}

/// Why an event loop ended without the awaited outcome. `[loop-4]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RunError {
    /// `stop` was called before the future was complete.
    #[error("the event loop was stopped before the future completed; the future was dropped")]
    Stopped,
    /// This thread runs an event loop already.
    #[error(
        "this thread runs an event loop already, and a second one inside it would block the first; \
         create a task on the running loop instead"
    )]
    Nested,
    /// This thread already runs many callbacks inside each other, each of which waits, and has deferred
    /// others, which the loop would have to run before it sleeps. `[callback-8]`
    #[error(
        "this thread runs so many callbacks inside each other, each waiting for the next, that one more \
         might overflow its stack; the future was dropped, run the loop outside of these callbacks"
    )]
    TooDeep,
}
