// Work begins once: the table refuses `start` in state Running.
use settled::ThreadFuture;

fn main() {
    let (promise, _future) = ThreadFuture::<u8, ()>::pair();
    let running = promise.start().unwrap();
    running.finish(1);
}
