//! Taking the outcome by value: on threads, in tasks, with callbacks, with other handles.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

use std::{
    convert::Infallible,
    error::Error,
    fmt,
    future::Future as _,
    io,
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Waker},
    thread,
    time::{Duration, Instant},
};

use settled::{
    AnyPromise, Cancel, Cancelled, EventLoop, Executor, Failure, JoinError, Panic, ThreadFuture,
    ThreadPool, TooLate, WaitError, WouldDeadlock, as_completed, bridge,
};

type Future = ThreadFuture<u32, io::Error>;

/// A pool with one worker.
fn one_worker() -> ThreadPool {
    ThreadPool::new(NonZero::<usize>::MIN)
}

/// A future that is settled and whose callback has begun and does not return before the sender is used or dropped.
fn lent() -> (Future, mpsc::Sender<()>, thread::JoinHandle<()>) {
    let (promise, future) = Future::pair();
    let (begins, begun) = mpsc::channel();
    let (returns, returned) = mpsc::channel();
    future.add_done_callback(move |_| {
        begins.send(()).unwrap();
        let _ = returned.recv();
    });
    let settler = thread::spawn(move || promise.finish(7).unwrap());
    begun.recv().unwrap();
    (future, returns, settler)
}

/// `[settled-5]`
#[test]
fn a_value_comes_out_by_value() {
    watch!();
    let pool = ThreadPool::default();
    let work = || Ok::<_, io::Error>("text".to_owned());
    assert_eq!(pool.submit_result(work).unwrap().join().unwrap(), "text");
    let job = pool.submit_result(work).unwrap();
    assert_eq!(job.join_timeout(Duration::MAX).unwrap(), "text");
    let far = Instant::now() + Duration::from_secs(3_600);
    assert_eq!(pool.submit_result(work).unwrap().join_deadline(far).unwrap(), "text");
    assert_eq!(pool.submit_result(work).unwrap().join_result().unwrap().unwrap(), "text");
    let job = pool.submit_result(work).unwrap();
    assert_eq!(job.join_result_timeout(Duration::MAX).unwrap().unwrap(), "text");
    let job = pool.submit_result(work).unwrap();
    assert_eq!(job.join_result_deadline(far).unwrap().unwrap(), "text");
}

/// `[settled-5]`
#[test]
fn a_value_comes_out_of_an_await() {
    watch!();
    let (event_loop, pool) = (EventLoop::new(), ThreadPool::default());
    let job = pool.submit_result(|| Ok::<_, io::Error>(1)).unwrap();
    let apart = pool.submit_result(|| Err::<u8, _>("no")).unwrap();
    let task = event_loop.create_task_result(async { Ok::<_, io::Error>(3) }).unwrap();
    let failed = event_loop.create_task_result(async { Err::<u8, _>("no") }).unwrap();
    let all = event_loop.run_until_complete(async {
        let job = job.output().await.unwrap();
        let apart = apart.output_result().await.unwrap();
        let task = task.output().await.unwrap();
        (job, apart, task, failed.output_result().await.unwrap())
    });
    assert_eq!(all.unwrap(), (1, Err("no"), 3, Err("no")));
}

/// `[settled-5]`
#[test]
fn an_await_by_value_waits_for_the_callbacks() {
    watch!();
    let (future, returns, settler) = lent();
    let event_loop = EventLoop::new();
    let returned = event_loop.run_until_complete(async {
        let output = event_loop.create_task(future.output()).unwrap();
        settled::tasks::sleep(Duration::from_millis(1)).await;
        assert!(!output.done(), "the callback has not returned");
        drop(returns);
        output.output().await.unwrap()
    });
    assert_eq!(returned.unwrap().unwrap(), 7);
    settler.join().unwrap();
}

