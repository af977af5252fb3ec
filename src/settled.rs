//! The proof that a future is settled.

use std::{fmt, sync::Arc};

use crate::{cell::Handle, error::Failure, output::JoinError};

/// A future that is settled: an owned handle whose existence is the proof, so that reading it needs
/// no "not ready" case. `[settled-1]`
///
/// Waiting and awaiting give it, and callbacks are lent it. It is `Send` if `T` and `E` are, and
/// `Sync` and `Clone` only if they are `Sync` too, since a second handle hands `&T` to another
/// thread. `[bounds-1]` `[bounds-2]`
pub struct Settled<T, E>(Handle<T, E>);

impl<T, E> Settled<T, E> {
    /// Callers make it of a handle that is settled, or hand it out only once it is.
    pub(crate) fn new(handle: Handle<T, E>) -> Self {
        Self(handle)
    }

    pub(crate) fn handle(&self) -> &Handle<T, E> {
        &self.0
    }

    pub(crate) fn into_handle(self) -> Handle<T, E> {
        self.0
    }

    /// Returns the value, or why there is none. Never blocks, in any thread; what the settling thread did
    /// before it settled has happened before. `[settled-2]` `[cell-2]`
    ///
    /// # Errors
    ///
    /// The [`Failure`]: the work's own error, its panic, a cancellation or an abandonment.
    ///
    /// ```
    /// let (promise, future) = settled::ThreadFuture::<u32, String>::pair();
    /// promise.finish(5).unwrap();
    /// assert_eq!(future.wait().unwrap().result().unwrap(), &5);
    /// ```
    pub fn result(&self) -> Result<&T, &Failure<E>> {
        self.0.look();
        self.peek()
    }

    /// Returns why there is no value; `None` if there is one. Unlike Python's `exception()` it answers a
    /// cancellation like every other failure, instead of raising it. `[settled-2]`
    ///
    /// ```
    /// use settled::ThreadFuture;
    ///
    /// let (_promise, future) = ThreadFuture::<u32, ()>::pair();
    /// future.cancel_with("the user left");
    /// let settled = future.into_settled().unwrap();
    /// assert!(settled.cancelled() && settled.exception().is_some_and(|it| it.is_cancelled()));
    /// assert_eq!(settled.cancel_reason().as_deref(), Some("the user left"));
    /// ```
    #[must_use]
    pub fn exception(&self) -> Option<&Failure<E>> {
        self.result().err()
    }

    /// Returns whether the future was cancelled. `[settled-2]`
    #[must_use]
    pub fn cancelled(&self) -> bool {
        matches!(self.peek(), Err(Failure::Cancelled(_)))
    }

    /// The same for this crate's own use: it does not count as looking.
    pub(crate) fn peek(&self) -> Result<&T, &Failure<E>> {
        self.0.outcome()
    }

    /// Returns what [`cancel_with`](crate::ThreadFuture::cancel_with) was told, if the future was cancelled: the first
    /// reason that was given, by whoever gave it. `[cancel-7]`
    #[must_use]
    pub fn cancel_reason(&self) -> Option<Arc<str>> {
        let Err(Failure::Cancelled(cancellation)) = self.peek() else { return None };
        cancellation.reason_shared()
    }

    /// Returns the outcome by value, without `T: Clone`. `[settled-3]`
    ///
    /// On the only handle, with no callback registered, it always succeeds: the settling thread
    /// gave up its share in the very step that settled the future. A cancellation can be taken from
    /// any handle, since there is nothing in it to share. It does not wait:
    /// [`ThreadFuture::join`](crate::ThreadFuture::join) waits for the callbacks too.
    ///
    /// # Errors
    ///
    /// Gives the proof back if another handle shares the outcome, or if the settling thread is
    /// still lending it to callbacks.
    ///
    /// ```
    /// let (promise, future) = settled::ThreadFuture::<String, ()>::pair();
    /// promise.finish("owned".to_owned()).unwrap();
    /// let value: String = future.into_settled().unwrap().take().unwrap().unwrap();
    /// assert_eq!(value, "owned");
    /// ```
    #[doc(alias("into_inner", "into_result"))]
    #[inline]
    pub fn take(self) -> Result<Result<T, Failure<E>>, Self> {
        self.0.take().map_err(Self)
    }
}

impl<T, E> Settled<T, E> {
    /// The outcome for the last handle, once its callbacks have returned. `[settled-5]`
    pub(crate) fn give<B>(self) -> Result<T, JoinError<E, B>> {
        match self.0.take_or_leave() {
            Some(outcome) => outcome.map_err(JoinError::Failed),
            None => Err(JoinError::Shared),
        }
    }
}

impl<T: Sync, E: Sync> Clone for Settled<T, E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T, E> fmt::Debug for Settled<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.debug("Settled", f)
    }
}
