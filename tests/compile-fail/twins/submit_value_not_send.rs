// The value comes back from a worker's thread.
use settled::{Executor, ThreadPool};

use std::sync::Arc as Shared;

fn main() {
    let pool = ThreadPool::default();
    let _future = pool.submit(|| Shared::new(1));
}