/// `[settled-5]` `[await-2]`
#[test]
fn an_await_by_value_that_is_dropped_leaves_nothing_behind() {
    watch!();
    let (future, returns, settler) = lent();
    let other = future.clone();
    let waiters = |count| format!("{other:?}").contains(&format!("waiters: {count}"));
    let mut output = Box::pin(future.output());
    assert!(output.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(waiters(1), "{other:?}");
    assert!(format!("{output:?}").starts_with("Output"));
    drop(output);
    assert!(waiters(0), "{other:?}");
    drop(returns);
    settler.join().unwrap();
}

/// `[settled-5]` `[await-2]` One waits by value since before the settlement, and another since then, who leaves.
#[test]
fn an_await_that_comes_late_takes_no_place_of_another() {
    watch!();
    let (promise, future) = Future::pair();
    let (begins, begun) = mpsc::channel();
    let (returns, returned) = mpsc::channel::<()>();
    future.add_done_callback(move |_| {
        begins.send(()).unwrap();
        let _ = returned.recv();
    });
    let waiters = |count| format!("{future:?}").contains(&format!("waiters: {count}"));
    let mut early = as_completed([future.clone()], None);
    assert!(waiters(1), "{future:?}");
    let settler = thread::spawn(move || promise.finish(7).unwrap());
    begun.recv().unwrap();
    let mut late = Box::pin(future.clone().output());
    assert!(late.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(waiters(2), "{future:?}");
    drop(late);
    assert!(waiters(1), "{future:?}");
    drop((future, returns));
    let (_, output) = early.next().unwrap().unwrap();
    assert_eq!(output.unwrap(), 7);
    settler.join().unwrap();
}

/// `[settled-5]`
#[test]
fn the_only_handle_waits_for_the_callbacks() {
    watch!();
    let (future, returns, settler) = lent();
    let joins = thread::spawn(move || future.join().unwrap());
    // Whether it is asleep by now or not.
    drop(returns);
    assert_eq!(joins.join().unwrap(), 7);
    settler.join().unwrap();
}

/// `[settled-5]`
#[test]
fn a_race_never_refuses_the_only_handle() {
    watch!();
    let pool = ThreadPool::default();
    let called = Arc::new(AtomicUsize::new(0));
    for number in 0..100_000 {
        let job = pool.submit(move || number).unwrap();
        let count = Arc::clone(&called);
        job.add_done_callback(move |_| _ = count.fetch_add(1, Ordering::Relaxed));
        assert_eq!(job.join().unwrap(), number);
    }
    assert_eq!(called.load(Ordering::Relaxed), 100_000);
}

/// `[settled-5]`
#[test]
fn an_expiry_over_a_lent_future_hands_it_back() {
    watch!();
    let (future, returns, settler) = lent();
    assert!(future.done());
    let JoinError::Back(back) = future.join_timeout(Duration::from_millis(1)).unwrap_err() else {
        panic!("the callback has not returned")
    };
    assert_eq!(format!("{back:?}"), "Back(Expired(Expired))");
    assert!(matches!(back.why(), WaitError::Expired(_)));
    let future = back.into_future();
    let JoinError::Back(back) = future.join_timeout(Duration::ZERO).unwrap_err() else {
        panic!("the callback has not returned")
    };
    drop(returns);
    assert_eq!(back.into_future().join().unwrap(), 7);
    settler.join().unwrap();
    let (_promise, future) = Future::pair();
    let JoinError::Back(back) = future.join_result_timeout(Duration::ZERO).unwrap_err() else {
        panic!("nobody has settled it")
    };
    assert!(!back.into_future().done());
    // What is there is taken, whatever the time.
    let (promise, future) = Future::pair();
    promise.finish(7).unwrap();
    assert_eq!(future.join_timeout(Duration::ZERO).unwrap(), 7);
}

/// `[settled-5]`
#[test]
fn a_callback_cannot_take_what_it_is_lent() {
    watch!();
    let (promise, future) = Future::pair();
    let (takes, taken) = mpsc::channel();
    let (hands, handed) = mpsc::channel::<Future>();
    future.add_done_callback(move |_| {
        takes.send(handed.recv().unwrap().join()).unwrap();
    });
    hands.send(future).unwrap();
    promise.finish(7).unwrap();
    let JoinError::Back(back) = taken.recv().unwrap().unwrap_err() else {
        panic!("it was taken from under the callback")
    };
    assert_eq!(back.why(), WaitError::WouldDeadlock(WouldDeadlock::Lent));
    assert_eq!(back.into_future().join().unwrap(), 7);
}

/// `[settled-5]`
#[test]
fn a_loop_thread_is_refused_and_gets_the_future_back() {
    watch!();
    let (promise, future) = Future::pair();
    let event_loop = EventLoop::new();
    let back = event_loop.run_until_complete(async { future.join() }).unwrap().unwrap_err();
    let JoinError::Back(back) = back else { panic!("it was not settled") };
    assert_eq!(back.why(), WaitError::WouldDeadlock(WouldDeadlock::EventLoop));
    promise.finish(7).unwrap();
    assert_eq!(back.into_future().join().unwrap(), 7);
}

/// `[settled-5]` A worker's job that waits for the callbacks of a future, of which one waits for that job.
#[test]
fn a_circle_through_a_callback_is_refused() {
    watch!();
    let pool = ThreadPool::new(NonZero::new(2).unwrap());
    let (promise, future) = Future::pair();
    let (hands, handed) = mpsc::channel::<ThreadFuture<bool, Infallible>>();
    let (tells, told) = mpsc::channel();
    future.add_done_callback(move |_| {
        let job = handed.recv().unwrap();
        tells.send(job.wait().is_err()).unwrap();
    });
    let joins = pool.submit(move || {
        matches!(future.join(), Err(JoinError::Back(back)) if back.why() == WaitError::WouldDeadlock(WouldDeadlock::Circle))
    });
    hands.send(joins.as_ref().unwrap().clone()).unwrap();
    let settles = pool.submit(move || promise.finish(7).unwrap()).unwrap();
    settles.join().unwrap();
    let refused = [joins.unwrap().wait().unwrap().result() == Ok(&true), told.recv().unwrap()];
    assert_eq!(
        refused.iter().filter(|it| **it).count(),
        1,
        "one of the two was refused: {refused:?}"
    );
}

/// `[settled-5]` Deeper callbacks are deferred, and then lent the future until they are called.
#[test]
fn a_deferred_callback_is_waited_for() {
    watch!();
    /// Settles a future inside `depth` callbacks.
    fn inside(depth: usize, last: Box<dyn FnOnce() + Send>) {
        let Some(depth) = depth.checked_sub(1) else { return last() };
        let (promise, future) = ThreadFuture::<(), ()>::pair();
        future.add_done_callback(move |_| inside(depth, last));
        promise.finish(()).unwrap();
    }
    let (promise, future) = Future::pair();
    let called = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&called);
    future.add_done_callback(move |_| _ = count.fetch_add(1, Ordering::Relaxed));
    let (tells, told) = mpsc::channel();
    let count = Arc::clone(&called);
    let takes = move || {
        promise.finish(7).unwrap();
        let before = count.load(Ordering::Relaxed);
        tells.send((before, future.join().unwrap(), count.load(Ordering::Relaxed))).unwrap();
    };
    inside(32, Box::new(takes));
    assert_eq!(told.recv().unwrap(), (0, 7, 1), "deferred, and called before the value was taken");
}

/// `[settled-5]`
#[test]
fn of_several_handles_one_takes_it() {
    watch!();
    for _ in 0..1_000 {
        let (promise, future) = Future::pair();
        let settler = thread::spawn(move || promise.finish(7).unwrap());
        let handles = [future.clone(), future.clone(), future];
        let takers = handles.map(|it| thread::spawn(move || it.join()));
        settler.join().unwrap();
        let taken = takers.map(|it| it.join().unwrap());
        assert_eq!(taken.iter().filter(|it| matches!(it, Ok(7))).count(), 1, "{taken:?}");
        let shared = |it: &&Result<_, _>| matches!(it, Err(JoinError::Shared));
        assert_eq!(taken.iter().filter(shared).count(), 2, "{taken:?}");
    }
}

/// `[settled-5]`
#[test]
fn a_handle_that_stays_keeps_the_value() {
    watch!();
    let (promise, future) = Future::pair();
    let stays = future.clone();
    promise.finish(7).unwrap();
    assert!(matches!(future.join(), Err(JoinError::Shared)));
    assert_eq!(stays.join().unwrap(), 7);
    let (promise, future) = Future::pair();
    let stays = future.clone();
    assert_eq!(future.cancel(), Cancel::Now);
    let cancelled = future.join().unwrap_err().into_failure().unwrap();
    assert!(matches!(cancelled, Failure::Cancelled(it) if it == Cancelled::Requested));
    drop((stays, promise));
}

/// `[settled-5]`
#[test]
fn what_was_waited_for_is_taken_at_once() {
    watch!();
    let pool = one_worker();
    let jobs: Vec<_> = (0..4).map(|n| pool.submit(move || n).unwrap()).collect();
    for item in as_completed(&jobs, None) {
        item.unwrap();
    }
    let values: Result<Vec<i32>, _> = jobs.into_iter().map(ThreadFuture::join).collect();
    assert_eq!(values.unwrap(), [0, 1, 2, 3]);
}

#[derive(Debug)]
struct Outer(io::Error);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("loading the config")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// Every text of an error and of what it comes from.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> Vec<String> {
    let source = |it: &&'a (dyn Error + 'static)| (**it).source();
    std::iter::successors(Some(error), source).map(ToString::to_string).collect()
}

