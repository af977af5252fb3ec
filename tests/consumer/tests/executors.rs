//! A thread future is awaited on any executor, and the crate's loop awaits any future.

#[macro_use]
#[path = "../../support/watchdog.rs"]
mod watchdog;

use std::{rc::Rc, thread, time::Duration};

use futures::{
    FutureExt,
    executor::{LocalPool, ThreadPool, block_on},
    future::{Either, join_all, select, try_join_all},
    stream::{FuturesUnordered, StreamExt},
    task::{LocalSpawnExt, SpawnExt},
};
use settled::{Cancel, EventLoop, ThreadFuture};
use tokio::{runtime, sync::oneshot, task::LocalSet};

/// A future that another thread finishes, possibly while it is awaited.
fn from_a_thread(value: u32) -> ThreadFuture<u32, String> {
    let (promise, future) = ThreadFuture::pair();
    thread::spawn(move || promise.start().unwrap().finish(value));
    future
}

/// Awaits by reference, then by value.
async fn twice(future: ThreadFuture<u32, String>) -> u32 {
    let first = *(&future).await.result().unwrap();
    first + future.await.take().unwrap().unwrap()
}

#[test]
fn futures_block_on() {
    watch!();
    assert_eq!(block_on(twice(from_a_thread(21))), 42);
    assert_eq!(block_on(from_a_thread(7).into_future()).result().unwrap(), &7);
}

#[test]
fn futures_combinators() {
    watch!();
    let all = join_all((1..=3).map(|n| from_a_thread(n).into_future()));
    let sum: u32 = block_on(all).iter().map(|settled| settled.result().unwrap()).sum();
    assert_eq!(sum, 6);

    let (promise, slow) = ThreadFuture::<u32, String>::pair();
    match block_on(select(from_a_thread(1).into_future(), (&slow).into_future())) {
        Either::Left((settled, _slow)) => assert_eq!(settled.result().unwrap(), &1),
        Either::Right(_) => panic!("nobody has finished it"),
    }
    assert!(!slow.done(), "dropping an await cancels nothing");
    promise.finish(2).unwrap();
    assert_eq!((&slow).into_future().now_or_never().unwrap().result().unwrap(), &2);
}

/// The spellings of the guide.
#[test]
fn futures_of_many_jobs_by_value() {
    watch!();
    let jobs = || (1..=3).map(from_a_thread);
    let sum: u32 = block_on(try_join_all(jobs().map(ThreadFuture::output))).unwrap().iter().sum();
    assert_eq!(sum, 6);
    let all = block_on(join_all(jobs().map(ThreadFuture::output_result)));
    assert!(all.into_iter().map(|it| it.unwrap().unwrap()).eq(1..=3));
    let unordered: FuturesUnordered<_> = jobs().map(ThreadFuture::output).collect();
    let mut values: Vec<_> = block_on(unordered.map(Result::unwrap).collect());
    values.sort_unstable();
    assert_eq!(values, [1, 2, 3]);
}

/// The spellings of the guide.
#[test]
fn tokio_spawn_select_and_timeout() {
    watch!();
    let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build();
    runtime.unwrap().block_on(async {
        assert_eq!(tokio::spawn(from_a_thread(1).output()).await.unwrap().unwrap(), 1);
        let (promise, slow) = ThreadFuture::<u32, String>::pair();
        assert!(tokio::time::timeout(Duration::from_millis(1), &slow).await.is_err());
        let quick = from_a_thread(2);
        let first = tokio::select! {
            settled = &quick => settled.result().copied(),
            settled = &slow => settled.result().copied(),
        };
        assert_eq!(first.unwrap(), 2);
        // Nothing of that has cancelled anything, and by value it is one call.
        promise.finish(3).unwrap();
        let in_time = tokio::time::timeout(Duration::from_secs(600), slow.output()).await;
        assert_eq!(in_time.unwrap().unwrap(), 3);
        assert_eq!(
            tokio::join!(from_a_thread(4).output(), from_a_thread(5).output()),
            (Ok(4), Ok(5))
        );
    });
}

