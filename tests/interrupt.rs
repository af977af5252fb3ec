//! Waits that are interrupted, by a flag and by a closure.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    future::{Future as _, IntoFuture},
    num::NonZero,
    pin::pin,
    rc::Rc,
    sync::{Arc, Barrier, Mutex, mpsc},
    task::{Context, Wake, Waker},
    thread,
    time::{Duration, Instant},
};

use settled::{
    Cancel, Executor, Expired, First, Interrupt, JoinError, MapError, NoValue, Promise, ReturnWhen,
    ThreadFuture, ThreadPool, WaitError, as_completed, scope, select, wait,
};

type Future = ThreadFuture<u32, String>;

/// More than any test takes; a wait that needs it has failed.
const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(20);

fn one_worker() -> ThreadPool {
    ThreadPool::new(NonZero::<usize>::MIN)
}

/// Occupies the worker until the returned sender is dropped.
fn occupy(pool: &ThreadPool) -> mpsc::Sender<()> {
    let ((begun, begins), (release, released)) = (mpsc::channel(), mpsc::channel::<()>());
    pool.submit(move || {
        begun.send(()).unwrap();
        let _ = released.recv();
    })
    .unwrap();
    begins.recv().unwrap();
    release
}

/// Takes the future out of what it has been handed back in.
fn back(error: JoinError<String, settled::Back<WaitError, Future>>) -> (WaitError, Future) {
    let JoinError::Back(back) = error else { panic!("the future comes back: {error:?}") };
    (back.why(), back.into_future())
}

/// Each wait: what it answers for a future that is pending, and the future.
type Wait = fn(Future) -> (WaitError, Future);

const WAITS: &[(&str, Wait)] = &[
    ("wait", |it| (it.wait().unwrap_err(), it)),
    ("wait_timeout", |it| (it.wait_timeout(LONG).unwrap_err(), it)),
    ("wait_timeout without end", |it| (it.wait_timeout(Duration::MAX).unwrap_err(), it)),
    ("wait_deadline", |it| (it.wait_deadline(Instant::now() + LONG).unwrap_err(), it)),
    ("result", |it| {
        let NoValue::Unsettled(error) = it.result().unwrap_err() else { panic!() };
        (error, it)
    }),
    ("exception", |it| (it.exception().unwrap_err(), it)),
    ("into_settled", |it| it.into_settled().unwrap_err()),
    ("join", |it| back(it.join().unwrap_err())),
    ("join_timeout", |it| back(it.join_timeout(LONG).unwrap_err())),
    ("wait for all", |it| (wait([&it], None, ReturnWhen::AllCompleted).unwrap_err(), it)),
    ("wait for the first", |it| {
        (wait([&it], Some(LONG), ReturnWhen::FirstCompleted).unwrap_err(), it)
    }),
    ("as_completed", |it| {
        let mut results = as_completed([&it], Some(LONG));
        let error = results.next().unwrap().unwrap_err();
        assert!(results.next().is_none());
        drop(results);
        (error, it)
    }),
    ("as_completed by value", |it| {
        let mut results = as_completed([it], None);
        let error = results.next().unwrap().unwrap_err();
        (error, results.into_left().remove(0).1)
    }),
];

/// The thread sleeps that has entered it.
fn sleeps(interrupt: &Interrupt) {
    while !format!("{interrupt:?}").contains("sleepers: 1") {
        thread::yield_now();
    }
}

fn assert_untouched(name: &str, promise: Promise<u32, String>, future: Future) {
    assert!(!future.done() && !promise.cancel_requested(), "{name}");
    assert!(format!("{future:?}").contains("waiters: 0"), "{name}: {future:?}");
    promise.finish(5).unwrap();
    assert_eq!(future.join().unwrap(), 5, "{name}");
}

#[test]
fn every_wait_is_interrupted_while_it_sleeps_and_what_it_waited_for_is_untouched() {
    watch!();
    for (name, wait) in WAITS {
        let interrupt = Interrupt::new();
        let (promise, future) = Future::pair();
        let future = thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let _entered = interrupt.enter();
                wait(future)
            });
            sleeps(&interrupt);
            interrupt.interrupt();
            let (error, future) = waiting.join().unwrap();
            assert_eq!(error, WaitError::Interrupted, "{name}");
            future
        });
        assert!(format!("{interrupt:?}").contains("sleepers: 0"), "{name}: {interrupt:?}");
        assert_untouched(name, promise, future);
    }
}

