//! A weak handle against whoever gives up the last of the others, and against the settlement.

use std::{
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use loom::thread;
use settled::{Cancel, EventLoop, Refusal, bridge};

use crate::explore::{Values, explore, promise, saw};

/// `[weak-1]` `[weak-2]` The last handle goes while a weak one becomes another: it finds the future, or the value has gone.
pub(crate) fn an_upgrade_against_the_last_handle() {
    explore("weak_last", &["found", "gone"], |seen| {
        let values = Values::default();
        let value = values.make(1);
        let (promise, future) = promise();
        let weak = future.downgrade();
        assert!(promise.finish(value).is_ok());
        let drops = thread::spawn(move || drop(future));
        let upgrades = thread::spawn(move || weak.upgrade().map(|it| it.result().unwrap().number));
        drops.join().unwrap();
        match upgrades.join().unwrap() {
            Some(number) => {
                assert_eq!(number, 1);
                saw(seen, "found");
            }
            None => saw(seen, "gone"),
        }
    });
}

/// `[weak-1]` `[promise-9]` The value comes back if and only if the weak handle found nobody.
pub(crate) fn an_upgrade_against_the_value() {
    explore("weak_value", &["was seen", "came back", "came first"], |seen| {
        let values = Values::default();
        let value = values.make(1);
        let (promise, future) = promise();
        let weak = future.downgrade();
        let drops = thread::spawn(move || drop(future));
        let upgrades = thread::spawn(move || weak.upgrade());
        let returned = promise.finish_or_return(value).map_err(|lost| lost.value.number);
        let found = upgrades.join().unwrap();
        drops.join().unwrap();
        match (returned, found) {
            (Ok(()), Some(found)) => {
                assert_eq!(found.join().unwrap().number, 1);
                saw(seen, "was seen");
            }
            (Ok(()), None) => saw(seen, "came first"),
            (Err(number), None) => {
                assert_eq!(number, 1);
                saw(seen, "came back");
            }
            (Err(_), Some(found)) => panic!("it came back, and is seen by {found:?}"),
        }
    });
}

/// `[weak-2]` The last of all goes in one of three threads, a weak one, a handle or the promise.
pub(crate) fn a_weak_handle_against_the_last_handle_and_finish() {
    explore("weak_frees", &["seen", "unseen"], |seen| {
        let values = Values::default();
        let value = values.make(1);
        let (promise, future) = promise();
        let weak = future.downgrade();
        let drops = thread::spawn(move || drop(weak));
        let leaves = thread::spawn(move || drop(future));
        saw(seen, if promise.finish_or_return(value).is_ok() { "seen" } else { "unseen" });
        drops.join().unwrap();
        leaves.join().unwrap();
    });
}

/// A value that can be dropped in one thread alone.
struct Stays {
    home: thread::ThreadId,
    _local: Rc<()>,
}

impl Drop for Stays {
    fn drop(&mut self) {
        assert_eq!(thread::current().id(), self.home, "dropped in another thread");
    }
}

/// `[cancel-10]` Another thread cancels a loop future and lets go of it, while its own thread gives it a value and drops all
/// that there is. The value stays where it is, whoever is last.
pub(crate) fn a_cancel_handle_against_finish_and_the_last_handle() {
    explore("weak_cancel", &["cancelled", "refused"], |seen| {
        let event_loop = EventLoop::new();
        let (promise, future) = event_loop.create_future::<Stays, ()>();
        let handle = future.cancel_handle();
        let cancels = thread::spawn(move || handle.cancel());
        let value = Stays { home: thread::current().id(), _local: Rc::new(()) };
        let is_lost = promise.finish(value).is_err();
        drop(future);
        let answer = cancels.join().unwrap();
        if is_lost {
            assert_eq!(answer, Cancel::Now);
            saw(seen, "cancelled");
        } else {
            assert_eq!(answer, Cancel::Refused(Refusal::Finished));
            saw(seen, "refused");
        }
    });
}

/// `[cancel-10]` The callback of a thread future has the outcome, although all the other handles go meanwhile.
pub(crate) fn a_cancel_handle_with_a_callback_against_the_last_handle() {
    explore("weak_cancel_callback", &["was first", "was late"], |seen| {
        let event_loop = EventLoop::new();
        let (promise, future) = event_loop.create_future::<u8, ()>();
        let handle = future.cancel_handle();
        let calls = Arc::new(AtomicUsize::new(0));
        let counts = Arc::clone(&calls);
        bridge::thread_future(&future).add_done_callback(move |settled| {
            assert!(settled.cancelled());
            counts.fetch_add(1, Relaxed);
        });
        drop(future);
        let cancels = thread::spawn(move || handle.cancel());
        drop(promise);
        match cancels.join().unwrap() {
            Cancel::Now => saw(seen, "was first"),
            answer => {
                assert_eq!(answer, Cancel::Already);
                saw(seen, "was late");
            }
        }
        assert_eq!(calls.load(Relaxed), 1, "the callback was not called once");
    });
}

/// `[weak-2]` Two weak handles go in two threads while the last handle goes in a third: whoever is last frees, after both.
pub(crate) fn two_weak_handles_against_the_last_handle() {
    explore("weak_two", &["found", "gone"], |seen| {
        let (promise, future) = promise();
        let (one, other) = (future.downgrade(), future.downgrade());
        drop(promise);
        let drops = thread::spawn(move || drop(one));
        let upgrades = thread::spawn(move || other.upgrade().is_some());
        drop(future);
        drops.join().unwrap();
        saw(seen, if upgrades.join().unwrap() { "found" } else { "gone" });
    });
}
