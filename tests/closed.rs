//! The work learns that it is not wanted any more: that somebody asked to cancel it, and that nobody is left.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;
#[path = "support/log.rs"]
mod log;
#[path = "support/waker.rs"]
mod waker;

use std::{
    pin::{Pin, pin},
    sync::mpsc,
    task::{Context, Poll},
    thread,
};

use log::Log;
use settled::{
    Cancel, Cancelled, EventLoop, Executor, JoinError, ThreadFuture, ThreadPool, Unseen, bridge,
    tasks,
};
use waker::CountingWaker;

type Future = ThreadFuture<u8, ()>;

/// Notes a word when it is called, and another when it is dropped uncalled.
fn notes(log: &Log) -> impl FnOnce() + Send + 'static {
    struct Uncalled(Option<Log>);
    impl Drop for Uncalled {
        fn drop(&mut self) {
            if let Some(log) = &self.0 {
                log.add("dropped");
            }
        }
    }
    let mut uncalled = Uncalled(Some(log.clone()));
    move || uncalled.0.take().expect("it is called once").add("called")
}

/// `[cancel-8]`
#[test]
fn a_request_reaches_the_work_in_every_phase() {
    watch!();
    let owned = || Future::owned_pair(std::task::Waker::noop().clone());
    // Pending: it has lost. Running: refused, and seen. Owned: asked.
    let log = Log::new();
    let (promise, future) = Future::pair();
    promise.on_cancel_request(notes(&log));
    assert_eq!((log.entries().len(), future.cancel()), (0, Cancel::Now));
    assert_eq!(log.entries(), ["called"]);
    assert!(promise.start().is_err());

    let log = Log::new();
    let (promise, future) = Future::pair();
    let promise = promise.start().unwrap();
    promise.on_cancel_request(notes(&log));
    assert!(matches!(future.cancel(), Cancel::Refused(_)));
    assert!(matches!(future.cancel(), Cancel::Refused(_)));
    assert_eq!(log.entries(), ["called"], "at the first request, and once");
    // Who comes late is called here and now.
    promise.on_cancel_request(notes(&log));
    assert_eq!(log.entries(), ["called", "called"]);
    promise.finish(1);

    let log = Log::new();
    let (promise, future) = owned();
    promise.on_cancel_request(notes(&log));
    assert_eq!(future.cancel(), Cancel::Requested);
    assert_eq!(log.entries(), ["called"]);
    promise.stopped();

    // Settled otherwise, it is dropped uncalled.
    let log = Log::new();
    let (promise, future) = Future::pair();
    promise.on_cancel_request(notes(&log));
    promise.on_closed(notes(&log));
    promise.finish(1).unwrap();
    assert_eq!(log.entries(), ["dropped", "dropped"]);
    drop(future);
}

/// `[cancel-8]` `[promise-8]`
#[test]
fn an_await_hears_of_it_once() {
    watch!();
    let (promise, future) = Future::pair();
    let promise = promise.start().unwrap();
    let (woken, waker) = CountingWaker::new();
    let mut cx = Context::from_waker(&waker);
    let mut request = pin!(promise.cancel_request());
    let mut closed = pin!(promise.closed());
    assert!(request.as_mut().poll(&mut cx).is_pending());
    assert!(request.as_mut().poll(&mut cx).is_pending());
    assert!(closed.as_mut().poll(&mut cx).is_pending());
    assert!(matches!(future.cancel_with("enough"), Cancel::Refused(_)));
    assert_eq!(woken.count(), 1);
    assert_eq!(request.as_mut().poll(&mut cx), Poll::Ready(()));
    assert_eq!(promise.cancel_reason().as_deref(), Some("enough"));
    assert!(closed.as_mut().poll(&mut cx).is_pending());
    drop(future);
    assert_eq!(woken.count(), 2);
    assert_eq!(closed.as_mut().poll(&mut cx), Poll::Ready(()));
    // One that was dropped is not woken.
    let (promise, future) = Future::pair();
    let mut closed = Box::pin(promise.closed());
    assert_eq!(format!("{closed:?}"), "Listen { until: Closed, .. }");
    assert!(closed.as_mut().poll(&mut cx).is_pending());
    drop(closed);
    drop(future);
    assert_eq!(woken.count(), 2);
}