#[test]
fn a_wait_that_would_block_ends_at_once_until_the_flag_is_cleared() {
    watch!();
    for (name, wait) in WAITS {
        let interrupt = Interrupt::new();
        let _entered = interrupt.enter();
        interrupt.interrupt();
        let (promise, future) = Future::pair();
        let (error, future) = wait(future);
        assert_eq!(error, WaitError::Interrupted, "{name}");
        let (error, future) = wait(future);
        assert_eq!(error, WaitError::Interrupted, "{name}: the flag stays");
        assert!(interrupt.is_raised() && interrupt.clear() && !interrupt.clear(), "{name}");
        assert_eq!(future.wait_timeout(SHORT).unwrap_err(), WaitError::Expired(Expired));
        assert_untouched(name, promise, future);
    }
}

#[test]
fn what_is_there_is_answered_all_the_same_and_a_timeout_of_zero_looks() {
    watch!();
    let interrupt = Interrupt::new();
    let _entered = interrupt.enter();
    interrupt.interrupt();
    let (promise, future) = Future::pair();
    let zero = Duration::ZERO;
    assert_eq!(future.wait_timeout(zero).unwrap_err(), WaitError::Expired(Expired));
    let (why, future) = back(future.join_timeout(zero).unwrap_err());
    assert_eq!(why, WaitError::Expired(Expired));
    let (done, pending) = wait([&future], Some(zero), ReturnWhen::AllCompleted).unwrap();
    assert_eq!((done.len(), pending.len()), (0, 1));
    let expired = as_completed([&future], Some(zero)).next().unwrap().unwrap_err();
    assert_eq!(expired, WaitError::Expired(Expired));
    promise.finish(5).unwrap();
    assert_eq!(future.result().unwrap(), &5);
    assert_eq!(wait([&future], None, ReturnWhen::AllCompleted).unwrap().0.len(), 1);
    assert_eq!(as_completed([&future], None).filter(Result::is_ok).count(), 1);
    assert_eq!(future.join().unwrap(), 5);
}

#[test]
fn only_those_who_have_entered_it_are_interrupted() {
    watch!();
    let interrupt = Interrupt::new();
    let (promise, future) = Future::pair();
    let entered = interrupt.enter();
    interrupt.interrupt();
    thread::scope(|scope| {
        let other = scope.spawn(|| future.result().copied().unwrap());
        while !format!("{future:?}").contains("waiters: 1") {
            thread::yield_now();
        }
        assert_eq!(future.wait().unwrap_err(), WaitError::Interrupted);
        drop(entered);
        assert_eq!(future.wait_timeout(SHORT).unwrap_err(), WaitError::Expired(Expired));
        promise.finish(5).unwrap();
        assert_eq!(other.join().unwrap(), 5);
    });
}

#[test]
fn of_several_that_a_thread_has_entered_each_ends_its_waits() {
    watch!();
    let (one, other) = (Interrupt::new(), Interrupt::new());
    let (_promise, future) = Future::pair();
    let first = one.enter();
    let _second = other.enter();
    one.interrupt();
    assert_eq!(future.wait().unwrap_err(), WaitError::Interrupted);
    // They are left in any order.
    drop(first);
    thread::scope(|scope| {
        scope.spawn(|| {
            sleeps(&other);
            other.interrupt();
        });
        assert_eq!(future.wait().unwrap_err(), WaitError::Interrupted);
    });
}

#[test]
fn one_flag_ends_the_waits_of_all_threads_that_have_entered_it() {
    watch!();
    let (interrupt, promises) = (Interrupt::new(), [(); 4].map(|()| Future::pair()));
    thread::scope(|scope| {
        let waits = promises.iter().map(|(_, future)| {
            scope.spawn(|| {
                let _entered = interrupt.clone().enter();
                future.wait().unwrap_err()
            })
        });
        let waits: Vec<_> = waits.collect();
        while !format!("{interrupt:?}").contains("sleepers: 4") {
            thread::yield_now();
        }
        interrupt.interrupt();
        assert!(waits.into_iter().all(|it| it.join().unwrap() == WaitError::Interrupted));
    });
}

#[test]
fn a_map_and_the_wait_for_the_end_of_a_pool_are_interrupted_and_the_drop_of_one_is_not() {
    watch!();
    let (interrupt, pool) = (Interrupt::new(), one_worker());
    let _entered = interrupt.enter();
    let release = occupy(&pool);
    let raises = interrupt.clone();
    let raising = thread::spawn(move || {
        sleeps(&raises);
        raises.interrupt();
    });
    let mut map = pool.map([1_u32], |n| n);
    assert!(matches!(map.next(), Some(Err(MapError::Interrupted))));
    assert!(map.next().is_none());
    raising.join().unwrap();
    interrupt.clear();

    let raises = interrupt.clone();
    let raising = thread::spawn(move || {
        sleeps(&raises);
        raises.interrupt();
        release
    });
    assert_eq!(pool.shutdown(), Err(WaitError::Interrupted));
    let release = raising.join().unwrap();
    assert!(pool.submit(|| ()).is_err(), "it is shut down all the same");

    // A drop that waits waits on, for a job that goes on when somebody has seen that it does.
    let (both, at_least_here) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let waits = Arc::clone(&both);
    let queued = one_worker();
    let job = queued.submit(move || waits.wait()).unwrap();
    let (meets, dropping) = (Arc::clone(&both), Arc::clone(&at_least_here));
    let releasing = thread::spawn(move || {
        dropping.wait();
        meets.wait();
    });
    at_least_here.wait();
    drop(queued);
    assert!(job.done(), "its drop has waited");
    releasing.join().unwrap();
    drop(release);
}

