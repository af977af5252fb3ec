//! Taking by value: the only handle is never refused, nothing is taken from under a callback, and of several one takes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use loom::thread;
use settled::{
    Cancel, Closed, Executor, Job, JoinError, Settled, ThreadFuture, Timer, as_completed,
};

use crate::{
    deferred::inside_two,
    explore::{
        Seen, Value, Values, block_on, explore, explore_bounded, explore_deeply, promise, saw,
    },
};

/// Counts callbacks that have begun, and those that have returned.
#[derive(Clone, Default)]
struct Calls(Arc<[AtomicUsize; 2]>);

impl Calls {
    fn callback<T, E>(&self) -> impl FnOnce(&Settled<T, E>) + Send + 'static
    where
        T: Sync,
        E: Sync,
    {
        let calls = self.clone();
        move |settled| {
            calls.0[0].fetch_add(1, Ordering::Relaxed);
            // Others come in between, at the lock of the cell.
            drop(settled.clone());
            calls.0[1].fetch_add(1, Ordering::Relaxed);
        }
    }

    fn begun(&self) -> usize {
        self.0[0].load(Ordering::Relaxed)
    }

    fn returned(&self) -> usize {
        self.0[1].load(Ordering::Relaxed)
    }
}

/// The only handle takes, by `takes`, against the settlement and a callback: what it found.
fn take(seen: &Seen, takes: fn(ThreadFuture<Value, Value>) -> Value) {
    let (values, calls) = (Values::default(), Calls::default());
    let value = values.make(1);
    let (promise, future) = promise();
    future.add_done_callback(calls.callback());
    let finisher = thread::spawn(move || promise.finish(value));
    saw(
        seen,
        match (future.done(), calls.returned()) {
            (false, _) => "unsettled",
            (true, 0) => "lent",
            (true, _) => "returned",
        },
    );
    let value = takes(future);
    assert_eq!((value.number, calls.returned()), (1, 1), "taken from under a callback");
    finisher.join().unwrap().unwrap();
}

/// `[settled-5]` The only handle waits for the settlement and for the callback, and has the value then.
pub(crate) fn join_against_a_callback() {
    explore("join_callback", &["lent", "returned", "unsettled"], |seen| {
        take(seen, |future| future.join().expect("the only handle"));
    });
}

/// Runs each job in a thread of its own.
struct Threads;

impl Executor for Threads {
    fn execute(&self, job: Job) -> Result<(), Closed<Job>> {
        thread::spawn(|| job.run());
        Ok(())
    }
}

/// `[callback-10]` The same for a callback that was sent to another thread: nothing is taken from under it.
pub(crate) fn join_against_a_callback_that_is_sent() {
    explore_deeply("join_sent", &["settled", "unsettled"], |seen| {
        let (values, calls) = (Values::default(), Calls::default());
        let (promise, future) = promise();
        future.add_done_callback_on(Threads, calls.callback());
        let value = values.make(1);
        let finisher = thread::spawn(move || promise.finish(value));
        saw(seen, if future.done() { "settled" } else { "unsettled" });
        assert_eq!(future.join().expect("the only handle").number, 1);
        assert_eq!(calls.returned(), 1);
        finisher.join().unwrap().unwrap();
    });
}

/// `[settled-5]` The same for an await.
pub(crate) fn output_against_a_callback() {
    explore("output_callback", &["lent", "returned", "unsettled"], |seen| {
        take(seen, |future| block_on(future.output()).expect("the only handle"));
    });
}

/// `[wait-8]` So does the iterator for its futures by value, and each is yielded once.
pub(crate) fn as_completed_by_value_against_a_callback() {
    explore("join_completed", &["first", "last"], |seen| {
        let (values, calls) = (Values::default(), Calls::default());
        let (value, other) = (values.make(1), values.make(2));
        let (one, two) = (promise(), promise());
        one.1.add_done_callback(calls.callback());
        let finisher = thread::spawn(move || one.0.finish(value));
        let results = as_completed([one.1, two.1], None);
        two.0.finish(other).unwrap();
        let mut order = Vec::new();
        for item in results {
            let (place, value) = item.unwrap();
            assert_eq!(value.expect("the only handle").number, [1, 2][place]);
            assert!(place == 1 || calls.returned() == 1, "taken from under a callback");
            order.push(place);
        }
        saw(
            seen,
            match order[..] {
                [0, 1] => "first",
                [1, 0] => "last",
                _ => panic!("each is yielded once: {order:?}"),
            },
        );
        finisher.join().unwrap().unwrap();
    });
}