#[test]
fn futures_local_pool() {
    watch!();
    let mut pool = LocalPool::new();
    let (promise, future) = ThreadFuture::<Rc<u32>, ()>::pair();
    let spawner = pool.spawner();
    let answer = spawner
        .spawn_local_with_handle(async move { *future.await.result().unwrap().as_ref() })
        .unwrap();
    spawner.spawn_local(async move { promise.finish(Rc::new(42)).unwrap() }).unwrap();
    assert_eq!(pool.run_until(answer), 42, "a value that is not Send stays in its thread");
}

#[test]
fn futures_thread_pool() {
    watch!();
    let pool = ThreadPool::builder().pool_size(2).create().unwrap();
    let answer = pool.spawn_with_handle(twice(from_a_thread(21))).unwrap();
    assert_eq!(block_on(answer), 42);
}

#[test]
fn tokio_current_thread() {
    watch!();
    let runtime = runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(twice(from_a_thread(21))), 42);
}

#[test]
fn tokio_multi_thread() {
    watch!();
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let answer = runtime.block_on(async {
        let tasks: Vec<_> = (0..8).map(|n| tokio::spawn(twice(from_a_thread(n)))).collect();
        let direct = tokio::spawn(from_a_thread(1).into_future()).await.unwrap();
        let mut sum = direct.take().unwrap().unwrap();
        for task in tasks {
            sum += task.await.unwrap();
        }
        sum
    });
    assert_eq!(answer, 1 + 2 * (0..8).sum::<u32>());
}

#[test]
fn tokio_local_set() {
    watch!();
    let runtime = runtime::Builder::new_current_thread().build().unwrap();
    let (promise, future) = ThreadFuture::<Rc<u32>, ()>::pair();
    let local = LocalSet::new();
    let answer = local.block_on(&runtime, async move {
        let reader = tokio::task::spawn_local(async move { **future.await.result().unwrap() });
        tokio::task::spawn_local(async move { promise.finish(Rc::new(42)).unwrap() });
        reader.await.unwrap()
    });
    assert_eq!(answer, 42);
}

/// Stopping a task of somebody else's executor cancels nothing, also if it awaits by value.
#[test]
fn tokio_abort_cancels_nothing() {
    watch!();
    let runtime = runtime::Builder::new_current_thread().build().unwrap();
    let (promise, future) = ThreadFuture::<u32, String>::pair();
    let other = future.clone();
    runtime.block_on(async move {
        let task = tokio::spawn(future.into_future());
        tokio::task::yield_now().await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
    });
    assert!(!other.done());
    assert_eq!(other.cancel(), Cancel::Now);
    drop(promise);
}

/// The other way round: a loop future shown to tokio's world, by a loop in a thread of its own.
#[test]
fn tokio_awaits_a_task_of_the_loop() {
    watch!();
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    let other = thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().build().unwrap();
        let task = settled::bridge::run_coroutine_threadsafe(async { 42 }, &handle).unwrap();
        let answer = runtime.block_on(task.into_future()).take().unwrap().unwrap();
        handle.stop();
        answer
    });
    event_loop.run_forever().unwrap();
    assert_eq!(other.join().unwrap(), 42);
}

/// The crate's loop awaits tokio's channels and tasks, and `futures`' combinators.
#[test]
fn the_loop_awaits_foreign_futures() {
    watch!();
    let runtime = runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let (send, receive) = oneshot::channel();
    let task = runtime.spawn(async move { send.send(40).unwrap() });
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<u32, ()>();
    event_loop.call_later(Duration::from_millis(1), || promise.finish(2).unwrap()).unwrap();
    let sum = event_loop.run_until_complete(async {
        let (forty, settled) = futures::join!(receive, future.into_future());
        task.await.unwrap();
        forty.unwrap() + settled.take().unwrap().unwrap()
    });
    assert_eq!(sum, Ok(42));
}
