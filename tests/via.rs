//! Callbacks on an executor of one's choice, clause by clause.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

use std::{
    convert::Infallible,
    future::Future as _,
    num::NonZero,
    sync::{Arc, Mutex, mpsc},
    task::{Context, Waker},
    thread,
};

use settled::{
    Cancelled, Closed, EventLoop, Executor, Failure, Job, JoinError, ReturnWhen, ThreadFuture,
    ThreadPool, WaitError, WouldDeadlock, wait,
};

type Future = ThreadFuture<u32, &'static str>;

fn one_worker() -> Arc<ThreadPool> {
    Arc::new(ThreadPool::new(NonZero::<usize>::MIN))
}

/// Keeps its jobs.
#[derive(Clone, Default)]
struct Keeps(Arc<Mutex<Vec<Job>>>);

impl Executor for Keeps {
    fn execute(&self, job: Job) -> Result<(), Closed<Job>> {
        self.0.lock().unwrap().push(job);
        Ok(())
    }
}

#[test]
fn a_callback_runs_where_it_was_sent() {
    watch!();
    let (pool, (tell, told)) = (one_worker(), mpsc::channel());
    let worker = pool.submit(|| thread::current().id()).unwrap().join().unwrap();
    let (promise, future) = Future::pair();
    for number in 1..=2 {
        let tell = tell.clone();
        future.add_done_callback_on(Arc::clone(&pool), move |settled| {
            tell.send((number, *settled.result().unwrap(), thread::current().id())).unwrap();
        });
    }
    promise.finish(7).unwrap();
    // Late, too.
    future.add_done_callback_on(Arc::clone(&pool), move |settled| {
        tell.send((3, *settled.result().unwrap(), thread::current().id())).unwrap();
    });
    assert!(told.iter().eq([(1, 7, worker), (2, 7, worker), (3, 7, worker)]));
    // A loop runs it in a turn, on its thread.
    let (event_loop, (promise, future)) = (EventLoop::new(), Future::pair());
    let ((tell, told), handle) = (mpsc::channel(), event_loop.handle());
    future.add_done_callback_on(event_loop.handle(), move |_| {
        tell.send(thread::current().id()).unwrap();
        handle.stop();
    });
    thread::spawn(move || promise.finish(7)).join().unwrap().unwrap();
    assert!(told.try_recv().is_err(), "it waits for its turn");
    event_loop.run_forever().unwrap();
    assert_eq!(told.recv().unwrap(), thread::current().id());
}

