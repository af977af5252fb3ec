// The coroutine goes to the loop's thread.
use settled::{EventLoop, bridge};

use std::sync::Arc as Shared;

fn main() {
    let event_loop = EventLoop::new();
    let shared = Shared::new(1);
    let _future = bridge::run_coroutine_threadsafe(async { drop(shared) }, &event_loop.handle());
}
