//! Tasks: a coroutine, and the Owned promise of its outcome.

use std::{
    cell::{Cell, RefCell},
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

use super::{
    core::Core,
    incident::FutureId,
    queue::{Post, Queue},
    registry::Registry,
    stop::{Stopping, Stops, stop},
};
use crate::{
    cell::Address,
    context::{self, Id},
    error::{Cancel, Failure, Panic, Refusal},
    machine::State,
    phase::Owned,
    promise::Promise,
    sync::{AtomicBool, Ordering, at},
    waiter::Run,
};

/// What wakes a task: it asks the loop for a step, once until the step is taken. A request to cancel
/// uses it too, so that stopping is a step like any other. `[loop-6]` `[cancel-4]`
pub(crate) struct Flag {
    queue: Arc<Queue>,
    task: Id,
    /// Whether a step is queued.
    queued: AtomicBool,
}

impl Flag {
    /// For a task whose first step the caller queues.
    pub(crate) fn queued(queue: Arc<Queue>) -> Arc<Self> {
        Arc::new(Self { queue, task: context::next_id(), queued: AtomicBool::new(true) })
    }

    pub(crate) fn task(&self) -> Id {
        self.task
    }

    /// The queued step is taken: from now on a wake queues another.
    pub(crate) fn lower(&self) {
        // ORDERING: true=>false, AcqRel; pairs with the swap in `wake_by_ref`: what a waker did
        // before it found the flag up is visible to this step.
        self.queued.swap(false, at("step takes the flag", Ordering::AcqRel));
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // ORDERING: *=>true, AcqRel; releases what the waker did to the step that lowers the flag.
        if !self.queued.swap(true, at("wake raises the flag", Ordering::AcqRel)) {
            // A closed loop has stopped its tasks.
            drop(self.queue.post(Post::Step(self.task)));
        }
    }
}

/// A task of any type, as the loop holds it.
pub(crate) trait Step {
    /// Polls the coroutine, or stops it if that was requested; says whether it was complete, and the task has ended.
    fn step(self: Rc<Self>, stops: &Stops) -> bool;
    /// Drops the coroutine, if it is still there.
    fn stop(self: Rc<Self>, stops: &Stops);
    /// Its coroutine is gone, and what that owned has ended: settles the task as Cancelled. `[loop-7]`
    fn end(&self);
    fn cancel(&self, reason: Option<Arc<str>>) -> Cancel;
    /// The cell that it settles, until it has ended.
    fn settles(&self) -> Option<Address>;
    fn facts(&self) -> &Facts;
}

/// What one can ask of a task of any type.
pub(crate) struct Facts {
    id: Id,
    name: RefCell<Rc<str>>,
    /// How it has ended, once it has.
    ended: Cell<Option<Ended>>,
}

/// How a task has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Finished,
    Failed,
    Panicked,
    /// It was stopped.
    Cancelled,
}

impl Ended {
    fn with<T, E>(outcome: &Result<T, Failure<E>>) -> Self {
        match outcome {
            Ok(_) => Self::Finished,
            Err(Failure::Error(_)) => Self::Failed,
            Err(Failure::Panicked(_)) => Self::Panicked,
            Err(_) => Self::Cancelled,
        }
    }
}

/// A task of a loop, whatever its outcome: its name, and a way to stop it. Cheap to clone. It does not keep the
/// outcome, which is read from the task's [`LoopFuture`](crate::LoopFuture). Python's `asyncio.Task`. `[task-1]`
///
/// ```
/// use settled::{EventLoop, LoopRef};
///
/// let event_loop = EventLoop::new();
/// let future = event_loop.create_task(async {
///     LoopRef::current().unwrap().current_task().unwrap().name()
/// });
/// let future = future.unwrap();
/// future.task().unwrap().set_name("reader");
/// let name = event_loop.run_until_complete(future).unwrap();
/// assert_eq!(&**name.result().unwrap(), "reader");
///
/// let endless = event_loop.create_task(std::future::pending::<()>()).unwrap();
/// let task = endless.task().unwrap().clone();
/// task.cancel(); // asks: the loop stops it in a later turn
/// assert!(!task.done());
/// event_loop.run_until_complete(endless).unwrap();
/// assert!(task.done());
/// ```
#[derive(Clone)]
pub struct Task(Rc<dyn Step>);

impl Task {
    pub(crate) fn id(&self) -> Id {
        self.0.facts().id
    }

    pub(super) fn future_id(&self) -> FutureId {
        FutureId::of_task(self.id())
    }

    pub(super) fn step(&self, stops: &Stops) -> bool {
        Rc::clone(&self.0).step(stops)
    }

