// Running work cannot be cancelled, also not by the one who does it.
use settled::ThreadFuture;

fn main() {
    let (promise, _future) = ThreadFuture::<u8, ()>::pair();
    let running = promise.start().unwrap();
    running.stopped();
}
