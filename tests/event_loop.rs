//! The loop flavour and the reference loop, clause by clause.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

#[path = "support/log.rs"]
mod log;
#[path = "support/waker.rs"]
mod waker;

use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    fs::File,
    future::{Future as _, IntoFuture, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind, panic_any},
    pin::{Pin, pin},
    process::Command,
    rc::Rc,
    sync::{Arc, Mutex, mpsc},
    task::{Context, Poll, Wake, Waker},
    thread,
    time::{Duration, Instant},
};

use log::Log;
use settled::{
    Cancel, Cancelled, Clock, EventLoop, Failure, Incident, InvalidState, LoopFuture, LoopRef,
    NoValue, Refusal, RunError, Settled, ThreadFuture, WaitError, WouldDeadlock, bridge,
};
use waker::CountingWaker;

/// Lets the loop do everything that has been queued up to now, one turn after the other.
fn turns(event_loop: &EventLoop, count: usize) {
    for _ in 0..count {
        event_loop.stop();
        event_loop.run_forever().unwrap();
    }
}

async fn passes(count: usize) {
    for _ in 0..count {
        pass().await;
    }
}

/// Suspends once.
async fn pass() {
    let mut first = true;
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}

fn note<T, E>(log: &Log, text: &'static str) -> impl FnOnce(&Settled<T, E>) + 'static {
    let log = log.clone();
    move |_| log.add(text)
}

#[test]
fn an_unsettled_loop_future_answers_invalid_state() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<u32, String>();
    assert!(matches!(future.result(), Err(NoValue::Unsettled(InvalidState))));
    assert!(matches!(future.exception(), Err(InvalidState)));
    assert!(future.settled().is_none() && !future.done() && !future.cancelled());
    // What the loop's own thread settles is seen at once.
    promise.finish(1).unwrap();
    assert_eq!(future.result().unwrap(), &1);
    assert!(future.exception().unwrap().is_none() && future.done());
}

#[test]
fn callbacks_go_through_the_loop_in_order() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<u32, String>();
    let log = Log::new();
    future.add_done_callback(note(&log, "first"));
    let (nested, again) = (log.clone(), future.clone());
    future.add_done_callback(move |_| {
        nested.add("second");
        again.add_done_callback(note(&nested, "nested"));
        nested.add("second ends");
    });
    future.add_done_callback(note(&log, "third"));
    promise.finish(1).unwrap();
    log.add("after finish");
    turns(&event_loop, 1);
    assert_eq!(log.entries(), ["after finish", "first", "second", "second ends", "third"]);
    turns(&event_loop, 1);
    assert_eq!(log.entries().last().unwrap(), "nested");
}

#[test]
fn a_late_callback_waits_for_its_turn() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<u32, String>();
    promise.finish(1).unwrap();
    let log = Log::new();
    future.add_done_callback(note(&log, "late"));
    assert!(log.entries().is_empty());
    turns(&event_loop, 1);
    assert_eq!(log.entries(), ["late"]);
}

#[test]
fn one_total_order_although_another_thread_settles() {
    watch!();
    let event_loop = EventLoop::new();
    for _ in 0..300 {
        let (promise, future) = event_loop.create_future::<u32, String>();
        let log = Log::new();
        let settler = thread::spawn(move || promise.finish(1).unwrap());
        let names = ["0", "1", "2", "3", "4", "5", "6", "7"];
        for name in names {
            future.add_done_callback(note(&log, name));
        }
        settler.join().unwrap();
        future.add_done_callback(note(&log, "8"));
        event_loop.run_until_complete(&future).unwrap();
        future.add_done_callback(note(&log, "9"));
        turns(&event_loop, 2);
        assert_eq!(log.entries(), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    }
}

#[test]
fn nothing_flips_in_the_middle_of_a_turn() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<u32, String>();
    event_loop
        .run_until_complete(async {
            let settler = thread::spawn(move || promise.finish(1).unwrap());
            settler.join().unwrap();
            // Settled for everybody else; this turn has begun before.
            assert!(!future.done());
            assert_eq!(future.cancel(), Cancel::Refused(Refusal::Finished));
            pass().await;
            assert!(future.done());
        })
        .unwrap();
}

#[test]
fn callbacks_run_on_the_loops_thread_and_need_not_be_send() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<u32, String>();
    let seen = Rc::new(Cell::new(None));
    let callback = Rc::clone(&seen);
    future.add_done_callback(move |_| callback.set(Some(thread::current().id())));
    drop(future);
    let handle = event_loop.handle();
    let settler = thread::spawn(move || {
        promise.finish(1).unwrap();
        handle.stop();
    });
    event_loop.run_forever().unwrap();
    settler.join().unwrap();
    assert_eq!(seen.get(), Some(thread::current().id()), "although no handle was left");
}

#[test]
fn a_token_removes_its_callback_and_no_other() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<u32, String>();
    let log = Log::new();
    let first = future.add_done_callback(note(&log, "first"));
    let second = future.add_done_callback(note(&log, "second"));
    assert!(future.remove_done_callback(first));
    assert!(!future.remove_done_callback(first));
    promise.finish(1).unwrap();
    turns(&event_loop, 1);
    assert!(!future.remove_done_callback(second), "it has run");
    assert_eq!(log.entries(), ["second"]);
    // Posted is not run: it can still be removed, and then never runs.
    let late = future.add_done_callback(note(&log, "late"));
    assert!(future.remove_done_callback(late));
    turns(&event_loop, 2);
    assert_eq!(log.entries(), ["second"]);
}

#[test]
fn a_callback_may_remove_a_later_one() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<u32, String>();
    let log = Log::new();
    let token = Rc::new(Cell::new(None));
    let (removing, view, told) = (Rc::clone(&token), future.clone(), log.clone());
    future.add_done_callback(move |_| {
        told.add(format!("{}", view.remove_done_callback(removing.get().unwrap())));
    });
    token.set(Some(future.add_done_callback(note(&log, "removed"))));
    promise.finish(1).unwrap();
    turns(&event_loop, 2);
    assert_eq!(log.entries(), ["true"]);
}

#[test]
fn a_panicking_callback_harms_nobody() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<u32, String>();
    let log = Log::new();
    future.add_done_callback(|_| panic_any("a callback's own fault"));
    future.add_done_callback(note(&log, "sibling"));
    promise.finish(1).unwrap();
    event_loop.call_soon(|| panic_any("a call's own fault")).unwrap();
    event_loop.handle().call_soon_threadsafe(|| panic_any("a post's own fault")).unwrap();
    turns(&event_loop, 2);
    assert_eq!(log.entries(), ["sibling"]);
}

#[test]
fn cancel_answers_as_asyncio_does() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<u32, String>();
    assert_eq!(future.cancel(), Cancel::Now);
    assert!(future.cancelled());
    assert_eq!(future.cancel(), Cancel::Already);
    assert!(!future.cancel().loop_answer());
    drop(promise);
}

