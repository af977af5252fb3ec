//! [`EventLoop`]: the reference loop, and what one can ask of it.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    convert::Infallible,
    fmt,
    future::{Future, IntoFuture},
    ops::Deref,
    pin::pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use super::{
    clock::Clock,
    coroutine,
    future::LoopFuture,
    incident::Incident,
    queue::LoopHandle,
    ready::Scheduled,
    registry::{Own, Registry},
    task::Task,
    waker::TaskWaker,
};
use crate::{
    context,
    error::{Closed, RunError},
    phase::Pending,
    promise::{self, Promise},
    settled::Settled,
    trace,
};

/// A timer that would be due after the end of the clock is due in a century.
const CENTURY: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

/// A small single-threaded event loop, the reference for what a [`Schedule`](crate::Schedule) is.
/// Python's `asyncio` loop.
///
/// It runs callbacks and tasks on the thread that made it, in one queue, first in, first out, turn
/// by turn: a turn runs what was queued when it began. When there is nothing to do it sleeps, until
/// a post or a timer, without polling. `[loop-6]` `[schedule-2]` What it still holds when it is
/// closed is settled. `[loop-5]`
///
/// This type owns the loop: it runs it, and closes it when it is dropped. What else one can do with
/// a loop is on [`LoopRef`], to which it dereferences: who owns a loop writes `event_loop.create_task(..)`, and passes
/// `&event_loop` where a `&LoopRef` is wanted, as for a `String` and `&str`. An accessor would make each of these lines
/// longer.
///
/// # Example
///
/// ```
/// use settled::EventLoop;
///
/// let event_loop = EventLoop::new();
/// let answer = event_loop.run_until_complete(async {
///     let here = settled::LoopRef::current().unwrap();
///     let task = here.create_task(async { 6 * 7 }).unwrap();
///     task.await.take().unwrap().unwrap()
/// });
/// assert_eq!(answer, Ok(42));
/// ```
#[derive(Debug)]
#[doc(alias("LocalSet", "LocalPool", "AbstractEventLoop"))]
pub struct EventLoop {
    here: LoopRef,
}

/// An event loop, seen from its own thread: what tasks and callbacks hold. It does not keep the loop
/// open. Neither `Send` nor `Sync`; other threads use [`handle`](Self::handle). `[loop-3]`
///
/// ```
/// use std::time::Duration;
/// use settled::EventLoop;
///
/// let event_loop = EventLoop::new();
/// event_loop.call_soon(|| println!("in the next turn")).unwrap();
/// let never = event_loop.call_later(Duration::from_secs(3600), || unreachable!()).unwrap();
/// never.cancel();
/// let handle = event_loop.handle(); // for other threads
/// std::thread::spawn(move || handle.stop());
/// event_loop.run_forever().unwrap();
/// assert!(!event_loop.is_running() && !event_loop.is_closed());
/// assert!(event_loop.all_tasks().is_empty() && event_loop.current_task().is_none());
///
/// let answer = event_loop.run_until_complete(async {
///     let here = settled::LoopRef::current().unwrap(); // inside, from anywhere
///     here.create_task(async { 6 * 7 }).unwrap().output().await
/// });
/// assert_eq!(answer.unwrap().unwrap(), 42);
/// ```
#[derive(Clone)]
pub struct LoopRef {
    registry: Rc<Registry>,
}

/// A call that was scheduled, in order to be cancelled, on the loop's thread. Dropping it cancels
/// nothing. `[schedule-4]`
///
/// ```
/// use settled::{CallHandle, EventLoop};
///
/// let event_loop = EventLoop::new();
/// let call: CallHandle = event_loop.call_soon(|| unreachable!()).unwrap();
/// assert!(call.cancel());  // it has not run, and never will
/// assert!(!call.cancel()); // there is nothing left to cancel
/// event_loop.run_until_complete(std::future::ready(())).unwrap();
/// ```
#[derive(Clone)]
#[doc(alias = "TimerHandle")]
pub struct CallHandle {
    call: Rc<dyn Scheduled>,
}

