//! The loop flavour: tasks, callbacks and timers on the crate's own loop.

#[macro_use]
#[path = "../../support/watchdog.rs"]
mod watchdog;

use std::{cell::RefCell, rc::Rc, thread, time::Duration};

use settled::{
    Cancel, Cancelled, EventLoop, Failure, InvalidState, LoopRef, NoValue, RunError, ThreadFuture,
    WaitError, WouldDeadlock,
};

/// A list that tasks and callbacks of one thread write to.
type Log = Rc<RefCell<Vec<String>>>;

fn logger(log: &Log, line: &str) -> impl FnOnce() + 'static {
    let (log, line) = (Rc::clone(log), line.to_owned());
    move || log.borrow_mut().push(line)
}

#[test]
fn await_a_thread_future_on_the_loop() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = ThreadFuture::<u32, String>::pair();
    let producer = thread::spawn(move || promise.finish(20).unwrap());
    let answer = event_loop.run_until_complete(async {
        let doubled = (&future).await.result().unwrap() * 2;
        doubled + future.await.take().unwrap().unwrap() / 10
    });
    assert_eq!(answer, Ok(42));
    producer.join().unwrap();
}

#[test]
fn tasks_wait_for_each_other() {
    watch!();
    let event_loop = EventLoop::new();
    let text = Rc::new("not Send".to_owned());
    let length = event_loop.run_until_complete(async {
        let here = LoopRef::current().unwrap();
        let (promise, future) = here.create_future::<Rc<String>, ()>();
        let task = here.create_task(async move {
            let settled = future.await;
            settled.result().unwrap().len()
        });
        promise.finish(text).unwrap();
        task.unwrap().await.take().unwrap().unwrap()
    });
    assert_eq!(length, Ok(8));
}

#[test]
fn nothing_blocks_and_nothing_runs_inline() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<u8, ()>();
    assert!(matches!(future.result(), Err(NoValue::Unsettled(InvalidState))));

    let log = Log::default();
    let tokens = ["first", "removed", "second", "third"].map(|name| {
        let write = logger(&log, name);
        future.add_done_callback(move |_| write())
    });
    assert!(future.remove_done_callback(tokens[1]));
    assert!(!future.remove_done_callback(tokens[1]));
    promise.finish(1).unwrap();
    assert!(log.borrow().is_empty(), "callbacks wait for their turn");
    event_loop.run_until_complete(&future).unwrap();
    assert!(!future.remove_done_callback(tokens[0]), "it has run");
    assert_eq!(*log.borrow(), ["first", "second", "third"]);
}

#[test]
fn a_task_is_stopped_and_then_seen_cancelled() {
    watch!();
    let event_loop = EventLoop::new();
    let log = Log::default();
    let write = logger(&log, "dropped");
    let task = event_loop
        .create_task(async move {
            let _guard = DropGuard(Some(write));
            std::future::pending::<()>().await;
        })
        .unwrap();
    let (first_step, stepped) = event_loop.create_future::<(), ()>();
    event_loop.call_soon(move || first_step.finish(()).unwrap()).unwrap();
    event_loop.run_until_complete(stepped).unwrap();

    assert_eq!(task.cancel(), Cancel::Requested);
    assert!(!task.cancelled(), "asked, not stopped yet");
    let settled = event_loop.run_until_complete(task).unwrap();
    assert!(matches!(settled.result(), Err(Failure::Cancelled(it)) if *it == Cancelled::Requested));
    assert_eq!(*log.borrow(), ["dropped"]);
}

struct DropGuard<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Drop for DropGuard<F> {
    fn drop(&mut self) {
        self.0.take().unwrap()();
    }
}

#[test]
fn timers_and_calls_in_order() {
    watch!();
    let event_loop = EventLoop::new();
    let log = Log::default();
    let never = event_loop.call_later(Duration::from_secs(3600), logger(&log, "never")).unwrap();
    event_loop.call_later(Duration::from_millis(2), logger(&log, "timer")).unwrap();
    let stop = event_loop.handle();
    event_loop.call_later(Duration::from_millis(4), move || stop.stop()).unwrap();
    event_loop.call_soon(logger(&log, "soon")).unwrap();
    assert!(never.cancel());
    event_loop.run_forever().unwrap();
    assert_eq!(*log.borrow(), ["soon", "timer"]);
}

#[test]
fn other_threads_post_and_stop() {
    watch!();
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let (promise, future) = event_loop.create_future::<thread::ThreadId, ()>();
    let other = thread::spawn(move || {
        handle.call_soon_threadsafe(|| promise.finish(thread::current().id()).unwrap()).unwrap();
        handle.stop();
        handle
    });
    event_loop.run_forever().unwrap();
    let handle = other.join().unwrap();
    let settled = event_loop.run_until_complete(&future).unwrap();
    assert_eq!(settled.result().unwrap(), &thread::current().id());

    event_loop.close();
    let refused = handle.call_soon_threadsafe(|| unreachable!("a closed loop runs nothing"));
    assert!(refused.is_err());
}

#[test]
fn blocking_the_loop_is_an_error() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = ThreadFuture::<u8, ()>::pair();
    event_loop
        .run_until_complete(async {
            assert_eq!(
                future.wait().unwrap_err(),
                WaitError::WouldDeadlock(WouldDeadlock::EventLoop)
            );
            promise.finish(3).unwrap();
            assert_eq!(future.result().unwrap(), &3, "a settled future answers anywhere");
            let nested = EventLoop::new().run_until_complete(async {});
            assert_eq!(nested, Err(RunError::Nested));
        })
        .unwrap();
}
