//! Tasks and what they do with futures, clause by clause.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

#[path = "support/log.rs"]
mod log;

use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    env,
    future::{Future, IntoFuture, pending, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    process::Command,
    rc::Rc,
    sync::mpsc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use log::Log;
use settled::{
    Cancel, Cancelled, Clock, EventLoop, Executor, Expired, Failure, Incident, LoopFuture, LoopRef,
    Refusal, ReturnWhen, RunError, ThreadFuture, ThreadPool, bridge, tasks,
    tasks::{ToldToGroup, sleep, task_group, timeout, wait_for},
};

const SHORT: Duration = Duration::from_millis(2);
/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3600);

fn run<F: Future>(coroutine: F) -> F::Output {
    EventLoop::new().run_until_complete(coroutine).unwrap()
}

fn here() -> LoopRef {
    LoopRef::current().unwrap()
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

async fn passes(count: usize) {
    for _ in 0..count {
        pass().await;
    }
}

/// Writes when it is dropped.
struct Says(Log, &'static str);

impl Drop for Says {
    fn drop(&mut self) {
        self.0.add(self.1);
    }
}

/// A task that never ends of its own accord, and writes when it is dropped.
fn endless(log: &Log, text: &'static str) -> LoopFuture<(), Infallible> {
    let says = Says(log.clone(), text);
    let task = here().create_task(async move {
        let _says = says;
        pending::<()>().await;
    });
    task.unwrap()
}

#[test]
fn a_sleep_is_not_too_short_and_gives_others_a_turn() {
    watch!();
    let begin = Instant::now();
    run(async { sleep(SHORT).await });
    assert!(begin.elapsed() >= SHORT);
    let log = Log::new();
    run(async {
        let other = log.clone();
        here().call_soon(move || other.add("other")).unwrap();
        sleep(Duration::ZERO).await;
        log.add("awake");
    });
    assert_eq!(log.entries(), ["other", "awake"]);
}

#[test]
fn a_dropped_sleep_leaves_no_timer() {
    watch!();
    run(async {
        for _ in 0..10_000 {
            drop(sleep(LONG));
        }
        let timers = format!("{:?}", here());
        let timers: usize =
            timers.split("timers: ").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
        assert!(timers < 200, "{timers} timers are left");
    });
}

#[test]
fn wait_for_gives_what_comes_in_time() {
    watch!();
    run(async {
        let task = here().create_task(async { 7 }).unwrap();
        let settled = wait_for(task, LONG).await.unwrap();
        assert_eq!(settled.take().unwrap().unwrap(), 7);
        let (promise, future) = here().create_future::<u32, ()>();
        promise.finish(1).unwrap();
        assert_eq!(wait_for(future, Duration::ZERO).await.unwrap().result().unwrap(), &1);
    });
}

#[test]
fn an_expired_wait_for_has_stopped_its_task() {
    watch!();
    let log = Log::new();
    run(async {
        let timed_out = wait_for(endless(&log, "stopped"), SHORT).await.unwrap_err();
        log.add("returned");
        assert!(timed_out.future.cancelled());
        let reason = timed_out.future.settled().unwrap().cancel_reason();
        assert_eq!(reason.as_deref(), Some("the time of wait_for was over"));
    });
    assert_eq!(log.entries(), ["stopped", "returned"]);
}

#[test]
fn an_expired_wait_for_has_stopped_its_task_behind_any_view() {
    watch!();
    let log = Log::new();
    run(async {
        let says = Says(log.clone(), "deepest");
        let deepest = here().create_task(async move {
            let _says = says;
            pending::<()>().await;
        });
        let inner = here().create_task(async { drop(deepest.unwrap().await) }).unwrap();
        let view = bridge::wrap_future(&bridge::thread_future(&inner), &here());
        let timed_out = wait_for(view, SHORT).await.unwrap_err();
        assert!(inner.done() && timed_out.future.cancelled());
        // One that was sent from elsewhere.
        let says = Says(log.clone(), "sent");
        let sent = async move {
            let _says = says;
            pending::<()>().await;
        };
        let sent = bridge::run_coroutine_threadsafe(sent, &here().handle()).unwrap();
        let waits = wait_for(bridge::wrap_future(&sent, &here()), Duration::ZERO);
        let timed_out = waits.await.unwrap_err();
        assert!(timed_out.future.cancelled());
        log.add("returned");
    });
    assert_eq!(log.entries(), ["deepest", "sent", "returned"]);
}

#[test]
fn what_was_settled_elsewhere_and_not_delivered_in_time_is_late() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = ThreadFuture::<u32, Infallible>::pair();
    let view = bridge::wrap_future(&future, &event_loop);
    let task = event_loop.create_task(wait_for(view, Duration::ZERO)).unwrap();
    // It begins to wait; its time is over, which queues its next step; and only then another thread settles.
    assert_eq!(event_loop.try_tick(), Ok(true));
    assert_eq!(event_loop.try_tick(), Ok(true));
    std::thread::spawn(move || promise.finish(7)).join().unwrap().unwrap();
    assert_eq!(event_loop.try_tick(), Ok(true));
    assert_eq!(future.result().unwrap(), &7);
    let timed_out = task.into_settled().unwrap().take().unwrap().unwrap().unwrap_err();
    assert!(!timed_out.future.done(), "the loop has not been told");
    assert_eq!(event_loop.try_tick(), Ok(true));
    assert_eq!(timed_out.future.result().unwrap(), &7);
}

#[test]
fn an_expired_wait_for_does_not_wait_for_running_work() {
    watch!();
    let pool = ThreadPool::default();
    let (begun, began) = mpsc::channel();
    run(async {
        let job = pool.submit_with(move |promise| {
            begun.send(()).unwrap();
            while !promise.cancel_requested() {
                std::thread::yield_now();
            }
            Ok::<_, Infallible>(promise.cancel_reason().unwrap().to_string())
        });
        let job = job.unwrap();
        began.recv().unwrap();
        let view = bridge::wrap_future(&job, &here());
        let timed_out = wait_for(view, SHORT).await.unwrap_err();
        assert!(!timed_out.future.cancelled());
        // The request stayed visible to the work, and the outcome stays readable.
        let settled = timed_out.future.await;
        assert_eq!(settled.result().unwrap(), "the time of wait_for was over");
    });
}

#[test]
fn an_expired_wait_for_does_not_wait_for_another_loop() {
    watch!();
    // The other loop does not run at all meanwhile.
    let other = EventLoop::new();
    let remote = bridge::run_coroutine_threadsafe(pending::<()>(), &other.handle()).unwrap();
    run(async {
        let view = bridge::wrap_future(&remote, &here());
        let timed_out = wait_for(view, SHORT).await.unwrap_err();
        assert!(!timed_out.future.done());
    });
    drop(other);
    assert!(remote.cancelled());
}

/// `bug-e1`
#[test]
fn a_stopped_wait_for_stops_what_it_waits_for_and_swallows_nothing() {
    watch!();
    let log = Log::new();
    run(async {
        let (promise, inner) = here().create_future::<u32, ()>();
        let task = {
            let log = log.clone();
            here().create_task(async move {
                let _never = wait_for(inner, LONG).await;
                log.add("swallowed");
                pending::<()>().await;
            })
        };
        let task = task.unwrap();
        passes(3).await;
        // The future settles, and in the same turn the task is cancelled.
        promise.finish(7).unwrap();
        assert_eq!(task.cancel(), Cancel::Requested);
        assert!(task.await.cancelled());
        let waits = wait_for(endless(&log, "inner"), LONG);
        let task = here().create_task(async { drop(waits.await) }).unwrap();
        passes(3).await;
        task.cancel();
        (&task).await;
        log.add("outer");
    });
    assert_eq!(log.entries(), ["inner", "outer"]);
}

#[test]
fn a_timeout_stops_what_it_ran_with_all_that_it_awaited() {
    watch!();
    let log = Log::new();
    run(async {
        assert_eq!(timeout(async { 5 }, LONG).await, Ok(5));
        assert_eq!(timeout(std::future::ready(5), Duration::ZERO).await, Ok(5), "it has made it");
        let task = endless(&log, "inner");
        let says = Says(log.clone(), "coroutine");
        let expired = timeout(
            async move {
                let _says = says;
                task.await;
            },
            SHORT,
        );
        assert_eq!(expired.await, Err(Expired));
        log.add("returned");
    });
    assert_eq!(log.entries(), ["coroutine", "inner", "returned"]);
}

#[test]
fn a_deadline_is_a_moment() {
    watch!();
    run(async {
        let begin = Instant::now();
        let expired = tasks::timeout_at(pending::<()>(), begin + SHORT).await;
        assert_eq!(expired, Err(Expired));
        assert!(begin.elapsed() >= SHORT);
        assert_eq!(tasks::timeout_at(async { 1 }, begin).await, Ok(1), "it has made it");
        let later = async {
            passes(3).await;
            1
        };
        assert_eq!(timeout(later, Duration::MAX).await, Ok(1));
    });
}

/// `bug-e7` A stop from outside is never taken for an expiry, whatever comes first.
#[test]
fn nested_timeouts_and_a_stop_are_told_apart() {
    watch!();
    run(async {
        let inner = timeout(timeout(pending::<()>(), LONG), SHORT);
        assert_eq!(inner.await, Err(Expired));
        let outer = timeout(timeout(pending::<()>(), SHORT), LONG);
        assert_eq!(outer.await, Ok(Err(Expired)));
        let task = here().create_task(timeout(pending::<()>(), Duration::ZERO)).unwrap();
        assert_eq!(task.cancel(), Cancel::Requested);
        assert!(task.await.cancelled(), "the stop had been asked for before");
    });
}

/// `bug-e5`
#[test]
fn a_shield_stops_a_stop_and_leaves_nothing_behind() {
    watch!();
    run(async {
        let (promise, inner) = here().create_future::<u32, ()>();
        for _ in 0..10 {
            let inner = inner.clone();
            let task = here().create_task(async move { drop(tasks::shield(inner).await) }).unwrap();
            passes(2).await;
            task.cancel();
            assert!(task.await.cancelled());
        }
        assert!(!inner.done());
        assert!(format!("{inner:?}").contains("waiters: 1"), "only the view is left: {inner:?}");
        promise.finish(3).unwrap();
        assert_eq!(tasks::shield(inner).await.result().unwrap(), &3);
    });
}

#[test]
fn gather_gives_the_values_in_order() {
    watch!();
    run(async {
        let one = here().create_task(async {
            passes(5).await;
            1
        });
        let two = here().create_task(async { 2 });
        let values = tasks::gather([one.unwrap(), two.unwrap()]).await.unwrap();
        let values: Vec<i32> = values.into_iter().map(|it| it.take().unwrap().unwrap()).collect();
        assert_eq!(values, [1, 2]);
        let none: [LoopFuture<(), ()>; 0] = [];
        assert_eq!(tasks::gather(none).await.unwrap().len(), 0);
    });
}

#[test]
fn gather_ends_with_the_first_failure_and_leaves_the_others() {
    watch!();
    let log = Log::new();
    run(async {
        let fails = here().create_task_result(async { Err::<(), _>("first") }).unwrap();
        let other = log.clone();
        let goes_on = here().create_task_result(async move {
            passes(5).await;
            other.add("went on");
            Ok(())
        });
        let failed = tasks::gather([goes_on.unwrap(), fails]).await.unwrap_err();
        assert!(matches!(failed.exception(), Some(Failure::Error("first"))));
        assert_eq!(log.entries(), [""; 0]);
        passes(10).await;
    });
    assert_eq!(log.entries(), ["went on"]);
}

#[test]
fn gather_all_gives_every_outcome() {
    watch!();
    run(async {
        let fails = here().create_task_result(async { Err::<u32, _>("first") }).unwrap();
        let value = here().create_task_result(async { Ok(2) }).unwrap();
        let cancelled = here().create_task_result(pending()).unwrap();
        cancelled.cancel();
        let all = tasks::gather_all([fails, value, cancelled]).await;
        assert!(matches!(all[0].result(), Err(Failure::Error("first"))));
        assert_eq!(all[1].result().unwrap(), &2);
        assert!(all[2].cancelled());
    });
}

/// `bug-e3` `bug-e4`
#[test]
fn a_stopped_gather_stops_all_and_is_seen_cancelled_after_them() {
    watch!();
    let log = Log::new();
    run(async {
        for all_outcomes in [false, true] {
            let futures = [endless(&log, "one"), endless(&log, "two")];
            let task = here().create_task(async move {
                if all_outcomes {
                    drop(tasks::gather_all(futures).await);
                } else {
                    drop(tasks::gather(futures).await);
                }
            });
            let task = task.unwrap();
            passes(3).await;
            task.cancel();
            (&task).await;
            assert!(task.cancelled());
            log.add("outer");
        }
    });
    let each = ["one", "two", "outer"];
    assert_eq!(log.entries(), [each, each].concat());
}

#[test]
fn wait_parts_and_neither_consumes_nor_cancels() {
    watch!();
    run(async {
        let never = here().create_task_result(pending::<Result<u32, ()>>()).unwrap();
        let value = here().create_task_result(async { Ok(1) }).unwrap();
        let fails = here().create_task_result(async { Err(()) }).unwrap();
        let futures = [&never, &value, &fails, &value];

        let (done, not_done) = tasks::wait(futures, Some(SHORT), ReturnWhen::AllCompleted).await;
        let places: Vec<_> = done.iter().map(|(place, _)| *place).collect();
        assert_eq!((places, not_done.len()), (vec![1, 2], 1), "the second time counts once");
        let (done, _) = tasks::wait(futures, None, ReturnWhen::FirstException).await;
        assert!(done.iter().any(|(_, settled)| settled.exception().is_some()));
        let (done, _) = tasks::wait([&never, &value], None, ReturnWhen::FirstCompleted).await;
        assert_eq!(done.len(), 1);
        let late = here()
            .create_task_result(async {
                passes(2).await;
                Ok(2)
            })
            .unwrap();
        let (done, _) = tasks::wait([&never, &late], None, ReturnWhen::FirstCompleted).await;
        assert_eq!(done[0].0, 1);
        let late = here().create_task_result(async {
            passes(2).await;
            Err(())
        });
        let late = late.unwrap();
        // A value is no failure.
        let (done, _) =
            tasks::wait([&value, &late, &never], None, ReturnWhen::FirstException).await;
        assert_eq!(done.len(), 2);
        let none: [&LoopFuture<(), ()>; 0] = [];
        assert!(tasks::wait(none, None, ReturnWhen::AllCompleted).await.0.is_empty());

        // A task that is stopped while it waits by reference leaves them as they are.
        let kept = Rc::new(never);
        let waited = Rc::clone(&kept);
        let waits = here().create_task(async move {
            tasks::wait([&*waited], None, ReturnWhen::AllCompleted).await.0.len()
        });
        let waits = waits.unwrap();
        passes(3).await;
        waits.cancel();
        assert!(waits.await.cancelled());
        passes(3).await;
        assert!(!kept.done());
        kept.cancel();
        // A cancelled one is done, and no failure.
        let waits = tasks::wait([&*kept], None, ReturnWhen::FirstException).await;
        assert_eq!(waits.0.len(), 1);
    });
}

#[test]
fn as_completed_yields_in_the_order_of_arrival() {
    watch!();
    run(async {
        let pairs: Vec<_> = (0..4).map(|_| here().create_future::<usize, ()>()).collect();
        let (mut promises, futures): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let mut arrivals = tasks::as_completed(futures.iter().chain(&futures), Some(SHORT));
        promises.remove(2).finish(2).unwrap();
        promises.remove(0).finish(0).unwrap();
        let (place, settled) = arrivals.next().await.unwrap().unwrap();
        assert_eq!((place, settled.result().unwrap()), (2, &2));
        assert_eq!(arrivals.next().await.unwrap().unwrap().0, 0);
        assert_eq!(arrivals.next().await.unwrap().unwrap_err(), Expired);
        // Then it is at its end, as the one of threads. What settles later is for another.
        promises.remove(0).finish(1).unwrap();
        drop(promises);
        passes(2).await;
        assert!(arrivals.next().await.is_none());
        let mut later = tasks::as_completed(&futures[1..], None);
        assert!(later.next().await.is_some());
    });
}

#[test]
fn combinators_refuse_the_futures_of_another_loop() {
    watch!();
    let other = EventLoop::new();
    let (_promise, future) = other.create_future::<(), ()>();
    run(async {
        let waits = AssertUnwindSafe(|| drop(tasks::as_completed([&future], None)));
        assert!(catch_unwind(waits).is_err());
    });
}

#[test]
fn tasks_have_names_and_are_listed() {
    watch!();
    run(async {
        assert!(here().current_task().is_none());
        let task = here().create_task(async {
            let task = here().current_task().unwrap();
            passes(2).await;
            assert_eq!(here().current_task().as_ref(), Some(&task));
            task.name()
        });
        let future = task.unwrap();
        let task = future.task().unwrap().clone();
        assert!(task.name().starts_with("Task-"));
        task.set_name("reader");
        assert_eq!(format!("{task:?}"), r#"Task { name: "reader", state: Pending }"#);
        assert_eq!(here().all_tasks(), std::slice::from_ref(&task));
        assert!(here().create_task(async {}).unwrap().task() != Some(&task));
        pass().await;
        assert_eq!(&**future.await.result().unwrap(), "reader");
        assert!(task.done() && here().all_tasks().is_empty());
        assert_eq!(task.cancel(), Cancel::Refused(Refusal::Finished));
        let (_promise, plain) = here().create_future::<(), ()>();
        assert!(plain.task().is_none());
        // In a callback no task runs.
        let (tell, told) = mpsc::channel();
        here().call_soon(move || tell.send(here().current_task().is_none()).unwrap()).unwrap();
        pass().await;
        assert!(told.try_recv().unwrap());
    });
}

#[test]
fn the_first_reason_of_a_cancel_is_kept_and_goes_on() {
    watch!();
    let log = Log::new();
    run(async {
        let inner = endless(&log, "inner");
        let seen = inner.clone();
        let outer = here().create_task(async { drop(inner.await) }).unwrap();
        passes(2).await;
        assert_eq!(outer.cancel_with("too late"), Cancel::Requested);
        let task = outer.task().unwrap().clone();
        assert_eq!(task.cancel_with("second"), Cancel::Requested);
        let settled = outer.await;
        assert_eq!(task.cancel(), Cancel::Already);
        assert_eq!(settled.cancel_reason().as_deref(), Some("too late"));
        assert!(
            matches!(settled.exception(), Some(Failure::Cancelled(it)) if *it == Cancelled::Requested)
        );
        let inner = seen.settled().unwrap();
        assert_eq!(inner.cancel_reason().as_deref(), Some("too late"));
    });
    let (promise, future) = ThreadFuture::<u32, ()>::pair();
    let running = promise.start().unwrap();
    assert_eq!(future.cancel_with("enough"), Cancel::Refused(Refusal::Running));
    assert_eq!(running.cancel_reason().as_deref(), Some("enough"));
    running.finish(1);
    assert!(future.wait().unwrap().cancel_reason().is_none(), "it was not cancelled");
    assert_eq!(future.cancel_with("late"), Cancel::Refused(Refusal::Finished));
}

/// A stop inside a stop has a reason of its own, which is over with it.
#[test]
fn a_reason_goes_on_also_after_a_stop_in_between() {
    watch!();
    /// Dropped, it closes a loop, which stops a task there, and then lets go of what it awaits.
    struct Awaits(#[expect(dead_code, reason = "held for its drop")] EventLoop, Coroutine);
    type Coroutine = Pin<Box<dyn Future<Output = ()>>>;
    impl Future for Awaits {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            self.1.as_mut().poll(cx)
        }
    }
    let log = Log::new();
    run(async {
        let other = EventLoop::new();
        drop(other.create_task(pending::<()>()).unwrap());
        let inner = endless(&log, "inner");
        let seen = inner.clone();
        let awaits = Awaits(other, Box::pin(async { drop(inner.await) }));
        let outer = here().create_task(awaits).unwrap();
        passes(2).await;
        assert_eq!(outer.cancel_with("too late"), Cancel::Requested);
        drop(outer.await);
        let reason = seen.settled().unwrap().cancel_reason();
        assert_eq!(reason.as_deref(), Some("too late"));
    });
}

#[test]
fn a_task_is_seen_stopped_after_the_tasks_that_it_owned() {
    watch!();
    let log = Log::new();
    run(async {
        let deepest = endless(&log, "deepest");
        let middle = here().create_task(async { drop(deepest.await) }).unwrap();
        let says = Says(log.clone(), "outer coroutine");
        let outer = here().create_task(async move {
            let _says = says;
            middle.await;
        });
        let outer = outer.unwrap();
        let seen = log.clone();
        outer.add_done_callback(move |_| seen.add("outer seen"));
        passes(5).await;
        outer.cancel();
        outer.await;
    });
    assert_eq!(log.entries(), ["outer coroutine", "deepest", "outer seen"]);
}

#[test]
fn an_await_that_is_dropped_in_a_task_that_goes_on_asks_nobody() {
    watch!();
    let log = Log::new();
    run(async {
        let task = endless(&log, "stopped");
        let kept = task.task().unwrap().clone();
        let mut awaited = Box::pin(task.into_future());
        assert!(poll_fn(|cx| Poll::Ready(awaited.as_mut().poll(cx).is_pending())).await);
        drop(awaited);
        passes(3).await;
        assert!(!kept.done() && log.entries().is_empty());
        assert_eq!(kept.cancel(), Cancel::Requested, "nobody had asked");
    });
}

#[test]
fn a_task_that_another_thread_can_wait_for_is_owned_all_the_same() {
    watch!();
    let log = Log::new();
    run(async {
        // The view of the view: it is not told whose outcome it is.
        let deepest = endless(&log, "deepest");
        let inner = here().create_task(async { drop(deepest.await) }).unwrap();
        let inner = bridge::thread_future(&inner);
        let view = bridge::wrap_future(&inner, &here());
        let outer = here().create_task(async { drop(view.await) }).unwrap();
        let seen = log.clone();
        outer.add_done_callback(move |_| seen.add("outer seen"));
        passes(3).await;
        outer.cancel();
        outer.await;
        assert!(inner.cancelled());
    });
    assert_eq!(log.entries(), ["deepest", "outer seen"]);
}

type Unit = LoopFuture<(), Infallible>;
type Waits = Pin<Box<dyn Future<Output = ()>>>;

/// Makes a coroutine that waits for a future.
type Way = fn(Unit) -> Waits;

const WAYS: [(&str, Way); 9] = [
    ("await", |own| Box::pin(async { drop(own.await) })),
    ("shield", |own| Box::pin(async { drop(tasks::shield(own).await) })),
    ("wait_for", |own| Box::pin(async { drop(wait_for(own, LONG).await) })),
    ("gather", |own| Box::pin(async { drop(tasks::gather([own]).await) })),
    ("gather_all", |own| Box::pin(async { drop(tasks::gather_all([own]).await) })),
    ("wait", |own| {
        Box::pin(async move {
            tasks::wait([&own], None, ReturnWhen::AllCompleted).await;
        })
    }),
    ("as_completed", |own| {
        Box::pin(async move {
            let _ = tasks::as_completed([&own], None).next().await;
        })
    }),
    ("nested", |own| {
        Box::pin(async { drop(timeout(timeout(tasks::gather([own]), LONG), LONG).await) })
    }),
    ("thread", |own| Box::pin(async move { drop(bridge::thread_future(&own).await) })),
];

/// Polls a future of another like it when it is dropped.
struct Polls(Log);

impl Drop for Polls {
    fn drop(&mut self) {
        let (_promise, future) = ThreadFuture::<Self, Infallible>::pair();
        let polled = pin!(future.into_future()).poll(&mut Context::from_waker(Waker::noop()));
        self.0.add(if polled.is_pending() { "pending" } else { "ready" });
    }
}

/// `[await-5]` The value is dropped after the memory of its cell is free: what its drop makes may lie there.
#[test]
fn what_a_value_awaits_in_its_drop_is_not_its_task() {
    watch!();
    let log = Log::new();
    let polls = Polls(log.clone());
    run(async {
        drop(here().create_task(async { polls }).unwrap());
        passes(3).await;
    });
    assert_eq!(log.entries(), ["pending"]);
}

/// `[await-5]`
#[test]
fn waiting_for_oneself_in_any_way_is_an_error() {
    watch!();
    let ways =
        WAYS.iter().flat_map(|way| [(way, false, false), (way, true, false), (way, false, true)]);
    for ((way, waits), wrapped, begun_elsewhere) in ways {
        run(async {
            let slot = Rc::new(RefCell::new(None::<Waits>));
            let own = Rc::clone(&slot);
            let task = here().create_task(async move {
                let waits = own.take().unwrap();
                waits.await;
            });
            let task = task.unwrap();
            let view = match wrapped {
                true => bridge::wrap_future(&bridge::thread_future(&task), &here()),
                false => task.clone(),
            };
            let mut waits = waits(view);
            if begun_elsewhere {
                assert!(poll_fn(|cx| Poll::Ready(waits.as_mut().poll(cx))).await.is_pending());
            }
            slot.replace(Some(waits));
            passes(9).await;
            let panics = |settled: &settled::Settled<(), Infallible>| {
                let Err(Failure::Panicked(panic)) = settled.result() else { return false };
                panic.message().contains("awaited itself")
            };
            let told = task.settled().is_some_and(panics);
            assert!(told, "{way}, wrapped: {wrapped}, begun elsewhere: {begun_elsewhere}");
        });
    }
}

/// `[await-5]`
#[test]
fn tasks_that_await_each_other_wait_until_one_is_cancelled() {
    watch!();
    run(async {
        let slot = Rc::new(RefCell::new(None::<Unit>));
        let back = Rc::clone(&slot);
        let first = here().create_task(async move {
            let second = back.take().unwrap();
            drop((&second).await.clone());
        });
        let first = first.unwrap();
        let awaited = first.clone();
        let second = here().create_task(async move { drop((&awaited).await.clone()) }).unwrap();
        slot.replace(Some(second.clone()));
        passes(9).await;
        assert!(!first.done() && !second.done());
        first.cancel();
        passes(9).await;
        assert!(first.cancelled() && second.result().is_ok());
    });
}

#[test]
fn tasks_that_own_each_other_end() {
    watch!();
    run(async {
        let first = Rc::new(RefCell::new(None::<LoopFuture<(), Infallible>>));
        let inside = Rc::clone(&first);
        let second = here().create_task(async move {
            pass().await;
            let first = inside.take().unwrap();
            first.await;
        });
        let second = second.unwrap();
        let (held, watched) = (second.clone(), second);
        let task = here().create_task(async { drop(held.await) }).unwrap();
        first.replace(Some(task.clone()));
        passes(5).await;
        task.cancel();
        assert!(task.await.cancelled() && watched.await.cancelled());
    });
}

#[test]
fn a_long_chain_of_tasks_stops_without_recursion() {
    watch!();
    run(async {
        let mut last = here().create_task(pending::<()>()).unwrap();
        for _ in 0..10_000 {
            let inner = last;
            last = here().create_task(async { drop(inner.await) }).unwrap();
        }
        passes(3).await;
        last.cancel();
        assert!(last.await.cancelled());
        assert!(here().all_tasks().is_empty());
    });
}

#[test]
fn closing_drops_every_coroutine_before_it_settles_one() {
    watch!();
    let log = Log::new();
    let event_loop = EventLoop::new();
    event_loop
        .run_until_complete(async {
            let inner = endless(&log, "inner dropped");
            let seen = log.clone();
            inner.add_done_callback(move |_| seen.add("inner seen"));
            let outer = here().create_task(async { drop(inner.await) }).unwrap();
            let seen = log.clone();
            outer.add_done_callback(move |_| seen.add("outer seen"));
            passes(3).await;
        })
        .unwrap();
    drop(event_loop);
    assert_eq!(log.entries(), ["inner dropped", "inner seen", "outer seen"]);
}

#[test]
fn a_group_outlives_its_tasks() {
    watch!();
    let log = Log::new();
    run(async {
        let sum = task_group(async |group| {
            let two = group.create_task(async { Ok::<_, &str>(2) }).unwrap();
            let (inside, other) = (group.clone(), log.clone());
            let nested = group.create_task(async move {
                // A task of the group may start others in it.
                let last = inside.create_task(async move {
                    passes(5).await;
                    other.add("last");
                    Ok(())
                });
                drop(last.unwrap());
                Ok(())
            });
            drop(nested);
            Ok(1 + *two.await.result().unwrap())
        });
        assert_eq!(sum.await.unwrap(), 3);
        log.add("group");
        assert!(here().all_tasks().is_empty());
    });
    assert_eq!(log.entries(), ["last", "group"]);
}

#[test]
fn the_first_failure_stops_the_others_and_the_body() {
    watch!();
    let log = Log::new();
    run(async {
        let failed = task_group(async |group| {
            let says = Says(log.clone(), "other");
            let other = group.create_task(async move {
                let _says = says;
                pending::<Result<(), _>>().await
            });
            drop(other);
            let told = group.create_task(async {
                passes(3).await;
                Err::<(), _>("disk full")
            });
            let seen = log.clone();
            told.unwrap().add_done_callback(move |settled| {
                assert!(matches!(settled.exception(), Some(Failure::Error(ToldToGroup))));
                seen.add("told");
            });
            let _says = Says(log.clone(), "body");
            pending::<Result<(), _>>().await
        });
        let error = failed.await.unwrap_err();
        assert_eq!(error.errors, ["disk full"]);
        log.add("group");
        assert!(here().all_tasks().is_empty());
    });
    assert_eq!(log.entries(), ["body", "told", "other", "group"]);
}

#[test]
fn a_group_whose_body_has_ended_well_still_tells_of_its_tasks() {
    watch!();
    run(async {
        let failed = task_group(async |group| {
            let fails = group.create_task(async {
                passes(3).await;
                Err::<(), _>("disk full")
            });
            drop(fails.unwrap());
            Ok(1)
        });
        let error = failed.await.unwrap_err();
        assert_eq!((error.errors, error.panics.len()), (vec!["disk full"], 0));
        let panicked = task_group(async |group| {
            drop(group.create_task(async { panic!("off by one") as Result<(), &str> }).unwrap());
            Ok(1)
        });
        let error = panicked.await.unwrap_err();
        assert_eq!((error.errors.len(), error.panics.len()), (0, 1));
    });
}

#[test]
fn a_group_tells_of_panics_and_of_the_bodys_own_error() {
    watch!();
    run(async {
        let failed = task_group(async |group| {
            let panics = group.create_task(async { panic!("off by one") as Result<(), &str> });
            panics.unwrap().task().unwrap().set_name("counter");
            let _endless = group.create_task(pending::<Result<(), _>>());
            pending::<Result<(), _>>().await
        });
        let error = failed.await.unwrap_err();
        assert_eq!((&*error.panics[0].task, &*error.panics[0].message), ("counter", "off by one"));
        let failed = task_group(async |group| {
            let _endless = group.create_task(pending::<Result<(), _>>());
            Err::<(), _>("body")
        });
        assert_eq!(failed.await.unwrap_err().errors, ["body"]);
        assert!(here().all_tasks().is_empty());
    });
}

#[test]
fn a_body_that_panics_does_so_when_its_tasks_have_ended() {
    watch!();
    let log = Log::new();
    run(async {
        let inside = log.clone();
        let task = here().create_task(async move {
            let group = task_group(async |group| {
                let says = Says(inside.clone(), "task");
                let other = group.create_task(async move {
                    let _says = says;
                    pending::<Result<(), ()>>().await
                });
                drop(other);
                pass().await;
                panic!("the body");
                #[expect(unreachable_code, reason = "gives the group its types")]
                Ok(())
            });
            group.await.unwrap();
        });
        let settled = task.unwrap().await;
        log.add("seen");
        assert!(matches!(settled.exception(), Some(Failure::Panicked(_))));
    });
    assert_eq!(log.entries(), ["task", "seen"]);
}

#[test]
fn a_stopped_group_leaves_nothing_running() {
    watch!();
    let log = Log::new();
    run(async {
        let inside = log.clone();
        let scope = here().create_task(async move {
            let group = task_group(async |group| {
                let other = group.create_task({
                    let (says, log) = (Says(inside.clone(), "task"), inside.clone());
                    async move {
                        let _says = says;
                        // It takes a turn more to stop.
                        endless(&log, "task's own").await;
                        Ok::<(), ()>(())
                    }
                });
                drop(other);
                let _says = Says(inside.clone(), "body");
                pending::<Result<(), ()>>().await
            });
            drop(group.await);
        });
        let scope = scope.unwrap();
        passes(3).await;
        scope.cancel();
        assert!(scope.await.cancelled());
        log.add("seen");
        assert!(here().all_tasks().is_empty());
    });
    assert_eq!(log.entries(), ["body", "task", "task's own", "seen"]);
}

#[test]
fn a_cancelled_task_fails_no_group_and_a_closed_group_takes_none() {
    watch!();
    run(async {
        let mut kept = None;
        let ended = task_group(async |group| {
            kept = Some(group.clone());
            let task = group.create_task(pending::<Result<(), ()>>()).unwrap();
            pass().await;
            task.cancel();
            Ok(())
        });
        ended.await.unwrap();
        let refused = kept.unwrap().create_task(async { Ok::<_, ()>(5) });
        let coroutine = refused.unwrap_err().into_inner();
        assert_eq!(coroutine.await, Ok(5), "the coroutine is handed back");
    });
}

/// What the loop has reported, as text.
fn reports(event_loop: &LoopRef) -> Rc<RefCell<Vec<String>>> {
    let reports = Rc::new(RefCell::new(Vec::new()));
    let write = Rc::clone(&reports);
    event_loop.set_exception_handler(move |incident| write.borrow_mut().push(incident.to_string()));
    reports
}

#[test]
fn what_went_wrong_in_a_group_that_nobody_collects_is_reported() {
    watch!();
    let event_loop = EventLoop::new();
    let reports = reports(&event_loop);
    event_loop
        .run_until_complete(async {
            for panics in [false, true] {
                let stopped = here().create_task(async move {
                    let own = here().current_task().unwrap();
                    let group = task_group(async |group| {
                        let fails = group.create_task(async move {
                            own.cancel();
                            assert!(!panics, "off by one");
                            Err::<(), _>(5_u8)
                        });
                        fails.unwrap().task().unwrap().set_name("reader");
                        pending::<Result<(), u8>>().await
                    });
                    drop(group.await);
                });
                assert!(stopped.unwrap().await.cancelled());
                passes(2).await;
            }
            let panics = here().create_task(async {
                let group = task_group(async |group| {
                    drop(group.create_task(async { panic!("at sea") as Result<(), u8> }).unwrap());
                    pass().await;
                    // In the turn in which the other has.
                    panic!("the body");
                    #[expect(unreachable_code, reason = "gives the group its types")]
                    Ok(())
                });
                drop(group.await);
            });
            assert!(matches!(panics.unwrap().await.exception(), Some(Failure::Panicked(_))));
        })
        .unwrap();
    let told = reports.take();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].contains("(u8)") && told[0].ends_with("reader"), "{}", told[0]);
    assert!(told[1].contains("off by one") && told[1].ends_with("reader"), "{}", told[1]);
    assert!(told[2].contains("at sea"), "{}", told[2]);
}

