//! What a condition decides: who waits to be notified, and to whom a notice goes on.

use alloc::{collections::BTreeMap, vec::Vec};

use super::line::{Left, Line, Ticket, Turns};

/// Everybody has to wait. A notice is for those who waited when it was given: one who leaves hands his on to the next of
/// them, and to nobody who came later.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Notices<W> {
    line: Line<W>,
    /// Those who were notified and have not come, each with the first who was not there then.
    given: BTreeMap<Ticket, Ticket>,
}

impl<W> Notices<W> {
    pub(crate) const fn new() -> Self {
        Self { line: Line::new(), given: BTreeMap::new() }
    }

    /// The first so many of those who wait are to be told.
    pub(crate) fn notify(&mut self, many: usize) -> Vec<W> {
        let late = self.line.end();
        (0..many).map_while(|_| self.give(late)).collect()
    }

    /// The first who waits is notified, if he was there before this one.
    fn give(&mut self, late: Ticket) -> Option<W> {
        let first = self.line.first().filter(|first| *first < late)?;
        self.given.insert(first, late);
        self.line.grant()
    }
}

impl<W> Turns<W> for Notices<W> {
    fn line(&mut self) -> &mut Line<W> {
        &mut self.line
    }

    fn pass(&mut self) -> bool {
        false
    }

    fn come(&mut self, ticket: Ticket) -> bool {
        self.given.remove(&ticket).is_some() && self.line.come(ticket)
    }

    fn leave(&mut self, ticket: Ticket) -> Left<W> {
        let own = self.line.leave(ticket);
        let next = self.given.remove(&ticket).and_then(|late| self.give(late));
        Left { own, next }
    }
}
