//! Callbacks that settle further futures, as deep as one likes. `[callback-8]`
//!
//! Up to the depth `DEPTH` a callback runs inside the call that settles its future; deeper ones wait for the
//! outermost of these calls, which runs them before it returns.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

#[path = "support/log.rs"]
mod log;
#[path = "support/waker.rs"]
mod waker;

use std::{
    cell::{Cell, RefCell},
    future::{IntoFuture, pending},
    num::NonZero,
    panic::panic_any,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    task::Context,
    thread,
    time::Duration,
};

use log::Log;
use settled::{
    Cancel, EventLoop, Executor, Interrupt, InterruptGuard, ReturnWhen, RunError, ThreadFuture,
    ThreadPool, WaitError, WouldDeadlock, as_completed, bridge, context,
    primitives::{Barrier, Condition, Event, Lock, Queue, Semaphore},
    scope, wait,
};
use waker::CountingWaker;

type Future = ThreadFuture<u32, String>;

/// As many callbacks run inside each other.
const DEPTH: usize = 32;
const LINKS: usize = 100_000;
const LONG: Duration = Duration::from_secs(600);

/// Settles a future in one of the ways that there are.
type Settle = fn(settled::Promise<u32, String>, &Future);

/// A callback of a future that is settled calls the next link.
fn link(left: usize, settle: Settle, count: &Arc<AtomicUsize>) {
    let Some(left) = left.checked_sub(1) else { return };
    let (promise, future) = Future::pair();
    let next = Arc::clone(count);
    future.add_done_callback(move |_| {
        next.fetch_add(1, Ordering::Relaxed);
        link(left, settle, &next);
    });
    settle(promise, &future);
}

/// Settles a future, and registers a callback later, which calls the next link.
fn late_link(left: usize, count: &Arc<AtomicUsize>) {
    let Some(left) = left.checked_sub(1) else { return };
    let (promise, future) = Future::pair();
    promise.finish(0).unwrap();
    let next = Arc::clone(count);
    future.add_done_callback(move |_| {
        next.fetch_add(1, Ordering::Relaxed);
        late_link(left, &next);
    });
}

/// How many links were called when the first call of `run` returned, on a thread with a small stack.
fn called(run: impl FnOnce(&Arc<AtomicUsize>) + Send + 'static) -> usize {
    let small = thread::Builder::new().stack_size(256 << 10);
    let thread = small.spawn(|| {
        let count = Arc::default();
        run(&count);
        count.load(Ordering::Relaxed)
    });
    thread.unwrap().join().unwrap()
}

#[test]
fn a_chain_of_a_million_callbacks_needs_little_stack() {
    watch!();
    let ways: [Settle; 4] = [
        |promise, _| promise.finish(1).unwrap(),
        |promise, _| drop(promise),
        |promise, _| drop(promise.start().unwrap()),
        |_promise, future| assert_eq!(future.cancel(), Cancel::Now),
    ];
    for (settle, links) in ways.into_iter().zip([10 * LINKS, LINKS, LINKS, LINKS]) {
        assert_eq!(called(move |count| link(links, settle, count)), links);
    }
    assert_eq!(called(|count| late_link(LINKS, count)), LINKS);
}

/// Calls `last` inside this many callbacks. They run inside each other, as long as these are no more than `DEPTH`.
fn inside(callbacks: usize, last: impl FnOnce() + Send + 'static) {
    if callbacks == 0 {
        return last();
    }
    let (promise, future) = Future::pair();
    future.add_done_callback(move |_| inside(callbacks - 1, last.boxed()));
    promise.finish(0).unwrap();
}

/// So that `inside` is one function, and not one for each depth.
trait Boxed {
    fn boxed(self) -> Box<dyn FnOnce() + Send>;
}

impl<F: FnOnce() + Send + 'static> Boxed for F {
    fn boxed(self) -> Box<dyn FnOnce() + Send> {
        Box::new(self)
    }
}

/// Settles a future whose only callback is `callback`.
fn call(callback: impl FnOnce() + Send + 'static) {
    let (promise, future) = Future::pair();
    future.add_done_callback(|_| callback());
    promise.finish(0).unwrap();
}

