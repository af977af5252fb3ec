// The value comes back from the loop's thread.
use settled::{EventLoop, bridge};

use std::rc::Rc as Shared;

fn main() {
    let event_loop = EventLoop::new();
    let _future = bridge::run_coroutine_threadsafe(async { Shared::new(1) }, &event_loop.handle());
}
