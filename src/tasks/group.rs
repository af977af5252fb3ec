//! A group of tasks whose scope outlives them all.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::BTreeMap,
    fmt,
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use thiserror::Error;

use super::here;
use crate::{
    Closed, Failure, LoopFuture, LoopRef, Settled, Task, context,
    error::Panic,
    event_loop::{stop, wait_in_stop},
};

/// Runs `body`, which may start tasks in the group that it is lent, and returns when it and all of them have
/// ended. Python's `asyncio.TaskGroup`. `[group-1]`
///
/// The first error or panic, in a task or in `body`, stops the others and `body`. A task that is cancelled
/// from outside stops nobody else. When the task that awaits this is stopped, so is the group, and the task
/// has not stopped before it. `[group-2]` What goes wrong in a group that is stopped, or whose `body` panics, is told to
/// the loop's exception handler. `[report-2]`
///
/// ```
/// use settled::{EventLoop, tasks::task_group};
///
/// let event_loop = EventLoop::new();
/// let failed = event_loop.run_until_complete(task_group(async |group| {
///     let _endless = group.create_task(std::future::pending::<Result<(), _>>());
///     let _fails = group.create_task(async { Err::<(), _>("no route") });
///     Ok(())
/// }));
/// assert_eq!(failed.unwrap().unwrap_err().errors, ["no route"]);
/// ```
///
/// # Errors
///
/// [`GroupError`], with every error and panic.
///
/// # Panics
///
/// If this thread runs no [`EventLoop`](crate::EventLoop); and if `body` panics, when all tasks have ended.
#[doc(alias("TaskGroup", "JoinSet", "nursery", "scope"))]
pub async fn task_group<R, E, B>(body: B) -> Result<R, GroupError<E>>
where
    B: AsyncFnOnce(&TaskGroup<E>) -> Result<R, E>,
    E: 'static,
{
    let scope = Scope(TaskGroup::new(here("task_group")));
    let group = &scope.0;
    let mut body = Box::pin(body(group));
    let end = poll_fn(|cx| {
        group.listen(cx);
        if group.has_failed() {
            return Poll::Ready(None);
        }
        match catch_unwind(AssertUnwindSafe(|| body.as_mut().poll(cx))) {
            Ok(poll) => poll.map(|output| Some(Ok(output))),
            Err(payload) => Poll::Ready(Some(Err(payload))),
        }
    });
    let end: Option<Result<Result<R, E>, Box<dyn Any + Send>>> = end.await;
    let stopping = stop(body, Some(group.why()), group.0.home.registry());
    let (value, panic) = match end {
        Some(Ok(Ok(value))) => (Some(value), None),
        Some(Ok(Err(error))) => {
            group.fail(error);
            (None, None)
        }
        Some(Err(payload)) => (None, Some(payload)),
        None => (None, None),
    };
    if value.is_none() {
        group.stop_all();
    }
    poll_fn(|cx| {
        group.listen(cx);
        // Once: it asks each of them.
        if group.has_failed() && group.0.open.get() {
            group.stop_all();
        }
        ready!(stopping.poll(cx));
        if group.0.members.borrow().is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    if let Some(payload) = panic {
        resume_unwind(payload);
    }
    let error = group.take_error();
    match value {
        Some(value) if error.errors.is_empty() && error.panics.is_empty() => Ok(value),
        _ => Err(error),
    }
}

/// Every error and panic of a group, in the order in which they came; the first stopped the rest. Python's
/// `ExceptionGroup`. `[group-1]`
#[doc(alias = "ExceptionGroup")]
#[derive(Debug, Error)]
#[error("failures in the group: {}; the rest of it was stopped{}", errors.len() + panics.len(), told(panics))]
pub struct GroupError<E> {
    /// What `body` and the tasks returned.
    pub errors: Vec<E>,
    /// The panics of tasks. What they panicked with is the outcome of their futures.
    pub panics: Vec<GroupPanic>,
}

/// The end of a group's message: who panicked, and with what.
fn told(panics: &[GroupPanic]) -> String {
    panics
        .iter()
        .map(|GroupPanic { task, message }| format!("; {task} panicked: {message}"))
        .collect()
}

/// That a task of a group panicked. `[group-1]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPanic {
    /// The task's name.
    pub task: Box<str>,
    /// The panic's message.
    pub message: Box<str>,
}

/// The error of a task in a group: the group has been told of the real one. `[group-1]`
///
/// ```
/// use settled::{EventLoop, tasks::{GroupError, GroupPanic, ToldToGroup, task_group}};
///
/// let event_loop = EventLoop::new();
/// let mut fails = None;
/// let failed = event_loop.run_until_complete(task_group(async |group| {
///     fails = group.create_task::<(), _>(async { Err("no route") }).ok();
///     let _panics = group.create_task::<(), _>(async { panic!("off by one") });
///     Ok(())
/// }));
/// let error: GroupError<&str> = failed.unwrap().unwrap_err();
/// assert_eq!(error.errors, ["no route"]);
/// let GroupPanic { message, .. } = &error.panics[0];
/// assert_eq!(&**message, "off by one");
/// assert_eq!(fails.unwrap().exception().unwrap().unwrap().error(), Some(&ToldToGroup));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the task failed, and its group was told of the error; see what task_group returns")]
pub struct ToldToGroup;

/// A group of tasks that is open as long as its scope. Lent by [`task_group`]; its clones start tasks from
/// within tasks. `[group-1]`
///
/// ```
/// use settled::{EventLoop, tasks};
///
/// let event_loop = EventLoop::new();
/// let sum = event_loop.run_until_complete(tasks::task_group(async |group| {
///     let one = group.create_task(async { Ok::<_, String>(1) }).unwrap();
///     let two = group.create_task(async { Ok(2) }).unwrap();
///     Ok(one.output().await.unwrap() + two.output().await.unwrap())
/// }));
/// assert_eq!(sum.unwrap().unwrap(), 3);
/// ```
pub struct TaskGroup<E: 'static>(Rc<Inner<E>>);

struct Inner<E> {
    home: LoopRef,
    open: Cell<bool>,
    next: Cell<u64>,
    /// The tasks that have not ended.
    members: RefCell<BTreeMap<u64, Task>>,
    /// What went wrong, and in which task, if it was one.
    failed: RefCell<Vec<(Failed<E>, Option<Task>)>>,
    /// Whether its scope is gone, so that nobody takes what goes wrong.
    left: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

enum Failed<E> {
    Error(E),
    /// With this message.
    Panic(Box<str>),
}

impl<E: 'static> TaskGroup<E> {
    fn new(home: LoopRef) -> Self {
        Self(Rc::new(Inner {
            home,
            open: Cell::new(true),
            next: Cell::new(0),
            members: RefCell::default(),
            failed: RefCell::default(),
            left: Cell::new(false),
            waker: RefCell::default(),
        }))
    }

    /// Runs `coroutine` as a task of the group. An error goes to the group, and the future says so. Dropping
    /// the future changes nothing. `[group-1]`
    ///
    /// # Errors
    ///
    /// [`Closed`] hands `coroutine` back if the group's scope has been left, or its loop takes no more work.
    #[doc(alias("spawn", "start_soon"))]
    pub fn create_task<T, F>(&self, coroutine: F) -> Result<LoopFuture<T, ToldToGroup>, Closed<F>>
    where
        F: Future<Output = Result<T, E>> + 'static,
        T: 'static,
    {
        let inner = &self.0;
        if !inner.open.get() || inner.home.is_closed() {
            return Err(Closed::new(coroutine));
        }
        let group = self.clone();
        let told = async move { coroutine.await.map_err(|error| group.fail(error)) };
        let Ok(future) = inner.home.create_task_result(told) else {
            unreachable!("only this thread can close the loop")
        };
        let number = inner.next.replace(inner.next.get() + 1);
        let task = future.task().expect("it was made as a task").clone();
        let arrive = Arrive { group: self.clone(), number };
        let name = task.clone();
        inner.members.borrow_mut().insert(number, task);
        future.wait_with(move |settled| arrive.look(settled, &name));
        Ok(future)
    }

    fn fail(&self, error: E) -> ToldToGroup {
        let task = self.0.home.current_task();
        self.note(Failed::Error(error), task);
        self.wake();
        ToldToGroup
    }

    fn note(&self, failed: Failed<E>, task: Option<Task>) {
        self.0.failed.borrow_mut().push((failed, task));
        if self.0.left.get() {
            self.report();
        }
    }

    fn has_failed(&self) -> bool {
        !self.0.failed.borrow().is_empty()
    }

    fn take_error(&self) -> GroupError<E> {
        let mut all = GroupError { errors: Vec::new(), panics: Vec::new() };
        for (failed, task) in self.0.failed.take() {
            match failed {
                Failed::Error(error) => all.errors.push(error),
                Failed::Panic(message) => {
                    let task = task.map_or_else(Box::default, |task| (*task.name()).into());
                    all.panics.push(GroupPanic { task, message });
                }
            }
        }
        all
    }

    /// Tells the loop of what nobody has taken. `[group-1]` `[report-2]`
    fn report(&self) {
        let home = self.0.home.registry();
        for (failed, task) in self.0.failed.take() {
            let failure = match failed {
                Failed::Error(error) => Failure::Error(error),
                Failed::Panic(message) => {
                    Failure::Panicked(Panic::new(Box::new(String::from(message))))
                }
            };
            home.report_untaken(&failure, task.as_ref());
            home.isolate(|| drop(failure));
        }
    }

    fn why(&self) -> Arc<str> {
        if self.has_failed() { "a task of the group failed" } else { "the group is over" }.into()
    }

    /// Takes no more tasks, and asks those that there are to stop.
    fn stop_all(&self) {
        self.0.open.set(false);
        let members: Vec<_> = self.0.members.borrow().values().cloned().collect();
        for task in members {
            task.cancel_with(self.why());
        }
    }

    /// The task that is woken by what happens in the group.
    fn listen(&self, cx: &Context<'_>) {
        // Cloning and dropping a waker is foreign code.
        let waker = cx.waker().clone();
        let last = self.0.waker.replace(Some(waker));
        drop(last);
    }

    fn wake(&self) {
        let waker = self.0.waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<E: 'static> Clone for TaskGroup<E> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<E: 'static> fmt::Debug for TaskGroup<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tasks, open) = (self.0.members.borrow().len(), self.0.open.get());
        f.debug_struct("TaskGroup").field("tasks", &tasks).field("open", &open).finish()
    }
}

/// Tells the group that a task has ended, also when its loop is closed before it could be told.
struct Arrive<E: 'static> {
    group: TaskGroup<E>,
    number: u64,
}

impl<E: 'static> Arrive<E> {
    fn look<T>(self, settled: &Settled<T, ToldToGroup>, task: &Task) {
        if let Err(Failure::Panicked(panic)) = settled.result() {
            self.group.note(Failed::Panic(panic.message().into()), Some(task.clone()));
        }
    }
}

impl<E: 'static> Drop for Arrive<E> {
    fn drop(&mut self) {
        let task = self.group.0.members.borrow_mut().remove(&self.number);
        drop(task);
        self.group.wake();
    }
}

/// However the scope is left, its tasks are stopped, and what went wrong in them is told.
struct Scope<E: 'static>(TaskGroup<E>);

impl<E: 'static> Drop for Scope<E> {
    fn drop(&mut self) {
        let group = &self.0;
        group.stop_all();
        if context::is_stopping_coroutine() && group.0.home.is_running() {
            let members = group.0.members.borrow();
            members.values().filter(|task| !task.done()).map(Task::id).for_each(wait_in_stop);
        }
        group.0.left.set(true);
        group.report();
    }
}