#[test]
fn panics_of_callbacks_are_reported_to_the_loop() {
    watch!();
    let event_loop = EventLoop::new();
    let reports = reports(&event_loop);
    let (promise, future) = event_loop.create_future::<(), ()>();
    future.add_done_callback(|_| panic!("done callback"));
    event_loop.call_soon(|| panic!("call")).unwrap();
    event_loop.handle().call_soon_threadsafe(|| panic!("post")).unwrap();
    promise.finish(()).unwrap();
    event_loop.run_until_complete(passes(3)).unwrap();
    let mut expected =
        ["call", "post", "done callback"].map(|it| format!("a callback panicked: {it}"));
    expected[2] += &format!("; it was part of {}", future.id());
    assert_eq!(reports.take(), expected);
}

#[test]
fn an_error_that_nobody_looks_at_is_reported_once() {
    watch!();
    let event_loop = EventLoop::new();
    let reports = reports(&event_loop);
    event_loop
        .run_until_complete(async {
            // Forgotten before it ends, and after.
            let task = here().create_task_result(async { Err::<(), _>(5_u8) }).unwrap();
            task.task().unwrap().set_name("writer");
            drop(task);
            let task = here().create_task(async { panic!("off by one") }).unwrap();
            passes(3).await;
            let other: LoopFuture<(), Infallible> = task.clone();
            drop(task);
            assert_eq!(reports.borrow().len(), 1, "there is a handle left");
            drop(other);
            let (promise, future) = here().create_future::<(), ()>();
            drop(promise.start().unwrap());
            drop(future);
        })
        .unwrap();
    let told = reports.take();
    assert!(told[0].contains("(u8)") && told[0].ends_with("writer"), "{}", told[0]);
    assert!(told[1].contains("off by one"), "{}", told[1]);
    assert!(told[2].contains("without an outcome"), "{}", told[2]);
    assert_eq!(told.len(), 3);
}

