//! Jobs of a pool: their futures' histories are explained by the specification of one future.
//!
//! The promise is the pool's. What it calls is seen from the work: the start is announced when the job is
//! submitted, and is over when the work begins; the settlement begins when the work has ended, and is over when
//! its thread begins another job or the pool is gone.

use std::{num::NonZero, panic, sync::Arc};

use loom::thread;

use settled::{
    Cancelled as Cause, Executor, ThreadFuture, ThreadPool,
    model::{Answer, End, Op, Spec},
};

use crate::{
    explore::{bound, explore_histories},
    futures::{Call, Futures, Recorder},
    history::{Caller, History},
    uses::{Future, USES, Use, use_all, use_at_last, use_it},
};

/// Who calls the promise of the first job, and of those after it.
const JOB: Caller = 100;
/// A worker before its first job.
const WORKER: Caller = 200;

/// A pool whose workers are known as such.
pub(crate) fn pool(history: &History<Futures>, workers: usize) -> ThreadPool {
    let workers = NonZero::new(workers).unwrap();
    let history = history.clone();
    ThreadPool::builder().workers(workers).initializer(move || history.becomes(WORKER)).build()
}

/// Submits a job that ends so.
pub(crate) fn submit(recorder: &Recorder, pool: &ThreadPool, end: End) -> Future {
    submit_with(recorder, pool, end, || ())
}

/// Submits a job that does something first.
fn submit_with(
    recorder: &Recorder,
    pool: &ThreadPool,
    end: End,
    first: impl FnOnce() + Send + 'static,
) -> Future {
    let work = Work { recorder: recorder.clone(), end, began: false };
    recorder.begins(work.caller(), Op::Start);
    let Ok(future) = pool.submit_result(move || work.run(first)) else {
        panic!("the pool is open")
    };
    future
}

/// Waits for the pool's end. Whatever it or this thread has settled is told by then.
pub(crate) fn shut_down(recorder: &Recorder, pool: &ThreadPool, cancel_pending: bool) {
    pool.close();
    if cancel_pending {
        pool.cancel_pending();
    }
    pool.shutdown().unwrap();
    recorder.are_done();
}

/// The work of a job, which tells what becomes of its promise.
struct Work {
    recorder: Recorder,
    end: End,
    began: bool,
}

impl Work {
    fn caller(&self) -> Caller {
        JOB + self.recorder.number()
    }

    fn run(mut self, first: impl FnOnce()) -> Result<u8, u8> {
        // What this worker ran before is over.
        self.recorder.is_done(self.recorder.history().here());
        self.began = true;
        self.recorder.history().becomes(self.caller());
        self.recorder.ends(self.caller(), Answer::Done);
        first();
        // It may have run another job meanwhile.
        self.recorder.history().becomes(self.caller());
        match self.end {
            End::Value(value) => Ok(value),
            End::Error(error) => Err(error),
            // Without the hook, which would report it.
            _ => panic::resume_unwind(Box::new(())),
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let history = self.recorder.history();
        if self.began {
            self.recorder.begins(self.caller(), Op::Settle(self.end));
        } else if history.here() >= JOB {
            // The worker gives it up, since a cancel came first.
            self.recorder.ends(self.caller(), Answer::Lost(Cause::Requested));
        } else {
            // Who shuts the pool down drops it.
            let number = self.recorder.number();
            history.takes_back(|_, call| *call == (number, Call::Op(Op::Start)));
            self.recorder.begins(history.here(), Op::Abandon);
        }
    }
}

/// How the pool of a program ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ends {
    /// When the job has run.
    Drained,
    /// The job is dropped if no worker has begun it, after the uses or before them.
    DroppedAfter,
    DroppedBefore,
}

/// A program: a job, and how the user uses its future.
#[derive(Clone, Copy, Debug)]
struct Program {
    end: End,
    ends: Ends,
    /// Whether a callback is registered before the job is used.
    registered: bool,
    uses: &'static [Use],
}

impl Program {
    fn bound(self) -> Option<usize> {
        if self.end == End::Value(1) && !self.registered { None } else { bound() }
    }

    fn run(self, history: &History<Futures>) -> Futures {
        let recorder = Recorder::new(history);
        // Workers get their numbers later.
        history.here();
        let pool = pool(history, 1);
        let future = submit(&recorder, &pool, self.end);
        if self.registered {
            use_it(&recorder, &future, Use::Register, 0);
        }
        if self.ends == Ends::DroppedBefore {
            pool.close();
            pool.cancel_pending();
            recorder.is_done(history.here());
        }
        use_all(&recorder, &future, self.uses, 1);
        shut_down(&recorder, &pool, self.ends != Ends::Drained);
        use_at_last(&recorder, &future);
        Futures::new([Spec::new()])
    }
}

