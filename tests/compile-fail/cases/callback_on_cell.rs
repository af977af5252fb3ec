// A callback is lent `&T` in the settling thread while the reader has it too.
use settled::ThreadFuture;

type Value = std::cell::Cell<u8>;

fn main() {
    let (promise, future) = ThreadFuture::<Value, ()>::pair();
    future.add_done_callback(|_| ());
    drop((promise, future));
}
