//! What becomes of jobs whose workers live.

use std::{env, fs, num::NonZero, ops::Deref, sync::mpsc, thread, time::Duration};

use settled::{
    Cancel, Cancelled, EventLoop, LoopRef, NoValue, Refusal, ReturnWhen, ThreadFuture, WaitError,
    as_completed, bridge, process::ProcessPool, wait,
};

use crate::{Test, deaths::is_elsewhere, functions::*};

pub(crate) const TESTS: &[Test] = &[
    ("jobs::a_job_settles_its_future", a_job_settles_its_future),
    (
        "jobs::a_panic_crosses_with_its_message_and_place",
        a_panic_crosses_with_its_message_and_place,
    ),
    ("jobs::what_is_cancelled_costs_nothing", what_is_cancelled_costs_nothing),
    (
        "jobs::a_cancel_comes_before_a_worker_or_reaches_the_work",
        a_cancel_comes_before_a_worker_or_reaches_the_work,
    ),
    ("jobs::map_yields_in_the_order_of_the_items", map_yields_in_the_order_of_the_items),
    ("jobs::a_failed_or_dropped_map_cancels_the_rest", a_failed_or_dropped_map_cancels_the_rest),
    ("jobs::workers_are_started_when_there_is_work", workers_are_started_when_there_is_work),
    (
        "jobs::a_worker_ends_after_as_many_jobs_as_it_may_do",
        a_worker_ends_after_as_many_jobs_as_it_may_do,
    ),
    ("jobs::large_values_go_both_ways_at_once", large_values_go_both_ways_at_once),
    (
        "jobs::futures_are_waited_for_awaited_and_called_back",
        futures_are_waited_for_awaited_and_called_back,
    ),
    (
        "jobs::a_callback_that_would_stop_all_workers_is_refused",
        a_callback_that_would_stop_all_workers_is_refused,
    ),
    ("jobs::a_job_may_make_a_pool_of_its_own", a_job_may_make_a_pool_of_its_own),
    ("jobs::a_map_that_may_not_wait_begins_nothing", a_map_that_may_not_wait_begins_nothing),
];

/// A pool that does not go on when its test has failed.
pub(crate) struct Ending(pub(crate) ProcessPool);

impl Deref for Ending {
    type Target = ProcessPool;

    fn deref(&self) -> &ProcessPool {
        &self.0
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.terminate();
        }
    }
}

pub(crate) fn pool(workers: usize) -> Ending {
    Ending(ProcessPool::new(NonZero::new(workers).unwrap()).unwrap())
}

/// Returns when a worker has the job.
pub(crate) fn until_it_runs<T, E>(future: &ThreadFuture<T, E>) {
    while !future.running() && !future.done() {
        thread::yield_now();
    }
}

fn a_job_settles_its_future() {
    let pool = pool(2);
    let jobs: Vec<_> = (0..50).map(|n| pool.submit(&SQUARE, &n).unwrap()).collect();
    for (n, job) in (0..).zip(jobs) {
        assert_eq!(job.join().unwrap(), n * n);
    }
    assert_eq!(pool.submit(&PARSE, &"12".to_owned()).unwrap().join().unwrap(), 12);
    let failed = pool.submit(&PARSE, &"twelve".to_owned()).unwrap().join_result().unwrap();
    assert_eq!(failed, Err("twelve is no number".to_owned()));
    assert_eq!((pool.max_workers(), pool.broken_reason()), (2, None));
}

fn a_panic_crosses_with_its_message_and_place() {
    let pool = pool(1);
    let job = pool.submit(&PANIC, &"out of ink".to_owned()).unwrap();
    let failure = job.join().unwrap_err().into_failure().unwrap();
    let panic = failure.into_panic().unwrap();
    assert!(panic.message().starts_with("out of ink, at "), "{panic}");
    assert!(panic.message().contains("functions.rs:"), "{panic}");
    // The worker has not died of it.
    let pids = [pool.submit(&PID, &()).unwrap(), pool.submit(&PID, &()).unwrap()]
        .map(|it| it.join().unwrap());
    assert_eq!(pids[0], pids[1]);
    assert_eq!(pool.workers(), 1);
}

