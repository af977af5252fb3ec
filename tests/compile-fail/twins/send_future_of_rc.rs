// A future takes its value along to its new thread, so that `T` must be `Send`.
use settled::ThreadFuture;

type Value = std::sync::Arc<u8>;

fn check<T: Send>(_: &T) {}

fn main() {
    let (promise, future) = ThreadFuture::<Value, ()>::pair();
    check(&future);
    drop((promise, future));
}
