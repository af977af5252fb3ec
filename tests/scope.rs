//! Jobs that borrow, clause by clause.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

use std::{
    cell::Cell,
    convert::Infallible,
    num::NonZero,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    thread,
};

use settled::{
    Cancel, Closed, Executor, Interrupt, InterruptGuard, Job, ThreadFuture, ThreadPool, WaitError,
    WouldDeadlock,
    context::{self, LoopGuard},
    scope,
};

fn workers(number: usize) -> ThreadPool {
    ThreadPool::new(NonZero::new(number).unwrap())
}

/// Counts its drops.
struct Counts<'a>(&'a AtomicUsize);

impl Drop for Counts<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Gives others a turn, often enough that who does not wait is likely to be ahead.
fn linger() {
    for _ in 0..2_000 {
        thread::yield_now();
    }
}

#[test]
fn jobs_borrow_and_are_over_when_the_scope_is() {
    watch!();
    let pool = workers(2);
    let (text, mut numbers) = ("borrowed".to_owned(), vec![1, 2, 3]);
    let length = scope(&pool, |scope| {
        let length = scope.submit(|| text.len()).unwrap();
        // Nobody waits for this one.
        drop(scope.submit(|| {
            linger();
            numbers.push(4);
        }));
        let slice = scope.submit_result(|| text.get(0..3).ok_or("short")).unwrap();
        assert_eq!(slice.join().unwrap(), "bor");
        length.join().unwrap()
    });
    assert_eq!(length, Ok(8));
    assert_eq!(numbers, [1, 2, 3, 4]);
    let none = scope(&pool, |_| "no job at all");
    assert_eq!(none, Ok("no job at all"));
}

#[test]
fn a_scope_ends_after_all_that_its_jobs_have_captured_and_left() {
    watch!();
    let (pool, dropped) = (workers(1), AtomicUsize::new(0));
    scope(&pool, |scope| {
        for _ in 0..3 {
            let captured = Counts(&dropped);
            let counts = &dropped;
            // Its value is dropped with the last handle, which may be the job's.
            let job = scope.submit(move || {
                linger();
                drop(captured);
                Counts(counts)
            });
            drop(job.unwrap());
        }
        // Cancelled, and still in the queue with what it has captured.
        let captured = Counts(&dropped);
        let job = scope.submit(move || drop(captured)).unwrap();
        let _ = job.cancel();
        let captured = Counts(&dropped);
        let panics = scope.submit(move || {
            let _captured = captured;
            linger();
            panic!("on purpose");
        });
        assert!(panics.unwrap().join().unwrap_err().into_failure().unwrap().is_panic());
    })
    .unwrap();
    assert_eq!(dropped.load(SeqCst), 3 + 3 + 1 + 1);
}

#[test]
fn a_scope_ends_after_the_callbacks_of_its_jobs() {
    watch!();
    let (pool, at_its_end) = (workers(1), Arc::new(AtomicBool::new(false)));
    let ran = Arc::new(AtomicBool::new(false));
    scope(&pool, |scope| {
        let (begin, begun) = mpsc::channel();
        let job = scope.submit(move || begun.recv().unwrap()).unwrap();
        let (end, ran) = (Arc::clone(&at_its_end), Arc::clone(&ran));
        job.add_done_callback(move |_| {
            while !end.load(SeqCst) {
                thread::yield_now();
            }
            linger();
            ran.store(true, SeqCst);
        });
        begin.send(()).unwrap();
        at_its_end.store(true, SeqCst);
    })
    .unwrap();
    assert!(ran.load(SeqCst));
}

#[test]
fn a_panic_goes_on_when_the_jobs_have_ended() {
    watch!();
    let (pool, unwinds, ended) = (workers(1), AtomicUsize::new(0), AtomicBool::new(false));
    let caught = catch_unwind(AssertUnwindSafe(|| {
        scope(&pool, |scope| {
            let _counts = Counts(&unwinds);
            let job = scope.submit(|| {
                while unwinds.load(SeqCst) == 0 {
                    thread::yield_now();
                }
                linger();
                ended.store(true, SeqCst);
            });
            drop(job);
            panic!("on purpose");
        })
    }));
    assert!(caught.is_err());
    assert!(ended.load(SeqCst));
}

