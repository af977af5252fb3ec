//! An event loop and its tasks, in one thread.

use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    future::poll_fn,
    hint::black_box,
    pin::pin,
    rc::Rc,
    task::{Poll, Waker},
    time::Duration,
};

use async_executor::LocalExecutor;
use futures::{
    executor::{LocalPool, block_on},
    task::LocalSpawnExt,
};
use settled::{EventLoop, LoopRef, tasks};
use tokio::{
    runtime::{self, Runtime},
    task::{LocalSet, spawn_local},
};

use super::sum_below;
use crate::{
    clock::Cpus,
    rounds::{Place, Row, Side},
};

pub(super) fn rows() -> Vec<Row> {
    let one = |name, what, aim, sides| Row { name, what, aim, cpus: Cpus::Any, sides };
    vec![
        one("task_join", "make a task and await it, one after the other", 1.0, joined),
        one("task_many", "make 100,000 tasks, then await each", 1.0, many),
        one("task_wake", "two tasks that wake each other in turn", 1.0, woken),
        one("task_yield", "a task that wakes itself and gives way", 1.0, yielded),
        one(
            "call_soon",
            "queue a million closures, then run them; the peers queue tasks",
            0.4,
            called,
        ),
        one("sleep", "make a sleep of an hour, poll it, drop it", 0.8, slept),
    ]
}

/// Work that is done so many times over, all of a count at once.
fn at_once(place: &Place, name: &'static str, count: usize, work: fn(usize)) -> Side {
    let (clock, count) = (place.clock(), place.count(count));
    Side::new(name, move |times| {
        let groups = times.div_ceil(count);
        (clock.time(|| (0..groups).for_each(|_| work(count))), groups * count)
    })
}

/// Runs `f` on a loop of ours.
pub(crate) fn on_ours(f: impl AsyncFnOnce(LoopRef)) {
    let event_loop = EventLoop::new();
    let run = async { f(LoopRef::current().expect("a loop runs")).await };
    event_loop.run_until_complete(run).expect("it ends");
}

