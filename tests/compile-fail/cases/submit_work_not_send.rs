// The work goes to a worker's thread.
use settled::{Executor, ThreadPool};

use std::rc::Rc as Shared;

fn main() {
    let pool = ThreadPool::default();
    let shared = Shared::new(1);
    let _future = pool.submit(move || drop(shared));
}
