//! The pool: its queue, its end, and workers that wait.
//!
//! A worker is a thread of its own, so that two workers and the user are three. They are explored with at
//! most three preemptions: the one that it takes to lose each of the wake-ups of a queue, of a future and of
//! the pool's end, all in one execution.

use std::{
    num::NonZero,
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use loom::thread;
use settled::{Cancelled, EventLoop, Executor, Failure, ThreadFuture, ThreadPool, WaitError};

use crate::explore::{explore_bounded, saw};

fn pool() -> ThreadPool {
    ThreadPool::new(NonZero::<usize>::MIN)
}

/// `[pool-1]` `[pool-6]` A job that was accepted settles, by running or by being dropped.
pub(crate) fn shutdown_against_a_worker() {
    explore_bounded("pool_shutdown", &["ran", "dropped"], |seen| {
        let pool = pool();
        let future = pool.submit(|| 1).unwrap();
        pool.close();
        pool.cancel_pending();
        pool.shutdown().unwrap();
        saw(
            seen,
            match future.into_settled().unwrap().take().expect("the only handle") {
                Ok(1) => "ran",
                Err(Failure::Cancelled(it)) if it == Cancelled::Dropped => "dropped",
                other => panic!("{other:?}"),
            },
        );
    });
}

/// `[pool-5]` A worker that goes to sleep is woken by the next job, each time.
pub(crate) fn submit_against_an_idle_worker() {
    explore_bounded("pool_idle", &["all ran"], |seen| {
        let pool = pool();
        for number in 0..3 {
            let job = pool.submit(move || number).unwrap();
            assert_eq!(job.result().unwrap(), &number);
        }
        saw(seen, "all ran");
        pool.shutdown().unwrap();
    });
}

/// `[pool-5]` Of two workers that go to sleep each is woken, by jobs that need each other: three threads.
pub(crate) fn two_jobs_against_two_idle_workers() {
    explore_bounded("pool_two_idle", &["all ran"], |seen| {
        let pool = ThreadPool::new(NonZero::new(2).unwrap());
        for _ in 0..2 {
            let (promise, met) = ThreadFuture::<(), ()>::pair();
            let first = pool.submit(move || met.wait().is_ok()).unwrap();
            pool.submit(move || promise.finish(()).unwrap()).unwrap();
            assert_eq!(first.result().unwrap(), &true);
        }
        saw(seen, "all ran");
        pool.shutdown().unwrap();
    });
}

/// `[pool-4]` `[pool-6]` A job is refused, or it settles.
pub(crate) fn submit_against_shutdown() {
    explore_bounded("pool_submit_shutdown", &["ran", "refused"], |seen| {
        let pool = Arc::new(pool());
        let closer = thread::spawn({
            let pool = Arc::clone(&pool);
            move || pool.close()
        });
        match pool.submit(|| 1) {
            Ok(future) => {
                assert_eq!(future.result().unwrap(), &1);
                saw(seen, "ran");
            }
            Err(_) => saw(seen, "refused"),
        }
        closer.join().unwrap();
        pool.shutdown().unwrap();
    });
}

/// `[pool-7]` The only worker waits for a job of its own pool, which somebody else may cancel.
pub(crate) fn self_wait_against_cancel() {
    explore_bounded("pool_self_wait", &["helped", "cancelled"], |seen| {
        let pool = Arc::new(pool());
        let (promise, child) = ThreadFuture::<Arc<ThreadFuture<u8, _>>, ()>::pair();
        let inner = Arc::clone(&pool);
        let outer = pool.submit(move || {
            let job = Arc::new(inner.submit(|| 1_u8).unwrap());
            promise.finish(Arc::clone(&job)).unwrap();
            job.result().is_ok()
        });
        let cancelled = child.result().unwrap().cancel().thread_answer();
        let helped = *outer.unwrap().result().unwrap();
        assert_ne!(helped, cancelled);
        saw(seen, if helped { "helped" } else { "cancelled" });
        pool.shutdown().unwrap();
    });
}

/// `[pool-8]` Two workers that wait for each other: one of them is refused, and it is one.
pub(crate) fn two_workers_that_wait_for_each_other() {
    type Other = Arc<ThreadFuture<Result<(), WaitError>, std::convert::Infallible>>;
    explore_bounded("pool_circle", &["the first is refused", "the second is refused"], |seen| {
        let (one, other) = (pool(), pool());
        let (tell, told) = ThreadFuture::<Other, ()>::pair();
        let first = one.submit(move || told.result().unwrap().wait().map(|_| ())).unwrap();
        let first = Arc::new(first);
        let wanted = Arc::clone(&first);
        let second = Arc::new(other.submit(move || wanted.wait().map(|_| ())).unwrap());
        tell.finish(Arc::clone(&second)).unwrap();
        let refused = [&first, &second].map(|it| it.result().unwrap().is_err());
        saw(
            seen,
            match refused {
                [true, false] => "the first is refused",
                [false, true] => "the second is refused",
                _ => panic!("{refused:?}"),
            },
        );
        one.shutdown().unwrap();
        other.shutdown().unwrap();
    });
}

/// `[pool-11]` A worker waits for the end of a pool whose job waits for it: one of the two is refused.
pub(crate) fn a_worker_that_waits_for_the_end_of_another_pool() {
    explore_bounded("pool_end", &["the end is refused", "the wait is refused"], |seen| {
        let (one, other) = (pool(), Arc::new(pool()));
        let (go, goes) = ThreadFuture::<(), ()>::pair();
        let ends = Arc::clone(&other);
        let first = Arc::new(
            one.submit(move || {
                goes.wait().unwrap();
                ends.shutdown().is_err()
            })
            .unwrap(),
        );
        let wanted = Arc::clone(&first);
        let second = other.submit(move || wanted.wait().is_err()).unwrap();
        go.finish(()).unwrap();
        let refused = [*first.result().unwrap(), *second.result().unwrap()];
        saw(
            seen,
            match refused {
                [true, false] => "the end is refused",
                [false, true] => "the wait is refused",
                _ => panic!("{refused:?}"),
            },
        );
        one.shutdown().unwrap();
        other.shutdown().unwrap();
    });
}

/// No worker's number.
const NOBODY: usize = 2;

/// `[pool-10]` Both workers wait, in their initializers, for a job of their own pool: one is refused, runs no job before
/// it is initialized, and then those of both.
pub(crate) fn two_initializers_that_wait_for_their_pool() {
    explore_bounded(
        "pool_initializers",
        &["the first is refused", "the second is refused"],
        |seen| {
            let (next, refused) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(NOBODY)));
            let (give, given) = ThreadFuture::<Weak<ThreadPool>, ()>::pair();
            let told = Arc::clone(&refused);
            let initializer = move || {
                let number = next.fetch_add(1, SeqCst);
                let own = given.result().unwrap().upgrade().unwrap();
                if own.submit(|| 1).unwrap().wait().is_err() {
                    assert_eq!(told.swap(number, SeqCst), NOBODY, "only one is");
                }
            };
            let builder = ThreadPool::builder().workers(NonZero::new(2).unwrap());
            let pool = Arc::new(builder.initializer(initializer).build());
            let job = pool.submit(|| 1).unwrap();
            give.finish(Arc::downgrade(&pool)).unwrap();
            assert_eq!(job.result().unwrap(), &1);
            pool.shutdown().unwrap();
            assert!(!pool.is_broken());
            let refused = refused.load(SeqCst);
            saw(seen, ["the first is refused", "the second is refused"][refused]);
        },
    );
}

