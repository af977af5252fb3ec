// There is one producer, whatever the value: else setting twice would compile.
use settled::ThreadFuture;

fn check<T: Clone>(_: &T) {}

fn main() {
    let (promise, future) = ThreadFuture::<u8, ()>::pair();
    check(&future);
    drop(promise);
}
