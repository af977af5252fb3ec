//! `concurrent.futures.Future`, `wait` and `as_completed`.

use std::{
    sync::{Arc, Mutex, Weak, mpsc},
    thread,
    time::Duration,
};

use nix::{sys::signal::Signal, unistd::Pid};
use settled::{Cancel, Cancelled, Failure, Promise, ReturnWhen, ThreadFuture, as_completed, wait};

use super::python;

#[test]
fn a_cancelled_future_is_done_for_wait() {
    watch!();
    let (_promise, future) = ThreadFuture::<(), ()>::pair();
    assert_eq!(future.cancel(), Cancel::Now);
    let (done, not_done) = wait([&future], None, ReturnWhen::AllCompleted).unwrap();
    assert_eq!((done.len(), not_done.len()), (1, 0));
    python("f = Future(); f.cancel(); print(f.done(), len(wait([f], 0).done))", "True 0");
}

#[test]
fn as_completed_counts_from_the_call() {
    watch!();
    let (promise, future) = ThreadFuture::<(), ()>::pair();
    let mut settled = as_completed([&future], Some(Duration::ZERO));
    assert!(settled.next().unwrap().is_err());
    drop(settled);
    // It has registered at the call; Python's generator does nothing before its first `next`.
    let settled = as_completed([&future], None);
    assert!(format!("{future:?}").contains("waiters: 1"), "{future:?}");
    drop(settled);
    promise.finish(()).unwrap();
    python("f = Future(); i = as_completed([f]); print(len(f._waiters))", "0");
}

#[test]
fn the_reason_of_a_cancel_is_a_text() {
    watch!();
    let (_promise, future) = ThreadFuture::<(), ()>::pair();
    assert_eq!(future.cancel_with("the user left"), Cancel::Now);
    assert_eq!(future.wait().unwrap().cancel_reason().as_deref(), Some("the user left"));
    python(
        "async def main():\n f = asyncio.get_running_loop().create_future(); f.cancel(5)\n try: f.result()\n \
         except asyncio.CancelledError as e: print(e.args)\nasyncio.run(main())",
        "(5,)",
    );
}

#[test]
fn no_panic_of_a_callback_skips_the_others() {
    watch!();
    let (promise, future) = ThreadFuture::<(), ()>::pair();
    let (tells, told) = mpsc::channel();
    future.add_done_callback(|_| panic!("as SystemExit does"));
    future.add_done_callback(move |_| tells.send(()).unwrap());
    promise.finish(()).unwrap();
    told.recv().unwrap();
    python(
        "f = Future()\ndef leave(_): raise SystemExit\nf.add_done_callback(leave)\n\
         f.add_done_callback(lambda _: print('told'))\ntry: f.set_result(1)\n\
         except SystemExit: print('left')",
        "left",
    );
}

#[test]
fn a_chain_of_callbacks_needs_little_stack() {
    watch!();
    let (first, mut last) = ThreadFuture::<(), ()>::pair();
    for _ in 0..2000 {
        let (promise, future) = ThreadFuture::<(), ()>::pair();
        last.add_done_callback(move |_| promise.finish(()).unwrap());
        last = future;
    }
    first.finish(()).unwrap();
    assert!(last.done());
    python(
        "import logging; logging.disable()\nchain = [Future() for _ in range(2001)]\n\
         for f, g in zip(chain, chain[1:]): f.add_done_callback(lambda _, g=g: g.set_result(None))\n\
         chain[0].set_result(None); print(chain[99].done(), chain[-1].done())",
        "True False",
    );
}

#[test]
fn a_settled_future_lets_go_of_its_callbacks() {
    watch!();
    let (promise, future) = ThreadFuture::<(), ()>::pair();
    let held = Arc::new(());
    let holds = Arc::clone(&held);
    future.add_done_callback(move |_| drop(Arc::clone(&holds)));
    promise.finish(()).unwrap();
    assert_eq!(Arc::strong_count(&held), 1);
    python(
        "class It: pass\nf = Future(); it = It(); gone = weakref.ref(it)\n\
         f.add_done_callback(lambda _, it=it: None)\nf.set_result(1); del it; gc.collect()\n\
         print(gone() is None)",
        "False",
    );
}

#[test]
fn a_request_to_running_work_is_visible() {
    watch!();
    let (promise, future) = ThreadFuture::<(), ()>::pair();
    let promise = promise.start().unwrap();
    assert!(!future.cancel().thread_answer());
    assert!(promise.cancel_requested());
    promise.finish(());
}

#[test]
fn a_promise_that_is_dropped_settles() {
    watch!();
    let (promise, future) = ThreadFuture::<(), ()>::pair();
    drop(promise);
    let failure = future.exception().unwrap().unwrap();
    assert!(matches!(failure, Failure::Cancelled(it) if *it == Cancelled::Dropped), "{failure:?}");
}

#[test]
fn no_cycle_is_collected() {
    watch!();
    type Held = Mutex<Option<Promise<(), ()>>>;
    let (promise, future) = ThreadFuture::pair();
    let held = Arc::new(Held::new(Some(promise)));
    let seen: Weak<Held> = Arc::downgrade(&held);
    // The promise keeps the cell, the cell its callback, the callback the promise.
    future.add_done_callback(move |_| drop(held));
    drop(future);
    let held = seen.upgrade().expect("nobody collects it");
    let promise = held.lock().unwrap().take();
    drop(held);
    drop(promise);
    assert!(seen.upgrade().is_none(), "who takes the promise out breaks the cycle");
    python(
        "f = Future(); f.add_done_callback(lambda _, f=f: None); gone = weakref.ref(f); del f\n\
         gc.collect(); print(gone() is None)",
        "True",
    );
}

#[test]
fn no_signal_ends_a_wait() {
    watch!();
    let (promise, future) = ThreadFuture::<u32, ()>::pair();
    let (tells, told) = mpsc::channel();
    ctrlc::set_handler(move || tells.send(()).unwrap()).unwrap();
    let finisher = thread::spawn(move || {
        nix::sys::signal::kill(Pid::this(), Signal::SIGINT).unwrap();
        told.recv().unwrap();
        promise.finish(5).unwrap();
    });
    assert_eq!(future.result().unwrap(), &5, "the handler ran, and the wait went on");
    finisher.join().unwrap();
    python(
        "import signal, os\nf = Future()\nkill = lambda: os.kill(os.getpid(), signal.SIGINT)\n\
         try: threading.Timer(0.1, kill).start(); f.result()\nexcept KeyboardInterrupt: print('interrupted')",
        "interrupted",
    );
}