#[test]
fn calls_of_all_kinds_run_first_in_first_out() {
    watch!();
    let event_loop = EventLoop::new();
    let log = Log::new();
    let handle = event_loop.handle();
    let add = |text: &'static str| {
        let log = log.clone();
        move || log.add(text)
    };
    event_loop.call_soon(add("a")).unwrap();
    handle.call_soon_threadsafe(add("b")).unwrap();
    event_loop.call_soon(add("c")).unwrap();
    let other = {
        let (handle, d) = (handle.clone(), add("d"));
        thread::spawn(move || handle.call_soon_threadsafe(d).map_err(drop))
    };
    other.join().unwrap().unwrap();
    event_loop.call_soon(add("e")).unwrap();
    assert!(log.entries().is_empty(), "never inline");
    turns(&event_loop, 1);
    assert_eq!(log.entries(), ["a", "b", "c", "d", "e"]);
}

#[test]
fn a_loop_does_not_sleep_over_calls_of_its_own() {
    watch!();
    let event_loop = EventLoop::new();
    let (outer, inner) = (LoopRef::clone(&event_loop), LoopRef::clone(&event_loop));
    let call = move || {
        outer.call_soon(move || inner.stop()).unwrap();
    };
    event_loop.call_soon(call).unwrap();
    event_loop.run_forever().unwrap();
}

#[test]
fn loops_of_one_thread_know_themselves() {
    watch!();
    let (first, second) = (EventLoop::new(), EventLoop::new());
    second.close();
    assert!(first.run_until_complete(async { LoopRef::current().is_some() }).unwrap());
}

#[test]
fn a_dropped_await_leaves_nothing_behind() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<u32, String>();
    let (woken, waker) = CountingWaker::new();
    {
        let mut awaiting = pin!((&future).into_future());
        assert!(awaiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    promise.finish(1).unwrap();
    turns(&event_loop, 2);
    assert_eq!(woken.count(), 0);
    drop(waker);
    assert_eq!(Arc::strong_count(&woken), 1);
}

#[test]
fn an_await_that_was_never_polled_cancels_nothing() {
    watch!();
    let event_loop = EventLoop::new();
    let (_promise, future) = event_loop.create_future::<u32, String>();
    let (_promise2, other) = settled::ThreadFuture::<u8, ()>::pair();
    let (stored, stored_too) = (future.clone().into_future(), other.clone().into_future());
    let task = event_loop.create_task(async move {
        std::future::pending::<()>().await;
        drop((stored, stored_too));
    });
    let task = task.unwrap();
    turns(&event_loop, 1);
    assert_eq!(task.cancel(), Cancel::Requested);
    turns(&event_loop, 2);
    assert!(task.cancelled() && !future.done() && !other.done());
}

#[test]
fn a_turn_runs_what_was_queued_when_it_began() {
    watch!();
    let event_loop = EventLoop::new();
    let log = Log::new();
    let (here, outer) = (LoopRef::clone(&event_loop), log.clone());
    event_loop
        .call_soon(move || {
            outer.add("this turn");
            let inner = outer.clone();
            here.call_soon(move || inner.add("next turn")).unwrap();
        })
        .unwrap();
    turns(&event_loop, 1);
    assert_eq!(log.entries(), ["this turn"]);
    turns(&event_loop, 1);
    assert_eq!(log.entries(), ["this turn", "next turn"]);
}

#[test]
fn posts_from_many_threads_arrive_in_the_order_of_each() {
    watch!();
    let event_loop = EventLoop::new();
    let log = Rc::new(RefCell::new(Vec::new()));
    let (sent, received) = mpsc::channel();
    let posters: Vec<_> = (0..4)
        .map(|thread| {
            let (handle, sent) = (event_loop.handle(), sent.clone());
            thread::spawn(move || {
                for n in 0..2_500 {
                    let sent = sent.clone();
                    handle.call_soon_threadsafe(move || sent.send((thread, n)).unwrap()).unwrap();
                }
            })
        })
        .collect();
    let all = Rc::clone(&log);
    let waiting = poll_fn(move |cx| {
        all.borrow_mut().extend(received.try_iter());
        if all.borrow().len() == 10_000 {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    });
    event_loop.run_until_complete(waiting).unwrap();
    for poster in posters {
        poster.join().unwrap();
    }
    for thread in 0..4 {
        let log = log.borrow();
        let own: Vec<i32> = log.iter().filter(|(t, _)| *t == thread).map(|(_, n)| *n).collect();
        assert!(own.into_iter().eq(0..2_500));
    }
}

#[test]
fn timers_run_in_order_and_not_before_their_time() {
    watch!();
    let event_loop = EventLoop::new();
    let log = Log::new();
    let begin = Instant::now();
    let add = |text: &'static str| {
        let log = log.clone();
        move || log.add(text)
    };
    let late = Duration::from_millis(30);
    let stop = LoopRef::clone(&event_loop);
    event_loop.call_at(begin + late, move || stop.stop()).unwrap();
    event_loop.call_at(begin + Duration::from_millis(20), add("20 ms")).unwrap();
    event_loop.call_at(begin, add("due, first")).unwrap();
    event_loop.call_at(begin, add("due, second")).unwrap();
    let never = event_loop.call_later(Duration::from_millis(10), add("never")).unwrap();
    event_loop.call_later(Duration::MAX, add("in a century")).unwrap();
    assert!(never.cancel() && !never.cancel());
    event_loop.run_forever().unwrap();
    assert!(begin.elapsed() >= late);
    assert_eq!(log.entries(), ["due, first", "due, second", "20 ms"]);
}

/// Longer than any test takes.
const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn the_timers_of_a_loop_follow_its_clock() {
    watch!();
    let clock = Clock::driven();
    let (event_loop, log, begin) = (EventLoop::with_clock(&clock), Log::new(), clock.now());
    let at_its_time = |text: &'static str, at: Duration| {
        let (log, clock) = (log.clone(), clock.clone());
        move || log.add(format!("{text} {:?}", clock.now() - begin - at))
    };
    let run = || while event_loop.try_tick().unwrap() {};
    event_loop.call_later(HOUR, at_its_time("later, after", HOUR)).unwrap();
    event_loop.call_at(begin + HOUR, at_its_time("at, after", HOUR)).unwrap();
    event_loop.call_later(2 * HOUR, at_its_time("last, after", 2 * HOUR)).unwrap();
    clock.advance(HOUR - Duration::from_nanos(1));
    run();
    assert!(log.entries().is_empty(), "too early: {:?}", log.entries());
    clock.advance(Duration::from_nanos(1));
    assert!(log.entries().is_empty(), "nothing runs inside of `advance`");
    run();
    assert_eq!(log.entries(), ["later, after 0ns", "at, after 0ns"]);
    assert_eq!(event_loop.time(), begin + HOUR);
    // One that is due is not slept for.
    clock.advance(2 * HOUR);
    turns(&event_loop, 1);
    event_loop.run_until_complete(pass()).unwrap();
    assert_eq!(log.entries()[2..], ["last, after 3600s"]);
    let (before, others) = (Instant::now(), EventLoop::new());
    assert!(before <= others.time() && others.time() <= Instant::now());
}

