//! The crossings, clause by clause.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

#[path = "support/log.rs"]
mod log;

use std::{
    future::{Future as _, poll_fn},
    iter,
    num::NonZero,
    pin::pin,
    sync::{Arc, Barrier, mpsc},
    task::Poll,
    thread,
};

use log::Log;
use settled::{
    Cancel, EventLoop, Executor, Failure, LoopRef, Refusal, ThreadFuture, ThreadPool, WaitError,
    WouldDeadlock, bridge,
};

type Future = ThreadFuture<u32, String>;

fn turns(event_loop: &EventLoop, count: usize) {
    for _ in 0..count {
        event_loop.stop();
        event_loop.run_forever().unwrap();
    }
}

fn pool() -> ThreadPool {
    ThreadPool::new(NonZero::<usize>::MIN)
}

#[test]
fn a_wrapped_future_is_a_second_view_of_the_same_cell() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = Future::pair();
    let view = bridge::wrap_future(&future, &event_loop);
    promise.finish(1).unwrap();
    let (here, there) = (view.result().unwrap(), future.result().unwrap());
    assert!(std::ptr::eq(here, there), "not a copy");
}

#[test]
fn a_thread_waits_for_a_task_whose_coroutine_never_left_its_loop() {
    watch!();
    let event_loop = EventLoop::new();
    let not_send = std::rc::Rc::new(42);
    let task = event_loop.create_task(async move { *not_send }).unwrap();
    let (future, handle) = (bridge::thread_future(&task), event_loop.handle());
    let other = thread::spawn(move || {
        let answer = *future.result().unwrap();
        handle.stop();
        answer
    });
    event_loop.run_forever().unwrap();
    assert_eq!(other.join().unwrap(), 42);
    let stopped = event_loop.create_task(std::future::pending::<()>()).unwrap();
    let future = bridge::thread_future(&stopped);
    assert_eq!(future.cancel(), Cancel::Requested);
    drop(event_loop);
    assert!(future.cancelled() && stopped.cancelled());
}

#[test]
fn wrapping_a_settled_future_takes_a_turn() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = Future::pair();
    promise.finish(1).unwrap();
    let view = bridge::wrap_future(&future, &event_loop);
    let log = Log::new();
    let callback = log.clone();
    view.add_done_callback(move |_| callback.add("callback"));
    assert!(!view.done() && log.entries().is_empty());
    turns(&event_loop, 1);
    assert!(view.done());
    assert_eq!(log.entries(), ["callback"]);
}

#[test]
fn a_cancel_through_either_view_cancels_the_one_future() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = Future::pair();
    let view = bridge::wrap_future(&future, &event_loop);
    assert_eq!(view.cancel(), Cancel::Now);
    assert!(future.cancelled() && view.cancelled());
    assert!(promise.start().is_err());

    let (promise, future) = Future::pair();
    let view = bridge::wrap_future(&future, &event_loop);
    assert_eq!(future.cancel(), Cancel::Now);
    assert!(view.cancelled());
    drop(promise);

    let (promise, future) = Future::pair();
    let view = bridge::wrap_future(&future, &event_loop);
    let running = promise.start().unwrap();
    assert_eq!(view.cancel(), Cancel::Refused(Refusal::Running));
    assert!(running.cancel_requested());
    running.finish(2);
    assert_eq!(future.result().unwrap(), &2);
}

#[test]
fn a_cancel_through_the_loop_runs_thread_callbacks_in_a_later_turn() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = Future::pair();
    let view = bridge::wrap_future(&future, &event_loop);
    let log = Log::new();
    let callback = log.clone();
    future.add_done_callback(move |settled| callback.add(settled.cancelled().to_string()));
    assert_eq!(view.cancel(), Cancel::Now);
    assert!(log.entries().is_empty(), "not inside the caller's turn");
    turns(&event_loop, 1);
    assert_eq!(log.entries(), ["true"]);
    drop(promise);
}

