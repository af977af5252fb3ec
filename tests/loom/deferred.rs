//! Callbacks that settle further futures, deeper than callbacks run inside each other: here that is two.
//!
//! A panic of a callback is counted, so that an assertion inside one fails its scenario.

use std::{
    num::NonZero,
    sync::{Arc, Mutex},
};

use loom::thread;
use settled::{Cancel, EventLoop, Executor, ThreadFuture, ThreadPool, bridge};

use crate::explore::{explore, explore_bounded, saw};

type Future = ThreadFuture<u8, u8>;
type Log = Arc<Mutex<Vec<u8>>>;

/// `[callback-8]` A chain of five against one who waits for the last: each link is called once, in order, and all
/// before the first call returns.
pub(crate) fn a_chain_against_a_waiter() {
    explore("deferred_chain", &["parked", "settled"], |seen| {
        let log = Log::default();
        let (promises, futures): (Vec<_>, Vec<_>) = (0..5).map(|_| Future::pair()).unzip();
        let last = futures[4].clone();
        let mut promises = promises.into_iter();
        let first = promises.next().unwrap();
        for ((future, promise), number) in futures.into_iter().zip(promises).zip(1..) {
            let log = Arc::clone(&log);
            future.add_done_callback(move |_| {
                log.lock().unwrap().push(number);
                promise.finish(number).unwrap();
            });
        }
        let order = Arc::clone(&log);
        let waiter = thread::spawn(move || {
            let settled = last.done();
            assert_eq!(last.result().unwrap(), &4);
            assert_eq!(*order.lock().unwrap(), [1, 2, 3, 4]);
            settled
        });
        first.finish(0).unwrap();
        assert_eq!(*log.lock().unwrap(), [1, 2, 3, 4]);
        saw(seen, if waiter.join().unwrap() { "settled" } else { "parked" });
    });
}

/// Calls `last` inside two callbacks: one more is deferred.
pub(crate) fn inside_two(last: impl FnOnce() + Send + 'static) {
    call(|| call(last));
}

/// Settles a future whose only callback is `callback`.
fn call(callback: impl FnOnce() + Send + 'static) {
    let (promise, future) = Future::pair();
    future.add_done_callback(|_| callback());
    promise.finish(0).unwrap();
}

/// A callback waits, by `waits`, for what only a deferred one settles, or another thread cancels: who was first.
fn ended(waits: fn(Future) -> bool) -> &'static str {
    let (promise, future) = Future::pair();
    let cancelled = future.clone();
    let canceller = thread::spawn(move || cancelled.cancel());
    let seen = Arc::new(Mutex::new(None));
    let answer = Arc::clone(&seen);
    inside_two(move || {
        call(move || _ = promise.finish(7));
        *answer.lock().unwrap() = Some(waits(future));
    });
    let waited = seen.lock().unwrap().take().expect("it has returned");
    match (waited, canceller.join().unwrap()) {
        (true, Cancel::Refused(_)) => "finished",
        (false, Cancel::Now) => "cancelled",
        contradiction => panic!("{contradiction:?}"),
    }
}

/// `[callback-8]` Before a wait parks, the thread runs what it has deferred.
pub(crate) fn a_wait_for_a_deferred_callback_against_cancel() {
    explore("deferred_wait", &["cancelled", "finished"], |seen| {
        saw(seen, ended(|future| future.result().is_ok()));
    });
}

/// `[callback-8]` Before a loop sleeps, the thread runs what it has deferred.
pub(crate) fn a_loop_for_a_deferred_callback_against_cancel() {
    explore("deferred_loop", &["cancelled", "finished"], |seen| {
        let waits = |future: Future| {
            let event_loop = EventLoop::new();
            let view = bridge::wrap_future(&future, &event_loop);
            event_loop.run_until_complete(view).unwrap().result().is_ok()
        };
        saw(seen, ended(waits));
    });
}

/// `[callback-8]` Before a wait for the end of a pool, the thread runs what it has deferred. Three preemptions lose each
/// of the wake-ups of the job's future, of the worker and of the pool's end.
pub(crate) fn a_shutdown_for_a_deferred_callback_against_cancel() {
    explore_bounded("deferred_shutdown", &["cancelled", "finished"], |seen| {
        let waits = |future: Future| {
            let pool = ThreadPool::new(NonZero::<usize>::MIN);
            let job = pool.submit(move || future.result().is_ok()).unwrap();
            pool.shutdown().unwrap();
            *job.try_result().unwrap()
        };
        saw(seen, ended(waits));
    });
}
