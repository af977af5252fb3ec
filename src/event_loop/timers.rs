//! The timers of a loop.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
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
    /// By the moment at which they are due. Those for the same moment run in the order in which they were made.
    timers: RefCell<BTreeMap<(Instant, u64), Rc<dyn Scheduled>>>,
    next: Cell<u64>,
    /// When there are this many timers, those that were cancelled are removed.
    crowd: Cell<usize>,
}

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
            timers.retain(|_, call| call.is_live());
            self.crowd.set(MIN_CROWD.max(2 * timers.len()));
        }
        let number = self.next.replace(self.next.get() + 1);
        timers.insert((at, number), call);
    }

    /// When the next timer is due that has not been cancelled.
    pub(super) fn next(&self) -> Option<Instant> {
        let mut timers = self.timers.borrow_mut();
        while let Some(timer) = timers.first_entry() {
            if timer.get().is_live() {
                return Some(timer.key().0);
            }
            timer.remove();
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
        while let Some(timer) = timers.first_entry()
            && timer.key().0 <= now
        {
            take(timer.remove());
        }
    }

    pub(super) fn take_all(&self) -> impl Iterator<Item = Rc<dyn Scheduled>> + use<> {
        self.timers.take().into_values()
    }
}