/// `[settled-4]`
#[test]
fn an_error_keeps_what_it_comes_from() {
    watch!();
    let pool = ThreadPool::default();
    let fails = || Err::<(), _>(Outer(io::Error::other("disk full")));
    let goes_up = || -> Result<(), Box<dyn Error + Send + Sync>> {
        pool.submit_result(fails)?.join()?;
        Ok(())
    };
    let error = goes_up().unwrap_err();
    assert_eq!(chain(&*error), ["the work failed", "loading the config", "disk full"]);
    assert!(error.source().unwrap().downcast_ref::<Outer>().is_some());
    // Apart, it is the error itself.
    let goes_up = || -> Result<(), Box<dyn Error + Send + Sync>> {
        pool.submit_result(fails)?.join_result()??;
        Ok(())
    };
    let error = goes_up().unwrap_err();
    assert_eq!(chain(&*error), ["loading the config", "disk full"]);
    assert!(error.downcast_ref::<Outer>().is_some());
    // Read by reference, it has the same source.
    let job = pool.submit_result(fails).unwrap();
    assert_eq!(chain(job.wait().unwrap().exception().unwrap())[1], "loading the config");
}

/// `[settled-4]` In one form or the other, whatever the error is.
#[test]
fn every_kind_of_error_goes_up() {
    watch!();
    type Up = Result<(), anyhow::Error>;
    let pool = ThreadPool::default();
    let text = || -> Up {
        pool.submit_result(|| Err::<(), _>("disk full".to_owned()))?
            .join_result()?
            .map_err(anyhow::Error::msg)
    };
    assert_eq!(format!("{:#}", text().unwrap_err()), "disk full");
    let infallible = || -> Up {
        pool.submit(|| panic!("off by one"))?.join()?;
        Ok(())
    };
    assert_eq!(format!("{:#}", infallible().unwrap_err()), "the work panicked: off by one");
    let io = || -> Up {
        pool.submit_result(|| Err::<(), _>(io::Error::other("disk full")))?.join()?;
        Ok(())
    };
    let io = io().unwrap_err();
    assert_eq!(format!("{io:#}"), "the work failed: disk full");
    assert!(io.chain().any(|it| it.downcast_ref::<io::Error>().is_some()));
    let boxed = || -> Up {
        let fails = || Err::<(), Box<dyn Error + Send + Sync>>("disk full".into());
        pool.submit_result(fails)?.join_result()?.map_err(anyhow::Error::from_boxed)
    };
    assert_eq!(boxed().unwrap_err().to_string(), "disk full");
    let any = || -> Up {
        let fails = || Err::<(), _>(anyhow::anyhow!("disk full").context("loading"));
        pool.submit_result(fails)?.join_result()??;
        Ok(())
    };
    assert_eq!(format!("{:#}", any().unwrap_err()), "loading: disk full");
    let cell = || -> Up {
        // Not `Sync`: neither what is captured nor the value.
        let (sends, receives) = mpsc::channel::<u8>();
        let job = pool.submit(move || receives)?;
        drop(sends);
        let receives = job.join()?;
        assert!(receives.recv().is_err());
        Ok(())
    };
    cell().unwrap();
}

