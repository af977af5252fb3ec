// There is no way to block in `wait` on a loop future.
use settled::EventLoop;

fn main() {
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<u8, ()>();
    future.wait().unwrap();
    drop((promise, future));
}
