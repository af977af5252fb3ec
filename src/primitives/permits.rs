//! What a semaphore decides: permits, and who waits for one.

use alloc::vec::Vec;

use super::line::{Left, Line, Ticket, Turns};

/// Permits are free, held, or on their way to one whose turn it is. None is free while somebody waits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Permits<W> {
    free: usize,
    held: usize,
    /// As many as there may be at once.
    limit: usize,
    line: Line<W>,
}

impl<W> Permits<W> {
    pub(crate) const fn new(permits: usize, limit: usize) -> Self {
        Self { free: permits, held: 0, limit, line: Line::new() }
    }

    pub(crate) const fn free(&self) -> usize {
        self.free
    }

    /// Free, held and on their way, together.
    pub(crate) const fn all(&self) -> usize {
        self.free + self.held + self.line.coming()
    }

    /// A permit that nobody has goes to the first who waits, who is to be told, or is free.
    fn hand_on(&mut self) -> Option<W> {
        let next = self.line.grant();
        self.free += usize::from(next.is_none());
        next
    }

    /// Takes back one that was held.
    pub(crate) fn give_back(&mut self) -> Option<W> {
        self.held -= 1;
        self.hand_on()
    }

    /// One that is held is gone for good.
    pub(crate) const fn forget(&mut self) {
        self.held -= 1;
    }

    /// Adds so many, unless there would be more than there may be, and then changes nothing.
    pub(crate) fn add(&mut self, many: usize) -> Option<Vec<W>> {
        if many > self.limit - self.all() {
            return None;
        }
        let mut told = Vec::new();
        while told.len() < many
            && let Some(next) = self.line.grant()
        {
            told.push(next);
        }
        self.free += many - told.len();
        Some(told)
    }
}

impl<W> Turns<W> for Permits<W> {
    fn line(&mut self) -> &mut Line<W> {
        &mut self.line
    }

    fn pass(&mut self) -> bool {
        let is_free = self.free > 0;
        self.free -= usize::from(is_free);
        self.held += usize::from(is_free);
        is_free
    }

    fn come(&mut self, ticket: Ticket) -> bool {
        let comes = self.line.come(ticket);
        self.held += usize::from(comes);
        comes
    }

    fn leave(&mut self, ticket: Ticket) -> Left<W> {
        let own = self.line.leave(ticket);
        // One who waited has no grant to hand on.
        let next = if own.is_none() { self.hand_on() } else { None };
        Left { own, next }
    }
}
