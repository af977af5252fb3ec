//! What wakes a loop that is driven by hand.

use std::{mem, sync::Arc};

use crate::waiter::isolate;

/// The user's hook, and whether it has been called since the loop has taken its work.
#[derive(Default)]
pub(crate) struct Hook {
    hook: Option<Arc<dyn Fn() + Send + Sync>>,
    rung: bool,
}

/// What is to be called, with no lock held.
#[must_use = "nobody else wakes the loop"]
pub(crate) struct Ring(Option<Arc<dyn Fn() + Send + Sync>>);

impl Hook {
    /// There is something to do: what is to be called, if it has not been called for that.
    pub(crate) fn ring(&mut self) -> Ring {
        Ring(self.hook.clone().filter(|_| !mem::replace(&mut self.rung, true)))
    }

    /// What there was to do is taken.
    pub(crate) const fn rest(&mut self) {
        self.rung = false;
    }

    /// Replaces the hook; the last is to be dropped with no lock held.
    pub(crate) fn set(&mut self, hook: impl Fn() + Send + Sync + 'static) -> Ring {
        // This one has not been called for anything.
        self.rung = false;
        Ring(self.hook.replace(Arc::new(hook)))
    }

    /// Takes the hook away, to be dropped with no lock held.
    pub(crate) fn take(&mut self) -> Ring {
        Ring(self.hook.take())
    }
}

impl Ring {
    /// Calls the hook. It is the user's.
    pub(crate) fn call(self) {
        if let Some(hook) = self.0 {
            isolate(|| hook());
            isolate(|| drop(hook));
        }
    }
}
