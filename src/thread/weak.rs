//! A weak handle of a future.

use std::fmt;

use super::ThreadFuture;
use crate::cell::Weak;

/// A handle of a future that does not keep it: it does not count as somebody who listens, and what is in the future
/// goes with the last other handle. `[weak-1]` `[weak-2]`
///
/// A callback, a cache or an object of a language that collects garbage holds one instead of a
/// [`ThreadFuture`](crate::ThreadFuture) where that would close a circle. What it keeps is the memory of the future,
/// and neither its value nor its callbacks. It is made by [`downgrade`](crate::ThreadFuture::downgrade).
///
/// ```
/// use settled::ThreadFuture;
///
/// let (promise, future) = ThreadFuture::<u32, ()>::pair();
/// let weak = future.downgrade();
/// let itself = weak.clone();
/// future.add_done_callback(move |_| drop(itself)); // no circle
/// assert!(weak.upgrade().is_some());
/// future.clear_done_callbacks();
/// drop(future);
/// assert!(promise.is_closed() && weak.upgrade().is_none());
/// ```
pub struct WeakThreadFuture<T, E>(Weak<T, E>);

impl<T: Sync, E: Sync> WeakThreadFuture<T, E> {
    pub(super) fn of(future: &ThreadFuture<T, E>) -> Self {
        Self(Weak::of(future.handle()))
    }

    /// Returns the future, as long as somebody is left who can see its outcome: another handle, a callback or a loop's
    /// view. `None` once nobody is, and then for ever: the promise may have been told so. A cancelled future is also
    /// there as long as the promise is that has lost. Never blocks. `[weak-1]` Also `None` as long as there are
    /// 16,777,215 handles.
    #[must_use]
    pub fn upgrade(&self) -> Option<ThreadFuture<T, E>> {
        self.0.upgrade().map(ThreadFuture::new)
    }
}

/// Another weak handle.
impl<T: Sync, E: Sync> Clone for WeakThreadFuture<T, E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T, E> fmt::Debug for WeakThreadFuture<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
