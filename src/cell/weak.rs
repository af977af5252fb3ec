//! Weak handles: they keep the memory of a cell, and nothing else. `[weak-1]` `[weak-2]`
#![expect(unsafe_code, reason = "the cell is where it belongs; every block says why it is sound")]

use std::{
    fmt,
    mem::ManuallyDrop,
    panic::{RefUnwindSafe, UnwindSafe},
    sync::Arc,
};

use super::{Handle, Settling, word::Word};
use crate::{deferred, error::Cancel, machine::State, settled::Settled, waiter::Callbacks};

/// A weak handle of a cell, counted apart: what is in it can be dropped meanwhile.
///
/// It never reads the slot, and becomes a handle only where `T` and `E` are `Sync`. It is `Send` and `Sync` as that is.
pub(crate) struct Weak<T, E>(ManuallyDrop<Handle<T, E>>);

impl<T, E> Weak<T, E> {
    pub(crate) fn of(handle: &Handle<T, E>) -> Self {
        handle.count_weak();
        Self(ManuallyDrop::new(handle.same()))
    }
}

impl<T: Sync, E: Sync> Weak<T, E> {
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

/// A weak handle that asks for the state and cancels, in any thread, whatever is in the cell. `[cancel-10]`
pub(crate) struct Canceller<T, E>(Weak<T, E>);

// SAFETY: by this handle a thread gets at a `T` or an `E` neither to read nor to drop it. As a weak one it never reads the
// slot, nor callbacks that are registered: the step that settled has taken these out, and whoever gave up the last handle
// what was in the slot, before a weak one frees the memory, and it finds nothing there. It becomes a handle only in the step
// that cancels, and whoever has a handle of a cancelled cell has a cancellation, which anybody may read and drop; the slot is
// its producer's, who takes back what it may have written. The callbacks that it calls are `Send`, and were registered where
// `T` and `E` are `Sync`.
unsafe impl<T, E> Send for Canceller<T, E> {}
// SAFETY: as above; what it does by reference is a step of the word, or done with the lock of the place.
unsafe impl<T, E> Sync for Canceller<T, E> {}

// It shows no value that a panic could have left half done.
impl<T, E> UnwindSafe for Canceller<T, E> {}
impl<T, E> RefUnwindSafe for Canceller<T, E> {}

impl<T, E> Canceller<T, E> {
    pub(crate) fn of(handle: &Handle<T, E>) -> Self {
        Self(Weak::of(handle))
    }

    pub(crate) fn state(&self) -> State {
        self.0.0.state()
    }

    /// Anybody's cancel. Tells those who wait, and calls thread callbacks, in this thread.
    pub(crate) fn cancel(&self, reason: Option<Arc<str>>) -> Cancel {
        let weak = &*self.0.0;
        let step = |word: Word, reasoned| {
            word.cancel_weakly(reasoned).expect("more handles than can be counted")
        };
        let (answer, settling) = weak.cancel_by(step, reason);
        let callbacks = settling.map_or(Callbacks::NONE, Settling::wake);
        if !callbacks.is_empty() {
            // The step that settled has counted this one, since there are callbacks.
            deferred::run(callbacks.into_iter(), &Settled::new(weak.same()));
        }
        answer
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
