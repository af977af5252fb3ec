//! Timed waits that expire at every possible moment: a [`Timer`] goes off in a thread of its own, of which loom has five.
//!
//! A scenario that never lets it go off shows that its wait needs no timer to end.

use std::{num::NonZero, time::Duration};

use loom::thread;
use settled::{
    Cancel, EventLoop, Executor, Expired, Interrupt, LoopRef, ReturnWhen, ThreadFuture, ThreadPool,
    Timer, WaitError, as_completed, bridge, tasks, wait,
};

use crate::explore::{Seen, Value, Values, explore, explore_bounded, explore_deeply, promise, saw};

const TIME: Duration = Duration::from_secs(1);

type Future = ThreadFuture<Value, Value>;

/// What a wait answered, that has its time.
fn answer(future: &Future) -> &'static str {
    match future.wait_timeout(TIME).map(settled::Settled::result) {
        Ok(Ok(_)) => "value",
        Ok(Err(_)) => "cancelled",
        Err(WaitError::Expired(Expired)) => "expired",
        Err(other) => panic!("{other:?}"),
    }
}

/// Nobody waits for the future. Asked before it is settled, which takes everybody out.
fn assert_unwaited(future: &Future) {
    assert!(format!("{future:?}").contains("waiters: 0, callbacks: 0"), "{future:?}");
}

/// Nothing of a wait is left in the future, which is settled: this is the only handle.
fn assert_only(future: Future) {
    assert_unwaited(&future);
    drop(future.into_settled().unwrap().take().expect("the only handle"));
}

/// `[wait-3]` A wait against a finish and the timer: it ends with either, and leaves the future as it is.
pub(crate) fn a_timed_wait_against_finish() {
    explore_deeply("expiry_finish", &["expired", "value"], |seen| {
        let (timer, values) = (Timer::new(), Values::default());
        let value = values.make(1);
        let (promise, future) = promise();
        let finisher = thread::spawn(move || promise.finish(value).is_ok());
        let ticking = thread::spawn(timer.alarm());
        saw(seen, answer(&future));
        assert!(finisher.join().unwrap());
        ticking.join().unwrap();
        assert_only(future);
    });
}

/// `[wait-9]` A wait against a finish and an interrupt: it ends with either, and leaves the future as it is. Three
/// preemptions are one for each of the threads.
pub(crate) fn an_interrupt_against_finish() {
    explore_bounded("interrupt_finish", &["interrupted", "value"], |seen| {
        let (interrupt, values) = (Interrupt::new(), Values::default());
        let value = values.make(1);
        let (promise, future) = promise();
        let finisher = thread::spawn(move || promise.finish(value).is_ok());
        let raises = interrupt.clone();
        let raising = thread::spawn(move || raises.interrupt());
        let entered = interrupt.enter();
        match future.wait() {
            Ok(_) => saw(seen, "value"),
            Err(error) => {
                assert_eq!(error, WaitError::Interrupted);
                saw(seen, "interrupted");
            }
        }
        drop(entered);
        assert!(finisher.join().unwrap());
        raising.join().unwrap();
        assert_only(future);
    });
}

/// `[wait-9]` An interrupt against a wait for several that nobody settles: it is not lost.
pub(crate) fn an_interrupt_against_several() {
    explore("interrupt_several", &["asleep", "awake"], |seen| {
        let interrupt = Interrupt::new();
        let (promises, futures): (Vec<_>, Vec<_>) = [promise(), promise()].into_iter().unzip();
        let raises = interrupt.clone();
        let raising = thread::spawn(move || raises.interrupt());
        let _entered = interrupt.enter();
        saw(seen, if interrupt.is_raised() { "awake" } else { "asleep" });
        let waited = wait(&futures, None, ReturnWhen::FirstCompleted);
        assert_eq!(waited.unwrap_err(), WaitError::Interrupted);
        raising.join().unwrap();
        futures.iter().for_each(assert_unwaited);
        drop(promises);
        futures.into_iter().for_each(assert_only);
    });
}

