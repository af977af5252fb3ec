//! Awaiting a [`LoopFuture`], in callback order.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::{future::LoopFuture, place::Place, stop::forward};
use crate::{
    output::{Output, OutputResult},
    settled::Settled,
};

impl<T, E> IntoFuture for LoopFuture<T, E> {
    type Output = Settled<T, E>;
    type IntoFuture = AwaitLoop<T, E>;

    /// Awaits the future, by value, in a task on the loop's thread. A task that had to wait goes on
    /// in callback order: after the callbacks that were registered before. `[await-1]` `[await-4]`
    ///
    /// Cancel safety: a task that is stopped while it awaits a future by value asks to cancel that
    /// future, and is itself settled only after it if that is a task of its loop; dropped anywhere else, or awaited by
    /// reference, it never cancels. `[await-3]`
    ///
    /// # Panics
    ///
    /// When polled in the task whose outcome it is, and on another [`EventLoop`](crate::EventLoop) than its
    /// own, which cannot run at the same time on this thread. `[await-5]` Awaiting on any other executor of the
    /// thread is allowed; the future's loop must run for it to go on.
    fn into_future(self) -> AwaitLoop<T, E> {
        AwaitLoop { future: Some(self), place: Place::default() }
    }
}

impl<'a, T, E> IntoFuture for &'a LoopFuture<T, E> {
    type Output = &'a Settled<T, E>;
    type IntoFuture = AwaitLoopRef<'a, T, E>;

    /// Awaits the future, by reference. Dropping it cancels nothing. `[await-1]`
    ///
    /// # Panics
    ///
    /// As for an await by value.
    fn into_future(self) -> AwaitLoopRef<'a, T, E> {
        AwaitLoopRef { future: self, place: Place::default() }
    }
}

impl<T, E> LoopFuture<T, E> {
    /// Awaits the value, by value, in a task on the loop's thread, as an await by value does: after the callbacks that
    /// were registered before, and those that read the outcome elsewhere. `[settled-5]` `[await-4]`
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let event_loop = settled::EventLoop::new();
    /// let task = event_loop.create_task_result(async { "12".parse::<u32>() })?;
    /// let number = event_loop.run_until_complete(task.output())??;
    /// assert_eq!(number, 12);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`JoinError::Failed`](crate::JoinError::Failed) if there is no value and never will be;
    /// [`JoinError::Shared`](crate::JoinError::Shared) if another handle shares it.
    ///
    /// # Panics
    ///
    /// Polled again after it was ready.
    pub fn output(self) -> Output<AwaitLoop<T, E>, T, E> {
        Output::of(self)
    }

    /// As [`output`](Self::output), with the work's own error apart, for `??`. `[settled-5]`
    ///
    /// # Errors
    ///
    /// As [`output`](Self::output), but for the work's own error.
    ///
    /// ```
    /// use settled::{EventLoop, Job};
    ///
    /// let event_loop = EventLoop::new();
    /// let task = event_loop.create_task_result(async { Err::<u32, _>("no route") }).unwrap();
    /// task.get_loop().call_soon_threadsafe(Job::new(|| println!("in a later turn"))).unwrap();
    /// let returned = event_loop.run_until_complete(task.output_result()).unwrap();
    /// assert_eq!(returned.unwrap(), Err("no route"));
    /// ```
    pub fn output_result(self) -> OutputResult<AwaitLoop<T, E>, T, E> {
        OutputResult::of(self)
    }
}

/// Awaits a [`LoopFuture`] by value: made by its `into_future`, which says when it panics. Dropping it
/// gives its place up, and cancels the future only in a task that is being stopped. `[await-2]`
/// `[await-3]`
///
/// ```
/// use std::future::IntoFuture;
/// use settled::{AwaitLoop, EventLoop};
///
/// let event_loop = EventLoop::new();
/// let (promise, future) = event_loop.create_future::<u32, ()>();
/// promise.finish(7).unwrap();
/// let awaits: AwaitLoop<_, _> = future.into_future();
/// assert_eq!(event_loop.run_until_complete(awaits).unwrap().result(), Ok(&7));
/// ```
#[derive(Debug)]
#[must_use = "futures do nothing unless they are polled"]
pub struct AwaitLoop<T: 'static, E: 'static> {
    /// `None` once it was ready.
    future: Option<LoopFuture<T, E>>,
    place: Place,
}

impl<T, E> Future for AwaitLoop<T, E> {
    type Output = Settled<T, E>;

    /// # Panics
    ///
    /// If polled again after it was ready, or on another loop than the future's own.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Settled<T, E>> {
        let this = &mut *self;
        let future = this.future.as_ref().expect("polled again after it was ready");
        if !future.done() {
            ready!(this.place.poll(future, cx));
        }
        this.place.leave(future);
        match this.future.take().expect("it was there a line ago").into_settled() {
            Ok(settled) => Poll::Ready(settled),
            Err(future) => {
                // Callbacks are lent the handle still; this task goes on after them.
                this.place.queue(&future, cx);
                this.future = Some(future);
                Poll::Pending
            }
        }
    }
}

impl<T, E> Drop for AwaitLoop<T, E> {
    fn drop(&mut self) {
        if let Some(future) = &self.future
            && self.place.leave(future)
        {
            forward(future);
        }
    }
}

/// Awaits a [`LoopFuture`] by reference: made by `into_future` of `&future`. Dropping it gives its place up and cancels
/// nothing. `[await-2]` `[await-3]`
///
/// ```
/// use std::future::IntoFuture;
/// use settled::{AwaitLoopRef, EventLoop};
///
/// let event_loop = EventLoop::new();
/// let (promise, future) = event_loop.create_future::<u32, ()>();
/// promise.finish(7).unwrap();
/// let awaits: AwaitLoopRef<'_, _, _> = (&future).into_future();
/// assert_eq!(event_loop.run_until_complete(awaits).unwrap().result(), Ok(&7));
/// ```
#[derive(Debug)]
#[must_use = "futures do nothing unless they are polled"]
pub struct AwaitLoopRef<'a, T: 'static, E: 'static> {
    future: &'a LoopFuture<T, E>,
    place: Place,
}

impl<'a, T, E> Future for AwaitLoopRef<'a, T, E> {
    type Output = &'a Settled<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if !this.future.done() {
            ready!(this.place.poll(this.future, cx));
        }
        this.future.view.cell().look();
        Poll::Ready(this.future.view.proof())
    }
}

impl<T, E> Drop for AwaitLoopRef<'_, T, E> {
    fn drop(&mut self) {
        self.place.leave(self.future);
    }
}
