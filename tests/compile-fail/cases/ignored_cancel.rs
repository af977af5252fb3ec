// A cancel may be refused, or only be a request: its answer must be looked at.
#![deny(unused_must_use)]
use settled::ThreadFuture;

fn main() {
    let (promise, future) = ThreadFuture::<u8, ()>::pair();
    future.cancel();
    drop(promise);
}