fn a_cancel_comes_before_a_worker_or_reaches_the_work() {
    let (pool, file) =
        (pool(1), std::env::temp_dir().join(format!("settled-cancel-{}", std::process::id())));
    let first = pool.submit(&UNTIL, &()).unwrap();
    let second = pool.submit(&NOTE, &file).unwrap();
    until_it_runs(&first);
    assert!(!second.running() && !second.done());
    assert_eq!(second.cancel(), Cancel::Now);
    assert_eq!(second.exception().unwrap().unwrap().cause(), Some(Cancelled::Requested));
    assert_eq!(first.cancel_with("the user left"), Cancel::Refused(Refusal::Running));
    assert_eq!(first.join_result().unwrap(), Err("the user left".to_owned()));
    // What was behind it in the queue would have run by now.
    pool.submit(&PID, &()).unwrap().wait().unwrap();
    assert!(!file.exists());
}

/// How many bytes of memory this process has.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// Neither memory nor a worker.
fn what_is_cancelled_costs_nothing() {
    if is_elsewhere() {
        return;
    }
    let started = env::temp_dir().join(format!("settled-started-{}", std::process::id()));
    let builder = ProcessPool::builder().workers(NonZero::<usize>::MIN);
    let builder = builder.jobs_per_worker(NonZero::<u64>::MIN);
    let pool = Ending(builder.initializer(&ADD_LINE, started.clone()).build().unwrap());
    let first = pool.submit(&UNTIL, &()).unwrap();
    until_it_runs(&first);
    let (before, much) = (memory(), "x".repeat(40 << 20));
    let jobs = [0; 3].map(|_| pool.submit(&DOUBLE, &much).unwrap());
    assert!(memory() - before > 3 * much.len() as u64);
    for job in jobs {
        assert_eq!(job.cancel(), Cancel::Now);
    }
    while memory() > before + 2 * much.len() as u64 {
        thread::yield_now();
    }
    first.cancel();
    pool.shutdown().unwrap();
    assert_eq!(fs::read_to_string(&started).unwrap(), "started\n");
    fs::remove_file(started).unwrap();
}

fn map_yields_in_the_order_of_the_items() {
    let pool = pool(2);
    for chunk in [1, 7, 100, 1000] {
        let squares = pool.map(&SQUARE, 0..100, NonZero::new(chunk).unwrap()).unwrap();
        let squares: Vec<_> = squares.map(Result::unwrap).collect();
        assert!(squares.into_iter().eq((0..100).map(|n| n * n)), "in chunks of {chunk}");
    }
    assert!(pool.map(&SQUARE, [], NonZero::<usize>::MIN).unwrap().next().is_none());
}

fn a_failed_or_dropped_map_cancels_the_rest() {
    let pool = pool(1);
    let texts = ["1", "2", "three", "4", "5", "6"].map(str::to_owned);
    let mut map = pool.map(&PARSE, texts, NonZero::new(2).unwrap()).unwrap();
    assert_eq!(map.next().unwrap(), Ok(1));
    assert_eq!(map.next().unwrap(), Ok(2));
    assert!(map.next().unwrap().unwrap_err().to_string().contains("the work failed"));
    assert!(map.next().is_none());
    let first = pool.submit(&UNTIL, &()).unwrap();
    until_it_runs(&first);
    drop(pool.map(&SPIN, [(), ()], NonZero::<usize>::MIN).unwrap());
    first.cancel();
    // It would not come behind what goes on for ever.
    pool.submit(&PID, &()).unwrap().wait().unwrap();
}

fn workers_are_started_when_there_is_work() {
    let pool = pool(3);
    assert_eq!(pool.workers(), 0);
    pool.submit(&PID, &()).unwrap().wait().unwrap();
    assert_eq!(pool.workers(), 1);
    let jobs: Vec<_> = (0..5).map(|_| pool.submit(&UNTIL, &()).unwrap()).collect();
    jobs[..3].iter().for_each(until_it_runs);
    assert_eq!(pool.workers(), 3);
    assert!(!jobs[3].running() && !jobs[4].running());
    for job in jobs {
        until_it_runs(&job);
        job.cancel();
        assert!(job.join_result().unwrap().is_err());
    }
    assert_eq!(pool.workers(), 3);
}

