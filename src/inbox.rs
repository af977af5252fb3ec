//! What one who waits for several futures is told of.

use std::{sync::Arc, time::Instant};

use crate::{
    interrupt::{Sleeper, before_sleep},
    sync::{Condvar, Mutex, is_over, lock, wait_until},
};

/// The numbers of the futures that have settled, in the order in which that was told.
///
/// Telling is one push under a lock of its own, whatever the number of futures; the sleeper is woken
/// only when there are as many as it wants.
#[derive(Default)]
pub(crate) struct Inbox {
    told: Mutex<Told>,
    enough: Condvar,
}

#[derive(Default)]
struct Told {
    settled: Vec<usize>,
    /// How many the sleeper wants, if somebody sleeps.
    wanted: Option<usize>,
}

impl Inbox {
    /// The future with this number has settled.
    pub(crate) fn tell(&self, number: usize) {
        let mut told = lock(&self.told);
        told.settled.push(number);
        let wake = told.wanted.is_some_and(|wanted| told.settled.len() >= wanted);
        drop(told);
        if wake {
            self.enough.notify_one();
        }
    }

    /// Those with these numbers have settled. Nobody has told of another, and nobody sleeps.
    pub(crate) fn tell_first(&self, numbers: Vec<usize>) {
        lock(&self.told).settled = numbers;
    }

    /// Sleeps until as many as `wanted` were told of, or the deadline has passed, or the thread is interrupted; says
    /// whether they were. What was told meanwhile counts. `[wait-3]` `[wait-9]`
    pub(crate) fn sleep(self: &Arc<Self>, wanted: usize, deadline: Option<Instant>) -> bool {
        loop {
            let sleep = before_sleep(self, deadline);
            let mut told = lock(&self.told);
            while told.settled.len() < wanted && !is_over(sleep.until) {
                told.wanted = Some(wanted);
                told = wait_until(&self.enough, &self.told, told, sleep.until);
                told.wanted = None;
            }
            let enough = told.settled.len() >= wanted;
            if enough || is_over(deadline) {
                return enough;
            }
        }
    }

    /// Takes all that were told, leaving room in `last` for the next.
    pub(crate) fn take(&self, last: &mut Vec<usize>) {
        last.clear();
        std::mem::swap(&mut lock(&self.told).settled, last);
    }

    pub(crate) fn count(&self) -> usize {
        lock(&self.told).settled.len()
    }
}

impl Sleeper for Inbox {
    fn wake(&self) {
        // Whoever has looked sleeps by then.
        drop(lock(&self.told));
        self.enough.notify_one();
    }
}
