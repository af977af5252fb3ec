//! The executor contract and the thread pool, clause by clause.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

#[path = "support/log.rs"]
mod log;

use std::{
    convert::Infallible,
    num::NonZero,
    panic::panic_any,
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use log::Log;
use settled::{
    Cancel, Cancelled, Closed, Executor, Failure, Job, MapError, Refusal, ReturnWhen, ThreadFuture,
    ThreadPool, WaitError, WouldDeadlock, context, wait,
};

fn pool(workers: usize) -> ThreadPool {
    ThreadPool::named("worker", NonZero::new(workers).unwrap())
}

/// Occupies a worker until the returned sender is used or dropped, and returns when it does.
fn occupy(pool: &ThreadPool) -> mpsc::Sender<()> {
    let (begun, began) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    pool.submit(move || {
        begun.send(()).unwrap();
        let _ = released.recv();
    })
    .unwrap();
    began.recv().unwrap();
    release
}

#[test]
fn a_job_settles_its_future() {
    watch!();
    let pool = pool(2);
    assert_eq!(pool.submit(|| 1).unwrap().result().unwrap(), &1);
    let failing = pool.submit_result(|| Err::<u8, _>("no")).unwrap();
    assert!(matches!(failing.exception(), Ok(Some(Failure::Error("no")))));
}

#[test]
fn a_panic_becomes_the_outcome_and_kills_no_worker() {
    watch!();
    let pool = pool(1);
    let id = *pool.submit(|| thread::current().id()).unwrap().result().unwrap();
    let panicking = pool.submit(|| panic_any(7_u64)).unwrap();
    let Err(Failure::Panicked(panic)) = panicking.into_settled().unwrap().take().unwrap() else {
        panic!("a panic is the outcome")
    };
    assert_eq!(*panic.into_payload().downcast::<u64>().unwrap(), 7);
    assert_eq!(pool.submit(|| thread::current().id()).unwrap().result().unwrap(), &id);
    // Nor does a job that panics outside of any future.
    pool.execute(Job::new(|| panic_any(8))).unwrap();
    assert_eq!(pool.submit(|| thread::current().id()).unwrap().result().unwrap(), &id);
}

#[test]
#[should_panic(expected = "null byte")]
fn a_name_that_no_thread_can_have_is_refused_at_once() {
    watch!();
    drop(ThreadPool::named("a\0b", NonZero::<usize>::MIN));
}

#[test]
fn a_pool_kept_by_its_own_worker_does_not_join_itself() {
    watch!();
    thread_local! {
        static KEPT: std::cell::RefCell<Option<Arc<ThreadPool>>> = const { std::cell::RefCell::new(None) };
    }
    let pool = Arc::new(pool(1));
    let (inside, (ended, ends)) = (Arc::clone(&pool), mpsc::channel::<()>());
    let (release, released) = mpsc::channel::<()>();
    let job = pool.submit(move || {
        // Dropped after the pool, when the worker's thread-locals are gone.
        thread_local!(static LAST: std::cell::RefCell<Option<mpsc::Sender<()>>> = const { std::cell::RefCell::new(None) });
        LAST.set(Some(ended));
        KEPT.set(Some(inside));
        released.recv().unwrap();
    });
    pool.close();
    drop((pool, job));
    // The worker now has the last handle.
    release.send(()).unwrap();
    assert!(ends.recv().is_err(), "the worker ended");
}

#[test]
fn a_cancelled_job_whose_drop_panics_harms_nobody() {
    watch!();
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic_any("a drop's own fault");
        }
    }
    let pool = pool(1);
    let release = occupy(&pool);
    let bomb = Bomb;
    let future = pool.submit(move || drop(bomb)).unwrap();
    assert_eq!(future.cancel(), Cancel::Now);
    release.send(()).unwrap();
    assert_eq!(pool.submit(|| 1).unwrap().result().unwrap(), &1);
    // Nor does a job that is run by hand panic.
    struct ByHand(std::sync::Mutex<Option<Job>>);
    impl Executor for ByHand {
        fn execute(&self, job: Job) -> Result<(), Closed<Job>> {
            *self.0.lock().unwrap() = Some(job);
            Ok(())
        }
    }
    let by_hand = ByHand(std::sync::Mutex::new(None));
    let bomb = Bomb;
    let future = by_hand.submit(move || drop(bomb)).unwrap();
    assert_eq!(future.cancel(), Cancel::Now);
    by_hand.0.lock().unwrap().take().unwrap().run();
}

#[test]
fn workers_are_named() {
    watch!();
    let pool = pool(1);
    let name = pool.submit(|| thread::current().name().map(str::to_owned)).unwrap();
    assert_eq!(name.result().unwrap().as_deref(), Some("worker-0"));
}

#[test]
fn workers_are_named_as_is_said_of_their_numbers() {
    watch!();
    let (pool, barrier) = (ThreadPool::builder().name("worker"), Arc::new(Barrier::new(2)));
    let pool = pool.workers(NonZero::new(2).unwrap()).thread_names(|number| match number {
        0 => "the first".to_owned(),
        _ => "another".to_owned(),
    });
    let pool = pool.build();
    let names = [(); 2].map(|()| {
        let barrier = Arc::clone(&barrier);
        let job = pool.submit(move || {
            barrier.wait();
            thread::current().name().map(str::to_owned)
        });
        job.unwrap()
    });
    let mut names = names.map(|job| job.join().unwrap().unwrap());
    names.sort_unstable();
    assert_eq!(names, ["another", "the first"]);
    assert!(format!("{pool:?}").contains("worker"), "the pool keeps its own name");
}

