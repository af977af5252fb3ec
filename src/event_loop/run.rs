//! [`EventLoop`]: the reference loop.

use std::{
    cell::{Cell, RefCell},
    cmp,
    collections::{BTreeMap, BinaryHeap, VecDeque},
    convert::Infallible,
    fmt,
    future::{Future, IntoFuture},
    ops::Deref,
    pin::pin,
    rc::{Rc, Weak},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use super::{
    future::LoopFuture,
    queue::{LoopHandle, Post, Queue},
    registry::Registry,
    task::{Flag, Spawn, Step},
};
use crate::{
    context::{self, Id},
    error::{Closed, RunError},
    phase::Pending,
    promise::{self, Promise},
    settled::Settled,
    sync::thread_local,
    waiter::isolate,
};

/// A timer that would be due after the end of the clock is due in a century.
const CENTURY: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

/// Below this number of timers it is not worth looking for cancelled ones.
const MIN_CROWD: usize = 64;

thread_local! {
    /// The loops of this thread that are not closed.
    static LOOPS: RefCell<Vec<Weak<Core>>> = RefCell::default();
}

/// A small single-threaded event loop, the reference for what a [`Schedule`](crate::Schedule) is.
/// Python's `asyncio` loop.
///
/// It runs callbacks and tasks on the thread that made it, in one queue, first in, first out, turn
/// by turn: a turn runs what was queued when it began. When there is nothing to do it sleeps, until
/// a post or a timer, without polling. `[loop-6]` `[schedule-2]` What it still holds when it is
/// closed is settled. `[loop-5]`
///
/// This type owns the loop: it runs it, and closes it when it is dropped. What else one can do with
/// a loop is on [`LoopRef`], to which it dereferences.
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
pub struct EventLoop {
    here: LoopRef,
}

/// An event loop, seen from its own thread: what tasks and callbacks hold. It does not keep the loop
/// open. Neither `Send` nor `Sync`; other threads use [`handle`](Self::handle). `[loop-3]`
#[derive(Clone)]
pub struct LoopRef {
    core: Rc<Core>,
}

/// A call that was scheduled, in order to be cancelled. Dropping it cancels nothing.
#[derive(Clone)]
pub struct CallHandle {
    slot: Rc<Slot>,
}

/// Where a scheduled call waits; empty once it ran or was cancelled.
type Slot = Cell<Option<Box<dyn FnOnce()>>>;

/// The loop itself.
pub(crate) struct Core {
    queue: Arc<Queue>,
    registry: Rc<Registry>,
    ready: RefCell<VecDeque<Call>>,
    timers: RefCell<BinaryHeap<Timer>>,
    /// When there are this many timers, those that were cancelled are removed.
    crowd: Cell<usize>,
    /// By number, and so in the order in which they were made.
    tasks: RefCell<BTreeMap<Id, Rc<dyn Step>>>,
    stop: Cell<bool>,
}

enum Call {
    Local(Rc<Slot>),
    Posted(Post),
}

struct Timer {
    at: Instant,
    /// Timers for the same moment run in the order in which they were made.
    number: Id,
    slot: Rc<Slot>,
}

impl EventLoop {
    /// A new loop, bound to this thread.
    #[must_use]
    pub fn new() -> Self {
        let queue = Queue::new();
        let handle = LoopHandle { queue: Arc::clone(&queue) };
        let core = Rc::new(Core {
            registry: Registry::new(queue.id, Arc::new(handle)),
            queue,
            ready: RefCell::default(),
            timers: RefCell::default(),
            crowd: Cell::new(MIN_CROWD),
            tasks: RefCell::default(),
            stop: Cell::new(false),
        });
        LOOPS.with(|loops| loops.borrow_mut().push(Rc::downgrade(&core)));
        Self { here: LoopRef { core } }
    }

    /// Runs the loop until `future` is complete, and returns its output. It need be neither `Send`
    /// nor `'static`. Tasks that are not complete by then stay, and go on in the next run.
    ///
    /// # Errors
    ///
    /// [`RunError::Stopped`] if `stop` was called first: `future` is dropped.
    /// [`RunError::Nested`] if this thread runs an event loop already. `[loop-4]`
    ///
    /// # Panics
    ///
    /// If `future` panics; the loop can still be used.
    pub fn run_until_complete<F: IntoFuture>(&self, future: F) -> Result<F::Output, RunError> {
        let core = &self.core;
        let _role = core.enter()?;
        let mut future = pin!(future.into_future());
        let flag = Flag::queued(Arc::clone(&core.queue));
        let waker = Waker::from(Arc::clone(&flag));
        drop(core.queue.post(Post::Step(flag.task())));
        let mut output = None;
        loop {
            core.turn(flag.task(), &mut || {
                flag.lower();
                if output.is_none() {
                    match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                        Poll::Ready(value) => output = Some(value),
                        Poll::Pending => {}
                    }
                }
            });
            // A stop ends the run in which it arrives, whatever else ends it.
            let stopped = core.stop.take();
            if let Some(output) = output {
                return Ok(output);
            }
            if stopped {
                return Err(RunError::Stopped);
            }
        }
    }

    /// Runs the loop until `stop` is called, by a callback, a task or another thread. A turn that
    /// has begun ends first.
    ///
    /// # Errors
    ///
    /// [`RunError::Nested`] if this thread runs an event loop already. `[loop-4]`
    pub fn run_forever(&self) -> Result<(), RunError> {
        match self.run_until_complete(std::future::pending::<Infallible>()) {
            Ok(never) => match never {},
            Err(RunError::Stopped) => Ok(()),
            Err(nested @ RunError::Nested) => Err(nested),
        }
    }

    /// Closes the loop. Dropping it does the same. `[loop-5]`
    ///
    /// In this order: new work is refused and given back; each coroutine is dropped, and then its
    /// future settled as [`Cancelled`](crate::Cancelled); what was accepted before runs, until
    /// nothing is left; timers and callbacks that have not run are dropped. All of it happens on
    /// this thread, and panics are caught. A future whose promise lives elsewhere stays open, and
    /// its view reads through from now on.
    pub fn close(self) {
        drop(self);
    }
}