#[test]
fn a_closure_is_asked_at_its_interval_and_ends_the_wait() {
    watch!();
    let (promise, future) = Future::pair();
    for (name, wait) in WAITS.iter().filter(|(name, _)| !name.contains("join")) {
        let (begin, asked) = (Instant::now(), Rc::new(Cell::new(0)));
        let counts = Rc::clone(&asked);
        let _entered = Interrupt::ask_every(SHORT, move || {
            counts.set(counts.get() + 1);
            counts.get() % 3 == 0
        });
        let clone = future.clone();
        assert_eq!(wait(clone).0, WaitError::Interrupted, "{name}");
        assert_eq!(asked.get(), 3, "{name}");
        assert!(begin.elapsed() >= 3 * SHORT, "{name}: not before");
        // Its yes was for one wait.
        let expired = WaitError::Expired(Expired);
        assert_eq!(future.wait_timeout(SHORT / 2).unwrap_err(), expired, "{name}");
    }
    promise.finish(5).unwrap();
    assert_eq!(future.join().unwrap(), 5);
}

#[test]
fn a_wait_that_ends_otherwise_leaves_what_a_closure_has_said_to_the_next() {
    watch!();
    let (promise, future) = Future::pair();
    let promise = RefCell::new(Some(promise));
    // It settles the future inside the wait, and says yes.
    let _entered = Interrupt::ask_every(Duration::ZERO, move || match promise.take() {
        Some(promise) => {
            promise.finish(5).unwrap();
            true
        }
        None => false,
    });
    assert_eq!(future.join().unwrap(), 5);
    let (promise, future) = Future::pair();
    assert_eq!(future.wait().unwrap_err(), WaitError::Interrupted);
    assert_eq!(future.wait_timeout(SHORT).unwrap_err(), WaitError::Expired(Expired));
    assert_eq!(future.cancel(), Cancel::Now);
    drop(promise);
}

#[test]
fn a_flag_tells_whether_it_is_raised() {
    watch!();
    let interrupt = Interrupt::new();
    assert!(!interrupt.is_raised());
    interrupt.interrupt();
    assert!(interrupt.is_raised());
    assert!(interrupt.clear() && !interrupt.is_raised() && !interrupt.clear());
}

#[test]
fn a_closure_may_wait_and_may_panic() {
    watch!();
    let (_promise, future) = Future::pair();
    let inner = future.clone();
    let entered = Interrupt::ask_every(Duration::ZERO, move || {
        // It is not asked inside itself.
        assert_eq!(inner.wait_timeout(SHORT).unwrap_err(), WaitError::Expired(Expired));
        // What it enters ends its own waits, and goes with it.
        let own = Interrupt::new();
        let _entered = own.enter();
        own.interrupt();
        assert_eq!(inner.wait().unwrap_err(), WaitError::Interrupted);
        true
    });
    assert_eq!(future.wait().unwrap_err(), WaitError::Interrupted);
    drop(entered);
    let entered = Interrupt::ask_every(Duration::ZERO, || panic!("no terminal"));
    assert_eq!(future.wait().unwrap_err(), WaitError::Interrupted);
    drop(entered);
    let _never = Interrupt::ask_every(Duration::MAX, || true);
    assert_eq!(future.wait_timeout(SHORT).unwrap_err(), WaitError::Expired(Expired));
}

#[test]
fn a_guard_that_is_dropped_by_its_own_closure_asks_no_more() {
    watch!();
    let (_promise, future) = Future::pair();
    let guard = Rc::new(RefCell::new(None));
    let own = Rc::clone(&guard);
    let mut asked = 0;
    *guard.borrow_mut() = Some(Interrupt::ask_every(Duration::ZERO, move || {
        asked += 1;
        assert_eq!(asked, 1);
        drop(own.take());
        true
    }));
    assert_eq!(future.wait_timeout(SHORT).unwrap_err(), WaitError::Expired(Expired));
    assert!(guard.take().is_none());
}

