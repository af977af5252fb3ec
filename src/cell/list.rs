//! The list: who is told and who is called, and who takes them out when.
//!
//! ```text
//! who                                 what             when, with the lock held
//! whoever registers                   enters, last     with the step in which the word says that the wait is not over
//! whoever leaves                      goes             at any time, if it is still there
//! the step that settles               takes everybody  but those who wait for the callbacks that it lends the outcome
//! the step that ends a wait of these  takes those      a request, the last handle but the promise's, the end of lending
//! ```
//!
//! It is all that when it is in the place of the cell alone, without a list: see [`super::place`].
//!
//! The word says whether there may be somebody: its flags change with the lock held, so that a step that settles, asks or
//! tells needs no lock where there are none, and takes it first where there are. `[cell-1]`
//!
//! Whoever is taken out is told by the thread that did it, once, with no lock held. `[callback-2]`

use std::task::Waker;

use super::Until;
use crate::{
    context::Id,
    error::{Failure, Reason},
    waiter::{Callbacks, Waiter},
};

/// Those who have no room in the place of the cell. Most cells have none.
pub(super) struct List<T, E> {
    pub(super) waiters: Waiters,
    /// The thread callbacks, in the order in which they registered.
    pub(super) callbacks: Callbacks<T, E>,
    /// What the first canceller who gave a reason said, once the word says that there is one.
    pub(super) reason: Option<Reason>,
    /// What those see who read a cancelled cell for which a reason was given, from the first look on.
    pub(super) cancelled: Option<Box<Failure<E>>>,
}

impl<T, E> Default for List<T, E> {
    fn default() -> Self {
        Self {
            waiters: Waiters::default(),
            callbacks: Callbacks::NONE,
            reason: None,
            cancelled: None,
        }
    }
}

impl<T, E> List<T, E> {
    /// What stays behind of a list that was taken out in the step that settled: those who wait for the callbacks that it
    /// lends the outcome, and why a cell is Cancelled.
    pub(super) fn split(&mut self, lends: bool) -> Option<Box<Self>> {
        let waiters = self.waiters.split(Until::Returned, lends);
        let reason = self.reason.take();
        if waiters.is_none() && reason.is_none() {
            return None;
        }
        let waiters = waiters.unwrap_or_default();
        Some(Box::new(Self { waiters, reason, ..Self::default() }))
    }
}

/// Names a registered waiter, so that it can leave, and says what it waits for. Later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

impl Ticket {
    const fn new(number: u64, until: Until) -> Self {
        Self(number << 2 | until as u64)
    }

    /// The byte of an owner's, which is the first of all: the first request wakes him.
    pub(super) const OWNER: u8 = 1 << 2 | Until::Requested as u8;

    /// One whose number is a byte with what it waits for.
    pub(super) const fn short(bits: u8) -> Self {
        Self(bits as u64)
    }

    /// The byte of the next one, if there is one.
    pub(super) const fn next_short(last: u8, until: Until) -> Option<u8> {
        match last < 63 << 2 {
            true => Some(((last >> 2) + 1) << 2 | until as u8),
            false => None,
        }
    }

    pub(super) const fn waits_until(self, until: Until) -> bool {
        self.0 & 3 == until as u64
    }

    /// Whether this is the producer's, who is told of nothing when it settles the cell itself.
    pub(super) const fn listens(self) -> bool {
        self.waits_until(Until::Requested) || self.waits_until(Until::Closed)
    }
}

/// Whoever was taken out, and is to be told.
#[derive(Default)]
pub(super) struct Taken {
    first: Option<(Ticket, Waiter)>,
    others: Vec<Place>,
}

/// One who waits, or who has left.
type Place = (Ticket, Option<Waiter>);

impl Taken {
    pub(super) const fn of(first: Option<(Ticket, Waiter)>) -> Self {
        Self { first, others: Vec::new() }
    }

    /// Tells all.
    pub(super) fn tell(self) {
        tell(self.all().map(|(_, waiter)| waiter));
    }

    fn all(self) -> impl Iterator<Item = (Ticket, Waiter)> {
        let others = self.others.into_iter();
        self.first.into_iter().chain(others.filter_map(|(ticket, it)| Some((ticket, it?))))
    }
}