#[test]
#[should_panic(expected = "null byte")]
fn a_name_by_number_that_no_thread_can_have_is_refused_at_once() {
    watch!();
    let names = |number| if number == 1 { "a\0b".to_owned() } else { "a".to_owned() };
    let builder = ThreadPool::builder().workers(NonZero::new(2).unwrap()).thread_names(names);
    drop(builder.build());
}

#[test]
fn a_pool_tells_how_many_workers_it_has() {
    watch!();
    let pool = pool(3);
    assert_eq!((pool.workers(), pool.max_workers()), (0, 3));
    let releases: Vec<_> = (1..=3)
        .map(|busy| {
            let release = occupy(&pool);
            assert_eq!(pool.workers(), busy);
            release
        })
        .collect();
    let more = pool.submit(|| ()).unwrap();
    assert_eq!((pool.workers(), pool.max_workers()), (3, 3));
    drop(releases);
    more.wait().unwrap();
    pool.shutdown().unwrap();
    assert_eq!((pool.workers(), pool.max_workers()), (0, 3), "they have ended");
}

#[test]
fn jobs_run_first_in_first_out() {
    watch!();
    let pool = pool(1);
    let release = occupy(&pool);
    let log = Log::new();
    let futures: Vec<_> = (0..5)
        .map(|n| {
            let log = log.clone();
            pool.submit(move || log.add(n.to_string())).unwrap()
        })
        .collect();
    release.send(()).unwrap();
    for future in futures {
        future.wait().unwrap();
    }
    assert_eq!(log.entries(), ["0", "1", "2", "3", "4"]);
}

#[test]
fn a_job_cancelled_in_the_queue_never_runs() {
    watch!();
    let pool = pool(1);
    let release = occupy(&pool);
    let log = Log::new();
    let (job, dropped) = (log.clone(), Arc::new(()));
    let held = Arc::clone(&dropped);
    let future = pool.submit(move || job.add(format!("{held:?}"))).unwrap();
    assert_eq!(future.cancel(), Cancel::Now);
    release.send(()).unwrap();
    pool.shutdown().unwrap();
    assert!(log.entries().is_empty());
    assert_eq!(Arc::strong_count(&dropped), 1, "what it held is gone");
}

#[test]
fn a_running_job_is_not_cancelled() {
    watch!();
    let pool = pool(1);
    let (begun, began) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let work = move || {
        begun.send(()).unwrap();
        released.recv().unwrap();
        9
    };
    let future = pool.submit(work).unwrap();
    began.recv().unwrap();
    assert!(future.running());
    assert_eq!(future.cancel(), Cancel::Refused(Refusal::Running));
    release.send(()).unwrap();
    assert_eq!(future.result().unwrap(), &9);
}

#[test]
fn as_many_workers_as_there_is_work_for_up_to_the_maximum() {
    watch!();
    let pool = pool(3);
    // All three must run at the same time, or the barrier never opens (bug-f6).
    let barrier = Arc::new(Barrier::new(3));
    for _ in 0..200 {
        let futures: Vec<_> = (0..3)
            .map(|_| {
                let barrier = Arc::clone(&barrier);
                pool.submit(move || barrier.wait().is_leader()).unwrap()
            })
            .collect();
        for future in futures {
            future.wait().unwrap();
        }
    }
    assert!(shown(&pool).contains("live: 3"));
}

/// What the pool prints; a worker may hold its lock for a moment.
fn shown(pool: &ThreadPool) -> String {
    let mut texts = std::iter::repeat_with(|| format!("{pool:?}"));
    texts.find(|text| !text.contains("<locked>")).unwrap()
}

#[test]
fn a_job_that_finds_no_idle_worker_starts_one_and_another_job_does_not() {
    watch!();
    let pool = pool(4);
    let (begun, began) = mpsc::channel();
    let jobs: Vec<_> = (0..3)
        .map(|number| {
            let (begun, (release, released)) = (begun.clone(), mpsc::channel::<()>());
            let job = pool.submit(move || {
                begun.send(thread::current().name().unwrap().to_owned()).unwrap();
                let _ = released.recv();
            });
            assert_eq!(began.recv().unwrap(), format!("worker-{number}"));
            let workers = number + 1;
            let shown = shown(&pool);
            assert!(shown.contains(&format!("live: {workers}, idle: 0, queued: 0")), "{shown}");
            (job.unwrap(), release)
        })
        .collect();
    let (job, release) = &jobs[1];
    release.send(()).unwrap();
    job.wait().unwrap();
    // The worker has told of its job before it is idle.
    while shown(&pool).contains("idle: 0") {
        thread::yield_now();
    }
    assert_eq!(pool.submit(|| 1).unwrap().result().unwrap(), &1);
    let workers = shown(&pool);
    assert!(workers.contains("live: 3"), "{workers}");
    drop(jobs);
    pool.shutdown().unwrap();
    assert!(shown(&pool).contains("live: 0, idle: 0, queued: 0"), "{pool:?}");
}