#[test]
fn up_to_the_depth_a_callback_runs_inside_the_call_that_settles() {
    watch!();
    for (depth, order) in [(DEPTH - 1, ["called", "returned"]), (DEPTH, ["returned", "called"])] {
        let log = Log::new();
        let seen = log.clone();
        inside(depth, move || {
            let callback = seen.clone();
            call(move || callback.add("called"));
            seen.add("returned");
        });
        assert_eq!(log.entries(), order, "inside {depth} callbacks");
    }
}

#[test]
fn a_late_callback_counts_as_the_others_do() {
    watch!();
    for (depth, order) in [(DEPTH - 1, ["called", "returned"]), (DEPTH, ["returned", "called"])] {
        let log = Log::new();
        let seen = log.clone();
        inside(depth, move || {
            let (promise, future) = Future::pair();
            promise.finish(0).unwrap();
            let callback = seen.clone();
            future.add_done_callback(move |_| callback.add("called"));
            seen.add("returned");
        });
        assert_eq!(log.entries(), order, "inside {depth} callbacks");
    }
}

#[test]
fn deferred_callbacks_run_in_order_when_the_others_have() {
    watch!();
    let log = Log::new();
    let (promise, future) = Future::pair();
    let deep = log.clone();
    future.add_done_callback(move |_| {
        inside(DEPTH - 1, move || {
            let (first, second) = (Future::pair(), Future::pair());
            for name in ["a", "b"] {
                let log = deep.clone();
                first.1.add_done_callback(move |settled| {
                    log.add(format!("{name} of {:?}", settled.result().unwrap()));
                    // Deferred by one that was, and not deep any more.
                    let inner = log.clone();
                    call(move || inner.add(format!("inside {name}")));
                });
            }
            let log = deep.clone();
            second.1.add_done_callback(move |_| log.add("c"));
            first.0.finish(1).unwrap();
            second.0.finish(2).unwrap();
            deep.add("both settled");
        });
    });
    let sibling = log.clone();
    future.add_done_callback(move |_| sibling.add("sibling"));
    promise.finish(0).unwrap();
    log.add("returned");
    let order =
        ["both settled", "sibling", "a of 1", "inside a", "b of 1", "inside b", "c", "returned"];
    assert_eq!(log.entries(), order);
}