/// `[pool-1]` `[pool-2]` `[pool-3]` `[cancel-2]` A worker against the user. One kind of end, without a callback from the beginning, is explored without any bound:
/// the other ends take the same steps, and each callback more only lengthens them. Those have at most three
/// preemptions, or four with `SETTLED_FULL=1`: two let the worker and the user change places once in each other's
/// calls, and one more parts a wake-up from what it is about.
pub(crate) fn every_use_of_a_job() {
    let mut programs = 0;
    for end in [End::Value(1), End::Error(2), End::Panicked] {
        for ends in [Ends::Drained, Ends::DroppedAfter, Ends::DroppedBefore] {
            for registered in [false, true] {
                for uses in USES {
                    let program = Program { end, ends, registered, uses };
                    explore_histories(&format!("{program:?}"), program.bound(), move |it| {
                        program.run(it)
                    });
                    programs += 1;
                }
            }
        }
    }
    println!("loom: every_use_of_a_job: {programs} programs");
    assert_eq!(programs, 3 * 3 * 2 * 15);
}

/// A program: a job that submits another to its own pool and waits for it, and a user who uses that one too.
fn run_nested(history: &History<Futures>, uses: &[Use]) -> Futures {
    let outer = Recorder::new(history);
    let inner = outer.of(1);
    history.here();
    let pool = Arc::new(pool(history, 1));
    let (tell, told) = ThreadFuture::<Arc<Future>, ()>::pair();
    let job = submit_with(&outer, &pool, End::Value(1), {
        let (inner, pool) = (inner.clone(), Arc::clone(&pool));
        move || {
            let job = Arc::new(submit(&inner, &pool, End::Error(2)));
            tell.finish(Arc::clone(&job)).unwrap();
            use_it(&inner, &job, Use::Result, 0);
        }
    });
    let nested = told.result().unwrap();
    use_all(&inner, nested, uses, 1);
    shut_down(&outer, &pool, false);
    use_at_last(&outer, &job);
    use_at_last(&inner, nested);
    Futures::new([Spec::new(), Spec::new()])
}

/// `[pool-7]` The only worker runs the job that it waits for, or another cancels that. Three preemptions, as for
/// every job.
pub(crate) fn every_use_of_a_job_that_its_worker_waits_for() {
    for uses in USES {
        explore_histories(&format!("nested {uses:?}"), bound(), move |it| run_nested(it, uses));
    }
}

/// `[pool-5]` A worker that goes to sleep is woken by the next job. Three preemptions, as for every job.
pub(crate) fn a_job_for_an_idle_worker() {
    explore_histories("a job after another", bound(), |history| {
        let first = Recorder::new(history);
        history.here();
        let pool = pool(history, 1);
        for recorder in [first.of(0), first.of(1)] {
            let future = submit(&recorder, &pool, End::Value(1));
            use_it(&recorder, &future, Use::Result, 0);
        }
        shut_down(&first, &pool, false);
        Futures::new([Spec::new(), Spec::new()])
    });
}

/// A program: two jobs of a pool of two workers, and how each of two users uses both futures: four threads.
#[derive(Clone, Copy, Debug)]
struct Two {
    users: [[&'static [Use]; 2]; 2],
}

impl Two {
    fn run(self, history: &History<Futures>) -> Futures {
        let first = Recorder::new(history);
        let recorders = [first.of(0), first.of(1)];
        history.here();
        let pool = pool(history, 2);
        let jobs = [(&recorders[0], End::Value(1)), (&recorders[1], End::Error(2))];
        let futures = jobs.map(|(recorder, end)| Arc::new(submit(recorder, &pool, end)));
        let [mine, others] = self.users;
        let uses = {
            let (recorders, futures) = (recorders.clone(), futures.clone());
            move |uses: [&[Use]; 2], first| {
                for ((recorder, future), uses) in recorders.iter().zip(&futures).zip(uses) {
                    use_all(recorder, future, uses, first);
                }
            }
        };
        let other = thread::spawn({
            let uses = uses.clone();
            move || uses(others, 4)
        });
        uses(mine, 1);
        other.join().unwrap();
        shut_down(&first, &pool, false);
        for (recorder, future) in recorders.iter().zip(&futures) {
            use_at_last(recorder, future);
        }
        Futures::new([Spec::new(), Spec::new()])
    }
}

/// Two workers against two users: four threads, with at most three preemptions, always: four take minutes. Two jobs
/// share only the pool's queue, so that each race is one of three threads, over the queue or over one future, and
/// three preemptions part each of its calls once. One user cancels a job, the other is blocked on the other job or
/// registers with the same; with two calls each there are ten times as many interleavings.
pub(crate) fn two_jobs_against_two_users() {
    let programs: [[[&[Use]; 2]; 2]; 2] = [
        [[&[], &[Use::Result]], [&[Use::Cancel], &[]]],
        [[&[Use::Register], &[]], [&[Use::Cancel], &[]]],
    ];
    for users in programs {
        let program = Two { users };
        explore_histories(&format!("{program:?}"), Some(3), move |it| program.run(it));
    }
}
