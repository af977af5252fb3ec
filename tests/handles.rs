//! What handles of a future can do beside reading it: drop its callbacks, and show it.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;
#[path = "support/log.rs"]
mod log;

use std::{rc::Rc, sync::Arc, task::Waker};

use log::Log;
use settled::{Cancel, EventLoop, LoopFuture, Panic, ThreadFuture, bridge, tasks};

type Future = ThreadFuture<u8, &'static str>;

/// `[callback-9]`
#[test]
fn callbacks_are_dropped_uncalled() {
    watch!();
    let log = Log::new();
    let kept = Arc::new(());
    let (promise, future) = Future::pair();
    for _ in 0..3 {
        let (kept, log) = (Arc::clone(&kept), log.clone());
        future.add_done_callback(move |_| log.add(format!("called with {kept:?}")));
    }
    assert_eq!(future.clear_done_callbacks(), 3);
    assert_eq!(Arc::strong_count(&kept), 1);
    assert_eq!(future.clear_done_callbacks(), 0);
    // One that comes after it is called.
    let calls = log.clone();
    future.add_done_callback(move |_| calls.add("later"));
    promise.finish(1).unwrap();
    assert_eq!(log.entries(), ["later"]);
    assert_eq!(future.clear_done_callbacks(), 0);
    // Nobody lends the outcome for what was dropped.
    let (promise, future) = Future::pair();
    future.add_done_callback(|_| ());
    future.clear_done_callbacks();
    promise.finish(1).unwrap();
    assert_eq!(future.into_settled().unwrap().take().unwrap(), Ok(1));
}

/// `[callback-9]` A future whose callback holds it is never closed, until its callbacks are dropped.
#[test]
fn a_circle_is_broken() {
    watch!();
    let (promise, future) = Future::pair();
    let future = Arc::new(future);
    let itself = Arc::clone(&future);
    future.add_done_callback(move |_| drop(itself));
    assert!(!promise.is_closed());
    future.clear_done_callbacks();
    drop(future);
    assert!(promise.is_closed());
}

/// Calls every method of the future as it is dropped, and panics then.
struct Hostile(Arc<Future>);

impl Drop for Hostile {
    fn drop(&mut self) {
        assert!(!self.0.done());
        assert_eq!(self.0.clear_done_callbacks(), 0);
        self.0.add_done_callback(|_| ());
        panic!("on purpose");
    }
}

/// `[callback-9]` `[callback-6]`
#[test]
fn what_is_dropped_may_do_anything() {
    watch!();
    let (promise, future) = Future::pair();
    let future = Arc::new(future);
    for _ in 0..2 {
        let hostile = Hostile(Arc::clone(&future));
        future.add_done_callback(move |_| drop(hostile));
    }
    assert_eq!(future.clear_done_callbacks(), 2);
    // Each has registered another, and the second has dropped that of the first.
    promise.finish(1).unwrap();
}

/// `[callback-9]` What is the user's goes, and whoever waits waits on.
#[test]
fn callbacks_of_a_view_are_dropped_uncalled() {
    watch!();
    let event_loop = EventLoop::new();
    let kept = Rc::new(());
    let (promise, future): (_, LoopFuture<u8, &str>) = event_loop.create_future();
    let (other, waiting) = event_loop.create_future::<u8, ()>();
    let clears = future.clone();
    let (called, also) = (Rc::clone(&kept), Rc::clone(&kept));
    future.add_done_callback(move |_| drop(called));
    future.add_done_callback(move |_| drop(also));
    let task = event_loop.create_task(async move {
        let value = *future.await.result().unwrap();
        other.finish(value).unwrap();
    });
    let (awaited, wait) = (clears.clone(), clears.clone());
    let output = event_loop.run_until_complete(async move {
        tasks::sleep(std::time::Duration::ZERO).await;
        assert_eq!(awaited.clear_done_callbacks(), 2);
        let together = [wait];
        let mut arrivals = tasks::as_completed(&together, None);
        assert_eq!(awaited.clear_done_callbacks(), 0, "nobody who waits is a callback");
        promise.finish(7).unwrap();
        // What is on its way to a callback is dropped too.
        awaited.add_done_callback(|_| unreachable!("it was dropped"));
        assert_eq!(awaited.clear_done_callbacks(), 1);
        assert!(arrivals.next().await.is_some());
        waiting.output().await
    });
    assert_eq!(output.unwrap().unwrap(), 7);
    assert_eq!(Rc::strong_count(&kept), 1);
    drop(task);
}

