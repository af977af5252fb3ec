//! What an event decides: whether it is set, and who waits for that.

use super::{
    line::{Left, Line, Ticket, Turns},
    word::{Step, Word},
};

/// Nobody waits while it is set. Whoever waited when it was set goes on, also if it is cleared before he comes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Gate<W> {
    is_set: bool,
    line: Line<W>,
}

impl<W> Gate<W> {
    pub(crate) const fn new() -> Self {
        Self { is_set: false, line: Line::new() }
    }

    pub(crate) const fn is_set(&self) -> bool {
        self.is_set
    }

    /// Sets it: all who wait are to be told.
    pub(crate) fn set(&mut self) -> impl Iterator<Item = W> + use<W> {
        self.is_set = true;
        self.line.grant_all()
    }

    pub(crate) const fn clear(&mut self) {
        self.is_set = false;
    }
}

impl<W> Turns<W> for Gate<W> {
    fn line(&mut self) -> &mut Line<W> {
        &mut self.line
    }

    fn open(&mut self) -> Option<Word> {
        if self.line.len() > 0 { None } else { Word::open(self.is_set.into()) }
    }

    fn close(&mut self, number: u64) {
        self.is_set = number > 0;
    }

    fn behind_a_word() -> Self {
        Self::new()
    }

    fn step(word: Word) -> Step {
        word.is_above_zero()
    }

    fn pass(&mut self) -> bool {
        self.is_set
    }

    fn come(&mut self, ticket: Ticket) -> bool {
        self.line.come(ticket)
    }

    /// What was granted to one takes nothing from another.
    fn leave(&mut self, ticket: Ticket) -> Left<W> {
        Left { own: self.line.leave(ticket), next: None }
    }
}
