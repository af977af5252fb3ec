//! The workers of a pool: how one is started, what it does, and how it ends.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use crate::{
    blocking::{self, Awaited, Cells, Looked, Queue, Wanted},
    cell::Address,
    context,
    error::Panic,
    interrupt::Sleeper,
    sync::{Condvar, Mutex, MutexGuard, lock, thread, wait},
    thread::jobs::Jobs,
    trace,
    waiter::{Brings, Job, isolate},
};

/// What each worker calls before its first job; the text of what went wrong, if anything has.
pub(super) type Initializer = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What a pool and its workers share.
pub(super) struct Shared {
    pub(super) id: context::Id,
    pub(super) name: String,
    /// The name of each worker by its number, if they are not made of the name of the pool.
    pub(super) thread_names: Option<Vec<String>>,
    pub(super) max: usize,
    pub(super) initializer: Option<Initializer>,
    pub(super) state: Mutex<State>,
    /// Told when there is work, and when the pool was closed.
    pub(super) work: Condvar,
    /// Told when the last worker ends.
    pub(super) ended: Condvar,
}

/// What changes, under the lock.
#[derive(Default)]
pub(super) struct State {
    pub(super) queue: Jobs,
    /// Workers that have been started and have not ended.
    pub(super) live: usize,
    /// Those of them that are not busy with a job, and so will look at the queue next. A worker counts from the moment
    /// it is started, or initialized if it has to be: jobs beyond this number need another one (`bug-f6`).
    pub(super) idle: usize,
    /// How many of the idle wait for `work`. All others look at the queue before they wait.
    pub(super) sleeping: usize,
    /// Whether one of them was notified and has not come back: if that is not enough, it notifies the next.
    pub(super) notified: bool,
    /// Number of the next worker, for its name.
    pub(super) next: usize,
    pub(super) open: bool,
    /// Whether the drop of the pool does not wait.
    pub(super) detached: bool,
    /// Why the initializer of a worker has failed, the first that did.
    pub(super) broken: Option<Arc<str>>,
    pub(super) threads: Vec<thread::JoinHandle<()>>,
}

impl Shared {
    pub(super) fn start_worker(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        let shared = Arc::clone(self);
        let name = self.thread_names.as_ref().and_then(|names| names.get(state.next).cloned());
        let name = name.unwrap_or_else(|| format!("{}-{}", self.name, state.next));
        let thread = thread::Builder::new()
            .name(name)
            .stack_size(blocking::STACK)
            .spawn(move || shared.run_worker())?;
        state.threads.push(thread);
        state.next += 1;
        state.live += 1;
        state.idle += usize::from(self.initializer.is_none());
        Ok(())
    }

    /// Ends the use of the state. If there is work, and somebody sleeps and none of them is on its way, one is notified.
    pub(super) fn wake_one(&self, mut state: MutexGuard<'_, State>) {
        let wakes = state.sleeping > 0 && !state.notified && state.queue.len() > 0;
        state.notified |= wakes;
        drop(state);
        if wakes {
            self.work.notify_one();
        }
    }

    fn run_worker(self: &Arc<Self>) {
        let _role = context::work(self.id);
        let at_work = blocking::work(Arc::clone(self) as Arc<dyn Queue>);
        if let Some(initializer) = &self.initializer {
            let initialized =
                catch_unwind(AssertUnwindSafe(initializer)).unwrap_or_else(|payload| {
                    let panic = Panic::new(payload);
                    let reason = panic.message().to_owned();
                    isolate(|| drop(panic));
                    Err(reason)
                });
            if let Err(reason) = initialized {
                self.break_down(&reason);
            }
        }
        at_work.is_ready();
        let mut state = lock(&self.state);
        state.idle += usize::from(self.initializer.is_some());
        loop {
            if let Some(job) = state.queue.pop() {
                state.idle -= 1;
                self.wake_one(state);
                isolate(|| job.run());
                state = lock(&self.state);
                state.idle += 1;
            } else if state.open {
                state.sleeping += 1;
                state = wait(&self.work, state);
                state.sleeping -= 1;
                // If it came back without a reason, another comes back without one later, and loses nothing.
                state.notified = false;
            } else {
                break;
            }
        }
        state.idle -= 1;
        state.live -= 1;
        let is_last = state.live == 0;
        if is_last {
            self.ended.notify_all();
        }
        drop(state);
        if is_last {
            trace::pool_ends(&self.name, self.max);
        }
    }

    /// No worker begins a job any more, and what is queued is dropped. `[pool-10]`
    fn break_down(&self, reason: &str) {
        let mut state = lock(&self.state);
        state.broken.get_or_insert_with(|| reason.into());
        state.open = false;
        let dropped = state.queue.take_all();
        drop(state);
        self.work.notify_all();
        for job in dropped {
            isolate(|| job.break_off());
        }
    }
}

impl Queue for Shared {
    fn id(&self) -> context::Id {
        self.id
    }

    fn take(&self, cells: &Cells, wanted: Wanted, looked: &mut Looked) -> Option<Job> {
        looked.begin(self.id);
        lock(&self.state).queue.take(cells, wanted, looked)
    }

    fn first_awaited_on(&self, home: context::Id, awaited: &mut Awaited) -> Option<Address> {
        lock(&self.state).queue.first_awaited_on(home, awaited)
    }

    fn workers(&self) -> usize {
        lock(&self.state).live
    }

    fn holds(&self, cells: &Cells, wanted: Wanted) -> bool {
        lock(&self.state).queue.holds(cells, wanted)
    }

    fn leaves(self: Arc<Self>, wanted: Brings, stuck: usize) -> bool {
        let mut state = lock(&self.state);
        stuck >= state.live
            && state.queue.has(wanted)
            && (state.live >= self.max || self.start_worker(&mut state).is_err())
    }
}

impl Sleeper for Shared {
    fn wake(&self) {
        // Whoever has looked sleeps by then.
        drop(lock(&self.state));
        self.ended.notify_all();
    }
}
