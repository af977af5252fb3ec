//! Waiting for several futures at once.

use loom::thread;
use settled::{Cancel, First, ReturnWhen, ThreadFuture, as_completed, join, select, wait};

use crate::explore::{Values, explore, explore_deeply, promise, saw};

/// `[wait-5]` Two settlers, and one who waits for both: it is told of both, and then owns them.
pub(crate) fn wait_for_all_against_two_settlers() {
    explore("wait_all", &["none settled", "some settled"], |seen| {
        let values = Values::default();
        let (one, other) = (promise(), promise());
        let (value, late) = (values.make(1), values.make(2));
        let finisher = thread::spawn(move || one.0.finish(value).is_ok());
        let dropper = thread::spawn(move || drop((other.0, late)));
        let futures = [one.1, other.1];
        let settled = futures.iter().any(settled::ThreadFuture::done);
        saw(seen, if settled { "some settled" } else { "none settled" });
        let (done, not_done) = wait(&futures, None, ReturnWhen::AllCompleted).unwrap();
        assert_eq!((done.len(), not_done.len()), (2, 0));
        let taken = futures.map(|future| future.into_settled().unwrap().take());
        assert_eq!(taken.map(|it| it.expect("the only handle").is_ok()), [true, false]);
        assert!(finisher.join().unwrap());
        dropper.join().unwrap();
    });
}

/// `[wait-5]` Who waits for the first leaves the other, which settles meanwhile or not.
pub(crate) fn wait_for_the_first_against_two_settlers() {
    explore_deeply("wait_first", &["first", "second", "both"], |seen| {
        let values = Values::default();
        let (one, other) = (promise(), promise());
        let (value, late) = (values.make(1), values.make(2));
        let finisher = thread::spawn(move || one.0.finish(value).is_ok());
        let second = thread::spawn(move || other.0.finish(late).is_ok());
        let futures = [one.1, other.1];
        let (done, not_done) = wait(&futures, None, ReturnWhen::FirstCompleted).unwrap();
        assert_eq!(done.len() + not_done.len(), 2);
        saw(
            seen,
            match done[..] {
                [_, _] => "both",
                [(0, _)] => "first",
                _ => "second",
            },
        );
        assert!(finisher.join().unwrap() && second.join().unwrap());
        // Nothing of the wait is left in the other.
        let taken = futures.map(|future| future.into_settled().unwrap().take());
        assert!(taken.iter().all(Result::is_ok), "the only handles");
    });
}

/// `[wait-6]` Each is yielded once, in the order in which they settled, whoever settles first.
pub(crate) fn as_completed_against_two_settlers() {
    explore("as_completed", &["0 then 1", "1 then 0"], |seen| {
        let values = Values::default();
        let (one, other) = (promise(), promise());
        let value = values.make(1);
        let finisher = thread::spawn(move || one.0.finish(value).is_ok());
        let futures = [one.1, other.1];
        let iterator = as_completed(&futures, None);
        assert_eq!(futures[1].cancel(), Cancel::Now);
        let order: Vec<_> = iterator.map(|item| item.unwrap().0).collect();
        saw(
            seen,
            match order[..] {
                [0, 1] => "0 then 1",
                [1, 0] => "1 then 0",
                _ => panic!("each is yielded once: {order:?}"),
            },
        );
        assert!(finisher.join().unwrap());
        drop(other.0);
    });
}

/// `[wait-6]` An iterator that is dropped early leaves nothing behind.
pub(crate) fn a_dropped_iterator_against_a_settler() {
    explore("as_completed_dropped", &["yielded", "dropped"], |seen| {
        let values = Values::default();
        let (one, value) = (promise(), values.make(1));
        let finisher = thread::spawn(move || one.0.finish(value).is_ok());
        let future = one.1;
        let mut iterator = as_completed([&future], Some(std::time::Duration::ZERO));
        let yielded = matches!(iterator.next(), Some(Ok(_)));
        saw(seen, if yielded { "yielded" } else { "dropped" });
        drop(iterator);
        let taken = future.into_settled().unwrap().take();
        assert_eq!(taken.expect("the only handle").unwrap().number, 1);
        assert!(finisher.join().unwrap());
    });
}

/// `[wait-10]` Two settlers of futures of two types, and one who takes both by value: it is told of both.
pub(crate) fn join_of_two_types_against_two_settlers() {
    explore("join_two_types", &["none settled", "some settled"], |seen| {
        let values = Values::default();
        let (one, other) = (promise(), ThreadFuture::<u8, ()>::pair());
        let value = values.make(1);
        let finisher = thread::spawn(move || one.0.finish(value).is_ok());
        let second = thread::spawn(move || other.0.finish(2).is_ok());
        let settled = one.1.done() || other.1.done();
        saw(seen, if settled { "some settled" } else { "none settled" });
        let (first, number) = join((one.1, other.1), None).unwrap();
        assert_eq!((first.unwrap().number, number.unwrap()), (1, 2));
        assert!(finisher.join().unwrap() && second.join().unwrap());
    });
}

/// `[wait-10]` Who waits for the first of two types is told of one, and leaves nothing in the other.
pub(crate) fn select_of_two_types_against_two_settlers() {
    explore_deeply("select_two_types", &["first", "second"], |seen| {
        let values = Values::default();
        let (one, other) = (promise(), ThreadFuture::<u8, ()>::pair());
        let value = values.make(1);
        let finisher = thread::spawn(move || one.0.finish(value).is_ok());
        let second = thread::spawn(move || other.0.finish(2).is_ok());
        let first = match select((&one.1, &other.1), None).unwrap() {
            First::A(settled) => (settled.result().unwrap().number == 1, "first"),
            First::B(settled) => (settled.result().unwrap() == &2, "second"),
        };
        assert!(first.0);
        saw(seen, first.1);
        assert!(finisher.join().unwrap() && second.join().unwrap());
        assert_eq!(one.1.join().unwrap().number, 1, "the only handles");
        assert_eq!(other.1.join().unwrap(), 2);
    });
}
