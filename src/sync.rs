//! The one file that knows whether this build runs on `std` or under loom's scheduler.
//!
//! Everything that two threads may share goes through here, so that loom sees it. Build with
//! `RUSTFLAGS="--cfg settled_loom"` to swap; the cfg is this crate's own, so that no other crate in
//! the same build changes.

use std::{sync::PoisonError, time::Instant};

#[cfg(settled_loom)]
pub(crate) use loom::{
    cell::UnsafeCell,
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread, thread_local,
};
#[cfg(not(settled_loom))]
pub(crate) use std::{
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread, thread_local,
};

/// How many calls that run callbacks may be inside each other before callbacks are deferred: as few as show it, where
/// everything is explored. `[callback-8]`
pub(crate) const DEPTH: usize = if cfg!(settled_loom) { 2 } else { 32 };

/// Locks, also when a panicking thread has held the lock: no user code ever runs under a lock of
/// this crate, so that what a lock guards is whole at every unlock. `[callback-6]`
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a notification, until `deadline` if there is one. May return early; callers loop.
pub(crate) fn wait<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    deadline: Option<Instant>,
) -> MutexGuard<'a, T> {
    match deadline {
        None => condvar.wait(guard).unwrap_or_else(PoisonError::into_inner),
        Some(deadline) => {
            let left = deadline.saturating_duration_since(Instant::now());
            condvar.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0
        }
    }
}

/// The ordering of a place that has a name. Under loom it is weakened to Relaxed if `SETTLED_WEAKEN` names the
/// place: a test then has to fail, or the ordering is one that nothing needs (`tests/faults/orderings`).
#[cfg(not(settled_loom))]
pub(crate) const fn at(_place: &str, ordering: Ordering) -> Ordering {
    ordering
}
#[cfg(settled_loom)]
pub(crate) fn at(place: &str, ordering: Ordering) -> Ordering {
    static WEAKENED: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    let weakened = WEAKENED.get_or_init(|| std::env::var("SETTLED_WEAKEN").ok());
    if weakened.as_deref() == Some(place) { Ordering::Relaxed } else { ordering }
}

/// Declares a static behind a [`Mutex`].
#[cfg(not(settled_loom))]
macro_rules! static_mutex {
    ($(#[$doc:meta])* static $name:ident: $type:ty = $value:expr;) => {
        $(#[$doc])*
        static $name: $crate::sync::Mutex<$type> = $crate::sync::Mutex::new($value);
    };
}
#[cfg(settled_loom)]
macro_rules! static_mutex {
    ($(#[$doc:meta])* static $name:ident: $type:ty = $value:expr;) => {
        loom::lazy_static! {
            $(#[$doc])*
            static ref $name: $crate::sync::Mutex<$type> = $crate::sync::Mutex::new($value);
        }
    };
}
pub(crate) use static_mutex;

/// `std`'s cell with loom's interface: the pointer is lent to a closure, so that loom can watch
/// from when to when it is used.
#[cfg(not(settled_loom))]
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(settled_loom))]
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }

    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

#[cfg(not(settled_loom))]
pub(crate) use parker::{Parker, Unparker};
#[cfg(not(settled_loom))]
mod parker {
    use std::{
        thread::{self, Thread},
        time::Instant,
    };

    /// The current thread, to be parked. `thread::park` may return for no reason; callers loop.
    #[derive(Debug)]
    pub(crate) struct Parker(Thread);

    /// Ends a park of its [`Parker`], also one that begins later.
    #[derive(Debug)]
    pub(crate) struct Unparker(Thread);

    impl Parker {
        pub(crate) fn new() -> Self {
            Self(thread::current())
        }

        pub(crate) fn unparker(&self) -> Unparker {
            Unparker(self.0.clone())
        }

        pub(crate) fn park(&self, deadline: Option<Instant>) {
            match deadline {
                None => thread::park(),
                Some(deadline) => {
                    thread::park_timeout(deadline.saturating_duration_since(Instant::now()));
                }
            }
        }
    }

    impl Unparker {
        pub(crate) fn unpark(self) {
            self.0.unpark();
        }
    }
}

#[cfg(settled_loom)]
pub(crate) use parker::{Parker, Unparker};
#[cfg(settled_loom)]
mod parker {
    use std::sync::Arc;

    use super::{Condvar, Instant, Mutex, lock, wait};

    /// loom panics when a thread is unparked while it joins another (tokio-rs/loom#249), which a
    /// late `unpark` may do; a token behind a lock has the same meaning and no such trap.
    #[derive(Debug)]
    pub(crate) struct Parker(Arc<(Mutex<bool>, Condvar)>);

    #[derive(Debug)]
    pub(crate) struct Unparker(Arc<(Mutex<bool>, Condvar)>);

    impl Parker {
        pub(crate) fn new() -> Self {
            Self(Arc::new((Mutex::new(false), Condvar::new())))
        }

        pub(crate) fn unparker(&self) -> Unparker {
            Unparker(Arc::clone(&self.0))
        }

        pub(crate) fn park(&self, deadline: Option<Instant>) {
            let (token, condvar) = &*self.0;
            let mut token = lock(token);
            while !*token {
                token = wait(condvar, token, deadline);
            }
            *token = false;
        }
    }

    impl Unparker {
        pub(crate) fn unpark(self) {
            *lock(&self.0.0) = true;
            self.0.1.notify_one();
        }
    }
}