/// `[settled-5]` A callback that is registered late and deferred lends anew: who was told of the end of the first lending
/// waits for the end of the next.
pub(crate) fn a_join_against_a_late_callback() {
    explore_deeply("join_late", &["shared", "taken"], |seen| {
        let calls = Calls::default();
        let (promise, future) = ThreadFuture::<u8, u8>::pair();
        future.add_done_callback(|_| ());
        let (other, late) = (future.clone(), calls.clone());
        let lender = thread::spawn(move || {
            promise.finish(1).unwrap();
            inside_two(move || other.add_done_callback(late.callback()));
        });
        match future.join() {
            Ok(1) => {
                assert_eq!(calls.returned(), 1, "taken from under a callback");
                saw(seen, "taken");
            }
            Err(JoinError::Shared) => saw(seen, "shared"),
            other => panic!("{other:?}"),
        }
        lender.join().unwrap();
        assert_eq!([calls.begun(), calls.returned()], [1, 1]);
    });
}

/// `[settled-5]` Of two handles that take, one gets the value, whoever is first, and no sooner than the callback has
/// returned. Three preemptions are one for each of the threads: within its join, its join and its finish.
pub(crate) fn two_joins_against_a_callback() {
    explore_bounded("two_joins", &["first", "second"], |seen| {
        let (values, calls) = (Values::default(), Calls::default());
        let value = values.make(1);
        let (promise, future) = promise();
        future.add_done_callback(calls.callback());
        let other = future.clone();
        let finisher = thread::spawn(move || promise.finish(value));
        let second = thread::spawn(move || other.join());
        let joined = [future.join(), second.join().unwrap()];
        assert_eq!(calls.returned(), 1, "answered before the callback had returned");
        match joined {
            [Ok(value), Err(JoinError::Shared)] => saw(seen, ("first", value.number).0),
            [Err(JoinError::Shared), Ok(value)] => saw(seen, ("second", value.number).0),
            other => panic!("{other:?}"),
        }
        finisher.join().unwrap().unwrap();
    });
}

/// `[settled-5]` A cancellation is given to every handle, also while another's callbacks run.
pub(crate) fn join_against_cancel() {
    explore("join_cancel", &["cancelled"], |seen| {
        let calls = Calls::default();
        let (promise, future) = promise();
        future.add_done_callback(calls.callback());
        let cancels = future.clone();
        let canceller = thread::spawn(move || cancels.cancel());
        let failure = future.join().unwrap_err().into_failure().unwrap();
        assert!(failure.is_cancelled());
        assert_eq!(canceller.join().unwrap(), Cancel::Now);
        assert_eq!([calls.begun(), calls.returned()], [1, 1]);
        drop(promise);
        saw(seen, "cancelled");
    });
}

/// `[settled-5]` Time that is over before the callback has returned hands the future back, which can be joined again.
/// Three preemptions are one for each of the threads: within its join, its callback and its alarm.
pub(crate) fn a_timed_join_against_a_callback() {
    explore_bounded("join_expiry", &["expired, lent", "expired, unsettled", "taken"], |seen| {
        let (timer, values, calls) = (Timer::new(), Values::default(), Calls::default());
        let value = values.make(1);
        let (promise, future) = promise();
        future.add_done_callback(calls.callback());
        let finisher = thread::spawn(move || promise.finish(value));
        let ticking = thread::spawn(timer.alarm());
        let value = match future.join_timeout(Duration::from_secs(1)) {
            Ok(value) => {
                saw(seen, "taken");
                value
            }
            Err(JoinError::Back(back)) => {
                let future = back.into_future();
                saw(seen, if future.done() { "expired, lent" } else { "expired, unsettled" });
                future.join().expect("the only handle")
            }
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!((value.number, calls.returned()), (1, 1), "taken from under a callback");
        finisher.join().unwrap().unwrap();
        ticking.join().unwrap();
    });
}