/// `[weak-1]` `[promise-8]`
#[test]
fn a_weak_handle_keeps_nobody_waiting() {
    watch!();
    let log = Log::new();
    let (promise, future) = Future::pair();
    let weak = future.downgrade();
    let closed = log.clone();
    promise.on_closed(move || closed.add("closed"));
    drop(weak.upgrade().unwrap());
    assert!(!promise.is_closed());
    drop(future);
    assert_eq!(log.entries(), ["closed"], "a weak handle is nobody");
    assert!(promise.is_closed() && weak.upgrade().is_none());
    // Nobody can see the value any more, and it comes back.
    assert_eq!(promise.finish_or_return(1).unwrap_err().value, 1);
    assert!(weak.clone().upgrade().is_none());
    // A callback is somebody, and so is what it is lent.
    let (promise, future) = Future::pair();
    let (weak, calls) = (future.downgrade(), log.clone());
    let itself = weak.clone();
    future.add_done_callback(move |_| {
        calls.add(itself.upgrade().unwrap().result().unwrap().to_string());
    });
    drop(future);
    assert!(weak.upgrade().is_some() && !promise.is_closed());
    promise.finish(2).unwrap();
    assert_eq!(log.entries(), ["closed", "2"]);
    assert!(weak.upgrade().is_none(), "the callback was the last");
    // One without a callback is seen by its handle, also when it is settled.
    let (promise, future) = Future::pair();
    let weak = future.downgrade();
    promise.finish(3).unwrap();
    assert!(matches!(weak.upgrade().unwrap().join(), Err(settled::JoinError::Shared)));
    assert_eq!(future.join().unwrap(), 3);
    assert!(weak.upgrade().is_none());
}

/// `[weak-2]` What is in the future goes with the last handle that is not weak, whoever has that.
#[test]
fn a_value_goes_although_a_weak_handle_is_left() {
    watch!();
    type Of = ThreadFuture<Arc<()>, ()>;
    let kept = Arc::new(());
    let count = || Arc::strong_count(&kept);
    // A handle that goes, one by which it is taken, the promise, and a callback.
    let (promise, future) = Of::pair();
    let first = future.downgrade();
    promise.finish(Arc::clone(&kept)).unwrap();
    assert_eq!(count(), 2);
    drop(future);
    assert_eq!(count(), 1);
    let (promise, future) = Of::pair();
    let second = future.downgrade();
    promise.finish(Arc::clone(&kept)).unwrap();
    drop(future.into_settled().unwrap().take().unwrap().unwrap());
    assert_eq!(count(), 1);
    let (promise, future) = Of::pair();
    let third = future.downgrade();
    drop(future);
    promise.finish(Arc::clone(&kept)).unwrap();
    assert_eq!(count(), 1);
    let (promise, future) = Of::pair();
    let fourth = future.downgrade();
    future.add_done_callback(|_| ());
    drop(future);
    promise.finish(Arc::clone(&kept)).unwrap();
    assert_eq!(count(), 1);
    let (promise, future) = Of::pair();
    let fifth = future.downgrade();
    let _ = future.cancel();
    drop(future);
    assert!(promise.finish(Arc::clone(&kept)).is_err());
    assert_eq!(count(), 1);
    for weak in [first, second, third, fourth, fifth] {
        assert!(weak.upgrade().is_none());
        assert_eq!(format!("{weak:?}"), "WeakThreadFuture { state: Gone }");
    }
}