#[test]
fn a_refused_job_is_handed_back_and_never_runs() {
    watch!();
    let pool = pool(1);
    pool.shutdown().unwrap();
    let log = Log::new();
    let job = log.clone();
    let work = pool.submit(move || job.add("ran")).unwrap_err().into_inner();
    assert!(log.entries().is_empty());
    work();
    assert_eq!(log.entries(), ["ran"]);
    let work = pool.submit_result(|| Err::<(), _>(1)).unwrap_err().into_inner();
    assert_eq!(work(), Err(1));
    assert!(pool.execute(Job::new(|| {})).is_err());
}

#[test]
fn shutdown_runs_what_is_queued() {
    watch!();
    let pool = pool(1);
    let release = occupy(&pool);
    let future = pool.submit(|| 1).unwrap();
    pool.close();
    release.send(()).unwrap();
    pool.shutdown().unwrap();
    assert_eq!(future.try_result().unwrap(), &1);
}

#[test]
fn shutdown_with_cancel_settles_what_is_queued() {
    watch!();
    let pool = pool(1);
    let release = occupy(&pool);
    let future = pool.submit(|| 1).unwrap();
    let log = Log::new();
    let callback = log.clone();
    let again = pool.submit(|| 2).unwrap();
    // The callback runs in shutdown, and may use the pool (bug-c3).
    future.add_done_callback(move |settled| {
        callback.add(format!("{}", settled.cancelled()));
        again.cancel();
    });
    pool.close();
    pool.cancel_pending();
    assert_eq!(log.entries(), ["true"]);
    assert!(
        matches!(future.exception(), Ok(Some(Failure::Cancelled(it))) if *it == Cancelled::Dropped)
    );
    drop(release);
}

#[test]
fn cancel_pending_leaves_the_pool_open() {
    watch!();
    let pool = pool(1);
    let release = occupy(&pool);
    let queued = pool.submit(|| 1).unwrap();
    pool.cancel_pending();
    assert!(queued.cancelled());
    let later = pool.submit(|| 2).expect("the pool is open");
    drop(release);
    assert_eq!(later.join().unwrap(), 2);
    // An idle worker that nothing was queued for is still there for the next.
    pool.cancel_pending();
    assert_eq!(pool.submit(|| 3).unwrap().join().unwrap(), 3);
    pool.close();
    assert!(pool.submit(|| 4).is_err());
}

#[test]
fn a_callback_of_a_dropped_job_may_use_the_pool() {
    watch!();
    let pool = Arc::new(pool(1));
    let release = occupy(&pool);
    let future = pool.submit(|| 1).unwrap();
    let log = Log::new();
    let (callback, inside) = (log.clone(), Arc::clone(&pool));
    future.add_done_callback(move |_| {
        callback.add(format!("{}", inside.submit(|| 2).is_err()));
        inside.cancel_pending();
        callback.add("cancelled".to_owned());
    });
    pool.close();
    pool.cancel_pending();
    assert_eq!(log.entries(), ["true", "cancelled"]);
    drop(release);
}

#[test]
fn a_callback_of_a_dropped_job_may_wait_for_the_next() {
    watch!();
    let pool = pool(1);
    let release = Mutex::new(Some(occupy(&pool)));
    let (first, next) = (pool.submit(|| 1).unwrap(), pool.submit(|| 2).unwrap());
    let log = Log::new();
    let (callback, waited) = (log.clone(), next.clone());
    first.add_done_callback(move |_| {
        // The worker goes on, and finds it queued.
        drop(release.lock().unwrap().take());
        callback.add(format!("{:?}", waited.result().copied()));
    });
    pool.cancel_pending();
    assert_eq!(log.entries(), ["Ok(2)"]);
}

#[test]
fn what_a_callback_of_a_dropped_job_submits_is_not_dropped() {
    watch!();
    let pool = Arc::new(pool(1));
    let release = occupy(&pool);
    let log = Log::new();
    let (callback, inside) = (log.clone(), Arc::clone(&pool));
    pool.submit(|| 1).unwrap().add_done_callback(move |_| {
        let later = inside.submit(|| 2).unwrap();
        later.add_done_callback(move |it| callback.add(format!("{:?}", it.result().copied())));
    });
    pool.cancel_pending();
    drop(release);
    pool.shutdown().unwrap();
    assert_eq!(log.entries(), ["Ok(2)"]);
}

#[test]
fn dropping_the_pool_runs_what_is_queued() {
    watch!();
    let pool = pool(1);
    let release = occupy(&pool);
    let future = pool.submit(|| 1).unwrap();
    release.send(()).unwrap();
    drop(pool);
    assert_eq!(future.try_result().unwrap(), &1);
}

#[test]
fn a_pool_that_is_let_go_is_not_waited_for_and_runs_what_is_queued() {
    watch!();
    let pool = pool(1);
    let release = occupy(&pool);
    let (ended, ends) = mpsc::channel::<()>();
    let queued = pool.submit(move || {
        thread_local!(static LAST: std::cell::RefCell<Option<mpsc::Sender<()>>> = const { std::cell::RefCell::new(None) });
        LAST.set(Some(ended));
        7
    });
    // Its only worker is released after this returns.
    pool.detach();
    drop(release);
    assert_eq!(queued.unwrap().join().unwrap(), 7);
    assert!(ends.recv().is_err(), "and its worker ends");
}