#[test]
fn a_clock_jumps_only_when_there_is_nothing_else_to_do() {
    watch!();
    let clock = Clock::jumping();
    let (event_loop, begin) = (EventLoop::with_clock(&clock), clock.now());
    let stop = LoopRef::clone(&event_loop);
    event_loop.call_later(2 * HOUR, move || stop.stop()).unwrap();
    assert!(event_loop.call_later(Duration::from_secs(1), || ()).unwrap().cancel());
    let (seen, now) = (Rc::new(RefCell::new(Vec::new())), clock.clone());
    let (notes, here) = (Rc::clone(&seen), LoopRef::clone(&event_loop));
    event_loop
        .call_later(HOUR, move || {
            notes.borrow_mut().push(now.now() - begin);
            let again = move || notes.borrow_mut().push(now.now() - begin);
            here.call_soon(again).unwrap();
        })
        .unwrap();
    let (notes, now) = (Rc::clone(&seen), clock.clone());
    let task = event_loop.create_task(async move {
        for _ in 0..3 {
            pass().await;
            notes.borrow_mut().push(now.now() - begin);
        }
    });
    event_loop.run_forever().unwrap();
    assert!(task.unwrap().done());
    let nothing = Duration::ZERO;
    assert_eq!(*seen.borrow(), [nothing, nothing, nothing, HOUR, HOUR]);
    assert_eq!(clock.now() - begin, 2 * HOUR, "it did not jump to the cancelled one, nor further");
}

#[test]
fn a_loop_with_a_driven_clock_sleeps_until_a_post() {
    watch!();
    let clock = Clock::driven();
    let (event_loop, log, begin) = (EventLoop::with_clock(&clock), Log::new(), clock.now());
    event_loop
        .call_later(HOUR, {
            let log = log.clone();
            move || log.add("timer")
        })
        .unwrap();
    let handle = event_loop.handle();
    let stops = thread::spawn(move || handle.stop());
    event_loop.run_forever().unwrap();
    stops.join().unwrap();
    assert_eq!((clock.now(), log.entries()), (begin, vec![]));
}

#[test]
fn a_call_can_be_cancelled_until_it_runs() {
    watch!();
    let event_loop = EventLoop::new();
    let log = Log::new();
    let held = Arc::new(());
    let (job, holds) = (log.clone(), Arc::clone(&held));
    let call = event_loop.call_soon(move || job.add(format!("{holds:?}"))).unwrap();
    assert!(call.cancel());
    assert_eq!(Arc::strong_count(&held), 1, "what it held is gone at once");
    let job = log.clone();
    let call = event_loop.call_soon(move || job.add("ran")).unwrap();
    turns(&event_loop, 1);
    assert!(!call.cancel());
    assert_eq!(log.entries(), ["ran"]);
}

#[test]
fn a_task_runs_in_steps_and_gives_its_value() {
    watch!();
    let event_loop = EventLoop::new();
    let log = Log::new();
    let body = log.clone();
    let local = Rc::new(5); // need not be `Send`
    let task = event_loop
        .create_task(async move {
            body.add("first step");
            pass().await;
            body.add("second step");
            *local
        })
        .unwrap();
    assert!(log.entries().is_empty(), "a task does not begin inside create_task");
    turns(&event_loop, 1);
    assert_eq!(log.entries(), ["first step"]);
    let settled = event_loop.run_until_complete(task).unwrap();
    assert_eq!(settled.take().unwrap().unwrap(), 5);
    let failing = event_loop.create_task_result(async { Err::<u8, _>("no") }).unwrap();
    let settled = event_loop.run_until_complete(failing).unwrap();
    assert!(matches!(settled.result(), Err(Failure::Error("no"))));
}

#[test]
fn a_panic_in_a_task_is_its_outcome() {
    watch!();
    let event_loop = EventLoop::new();
    let panicking = async { panic!("a task's own fault") };
    let task: LoopFuture<(), Infallible> = event_loop.create_task(panicking).unwrap();
    let settled = event_loop.run_until_complete(task).unwrap();
    let Err(Failure::Panicked(panic)) = settled.result() else { panic!("{settled:?}") };
    assert_eq!(panic.message(), "a task's own fault");
}

/// Says so when it is dropped.
struct Says(Log, &'static str);

impl Drop for Says {
    fn drop(&mut self) {
        self.0.add(self.1);
    }
}

#[test]
fn a_cancelled_task_is_stopped_and_only_then_seen_cancelled() {
    watch!();
    let event_loop = EventLoop::new();
    let log = Log::new();
    let guard = Says(log.clone(), "coroutine dropped");
    let task = event_loop
        .create_task(async move {
            let _guard = guard;
            std::future::pending::<()>().await;
        })
        .unwrap();
    task.add_done_callback(note(&log, "callback"));
    turns(&event_loop, 1);
    assert_eq!(task.cancel(), Cancel::Requested);
    assert_eq!(task.cancel(), Cancel::Requested);
    assert!(!task.done() && log.entries().is_empty());
    turns(&event_loop, 2);
    assert!(task.cancelled());
    assert_eq!(log.entries(), ["coroutine dropped", "callback"]);
    assert_eq!(task.cancel(), Cancel::Already);
}

#[test]
fn a_task_cancelled_before_its_first_step_never_runs() {
    watch!();
    let event_loop = EventLoop::new();
    let log = Log::new();
    let body = log.clone();
    let task = event_loop.create_task(async move { body.add("ran") }).unwrap();
    assert_eq!(task.cancel(), Cancel::Requested);
    turns(&event_loop, 2);
    assert!(task.cancelled() && log.entries().is_empty());
}

#[test]
fn a_task_that_ends_in_the_step_of_the_request_keeps_its_value() {
    watch!();
    let event_loop = EventLoop::new();
    let own: Rc<RefCell<Option<LoopFuture<u8, Infallible>>>> = Rc::default();
    let inside = Rc::clone(&own);
    let task = event_loop
        .create_task(async move {
            assert_eq!(inside.borrow().as_ref().unwrap().cancel(), Cancel::Requested);
            7
        })
        .unwrap();
    *own.borrow_mut() = Some(task.clone());
    let settled = event_loop.run_until_complete(task).unwrap();
    assert_eq!(settled.result().unwrap(), &7);
}

#[test]
fn awaiting_goes_on_in_callback_order() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<u32, String>();
    let log = Log::new();
    future.add_done_callback(note(&log, "before"));
    let (body, awaited) = (log.clone(), future.clone());
    let task = event_loop
        .create_task(async move {
            awaited.await;
            body.add("task");
        })
        .unwrap();
    turns(&event_loop, 1);
    future.add_done_callback(note(&log, "after"));
    event_loop.call_soon(|| promise.finish(1).unwrap()).unwrap();
    event_loop.run_until_complete(task).unwrap();
    assert_eq!(log.entries(), ["before", "after", "task"]);
}