    pub(super) fn stop(&self, stops: &Stops) {
        Rc::clone(&self.0).stop(stops);
    }

    pub(super) fn end(&self) {
        self.0.end();
    }

    /// The task whose step this is.
    pub(super) fn current() -> Option<Self> {
        Core::current()?.tasks.borrow().get(&context::current_task()?).cloned()
    }

    /// The cell that it settles, until it has ended.
    pub(super) fn settles(&self) -> Option<Address> {
        self.0.settles()
    }

    /// Its name: `Task-` and a number, unless another was set. `[task-1]`
    #[must_use]
    #[doc(alias = "get_name")]
    pub fn name(&self) -> Rc<str> {
        Rc::clone(&self.0.facts().name.borrow())
    }

    /// Names it. `[task-1]`
    pub fn set_name(&self, name: impl Into<Rc<str>>) {
        let last = self.0.facts().name.replace(name.into());
        drop(last);
    }

    /// Returns whether it has ended. `[task-1]`
    #[must_use]
    #[doc(alias = "is_finished")]
    pub fn done(&self) -> bool {
        self.0.facts().ended.get().is_some()
    }

    /// Asks it to stop, as [`LoopFuture::cancel`](crate::LoopFuture::cancel) does. `[cancel-4]`
    #[doc(alias = "abort")]
    pub fn cancel(&self) -> Cancel {
        self.0.cancel(None)
    }

    /// Asks it to stop, and says why. `[cancel-7]`
    ///
    /// ```
    /// use settled::EventLoop;
    ///
    /// let event_loop = EventLoop::new();
    /// let future = event_loop.create_task(std::future::pending::<()>()).unwrap();
    /// future.task().unwrap().cancel_with("the user left");
    /// let settled = event_loop.run_until_complete(future).unwrap();
    /// assert_eq!(settled.cancel_reason().as_deref(), Some("the user left"));
    /// ```
    pub fn cancel_with(&self, reason: impl Into<Arc<str>>) -> Cancel {
        self.0.cancel(Some(reason.into()))
    }
}

impl PartialEq for Task {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Task {}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Task");
        debug.field("name", &self.name());
        match self.0.facts().ended.get() {
            Some(ended) => debug.field("state", &ended),
            None => debug.field("state", &State::Pending),
        };
        debug.finish()
    }
}

/// A coroutine and what becomes of it. Also what another thread sends to the loop to make a task.
pub(crate) struct Spawn<F, T, E, O> {
    pub(crate) future: F,
    pub(crate) promise: Promise<T, E, Owned>,
    pub(crate) flag: Arc<Flag>,
    pub(crate) call: fn(O) -> Result<T, E>,
}

impl<F, T, E, O> Run for Spawn<F, T, E, O>
where
    F: Future<Output = O> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
    O: 'static,
{
    fn run(self: Box<Self>) {
        if let Some(core) = Core::of(self.flag.queue.id) {
            let task = self.into_task(&core.registry);
            core.begin(task);
        }
    }

    fn settles(&self) -> Option<Address> {
        Some(self.promise.address())
    }

    fn task(&self) -> Option<Id> {
        Some(self.flag.task())
    }
}

impl<F, T, E, O> Spawn<F, T, E, O>
where
    F: Future<Output = O> + 'static,
    T: 'static,
    E: 'static,
    O: 'static,
{
    pub(crate) fn into_task(self, home: &Rc<Registry>) -> Task {
        let id = self.flag.task();
        let facts =
            Facts { id, name: RefCell::new(format!("Task-{id}").into()), ended: Cell::new(None) };
        Task(Rc::new(Body {
            facts,
            home: Rc::clone(home),
            coroutine: RefCell::new(Coroutine::Suspended(Box::pin(self.future))),
            promise: RefCell::new(Some(self.promise)),
            flag: self.flag,
            call: self.call,
        }))
    }
}

struct Body<F, T, E, O> {
    facts: Facts,
    home: Rc<Registry>,
    coroutine: RefCell<Coroutine<F>>,
    /// `None` after its end.
    promise: RefCell<Option<Promise<T, E, Owned>>>,
    flag: Arc<Flag>,
    call: fn(O) -> Result<T, E>,
}

enum Coroutine<F> {
    Suspended(Pin<Box<F>>),
    /// It is dropped; those that it owned are about to stop.
    Stopping(Stopping),
    /// It is polled at this moment, or gone.
    Away,
}

