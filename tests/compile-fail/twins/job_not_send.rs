// A job is run by whichever thread takes it.
use settled::Job;

use std::sync::Arc as Shared;

fn main() {
    let shared = Shared::new(1);
    Job::new(move || drop(shared)).run();
}
