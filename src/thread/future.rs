//! [`ThreadFuture`]: the view of a cell that blocks.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
    time::{Duration, Instant},
};

use super::weak::WeakThreadFuture;
use crate::{
    blocking::{Cells, Looked, May, Wanted, before_parking},
    cell::{Handle, Registration, Until},
    context, deferred,
    error::{Cancel, Expired, Failure, InvalidState, NoValue, WaitError},
    machine::State,
    phase::{Owned, Pending},
    promise::{self, Promise},
    settled::Settled,
    sync::{after, is_over, is_past},
    waiter::isolate,
};

/// A result that comes later, for threads: reading waits, and callbacks run where it settles.
///
/// It is Python's `concurrent.futures.Future`. Every method may be called from every thread, also
/// from inside a callback of the same future, and each is one step: it takes effect at one moment
/// between its call and its return. `[read-3]`
///
/// | | this view | [`LoopFuture`](crate::LoopFuture) | why |
/// |---|---|---|---|
/// | reading before it is settled | waits | `InvalidState` | D2, D4 |
/// | timeouts | on every wait | none | D3 |
/// | callbacks | in the settling thread; late ones at once | through the loop | D21, D22 |
/// | cancel once running | refused | refused; a task is stopped | D30 |
///
/// # Awaiting it
///
/// `job.output().await` gives the value, on any executor; [`output`](Self::output) is a
/// [`Future`](std::future::Future), `Send` where the handle is, and goes wherever one is wanted:
/// `tokio::spawn(job.output())`, `join_all(jobs.into_iter().map(ThreadFuture::output))`, `FuturesUnordered`.
/// `job.await` and `(&job).await` give the proof that it is settled, and so do `select!` and `timeout`, which take
/// whatever can be awaited.
///
/// The handle itself is an [`IntoFuture`](std::future::IntoFuture) and no `Future`. `[await-6]` A future that was
/// polled to its end has given its output away, and would be a handle without an outcome, for which each method that
/// lends one could only panic; here that does not compile, because an await by value takes the handle. One that was
/// polled keeps a waker, and would cancel its job when it is dropped in a task that stops; here an await does, which is
/// what is dropped there, and a handle that lies somewhere is one pointer and cancels nothing. `[await-3]` `[cancel-5]`
///
/// It is `Send` if `T` and `E` are; `Sync` if they are `Send` and `Sync`; `Clone` if they are
/// `Sync`. `[bounds-1]` `[bounds-2]` Dropping it never cancels anything, but for the one case told
/// at [`into_future`](Self::into_future). `[cancel-5]`
///
/// # Example
///
/// ```
/// use std::{thread, time::Duration};
/// use settled::ThreadFuture;
///
/// let (promise, future) = ThreadFuture::<u32, String>::pair();
/// let producer = thread::spawn(move || promise.finish(42));
/// let settled = future.wait_timeout(Duration::from_secs(60)).unwrap();
/// assert_eq!(settled.result().unwrap(), &42);
/// producer.join().unwrap().unwrap();
/// ```
///
/// ```
/// use std::time::{Duration, Instant};
/// use settled::{Cancel, ThreadFuture};
///
/// let (promise, future) = ThreadFuture::<u32, String>::pair();
/// assert!(!future.done() && !future.running() && !future.cancelled());
/// assert!(future.settled().is_none() && future.try_result().is_err());
/// assert!(future.wait_timeout(Duration::from_millis(1)).is_err());
/// future.add_done_callback(|settled| assert_eq!(settled.result().unwrap(), &42));
/// promise.finish(42).unwrap();
/// assert_eq!(future.wait().unwrap().result().unwrap(), &42);
/// assert_eq!(future.result().unwrap(), &42);
/// assert!(future.exception().unwrap().is_none());
/// assert!(future.wait_deadline(Instant::now()).is_ok());
/// assert!(matches!(future.cancel(), Cancel::Refused(_)));
/// assert_eq!(future.into_settled().unwrap().take().unwrap().unwrap(), 42);
/// ```
#[doc(alias("Future", "JoinHandle", "Receiver"))]
pub struct ThreadFuture<T, E> {
    /// Lent only once it is true.
    settled: Settled<T, E>,
}

impl<T, E> ThreadFuture<T, E> {
    pub(crate) fn new(handle: Handle<T, E>) -> Self {
        Self { settled: Settled::new(handle) }
    }

    pub(crate) fn handle(&self) -> &Handle<T, E> {
        self.settled.handle()
    }

    /// The handle as it is, settled or not.
    pub(crate) fn into_inner(self) -> Settled<T, E> {
        self.settled
    }

