//! Checks that an event loop keeps the contract of [`Schedule`]: a kit for those who implement it.
//!
//! Describe the loop as a [`Subject`], and call [`check`] in a test. This crate's own loop and its adapters pass
//! the same kit. `[schedule-2]` `[schedule-3]` `[schedule-4]`
//!
//! ```
//! use std::sync::Arc;
//! use settled::{EventLoop, Schedule, conformance::{Subject, check}};
//!
//! struct Own(EventLoop);
//!
//! impl Subject for Own {
//!     fn schedule(&self) -> Arc<dyn Schedule> {
//!         Arc::new(self.0.handle())
//!     }
//!
//!     fn run_until(&mut self, done: &dyn Fn() -> bool) {
//!         while !done() {
//!             let turn = std::future::poll_fn(|cx| {
//!                 if done() { std::task::Poll::Ready(()) } else { cx.waker().wake_by_ref(); std::task::Poll::Pending }
//!             });
//!             self.0.run_until_complete(turn).unwrap();
//!         }
//!     }
//! }
//!
//! assert_eq!(check(|| Own(EventLoop::new())), 9);
//! ```

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use crate::{Job, Schedule, ThreadFuture, WaitError, WouldDeadlock, context};

/// A loop that is to be checked. Dropping it closes the loop. `[schedule-1]`
pub trait Subject {
    /// The way into the loop. `[schedule-1]`
    fn schedule(&self) -> Arc<dyn Schedule>;

    /// Runs the loop on this thread until `done` returns true. Only jobs that the loop runs change what it returns: ask
    /// before the first turn, and after each. A loop that has nothing to do may sleep. `[schedule-2]`
    fn run_until(&mut self, done: &dyn Fn() -> bool);
}

