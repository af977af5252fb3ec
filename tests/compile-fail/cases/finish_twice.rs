// A promise settles once: the first `finish` consumes it.
use settled::ThreadFuture;

fn main() {
    let (promise, _future) = ThreadFuture::<u8, ()>::pair();
    let _ = promise.finish(1);
    let _ = promise.finish(2);
}
