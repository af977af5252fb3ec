//! A long job that stops on request: `cargo run --example stop_on_request`.

use settled::{Executor, Failure, ThreadPool};

fn main() {
    let pool = ThreadPool::default();
    let work = pool.submit_with(|promise| {
        let mut pieces = 1_u64;
        while !promise.cancel_requested() {
            pieces += 1; // a piece of the work
        }
        Err::<(), _>(pieces)
    });
    let job = work.expect("the pool is open");
    while !job.running() {
        std::thread::yield_now();
    }
    println!("the cancel is {:?}, and the job sees it", job.cancel());
    if let Ok(Some(Failure::Error(pieces))) = job.exception() {
        println!("stopped on request after {pieces} pieces of its work");
    }
}
