//! Jobs that borrow from a stack that goes on when they have ended.

use std::sync::Mutex;

use loom::{
    cell::UnsafeCell,
    thread::{self, JoinHandle},
};
use settled::{Cancel, Closed, Executor, Job, scope};

use crate::explore::{explore, saw};

/// Runs each job in a thread of its own.
#[derive(Default)]
struct Threads(Mutex<Vec<JoinHandle<()>>>);

impl Threads {
    fn join(self) {
        for thread in self.0.into_inner().unwrap() {
            thread.join().unwrap();
        }
    }
}

impl Executor for Threads {
    fn execute(&self, job: Job) -> Result<(), Closed<Job>> {
        self.0.lock().unwrap().push(thread::spawn(|| job.run()));
        Ok(())
    }
}

/// A local that loom watches.
struct Local(UnsafeCell<u8>);

// SAFETY: loom fails where two threads are in it at once.
#[expect(unsafe_code, reason = "what loom watches")]
unsafe impl Sync for Local {}

impl Local {
    fn add(&self, number: u8) {
        // SAFETY: as above.
        #[expect(unsafe_code, reason = "what loom watches")]
        self.0.with_mut(|it| unsafe { *it += number });
    }
}

/// Adds one when it is dropped.
struct Adds<'a>(&'a Local);

impl Adds<'_> {
    fn write(self, number: u8) {
        self.0.add(number);
    }
}

impl Drop for Adds<'_> {
    fn drop(&mut self) {
        self.0.add(1);
    }
}

/// `[scope-1]` What a job writes, and what it drops last, is there when the scope ends, and the job is gone.
pub(crate) fn a_scope_against_its_job() {
    explore("scope", &["ran before the end", "ran later"], |seen| {
        let (threads, local) = (Threads::default(), Local(UnsafeCell::new(0)));
        let done = scope(&threads, |scope| {
            let adds = Adds(&local);
            let job = scope.submit(move || adds.write(4)).unwrap();
            job.done()
        });
        saw(seen, if done.unwrap() { "ran before the end" } else { "ran later" });
        assert_eq!(local.0.into_inner(), 5);
        threads.join();
    });
}

/// `[scope-3]` A job that is cancelled in time never runs, and is waited for all the same.
pub(crate) fn a_scope_against_a_cancelled_job() {
    explore("scope_cancel", &["cancelled", "ran"], |seen| {
        let (threads, local) = (Threads::default(), Local(UnsafeCell::new(0)));
        let cancelled = scope(&threads, |scope| {
            let adds = Adds(&local);
            let job = scope.submit(move || adds.write(4)).unwrap();
            job.cancel() == Cancel::Now
        });
        let cancelled = cancelled.unwrap();
        saw(seen, if cancelled { "cancelled" } else { "ran" });
        assert_eq!(local.0.into_inner(), if cancelled { 1 } else { 5 });
        threads.join();
    });
}
