//! The one place, with its folder, that knows whether this build runs on `std` or under the scheduler of loom or
//! shuttle.
//!
//! Everything that two threads may share goes through here, so that loom sees it. Build with
//! `RUSTFLAGS="--cfg settled_loom"` or `"--cfg settled_shuttle"` to swap; the cfgs are this crate's own, so that no
//! other crate in the same build changes.

use std::{
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use crate::interrupt::{self, Sleeper, before_sleep};

#[cfg(settled_loom)]
pub(crate) use loom::{
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering},
    },
    thread, thread_local,
};
#[cfg(settled_shuttle)]
pub(crate) use shuttle::{
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering},
    },
    thread, thread_local,
};
#[cfg(not(any(settled_loom, settled_shuttle)))]
pub(crate) use std::{
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering},
    },
    thread, thread_local,
};

mod cell;
mod lock;
#[cfg(any(settled_loom, settled_shuttle))]
mod panics;
#[cfg(settled_shuttle)]
#[path = "sync/samples.rs"]
pub mod schedules;
#[cfg(settled_loom)]
pub mod schedules;

#[cfg(settled_loom)]
pub use cell::ByteLock;
pub(crate) use cell::{Alive, AtomicU64, UnsafeCell};
#[cfg(settled_loom)]
pub(crate) use cell::{Lock, Locked};
#[cfg(not(settled_loom))]
pub(crate) use lock::{Lock, Locked};
#[cfg(settled_loom)]
pub use timer::Timer;
#[cfg(settled_loom)]
pub(crate) use timer::{Condvar, now, wait_until};

/// How many calls that run callbacks may be inside each other before callbacks are deferred: as few as show it, where
/// everything is explored. `[callback-8]`
pub(crate) const DEPTH: usize = if cfg!(settled_loom) { 2 } else { 32 };

/// Locks, also when a panicking thread has held the lock: no user code ever runs under a lock of
/// this crate, so that what a lock guards is whole at every unlock. `[callback-6]`
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a notification. May return early; callers loop.
pub(crate) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a notification, until `deadline` if there is one. `guard` is that of `mutex`. May return early; callers
/// loop.
#[cfg(not(settled_loom))]
pub(crate) fn wait_until<'a, T>(
    condvar: &Condvar,
    _mutex: &'a Mutex<T>,
    guard: MutexGuard<'a, T>,
    deadline: Option<Instant>,
) -> MutexGuard<'a, T> {
    let Some(deadline) = deadline else { return wait(condvar, guard) };
    let left = deadline.saturating_duration_since(now());
    condvar.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0
}

/// What time it is.
#[cfg(not(settled_loom))]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The deadline of a timeout that begins now; one too long for the clock is none. `[wait-2]`
pub(crate) fn after(timeout: Duration) -> Option<Instant> {
    now().checked_add(timeout)
}

/// Whether there is a deadline, and it has passed.
pub(crate) fn is_past(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| deadline <= now())
}

