//! Stopping a coroutine: it is dropped, and what it owned is stopped with it.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use super::{core::Core, future::LoopFuture, registry::Registry, task::Task};
use crate::{
    context::{self, Id},
    error::Cancel,
    sync::thread_local,
    waiter::{Waiter, isolate},
};

thread_local! {
    /// For each coroutine that is being stopped: the tasks that have to end before it has stopped.
    static SCOPES: RefCell<Vec<Rc<Left>>> = RefCell::default();
}

/// The tasks that a stopped coroutine owned and that have not ended.
#[derive(Default)]
struct Left {
    /// Their loop.
    home: Option<Id>,
    tasks: RefCell<BTreeSet<Id>>,
    /// Woken when one of them ends.
    waker: RefCell<Option<Waker>>,
}

/// Waits for what a stopped coroutine owned. Dropped in a stop on the same loop, it hands that on to it. `[await-3]`
pub(crate) struct Stopping(Rc<Left>);

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
}

impl Drop for Stopping {
    fn drop(&mut self) {
        let waker = self.0.waker.take();
        isolate(|| drop(waker));
        if context::is_stopping_coroutine() && self.0.home == context::current_loop() {
            self.0.tasks.take().into_iter().for_each(wait_in_scope);
        }
    }
}

/// Which tasks of a loop wait for which to end.
#[derive(Default)]
pub(super) struct Stops {
    /// Those whose coroutines are gone, and what is left to each.
    left: RefCell<BTreeMap<Id, (Task, Rc<Left>)>>,
    /// Who waits for each.
    owners: RefCell<BTreeMap<Id, Vec<Rc<Left>>>>,
}

impl Stops {
    /// The coroutine of a task is gone.
    pub(super) fn enter(&self, task: Task, stopping: &Stopping) {
        self.left.borrow_mut().insert(task.id(), (task, Rc::clone(&stopping.0)));
    }

    /// A task has ended.
    pub(super) fn leave(&self, task: Id) {
        let left = self.left.borrow_mut().remove(&task);
        drop(left);
        let owners = self.owners.borrow_mut().remove(&task);
        for owner in owners.into_iter().flatten() {
            owner.tasks.borrow_mut().remove(&task);
            let waker = owner.waker.take();
            if let Some(waker) = waker {
                Waiter::Waker(waker, None).notify();
            }
        }
    }

    /// What is left to a task whose coroutine is gone.
    fn left(&self, task: Id) -> Option<Vec<Id>> {
        Some(self.left.borrow().get(&task)?.1.tasks.borrow().iter().copied().collect())
    }

    /// The tasks that may be settled as far as a stopped one of them tells: it alone if nothing is left to it; with
    /// all that it waits for, if each of those waits for it in its turn and none has a coroutine any more. They are
    /// not woken again. `[await-3]`
    pub(super) fn due(&self, task: Id) -> Vec<Task> {
        let due = match self.left(task) {
            Some(left) if left.is_empty() => BTreeSet::from([task]),
            Some(_) if self.owners.borrow().contains_key(&task) => self.circle(task),
            Some(_) | None => return Vec::new(),
        };
        let wakers: Vec<_> = due.iter().map(|it| self.left.borrow()[it].1.waker.take()).collect();
        isolate(|| drop(wakers));
        self.tasks(due)
    }

    /// The tasks that wait for each other with this one, if it waits for no others, and each is stopped.
    fn circle(&self, task: Id) -> BTreeSet<Id> {
        let mut owners: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
        let (mut found, mut next) = (BTreeSet::from([task]), vec![task]);
        while let Some(owner) = next.pop() {
            let Some(left) = self.left(owner) else { return BTreeSet::new() };
            for it in left {
                owners.entry(it).or_default().push(owner);
                if found.insert(it) {
                    next.push(it);
                }
            }
        }
        let (mut wait, mut next) = (BTreeSet::new(), vec![task]);
        while let Some(it) = next.pop() {
            if wait.insert(it) {
                next.extend(owners.get(&it).into_iter().flatten());
            }
        }
        if wait == found { found } else { BTreeSet::new() }
    }

    /// Some tasks and all that they wait for, each after what it waits for.
    pub(super) fn owned_first(&self, tasks: &[Task]) -> Vec<Task> {
        let (mut order, mut found, mut next) = (Vec::new(), BTreeSet::new(), Vec::new());
        for task in tasks {
            next.push((task.id(), false));
            while let Some((it, follows)) = next.pop() {
                if follows {
                    order.push(it);
                } else if found.insert(it) {
                    next.push((it, true));
                    let left = self.left(it).into_iter().flatten();
                    next.extend(left.rev().map(|it| (it, false)));
                }
            }
        }
        self.tasks(order)
    }

    fn tasks(&self, ids: impl IntoIterator<Item = Id>) -> Vec<Task> {
        let left = self.left.borrow();
        ids.into_iter().filter_map(|id| Some(left.get(&id)?.0.clone())).collect()
    }
}

/// Drops `coroutine`. A panic in its drop is reported to the loop.
pub(crate) fn stop<F>(coroutine: F, reason: Option<Arc<str>>, home: &Registry) -> Stopping {
    let left = Left { home: context::current_loop(), ..Left::default() };
    let stopping = Stopping(Rc::new(left));
    let _ = SCOPES.try_with(|scopes| scopes.borrow_mut().push(Rc::clone(&stopping.0)));
    {
        let _stopping = context::stop_coroutine(reason);
        home.isolate(|| drop(coroutine));
    }
    let scope = SCOPES.try_with(|scopes| scopes.borrow_mut().pop());
    drop(scope);
    stopping
}

/// A coroutine lets go of a future that it owned and awaited: if it is being stopped, so is the future.
/// `[await-3]`
pub(crate) fn forward<T, E>(future: &LoopFuture<T, E>) {
    if !context::is_stopping_coroutine() || future.done() {
        return;
    }
    let asked = future.cancel_for(context::stop_reason()) == Cancel::Requested;
    if asked && let Some(task) = task_of(future) {
        wait_in_scope(task);
    }
}

/// The task of the loop that runs here which settles a future, or which a coroutine that was sent to it will be.
pub(crate) fn task_of<T, E>(future: &LoopFuture<T, E>) -> Option<Id> {
    Core::current()?.task_of(future.address(), future.task())
}

/// The coroutine that is being stopped has not stopped before this task has ended.
pub(crate) fn wait_in_scope(task: Id) {
    let scope = SCOPES.try_with(|scopes| scopes.borrow().last().cloned());
    let (Ok(Some(scope)), Some(core)) = (scope, Core::current()) else { return };
    if scope.tasks.borrow_mut().insert(task) {
        core.stops.owners.borrow_mut().entry(task).or_default().push(Rc::clone(&scope));
    }
}
