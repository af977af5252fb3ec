// The work goes to a worker's thread.
use settled::{EventLoop, ThreadPool, bridge};

use std::rc::Rc as Shared;

fn main() {
    let (event_loop, pool) = (EventLoop::new(), ThreadPool::default());
    let shared = Shared::new(1);
    let _view = bridge::run_in_executor(&event_loop, &pool, move || drop(shared));
}
