//! What cancels a loop future from other threads. `[cancel-10]`

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;
#[path = "support/log.rs"]
mod log;

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{Arc, Barrier, Mutex},
    thread,
};

use log::Log;
use settled::{
    Cancel, CancelHandle, Cancelled, EventLoop, LoopFuture, LoopRef, Refusal, ThreadFuture, bridge,
};

/// It cannot leave its thread, and can be dropped there alone.
struct Stays {
    home: thread::ThreadId,
    _local: Rc<()>,
}

impl Stays {
    fn new() -> Self {
        Self { home: thread::current().id(), _local: Rc::new(()) }
    }
}

impl Drop for Stays {
    fn drop(&mut self) {
        assert_eq!(thread::current().id(), self.home, "dropped in another thread");
    }
}

/// Does it in another thread.
fn elsewhere<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> R {
    thread::spawn(f).join().unwrap()
}

fn cancel(handle: &CancelHandle, reason: &'static str) -> Cancel {
    let handle = handle.clone();
    elsewhere(move || handle.cancel_with(reason))
}

#[test]
fn a_thread_cancels_what_cannot_come_to_it() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<Stays, Stays>();
    let handle = future.cancel_handle();
    let told = Rc::new(RefCell::new(None));
    let (stays, tells) = (Stays::new(), Rc::clone(&told));
    future.add_done_callback(move |settled| {
        drop(stays);
        tells.replace(settled.cancel_reason());
    });
    assert_eq!(format!("{handle:?}"), "CancelHandle { state: Pending }");
    assert!(!handle.done() && !handle.cancelled());
    assert_eq!(cancel(&handle, "first"), Cancel::Now);
    assert_eq!(cancel(&handle, "second"), Cancel::Already);
    assert!(handle.done() && handle.cancelled());
    // The loop has still to deliver it.
    assert!(!future.done() && told.borrow().is_none());
    event_loop.run_until_complete(async { assert!((&future).await.cancelled()) }).unwrap();
    assert_eq!(told.borrow().as_deref(), Some("first"));
    assert_eq!(promise.finish(Stays::new()).unwrap_err().cause, Cancelled::Requested);
    assert_eq!(format!("{handle:?}"), "CancelHandle { state: Cancelled }");
}

#[test]
fn what_runs_or_has_ended_is_not_cancelled() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<Stays, Stays>();
    let handle = future.cancel_handle();
    let promise = promise.start().unwrap();
    assert_eq!(cancel(&handle, "why"), Cancel::Refused(Refusal::Running));
    assert_eq!(promise.cancel_reason().as_deref(), Some("why"));
    assert!(promise.cancel_requested() && !handle.done());
    promise.finish(Stays::new());
    assert_eq!(cancel(&handle, "late"), Cancel::Refused(Refusal::Finished));
    assert!(handle.done() && !handle.cancelled() && future.result().is_ok());
}

/// `[cancel-4]` The owner is asked through its loop, and stops the coroutine there.
#[test]
fn a_task_is_asked_from_another_thread() {
    watch!();
    let event_loop = EventLoop::new();
    let log = Log::new();
    let (stays, drops) = (Stays::new(), log.clone());
    let task = event_loop.create_task(async move {
        let _guard = Guard(stays, drops);
        std::future::pending::<Rc<()>>().await
    });
    let task = task.unwrap();
    let handle = task.cancel_handle();
    while event_loop.try_tick().unwrap() {}
    assert_eq!(cancel(&handle, "first"), Cancel::Requested);
    assert_eq!(cancel(&handle, "second"), Cancel::Requested);
    assert!(!handle.done() && log.entries().is_empty());
    let settled = event_loop.run_until_complete(task).unwrap();
    assert_eq!(settled.cancel_reason().as_deref(), Some("first"));
    assert_eq!(log.entries(), ["stopped"]);
    assert_eq!(cancel(&handle, "third"), Cancel::Already);
    drop(settled);
    assert_eq!(cancel(&handle, "fourth"), Cancel::Already);
}

