// A thread future is awaited, and never polled itself.
use std::future::Future;
use settled::ThreadFuture;

fn spawn(_: impl Future) {}

fn main() {
    let (promise, future) = ThreadFuture::<u8, ()>::pair();
    spawn(future.output());
    drop(promise);
}
