//! The slot: the outcome, and who may touch it when.
//!
//! ```text
//! who                            what            when
//! the step that settles          writes it once  with the lock held, before the word says settled
//! who has seen the word settled  reads it        from then on, as long as it has a handle, without the lock
//! who was handed a proof         reads it        the same: the proof was made by one who had seen it
//! who gives up the last handle   takes it out    when the memory is freed: nobody else is left; or with the lock held,
//!                                                before a weak handle can free it
//! ```
//!
//! So nobody reads while it is written: no reader comes before the word says settled, and no writer after. `[cell-1]`
#![expect(unsafe_code, reason = "the cell is where it belongs; every block says why it is sound")]

use super::Outcome;
use crate::sync::UnsafeCell;

pub(crate) struct Slot<T, E>(UnsafeCell<Option<Outcome<T, E>>>);

impl<T, E> Slot<T, E> {
    pub(super) fn new() -> Self {
        Self(UnsafeCell::new(None))
    }

    /// # Safety
    ///
    /// The caller holds the lock, and the word is not settled.
    pub(super) unsafe fn write(&self, outcome: Outcome<T, E>) {
        self.0.with_mut(|slot| {
            // SAFETY: by the contract nobody has a proof, so that nobody reads, and nobody else writes. What is
            // overwritten is `None`: nothing of the user's is dropped.
            unsafe { slot.write(Some(outcome)) }
        });
    }

    /// # Safety
    ///
    /// The caller has seen, under the lock, that the word is settled, or was handed a proof by one who had.
    pub(super) unsafe fn read(&self) -> &Outcome<T, E> {
        self.0.with(|slot| {
            // SAFETY: by the contract the write happened before, and it was the only one.
            let slot = unsafe { &*slot };
            slot.as_ref().expect("a settled cell has an outcome")
        })
    }

    /// Takes out what is in it.
    ///
    /// # Safety
    ///
    /// The caller holds the lock, and has just given up the last handle.
    pub(super) unsafe fn take(&self) -> Self {
        // SAFETY: by the contract nobody reads any more and nobody can begin to; and the memory is there, since whoever
        // gives up the last weak handle needs the lock for it.
        Self(UnsafeCell::new(self.0.with_mut(|slot| unsafe { (*slot).take() })))
    }

    /// Nobody reads any more. loom does not see a free, but it sees a write, and that nothing orders it after a read.
    pub(super) fn end(&self) {
        self.0.with_mut(|_| ());
    }

    /// What is in it, if it was written.
    pub(crate) fn into_inner(self) -> Option<Outcome<T, E>> {
        self.0.into_inner()
    }
}