#[test]
fn an_await_by_value_is_forwarded_a_cancel_and_one_by_reference_is_not() {
    watch!();
    let event_loop = EventLoop::new();
    let (_promise, by_value) = event_loop.create_future::<u32, String>();
    let (_promise2, by_reference) = event_loop.create_future::<u32, String>();
    let (view, other) = (by_value.clone(), Rc::new(by_reference));
    let inside = Rc::clone(&other);
    let first = event_loop.create_task(async move { drop(by_value.await) }).unwrap();
    let second = event_loop.create_task(async move { (&*inside).await.cancelled() }).unwrap();
    turns(&event_loop, 1);
    // Dropped anywhere else, on the loop or not, an await by value cancels nothing.
    drop(view.clone().into_future());
    event_loop.run_until_complete(async { drop(view.clone().into_future()) }).unwrap();
    assert!(!view.done());
    assert_eq!((first.cancel(), second.cancel()), (Cancel::Requested, Cancel::Requested));
    turns(&event_loop, 2);
    assert!(first.cancelled() && second.cancelled());
    assert!(view.cancelled() && !other.done());
}

#[test]
fn a_value_awaited_by_value_is_owned() {
    watch!();
    let event_loop = EventLoop::new();
    // Not `Sync`: no second handle can exist, and the value still leaves.
    let (promise, future) = event_loop.create_future::<Cell<u8>, Infallible>();
    let log = Log::new();
    future.add_done_callback(note(&log, "before"));
    let settler = thread::spawn(move || promise.finish(Cell::new(8)).is_ok());
    let settled = event_loop.run_until_complete(future).unwrap();
    assert!(settler.join().unwrap());
    assert_eq!(settled.take().unwrap().unwrap().get(), 8);
    assert_eq!(log.entries(), ["before"]);
    // Also when callbacks that were registered late have still to run.
    let (promise, future) = event_loop.create_future::<Cell<u8>, Infallible>();
    assert!(promise.finish(Cell::new(9)).is_ok());
    future.add_done_callback(note(&log, "late"));
    let future = future.into_settled().unwrap_err();
    let settled = event_loop.run_until_complete(future).unwrap();
    assert_eq!(log.entries(), ["before", "late"]);
    assert_eq!(settled.take().unwrap().unwrap().get(), 9);
}

#[test]
fn run_until_complete_ends_with_its_future() {
    watch!();
    let event_loop = EventLoop::new();
    let borrowed = String::from("neither Send nor 'static");
    assert_eq!(event_loop.run_until_complete(async { borrowed.len() }), Ok(24));
    let stop = LoopRef::clone(&event_loop);
    event_loop.call_soon(move || stop.stop()).unwrap();
    let never = std::future::pending::<()>();
    assert_eq!(event_loop.run_until_complete(never), Err(RunError::Stopped));
    let panicking = || event_loop.run_until_complete(async { panic_any("the root's own fault") });
    let caught: Result<Result<(), RunError>, _> = catch_unwind(AssertUnwindSafe(panicking));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"the root's own fault"));
    assert_eq!(event_loop.run_until_complete(async { 1 }), Ok(1), "and the loop goes on");
}

#[test]
fn a_stop_ends_the_run_in_which_it_arrives_and_no_other() {
    watch!();
    let event_loop = EventLoop::new();
    let here = LoopRef::clone(&event_loop);
    assert_eq!(event_loop.run_until_complete(async { here.stop() }), Ok(()));
    let panicking = || {
        event_loop.run_until_complete(async {
            here.stop();
            panic_any("the root's own fault");
        })
    };
    assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
    assert_eq!(event_loop.run_until_complete(pass()), Ok(()));
}

#[test]
fn a_hook_wakes_whoever_drives_the_loop_by_ticks() {
    watch!();
    let (event_loop, log) = (EventLoop::new(), Log::new());
    let called = || log.entries().len();
    let ticks = || std::iter::from_fn(|| event_loop.try_tick().unwrap().then_some(())).count();
    event_loop.call_soon(|| ()).unwrap();
    let first = log.clone();
    event_loop.set_wake_hook(move || first.add("called"));
    assert_eq!((called(), ticks()), (1, 1), "there was something to do");
    let poster = event_loop.handle();
    let post = || poster.call_soon_threadsafe(|| ()).unwrap();
    post();
    thread::scope(|scope| drop(scope.spawn(post)));
    assert_eq!((called(), ticks()), (2, 2), "once, however much is posted");
    assert_eq!((called(), ticks()), (2, 0));
    // What a tick posts, and what this thread schedules outside of one.
    let handle = event_loop.handle();
    let more = event_loop.handle().call_soon_threadsafe(move || {
        handle.call_soon_threadsafe(|| ()).unwrap();
    });
    more.unwrap();
    assert_eq!((called(), ticks(), called()), (3, 2, 4));
    drop(event_loop.call_soon(|| ()).unwrap());
    assert_eq!((called(), ticks()), (5, 1));
    assert_eq!(event_loop.next_timer(), None);
    let at = event_loop.time() + Duration::from_secs(3600);
    let timer = event_loop.call_at(at, || ()).unwrap();
    assert_eq!((called(), event_loop.next_timer()), (6, Some(at)), "it is to sleep no longer");
    assert!(timer.cancel() && event_loop.next_timer().is_none());
    assert_eq!(ticks(), 0);
    // A second hook replaces the first, may panic, and goes with the loop.
    let (held, second) = (Arc::new(()), log.clone());
    let holds = Arc::clone(&held);
    event_loop.set_wake_hook(move || {
        let _ = &holds;
        second.add("the second");
        panic!("on purpose");
    });
    post();
    assert_eq!(log.entries().last().unwrap(), "the second");
    drop(event_loop);
    assert_eq!(Arc::strong_count(&held), 1);
    assert!(poster.call_soon_threadsafe(|| ()).is_err());
    assert_eq!(called(), 7, "what is refused wakes nobody");
}

#[test]
fn a_hook_is_called_for_what_a_run_leaves() {
    watch!();
    let (event_loop, log) = (EventLoop::new(), Log::new());
    let hook = log.clone();
    event_loop.set_wake_hook(move || hook.add("called"));
    let leaves = async { drop(LoopRef::current().unwrap().create_task(async {}).unwrap()) };
    event_loop.run_until_complete(leaves).unwrap();
    assert_eq!(log.entries().len(), 1);
    event_loop.run_until_complete(async {}).unwrap();
    assert_eq!(log.entries().len(), 1, "there is nothing to do");
    event_loop.call_soon(|| drop(LoopRef::current().unwrap().call_soon(|| ()))).unwrap();
    let before = log.entries().len();
    turns(&event_loop, 1);
    assert_eq!(log.entries().len(), before + 1, "also when it was stopped");
}

