//! The turns of a loop of this crate, and its end.

use super::{
    queue::Post,
    ready::{Call, Driven},
    registry::{Own, Registry},
    task::Task,
};
use crate::{
    blocking::{awaits_no_more, before_sleeping, is_worker},
    context::{self, Id},
    deferred,
    error::RunError,
    trace,
};

impl Registry {
    pub(super) fn run_here(&self) -> Result<Driven<'_>, RunError> {
        if context::in_loop() {
            return Err(RunError::Nested);
        }
        Ok(self.of_own().ready.drive(context::run_loop(self.id())))
    }

    /// One turn: runs the callbacks that this thread has deferred, sleeps if there is nothing to do, then runs what is
    /// due now. `root` is called for a step of the task with the number `root_id`.
    pub(super) fn turn(&self, root_id: Id, root: &mut dyn FnMut()) -> Result<(), RunError> {
        let Own { ready, stop, .. } = self.of_own();
        while deferred::run_one()? {}
        if ready.is_empty() && !stop.get() {
            self.sleep();
        } else {
            ready.begin_turn();
        }
        self.queue_due();
        for _ in 0..ready.len() {
            match ready.pop() {
                Some(Call::Posted(Post::Step(id))) if id == root_id => root(),
                Some(call) => self.run(call),
                None => break,
            }
        }
        Ok(())
    }

    fn run(&self, call: Call) {
        match call {
            Call::Scheduled(call) => self.isolate(|| call.call()),
            Call::Errand(errand) => self.isolate(|| errand.run()),
            Call::Posted(Post::Job(job)) => self.isolate(|| job.run()),
            Call::Posted(Post::Step(id)) => self.step(id),
            Call::Posted(Post::Stop) => self.of_own().stop.set(true),
        }
    }

    /// Takes the first entry that is due, without waiting for one; says whether there was any.
    pub(super) fn tick(&self) -> bool {
        let Own { ready, .. } = self.of_own();
        ready.begin_tick();
        self.queue_due();
        ready.pop().map(|call| self.run(call)).is_some()
    }

    /// Sleeps until something has been posted or a timer is due. In a worker that would sleep it runs what
    /// it awaits and nobody else can run, and then does not sleep: the job may have asked something of this loop.
    fn sleep(&self) {
        let Own { ready, timers, .. } = self.of_own();
        if !is_worker() {
            return self.sleep_until_timer();
        }
        ready.begin_turn();
        let is_due = timers.next().is_some_and(|at| at <= timers.now());
        if !ready.is_empty() || is_due {
            return;
        }
        if let Some(_registered) = before_sleeping(ready.queue()) {
            self.sleep_until_timer();
        }
    }

    /// Sleeps until something has been posted, a timer is due or the loop is to look again.
    fn sleep_until_timer(&self) {
        let Own { ready, timers, .. } = self.of_own();
        let timer = timers.next();
        let Some(clock) = timers.clock() else { return ready.sleep(timer) };
        ready.begin_turn();
        // What was posted comes first: a clock jumps only where there is nothing else to do.
        if !ready.is_empty() || timer.is_some_and(|at| clock.reaches(at)) {
            return;
        }
        ready.sleep(None);
    }

    /// Queues the timers that are due.
    fn queue_due(&self) {
        let Own { ready, timers, .. } = self.of_own();
        timers.take_due(|call| ready.push_due(call));
    }

    pub(super) fn close(&self) {
        self.begin_close();
        let Own { ready, timers, kept, .. } = self.of_own();
        ready.queue().close();
        let _role = context::run_loop(self.id());
        self.close_tasks();
        self.run_last_turns();
        for call in timers.take_all() {
            self.isolate(|| _ = call.cancel());
        }
        // What the drop of a timer has settled is told too.
        let kept = kept.take();
        self.isolate(|| drop(kept));
        self.run_last_turns();
        self.sweep();
        awaits_no_more(self.id());
        trace::loop_ends(self.id());
    }

    /// Drops every coroutine, of those too that were sent, and then settles the tasks, each after those that it
    /// owned. `[loop-5]`
    fn close_tasks(&self) {
        let Own { ready, tasks, .. } = self.of_own();
        // The last that the queue has accepted.
        ready.take_sent().into_iter().for_each(|call| self.run(call));
        let tasks = tasks.in_order();
        tasks.iter().for_each(Task::stop);
        for task in self.stops().owned_first(&tasks) {
            self.end_due(task.id());
        }
    }

    /// Until nothing is left. The loop refuses new work, so that each step only uses up what is
    /// there, unless callbacks keep making futures and settle them through views of this loop.
    fn run_last_turns(&self) {
        while let Some(call) = self.of_own().ready.pop() {
            self.run(call);
        }
    }
}
