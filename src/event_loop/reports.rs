//! What went wrong on a loop, and who is told of it.

use std::{
    any::{Any, type_name},
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::{
    incident::{FutureId, Incident, by_default},
    registry::{Handler, Registry},
    task::Task,
};
use crate::{
    context,
    error::{Failure, Panic},
    trace,
    waiter::isolate,
};

impl Registry {
    /// Sets who is told of what goes wrong, and gives the former back.
    pub(crate) fn set_handler(&self, handler: Option<Handler>) -> Option<Handler> {
        self.handler.replace(handler)
    }

    /// Tells the exception handler. A handler that panics is replaced by the default, for this once.
    /// `[report-1]`
    pub(crate) fn report(&self, incident: &Incident<'_>) {
        trace::incident(incident);
        let handler = self.handler.borrow().clone();
        // What it drops is not the coroutine's that is being stopped, if one is. `[await-3]`
        let _role = context::call_back();
        let mut told = false;
        if let Some(handler) = handler {
            isolate(|| {
                handler(incident);
                told = true;
                drop(handler);
            });
        }
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

    /// Tells of what went wrong in a task, if it was one, and nobody has taken. `[report-2]`
    pub(crate) fn report_untaken<E: 'static>(&self, failure: &Failure<E>, task: Option<&Task>) {
        let number = || FutureId::of_view(self.id(), self.next());
        let future = task.map_or_else(number, |task| FutureId::of_task(task.id()));
        self.report_failure(failure, future, task);
    }

    /// Runs user code so that a panic ends here, and is reported. `[callback-5]`
    pub(crate) fn isolate(&self, f: impl FnOnce()) {
        self.isolate_for(None, f);
    }

    /// The same, for user code that belongs to a future. Within a step it belongs to its task. `[report-3]`
    pub(super) fn isolate_for(&self, future: Option<(FutureId, Option<&Task>)>, f: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
            self.panicked(future, payload);
        }
    }

    #[cold]
    fn panicked(&self, future: Option<(FutureId, Option<&Task>)>, payload: Box<dyn Any + Send>) {
        let panic = Panic::new(payload);
        let current = current_task();
        let of_task = |task| (FutureId::of_task(Task::id(task)), Some(task));
        let of = future.or_else(|| current.as_ref().map(of_task));
        let (future, task) = of.unzip();
        let task = task.flatten();
        self.report(&Incident::CallbackPanicked { panic: &panic, future, task });
        // The payload's own drop may panic.
        isolate(|| drop(panic));
    }
}

/// The task whose step this is, on the loop of this crate that this thread runs.
fn current_task() -> Option<Task> {
    Registry::current()?.of_own().tasks.get(context::current_task()?)
}