impl Default for EventLoop {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        self.core.close();
    }
}

impl Deref for EventLoop {
    type Target = LoopRef;

    fn deref(&self) -> &LoopRef {
        &self.here
    }
}

impl LoopRef {
    /// The loop that this thread runs at this moment, if it is one of this crate's. Python's
    /// `get_running_loop`.
    #[must_use]
    pub fn current() -> Option<Self> {
        Core::current().map(|core| Self { core })
    }

    pub(crate) fn registry(&self) -> &Rc<Registry> {
        &self.core.registry
    }

    /// The way to this loop for other threads.
    #[must_use]
    pub fn handle(&self) -> LoopHandle {
        LoopHandle { queue: Arc::clone(&self.core.queue) }
    }

    /// Whether the loop takes no more work. On the loop's own thread the answer stays true.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        !self.core.registry.is_open()
    }

    /// Calls `f` in a later turn. Calls run in the order in which they were scheduled, also among
    /// those that other threads post. `[schedule-2]`
    ///
    /// # Errors
    ///
    /// [`Closed`] hands `f` back if the loop takes no more work.
    pub fn call_soon<F: FnOnce() + 'static>(&self, f: F) -> Result<CallHandle, Closed<F>> {
        if self.is_closed() {
            return Err(Closed(f));
        }
        let slot: Rc<Slot> = Rc::new(Cell::new(Some(Box::new(f))));
        // What was posted before this call runs before it.
        self.core.absorb(self.core.queue.take());
        self.core.ready.borrow_mut().push_back(Call::Local(Rc::clone(&slot)));
        Ok(CallHandle { slot })
    }

    /// Calls `f` when `delay` is over, not before. One too long for the clock counts as a century.
    /// `[loop-9]`
    ///
    /// # Errors
    ///
    /// [`Closed`] hands `f` back if the loop takes no more work.
    pub fn call_later<F>(&self, delay: Duration, f: F) -> Result<CallHandle, Closed<F>>
    where
        F: FnOnce() + 'static,
    {
        let now = Instant::now();
        self.call_at(now.checked_add(delay).unwrap_or_else(|| now + CENTURY), f)
    }

    /// Calls `f` at the moment `at` or soon after, not before. Calls for the same moment run in the
    /// order in which they were scheduled. `[loop-9]`
    ///
    /// # Errors
    ///
    /// [`Closed`] hands `f` back if the loop takes no more work.
    pub fn call_at<F>(&self, at: Instant, f: F) -> Result<CallHandle, Closed<F>>
    where
        F: FnOnce() + 'static,
    {
        if self.is_closed() {
            return Err(Closed(f));
        }
        let slot: Rc<Slot> = Rc::new(Cell::new(Some(Box::new(f))));
        self.core.add_timer(Timer { at, number: context::next_id(), slot: Rc::clone(&slot) });
        Ok(CallHandle { slot })
    }

    /// A new pending future of this loop, and its promise. The promise may be sent to another
    /// thread if `T` and `E` may.
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
    pub fn create_task<T, F>(&self, coroutine: F) -> Result<LoopFuture<T, Infallible>, Closed<F>>
    where
        F: Future<Output = T> + 'static,
        T: 'static,
    {
        self.spawn(coroutine, Ok)
    }

    /// As [`create_task`](Self::create_task), for a coroutine that can fail.
    ///
    /// # Errors
    ///
    /// As [`create_task`](Self::create_task).
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
            return Err(Closed(future));
        }
        let flag = Flag::queued(Arc::clone(&self.core.queue));
        let id = flag.task();
        let (promise, handle) = promise::owned(Waker::from(Arc::clone(&flag)));
        let view = LoopFuture::view(Settled::new(handle), self.registry());
        self.core.adopt(id, Spawn { future, promise, flag, call }.into_task());
        drop(self.core.queue.post(Post::Step(id)));
        Ok(view)
    }

    /// Ends the run after this turn. Called while the loop does not run, it ends the next run after
    /// its first turn, as asyncio does.
    pub fn stop(&self) {
        self.core.stop.set(true);
    }
}