#[test]
fn a_hook_is_called_for_what_a_tick_has_deferred() {
    watch!();
    let (event_loop, log) = (EventLoop::new(), Log::new());
    let hook = log.clone();
    event_loop.set_wake_hook(move || hook.add("called"));
    let here = Rc::new(event_loop);
    let ticked = Rc::clone(&here);
    // In a callback the loop is ticked, and settles a chain that is deeper than callbacks run inside each other.
    settle_inside(move || {
        ticked.call_soon(|| chain(40, |here| drop(here.call_soon(|| ()).unwrap()))).unwrap();
        assert!(ticked.try_tick().unwrap() && !ticked.try_tick().unwrap());
    });
    assert_eq!((log.entries().len(), here.try_tick()), (2, Ok(true)));
}

/// Calls `f` in a callback of this thread.
fn settle_inside(f: impl FnOnce() + 'static) {
    thread_local!(static INSIDE: RefCell<Option<Box<dyn FnOnce()>>> = RefCell::default());
    INSIDE.replace(Some(Box::new(f)));
    let (promise, future) = ThreadFuture::<u8, ()>::pair();
    future.add_done_callback(|_| INSIDE.take().unwrap()());
    promise.finish(5).unwrap();
}

/// Calls `f` so deep inside callbacks.
fn chain(depth: usize, f: fn(LoopRef)) {
    let (promise, future) = ThreadFuture::<u8, ()>::pair();
    future.add_done_callback(move |_| match depth {
        0 => f(LoopRef::current().unwrap()),
        _ => chain(depth - 1, f),
    });
    promise.finish(5).unwrap();
}

#[test]
fn a_tick_runs_the_first_call_that_is_due() {
    watch!();
    let event_loop = EventLoop::new();
    let ran = Rc::new(Cell::new(0));
    let call = |event_loop: &LoopRef| {
        let ran = Rc::clone(&ran);
        event_loop.call_soon(move || ran.set(ran.get() + 1)).unwrap();
    };
    assert_eq!(event_loop.try_tick(), Ok(false), "it does not wait");
    call(&event_loop);
    call(&event_loop);
    event_loop.stop();
    assert_eq!((event_loop.try_tick(), ran.get()), (Ok(true), 1));
    assert_eq!((event_loop.try_tick(), ran.get()), (Ok(true), 2));
    assert_eq!(event_loop.try_tick(), Ok(false));
    assert_eq!(event_loop.run_until_complete(passes(3)), Ok(()), "the stop is over with its tick");
    let soon = event_loop.call_later(Duration::ZERO, || ());
    drop(soon);
    assert_eq!(event_loop.try_tick(), Ok(true), "a timer that is due is due");
    let inner = EventLoop::new();
    let nested = event_loop.run_until_complete(async { inner.try_tick() });
    assert_eq!(nested, Ok(Err(settled::RunError::Nested)));
}

#[test]
fn a_value_whose_drop_panics_harms_no_other_task() {
    watch!();
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic_any("a drop's own fault");
        }
    }
    let event_loop = EventLoop::new();
    drop(event_loop.create_task(async { Bomb }).unwrap());
    let innocent = async {
        pass().await;
        1
    };
    assert_eq!(event_loop.run_until_complete(innocent), Ok(1));
}

#[test]
fn a_loop_in_a_thread_local_is_closed_with_its_thread() {
    watch!();
    thread_local!(static LOOP: EventLoop = EventLoop::new());
    let (sent, received) = mpsc::channel();
    let thread = thread::spawn(move || {
        LOOP.with(|event_loop| {
            event_loop.run_until_complete(pass()).unwrap();
            let says = sent.clone();
            let held = async move {
                std::future::pending::<()>().await;
                says.send(()).unwrap();
            };
            drop(event_loop.create_task(held).unwrap());
        });
    });
    thread.join().unwrap();
    assert!(received.recv().is_err(), "the coroutine was dropped and never went on");
}

#[test]
fn a_loop_that_is_closed_with_its_thread_stops_what_its_tasks_own() {
    watch!();
    thread_local!(static LOOP: EventLoop = EventLoop::new());
    let (_promise, awaited) = ThreadFuture::<u8, ()>::pair();
    let inside = awaited.clone();
    let thread = thread::spawn(move || {
        LOOP.with(|event_loop| {
            drop(event_loop.create_task(async move { drop(inside.await) }).unwrap());
            turns(event_loop, 1);
        });
    });
    thread.join().unwrap();
    assert!(awaited.cancelled());
}

