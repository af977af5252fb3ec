//! What many do of one thing. Where they leave, the order is the worst of three.

use std::{
    convert::Infallible,
    future::{Future as _, IntoFuture, pending},
    hint::black_box,
    iter,
    num::NonZero,
    pin::Pin,
    sync::mpsc,
    task::Context,
    time::Duration,
};

use settled::{
    Cancel, Executor, LoopRef, ThreadPool, as_completed, bridge,
    primitives::Semaphore,
    tasks::{self},
};

use super::{loops::on_ours, pair};
use crate::{
    growth::{Growing, Order, time},
    waker::waker,
};

/// How long the part of the work of so many takes that is counted.
pub(crate) type Run = fn(usize) -> Duration;

const TO_1E6: &[usize] = &[1_000, 10_000, 100_000, 1_000_000];
const TO_1E5: &[usize] = &[1_000, 10_000, 100_000];

/// All of them.
pub(crate) const ROWS: [Growing; 13] = [
    row(
        "waiting_workers",
        "workers of a pool begin to wait, and end",
        &[8, 32, 128, 512],
        waiting_workers,
    ),
    row("leave_awaiters", "polled awaits of one thread future are dropped", TO_1E6, leave_awaiters),
    row("poll_again", "awaits of one thread future are polled a second time", TO_1E6, poll_again),
    row("leave_views", "a loop's views of one thread future are dropped", TO_1E5, leave_views),
    row("leave_iterators", "iterators over one thread future are dropped", TO_1E5, leave_iterators),
    row("remove_callback", "callbacks of one loop future are removed", TO_1E6, remove_callback),
    row(
        "cancel_awaiting",
        "tasks that await one loop future are cancelled, and end",
        TO_1E5,
        cancel_awaiting,
    ),
    row(
        "cancel_viewing",
        "tasks that await a task each, through a view of its thread future, are cancelled, and end",
        TO_1E5,
        cancel_viewing,
    ),
    row("own_jobs", "a worker waits for jobs of its own pool, and runs them", TO_1E5, own_jobs),
    row(
        "own_jobs_behind",
        "the same, with as many others queued before them",
        TO_1E5,
        own_jobs_behind,
    ),
    row("leave_line", "polled awaits of one semaphore are dropped", TO_1E6, leave_line),
    row("all_tasks", "tasks are listed", TO_1E5, all_tasks),
    row("timers_cancelled", "timers are made, then all are cancelled", TO_1E6, timers_cancelled),
];

const fn row(
    name: &'static str,
    what: &'static str,
    counts: &'static [usize],
    run: Run,
) -> Growing {
    Growing { name, what, counts, run }
}

fn waiting_workers(count: usize) -> Duration {
    let workers = NonZero::new(count).expect("some");
    let pool = ThreadPool::new(workers);
    let (arrive, arrived) = mpsc::channel();
    time(|| {
        let (promises, jobs): (Vec<_>, Vec<_>) = iter::repeat_with(|| {
            let ((promise, future), arrive) = (pair(), arrive.clone());
            let wait = move || {
                arrive.send(()).expect("somebody listens");
                *future.wait().expect("no loop runs here").result().expect("it has a value")
            };
            (promise, pool.submit(wait).expect("the pool is open"))
        })
        .take(count)
        .unzip();
        arrived.iter().take(count).for_each(drop);
        for (number, promise) in (0..).zip(promises) {
            promise.finish(number).expect("nobody cancels");
        }
        let results = jobs.iter().map(|job| *job.result().expect("it has a value"));
        assert_eq!(results.sum::<u64>(), super::sum_below(count));
    })
}

fn leave_line(count: usize) -> Duration {
    Order::worst(|order| {
        let semaphore = Semaphore::new(0);
        let waker = waker();
        let polled = iter::repeat_with(|| {
            let mut polled = semaphore.acquire_async();
            assert!(Pin::new(&mut polled).poll(&mut Context::from_waker(&waker)).is_pending());
            polled
        });
        let polled = order.of(polled.take(count).collect());
        time(|| polled.into_iter().for_each(drop))
    })
}

fn leave_awaiters(count: usize) -> Duration {
    Order::worst(|order| {
        let (promise, future) = pair();
        let waker = waker();
        let polled = iter::repeat_with(|| {
            let mut polled = (&future).into_future();
            assert!(Pin::new(&mut polled).poll(&mut Context::from_waker(&waker)).is_pending());
            polled
        });
        let polled = order.of(polled.take(count).collect());
        let elapsed = time(|| polled.into_iter().for_each(drop));
        drop(promise);
        elapsed
    })
}

fn poll_again(count: usize) -> Duration {
    let (promise, future) = pair();
    let waker = waker();
    let mut awaits: Vec<_> = iter::repeat_with(|| (&future).into_future()).take(count).collect();
    let mut poll = || {
        for polled in &mut awaits {
            assert!(Pin::new(polled).poll(&mut Context::from_waker(&waker)).is_pending());
        }
    };
    poll();
    let elapsed = time(poll);
    drop(promise);
    elapsed
}