#[test]
fn thread_callbacks_run_even_if_the_loop_is_closed_first() {
    watch!();
    let event_loop = EventLoop::new();
    let log = Log::new();
    let add = |future: &Future, text: &'static str| {
        let log = log.clone();
        future.add_done_callback(move |_| log.add(text));
    };
    let (_promise, future) = Future::pair();
    add(&future, "by close");
    let view = bridge::wrap_future(&future, &event_loop);
    let (_promise2, late) = Future::pair();
    add(&late, "at once");
    let late_view = bridge::wrap_future(&late, &event_loop);
    assert_eq!(view.cancel(), Cancel::Now);
    event_loop.close();
    assert_eq!(log.entries(), ["by close"]);
    assert_eq!(late_view.cancel(), Cancel::Now);
    assert_eq!(log.entries(), ["by close", "at once"]);
}

#[test]
fn a_pool_job_is_awaited_on_the_loop() {
    watch!();
    let event_loop = EventLoop::new();
    let pool = pool();
    let here = thread::current().id();
    let future = bridge::run_in_executor(&event_loop, &pool, || thread::current().id()).unwrap();
    let settled = event_loop.run_until_complete(future).unwrap();
    assert_ne!(settled.take().unwrap().unwrap(), here);
    let failing = bridge::run_in_executor_result(&event_loop, &pool, || Err::<(), _>("no"));
    let settled = event_loop.run_until_complete(failing.unwrap()).unwrap();
    assert!(matches!(settled.result(), Err(Failure::Error("no"))));
    pool.shutdown().unwrap();
    let work = bridge::run_in_executor(&event_loop, &pool, || 3).unwrap_err().into_inner();
    assert_eq!(work(), 3);
    // Behind a pointer too.
    let pool: Arc<dyn Executor> = Arc::new(ThreadPool::default());
    let future = bridge::run_in_executor(&event_loop, &*pool, || 4).unwrap();
    assert_eq!(event_loop.run_until_complete(future).unwrap().result().unwrap(), &4);
}

#[test]
fn a_queued_pool_job_is_cancelled_from_the_loop() {
    watch!();
    let event_loop = EventLoop::new();
    let pool = pool();
    let (release, released) = mpsc::channel::<()>();
    let (begun, began) = mpsc::channel();
    let busy = pool.submit(move || {
        begun.send(()).unwrap();
        released.recv().unwrap();
    });
    began.recv().unwrap();
    let future = bridge::run_in_executor(&event_loop, &pool, || panic!("never runs")).unwrap();
    let future: settled::LoopFuture<(), _> = future;
    assert_eq!(future.cancel(), Cancel::Now);
    let running = bridge::wrap_future(busy.as_ref().unwrap(), &event_loop);
    assert_eq!(running.cancel(), Cancel::Refused(Refusal::Running));
    release.send(()).unwrap();
    assert!(event_loop.run_until_complete(&future).unwrap().cancelled());
    event_loop.run_until_complete(running).unwrap().result().unwrap();
}

#[test]
fn a_coroutine_runs_on_a_loop_in_another_thread() {
    watch!();
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let caller = thread::spawn(move || {
        let coroutine = async { thread::current().id() };
        let future = bridge::run_coroutine_threadsafe(coroutine, &handle).unwrap();
        let id = *future.result().unwrap();
        handle.stop();
        id
    });
    event_loop.run_forever().unwrap();
    assert_eq!(caller.join().unwrap(), thread::current().id());
}

