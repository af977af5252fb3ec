//! What a loop is to do next, on its own thread.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
    mem,
    rc::Rc,
    sync::Arc,
    time::Instant,
};

use super::queue::{Post, Queue};
use crate::{
    cell::Address,
    context::{Guard, Id},
};

/// A scheduled call.
pub(crate) trait Scheduled {
    /// Calls it, unless it was called or cancelled.
    fn call(&self);
    /// Drops what it would call; says whether it was there.
    fn cancel(&self) -> bool;
    /// Whether it has neither been called nor cancelled.
    fn is_live(&self) -> bool;
}

impl<F: FnOnce()> Scheduled for Cell<Option<F>> {
    fn call(&self) {
        if let Some(f) = self.take() {
            f();
        }
    }

    fn cancel(&self) -> bool {
        self.take().is_some()
    }

    fn is_live(&self) -> bool {
        let call = self.take();
        let live = call.is_some();
        self.set(call);
        live
    }
}

/// A view of a cell, whatever its types.
pub(crate) trait Deliver {
    /// The cell was settled by this thread: it is settled for the loop from now on.
    fn arrived(self: Rc<Self>);
    /// The loop delivers: it is settled for the loop from now on, and its callbacks run.
    fn deliver(self: Rc<Self>);
    /// Delivers it, if it is settled and the loop has not been told yet.
    fn catch_up(self: Rc<Self>);
    /// The loop is closed: drops the callbacks, which will never run.
    fn sweep(&self);
}

/// What a loop does for its futures, later.
pub(super) enum Errand {
    Deliver(Rc<dyn Deliver>),
    Do(Box<dyn FnOnce()>),
}

impl Errand {
    pub(super) fn run(self) {
        match self {
            Self::Deliver(view) => view.deliver(),
            Self::Do(f) => f(),
        }
    }
}

/// Something that a loop is to do in its turn.
pub(super) enum Call {
    Scheduled(Rc<dyn Scheduled>),
    Errand(Errand),
    Posted(Post),
}

impl Call {
    fn posted(&self) -> Option<&Post> {
        match self {
            Self::Posted(post) => Some(post),
            Self::Scheduled(_) | Self::Errand(_) => None,
        }
    }

    /// Whether it is a coroutine that was sent, and is no task yet.
    pub(super) fn makes_a_task(&self) -> bool {
        matches!(self, Self::Posted(Post::Job(job)) if job.task().is_some())
    }
}

/// What is queued on the loop's own thread.
#[derive(Default)]
struct Line {
    /// What was posted and taken when there was nothing else, as the queue had it. It goes before the calls.
    posted: VecDeque<Post>,
    calls: VecDeque<Call>,
    /// How many were taken out of it.
    gone: u64,
    sent: Sent,
}

/// The coroutines in a line that were sent. Found when that is asked, and each looked at once.
#[derive(Default)]
struct Sent {
    /// How many were in the line before the first that was not looked at.
    until: u64,
    /// How many were before each, and the task that it will be, by what that will settle. Some may be gone.
    tasks: HashMap<Address, (u64, Id)>,
}

/// How many that are gone are kept of a line that is short.
const FEW: usize = 8;

impl Line {
    fn len(&self) -> usize {
        self.posted.len() + self.calls.len()
    }

    fn pop(&mut self) -> Option<Call> {
        let first = self.posted.pop_front().map(Call::Posted);
        let first = first.or_else(|| self.calls.pop_front());
        self.gone += u64::from(first.is_some());
        first
    }

    /// The task that a coroutine in it will be, if it will settle this cell.
    fn sent(&mut self, cell: Address) -> Option<Id> {
        let (len, Self { posted, calls, gone, sent }) = (self.len(), self);
        let known = sent.until.saturating_sub(*gone) as usize;
        let posts = posted.range(known.min(posted.len())..).map(Some);
        let calls = calls.range(known.saturating_sub(posted.len())..).map(Call::posted);
        for (place, post) in (sent.until.max(*gone)..).zip(posts.chain(calls)) {
            let sends = post.and_then(Post::sends);
            sent.tasks.extend(sends.map(|(cell, task)| (cell, (place, task))));
        }
        sent.until = *gone + len as u64;
        if sent.tasks.len() > 2 * len + FEW {
            sent.tasks.retain(|_, (place, _)| *place >= *gone);
        }
        sent.tasks.get(&cell).filter(|(place, _)| *place >= *gone).map(|(_, task)| *task)
    }
}

