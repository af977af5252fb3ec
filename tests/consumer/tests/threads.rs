//! The blocking flavour: waiting, cancelling, callbacks, pools.

#[macro_use]
#[path = "../../support/watchdog.rs"]
mod watchdog;

use std::{
    num::NonZero,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use settled::{
    Cancel, Cancelled, Executor, Expired, Failure, InvalidState, Job, NoValue, Refusal,
    ThreadFuture, ThreadPool, WaitError,
};

/// Long enough never to pass.
const LONG: Duration = Duration::from_secs(60);

/// A pool of one worker that is busy until the sender is used or dropped.
fn busy_pool() -> (ThreadPool, mpsc::Sender<()>) {
    let pool = ThreadPool::new(NonZero::<usize>::MIN);
    let (release, released) = mpsc::channel();
    pool.submit(move || released.recv().is_ok()).unwrap();
    (pool, release)
}

#[test]
fn wait_with_a_timeout() {
    watch!();
    let (pool, release) = busy_pool();
    let future = pool.submit(|| 6 * 7).unwrap();

    let expired = future.wait_timeout(Duration::from_millis(5)).unwrap_err();
    assert_eq!(expired, WaitError::Expired(Expired));
    assert!(matches!(future.wait_timeout(Duration::ZERO), Err(WaitError::Expired(Expired))));
    assert!(matches!(future.try_result(), Err(NoValue::Unsettled(InvalidState))));
    assert!(!future.done(), "an expired wait leaves the future alone");

    release.send(()).unwrap();
    assert_eq!(future.wait_timeout(LONG).unwrap().result().unwrap(), &42);
    assert_eq!(future.try_result().unwrap(), &42);
}

#[test]
fn cancel_before_start() {
    watch!();
    let (pool, release) = busy_pool();
    let ran = Arc::new(AtomicBool::new(false));
    let future = pool
        .submit({
            let ran = Arc::clone(&ran);
            move || ran.store(true, Ordering::SeqCst)
        })
        .unwrap();

    assert_eq!(future.cancel(), Cancel::Now);
    assert_eq!(future.cancel(), Cancel::Already);
    assert!(future.cancelled() && future.done());
    let failure = future.result().unwrap_err();
    assert!(
        matches!(failure, NoValue::Failed(Failure::Cancelled(it)) if *it == Cancelled::Requested)
    );

    release.send(()).unwrap();
    pool.shutdown().unwrap();
    assert!(!ran.load(Ordering::SeqCst), "cancelled work never runs");
}

#[test]
fn try_to_cancel_while_running() {
    watch!();
    let pool = ThreadPool::default();
    let (started, has_started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let future = pool
        .submit(move || {
            started.send(()).unwrap();
            released.recv().unwrap();
            "done all the same"
        })
        .unwrap();

    has_started.recv().unwrap();
    assert!(future.running());
    assert_eq!(future.cancel(), Cancel::Refused(Refusal::Running));
    assert!(!future.cancelled());
    release.send(()).unwrap();
    assert_eq!(future.result().unwrap(), &"done all the same");
    assert_eq!(future.cancel(), Cancel::Refused(Refusal::Finished));
}

/// Work that wants to see a request to cancel holds its own promise.
#[test]
fn running_work_sees_the_request() {
    watch!();
    let pool = ThreadPool::default();
    let (promise, future) = ThreadFuture::<u64, &str>::pair();
    let (started, has_started) = mpsc::channel();
    let job = Job::new(move || {
        let Ok(running) = promise.start() else { return };
        started.send(()).unwrap();
        while !running.cancel_requested() {
            thread::yield_now();
        }
        running.fail("stopped halfway");
    });
    pool.execute(job).unwrap();

    has_started.recv().unwrap();
    assert_eq!(future.cancel(), Cancel::Refused(Refusal::Running));
    let failure = future.exception().unwrap();
    assert!(matches!(failure, Some(Failure::Error("stopped halfway"))));
}

#[test]
fn three_callbacks_in_order() {
    watch!();
    let (pool, release) = busy_pool();
    let future = pool.submit(|| 5).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (last, all_ran) = mpsc::channel();
    for name in ["first", "second", "third"] {
        let (seen, last) = (Arc::clone(&seen), last.clone());
        future.add_done_callback(move |settled| {
            seen.lock().unwrap().push((name, *settled.result().unwrap()));
            if name == "third" {
                last.send(()).unwrap();
            }
        });
    }
    assert!(seen.lock().unwrap().is_empty(), "none runs before the future is settled");

    release.send(()).unwrap();
    all_ran.recv().unwrap();
    assert_eq!(*seen.lock().unwrap(), [("first", 5), ("second", 5), ("third", 5)]);

    let late = Arc::new(AtomicBool::new(false));
    let here = thread::current().id();
    future.add_done_callback({
        let late = Arc::clone(&late);
        move |_| late.store(thread::current().id() == here, Ordering::SeqCst)
    });
    assert!(late.load(Ordering::SeqCst), "a late one runs at once, in the thread that adds it");
}

#[test]
fn many_threads_wait_for_one_future() {
    watch!();
    let (promise, future) = ThreadFuture::<String, ()>::pair();
    thread::scope(|scope| {
        let readers: Vec<_> =
            (0..3).map(|_| scope.spawn(|| future.result().unwrap().len())).collect();
        let clone = future.clone();
        let other = scope.spawn(move || clone.wait().unwrap().result().unwrap().len());
        promise.finish("four".to_owned()).unwrap();
        for reader in readers {
            assert_eq!(reader.join().unwrap(), 4);
        }
        assert_eq!(other.join().unwrap(), 4);
    });
    let value: String = future.into_settled().unwrap().take().unwrap().unwrap();
    assert_eq!(value, "four");
}

#[test]
fn failures_say_what_happened() {
    watch!();
    let pool = ThreadPool::default();
    let error = pool.submit_result(|| "x".parse::<u8>()).unwrap();
    assert!(matches!(error.exception().unwrap(), Some(Failure::Error(_))));

    let panic = pool.submit(|| -> u8 { std::panic::resume_unwind(Box::new("boom")) }).unwrap();
    match panic.into_settled().unwrap().take().unwrap() {
        Err(Failure::Panicked(panic)) => assert_eq!(panic.message(), "boom"),
        other => panic!("a panic is an outcome, but {other:?}"),
    }

    let (promise, future) = ThreadFuture::<u8, ()>::pair();
    drop(promise.start().unwrap());
    assert!(matches!(future.exception().unwrap(), Some(Failure::Abandoned)));
}

#[test]
fn a_closed_pool_hands_the_work_back() {
    watch!();
    let (pool, release) = busy_pool();
    let queued = pool.submit(|| 1).unwrap();
    pool.close();
    pool.cancel_pending();
    drop(release);
    assert!(matches!(
        queued.result().unwrap_err(),
        NoValue::Failed(Failure::Cancelled(it)) if *it == Cancelled::Dropped
    ));
    let work = pool.submit(|| 2).unwrap_err().into_inner();
    assert_eq!(work(), 2);
}