/// `[settled-4]`
#[test]
fn a_failure_says_what_it_is() {
    watch!();
    let error: Failure<u8> = Failure::Error(3);
    let panic: Failure<u8> = Failure::Panicked(Panic::new(Box::new("off by one")));
    let cancelled: Failure<u8> = Cancelled::Dropped.into();
    let abandoned: Failure<u8> = Failure::Abandoned;
    let all = [&error, &panic, &cancelled, &abandoned];
    let is = |test: fn(&Failure<u8>) -> bool| all.map(test);
    assert_eq!(is(Failure::is_error), [true, false, false, false]);
    assert_eq!(is(Failure::is_panic), [false, true, false, false]);
    assert_eq!(is(Failure::is_cancelled), [false, false, true, false]);
    assert_eq!(is(Failure::is_abandoned), [false, false, false, true]);
    assert_eq!(all.map(Failure::error), [Some(&3), None, None, None]);
    assert_eq!(all.map(Failure::cause), [None, None, Some(Cancelled::Dropped), None]);
    // Equal are those of one kind that hold the same; of a panic that is the message.
    for (at, one) in all.iter().enumerate() {
        for (other_at, other) in all.iter().enumerate() {
            assert_eq!(one == other, at == other_at, "{one:?} and {other:?}");
        }
    }
    assert_eq!(panic, Failure::Panicked(Panic::new(Box::new("off by one".to_owned()))));
    assert_ne!(panic, Failure::Panicked(Panic::new(Box::new("off by two"))));
    assert_eq!(format!("{error} / {error:#}"), "the work failed / the work failed: 3");
    assert_eq!(error.map_error(u16::from), Failure::Error(3_u16));
    assert_eq!(Failure::Error(3).into_error(), Ok(3));
    assert_eq!(cancelled.into_error(), Err(Cancelled::Dropped.into()));
    assert_eq!(abandoned.into_panic().unwrap_err(), Failure::Abandoned);
    let cancelled: Failure<u8> = Cancelled::Dropped.into();
    assert_eq!(cancelled.into_cancellation().unwrap(), Cancelled::Dropped);
    assert_eq!(Failure::Error(3).into_cancellation(), Err(Failure::Error(3)));
    let payload = panic.into_panic().unwrap().into_payload();
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"off by one"));
}