    /// Makes a new pending future and its promise. `[promise-1]`
    #[doc(alias("oneshot", "channel", "promise"))]
    pub fn pair() -> (Promise<T, E, Pending>, Self) {
        let (promise, handle) = promise::pending();
        (promise, Self::new(handle))
    }

    /// Makes a new pending future whose work belongs to an owner: `cancel` only asks, and the first
    /// request wakes `owner` in the asking thread, which may then look at
    /// [`cancel_requested`](Promise::cancel_requested), stop the work and say so with
    /// [`stopped`](Promise::stopped). `[cancel-4]`
    ///
    /// ```
    /// use std::task::Waker;
    /// use settled::{Cancel, Cancelled, ThreadFuture};
    ///
    /// let (promise, future) = ThreadFuture::<u32, ()>::owned_pair(Waker::noop().clone());
    /// assert_eq!(future.cancel(), Cancel::Requested);
    /// assert!(promise.cancel_requested());
    /// promise.stopped();
    /// assert_eq!(future.exception().unwrap().unwrap().cause(), Some(Cancelled::Requested));
    /// ```
    #[doc(alias = "owned")]
    pub fn owned_pair(owner: Waker) -> (Promise<T, E, Owned>, Self) {
        let (promise, handle) = promise::owned(owner);
        (promise, Self::new(handle))
    }

    /// Returns the proof that it is settled, if it is. Never blocks. `[read-3]`
    #[must_use]
    pub fn settled(&self) -> Option<&Settled<T, E>> {
        self.done().then_some(&self.settled)
    }

    /// Waits until the future is settled: blocks this thread without a limit. `[wait-1]` The token of
    /// [`std::thread::park`] stays as it is, so that an executor that parks the thread may be around it. `[wait-7]`
    ///
    /// A cancelled future is settled, so that waiting for it never hangs (D33, D39). Those who wait
    /// are told before the callbacks run; a callback may still be running when this returns
    /// (D20). `[callback-2]`
    ///
    /// A worker that waits for a job which is still queued in its own pool runs that job, inside this
    /// call; so does every other wait. `[pool-7]` A callback that waits first runs what its thread has deferred.
    /// `[callback-8]`
    ///
    /// # Errors
    ///
    /// [`WaitError::WouldDeadlock`] if the future is unsettled and this thread runs an event loop, or is a worker
    /// whose wait would close a circle of waits between workers, or is in many callbacks that wait inside each other.
    /// `[deadlock-1]` `[pool-8]` `[callback-8]` [`WaitError::Interrupted`] if an [`Interrupt`](crate::Interrupt) that
    /// this thread has entered ends the wait; the future is untouched. `[wait-9]`
    #[doc(alias("block_on", "join"))]
    pub fn wait(&self) -> Result<&Settled<T, E>, WaitError> {
        self.block(Until::Settled, None)?;
        Ok(&self.settled)
    }

    /// Waits until the future is settled, for `timeout` at the most, counted from this call. A zero
    /// timeout only looks. One too long for the clock is none. `[wait-2]` `[wait-4]` A job or callback that this
    /// thread runs itself meanwhile is not interrupted, so that the call may take longer.
    ///
    /// Python's `result(timeout)` is `future.wait_timeout(timeout)?.result()`, and its `exception(timeout)`
    /// `future.wait_timeout(timeout)?.exception()`. `[read-1]`
    ///
    /// # Errors
    ///
    /// [`WaitError::Expired`] if the time is over first; the future is untouched, and may be waited for again. The
    /// others as in [`wait`](Self::wait), but never for a zero timeout.
    #[doc(alias("result_timeout", "exception_timeout", "recv_timeout"))]
    pub fn wait_timeout(&self, timeout: Duration) -> Result<&Settled<T, E>, WaitError> {
        self.wait_until(after(timeout))
    }

    /// Waits until the future is settled, until `deadline` at the latest. A deadline that has
    /// passed only looks. Spurious wake-ups do not move it, and a future that settles while the
    /// deadline passes is settled, not expired. `[wait-2]` `[wait-3]`
    ///
    /// # Errors
    ///
    /// As [`wait_timeout`](Self::wait_timeout).
    #[doc(alias("result_deadline", "exception_deadline", "recv_deadline"))]
    pub fn wait_deadline(&self, deadline: Instant) -> Result<&Settled<T, E>, WaitError> {
        self.wait_until(Some(deadline))
    }

