//! What one who waits for several futures is told of.

use std::time::Instant;

use crate::sync::{Condvar, Mutex, is_over, lock, wait_until};

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

    /// Sleeps until as many as `wanted` were told of, or the deadline has passed; says whether they
    /// were. What was told while the deadline passed counts. `[wait-3]`
    pub(crate) fn sleep(&self, wanted: usize, deadline: Option<Instant>) -> bool {
        let mut told = lock(&self.told);
        while told.settled.len() < wanted {
            if is_over(deadline) {
                return false;
            }
            told.wanted = Some(wanted);
            told = wait_until(&self.enough, &self.told, told, deadline);
            told.wanted = None;
        }
        true
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
