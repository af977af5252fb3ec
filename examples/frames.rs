//! A loop that draws frame by frame, and is fed by a pool: `cargo run --example frames`.

use settled::{Executor, ThreadPool, host};
use std::{cell::Cell, rc::Rc, sync::Arc};

fn main() {
    let pool = ThreadPool::default();
    let (sender, mut queue) = host::job_queue();
    let host = host::Host::new(Arc::new(sender));
    let missing = Rc::new(Cell::new(0));
    for n in 1..=3_u64 {
        let job = pool.submit(move || (1..=n * 1_000_000).sum::<u64>()).unwrap();
        let missing = Rc::clone(&missing);
        missing.set(missing.get() + 1);
        host.wrap_future(&job).add_done_callback(move |sum| {
            // On the loop's thread, between two frames: what it touches needs no lock.
            println!("label {n} shows {}", sum.result().unwrap());
            missing.set(missing.get() - 1);
        });
    }
    while missing.get() > 0 {
        queue.run_pending(); // once a frame, and then it would draw
    }
    println!("all labels are drawn");
}
