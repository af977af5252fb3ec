// `start` consumes the Pending promise: only the Running one can finish.
use settled::ThreadFuture;

fn main() {
    let (promise, _future) = ThreadFuture::<u8, ()>::pair();
    let running = promise.start().unwrap();
    running.finish(2);
}
