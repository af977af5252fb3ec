// A shared future lends `&T` to two threads, so that `T` must be `Sync`.
use settled::ThreadFuture;

type Value = std::sync::atomic::AtomicU8;

fn check<T: Sync>(_: &T) {}

fn main() {
    let (promise, future) = ThreadFuture::<Value, ()>::pair();
    check(&future);
    drop((promise, future));
}