impl fmt::Debug for LoopRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopRef")
            .field("id", &self.core.queue.id)
            .field("closed", &self.is_closed())
            .field("tasks", &self.core.tasks.borrow().len())
            .field("timers", &self.core.timers.borrow().len())
            .finish()
    }
}

impl CallHandle {
    /// Cancels the call and drops what it would have called, at once: `true` if and only if it has
    /// not run and never will.
    #[expect(clippy::must_use_candidate, reason = "cancelling is what it is called for")]
    pub fn cancel(&self) -> bool {
        self.slot.take().is_some()
    }
}

impl fmt::Debug for CallHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallHandle(..)")
    }
}

impl Core {
    /// The loop that this thread runs at this moment.
    pub(crate) fn current() -> Option<Rc<Self>> {
        let id = context::current_loop()?;
        let find = |loops: &RefCell<Vec<Weak<Self>>>| {
            loops.borrow().iter().filter_map(Weak::upgrade).find(|core| core.queue.id == id)
        };
        LOOPS.try_with(find).ok().flatten()
    }

    fn enter(&self) -> Result<context::Guard, RunError> {
        if context::in_loop() {
            return Err(RunError::Nested);
        }
        Ok(context::run_loop(self.queue.id))
    }

    /// Takes a task in, or, while the loop is closing, stops it.
    pub(crate) fn adopt(&self, id: Id, task: Rc<dyn Step>) {
        if self.registry.is_open() {
            self.tasks.borrow_mut().insert(id, task);
        } else {
            task.stop();
        }
    }

