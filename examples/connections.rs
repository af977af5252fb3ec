//! A pool of connections, bounded by one semaphore that threads and the tasks of two loops share.

use std::{
    sync::{Arc, Mutex},
    thread,
};

use settled::{
    EventLoop,
    primitives::{Permit, Semaphore},
};

/// As many permits as there may be connections, and those that nobody uses.
#[derive(Clone)]
struct Pool(Semaphore, Arc<Mutex<Vec<String>>>);

impl Pool {
    /// Uses one that is there, or a new one, and keeps it before its permit goes back.
    fn with<R>(&self, _permit: Permit<'_>, use_it: impl FnOnce(&str) -> R) -> R {
        let last = self.1.lock().unwrap().pop();
        let connection = last.unwrap_or_else(|| "a connection".to_owned());
        let end = use_it(&connection);
        self.1.lock().unwrap().push(connection);
        end
    }
}

async fn ask(pool: Pool, number: u32) {
    pool.with(pool.0.acquire_async().await, |it| println!("loop {number} has {it}"));
}

fn main() {
    let pool = Pool(Semaphore::bounded(2), Arc::default());
    thread::scope(|scope| {
        for number in 0..2 {
            let (here, there) = (&pool, pool.clone());
            scope.spawn(move || {
                let permit = here.0.acquire().expect("no loop runs here");
                here.with(permit, |it| println!("thread {number} has {it}"));
            });
            scope.spawn(move || EventLoop::new().run_until_complete(ask(there, number)).unwrap());
        }
    });
    println!("all connections are back: {} of at most two", pool.1.lock().unwrap().len());
}