/// Whether a wait of this thread is over: its deadline has passed, or somebody has interrupted it. `[wait-9]`
pub(crate) fn is_over(deadline: Option<Instant>) -> bool {
    is_past(deadline) || interrupt::is_raised()
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
#[cfg(not(any(settled_loom, settled_shuttle)))]
macro_rules! static_mutex {
    ($(#[$doc:meta])* static $name:ident: $type:ty = $value:expr;) => {
        $(#[$doc])*
        static $name: $crate::sync::Mutex<$type> = $crate::sync::Mutex::new($value);
    };
}
#[cfg(settled_shuttle)]
macro_rules! static_mutex {
    ($(#[$doc:meta])* static $name:ident: $type:ty = $value:expr;) => {
        shuttle::lazy_static! {
            $(#[$doc])*
            static ref $name: $crate::sync::Mutex<$type> = $crate::sync::Mutex::new($value);
        }
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

/// Declares what each thread has of its own, which is there without being made.
#[cfg(not(any(settled_loom, settled_shuttle)))]
macro_rules! thread_const {
    ($(#[$doc:meta])* static $name:ident: $type:ty = $value:expr;) => {
        std::thread_local! {
            $(#[$doc])*
            static $name: $type = const { $value };
        }
    };
}
#[cfg(any(settled_loom, settled_shuttle))]
macro_rules! thread_const {
    ($(#[$doc:meta])* static $name:ident: $type:ty = $value:expr;) => {
        $crate::sync::thread_local! {
            $(#[$doc])*
            static $name: $type = $value;
        }
    };
}
pub(crate) use thread_const;

/// Parks its thread. The token is this one's alone: that of `std::thread::park` is one for the whole thread, and
/// whoever else parks it would lose theirs. `[wait-7]`
#[derive(Debug)]
pub(crate) struct Parker(Arc<Parked>);

/// Ends a park of its [`Parker`], also one that begins later.
#[derive(Debug)]
pub(crate) struct Unparker(Arc<Parked>);

#[derive(Debug, Default)]
struct Parked {
    token: Mutex<bool>,
    told: Condvar,
}

impl Parker {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn unparker(&self) -> Unparker {
        Unparker(Arc::clone(&self.0))
    }

    /// Returns when the token is there, which it takes, or the deadline has passed, or the thread is interrupted, or
    /// early, to ask whether it is.
    pub(crate) fn park(&self, deadline: Option<Instant>) {
        let Parked { token: mutex, told } = &*self.0;
        let sleep = before_sleep(&self.0, deadline);
        let mut token = lock(mutex);
        while !*token && !is_over(sleep.until) {
            token = wait_until(told, mutex, token, sleep.until);
        }
        *token = false;
    }
}

impl Unparker {
    pub(crate) fn unpark(self) {
        self.0.wake();
    }
}

impl Sleeper for Parked {
    fn wake(&self) {
        *lock(&self.token) = true;
        self.told.notify_one();
    }
}

/// Time under loom, whose own timed waits never expire: it stands still until the timer of the scenario goes off, and
/// then an age has passed.
#[cfg(settled_loom)]
mod timer {
    use std::{
        cell::RefCell,
        sync::{Arc, LockResult, OnceLock},
        time::{Duration, Instant},
    };

    use super::{Mutex, MutexGuard, lock, wait};

    const AGE: Duration = Duration::from_secs(24 * 60 * 60);

    std::thread_local! {
        /// The timer of the scenario. One thread of the system runs all threads of a scenario.
        static TIMER: RefCell<Option<Arc<Mutex<Alarm>>>> = const { RefCell::new(None) };
    }

    /// The one timer of a scenario, as long as it lives: in a thread of its own it goes off at every possible moment.
    #[derive(Debug)]
    pub struct Timer(Arc<Mutex<Alarm>>);

    #[derive(Debug, Default)]
    struct Alarm {
        gone_off: bool,
        sleepers: Vec<Arc<Sleeper>>,
    }

    impl Timer {
        /// Sets the timer of a scenario, before anything else.
        #[must_use]
        #[expect(clippy::new_without_default, reason = "it does more than to be made")]
        pub fn new() -> Self {
            let alarm = Arc::<Mutex<Alarm>>::default();
            TIMER.set(Some(Arc::clone(&alarm)));
            Self(alarm)
        }

        /// What lets it go off: every deadline that was set before has then passed.
        pub fn alarm(&self) -> impl FnOnce() + Send + 'static {
            let alarm = Arc::clone(&self.0);
            move || {
                let mut alarm = lock(&alarm);
                alarm.gone_off = true;
                let sleepers = std::mem::take(&mut alarm.sleepers);
                drop(alarm);
                sleepers.iter().for_each(|sleeper| sleeper.wake());
            }
        }
    }

    impl Drop for Timer {
        fn drop(&mut self) {
            TIMER.take();
        }
    }

    fn timer() -> Option<Arc<Mutex<Alarm>>> {
        TIMER.with_borrow(Clone::clone)
    }

    fn begin() -> Instant {
        static BEGIN: OnceLock<Instant> = OnceLock::new();
        *BEGIN.get_or_init(Instant::now)
    }

    pub(crate) fn now() -> Instant {
        let gone_off = timer().is_some_and(|timer| lock(&timer).gone_off);
        if gone_off { begin() + AGE } else { begin() }
    }

    /// One who sleeps until somebody or the timer wakes him.
    #[derive(Debug, Default)]
    struct Sleeper {
        awake: Mutex<bool>,
        told: loom::sync::Condvar,
    }

    impl Sleeper {
        fn wake(&self) {
            *lock(&self.awake) = true;
            self.told.notify_one();
        }
    }

    /// loom's, and beside it those who wait with a deadline, of whom there is one at a time. loom need not see the
    /// list: who waits enters it, and who notifies looks, after the one has taken the lock of the condition and the
    /// other has.
    #[derive(Debug, Default)]
    pub(crate) struct Condvar {
        others: loom::sync::Condvar,
        timed: std::sync::Mutex<Vec<Arc<Sleeper>>>,
    }

    impl Condvar {
        pub(crate) fn new() -> Self {
            Self::default()
        }

        pub(crate) fn wait<'a, T>(
            &self,
            guard: MutexGuard<'a, T>,
        ) -> LockResult<MutexGuard<'a, T>> {
            self.others.wait(guard)
        }

        pub(crate) fn notify_one(&self) {
            let timed = self.timed.lock().expect("nobody panics with it").pop();
            match timed {
                Some(sleeper) => sleeper.wake(),
                None => self.others.notify_one(),
            }
        }

        pub(crate) fn notify_all(&self) {
            let timed = std::mem::take(&mut *self.timed.lock().expect("nobody panics with it"));
            timed.iter().for_each(|sleeper| sleeper.wake());
            self.others.notify_all();
        }
    }

    pub(crate) fn wait_until<'a, T>(
        condvar: &Condvar,
        mutex: &'a Mutex<T>,
        guard: MutexGuard<'a, T>,
        deadline: Option<Instant>,
    ) -> MutexGuard<'a, T> {
        let Some(deadline) = deadline else { return wait(condvar, guard) };
        let sleeper = Arc::new(Sleeper::default());
        condvar.timed.lock().expect("nobody panics with it").push(Arc::clone(&sleeper));
        let mut over = false;
        if let Some(timer) = timer() {
            let mut alarm = lock(&timer);
            over = alarm.gone_off && deadline <= begin() + AGE;
            alarm.sleepers.push(Arc::clone(&sleeper));
        }
        drop(guard);
        let mut awake = lock(&sleeper.awake);
        while !*awake && !over {
            awake = sleeper.told.wait(awake).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        drop(awake);
        let guard = lock(mutex);
        condvar
            .timed
            .lock()
            .expect("nobody panics with it")
            .retain(|it| !Arc::ptr_eq(it, &sleeper));
        guard
    }
}