/// `[wait-9]` The same for the end of a pool, which goes on.
pub(crate) fn an_interrupt_against_the_end_of_a_pool() {
    explore_bounded("interrupt_pool", &["ended", "interrupted"], |seen| {
        let interrupt = Interrupt::new();
        let pool = ThreadPool::new(NonZero::<usize>::MIN);
        let job = pool.submit(|| 7).unwrap();
        let raises = interrupt.clone();
        let raising = thread::spawn(move || raises.interrupt());
        let entered = interrupt.enter();
        let shut = pool.shutdown();
        drop(entered);
        saw(seen, if shut.is_ok() { "ended" } else { "interrupted" });
        assert!(shut.is_ok_and(|()| job.done()) || shut == Err(WaitError::Interrupted));
        assert_eq!(job.result().unwrap(), &7);
        raising.join().unwrap();
    });
}

/// `[wait-3]` The same as the first against a cancel. Three preemptions are one for each of the threads: within its wait, its cancel
/// and its alarm.
pub(crate) fn a_timed_wait_against_cancel() {
    explore_bounded("expiry_cancel", &["cancelled", "expired"], |seen| {
        let timer = Timer::new();
        let (promise, future) = promise();
        let cancels = future.clone();
        let canceller = thread::spawn(move || cancels.cancel() == Cancel::Now);
        let ticking = thread::spawn(timer.alarm());
        saw(seen, answer(&future));
        assert!(canceller.join().unwrap());
        ticking.join().unwrap();
        assert!(future.cancelled());
        drop(promise);
    });
}

/// `[wait-3]` A future that is settled before the deadline passes is settled, whatever the wait does meanwhile.
pub(crate) fn a_settlement_before_the_deadline() {
    explore("expiry_settled", &["value"], |seen| {
        let (timer, values) = (Timer::new(), Values::default());
        let value = values.make(1);
        let (promise, future) = promise();
        let expires = timer.alarm();
        let finisher = thread::spawn(move || {
            promise.finish(value).unwrap();
            expires();
        });
        saw(seen, answer(&future));
        finisher.join().unwrap();
        assert_only(future);
    });
    explore("expiry_settled_of_several", &["settled"], |seen| {
        let (timer, values) = (Timer::new(), Values::default());
        let value = values.make(1);
        let (promise, future) = promise();
        let expires = timer.alarm();
        let finisher = thread::spawn(move || {
            promise.finish(value).unwrap();
            expires();
        });
        let (done, _) = wait([&future], Some(TIME), ReturnWhen::AllCompleted).unwrap();
        assert_eq!(done.len(), 1, "it was settled before the time was over");
        saw(seen, "settled");
        finisher.join().unwrap();
        assert_only(future);
    });
}

/// `[wait-1]` `[wait-5]` A timed wait whose time is not over ends by the settlement alone.
pub(crate) fn a_timed_wait_without_expiry() {
    explore("no_expiry", &["value"], |seen| {
        let (_timer, values) = (Timer::new(), Values::default());
        let value = values.make(1);
        let (promise, future) = promise();
        let finisher = thread::spawn(move || promise.finish(value).is_ok());
        saw(seen, answer(&future));
        assert!(finisher.join().unwrap());
    });
    explore("no_expiry_of_several", &["settled"], |seen| {
        let (_timer, values) = (Timer::new(), Values::default());
        let value = values.make(1);
        let (promise, future) = promise();
        let finisher = thread::spawn(move || promise.finish(value).is_ok());
        let (done, _) = wait([&future], Some(TIME), ReturnWhen::AllCompleted).unwrap();
        assert_eq!(done.len(), 1);
        saw(seen, "settled");
        assert!(finisher.join().unwrap());
    });
    explore("no_expiry_of_a_timer", &["post"], |seen| {
        let _timer = Timer::new();
        let event_loop = EventLoop::new();
        let handle = event_loop.handle();
        let poster = thread::spawn(move || handle.stop());
        let call = event_loop.call_later(TIME, || panic!("it is not due"));
        event_loop.run_forever().unwrap();
        saw(seen, "post");
        drop(call.unwrap());
        poster.join().unwrap();
    });
}