impl EventLoop {
    /// Makes a new loop, bound to this thread. `[loop-3]`
    ///
    /// # Panics
    ///
    /// If this thread is dropping its thread-locals.
    #[must_use]
    #[doc(alias = "new_event_loop")]
    pub fn new() -> Self {
        Self { here: LoopRef::make(None) }
    }

    /// Makes a new loop, bound to this thread, whose timers follow `clock`: for tests. `[loop-11]`
    ///
    /// # Panics
    ///
    /// If this thread is dropping its thread-locals.
    ///
    /// ```
    /// use std::time::Duration;
    /// use settled::{Clock, EventLoop, tasks};
    ///
    /// let clock = Clock::jumping();
    /// let event_loop = EventLoop::with_clock(&clock);
    /// let hour = async { tasks::sleep(Duration::from_secs(3600)).await };
    /// event_loop.run_until_complete(hour).unwrap(); // at once
    /// ```
    #[must_use]
    pub fn with_clock(clock: &Clock) -> Self {
        Self { here: LoopRef::make(Some(clock.clone())) }
    }

    /// Runs the loop until `future` is complete, and returns its output. It need be neither `Send`
    /// nor `'static`. Tasks that are not complete by then stay, and go on in the next run.
    ///
    /// # Errors
    ///
    /// [`RunError::Stopped`] if `stop` was called first: `future` is dropped.
    /// [`RunError::Nested`] if this thread runs an event loop already. `[loop-4]`
    /// [`RunError::TooDeep`] inside callbacks that wait inside each other: `future` is dropped. `[callback-8]`
    ///
    /// # Panics
    ///
    /// If `future` panics; the loop can still be used.
    #[doc(alias("block_on", "run"))]
    pub fn run_until_complete<F: IntoFuture>(&self, future: F) -> Result<F::Output, RunError> {
        let registry = self.registry();
        let _role = registry.run_here()?.and_ring();
        let _unstop = Unstop(&registry.of_own().stop);
        let mut future = pin!(future.into_future());
        let mut output = None;
        self.turn_until(&mut |cx| {
            if output.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(cx)
            {
                output = Some(value);
            }
            output.is_some()
        })?;
        output.ok_or(RunError::Stopped)
    }

