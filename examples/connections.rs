//! A pool of connections, bounded by one semaphore that threads and the tasks of two loops share.

use std::{
    sync::{Arc, Mutex},
    thread,
};

use settled::{
    EventLoop, LoopRef, WaitError,
    primitives::{Permit, Semaphore},
};

/// The connections that nobody uses, and as many permits.
#[derive(Clone)]
struct Pool(Semaphore, Arc<Mutex<Vec<String>>>);

/// A connection in use. It goes back before its permit does.
struct Lease(String, Pool, #[expect(dead_code, reason = "held for its drop")] Permit<'static>);

impl Pool {
    fn lease(&self, permit: Permit<'_>) -> Lease {
        let connection = self.1.lock().unwrap().pop().expect("a permit is a connection");
        Lease(connection, self.clone(), permit.into_owned())
    }

    fn get(&self) -> Result<Lease, WaitError> {
        Ok(self.lease(self.0.acquire()?))
    }

    async fn get_async(&self) -> Lease {
        self.lease(self.0.acquire_async().await)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.1.1.lock().unwrap().push(std::mem::take(&mut self.0));
    }
}

async fn ask(pool: Pool, number: u32) {
    println!("loop {number} has {}", pool.get_async().await.0);
}

fn main() {
    let names = ["one", "two"].map(str::to_owned);
    let pool = Pool(Semaphore::bounded(names.len()), Arc::new(Mutex::new(names.into())));
    thread::scope(|scope| {
        for number in 0..2 {
            let (in_thread, on_loop) = (pool.clone(), pool.clone());
            scope.spawn(move || println!("thread {number} has {}", in_thread.get().unwrap().0));
            scope.spawn(move || {
                let run = EventLoop::new().run_until_complete(async move {
                    let here = LoopRef::current().unwrap();
                    let task = here.create_task(ask(on_loop.clone(), number)).unwrap();
                    ask(on_loop, number).await;
                    task.await;
                });
                run.unwrap();
            });
        }
    });
    println!("all {} connections are back", pool.1.lock().unwrap().len());
}