/// Waits for two futures, of which another thread settles one. The other is cancelled before, or never settles.
fn of_two(seen: &Seen, return_when: ReturnWhen) {
    let (timer, values) = (Timer::new(), Values::default());
    let (one, other) = (promise(), promise());
    let value = values.make(1);
    let finisher = thread::spawn(move || one.0.finish(value).is_ok());
    let ticking = thread::spawn(timer.alarm());
    let futures = [one.1, other.1];
    if return_when == ReturnWhen::AllCompleted {
        assert_eq!(futures[1].cancel(), Cancel::Now);
    }
    let (done, not_done) = wait(&futures, Some(TIME), return_when).unwrap();
    assert_eq!(done.len() + not_done.len(), 2);
    saw(seen, ["none", "one", "both"][done.len()]);
    assert!(finisher.join().unwrap());
    ticking.join().unwrap();
    futures.iter().for_each(assert_unwaited);
    drop(other.0);
    futures.into_iter().for_each(assert_only);
}

/// `[wait-5]` Who waits for all has each that is settled among those that are done, whenever the time is over. Three
/// preemptions lose the wake-up of each of the two threads that there are to wake it.
pub(crate) fn a_timed_wait_for_all() {
    explore_bounded("expiry_all", &["both", "one"], |seen| of_two(seen, ReturnWhen::AllCompleted));
}

/// `[wait-5]` The same for the first.
pub(crate) fn a_timed_wait_for_the_first() {
    explore_bounded("expiry_first", &["none", "one"], |seen| {
        of_two(seen, ReturnWhen::FirstCompleted)
    });
}

/// `[wait-6]` What is ready when the time is over is yielded, then the expiry, then nothing. The bound is as for `wait`.
pub(crate) fn as_completed_that_expires() {
    explore_bounded("expiry_as_completed", &["expired", "yielded"], |seen| {
        let (timer, values) = (Timer::new(), Values::default());
        let (one, other) = (promise(), promise());
        let value = values.make(1);
        let finisher = thread::spawn(move || one.0.finish(value).is_ok());
        let futures = [one.1, other.1];
        let iterator = as_completed(&futures, Some(TIME));
        // It counts from the call: a timer that goes off before would be none.
        let ticking = thread::spawn(timer.alarm());
        let items: Vec<_> = iterator.collect();
        match &items[..] {
            [Ok((0, _)), Err(WaitError::Expired(_))] => saw(seen, "yielded"),
            [Err(WaitError::Expired(_))] => saw(seen, "expired"),
            other => panic!("{other:?}"),
        }
        drop(items);
        assert!(finisher.join().unwrap());
        ticking.join().unwrap();
        futures.iter().for_each(assert_unwaited);
        drop(other.0);
        futures.into_iter().for_each(assert_only);
    });
}

/// `[loop-6]` `[loop-9]` A loop that sleeps for a timer is woken by it, and by a post before.
pub(crate) fn a_sleeping_loop_against_a_post() {
    explore_bounded("expiry_loop", &["post", "timer"], |seen| {
        let timer = Timer::new();
        let event_loop = EventLoop::new();
        let handle = event_loop.handle();
        let poster = thread::spawn(move || handle.stop());
        let ticking = thread::spawn(timer.alarm());
        let due = std::rc::Rc::new(std::cell::Cell::new(false));
        let (over, here) = (due.clone(), (*event_loop).clone());
        let call = event_loop.call_later(TIME, move || {
            over.set(true);
            here.stop();
        });
        event_loop.run_forever().unwrap();
        saw(seen, if due.get() { "timer" } else { "post" });
        drop(call.unwrap());
        poster.join().unwrap();
        ticking.join().unwrap();
    });
}

/// `[combine-2]` `wait_for` against a finish of another thread: what is delivered in time is its value; otherwise the
/// future is cancelled, or settled after all.
pub(crate) fn wait_for_against_finish() {
    explore_bounded("expiry_wait_for", &["timed out", "value"], |seen| {
        let timer = Timer::new();
        let (promise, future) = ThreadFuture::<u8, u8>::pair();
        let finisher = thread::spawn(move || promise.finish(1).is_ok());
        let ticking = thread::spawn(timer.alarm());
        let event_loop = EventLoop::new();
        let ended = event_loop.run_until_complete(async {
            let here = LoopRef::current().unwrap();
            tasks::wait_for(bridge::wrap_future(&future, &here), TIME).await.is_ok()
        });
        let (in_time, finished) = (ended.unwrap(), finisher.join().unwrap());
        ticking.join().unwrap();
        // The view may not know yet of what has finished; a value that nobody was told of stays readable.
        assert!(!in_time || finished);
        assert_eq!(future.cancelled(), !finished);
        saw(seen, if in_time { "value" } else { "timed out" });
    });
}
