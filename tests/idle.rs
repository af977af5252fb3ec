//! Waiting sleeps: it takes no processor time.
#![cfg(target_os = "linux")]

use std::{num::NonZero, time::Duration};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};
use settled::{EventLoop, Executor, LoopRef, ThreadFuture, ThreadPool, bridge};

const WAIT: Duration = Duration::from_millis(200);

/// The processor time that `f` takes of the threads that `who` names.
fn processor_time(who: UsageWho, f: impl FnOnce()) -> Duration {
    let now = || {
        let usage = getrusage(who).unwrap();
        let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        Duration::from_micros(micros.try_into().unwrap())
    };
    let begin = now();
    f();
    now() - begin
}

#[test]
fn a_waiting_thread_and_a_loop_with_nothing_to_do_sleep() {
    let (promise, future) = ThreadFuture::<u8, ()>::promise();
    let blocked = processor_time(UsageWho::RUSAGE_THREAD, || {
        assert!(future.wait_timeout(WAIT).is_err());
    });
    assert!(blocked < WAIT / 4, "{blocked:?}");
    drop(promise);

    // With a task that awaits, an idle worker, and a timer that is still far away.
    let event_loop = EventLoop::new();
    let pool = ThreadPool::new(NonZero::<usize>::MIN);
    pool.submit(|| {}).unwrap().wait().unwrap();
    let (_promise, future) = ThreadFuture::<u8, ()>::promise();
    let view = bridge::wrap_future(&future, &event_loop);
    drop(event_loop.create_task(async { view.await.cancelled() }).unwrap());
    event_loop.call_later(Duration::from_secs(600), || {}).unwrap();
    let stop = LoopRef::clone(&event_loop);
    event_loop.call_later(WAIT, move || stop.stop()).unwrap();
    let idle = processor_time(UsageWho::RUSAGE_SELF, || event_loop.run_forever().unwrap());
    assert!(idle < WAIT / 4, "{idle:?}");
}
