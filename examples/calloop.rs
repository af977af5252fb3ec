//! calloop as the home of futures, and that it keeps the contract: `cargo run --example calloop`.

use calloop::{EventLoop, channel};
use settled::{Closed, Job, Schedule, conformance, context};
use std::sync::Arc;

#[derive(Clone)]
struct Calloop(channel::Sender<Job>);
impl Schedule for Calloop {
    fn call_soon_threadsafe(&self, job: Job) -> Result<(), Closed<Job>> {
        self.0.send(job).map_err(|refused| Closed::new(refused.0))
    }
}
struct Subject(EventLoop<'static, ()>, Calloop);

impl conformance::Subject for Subject {
    fn schedule(&self) -> Arc<dyn Schedule> {
        Arc::new(self.1.clone())
    }
    fn run_until(&mut self, done: &dyn Fn() -> bool) {
        while !done() {
            self.0.dispatch(None, &mut ()).unwrap();
        }
    }
}
fn make() -> Subject {
    let event_loop = EventLoop::try_new().unwrap();
    let (sender, jobs) = channel::channel::<Job>();
    let run = |event, _: &mut (), _: &mut ()| {
        let _here = context::enter_loop();
        if let channel::Event::<Job>::Msg(job) = event {
            job.run();
        }
    };
    event_loop.handle().insert_source(jobs, run).unwrap();
    Subject(event_loop, Calloop(sender))
}
fn main() {
    println!("rules kept: {}", conformance::check(make));
}