/// Tells a channel when it is dropped.
struct Tells(mpsc::Sender<&'static str>);

impl Drop for Tells {
    fn drop(&mut self) {
        let _ = self.0.send("dropped");
    }
}

#[test]
fn a_coroutine_is_stopped_from_another_thread_and_then_seen_cancelled() {
    watch!();
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let caller = thread::spawn(move || {
        let (tell, told) = mpsc::channel();
        let guard = Tells(tell.clone());
        let coroutine = async move {
            let guard = guard;
            guard.0.send("running").unwrap();
            std::future::pending::<()>().await;
        };
        let future = bridge::run_coroutine_threadsafe(coroutine, &handle).unwrap();
        assert_eq!(told.recv(), Ok("running"));
        assert_eq!(future.cancel(), Cancel::Requested);
        assert!(future.wait().unwrap().cancelled());
        assert_eq!(told.try_recv(), Ok("dropped"), "before it was seen cancelled");
        handle.stop();
    });
    event_loop.run_forever().unwrap();
    caller.join().unwrap();
}

#[test]
fn a_coroutine_cancelled_before_it_arrives_never_runs() {
    watch!();
    let event_loop = EventLoop::new();
    let never = async { panic!("never runs") };
    let future = bridge::run_coroutine_threadsafe(never, &event_loop.handle()).unwrap();
    let future: ThreadFuture<(), _> = future;
    assert_eq!(future.cancel(), Cancel::Requested);
    assert!(!future.done());
    turns(&event_loop, 2);
    assert!(future.cancelled());
    let coroutine = async { Err::<u8, _>("no") };
    let failing = bridge::run_coroutine_threadsafe_result(coroutine, &event_loop.handle()).unwrap();
    turns(&event_loop, 1);
    assert!(matches!(failing.exception(), Ok(Some(Failure::Error("no")))));
}

#[test]
fn a_coroutine_reaches_its_loop_also_inside_a_foreign_one() {
    watch!();
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let answer = event_loop.run_until_complete(async {
        let _foreign = settled::context::enter_loop();
        let future = bridge::run_coroutine_threadsafe(async { 1 }, &handle).unwrap();
        future.await.take().unwrap().ok()
    });
    assert_eq!(answer, Ok(Some(1)));
}

#[test]
fn a_coroutine_is_settled_when_its_loop_is_closed() {
    watch!();
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let pending = std::future::pending::<()>();
    let suspended = bridge::run_coroutine_threadsafe(pending, &handle).unwrap();
    turns(&event_loop, 1);
    let pending = std::future::pending::<()>();
    let queued = bridge::run_coroutine_threadsafe(pending, &handle).unwrap();
    event_loop.close();
    for future in [suspended, queued] {
        assert!(matches!(future.exception(), Ok(Some(Failure::Cancelled(_)))));
    }
    let failing = bridge::run_coroutine_threadsafe_result(async { Err::<u8, _>(1) }, &handle);
    assert!(failing.is_err());
    let coroutine =
        bridge::run_coroutine_threadsafe(async { 1 }, &handle).unwrap_err().into_inner();
    assert_eq!(EventLoop::new().run_until_complete(coroutine), Ok(1));
}

#[test]
fn a_loop_that_would_wait_for_itself_is_told() {
    watch!();
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let answer = event_loop.run_until_complete(async {
        let future = bridge::run_coroutine_threadsafe(async { 1 }, &handle).unwrap();
        future.wait().map(drop)
    });
    assert_eq!(answer, Ok(Err(WaitError::WouldDeadlock(WouldDeadlock::EventLoop))));
}

#[test]
fn two_loops_in_two_threads_await_each_others_futures() {
    watch!();
    let (send, receive) = mpsc::channel();
    let other = thread::spawn(move || {
        let event_loop = EventLoop::new();
        send.send(event_loop.handle()).unwrap();
        event_loop.run_forever().unwrap();
    });
    let there = receive.recv().unwrap();
    let event_loop = EventLoop::new();
    let home = event_loop.handle();
    let back = home.clone();
    let sum = event_loop.run_until_complete(async {
        let on_the_other = async move {
            let here_again = bridge::run_coroutine_threadsafe(async { 20 }, &back).unwrap();
            here_again.await.take().unwrap().unwrap() + 1
        };
        let future = bridge::run_coroutine_threadsafe(on_the_other, &there).unwrap();
        future.await.take().unwrap().unwrap() + 1
    });
    assert_eq!(sum, Ok(22));
    there.stop();
    other.join().unwrap();
}

#[test]
fn a_worker_survives_a_loop_that_closes_while_it_settles() {
    watch!();
    let pool = pool();
    for _ in 0..300 {
        let event_loop = EventLoop::new();
        let future = bridge::run_in_executor(&event_loop, &pool, || 5).unwrap();
        event_loop.close();
        // The view reads through, whoever was first.
        let value = EventLoop::new().run_until_complete(future).unwrap();
        assert_eq!(value.take().unwrap().unwrap(), 5);
    }
}

thread_local! {
    static PLACE: std::cell::Cell<&'static str> = const { std::cell::Cell::new("unset") };
}

/// One of the two reasons why the flavours differ: where a callback runs is what it sees. `[callback-1]` D21
#[test]
fn a_thread_callback_reads_the_thread_locals_of_the_settling_thread() {
    watch!();
    PLACE.set("registering thread");
    let (promise, future) = ThreadFuture::<(), ()>::pair();
    let (tell, told) = mpsc::channel();
    future.add_done_callback(move |_| tell.send(PLACE.get()).unwrap());
    let settler = thread::spawn(move || {
        PLACE.set("settling thread");
        promise.finish(()).unwrap();
    });
    settler.join().unwrap();
    assert_eq!(told.recv().unwrap(), "settling thread");
}

/// `[callback-3]` D21
#[test]
fn a_loop_callback_reads_the_thread_locals_of_its_loop() {
    watch!();
    PLACE.set("loop's thread");
    let event_loop = EventLoop::new();
    let (promise, future) = ThreadFuture::<(), ()>::pair();
    let view = bridge::wrap_future(&future, &event_loop);
    let (tell, told) = mpsc::channel();
    view.add_done_callback(move |_| tell.send(PLACE.get()).unwrap());
    let settler = thread::spawn(move || {
        PLACE.set("settling thread");
        promise.finish(()).unwrap();
    });
    settler.join().unwrap();
    event_loop.run_until_complete(view).unwrap();
    assert_eq!(told.recv().unwrap(), "loop's thread");
}

#[test]
fn the_default_executor_is_made_once_and_shut_down_without_blocking() {
    watch!();
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let (release, released) = mpsc::channel::<()>();
    let answered = event_loop.run_until_complete(async {
        let here = LoopRef::current().unwrap();
        let job = bridge::to_thread(move || {
            released.recv().unwrap();
            thread::current().id()
        });
        let pool = bridge::default_executor(&here).unwrap();
        assert!(Arc::ptr_eq(&pool, &bridge::default_executor(&here).unwrap()));
        // The loop goes on while it waits for the pool: the job is released by a call of the loop.
        handle.call_soon_threadsafe(move || release.send(()).unwrap()).unwrap();
        bridge::shutdown_default_executor(&here).await;
        let job = job.unwrap();
        assert!(job.done() || job.await.result().is_ok(), "what was accepted has ended");
        assert!(bridge::default_executor(&here).is_none());
        let refused = bridge::to_thread(|| 5).unwrap_err();
        bridge::shutdown_default_executor(&here).await;
        bridge::set_default_executor(&here, Arc::new(ThreadPool::default()));
        let again = bridge::to_thread(refused.into_inner()).unwrap().await;
        again.take().unwrap().unwrap()
    });
    assert_eq!(answered, Ok(5));
    assert!(bridge::to_thread(|| ()).is_err(), "no loop runs here");
}

#[test]
fn who_shuts_the_default_executor_down_again_waits_again() {
    watch!();
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let (release, released) = mpsc::channel::<()>();
    event_loop
        .run_until_complete(async {
            let here = LoopRef::current().unwrap();
            let job = bridge::to_thread(move || released.recv().is_ok()).unwrap();
            // The first lets go, as one does whose time is over.
            for _ in 0..2 {
                let mut shut = pin!(bridge::shutdown_default_executor(&here));
                assert!(poll_fn(|cx| Poll::Ready(shut.as_mut().poll(cx))).await.is_pending());
            }
            handle.call_soon_threadsafe(move || release.send(()).unwrap()).unwrap();
            bridge::shutdown_default_executor(&here).await;
            assert!(bridge::default_executor(&here).is_none());
            assert!(*job.await.result().unwrap());
            let other = EventLoop::new();
            bridge::shutdown_default_executor(&other).await;
            assert!(bridge::default_executor(&other).is_none(), "there was none before");
        })
        .unwrap();
}

#[test]
fn closing_a_loop_does_not_wait_for_its_default_executor() {
    watch!();
    let event_loop = EventLoop::new();
    let (release, released) = mpsc::channel::<()>();
    let job = event_loop
        .run_until_complete(async { bridge::to_thread(move || released.recv().unwrap()).unwrap() });
    drop(event_loop);
    let job = job.unwrap();
    assert!(!job.done());
    release.send(()).unwrap();
    // The view reads through: the job's own thread settles it.
    while !job.done() {
        thread::yield_now();
    }
    assert!(job.result().is_ok());
}

/// What CPython leaves pending for ever: the loop is closed before the job ends (`bug-d1`), and after its
/// delivery was posted (`bug-d3`). `[bridge-1]` `[loop-5]`
#[test]
fn a_wrapped_job_has_an_outcome_although_the_loop_was_closed() {
    watch!();
    for posted in [false, true] {
        let event_loop = EventLoop::new();
        let (promise, future) = ThreadFuture::<u32, ()>::pair();
        let view = bridge::wrap_future(&future, &event_loop);
        let (kept, kept_view) = (view.clone(), view);
        let settle = move || thread::spawn(move || promise.finish(1).unwrap()).join().unwrap();
        let called = std::rc::Rc::new(std::cell::Cell::new(false));
        let call = std::rc::Rc::clone(&called);
        kept.add_done_callback(move |_| call.set(true));
        if posted {
            settle();
            drop(event_loop);
            assert!(called.get(), "an accepted delivery is made");
        } else {
            drop(event_loop);
            settle();
            assert!(!called.get(), "a callback that has not run is dropped");
        }
        assert_eq!(kept_view.result().unwrap(), &1);
    }
}

/// Cancelled between the settlement and its delivery: the two views of one cell agree, where CPython's two
/// futures do not.
#[test]
fn a_cancel_that_comes_after_the_settlement_is_refused_in_both_views() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = ThreadFuture::<u32, ()>::pair();
    let view = bridge::wrap_future(&future, &event_loop);
    thread::spawn(move || promise.finish(1).unwrap()).join().unwrap();
    assert!(!view.done());
    assert_eq!(view.cancel(), Cancel::Refused(Refusal::Finished));
    let settled = event_loop.run_until_complete(view).unwrap();
    assert_eq!((settled.result().unwrap(), future.cancelled()), (&1, false));
}