#[test]
fn a_pool_may_be_let_go_by_its_own_worker() {
    watch!();
    let pool = pool(1);
    let (give, given) = mpsc::channel::<ThreadPool>();
    let job = pool.submit(move || given.recv().unwrap().detach()).unwrap();
    give.send(pool).unwrap();
    job.join().unwrap();
}

#[test]
fn a_pool_does_not_wait_for_itself() {
    watch!();
    let pool = Arc::new(pool(1));
    let inside = Arc::clone(&pool);
    let future = pool.submit(move || inside.shutdown()).unwrap();
    assert_eq!(future.result().unwrap(), &Err(WaitError::WouldDeadlock(WouldDeadlock::OwnWorker)));
    pool.shutdown().unwrap();
}

#[test]
fn a_loop_thread_does_not_wait_for_a_pool() {
    watch!();
    let pool = pool(1);
    let release = occupy(&pool);
    let guard = context::enter_loop();
    assert_eq!(pool.shutdown(), Err(WaitError::WouldDeadlock(WouldDeadlock::EventLoop)));
    drop(release);
    drop(guard);
    assert_eq!(pool.shutdown(), Ok(()));
}

#[test]
fn a_loop_thread_does_not_wait_for_thread_locals_of_workers() {
    watch!();
    struct Waits(mpsc::Receiver<()>);
    impl Drop for Waits {
        fn drop(&mut self) {
            let _ = self.0.recv();
        }
    }
    thread_local! {
        static LAST: std::cell::RefCell<Option<Waits>> = const { std::cell::RefCell::new(None) };
    }
    let pool = pool(1);
    let (release, released) = mpsc::channel::<()>();
    pool.submit(move || LAST.set(Some(Waits(released)))).unwrap().wait().unwrap();
    pool.close();
    while !format!("{pool:?}").contains("live: 0") {
        thread::yield_now();
    }
    let guard = context::enter_loop();
    assert_eq!(pool.shutdown(), Ok(()));
    drop(guard);
    release.send(()).unwrap();
    pool.shutdown().unwrap();
}

#[test]
fn an_executor_behind_a_pointer_is_one() {
    watch!();
    let pool: Arc<dyn Executor> = Arc::new(pool(1));
    assert_eq!(pool.submit(|| 3).unwrap().result().unwrap(), &3);
    let boxed: Box<dyn Executor> = Box::new(ThreadPool::default());
    assert_eq!(boxed.submit(|| 5).unwrap().result().unwrap(), &5);
    let pool: &dyn Executor = &*pool;
    assert_eq!((&pool).submit(|| 4).unwrap().result().unwrap(), &4);
}

#[test]
fn a_worker_runs_the_queued_job_that_it_waits_for_and_no_other() {
    watch!();
    let (pool, log) = (Arc::new(pool(1)), Log::default());
    let (inner, entry) = (Arc::clone(&pool), log.clone());
    let outer = pool.submit(move || {
        let other = entry.clone();
        let queued = inner.submit(move || other.add("other")).unwrap();
        let wanted = entry.clone();
        let child = inner.submit(move || wanted.add("wanted")).unwrap();
        child.result().unwrap();
        entry.add("outer ends");
        queued
    });
    let queued = outer.unwrap().into_settled().unwrap().take().unwrap().unwrap();
    queued.wait().unwrap();
    assert_eq!(log.entries(), ["wanted", "outer ends", "other"]);
}

#[test]
fn a_worker_helps_with_several() {
    watch!();
    use settled::{ReturnWhen, as_completed, wait};
    let pool = Arc::new(pool(1));
    let inner = Arc::clone(&pool);
    let sum = pool.submit(move || {
        let jobs: Vec<_> = (0..10).map(|n| inner.submit(move || n).unwrap()).collect();
        let (done, _) = wait(&jobs[..5], None, ReturnWhen::AllCompleted).unwrap();
        let first: i32 = done.iter().map(|(_, value)| value.result().unwrap()).sum();
        let rest = as_completed(&jobs[5..], None).map(|item| *item.unwrap().1.result().unwrap());
        let (done, not_done) = wait(&jobs, None, ReturnWhen::FirstCompleted).unwrap();
        assert!(!done.is_empty() && done.len() + not_done.len() == 10);
        first + rest.sum::<i32>()
    });
    assert_eq!(sum.unwrap().result().unwrap(), &45);
}

#[test]
fn a_worker_that_waits_for_the_first_runs_one_job() {
    watch!();
    use settled::{ReturnWhen, wait};
    let pool = Arc::new(pool(1));
    let inner = Arc::clone(&pool);
    let outer = pool.submit(move || {
        let jobs = [1, 2].map(|n| inner.submit(move || n).unwrap());
        let (done, not_done) = wait(&jobs, None, ReturnWhen::FirstCompleted).unwrap();
        [done.len(), not_done.len()]
    });
    assert_eq!(outer.unwrap().result().unwrap(), &[1, 1]);
}

/// A job that waits for a job that waits for …; what the first one that was refused was told.
fn chain(pool: &Arc<ThreadPool>, depth: usize) -> Result<(), WaitError> {
    let Some(depth) = depth.checked_sub(1) else { return Ok(()) };
    let inner = Arc::clone(pool);
    let next = pool.submit(move || chain(&inner, depth)).unwrap();
    let result = next.wait()?.result().copied();
    result.unwrap()
}