    /// Runs the loop for one turn at least, and until `is_over` says so, which is called when it was woken, or until the loop is
    /// stopped.
    fn turn_until(
        &self,
        is_over: &mut dyn FnMut(&mut Context<'_>) -> bool,
    ) -> Result<(), RunError> {
        let registry = self.registry();
        let Own { ready, stop, .. } = registry.of_own();
        let task = TaskWaker::queued(Arc::clone(ready.queue()));
        let waker = Waker::from(Arc::clone(&task));
        registry.queue_step(task.task());
        let mut over = false;
        loop {
            registry.turn(task.task(), &mut || {
                task.lower();
                over = is_over(&mut Context::from_waker(&waker));
            })?;
            if over || stop.get() {
                return Ok(());
            }
        }
    }

    /// Runs the loop until `stop` is called, by a callback, a task or another thread. A turn that
    /// has begun ends first.
    ///
    /// # Errors
    ///
    /// [`RunError::Nested`] if this thread runs an event loop already. `[loop-4]`
    /// [`RunError::TooDeep`] inside callbacks that wait inside each other. `[callback-8]`
    ///
    /// ```
    /// use settled::EventLoop;
    ///
    /// let event_loop = EventLoop::new();
    /// let handle = event_loop.handle();
    /// let other = std::thread::spawn(move || handle.stop());
    /// event_loop.run_forever().unwrap();
    /// other.join().unwrap();
    /// ```
    pub fn run_forever(&self) -> Result<(), RunError> {
        match self.run_until_complete(std::future::pending::<Infallible>()) {
            Ok(never) => match never {},
            Err(RunError::Stopped) => Ok(()),
            Err(refused @ (RunError::Nested | RunError::TooDeep)) => Err(refused),
        }
    }

    /// Runs the first entry of the queue, and returns whether there was one. Never waits. An entry is a call, a step of
    /// a task, or a step of a task that has ended, which does nothing. For tests that decide the order of everything.
    /// Each tick is a run of its own: a [`stop`](LoopRef::stop) has nothing to end here, and is used up. `[loop-10]`
    ///
    /// ```
    /// use settled::EventLoop;
    ///
    /// let event_loop = EventLoop::new();
    /// let task = event_loop.create_task(async { 5 }).unwrap();
    /// assert_eq!(event_loop.try_tick(), Ok(true)); // the only step of the task
    /// assert_eq!(task.result().unwrap(), &5);
    /// assert_eq!(event_loop.try_tick(), Ok(false));
    /// ```
    ///
    /// # Errors
    ///
    /// [`RunError::Nested`] if this thread runs an event loop already. `[loop-4]`
    #[doc(alias("poll", "run_once"))]
    pub fn try_tick(&self) -> Result<bool, RunError> {
        let registry = self.registry();
        let _role = registry.run_here()?;
        let _unstop = Unstop(&registry.of_own().stop);
        Ok(registry.tick())
    }

    /// Sets `hook`, which is called when there is something to run. It is for a loop that is driven by
    /// [`try_tick`](Self::try_tick) and sleeps between its turns in another loop, such as winit's with
    /// `ControlFlow::Wait`: the hook ends that sleep. Whoever drives the loop then ticks until there is nothing left,
    /// and sleeps until [`next_timer`](Self::next_timer). `[loop-12]`
    ///
    /// Each tick takes what was posted; the first post after that calls the hook, and further posts do not. What this
    /// thread schedules outside of the loop calls it too, and so does a run that ends before all is done. If there is
    /// something to run when the hook is set, the hook is called at once.
    ///
    /// The hook runs in the thread that posts, with no lock held. It may call everything, but must not drive the loop;
    /// keep it short. A panic in it is caught, and reported by the process's panic hook. A second hook replaces the
    /// first. [`run_until_complete`](Self::run_until_complete) and [`run_forever`](Self::run_forever), which sleep
    /// themselves, need none.
    ///
    /// ```
    /// use std::{sync::mpsc, thread};
    /// use settled::EventLoop;
    ///
    /// let event_loop = EventLoop::new();
    /// let (wake, woken) = mpsc::channel();
    /// // For instance: event_loop.set_wake_hook(move || drop(proxy.send_event(Wake)))
    /// event_loop.set_wake_hook(move || { let _ = wake.send(()); });
    /// let (promise, future) = event_loop.create_future::<u32, ()>();
    /// thread::spawn(move || promise.finish(7).unwrap());
    /// while !future.done() {
    ///     woken.recv().unwrap(); // the other loop sleeps
    ///     while event_loop.try_tick().unwrap() {}
    /// }
    /// assert_eq!(future.result(), Ok(&7));
    /// ```
    #[doc(alias("waker", "notify", "ping"))]
    pub fn set_wake_hook(&self, hook: impl Fn() + Send + Sync + 'static) {
        self.registry().of_own().ready.set_hook(hook);
    }

    /// Returns when the next timer is due that has not been cancelled, by the loop's clock: until then whoever drives
    /// the loop by hand may sleep, if a tick has found nothing. `[loop-12]`
    ///
    /// ```
    /// use std::time::Duration;
    /// use settled::EventLoop;
    ///
    /// let event_loop = EventLoop::new();
    /// assert_eq!(event_loop.next_timer(), None);
    /// event_loop.call_later(Duration::from_secs(60), || ()).unwrap();
    /// assert!(event_loop.next_timer().is_some_and(|due| due > event_loop.time()));
    /// ```
    #[must_use]
    pub fn next_timer(&self) -> Option<Instant> {
        self.registry().of_own().timers.next()
    }

    /// Closes the loop. Dropping it does the same. `[loop-5]`
    ///
    /// In this order: new work is refused and given back; every coroutine is dropped, of those too that were sent
    /// from other threads, and then their futures are settled as [`Cancelled`](crate::Cancelled), each after those
    /// that it owned; what was accepted before runs, until
    /// nothing is left, and so do the callbacks of futures whose settling it was told before; timers and callbacks that
    /// have not run by then are dropped. All of it happens on
    /// this thread, and panics are caught. A future whose promise lives elsewhere stays open, and
    /// its view reads through from now on.
    ///
    /// A loop with which a thread-local begins is closed in order with its thread. Put into one that the thread has used
    /// before, close it before the thread ends: of what the loop keeps for its thread nothing may be left by then.
    ///
    /// ```
    /// use settled::EventLoop;
    ///
    /// let event_loop = EventLoop::new();
    /// let task = event_loop.create_task(std::future::pending::<()>()).unwrap();
    /// event_loop.close();
    /// assert!(task.cancelled());
    /// ```
    pub fn close(self) {}
}

fn scheduled(f: impl FnOnce() + 'static) -> Rc<dyn Scheduled> {
    Rc::new(Cell::new(Some(f)))
}

/// A stop ends the run in which it arrives, whatever else ends it, and no other.
struct Unstop<'a>(&'a Cell<bool>);