/// `[report-3]`
#[test]
fn a_report_names_its_future_or_task() {
    watch!();
    let event_loop = EventLoop::new();
    let told = Rc::new(RefCell::new(Vec::new()));
    let write = Rc::clone(&told);
    event_loop.set_exception_handler(move |it| {
        let name = it.task().map(settled::Task::name);
        write.borrow_mut().push((it.future(), name.as_deref().map(str::to_owned), it.to_string()));
    });
    let mut expected = Vec::new();
    let ids = event_loop.run_until_complete(async {
        let (promise, read_by_nobody) = here().create_future::<(), u8>();
        promise.fail(5).unwrap();
        let first = read_by_nobody.id();
        let kept = read_by_nobody.clone();
        assert_eq!(kept.id(), first);
        drop((read_by_nobody, kept));
        let (promise, abandoned) = here().create_future::<(), u8>();
        drop(promise.start().unwrap());
        let second = abandoned.id();
        drop(abandoned);
        let task = here().create_task_result(async { Err::<(), _>(7_u8) }).unwrap();
        task.task().unwrap().set_name("writer");
        let third = task.id();
        // It is forgotten before it ends.
        drop(task);
        let task = here().create_task(async { panic!("off by one") }).unwrap();
        let fourth = task.id();
        task.task().unwrap().set_name("reader");
        task.add_done_callback(|_| panic!("it counts"));
        passes(3).await;
        drop(task);
        [first, second, third, fourth, fourth]
    });
    let names = [None, None, Some("writer"), Some("reader"), Some("reader")];
    let ends = ["it was", "it was", "it was", "it was part of", "it was"];
    for ((id, name), end) in ids.unwrap().into_iter().zip(names).zip(ends) {
        let named = name.map(|name| format!(", named {name}")).unwrap_or_default();
        expected.push((Some(id), name.map(str::to_owned), format!("; {end} {id}{named}")));
    }
    let told = told.take();
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for (told, expected) in told.iter().zip(expected) {
        assert_eq!((told.0, &told.1), (expected.0, &expected.1));
        assert!(told.2.ends_with(&expected.2), "{told:?} {expected:?}");
    }
}

