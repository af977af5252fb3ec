//! [`Lock`]: a value that one has at a time.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

pub use super::memory::LockGuard;
use super::{
    hold::Hold,
    memory::{LockPlace, Shared, place},
};
use crate::{error::WaitError, sync::after};

/// A value that one thread or task has at a time. Python's `threading.Lock` and `asyncio.Lock`, in one, with what they guard
/// inside.
///
/// It is a semaphore of one permit, and so are its line and its guarantees. `[lock-1]` Whoever has the [`LockGuard`] has the
/// value; dropped, it hands the lock over. A guard may be kept across an await, and be sent to another thread where the
/// value can; [`into_owned`](LockGuard::into_owned) makes one that borrows nothing. Clones are the same lock.
///
/// A panic poisons nothing: the value is as the panic left it. `[lock-3]` A thread that has the guard and locks once
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
/// let mut guard: LockGuard<'_, u32> = lock.lock_timeout(Duration::ZERO).unwrap();
/// *guard += 1;
/// assert!(lock.is_locked() && lock.lock_deadline(Instant::now()).is_err());
/// drop(guard);
/// assert_eq!(*lock.try_lock().unwrap(), 2);
/// ```
#[doc(alias("Mutex"))]
pub struct Lock<T>(Arc<Shared<T>>);

impl<T> Lock<T> {
    /// One that nobody has.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Arc::new(Shared::new(value)))
    }

    /// Locks it if nobody has it. Python's `acquire(blocking=False)`. `[lock-1]`
    #[must_use]
    #[inline]
    pub fn try_lock(&self) -> Option<LockGuard<'_, T>> {
        LockGuard::try_lock(Hold::Borrowed(&self.0))
    }

    /// Blocks this thread until it is its turn. `[lock-1]`
    ///
    /// # Errors
    ///
    /// As [`Semaphore::acquire`](super::Semaphore::acquire).
    #[inline]
    pub fn lock(&self) -> Result<LockGuard<'_, T>, WaitError> {
        self.block(None)
    }

    /// Blocks this thread until it is its turn, for `timeout` at the most. Python's `acquire(timeout=)`. `[lock-1]`
    ///
    /// # Errors
    ///
    /// As [`Semaphore::acquire_timeout`](super::Semaphore::acquire_timeout).
    pub fn lock_timeout(&self, timeout: Duration) -> Result<LockGuard<'_, T>, WaitError> {
        self.block(after(timeout))
    }

    /// Blocks this thread until it is its turn, until `deadline` at the latest. `[lock-1]`
    ///
    /// # Errors
    ///
    /// As [`lock_timeout`](Self::lock_timeout).
    pub fn lock_deadline(&self, deadline: Instant) -> Result<LockGuard<'_, T>, WaitError> {
        self.block(Some(deadline))
    }

    #[inline]
    fn block(&self, deadline: Option<Instant>) -> Result<LockGuard<'_, T>, WaitError> {
        LockGuard::lock(Hold::Borrowed(&self.0), deadline).map_err(WaitError::told)
    }

    /// Awaits its turn, on any executor. `[lock-1]`
    ///
    /// Cancel safety: as [`Semaphore::acquire_async`](super::Semaphore::acquire_async).
    #[inline]
    pub fn lock_async(&self) -> AwaitLock<'_, T> {
        AwaitLock::new(Hold::Borrowed(&self.0))
    }

    /// Whether nobody could have it at once: somebody has it, or it was handed to one who has not come for it. Others may
    /// take it, or give it back, meanwhile. Python's `locked()`. `[lock-1]` `[semaphore-2]`
    #[must_use]
    #[doc(alias = "locked")]
    pub fn is_locked(&self) -> bool {
        self.0.turn().number(|turn| turn.free()) == 0
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
        f.debug_struct("Lock").field("turn", self.0.turn()).finish_non_exhaustive()
    }
}

impl<T: fmt::Debug> fmt::Debug for LockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Display> fmt::Display for LockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Awaits a [`Lock`]. Made by [`Lock::lock_async`]. `[lock-1]`
#[must_use = "futures do nothing unless they are polled"]
pub struct AwaitLock<'a, T>(Option<LockPlace<'a, T>>);

impl<'a, T> AwaitLock<'a, T> {
    #[inline]
    pub(super) fn new(of: Hold<'a, Shared<T>>) -> Self {
        Self(Some(place(of)))
    }
}

impl<T> fmt::Debug for AwaitLock<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitLock").field("ready", &self.0.is_none()).finish()
    }
}

impl<'a, T> Future for AwaitLock<'a, T> {
    type Output = LockGuard<'a, T>;

    /// # Panics
    ///
    /// If polled again after it was ready.
    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<LockGuard<'a, T>> {
        let place = self.0.as_mut().expect("polled again after it was ready");
        let guard = ready!(LockGuard::poll(place, cx));
        self.0 = None;
        Poll::Ready(guard)
    }
}
