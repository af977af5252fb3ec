//! What a loop keeps for its futures, on its own thread.
//!
//! Callbacks and handles of loop futures need not be `Send`, so they never leave the loop's thread:
//! what is posted to the loop is a job that carries two numbers, the loop's and the entry's. A job
//! that a closed loop refuses is therefore dropped safely wherever it is. `[loop-3]`

use std::{
    any::type_name,
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap},
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::{Rc, Weak},
    sync::Arc,
};

use super::{
    incident::{FutureId, Incident, by_default},
    task::Task,
};
use crate::{
    context::Id,
    error::{Failure, Panic},
    sync::{AtomicBool, Ordering, thread_local},
    trace,
    waiter::{Job, Schedule, isolate},
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
    views: RefCell<HashMap<u64, Entry>>,
    /// Who is told of what went wrong; the default if there is none.
    handler: RefCell<Option<Handler>>,
    /// Things to do that were posted from this thread, by number and so in order.
    errands: RefCell<BTreeMap<u64, Box<dyn FnOnce()>>>,
}

/// The way into the loop. Other threads share it.
struct Door {
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

/// What the registry knows of a view.
struct Entry {
    view: Weak<dyn Deliver>,
    /// Keeps a view alive that nobody holds but that has callbacks.
    kept: Option<Rc<dyn Deliver>>,
}

/// A view of a cell, whatever its types.
pub(crate) trait Deliver {
    /// The cell was settled by this thread: it is settled for the loop from now on.
    fn arrived(self: Rc<Self>);
    /// The loop delivers: it is settled for the loop from now on, and its callbacks run.
    fn deliver(self: Rc<Self>);
    /// The loop is closed: drops the callbacks, which will never run.
    fn sweep(&self);
}

impl Registry {
    pub(crate) fn new(id: Id, schedule: Arc<dyn Schedule>) -> Rc<Self> {
        let registry = Rc::new(Self {
            id,
            door: Arc::new(Door { schedule, gone: AtomicBool::new(false) }),
            life: Cell::new(Life::Open),
            next: Cell::new(0),
            views: RefCell::default(),
            handler: RefCell::default(),
            errands: RefCell::default(),
        });
        REGISTRIES.with(|all| all.borrow_mut().push(Rc::clone(&registry)));
        registry
    }

    fn find(id: Id) -> Option<Rc<Self>> {
        REGISTRIES
            .try_with(|all| all.borrow().iter().find(|registry| registry.id == id).cloned())
            .ok()
            .flatten()
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

    /// Sets who is told of what goes wrong, and gives the former back.
    pub(crate) fn set_handler(&self, handler: Option<Handler>) -> Option<Handler> {
        self.handler.replace(handler)
    }

    /// Tells the exception handler. A handler that panics is replaced by the default, for this once.
    /// `[report-1]`
    pub(crate) fn report(&self, incident: &Incident<'_>) {
        trace::incident(incident);
        let handler = self.handler.borrow().clone();
        let told = handler.is_some_and(|handler| {
            let mut told = false;
            isolate(|| {
                handler(incident);
                told = true;
            });
            told
        });
        if !told {
            by_default(incident);
        }
    }

    /// Tells of an outcome that nobody can look at any more. A cancellation is nobody's fault. `[report-2]`
    pub(super) fn report_failure<E: 'static>(
        &self,
        failure: &Failure<E>,
        future: FutureId,
        task: Option<&Task>,
    ) {
        let incident = match failure {
            Failure::Error(error) => {
                Incident::ErrorNeverRetrieved { error, type_name: type_name::<E>(), future, task }
            }
            Failure::Panicked(panic) => Incident::PanicNeverRetrieved { panic, future, task },
            Failure::Abandoned | Failure::Died(_) | Failure::Unsent(_) => {
                Incident::AbandonmentNeverRetrieved { future }
            }
            Failure::Cancelled(_) => return,
        };
        self.report(&incident);
    }

    /// Runs user code so that a panic ends here, and is reported. `[callback-5]`
    pub(crate) fn isolate(&self, f: impl FnOnce()) {
        self.isolate_for(None, f);
    }

    /// The same, for user code that belongs to a future. Within a step it belongs to its task. `[report-3]`
    pub(super) fn isolate_for(&self, future: Option<(FutureId, Option<&Task>)>, f: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
            let panic = Panic::new(payload);
            let current = Task::current();
            let of = future.or_else(|| current.as_ref().map(|task| (task.future_id(), Some(task))));
            let (future, task) = of.unzip();
            let task = task.flatten();
            self.report(&Incident::CallbackPanicked { panic: &panic, future, task });
            // The payload's own drop may panic.
            isolate(|| drop(panic));
        }
    }

    pub(crate) fn enter(&self, id: u64, view: Weak<dyn Deliver>) {
        self.views.borrow_mut().insert(id, Entry { view, kept: None });
    }

    pub(crate) fn leave(&self, id: u64) {
        // It may hold the last reference to the view, whose drop comes here again: not borrowed then.
        let entry = self.views.borrow_mut().remove(&id);
        drop(entry);
    }

    /// Keeps `view` alive until it is delivered or swept, or until it is released.
    pub(crate) fn keep(&self, id: u64, view: Rc<dyn Deliver>) {
        if let Some(entry) = self.views.borrow_mut().get_mut(&id) {
            entry.kept = Some(view);
        }
    }

    pub(crate) fn release(&self, id: u64) {
        let kept = self.views.borrow_mut().get_mut(&id).and_then(|entry| entry.kept.take());
        drop(kept);
    }

    /// How many views there are.
    pub(crate) fn views(&self) -> usize {
        self.views.borrow().len()
    }

    fn view(&self, id: u64) -> Option<Rc<dyn Deliver>> {
        self.views.borrow().get(&id).and_then(|entry| entry.view.upgrade())
    }

    /// What a cell has to do when it settles: tell the view `id` through its loop. `[loop-3]`
    pub(crate) fn hook(&self, id: u64) -> Job {
        let (home, door) = (self.id, Arc::clone(&self.door));
        Job::new(move || {
            if let Some(registry) = Self::find(home) {
                if let Some(view) = registry.view(id) {
                    view.arrived();
                }
            } else {
                // Refused by a closed loop: its views read through from now on.
                door.post(move || {
                    if let Some(view) = Self::find(home).and_then(|registry| registry.view(id)) {
                        view.deliver();
                    }
                });
            }
        })
    }

    /// Does `errand` on the loop, later. If the loop takes no more, it is done by `close`, or after
    /// that at once: an errand is never lost.
    pub(crate) fn post(&self, errand: Box<dyn FnOnce()>) {
        if self.is_closed() {
            return self.isolate(errand);
        }
        let (home, id) = (self.id, self.next());
        self.errands.borrow_mut().insert(id, errand);
        self.door.post(move || {
            let errand = Self::find(home).and_then(|home| home.errands.borrow_mut().remove(&id));
            if let Some(errand) = errand {
                errand();
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
        errand.map(|(_, errand)| self.isolate(errand)).is_some()
    }

    /// Last act of closing: drops every callback that has not run, on this thread. `[loop-5]`
    pub(crate) fn sweep(&self) {
        self.life.set(Life::Closed);
        let entries = mem::take(&mut *self.views.borrow_mut());
        for entry in entries.into_values() {
            self.isolate(|| {
                if let Some(view) = entry.view.upgrade() {
                    view.sweep();
                }
                drop(entry.kept);
            });
        }
        let _ = REGISTRIES.try_with(|all| all.borrow_mut().retain(|other| other.id != self.id));
    }
}