impl Drop for Unstop<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Default for EventLoop {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        self.registry.close();
    }
}

impl Deref for EventLoop {
    type Target = LoopRef;

    fn deref(&self) -> &LoopRef {
        &self.here
    }
}

impl LoopRef {
    /// Returns the loop that this thread runs at this moment, if it is one of this crate's. Python's
    /// `get_running_loop`. `[loop-4]`
    #[must_use]
    #[doc(alias("get_running_loop", "get_event_loop"))]
    pub fn current() -> Option<Self> {
        Registry::current().map(|registry| Self { registry })
    }

    fn make(clock: Option<Clock>) -> Self {
        let registry = Registry::own(clock);
        trace::loop_begins(registry.id());
        Self { registry }
    }

    pub(crate) fn registry(&self) -> &Rc<Registry> {
        &self.registry
    }

    /// Returns the way to this loop for other threads. `[loop-3]`
    #[must_use]
    #[doc(alias = "Handle")]
    pub fn handle(&self) -> LoopHandle {
        self.registry.handle()
    }

    /// Returns whether the loop takes no more work. On the loop's own thread, where this is asked, the answer
    /// does not go stale; other threads can only try. `[schedule-3]`
    #[must_use]
    pub fn is_closed(&self) -> bool {
        !self.registry.is_open()
    }

