//! Pools that wait for each other: for a job, for the end, for the beginning of a worker.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

use std::{
    num::NonZero,
    process::{Command, Output},
    sync::{Arc, mpsc},
    thread,
};

use settled::{Executor, ThreadFuture, ThreadPool, WouldDeadlock};

fn pool(workers: usize) -> ThreadPool {
    ThreadPool::named("worker", NonZero::new(workers).unwrap())
}

/// Whether somebody waits for it. A worker has registered by then.
fn is_waited_for<T: 'static, E: 'static>(future: &ThreadFuture<T, E>) -> bool {
    format!("{future:?}").contains("waiters: 1")
}

/// Runs a test of this file in a process of its own, with `SETTLED_CHILD` set.
fn in_a_child(test: &str) -> Output {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture"]).env("SETTLED_CHILD", "1");
    child.output().unwrap()
}

/// A job of one pool waits for a job of another, which does this with the first pool; what that came to.
fn waited_for_by_its_jobs<T>(ends: impl FnOnce(ThreadPool) -> T + Send + 'static) -> T
where
    T: Clone + Send + Sync + 'static,
{
    let (one, other) = (pool(1), pool(1));
    let (send, receive) = mpsc::channel::<(Arc<ThreadFuture<T, _>>, ThreadPool)>();
    let job = one.submit(move || {
        let (own, other) = receive.recv().unwrap();
        while !is_waited_for(&own) {
            thread::yield_now();
        }
        ends(other)
    });
    let job = Arc::new(job.unwrap());
    let awaited = Arc::clone(&job);
    let waits = other.submit(move || awaited.wait().is_ok()).unwrap();
    send.send((Arc::clone(&job), other)).unwrap();
    assert_eq!(waits.result().unwrap(), &true, "it was there first");
    job.result().unwrap().clone()
}

#[test]
fn a_worker_does_not_wait_for_the_end_of_a_pool_that_waits_for_it() {
    watch!();
    let told = waited_for_by_its_jobs(|pool| {
        let told = pool.shutdown(true, false);
        (told, pool.submit(|| 1).is_err())
    });
    assert_eq!(told, (Err(WouldDeadlock::Circle), true), "it is shut down all the same");
}

#[test]
fn a_job_does_not_wait_for_whoever_waits_for_the_end_of_its_pool() {
    watch!();
    for _ in 0..20 {
        let (one, other) = (Arc::new(pool(1)), Arc::new(pool(1)));
        let (back, ends) = (Arc::clone(&one), Arc::clone(&other));
        let (go, goes) = mpsc::channel::<()>();
        // It waits for a job that is queued behind one that waits for the end of its pool.
        let waits = other.submit(move || {
            goes.recv().unwrap();
            back.submit(|| ()).unwrap().wait().map(|_| ())
        });
        let job = one.submit(move || {
            go.send(()).unwrap();
            ends.shutdown(true, false)
        });
        let told = [job.unwrap(), waits.unwrap()].map(|it| *it.result().unwrap());
        // Whichever waits last is refused, and lets the other go on.
        let refused = told.iter().filter(|it| **it == Err(WouldDeadlock::Circle));
        assert_eq!(refused.count(), 1, "{told:?}");
        one.shutdown(true, false).unwrap();
        other.shutdown(true, false).unwrap();
    }
}

#[test]
fn a_worker_may_wait_for_the_end_of_a_pool_that_goes_on() {
    watch!();
    let (one, other) = (pool(1), Arc::new(pool(1)));
    let inside = Arc::clone(&other);
    let slow = other.submit(move || {
        // Until somebody has begun to shut it down.
        while !format!("{inside:?}").contains("open: false") {
            thread::yield_now();
        }
    });
    let (slow, ends) = (Arc::new(slow.unwrap()), Arc::clone(&other));
    let awaited = Arc::clone(&slow);
    let job = one.submit(move || (ends.shutdown(true, false), awaited.done()));
    assert_eq!(job.unwrap().result().unwrap(), &(Ok(()), true), "when its jobs have ended");
}

#[test]
fn a_pool_that_is_dropped_where_it_would_wait_for_ever_is_let_go_and_says_so() {
    watch!();
    if std::env::var_os("SETTLED_CHILD").is_some() {
        return waited_for_by_its_jobs(drop);
    }
    let child =
        in_a_child("a_pool_that_is_dropped_where_it_would_wait_for_ever_is_let_go_and_says_so");
    let told = String::from_utf8_lossy(&child.stderr).into_owned();
    assert!(child.status.success(), "{told}");
    let lines: Vec<_> = told.lines().filter(|line| line.starts_with("settled: ")).collect();
    assert_eq!(lines.len(), 1, "{told}");
    assert!(lines[0].contains("the pool worker was dropped by a job"), "{told}");
}
