//! What an event decides: whether it is set, and who waits for that.

use super::line::{Left, Line, Ticket, Turns};

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
