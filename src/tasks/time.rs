//! Sleeping, and waiting for no longer than a while.

use std::{
    cell::Cell,
    fmt,
    future::{Future, IntoFuture, poll_fn},
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use thiserror::Error;

use super::{OwnedFuture, here, settled, stopped};
use crate::{
    Cancel, Expired, LoopFuture, Settled,
    event_loop::{Scheduled, stop, task_of},
};

/// Waits for `delay`, and never less. Python's `asyncio.sleep`. `[loop-9]`
///
/// The time counts from this call. Dropping it cancels the timer. A zero delay gives the other calls of the
/// loop a turn.
///
/// ```
/// use std::time::{Duration, Instant};
/// use settled::{EventLoop, tasks::sleep};
///
/// let begin = Instant::now();
/// EventLoop::new().run_until_complete(async { sleep(Duration::from_millis(2)).await }).unwrap();
/// assert!(begin.elapsed() >= Duration::from_millis(2));
/// ```
///
/// # Panics
///
/// If this thread runs no [`EventLoop`](crate::EventLoop), or one that is closing.
pub fn sleep(delay: Duration) -> Sleep {
    let home = here("sleep");
    assert!(!home.is_closed(), "`sleep` is called on a loop that is not closing");
    let alarm = Rc::new(Alarm { state: Cell::new(State::Set), waker: Cell::new(None) });
    home.set_timer(home.after(delay), Rc::clone(&alarm) as Rc<dyn Scheduled>);
    Sleep { alarm }
}

/// Completes when its time is over. Made by [`sleep`]. `[loop-9]`
#[must_use = "futures do nothing unless they are polled"]
pub struct Sleep {
    alarm: Rc<Alarm>,
}

/// What the loop calls when the time is over.
struct Alarm {
    state: Cell<State>,
    waker: Cell<Option<Waker>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Set,
    Rung,
    Cancelled,
}

impl Scheduled for Alarm {
    fn call(&self) {
        if self.is_live() {
            self.state.set(State::Rung);
            if let Some(waker) = self.waker.take() {
                waker.wake();
            }
        }
    }

    fn cancel(&self) -> bool {
        let is_live = self.is_live();
        if is_live {
            self.state.set(State::Cancelled);
            drop(self.waker.take());
        }
        is_live
    }

    fn is_live(&self) -> bool {
        self.state.get() == State::Set
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.alarm.state.get() == State::Rung {
            return Poll::Ready(());
        }
        // Cloning and dropping a waker is foreign code.
        let last = self.alarm.waker.replace(Some(cx.waker().clone()));
        drop(last);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.alarm.cancel();
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sleep(..)")
    }
}

/// A future that had not settled for its loop when the time of [`wait_for`] was over. `[combine-2]` If another thread
/// had settled it and the loop has only not delivered that yet, it was late all the same: the outcome is read from
/// the future in a later turn, and the cancel has changed nothing. `[combine-5]`
#[derive(Debug, Error)]
#[error(
    "the future did not settle in time, and was asked to cancel; how it ends can be read from the future in this error"
)]
#[doc(alias = "TimeoutError")]
pub struct TimedOut<T: 'static, E: 'static> {
    /// The future: it is cancelled; or not settled, since its work refused the cancel or belongs to another loop; or
    /// settled by another thread and not delivered yet.
    pub future: LoopFuture<T, E>,
}