#[test]
fn what_was_looked_at_or_cancelled_is_not_reported() {
    watch!();
    let event_loop = EventLoop::new();
    let reports = reports(&event_loop);
    let fails = || here().create_task_result(async { Err::<(), _>("told") }).unwrap();
    event_loop
        .run_until_complete(async {
            // In a callback, by reading, by awaiting, by taking it in vain, and through the other view.
            fails().add_done_callback(|settled| assert!(settled.exception().is_some()));
            let read = fails();
            passes(3).await;
            assert!(read.exception().unwrap().is_some());
            drop(read);
            drop(fails().await);
            let shared = fails();
            let taken = bridge::thread_future(&shared);
            passes(3).await;
            drop(taken.into_settled().unwrap().take().unwrap_err());
            drop(shared);
            let (promise, future) = ThreadFuture::<(), &str>::pair();
            let view = bridge::wrap_future(&future, &here());
            promise.fail("seen there").unwrap();
            pass().await;
            assert!(future.exception().unwrap().is_some());
            drop(future);
            drop(view);
            let cancelled = here().create_task(pending::<()>()).unwrap();
            cancelled.cancel();
            drop(cancelled);
            passes(3).await;
        })
        .unwrap();
    assert_eq!(reports.take(), [""; 0]);
}

#[test]
fn an_error_that_a_callback_does_not_look_at_is_reported() {
    watch!();
    let event_loop = EventLoop::new();
    let reports = reports(&event_loop);
    event_loop
        .run_until_complete(async {
            let task = here().create_task_result(async { Err::<(), _>("silent") }).unwrap();
            task.add_done_callback(|_| ());
            drop(task);
            passes(3).await;
        })
        .unwrap();
    assert_eq!(reports.take().len(), 1);
}