/// `[promise-8]`
#[test]
fn the_work_learns_that_nobody_is_left() {
    watch!();
    let log = Log::new();
    let (promise, future) = Future::pair();
    promise.on_closed(notes(&log));
    let other = future.clone();
    drop(future);
    assert!(!promise.is_closed());
    drop(other);
    assert!(promise.is_closed());
    assert_eq!(log.entries(), ["called"]);
    promise.on_closed(notes(&log));
    assert_eq!(log.entries(), ["called", "called"], "who comes late is called here and now");
    assert!(!promise.cancel_requested(), "nobody has asked for anything");
    // The event applies all the same.
    promise.finish(1).unwrap();

    // A callback is somebody, and so is a loop's view.
    let (promise, future) = Future::pair();
    let called = log.clone();
    future.add_done_callback(move |_| called.add("callback"));
    drop(future);
    assert!(!promise.is_closed());
    promise.finish(1).unwrap();
    assert_eq!(log.entries().last().unwrap(), "callback");
    let event_loop = EventLoop::new();
    let (promise, future) = Future::pair();
    let view = bridge::wrap_future(&future, &event_loop);
    drop(future);
    assert!(!promise.is_closed());
    drop(view);
    assert!(promise.is_closed());

    // Cancelled, nobody can see what the promise would deliver.
    let (promise, future) = Future::pair();
    promise.on_closed(notes(&log));
    assert_eq!(future.cancel(), Cancel::Now);
    assert!(promise.is_closed());
    assert_eq!(log.entries().last().unwrap(), "called");
}

/// `[promise-9]`
#[test]
fn what_nobody_sees_comes_back() {
    watch!();
    // In each phase.
    let (promise, future) = Future::pair();
    drop(future);
    let lost = promise.finish_or_return(1).unwrap_err();
    assert_eq!((lost.value, lost.cause), (1, Unseen::Closed));
    let (promise, future) = Future::pair();
    drop(future);
    assert_eq!(promise.start().unwrap().finish_or_return(2), Err(2));
    let (promise, future) = Future::owned_pair(std::task::Waker::noop().clone());
    drop(future);
    assert_eq!(promise.finish_or_return(3), Err(3));
    // A cancel that was first is what it was.
    let (promise, future) = Future::pair();
    assert_eq!(future.cancel(), Cancel::Now);
    let lost = promise.finish_or_return(4).unwrap_err();
    assert_eq!((lost.value, lost.cause), (4, Unseen::Cancelled(Cancelled::Requested)));
}

/// `[promise-9]` A handle, a callback and a loop's view see it.
#[test]
fn what_somebody_sees_does_not_come_back() {
    watch!();
    let (promise, future) = Future::pair();
    promise.finish_or_return(1).unwrap();
    assert_eq!(future.join().unwrap(), 1);
    let log = Log::new();
    let (promise, future) = Future::pair();
    let calls = log.clone();
    future.add_done_callback(move |settled| calls.add(settled.result().unwrap().to_string()));
    drop(future);
    promise.start().unwrap().finish_or_return(2).unwrap();
    assert_eq!(log.entries(), ["2"]);
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<u8, ()>();
    promise.finish_or_return(3).unwrap();
    assert_eq!(event_loop.run_until_complete(future.output()).unwrap().unwrap(), 3);
    // A view that is left to its callbacks is one too.
    let (promise, future) = event_loop.create_future::<u8, ()>();
    future.add_done_callback(|_| ());
    drop(future);
    promise.finish_or_return(4).unwrap();
}

/// `[promise-9]` What nobody wants back is dropped, and a panic there harms nobody.
#[test]
fn a_panic_in_the_drop_of_what_nobody_sees_harms_nobody() {
    watch!();
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    let (promise, future) = ThreadFuture::<Panics, ()>::pair();
    drop(future);
    assert!(promise.finish(Panics).is_ok());
}

/// `[cancel-8]` `[promise-8]`
#[test]
fn a_job_hears_of_it_too() {
    watch!();
    let pool = ThreadPool::default();
    let (begins, begun) = mpsc::channel();
    let (tells, told) = mpsc::channel();
    let job = pool.submit_with(move |promise| {
        let (stops, stopped) = mpsc::channel();
        let closes = stops.clone();
        promise.on_cancel_request(move || stops.send("asked").unwrap());
        promise.on_closed(move || closes.send("closed").unwrap());
        begins.send(promise.is_closed()).unwrap();
        // What blocks the work is interrupted by what was asked of it.
        let told = [stopped.recv().unwrap(), stopped.recv().unwrap()];
        tells.send((told, promise.is_closed())).unwrap();
        Ok::<_, ()>(())
    });
    let job = job.unwrap();
    assert!(!begun.recv().unwrap());
    assert!(matches!(job.cancel(), Cancel::Refused(_)));
    drop(job);
    assert_eq!(told.recv().unwrap(), (["asked", "closed"], true));
}