/// `[settled-5]` `[await-2]` One was told that the callbacks have returned, and leaves when others wait for the next one.
#[test]
fn an_await_that_was_told_takes_no_place_of_another() {
    watch!();
    let (keeps, (promise, future)) = (Keeps::default(), Future::pair());
    promise.finish(7).unwrap();
    let waiters = |count| format!("{future:?}").contains(&format!("waiters: {count}"));
    let waits = || {
        let mut output = Box::pin(future.clone().output());
        assert!(output.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        output
    };
    future.add_done_callback_on(keeps.clone(), |_| ());
    let told = waits();
    assert!(waiters(1), "{future:?}");
    keeps.0.lock().unwrap().drain(..).for_each(Job::run);
    assert!(waiters(0), "{future:?}");

    future.add_done_callback_on(keeps.clone(), |_| ());
    let others = [waits(), waits()];
    assert!(waiters(2), "{future:?}");
    drop(told);
    assert!(waiters(2), "{future:?}");
    drop(others);
    assert!(waiters(0), "{future:?}");
}

#[test]
fn a_callback_that_is_sent_reads_the_outcome_until_it_returns() {
    watch!();
    let (keeps, (promise, future)) = (Keeps::default(), Future::pair());
    let (tell, told) = mpsc::channel();
    future.add_done_callback_on(keeps.clone(), move |settled| {
        tell.send(*settled.result().unwrap()).unwrap();
    });
    promise.finish(7).unwrap();
    assert!(future.wait().is_ok(), "it is settled");
    let error = future.join_timeout(std::time::Duration::from_millis(1)).unwrap_err();
    let JoinError::Back(back) = error else { panic!("the only handle is never refused") };
    let future = back.into_future();
    let joiner = thread::spawn(move || future.join());
    for job in keeps.0.lock().unwrap().drain(..) {
        job.run();
    }
    assert_eq!((told.recv().unwrap(), joiner.join().unwrap().unwrap()), (7, 7));
    // Inside it the outcome cannot be taken.
    let (pool, (promise, future)) = (one_worker(), Future::pair());
    let ((tell, told), own) = (mpsc::channel(), future.clone());
    future.add_done_callback_on(pool, move |_| {
        let Err(JoinError::Back(back)) = own.join() else { panic!("it is lent here") };
        tell.send(back.why()).unwrap();
    });
    promise.finish(7).unwrap();
    assert_eq!(told.recv(), Ok(WaitError::WouldDeadlock(WouldDeadlock::Lent)));
}

#[test]
fn a_worker_runs_the_callback_that_it_waits_for() {
    watch!();
    let pool = one_worker();
    let inner = Arc::clone(&pool);
    let outer = pool.submit(move || {
        let (promise, future) = Future::pair();
        future.add_done_callback_on(Arc::clone(&inner), |settled| {
            assert!(settled.result().is_ok());
        });
        promise.finish(7).unwrap();
        future.join()
    });
    assert_eq!(outer.unwrap().join().unwrap().unwrap(), 7);
}

/// `[pool-8]` Who waits by reference does not wait for what reads the outcome, and closes no circle with it.
#[test]
fn a_callback_that_is_queued_keeps_nobody_from_waiting_by_reference() {
    watch!();
    let (pool, other_pool) = (one_worker(), one_worker());
    let ((first_promise, first), (last_promise, last)) = (Future::pair(), Future::pair());
    let both = [first.clone(), last.clone()];
    let outer = pool.submit(move || wait(&both, None, ReturnWhen::AllCompleted).is_ok()).unwrap();
    let (give, given) = mpsc::channel::<ThreadFuture<bool, Infallible>>();
    let occupies = other_pool.submit(move || given.recv().unwrap().result().is_ok()).unwrap();
    while !format!("{last:?}").contains("waiters: 1") {
        thread::yield_now();
    }
    // Who has registered is likely to sleep soon, and who is refused to be answered.
    linger();
    first.add_done_callback_on(Arc::clone(&other_pool), |_| ());
    first_promise.finish(7).unwrap();
    give.send(outer.clone()).unwrap();
    linger();
    last_promise.finish(7).unwrap();
    assert_eq!((outer.result(), occupies.result()), (Ok(&true), Ok(&true)));
}

/// `[callback-5]` As many handles as can be counted: one callback more is dropped, and whoever registers it goes on.
#[test]
fn a_callback_that_cannot_be_lent_is_dropped() {
    watch!();
    let (keeps, (promise, future)) = (Keeps::default(), Future::pair());
    promise.finish(7).unwrap();
    for _ in 0..(1 << 20) - 1 {
        future.add_done_callback_on(keeps.clone(), |_| ());
    }
    let kept = keeps.0.lock().unwrap().len();
    // One more is deferred.
    fn inside(callbacks: usize, last: Box<dyn FnOnce() + Send>) {
        let (promise, future) = Future::pair();
        match callbacks {
            0 => return last(),
            _ => future.add_done_callback(move |_| inside(callbacks - 1, last)),
        }
        promise.finish(0).unwrap();
    }
    let (never, dropped) = ThreadFuture::<(), ()>::pair();
    let (register, registered) = mpsc::channel();
    inside(
        32,
        Box::new(move || {
            future.add_done_callback(move |_| never.finish(()).unwrap());
            register.send(()).unwrap();
        }),
    );
    assert_eq!((registered.recv(), kept), (Ok(()), (1 << 20) - 1));
    assert!(dropped.join().is_err());
}

fn linger() {
    for _ in 0..2_000 {
        thread::yield_now();
    }
}

#[test]
fn a_callback_that_is_refused_or_dropped_runs_nowhere() {
    watch!();
    let (pool, (promise, future)) = (one_worker(), Future::pair());
    pool.shutdown().unwrap();
    let (never, refused) = ThreadFuture::<(), ()>::pair();
    future.add_done_callback_on(pool, move |_| never.finish(()).unwrap());
    let (keeps, (never, dropped)) = (Keeps::default(), ThreadFuture::<(), ()>::pair());
    future.add_done_callback_on(keeps.clone(), move |_| never.finish(()).unwrap());
    promise.finish(7).unwrap();
    let gone = Some(Failure::Cancelled(Cancelled::Dropped.into()));
    assert_eq!(refused.join().unwrap_err().into_failure().ok(), gone);
    assert!(!dropped.done());
    keeps.0.lock().unwrap().clear();
    assert_eq!(dropped.join().unwrap_err().into_failure().ok(), gone);
    assert_eq!(future.join().unwrap(), 7, "and reads nothing any more");
}