#[test]
fn an_error_that_a_thread_callback_looks_at_is_not_reported() {
    watch!();
    let (event_loop, log) = (EventLoop::new(), Log::new());
    let reports = reports(&event_loop);
    let task = event_loop.create_task_result(async { Err::<(), _>("seen") }).unwrap();
    let looks = log.clone();
    bridge::thread_future(&task)
        .add_done_callback(move |settled| looks.add(settled.result().unwrap_err().to_string()));
    // Nobody is left but the callback.
    drop(task);
    while event_loop.try_tick().unwrap() {}
    assert_eq!((log.entries().len(), reports.take().len()), (1, 0));
}

#[test]
fn a_handler_may_panic_and_may_use_the_loop() {
    watch!();
    let event_loop = EventLoop::new();
    let log = Log::new();
    let write = log.clone();
    event_loop.set_exception_handler(move |incident| {
        let again = write.clone();
        let here = here();
        here.call_soon(move || again.add("later")).unwrap();
        here.set_exception_handler(|_| ());
        write.add("told");
        panic!("the handler, of {incident}");
    });
    event_loop.call_soon(|| panic!("first")).unwrap();
    event_loop.run_until_complete(passes(3)).unwrap();
    assert_eq!(log.entries(), ["told", "later"]);
}

/// `[report-1]` The panic hook tells of a callback's panic.
#[test]
fn what_no_handler_is_told_of_goes_to_the_standard_error() {
    watch!();
    const CHILD: &str = "SETTLED_CHILD";
    if env::var_os(CHILD).is_some() {
        let event_loop = EventLoop::new();
        let tell = |text| event_loop.call_exception_handler(&Incident::Message(text));
        tell("there is none");
        event_loop.set_exception_handler(|_| ());
        tell("there is one");
        event_loop.set_exception_handler(|_| panic!("its own fault"));
        tell("it panics");
        event_loop.reset_exception_handler();
        tell("there is none any more");
        event_loop.call_soon(|| panic!("a callback's fault")).unwrap();
        return event_loop.run_until_complete(passes(3)).unwrap();
    }
    let mut child = Command::new(env::current_exe().unwrap());
    let test = "what_no_handler_is_told_of_goes_to_the_standard_error";
    let child = child.args(["--exact", test, "--nocapture"]).env(CHILD, "1").output().unwrap();
    let told = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{told}");
    let lines: Vec<_> = told.lines().filter_map(|line| line.strip_prefix("settled: ")).collect();
    assert_eq!(lines, ["there is none", "it panics", "there is none any more"], "{told}");
}

