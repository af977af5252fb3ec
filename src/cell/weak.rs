//! Weak handles: they keep the memory of a cell, and nothing else. `[weak-1]` `[weak-2]`
#![expect(unsafe_code, reason = "the cell is where it belongs; every block says why it is sound")]

use std::{fmt, mem::ManuallyDrop};

use super::{Handle, word::Word};

/// A weak handle of a cell, counted apart: what is in it can be dropped meanwhile.
///
/// It never reads the slot. It is made only where `T` and `E` are `Sync`, and is `Send` and `Sync` as a handle is.
pub(crate) struct Weak<T, E>(ManuallyDrop<Handle<T, E>>);

impl<T: Sync, E: Sync> Weak<T, E> {
    pub(crate) fn of(handle: &Handle<T, E>) -> Self {
        handle.count_weak();
        Self(ManuallyDrop::new(handle.same()))
    }

    /// A handle, as long as somebody is left who can see the outcome. `[weak-1]`
    pub(crate) fn upgrade(&self) -> Option<Handle<T, E>> {
        self.0.one_more(Word::upgrade)
    }
}

impl<T: Sync, E: Sync> Clone for Weak<T, E> {
    fn clone(&self) -> Self {
        Self::of(&self.0)
    }
}

impl<T, E> Drop for Weak<T, E> {
    fn drop(&mut self) {
        // SAFETY: this is its drop.
        unsafe { self.0.uncount_weak() }
    }
}

impl<T, E> fmt::Debug for Weak<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.0.look_at_word();
        let mut debug = f.debug_struct("WeakThreadFuture");
        if word.has_ended() {
            debug.field("state", &format_args!("Gone"));
        } else {
            debug.field("state", &word.state());
        }
        debug.finish()
    }
}
