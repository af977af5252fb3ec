//! Which tasks of a loop wait for which to end.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::task::Task;
use crate::{
    context::{Id, Stop},
    waiter::{Waiter, isolate},
};

/// Which tasks of a loop wait for which to end.
#[derive(Default)]
pub(super) struct Stops {
    /// Those whose coroutines are gone, and what is left to each.
    left: RefCell<BTreeMap<Id, (Task, Rc<Stop>)>>,
    /// Who waits for each.
    owners: RefCell<BTreeMap<Id, Vec<Rc<Stop>>>>,
}

impl Stops {
    /// Whether a task is being stopped.
    pub(super) fn is_any(&self) -> bool {
        !self.left.borrow().is_empty()
    }

    /// The coroutine of a task is gone.
    pub(super) fn enter(&self, task: Task, stop: Rc<Stop>) {
        self.left.borrow_mut().insert(task.id(), (task, stop));
    }

    /// The coroutine that is being stopped has not stopped before this task has ended.
    pub(super) fn wait(&self, stop: &Rc<Stop>, task: Id) {
        if stop.tasks.borrow_mut().insert(task) {
            self.owners.borrow_mut().entry(task).or_default().push(Rc::clone(stop));
        }
    }

    /// A task has ended.
    pub(super) fn leave(&self, task: Id) {
        // Mostly nobody is being stopped.
        if !self.is_any() && self.owners.borrow().is_empty() {
            return;
        }
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
