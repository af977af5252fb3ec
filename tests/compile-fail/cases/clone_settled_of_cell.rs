// The proof is a handle like the others: a second one lends `&T` to a second thread.
use settled::{Settled, ThreadFuture};

type Value = std::cell::Cell<u8>;

fn another(settled: &Settled<Value, ()>) -> Settled<Value, ()> {
    Settled::clone(settled)
}

fn main() {
    let (promise, future) = ThreadFuture::<Value, ()>::pair();
    drop(promise);
    drop(another(future.wait().unwrap()));
}