struct Guard(#[expect(dead_code, reason = "its drop checks the thread")] Stays, Log);

impl Drop for Guard {
    fn drop(&mut self) {
        self.1.add("stopped");
    }
}

#[test]
fn a_handle_keeps_nobody_waiting_and_no_value() {
    watch!();
    let event_loop = EventLoop::new();
    let make = || event_loop.create_future::<Rc<()>, Rc<()>>();
    // It is nobody who listens, and cancels all the same.
    let (promise, future) = make();
    let handle = future.cancel_handle();
    drop(future);
    assert!(promise.is_closed());
    assert_eq!(cancel(&handle, "why"), Cancel::Now);
    assert!(promise.is_closed() && promise.finish(Rc::new(())).is_err());
    assert_eq!(cancel(&handle, "again"), Cancel::Already);
    // The value goes with the last handle of the future.
    let (promise, future) = make();
    let handle = future.cancel_handle();
    let value = Rc::new(());
    promise.finish(Rc::clone(&value)).unwrap();
    assert_eq!(Rc::strong_count(&value), 2);
    drop(future);
    assert_eq!(Rc::strong_count(&value), 1);
    assert_eq!(cancel(&handle, "late"), Cancel::Refused(Refusal::Finished));
    assert_eq!(format!("{handle:?}"), "CancelHandle { state: Finished }");
    // Or it is taken.
    let (promise, future) = make();
    let handle = future.cancel_handle();
    promise.finish(Rc::clone(&value)).unwrap();
    drop(future.into_settled().unwrap().take().unwrap().unwrap());
    assert_eq!(Rc::strong_count(&value), 1);
    elsewhere(move || assert!(handle.done()));
}

#[test]
fn a_closed_loop_is_no_hindrance() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<Stays, ()>();
    let stays = Stays::new();
    future.add_done_callback(move |_| drop(stays));
    let task = event_loop.create_task(std::future::pending::<Stays>()).unwrap();
    let (of_future, of_task) = (future.cancel_handle(), task.cancel_handle());
    drop(event_loop);
    assert_eq!(cancel(&of_task, "late"), Cancel::Already);
    assert_eq!(cancel(&of_future, "in time"), Cancel::Now);
    assert!(future.cancelled(), "the view reads through");
    assert!(promise.finish(Stays::new()).is_err());
}

/// The callbacks of a thread future run where it is cancelled, and have the outcome although everybody else is gone.
#[test]
fn thread_callbacks_run_in_the_cancelling_thread() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future): (_, LoopFuture<u8, ()>) = event_loop.create_future();
    let handle = future.cancel_handle();
    let other: ThreadFuture<u8, ()> = bridge::thread_future(&future);
    let (promise, log) = (Arc::new(Mutex::new(Some(promise))), Log::new());
    let calls = log.clone();
    other.add_done_callback(move |settled| {
        drop(promise.lock().unwrap().take());
        let reason = settled.clone().cancel_reason().unwrap();
        calls.add(format!("{reason} in {}", thread::current().name().unwrap()));
    });
    drop((other, future, event_loop));
    let canceller = thread::Builder::new().name("canceller".into());
    let answer = canceller.spawn(move || handle.cancel_with("why")).unwrap().join().unwrap();
    assert_eq!((answer, log.entries()), (Cancel::Now, vec!["why in canceller".to_owned()]));
}

/// `[promise-2]` One of them wins, and the value, which stays where it is, comes back to the promise that has lost.
#[test]
fn a_cancel_races_against_the_value_and_the_last_handle() {
    watch!();
    let event_loop = EventLoop::new();
    let both = Arc::new(Barrier::new(2));
    for round in 0..200 {
        let (promise, future) = event_loop.create_future::<Stays, ()>();
        let (handle, ready) = (future.cancel_handle(), Arc::clone(&both));
        let cancels = thread::spawn(move || {
            ready.wait();
            handle.cancel()
        });
        both.wait();
        let early = (round % 2 == 0).then_some(future);
        let is_lost = promise.finish(Stays::new()).is_err();
        drop(early);
        let answer = cancels.join().unwrap();
        let lost = if is_lost { Cancel::Now } else { Cancel::Refused(Refusal::Finished) };
        assert_eq!(answer, lost);
        while event_loop.try_tick().unwrap() {}
    }
}

/// A handle that is made in a task cancels what that awaits.
#[test]
fn a_handle_goes_wherever_it_is_sent() {
    watch!();
    let event_loop = EventLoop::new();
    let ended = event_loop.run_until_complete(async {
        let here = LoopRef::current().unwrap();
        let inner = here.create_task(std::future::pending::<Rc<()>>()).unwrap();
        let handle = inner.cancel_handle();
        let asks = thread::spawn(move || handle.cancel());
        let settled = inner.await;
        assert_eq!(asks.join().unwrap(), Cancel::Requested);
        settled.cancelled()
    });
    assert!(ended.unwrap());
}
