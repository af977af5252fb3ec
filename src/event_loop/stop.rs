//! Stopping a coroutine: it is dropped, and what it owned is stopped with it.

use std::{
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use super::{future::LoopFuture, registry::Registry};
use crate::{
    context::{self, Id, Stop},
    error::Cancel,
    waiter::isolate,
};

/// Waits for what a stopped coroutine owned. Dropped in a stop on the same loop, it hands that on to it. `[await-3]`
pub(crate) struct Stopping(Rc<Stop>);

impl Stopping {
    /// Ready when all of them have ended.
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        if self.0.tasks.borrow().is_empty() {
            return Poll::Ready(());
        }
        // Cloning and dropping a waker is foreign code.
        let waker = cx.waker().clone();
        let last = self.0.waker.replace(Some(waker));
        drop(last);
        Poll::Pending
    }

    pub(super) fn stop(&self) -> Rc<Stop> {
        Rc::clone(&self.0)
    }
}

impl Drop for Stopping {
    fn drop(&mut self) {
        let waker = self.0.waker.take();
        isolate(|| drop(waker));
        if context::is_stopping_coroutine() && self.0.home == context::current_loop() {
            self.0.tasks.take().into_iter().for_each(wait_in_stop);
        }
    }
}

/// Drops `coroutine`. A panic in its drop is reported to the loop.
pub(crate) fn stop<F>(coroutine: F, reason: Option<Arc<str>>, home: &Registry) -> Stopping {
    let (stop, _stopping) = context::stop_coroutine(reason);
    home.isolate(|| drop(coroutine));
    Stopping(stop)
}

/// A coroutine lets go of a future that it owned and awaited: if it is being stopped, so is the future.
/// `[await-3]`
pub(crate) fn forward<T, E>(future: &LoopFuture<T, E>) {
    if !context::is_stopping_coroutine() || future.done() {
        return;
    }
    let asked = future.cancel_for(context::stop_reason()) == Cancel::Requested;
    if asked && let Some(task) = task_of(future) {
        wait_in_stop(task);
    }
}

/// The task of the loop that runs here which settles a future, or which a coroutine that was sent to it will be.
pub(crate) fn task_of<T, E>(future: &LoopFuture<T, E>) -> Option<Id> {
    Registry::current()?.task_of(future.address(), future.task())
}

/// The coroutine that is being stopped has not stopped before this task has ended.
pub(crate) fn wait_in_stop(task: Id) {
    if let (Some(stop), Some(home)) = (context::innermost_stop(), Registry::current()) {
        home.stops().wait(&stop, task);
    }
}
