//! Lending a handle to callbacks, and taking the value when all of them have returned.
#![expect(unsafe_code, reason = "the cell is where it belongs; every block says why it is sound")]

use std::mem::ManuallyDrop;

use super::{
    Handle, Outcome,
    word::{Take, Word},
};
use crate::{
    error::{Cancellation, Cancelled, Failure},
    settled::Settled,
};

/// A handle that is lent to callbacks, and given back in one step with the end of the lending. `[settled-5]`
pub(crate) struct Lent<T, E>(ManuallyDrop<Settled<T, E>>);

impl<T, E> Lent<T, E> {
    /// What the callbacks are lent.
    pub(crate) fn settled(&self) -> &Settled<T, E> {
        &self.0
    }
}

impl<T, E> Drop for Lent<T, E> {
    fn drop(&mut self) {
        // SAFETY: taken once, by the drop.
        let this = ManuallyDrop::new(unsafe { ManuallyDrop::take(&mut self.0) }.into_handle());
        // SAFETY: it is not dropped.
        unsafe { this.give_up(Word::give_back) }
    }
}

impl<T, E> Handle<T, E> {
    /// This handle, which counts as lent.
    pub(super) fn lent(self) -> Lent<T, E> {
        Lent(ManuallyDrop::new(Settled::new(self)))
    }

    /// Another handle, for a callback that is called later. `[bounds-2]`
    pub(crate) fn lend(&self) -> Lent<T, E>
    where
        T: Sync,
        E: Sync,
    {
        self.another(Word::lend).lent()
    }

    /// The outcome by value, if this is the only handle, or if there is nothing in it to share: the
    /// promise that lost to a cancel may live on for long.
    pub(crate) fn take(self) -> Result<Outcome<T, E>, Self> {
        let take = self.lock().word.take();
        match take {
            // SAFETY: the word says that this is the only handle, so that nobody can make another.
            Take::Outcome => Ok(unsafe { self.into_outcome() }),
            Take::Cancelled(cause) => Ok(Err(self.cancellation(cause))),
            Take::Shared => Err(self),
        }
    }

    /// The outcome by value for the last handle, and nothing for the others, which are given up in this step. `[settled-5]`
    pub(crate) fn take_or_leave(self) -> Option<Outcome<T, E>> {
        let mut inner = self.lock();
        let (word, take) = inner.word.take_or_leave();
        inner.word = word;
        drop(inner);
        match take {
            // SAFETY: the word says that this was the last handle.
            Take::Outcome => Some(unsafe { self.into_outcome() }),
            Take::Cancelled(cause) => Some(Err(self.cancellation(cause))),
            Take::Shared => {
                std::mem::forget(self);
                None
            }
        }
    }

    /// The cancellation for this cause, with the reason that was given.
    fn cancellation(&self, cause: Cancelled) -> Failure<E> {
        Cancellation::new(cause, self.lock().reason.clone()).into()
    }

    /// # Safety
    ///
    /// No other handle exists.
    unsafe fn into_outcome(self) -> Outcome<T, E> {
        let this = ManuallyDrop::new(self);
        // SAFETY: by the contract, and this one is not dropped.
        let slot = unsafe { this.free() };
        slot.into_inner().expect("a settled cell has an outcome")
    }
}
