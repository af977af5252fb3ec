// What holds of the value holds of the error: callbacks are lent both.
use settled::ThreadFuture;

type Error = std::cell::Cell<u8>;

fn main() {
    let (promise, future) = ThreadFuture::<(), Error>::pair();
    future.add_done_callback(|_| ());
    drop(promise);
}
