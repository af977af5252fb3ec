//! The same work by the fastest peer of each, as `benches/peers` has it: what is repeated is the same in both.

use std::{
    future::Future,
    hint::black_box,
    pin::{Pin, pin},
    rc::Rc,
    sync::{Arc, mpsc},
    task::{Context, Poll, Waker},
    thread,
};

use async_executor::LocalExecutor;
use futures::{
    executor::{LocalPool, block_on},
    task::LocalSpawnExt,
};
use parking_lot::Mutex;
use tokio::{
    runtime::{self, Runtime},
    task::{LocalSet, spawn_local},
};

#[path = "../../../benches/peers/src/handmade.rs"]
mod handmade;

use handmade::Handmade;

use crate::{Ball, Bell, HOUR, OF_TWO_THREADS, Operation, give_way, in_vain};

/// An operation of the table, the peer, and what it does instead.
pub const PEERS: [(&str, &str, Operation); 15] = [
    ("create, finish, take", "oneshot", take),
    ("await what is ready", "oneshot", ready),
    ("register, wake, ready", "oneshot", register),
    ("1 callback", BY_HAND, |times| callbacks(times, 1)),
    ("8 callbacks", BY_HAND, |times| callbacks(times, 8)),
    ("cancel", "oneshot", cancel),
    (OF_TWO_THREADS, "mpsc+oneshot", submit),
    ("task", "local-set", task),
    ("task of many", "local-executor", many_tasks),
    ("wake a task", "local-set", wake),
    ("give way", "local-set", yields),
    ("call_soon", "local-pool", call_soon),
    ("post", "crossbeam", post),
    ("sleep in vain", "tokio", sleep_in_vain),
    ("put, get", "mpsc", put),
];

/// A lock of `parking_lot`, a condition variable and a vector of callbacks.
const BY_HAND: &str = "by hand";

fn take(times: usize) {
    for number in 0..times as u64 {
        let (sender, receiver) = black_box(oneshot::channel());
        sender.send(black_box(number)).expect("it is received");
        assert_eq!(receiver.recv().ok(), Some(number));
    }
}

fn poll_ready<F: Future>(future: Pin<&mut F>, context: &mut Context<'_>) -> F::Output {
    let Poll::Ready(output) = future.poll(context) else { panic!("it is settled") };
    output
}

fn ready(times: usize) {
    let waker = Waker::from(Arc::new(Bell));
    let mut context = Context::from_waker(&waker);
    for number in 0..times as u64 {
        let (sender, receiver) = black_box(oneshot::async_channel());
        sender.send(black_box(number)).expect("it is received");
        assert_eq!(poll_ready(pin!(receiver), &mut context).ok(), Some(number));
    }
}

fn register(times: usize) {
    let waker = Waker::from(Arc::new(Bell));
    let mut context = Context::from_waker(&waker);
    for number in 0..times as u64 {
        let (sender, receiver) = black_box(oneshot::async_channel());
        let mut receiver = pin!(receiver);
        assert!(receiver.as_mut().poll(&mut context).is_pending());
        sender.send(black_box(number)).expect("it is received");
        assert_eq!(poll_ready(receiver, &mut context).ok(), Some(number));
    }
}

fn callbacks(times: usize, count: usize) {
    for number in 0..times as u64 {
        let promise = black_box(Handmade::default());
        let future = black_box(promise.clone());
        for place in 0..count {
            future.add_done_callback(move |value| _ = black_box((place, value)));
        }
        promise.finish(black_box(number));
        drop(future);
    }
}

fn cancel(times: usize) {
    for number in 0..times as u64 {
        let (sender, receiver) = black_box(oneshot::channel());
        drop(receiver);
        let lost = sender.send(black_box(number)).expect_err("nobody receives");
        assert_eq!(lost.into_inner(), number);
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// A worker takes closures from a channel, behind the lock that several would have. It does not begin until all are there.
fn submit(times: usize) {
    let (jobs, queued) = mpsc::channel::<Job>();
    let queued = Arc::new(Mutex::new(queued));
    let ((open, gate), (end, ended)) = (mpsc::channel::<()>(), mpsc::channel());
    let worker = thread::spawn(move || {
        gate.recv().expect("it is opened");
        loop {
            let job = queued.lock().recv();
            let Ok(job) = job else { break };
            job();
        }
    });
    let mut results = Vec::with_capacity(times);
    for number in 0..times as u64 {
        let (sender, receiver) = oneshot::channel();
        let job = move || sender.send(black_box(number)).expect("it is received");
        jobs.send(Box::new(job)).expect("the worker listens");
        results.push(receiver);
    }
    jobs.send(Box::new(move || end.send(()).expect("it is awaited"))).expect("it listens");
    open.send(()).expect("the worker waits");
    ended.recv().expect("it comes to the last");
    for (number, result) in (0..).zip(results) {
        assert_eq!(result.recv().ok(), Some(number));
    }
    drop(jobs);
    worker.join().expect("it does not panic");
}

fn a_runtime() -> Runtime {
    runtime::Builder::new_current_thread().enable_time().build().expect("it needs nothing")
}

fn on_local_set(f: impl AsyncFnOnce()) {
    LocalSet::new().block_on(&a_runtime(), f());
}

fn task(times: usize) {
    on_local_set(async || {
        for number in 0..times as u64 {
            assert_eq!(spawn_local(async move { black_box(number) }).await.ok(), Some(number));
        }
    });
}

fn many_tasks(times: usize) {
    let executor = LocalExecutor::new();
    block_on(executor.run(async {
        let spawn = |number| executor.spawn(async move { black_box(number) });
        let tasks: Vec<_> = (0..times as u64).map(spawn).collect();
        for (number, task) in (0..).zip(tasks) {
            assert_eq!(task.await, number);
        }
    }));
}

fn wake(times: usize) {
    on_local_set(async || {
        let ball = Ball::of(times);
        for task in [0, 1].map(|me| spawn_local(Rc::clone(&ball).play(me))) {
            task.await.expect("it does not panic");
        }
    });
}

fn yields(times: usize) {
    on_local_set(async || spawn_local(give_way(times)).await.expect("it does not panic"));
}

fn call_soon(times: usize) {
    let mut pool = LocalPool::new();
    let spawner = pool.spawner();
    for number in 0..times {
        let call = async move { _ = black_box(number) };
        spawner.spawn_local(call).expect("the pool is there");
    }
    pool.run();
}

fn post(times: usize) {
    let (jobs, posted) = crossbeam_channel::unbounded::<Job>();
    for number in 0..times {
        jobs.send(Box::new(move || _ = black_box(number))).expect("it listens");
    }
    drop(jobs);
    posted.into_iter().for_each(|job| job());
}

fn sleep_in_vain(times: usize) {
    a_runtime().block_on(async {
        for _ in 0..times {
            in_vain(tokio::time::sleep(black_box(HOUR))).await;
        }
    });
}

fn put(times: usize) {
    let (sender, receiver) = mpsc::sync_channel(1);
    for number in 0..times as u64 {
        black_box(&sender).send(black_box(number)).expect("it has room");
        assert_eq!(black_box(&receiver).recv(), Ok(number));
    }
}