#[test]
fn those_who_wait_are_told_at_once_all_the_same() {
    watch!();
    let log = Log::new();
    let seen = log.clone();
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    inside(DEPTH, move || {
        let (promise, future) = Future::pair();
        let (woken, waker) = CountingWaker::new();
        let mut awaiting = pin!((&future).into_future());
        assert!(awaiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let callback = seen.clone();
        future.add_done_callback(move |_| callback.add("called"));
        let waits = future.clone();
        let other = thread::spawn(move || assert!(waits.wait().unwrap().result().is_ok()));
        // Both are in it: the thread and the await.
        while !format!("{future:?}").contains("waiters: 2") {
            thread::yield_now();
        }
        promise.finish(0).unwrap();
        other.join().unwrap();
        seen.add(format!("woken {}, settled {}", woken.count(), future.done()));
        handle.stop();
    });
    event_loop.run_forever().unwrap();
    assert_eq!(log.entries(), ["woken 1, settled true", "called"]);
}

#[test]
fn a_panic_in_a_deferred_callback_harms_nobody() {
    watch!();
    let log = Log::new();
    let seen = log.clone();
    inside(DEPTH, move || {
        call(|| panic_any("a callback's own fault"));
        call(move || seen.add("sibling"));
    });
    assert_eq!(log.entries(), ["sibling"]);
    // It counts like any other: the depth is what it was.
    up_to_the_depth_a_callback_runs_inside_the_call_that_settles();
}

/// Inside as many callbacks as run inside each other, waits for what only a deferred one will settle.
fn waits_for_deferred(waits: impl FnOnce(Future, &Log) + Send + 'static) -> Vec<String> {
    let log = Log::new();
    let seen = log.clone();
    inside(DEPTH, move || {
        let (promise, future) = Future::pair();
        let callback = seen.clone();
        // The first settles nothing that is waited for.
        call(|| {});
        call(move || {
            callback.add("deferred");
            promise.finish(7).unwrap();
        });
        waits(future, &seen);
        seen.add("waited");
    });
    log.entries()
}

#[test]
fn a_wait_runs_what_was_deferred_before_it_parks() {
    watch!();
    let order = ["deferred", "waited"];
    assert_eq!(waits_for_deferred(|it, _| assert_eq!(it.result().unwrap(), &7)), order);
    let timed =
        |it: Future, _: &Log| assert_eq!(it.wait_timeout(LONG).unwrap().result().unwrap(), &7);
    assert_eq!(waits_for_deferred(timed), order);
    let several = |it: Future, _: &Log| {
        let (done, _) = wait([&it], None, ReturnWhen::FirstCompleted).unwrap();
        assert_eq!(done.len(), 1);
    };
    assert_eq!(waits_for_deferred(several), order);
    let completed = |it: Future, _: &Log| assert_eq!(as_completed([&it], None).count(), 1);
    assert_eq!(waits_for_deferred(completed), order);
    let pool = |it: Future, _: &Log| {
        let pool = ThreadPool::new(NonZero::<usize>::MIN);
        drop(pool.submit(move || it.wait().is_ok()).unwrap());
        pool.shutdown().unwrap();
    };
    assert_eq!(waits_for_deferred(pool), order);
}

/// Waits, and what is asked meanwhile defers these callbacks, and says so often no.
fn asked<R: Send + 'static, C: FnOnce() + Send + 'static, const N: usize>(
    deferred: [C; N],
    noes: usize,
    waits: impl FnOnce() -> R + Send + 'static,
) -> R {
    let (tell, told) = mpsc::channel();
    inside(DEPTH, move || {
        let (mut deferred, mut asked) = (Some(deferred), 0);
        let _entered = Interrupt::ask_every(Duration::from_millis(1), move || {
            deferred.take().into_iter().flatten().for_each(call);
            asked += 1;
            asked > noes
        });
        tell.send(waits()).unwrap();
    });
    told.recv().unwrap()
}

/// The closure that a wait asks settles what the wait is for, by a callback that is deferred.
#[test]
fn what_is_deferred_in_a_wait_runs_in_it() {
    watch!();
    let noes = 2;
    let (promise, future) = Future::pair();
    let finish = move || promise.finish(7).unwrap();
    assert_eq!(asked([finish], noes, move || future.wait().map(drop)), Ok(()));
    let (promise, future) = Future::pair();
    let finish = move || promise.finish(7).unwrap();
    let several = move || wait([&future], None, ReturnWhen::AllCompleted).map(drop);
    assert_eq!(asked([finish], noes, several), Ok(()));
    let (pool, event) = (ThreadPool::new(NonZero::<usize>::MIN), Event::new());
    let (set, job) = (event.clone(), event.clone());
    drop(pool.submit(move || job.wait().is_ok()).unwrap());
    // The worker goes on in a time of its own, in which is asked again and again.
    assert_eq!(asked([move || set.set()], 60_000, move || pool.shutdown()), Ok(()));

    event.clear();
    let set = event.clone();
    assert_eq!(asked([move || set.set()], noes, move || event.wait()), Ok(()));
    let semaphore = Semaphore::new(0);
    let adds = semaphore.clone();
    let gives = move || adds.release(1).unwrap();
    assert_eq!(asked([gives], noes, move || semaphore.acquire().map(drop)), Ok(()));
    let lock = Lock::new(());
    let guard = lock.try_lock().unwrap().into_owned();
    assert_eq!(asked([move || drop(guard)], noes, move || lock.lock().map(drop)), Ok(()));
    let condition = Condition::new();
    let notifies = condition.clone();
    let waits = move || condition.wait(&mut Lock::new(()).try_lock().unwrap());
    assert_eq!(asked([move || notifies.notify()], noes, waits), Ok(()));
    let barrier = Barrier::new(2);
    let comes = barrier.clone();
    assert!(asked([move || _ = comes.wait()], noes, move || barrier.wait().is_ok()));
    let queue = Queue::bounded(1);
    let puts = queue.clone();
    assert_eq!(asked([move || puts.put(1).unwrap()], noes, move || queue.get()), Ok(1));
}

/// One after the other, until the wait is over.
#[test]
fn a_wait_that_ends_by_what_was_deferred_in_it_leaves_the_rest() {
    watch!();
    let adds = |log: &Log, name, event: &Event| {
        let (log, event) = (log.clone(), event.clone());
        move || {
            log.add(name);
            event.set();
        }
    };
    for (noes, order) in [(2, ["first", "over", "second"]), (0, ["over", "first", "second"])] {
        let (log, event) = (Log::new(), Event::new());
        let both = [adds(&log, "first", &event), adds(&log, "second", &event)];
        let over = log.clone();
        let waits = move || {
            assert_eq!(event.wait().is_ok(), noes > 0);
            over.add("over");
        };
        asked(both, noes, waits);
        assert_eq!(log.entries(), order);
    }
}

#[test]
fn a_wait_that_is_over_leaves_what_was_deferred() {
    watch!();
    let zero = |it: Future, _: &Log| {
        assert!(matches!(it.wait_timeout(Duration::ZERO), Err(WaitError::Expired(_))));
    };
    assert_eq!(waits_for_deferred(zero), ["waited", "deferred"]);
    // A deadline that passes while the first of them runs: the second is left to the outermost call.
    let log = Log::new();
    let seen = log.clone();
    inside(DEPTH, move || {
        let (promise, future) = Future::pair();
        let (first, second) = (seen.clone(), seen.clone());
        let time = Duration::from_millis(50);
        call(move || {
            thread::sleep(time);
            first.add("first");
        });
        call(move || second.add("second"));
        assert!(matches!(future.wait_timeout(time), Err(WaitError::Expired(_))));
        seen.add("expired");
        drop(promise);
    });
    // On a slow machine it may have passed before the first began.
    let mut entries = log.entries();
    assert_eq!(entries.pop().as_deref(), Some("second"));
    entries.sort_unstable();
    assert_eq!(entries, ["expired", "first"]);
}

#[test]
fn a_loop_runs_what_was_deferred_before_it_sleeps() {
    watch!();
    let runs = |it: Future, _: &Log| {
        let event_loop = EventLoop::new();
        let view = bridge::wrap_future(&it, &event_loop);
        let settled = event_loop.run_until_complete(view).unwrap();
        assert_eq!(settled.result().unwrap(), &7);
    };
    assert_eq!(waits_for_deferred(runs), ["deferred", "waited"]);
}

/// What a wait answers inside callbacks that wait inside each other, each of which was deferred by the one before,
/// as deep as that goes; and how many there were.
fn too_deep<R: Send + 'static>(waits: fn(&Future) -> R, is_refused: fn(&R) -> bool) -> (R, usize) {
    type Refused<R> = Arc<Mutex<Option<(R, usize)>>>;
    fn nest<R: Send + 'static>(
        waits: fn(&Future) -> R,
        is_refused: fn(&R) -> bool,
        refused: Refused<R>,
        number: usize,
    ) {
        let (promise, future) = Future::pair();
        let first = Arc::clone(&refused);
        call(move || {
            if refused.lock().unwrap().is_none() {
                nest(waits, is_refused, refused, number + 1);
            }
            promise.finish(0).unwrap();
        });
        let answer = waits(&future);
        let mut first = first.lock().unwrap();
        if is_refused(&answer) && first.is_none() {
            *first = Some((answer, number));
        }
    }
    let refused: Refused<R> = Arc::default();
    let inner = Arc::clone(&refused);
    inside(DEPTH, move || nest(waits, is_refused, inner, 0));
    refused.lock().unwrap().take().expect("it is refused at some depth")
}

