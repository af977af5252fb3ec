//! A pool that waits for itself: `cargo run --example self_wait`.

use std::{num::NonZero, sync::Arc};

use settled::{Executor, ThreadPool};

/// The `n`th Fibonacci number, by a job for each call. Each job waits for two others of the one worker.
fn fibonacci(pool: &Arc<ThreadPool>, n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let inner = Arc::clone(pool);
    let other = pool.submit(move || fibonacci(&inner, n - 2)).expect("the pool is open");
    fibonacci(pool, n - 1) + other.result().expect("the worker helps itself")
}

fn main() {
    let pool = Arc::new(ThreadPool::new(NonZero::<usize>::MIN));
    let inner = Arc::clone(&pool);
    let whole = pool.submit(move || fibonacci(&inner, 15)).expect("the pool is open");
    println!("fibonacci(15) = {}, by a pool of one worker", whole.result().expect("a value"));
}
