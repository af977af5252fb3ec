//! What a semaphore decides: permits, and who waits for one.

use alloc::vec::Vec;

use super::{
    line::{Left, Line, Ticket, Turns},
    word::{Step, Word},
};

/// Permits are free, held, or on their way to one whose turn it is. None is free while somebody waits. Those that are free
/// are the word's as long as it is open; those that are held are all the others, and nobody counts them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Permits<W> {
    free: u64,
    all: usize,
    /// As many as there may be at once.
    limit: usize,
    line: Line<W>,
}

impl<W> Permits<W> {
    pub(crate) const fn new(permits: usize, limit: usize) -> Self {
        Self { free: permits as u64, all: permits, limit, line: Line::new() }
    }

    pub(crate) const fn free(&self) -> u64 {
        self.free
    }

    /// Free, held and on their way, together.
    pub(crate) const fn all(&self) -> usize {
        self.all
    }

    /// A permit that nobody has goes to the first who waits, who is to be told, or is free.
    pub(crate) fn give_back(&mut self) -> Option<W> {
        let next = self.line.grant();
        self.free += u64::from(next.is_none());
        next
    }

    /// One that is held is gone for good.
    pub(crate) const fn forget(&mut self) {
        self.all -= 1;
    }

    /// Adds so many, unless there would be more than there may be, and then changes nothing.
    pub(crate) fn add(&mut self, many: usize) -> Option<Vec<W>> {
        if many > self.limit - self.all {
            return None;
        }
        let mut told = Vec::new();
        while told.len() < many
            && let Some(next) = self.line.grant()
        {
            told.push(next);
        }
        self.all += many;
        self.free += (many - told.len()) as u64;
        Some(told)
    }
}

impl<W> Turns<W> for Permits<W> {
    fn line(&mut self) -> &mut Line<W> {
        &mut self.line
    }

    fn open(&mut self) -> Option<Word> {
        debug_assert!(self.free <= self.all as u64, "none is free that is not there");
        if self.line.len() > 0 { None } else { Word::open(self.free) }
    }

    fn close(&mut self, number: u64) {
        self.free = number;
    }

    fn behind_a_word() -> Self {
        Self::new(1, 1)
    }

    fn step(word: Word) -> Step {
        word.take()
    }

    fn pass(&mut self) -> bool {
        let is_free = self.free > 0;
        self.free -= u64::from(is_free);
        is_free
    }

    fn come(&mut self, ticket: Ticket) -> bool {
        self.line.come(ticket)
    }

    fn leave(&mut self, ticket: Ticket) -> Left<W> {
        let own = self.line.leave(ticket);
        // One who waited has no grant to hand on.
        let next = if own.is_none() { self.give_back() } else { None };
        Left { own, next }
    }
}
