//! A pool of one worker: jobs that are submitted and collected, or cancelled while they are queued; and one of several.

use std::{
    hint::black_box,
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc,
    },
    thread,
};

use affinitypool::Threadpool;
use futures::executor::block_on;
use parking_lot::{Condvar, Mutex};
use settled::{Cancel, Executor, ThreadPool};
use tokio::runtime::{self, Runtime};

use super::{Future, Job};
use crate::{
    clock::Cpus,
    rounds::{Place, Row, Side},
};

pub(super) fn rows() -> Vec<Row> {
    let submit = "submit 10,000 jobs to a pool of one worker, then take the value of each";
    let several = "the same with as many workers as the name says, which share one queue";
    let cancel = "cancel 10,000 jobs that are queued behind one that runs; until the worker is through with them";
    let row = |name, what, aim, cpus, sides| Row { name, what, aim, cpus, sides };
    vec![
        row("pool_1", submit, 1.0, Cpus::One, submitting),
        row("pool_2", submit, 0.8, Cpus::Two, submitting),
        row("pool_workers_2", several, 1.0, Cpus::Two, submitting_to_several::<2>),
        row("pool_workers_4", several, 1.0, Cpus::Two, submitting_to_several::<4>),
        row("pool_cancel", cancel, 1.0, Cpus::One, cancelling),
    ]
}

/// So many jobs are there at once.
const BATCH: usize = 10_000;

/// What a job does that holds its worker up until it is let go.
const GATE: u64 = u64::MAX;
/// What a job does that waits until each worker has one like it.
const MEETING: u64 = GATE - 1;
/// From here on the numbers of jobs that shall not run.
const UNWANTED: u64 = 1 << 32;

static HELD: (Mutex<Option<bool>>, Condvar) = (Mutex::new(None), Condvar::new());
/// How many workers have not come.
static MISSING: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());
static RAN: AtomicUsize = AtomicUsize::new(0);

/// What a job does that has this number.
fn work(number: u64) -> u64 {
    if number == GATE {
        let mut held = HELD.0.lock();
        *held = Some(true);
        HELD.1.notify_all();
        HELD.1.wait_while(&mut held, |held| held.is_some());
    } else if number == MEETING {
        let mut missing = MISSING.0.lock();
        *missing -= 1;
        MISSING.1.notify_all();
        MISSING.1.wait_while(&mut missing, |missing| *missing > 0);
    } else if number >= UNWANTED {
        RAN.fetch_add(1, Relaxed);
    }
    black_box(number)
}

/// Submits the work of a number.
type Submit<P, J> = fn(&P, u64) -> J;

fn submitted<P: 'static, J: 'static>(
    place: &Place,
    name: &'static str,
    (start, workers): (fn() -> P, usize),
    submit: Submit<P, J>,
    collect: fn(J) -> u64,
) -> Side {
    let (clock, pool) =
        (place.clock(), place.elsewhere(|| warm(start(), workers, submit, collect)));
    let mut jobs = Vec::with_capacity(BATCH);
    Side::new(name, move |times| {
        let (batches, mut sum) = (times.div_ceil(BATCH), 0);
        let elapsed = clock.time(|| {
            for _ in 0..batches {
                jobs.extend((0..BATCH as u64).map(|number| submit(&pool, number)));
                sum += jobs.drain(..).map(collect).sum::<u64>();
            }
        });
        assert_eq!(sum, (batches * BATCH * (BATCH - 1) / 2) as u64);
        (elapsed, batches * BATCH)
    })
}

/// Has all workers run, also those that are started when there is work for them: where they are started they stay.
fn warm<P, J>(pool: P, workers: usize, submit: Submit<P, J>, collect: fn(J) -> u64) -> P {
    *MISSING.0.lock() = workers;
    let jobs: Vec<_> = (0..workers).map(|_| submit(&pool, MEETING)).collect();
    assert!(jobs.into_iter().all(|job| collect(job) == MEETING));
    pool
}

