//! The crossings between the two flavours, in both directions and cancelled from both sides.

#[macro_use]
#[path = "../../support/watchdog.rs"]
mod watchdog;

use std::{
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use settled::{
    Cancel, Cancelled, EventLoop, Executor, Failure, LoopHandle, Refusal, ThreadFuture, ThreadPool,
    bridge,
};

/// Says when it is dropped.
struct Tell(mpsc::Sender<&'static str>);

impl Drop for Tell {
    fn drop(&mut self) {
        self.0.send("dropped").unwrap();
    }
}

/// Runs the loop here while `f` runs in another thread, and ends with it, however it ends.
fn beside<R: Send>(event_loop: &EventLoop, f: impl FnOnce(&LoopHandle) -> R + Send) -> R {
    struct StopOnDrop(LoopHandle);
    impl Drop for StopOnDrop {
        fn drop(&mut self) {
            self.0.stop();
        }
    }

    let stop = StopOnDrop(event_loop.handle());
    thread::scope(|scope| {
        let other = scope.spawn(move || {
            let stop = stop;
            f(&stop.0)
        });
        event_loop.run_forever().unwrap();
        other.join().unwrap()
    })
}

#[test]
fn wrap_future_shows_the_same_outcome() {
    watch!();
    let pool = ThreadPool::default();
    let event_loop = EventLoop::new();
    let future = pool.submit(|| "one value".to_owned()).unwrap();
    let view = bridge::wrap_future(&future, &event_loop);
    let settled = event_loop.run_until_complete(view).unwrap();
    let (here, there) = (settled.result().unwrap(), future.result().unwrap());
    assert!(std::ptr::eq(here, there), "a view, not a copy");
}

#[test]
fn wrap_future_is_cancelled_from_either_side() {
    watch!();
    let event_loop = EventLoop::new();
    let (promise, future) = ThreadFuture::<u8, ()>::pair();
    let view = bridge::wrap_future(&future, &event_loop);
    assert_eq!(view.cancel(), Cancel::Now);
    assert!(future.cancelled());
    assert_eq!(promise.finish(1).unwrap_err().value, 1, "the loser's value comes back");

    let (promise, future) = ThreadFuture::<u8, ()>::pair();
    let view = bridge::wrap_future(&future, &event_loop);
    assert_eq!(thread::scope(|s| s.spawn(|| future.cancel()).join().unwrap()), Cancel::Now);
    let settled = event_loop.run_until_complete(&view).unwrap();
    assert!(matches!(settled.result(), Err(Failure::Cancelled(it)) if *it == Cancelled::Requested));
    assert_eq!(promise.start().unwrap_err(), Cancelled::Requested);
}

#[test]
fn run_in_executor_gives_the_value_to_the_loop() {
    watch!();
    let (pool, event_loop) = (ThreadPool::default(), EventLoop::new());
    let here = thread::current().id();
    let view = bridge::run_in_executor(&event_loop, &pool, || thread::current().id()).unwrap();
    let there = event_loop.run_until_complete(view).unwrap().take().unwrap().unwrap();
    assert_ne!(here, there);

    let parse = || "not a number".parse::<u8>();
    let view = bridge::run_in_executor_result(&event_loop, &pool, parse).unwrap();
    let settled = event_loop.run_until_complete(view).unwrap();
    assert!(matches!(settled.result(), Err(Failure::Error(_))));
}

#[test]
fn run_in_executor_cancelled_before_and_while_it_runs() {
    watch!();
    let pool = ThreadPool::new(NonZero::<usize>::MIN);
    let event_loop = EventLoop::new();
    let (started, has_started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let running = bridge::run_in_executor(&event_loop, &pool, move || {
        started.send(()).unwrap();
        released.recv().unwrap();
        1
    })
    .unwrap();
    let ran = Arc::new(AtomicBool::new(false));
    let queued = bridge::run_in_executor(&event_loop, &pool, {
        let ran = Arc::clone(&ran);
        move || ran.store(true, Ordering::SeqCst)
    })
    .unwrap();

    has_started.recv().unwrap();
    assert_eq!(queued.cancel(), Cancel::Now);
    assert_eq!(running.cancel(), Cancel::Refused(Refusal::Running));
    release.send(()).unwrap();
    assert!(event_loop.run_until_complete(queued).unwrap().cancelled());
    assert_eq!(event_loop.run_until_complete(running).unwrap().take().unwrap().unwrap(), 1);
    pool.shutdown().unwrap();
    assert!(!ran.load(Ordering::SeqCst));

    let work = bridge::run_in_executor(&event_loop, &pool, || 3).unwrap_err().into_inner();
    assert_eq!(work(), 3);
}

#[test]
fn run_coroutine_threadsafe_gives_the_value_to_the_thread() {
    watch!();
    let ran_in = beside(&EventLoop::new(), |handle| {
        let coroutine = async { thread::current().id() };
        let future = bridge::run_coroutine_threadsafe(coroutine, handle).unwrap();
        *future.result().unwrap()
    });
    assert_eq!(ran_in, thread::current().id());
}

#[test]
fn run_coroutine_threadsafe_cancelled_by_the_thread() {
    watch!();
    beside(&EventLoop::new(), |handle| {
        let (tell, told) = mpsc::channel();
        let (guard, settled) = (Tell(tell.clone()), tell.clone());
        let coroutine = async move {
            let _guard = guard;
            tell.send("began").unwrap();
            std::future::pending::<()>().await;
        };
        let future = bridge::run_coroutine_threadsafe(coroutine, handle).unwrap();
        assert_eq!(told.recv().unwrap(), "began");

        future.add_done_callback(move |_| settled.send("settled").unwrap());
        assert_eq!(future.cancel(), Cancel::Requested);
        let failure = future.exception().unwrap();
        assert!(matches!(failure, Some(Failure::Cancelled(it)) if *it == Cancelled::Requested));
        assert_eq!(told.recv().unwrap(), "dropped", "the coroutine went first");
        assert_eq!(told.recv().unwrap(), "settled");
        assert_eq!(future.cancel(), Cancel::Already);
    });
}

#[test]
fn run_coroutine_threadsafe_cancelled_by_the_loop() {
    watch!();
    let event_loop = EventLoop::new();
    let (tell, told) = mpsc::channel();
    let guard = Tell(tell);
    let future = beside(&event_loop, |handle| {
        let coroutine = async move {
            let _guard = guard;
            std::future::pending::<()>().await;
        };
        bridge::run_coroutine_threadsafe(coroutine, handle).unwrap()
    });
    assert!(!future.done());

    let handle = event_loop.handle();
    event_loop.close();
    let failure = future.exception().unwrap();
    assert!(matches!(failure, Some(Failure::Cancelled(it)) if *it == Cancelled::Stopped));
    assert_eq!(told.try_recv(), Ok("dropped"));

    let coroutine =
        bridge::run_coroutine_threadsafe(async { 1 }, &handle).unwrap_err().into_inner();
    assert_eq!(EventLoop::new().run_until_complete(coroutine), Ok(1));
}

/// There and back: a task awaits work of a pool, and a third thread waits for the task.
#[test]
fn both_ways_at_once() {
    watch!();
    let pool = ThreadPool::default();
    let answer = beside(&EventLoop::new(), |handle| {
        let coroutine = async move { *pool.submit(|| 41).unwrap().await.result().unwrap() + 1 };
        let future = bridge::run_coroutine_threadsafe(coroutine, handle).unwrap();
        *future.result().unwrap()
    });
    assert_eq!(answer, 42);
}