/// What `f` says that it takes, on a loop.
fn on_a_loop(f: impl AsyncFnOnce(LoopRef) -> Duration) -> Duration {
    let mut elapsed = Duration::ZERO;
    on_ours(async |here| elapsed = f(here).await);
    elapsed
}

fn leave_views(count: usize) -> Duration {
    Order::worst(|order| {
        on_a_loop(async |here| {
            let (promise, future) = pair();
            let views = iter::repeat_with(|| bridge::wrap_future(&future, &here));
            let views = order.of(views.take(count).collect());
            let elapsed = time(|| views.into_iter().for_each(drop));
            drop(promise);
            elapsed
        })
    })
}

fn leave_iterators(count: usize) -> Duration {
    Order::worst(|order| {
        let (promise, future) = pair();
        let iterators = iter::repeat_with(|| as_completed([&future], None));
        let iterators = order.of(iterators.take(count).collect());
        let elapsed = time(|| iterators.into_iter().for_each(drop));
        drop(promise);
        elapsed
    })
}

fn remove_callback(count: usize) -> Duration {
    Order::worst(|order| {
        on_a_loop(async |here| {
            let (promise, future) = here.create_future::<u64, Infallible>();
            let tokens = iter::repeat_with(|| {
                future.add_done_callback(|settled| _ = black_box(settled.cancelled()))
            });
            let tokens = order.of(tokens.take(count).collect());
            let elapsed = time(|| {
                for token in tokens {
                    assert!(future.remove_done_callback(token));
                }
            });
            drop(promise);
            elapsed
        })
    })
}

fn cancel_awaiting(count: usize) -> Duration {
    Order::worst(|order| {
        on_a_loop(async |here| {
            let (promise, future) = here.create_future::<u64, Infallible>();
            let wait = || {
                let future = future.clone();
                here.create_task(async move { (&future).await.cancelled() }).expect("it is open")
            };
            let waits = order.of(iter::repeat_with(wait).take(count).collect());
            cancelled(waits, promise).await
        })
    })
}

/// Lets the tasks begin; then how long it takes to cancel all until all have ended.
async fn cancelled<T: 'static>(
    waits: Vec<settled::LoopFuture<T, Infallible>>,
    keep: impl Sized,
) -> Duration {
    tasks::sleep(Duration::ZERO).await;
    let clock = crate::clock::cpu_time();
    waits.iter().for_each(|task| assert_eq!(task.cancel(), Cancel::Requested));
    for task in waits {
        assert!(task.await.cancelled());
    }
    drop(keep);
    crate::clock::cpu_time() - clock
}

fn cancel_viewing(count: usize) -> Duration {
    Order::worst(|order| {
        on_a_loop(async |here| {
            let endless = || here.create_task(pending::<u64>()).expect("it is open");
            let wait = || {
                let view = bridge::wrap_future(&bridge::thread_future(&endless()), &here);
                here.create_task(async { view.await.cancelled() }).expect("it is open")
            };
            let waits = order.of(iter::repeat_with(wait).take(count).collect());
            cancelled(waits, ()).await
        })
    })
}

/// A worker that waits for jobs of its own pool: first as many others are queued as are given.
fn own_jobs_after(others: usize, count: usize) -> Duration {
    Order::worst(|order| {
        let pool = std::sync::Arc::new(ThreadPool::new(NonZero::<usize>::MIN));
        let inner = std::sync::Arc::clone(&pool);
        let elapsed = pool.submit(move || {
            let submit =
                |number| inner.submit(move || black_box(number)).expect("the pool is open");
            let others: Vec<_> = (0..others as u64).map(submit).collect();
            let jobs = order.of((0..count as u64).map(submit).collect());
            let elapsed = time(|| {
                let results = jobs.iter().map(|job| *job.result().expect("it has a value"));
                assert_eq!(results.sum::<u64>(), super::sum_below(count));
            });
            drop(others);
            elapsed
        });
        *elapsed.expect("the pool is open").result().expect("it has a value")
    })
}

fn own_jobs(count: usize) -> Duration {
    own_jobs_after(0, count)
}

fn own_jobs_behind(count: usize) -> Duration {
    own_jobs_after(count, count)
}

fn all_tasks(count: usize) -> Duration {
    on_a_loop(async |here| {
        let wait = || here.create_task(pending::<u64>()).expect("it is open");
        let waits: Vec<_> = iter::repeat_with(wait).take(count).collect();
        let elapsed = time(|| assert!(here.all_tasks().len() >= count));
        waits.iter().for_each(|task| _ = task.cancel());
        elapsed
    })
}

fn timers_cancelled(count: usize) -> Duration {
    Order::worst(|order| {
        on_a_loop(async |here| {
            let hour = Duration::from_secs(3600);
            let elapsed = crate::clock::cpu_time();
            let timer =
                |number| here.call_later(hour, move || _ = black_box(number)).expect("it is open");
            let timers = order.of((0..count).map(timer).collect());
            timers.iter().for_each(|timer| assert!(timer.cancel()));
            tasks::sleep(Duration::ZERO).await;
            crate::clock::cpu_time() - elapsed
        })
    })
}
