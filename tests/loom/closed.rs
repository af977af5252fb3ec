//! The work learns that it is not wanted any more, whoever is first, and once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use loom::thread;
use settled::{Cancel, Promise};

use crate::explore::{Value, Values, block_on, explore, explore_bounded, promise, saw};

/// Counts its calls.
fn counts(calls: &Arc<AtomicUsize>) -> impl FnOnce() + Send + 'static {
    let calls = Arc::clone(calls);
    move || _ = calls.fetch_add(1, Ordering::Relaxed)
}

/// `[promise-8]` Two handles go in two threads: the work awaits that, and it is told once more by a call.
pub(crate) fn the_last_handle_against_an_await() {
    explore("closed_await", &["closed", "open"], |seen| {
        let calls = Arc::new(AtomicUsize::new(0));
        let (promise, future) = promise();
        promise.on_closed(counts(&calls));
        let other = future.clone();
        let first = thread::spawn(move || drop(other));
        let second = thread::spawn(move || drop(future));
        saw(seen, if promise.is_closed() { "closed" } else { "open" });
        block_on(promise.closed());
        assert!(promise.is_closed());
        first.join().unwrap();
        second.join().unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        drop(promise);
    });
}

/// `[promise-8]` Three handles go in three threads. One looks, another goes, so that the first try of the one fails; then
/// the third goes: the next step of the one makes him the last, who has to tell.
pub(crate) fn the_last_of_three_handles() {
    explore("closed_three", &["closed"], |seen| {
        let calls = Arc::new(AtomicUsize::new(0));
        let (promise, future) = promise();
        promise.on_closed(counts(&calls));
        let others = [future.clone(), future.clone()];
        let others = others.map(|other| thread::spawn(move || drop(other)));
        drop(future);
        others.into_iter().for_each(|other| other.join().unwrap());
        assert!(promise.is_closed());
        assert_eq!(calls.load(Ordering::Relaxed), 1, "called once, by the last");
        saw(seen, "closed");
    });
}

/// `[cancel-8]` A request against the start and the registration: the work sees it, by whichever way.
pub(crate) fn a_request_against_the_start() {
    explore("request_start", &["begun", "lost"], |seen| {
        let (values, calls) = (Values::default(), Arc::new(AtomicUsize::new(0)));
        let value = values.make(1);
        let (promise, future) = promise();
        let canceller = thread::spawn(move || (future.cancel(), future));
        promise.on_cancel_request(counts(&calls));
        match promise.start() {
            Ok(promise) => {
                block_on(promise.cancel_request());
                assert!(promise.cancel_requested());
                let (cancel, future) = canceller.join().unwrap();
                assert!(matches!(cancel, Cancel::Refused(_)));
                promise.finish(value);
                assert_eq!(future.join().unwrap().number, 1);
                saw(seen, "begun");
            }
            Err(_) => {
                assert_eq!(canceller.join().unwrap().0, Cancel::Now);
                saw(seen, "lost");
            }
        }
        assert_eq!(calls.load(Ordering::Relaxed), 1, "called once, and not forgotten");
    });
}

/// `[promise-8]` The last handle goes while the work settles: what listens is called or dropped, and nothing is left.
/// Three preemptions are one for each of the drop and the settlement, and one for the canceller.
pub(crate) fn the_last_handle_against_finish() {
    explore_bounded("closed_finish", &["called", "uncalled"], |seen| {
        let (values, calls) = (Values::default(), Arc::new(AtomicUsize::new(0)));
        let value = values.make(1);
        let (promise, future) = promise();
        promise.on_closed(counts(&calls));
        let other = future.clone();
        let drops = thread::spawn(move || drop(future));
        let cancels = thread::spawn(move || _ = other.cancel());
        let settles = |promise: Promise<Value, Value>| drop(promise.finish(value));
        settles(promise);
        drops.join().unwrap();
        cancels.join().unwrap();
        assert_eq!(Arc::strong_count(&calls), 1, "what listens is gone");
        saw(seen, if calls.load(Ordering::Relaxed) == 1 { "called" } else { "uncalled" });
    });
}

/// `[promise-8]` `[cell-4]` The last handle goes, which tells what listens, while the promise goes: whoever is last frees.
pub(crate) fn the_last_handle_against_the_promise() {
    explore("closed_dropped", &["called", "uncalled"], |seen| {
        let calls = Arc::new(AtomicUsize::new(0));
        let (promise, future) = promise();
        promise.on_closed(counts(&calls));
        let drops = thread::spawn(move || drop(future));
        drop(promise);
        drops.join().unwrap();
        assert_eq!(Arc::strong_count(&calls), 1, "what listens is gone");
        saw(seen, if calls.load(Ordering::Relaxed) == 1 { "called" } else { "uncalled" });
    });
}

/// `[promise-9]` The last handle goes while the work settles: the value comes back, or the handle had it. Never both, and
/// never neither: each value is dropped once.
pub(crate) fn the_last_handle_against_the_value() {
    explore("closed_value", &["came back", "was seen"], |seen| {
        let values = Values::default();
        let value = values.make(1);
        let (promise, future) = promise();
        let drops = thread::spawn(move || drop(future));
        match promise.finish_or_return(value) {
            Err(lost) => {
                assert_eq!(lost.value.number, 1);
                saw(seen, "came back");
            }
            Ok(()) => saw(seen, "was seen"),
        }
        drops.join().unwrap();
    });
}