#[test]
fn a_loop_knows_whether_it_runs() {
    watch!();
    let event_loop = EventLoop::new();
    assert!(!event_loop.is_running());
    let inside = event_loop.run_until_complete(async { here().is_running() });
    assert_eq!(inside, Ok(true));
    event_loop.call_soon(|| here().stop()).unwrap();
    assert_eq!(event_loop.run_until_complete(pending::<()>()), Err(RunError::Stopped));
}

#[test]
fn a_coroutine_whose_drop_panics_is_still_stopped() {
    watch!();
    struct Bomb(Rc<Cell<u32>>);
    impl Drop for Bomb {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
            panic!("while it is dropped");
        }
    }
    let event_loop = EventLoop::new();
    let reports = reports(&event_loop);
    let dropped = Rc::new(Cell::new(0));
    event_loop
        .run_until_complete(async {
            let bomb = Bomb(Rc::clone(&dropped));
            let task = here().create_task(async move {
                let _bomb = bomb;
                pending::<()>().await;
            });
            let task = task.unwrap();
            task.task().unwrap().set_name("carrier");
            passes(2).await;
            task.cancel();
            assert!(task.await.cancelled());
        })
        .unwrap();
    let reports = reports.take();
    assert_eq!((dropped.get(), reports.len()), (1, 1));
    assert!(reports[0].ends_with(", named carrier"), "{reports:?}");
}