#[test]
fn a_chain_of_jobs_may_be_a_thousand_deep_and_no_chain_overflows() {
    watch!();
    let pool = Arc::new(pool(1));
    for (depth, ends) in
        [(1_000, Ok(())), (10_000, Err(WaitError::WouldDeadlock(WouldDeadlock::TooDeep)))]
    {
        let inner = Arc::clone(&pool);
        let whole = pool.submit(move || chain(&inner, depth)).unwrap();
        assert_eq!(whole.result().unwrap(), &ends);
    }
}

/// Waits for what another thread settles once somebody waits for it.
fn wait_for_another_thread() -> Result<(), WaitError> {
    let (promise, future) = ThreadFuture::<(), Infallible>::pair();
    let (watched, over) = (future.clone(), Arc::new(AtomicBool::new(false)));
    let is_over = Arc::clone(&over);
    let other = thread::spawn(move || {
        while !format!("{watched:?}").contains("waiters: 1") && !is_over.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        promise.finish(()).unwrap();
    });
    let waited = future.wait().map(|_| ());
    over.store(true, Ordering::Relaxed);
    other.join().unwrap();
    waited
}

#[test]
fn jobs_with_much_on_their_stack_are_refused_before_it_overflows() {
    watch!();
    fn chain(pool: &Arc<ThreadPool>, depth: usize) -> Result<(), WaitError> {
        let much = [0_u8; 64 << 10];
        std::hint::black_box(&much);
        let Some(depth) = depth.checked_sub(1) else { return Ok(()) };
        let inner = Arc::clone(pool);
        let next = pool.submit(move || chain(&inner, depth)).unwrap();
        let waited = next.wait();
        // What is not queued needs no room.
        assert!(waited.is_ok() || wait_for_another_thread().is_ok());
        *waited?.result().unwrap()
    }
    // In all they would fit, and leave less than half of it.
    let pool = Arc::new(pool(1));
    let inner = Arc::clone(&pool);
    let whole = pool.submit(move || chain(&inner, 350)).unwrap();
    assert_eq!(whole.result().unwrap(), &Err(WaitError::WouldDeadlock(WouldDeadlock::TooDeep)));
}

/// Two jobs of which each waits for the other, in these pools; what the two were told.
fn circle(one: &ThreadPool, other: &ThreadPool) -> [Result<u8, WaitError>; 2] {
    type Wanted = Arc<settled::ThreadFuture<Result<u8, WaitError>, std::convert::Infallible>>;
    let wait_for = |future: Wanted| match future.wait() {
        Ok(settled) => *settled.result().unwrap(),
        Err(would_deadlock) => Err(would_deadlock),
    };
    let ((send, receive), barrier) = (mpsc::channel::<Wanted>(), Arc::new(Barrier::new(2)));
    let (send_2, receive_2) = mpsc::channel::<Wanted>();
    let both = Arc::clone(&barrier);
    let first = one.submit(move || {
        let wanted = receive.recv().unwrap();
        both.wait();
        wait_for(wanted)
    });
    let second = other.submit(move || {
        let wanted = receive_2.recv().unwrap();
        barrier.wait();
        wait_for(wanted)
    });
    let (first, second) = (Arc::new(first.unwrap()), Arc::new(second.unwrap()));
    send.send(Arc::clone(&second)).unwrap();
    send_2.send(Arc::clone(&first)).unwrap();
    [wait_for(first), wait_for(second)]
}

#[test]
fn a_job_that_waits_for_itself_is_refused() {
    watch!();
    type Own = ThreadFuture<WaitError, Infallible>;
    let pool = pool(2);
    let (send, receive) = mpsc::channel::<Arc<Own>>();
    let own = pool.submit(move || receive.recv().unwrap().wait().map(|_| ()).unwrap_err());
    let own = Arc::new(own.unwrap());
    send.send(Arc::clone(&own)).unwrap();
    assert_eq!(own.result().unwrap(), &WaitError::WouldDeadlock(WouldDeadlock::Circle));
    // At once, also where another one is waited for that is on nobody's account.
    let (endless, other) = Own::pair();
    let (send, receive) = mpsc::channel::<Arc<Own>>();
    let own = pool.submit(move || {
        let own = receive.recv().unwrap();
        let all = [&*own, &other];
        wait(all, None, ReturnWhen::AllCompleted).map(|_| ()).unwrap_err()
    });
    let own = Arc::new(own.unwrap());
    send.send(Arc::clone(&own)).unwrap();
    assert_eq!(own.result().unwrap(), &WaitError::WouldDeadlock(WouldDeadlock::Circle));
    drop(endless);
}

#[test]
fn a_circle_of_waits_is_refused() {
    watch!();
    for _ in 0..50 {
        let (one, two, other) = (pool(1), pool(2), pool(1));
        // The one that closes the circle is refused, hands that on, and so both end.
        assert_eq!(circle(&two, &two), [Err(WaitError::WouldDeadlock(WouldDeadlock::Circle)); 2]);
        assert_eq!(circle(&one, &other), [Err(WaitError::WouldDeadlock(WouldDeadlock::Circle)); 2]);
    }
}