/// What a loop of this crate is to do, in the order in which it came, whoever it came from: what other threads have
/// posted before something is pushed goes before it. `[schedule-2]`
pub(super) struct Ready {
    queue: Arc<Queue>,
    line: RefCell<Line>,
    /// The room of what was posted last, for what will be.
    room: Cell<VecDeque<Post>>,
    /// Whether somebody drives the loop by hand, and has set a hook.
    hooked: Cell<bool>,
    /// Whether this thread runs the loop at this moment. What was deferred inside of that is called after it, under the
    /// role that it had.
    driven: Cell<bool>,
}

impl Ready {
    pub(super) fn new() -> Self {
        Self {
            queue: Queue::new(),
            line: RefCell::default(),
            room: Cell::default(),
            hooked: Cell::default(),
            driven: Cell::default(),
        }
    }

    pub(super) const fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    pub(super) fn len(&self) -> usize {
        self.line.borrow().len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Queues a call of the user's, after all that was posted by now, whether or not this thread could know.
    pub(super) fn schedule(&self, call: Rc<dyn Scheduled>) {
        if self.queue.holds_posts() {
            self.absorb(Queue::take);
        }
        self.push(Call::Scheduled(call));
    }

    /// Queues something on the loop's own thread, after what was posted before.
    pub(super) fn push(&self, call: Call) {
        if self.queue.has_posts() {
            self.absorb(Queue::take);
        }
        self.line.borrow_mut().calls.push_back(call);
        self.ring();
    }

    /// Whoever drives the loop by hand, and does not at this moment, has something to do.
    pub(super) fn ring(&self) {
        if self.hooked.get() && !self.driven.get() {
            self.queue.ring();
        }
    }

    /// This thread, which has taken the role on, runs the loop until what this returns is dropped.
    pub(super) fn drive(&self, role: Guard) -> Driven<'_> {
        Driven { ready: self, role: Some(role), outer: self.driven.replace(true), rings: false }
    }

    pub(super) fn set_hook(&self, hook: impl Fn() + Send + Sync + 'static) {
        self.hooked.set(true);
        // The hook is called in there, and may give the loop something to do.
        let work = !self.is_empty();
        self.queue.set_hook(hook, work);
    }

    pub(super) fn pop(&self) -> Option<Call> {
        self.line.borrow_mut().pop()
    }

    /// Queues what has been posted: a turn begins, after which the hook is called again.
    pub(super) fn begin_turn(&self) {
        if self.hooked.get() || self.queue.has_posts() {
            self.begin_tick();
        }
    }

    /// The same for a turn of one entry: all that was posted by now, whether or not this thread could know.
    pub(super) fn begin_tick(&self) {
        self.absorb(Queue::take_and_rest);
    }

    /// The same, and sleeps before until there is something, the deadline has passed or the loop is to look again.
    pub(super) fn sleep(&self, deadline: Option<Instant>) {
        self.absorb(|queue, posts| queue.take_or_sleep(posts, deadline));
    }

    fn absorb(&self, take: impl FnOnce(&Queue, &mut VecDeque<Post>)) {
        let mut posts = self.room.take();
        take(&self.queue, &mut posts);
        let mut line = self.line.borrow_mut();
        if line.len() == 0 {
            mem::swap(&mut line.posted, &mut posts);
        }
        line.calls.extend(posts.drain(..).map(Call::Posted));
        self.room.set(posts);
    }

    /// Queues a timer that is due.
    pub(super) fn push_due(&self, call: Rc<dyn Scheduled>) {
        self.line.borrow_mut().calls.push_back(Call::Scheduled(call));
    }

    /// The task that a coroutine which was sent will be, if it will settle this cell.
    pub(super) fn sent(&self, cell: Address) -> Option<Id> {
        if self.queue.holds_posts() {
            self.absorb(Queue::take);
        }
        self.line.borrow_mut().sent(cell)
    }

    /// Takes those out that make tasks.
    pub(super) fn take_sent(&self) -> VecDeque<Call> {
        self.absorb(Queue::take);
        let Line { posted, calls, .. } = self.line.take();
        let all = posted.into_iter().map(Call::Posted).chain(calls);
        let (sent, calls) = all.partition(Call::makes_a_task);
        self.line.borrow_mut().calls = calls;
        sent
    }
}

/// A thread runs a loop.
pub(super) struct Driven<'a> {
    ready: &'a Ready,
    role: Option<Guard>,
    /// Whether it did so before.
    outer: bool,
    rings: bool,
}

impl Driven<'_> {
    /// Whoever drives the loop by hand is told of what is left when this ends.
    pub(super) const fn and_ring(mut self) -> Self {
        self.rings = true;
        self
    }
}

impl Drop for Driven<'_> {
    fn drop(&mut self) {
        drop(self.role.take());
        self.ready.driven.set(self.outer);
        if self.rings && !self.ready.is_empty() {
            self.ready.ring();
        }
    }
}