#[test]
fn a_worker_that_helps_is_interrupted_when_it_sleeps() {
    watch!();
    let (interrupt, pool) = (Interrupt::new(), Arc::new(one_worker()));
    let (inner, entering) = (Arc::clone(&pool), interrupt.clone());
    let (promise, future) = ThreadFuture::<u32, Infallible>::pair();
    let job = pool.submit(move || {
        let _entered = entering.enter();
        entering.interrupt();
        // What it can do itself it does.
        assert_eq!(inner.submit(|| 7).unwrap().join().unwrap(), 7);
        future.wait().map(drop)
    });
    assert_eq!(job.unwrap().join().unwrap(), Err(WaitError::Interrupted));
    drop(promise);
}

#[test]
fn what_is_selected_leaves_what_a_closure_has_said_to_the_next() {
    watch!();
    /// Is told before the select is.
    struct Early(Mutex<(mpsc::Sender<()>, mpsc::Receiver<()>)>);
    impl Wake for Early {
        fn wake(self: Arc<Self>) {
            let gates = self.0.lock().unwrap();
            gates.0.send(()).unwrap();
            gates.1.recv().unwrap();
        }
    }
    let ((promise, a), (_never, b)) = (Future::pair(), Future::pair());
    let ((woken, wakes), (release, released)) = (mpsc::channel(), mpsc::channel());
    let waker = Waker::from(Arc::new(Early(Mutex::new((woken, released)))));
    let mut early = pin!(a.clone().into_future());
    assert!(early.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let (promise, settler) = (Cell::new(Some(promise)), Rc::new(Cell::new(None)));
    let spawned = Rc::clone(&settler);
    let _entered = Interrupt::ask_every(Duration::ZERO, move || {
        let Some(promise) = promise.take() else { return false };
        spawned.set(Some(thread::spawn(move || promise.finish(5).unwrap())));
        wakes.recv().unwrap();
        true
    });
    // It is settled, and the select is not told of that yet.
    assert!(matches!(select((&a, &b), None), Ok(First::A(_))));
    assert_eq!(b.wait_timeout(LONG).unwrap_err(), WaitError::Interrupted);
    assert_eq!(b.wait_timeout(SHORT).unwrap_err(), WaitError::Expired(Expired));
    release.send(()).unwrap();
    settler.take().unwrap().join().unwrap();
}

#[test]
fn a_worker_whose_closure_waits_counts_once() {
    watch!();
    let two = ThreadPool::new(NonZero::new(2).unwrap());
    let (other, release) = (one_worker(), occupy(&two));
    let (to_other, for_other) = mpsc::channel();
    let (job_waits, until_it_waits) = mpsc::channel();
    let a = other.submit(move || {
        let queued: ThreadFuture<u32, Infallible> = for_other.recv().unwrap();
        // It is asked when the wait is known.
        let _entered = Interrupt::ask_every(Duration::ZERO, move || job_waits.send(()).is_err());
        queued.wait().map(|settled| *settled.result().unwrap())
    });
    let a = a.unwrap();
    let waited_for = a.clone();
    let b = two.submit(move || {
        until_it_waits.recv().unwrap();
        // The other worker comes free when this one waits a second time inside of its own wait.
        let release = RefCell::new(Some(release));
        let _inner = Interrupt::ask_every(Duration::ZERO, move || {
            drop(release.take());
            false
        });
        let (again, answers) = (waited_for.clone(), mpsc::channel());
        let _outer = Interrupt::ask_every(Duration::ZERO, move || {
            answers.0.send(again.wait().map(drop)).unwrap();
            false
        });
        let outer = waited_for.wait().map(drop);
        (outer, answers.1.recv().unwrap())
    });
    let b = b.unwrap();
    to_other.send(two.submit(|| 7).unwrap()).unwrap();
    assert_eq!(b.join().unwrap(), (Ok(()), Ok(())));
    assert_eq!(a.join().unwrap(), Ok(7));
}

#[test]
fn a_job_that_the_end_of_a_scope_runs_is_interrupted() {
    watch!();
    let (pool, interrupt) = (Arc::new(one_worker()), Interrupt::new());
    let (inner, (promise, future)) = (Arc::clone(&pool), Future::pair());
    let job = pool.submit(move || {
        let _entered = interrupt.enter();
        interrupt.interrupt();
        // The scope waits all the same.
        let waits = scope(&*inner, |scope| scope.submit(|| future.wait_timeout(SHORT).map(drop)));
        waits.unwrap().unwrap().join().unwrap()
    });
    assert_eq!(job.unwrap().join().unwrap(), Err(WaitError::Interrupted));
    drop(promise);
}
