// The value comes back from a worker's thread.
use settled::{EventLoop, ThreadPool, bridge};

use std::sync::Arc as Shared;

fn main() {
    let (event_loop, pool) = (EventLoop::new(), ThreadPool::default());
    let _view = bridge::run_in_executor(&event_loop, &pool, || Shared::new(1));
}