    pub(crate) fn step(&self, id: Id) {
        let task = self.tasks.borrow().get(&id).cloned();
        if task.is_some_and(|task| task.step()) {
            let ended = self.tasks.borrow_mut().remove(&id);
            drop(ended);
        }
    }

    /// One turn: sleeps if there is nothing to do, then runs what is due now. `root` is called for
    /// a step of the task with the number `root_id`.
    fn turn(&self, root_id: Id, root: &mut dyn FnMut()) {
        self.collect();
        let due = self.ready.borrow().len();
        for _ in 0..due {
            let call = self.ready.borrow_mut().pop_front();
            match call {
                Some(Call::Posted(Post::Step(id))) if id == root_id => root(),
                Some(call) => self.run(call),
                None => return,
            }
        }
    }

    fn run(&self, call: Call) {
        match call {
            Call::Local(slot) => {
                if let Some(f) = slot.take() {
                    isolate(f);
                }
            }
            Call::Posted(Post::Job(job)) => isolate(|| job.run()),
            Call::Posted(Post::Step(id)) => self.step(id),
            Call::Posted(Post::Stop) => self.stop.set(true),
        }
    }

    fn collect(&self) {
        let idle = self.ready.borrow().is_empty() && !self.stop.get();
        let posts =
            if idle { self.queue.take_or_sleep(self.next_timer()) } else { self.queue.take() };
        self.absorb(posts);
        let now = Instant::now();
        let mut timers = self.timers.borrow_mut();
        while timers.peek().is_some_and(|timer| timer.at <= now) {
            let due = timers.pop().map(|timer| Call::Local(timer.slot));
            self.ready.borrow_mut().extend(due);
        }
    }

    fn absorb(&self, posts: VecDeque<Post>) {
        self.ready.borrow_mut().extend(posts.into_iter().map(Call::Posted));
    }

    /// Adds a timer. Cancelled ones are removed whenever the number of timers has doubled, so that
    /// they take no more room than the others, and little time.
    fn add_timer(&self, timer: Timer) {
        let mut timers = self.timers.borrow_mut();
        if timers.len() >= self.crowd.get() {
            timers.retain(Timer::is_live);
            self.crowd.set(MIN_CROWD.max(2 * timers.len()));
        }
        timers.push(timer);
    }

    /// When the next timer is due that has not been cancelled.
    fn next_timer(&self) -> Option<Instant> {
        let mut timers = self.timers.borrow_mut();
        while timers.peek().is_some_and(|timer| !timer.is_live()) {
            timers.pop();
        }
        timers.peek().map(|timer| timer.at)
    }

    fn close(&self) {
        self.registry.begin_close();
        self.queue.close();
        let _role = context::run_loop(self.queue.id);
        let tasks = self.tasks.take();
        for task in tasks.into_values() {
            task.stop();
        }
        self.run_last_turns();
        for timer in self.timers.take() {
            isolate(|| drop(timer.slot.take()));
        }
        self.registry.sweep();
        let _ = LOOPS.try_with(|loops| {
            loops.borrow_mut().retain(|core| !std::ptr::eq(core.as_ptr(), self));
        });
    }

    /// Until nothing is left. The loop refuses new work, so that each step only uses up what is
    /// there, unless callbacks keep making futures and settle them through views of this loop.
    fn run_last_turns(&self) {
        loop {
            self.absorb(self.queue.take());
            let call = self.ready.borrow_mut().pop_front();
            match call {
                Some(call) => self.run(call),
                None if self.registry.run_errand() => {}
                None => return,
            }
        }
    }
}

impl Timer {
    /// Whether it has not been cancelled.
    fn is_live(&self) -> bool {
        let call = self.slot.take();
        let live = call.is_some();
        self.slot.set(call);
        live
    }
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Timer {}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The earliest is the greatest, as the heap wants it.
impl Ord for Timer {
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}
