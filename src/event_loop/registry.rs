//! What a loop keeps for its futures, on its own thread.
//!
//! Callbacks and handles of loop futures need not be `Send`, so they never leave the loop's thread:
//! what other threads post to the loop is a job that carries two numbers, the loop's and the view's. A job
//! that a closed loop refuses is therefore dropped safely wherever it is. `[loop-3]`
//!
//! A loop of this crate is asked directly by its own thread: what that delivers is queued where its turns take it from.
//! A foreign loop has one way in for all, its [`Schedule`].

use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::BTreeMap,
    mem,
    rc::{Rc, Weak},
    sync::Arc,
};

use super::{
    clock::Clock,
    ids::ById,
    incident::Incident,
    queue::LoopHandle,
    ready::{Call, Deliver, Errand, Ready},
    stops::Stops,
    table::Tasks,
    timers::Timers,
};
use crate::{
    blocking::awaits,
    cell::Address,
    context::{self, Id},
    sync::{AtomicBool, Ordering, thread_local},
    waiter::{Home, Job, Schedule},
};

thread_local! {
    /// The registries of this thread's loops, but for the closed ones.
    static REGISTRIES: RefCell<Vec<Rc<Registry>>> = RefCell::default();
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Open,
    /// New work is refused; what was accepted is being ended.
    Closing,
    Closed,
}

pub(crate) struct Registry {
    id: Id,
    door: Arc<Door>,
    /// What its owner has done to it; see [`Registry::life`].
    life: Cell<Life>,
    next: Cell<u64>,
    /// Those that are told by number, or dropped callbacks of.
    views: RefCell<ById<Weak<dyn Deliver>>>,
    /// How many views there are, those too of tasks, which tell them.
    count: Cell<usize>,
    /// Who is told of what went wrong; the default if there is none.
    pub(super) handler: RefCell<Option<Handler>>,
    /// Things to do that a foreign loop was asked for by its own thread, by number and so in order.
    errands: RefCell<BTreeMap<u64, Errand>>,
    /// What a loop of this crate has besides.
    own: Option<Own>,
}

/// What a loop has that is of this crate.
pub(super) struct Own {
    pub(super) ready: Ready,
    pub(super) timers: Timers,
    pub(super) tasks: Tasks,
    stops: Stops,
    /// Whether this run ends after this turn.
    pub(super) stop: Cell<bool>,
    /// What the crossings keep with the loop, until it is closed.
    pub(super) kept: RefCell<Option<Rc<dyn Any>>>,
}

/// The way into the loop. Other threads share it.
struct Door {
    id: Id,
    schedule: Arc<dyn Schedule>,
    /// A job was refused, or dropped unrun: the loop is gone, whether or not its owner has told us.
    gone: AtomicBool,
}

impl Door {
    /// Has `run` called by the loop, or notes that the loop is gone.
    fn post(self: &Arc<Self>, run: impl FnOnce() + Send + 'static) {
        let mut unrun = Unrun(Some(Arc::clone(self)));
        let job = Job::new(move || {
            drop(unrun.0.take());
            run();
        });
        drop(self.schedule.call_soon_threadsafe(job));
    }
}

impl Home for Door {
    fn id(&self) -> Id {
        self.id
    }

    fn settled(self: Arc<Self>, view: u64) {
        let id = self.id;
        if let Some(registry) = Registry::find(id) {
            if let Some(view) = registry.view(view) {
                view.arrived();
            }
        } else {
            // Refused by a closed loop: its views read through from now on.
            self.post(move || {
                if let Some(view) = Registry::find(id).and_then(|registry| registry.view(view)) {
                    view.deliver();
                }
            });
        }
    }
}

/// Part of a job: what is still in there when the job is dropped was never run.
struct Unrun(Option<Arc<Door>>);

impl Drop for Unrun {
    fn drop(&mut self) {
        if let Some(door) = &self.0 {
            // ORDERING: Relaxed, false=>true; it guards nothing. Whoever finds it true then looks at a cell, under
            // the cell's lock.
            door.gone.store(true, Ordering::Relaxed);
        }
    }
}

