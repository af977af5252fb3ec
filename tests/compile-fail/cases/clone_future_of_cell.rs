// A second handle lends `&T` to a second thread, so that `T` must be `Sync`.
use settled::ThreadFuture;

type Value = std::cell::Cell<u8>;

fn check<T: Clone>(_: &T) {}

fn main() {
    let (promise, future) = ThreadFuture::<Value, ()>::pair();
    check(&future);
    drop((promise, future));
}
