//! The waiters: who is in the list, and who takes it out when.
//!
//! ```text
//! who                                 what             when, with the lock held
//! whoever registers                   enters, last     in the step in which the word says that the wait is not over
//! whoever leaves                      goes             at any time, if it is still there
//! the step that settles               takes everybody  but those who wait for the callbacks that it lends the outcome
//! the step that ends a wait of these  takes those      a request, the last handle but the promise's, the end of lending
//! ```
//!
//! Whoever is taken out is told by the thread that did it, once, with no lock held. `[callback-2]`

use std::task::Waker;

use super::Until;
use crate::{context::Id, waiter::Waiter};

/// Names a registered waiter, so that it can leave, and says what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

impl Ticket {
    const fn new(number: u64, until: Until) -> Self {
        Self(number << 2 | until as u64)
    }

    const fn waits_until(self, until: Until) -> bool {
        self.0 & 3 == until as u64
    }

    /// Whether this is the producer's, who is told of nothing when it settles the cell itself.
    pub(super) const fn listens(self) -> bool {
        self.waits_until(Until::Requested) || self.waits_until(Until::Closed)
    }
}

/// Whoever was taken out, and is to be told.
pub(super) type Taken = Vec<(Ticket, Waiter)>;

/// Everyone who waits and the loop views, in the order in which they registered; once the cell is settled, those who wait
/// for the end of the lending.
#[derive(Default)]
pub(super) struct Waiters {
    /// The name of the next.
    next: u64,
    places: Taken,
}

impl Waiters {
    pub(super) fn enter(&mut self, until: Until, waiter: Waiter) -> Ticket {
        let ticket = Ticket::new(self.next, until);
        self.next += 1;
        self.places.push((ticket, waiter));
        ticket
    }

    /// Takes one out, if it is still there.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<Waiter> {
        let at = self.places.iter().position(|(other, _)| *other == ticket)?;
        Some(self.places.remove(at).1)
    }

    /// Takes those out who wait for this.
    pub(super) fn take(&mut self, until: Until) -> Taken {
        // Mostly there is nobody.
        if self.places.is_empty() {
            return Taken::new();
        }
        self.places.extract_if(.., |(ticket, _)| ticket.waits_until(until)).collect()
    }

    /// Takes everybody out.
    pub(super) fn take_all(&mut self) -> Taken {
        std::mem::take(&mut self.places)
    }

    /// Takes everybody out but those who wait for this.
    pub(super) fn take_others(&mut self, until: Until) -> Taken {
        let stay = self.take(until);
        std::mem::replace(&mut self.places, stay)
    }

    /// Whether the ticket's waiter is there, and wakes the same task.
    pub(super) fn wakes(&self, ticket: Ticket, by: &Waker) -> bool {
        let wakes =
            |waiter: &Waiter| matches!(waiter, Waiter::Waker(waker, _) if waker.will_wake(by));
        self.places.iter().any(|(other, waiter)| *other == ticket && wakes(waiter))
    }

    /// Whether somebody is told on this loop.
    pub(super) fn is_awaited_on(&self, home: Id) -> bool {
        self.places.iter().any(|(_, waiter)| waiter.home() == Some(home))
    }

    /// How many wait, the producer not counted.
    pub(super) fn count(&self) -> usize {
        self.places.iter().filter(|(ticket, _)| !ticket.listens()).count()
    }
}