#[test]
fn what_callbacks_drop_while_a_task_is_stopped_is_not_cancelled() {
    watch!();
    let event_loop = EventLoop::new();
    let (_promise, unrelated) = settled::ThreadFuture::<u8, ()>::pair();
    let (_promise2, awaited) = settled::ThreadFuture::<u8, ()>::pair();
    let mut stray = Box::pin(unrelated.clone().into_future());
    assert!(stray.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    awaited.add_done_callback(move |_| drop(stray));
    let inside = awaited.clone();
    let task = event_loop.create_task(async move { inside.await.cancelled() }).unwrap();
    turns(&event_loop, 1);
    assert_eq!(task.cancel(), Cancel::Requested);
    turns(&event_loop, 2);
    assert!(task.cancelled() && awaited.cancelled() && !unrelated.done());
}

#[test]
fn what_foreign_code_drops_while_a_task_is_stopped_is_not_cancelled() {
    watch!();
    type Unit = ThreadFuture<u8, ()>;
    type Stray = Pin<Box<<Unit as IntoFuture>::IntoFuture>>;
    struct Drops(Mutex<Option<Stray>>);
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    impl Wake for Drops {
        fn wake(self: Arc<Self>) {
            drop(self.0.lock().unwrap().take());
        }
    }
    for who in ["call", "waker", "handler"] {
        let event_loop = EventLoop::new();
        let ((_kept, unrelated), (promise, awaited)) = (Unit::pair(), Unit::pair());
        let mut stray = Box::pin(unrelated.clone().into_future());
        assert!(stray.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let drops = Arc::new(Drops(Mutex::new(Some(stray))));
        let waker = Waker::from(Arc::clone(&drops));
        let mut await_by_another = pin!(awaited.clone().into_future());
        let mut bomb = None;
        match who {
            "call" => promise.on_cancel_request(move || Arc::clone(&drops).wake()),
            "waker" => {
                let mut cx = Context::from_waker(&waker);
                assert!(await_by_another.as_mut().poll(&mut cx).is_pending());
            }
            _ => {
                bomb = Some(Bomb);
                event_loop.set_exception_handler(move |_| Arc::clone(&drops).wake());
            }
        }
        let inside = awaited.clone();
        let task = event_loop.create_task(async move {
            let _bomb = bomb;
            inside.await.cancelled()
        });
        turns(&event_loop, 1);
        assert_eq!(task.unwrap().cancel(), Cancel::Requested, "{who}");
        turns(&event_loop, 2);
        let states = (awaited.cancelled(), unrelated.done());
        assert_eq!(states, (true, false), "{who}");
    }
}

#[test]
fn awaiting_on_another_loop_is_an_error_and_no_hang() {
    watch!();
    let (home, other) = (EventLoop::new(), EventLoop::new());
    let (_promise, future) = home.create_future::<u8, ()>();
    let task = other.create_task(async move { drop(future.await) }).unwrap();
    let settled = other.run_until_complete(task).unwrap();
    let Err(Failure::Panicked(panic)) = settled.result() else { panic!("{settled:?}") };
    assert!(panic.message().contains("another loop"), "{panic}");
}

#[test]
fn cancelled_timers_do_not_pile_up() {
    watch!();
    let event_loop = EventLoop::new();
    for _ in 0..10_000 {
        assert!(event_loop.call_later(Duration::from_secs(600), || {}).unwrap().cancel());
    }
    let kept = event_loop.call_later(Duration::from_secs(600), || {}).unwrap();
    let text = format!("{:?}", LoopRef::clone(&event_loop));
    let timers: usize =
        text.split("timers: ").nth(1).unwrap().split([' ', ',']).next().unwrap().parse().unwrap();
    assert!((1..=65).contains(&timers), "{text}");
    assert!(kept.cancel());
}

#[test]
fn debug_says_what_there_is() {
    watch!();
    let event_loop = EventLoop::new();
    let call = event_loop.call_soon(|| ()).unwrap();
    assert_eq!(format!("{call:?}"), "CallHandle(..)");
    let id = |text: String| {
        let (_, id) = text.split_once(" { id: ").unwrap();
        id.split([' ', ',']).next().unwrap().to_owned()
    };
    let (here, handle) = (LoopRef::clone(&event_loop), event_loop.handle());
    assert_eq!(id(format!("{here:?}")), id(format!("{handle:?}")));
    let told = Rc::new(RefCell::new(Vec::new()));
    let tell = Rc::clone(&told);
    event_loop.set_exception_handler(move |it| tell.borrow_mut().push(format!("{it:?}")));
    event_loop.call_exception_handler(&Incident::Message("out of beans"));
    assert_eq!(*told.borrow(), ["Incident(out of beans)"]);
}

#[test]
fn debug_of_a_future_says_what_its_loop_sees_and_is_no_look() {
    watch!();
    let event_loop = EventLoop::new();
    let incidents = Rc::new(Cell::new(0));
    let counts = Rc::clone(&incidents);
    event_loop.set_exception_handler(move |_| counts.set(counts.get() + 1));
    type Future = LoopFuture<u8, &'static str>;
    let shown = |future: &Future| {
        let text = format!("{future:?}");
        let id = format!("LoopFuture {{ id: {}, state: ", future.id());
        let (shown, _) = text.strip_prefix(&id).expect(&text).split_once(", cell: ").unwrap();
        shown.to_owned()
    };
    let turn = || event_loop.run_until_complete(std::future::ready(())).unwrap();
    let (promise, future): (_, Future) = event_loop.create_future();
    let token = future.add_done_callback(|_| ());
    future.add_done_callback(|_| ());
    assert_eq!(shown(&future), "Pending, waiters: 0, callbacks: 2");
    assert!(future.remove_done_callback(token));
    promise.finish(5).unwrap();
    turn();
    assert_eq!(shown(&future), "Finished, waiters: 0, callbacks: 0");
    let (promise, failed): (_, Future) = event_loop.create_future();
    promise.fail("no").unwrap();
    turn();
    assert_eq!(shown(&failed), "Failed, waiters: 0, callbacks: 0");
    drop(failed);
    assert_eq!(incidents.get(), 1, "its error was never retrieved");
    let (promise, cancelled): (_, Future) = event_loop.create_future();
    drop(promise);
    let (promise, abandoned): (_, Future) = event_loop.create_future();
    drop(promise.start());
    let (promise, panicked): (_, Future) = event_loop.create_future();
    let panic = std::panic::catch_unwind(|| panic!("no")).unwrap_err();
    promise.start().unwrap().panicked(settled::Panic::new(panic));
    turn();
    assert_eq!(shown(&cancelled), "Cancelled(Dropped), waiters: 0, callbacks: 0");
    assert_eq!(shown(&abandoned), "Abandoned, waiters: 0, callbacks: 0");
    assert_eq!(shown(&panicked), "Panicked, waiters: 0, callbacks: 0");
}

#[test]
fn loops_do_not_nest() {
    watch!();
    let event_loop = EventLoop::new();
    let nested = event_loop.run_until_complete(async {
        assert!(LoopRef::current().is_some());
        (EventLoop::new().run_forever(), EventLoop::new().run_until_complete(async {}))
    });
    assert_eq!(nested, Ok((Err(RunError::Nested), Err(RunError::Nested))));
    assert!(LoopRef::current().is_none());
}

#[test]
fn blocking_inside_the_loop_is_an_error() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = settled::ThreadFuture::<u8, ()>::pair();
    let answer = event_loop.run_until_complete(async { future.wait().map(drop) });
    assert_eq!(answer, Ok(Err(WaitError::WouldDeadlock(WouldDeadlock::EventLoop))));
    drop(promise);
}

#[test]
fn a_sleeping_loop_is_woken_by_a_post() {
    watch!();
    let event_loop = EventLoop::new();
    for _ in 0..500 {
        let handle = event_loop.handle();
        let poster = thread::spawn(move || handle.stop());
        event_loop.run_forever().unwrap();
        poster.join().unwrap();
    }
}

#[test]
fn a_closed_loop_hands_everything_back() {
    watch!();
    let event_loop = EventLoop::new();
    let (here, handle) = (LoopRef::clone(&event_loop), event_loop.handle());
    event_loop.close();
    assert!(here.is_closed());
    let f = handle.call_soon_threadsafe(|| {}).unwrap_err().into_inner();
    f();
    let kept = Rc::new(());
    let inside = Rc::clone(&kept);
    let f = here.call_soon(move || drop(inside)).unwrap_err().into_inner();
    assert_eq!(Rc::strong_count(&kept), 2);
    f();
    assert!(here.call_later(Duration::ZERO, || {}).is_err());
    let coroutine = here.create_task(async { 3 }).unwrap_err().into_inner();
    assert_eq!(EventLoop::new().run_until_complete(coroutine), Ok(3));
}

#[test]
fn close_settles_what_the_loop_holds() {
    watch!();
    let event_loop = EventLoop::new();
    let log = Log::new();
    let guard = Says(log.clone(), "coroutine dropped");
    let suspended = event_loop
        .create_task(async move {
            let _guard = guard;
            std::future::pending::<()>().await;
        })
        .unwrap();
    turns(&event_loop, 1);
    let fresh = event_loop.create_task(async { panic!("never runs") }).unwrap();
    let fresh: LoopFuture<(), Infallible> = fresh;
    suspended.add_done_callback(note(&log, "its callback"));
    let posted = log.clone();
    event_loop.handle().call_soon_threadsafe(move || posted.add("accepted post")).unwrap();
    let timer = Says(log.clone(), "timer dropped");
    event_loop.call_later(Duration::from_secs(600), move || drop(timer)).unwrap();
    event_loop.close();
    let failure = suspended.exception().unwrap();
    assert!(matches!(failure, Some(Failure::Cancelled(it)) if *it == Cancelled::Stopped));
    assert!(fresh.cancelled());
    let entries = log.entries();
    assert_eq!(entries[0], "coroutine dropped");
    assert!(entries.contains(&"its callback".to_owned()), "{entries:?}");
    assert!(entries.contains(&"accepted post".to_owned()), "{entries:?}");
    assert_eq!(entries.last().unwrap(), "timer dropped");
    assert_eq!(entries.len(), 4, "each once: {entries:?}");
}

#[test]
fn close_tells_also_what_the_drop_of_a_timer_settles() {
    watch!();
    struct Cancels(LoopFuture<u8, ()>);
    impl Drop for Cancels {
        fn drop(&mut self) {
            assert_eq!(self.0.cancel(), Cancel::Now);
        }
    }
    let event_loop = EventLoop::new();
    let (_promise, future) = settled::ThreadFuture::<u8, ()>::pair();
    let log = Log::new();
    let callback = log.clone();
    future.add_done_callback(move |_| callback.add("told"));
    let cancels = Cancels(settled::bridge::wrap_future(&future, &event_loop));
    event_loop.call_later(Duration::from_secs(600), move || drop(cancels)).unwrap();
    event_loop.close();
    assert_eq!(log.entries(), ["told"]);
}

#[test]
fn printing_a_loop_borrows_nothing() {
    watch!();
    struct Curious(LoopRef);
    impl std::fmt::Write for Curious {
        fn write_str(&mut self, _: &str) -> std::fmt::Result {
            drop(self.0.create_task(async {}).unwrap());
            self.0.call_later(Duration::ZERO, || {}).map(drop).unwrap();
            Ok(())
        }
    }
    let event_loop = EventLoop::new();
    let here = LoopRef::clone(&event_loop);
    std::fmt::write(&mut Curious(here.clone()), format_args!("{here:?}")).unwrap();
}

#[test]
fn a_closed_loop_drops_callbacks_on_its_thread_and_its_views_read_through() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<u32, String>();
    let log = Log::new();
    let held = Says(log.clone(), "dropped");
    let token = future.add_done_callback(move |_| drop(held));
    event_loop.close();
    assert_eq!(log.entries(), ["dropped"]);
    assert!(!future.done(), "a promise with an owner elsewhere stays open");
    assert!(!future.remove_done_callback(token), "nothing is left to remove");
    let settler = thread::spawn(move || promise.finish(1).unwrap());
    settler.join().unwrap();
    assert_eq!(future.result().unwrap(), &1, "reads through");
    let held = Says(log.clone(), "late one dropped");
    future.add_done_callback(move |_| drop(held));
    assert_eq!(log.entries(), ["dropped", "late one dropped"]);
}

