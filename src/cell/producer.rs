//! The promise's handle, of which there is one.
#![expect(unsafe_code, reason = "the cell is where it belongs; every block says why it is sound")]

use std::{mem::ManuallyDrop, task::Waker};

use super::{
    End, Handle, Outcome,
    settle::{First, Late},
    word::{Settle, Word},
};
use crate::{error::Cancelled, waiter::isolate};

/// What is done with an outcome that nobody can see, where nobody wants it back: a drop that panics must not unwind through
/// whoever settles.
pub(crate) fn drop_unseen<T, E>(outcome: Outcome<T, E>) {
    isolate(|| drop(outcome));
}

/// The promise's handle. Dropped, it settles its future in the same step. `[promise-3]`
pub(crate) struct Producer<T, E>(ManuallyDrop<Handle<T, E>>);

impl<T, E> Producer<T, E> {
    /// A new Pending cell, its producer and its first future. With `owner` the producer is Owned,
    /// and `owner` is woken by the first request to cancel.
    pub(crate) fn pair(owner: Option<Waker>) -> (Self, Handle<T, E>) {
        let (producer, future) = Handle::pair(owner);
        (Self(ManuallyDrop::new(producer)), future)
    }

    pub(crate) fn handle(&self) -> &Handle<T, E> {
        &self.0
    }

    /// The producer's last step, with a value, and who gets what nobody can see; or that comes back, with the reason why it is
    /// too late: mostly before an outcome was made of it.
    #[inline(always)]
    pub(crate) fn give<R: Default>(
        self,
        value: T,
        unseen: impl FnOnce(Outcome<T, E>) -> R,
    ) -> Result<R, (T, Cancelled)> {
        let word = self.handle().word();
        let is_late = |word: Word| matches!(word.settle(End::Finish).1, Settle::Late(_));
        let Some(seen) = word.seemingly_not(is_late) else {
            let cause = word.settled().cause();
            drop(self.into_handle());
            return Err((value, cause));
        };
        let outcome = Some(Ok(value));
        let finished =
            self.into_handle().settle(seen, End::Finish, outcome, First::NOTHING, unseen);
        finished.map_err(|(outcome, cause)| match outcome {
            Some(Ok(value)) => (value, cause),
            _ => unreachable!("the outcome comes back as it was given"),
        })
    }

    /// The producer's last step, with the outcome of the work, what is called first, and who gets what nobody can see; or the
    /// outcome comes back, with the reason why it is too late.
    #[inline(always)]
    pub(crate) fn finish<R: Default>(
        self,
        outcome: Outcome<T, E>,
        first: First<'_>,
        unseen: impl FnOnce(Outcome<T, E>) -> R,
    ) -> Result<R, (Outcome<T, E>, Cancelled)> {
        self.settle(End::Finish, Some(outcome), first, unseen).map_err(|(outcome, cause)| {
            (outcome.expect("the outcome comes back as it was given"), cause)
        })
    }

    /// The producer's last step without one, and what is called first; says whether it was not too late.
    pub(crate) fn end(self, end: End, first: First<'_>) -> bool {
        self.settle(end, None, first, drop_unseen).is_ok()
    }

    #[inline(always)]
    fn settle<R: Default>(
        self,
        end: End,
        outcome: Option<Outcome<T, E>>,
        first: First<'_>,
        unseen: impl FnOnce(Outcome<T, E>) -> R,
    ) -> Result<R, Late<T, E>> {
        let handle = self.into_handle();
        let word = handle.word().seemingly();
        handle.settle(word, end, outcome, first, unseen)
    }

    #[inline]
    fn into_handle(self) -> Handle<T, E> {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is not dropped, so that the handle is taken once.
        unsafe { ManuallyDrop::take(&mut this.0) }
    }
}

impl<T, E> Drop for Producer<T, E> {
    fn drop(&mut self) {
        // SAFETY: taken once, by the drop; `into_handle` prevents it.
        let handle = unsafe { ManuallyDrop::take(&mut self.0) };
        let word = handle.word().seemingly();
        drop(handle.settle(word, End::Drop, None, First::NOTHING, drop_unseen));
    }
}