/// `[weak-3]`
#[test]
fn a_weak_handle_of_a_loop_future_keeps_nothing() {
    watch!();
    let event_loop = EventLoop::new();
    let kept = Arc::new(());
    let (promise, future) = event_loop.create_future::<Arc<()>, ()>();
    let weak = future.downgrade();
    assert_eq!(format!("{weak:?}"), "WeakLoopFuture { state: Pending }");
    // What it becomes is a handle as any other.
    let again = weak.clone().upgrade().unwrap();
    drop(future);
    assert!(!promise.is_closed());
    promise.finish(Arc::clone(&kept)).unwrap();
    event_loop.run_until_complete(&again).unwrap();
    assert_eq!(format!("{weak:?}"), "WeakLoopFuture { state: Finished }");
    let settled = again.into_settled().unwrap();
    // Another handle of the cell, but no view.
    assert!(weak.upgrade().is_none());
    drop(settled);
    assert_eq!(Arc::strong_count(&kept), 1);

    // Who waits to be called keeps the view, until it was called.
    let (promise, future) = event_loop.create_future::<Arc<()>, ()>();
    let weak = future.downgrade();
    future.add_done_callback(|_| ());
    drop(future);
    assert!(!promise.is_closed() && weak.upgrade().is_some());
    promise.finish(Arc::clone(&kept)).unwrap();
    while event_loop.try_tick().unwrap() {}
    assert!(weak.upgrade().is_none());
    assert_eq!(Arc::strong_count(&kept), 1);
    assert_eq!(format!("{weak:?}"), "WeakLoopFuture { state: Gone }");

    // The promise is told as if it were not there.
    let (promise, future) = event_loop.create_future::<Arc<()>, ()>();
    let weak = future.downgrade();
    drop(future);
    assert!(promise.is_closed() && weak.upgrade().is_none());
}

/// Says what it is without what is in it: values need no `Debug`.
#[test]
fn debug_says_how_a_future_ended() {
    watch!();
    struct Opaque;
    type Of = ThreadFuture<Opaque, Opaque>;
    let shown = |future: &Of| format!("{future:?}");
    let state =
        |state: &str| format!("ThreadFuture {{ state: {state}, waiters: 0, callbacks: 0 }}");
    let (promise, future) = Of::pair();
    assert_eq!(format!("{promise:?}"), "Promise { state: Pending, waiters: 0, callbacks: 0 }");
    assert_eq!(shown(&future), state("Pending"));
    let promise = promise.start().unwrap();
    assert_eq!(shown(&future), state("Running"));
    future.add_done_callback(|_| ());
    assert_eq!(shown(&future), "ThreadFuture { state: Running, waiters: 0, callbacks: 1 }");
    promise.finish(Opaque);
    assert_eq!(shown(&future), state("Finished"));
    let settled = future.settled().unwrap();
    assert_eq!(format!("{settled:?}"), "Settled { state: Finished, waiters: 0, callbacks: 0 }");
    let (promise, future) = Of::pair();
    assert!(promise.fail(Opaque).is_ok());
    assert_eq!(shown(&future), state("Failed"));
    let (promise, future) = Of::pair();
    promise.start().unwrap().panicked(Panic::new(Box::new("ouch")));
    assert_eq!(shown(&future), state("Panicked"));
    let (promise, future) = Of::pair();
    drop(promise.start().unwrap());
    assert_eq!(shown(&future), state("Abandoned"));
    let (promise, future) = Of::pair();
    assert_eq!(future.cancel(), Cancel::Now);
    assert_eq!(shown(&future), state("Cancelled(Requested)"));
    assert!(format!("{promise:?}").contains("state: Cancelled(Requested)"));
    let (promise, future) = Of::owned_pair(Waker::noop().clone());
    promise.stopped();
    assert_eq!(shown(&future), state("Cancelled(Stopped)"));
}