#[test]
fn a_circle_through_the_queue_of_another_pool_is_refused() {
    watch!();
    for _ in 0..50 {
        let (one, other) = (Arc::new(pool(1)), Arc::new(pool(1)));
        let (back, there) = (Arc::clone(&one), Arc::clone(&other));
        let outer = one.submit(move || {
            // Waits for a job that only the worker can run which waits for this one.
            let inner = there.submit(move || {
                back.submit(|| 1).unwrap().wait().map(|settled| *settled.result().unwrap())
            });
            match inner.unwrap().wait() {
                Ok(settled) => *settled.result().unwrap(),
                Err(would_deadlock) => Err(would_deadlock),
            }
        });
        // Whichever of the two waits last closes the circle, is refused, and hands that on or leaves.
        assert_eq!(
            outer.unwrap().result().unwrap(),
            &Err(WaitError::WouldDeadlock(WouldDeadlock::Circle))
        );
    }
}

/// A job waits for one that is queued in a pool of two workers. One of them waits for the job, and so does the other,
/// unless it is let go; what the three were told.
fn two_workers_and_a_queue(both_wait: bool) -> [Result<u8, WaitError>; 3] {
    type Told = Result<u8, WaitError>;
    fn wait_for(future: &settled::ThreadFuture<Told, std::convert::Infallible>) -> Told {
        *future.wait()?.result().unwrap()
    }
    let (one, two) = (pool(1), Arc::new(pool(2)));
    let ((go, goes), (tell, told)) = (mpsc::channel::<()>(), mpsc::channel());
    let there = Arc::clone(&two);
    let waits = one.submit(move || {
        goes.recv().unwrap();
        let queued = Arc::new(there.submit(|| Ok(1)).unwrap());
        tell.send(Arc::clone(&queued)).unwrap();
        wait_for(&queued)
    });
    let waits = Arc::new(waits.unwrap());
    let ((begun, began), (release, released)) = (mpsc::channel(), mpsc::channel::<()>());
    let (awaited, begun_2) = (Arc::clone(&waits), begun.clone());
    let first = two.submit(move || {
        begun_2.send(()).unwrap();
        wait_for(&awaited)
    });
    let awaited = Arc::clone(&waits);
    let second = two.submit(move || {
        begun.send(()).unwrap();
        if both_wait {
            return wait_for(&awaited);
        }
        released.recv().unwrap();
        Ok(2)
    });
    began.recv().unwrap();
    began.recv().unwrap();
    go.send(()).unwrap();
    let queued = told.recv().unwrap();
    let (first, second) = (first.unwrap(), second.unwrap());
    let both_are_waited_for = || is_waited_for(&queued) && is_waited_for(&waits);
    while !(both_wait || both_are_waited_for() || waits.done() || first.done()) {
        thread::yield_now();
    }
    let _ = release.send(());
    [wait_for(&waits), wait_for(&first), wait_for(&second)]
}

fn is_waited_for<T: 'static, E: 'static>(future: &settled::ThreadFuture<T, E>) -> bool {
    format!("{future:?}").contains("waiters: 1")
}

#[test]
fn a_wait_for_a_queue_is_refused_when_all_of_its_workers_wait_and_not_before() {
    watch!();
    assert_eq!(two_workers_and_a_queue(false), [Ok(1), Ok(1), Ok(2)]);
    // Whichever of the three waits last closes the circle.
    assert!(
        two_workers_and_a_queue(true)
            .contains(&Err(WaitError::WouldDeadlock(WouldDeadlock::Circle)))
    );
}

#[test]
fn a_worker_may_wait_for_whoever_goes_on() {
    watch!();
    let (one, other) = (Arc::new(pool(1)), pool(1));
    let (release, released) = mpsc::channel::<()>();
    let slow = Arc::new(other.submit(move || released.recv().is_err()).unwrap());
    let waited_for = Arc::clone(&slow);
    let waiting = one.submit(move || *waited_for.result().unwrap()).unwrap();
    while !is_waited_for(&slow) {
        thread::yield_now();
    }
    drop(release);
    assert_eq!(waiting.result().unwrap(), &true);
}

#[test]
fn map_yields_in_the_order_of_the_items() {
    watch!();
    let (pool, barrier) = (pool(2), Arc::new(Barrier::new(2)));
    // The first item ends only once the second has begun.
    let values: Result<Vec<_>, _> = pool
        .map([3_usize, 4, 5], move |n| {
            if n < 5 {
                barrier.wait();
            }
            n * 10
        })
        .collect();
    assert_eq!(values.unwrap(), [30, 40, 50]);
    assert!(pool.map([0_u8; 0], |n| n).next().is_none());
}

#[test]
fn map_submits_as_many_ahead_as_the_buffersize_allows() {
    watch!();
    let (pool, log) = (pool(1), Log::new());
    let taken = log.clone();
    let items = (0_u64..).inspect(move |n| taken.add(n.to_string()));
    let mut map = pool.map(items, |n| n).buffersize(NonZero::new(2).unwrap());
    assert!(log.entries().is_empty(), "nothing is taken before the first `next`");
    assert_eq!(map.next().unwrap().unwrap(), 0);
    assert_eq!(log.entries(), ["0", "1"]);
    assert_eq!(map.next().unwrap().unwrap(), 1);
    assert_eq!(log.entries(), ["0", "1", "2"]);
}