impl<F, T, E, O> Body<F, T, E, O>
where
    F: Future<Output = O> + 'static,
    T: 'static,
    E: 'static,
    O: 'static,
{
    fn is_requested(&self) -> bool {
        self.promise.borrow().as_ref().is_some_and(Promise::<T, E, Owned>::cancel_requested)
    }

    fn stop_coroutine(self: &Rc<Self>, coroutine: Pin<Box<F>>, stops: &Stops) -> Stopping {
        let reason = self.promise.borrow().as_ref().and_then(Promise::<T, E, Owned>::cancel_reason);
        let stopping = stop(coroutine, reason, &self.home);
        stops.enter(Task(Rc::clone(self) as Rc<dyn Step>), &stopping);
        stopping
    }

    /// Steps again when one of those that the coroutine owned has ended. `[await-3]`
    fn wait_for_stopped(&self, stopping: Stopping, cx: &Context<'_>) -> bool {
        let _ = stopping.poll(cx);
        self.coroutine.replace(Coroutine::Stopping(stopping));
        false
    }

    fn settle(&self, ended: Ended, how: impl FnOnce(Promise<T, E, Owned>)) {
        self.facts.ended.set(Some(ended));
        let promise = self.promise.take();
        if let Some(promise) = promise {
            how(promise);
        }
    }

    /// Drops the coroutine, then says so: nobody sees a task settled that still holds something.
    fn finish(
        self: &Rc<Self>,
        coroutine: Pin<Box<F>>,
        outcome: Result<T, Failure<E>>,
        step: context::Guard,
    ) {
        self.home.isolate(|| drop(coroutine));
        self.settle(Ended::with(&outcome), |promise| {
            if let Err(failure) = &outcome
                && promise.is_closed()
            {
                let task = Task(Rc::clone(self) as Rc<dyn Step>);
                self.home.report_failure(failure, task.future_id(), Some(&task));
            }
            // Once it is settled its cell may be gone, and another one have its address.
            drop(step);
            match outcome {
                Ok(value) => promise.finish(value),
                Err(Failure::Error(error)) => promise.fail(error),
                Err(Failure::Panicked(panic)) => promise.panicked(panic),
                Err(_) => promise.stopped(),
            }
        });
    }
}

impl<F, T, E, O> Step for Body<F, T, E, O>
where
    F: Future<Output = O> + 'static,
    T: 'static,
    E: 'static,
    O: 'static,
{
    fn step(self: Rc<Self>, stops: &Stops) -> bool {
        let Some(cell) = self.settles() else { return true };
        let step = context::run_task(self.facts.id, cell);
        self.flag.lower();
        let waker = Waker::from(Arc::clone(&self.flag));
        let mut cx = Context::from_waker(&waker);
        let mut coroutine = match self.coroutine.replace(Coroutine::Away) {
            Coroutine::Suspended(coroutine) => coroutine,
            Coroutine::Stopping(stopping) => return self.wait_for_stopped(stopping, &cx),
            Coroutine::Away => return true,
        };
        if self.is_requested() {
            let stopping = self.stop_coroutine(coroutine, stops);
            return self.wait_for_stopped(stopping, &cx);
        }
        match catch_unwind(AssertUnwindSafe(|| coroutine.as_mut().poll(&mut cx))) {
            Ok(Poll::Pending) => {
                self.coroutine.replace(Coroutine::Suspended(coroutine));
                return false;
            }
            Ok(Poll::Ready(output)) => {
                self.finish(coroutine, (self.call)(output).map_err(Failure::Error), step);
            }
            Err(payload) => {
                self.finish(coroutine, Err(Failure::Panicked(Panic::new(payload))), step);
            }
        }
        true
    }

    fn stop(self: Rc<Self>, stops: &Stops) {
        let stopping = match self.coroutine.replace(Coroutine::Away) {
            Coroutine::Suspended(coroutine) => self.stop_coroutine(coroutine, stops),
            Coroutine::Stopping(stopping) => stopping,
            Coroutine::Away => return,
        };
        self.coroutine.replace(Coroutine::Stopping(stopping));
    }

    fn end(&self) {
        self.coroutine.replace(Coroutine::Away);
        self.settle(Ended::Cancelled, Promise::<T, E, Owned>::stopped);
    }

    fn cancel(&self, reason: Option<Arc<str>>) -> Cancel {
        let promise = self.promise.borrow();
        match promise.as_ref() {
            Some(promise) => promise.request(reason),
            None if self.facts.ended.get() == Some(Ended::Cancelled) => Cancel::Already,
            None => Cancel::Refused(Refusal::Finished),
        }
    }

    fn settles(&self) -> Option<Address> {
        self.promise.borrow().as_ref().map(Promise::address)
    }

    fn facts(&self) -> &Facts {
        &self.facts
    }
}