/// Tells these, in this order, but calls what the producer listens with when all others have been told: it may wait for one
/// of them. `[callback-2]`
pub(super) fn tell(waiters: impl Iterator<Item = Waiter>) {
    let mut calls = Vec::new();
    for waiter in waiters {
        match waiter {
            Waiter::Call(_) => calls.push(waiter),
            others => others.notify(),
        }
    }
    calls.into_iter().for_each(Waiter::notify);
}

/// Everyone who waits and the loop views, in the order in which they registered; once the cell is settled, those who wait
/// for the end of the lending. Who is alone needs no memory of his own; who leaves is found by halving.
#[derive(Default)]
pub(super) struct Waiters {
    /// The name of the next.
    next: u64,
    /// One who came when there was nobody, so that he is before all others.
    pub(super) first: Option<(Ticket, Waiter)>,
    others: Vec<Place>,
    /// How many of the others have left.
    left: usize,
}

impl Waiters {
    /// Nobody, with tickets that come after this byte's.
    pub(super) fn after(last: u8) -> Self {
        Self { next: u64::from(last >> 2) + 1, ..Self::default() }
    }

    pub(super) fn enter(&mut self, until: Until, waiter: Waiter) -> Ticket {
        let ticket = Ticket::new(self.next, until);
        self.next += 1;
        if self.is_empty() {
            self.first = Some((ticket, waiter));
        } else {
            self.others.push((ticket, Some(waiter)));
        }
        ticket
    }

    /// Takes one out, if it is still there.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<Waiter> {
        if let Some((_, first)) = self.first.take_if(|(first, _)| *first == ticket) {
            return Some(first);
        }
        let at = self.find(ticket)?;
        let waiter = self.others[at].1.take();
        self.left += usize::from(waiter.is_some());
        // As many as have left, so that each pays for one.
        if 2 * self.left > self.others.len() {
            self.others.retain(|(_, waiter)| waiter.is_some());
            self.left = 0;
        }
        waiter
    }

    fn find(&self, ticket: Ticket) -> Option<usize> {
        self.others.binary_search_by_key(&ticket, |place| place.0).ok()
    }

    /// Takes those out who wait for this.
    pub(super) fn take(&mut self, until: Until) -> Taken {
        let first = self.first.take_if(|(ticket, _)| ticket.waits_until(until));
        if self.others.is_empty() {
            return Taken::of(first);
        }
        let goes = |place: &mut Place| place.1.is_none() || place.0.waits_until(until);
        self.left = 0;
        Taken { first, others: self.others.extract_if(.., goes).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none() && self.others.is_empty()
    }

    /// Takes everybody out.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = (Ticket, Waiter)> + use<> {
        self.left = 0;
        Taken { first: self.first.take(), others: std::mem::take(&mut self.others) }.all()
    }

    /// Those who wait for this, if there are any: they stay, or their names at least, since some may still leave.
    fn split(&mut self, until: Until, stay: bool) -> Option<Self> {
        if !self.all().any(|(ticket, _)| ticket.waits_until(until)) {
            return None;
        }
        let Taken { first, mut others } = if stay { self.take(until) } else { Taken::default() };
        others.retain(|(_, waiter)| waiter.is_some());
        Some(Self { next: self.next, first, others, left: 0 })
    }

    /// Whether the ticket's waiter is there, and wakes the same task.
    pub(super) fn wakes(&self, ticket: Ticket, by: &Waker) -> bool {
        let waiter = match &self.first {
            Some((first, waiter)) if *first == ticket => Some(waiter),
            _ => self.find(ticket).and_then(|at| self.others[at].1.as_ref()),
        };
        matches!(waiter, Some(Waiter::Waker(waker, _)) if waker.will_wake(by))
    }

    fn all(&self) -> impl Iterator<Item = (Ticket, &Waiter)> {
        let first = self.first.iter().map(|(ticket, waiter)| (*ticket, waiter));
        first.chain(self.others.iter().filter_map(|(ticket, it)| Some((*ticket, it.as_ref()?))))
    }

    /// Whether somebody is told on this loop.
    pub(super) fn is_awaited_on(&self, home: Id) -> bool {
        self.all().any(|(_, waiter)| waiter.home() == Some(home))
    }

    /// How many wait, the producer not counted.
    pub(super) fn count(&self) -> usize {
        self.all().filter(|(ticket, _)| !ticket.listens()).count()
    }
}
