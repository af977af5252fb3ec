//! What wakes a task.

use std::{sync::Arc, task::Wake};

use super::{
    queue::{Post, Queue},
    registry::Registry,
};
use crate::{
    context::{self, Id},
    sync::{AtomicBool, Ordering, at},
};

/// Asks the loop for a step of a task, once until the step is taken. A request to cancel uses it too, so that stopping
/// is a step like any other. On the loop's own thread it queues the step without the door for other threads. `[loop-6]`
/// `[cancel-4]`
pub(super) struct TaskWaker {
    queue: Arc<Queue>,
    task: Id,
    /// Whether a step is queued.
    queued: AtomicBool,
}

impl TaskWaker {
    /// For a task whose first step the caller queues.
    pub(super) fn queued(queue: Arc<Queue>) -> Arc<Self> {
        Arc::new(Self { queue, task: context::next_id(), queued: AtomicBool::new(true) })
    }

    pub(super) const fn task(&self) -> Id {
        self.task
    }

    /// The loop of the task.
    pub(super) fn home(&self) -> Id {
        self.queue.id
    }

    /// The queued step is taken: from now on a wake queues another.
    pub(super) fn lower(&self) {
        // ORDERING: true=>false, AcqRel; pairs with the swap in `wake_by_ref`: what a waker did
        // before it found the flag up is visible to this step.
        self.queued.swap(false, at("step takes the flag", Ordering::AcqRel));
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // ORDERING: *=>true, AcqRel; releases what the waker did to the step that lowers the flag.
        if !self.queued.swap(true, at("wake raises the flag", Ordering::AcqRel)) {
            match Registry::find(self.queue.id) {
                Some(home) => home.queue_step(self.task),
                // A closed loop has stopped its tasks.
                None => drop(self.queue.post(Post::Step(self.task))),
            }
        }
    }
}