#[test]
fn a_scope_is_refused_where_it_could_not_wait() {
    watch!();
    let pool = workers(1);
    let guard = context::enter_loop();
    let refused = scope(&pool, |_| panic!("it is not called"));
    assert_eq!(refused, Err::<(), _>(WouldDeadlock::EventLoop));
    drop(guard);
    // One that is entered inside ends with a wait all the same.
    let mut done = false;
    let guard = scope(&pool, |scope| {
        let guard = context::enter_loop();
        drop(scope.submit(|| {
            linger();
            done = true;
        }));
        guard
    });
    drop(guard.unwrap());
    assert!(done);
}

#[test]
fn a_worker_runs_the_jobs_of_its_own_scope() {
    watch!();
    let pool = Arc::new(workers(1));
    let inner = Arc::clone(&pool);
    let outer = pool.submit(move || {
        let (numbers, mut last) = ([1, 2, 3], 0);
        let sum = scope(&inner, |scope| {
            let sum = scope.submit(|| numbers.iter().sum::<i32>()).unwrap();
            drop(scope.submit(|| last = numbers[2]));
            sum.join().unwrap()
        });
        (sum, last)
    });
    assert_eq!(outer.unwrap().join().unwrap(), (Ok(6), 3));
}

/// `[scope-3]` Whatever marks the worker as a loop's, it runs the jobs of its own scope, or nobody would.
#[test]
fn a_worker_that_is_marked_inside_its_scope_runs_the_jobs_of_it() {
    watch!();
    thread_local! {
        static KEPT: Cell<Option<LoopGuard>> = const { Cell::new(None) };
    }
    let pool = Arc::new(workers(1));
    let inner = Arc::clone(&pool);
    let outer = pool.submit(move || {
        let (mut first, mut last) = (false, false);
        let own = scope(&inner, |scope| {
            // One job keeps a mark, and so does the scope.
            drop(scope.submit(|| {
                first = true;
                KEPT.set(Some(context::enter_loop()));
            }));
            drop(scope.submit(|| last = true));
            context::enter_loop()
        });
        let is_marked = context::in_loop();
        drop((own, KEPT.take()));
        (first, last, is_marked, context::in_loop())
    });
    assert_eq!(outer.unwrap().join().unwrap(), (true, true, true, false));
}

/// `[scope-2]` `[scope-3]` A scope that is let in is not refused at its end: its worker has the stack to run its jobs.
#[test]
fn a_scope_where_little_stack_is_left_runs_its_jobs_or_is_refused() {
    watch!();
    /// Goes down, by little at a time, as long as a scope is let in; the deepest that is has a job. Says whether one was.
    fn descend(pool: &ThreadPool, ran: &AtomicUsize) -> bool {
        if scope(pool, |_| ()).is_err() {
            return false;
        }
        let job = || ran.fetch_add(1, SeqCst);
        descend(pool, ran) || scope(pool, |scope| drop(scope.submit(job))).is_ok()
    }
    let pool = Arc::new(workers(1));
    let inner = Arc::clone(&pool);
    let outer = pool.submit(move || {
        let ran = AtomicUsize::new(0);
        assert!(descend(&inner, &ran));
        ran.into_inner()
    });
    assert_eq!(outer.unwrap().join().unwrap(), 1);
}

#[test]
fn jobs_of_a_scope_are_not_to_wait_for_whoever_made_it() {
    watch!();
    let pool = Arc::new(workers(2));
    let inner = Arc::clone(&pool);
    let (give, given) = mpsc::channel::<ThreadFuture<bool, Infallible>>();
    let outer = pool.submit(move || {
        let own = given.recv().unwrap();
        let refused = AtomicBool::new(false);
        let waited = scope(&inner, |scope| {
            let own = &own;
            let job = scope.submit(|| {
                let circle = WaitError::WouldDeadlock(WouldDeadlock::Circle);
                refused.store(own.wait().err() == Some(circle), SeqCst);
            });
            // The one that made the scope does not wait yet.
            let job = job.unwrap();
            while !job.done() {
                thread::yield_now();
            }
        });
        waited.unwrap();
        refused.into_inner()
    });
    let outer = outer.unwrap();
    give.send(outer.clone()).unwrap();
    assert_eq!(outer.result().unwrap(), &true);
}

