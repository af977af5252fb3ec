//! [`Task`]: what one can ask of a coroutine of a loop, whatever its outcome.

use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::Rc,
    sync::Arc,
};

use crate::{
    cell::Address,
    context::Id,
    error::{Cancel, Failure},
    machine::State,
};

/// A task of any type, as the loop holds it.
pub(super) trait Step {
    /// Polls the coroutine, or stops it if that was requested; says whether it was complete, and the task has ended.
    fn step(self: Rc<Self>) -> bool;
    /// Drops the coroutine, if it is still there.
    fn stop(self: Rc<Self>);
    /// Its coroutine is gone, and what that owned has ended: settles the task as Cancelled. `[loop-7]`
    fn end(&self);
    fn cancel(&self, reason: Option<Arc<str>>) -> Cancel;
    /// The cell that it settles, until it has ended.
    fn settles(&self) -> Option<Address>;
    fn facts(&self) -> &Facts;
}

/// What one can ask of a task of any type.
pub(super) struct Facts {
    id: Id,
    /// `None` until one is set, or somebody asks.
    name: RefCell<Option<Rc<str>>>,
    /// How it has ended, once it has.
    ended: Cell<Option<Ended>>,
}

impl Facts {
    pub(super) const fn new(id: Id) -> Self {
        Self { id, name: RefCell::new(None), ended: Cell::new(None) }
    }

    pub(super) const fn id(&self) -> Id {
        self.id
    }

    pub(super) fn ended(&self) -> Option<Ended> {
        self.ended.get()
    }

    pub(super) fn end(&self, ended: Ended) {
        self.ended.set(Some(ended));
    }
}

/// How a task has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Finished,
    Failed,
    Panicked,
    /// It was stopped.
    Cancelled,
}

impl Ended {
    pub(super) fn with<T, E>(outcome: &Result<T, Failure<E>>) -> Self {
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
    pub(super) fn new(task: Rc<dyn Step>) -> Self {
        Self(task)
    }

    pub(crate) fn id(&self) -> Id {
        self.0.facts().id
    }

    /// A step of it; says whether it has ended.
    pub(super) fn step(&self) -> bool {
        Rc::clone(&self.0).step()
    }

    pub(super) fn stop(&self) {
        Rc::clone(&self.0).stop();
    }

    pub(super) fn end(&self) {
        self.0.end();
    }

    /// The cell that it settles, until it has ended.
    pub(super) fn settles(&self) -> Option<Address> {
        self.0.settles()
    }

    /// Its name: `Task-` and a number, unless another was set. `[task-1]`
    #[must_use]
    #[doc(alias = "get_name")]
    pub fn name(&self) -> Rc<str> {
        let Facts { id, name, .. } = self.0.facts();
        Rc::clone(name.borrow_mut().get_or_insert_with(|| format!("Task-{id}").into()))
    }

    /// Names it. `[task-1]`
    pub fn set_name(&self, name: impl Into<Rc<str>>) {
        let last = self.0.facts().name.replace(Some(name.into()));
        drop(last);
    }

    /// Returns whether it has ended. `[task-1]`
    #[must_use]
    #[doc(alias = "is_finished")]
    pub fn done(&self) -> bool {
        self.0.facts().ended().is_some()
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
        match self.0.facts().ended() {
            Some(ended) => debug.field("state", &ended),
            None => debug.field("state", &State::Pending),
        };
        debug.finish()
    }
}