/// Waits for a future, for `timeout` at the most; then it asks to cancel it. Python's
/// `asyncio.wait_for`. `[combine-2]` The time counts from the first poll. For a coroutine there is [`timeout`].
///
/// A task of this loop, whatever view of it this is, is stopped before this returns; if it ended before it could be
/// stopped, its outcome is returned. Nothing else is waited for: running work of a pool refuses the cancel, the request
/// stays visible to the work, and its outcome can be read from the error's future later.
///
/// ```
/// use std::time::Duration;
/// use settled::{EventLoop, tasks};
///
/// let event_loop = EventLoop::new();
/// let task = event_loop.create_task(std::future::pending::<()>()).unwrap();
/// let waits = tasks::wait_for(task, Duration::from_millis(1));
/// let timed_out: tasks::TimedOut<_, _> = event_loop.run_until_complete(waits).unwrap().unwrap_err();
/// assert!(timed_out.future.cancelled());
/// ```
///
/// # Errors
///
/// [`TimedOut`], with the future.
///
/// # Panics
///
/// As [`sleep`], when awaited on another loop than the future's, and by the task whose outcome it is. `[await-5]`
pub async fn wait_for<T: 'static, E: 'static>(
    future: LoopFuture<T, E>,
    timeout: Duration,
) -> Result<Settled<T, E>, TimedOut<T, E>> {
    let owned = OwnedFuture::new(future);
    if let Some(()) = first(settled(owned.get()), sleep(timeout)).await {
        return Ok(owned.release().await);
    }
    let requested = owned.get().cancel_with("the time of wait_for was over") == Cancel::Requested;
    if requested && task_of(owned.get()).is_some() {
        // It is a task of this loop, which is being stopped: nothing can keep that from arriving.
        settled(owned.get()).await;
    }
    let future = owned.release();
    if future.done() && !future.cancelled() {
        return Ok(future.await);
    }
    Err(TimedOut { future })
}

/// `Some` if `future` is complete before the time is over, or when it is.
async fn first<F: Future>(future: F, sleep: Sleep) -> Option<()> {
    let (mut future, mut sleep) = (pin!(future), pin!(sleep));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(_) => Poll::Ready(Some(())),
        Poll::Pending => sleep.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// Runs `coroutine` for `timeout` at the most, in the task that awaits this; then it is stopped. Python's
/// `asyncio.timeout`. `[combine-2]` The time counts from the first poll.
///
/// To stop it is to drop it. The tasks that it awaited by value, and those of its groups, have then been stopped too
/// before this returns. A job of a pool that it awaited by value, as in `timeout(job.output(), time)`, is asked to
/// cancel, and nobody has it any more: [`wait_for`] gives it back. A coroutine that is complete when the time is over
/// is in time.
///
/// # Errors
///
/// [`Expired`].
///
/// # Panics
///
/// As [`sleep`].
///
/// ```
/// use std::{future::pending, time::Duration};
/// use settled::{EventLoop, Expired, LoopRef, tasks};
///
/// let event_loop = EventLoop::new();
/// event_loop.run_until_complete(async {
///     let soon = Duration::from_millis(1);
///     assert_eq!(tasks::timeout(async { 7 }, Duration::from_secs(60)).await, Ok(7));
///     assert_eq!(tasks::timeout(pending::<()>(), soon).await, Err(Expired));
///     let at = LoopRef::current().unwrap().time() + soon;
///     assert_eq!(tasks::timeout_at(pending::<()>(), at).await, Err(Expired));
/// }).unwrap();
/// ```
#[doc(alias = "deadline")]
pub async fn timeout<F: IntoFuture>(coroutine: F, timeout: Duration) -> Result<F::Output, Expired> {
    timeout_at(coroutine, here("timeout").after(timeout)).await
}

/// As [`timeout`], until a moment of the loop's [`time`](crate::LoopRef::time). Python's `asyncio.timeout_at`.
/// `[combine-2]`
///
/// # Errors
///
/// [`Expired`].
///
/// # Panics
///
/// As [`sleep`].
pub async fn timeout_at<F: IntoFuture>(coroutine: F, at: Instant) -> Result<F::Output, Expired> {
    let home = here("timeout_at");
    let mut sleep = pin!(sleep(at.saturating_duration_since(home.time())));
    let mut coroutine = Box::pin(coroutine.into_future());
    let output = poll_fn(|cx| match coroutine.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => sleep.as_mut().poll(cx).map(|()| None),
    });
    if let Some(output) = output.await {
        return Ok(output);
    }
    stopped(stop(coroutine, Some("the time was over".into()), home.registry())).await;
    Err(Expired)
}
