//! Two services that share a lock and wait for each other's work, and a counter that their callbacks raise.

// Threads and locks are `std`'s, and those of the schedules where these are explored.
#[cfg(any(settled_loom, settled_shuttle))]
pub use settled::schedules::{sync, thread};
#[cfg(not(any(settled_loom, settled_shuttle)))]
pub use std::{sync, thread};

use settled::ThreadFuture;
use sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

/// What is left of something, and a bill for what was taken.
#[derive(Debug)]
pub struct Stock {
    left: Mutex<u32>,
}

impl Stock {
    /// So much is left.
    #[must_use]
    pub fn new(left: u32) -> Self {
        Self { left: Mutex::new(left) }
    }

    /// Takes one when it is paid; so much is left then. Holds the stock while it waits.
    pub fn take_holding(&self, bill: &ThreadFuture<u32, ()>) -> Option<u32> {
        let mut left = self.left.lock().unwrap();
        bill.result().ok()?;
        *left -= 1;
        Some(*left)
    }

    /// The same, and waits before it takes the stock.
    pub fn take(&self, bill: &ThreadFuture<u32, ()>) -> Option<u32> {
        bill.result().ok()?;
        let mut left = self.left.lock().unwrap();
        *left -= 1;
        Some(*left)
    }

    /// What one costs: the less is left, the more.
    pub fn price(&self) -> u32 {
        100 / *self.left.lock().unwrap()
    }
}

/// Counts what has ended, in the threads in which it does.
#[derive(Clone, Debug, Default)]
pub struct Count(Arc<AtomicU32>);

impl Count {
    /// Counts `future` when it ends, in two steps.
    pub fn watch_in_two_steps(&self, future: &ThreadFuture<u32, ()>) {
        let count = Arc::clone(&self.0);
        future.add_done_callback(move |_| {
            let so_far = count.load(Ordering::SeqCst);
            count.store(so_far + 1, Ordering::SeqCst);
        });
    }

    /// Counts `future` when it ends.
    pub fn watch(&self, future: &ThreadFuture<u32, ()>) {
        let count = Arc::clone(&self.0);
        future.add_done_callback(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
        });
    }

    /// How many have ended.
    #[must_use]
    pub fn get(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}
