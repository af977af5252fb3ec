//! Waiting sleeps: it takes no processor time.
#![cfg(target_os = "linux")]

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

use std::{
    fs,
    num::NonZero,
    sync::{Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use nix::{
    sys::{
        resource::{UsageWho, getrusage},
        time::TimeValLike,
    },
    unistd::{Pid, gettid},
};
use settled::{
    EventLoop, Executor, Interrupt, LoopRef, ReturnWhen, ThreadFuture, ThreadPool, bridge, wait,
};

const WAIT: Duration = Duration::from_millis(200);
/// What a thread that sleeps so long takes at the most. The system may count in ticks of several milliseconds, each for
/// whoever runs at its end.
const SLEPT: Duration = Duration::from_millis(50);

/// What one test takes is not to count in the other.
static ALONE: Mutex<()> = Mutex::new(());

/// How often a thread that sleeps for [`WAIT`] goes to sleep at the most: one that looks every few milliseconds does so
/// more often.
const SLEEPS: i64 = 20;

/// Fails if the threads that `who` names do not sleep through what takes [`WAIT`].
fn sleeps_through(who: UsageWho, f: impl FnOnce()) {
    let now = || {
        let usage = getrusage(who).unwrap();
        let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        (Duration::from_micros(micros.try_into().unwrap()), usage.voluntary_context_switches())
    };
    let (time, sleeps) = now();
    f();
    let (time, sleeps) = (now().0 - time, now().1 - sleeps);
    assert!(time < SLEPT && sleeps < SLEEPS, "it was busy for {time:?}, and slept {sleeps} times");
}

/// What this thread of the process does, and the processor time that it has taken, in hundredths of a second.
fn state(thread: Pid) -> (char, u64) {
    let stat = fs::read_to_string(format!("/proc/self/task/{thread}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(") ").unwrap();
    let fields: Vec<_> = rest.split(' ').collect();
    (rest.chars().next().unwrap(), fields[11..13].iter().map(|it| it.parse::<u64>().unwrap()).sum())
}

/// Runs `wakes` once this thread sleeps in `waits`, or has been seen to be busy there for a second of processor time:
/// however slow the machine is, one of the two comes. Says whether it sleeps.
fn sleeps(waits: impl FnOnce(), wakes: impl FnOnce() + Send) -> bool {
    let waiter = gettid();
    let (_, begin) = state(waiter);
    thread::scope(|scope| {
        let watches = scope.spawn(move || {
            let sleeps = loop {
                match state(waiter) {
                    ('S', _) => break true,
                    (_, time) if time >= begin + 100 => break false,
                    _ => thread::yield_now(),
                }
            };
            wakes();
            sleeps
        });
        waits();
        watches.join().unwrap()
    })
}

#[test]
fn whoever_waits_is_seen_asleep() {
    watch!();
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (promise, future) = ThreadFuture::<u8, ()>::pair();
    let waits = || assert_eq!(future.wait().unwrap().result().unwrap(), &5);
    assert!(sleeps(waits, || promise.finish(5).unwrap()), "a blocked thread is busy");
    // Settled, and lent to a callback that does not return before the taker sleeps.
    let (promise, future) = ThreadFuture::<u8, ()>::pair();
    let ((begins, begun), (returns, returned)) = (mpsc::channel(), mpsc::channel());
    future.add_done_callback(move |_| {
        begins.send(()).unwrap();
        returned.recv().unwrap();
    });
    let settler = thread::spawn(move || promise.finish(5).unwrap());
    begun.recv().unwrap();
    let waits = || assert_eq!(future.join().unwrap(), 5);
    assert!(sleeps(waits, move || returns.send(()).unwrap()), "a thread that takes is busy");
    settler.join().unwrap();
    // A closure that the wait asks, and that waits itself.
    let (promise, future) = ThreadFuture::<u8, ()>::pair();
    let inner = future.clone();
    let entered = Interrupt::ask_every(Duration::ZERO, move || inner.wait().is_err());
    let waits = || assert_eq!(future.result().unwrap(), &5);
    assert!(sleeps(waits, || promise.finish(5).unwrap()), "a closure that waits is busy");
    drop(entered);
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let waits = || event_loop.run_forever().unwrap();
    assert!(sleeps(waits, || handle.stop()), "a loop with nothing to do is busy");
    // What ends waits is no business of a loop that sleeps.
    let interrupt = Interrupt::new();
    let _entered = interrupt.enter();
    interrupt.interrupt();
    let handle = event_loop.handle();
    let waits = || event_loop.run_forever().unwrap();
    assert!(sleeps(waits, || handle.stop()), "a loop is busy for an interrupt");
}

#[test]
fn a_waiting_thread_and_a_loop_with_nothing_to_do_sleep() {
    watch!();
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (promise, future) = ThreadFuture::<u8, ()>::pair();
    sleeps_through(UsageWho::RUSAGE_THREAD, || {
        assert!(future.wait_timeout(WAIT).is_err());
    });
    sleeps_through(UsageWho::RUSAGE_THREAD, || {
        let (_, not_done) = wait([&future], Some(WAIT), ReturnWhen::AllCompleted).unwrap();
        assert_eq!(not_done.len(), 1);
    });
    drop(promise);

    // With a task that awaits, an idle worker, and a timer that is still far away.
    let event_loop = EventLoop::new();
    let pool = ThreadPool::new(NonZero::<usize>::MIN);
    pool.submit(|| {}).unwrap().wait().unwrap();
    let (_promise, future) = ThreadFuture::<u8, ()>::pair();
    let view = bridge::wrap_future(&future, &event_loop);
    drop(event_loop.create_task(async { view.await.cancelled() }).unwrap());
    event_loop.call_later(Duration::from_secs(600), || {}).unwrap();
    let stop = LoopRef::clone(&event_loop);
    event_loop.call_later(WAIT, move || stop.stop()).unwrap();
    sleeps_through(UsageWho::RUSAGE_SELF, || event_loop.run_forever().unwrap());
}
