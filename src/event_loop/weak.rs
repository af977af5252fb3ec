//! A weak handle of a loop future.

use std::{fmt, rc};

use super::{future::LoopFuture, view::View};

/// A handle of a [`LoopFuture`] that does not keep it: what is in the future goes with its last other handle.
/// `[weak-3]`
///
/// A callback, a cache or an object of a language that collects garbage holds one instead of the future itself where
/// that would close a circle. It lives on the thread of the loop, and is made by [`downgrade`](LoopFuture::downgrade).
///
/// ```
/// use settled::EventLoop;
///
/// let event_loop = EventLoop::new();
/// let (promise, future) = event_loop.create_future::<u32, ()>();
/// let weak = future.downgrade();
/// let itself = weak.clone();
/// future.add_done_callback(move |_| drop(itself)); // no circle
/// assert!(weak.upgrade().is_some());
/// future.clear_done_callbacks();
/// drop(future);
/// assert!(weak.upgrade().is_none() && promise.is_closed());
/// ```
pub struct WeakLoopFuture<T: 'static, E: 'static>(rc::Weak<View<T, E>>);

impl<T, E> WeakLoopFuture<T, E> {
    fn of(view: &rc::Rc<View<T, E>>) -> Self {
        Self(rc::Rc::downgrade(view))
    }
}

impl<T, E> LoopFuture<T, E> {
    /// Makes a weak handle of the same view, which does not keep it. `[weak-3]`
    ///
    /// ```
    /// use settled::EventLoop;
    ///
    /// let event_loop = EventLoop::new();
    /// let (_promise, future) = event_loop.create_future::<u32, ()>();
    /// let weak = future.downgrade();
    /// drop(future);
    /// assert!(weak.upgrade().is_none());
    /// ```
    #[must_use]
    pub fn downgrade(&self) -> WeakLoopFuture<T, E> {
        WeakLoopFuture::of(&self.view)
    }
}

impl<T: Sync, E: Sync> WeakLoopFuture<T, E> {
    /// Returns the future, as long as another handle of it is there, or its loop has still to call its callbacks.
    /// `None` then, and for ever; other views of the same work may be there. Never blocks. `[weak-3]` `[bounds-2]`
    #[must_use]
    pub fn upgrade(&self) -> Option<LoopFuture<T, E>> {
        self.0.upgrade().map(LoopFuture::again)
    }
}

/// Another weak handle.
impl<T, E> Clone for WeakLoopFuture<T, E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T, E> fmt::Debug for WeakLoopFuture<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("WeakLoopFuture");
        match self.0.upgrade() {
            Some(view) => debug.field("state", &format_args!("{}", LoopFuture { view }.kind())),
            None => debug.field("state", &format_args!("Gone")),
        };
        debug.finish()
    }
}
