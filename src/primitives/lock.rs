//! [`Lock`]: a value that one has at a time.

use std::{
    fmt,
    future::Future,
    ops::{Deref, DerefMut},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use super::semaphore::{AwaitPermit, Permit, Semaphore};
use crate::{
    error::WaitError,
    sync::{Mutex, lock},
};

/// A value that one thread or task has at a time. Python's `threading.Lock` and `asyncio.Lock`, in one, with what they guard
/// inside.
///
/// It is a semaphore of one permit, and so are its line and its guarantees. `[lock-1]` Whoever has the [`LockGuard`] has the
/// value; dropped, it puts the value back, and hands the lock over. A guard borrows nothing: it may be kept across an
/// await, and be sent to another thread where the value can. Clones are the same lock.
///
/// A panic poisons nothing: the value is put back as the panic left it. `[lock-3]` A thread that has the guard and locks once
/// more waits for itself. Where only threads lock, and hold it for a moment, take [`std::sync::Mutex`].
///
/// ```
/// use settled::{EventLoop, primitives::Lock};
///
/// let lines = Lock::new(Vec::new());
/// let shared = lines.clone();
/// let thread = std::thread::spawn(move || shared.lock().unwrap().push("a thread's"));
/// let shared = lines.clone();
/// EventLoop::new().run_until_complete(async move {
///     shared.lock_async().await.push("a task's");
/// }).unwrap();
/// thread.join().unwrap();
/// assert_eq!(lines.try_lock().unwrap().len(), 2);
/// ```
///
/// ```
/// use std::time::{Duration, Instant};
/// use settled::primitives::{Lock, LockGuard};
///
/// let lock = Lock::new(1);
/// let mut guard: LockGuard<u32> = lock.lock_timeout(Duration::ZERO).unwrap();
/// *guard += 1;
/// assert!(lock.is_locked() && lock.lock_deadline(Instant::now()).is_err());
/// drop(guard);
/// assert_eq!(*lock.try_lock().unwrap(), 2);
/// ```
#[doc(alias("Mutex", "OwnedMutexGuard"))]
pub struct Lock<T>(Arc<Shared<T>>);

struct Shared<T> {
    turn: Semaphore,
    /// `None` while a guard has it. This one is never waited for.
    value: Mutex<Option<Box<T>>>,
}

impl<T> Lock<T> {
    /// One that nobody has.
    #[must_use]
    pub fn new(value: T) -> Self {
        let value = Mutex::new(Some(Box::new(value)));
        Self(Arc::new(Shared { turn: Semaphore::bounded(1), value }))
    }

    /// What whoever has the permit has.
    fn guard(&self, permit: Permit) -> LockGuard<T> {
        let value = lock(&self.0.value).take();
        LockGuard { value, lock: self.clone(), permit: Some(permit) }
    }

    /// Locks it if nobody has it. Python's `acquire(blocking=False)`. `[lock-1]`
    #[must_use]
    pub fn try_lock(&self) -> Option<LockGuard<T>> {
        self.0.turn.try_acquire().map(|permit| self.guard(permit))
    }

    /// Blocks this thread until it is its turn. `[lock-1]`
    ///
    /// # Errors
    ///
    /// As [`Semaphore::acquire`](super::Semaphore::acquire).
    pub fn lock(&self) -> Result<LockGuard<T>, WaitError> {
        self.0.turn.acquire().map(|permit| self.guard(permit))
    }

    /// Blocks this thread until it is its turn, for `timeout` at the most. Python's `acquire(timeout=)`. `[lock-1]`
    ///
    /// # Errors
    ///
    /// As [`Semaphore::acquire_timeout`](super::Semaphore::acquire_timeout).
    pub fn lock_timeout(&self, timeout: Duration) -> Result<LockGuard<T>, WaitError> {
        self.0.turn.acquire_timeout(timeout).map(|permit| self.guard(permit))
    }

    /// Blocks this thread until it is its turn, until `deadline` at the latest. `[lock-1]`
    ///
    /// # Errors
    ///
    /// As [`lock_timeout`](Self::lock_timeout).
    pub fn lock_deadline(&self, deadline: Instant) -> Result<LockGuard<T>, WaitError> {
        self.0.turn.acquire_deadline(deadline).map(|permit| self.guard(permit))
    }

    /// Awaits its turn, on any executor. `[lock-1]`
    ///
    /// Cancel safety: as [`Semaphore::acquire_async`](super::Semaphore::acquire_async).
    pub fn lock_async(&self) -> AwaitLock<T> {
        AwaitLock { turn: self.0.turn.acquire_async(), lock: self.clone() }
    }

    /// Whether nobody could have it at once: somebody has it, or it was handed to one who has not come for it. Others may
    /// take it, or give it back, meanwhile. Python's `locked()`. `[lock-1]` `[semaphore-2]`
    #[must_use]
    #[doc(alias = "locked")]
    pub fn is_locked(&self) -> bool {
        self.0.turn.available() == 0
    }
}

impl<T> Clone for Lock<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("turn", &self.0.turn).finish_non_exhaustive()
    }
}

/// The value of a [`Lock`], as long as this lives. Leaked, it keeps the value, and nobody has the lock any more. `[lock-2]`
#[must_use = "dropped, it unlocks at once"]
pub struct LockGuard<T> {
    /// There until it is dropped.
    value: Option<Box<T>>,
    lock: Lock<T>,
    /// Goes after the value is back.
    permit: Option<Permit>,
}

impl<T> LockGuard<T> {
    /// Puts the value back, and hands the lock over. Nobody uses it until it is locked again.
    pub(super) fn unlock(&mut self) {
        self.put_back();
        self.permit = None;
    }

    /// Blocks this thread until it is its turn, in any case.
    pub(super) fn lock_again(&mut self) {
        self.permit = Some(self.lock.0.turn.acquire_in_any_case());
        self.value = lock(&self.lock.0.value).take();
    }

    /// The lock that it is of.
    pub(super) fn lock_of(&self) -> Lock<T> {
        self.lock.clone()
    }

    fn put_back(&mut self) {
        if let Some(value) = self.value.take() {
            *lock(&self.lock.0.value) = Some(value);
        }
    }
}

impl<T> Deref for LockGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_deref().expect("who has the permit has the value")
    }
}

impl<T> DerefMut for LockGuard<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_deref_mut().expect("who has the permit has the value")
    }
}

impl<T> Drop for LockGuard<T> {
    fn drop(&mut self) {
        self.put_back();
    }
}

impl<T: fmt::Debug> fmt::Debug for LockGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Display> fmt::Display for LockGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Awaits a [`Lock`]. Made by [`Lock::lock_async`]. `[lock-1]`
#[must_use = "futures do nothing unless they are polled"]
pub struct AwaitLock<T> {
    turn: AwaitPermit,
    lock: Lock<T>,
}

impl<T> fmt::Debug for AwaitLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitLock").field("turn", &self.turn).finish_non_exhaustive()
    }
}

impl<T> Future for AwaitLock<T> {
    type Output = LockGuard<T>;

    /// # Panics
    ///
    /// If polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<LockGuard<T>> {
        let permit = ready!(Pin::new(&mut self.turn).poll(cx));
        Poll::Ready(self.lock.guard(permit))
    }
}
