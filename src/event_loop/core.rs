//! The loop itself: its queues, its turns and its end.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap, VecDeque},
    rc::{Rc, Weak},
    sync::Arc,
    time::Instant,
};

use super::{
    clock::Clock,
    queue::{LoopHandle, Post, Queue},
    registry::Registry,
    stop::Stops,
    task::Task,
};
use crate::{
    blocking::{before_sleeping, is_worker},
    cell::Address,
    context::{self, Id},
    deferred,
    error::RunError,
    sync::{now, thread_local},
    trace,
};

/// Below this number of timers it is not worth looking for cancelled ones.
const MIN_CROWD: usize = 64;

thread_local! {
    /// The loops of this thread that are not closed.
    static LOOPS: RefCell<Vec<Weak<Core>>> = RefCell::default();
}

/// Where a scheduled call waits; empty once it ran or was cancelled.
pub(super) type Slot = Cell<Option<Box<dyn FnOnce()>>>;

/// The loop itself.
pub(crate) struct Core {
    pub(super) queue: Arc<Queue>,
    /// The system's if there is none.
    clock: Option<Clock>,
    pub(super) registry: Rc<Registry>,
    pub(super) ready: RefCell<VecDeque<Call>>,
    /// By the moment at which they are due. Those for the same moment run in the order in which they were made.
    pub(super) timers: RefCell<BTreeMap<(Instant, Id), Rc<Slot>>>,
    /// When there are this many timers, those that were cancelled are removed.
    crowd: Cell<usize>,
    /// By number, and so in the order in which they were made.
    pub(super) tasks: RefCell<BTreeMap<Id, Task>>,
    /// Which of them settles what; made when that is asked, and kept until there is one more.
    settles: RefCell<Option<HashMap<Address, Id>>>,
    pub(super) stops: Stops,
    pub(super) stop: Cell<bool>,
    /// Whether somebody drives the loop by hand, and has set a hook.
    pub(super) hooked: Cell<bool>,
    /// What the crossings keep with the loop, until it is closed.
    pub(super) kept: RefCell<Option<Rc<dyn Any>>>,
}

pub(super) enum Call {
    Local(Rc<Slot>),
    Posted(Post),
}

impl Core {
    pub(super) fn new(clock: Option<Clock>) -> Rc<Self> {
        let queue = Queue::new();
        let handle = LoopHandle { queue: Arc::clone(&queue) };
        let core = Rc::new(Self {
            registry: Registry::new(queue.id, Arc::new(handle)),
            queue,
            clock,
            ready: RefCell::default(),
            timers: RefCell::default(),
            crowd: Cell::new(MIN_CROWD),
            tasks: RefCell::default(),
            settles: RefCell::default(),
            stops: Stops::default(),
            stop: Cell::new(false),
            hooked: Cell::new(false),
            kept: RefCell::default(),
        });
        LOOPS.with(|loops| loops.borrow_mut().push(Rc::downgrade(&core)));
        trace::loop_begins(core.queue.id);
        core
    }

    /// The loop that this thread runs at this moment.
    pub(crate) fn current() -> Option<Rc<Self>> {
        Self::of(context::current_loop()?)
    }

    /// The loop of this thread with this number, if it is not closed.
    pub(crate) fn of(id: Id) -> Option<Rc<Self>> {
        let find = |loops: &RefCell<Vec<Weak<Self>>>| {
            loops.borrow().iter().filter_map(Weak::upgrade).find(|core| core.queue.id == id)
        };
        LOOPS.try_with(find).ok().flatten()
    }

    pub(super) fn enter(&self) -> Result<context::Guard, RunError> {
        if context::in_loop() {
            return Err(RunError::Nested);
        }
        Ok(context::run_loop(self.queue.id))
    }

    /// Takes a task in.
    pub(super) fn adopt(&self, task: Task) {
        self.settles.take();
        self.tasks.borrow_mut().insert(task.id(), task);
    }

    /// Takes a task in, and its first step, unless the loop is closing.
    pub(super) fn begin(&self, task: Task) {
        let id = task.id();
        self.adopt(task);
        if self.registry.is_open() {
            self.step(id);
        }
    }