    /// `None` is a deadline beyond the end of the clock.
    fn wait_until(&self, deadline: Option<Instant>) -> Result<&Settled<T, E>, WaitError> {
        if !self.done() {
            if is_past(deadline) {
                return self.settled().ok_or(WaitError::Expired(Expired));
            }
            self.block(Until::Settled, deadline)?;
        }
        Ok(&self.settled)
    }

    /// Blocks until what is waited for is so, or says why it is not. A worker runs the job itself, if it is queued in
    /// its own pool. `[pool-7]`
    #[inline]
    pub(super) fn block(&self, until: Until, deadline: Option<Instant>) -> Result<(), WaitError> {
        if self.handle().is_over(until) {
            return Ok(());
        }
        self.block_so(until, deadline)
    }

    /// The same where it is not over.
    #[cold]
    fn block_so(&self, until: Until, deadline: Option<Instant>) -> Result<(), WaitError> {
        let wanted = if until == Until::Returned { Wanted::Returned } else { Wanted::All };
        let mut looked = Looked::default();
        loop {
            let cell = Cells::One(self.handle().address());
            match before_parking(wanted, Some(cell), &mut looked)? {
                May::LookAgain if !is_over(deadline) || self.handle().is_over(until) => {}
                May::Park(_registered) if self.handle().park_until(until, deadline) => break,
                _ => return Err(WaitError::ended(deadline)),
            }
            if self.handle().is_over(until) {
                break;
            }
        }
        Ok(())
    }

    /// Waits like [`wait`](Self::wait) and returns the value. Python's `result()`. `[read-1]`
    ///
    /// Value and error are lent, so that `?` cannot take the error up any further than the future lives:
    /// [`join`](Self::join) gives both by value.
    ///
    /// # Errors
    ///
    /// [`NoValue::Failed`] if there is no value and never will be; [`NoValue::Unsettled`] with the
    /// [`WaitError`] of [`wait`](Self::wait).
    #[doc(alias("recv", "get", "block_on"))]
    pub fn result(&self) -> Result<&T, NoValue<WaitError, &Failure<E>>> {
        self.wait().map_err(NoValue::Unsettled)?.result().map_err(NoValue::Failed)
    }

    /// Returns the value, if the future is settled with one. Never blocks. `[read-2]`
    ///
    /// # Errors
    ///
    /// [`NoValue::Unsettled`] with [`InvalidState`] if it is not settled; [`NoValue::Failed`] if
    /// there is no value and never will be.
    #[doc(alias("try_recv", "get_now"))]
    pub fn try_result(&self) -> Result<&T, NoValue<InvalidState, &Failure<E>>> {
        self.settled().ok_or(NoValue::Unsettled(InvalidState))?.result().map_err(NoValue::Failed)
    }

    /// Waits like [`wait`](Self::wait) and returns why there is no value, or `None` if there is one.
    /// Python's `exception()`, which however raises a cancellation instead of returning it.
    /// `[read-1]`
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    #[doc(alias("err", "failure"))]
    pub fn exception(&self) -> Result<Option<&Failure<E>>, WaitError> {
        Ok(self.wait()?.exception())
    }