fn cancelled<P: 'static, J: 'static>(
    place: &Place,
    name: &'static str,
    start: fn() -> P,
    submit: Submit<P, J>,
    collect: fn(J) -> u64,
    cancel: fn(J),
) -> Side {
    let (clock, pool) = (place.clock(), place.elsewhere(|| warm(start(), 1, submit, collect)));
    let mut jobs = Vec::with_capacity(BATCH);
    Side::new(name, move |times| {
        let batches = times.div_ceil(BATCH);
        let mut elapsed = std::time::Duration::ZERO;
        for _ in 0..batches {
            let gate = submit(&pool, GATE);
            let mut held = HELD.0.lock();
            HELD.1.wait_while(&mut held, |held| held.is_none());
            drop(held);
            jobs.extend((0..BATCH as u64).map(|number| submit(&pool, UNWANTED + number)));
            elapsed += clock.time(|| {
                jobs.drain(..).for_each(cancel);
                let last = submit(&pool, 1);
                *HELD.0.lock() = None;
                HELD.1.notify_all();
                assert_eq!(collect(last), 1);
            });
            assert_eq!(collect(gate), GATE);
        }
        assert_eq!(RAN.load(Relaxed), 0, "a job ran that was cancelled");
        (elapsed, batches * BATCH)
    })
}

fn start_ours<const WORKERS: usize>() -> ThreadPool {
    ThreadPool::new(NonZero::new(WORKERS).expect("some"))
}

fn submit_ours(pool: &ThreadPool, number: u64) -> Future {
    pool.submit(move || work(number)).expect("the pool is open")
}

fn collect_ours(job: Future) -> u64 {
    let settled = job.into_settled().expect("no loop runs here");
    settled.take().expect("the worker is done with it").expect("it has a value")
}

/// Its jobs borrow it.
fn start_affinity<const WORKERS: usize>() -> &'static Threadpool {
    Box::leak(Box::new(Threadpool::new(WORKERS)))
}

fn start_tokio() -> Runtime {
    let mut builder = runtime::Builder::new_current_thread();
    builder.max_blocking_threads(1).build().expect("it needs nothing of the system")
}

fn submit_tokio(runtime: &Runtime, number: u64) -> tokio::task::JoinHandle<u64> {
    runtime.spawn_blocking(move || work(number))
}

fn collect_tokio(job: tokio::task::JoinHandle<u64>) -> u64 {
    block_on(job).expect("it does not panic")
}

/// What people write by hand.
struct Queue(mpsc::Sender<Job>);

impl Queue {
    fn start() -> Self {
        let (sender, receiver) = mpsc::channel::<Job>();
        // Each of several workers would have it.
        let receiver = Arc::new(Mutex::new(receiver));
        thread::spawn(move || {
            loop {
                let job = receiver.lock().recv();
                let Ok(job) = job else { break };
                job();
            }
        });
        Self(sender)
    }

    fn submit(&self, number: u64) -> oneshot::Receiver<u64> {
        let (sender, receiver) = oneshot::channel();
        let job = move || sender.send(work(number)).expect("it is received");
        self.0.send(Box::new(job)).expect("the worker listens");
        receiver
    }
}

fn submitting_to_several<const WORKERS: usize>(place: &Place) -> Vec<Side> {
    vec![
        submitted(place, "settled", (start_ours::<WORKERS>, WORKERS), submit_ours, collect_ours),
        submitted(
            place,
            "affinitypool",
            (start_affinity::<WORKERS>, WORKERS),
            |&pool, number| pool.spawn(move || work(number)),
            block_on,
        ),
    ]
}

fn submitting(place: &Place) -> Vec<Side> {
    let mut sides = submitting_to_several::<1>(place);
    sides.extend([
        submitted(place, "mpsc+oneshot", (Queue::start, 1), Queue::submit, |job| {
            job.recv().expect("it is sent")
        }),
        submitted(place, "tokio", (start_tokio, 1), submit_tokio, collect_tokio),
    ]);
    sides
}

fn cancelling(place: &Place) -> Vec<Side> {
    vec![
        cancelled(place, "settled", start_ours::<1>, submit_ours, collect_ours, |job| {
            assert_eq!(job.cancel(), Cancel::Now);
        }),
        cancelled(
            place,
            "affinitypool",
            start_affinity::<1>,
            |&pool, number| pool.spawn(move || work(number)),
            block_on,
            drop,
        ),
        cancelled(place, "tokio", start_tokio, submit_tokio, collect_tokio, |job| job.abort()),
    ]
}
