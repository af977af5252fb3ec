//! The token of `std::thread::park` is one for the whole thread. A wait of ours neither needs nor takes it. `[wait-7]`

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

use std::{
    future::{Future, poll_fn},
    num::NonZero,
    pin::pin,
    sync::{Arc, mpsc},
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Duration,
};

use settled::{
    EventLoop, Executor, ReturnWhen, ThreadFuture, ThreadPool, as_completed, tasks, wait,
};

type Pending = ThreadFuture<u32, String>;

const SHORT: Duration = Duration::from_millis(1);

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The executor of `std`'s documentation: it parks the thread until the task is woken.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Waits until so many wait for a future.
fn waited_for(future: &Pending, waiters: usize) {
    while !format!("{future:?}").contains(&format!("waiters: {waiters}")) {
        thread::yield_now();
    }
}

/// Polls twice: in the first poll it is woken, and then blocks.
fn blocks_when_woken(blocks: impl FnOnce()) {
    let mut blocks = Some(blocks);
    block_on(poll_fn(|cx| match blocks.take() {
        Some(blocks) => {
            cx.waker().wake_by_ref();
            blocks();
            Poll::Pending
        }
        None => Poll::Ready(()),
    }));
}

#[test]
fn a_wait_that_expires_leaves_the_token() {
    watch!();
    let (promise, future) = Pending::pair();
    blocks_when_woken(|| assert!(future.wait_timeout(SHORT).is_err()));
    blocks_when_woken(|| {
        let (done, _) = wait([&future], Some(SHORT), ReturnWhen::AllCompleted).unwrap();
        assert!(done.is_empty());
    });
    blocks_when_woken(|| assert!(as_completed([&future], Some(SHORT)).next().unwrap().is_err()));
    blocks_when_woken(|| {
        EventLoop::new().run_until_complete(async { tasks::sleep(SHORT).await }).unwrap()
    });
    drop(promise);
}

#[test]
fn a_wait_that_ends_leaves_the_token() {
    watch!();
    // Whether a wait gets as far as to park is up to the scheduler, so that it waits often.
    for number in 0..100 {
        let (promise, future) = Pending::pair();
        let settles = future.clone();
        let other = thread::spawn(move || {
            waited_for(&settles, 1);
            promise.finish(number).unwrap();
        });
        blocks_when_woken(|| assert_eq!(future.result().unwrap(), &number));
        other.join().unwrap();
    }
    let pool = ThreadPool::new(NonZero::<usize>::MIN);
    let job = pool.submit(|| 1).unwrap();
    blocks_when_woken(|| pool.shutdown().unwrap());
    assert_eq!(job.result().unwrap(), &1);
}

#[test]
fn a_wait_does_not_return_for_the_token_of_another() {
    watch!();
    let (promise, future) = Pending::pair();
    let waits = future.clone();
    let (tell, told) = mpsc::channel();
    let waiting = thread::spawn(move || {
        thread::current().unpark();
        tell.send(thread::current()).unwrap();
        let answer = waits.result().copied().ok();
        // The token is there.
        thread::park();
        answer
    });
    let thread = told.recv().unwrap();
    waited_for(&future, 1);
    for _ in 0..100 {
        thread.unpark();
        waited_for(&future, 1);
    }
    promise.finish(7).unwrap();
    assert_eq!(waiting.join().unwrap(), Some(7));
}