    /// Waits like [`wait`](Self::wait) and turns into the proof, whose
    /// [`take`](Settled::take) gives the outcome by value. `[settled-3]` Who wants the value alone calls
    /// [`join`](Self::join), which waits for the callbacks too. `[settled-5]`
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait), with the future.
    pub fn into_settled(self) -> Result<Settled<T, E>, (WaitError, Self)> {
        match self.wait() {
            Ok(_) => Ok(self.settled),
            Err(error) => Err((error, self)),
        }
    }

    /// Cancels the work if it has not begun. Never blocks. `[cancel-1]`
    ///
    /// If this call is the one that cancels, it wakes those who wait and runs the callbacks, in this
    /// thread, before it returns. `[callback-1]` To running work the request stays visible; work
    /// that belongs to an owner, such as a task, is asked to stop. `[cancel-3]` `[cancel-4]`
    #[doc(alias = "abort")]
    #[inline]
    pub fn cancel(&self) -> Cancel {
        self.cancel_for(None)
    }

    /// As [`cancel`](Self::cancel), and says why: the first reason that is given stays with the future.
    /// `[cancel-7]` Python's `asyncio.Future.cancel(msg)`; its thread futures take no message (D32).
    ///
    /// ```
    /// let (promise, future) = settled::ThreadFuture::<u32, ()>::pair();
    /// assert!(future.cancel_with("nobody wants it").thread_answer());
    /// assert_eq!(future.wait().unwrap().cancel_reason().as_deref(), Some("nobody wants it"));
    /// # drop(promise);
    /// ```
    pub fn cancel_with(&self, reason: impl Into<Arc<str>>) -> Cancel {
        self.cancel_for(Some(reason.into()))
    }

    #[inline]
    pub(crate) fn cancel_for(&self, reason: Option<Arc<str>>) -> Cancel {
        let (answer, settling) = self.handle().cancel(reason);
        if let Some(settling) = settling {
            settling.pay(&self.settled);
        }
        answer
    }

    /// Returns whether the future is Cancelled. Never blocks. `[read-3]`
    #[must_use]
    #[doc(alias = "is_cancelled")]
    pub fn cancelled(&self) -> bool {
        self.handle().state() == State::Cancelled
    }

    /// Returns whether the work is running at this moment. Never blocks. There is no such method on the
    /// loop flavour, where every observer would get the same answer (D7). `[read-3]`
    #[must_use]
    #[doc(alias = "is_running")]
    pub fn running(&self) -> bool {
        self.handle().state() == State::Running
    }

    /// Returns whether the future is settled, cancelled or finished. Never blocks. `[read-3]` `[machine-3]`
    #[must_use]
    #[doc(alias("is_finished", "is_ready", "is_done"))]
    pub fn done(&self) -> bool {
        self.handle().is_settled()
    }

    /// Calls `callback` once, when the future is settled. `[callback-1]` `[callback-3]`
    ///
    /// Callbacks that were registered before run in registration order, one after the other, in
    /// the thread that settles the future, after those who wait were told, with no lock held. On a
    /// future that is settled already, `callback` runs here and now, and may overtake earlier ones
    /// that still run in the settling thread (D22, D23).
    ///
    /// Every method of the future may be called from inside it. A panic in it is caught and
    /// reported by the process's panic hook, at once; its siblings run. `[callback-5]`
    ///
    /// A callback may settle further futures. Their callbacks run inside that call, 32 deep; deeper ones are deferred,
    /// so that a chain of any length needs no more stack than that. The outermost call of this thread that runs
    /// callbacks then runs them, in order, before it returns, and so does every wait of this crate before it parks, and
    /// every loop of this crate before it sleeps. A callback that blocks on something else, such as a channel or a
    /// foreign lock, for which it needs one that was deferred, blocks for ever; and one that waits with a lock held
    /// that a deferred one takes. `[callback-8]` In Python a chain of about three hundred ends with a `RecursionError`,
    /// which is logged, and the rest is never settled.
    ///
    /// A deferred callback is lent a handle of the future. Where that has 16,777,215 already, or has lent 1,048,575 of
    /// them, as many as it counts, the callback is dropped uncalled, which the process's panic hook reports.
    #[doc(alias("on_complete", "when_complete", "then"))]
    pub fn add_done_callback(&self, callback: impl FnOnce(&Settled<T, E>) + Send + 'static)
    where
        T: Sync + 'static,
        E: Sync + 'static,
    {
        if let Err(late) = self.handle().register_callback(Box::new(callback)) {
            deferred::run(std::iter::once(late), &self.settled);
        }
    }

    /// A weak handle of the same future, which does not keep it. `[weak-1]` `[bounds-2]`
    ///
    /// ```
    /// use settled::ThreadFuture;
    ///
    /// let (_promise, future) = ThreadFuture::<u32, ()>::pair();
    /// let weak = future.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(future);
    /// assert!(weak.upgrade().is_none());
    /// ```
    #[must_use]
    pub fn downgrade(&self) -> WeakThreadFuture<T, E>
    where
        T: Sync,
        E: Sync,
    {
        WeakThreadFuture::of(self)
    }

    /// Drops the callbacks that are registered, uncalled, in this thread, with no lock held; returns how many. So a
    /// collector of garbage breaks a circle in which a callback holds what holds the future. `[callback-9]`
    ///
    /// One that a settling thread has taken already runs. Whoever waits, waits on. Neither of Python's futures can do
    /// it: its collector sees into them. A panic in a drop is caught, and reported by the process's panic hook.
    ///
    /// ```
    /// let (promise, future) = settled::ThreadFuture::<u32, ()>::pair();
    /// let kept = std::sync::Arc::new(());
    /// let circle = kept.clone();
    /// future.add_done_callback(move |_| drop(circle));
    /// assert_eq!(future.clear_done_callbacks(), 1);
    /// assert_eq!(std::sync::Arc::strong_count(&kept), 1);
    /// # drop(promise);
    /// ```
    pub fn clear_done_callbacks(&self) -> usize {
        let cleared = self.handle().clear_callbacks();
        let count = cleared.len();
        cleared.into_iter().for_each(|callback| isolate(|| drop(callback)));
        count
    }
}

