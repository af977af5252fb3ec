// A request to a Pending future is granted at once, so there is none to ask about.
use settled::ThreadFuture;

fn main() {
    let (promise, _future) = ThreadFuture::<u8, ()>::promise();
    let _ = promise.cancel_requested();
    let running = promise.start().unwrap();
    let _ = running.cancel_requested();
}
