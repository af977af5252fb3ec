//! Work that belongs to an owner: a cancel is a request, and only the owner settles.

use std::{sync::Arc, task::Waker};

use loom::thread;
use settled::{Cancel, Cancelled, Failure, Promise, Refusal, ThreadFuture, phase::Owned};

use crate::explore::{Counter, Value, Values, explore, saw};

type Pair = (Promise<Value, Value, Owned>, ThreadFuture<Value, Value>);

fn owned() -> (Arc<Counter>, Pair) {
    let owner = Arc::new(Counter::default());
    (Arc::clone(&owner), ThreadFuture::owned_pair(Waker::from(owner)))
}

/// `[promise-5]` `[cancel-4]` Two requests against the finish: each is answered by what it met, the owner is woken once at
/// the most, and the finish cannot lose.
pub(crate) fn requests_against_finish() {
    explore("requests_finish", &["after", "before", "between"], |seen| {
        let values = Values::default();
        let value = values.make(1);
        let (owner, (promise, future)) = owned();
        let future = Arc::new(future);
        let finisher = thread::spawn(move || promise.finish(value));
        let other = thread::spawn({
            let future = Arc::clone(&future);
            move || future.cancel()
        });
        let answers = [future.cancel(), other.join().unwrap()];
        finisher.join().unwrap();
        let requested = answers.iter().filter(|answer| **answer == Cancel::Requested).count();
        let refused = Cancel::Refused(Refusal::Finished);
        assert!(answers.iter().all(|answer| [Cancel::Requested, refused].contains(answer)));
        assert_eq!(owner.count(), usize::from(requested > 0));
        assert_eq!(future.try_result().unwrap().number, 1);
        saw(seen, ["after", "between", "before"][requested]);
    });
}

/// `[cancel-6]` A request that the owner acts on: the canceller sees `Requested`, and the reader, who is
/// blocked, a cancellation.
pub(crate) fn request_against_stopped_against_a_blocked_reader() {
    explore("request_stopped", &["after", "before"], |seen| {
        let (owner, (promise, future)) = owned();
        let future = Arc::new(future);
        let stopper = thread::spawn(move || promise.stopped());
        let canceller = thread::spawn({
            let future = Arc::clone(&future);
            move || future.cancel()
        });
        let Err(Failure::Cancelled(cancellation)) = future.wait().unwrap().result() else {
            panic!("not cancelled")
        };
        stopper.join().unwrap();
        let cause = cancellation.cause();
        match (canceller.join().unwrap(), cause) {
            (Cancel::Requested, Cancelled::Requested) => saw(seen, "before"),
            (Cancel::Already, Cancelled::Stopped) => saw(seen, "after"),
            contradiction => panic!("{contradiction:?}"),
        }
        assert_eq!(owner.count(), usize::from(cause == Cancelled::Requested));
    });
}
