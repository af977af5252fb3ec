// A function that blocks takes a thread future: a loop future never blocks.
use settled::{EventLoop, ThreadFuture};

fn block(future: &ThreadFuture<u8, ()>) -> u8 {
    *future.result().unwrap()
}

fn main() {
    let event_loop = EventLoop::new();
    let (promise, future) = ThreadFuture::pair();
    promise.finish(1).unwrap();
    assert_eq!(block(&future), 1);
    drop(event_loop);
}
