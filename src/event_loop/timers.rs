//! The timers of a loop.

use std::{
    cell::{Cell, RefCell},
    cmp::{Ordering, Reverse},
    collections::{BinaryHeap, binary_heap::PeekMut},
    rc::Rc,
    time::Instant,
};

use super::{clock::Clock, ready::Scheduled};
use crate::sync::now;

/// Below this number of timers it is not worth looking for cancelled ones.
const MIN_CROWD: usize = 64;

/// What is to be called, and when.
pub(super) struct Timers {
    /// The system's if there is none.
    clock: Option<Clock>,
    timers: RefCell<BinaryHeap<Reverse<Timer>>>,
    next: Cell<u64>,
    /// When there are this many timers, those that were cancelled are removed.
    crowd: Cell<usize>,
}

struct Timer {
    at: Instant,
    /// Those for the same moment run in the order in which they were made.
    number: u64,
    call: Rc<dyn Scheduled>,
}

impl Ord for Timer {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Timer {}

impl Timers {
    pub(super) fn new(clock: Option<Clock>) -> Self {
        let (timers, next) = (RefCell::default(), Cell::new(0));
        Self { clock, timers, next, crowd: Cell::new(MIN_CROWD) }
    }

    pub(super) const fn clock(&self) -> Option<&Clock> {
        self.clock.as_ref()
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.as_ref().map_or_else(now, Clock::now)
    }

    pub(super) fn len(&self) -> usize {
        self.timers.borrow().len()
    }

    /// Adds a timer. Cancelled ones are removed whenever the number of timers has doubled, so that
    /// they take no more room than the others, and little time.
    pub(super) fn add(&self, at: Instant, call: Rc<dyn Scheduled>) {
        let mut timers = self.timers.borrow_mut();
        if timers.len() >= self.crowd.get() {
            timers.retain(|Reverse(timer)| timer.call.is_live());
            self.crowd.set(MIN_CROWD.max(2 * timers.len()));
        }
        let number = self.next.replace(self.next.get() + 1);
        timers.push(Reverse(Timer { at, number, call }));
    }

    /// When the next timer is due that has not been cancelled.
    pub(super) fn next(&self) -> Option<Instant> {
        let mut timers = self.timers.borrow_mut();
        while let Some(Reverse(timer)) = timers.peek() {
            if timer.call.is_live() {
                return Some(timer.at);
            }
            timers.pop();
        }
        None
    }

    /// Hands out those that are due, in their order. The clock is not looked at if there are none.
    pub(super) fn take_due(&self, mut take: impl FnMut(Rc<dyn Scheduled>)) {
        let mut timers = self.timers.borrow_mut();
        if timers.is_empty() {
            return;
        }
        let now = self.now();
        while let Some(timer) = timers.peek_mut()
            && timer.0.at <= now
        {
            take(PeekMut::pop(timer).0.call);
        }
    }

    pub(super) fn take_all(&self) -> impl Iterator<Item = Rc<dyn Scheduled>> + use<> {
        self.timers.take().into_sorted_vec().into_iter().rev().map(|timer| timer.0.call)
    }
}