    fn step(&self, id: Id) {
        let task = self.tasks.borrow().get(&id).cloned();
        let Some(task) = task else { return };
        if task.step(&self.stops) {
            self.release(id);
        } else {
            self.end_due(id);
        }
    }

    /// Settles a task that is stopped, if it waits for nobody any more, and those that wait for it alone.
    fn end_due(&self, id: Id) {
        for task in self.stops.due(id) {
            task.end();
            self.release(task.id());
        }
    }

    /// A task has ended.
    fn release(&self, id: Id) {
        let ended = self.tasks.borrow_mut().remove(&id);
        drop(ended);
        self.stops.leave(id);
    }

    /// The task that settles a cell, or the one that a coroutine which was sent will be. Views that were made of a
    /// thread's future do not know their task.
    pub(super) fn task_of(&self, cell: Address, known: Option<&Task>) -> Option<Id> {
        let tasks = self.tasks.borrow();
        if let Some(task) = known {
            return tasks.contains_key(&task.id()).then(|| task.id());
        }
        let mut settles = self.settles.borrow_mut();
        let settles = settles.get_or_insert_with(|| {
            tasks.values().filter_map(|task| Some((task.settles()?, task.id()))).collect()
        });
        let is_made = |id: &Id| tasks.get(id).is_some_and(|task| task.settles() == Some(cell));
        let made = settles.get(&cell).copied().filter(is_made);
        let sent = || self.ready.borrow().iter().find_map(|call| call.posted()?.sends(cell));
        made.or_else(sent).or_else(|| self.queue.sent(cell))
    }

    /// One turn: runs the callbacks that this thread has deferred, sleeps if there is nothing to do, then runs what is
    /// due now. `root` is called for a step of the task with the number `root_id`.
    pub(super) fn turn(&self, root_id: Id, root: &mut dyn FnMut()) -> Result<(), RunError> {
        while deferred::run_one()? {}
        self.collect();
        let due = self.ready.borrow().len();
        for _ in 0..due {
            let call = self.ready.borrow_mut().pop_front();
            match call {
                Some(Call::Posted(Post::Step(id))) if id == root_id => root(),
                Some(call) => self.run(call),
                None => break,
            }
        }
        Ok(())
    }

    fn run(&self, call: Call) {
        match call {
            Call::Local(slot) => {
                if let Some(f) = slot.take() {
                    self.registry.isolate(f);
                }
            }
            Call::Posted(Post::Job(job)) => self.registry.isolate(|| job.run()),
            Call::Posted(Post::Step(id)) => self.step(id),
            Call::Posted(Post::Stop) => self.stop.set(true),
        }
    }

    /// Takes the first entry that is due, without waiting for one; says whether there was any.
    pub(super) fn tick(&self) -> bool {
        self.queue_due(self.queue.take());
        let call = self.ready.borrow_mut().pop_front();
        call.map(|call| self.run(call)).is_some()
    }

    fn collect(&self) {
        let idle = self.ready.borrow().is_empty() && !self.stop.get();
        let posts = if idle { self.sleep() } else { self.queue.take() };
        self.queue_due(posts);
    }

    /// What has been posted; sleeps until there is something or a timer is due. In a worker that would sleep it runs
    /// what it awaits and nobody else can run, and then does not sleep: the job may have asked something of this loop.
    fn sleep(&self) -> VecDeque<Post> {
        if !is_worker() {
            return self.take_or_sleep();
        }
        let posts = self.queue.take();
        let is_due = self.next_timer().is_some_and(|at| at <= self.now());
        if !posts.is_empty() || is_due {
            return posts;
        }
        match before_sleeping(&self.queue) {
            Some(_registered) => self.take_or_sleep(),
            None => posts,
        }
    }