/// Another handle of the same future. `[bounds-2]` Panics if there are 16,777,215 already.
impl<T: Sync, E: Sync> Clone for ThreadFuture<T, E> {
    fn clone(&self) -> Self {
        Self { settled: self.settled.clone() }
    }
}

impl<T, E> fmt::Debug for ThreadFuture<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle().debug("ThreadFuture", f)
    }
}

impl<T, E> IntoFuture for ThreadFuture<T, E> {
    type Output = Settled<T, E>;
    type IntoFuture = AwaitThread<T, E>;

    /// Awaits the future, by value, on any executor. `[await-1]`
    ///
    /// Cancel safety: a task of this crate's [`EventLoop`](crate::EventLoop) that is stopped while
    /// it awaits a future by value asks to cancel that future, as asyncio does; dropped anywhere
    /// else, or awaited by reference, it never cancels. `[await-3]`
    ///
    /// # Panics
    ///
    /// When polled by the task of this crate's loop whose outcome it is. `[await-5]`
    fn into_future(self) -> AwaitThread<T, E> {
        AwaitThread { future: Some(self), place: Registration::default() }
    }
}

impl<'a, T, E> IntoFuture for &'a ThreadFuture<T, E> {
    type Output = &'a Settled<T, E>;
    type IntoFuture = AwaitThreadRef<'a, T, E>;

    /// Awaits the future, by reference, on any executor. Dropping it cancels nothing. `[await-1]`
    ///
    /// # Panics
    ///
    /// As for an await by value.
    fn into_future(self) -> AwaitThreadRef<'a, T, E> {
        AwaitThreadRef { future: self, place: Registration::default() }
    }
}

/// Awaits a [`ThreadFuture`] by value: made by its `into_future`. Dropping it gives its place up, and
/// cancels the future only in a task that is being stopped. `[await-2]` `[await-3]`
///
/// ```
/// use std::future::IntoFuture;
/// use settled::{AwaitThread, EventLoop, ThreadFuture};
///
/// let event_loop = EventLoop::new();
/// let (promise, future) = ThreadFuture::<u32, ()>::pair();
/// promise.finish(7).unwrap();
/// let awaits: AwaitThread<_, _> = future.into_future();
/// assert_eq!(event_loop.run_until_complete(awaits).unwrap().result(), Ok(&7));
/// ```
#[derive(Debug)]
#[must_use = "futures do nothing unless they are polled"]
pub struct AwaitThread<T, E> {
    /// `None` once it was ready.
    future: Option<ThreadFuture<T, E>>,
    place: Registration,
}

impl<T, E> Future for AwaitThread<T, E> {
    type Output = Settled<T, E>;

    /// # Panics
    ///
    /// If polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Settled<T, E>> {
        let this = &mut *self;
        let future = this.future.as_ref().expect("polled again after it was ready");
        ready!(this.place.poll(future.handle(), Until::Settled, cx));
        Poll::Ready(this.future.take().expect("it was there a line ago").settled)
    }
}

impl<T, E> Drop for AwaitThread<T, E> {
    fn drop(&mut self) {
        if let Some(future) = &self.future
            && self.place.leave(future.handle())
            && context::is_stopping_coroutine()
        {
            future.cancel_for(context::stop_reason());
        }
    }
}

/// Awaits a [`ThreadFuture`] by reference: made by `into_future` of `&future`. Dropping it gives its place up and
/// cancels nothing. `[await-2]` `[await-3]`
///
/// ```
/// use std::future::IntoFuture;
/// use settled::{AwaitThreadRef, EventLoop, ThreadFuture};
///
/// let event_loop = EventLoop::new();
/// let (promise, future) = ThreadFuture::<u32, ()>::pair();
/// promise.finish(7).unwrap();
/// let awaits: AwaitThreadRef<'_, _, _> = (&future).into_future();
/// assert_eq!(event_loop.run_until_complete(awaits).unwrap().result(), Ok(&7));
/// ```
#[derive(Debug)]
#[must_use = "futures do nothing unless they are polled"]
pub struct AwaitThreadRef<'a, T, E> {
    future: &'a ThreadFuture<T, E>,
    place: Registration,
}

impl<'a, T, E> Future for AwaitThreadRef<'a, T, E> {
    type Output = &'a Settled<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let poll = this.place.poll(this.future.handle(), Until::Settled, cx);
        poll.map(|()| &this.future.settled)
    }
}

impl<T, E> Drop for AwaitThreadRef<'_, T, E> {
    fn drop(&mut self) {
        self.place.leave(self.future.handle());
    }
}