    /// Calls `f` in a later turn. Calls run in the order in which they were scheduled, also among
    /// those that other threads post. `[schedule-2]`
    ///
    /// # Errors
    ///
    /// [`Closed`] hands `f` back if the loop takes no more work.
    #[doc(alias("spawn", "queue_microtask"))]
    pub fn call_soon<F: FnOnce() + 'static>(&self, f: F) -> Result<CallHandle, Closed<F>> {
        if self.is_closed() {
            return Err(Closed::new(f));
        }
        let call = scheduled(f);
        self.registry.of_own().ready.schedule(Rc::clone(&call));
        Ok(CallHandle { call })
    }

    /// Returns what time it is for the timers of this loop: [`Instant::now`], or what its [`Clock`] says. Python's
    /// `loop.time`. `[loop-11]`
    #[must_use]
    #[doc(alias = "now")]
    pub fn time(&self) -> Instant {
        self.registry.of_own().timers.now()
    }

    /// Calls `f` when `delay` is over, not before. One too long for the clock counts as a century.
    /// `[loop-9]`
    ///
    /// # Errors
    ///
    /// [`Closed`] hands `f` back if the loop takes no more work.
    #[doc(alias = "set_timeout")]
    pub fn call_later<F>(&self, delay: Duration, f: F) -> Result<CallHandle, Closed<F>>
    where
        F: FnOnce() + 'static,
    {
        self.call_at(self.after(delay), f)
    }

    /// Calls `f` at the moment `at` or soon after, not before. Calls for the same moment run in the
    /// order in which they were scheduled. `[loop-9]`
    ///
    /// # Errors
    ///
    /// [`Closed`] hands `f` back if the loop takes no more work.
    ///
    /// ```
    /// use std::time::Duration;
    /// use settled::EventLoop;
    ///
    /// let event_loop = EventLoop::new();
    /// let soon = event_loop.time() + Duration::from_millis(1);
    /// let here = event_loop.clone();
    /// event_loop.call_at(soon, move || here.stop()).unwrap();
    /// event_loop.run_forever().unwrap();
    /// ```
    pub fn call_at<F>(&self, at: Instant, f: F) -> Result<CallHandle, Closed<F>>
    where
        F: FnOnce() + 'static,
    {
        if self.is_closed() {
            return Err(Closed::new(f));
        }
        let call = scheduled(f);
        self.set_timer(at, Rc::clone(&call));
        Ok(CallHandle { call })
    }

    /// The moment after a delay. One beyond what a clock knows never comes.
    pub(crate) fn after(&self, delay: Duration) -> Instant {
        let now = self.time();
        now.checked_add(delay).unwrap_or_else(|| now + CENTURY)
    }

    /// Has this called then. The loop takes work.
    pub(crate) fn set_timer(&self, at: Instant, call: Rc<dyn Scheduled>) {
        let Own { ready, timers, .. } = self.registry.of_own();
        timers.add(at, call);
        ready.ring();
    }

    /// Makes a new pending future of this loop, and its promise. The promise may be sent to another
    /// thread if `T` and `E` may. `[promise-1]` On a closed loop the future reads through.
    /// `[loop-5]`
    ///
    /// With a timer it is a sleep:
    ///
    /// ```
    /// use std::{convert::Infallible, time::Duration};
    /// use settled::{EventLoop, LoopRef};
    ///
    /// async fn sleep(here: &LoopRef, time: Duration) {
    ///     let (promise, over) = here.create_future::<(), Infallible>();
    ///     here.call_later(time, || { let _ = promise.finish(()); }).expect("the loop runs");
    ///     over.await;
    /// }
    ///
    /// let event_loop = EventLoop::new();
    /// event_loop.run_until_complete(sleep(&event_loop, Duration::from_millis(1))).unwrap();
    /// ```
    #[doc(alias("oneshot", "channel", "pair"))]
    pub fn create_future<T, E>(&self) -> (Promise<T, E, Pending>, LoopFuture<T, E>) {
        let (promise, handle) = promise::pending();
        (promise, LoopFuture::view(Settled::new(handle), self.registry()))
    }

    /// Runs `coroutine` as a task of this loop; its output is the future's value. It need not be
    /// `Send`. Its first step comes in a later turn (D51). `[loop-8]` A panic in it becomes the
    /// outcome. `[panic-1]`
    ///
    /// [`cancel`](LoopFuture::cancel) asks the task to stop: the loop drops the coroutine where it
    /// awaits, before its first step if it had none, and then the future is Cancelled. `[cancel-4]`
    ///
    /// # Errors
    ///
    /// [`Closed`] hands `coroutine` back if the loop takes no more work.
    #[doc(alias("spawn_local", "ensure_future"))]
    pub fn create_task<T, F>(&self, coroutine: F) -> Result<LoopFuture<T, Infallible>, Closed<F>>
    where
        F: Future<Output = T> + 'static,
        T: 'static,
    {
        self.spawn(coroutine, Ok)
    }

    /// As [`create_task`](Self::create_task), for a coroutine that can fail. `[loop-8]` `[panic-1]`
    ///
    /// # Errors
    ///
    /// As [`create_task`](Self::create_task).
    #[doc(alias = "spawn_local")]
    pub fn create_task_result<T, E, F>(&self, coroutine: F) -> Result<LoopFuture<T, E>, Closed<F>>
    where
        F: Future<Output = Result<T, E>> + 'static,
        T: 'static,
        E: 'static,
    {
        self.spawn(coroutine, |output| output)
    }

    fn spawn<F, T, E, O>(
        &self,
        future: F,
        call: fn(O) -> Result<T, E>,
    ) -> Result<LoopFuture<T, E>, Closed<F>>
    where
        F: Future<Output = O> + 'static,
        T: 'static,
        E: 'static,
        O: 'static,
    {
        if self.is_closed() {
            return Err(Closed::new(future));
        }
        let (task, view) = coroutine::make(Box::pin(future), call, &self.registry);
        let id = task.id();
        self.registry.of_own().tasks.enter(task);
        self.registry.queue_step(id);
        Ok(LoopFuture { view })
    }

    /// Returns the task whose step this is; `None` in a callback, and in what
    /// [`run_until_complete`](EventLoop::run_until_complete) runs. Python's `current_task`. `[task-1]`
    #[must_use]
    pub fn current_task(&self) -> Option<Task> {
        self.registry.of_own().tasks.get(context::current_task()?)
    }

    /// Returns the tasks of this loop that have not ended, in the order in which they were made. Python's
    /// `all_tasks`. `[task-1]`
    #[must_use]
    pub fn all_tasks(&self) -> Vec<Task> {
        let mut tasks = self.registry.of_own().tasks.in_order();
        tasks.retain(|task| !task.done());
        tasks
    }

    /// Tells `handler` from now on of what goes wrong on this loop and nobody else is told of, on the loop's
    /// thread, with no lock held. Without a handler a line is written to the standard error. When the loop is closed it
    /// is dropped, and may hold the loop till then; what goes wrong after that is written. Python's
    /// `set_exception_handler`. `[report-1]`
    ///
    /// ```
    /// use std::{cell::RefCell, rc::Rc};
    /// use settled::EventLoop;
    ///
    /// let event_loop = EventLoop::new();
    /// let seen = Rc::new(RefCell::new(Vec::new()));
    /// let log = Rc::clone(&seen);
    /// event_loop.set_exception_handler(move |incident| log.borrow_mut().push(incident.to_string()));
    /// let forgotten = event_loop.create_task_result(async { Err::<(), _>("disk full") });
    /// drop(forgotten);
    /// event_loop.run_until_complete(std::future::ready(())).unwrap();
    /// assert!(seen.borrow()[0].contains("nobody has looked at"));
    /// ```
    pub fn set_exception_handler(&self, handler: impl Fn(&Incident<'_>) + 'static) {
        let last = self.registry().set_handler(Some(Rc::new(handler)));
        drop(last);
    }

    /// Goes back to the default: a line on the standard error. `[report-1]`
    pub fn reset_exception_handler(&self) {
        let last = self.registry().set_handler(None);
        drop(last);
    }

    /// Tells the exception handler. Python's `call_exception_handler`. `[report-1]`
    ///
    /// ```
    /// use std::{cell::Cell, rc::Rc};
    /// use settled::{EventLoop, Incident};
    ///
    /// let event_loop = EventLoop::new();
    /// let told = Rc::new(Cell::new(0));
    /// let count = Rc::clone(&told);
    /// event_loop.set_exception_handler(move |_| count.set(count.get() + 1));
    /// event_loop.call_exception_handler(&Incident::Message("the cache is cold"));
    /// assert_eq!(told.get(), 1);
    /// event_loop.reset_exception_handler();
    /// ```
    pub fn call_exception_handler(&self, incident: &Incident<'_>) {
        self.registry().report(incident);
    }

    /// Returns whether this thread runs this loop at this moment. `[loop-4]`
    #[must_use]
    pub fn is_running(&self) -> bool {
        context::current_loop() == Some(self.registry.id())
    }

    pub(crate) fn kept(&self) -> &RefCell<Option<Rc<dyn Any>>> {
        &self.registry.of_own().kept
    }

    /// Ends the run after this turn. Called while the loop does not run, it ends the next run after
    /// its first turn, as asyncio does. `[loop-4]`
    pub fn stop(&self) {
        self.registry.of_own().stop.set(true);
    }
}

impl fmt::Debug for LoopRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Read before printing: what is printed to is the user's, and may use the loop.
        let Own { tasks, timers, .. } = self.registry.of_own();
        let (tasks, timers, futures) = (tasks.len(), timers.len(), self.registry.views());
        f.debug_struct("LoopRef")
            .field("id", &self.registry.id())
            .field("closed", &self.is_closed())
            .field("tasks", &tasks)
            .field("timers", &timers)
            .field("futures", &futures)
            .finish()
    }
}

impl CallHandle {
    /// Cancels the call and drops what it would have called, in this call: `true` if and only if it
    /// has not run and never will.
    ///
    /// # Panics
    ///
    /// If the drop of what it would have called does.
    #[expect(clippy::must_use_candidate, reason = "cancelling is what it is called for")]
    pub fn cancel(&self) -> bool {
        self.call.cancel()
    }
}

impl fmt::Debug for CallHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallHandle(..)")
    }
}
