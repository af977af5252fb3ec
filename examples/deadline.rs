//! Cancelling on a deadline, a task and running work: `cargo run --example deadline`.

use settled::{EventLoop, Executor, LoopRef, ThreadPool, bridge, tasks};
use std::{future::pending, time::Duration};

fn main() {
    let (pool, soon) = (ThreadPool::default(), Duration::from_millis(5));
    let run = EventLoop::new().run_until_complete(async {
        let here = LoopRef::current().unwrap();
        let task = here.create_task(pending::<()>()).unwrap();
        let late = tasks::wait_for(task, soon).await.unwrap_err();
        println!("the task was stopped: {}", late.future.cancelled());

        let work = pool.submit_with(|job| {
            while !job.cancel_requested() {}
            Ok::<_, ()>("half of it")
        });
        let work = work.unwrap();
        // Until a worker has begun it, a cancel is final.
        while !work.running() {
            tasks::sleep(Duration::ZERO).await;
        }
        let view = bridge::wrap_future(&work, &here);
        let late = tasks::wait_for(view, soon).await.unwrap_err();
        // Running work is not interrupted: it sees the request, and its outcome stays readable.
        println!("the work gave {}", late.future.await.result().unwrap());
    });
    run.unwrap();
}