#[test]
fn what_the_end_of_a_loop_registers_with_a_task_is_dropped_with_it() {
    watch!();
    let event_loop = EventLoop::new();
    let task = event_loop.create_task(std::future::pending::<()>()).unwrap();
    let (log, again) = (Log::new(), task.clone());
    let (held, told) = (Says(log.clone(), "late one dropped"), log.clone());
    task.add_done_callback(move |_| {
        told.add("told");
        again.add_done_callback(move |_| drop(held));
    });
    event_loop.close();
    assert_eq!(log.entries(), ["told", "late one dropped"]);
    assert!(task.cancelled());
}

thread_local! {
    static SEEN: RefCell<Option<LoopFuture<u32, Infallible>>> = const { RefCell::new(None) };
}

#[test]
fn the_view_of_a_task_is_told_before_the_callbacks_of_its_thread_future() {
    watch!();
    let event_loop = EventLoop::new();
    let task = event_loop.create_task(async { 7 }).unwrap();
    SEEN.replace(Some(task.clone()));
    let (tell, told) = mpsc::channel();
    bridge::thread_future(&task).add_done_callback(move |settled| {
        let seen = SEEN.with_borrow(|seen| seen.as_ref().unwrap().result().copied().ok());
        tell.send((seen, settled.result().copied().ok())).unwrap();
    });
    event_loop.run_until_complete(task).unwrap();
    assert_eq!(told.recv().unwrap(), (Some(7), Some(7)));
    SEEN.take();
}

#[test]
fn what_has_settled_before_its_loop_closes_is_told() {
    watch!();
    let event_loop = EventLoop::new();
    let (here, there) = (event_loop.create_future::<u32, String>(), event_loop.create_future());
    let open = event_loop.create_future::<u32, String>();
    let log = Log::new();
    here.1.add_done_callback(note(&log, "settled here"));
    there.1.add_done_callback(note(&log, "settled elsewhere"));
    open.1.add_done_callback(note(&log, "open"));
    here.0.finish(1).unwrap();
    let promise: settled::Promise<u32, String> = there.0;
    thread::spawn(move || promise.finish(2).unwrap()).join().unwrap();
    assert!(log.entries().is_empty(), "in a later turn, and there was none");
    event_loop.close();
    assert_eq!(log.entries(), ["settled here", "settled elsewhere"]);
}

#[test]
fn an_await_goes_on_when_its_loop_is_closed() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<u32, String>();
    let (woken, waker) = CountingWaker::new();
    let mut awaiting = pin!(future.into_future());
    let mut cx = Context::from_waker(&waker);
    assert!(awaiting.as_mut().poll(&mut cx).is_pending());
    event_loop.close();
    assert_eq!(woken.count(), 1, "it has to look again");
    assert!(awaiting.as_mut().poll(&mut cx).is_pending());
    promise.finish(1).unwrap();
    assert_eq!(woken.count(), 2);
    let Poll::Ready(settled) = awaiting.as_mut().poll(&mut cx) else { panic!("settled") };
    assert_eq!(settled.take().unwrap().unwrap(), 1);
}

#[test]
fn close_survives_panics_of_drops() {
    watch!();
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !thread::panicking() {
                panic_any("a drop's own fault");
            }
        }
    }
    let event_loop = EventLoop::new();
    let bomb = Bomb;
    let task = event_loop
        .create_task(async move {
            let _bomb = bomb;
            std::future::pending::<()>().await;
        })
        .unwrap();
    let (_promise, future) = event_loop.create_future::<u32, String>();
    let bomb = Bomb;
    future.add_done_callback(move |_| drop(bomb));
    let bomb = Bomb;
    event_loop.call_later(Duration::from_secs(600), move || drop(bomb)).unwrap();
    turns(&event_loop, 1);
    event_loop.close();
    assert!(task.cancelled());
}

#[test]
fn a_stale_wake_up_of_an_ended_task_is_harmless() {
    watch!();
    let event_loop = EventLoop::new();
    let kept: Rc<RefCell<Option<Waker>>> = Rc::default();
    let inside = Rc::clone(&kept);
    let task = event_loop.create_task(poll_fn(move |cx| {
        *inside.borrow_mut() = Some(cx.waker().clone());
        Poll::Ready(())
    }));
    event_loop.run_until_complete(task.unwrap()).unwrap();
    let waker = kept.take().unwrap();
    waker.wake_by_ref();
    turns(&event_loop, 2);
    event_loop.close();
    waker.wake();
}