/// A job whose own work was cancelled has failed; it is not cancelled itself, in either view.
#[test]
fn the_cancellation_inside_a_job_is_its_error_in_both_views() {
    watch!();
    let pool = ThreadPool::default();
    let event_loop = EventLoop::new();
    let job = pool.submit_result(|| {
        let (promise, inner) = ThreadFuture::<(), ()>::pair();
        drop(promise);
        let Err(Failure::Cancelled(_)) = inner.wait().unwrap().result() else { return Err(false) };
        Err::<(), _>(true)
    });
    let job = job.unwrap();
    let view = bridge::wrap_future(&job, &event_loop);
    let settled = event_loop.run_until_complete(view).unwrap();
    assert!(!settled.cancelled() && !job.cancelled());
    assert!(matches!(settled.exception(), Some(Failure::Error(true))));
}

/// Posts, and then close: what was accepted before is run or settled, what comes after is handed back.
#[test]
fn coroutines_posted_against_close_are_settled_or_handed_back() {
    watch!();
    let event_loop = EventLoop::new();
    let begun = Arc::new(Barrier::new(5));
    let posters: Vec<_> = (0..4)
        .map(|_| {
            let (home, begun) = (event_loop.handle(), Arc::clone(&begun));
            thread::spawn(move || {
                // As many as fit before the close, and not without end.
                let mut posts =
                    (0..1_000).map(|_| bridge::run_coroutine_threadsafe(async { 1 }, &home));
                let first = posts.next().unwrap().unwrap();
                begun.wait();
                iter::once(first).chain(posts.map_while(Result::ok)).collect::<Vec<_>>()
            })
        })
        .collect();
    begun.wait();
    event_loop.run_until_complete(std::future::ready(())).unwrap();
    drop(event_loop);
    for poster in posters {
        for future in poster.join().unwrap() {
            let settled = future.wait().unwrap();
            assert!(settled.cancelled() || settled.result().is_ok());
        }
    }
}