#[test]
fn debug_says_what_there_is() {
    watch!();
    run(async {
        let future = here().create_task(pass()).unwrap();
        let task = future.task().unwrap();
        task.set_name("fetch");
        assert_eq!(format!("{task:?}"), r#"Task { name: "fetch", state: Pending }"#);
        let mut arrivals = tasks::as_completed([&future], None);
        assert_eq!(format!("{arrivals:?}"), "AsCompleted { left: 1, .. }");
        arrivals.next().await.unwrap().unwrap();
        assert_eq!(format!("{arrivals:?}"), "AsCompleted { left: 0, .. }");
        assert_eq!(format!("{task:?}"), r#"Task { name: "fetch", state: Finished }"#);
        assert_eq!(format!("{:?}", sleep(LONG)), "Sleep(..)");
        let group = task_group(async |group| {
            group.create_task(async { Ok::<_, Infallible>(()) }).unwrap();
            Ok(format!("{group:?}"))
        });
        assert_eq!(group.await.unwrap(), "TaskGroup { tasks: 1, open: true }");
    });
}

#[test]
fn what_waits_for_a_time_follows_the_clock() {
    watch!();
    let clock = Clock::jumping();
    let (event_loop, begin) = (EventLoop::with_clock(&clock), clock.now());
    let took = |hours: u32| assert_eq!(clock.now() - begin, hours * LONG);
    let checked = event_loop.run_until_complete(async {
        let endless = || here().create_task(pending::<()>()).unwrap();
        sleep(LONG).await;
        took(1);
        let late = wait_for(endless(), LONG).await.unwrap_err();
        assert!(late.future.cancelled());
        took(2);
        timeout(pending::<()>(), LONG).await.unwrap_err();
        took(3);
        tasks::timeout_at(pending::<()>(), here().time() + LONG).await.unwrap_err();
        took(4);
        let endless = [endless()];
        let (done, left) = tasks::wait(&endless, Some(LONG), ReturnWhen::AllCompleted).await;
        assert_eq!((done.len(), left.len()), (0, 1));
        took(5);
        let mut each = tasks::as_completed(&endless, Some(LONG));
        assert_eq!(each.next().await.unwrap().unwrap_err(), Expired);
        took(6);
        // What comes in time is there at its own time.
        timeout(sleep(LONG), 2 * LONG).await.unwrap();
        took(7);
    });
    checked.unwrap();
}
