// A clone of a loop future may be turned into a proof, which is `Send`, so that `T` must be `Sync`.
use settled::EventLoop;

type Value = std::cell::Cell<u8>;

fn check<T: Clone>(_: &T) {}

fn main() {
    let event_loop = EventLoop::new();
    let (promise, future) = event_loop.create_future::<Value, ()>();
    check(&future);
    drop(promise);
}
