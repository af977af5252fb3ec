// A thread's view takes the outcome of a loop's future to other threads.
use settled::{EventLoop, bridge};

type Value = std::sync::atomic::AtomicU8;

fn main() {
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<Value, ()>();
    let view = bridge::thread_future(&future);
    drop((promise, view));
}