/// `[promise-6]`
#[test]
fn a_result_is_delivered_as_it_is() {
    watch!();
    for returned in [Ok(1), Err(2)] {
        let (promise, future) = ThreadFuture::<u8, u8>::pair();
        promise.settle(returned).unwrap();
        assert_eq!(future.join_result().unwrap(), returned);
        let (promise, future) = ThreadFuture::<u8, u8>::pair();
        promise.start().unwrap().settle(returned);
        assert_eq!(future.join_result().unwrap(), returned);
        let (promise, future) =
            ThreadFuture::<u8, u8>::owned_pair(std::task::Waker::noop().clone());
        promise.settle(returned);
        assert_eq!(future.join_result().unwrap(), returned);
        let (promise, future) = ThreadFuture::<u8, u8>::pair();
        assert_eq!(future.cancel(), Cancel::Now);
        let lost = promise.settle(returned).unwrap_err();
        assert_eq!((lost.value, lost.cause), (returned, Cancelled::Requested));
    }
}

/// `[promise-7]`
#[test]
fn a_promise_of_any_phase_answers_what_the_types_refuse() {
    watch!();
    let (promise, future) = ThreadFuture::<u8, u8>::pair();
    let mut any = AnyPromise::from(promise);
    assert!(!any.is_over() && !any.cancel_requested());
    any.start().unwrap();
    assert_eq!(any.start(), Err(TooLate::Started));
    assert!(format!("{any:?}").contains("state: Running"), "{any:?}");
    assert!(matches!(future.cancel_with("enough"), Cancel::Refused(_)));
    assert!(any.cancel_requested());
    assert_eq!(any.cancel_reason().as_deref(), Some("enough"));
    any.settle(Err(4)).unwrap();
    assert!(any.is_over() && !any.cancel_requested());
    assert_eq!(format!("{any:?}"), "AnyPromise(Settled)");
    let late = any.settle(Ok(5)).unwrap_err();
    assert_eq!((late.value, late.cause), (Ok(5), TooLate::Settled));
    assert_eq!(any.start(), Err(TooLate::Settled));
    assert_eq!(future.join_result().unwrap(), Err(4));

    // A cancel came first: told to whoever asks, starts or settles, again and again.
    let cancelled = || {
        let (promise, future) = ThreadFuture::<u8, u8>::pair();
        let any = AnyPromise::from(promise);
        assert_eq!(future.cancel_with("enough"), Cancel::Now);
        assert_eq!(any.cancel_reason().as_deref(), Some("enough"));
        assert!(any.cancel_requested());
        any
    };
    let why = TooLate::Cancelled(Cancelled::Requested);
    let mut any = cancelled();
    assert_eq!([any.start(), any.start()], [Err(why), Err(why)]);
    assert!(any.is_over() && any.cancel_requested() && any.cancel_reason().is_none());
    let mut any = cancelled();
    assert_eq!([any.settle(Ok(1)), any.settle(Ok(1))].map(|it| it.unwrap_err().cause), [why; 2]);
    let panic = |message| Panic::new(Box::new(message));
    let mut any = cancelled();
    let lost = any.panicked(panic("one")).unwrap_err();
    assert_eq!((lost.value, lost.cause), (panic("one"), why));
    assert_eq!(any.panicked(panic("two")).unwrap_err().cause, why);
}

