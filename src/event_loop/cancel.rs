//! What cancels a loop future from other threads.

use std::{fmt, panic::RefUnwindSafe, sync::Arc};

use crate::{cell::Canceller, error::Cancel, machine::State};

/// Cancels a [`LoopFuture`](crate::LoopFuture) from any thread, and asks whether it is settled, whatever its
/// value is. It is made by
/// [`cancel_handle`](crate::LoopFuture::cancel_handle). `[cancel-10]`
///
/// It does not keep the future: it is not counted among those who could see the outcome, and what is in the future is
/// dropped with the last handle of the future, on the loop's thread. All that it keeps is memory: no value, no
/// callback.
///
/// ```
/// use std::{rc::Rc, thread};
/// use settled::{Cancel, EventLoop};
///
/// let event_loop = EventLoop::new();
/// let endless = std::future::pending::<Rc<str>>();    // stays on this thread
/// let task = event_loop.create_task(endless).unwrap();
/// let handle = task.cancel_handle();
/// let asks = thread::spawn(move || handle.cancel_with("the user left"));
/// let settled = event_loop.run_until_complete(task).unwrap();
/// assert_eq!(asks.join().unwrap(), Cancel::Requested);
/// assert_eq!(settled.cancel_reason().as_deref(), Some("the user left"));
/// ```
#[doc(alias = "AbortHandle")]
#[derive(Clone)]
pub struct CancelHandle(Arc<dyn Remote>);

/// A [`Canceller`] of any type.
trait Remote: Send + Sync + RefUnwindSafe {
    fn cancel(&self, reason: Option<Arc<str>>) -> Cancel;
    fn state(&self) -> State;
}

impl<T, E> Remote for Canceller<T, E> {
    fn cancel(&self, reason: Option<Arc<str>>) -> Cancel {
        Self::cancel(self, reason)
    }

    fn state(&self) -> State {
        Self::state(self)
    }
}

impl CancelHandle {
    pub(super) fn of<T: 'static, E: 'static>(canceller: Canceller<T, E>) -> Self {
        Self(Arc::new(canceller))
    }

    /// Cancels the work if it has not begun; a task is asked to stop, and seen Cancelled when it has stopped. The
    /// answer is that of [`LoopFuture::cancel`](crate::LoopFuture::cancel), also when nobody
    /// has the future any more. Never blocks. `[cancel-1]` `[cancel-4]`
    ///
    /// The callbacks of the loop future run on its loop, in a later turn. Those of a
    /// [`ThreadFuture`](crate::ThreadFuture) of the same work run in this call, as in that one's
    /// [`cancel`](crate::ThreadFuture::cancel). `[callback-1]`
    ///
    /// # Panics
    ///
    /// If a thread's callback is registered, and there are 16,777,215 handles of the future already.
    ///
    /// ```
    /// use settled::{Cancel, EventLoop, Refusal};
    ///
    /// let event_loop = EventLoop::new();
    /// let (promise, future) = event_loop.create_future::<u32, ()>();
    /// let handle = future.cancel_handle();
    /// assert!(!handle.done());
    /// promise.finish(1).unwrap();
    /// assert_eq!(handle.cancel(), Cancel::Refused(Refusal::Finished));
    /// assert!(handle.done() && !handle.cancelled());
    /// ```
    #[doc(alias = "abort")]
    pub fn cancel(&self) -> Cancel {
        self.0.cancel(None)
    }

    /// As [`cancel`](Self::cancel), and says why: the first reason that is given stays with the future. `[cancel-7]`
    ///
    /// # Panics
    ///
    /// As [`cancel`](Self::cancel).
    pub fn cancel_with(&self, reason: impl Into<Arc<str>>) -> Cancel {
        self.0.cancel(Some(reason.into()))
    }

    /// Returns whether the future is settled. Its loop may not have been told yet, and then the future still says that
    /// it is not. `[read-3]`
    #[must_use]
    #[doc(alias("is_finished", "is_ready", "is_done"))]
    pub fn done(&self) -> bool {
        self.0.state().is_settled()
    }

    /// Returns whether the future is Cancelled. Its loop may not have been told yet. `[read-3]`
    #[must_use]
    #[doc(alias = "is_cancelled")]
    pub fn cancelled(&self) -> bool {
        self.0.state() == State::Cancelled
    }
}

impl fmt::Debug for CancelHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelHandle").field("state", &self.0.state()).finish()
    }
}
