//! A promise whose phase is known when the program runs only.

use std::{fmt, sync::Arc};

use thiserror::Error;

use crate::{
    error::{Cancelled, Lost, Panic},
    phase::{Owned, Pending, Running},
    promise::Promise,
};

/// A [`Promise`] whose phase is known only when the program runs: for maps, foreign interfaces and interpreters, which
/// cannot let a type change. What the types refuse there is answered here, with the value back. `[promise-7]`
///
/// It is made of a promise by `into`. Dropping it does what dropping the promise does. `[promise-3]`
///
/// ```
/// use std::collections::HashMap;
/// use settled::{AnyPromise, ThreadFuture, TooLate};
///
/// let (promise, future) = ThreadFuture::<u32, String>::pair();
/// let mut replies: HashMap<u64, AnyPromise<u32, String>> = HashMap::from([(7, promise.into())]);
///
/// let reply = replies.get_mut(&7).unwrap();
/// reply.start().unwrap();
/// assert_eq!(reply.start(), Err(TooLate::Started));
/// reply.settle(Ok(5)).unwrap();
/// let twice = reply.settle(Ok(6)).unwrap_err();
/// assert_eq!((twice.value, twice.cause), (Ok(6), TooLate::Settled));
/// assert_eq!(future.join().unwrap(), 5);
/// ```
#[must_use = "dropping a promise cancels or abandons its future"]
#[doc(alias = "InvalidStateError")]
pub struct AnyPromise<T, E>(Phase<T, E>);

enum Phase<T, E> {
    Pending(Promise<T, E, Pending>),
    Running(Promise<T, E, Running>),
    Owned(Promise<T, E, Owned>),
    /// There is no promise any more, and why.
    Over(TooLate),
}

/// Why a promise takes no more. `[promise-7]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TooLate {
    /// The work was started before, or has an owner.
    #[error("the work has been started already, and a promise starts it once")]
    Started,
    /// This promise has delivered an outcome.
    #[error("this promise has settled its future already, and settles it once")]
    Settled,
    /// A cancel came first.
    #[error(transparent)]
    Cancelled(Cancelled),
}

impl<T, E> AnyPromise<T, E> {
    /// Begins the work: from now on `cancel` is refused. `[promise-4]` `[promise-7]`
    ///
    /// # Errors
    ///
    /// [`TooLate::Cancelled`] if a cancel came first: the work must then not be done. [`TooLate::Started`] or
    /// [`TooLate::Settled`] if it was started or settled before.
    pub fn start(&mut self) -> Result<(), TooLate> {
        let (next, answer) = match self.take() {
            Phase::Pending(promise) => match promise.start() {
                Ok(running) => (Phase::Running(running), Ok(())),
                Err(cause) => over(TooLate::Cancelled(cause)),
            },
            Phase::Over(why) => over(why),
            begun @ (Phase::Running(_) | Phase::Owned(_)) => (begun, Err(TooLate::Started)),
        };
        self.0 = next;
        answer
    }

    /// Delivers what the work returned, its value or its error, in any phase. Runs the callbacks in this thread.
    /// `[promise-6]` `[promise-7]`
    ///
    /// # Errors
    ///
    /// [`Lost`] hands it back, if a cancel came first or this promise has settled its future before.
    pub fn settle(&mut self, returned: Result<T, E>) -> Result<(), Lost<Result<T, E>, TooLate>> {
        match self.take() {
            Phase::Pending(promise) => {
                if let Err(Lost { value, cause }) = promise.settle(returned) {
                    return Err(self.lost(value, TooLate::Cancelled(cause)));
                }
            }
            Phase::Running(promise) => promise.settle(returned),
            Phase::Owned(promise) => promise.settle(returned),
            Phase::Over(why) => return Err(self.lost(returned, why)),
        }
        Ok(())
    }