pub(crate) type Handler = Rc<dyn Fn(&Incident<'_>)>;

impl Registry {
    /// That of a foreign loop.
    pub(crate) fn new(id: Id, schedule: Arc<dyn Schedule>) -> Rc<Self> {
        Self::with(id, schedule, None)
    }

    /// That of a loop of this crate.
    pub(super) fn own(clock: Option<Clock>) -> Rc<Self> {
        let own = Own {
            ready: Ready::new(),
            timers: Timers::new(clock),
            tasks: Tasks::default(),
            stops: Stops::default(),
            stop: Cell::new(false),
            kept: RefCell::default(),
        };
        let queue = Arc::clone(own.ready.queue());
        Self::with(queue.id, Arc::new(LoopHandle { queue }), Some(own))
    }

    fn with(id: Id, schedule: Arc<dyn Schedule>, own: Option<Own>) -> Rc<Self> {
        let registry = Rc::new(Self {
            id,
            door: Arc::new(Door { id, schedule, gone: AtomicBool::new(false) }),
            life: Cell::new(Life::Open),
            next: Cell::new(0),
            views: RefCell::default(),
            count: Cell::new(0),
            handler: RefCell::default(),
            errands: RefCell::default(),
            own,
        });
        // What a thread makes first is torn down last: a loop in a thread-local is closed before.
        context::prepare();
        REGISTRIES.with(|all| all.borrow_mut().push(Rc::clone(&registry)));
        registry
    }

    /// That of this thread's loop with this number, if it is not closed.
    pub(super) fn find(id: Id) -> Option<Rc<Self>> {
        REGISTRIES
            .try_with(|all| all.borrow().iter().find(|registry| registry.id == id).cloned())
            .ok()
            .flatten()
    }

    /// That of the loop of this crate that this thread runs at this moment.
    pub(super) fn current() -> Option<Rc<Self>> {
        Self::find(context::current_loop()?).filter(|registry| registry.own.is_some())
    }

    /// What a loop of this crate has.
    pub(super) fn of_own(&self) -> &Own {
        self.own.as_ref().expect("this is asked of loops of this crate alone")
    }

    pub(super) fn stops(&self) -> &Stops {
        &self.of_own().stops
    }

    /// The way into a loop of this crate.
    pub(super) fn handle(&self) -> LoopHandle {
        LoopHandle { queue: Arc::clone(self.of_own().ready.queue()) }
    }

    pub(crate) fn id(&self) -> Id {
        self.id
    }

    pub(crate) fn schedule(&self) -> &Arc<dyn Schedule> {
        &self.door.schedule
    }

    /// A loop that is gone is closed, although its owner has not closed it. One that its owner is closing refuses
    /// jobs, and ends in order all the same.
    fn life(&self) -> Life {
        match self.life.get() {
            // ORDERING: Relaxed; see `Unrun`.
            Life::Open if self.door.gone.load(Ordering::Relaxed) => Life::Closed,
            life => life,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.life() == Life::Open
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.life() == Life::Closed
    }

    pub(crate) fn next(&self) -> u64 {
        self.next.replace(self.next.get() + 1)
    }

    pub(super) fn enter(&self, id: u64, view: Weak<dyn Deliver>) {
        self.views.borrow_mut().insert(id, view);
    }

    /// A loop of this crate has a view of this cell from now on.
    pub(super) fn awaits(&self, cell: Address) {
        if self.own.is_some() {
            awaits(self.id, cell);
        }
    }

    /// A view is made.
    pub(super) fn one_more_view(&self) {
        self.count.set(self.count.get() + 1);
    }

    /// A view has gone, which had this number if it was entered.
    pub(super) fn leave(&self, id: Option<u64>) {
        self.count.set(self.count.get() - 1);
        let view = id.and_then(|id| self.views.borrow_mut().remove(&id));
        drop(view);
    }

    /// How many views there are.
    pub(crate) fn views(&self) -> usize {
        self.count.get()
    }

    fn view(&self, id: u64) -> Option<Rc<dyn Deliver>> {
        self.views.borrow().get(&id).and_then(Weak::upgrade)
    }

    /// What is told when a cell settles of which this loop has views. `[loop-3]`
    pub(super) fn home(&self) -> Arc<dyn Home> {
        Arc::clone(&self.door) as Arc<dyn Home>
    }

    /// Does `errand` on the loop, later. If the loop takes no more, it is done by `close`, or after
    /// that at once: an errand is never lost.
    pub(super) fn post(&self, errand: Errand) {
        if self.is_closed() {
            return self.isolate(|| errand.run());
        }
        if let Some(own) = &self.own {
            return own.ready.push(Call::Errand(errand));
        }
        let (home, id) = (self.id, self.next());
        self.errands.borrow_mut().insert(id, errand);
        self.door.post(move || {
            let errand = Self::find(home).and_then(|home| home.errands.borrow_mut().remove(&id));
            if let Some(errand) = errand {
                errand.run();
            }
        });
        // Refused while the loop is closing, the errand stays, and `close` does it. Refused because the loop is gone,
        // nobody else does it.
        if self.is_closed() {
            while self.run_errand() {}
        }
    }

    /// First act of closing: from now on new work is refused.
    pub(crate) fn begin_close(&self) {
        self.life.set(Life::Closing);
    }

    /// Does one errand that the loop did not take, or has let go of, oldest first.
    pub(crate) fn run_errand(&self) -> bool {
        let errand = self.errands.borrow_mut().pop_first();
        errand.map(|(_, errand)| self.isolate(|| errand.run())).is_some()
    }

    /// Delivers what has settled and is on its way through a foreign loop, in the order in which the views were made.
    pub(crate) fn catch_up(&self) {
        let mut views: Vec<_> = self.views.borrow().keys().copied().collect();
        views.sort_unstable();
        for view in views {
            self.isolate(|| {
                if let Some(view) = self.view(view) {
                    view.catch_up();
                }
            });
        }
    }

    /// Last act of closing: drops every callback that has not run, on this thread. `[loop-5]`
    pub(crate) fn sweep(&self) {
        self.life.set(Life::Closed);
        let views = mem::take(&mut *self.views.borrow_mut());
        for view in views.into_values() {
            self.isolate(|| {
                if let Some(view) = view.upgrade() {
                    view.sweep();
                }
            });
        }
        // It may hold the loop, which nothing else would free then.
        let handler = self.set_handler(None);
        self.isolate(|| drop(handler));
        let _ = REGISTRIES.try_with(|all| all.borrow_mut().retain(|other| other.id != self.id));
    }
}
