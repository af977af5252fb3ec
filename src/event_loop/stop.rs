//! Stopping a coroutine: it is dropped, and what it awaited by value is stopped with it.

use std::{
    cell::RefCell,
    sync::Arc,
    task::{Context, Poll, ready},
};

use super::{awaiting::Place, future::LoopFuture, registry::Registry, task::Task};
use crate::{context, error::Cancel, sync::thread_local, waiter::isolate};

thread_local! {
    /// For each coroutine that is being stopped: the tasks that it has asked to stop by that.
    static ASKED: RefCell<Vec<Vec<Box<dyn Asked>>>> = RefCell::default();
}

/// A task that was asked to stop, whatever its types.
pub(crate) trait Asked {
    fn poll_stopped(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

struct Child<T: 'static, E: 'static> {
    future: LoopFuture<T, E>,
    place: Place,
}

impl<T, E> Asked for Child<T, E> {
    fn poll_stopped(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.future.done() {
            ready!(self.place.poll(&self.future, cx));
        }
        Poll::Ready(())
    }
}

impl<T: 'static, E: 'static> Drop for Child<T, E> {
    fn drop(&mut self) {
        self.place.leave(&self.future);
    }
}

/// The tasks that a stopped coroutine owned and that have not ended yet. `[await-3]`
pub(crate) struct Stopping(Vec<Box<dyn Asked>>);

impl Stopping {
    /// Ready when all of them have ended.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(child) = self.0.last_mut() {
            ready!(child.poll_stopped(cx));
            let child = self.0.pop();
            // It may have the last handle of a value.
            isolate(|| drop(child));
        }
        Poll::Ready(())
    }
}

/// Drops `coroutine`. A panic in its drop is reported to the loop.
pub(crate) fn stop<F>(coroutine: F, reason: Option<Arc<str>>, home: &Registry) -> Stopping {
    let _ = ASKED.try_with(|asked| asked.borrow_mut().push(Vec::new()));
    {
        let _stopping = context::stop_coroutine(reason);
        home.isolate(|| drop(coroutine));
    }
    let asked = ASKED.try_with(|asked| asked.borrow_mut().pop());
    Stopping(asked.ok().flatten().unwrap_or_default())
}

/// A coroutine lets go of a future that it owned and awaited: if it is being stopped, so is the future.
/// `[await-3]`
pub(crate) fn forward<T, E>(future: &LoopFuture<T, E>) {
    if !context::is_stopping_coroutine() || future.done() {
        return;
    }
    let asked = future.cancel_for(context::stop_reason()) == Cancel::Requested;
    // One that waits for its own children might wait for this very coroutine.
    let task = || future.task().cloned().or_else(|| Task::of(future.handle().address()));
    if asked && task().is_some_and(|task| !task.is_stopping()) {
        ask_in_scope(Box::new(Child { future: future.share(), place: Place::default() }));
    }
}

/// The coroutine that is being stopped has not stopped before `asked`.
pub(crate) fn ask_in_scope(asked: Box<dyn Asked>) {
    let mut asked = Some(asked);
    let _ = ASKED.try_with(|scopes| {
        if let Some(scope) = scopes.borrow_mut().last_mut() {
            scope.extend(asked.take());
        }
    });
}