#[test]
fn waits_inside_each_other_are_refused_before_the_stack_overflows() {
    watch!();
    let (answer, number) = too_deep(|it| it.wait().map(|_| ()), Result::is_err);
    assert_eq!((answer, number), (Err(WaitError::WouldDeadlock(WouldDeadlock::TooDeep)), DEPTH));
    let several = |it: &Future| wait([it], None, ReturnWhen::AllCompleted).map(|_| ());
    let (answer, number) = too_deep(several, Result::is_err);
    assert_eq!((answer, number), (Err(WaitError::WouldDeadlock(WouldDeadlock::TooDeep)), DEPTH));
}

/// `[scope-2]` Its end could not be refused any more.
#[test]
fn a_scope_inside_too_many_callbacks_is_refused_at_its_entry() {
    watch!();
    let (answer, number) = too_deep(
        |it| {
            if it.wait().is_err() {
                return Some(scope(&ThreadPool::default(), |_| ()));
            }
            None
        },
        Option::is_some,
    );
    assert_eq!((answer, number), (Some(Err(WouldDeadlock::TooDeep)), DEPTH));
}

/// `[wait-9]` What the drop of a pool runs before it waits may enter an interrupt, and keep it.
#[test]
fn an_interrupt_that_is_entered_in_the_drop_of_a_pool_does_not_end_that() {
    watch!();
    thread_local! {
        static KEPT: Cell<Option<InterruptGuard>> = const { Cell::new(None) };
    }
    let log = Log::new();
    let seen = log.clone();
    inside(DEPTH, move || {
        let (pool, is_over) =
            (ThreadPool::new(NonZero::<usize>::MIN), Arc::new(AtomicBool::new(false)));
        let (enters, entered) = mpsc::channel();
        let (over, writes) = (Arc::clone(&is_over), seen.clone());
        drop(pool.submit(move || {
            entered.recv().unwrap();
            // A drop that does not wait is likely to be over by then.
            for _ in 0..2_000 {
                thread::yield_now();
            }
            writes.add(if over.load(Ordering::SeqCst) { "after the drop" } else { "in the drop" });
        }));
        call(move || {
            let interrupt = Interrupt::new();
            interrupt.interrupt();
            KEPT.set(Some(interrupt.enter()));
            enters.send(()).unwrap();
        });
        drop(pool);
        is_over.store(true, Ordering::SeqCst);
        seen.add("dropped");
        drop(KEPT.take());
    });
    assert_eq!(log.entries(), ["in the drop", "dropped"]);
}

