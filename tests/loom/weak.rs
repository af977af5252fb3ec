//! A weak handle against whoever gives up the last of the others, and against the settlement.

use loom::thread;

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