#[test]
fn map_ends_with_the_first_failure_and_cancels_the_rest() {
    watch!();
    let (pool, log) = (pool(1), Log::new());
    let (ran, (begun, began)) = (log.clone(), mpsc::channel());
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let mut map = pool.map(["fails", "runs", "waits"], move |name| {
        ran.add(name);
        assert!(name != "fails", "this item fails");
        begun.send(()).unwrap();
        let _ = released.lock().unwrap().recv();
    });
    // The worker holds the second item until it is released.
    thread::scope(|scope| {
        let map = &mut map;
        let failed = scope
            .spawn(move || matches!(map.next(), Some(Err(MapError::Failed(Failure::Panicked(_))))));
        assert!(failed.join().unwrap());
    });
    assert!(map.next().is_none(), "an error is the end");
    drop(release);
    pool.shutdown().unwrap();
    drop(began);
    assert!(!log.entries().contains(&"waits".to_owned()), "it was cancelled in the queue");
}

#[test]
fn a_dropped_map_cancels_what_has_not_begun() {
    watch!();
    let (pool, log) = (pool(1), Log::new());
    let (ran, (begun, began)) = (log.clone(), mpsc::channel());
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let mut map = pool.map(["first", "second", "third"], move |name| {
        ran.add(name);
        if name == "second" {
            begun.send(()).unwrap();
            let _ = released.lock().unwrap().recv();
        }
    });
    assert!(map.next().unwrap().is_ok());
    began.recv().unwrap();
    drop(map);
    drop(release);
    pool.shutdown().unwrap();
    assert_eq!(log.entries(), ["first", "second"], "the third was cancelled in the queue");
}

#[test]
fn map_has_a_time_and_says_when_the_pool_is_closed() {
    watch!();
    let pool = pool(1);
    let gate = occupy(&pool);
    let (begin, timeout) = (Instant::now(), Duration::from_millis(20));
    let ran = Log::new();
    let entries = ran.clone();
    let mut map = pool.map([1, 2], move |n: u8| entries.add(n.to_string())).timeout(timeout);
    assert!(matches!(map.next(), Some(Err(MapError::Expired(_)))));
    assert!(begin.elapsed() >= timeout, "not before its time");
    assert!(map.next().is_none(), "an error is the end");
    drop(gate);
    pool.submit(|| ()).unwrap().wait().unwrap();
    assert!(ran.entries().is_empty(), "the item that was waited for is cancelled as well");
    // What was accepted before the pool was closed is yielded, and then that.
    let mut map = pool.map([1, 2], |n: u8| n).buffersize(NonZero::new(1).unwrap());
    assert_eq!(map.next().unwrap().unwrap(), 1);
    pool.shutdown().unwrap();
    assert!(matches!(map.next(), Some(Err(MapError::Closed))));
    assert!(map.next().is_none());
    assert!(pool.map([0_u8; 0], |n| n).next().is_none(), "no items need no pool");
}

#[test]
fn an_owned_map_lives_where_it_likes() {
    watch!();
    type Square = fn(u32) -> u32;
    struct Squares<I: Iterator>(settled::Map<Arc<ThreadPool>, I, Square, u32>);
    let shared = Arc::new(pool(2));
    let mut squares = Squares(Arc::clone(&shared).map_owned(1..=3, |n| n * n));
    assert_eq!(squares.0.next().unwrap().unwrap(), 1);
    drop(shared);
    let rest = thread::spawn(move || squares.0.map(Result::unwrap).collect::<Vec<_>>());
    assert_eq!(rest.join().unwrap(), [4, 9]);
    // With the pool itself, which then ends with it.
    assert_eq!(pool(1).map_owned([5], |n: u32| n + 1).next().unwrap().unwrap(), 6);
}

#[test]
fn each_worker_is_initialized_before_its_first_job() {
    watch!();
    let (log, barrier) = (Log::new(), Arc::new(Barrier::new(2)));
    let initialized = log.clone();
    let pool = ThreadPool::builder()
        .name("ready")
        .workers(NonZero::new(2).unwrap())
        .initializer(move || initialized.add(thread::current().name().unwrap()))
        .build();
    assert!(log.entries().is_empty(), "no worker is started before there is work");
    let jobs: Vec<_> = (0..2)
        .map(|_| {
            let (barrier, log) = (Arc::clone(&barrier), log.clone());
            pool.submit(move || {
                barrier.wait();
                log.entries().contains(&thread::current().name().unwrap().to_owned())
            })
            .unwrap()
        })
        .collect();
    assert!(jobs.iter().all(|job| *job.result().unwrap()));
    assert_eq!(log.entries().len(), 2);
    assert!(!pool.is_broken());
}