/// `[wait-9]` It is a part of the drop that nothing ends, and what was deferred is not.
#[test]
fn what_is_run_in_the_drop_of_a_pool_is_interrupted() {
    watch!();
    let (tell, told) = mpsc::channel();
    inside(DEPTH, move || {
        let (pool, (_promise, future)) = (ThreadPool::default(), Future::pair());
        let (has_run, until_then) = mpsc::channel::<()>();
        drop(pool.submit(move || until_then.recv().is_ok()));
        let interrupt = Interrupt::new();
        let _entered = interrupt.enter();
        interrupt.interrupt();
        call(move || {
            tell.send(future.wait_timeout(Duration::from_secs(10)).map(drop)).unwrap();
            drop(has_run);
        });
        drop(pool);
    });
    assert_eq!(told.recv().unwrap(), Err(WaitError::Interrupted));
}

/// A value whose drop waits for a future of the same type.
struct Waits(Option<mpsc::Sender<bool>>);

impl Drop for Waits {
    fn drop(&mut self) {
        let Some(tell) = self.0.take() else { return };
        let (promise, future) = ThreadFuture::<Waits, String>::pair();
        let other = thread::spawn(move || promise.finish(Waits(None)).is_ok());
        tell.send(future.join().is_ok()).unwrap();
        assert!(other.join().unwrap());
    }
}

/// `[settled-5]` The cell's memory is given on before its value is dropped.
#[test]
fn what_a_deferred_callback_was_lent_is_dropped_when_it_is_lent_no_more() {
    watch!();
    let (tell, told) = mpsc::channel();
    inside(DEPTH, move || {
        let (promise, future) = ThreadFuture::<Waits, String>::pair();
        future.add_done_callback(|_| ());
        drop(future);
        assert!(promise.finish(Waits(Some(tell))).is_ok());
    });
    assert!(told.recv().unwrap(), "nobody is lent that future");
}

