//! A loop that drains its jobs once a frame, and keeps the contract: `cargo run --example frame_loop`.

use settled::{Closed, Job, Schedule, conformance, context};
use std::sync::{Arc, Mutex};

/// The jobs for the next frame; `None` once the loop is closed.
struct Frames(Mutex<Option<Vec<Job>>>);

impl Schedule for Frames {
    fn call_soon_threadsafe(&self, job: Job) -> Result<(), Closed<Job>> {
        match &mut *self.0.lock().unwrap() {
            Some(jobs) => jobs.push(job),
            None => return Err(Closed::new(job)),
        }
        Ok(())
    }
}
struct FrameLoop(Arc<Frames>);

impl conformance::Subject for FrameLoop {
    fn schedule(&self) -> Arc<dyn Schedule> {
        self.0.clone()
    }
    fn run_until(&mut self, done: &dyn Fn() -> bool) {
        while !done() {
            let jobs = self.0.0.lock().unwrap().replace(Vec::new());
            let _here = context::enter_loop();
            jobs.into_iter().flatten().for_each(Job::run); // and then it would draw
        }
    }
}
impl Drop for FrameLoop {
    fn drop(&mut self) {
        drop(self.0.0.lock().map(|mut jobs| jobs.take())); // what it drops may post: not locked
    }
}
fn main() {
    let make = || FrameLoop(Arc::new(Frames(Mutex::new(Some(Vec::new())))));
    println!("rules kept: {}", conformance::check(make));
}