    /// Delivers a panic of the work, which it begins if nobody has. Runs the callbacks in this thread. `[panic-1]`
    /// `[promise-7]`
    ///
    /// # Errors
    ///
    /// [`Lost`] hands it back, if a cancel came first or this promise has settled its future before.
    ///
    /// ```
    /// use settled::{AnyPromise, Panic, ThreadFuture};
    ///
    /// let (promise, future) = ThreadFuture::<u32, ()>::pair();
    /// let mut promise = AnyPromise::from(promise);
    /// assert!(!promise.is_over() && !promise.cancel_requested() && promise.cancel_reason().is_none());
    /// promise.panicked(Panic::new(Box::new("out of ink"))).unwrap();
    /// assert!(promise.is_over());
    /// assert!(future.exception().unwrap().unwrap().is_panic());
    /// ```
    pub fn panicked(&mut self, panic: Panic) -> Result<(), Lost<Panic, TooLate>> {
        match self.take() {
            Phase::Pending(promise) => match promise.start() {
                Ok(promise) => promise.panicked(panic),
                Err(cause) => return Err(self.lost(panic, TooLate::Cancelled(cause))),
            },
            Phase::Running(promise) => promise.panicked(panic),
            Phase::Owned(promise) => promise.panicked(panic),
            Phase::Over(why) => return Err(self.lost(panic, why)),
        }
        Ok(())
    }

    /// Returns whether this promise takes no outcome any more, as far as it has been told: it has settled its future,
    /// or has been answered that a cancel came first. `[promise-7]`
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.0, Phase::Over(_))
    }

    /// Returns whether somebody has asked to cancel; of one that is over, whether a cancel came first. Never blocks.
    /// `[cancel-3]`
    #[must_use]
    pub fn cancel_requested(&self) -> bool {
        match &self.0 {
            Phase::Pending(promise) => promise.cancel_requested(),
            Phase::Running(promise) => promise.cancel_requested(),
            Phase::Owned(promise) => promise.cancel_requested(),
            Phase::Over(why) => matches!(why, TooLate::Cancelled(_)),
        }
    }

    /// Returns the first reason that a canceller gave; `None` of one that is over. Never blocks. `[cancel-7]`
    #[must_use]
    pub fn cancel_reason(&self) -> Option<Arc<str>> {
        match &self.0 {
            Phase::Pending(promise) => promise.cancel_reason(),
            Phase::Running(promise) => promise.cancel_reason(),
            Phase::Owned(promise) => promise.cancel_reason(),
            Phase::Over(_) => None,
        }
    }

    /// The promise, in whose place it is settled.
    fn take(&mut self) -> Phase<T, E> {
        std::mem::replace(&mut self.0, Phase::Over(TooLate::Settled))
    }

    fn lost<V>(&mut self, value: V, cause: TooLate) -> Lost<V, TooLate> {
        self.0 = Phase::Over(cause);
        Lost { value, cause }
    }
}

fn over<T, E>(why: TooLate) -> (Phase<T, E>, Result<(), TooLate>) {
    (Phase::Over(why), Err(why))
}

impl<T, E> From<Promise<T, E, Pending>> for AnyPromise<T, E> {
    fn from(promise: Promise<T, E, Pending>) -> Self {
        Self(Phase::Pending(promise))
    }
}

impl<T, E> From<Promise<T, E, Running>> for AnyPromise<T, E> {
    fn from(promise: Promise<T, E, Running>) -> Self {
        Self(Phase::Running(promise))
    }
}

impl<T, E> From<Promise<T, E, Owned>> for AnyPromise<T, E> {
    fn from(promise: Promise<T, E, Owned>) -> Self {
        Self(Phase::Owned(promise))
    }
}

impl<T, E> fmt::Debug for AnyPromise<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Phase::Pending(promise) => promise.fmt(f),
            Phase::Running(promise) => promise.fmt(f),
            Phase::Owned(promise) => promise.fmt(f),
            Phase::Over(why) => f.debug_tuple("AnyPromise").field(why).finish(),
        }
    }
}
