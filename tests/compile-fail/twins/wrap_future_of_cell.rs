// A second view lends `&T` to the loop's thread.
use settled::{EventLoop, ThreadFuture, bridge};

type Value = std::sync::atomic::AtomicU8;

fn main() {
    let event_loop = EventLoop::new();
    let (promise, future) = ThreadFuture::<Value, ()>::pair();
    let view = bridge::wrap_future(&future, &event_loop);
    drop((promise, view));
}