#[test]
fn a_pool_whose_initializer_panics_settles_every_job() {
    watch!();
    let gate = Arc::new(Barrier::new(2));
    let begin = Arc::clone(&gate);
    let pool = ThreadPool::builder()
        .workers(NonZero::<usize>::MIN)
        .initializer(move || {
            begin.wait();
            panic!("no licence");
        })
        .build();
    let jobs: Vec<_> = (0..3).map(|n| pool.submit(move || n).unwrap()).collect();
    // One that is cancelled already keeps nobody from settling the others.
    jobs[0].cancel();
    gate.wait();
    for (number, job) in jobs.iter().enumerate() {
        let failure = job.exception().unwrap().unwrap();
        let cause = if number == 0 { Cancelled::Requested } else { Cancelled::Broken };
        assert!(matches!(failure, Failure::Cancelled(it) if *it == cause), "{number}: {failure:?}");
    }
    assert!(pool.is_broken());
    assert_eq!(pool.broken_reason().as_deref(), Some("no licence"));
    let Err(closed) = pool.submit(|| 7) else { panic!("a broken pool takes no work") };
    assert!(closed.to_string().starts_with("the pool is broken, "), "{closed}");
    let work = closed.into_inner();
    assert_eq!(work(), 7, "the work is handed back");
    pool.shutdown().unwrap();
}

#[test]
fn an_initializer_may_fail_by_value_and_its_text_is_told() {
    watch!();
    struct NoLicence(Arc<AtomicBool>);
    impl std::fmt::Display for NoLicence {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("no licence")
        }
    }
    impl Drop for NoLicence {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let (gate, dropped) = (Arc::new(Barrier::new(2)), Arc::new(AtomicBool::new(false)));
    let (begin, error) = (Arc::clone(&gate), Arc::clone(&dropped));
    let pool = ThreadPool::builder().workers(NonZero::<usize>::MIN).try_initializer(move || {
        begin.wait();
        Err(NoLicence(Arc::clone(&error)))
    });
    let pool = pool.build();
    let jobs = [(); 2].map(|()| pool.submit(|| ()).unwrap());
    assert_eq!(pool.broken_reason(), None, "no worker has failed yet");
    gate.wait();
    for job in &jobs {
        let cause = job.exception().unwrap().and_then(Failure::cause);
        assert_eq!(cause, Some(Cancelled::Broken));
    }
    assert!(pool.is_broken() && dropped.load(Ordering::Relaxed));
    assert_eq!(pool.broken_reason().as_deref(), Some("no licence"));
    assert!(pool.submit(|| ()).is_err(), "a broken pool takes no work");

    let right = ThreadPool::builder().try_initializer(|| Ok::<_, String>(())).build();
    assert_eq!(right.submit(|| 1).unwrap().join().unwrap(), 1);
    assert_eq!(right.broken_reason(), None);
}

#[test]
fn of_several_initializers_that_fail_the_first_is_told() {
    watch!();
    let (release, waits) = mpsc::channel::<()>();
    let (first, both) = (std::sync::Mutex::new(Some(waits)), Arc::new(Barrier::new(2)));
    let builder = ThreadPool::builder().workers(NonZero::new(2).unwrap());
    let pool = builder.try_initializer(move || {
        let waits = first.lock().unwrap().take();
        both.wait();
        let Some(waits) = waits else { return Err("the first") };
        // The other one has broken the pool by then.
        let _ = waits.recv();
        Err("the second")
    });
    let pool = pool.build();
    let jobs = [(); 2].map(|()| pool.submit(|| ()).unwrap());
    for job in &jobs {
        job.wait().unwrap();
    }
    drop(release);
    pool.shutdown().unwrap();
    assert_eq!(pool.broken_reason().as_deref(), Some("the first"));
}

#[test]
fn running_work_that_looks_can_stop_on_request() {
    watch!();
    let pool = pool(1);
    let (begun, began) = mpsc::channel();
    let job = pool.submit_with(move |promise| {
        assert!(!promise.cancel_requested());
        begun.send(()).unwrap();
        while !promise.cancel_requested() {
            thread::yield_now();
        }
        Err::<(), _>("stopped on request")
    });
    let job = job.unwrap();
    began.recv().unwrap();
    assert_eq!(job.cancel(), Cancel::Refused(Refusal::Running));
    assert!(matches!(job.exception(), Ok(Some(Failure::Error("stopped on request")))));
}

#[test]
fn debug_says_what_there_is() {
    watch!();
    let builder = ThreadPool::builder().name("drawing");
    let text = format!("{builder:?}");
    assert!(text.starts_with("PoolBuilder {") && text.contains("drawing"), "{text}");
    let pool = pool(2);
    let mut squares = pool.map([2, 3], |n| n * n);
    assert_eq!(format!("{squares:?}"), "Map { ahead: 0, .. }", "it begins with the first `next`");
    assert!(squares.next().is_some());
    assert_eq!(format!("{squares:?}"), "Map { ahead: 1, .. }");
    assert_eq!(format!("{:?}", Job::new(|| ())), "Job(..)");
}

/// One that is not `Sync`, and so makes no closure that is.
fn with_a_receiver(pool: &ThreadPool) -> anyhow::Result<u8> {
    let ((sender, receiver), (_, other)) = (mpsc::channel(), mpsc::channel::<()>());
    pool.execute(settled::Job::new(move || drop(other)))?;
    sender.send(7)?;
    let job = pool.submit_result(move || receiver.recv())?;
    Ok(job.join()?)
}

#[test]
fn a_refused_job_goes_up_whatever_it_has_captured() {
    watch!();
    let pool = ThreadPool::default();
    assert_eq!(with_a_receiver(&pool).unwrap(), 7);
    pool.shutdown().unwrap();
    let refused = with_a_receiver(&pool).unwrap_err();
    assert!(refused.is::<settled::Closed<settled::Job>>(), "{refused}");
}
