//! Callbacks: each once, in order, over a whole outcome.
//!
//! A callback only writes down what it saw. An assertion inside it would be isolated like any panic
//! of a callback.

use std::sync::{Arc, Mutex};

use loom::thread::{self, ThreadId};
use settled::{Cancel, Settled, ThreadFuture};

use crate::explore::{Value, Values, explore, explore_bounded, explore_deeply, promise, saw};

/// Who ran, where, and the value it was shown.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Entry>>>);

type Entry = (&'static str, ThreadId, Option<u32>);

impl Log {
    fn callback(&self, name: &'static str) -> impl FnOnce(&Settled<Value, Value>) + Send + 'static {
        let log = self.clone();
        move |settled| {
            let number = settled.result().ok().map(|value| value.number);
            log.0.lock().unwrap().push((name, thread::current().id(), number));
        }
    }

    fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap().clone()
    }

    fn names(&self) -> Vec<&'static str> {
        self.entries().into_iter().map(|(name, ..)| name).collect()
    }
}

/// `[callback-1]` `[settled-3]` While callbacks are lent the outcome it cannot be taken; afterwards it can. It is never both.
pub(crate) fn callback_against_take() {
    explore("callback_take", &["lent", "taken"], |seen| {
        let values = Values::default();
        let value = values.make(1);
        let log = Log::default();
        let (promise, future) = promise();
        future.add_done_callback(log.callback("first"));
        let finisher = thread::spawn(move || promise.finish(value));
        match future.into_settled().unwrap().take() {
            Ok(value) => {
                assert_eq!(value.unwrap().number, 1);
                assert_eq!(log.names(), ["first"], "taken from under a callback");
                saw(seen, "taken");
            }
            Err(lent) => {
                assert_eq!(lent.result().unwrap().number, 1);
                saw(seen, "lent");
            }
        }
        let here = finisher.thread().id();
        finisher.join().unwrap().unwrap();
        assert_eq!(log.entries(), [("first", here, Some(1))]);
    });
}

/// `[callback-1]` `[callback-2]` Each callback runs once, wherever the settlement falls. Those that the settling thread runs, it
/// runs in registration order.
pub(crate) fn two_registrants_against_finish() {
    explore_deeply("two_registrants_finish", &["after", "before", "between"], |seen| {
        let values = Values::default();
        let value = values.make(1);
        let log = Log::default();
        let (promise, future) = promise();
        let future = Arc::new(future);
        future.add_done_callback(log.callback("first"));
        let register = |names: &'static [&'static str]| {
            let (future, log) = (Arc::clone(&future), log.clone());
            thread::spawn(move || {
                names.iter().for_each(|name| future.add_done_callback(log.callback(name)));
            })
        };
        let registrants = [register(&["a"]), register(&["b", "c"])];
        let here = thread::current().id();
        promise.finish(value).unwrap();
        for registrant in registrants {
            registrant.join().unwrap();
        }
        let entries = log.entries();
        let run_here: Vec<_> =
            entries.iter().filter(|(_, id, _)| *id == here).map(|(name, ..)| *name).collect();
        let run_late: Vec<_> =
            entries.iter().filter(|(_, id, _)| *id != here).map(|(name, ..)| *name).collect();
        assert!(entries.iter().all(|(.., number)| *number == Some(1)));
        assert_eq!(run_here[0], "first");
        assert_order(&run_here);
        assert_order(&run_late);
        let mut names = log.names();
        names.sort_unstable();
        assert_eq!(names, ["a", "b", "c", "first"]);
        saw(
            seen,
            match run_here.len() {
                1 => "before",
                4 => "after",
                _ => "between",
            },
        );
    });
}

/// The thread that registered `c` had registered `b` before.
fn assert_order(names: &[&str]) {
    let place = |name| names.iter().position(|other| *other == name);
    if let (Some(b), Some(c)) = (place("b"), place("c")) {
        assert!(b < c, "{names:?}");
    }
}

/// `[cell-1]` `[cancel-1]` Two cancellers and a late callback: one of them cancels, and the callback runs once, in its
/// thread or at once.
pub(crate) fn registrant_against_two_cancels() {
    explore("registrant_cancels", &["at once", "by the first", "by the second"], |seen| {
        let log = Log::default();
        let (promise, future) = promise();
        let future = Arc::new(future);
        let cancel = |future: &Arc<ThreadFuture<Value, Value>>| {
            let future = Arc::clone(future);
            thread::spawn(move || future.cancel())
        };
        let (first, second) = (cancel(&future), cancel(&future));
        let (first_id, second_id) = (first.thread().id(), second.thread().id());
        future.add_done_callback(log.callback("only"));
        let answers = (first.join().unwrap(), second.join().unwrap());
        let winner = match answers {
            (Cancel::Now, Cancel::Already) => first_id,
            (Cancel::Already, Cancel::Now) => second_id,
            contradiction => panic!("{contradiction:?}"),
        };
        match log.entries()[..] {
            [("only", id, None)] if id == thread::current().id() => saw(seen, "at once"),
            [("only", id, None)] if id == winner => {
                saw(seen, if id == first_id { "by the first" } else { "by the second" });
            }
            ref entries => panic!("{entries:?}"),
        }
        drop(promise);
    });
}

/// `[callback-9]` The callbacks are dropped while one is registered and while the work settles: each is dropped or runs,
/// and none is left. Three preemptions are one for each of those who register, clear and settle.
pub(crate) fn a_clear_against_a_registration_and_finish() {
    explore_bounded("callback_clear", &["none ran", "one ran", "both ran"], |seen| {
        let values = Values::default();
        let value = values.make(1);
        let log = Log::default();
        let (promise, future) = promise();
        future.add_done_callback(log.callback("first"));
        let future = Arc::new(future);
        let registers = thread::spawn({
            let (future, log) = (Arc::clone(&future), log.clone());
            move || future.add_done_callback(log.callback("second"))
        });
        let settles = thread::spawn(move || promise.finish(value).unwrap());
        let cleared = future.clear_done_callbacks();
        registers.join().unwrap();
        settles.join().unwrap();
        let ran = log.names().len();
        assert_eq!(cleared + ran, 2);
        assert_eq!(Arc::strong_count(&log.0), 1, "none is left");
        assert_eq!(future.clear_done_callbacks(), 0);
        saw(seen, ["none ran", "one ran", "both ran"][ran]);
    });
}
