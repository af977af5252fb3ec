//! The thread flavour, clause by clause.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

#[path = "support/log.rs"]
mod log;
#[path = "support/waker.rs"]
mod waker;

use std::{
    cell::Cell,
    convert::Infallible,
    error::Error,
    future::IntoFuture,
    panic::panic_any,
    pin::pin,
    sync::{
        Arc, Barrier, Mutex,
        mpsc::{self, Receiver},
    },
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

use log::Log;
use settled::{
    Cancel, Cancelled, Expired, Failure, InvalidState, Lost, NoValue, Panic, Refusal, ThreadFuture,
    WaitError, WouldDeadlock, context,
};
use waker::CountingWaker;

type Future = ThreadFuture<u32, String>;

const LONG: Duration = Duration::from_secs(600);

fn finished(value: u32) -> Future {
    let (promise, future) = Future::pair();
    promise.finish(value).unwrap();
    future
}

#[test]
fn the_loser_gets_its_value_back() {
    watch!();
    let (promise, future) = Future::pair();
    assert_eq!(future.cancel(), Cancel::Now);
    assert_eq!(promise.finish(1), Err(Lost { value: 1, cause: Cancelled::Requested }));

    let (promise, future) = Future::pair();
    assert_eq!(future.cancel(), Cancel::Now);
    let lost = promise.fail("why".into()).unwrap_err();
    assert_eq!(lost, Lost { value: "why".to_owned(), cause: Cancelled::Requested });

    let (promise, future) = Future::pair();
    assert_eq!(future.cancel(), Cancel::Now);
    assert_eq!(promise.start().unwrap_err(), Cancelled::Requested);
    assert!(future.cancelled());
}

#[test]
fn a_dropped_promise_settles_its_future() {
    watch!();
    let (promise, future) = Future::pair();
    drop(promise);
    let failure = future.try_result().unwrap_err();
    assert!(
        matches!(failure, NoValue::Failed(Failure::Cancelled(it)) if *it == Cancelled::Dropped)
    );
    assert!(future.cancelled());

    let (promise, future) = Future::pair();
    drop(promise.start().unwrap());
    assert!(matches!(future.try_result(), Err(NoValue::Failed(Failure::Abandoned))));
    assert!(future.done() && !future.cancelled() && !future.running());

    let (owner, waker) = CountingWaker::new();
    let (promise, future) = Future::owned_pair(waker);
    drop(promise);
    assert!(future.cancelled());
    assert_eq!(owner.count(), 0);
}

#[test]
fn running_work_cannot_lose() {
    watch!();
    let (promise, future) = Future::pair();
    let running = promise.start().unwrap();
    assert!(future.running() && !future.done());
    assert_eq!(future.cancel(), Cancel::Refused(Refusal::Running));
    running.finish(2);
    assert_eq!(future.result().unwrap(), &2);
    assert_eq!(future.cancel(), Cancel::Refused(Refusal::Finished));
    assert!(!future.running());
}

#[test]
fn every_outcome_can_be_read() {
    watch!();
    let (promise, future) = Future::pair();
    promise.fail("no".into()).unwrap();
    assert!(matches!(future.result(), Err(NoValue::Failed(Failure::Error(e))) if e == "no"));
    assert!(matches!(future.exception(), Ok(Some(Failure::Error(_)))));

    let (promise, future) = Future::pair();
    promise.start().unwrap().fail("no".into());
    assert!(matches!(future.result(), Err(NoValue::Failed(Failure::Error(_)))));

    let (promise, future) = Future::pair();
    promise.start().unwrap().panicked(Panic::new(Box::new("ouch")));
    let Some(Failure::Panicked(panic)) = future.exception().unwrap() else { panic!() };
    assert_eq!(panic.message(), "ouch");

    let future = finished(3);
    assert!(future.exception().unwrap().is_none());
    assert_eq!(future.try_result().unwrap(), &3);
    assert_eq!(future.settled().unwrap().result().unwrap(), &3);
    assert!(!future.settled().unwrap().cancelled());
}

#[test]
fn an_unsettled_future_is_not_read_but_waited_for() {
    watch!();
    let (promise, future) = Future::pair();
    assert!(future.settled().is_none());
    assert!(matches!(future.try_result(), Err(NoValue::Unsettled(InvalidState))));
    let reader = {
        let future = future.clone();
        thread::spawn(move || *future.result().unwrap())
    };
    promise.finish(4).unwrap();
    assert_eq!(reader.join().unwrap(), 4);
}

#[test]
fn a_panic_gives_its_message_by_reference_and_its_payload_by_value() {
    watch!();
    let texts: [(Box<dyn std::any::Any + Send>, &str); 3] =
        [(Box::new("a"), "a"), (Box::new("b".to_owned()), "b"), (Box::new(7), "(not a text)")];
    for (payload, message) in texts {
        assert_eq!(Panic::new(payload).message(), message);
    }
    assert_eq!(*Panic::new(Box::new(7)).into_payload().downcast::<i32>().unwrap(), 7);
}

#[test]
fn a_wait_ends_at_its_deadline_and_not_before() {
    watch!();
    let (promise, future) = Future::pair();
    let wait = Duration::from_millis(20);
    let begin = Instant::now();
    assert_eq!(future.wait_timeout(wait).unwrap_err(), WaitError::Expired(Expired));
    assert!(begin.elapsed() >= wait);
    let begin = Instant::now();
    assert_eq!(future.wait_deadline(begin + wait).unwrap_err(), WaitError::Expired(Expired));
    assert!(begin.elapsed() >= wait);
    // The future is untouched.
    promise.finish(5).unwrap();
    assert_eq!(future.wait_timeout(wait).unwrap().result().unwrap(), &5);
}

#[test]
fn spurious_wake_ups_do_not_move_the_deadline() {
    watch!();
    let (promise, future) = Future::pair();
    let wait = Duration::from_millis(30);
    let waiting = {
        let future = future.clone();
        thread::spawn(move || {
            let begin = Instant::now();
            future.wait_deadline(begin + wait).is_err() && begin.elapsed() >= wait
        })
    };
    // Unparks the waiting thread over and over: each is a spurious wake-up.
    while !waiting.is_finished() {
        waiting.thread().unpark();
        thread::yield_now();
    }
    assert!(waiting.join().unwrap());
    drop(promise);
}

#[test]
fn a_spuriously_woken_wait_goes_on() {
    watch!();
    let (promise, future) = Future::pair();
    let (tell, told) = mpsc::channel();
    let waiting = thread::spawn(move || {
        // A token that ends the first park at once.
        thread::current().unpark();
        tell.send(()).unwrap();
        *future.result().unwrap()
    });
    told.recv().unwrap();
    waiting.thread().unpark();
    promise.finish(6).unwrap();
    assert_eq!(waiting.join().unwrap(), 6);
}

#[test]
fn zero_and_expired_deadlines_poll() {
    watch!();
    let (promise, future) = Future::pair();
    let past = Instant::now();
    let _loop_thread = context::enter_loop();
    assert_eq!(future.wait_timeout(Duration::ZERO).unwrap_err(), WaitError::Expired(Expired));
    assert_eq!(future.wait_deadline(past).unwrap_err(), WaitError::Expired(Expired));
    promise.finish(7).unwrap();
    assert_eq!(future.wait_timeout(Duration::ZERO).unwrap().result().unwrap(), &7);
    assert!(future.wait_deadline(past).unwrap().exception().is_none());
    let (promise, future) = Future::pair();
    drop(promise);
    assert!(future.wait_deadline(past).unwrap().exception().is_some());
}

#[test]
fn a_timeout_beyond_the_clock_is_none() {
    watch!();
    let (promise, future) = Future::pair();
    let waiting =
        thread::spawn(move || *future.wait_timeout(Duration::MAX).unwrap().result().unwrap());
    promise.finish(8).unwrap();
    assert_eq!(waiting.join().unwrap(), 8);
}

#[test]
fn waiting_for_a_cancelled_future_never_hangs() {
    watch!();
    let (promise, future) = Future::pair();
    let barrier = Arc::new(Barrier::new(3));
    let waiting: Vec<_> = (0..2)
        .map(|_| {
            let (future, barrier) = (future.clone(), Arc::clone(&barrier));
            thread::spawn(move || {
                barrier.wait();
                future.wait().unwrap().cancelled()
            })
        })
        .collect();
    barrier.wait();
    assert_eq!(future.cancel(), Cancel::Now);
    for thread in waiting {
        assert!(thread.join().unwrap());
    }
    drop(promise);
}

#[test]
fn take_after_wait_on_the_only_handle_succeeds() {
    watch!();
    // Whether the wait parks or not depends on the race; both must succeed, every time.
    for round in 0..2_000 {
        let (promise, future) = ThreadFuture::<String, ()>::pair();
        let finish = thread::spawn(move || promise.finish(round.to_string()));
        let value = future.into_settled().unwrap().take().unwrap().unwrap();
        assert_eq!(value, round.to_string());
        finish.join().unwrap().unwrap();
    }
}

#[test]
fn take_gives_a_shared_outcome_back() {
    watch!();
    let future = finished(9);
    let other = future.clone();
    let settled = future.into_settled().unwrap().take().unwrap_err();
    assert_eq!(settled.result().unwrap(), &9);
    drop(other);
    assert_eq!(settled.take().unwrap().unwrap(), 9);
}

#[test]
fn a_value_that_cannot_be_shared_still_leaves_its_thread() {
    watch!();
    let (promise, future) = ThreadFuture::<Receiver<u32>, Cell<u8>>::pair();
    let (sender, receiver) = mpsc::channel();
    let producer = thread::spawn(move || promise.finish(receiver).is_ok());
    let consumer = thread::spawn(move || {
        future.into_settled().unwrap().take().unwrap().unwrap().recv().unwrap()
    });
    sender.send(10).unwrap();
    assert!(producer.join().unwrap());
    assert_eq!(consumer.join().unwrap(), 10);
}

#[test]
fn cancel_says_what_it_did() {
    watch!();
    let (promise, future) = Future::pair();
    assert_eq!(future.cancel(), Cancel::Now);
    assert_eq!(future.cancel(), Cancel::Already);
    assert!(Cancel::Now.thread_answer() && Cancel::Now.loop_answer());
    assert!(Cancel::Already.thread_answer() && !Cancel::Already.loop_answer());
    assert!(Cancel::Requested.thread_answer() && Cancel::Requested.loop_answer());
    let refused = Cancel::Refused(Refusal::Running);
    assert!(!refused.thread_answer() && !refused.loop_answer());
    drop(promise);
}

#[test]
fn running_work_sees_the_request() {
    watch!();
    let (promise, future) = Future::pair();
    let running = promise.start().unwrap();
    assert!(!running.cancel_requested());
    assert_eq!(future.cancel(), Cancel::Refused(Refusal::Running));
    assert!(running.cancel_requested());
    running.finish(11);
    assert!(!future.cancelled());
}

#[test]
fn an_owner_is_asked_once_and_decides() {
    watch!();
    let (owner, waker) = CountingWaker::new();
    let (promise, future) = Future::owned_pair(waker);
    assert_eq!(future.cancel(), Cancel::Requested);
    assert_eq!(future.cancel(), Cancel::Requested);
    assert_eq!(owner.count(), 1);
    assert!(promise.cancel_requested() && !future.done());
    promise.stopped();
    assert!(future.cancelled());
    assert_eq!(future.cancel(), Cancel::Already);
    assert!(
        matches!(future.exception(), Ok(Some(Failure::Cancelled(it))) if *it == Cancelled::Requested)
    );
    // It may as well finish, or stop of its own accord.
    let (promise, future) = Future::owned_pair(Waker::noop().clone());
    assert_eq!(future.cancel(), Cancel::Requested);
    promise.finish(12);
    assert_eq!(future.result().unwrap(), &12);
    let (promise, future) = Future::owned_pair(Waker::noop().clone());
    promise.stopped();
    assert!(
        matches!(future.exception(), Ok(Some(Failure::Cancelled(it))) if *it == Cancelled::Stopped)
    );
}

#[test]
fn dropping_a_future_cancels_nothing() {
    watch!();
    let (promise, future) = Future::pair();
    let ran = Log::new();
    let log = ran.clone();
    future.add_done_callback(move |settled| log.add(format!("{}", settled.result().unwrap())));
    drop(future);
    promise.finish(13).unwrap();
    assert_eq!(ran.entries(), ["13"]);
}

#[test]
fn callbacks_run_in_order_in_the_settling_thread() {
    watch!();
    let (promise, future) = Future::pair();
    let log = Log::new();
    for name in ["a", "b", "c"] {
        let log = log.clone();
        future.add_done_callback(move |_| {
            log.add(format!("{name} in {}", thread::current().name().unwrap()));
        });
    }
    let settler = thread::Builder::new().name("settler".into());
    settler.spawn(move || promise.finish(14)).unwrap().join().unwrap().unwrap();
    assert_eq!(log.entries(), ["a in settler", "b in settler", "c in settler"]);
}

#[test]
fn a_canceller_runs_the_callbacks_itself() {
    watch!();
    let (promise, future) = Future::pair();
    let log = Log::new();
    let callback = log.clone();
    future.add_done_callback(move |settled| {
        callback.add(format!("{:?} {}", thread::current().id(), settled.cancelled()));
    });
    assert_eq!(future.cancel(), Cancel::Now);
    assert_eq!(log.entries(), [format!("{:?} true", thread::current().id())]);
    assert_eq!(future.cancel(), Cancel::Already);
    drop(promise);
    assert_eq!(log.entries().len(), 1, "a callback runs once");
}

#[test]
fn a_late_callback_runs_at_once_in_the_registering_thread() {
    watch!();
    let future = finished(15);
    let log = Log::new();
    let (outer, inner, again) = (log.clone(), log.clone(), future.clone());
    future.add_done_callback(move |_| {
        outer.add("begin");
        again.add_done_callback(move |_| inner.add("nested"));
        outer.add("end");
    });
    assert_eq!(log.entries(), ["begin", "nested", "end"]);
}

#[test]
fn those_who_wait_are_told_before_the_callbacks_run() {
    watch!();
    let (promise, future) = Future::pair();
    let (woken, waker) = CountingWaker::new();
    let mut awaiting = pin!((&future).into_future());
    assert!(awaiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let log = Log::new();
    let (callback, seen) = (log.clone(), Arc::clone(&woken));
    future.add_done_callback(move |_| callback.add(format!("woken {}", seen.count())));
    promise.finish(16).unwrap();
    assert_eq!(log.entries(), ["woken 1"]);
}

#[test]
fn a_panicking_callback_harms_nobody() {
    watch!();
    let (promise, future) = Future::pair();
    let log = Log::new();
    let (before, after) = (log.clone(), log.clone());
    future.add_done_callback(move |_| before.add("before"));
    future.add_done_callback(|_| panic_any("a callback's own fault"));
    future.add_done_callback(move |_| after.add("after"));
    promise.finish(17).unwrap();
    assert_eq!(log.entries(), ["before", "after"]);
    // A late one neither: the registering thread does not unwind.
    future.add_done_callback(|_| panic_any("too late"));
    assert_eq!(future.result().unwrap(), &17);
}

/// Calls back whatever it is asked to do: wake, clone or drop of a waker is the user's code.
struct Meddler(Future);

impl std::task::Wake for Meddler {
    fn wake(self: Arc<Self>) {
        self.0.cancel();
        assert!(self.0.done());
        self.0.add_done_callback(|_| {});
    }
}

impl Drop for Meddler {
    fn drop(&mut self) {
        self.0.clone().cancel();
    }
}

#[test]
fn wakers_and_callbacks_may_call_everything() {
    watch!();
    let (promise, future) = Future::pair();
    let log = Log::new();
    let waker = Waker::from(Arc::new(Meddler(future.clone())));
    let mut awaiting = pin!(future.clone().into_future());
    assert!(awaiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    // Another waker: the old one is dropped, its last reference too, outside the lock.
    drop(waker);
    let waker = Waker::from(Arc::new(Meddler(finished(0))));
    assert!(awaiting.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
    assert!(future.cancelled(), "the dropped waker called cancel");
    drop(promise);

    let (promise, future) = Future::pair();
    let inside = future.clone();
    let callback = log.clone();
    future.add_done_callback(move |settled| {
        assert_eq!(inside.result().unwrap(), settled.result().unwrap());
        assert_eq!(inside.cancel(), Cancel::Refused(Refusal::Finished));
        inside.add_done_callback(|_| {});
        callback.add(format!("{inside:?}"));
    });
    let waker = Waker::from(Arc::new(Meddler(future.clone())));
    let mut awaiting = pin!((&future).into_future());
    assert!(awaiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    promise.finish(18).unwrap();
    assert!(log.entries().len() == 1 && log.entries()[0].contains("Finished"));
}

/// Panics when it is dropped, even if that is because its message was dropped.
struct Bomb(u32);

impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            match self.0 {
                0 => panic_any("a drop's own fault"),
                more => panic_any(Bomb(more - 1)),
            }
        }
    }
}

#[test]
fn no_panic_of_the_user_unwinds_through_the_settler() {
    watch!();
    // A value that nobody waits for any more is dropped by the settler.
    let (promise, future) = ThreadFuture::<Bomb, ()>::pair();
    drop(future);
    promise.finish(Bomb(0)).unwrap();
    // So is one whose last handle the callbacks were lent.
    let (promise, future) = ThreadFuture::<Bomb, ()>::pair();
    future.add_done_callback(|_| {});
    drop(future);
    promise.finish(Bomb(0)).unwrap();
    // A callback's panic may carry a payload that panics when it is dropped, and so on.
    let (promise, future) = Future::pair();
    let log = Log::new();
    let callback = log.clone();
    future.add_done_callback(|_| panic_any(Bomb(1)));
    future.add_done_callback(move |_| callback.add("sibling"));
    promise.finish(1).unwrap();
    assert_eq!(log.entries(), ["sibling"]);
}

/// A waker that panics, whatever happens to it.
struct Bad(#[expect(dead_code, reason = "it is there to be dropped")] Bomb);

impl std::task::Wake for Bad {
    fn wake(self: Arc<Self>) {
        panic_any("a wake's own fault");
    }
}

#[test]
fn a_panicking_waker_harms_nobody() {
    watch!();
    let (promise, future) = Future::owned_pair(Waker::from(Arc::new(Bad(Bomb(0)))));
    let (woken, waker) = CountingWaker::new();
    let mut first = pin!((&future).into_future());
    let mut second = pin!((&future).into_future());
    let bad = Waker::from(Arc::new(Bad(Bomb(0))));
    assert!(first.as_mut().poll(&mut Context::from_waker(&bad)).is_pending());
    drop(bad);
    assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    promise.finish(1);
    assert_eq!(woken.count(), 1);
    // Nor does a request to cancel unwind through the one who asks.
    let (promise, future) = Future::owned_pair(Waker::from(Arc::new(Bad(Bomb(0)))));
    assert_eq!(future.cancel(), Cancel::Requested);
    drop(promise);
}

/// A writer that uses the future that is printed.
struct Curious(Future);

impl std::fmt::Write for Curious {
    fn write_str(&mut self, _: &str) -> std::fmt::Result {
        assert!(!self.0.done());
        Ok(())
    }
}

#[test]
fn printing_holds_no_lock() {
    watch!();
    use std::fmt::Write as _;
    let (promise, future) = Future::pair();
    write!(Curious(future.clone()), "{future:?}").unwrap();
    drop(promise);
}

#[test]
fn a_cancellation_is_taken_from_any_handle() {
    watch!();
    let (promise, future) = Future::pair();
    assert_eq!(future.cancel(), Cancel::Now);
    // The promise that lost still has its handle, and may keep it for long.
    let taken = future.into_settled().unwrap().take().unwrap();
    assert!(matches!(taken, Err(Failure::Cancelled(it)) if it == Cancelled::Requested));
    drop(promise);
}

#[test]
fn whoever_was_answered_requested_finds_that_cause() {
    watch!();
    for _ in 0..2_000 {
        let (promise, future) = Future::owned_pair(Waker::noop().clone());
        let owner = thread::spawn(move || promise.stopped());
        let answer = future.cancel();
        owner.join().unwrap();
        let Ok(Some(Failure::Cancelled(cause))) = future.exception() else { panic!("stopped") };
        let expected = match answer {
            Cancel::Requested => Cancelled::Requested,
            _ => Cancelled::Stopped,
        };
        assert_eq!(*cause, expected);
    }
}

#[test]
fn a_task_that_polls_often_is_woken_once() {
    watch!();
    let (promise, future) = Future::pair();
    let (first, first_waker) = CountingWaker::new();
    let (last, last_waker) = CountingWaker::new();
    let mut awaiting = pin!(future.into_future());
    for waker in [&first_waker, &first_waker, &last_waker, &last_waker] {
        assert!(awaiting.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
    }
    promise.finish(19).unwrap();
    assert_eq!((first.count(), last.count()), (0, 1));
    let Poll::Ready(settled) = awaiting.poll(&mut Context::from_waker(&last_waker)) else {
        panic!("a settled future is ready")
    };
    assert_eq!(settled.take().unwrap().unwrap(), 19);
}

/// Writes when it is woken.
struct Tells(Log, &'static str);

impl std::task::Wake for Tells {
    fn wake(self: Arc<Self>) {
        self.0.add(self.1);
    }
}

#[test]
fn a_task_that_polls_again_keeps_its_place() {
    watch!();
    let (promise, future) = Future::pair();
    let log = Log::new();
    let [one, two] = ["one", "two"].map(|name| Waker::from(Arc::new(Tells(log.clone(), name))));
    let mut first = pin!((&future).into_future());
    let mut second = pin!((&future).into_future());
    assert!(first.as_mut().poll(&mut Context::from_waker(&one)).is_pending());
    assert!(second.as_mut().poll(&mut Context::from_waker(&two)).is_pending());
    assert!(first.as_mut().poll(&mut Context::from_waker(&one)).is_pending());
    promise.finish(19).unwrap();
    assert_eq!(log.entries(), ["one", "two"]);
}

/// Also where there is another: the place is that of the task, and the waker the latest.
#[test]
fn a_task_among_others_is_woken_by_its_latest_waker() {
    watch!();
    let (promise, future) = Future::pair();
    let log = Log::new();
    let [one, two, new] =
        ["one", "two", "new"].map(|name| Waker::from(Arc::new(Tells(log.clone(), name))));
    let mut first = pin!((&future).into_future());
    let mut second = pin!((&future).into_future());
    assert!(first.as_mut().poll(&mut Context::from_waker(&one)).is_pending());
    for waker in [&two, &new] {
        assert!(second.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
    }
    promise.finish(19).unwrap();
    assert_eq!(log.entries(), ["one", "new"]);
}

#[test]
fn a_dropped_await_leaves_no_waker_behind() {
    watch!();
    let (promise, future) = Future::pair();
    let (woken, waker) = CountingWaker::new();
    {
        let mut awaiting = pin!((&future).into_future());
        assert!(awaiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        assert_eq!(Arc::strong_count(&woken), 3);
    }
    assert_eq!(Arc::strong_count(&woken), 2);
    promise.finish(20).unwrap();
    assert_eq!(woken.count(), 0);
    assert_eq!(future.cancel(), Cancel::Refused(Refusal::Finished), "and cancelled nothing");
}

#[test]
fn an_await_that_leaves_takes_no_other_with_it() {
    watch!();
    let (promise, future) = Future::pair();
    let wakers = [CountingWaker::new(), CountingWaker::new(), CountingWaker::new()];
    let mut awaits = wakers.each_ref().map(|(_, waker)| {
        let mut awaiting = Box::pin((&future).into_future());
        assert!(awaiting.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
        Some(awaiting)
    });
    awaits[1] = None;
    promise.finish(1).unwrap();
    assert_eq!(wakers.each_ref().map(|(woken, _)| woken.count()), [1, 0, 1]);
}

/// The lock of one future, for which threads that come and go sleep when another has it.
#[test]
fn many_awaits_come_and_go_at_once() {
    watch!();
    let (promise, future) = Future::pair();
    let begin = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                begin.wait();
                for _ in 0..20_000 {
                    let mut awaiting = pin!((&future).into_future());
                    assert!(
                        awaiting
                            .as_mut()
                            .poll(&mut Context::from_waker(Waker::noop()))
                            .is_pending()
                    );
                }
            });
        }
    });
    assert!(format!("{future:?}").contains("waiters: 0"), "{future:?}");
    promise.finish(1).unwrap();
}

/// Writes its number when it is woken.
struct Numbered(Arc<Mutex<Vec<u8>>>, u8);

impl std::task::Wake for Numbered {
    fn wake(self: Arc<Self>) {
        self.0.lock().unwrap().push(self.1);
    }
}

/// Of four any leave, two more come, and again any leave: whoever stays is woken once, in the order in which they came.
#[test]
fn many_awaits_that_leave_take_no_other_with_them() {
    watch!();
    for (early, late) in (0..1 << 4).flat_map(|early| (0..1 << 6).map(move |late| (early, late))) {
        let (promise, future) = Future::pair();
        let woken = Arc::default();
        let mut awaits = Vec::new();
        for (numbers, leave) in [(0..4, early), (4..6, late)] {
            for number in numbers {
                let waker = Waker::from(Arc::new(Numbered(Arc::clone(&woken), number)));
                let mut awaiting = Box::pin((&future).into_future());
                assert!(awaiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
                awaits.push((number, awaiting));
            }
            awaits.retain(|(number, _)| leave >> number & 1 == 0);
        }
        assert!(format!("{future:?}").contains(&format!("waiters: {},", awaits.len())));
        promise.finish(1).unwrap();
        let stay: Vec<_> = awaits.iter().map(|(number, _)| *number).collect();
        assert_eq!(*woken.lock().unwrap(), stay, "{early:b}, then {late:b}");
    }
}

#[test]
fn what_happened_before_settling_is_visible_after_waiting() {
    watch!();
    for _ in 0..200 {
        let (promise, future) = ThreadFuture::<Vec<u32>, ()>::pair();
        let producer = thread::spawn(move || promise.finish((0..100).collect()));
        assert_eq!(future.result().unwrap().iter().sum::<u32>(), 4950);
        producer.join().unwrap().unwrap();
    }
}

#[test]
fn blocking_on_a_loop_thread_is_an_error() {
    watch!();
    let (promise, future) = Future::pair();
    let guard = context::enter_loop();
    assert!(context::in_loop());
    assert_eq!(future.wait().unwrap_err(), WaitError::WouldDeadlock(WouldDeadlock::EventLoop));
    assert!(matches!(future.wait_timeout(LONG), Err(WaitError::WouldDeadlock(_))));
    assert_eq!(
        future.wait_deadline(Instant::now() + LONG).unwrap_err(),
        WaitError::WouldDeadlock(WouldDeadlock::EventLoop)
    );
    let (refused, future) = future.into_settled().unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("await") && text.contains("run_in_executor"), "names a way out: {text}");
    // A settled future answers on any thread.
    promise.finish(21).unwrap();
    assert_eq!(future.result().unwrap(), &21);
    drop(guard);
    assert!(!context::in_loop());
}

#[test]
fn errors_say_what_happened_and_debug_needs_no_debug() {
    watch!();
    struct Opaque;
    let (promise, future) = ThreadFuture::<Opaque, Opaque>::pair();
    assert!(format!("{promise:?}").contains("Pending"));
    assert!(format!("{future:?}").contains("Pending"));
    drop(promise);
    assert!(format!("{:?}", future.settled().unwrap()).contains("Cancelled"));
    let error: Box<dyn Error> = Box::new(Failure::<Infallible>::Abandoned);
    assert!(error.to_string().contains("dropped"));
    let error: Box<dyn Error> = Box::new(Lost { value: 1, cause: Cancelled::Requested });
    assert!(error.to_string().contains("handed back"));
    let lost = Lost { value: Opaque, cause: Cancelled::Dropped };
    assert_eq!(format!("{lost:?}"), "Lost { cause: Dropped, .. }");
    let panic = Panic::new(Box::new("ouch"));
    assert!(format!("{panic} {panic:?}").matches("ouch").count() == 2);
    assert_eq!(format!("{:?}", settled::Closed::new(Opaque)), "Closed(..)");
}