/// `[loop-1]`
#[test]
fn a_loop_is_told_also_when_another_of_its_thread_has_been_closed() {
    watch!();
    let (closed, event_loop) = (EventLoop::new(), EventLoop::new());
    let (promise, future) = ThreadFuture::<u32, ()>::pair();
    let view = bridge::wrap_future(&future, &event_loop);
    drop(closed);
    promise.finish(5).unwrap();
    event_loop.stop();
    event_loop.run_forever().unwrap();
    assert!(view.done());
}

#[test]
fn a_value_that_cannot_be_shared_crosses_to_a_loop() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = ThreadFuture::<mpsc::Receiver<u8>, ()>::pair();
    let future = bridge::adopt_future(future, &event_loop);
    let settler = std::thread::spawn(move || promise.finish(mpsc::channel().1).unwrap());
    settler.join().unwrap();
    assert!(!future.done(), "the loop delivers it");
    let receiver = event_loop.run_until_complete(future.output()).unwrap();
    assert!(receiver.is_ok_and(|it| it.recv().is_err()), "the only handle");
    // A cancel is one of the one future.
    let (promise, future) = ThreadFuture::<mpsc::Receiver<u8>, ()>::pair();
    let future = bridge::adopt_future(future, &event_loop);
    assert_eq!(future.cancel(), Cancel::Now);
    assert!(promise.start().is_err());
    // On a foreign loop, too.
    let (sender, mut queue) = settled::host::job_queue();
    let host = settled::host::Host::new(std::sync::Arc::new(sender));
    let (promise, future) = ThreadFuture::<std::cell::Cell<u8>, ()>::pair();
    let future = host.adopt_future(future);
    std::thread::spawn(move || promise.finish(7.into()).unwrap()).join().unwrap();
    assert!(!future.done() && queue.run_pending() == 1);
    assert_eq!(future.into_settled().unwrap().take().unwrap().unwrap().get(), 7);
}

#[test]
fn a_loop_executes_jobs_in_its_turns() {
    watch!();
    let event_loop = EventLoop::new();
    let here = std::thread::current().id();
    let job = event_loop.handle().submit(|| std::thread::current().id()).unwrap();
    assert!(!job.done(), "in a later turn");
    assert_eq!(event_loop.try_tick(), Ok(true));
    assert_eq!(job.join().unwrap(), here);
    let (sender, mut queue) = settled::host::job_queue();
    let job = sender.submit(|| std::thread::current().id()).unwrap();
    assert_eq!((job.done(), queue.run_pending()), (false, 1));
    assert_eq!(job.join().unwrap(), here);
    let handle = event_loop.handle();
    drop((event_loop, queue));
    let work = || "handed back";
    assert_eq!(handle.submit(work).unwrap_err().into_inner()(), "handed back");
    assert_eq!(sender.submit(work).unwrap_err().into_inner()(), "handed back");
}