#[test]
fn a_future_dropped_without_callbacks_leaves_nothing_behind() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = settled::ThreadFuture::<u8, ()>::pair();
    for _ in 0..10 {
        drop(settled::bridge::wrap_future(&future, &event_loop));
    }
    assert!(format!("{future:?}").contains("waiters: 0"), "{future:?}");
    assert!(format!("{event_loop:?}").contains("futures: 0"), "{event_loop:?}");
    let view = settled::bridge::wrap_future(&future, &event_loop);
    assert!(format!("{event_loop:?} {view:?}").contains("futures: 1"), "{event_loop:?}");
    assert!(format!("{view:?}").contains("waiters: 1"), "{view:?}");
    drop(promise);
}

/// `[report-1]`
#[test]
fn a_handler_that_is_taken_away_is_told_no_more() {
    watch!();
    let event_loop = EventLoop::new();
    let told = Rc::new(Cell::new(0));
    let count = Rc::clone(&told);
    event_loop.set_exception_handler(move |_| count.set(count.get() + 1));
    let turn = || {
        event_loop.call_soon(|| panic!("is told")).unwrap();
        event_loop.try_tick().unwrap();
        told.get()
    };
    assert_eq!(turn(), 1);
    event_loop.reset_exception_handler();
    assert_eq!(turn(), 1);
}

/// `[loop-12]`
#[test]
fn another_hook_is_called_for_what_is_there() {
    watch!();
    let (event_loop, log) = (EventLoop::new(), Log::new());
    let (first, second) = (log.clone(), log.clone());
    event_loop.set_wake_hook(move || first.add("first"));
    event_loop.handle().call_soon_threadsafe(|| ()).unwrap();
    event_loop.set_wake_hook(move || second.add("second"));
    assert_eq!(log.entries(), ["first", "second"]);
}

/// `[loop-12]` `[callback-6]`
#[test]
fn a_hook_that_is_called_when_it_is_set_may_give_the_loop_something_to_do() {
    watch!();
    thread_local! {
        static HERE: RefCell<Option<LoopRef>> = const { RefCell::new(None) };
        static GIVEN: Cell<bool> = const { Cell::new(false) };
    }
    let event_loop = EventLoop::new();
    HERE.set(Some(LoopRef::clone(&event_loop)));
    let ran = Rc::new(Cell::new(0));
    let (task, call) = (Rc::clone(&ran), Rc::clone(&ran));
    event_loop.call_soon(move || call.set(call.get() + 1)).unwrap();
    let task = event_loop.create_task(async move { task.set(task.get() + 1) }).unwrap();
    event_loop.set_wake_hook(|| {
        let give = |here: &LoopRef| drop(here.call_soon(|| GIVEN.set(true)).unwrap());
        HERE.with_borrow(|here| here.as_ref().map(give));
    });
    while event_loop.try_tick().unwrap() {}
    HERE.take();
    assert!(GIVEN.get());
    assert_eq!(ran.get(), 2);
    assert!(task.done());
}

#[test]
fn a_handler_that_holds_its_loop_goes_with_it() {
    watch!();
    let (event_loop, held) = (EventLoop::new(), Rc::new(()));
    let holds = (LoopRef::clone(&event_loop), Rc::clone(&held));
    event_loop.set_exception_handler(move |_| _ = &holds);
    drop(event_loop);
    assert_eq!(Rc::strong_count(&held), 1);
}

#[test]
fn a_task_that_tells_that_it_has_ended_is_not_listed() {
    watch!();
    let event_loop = EventLoop::new();
    let task = event_loop.create_task(pass()).unwrap();
    let (tell, told) = mpsc::channel();
    bridge::thread_future(&task).add_done_callback(move |_| {
        tell.send(LoopRef::current().unwrap().all_tasks().len()).unwrap();
    });
    assert_eq!(event_loop.all_tasks().len(), 1);
    event_loop.run_until_complete(task).unwrap();
    assert_eq!(told.recv(), Ok(0));
    let text = format!("{:?}", LoopRef::clone(&event_loop));
    assert!(text.contains("tasks: 0"), "{text}");
}

#[test]
fn a_callback_inside_of_a_step_may_await_its_task_for_another() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = ThreadFuture::<u8, ()>::pair();
    let task = event_loop.create_task(async move { promise.finish(5).unwrap() }).unwrap();
    let mut outcome = Box::pin(bridge::thread_future(&task).into_future());
    let (tell, told) = mpsc::channel();
    future.add_done_callback(move |_| {
        let poll = outcome.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        tell.send(poll.is_pending()).unwrap();
    });
    event_loop.run_until_complete(task).unwrap();
    assert_eq!(told.recv(), Ok(true), "it is not the step that awaits");
}

#[test]
fn a_loop_goes_on_when_nothing_can_be_written_to_the_standard_error() {
    watch!();
    const CHILD: &str = "SETTLED_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let event_loop = EventLoop::new();
        drop(event_loop.create_task_result(async { Err::<(), _>("disk full") }).unwrap());
        event_loop.run_until_complete(passes(2)).unwrap();
        return assert!(event_loop.all_tasks().is_empty());
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    let test = "a_loop_goes_on_when_nothing_can_be_written_to_the_standard_error";
    let full = File::options().write(true).open("/dev/full").unwrap();
    let child = child.args(["--exact", test, "--nocapture"]).env(CHILD, "1").stderr(full);
    assert!(child.status().unwrap().success());
}

#[test]
fn a_view_that_is_made_while_its_loop_closes_shows_what_is_settled() {
    watch!();
    struct Last(Rc<Cell<(bool, bool)>>);
    impl Drop for Last {
        fn drop(&mut self) {
            let (promise, future) = LoopRef::current().unwrap().create_future::<u8, ()>();
            let before = future.done();
            promise.finish(5).unwrap();
            self.0.set((before, future.done()));
        }
    }
    let (event_loop, seen) = (EventLoop::new(), Rc::new(Cell::new((true, false))));
    let last = Last(Rc::clone(&seen));
    let endless = async move {
        let _last = last;
        std::future::pending::<()>().await;
    };
    drop(event_loop.create_task(endless).unwrap());
    drop(event_loop);
    assert_eq!(seen.get(), (false, true));
}

#[test]
fn a_hook_may_close_the_loop_whose_task_is_cancelled() {
    watch!();
    thread_local!(static LOOP: Cell<Option<EventLoop>> = const { Cell::new(None) });
    let event_loop = EventLoop::new();
    let future = event_loop.create_task(std::future::pending::<()>()).unwrap();
    turns(&event_loop, 1);
    event_loop.set_wake_hook(|| drop(LOOP.take()));
    LOOP.set(Some(event_loop));
    assert_eq!(future.task().unwrap().cancel(), Cancel::Requested);
    assert!(LOOP.take().is_none() && future.cancelled());
}
