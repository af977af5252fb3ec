//! The slot: the outcome, and who may touch it when.
//!
//! ```text
//! who                            what            when
//! the producer                   writes it once  before the step that settles
//! the producer, who is too late  takes it back   before it gives its handle up: nobody reads the slot of a cancelled cell
//! who has seen the word Finished reads it        from then on, as long as it has a handle
//! who was handed a proof         reads it        the same: the proof was made by one who had seen it
//! who gives up the last handle   takes it out    after that step: nobody else is left who could read; holds keep the memory
//! ```
//!
//! So nobody reads while it is written: no reader comes before the word says Finished, and no writer after. `[cell-1]`
#![expect(unsafe_code, reason = "the cell is where it belongs; every block says why it is sound")]

use super::Outcome;
use crate::sync::UnsafeCell;

/// There is a failure in it.
pub(super) struct Failed;

pub(crate) struct Slot<T, E>(UnsafeCell<Option<Outcome<T, E>>>);

impl<T, E> Slot<T, E> {
    pub(super) fn new() -> Self {
        Self(UnsafeCell::new(None))
    }

    /// # Safety
    ///
    /// The caller is the producer, and the word is not Finished.
    pub(super) unsafe fn write(&self, outcome: Outcome<T, E>) {
        self.0.with_mut(|slot| {
            // SAFETY: by the contract nobody reads, and nobody else writes. What is overwritten is `None`: nothing of the
            // user's is dropped.
            unsafe { slot.write(Some(outcome)) }
        });
    }

    /// # Safety
    ///
    /// The caller has seen that the word is Finished, or was handed a proof by one who had, and has a handle.
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
    /// The caller is the producer of a cell that is Cancelled; or it has given up the last handle, and keeps the memory.
    pub(super) unsafe fn take(&self) -> Option<Outcome<T, E>> {
        // SAFETY: by the contract nobody reads any more, and nobody can begin to.
        self.0.with_mut(|slot| unsafe { (*slot).take() })
    }

    /// The same, unless it is a failure. The value is read as it was written: a read of value and tag at once has to wait until
    /// both are in memory.
    ///
    /// # Safety
    ///
    /// As for [`take`](Self::take).
    #[inline]
    pub(super) unsafe fn take_value(&self) -> Result<Option<T>, Failed> {
        self.0.with_mut(|slot| {
            // SAFETY: by the contract nobody reads any more, and nobody can begin to.
            let value = match unsafe { &*slot } {
                // SAFETY: what is there is overwritten, and not dropped.
                Some(Ok(value)) => Some(unsafe { std::ptr::read(value) }),
                Some(Err(_)) => return Err(Failed),
                None => None,
            };
            // SAFETY: as above.
            unsafe { slot.write(None) };
            Ok(value)
        })
    }
}
