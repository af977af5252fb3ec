//! What a queue decides: the values that are there, who waits to put one and to get one, and until all are done with.
//!
//! What somebody brings who waits to put stands in the line with him, and is moved in by whoever makes room: it is in,
//! whether he comes for his answer or not. What somebody waits to get is promised to him, and stays where it is: whoever
//! comes takes the first value, so that the order is kept whoever leaves.

use alloc::{
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};

use super::line::{Line, Ticket};

/// Values are free, or promised to those who were told that there is one. None is free while somebody waits to get, and
/// there is no room while somebody waits to put. What is promised takes no room.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stock<T, W> {
    values: VecDeque<T>,
    promised: usize,
    /// How many may be free when one is put.
    capacity: usize,
    /// What those bring who wait to put, or were told that they wait in vain.
    brought: BTreeMap<Ticket, T>,
    putting: Line<W>,
    getting: Line<W>,
    joining: Line<W>,
    /// How many were put, and are not done with: all that ever were, if nobody says so.
    unfinished: u64,
    is_closed: bool,
    /// What becomes free when it was drained is done with.
    is_drained: bool,
}

/// A value that was got, and the one whose own is in now, to be told.
pub(crate) type Got<T, W> = (T, Option<W>);

/// One who waited to get has left: his own, what was free of a queue that was drained, and those to be told.
pub(crate) type Gone<T, W> = (Option<W>, Option<T>, Vec<W>);

impl<T, W> Stock<T, W> {
    pub(crate) const fn new(capacity: usize) -> Self {
        Self {
            values: VecDeque::new(),
            promised: 0,
            capacity,
            brought: BTreeMap::new(),
            putting: Line::new(),
            getting: Line::new(),
            joining: Line::new(),
            unfinished: 0,
            is_closed: false,
            is_drained: false,
        }
    }

    /// How many values are promised to nobody.
    pub(crate) fn free(&self) -> usize {
        self.values.len() - self.promised
    }

    pub(crate) const fn capacity(&self) -> usize {
        self.capacity
    }

    pub(crate) const fn unfinished(&self) -> u64 {
        self.unfinished
    }

    pub(crate) const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Whether there will be none, if none is free: it is closed, and none is promised to one who may leave.
    pub(crate) const fn is_over(&self) -> bool {
        self.is_closed && self.promised == 0
    }

    /// How many wait to put, to get, and until all are done with.
    pub(crate) fn waiting(&self) -> [usize; 3] {
        [self.putting.len(), self.getting.len(), self.joining.len()]
    }

    /// Takes it in, for the first who waits to get, who is to be told. Or gives it back: it is closed, or full.
    pub(crate) fn put(&mut self, value: T) -> Result<Option<W>, T> {
        if self.is_closed || self.getting.first().is_none() && self.free() >= self.capacity {
            return Err(value);
        }
        self.take_in(value);
        Ok(self.promise())
    }

    /// Waits to put this, behind all others. It is full, and not closed.
    pub(crate) fn wait_to_put(&mut self, value: T, waiter: W) -> Ticket {
        let ticket = self.putting.enter(waiter);
        self.brought.insert(ticket, value);
        ticket
    }

    /// Whether what this one brought is in, who goes on or leaves. Otherwise it is given back, and if he still waited, so
    /// is what would have told him.
    pub(crate) fn end_put(&mut self, ticket: Ticket) -> (Result<(), T>, Option<W>) {
        let own = self.putting.leave(ticket);
        (self.brought.remove(&ticket).map_or(Ok(()), Err), own)
    }

    /// The same for one who was told, who goes on. Otherwise he waits still.
    pub(crate) fn come_put(&mut self, ticket: Ticket) -> Option<Result<(), T>> {
        let comes = self.putting.come(ticket);
        comes.then(|| self.brought.remove(&ticket).map_or(Ok(()), Err))
    }

    /// Takes the first value, if one is free, and lets the next in. Or else it is over, or empty.
    pub(crate) fn get(&mut self) -> Option<Got<T, W>> {
        if self.free() == 0 {
            // Somebody waits to put, although it is empty, if it has no room at all.
            let told = self.let_in()?;
            return self.values.pop_front().map(|value| (value, Some(told)));
        }
        let value = self.values.pop_front()?;
        let told = if self.free() < self.capacity { self.let_in() } else { None };
        Some((value, told))
    }