fn a_worker_ends_after_as_many_jobs_as_it_may_do() {
    let builder = ProcessPool::builder()
        .workers(NonZero::<usize>::MIN)
        .jobs_per_worker(NonZero::new(2).unwrap());
    let pool = builder.build().unwrap();
    let pids: Vec<_> =
        (0..6).map(|_| pool.submit(&PID, &()).unwrap()).map(|it| it.join().unwrap()).collect();
    assert_eq!([pids[0], pids[2], pids[4]], [pids[1], pids[3], pids[5]]);
    assert!(pids[0] != pids[2] && pids[2] != pids[4], "{pids:?}");
}

fn large_values_go_both_ways_at_once() {
    let pool = pool(2);
    let bytes: Vec<_> = (0..3_000_000_u32).map(|it| (it % 251) as u8).collect();
    let jobs: Vec<_> = (0..6).map(|_| pool.submit(&ECHO, &bytes).unwrap()).collect();
    for job in jobs {
        assert!(job.join().unwrap() == bytes);
    }
}

fn futures_are_waited_for_awaited_and_called_back() {
    let pool = pool(2);
    let (tell, told) = mpsc::channel();
    let job = pool.submit(&SQUARE, &3).unwrap();
    job.add_done_callback(move |settled| tell.send(settled.result().ok().copied()).unwrap());
    assert_eq!(told.recv().unwrap(), Some(9));
    let jobs: Vec<_> = (0..4).map(|n| pool.submit(&SQUARE, &n).unwrap()).collect();
    assert_eq!(wait(&jobs[..], None, ReturnWhen::AllCompleted).unwrap().0.len(), 4);
    let values = as_completed(jobs, Some(Duration::from_secs(60))).map(|it| it.unwrap().1.unwrap());
    assert_eq!(values.sum::<u64>(), 14);
    let event_loop = EventLoop::new();
    let job = pool.submit(&SQUARE, &5).unwrap();
    let value = event_loop.run_until_complete(async move {
        let home = LoopRef::current().unwrap();
        bridge::adopt_future(job, &home).output().await.unwrap()
    });
    assert_eq!(value.unwrap(), 25);
}

fn a_callback_that_would_stop_all_workers_is_refused() {
    let pool = std::sync::Arc::new(pool(1));
    let (tell, told) = mpsc::channel();
    let first = pool.submit(&UNTIL, &()).unwrap();
    until_it_runs(&first);
    let theirs = std::sync::Arc::clone(&pool);
    first.add_done_callback(move |_| {
        let job = theirs.submit(&SQUARE, &7).unwrap();
        let refused = job.wait().map(|_| ()).unwrap_err();
        let shutdown = theirs.shutdown().unwrap_err();
        tell.send((refused, shutdown, job)).unwrap();
    });
    first.cancel();
    let (refused, shutdown, job) = told.recv().unwrap();
    assert!(matches!(refused, WaitError::WouldDeadlock(_)), "{refused}");
    assert!(matches!(shutdown, WaitError::WouldDeadlock(_)), "{shutdown}");
    assert_eq!(job.join().unwrap(), 49);
}

fn a_job_may_make_a_pool_of_its_own() {
    assert_eq!(pool(1).submit(&TWO, &6).unwrap().join().unwrap(), 36);
}

fn a_map_that_may_not_wait_begins_nothing() {
    let file = |it| std::env::temp_dir().join(format!("settled-map-{}-{it}", std::process::id()));
    let pool = pool(1);
    let first = pool.submit(&UNTIL, &()).unwrap();
    until_it_runs(&first);
    let mut map = pool.map(&NOTE, [0, 1, 2].map(file), NonZero::<usize>::MIN).unwrap();
    let refused = EventLoop::new().run_until_complete(async { map.next() }).unwrap();
    let refused = refused.unwrap().unwrap_err();
    assert!(matches!(refused, NoValue::Unsettled(WaitError::WouldDeadlock(_))), "{refused}");
    assert!(map.next().is_none());
    first.cancel();
    // What was behind it in the queue would have run by now.
    pool.submit(&PID, &()).unwrap().wait().unwrap();
    assert!(![0, 1, 2].map(file).iter().any(|it| it.exists()));
}
