//! Nobody waits for ever, and whoever waited on the only handle owns the outcome.

use std::{
    future::{Future, IntoFuture},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use loom::thread;
use settled::{Cancel, Cancelled, Failure};

use crate::explore::{Values, block_on, explore, explore_deeply, promise, saw};

/// `[cell-3]` `[settled-3]` The settler gives its handle up in the step that settles, so that the only other handle is the
/// only one as soon as its owner can know.
pub(crate) fn wait_then_take() {
    explore("wait_take", &["parked", "settled"], |seen| {
        let values = Values::default();
        let value = values.make(1);
        let (promise, future) = promise();
        let finisher = thread::spawn(move || promise.finish(value));
        saw(seen, if future.done() { "settled" } else { "parked" });
        let taken = future.into_settled().unwrap().take();
        assert_eq!(taken.expect("the only handle").unwrap().number, 1);
        finisher.join().unwrap().unwrap();
    });
}

/// `[await-1]` `[cell-3]` The same for a task.
pub(crate) fn await_then_take() {
    explore("await_take", &["pending", "settled"], |seen| {
        let values = Values::default();
        let value = values.make(1);
        let (promise, future) = promise();
        let finisher = thread::spawn(move || promise.finish(value));
        saw(seen, if future.done() { "settled" } else { "pending" });
        let taken = block_on(future).take();
        assert_eq!(taken.expect("the only handle").unwrap().number, 1);
        finisher.join().unwrap().unwrap();
    });
}

/// `[cell-4]` A task leaves with the last handle but the settler's: who tells still finds whom to tell, or that nobody is left.
pub(crate) fn an_await_that_leaves_against_finish() {
    explore("await_leaves", &["pending", "settled"], |seen| {
        let values = Values::default();
        let value = values.make(1);
        let (promise, future) = promise();
        let finisher = thread::spawn(move || promise.finish(value));
        let mut awaiting = Box::pin(future.into_future());
        match awaiting.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => saw(seen, "pending"),
            Poll::Ready(settled) => {
                assert_eq!(settled.result().unwrap().number, 1);
                saw(seen, "settled");
            }
        }
        drop(awaiting);
        finisher.join().unwrap().unwrap();
    });
}

/// `[await-2]` A task that polls again with another waker gives its place up and takes another. A settlement
/// in between must not be lost.
pub(crate) fn a_task_that_moves() {
    explore("await_moved", &["pending", "settled"], |seen| {
        let values = Values::default();
        let value = values.make(1);
        let (promise, future) = promise();
        let finisher = thread::spawn(move || promise.finish(value));
        let mut awaiting = pin!((&future).into_future());
        match awaiting.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => {
                assert_eq!(block_on(awaiting).result().unwrap().number, 1);
                saw(seen, "pending");
            }
            Poll::Ready(settled) => {
                assert_eq!(settled.result().unwrap().number, 1);
                saw(seen, "settled");
            }
        }
        finisher.join().unwrap().unwrap();
    });
}

/// `[wait-1]` Everyone who waits is told, not only the first.
pub(crate) fn two_waiters_against_cancel() {
    explore_deeply("two_waiters_cancel", &["cancelled"], |seen| {
        let (promise, future) = promise();
        let future = Arc::new(future);
        let waiter = thread::spawn({
            let future = Arc::clone(&future);
            move || future.wait().unwrap().cancelled()
        });
        let canceller = thread::spawn({
            let future = Arc::clone(&future);
            move || future.cancel()
        });
        assert!(future.wait().unwrap().cancelled());
        assert!(waiter.join().unwrap());
        assert_eq!(canceller.join().unwrap(), Cancel::Now);
        assert_eq!(promise.start().unwrap_err(), Cancelled::Requested);
        saw(seen, "cancelled");
    });
}

/// `[promise-3]` The end of the promise is the end of the wait.
pub(crate) fn promise_dropped_against_wait() {
    explore("drop_pending_wait", &["parked", "settled"], |seen| {
        let (promise, future) = promise();
        let dropper = thread::spawn(move || drop(promise));
        saw(seen, if future.done() { "settled" } else { "parked" });
        let dropped = future.into_settled().unwrap().take().expect("the only handle");
        assert!(matches!(dropped, Err(Failure::Cancelled(it)) if it == Cancelled::Dropped));
        dropper.join().unwrap();
    });
    explore("drop_running_wait", &["parked", "settled"], |seen| {
        let (promise, future) = promise();
        let promise = promise.start().unwrap();
        let dropper = thread::spawn(move || drop(promise));
        saw(seen, if future.done() { "settled" } else { "parked" });
        let dropped = future.into_settled().unwrap().take().expect("the only handle");
        assert!(matches!(dropped, Err(Failure::Abandoned)));
        dropper.join().unwrap();
    });
}
