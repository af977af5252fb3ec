//! Who waits for a primitive, first in, first out, and whose turn has come.
//!
//! It is pure: no lock, no clock, no thread, and nobody is told in here. What tells somebody is a `W`, which is a waiter in
//! the crate, and a number in the models. Each step returns those who are to be told, and that is done with no lock held.
//!
//! ```text
//!            enter              grant                come
//!   nobody ────────▶ waiting ───────────▶ on its way ──────▶ gone on
//!                       │                     │
//!                       └─ leave: gone        └─ leave: the grant goes on to the next
//! ```

use super::{
    places::Places,
    word::{Step, Word},
};

/// Names one who stands in a line. Later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// Those who wait, in their order, and how many were told that it is their turn and have not come, or not through here. One
/// of these is known by not being listed any more: who has a ticket waits, or it is his turn.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Line<W> {
    waiting: Places<W, Ticket>,
    coming: usize,
    next: u64,
}

/// What leaving does besides: the waiter that was still listed, to be dropped, and the one whose turn it is now, to be told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use = "somebody may have to be told"]
pub(crate) struct Left<W> {
    pub(crate) own: Option<W>,
    pub(crate) next: Option<W>,
}

/// What is decided of a primitive, under its lock.
///
/// Some have a [`Word`], too, which says all there is to know while nobody stands in the line. It is open then, unless
/// somebody has the lock, and who passes needs no lock. Whoever takes the lock closes it.
pub(crate) trait Turns<W> {
    fn line(&mut self) -> &mut Line<W>;

    /// What the word is to say when the lock is free again, if nobody stands in the line.
    fn open(&mut self) -> Option<Word> {
        None
    }

    /// The word is closed, and has said this.
    fn close(&mut self, _number: u64) {}

    /// What is behind a word that was never closed.
    fn behind_a_word() -> Self
    where
        Self: Sized,
    {
        unreachable!("it was made with what is behind")
    }

    /// Goes on by the word alone.
    fn step(_word: Word) -> Step {
        Step::Closed
    }

    /// Goes on, if nobody has to wait.
    fn pass(&mut self) -> bool;

    /// Goes on, if it is this one's turn. The ticket is used up then.
    fn come(&mut self, ticket: Ticket) -> bool;

    /// Whether it is this one's turn, who keeps it.
    fn is_granted(&mut self, ticket: Ticket) -> bool {
        self.line().waiter(ticket).is_none()
    }

    /// Gives the place up, and what was granted to it.
    fn leave(&mut self, ticket: Ticket) -> Left<W>;

    /// Goes on, and gives the waiter back, or waits.
    fn enter(&mut self, waiter: W) -> Result<Ticket, W> {
        if self.pass() { Err(waiter) } else { Ok(self.line().enter(waiter)) }
    }
}

impl<W> Line<W> {
    pub(crate) const fn new() -> Self {
        Self { waiting: Places::new(), coming: 0, next: 0 }
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The first who waits.
    pub(crate) fn first(&self) -> Option<Ticket> {
        self.waiting.first()
    }

    /// Behind whoever has come until now.
    pub(crate) const fn end(&self) -> Ticket {
        Ticket(self.next)
    }

    /// Waits, behind all others.
    pub(crate) fn enter(&mut self, waiter: W) -> Ticket {
        if self.waiting.is_empty() && self.coming == 0 {
            // Nobody has a ticket, and the numbers begin anew: a model comes back to where it was.
            self.next = 0;
        }
        let ticket = Ticket(self.next);
        self.next += 1;
        self.waiting.push(ticket, waiter);
        ticket
    }

    /// It is the turn of the first, who is to be told.
    pub(crate) fn grant(&mut self) -> Option<W> {
        let waiter = self.waiting.pop()?;
        self.coming += 1;
        Some(waiter)
    }

    /// It is everybody's turn.
    pub(crate) fn grant_all(&mut self) -> impl Iterator<Item = W> + use<W> {
        self.coming += self.waiting.len();
        self.waiting.take_all()
    }

    /// Whether it is this one's turn, who is then on its way no more.
    pub(crate) fn come(&mut self, ticket: Ticket) -> bool {
        let is_granted = self.waiting.get_mut(ticket).is_none();
        self.coming -= usize::from(is_granted);
        is_granted
    }

    /// Takes this one out, who waited, or else whose grant is the caller's now.
    pub(crate) fn leave(&mut self, ticket: Ticket) -> Option<W> {
        let waiter = self.waiting.remove(ticket);
        self.coming -= usize::from(waiter.is_none());
        waiter
    }

    /// What tells this one, if it waits.
    pub(crate) fn waiter(&mut self, ticket: Ticket) -> Option<&mut W> {
        self.waiting.get_mut(ticket)
    }
}
