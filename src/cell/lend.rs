//! Lending a handle to callbacks, and taking the value when all of them have returned.
#![expect(unsafe_code, reason = "the cell is where it belongs; every block says why it is sound")]

use std::mem::ManuallyDrop;

use super::{
    Handle, Outcome,
    word::{Take, Then, Word},
};
use crate::{
    error::Cancellation,
    settled::Settled,
    sync::{Ordering, at},
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
    #[inline]
    pub(crate) fn take(self) -> Result<Outcome<T, E>, Self> {
        let this = ManuallyDrop::new(self);
        // Mostly this is all that is left, and a value is what it has.
        if this.word().is(|word| matches!(word.take().1, Take::Outcome(Then::Free)))
            // SAFETY: the word says so, and it is not dropped.
            && let Ok(value) = unsafe { this.free_with_value() }
        {
            return Ok(Ok(value.expect("a settled cell has an outcome")));
        }
        ManuallyDrop::into_inner(this).taken(Word::take)
    }

    /// The outcome by value for the last handle, and nothing for the others, which are given up in this step. `[settled-5]`
    pub(crate) fn take_or_leave(self) -> Option<Outcome<T, E>> {
        self.taken(Word::take_or_leave).map_err(ManuallyDrop::new).ok()
    }

    /// The outcome by value, if the step says so; if not, the handle is as that left it. The others see that somebody has
    /// looked.
    #[cold]
    #[inline(never)]
    fn taken(self, step: impl Fn(Word) -> (Word, Take)) -> Result<Outcome<T, E>, Self> {
        self.look();
        let this = ManuallyDrop::new(self);
        let takes = |word| match step(word) {
            (_, take @ Take::Outcome(Then::Free)) => Err(take),
            (word, take) => Ok((word, take)),
        };
        let (Ok(take) | Err(take)) = this.word().step(at("take", Ordering::AcqRel), takes);
        match take {
            Take::Outcome(then) => {
                // SAFETY: the word says that this was the last handle, and it is not dropped.
                let outcome = unsafe { this.end(then) };
                Ok(outcome.expect("a settled cell has an outcome"))
            }
            Take::Cancelled(cause) => {
                let this = ManuallyDrop::into_inner(this);
                Ok(Err(Cancellation::new(cause, this.reason()).into()))
            }
            Take::Shared => Err(ManuallyDrop::into_inner(this)),
        }
    }
}
