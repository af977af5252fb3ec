//! Lending a handle to callbacks, and taking the value when all of them have returned.
#![expect(unsafe_code, reason = "the cell is where it belongs; every block says why it is sound")]

use std::mem::ManuallyDrop;

use super::{
    Handle, Inner, Outcome,
    slot::Slot,
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
        let this = ManuallyDrop::new(self);
        let mut inner = this.lock();
        let (word, take) = inner.word.take();
        inner.word = word;
        match take {
            // SAFETY: the word says that this was the last handle, and it is not dropped.
            Take::Outcome => Ok(outcome(unsafe { this.end(inner) })),
            Take::Cancelled(cause) => {
                let outcome = Err(cancellation(cause, &inner));
                drop(inner);
                drop(ManuallyDrop::into_inner(this));
                Ok(outcome)
            }
            Take::Shared => {
                drop(inner);
                Err(ManuallyDrop::into_inner(this))
            }
        }
    }

    /// The outcome by value for the last handle, and nothing for the others, which are given up in this step. `[settled-5]`
    pub(crate) fn take_or_leave(self) -> Option<Outcome<T, E>> {
        let this = ManuallyDrop::new(self);
        let mut inner = this.lock();
        let (word, take) = inner.word.take_or_leave();
        inner.word = word;
        match take {
            // SAFETY: the word says that this was the last handle, and it is not dropped.
            Take::Outcome => Some(outcome(unsafe { this.end(inner) })),
            Take::Cancelled(cause) => {
                let outcome = Err(cancellation(cause, &inner));
                drop(inner);
                drop(ManuallyDrop::into_inner(this));
                Some(outcome)
            }
            Take::Shared => None,
        }
    }
}

/// What was in the slot of a settled cell.
fn outcome<T, E>(slot: Slot<T, E>) -> Outcome<T, E> {
    slot.into_inner().expect("a settled cell has an outcome")
}

/// The cancellation for this cause, with the reason that was given.
fn cancellation<T, E>(cause: Cancelled, inner: &Inner<T, E>) -> Failure<E> {
    Cancellation::new(cause, inner.reason.clone()).into()
}
