//! What a loop tells its exception handler.

use std::{
    any::Any,
    fmt,
    io::{self, Write as _},
};

use super::task::Task;
use crate::{context::Id, error::Panic};

/// Names a future in reports and logs: [`LoopFuture::id`](crate::LoopFuture::id). Equal for all handles of one
/// future of a loop. One that was made with a task is named as the task; a view that
/// [`wrap_future`](crate::bridge::wrap_future) makes has a name of its own, also if a task settles it.
/// Displays as `task 5` or `future 3`, as no other of its loop does. `[report-3]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FutureId(Named);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Named {
    Task(Id),
    View { home: Id, number: u64 },
}

impl FutureId {
    pub(super) const fn of_task(id: Id) -> Self {
        Self(Named::Task(id))
    }

    pub(super) const fn of_view(home: Id, number: u64) -> Self {
        Self(Named::View { home, number })
    }
}

impl fmt::Display for FutureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Named::Task(id) => write!(f, "task {id}"),
            Named::View { number, .. } => write!(f, "future {number}"),
        }
    }
}

/// Something that went wrong on a loop and that nobody else is told of. Lent to the loop's exception
/// handler. Python's `context` of `call_exception_handler`. `[report-1]`
///
/// ```
/// use std::{cell::RefCell, rc::Rc};
/// use settled::{EventLoop, FutureId, Incident};
///
/// let event_loop = EventLoop::new();
/// let told = Rc::new(RefCell::new(Vec::new()));
/// let log = Rc::clone(&told);
/// event_loop.set_exception_handler(move |incident| {
///     let what = match incident {
///         Incident::ErrorNeverRetrieved { error, .. } => error.downcast_ref::<String>().cloned(),
///         _ => None,
///     };
///     let (future, task): (Option<FutureId>, _) = (incident.future(), incident.task());
///     log.borrow_mut().push((what, future, task.map(|task| task.name().to_string())));
/// });
/// let fails = event_loop.create_task_result(async { Err::<(), _>("disk full".to_owned()) }).unwrap();
/// fails.task().unwrap().set_name("writer");
/// let id = fails.id();
/// drop(fails);
/// event_loop.run_until_complete(std::future::ready(())).unwrap();
/// assert_eq!(*told.borrow(), [(Some("disk full".to_owned()), Some(id), Some("writer".to_owned()))]);
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Incident<'a> {
    /// A callback, a scheduled call or posted job, or the drop of one of them or of a coroutine panicked.
    /// The process's panic hook has been told too. `[callback-5]`
    CallbackPanicked {
        /// What it panicked with.
        panic: &'a Panic,
        /// The future that it was registered with, or the task whose coroutine it was, if it is known.
        future: Option<FutureId>,
        /// The task whose outcome or coroutine that is, if it is one. It may have ended.
        task: Option<&'a Task>,
    },
    /// The last handle of a future is gone, and nobody has looked at its error. `[report-2]`
    ErrorNeverRetrieved {
        /// The error, to be downcast.
        error: &'a dyn Any,
        /// The name of its type.
        type_name: &'static str,
        /// The future.
        future: FutureId,
        /// The task that ended with it, if it was one.
        task: Option<&'a Task>,
    },
    /// The last handle of a future is gone, and nobody has looked at the panic that it ended with.
    /// `[report-2]`
    PanicNeverRetrieved {
        /// What its work panicked with.
        panic: &'a Panic,
        /// The future.
        future: FutureId,
        /// The task that ended with it, if it was one.
        task: Option<&'a Task>,
    },
    /// The last handle of a future is gone, whose work ended without an outcome, and nobody has noticed.
    /// `[report-2]`
    AbandonmentNeverRetrieved {
        /// The future.
        future: FutureId,
    },
    /// A message of the program's own, for [`call_exception_handler`](crate::LoopRef::call_exception_handler).
    Message(&'a str),
}

impl Incident<'_> {
    /// Returns the future that it is about, if it is known. `[report-3]`
    #[must_use]
    pub fn future(&self) -> Option<FutureId> {
        match self {
            Self::CallbackPanicked { future, .. } => *future,
            Self::ErrorNeverRetrieved { future, .. }
            | Self::PanicNeverRetrieved { future, .. }
            | Self::AbandonmentNeverRetrieved { future } => Some(*future),
            Self::Message(_) => None,
        }
    }

    /// Returns the task that it is about, if it is about one. `[report-2]`
    #[must_use]
    pub fn task(&self) -> Option<&Task> {
        match self {
            Self::CallbackPanicked { task, .. }
            | Self::ErrorNeverRetrieved { task, .. }
            | Self::PanicNeverRetrieved { task, .. } => *task,
            Self::AbandonmentNeverRetrieved { .. } | Self::Message(_) => None,
        }
    }
}

impl fmt::Display for Incident<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut was = "it was";
        match self {
            Self::CallbackPanicked { panic, .. } => {
                was = "it was part of";
                write!(f, "a callback panicked: {panic}")?;
            }
            Self::ErrorNeverRetrieved { type_name, .. } => {
                write!(f, "a future ended with an error ({type_name}) that nobody has looked at")?;
            }
            Self::PanicNeverRetrieved { panic, .. } => {
                write!(f, "a future ended with a panic that nobody has looked at: {panic}")?;
            }
            Self::AbandonmentNeverRetrieved { .. } => {
                f.write_str("a future ended without an outcome, and nobody has looked at it")?;
            }
            Self::Message(message) => f.write_str(message)?,
        }
        if let Some(future) = self.future() {
            write!(f, "; {was} {future}")?;
        }
        self.task().map_or(Ok(()), |task| write!(f, ", named {}", task.name()))
    }
}

impl fmt::Debug for Incident<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Incident({self})")
    }
}

/// What happens to an incident where no handler is set. The panic hook has told of a callback's panic.
pub(super) fn by_default(incident: &Incident<'_>) {
    if !matches!(incident, Incident::CallbackPanicked { .. }) {
        // Where nothing can be written, nobody is left to be told.
        let _ = writeln!(io::stderr(), "settled: {incident}");
    }
}
