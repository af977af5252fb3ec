//! What tasks of an event loop do with futures: sleep, wait for one with a timeout, for several, and for a
//! group of tasks. Python's `asyncio.sleep`, `wait_for`, `timeout`, `shield`, `gather`, `wait`,
//! `as_completed` and `TaskGroup`.
//!
//! None of them blocks: each is awaited in a task of this crate's [`EventLoop`](crate::EventLoop), on the
//! loop's thread.
//!
//! All that take futures by value, except [`shield`], own them from the first poll on: if the task is stopped, they are
//! asked to stop, and the task is seen stopped only after them. All that take futures by reference leave them as they are.
//! `[await-3]` `[combine-1]` Cancel safety: dropped outside of a stop, none of them cancels anything, except
//! [`task_group`], which always stops its tasks.
//! A stop is the drop of a coroutine, so that nothing here can swallow one. `[combine-1]`
//!
//! The work for each of several futures does not depend on how many there are.

mod group;
mod many;
mod several;
mod time;

use std::future::poll_fn;

pub use group::{GroupError, GroupPanic, TaskGroup, ToldToGroup, task_group};
pub use many::{AsCompleted, Parted, as_completed, gather, gather_all, wait};
pub use several::{Several, join, select};
pub use time::{Sleep, TimedOut, sleep, timeout, timeout_at, wait_for};

use crate::{
    LoopFuture, LoopRef, Settled,
    event_loop::{Stopping, forward},
};

/// Waits for a future without passing a stop on to it. Python's `asyncio.shield`. `[combine-1]`
///
/// If the task that waits is stopped, the future goes on; whoever wants its outcome then needs a handle of
/// it. An error that nobody can look at any more is reported to the loop. `[report-2]`
///
/// # Panics
///
/// When awaited on another loop than the future's, and by the task whose outcome it is. `[await-5]`
///
/// ```
/// use settled::{EventLoop, LoopRef, tasks};
///
/// let event_loop = EventLoop::new();
/// event_loop.run_until_complete(async {
///     let here = LoopRef::current().unwrap();
///     let (promise, save) = here.create_future::<u32, ()>();
///     let settled = save.clone();
///     let waits = here.create_task(async { tasks::shield(save).await.take().is_ok() }).unwrap();
///     waits.cancel();
///     assert!((&waits).await.cancelled() && !settled.cancelled()); // it goes on
///     promise.finish(1).unwrap();
/// }).unwrap();
/// ```
#[doc(alias = "detach")]
pub async fn shield<T: 'static, E: 'static>(future: LoopFuture<T, E>) -> Settled<T, E> {
    settled(&future).await;
    future.await
}

/// A future that the awaiting coroutine owns: dropped in a stop, it passes the stop on. `[await-3]`
struct OwnedFuture<T: 'static, E: 'static>(Option<LoopFuture<T, E>>);

impl<T: 'static, E: 'static> OwnedFuture<T, E> {
    fn new(future: LoopFuture<T, E>) -> Self {
        Self(Some(future))
    }

    fn get(&self) -> &LoopFuture<T, E> {
        self.0.as_ref().expect("given up only by `release`")
    }

    fn release(mut self) -> LoopFuture<T, E> {
        self.0.take().expect("given up once")
    }
}

impl<T: 'static, E: 'static> Drop for OwnedFuture<T, E> {
    fn drop(&mut self) {
        if let Some(future) = &self.0 {
            forward(future);
        }
    }
}

/// Waits by reference, as a coroutine that can be polled beside another.
async fn settled<T: 'static, E: 'static>(future: &LoopFuture<T, E>) -> &Settled<T, E> {
    future.await
}

/// Waits for tasks that were asked to stop.
async fn stopped(stopping: Stopping) {
    poll_fn(|cx| stopping.poll(cx)).await;
}

/// The loop that runs this.
fn here(what: &str) -> LoopRef {
    LoopRef::current().unwrap_or_else(|| {
        panic!(
            "`{what}` was called where no event loop of this crate runs; call it in a task of one"
        )
    })
}