pub(crate) fn on_executor(f: impl AsyncFnOnce(&LocalExecutor<'static>)) {
    let executor = LocalExecutor::new();
    block_on(executor.run(f(&executor)));
}

pub(crate) fn on_local_set(f: impl AsyncFnOnce()) {
    LocalSet::new().block_on(&a_runtime(), f());
}

pub(super) fn a_runtime() -> Runtime {
    runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("it needs nothing of the system")
}

fn joined(place: &Place) -> Vec<Side> {
    vec![
        Side::all(place, "settled", |times| {
            on_ours(async |here| {
                for number in 0..times as u64 {
                    let task =
                        here.create_task(async move { black_box(number) }).expect("it is open");
                    assert_eq!(task.await.result().ok(), Some(&number));
                }
            });
        }),
        Side::all(place, "local-executor", |times| {
            on_executor(async |executor| {
                for number in 0..times as u64 {
                    assert_eq!(executor.spawn(async move { black_box(number) }).await, number);
                }
            });
        }),
        Side::all(place, "local-set", |times| {
            on_local_set(async || {
                for number in 0..times as u64 {
                    assert_eq!(
                        spawn_local(async move { black_box(number) }).await.ok(),
                        Some(number)
                    );
                }
            });
        }),
    ]
}

fn many(place: &Place) -> Vec<Side> {
    const COUNT: usize = 100_000;
    vec![
        at_once(place, "settled", COUNT, |count| {
            on_ours(async |here| {
                let spawn = |number| {
                    here.create_task(async move { black_box(number) }).expect("it is open")
                };
                let tasks: Vec<_> = (0..count as u64).map(spawn).collect();
                let mut sum = 0;
                for task in tasks {
                    sum += task.await.result().expect("it has a value");
                }
                assert_eq!(sum, sum_below(count));
            });
        }),
        at_once(place, "local-executor", COUNT, |count| {
            on_executor(async |executor| {
                let spawn = |number| executor.spawn(async move { black_box(number) });
                let tasks: Vec<_> = (0..count as u64).map(spawn).collect();
                let mut sum = 0;
                for task in tasks {
                    sum += task.await;
                }
                assert_eq!(sum, sum_below(count));
            });
        }),
        at_once(place, "local-set", COUNT, |count| {
            on_local_set(async || {
                let spawn = |number| spawn_local(async move { black_box(number) });
                let tasks: Vec<_> = (0..count as u64).map(spawn).collect();
                let mut sum = 0;
                for task in tasks {
                    sum += task.await.expect("it does not panic");
                }
                assert_eq!(sum, sum_below(count));
            });
        }),
    ]
}

/// What two have that wake each other: how often it is still to be done, and the waker of each.
#[derive(Default)]
struct Ball {
    left: Cell<usize>,
    wakers: RefCell<[Option<Waker>; 2]>,
}

impl Ball {
    fn of(times: usize) -> Rc<Self> {
        Rc::new(Self { left: Cell::new(times), wakers: RefCell::default() })
    }

    /// Wakes the other until nothing is left.
    async fn play(self: Rc<Self>, me: usize) {
        poll_fn(|context| {
            let left = self.left.get();
            let mut wakers = self.wakers.borrow_mut();
            if let Some(other) = &wakers[1 - me] {
                other.wake_by_ref();
                self.left.set(left.saturating_sub(1));
            }
            if left == 0 {
                return Poll::Ready(());
            }
            if !wakers[me].as_ref().is_some_and(|mine| mine.will_wake(context.waker())) {
                wakers[me] = Some(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}

fn woken(place: &Place) -> Vec<Side> {
    vec![
        Side::all(place, "settled", |times| {
            on_ours(async |here| {
                let ball = Ball::of(times);
                let tasks = [0, 1]
                    .map(|me| here.create_task(Rc::clone(&ball).play(me)).expect("it is open"));
                for task in tasks {
                    assert!(task.await.result().is_ok());
                }
            });
        }),
        Side::all(place, "local-executor", |times| {
            on_executor(async |executor| {
                let ball = Ball::of(times);
                for task in [0, 1].map(|me| executor.spawn(Rc::clone(&ball).play(me))) {
                    task.await;
                }
            });
        }),
        Side::all(place, "local-set", |times| {
            on_local_set(async || {
                let ball = Ball::of(times);
                for task in [0, 1].map(|me| spawn_local(Rc::clone(&ball).play(me))) {
                    task.await.expect("it does not panic");
                }
            });
        }),
    ]
}

/// Gives way so often.
async fn give_way(times: usize) {
    let mut left = times;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn yielded(place: &Place) -> Vec<Side> {
    vec![
        Side::all(place, "settled", |times| {
            on_ours(async |here| {
                let task = here.create_task(give_way(times)).expect("it is open");
                assert!(task.await.result().is_ok());
            });
        }),
        Side::all(place, "local-executor", |times| {
            on_executor(async |executor| executor.spawn(give_way(times)).await);
        }),
        Side::all(place, "local-set", |times| {
            on_local_set(async || spawn_local(give_way(times)).await.expect("it does not panic"));
        }),
    ]
}

/// A closure's work: it has something to capture, so that it is allocated.
fn add(sum: &Cell<u64>, number: u64) {
    sum.set(sum.get() + black_box(number));
}

fn called(place: &Place) -> Vec<Side> {
    const COUNT: usize = 1_000_000;
    vec![
        at_once(place, "settled", COUNT, |count| {
            on_ours(async |here| {
                let sum = Rc::new(Cell::new(0));
                for number in 0..count as u64 {
                    let sum = Rc::clone(&sum);
                    drop(here.call_soon(move || add(&sum, number)).expect("the loop is open"));
                }
                let (promise, last) = here.create_future::<(), Infallible>();
                let end = || promise.finish(()).expect("nobody cancels");
                drop(here.call_soon(end).expect("the loop is open"));
                last.await;
                assert_eq!(sum.get(), sum_below(count));
            });
        }),
        at_once(place, "local-pool", COUNT, |count| {
            let sum = Rc::new(Cell::new(0));
            let mut pool = LocalPool::new();
            let spawner = pool.spawner();
            for number in 0..count as u64 {
                let sum = Rc::clone(&sum);
                spawner.spawn_local(async move { add(&sum, number) }).expect("the pool is there");
            }
            pool.run();
            assert_eq!(sum.get(), sum_below(count));
        }),
        at_once(place, "local-set", COUNT, |count| {
            let sum = Rc::new(Cell::new(0));
            let set = LocalSet::new();
            for number in 0..count as u64 {
                let sum = Rc::clone(&sum);
                set.spawn_local(async move { add(&sum, number) });
            }
            a_runtime().block_on(set);
            assert_eq!(sum.get(), sum_below(count));
        }),
    ]
}

const HOUR: Duration = Duration::from_secs(3600);

fn slept(place: &Place) -> Vec<Side> {
    async fn in_vain(sleep: impl Future<Output = ()>) {
        let mut sleep = pin!(sleep);
        poll_fn(|context| {
            assert!(sleep.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
    }
    vec![
        Side::all(place, "settled", |times| {
            on_ours(async |_| {
                for _ in 0..times {
                    in_vain(tasks::sleep(black_box(HOUR))).await;
                }
            });
        }),
        Side::all(place, "tokio", |times| {
            a_runtime().block_on(async {
                for _ in 0..times {
                    in_vain(tokio::time::sleep(black_box(HOUR))).await;
                }
            });
        }),
    ]
}
