//! `RUSTFLAGS="--cfg settled_loom" cargo test`: under every schedule; with `settled_shuttle`, under some.
//! Without, once, as it comes.

#[macro_use]
#[path = "../../support/watchdog.rs"]
mod watchdog;

use settled::{Cancel, ThreadFuture};
use settled_schedules::{Count, Stock, sync::Arc, thread};

/// Somebody pays, and somebody takes.
fn sell(take: fn(&Stock, &ThreadFuture<u32, ()>) -> Option<u32>) {
    let stock = Arc::new(Stock::new(5));
    let (promise, bill) = ThreadFuture::pair();
    let billing = thread::spawn({
        let stock = Arc::clone(&stock);
        move || promise.finish(stock.price()).unwrap()
    });
    assert_eq!(take(&stock, &bill), Some(4));
    billing.join().unwrap();
    assert_eq!(bill.result().unwrap(), &20);
}

/// Two futures end in two threads, and are counted.
fn count(watch: fn(&Count, &ThreadFuture<u32, ()>)) {
    let count = Count::default();
    let (promise, future) = ThreadFuture::pair();
    let (other_promise, other) = ThreadFuture::pair();
    watch(&count, &future);
    watch(&count, &other);
    let finishes = thread::spawn(move || promise.finish(1).unwrap());
    let fails = thread::spawn(move || other_promise.fail(()).unwrap());
    finishes.join().unwrap();
    fails.join().unwrap();
    assert_eq!(count.get(), 2);
}

/// A cancel that may come too late.
fn cancel() {
    let (promise, future) = ThreadFuture::<u32, ()>::pair();
    let works = thread::spawn(move || promise.start().map(|running| running.finish(7)).is_ok());
    let cancelled = future.cancel() == Cancel::Now;
    let ran = works.join().unwrap();
    assert_ne!(ran, cancelled, "it ran, or was cancelled");
    assert_eq!(future.result().is_ok(), ran);
}

#[cfg(any(settled_loom, settled_shuttle))]
mod broken {
    use std::{
        env,
        process::{Command, Stdio},
    };

    /// Says that a test is to explore what is broken.
    const BROKEN: &str = "SETTLED_BROKEN";

    pub(crate) fn is_broken() -> bool {
        env::var_os(BROKEN).is_some()
    }

    /// That the test fails if what it explores is broken, and says this. In a process of its own: who has found a
    /// deadlock may end with it.
    pub(crate) fn must_fail(test: &str, says: &str) {
        if is_broken() {
            return;
        }
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", test, "--nocapture"]).env(BROKEN, "");
        let output = child.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(says), "not \"{says}\":\n{said}");
    }
}

#[cfg(settled_shuttle)]
mod sampled {
    use settled::schedules::sample;

    use super::{broken::*, *};

    /// Of schedules that are more than could be gone through, so many.
    const SCHEDULES: usize = 2_000;

    /// So many who pay and who take.
    fn sell_to_many(take: fn(&Stock, &ThreadFuture<u32, ()>) -> Option<u32>) {
        const MANY: u32 = 4;
        let stock = Arc::new(Stock::new(MANY + 1));
        let sale = |_| {
            let (promise, bill) = ThreadFuture::pair();
            let [for_billing, for_taking] = [Arc::clone(&stock), Arc::clone(&stock)];
            let billing = thread::spawn(move || promise.finish(for_billing.price()).unwrap());
            let taking = thread::spawn(move || take(&for_taking, &bill).unwrap());
            (billing, taking)
        };
        let sales: Vec<_> = (0..MANY).map(sale).collect();
        let mut left = Vec::new();
        for (billing, taking) in sales {
            billing.join().unwrap();
            left.push(taking.join().unwrap());
        }
        left.sort_unstable();
        assert_eq!(left, [1, 2, 3, 4]);
    }

    #[test]
    fn many_sell_without_a_deadlock() {
        watch!();
        must_fail("sampled::many_sell_without_a_deadlock", "deadlock");
        let take = if is_broken() { Stock::take_holding } else { Stock::take };
        sample(1, SCHEDULES, move || sell_to_many(take));
        println!("schedules: {SCHEDULES} of nine threads");
    }

    #[test]
    fn what_is_explored_is_sampled_too() {
        watch!();
        sample(3, SCHEDULES, || {
            sell(Stock::take);
            count(Count::watch);
            cancel();
        });
    }

    #[test]
    fn what_a_callback_finds_in_one_schedule_is_not_lost() {
        watch!();
        must_fail(
            "sampled::what_a_callback_finds_in_one_schedule_is_not_lost",
            "panicked in a callback",
        );
        let broken = is_broken();
        sample(2, SCHEDULES, move || {
            let (promise, future) = ThreadFuture::<u32, ()>::pair();
            future.add_done_callback(move |settled| assert!(!broken || settled.cancelled()));
            let other = thread::spawn(move || promise.finish(1).is_ok());
            let _now_or_too_late = future.cancel();
            other.join().unwrap();
        });
    }
}

#[cfg(settled_loom)]
mod explored {
    use settled::schedules::{explore, explore_bounded};

    use super::{broken::*, *};

    #[test]
    fn no_lock_is_held_over_result() {
        watch!();
        must_fail("explored::no_lock_is_held_over_result", "deadlock");
        explore(if is_broken() { || sell(Stock::take_holding) } else { || sell(Stock::take) });
    }

    #[test]
    fn two_callbacks_lose_no_update() {
        watch!();
        must_fail("explored::two_callbacks_lose_no_update", "left: 1");
        let watch = if is_broken() { Count::watch_in_two_steps } else { Count::watch };
        explore_bounded(2, move || count(watch));
    }

    #[test]
    fn a_cancel_wins_or_loses() {
        watch!();
        let schedules = explore(cancel);
        println!("schedules: {schedules} of a cancel against work");
    }

    #[test]
    fn what_a_callback_finds_is_not_lost() {
        watch!();
        must_fail("explored::what_a_callback_finds_is_not_lost", "panicked in a callback");
        let broken = is_broken();
        explore(move || {
            let (promise, future) = ThreadFuture::<u32, ()>::pair();
            future.add_done_callback(move |settled| assert!(!broken || settled.cancelled()));
            let other = thread::spawn(move || promise.finish(1).is_ok());
            let _now_or_too_late = future.cancel();
            other.join().unwrap();
        });
    }

    #[test]
    fn what_has_one_schedule_shows_nothing() {
        watch!();
        must_fail("explored::what_has_one_schedule_shows_nothing", "one schedule only");
        let broken = is_broken();
        explore(move || {
            let (promise, future) = ThreadFuture::<u32, ()>::pair();
            let finish = move || promise.finish(1).unwrap();
            if broken {
                finish();
            } else {
                let other = thread::spawn(finish);
                let _early_or_late = future.done();
                other.join().unwrap();
            }
            assert!(future.done());
        });
    }
}

#[cfg(not(any(settled_loom, settled_shuttle)))]
#[test]
fn as_it_comes() {
    watch!();
    sell(Stock::take);
    count(Count::watch);
    cancel();
}