/// A rule of the contract: its name, and a check that panics with it.
type Rule<S> = (&'static str, fn(&dyn Fn() -> S));

/// Returns every rule of the contract, to be checked one by one: a name, and a function that takes a way to make new
/// loops, and panics if the rule is broken. `[schedule-2]`
///
/// ```
/// use settled::conformance::{Subject, rules};
///
/// fn check_aloud<S: Subject>(make: &dyn Fn() -> S) {
///     for (name, check) in rules::<S>() {
///         println!("{name}");
///         check(make);
///     }
/// }
/// # let _ = check_aloud::<Never>;
/// # enum Never {}
/// # impl Subject for Never {
/// #     fn schedule(&self) -> std::sync::Arc<dyn settled::Schedule> { match *self {} }
/// #     fn run_until(&mut self, _: &dyn Fn() -> bool) { match *self {} }
/// # }
/// ```
#[must_use]
pub fn rules<S: Subject>() -> [Rule<S>; 9] {
    [
        ("never inline", never_inline),
        ("on the loop's thread", on_the_loops_thread),
        ("first in, first out", first_in_first_out),
        ("closed hands the job back", closed_hands_the_job_back),
        ("a dropped job settles its future", a_dropped_job_settles_its_future),
        ("no wake-up is lost", no_wake_up_is_lost),
        ("ten thousand posts from four threads", posts_from_four_threads),
        ("the thread is marked while jobs run", the_thread_is_marked),
        ("posts against close", posts_against_close),
    ]
}

/// Checks every rule, each with new loops that `make` makes on this thread, prints its name before, and returns how
/// many rules there are. A loop that loses a wake-up hangs instead of failing. `[schedule-2]` `[schedule-3]`
/// `[schedule-4]`
///
/// # Panics
///
/// If a rule is broken, with its name.
pub fn check<S: Subject>(make: impl Fn() -> S) -> usize {
    let rules = rules();
    for (name, rule) in &rules {
        println!("conformance: {name}");
        rule(&make);
    }
    rules.len()
}

fn post(schedule: &dyn Schedule, job: impl FnOnce() + Send + 'static) {
    let accepted = schedule.call_soon_threadsafe(Job::new(job));
    assert!(accepted.is_ok(), "an open loop refused a job");
}

/// A list that jobs write to.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<usize>>>);

impl Log {
    fn push(&self, entry: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    fn entries(&self) -> Vec<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

fn never_inline<S: Subject>(make: &dyn Fn() -> S) {
    let mut subject = make();
    let (schedule, log) = (subject.schedule(), Log::default());
    let (outer, inner) = (log.clone(), log.clone());
    let again = Arc::clone(&schedule);
    post(&*schedule, move || {
        post(&*again, move || inner.push(2));
        outer.push(1);
    });
    assert_eq!(log.len(), 0, "never inline: a job ran inside the call that posted it");
    subject.run_until(&|| log.len() == 2);
    let order = log.entries();
    assert_eq!(order, [1, 2], "never inline: a job ran inside a job that posted it");
}

fn on_the_loops_thread<S: Subject>(make: &dyn Fn() -> S) {
    let mut subject = make();
    let (schedule, here, log) = (subject.schedule(), thread::current().id(), Log::default());
    let job = {
        let log = log.clone();
        move || log.push(usize::from(thread::current().id() == here))
    };
    let (first, second) = (job.clone(), job);
    post(&*schedule, first);
    let poster = thread::spawn(move || post(&*schedule, second));
    subject.run_until(&|| log.len() == 2);
    poster.join().expect("the poster never panics");
    assert_eq!(log.entries(), [1, 1], "on the loop's thread: a job ran on another");
}

fn first_in_first_out<S: Subject>(make: &dyn Fn() -> S) {
    let mut subject = make();
    let (schedule, log) = (subject.schedule(), Log::default());
    let push = |log: &Log, entry| {
        let log = log.clone();
        move || log.push(entry)
    };
    let remote = {
        let (schedule, log) = (Arc::clone(&schedule), log.clone());
        move |entry: usize| {
            let (schedule, log) = (Arc::clone(&schedule), log.clone());
            let poster = thread::spawn(move || post(&*schedule, move || log.push(entry)));
            poster.join().expect("the poster never panics");
        }
    };
    // Before the loop runs, and from inside it: each post happens before the next.
    remote(1);
    post(&*schedule, push(&log, 2));
    remote(3);
    let inside = {
        let (schedule, log, remote) = (Arc::clone(&schedule), log.clone(), remote.clone());
        move || {
            remote(5);
            post(&*schedule, push(&log, 6));
            remote(7);
        }
    };
    post(&*schedule, push(&log, 4));
    post(&*schedule, inside);
    subject.run_until(&|| log.len() == 7);
    let order = log.entries();
    assert_eq!(order, [1, 2, 3, 4, 5, 6, 7], "first in, first out: the jobs ran in another order");
}

fn closed_hands_the_job_back<S: Subject>(make: &dyn Fn() -> S) {
    let subject = make();
    let (schedule, log) = (subject.schedule(), Log::default());
    drop(subject);
    let job = log.clone();
    let Err(closed) = schedule.call_soon_threadsafe(Job::new(move || job.push(1))) else {
        panic!("closed hands the job back: a closed loop accepted a job")
    };
    assert_eq!(log.len(), 0, "closed hands the job back: it had run");
    closed.into_inner().run();
    assert_eq!(log.len(), 1, "closed hands the job back: it was another job");
}

fn a_dropped_job_settles_its_future<S: Subject>(make: &dyn Fn() -> S) {
    let subject = make();
    let (promise, future) = ThreadFuture::<(), ()>::pair();
    // The way in outlives the loop, as it does in programs.
    let schedule = subject.schedule();
    post(&*schedule, move || {
        let _ = promise.finish(());
    });
    drop(subject);
    assert!(future.done(), "a dropped job settles its future: the closed loop still holds a job");
}

fn no_wake_up_is_lost<S: Subject>(make: &dyn Fn() -> S) {
    const ROUNDS: usize = 1_000;
    let mut subject = make();
    let (schedule, log) = (subject.schedule(), Log::default());
    let jobs = log.clone();
    // Each post comes when the loop has nothing left to do, and is about to sleep.
    let poster = thread::spawn(move || {
        for round in 0..ROUNDS {
            let (tell, told) = mpsc::channel();
            let log = jobs.clone();
            post(&*schedule, move || {
                log.push(round);
                let _ = tell.send(());
            });
            told.recv().expect("no wake-up is lost: an accepted job did not run");
        }
    });
    subject.run_until(&|| log.len() == ROUNDS);
    // What it holds although it says that it is done is given up: the poster then notices.
    drop(subject);
    poster.join().expect("no wake-up is lost: the poster was not answered");
}

fn posts_from_four_threads<S: Subject>(make: &dyn Fn() -> S) {
    const EACH: usize = 2_500;
    let mut subject = make();
    let log = Log::default();
    let posters: Vec<_> = (0..4)
        .map(|thread| {
            let (schedule, log) = (subject.schedule(), log.clone());
            thread::spawn(move || {
                for number in 0..EACH {
                    let log = log.clone();
                    post(&*schedule, move || log.push(thread * EACH + number));
                }
            })
        })
        .collect();
    subject.run_until(&|| log.len() >= 4 * EACH);
    for poster in posters {
        poster.join().expect("a poster never panics");
    }
    let entries = log.entries();
    for thread in 0..4 {
        let of_this = entries.iter().filter(|entry| *entry / EACH == thread).copied();
        let in_order = of_this.eq(thread * EACH..(thread + 1) * EACH);
        assert!(
            in_order,
            "ten thousand posts from four threads: one thread's are not once and in order"
        );
    }
}

fn the_thread_is_marked<S: Subject>(make: &dyn Fn() -> S) {
    let mut subject = make();
    let seen = Arc::new(Mutex::new(None));
    let write = Arc::clone(&seen);
    post(&*subject.schedule(), move || {
        let (promise, future) = ThreadFuture::<(), ()>::pair();
        // Where it is not marked, the wait would not end.
        let expected = WaitError::WouldDeadlock(WouldDeadlock::EventLoop);
        let refused = context::in_loop() && future.wait().is_err_and(|it| it == expected);
        drop(promise);
        *write.lock().unwrap_or_else(PoisonError::into_inner) = Some(refused);
    });
    let marked = || *seen.lock().unwrap_or_else(PoisonError::into_inner);
    subject.run_until(&|| marked().is_some());
    let marked = marked();
    assert_eq!(
        marked,
        Some(true),
        "the thread is marked: `context::enter_loop` was not held while a job ran"
    );
    drop(subject);
    assert!(!context::in_loop(), "the thread is marked: it still is, although the loop has gone");
}

fn posts_against_close<S: Subject>(make: &dyn Fn() -> S) {
    let mut subject = make();
    let stop = Arc::new(AtomicBool::new(false));
    let ran = Arc::new(AtomicUsize::new(0));
    let posters: Vec<_> = (0..4)
        .map(|_| {
            let (schedule, stop) = (subject.schedule(), Arc::clone(&stop));
            let ran = Arc::clone(&ran);
            thread::spawn(move || {
                let mut futures = Vec::new();
                for _ in 0..10_000 {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let (promise, future) = ThreadFuture::<(), ()>::pair();
                    futures.push(future);
                    let ran = Arc::clone(&ran);
                    let job = Job::new(move || {
                        ran.fetch_add(1, Ordering::Relaxed);
                        let _ = promise.finish(());
                    });
                    if schedule.call_soon_threadsafe(job).is_err() {
                        break;
                    }
                }
                futures
            })
        })
        .collect();
    subject.run_until(&|| ran.load(Ordering::Relaxed) >= 100);
    drop(subject);
    stop.store(true, Ordering::Relaxed);
    for poster in posters {
        let futures = poster.join().expect("a poster never panics");
        let unsettled = futures.iter().filter(|future| !future.done()).count();
        assert_eq!(unsettled, 0, "posts against close: accepted jobs were neither run nor dropped");
    }
}
