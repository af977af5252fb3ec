// The error comes back from a worker's thread.
use settled::{EventLoop, ThreadPool, bridge};

use std::rc::Rc as Shared;

fn main() {
    let (event_loop, pool) = (EventLoop::new(), ThreadPool::default());
    let work = || Err::<(), _>(Shared::new(1));
    let _view = bridge::run_in_executor_result(&event_loop, &pool, work);
}
