//! A handle that cancels when it goes.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::ThreadFuture;
use crate::{
    cell::{Registration, Until},
    context,
    output::{Output, OutputResult},
    settled::Settled,
};

/// A handle that asks to cancel its future when it is dropped, also in the middle of an await: made by
/// [`ThreadFuture::cancel_on_drop`]. `[cancel-9]`
///
/// It is a [`Future`], so that a handler that a server drops when its client has gone takes the work with it. Once it
/// was ready, or was [let go](Self::keep), it cancels nothing.
///
/// ```
/// use settled::{EventLoop, Executor, ThreadPool};
///
/// let job = ThreadPool::default().submit(|| 7).unwrap().cancel_on_drop();
/// assert!(job.future().is_some());
/// let value = EventLoop::new().run_until_complete(job.output()).unwrap(); // dropped before, it would cancel
/// assert_eq!(value.unwrap(), 7);
/// ```
#[must_use = "dropping it cancels the future"]
pub struct CancelOnDrop<T, E> {
    /// `None` once it was ready.
    future: Option<ThreadFuture<T, E>>,
    place: Registration,
}

impl<T, E> ThreadFuture<T, E> {
    /// The same handle, which asks to cancel the future when it is dropped. `[cancel-9]` Python's thread futures have
    /// nothing like it; asyncio's tasks do so for what they await.
    ///
    /// ```
    /// use settled::{Cancelled, ThreadFuture};
    ///
    /// let (promise, future) = ThreadFuture::<u32, ()>::pair();
    /// drop(future.cancel_on_drop());
    /// assert_eq!(promise.start().unwrap_err(), Cancelled::Requested);
    /// ```
    pub fn cancel_on_drop(self) -> CancelOnDrop<T, E> {
        CancelOnDrop { future: Some(self), place: Registration::default() }
    }
}

impl<T, E> CancelOnDrop<T, E> {
    /// Returns the future; `None` once an await of it was ready.
    #[must_use]
    pub const fn future(&self) -> Option<&ThreadFuture<T, E>> {
        self.future.as_ref()
    }

    /// Lets the future go: it is cancelled no more. `None` once an await of it was ready. `[cancel-9]`
    ///
    /// ```
    /// use settled::{Executor, ThreadPool};
    ///
    /// let pool = ThreadPool::default();
    /// let guard = pool.submit(|| 7).unwrap().cancel_on_drop();
    /// let future = guard.keep().unwrap(); // cancels no more
    /// assert_eq!(future.join().unwrap(), 7);
    /// ```
    #[must_use]
    pub fn keep(mut self) -> Option<ThreadFuture<T, E>> {
        self.leave();
        self.future.take()
    }

    /// Awaits the value by value, as [`ThreadFuture::output`]; dropped before it is settled, it cancels. `[settled-5]`
    /// `[cancel-9]`
    pub fn output(self) -> Output<Self, T, E> {
        Output::of(self)
    }

    /// As [`output`](Self::output), with the work's own error apart, for `??`. `[settled-5]` `[cancel-9]`
    ///
    /// ```
    /// use settled::{EventLoop, Executor, ThreadPool};
    ///
    /// let guard = ThreadPool::default().submit(|| 7).unwrap().cancel_on_drop();
    /// let returned = EventLoop::new().run_until_complete(guard.output_result()).unwrap();
    /// assert_eq!(returned.unwrap(), Ok(7));
    /// ```
    pub fn output_result(self) -> OutputResult<Self, T, E> {
        OutputResult::of(self)
    }

    fn leave(&mut self) {
        if let Some(future) = &self.future {
            self.place.leave(future.handle());
        }
    }
}

impl<T, E> Future for CancelOnDrop<T, E> {
    type Output = Settled<T, E>;

    /// # Panics
    ///
    /// If polled again after it was ready, or by the task of this crate's loop whose outcome it is. `[await-5]`
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Settled<T, E>> {
        let this = &mut *self;
        let future = this.future.as_ref().expect("polled again after it was ready");
        ready!(this.place.poll(future.handle(), Until::Settled, cx));
        Poll::Ready(this.future.take().expect("it was there a line ago").into_inner())
    }
}

impl<T, E> Drop for CancelOnDrop<T, E> {
    fn drop(&mut self) {
        self.leave();
        if let Some(future) = &self.future {
            future.cancel_for(context::stop_reason());
        }
    }
}

impl<T, E> fmt::Debug for CancelOnDrop<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CancelOnDrop").field(&self.future).finish()
    }
}