/// The same of a task.
#[test]
fn debug_says_how_a_task_ended() {
    watch!();
    let event_loop = EventLoop::new();
    let shown = |future: &LoopFuture<u8, &'static str>| {
        let task = future.task().unwrap();
        task.set_name("it");
        format!("{task:?}")
    };
    let run = |future: LoopFuture<u8, &'static str>| {
        assert_eq!(shown(&future), r#"Task { name: "it", state: Pending }"#);
        event_loop.run_until_complete(async { (&future).await.exception().is_some() }).unwrap();
        shown(&future)
    };
    let task = |ends: Result<u8, &'static str>| event_loop.create_task_result(async move { ends });
    assert_eq!(run(task(Ok(1)).unwrap()), r#"Task { name: "it", state: Finished }"#);
    assert_eq!(run(task(Err("no")).unwrap()), r#"Task { name: "it", state: Failed }"#);
    let panics = event_loop.create_task_result(async { panic!("on purpose") });
    assert_eq!(run(panics.unwrap()), r#"Task { name: "it", state: Panicked }"#);
    let stopped = event_loop.create_task_result(std::future::pending()).unwrap();
    let _ = stopped.cancel();
    assert_eq!(run(stopped), r#"Task { name: "it", state: Cancelled }"#);
}

/// `[cancel-7]` The reason is a part of the failure, whichever way that is reached.
#[test]
fn a_reason_goes_up_with_the_failure() {
    watch!();
    const TEXT: &str = "cancelled on request; the reason given: user pressed x";
    let cancelled = || {
        let (promise, future) = Future::pair();
        assert_eq!(future.cancel_with("user pressed x"), Cancel::Now);
        assert_eq!(future.cancel_with("too late"), Cancel::Already);
        drop(promise);
        future
    };
    // Read, and taken by the only handle, by one of two, and by value in each way.
    let future = cancelled();
    let read = future.result().unwrap_err();
    assert_eq!((read.to_string(), format!("{read:#}")), (TEXT.into(), TEXT.into()));
    assert_eq!(future.exception().unwrap().unwrap().reason(), Some("user pressed x"));
    let both = future.clone();
    let taken = both.into_settled().unwrap().take().unwrap().unwrap_err();
    assert_eq!(taken.reason(), Some("user pressed x"));
    let only = future.into_settled().unwrap().take().unwrap().unwrap_err();
    assert_eq!((&only, only.to_string()), (&taken, TEXT.into()));
    assert_ne!(only, settled::Cancelled::Requested.into(), "the reason counts");
    assert_eq!(cancelled().join().unwrap_err().to_string(), TEXT);
    assert_eq!(format!("{:#}", cancelled().join().unwrap_err()), TEXT);
    assert_eq!(format!("{:#}", cancelled().join_result().unwrap_err()), TEXT);
    let (_, first) = settled::as_completed([cancelled()], None).next().unwrap().unwrap();
    assert_eq!(first.unwrap_err().to_string(), TEXT);
    // In an await, through a view, and of a task that has stopped.
    let event_loop = EventLoop::new();
    let awaited = event_loop.run_until_complete(cancelled().output()).unwrap();
    assert_eq!(awaited.unwrap_err().to_string(), TEXT);
    let view = bridge::wrap_future(&cancelled(), &event_loop);
    let through = event_loop.run_until_complete(view.output()).unwrap();
    assert_eq!(through.unwrap_err().to_string(), TEXT);
    let task = event_loop.create_task(std::future::pending::<u8>()).unwrap();
    let other = bridge::thread_future(&task);
    let _ = task.cancel_with("user pressed x");
    let stopped = event_loop.run_until_complete(task.output()).unwrap().unwrap_err();
    assert_eq!(stopped.to_string(), TEXT);
    assert_eq!(other.join().unwrap_err().to_string(), TEXT);
}
