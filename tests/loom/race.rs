//! Who wins, and what the others are told.

use std::sync::Arc;

use loom::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};
use settled::{Cancel, Cancelled, Failure, Lost, Refusal, ThreadFuture};

use crate::explore::{Seen, Value, Values, explore, explore_deeply, promise, saw};

/// `[promise-2]` `[cancel-1]` Exactly one of the two wins, the loser gets its value back, and the reader returns.
pub(crate) fn cancel_against_finish_against_a_blocked_reader() {
    explore_deeply("cancel_finish_reader", &["cancelled", "finished"], |seen| {
        let values = Values::default();
        let value = values.make(1);
        let (promise, future) = promise();
        let future = Arc::new(future);
        let finisher = thread::spawn(move || promise.finish(value));
        let canceller = thread::spawn({
            let future = Arc::clone(&future);
            move || future.cancel()
        });
        let read = future.wait().unwrap().result();
        match (finisher.join().unwrap(), canceller.join().unwrap(), read) {
            (Ok(()), Cancel::Refused(Refusal::Finished), Ok(value)) => {
                assert_eq!(value.number, 1);
                saw(seen, "finished");
            }
            (
                Err(Lost { value, cause: Cancelled::Requested }),
                Cancel::Now,
                Err(Failure::Cancelled(cancellation)),
            ) if *cancellation == Cancelled::Requested => {
                assert_eq!(value.number, 1);
                saw(seen, "cancelled");
            }
            contradiction => panic!("{contradiction:?}"),
        }
    });
}

/// `[promise-4]` Of a start and a cancel exactly one succeeds; a start that loses says why.
pub(crate) fn start_against_cancel() {
    explore("start_cancel", &["after", "before", "between"], |seen| {
        let values = Values::default();
        let value = values.make(1);
        let (promise, future) = promise();
        let worker = thread::spawn(move || match promise.start() {
            Ok(running) => {
                running.finish(value);
                Ok(())
            }
            Err(cause) => Err(cause),
        });
        let cancel = future.cancel();
        match (worker.join().unwrap(), cancel) {
            (Err(Cancelled::Requested), Cancel::Now) => saw(seen, "before"),
            (Ok(()), Cancel::Refused(Refusal::Running)) => saw(seen, "between"),
            (Ok(()), Cancel::Refused(Refusal::Finished)) => saw(seen, "after"),
            contradiction => panic!("{contradiction:?}"),
        }
        assert_eq!(future.cancelled(), cancel == Cancel::Now);
    });
}

/// `[cell-2]` What the settling thread did before is visible to one who merely looks. The atomic is relaxed:
/// only the cell can make it so.
pub(crate) fn a_look_sees_what_was_done_before() {
    explore("look", &["early", "late"], |seen| {
        let values = Values::default();
        let value = values.make(1);
        let (promise, future) = promise();
        let done = Arc::new(AtomicUsize::new(0));
        let finisher = thread::spawn({
            let done = Arc::clone(&done);
            move || {
                done.store(1, Ordering::Relaxed);
                promise.finish(value)
            }
        });
        if let Ok(value) = future.try_result() {
            assert_eq!((done.load(Ordering::Relaxed), value.number), (1, 1));
            saw(seen, "late");
        } else {
            saw(seen, "early");
        }
        finisher.join().unwrap().unwrap();
    });
}

/// Looks at a future, of which a handle comes, while another thread cancels it.
fn look_beside_a_cancel(seen: &Seen, cancel: fn(&ThreadFuture<Value, Value>) -> Cancel) {
    let (promise, future) = promise();
    let done = Arc::new(AtomicUsize::new(0));
    let canceller = thread::spawn({
        let (future, done) = (future.clone(), Arc::clone(&done));
        move || {
            done.store(1, Ordering::Relaxed);
            cancel(&future)
        }
    });
    if future.clone().cancelled() {
        assert_eq!(done.load(Ordering::Relaxed), 1);
        saw(seen, "late");
    } else {
        saw(seen, "early");
    }
    assert_eq!(canceller.join().unwrap(), Cancel::Now);
    drop(promise);
}

/// `[cell-2]` The same of what came before a cancel, without a reason or with one.
pub(crate) fn a_look_sees_what_was_done_before_a_cancel() {
    let ends = ["early", "late"];
    explore("look_cancel", &ends, |seen| look_beside_a_cancel(seen, ThreadFuture::cancel));
    explore("look_reason", &ends, |seen| {
        look_beside_a_cancel(seen, |future| future.cancel_with("it is late"));
    });
}

/// `[cell-4]` Handles come and go in two threads while a third settles: the value is dropped once, by
/// whoever is last.
pub(crate) fn handles_against_finish() {
    explore("handles_finish", &["pending", "settled"], |seen| {
        let values = Values::default();
        let value = values.make(1);
        let (promise, future) = promise();
        let finisher = thread::spawn(move || promise.finish(value));
        let user = thread::spawn({
            let future = future.clone();
            move || {
                let other = future.clone();
                drop(future);
                other.done()
            }
        });
        drop(future);
        saw(seen, if user.join().unwrap() { "settled" } else { "pending" });
        finisher.join().unwrap().unwrap();
    });
}

/// `[settled-3]` Of two who would take the value at most one gets it. Neither does if each still has a handle
/// while the other asks.
pub(crate) fn take_against_take() {
    explore("take_take", &["neither", "one"], |seen| {
        let values = Values::default();
        let (promise, future) = promise();
        promise.finish(values.make(1)).unwrap();
        let other = thread::spawn({
            let future = future.clone();
            move || future.into_settled().unwrap().take().ok()
        });
        let mine = future.into_settled().unwrap().take().ok();
        match (mine, other.join().unwrap()) {
            (Some(Ok(value)), None) | (None, Some(Ok(value))) => {
                assert_eq!(value.number, 1);
                saw(seen, "one");
            }
            (None, None) => saw(seen, "neither"),
            contradiction => panic!("{contradiction:?}"),
        }
    });
}