/// `[promise-7]`
#[test]
fn a_promise_of_any_phase_is_made_of_each_phase() {
    watch!();
    let panic = |message| Panic::new(Box::new(message));
    // A panic begins the work where nobody has.
    type Make = fn() -> (AnyPromise<u8, u8>, ThreadFuture<u8, u8>);
    let promises: [Make; 3] = [
        || {
            let (promise, future) = ThreadFuture::pair();
            (promise.into(), future)
        },
        || {
            let (promise, future) = ThreadFuture::pair();
            (promise.start().unwrap().into(), future)
        },
        || {
            let (promise, future) = ThreadFuture::owned_pair(std::task::Waker::noop().clone());
            (promise.into(), future)
        },
    ];
    for (make, starts) in promises.into_iter().zip([true, false, false]) {
        let (mut any, future) = make();
        any.panicked(panic("off by one")).unwrap();
        assert_eq!(any.panicked(panic("two")).unwrap_err().cause, TooLate::Settled);
        assert!(future.join().unwrap_err().failure().unwrap().is_panic());
        let (mut any, future) = make();
        assert_eq!(any.start().is_ok(), starts);
        any.settle(Ok(1)).unwrap();
        assert_eq!(future.join().unwrap(), 1);
        // Dropped, it does what its promise does.
        let (any, future) = make();
        drop(any);
        assert!(future.join().is_err());
    }
}

/// `[cancel-3]`
#[test]
fn a_pending_promise_sees_that_it_has_lost() {
    watch!();
    let (promise, future) = Future::pair();
    assert!(!promise.cancel_requested());
    assert_eq!(future.cancel(), Cancel::Now);
    assert!(promise.cancel_requested());
    // A loop's view asks in the same way.
    let event_loop = EventLoop::new();
    let (promise, future) = Future::pair();
    assert_eq!(bridge::wrap_future(&future, &event_loop).cancel(), Cancel::Now);
    assert!(promise.cancel_requested());
}