    /// What has been posted; sleeps until there is something, a timer is due or the loop is to look again.
    fn take_or_sleep(&self) -> VecDeque<Post> {
        let timer = self.next_timer();
        let Some(clock) = &self.clock else { return self.queue.take_or_sleep(timer) };
        let posts = self.queue.take();
        // What was posted comes first: a clock jumps only where there is nothing else to do.
        if !posts.is_empty() || timer.is_some_and(|at| clock.reaches(at)) {
            return posts;
        }
        self.queue.take_or_sleep(None)
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.as_ref().map_or_else(now, Clock::now)
    }

    /// Queues what was posted, and then the timers that are due.
    fn queue_due(&self, posts: VecDeque<Post>) {
        self.absorb(posts);
        let now = self.now();
        let mut timers = self.timers.borrow_mut();
        while let Some(timer) = timers.first_entry()
            && timer.key().0 <= now
        {
            self.ready.borrow_mut().push_back(Call::Local(timer.remove()));
        }
    }

    pub(super) fn absorb(&self, posts: VecDeque<Post>) {
        self.ready.borrow_mut().extend(posts.into_iter().map(Call::Posted));
    }

    /// Adds a timer. Cancelled ones are removed whenever the number of timers has doubled, so that
    /// they take no more room than the others, and little time.
    pub(super) fn add_timer(&self, at: Instant, slot: Rc<Slot>) {
        let mut timers = self.timers.borrow_mut();
        if timers.len() >= self.crowd.get() {
            timers.retain(|_, slot| is_live(slot));
            self.crowd.set(MIN_CROWD.max(2 * timers.len()));
        }
        timers.insert((at, context::next_id()), slot);
    }

    /// When the next timer is due that has not been cancelled.
    pub(super) fn next_timer(&self) -> Option<Instant> {
        let mut timers = self.timers.borrow_mut();
        while let Some(timer) = timers.first_entry() {
            if is_live(timer.get()) {
                return Some(timer.key().0);
            }
            timer.remove();
        }
        None
    }

    pub(super) fn close(&self) {
        self.registry.begin_close();
        self.queue.close();
        let _role = context::run_loop(self.queue.id);
        self.close_tasks();
        self.run_last_turns();
        for slot in self.timers.take().into_values() {
            self.registry.isolate(|| drop(slot.take()));
        }
        // What the drop of a timer has settled is told too.
        let kept = self.kept.take();
        self.registry.isolate(|| drop(kept));
        self.run_last_turns();
        self.registry.sweep();
        let _ = LOOPS.try_with(|loops| {
            loops.borrow_mut().retain(|core| !std::ptr::eq(core.as_ptr(), self));
        });
        trace::loop_ends(self.queue.id);
    }

    /// Drops every coroutine, of those too that were sent, and then settles the tasks, each after those that it
    /// owned. `[loop-5]`
    fn close_tasks(&self) {
        // The last that the queue has accepted.
        self.absorb(self.queue.take());
        let calls = self.ready.take().into_iter();
        let (sent, others): (VecDeque<_>, _) = calls.partition(Call::makes_a_task);
        self.ready.replace(others);
        sent.into_iter().for_each(|call| self.run(call));
        let tasks: Vec<Task> = self.tasks.borrow().values().cloned().collect();
        for task in &tasks {
            task.stop(&self.stops);
        }
        for task in self.stops.owned_first(&tasks) {
            self.end_due(task.id());
        }
    }

    /// Until nothing is left. The loop refuses new work, so that each step only uses up what is
    /// there, unless callbacks keep making futures and settle them through views of this loop.
    fn run_last_turns(&self) {
        loop {
            let call = self.ready.borrow_mut().pop_front();
            match call {
                Some(call) => self.run(call),
                None if self.registry.run_errand() => {}
                None => return,
            }
        }
    }
}

impl Call {
    fn posted(&self) -> Option<&Post> {
        match self {
            Self::Posted(post) => Some(post),
            Self::Local(_) => None,
        }
    }

    /// Whether it is a coroutine that was sent, and is no task yet.
    fn makes_a_task(&self) -> bool {
        matches!(self, Self::Posted(Post::Job(job)) if job.task().is_some())
    }
}

/// Whether what is scheduled has not been cancelled.
fn is_live(slot: &Slot) -> bool {
    let call = slot.take();
    let live = call.is_some();
    slot.set(call);
    live
}
