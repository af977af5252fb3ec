//! Lending a handle to callbacks, and taking the value when all of them have returned.
#![expect(unsafe_code, reason = "the cell is where it belongs; every block says why it is sound")]

use std::mem::ManuallyDrop;

use super::{Handle, Outcome};
use crate::{error::Failure, machine::State, settled::Settled};

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
        let mut inner = this.lock();
        inner.handles -= 1;
        inner.lent -= 1;
        let last = inner.handles == 0;
        let takers = if inner.lent == 0 { std::mem::take(&mut inner.waiters) } else { Vec::new() };
        drop(inner);
        if last {
            // SAFETY: the count is zero, and this handle is not dropped.
            drop(unsafe { this.free() });
        }
        takers.into_iter().for_each(|(_, taker)| taker.notify());
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
        let other = self.clone();
        // The callback that it is for is lent it from now on.
        other.lock().lend();
        other.lent()
    }

    /// The outcome by value, if this is the only handle, or if there is nothing in it to share: the
    /// promise that lost to a cancel may live on for long.
    pub(crate) fn take(self) -> Result<Outcome<T, E>, Self> {
        let inner = self.lock();
        let (state, cause, shared) = (inner.state, inner.cause, inner.handles > 1);
        drop(inner);
        if shared && state == State::Cancelled {
            return Ok(Err(Failure::Cancelled(cause)));
        }
        if shared {
            return Err(self);
        }
        let this = ManuallyDrop::new(self);
        // SAFETY: this is the only handle, so nobody can make another; it is not dropped again.
        let cell = unsafe { this.free() };
        Ok(cell.slot.into_inner().expect("a settled cell has an outcome"))
    }

    /// The outcome by value for the last handle, and nothing for the others, which are given up in this step. `[settled-5]`
    pub(crate) fn take_or_leave(self) -> Option<Outcome<T, E>> {
        let mut inner = self.lock();
        if inner.state == State::Cancelled {
            let cause = inner.cause;
            drop(inner);
            return Some(Err(Failure::Cancelled(cause)));
        }
        inner.handles -= 1;
        let last = inner.handles == 0;
        drop(inner);
        let this = ManuallyDrop::new(self);
        // SAFETY: the count is zero, and this handle is not dropped.
        let cell = last.then(|| unsafe { this.free() })?;
        Some(cell.slot.into_inner().expect("a settled cell has an outcome"))
    }
}