/// `[pool-13]` A loop in the only worker awaits a job of that worker's pool, which somebody else may cancel.
pub(crate) fn a_loop_in_the_only_worker_against_cancel() {
    explore_bounded("pool_loop", &["helped", "cancelled"], |seen| {
        let pool = Arc::new(pool());
        let (promise, child) = ThreadFuture::<Arc<ThreadFuture<u8, _>>, ()>::pair();
        let inner = Arc::clone(&pool);
        let outer = pool.submit(move || {
            let job = Arc::new(inner.submit(|| 1_u8).unwrap());
            promise.finish(Arc::clone(&job)).unwrap();
            EventLoop::new().run_until_complete(async { (&*job).await.result().is_ok() }).unwrap()
        });
        let cancelled = child.result().unwrap().cancel().thread_answer();
        let helped = *outer.unwrap().result().unwrap();
        assert_ne!(helped, cancelled);
        saw(seen, if helped { "helped" } else { "cancelled" });
        pool.shutdown().unwrap();
    });
}

/// `[pool-13]` A loop in one of two workers awaits a job; the other worker waits for the loop's, or runs the awaited one
/// before it does.
pub(crate) fn a_loop_in_a_worker_against_a_wait_for_it() {
    explore_bounded("pool_loop_wait", &["the loop ran it", "the other worker ran it"], |seen| {
        let pool = Arc::new(ThreadPool::new(NonZero::new(2).unwrap()));
        let inside = Arc::clone(&pool);
        let job = pool.submit(move || {
            let awaited = inside.submit(|| thread::current().id()).unwrap();
            let ran = EventLoop::new().run_until_complete(awaited).unwrap();
            *ran.result().unwrap() == thread::current().id()
        });
        let job = Arc::new(job.unwrap());
        let awaited = Arc::clone(&job);
        let waits = pool.submit(move || awaited.wait().is_ok()).unwrap();
        assert_eq!(waits.result().unwrap(), &true, "it is not refused");
        let by_the_loop = *job.result().unwrap();
        saw(seen, if by_the_loop { "the loop ran it" } else { "the other worker ran it" });
        pool.shutdown().unwrap();
    });
}
