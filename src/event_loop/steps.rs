//! The tasks of a loop: their steps, and their ends.

use super::{
    queue::Post,
    ready::Call,
    registry::{Own, Registry},
    task::Task,
};
use crate::{cell::Address, context::Id};

impl Registry {
    /// Queues a step of a task on the loop's own thread. One that is closing has stopped its tasks.
    pub(super) fn queue_step(&self, task: Id) {
        if self.is_open() {
            self.of_own().ready.push(Call::Posted(Post::Step(task)));
        }
    }

    /// Takes a task in, and its first step, unless the loop is closing.
    pub(super) fn begin(&self, task: Task) {
        let id = task.id();
        self.of_own().tasks.enter(task);
        if self.is_open() {
            self.step(id);
        }
    }

    pub(super) fn step(&self, id: Id) {
        let Some(task) = self.of_own().tasks.get(id) else { return };
        if task.step() {
            self.release(id);
        } else if self.stops().is_any() {
            self.end_due(id);
        }
    }

    /// Settles a task that is stopped, if it waits for nobody any more, and those that wait for it alone.
    pub(super) fn end_due(&self, id: Id) {
        for task in self.stops().due(id) {
            task.end();
            self.release(task.id());
        }
    }

    /// A task has ended.
    fn release(&self, id: Id) {
        self.of_own().tasks.leave(id);
        self.stops().leave(id);
    }

    /// The task that settles a cell, or the one that a coroutine which was sent will be. Views that were made of a
    /// thread's future do not know their task.
    pub(super) fn task_of(&self, cell: Address, known: Option<&Task>) -> Option<Id> {
        let Own { tasks, ready, .. } = self.of_own();
        match known {
            Some(task) => tasks.get(task.id()).map(|task| task.id()),
            None => tasks.that_settles(cell).or_else(|| ready.sent(cell)),
        }
    }
}