#[test]
fn a_refused_job_is_dropped_and_keeps_no_scope() {
    watch!();
    let (pool, dropped) = (workers(1), AtomicUsize::new(0));
    pool.shutdown().unwrap();
    let captured = Counts(&dropped);
    let closed = scope(&pool, |scope| scope.submit(move || drop(captured)).is_err());
    assert_eq!((closed, dropped.load(SeqCst)), (Ok(true), 1));
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
fn a_scope_waits_as_long_as_its_executor_keeps_a_job() {
    watch!();
    for run in [true, false] {
        let keeps = Keeps::default();
        let (executor, at_its_end) = (keeps.clone(), Arc::new(AtomicBool::new(false)));
        let end = Arc::clone(&at_its_end);
        let waits = thread::spawn(move || {
            // No flag ends it, either.
            let interrupt = Interrupt::new();
            let _entered = interrupt.enter();
            interrupt.interrupt();
            let (local, kept) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
            scope(&executor, |scope| {
                let counts = Counts(&local);
                let job = scope.submit(move || drop(counts)).unwrap();
                if !run {
                    assert_eq!(job.cancel(), Cancel::Now, "and a cancelled job is still there");
                }
                // Its future is as good as forgotten: it outlives the scope.
                kept.lock().unwrap().push(job);
                end.store(true, SeqCst);
            })
            .unwrap();
            local.into_inner()
        });
        while !at_its_end.load(SeqCst) {
            thread::yield_now();
        }
        linger();
        assert!(!waits.is_finished());
        let job = keeps.0.lock().unwrap().pop().unwrap();
        if run {
            job.run()
        } else {
            drop(job)
        }
        assert_eq!(waits.join().unwrap(), 1);
    }
}

/// Panics when it is given a job, which it has taken.
struct Panics(Keeps);

impl Executor for Panics {
    fn execute(&self, job: Job) -> Result<(), Closed<Job>> {
        self.0.execute(job)?;
        panic!("on purpose");
    }
}

#[test]
fn an_executor_that_panics_loses_no_job() {
    watch!();
    let keeps = Keeps::default();
    let executor = Panics(keeps.clone());
    let (dropped, told) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|threads| {
        let waits = threads.spawn(|| {
            let counts = Counts(&dropped);
            scope(&executor, |scope| {
                let submitted = scope.submit(move || drop(counts));
                told.store(submitted.is_ok(), SeqCst);
            })
        });
        let job = loop {
            if let Some(job) = keeps.0.lock().unwrap_or_else(|it| it.into_inner()).pop() {
                break job;
            }
            thread::yield_now();
        };
        linger();
        assert!(!waits.is_finished());
        job.run();
        assert!(waits.join().is_err());
    });
    assert_eq!((dropped.into_inner(), told.into_inner()), (1, false));
}

/// `[scope-3]` `[wait-9]` What runs inside the wait may enter an interrupt, and keep it.
#[test]
fn an_interrupt_that_is_entered_inside_the_wait_ends_no_scope() {
    watch!();
    thread_local! {
        static KEPT: Cell<Option<InterruptGuard>> = const { Cell::new(None) };
    }
    let pool = Arc::new(workers(2));
    let (begins, begun) = mpsc::channel();
    let (goes, go) = mpsc::channel::<()>();
    let (enters, entered) = mpsc::channel();
    let inner = Arc::clone(&pool);
    let outer = pool.submit(move || {
        let (interrupt, ended) = (Interrupt::new(), Arc::new(AtomicBool::new(false)));
        interrupt.interrupt();
        scope(&inner, |scope| {
            let ends = Arc::clone(&ended);
            drop(scope.submit(move || {
                begins.send(()).unwrap();
                go.recv().unwrap();
                ends.store(true, SeqCst);
            }));
            begun.recv().unwrap();
            // The other worker is occupied, so that this one runs it, inside the wait.
            drop(scope.submit(move || {
                KEPT.set(Some(interrupt.enter()));
                enters.send(()).unwrap();
            }));
        })
        .unwrap();
        ended.load(SeqCst)
    });
    entered.recv().unwrap();
    linger();
    goes.send(()).unwrap();
    assert!(outer.unwrap().join().unwrap(), "the scope was over before its job");
}