    /// Waits to get, behind all others. It is empty, and not over.
    pub(crate) fn wait_to_get(&mut self, waiter: W) -> Ticket {
        self.getting.enter(waiter)
    }

    /// What this one has, who waited to get and was told: the first value, or nothing, as it is over. If it is over with
    /// this one, those who wait behind him are to be told. He is not told yet, if he has no answer.
    pub(crate) fn take(&mut self, ticket: Ticket) -> Option<(Option<T>, Vec<W>)> {
        if !self.getting.come(ticket) {
            return None;
        }
        if self.is_over() {
            return Some((None, Vec::new()));
        }
        self.promised -= 1;
        Some((self.values.pop_front(), self.in_vain()))
    }

    /// One leaves who waits to get. What was promised to him is promised to the next, or free, or else it was drained.
    pub(crate) fn leave_get(&mut self, ticket: Ticket) -> Gone<T, W> {
        let own = self.getting.leave(ticket);
        if own.is_some() || self.is_over() {
            return (own, None, Vec::new());
        }
        self.promised -= 1;
        let next = self.promise();
        if next.is_some() || !self.is_drained {
            return (None, None, next.into_iter().collect());
        }
        let (mut freed, told) = self.drain();
        (None, freed.pop_front(), told)
    }

    /// Nothing more is put. Those who wait to put are to be told, and those who wait to get, unless one was promised a
    /// value, who may leave it to them.
    pub(crate) fn close(&mut self) -> Vec<W> {
        if self.is_closed {
            return Vec::new();
        }
        self.is_closed = true;
        let mut told = self.in_vain();
        told.extend(self.putting.grant_all());
        told
    }

    /// Closes it, and takes out what is promised to nobody, which is done with. Who waits for that is to be told, too.
    pub(crate) fn drain(&mut self) -> (VecDeque<T>, Vec<W>) {
        let mut told = self.close();
        self.is_drained = true;
        let drained = self.values.split_off(self.promised);
        self.unfinished = self.unfinished.saturating_sub(drained.len() as u64);
        told.extend(self.all_done());
        (drained, told)
    }

    /// One value is done with. If all are, those who wait for that are to be told. `None` if all were before.
    pub(crate) fn task_done(&mut self) -> Option<Vec<W>> {
        self.unfinished = self.unfinished.checked_sub(1)?;
        Some(self.all_done())
    }

    /// Waits until all are done with, which they are not.
    pub(crate) fn wait_to_join(&mut self, waiter: W) -> Ticket {
        self.joining.enter(waiter)
    }

    /// Whether all were done with since this one waits, who goes on or leaves. Otherwise what would have told him is given
    /// back.
    pub(crate) fn end_join(&mut self, ticket: Ticket) -> Option<W> {
        self.joining.leave(ticket)
    }

    /// Whether this one was told that all were done with, who goes on. Otherwise he waits still.
    pub(crate) fn come_join(&mut self, ticket: Ticket) -> bool {
        self.joining.come(ticket)
    }

    fn take_in(&mut self, value: T) {
        self.values.push_back(value);
        self.unfinished += 1;
    }

    /// What is free is the first's who waits to get.
    fn promise(&mut self) -> Option<W> {
        let told = self.getting.grant();
        self.promised += usize::from(told.is_some());
        told
    }

    /// Takes in what the first brought who waits to put.
    fn let_in(&mut self) -> Option<W> {
        let told = self.putting.grant()?;
        if let Some((_, value)) = self.brought.pop_first() {
            self.take_in(value);
        }
        Some(told)
    }

    fn all_done(&mut self) -> Vec<W> {
        if self.unfinished == 0 { self.joining.grant_all().collect() } else { Vec::new() }
    }

    /// Those who wait to get are to be told that there is nothing, if it is over.
    fn in_vain(&mut self) -> Vec<W> {
        if self.is_over() { self.getting.grant_all().collect() } else { Vec::new() }
    }
}