/// `[cancel-8]`
#[test]
fn a_panic_in_what_is_called_harms_nobody() {
    watch!();
    let (promise, future) = Future::pair();
    promise.on_cancel_request(|| panic!("on purpose"));
    promise.on_closed(|| panic!("on purpose"));
    assert_eq!(future.cancel(), Cancel::Now);
    assert!(promise.start().is_err());
}

/// `[cancel-9]`
#[test]
fn a_handle_that_goes_cancels() {
    watch!();
    let (promise, future) = Future::pair();
    let guard = future.cancel_on_drop();
    assert!(!guard.future().unwrap().done());
    drop(guard);
    assert_eq!(promise.start().unwrap_err(), Cancelled::Requested);
    // Let go, it does not.
    let (promise, future) = Future::pair();
    let future = future.cancel_on_drop().keep().unwrap();
    promise.finish(1).unwrap();
    assert_eq!(future.join().unwrap(), 1);
    // Nor once it was ready.
    let event_loop = EventLoop::new();
    let (promise, future) = Future::pair();
    let other = future.clone();
    let settles = thread::spawn(move || promise.finish(1).unwrap());
    let mut guard = future.cancel_on_drop();
    let settled = event_loop.run_until_complete(&mut guard).unwrap();
    assert_eq!(settled.result().unwrap(), &1);
    assert!(guard.future().is_none() && guard.keep().is_none());
    settles.join().unwrap();
    assert!(other.done());
}

/// `[cancel-9]` `[await-2]`
#[test]
fn a_handle_that_is_kept_leaves_its_place() {
    watch!();
    let (promise, future) = Future::pair();
    let mut guard = future.cancel_on_drop();
    let (_, waker) = CountingWaker::new();
    assert!(Pin::new(&mut guard).poll(&mut Context::from_waker(&waker)).is_pending());
    let waits = |count| format!("{promise:?}").contains(&format!("waiters: {count}"));
    assert!(waits(1), "{promise:?}");
    assert!(format!("{guard:?}").starts_with("CancelOnDrop(Some(ThreadFuture"), "{guard:?}");
    let future = guard.keep();
    assert!(waits(0), "{promise:?}");
    assert!(!future.unwrap().done());
}

/// `[cancel-9]` As where a server drops the handler of a client that has gone.
#[test]
fn an_await_that_is_dropped_cancels() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = Future::pair();
    let promise = promise.start().unwrap();
    let awaits = future.cancel_on_drop().output();
    let time = std::time::Duration::from_millis(1);
    assert!(event_loop.run_until_complete(tasks::timeout(awaits, time)).unwrap().is_err());
    assert!(promise.cancel_requested() && promise.is_closed());
    promise.finish(1);
    // One that is not dropped has the value.
    let (promise, future) = Future::pair();
    let settles = thread::spawn(move || promise.finish(1).unwrap());
    let value = event_loop.run_until_complete(future.cancel_on_drop().output()).unwrap();
    assert_eq!(value.unwrap(), 1);
    settles.join().unwrap();
    let (promise, future) = Future::pair();
    drop(promise.start().unwrap());
    let apart = event_loop.run_until_complete(future.cancel_on_drop().output_result()).unwrap();
    assert!(matches!(apart, Err(JoinError::Failed(_))));
}

/// Whatever is called may wait for one who is told by the same step, so that he is told before, also if he came later.
/// `[callback-2]`
#[test]
fn what_is_called_comes_after_those_who_wait() {
    watch!();
    // Those who wait for the outcome, in a cancel.
    let (promise, future) = Future::pair();
    let (woken, waker) = CountingWaker::new();
    let (tell, told) = mpsc::channel();
    let tells = |name, woken: &std::sync::Arc<CountingWaker>| {
        let (tell, woken) = (tell.clone(), woken.clone());
        move || tell.send((name, woken.count())).unwrap()
    };
    promise.on_closed(tells("closed", &woken));
    promise.on_cancel_request(tells("asked", &woken));
    let mut waiting = pin!((&future).into_future());
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!(future.cancel(), Cancel::Now);
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [("closed", 1), ("asked", 1)]);

    // Those who wait for a request, and for the last handle.
    let (promise, future) = Future::pair();
    let promise = promise.start().unwrap();
    let (woken, waker) = CountingWaker::new();
    promise.on_cancel_request(tells("asked", &woken));
    promise.on_closed(tells("closed", &woken));
    let mut cx = Context::from_waker(&waker);
    let (mut request, mut closed) = (pin!(promise.cancel_request()), pin!(promise.closed()));
    assert!(request.as_mut().poll(&mut cx).is_pending());
    assert!(closed.as_mut().poll(&mut cx).is_pending());
    assert!(matches!(future.cancel(), Cancel::Refused(_)));
    drop(future);
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [("asked", 1), ("closed", 2)]);
}
