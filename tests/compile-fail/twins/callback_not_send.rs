// Callbacks run in the settling thread, whichever that is.
use settled::ThreadFuture;

use std::sync::Arc as Shared;

fn main() {
    let (promise, future) = ThreadFuture::<u8, ()>::pair();
    let shared = Shared::new(1);
    future.add_done_callback(move |_| drop(shared));
    drop(promise);
}
