// `start` consumes the Pending promise: only the Running one can finish.
use settled::ThreadFuture;

fn main() {
    let (promise, _future) = ThreadFuture::<u8, ()>::pair();
    let running = promise.start().unwrap();
    let _ = promise.finish(1);
    running.finish(2);
}