#[test]
fn a_loop_inside_too_many_callbacks_is_refused_before_it_sleeps() {
    watch!();
    // A loop runs no second one inside itself: the callbacks in between wait.
    let (answer, number) = too_deep(
        |it| {
            if it.wait().is_err() {
                return Some(EventLoop::new().run_until_complete(pending::<()>()));
            }
            None
        },
        Option::is_some,
    );
    assert_eq!((answer, number), (Some(Err(RunError::TooDeep)), DEPTH));
}

#[test]
fn a_deferred_callback_may_do_what_it_could_have_done_at_once() {
    watch!();
    let log = Log::new();
    let seen = log.clone();
    inside(DEPTH, move || {
        let guard = context::enter_loop();
        let callback = seen.clone();
        call(move || callback.add(format!("on a loop: {}", context::in_loop())));
        drop(guard);
        let (promise, future) = Future::pair();
        call(move || {
            seen.add(format!("on a loop: {}", context::in_loop()));
            promise.finish(0).unwrap();
        });
        // The loop runs what was deferred outside of it.
        let event_loop = EventLoop::new();
        let view = bridge::wrap_future(&future, &event_loop);
        event_loop.run_until_complete(view).unwrap();
    });
    assert_eq!(log.entries(), ["on a loop: true", "on a loop: false"]);
}

#[test]
fn a_deferred_callback_may_mark_its_thread_and_end_the_mark() {
    watch!();
    thread_local! {
        static GUARDS: RefCell<Vec<context::LoopGuard>> = const { RefCell::new(Vec::new()) };
    }
    fn enter() {
        GUARDS.with_borrow_mut(|guards| guards.push(context::enter_loop()));
    }
    fn leave() {
        drop(GUARDS.with_borrow_mut(Vec::pop).expect("it is marked"));
    }
    // It gives up what its thread was when it was deferred.
    enter();
    inside(DEPTH, || call(leave));
    assert!(!context::in_loop());
    // What its thread has become since.
    inside(DEPTH, || {
        call(leave);
        enter();
    });
    assert!(!context::in_loop());
    // It marks it for longer than it runs.
    inside(DEPTH, || call(enter));
    assert!(context::in_loop());
    leave();
    assert!(!context::in_loop());
    // What its thread has become last before that, it is once.
    inside(DEPTH, || {
        enter();
        call(|| ());
    });
    assert!(context::in_loop());
    leave();
    assert!(!context::in_loop());
}

/// Does something when its thread drops it.
struct AtExit(Option<Box<dyn FnOnce()>>);

impl Drop for AtExit {
    fn drop(&mut self) {
        if let Some(exit) = self.0.take() {
            exit();
        }
    }
}

thread_local! {
    static FIRST: RefCell<Option<AtExit>> = const { RefCell::new(None) };
    static LAST: RefCell<Option<AtExit>> = const { RefCell::new(None) };
}

#[test]
fn a_thread_that_is_torn_down_runs_all_of_them() {
    watch!();
    let count = Arc::new(AtomicUsize::new(0));
    let settle: Settle = |promise, _| promise.finish(1).unwrap();
    let links = {
        let count = Arc::clone(&count);
        move || link(2 * DEPTH, settle, &count)
    };
    let exits = links.clone();
    thread::spawn(move || {
        // One of them is dropped before what the crate keeps of the thread, one after it, whatever the order.
        FIRST.set(Some(AtExit(Some(Box::new(links)))));
        call(|| {});
        LAST.set(Some(AtExit(Some(Box::new(exits)))));
    })
    .join()
    .unwrap();
    assert_eq!(count.load(Ordering::Relaxed), 4 * DEPTH);
}

/// However many callbacks are deferred, they are lent one handle.
#[test]
fn however_many_are_deferred() {
    watch!();
    const MANY: usize = 1_048_600;
    let called = Arc::new(AtomicUsize::new(0));
    let (promise, future) = Future::pair();
    for _ in 0..MANY {
        let called = Arc::clone(&called);
        future.add_done_callback(move |_| _ = called.fetch_add(1, Ordering::Relaxed));
    }
    inside(DEPTH, move || promise.finish(7).unwrap());
    assert_eq!(called.load(Ordering::Relaxed), MANY);
    assert_eq!(future.join().unwrap(), 7);
}
