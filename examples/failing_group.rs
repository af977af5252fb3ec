//! A group of tasks of which one fails: `cargo run --example failing_group`.

use settled::{EventLoop, tasks};
use std::{future::pending, time::Duration};

struct Connection;
impl Drop for Connection {
    fn drop(&mut self) {
        println!("the idle connection is closed");
    }
}

fn main() {
    let group = tasks::task_group(async |group| {
        let idle = Connection;
        drop(group.create_task(async { pending::<Result<(), _>>().await.map(|()| idle) }));
        drop(group.create_task(async {
            tasks::sleep(Duration::from_millis(5)).await;
            Err::<(), _>("the disk is full")
        }));
        pending::<Result<(), _>>().await
    });
    let error = EventLoop::new().run_until_complete(group).unwrap().unwrap_err();
    println!("the group has ended, and all in it: {}", error.errors[0]);
}
