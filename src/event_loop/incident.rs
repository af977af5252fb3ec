//! What a loop tells its exception handler.

use std::{any::Any, fmt};

use super::task::Task;
use crate::error::Panic;

/// Something that went wrong on a loop and that nobody else is told of. Lent to the loop's exception
/// handler. Python's `context` of `call_exception_handler`. `[report-1]`
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Incident<'a> {
    /// A callback, a scheduled call or posted job, or the drop of one of them or of a coroutine panicked.
    /// The process's panic hook has been told too. `[callback-5]`
    CallbackPanicked {
        /// What it panicked with.
        panic: &'a Panic,
    },
    /// The last handle of a future is gone, and nobody has looked at its error. `[report-2]`
    ErrorNeverRetrieved {
        /// The error, to be downcast.
        error: &'a dyn Any,
        /// The name of its type.
        type_name: &'static str,
        /// The task that ended with it, if it was one.
        task: Option<&'a Task>,
    },
    /// The last handle of a future is gone, and nobody has looked at the panic that it ended with.
    /// `[report-2]`
    PanicNeverRetrieved {
        /// What its work panicked with.
        panic: &'a Panic,
        /// The task that ended with it, if it was one.
        task: Option<&'a Task>,
    },
    /// The last handle of a future is gone, whose work ended without an outcome, and nobody has noticed.
    /// `[report-2]`
    AbandonmentNeverRetrieved,
    /// A message of the program's own, for [`call_exception_handler`](crate::LoopRef::call_exception_handler).
    Message(&'a str),
}

impl Incident<'_> {
    /// The task that it is about, if it is about one. `[report-2]`
    #[must_use]
    pub fn task(&self) -> Option<&Task> {
        match self {
            Self::ErrorNeverRetrieved { task, .. } | Self::PanicNeverRetrieved { task, .. } => {
                *task
            }
            Self::CallbackPanicked { .. } | Self::AbandonmentNeverRetrieved | Self::Message(_) => {
                None
            }
        }
    }
}

impl fmt::Display for Incident<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CallbackPanicked { panic } => write!(f, "a callback panicked: {panic}")?,
            Self::ErrorNeverRetrieved { type_name, .. } => {
                write!(f, "a future ended with an error ({type_name}) that nobody has looked at")?;
            }
            Self::PanicNeverRetrieved { panic, .. } => {
                write!(f, "a future ended with a panic that nobody has looked at: {panic}")?;
            }
            Self::AbandonmentNeverRetrieved => {
                f.write_str("a future ended without an outcome, and nobody has looked at it")?;
            }
            Self::Message(message) => f.write_str(message)?,
        }
        match self.task() {
            Some(task) => write!(f, "; it was the task {}", task.name()),
            None => Ok(()),
        }
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
        eprintln!("settled: {incident}");
    }
}
