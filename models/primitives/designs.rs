//! How permits may be given to those who wait: as the crate does, and as others do.

use std::collections::BTreeMap;

use super::{
    line::{Left, Ticket, Turns},
    permits::Permits,
};

/// What decides. Each who waits is known by his number, and what a step returns is who is to be told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Design {
    /// What ships: a permit is handed to the first who waits.
    HandOver { permits: Permits<usize>, tickets: BTreeMap<usize, Ticket> },
    /// A permit that is given back is free, and the first who waits is told to look, or all are.
    Barging { free: usize, line: Vec<usize>, tells_all: bool },
    /// A permit that is given back is free for the first who waits, who is told to look, and so is whoever is first after
    /// him.
    InTurn { free: usize, line: Vec<usize> },
    /// A permit is handed to the first who waits, and may be taken back; in time, from one who is not polled alone.
    TakenBack { free: usize, line: Vec<usize>, granted: Vec<usize>, in_time: bool },
}

/// What leaving does.
pub(super) struct Gone {
    pub(super) was_granted: bool,
    pub(super) told: Vec<usize>,
}

impl Design {
    pub(super) const fn hand_over(permits: usize, limit: usize) -> Self {
        Self::HandOver { permits: Permits::new(permits, limit), tickets: BTreeMap::new() }
    }

    pub(super) const fn barging(permits: usize, tells_all: bool) -> Self {
        Self::Barging { free: permits, line: Vec::new(), tells_all }
    }

    pub(super) const fn in_turn(permits: usize) -> Self {
        Self::InTurn { free: permits, line: Vec::new() }
    }

    pub(super) const fn taken_back(permits: usize, in_time: bool) -> Self {
        Self::TakenBack { free: permits, line: Vec::new(), granted: Vec::new(), in_time }
    }

    /// Whether whoever is told has his permit by then.
    pub(super) const fn hands_over(&self) -> bool {
        !matches!(self, Self::Barging { .. } | Self::InTurn { .. })
    }

    pub(super) fn free(&self) -> usize {
        match self {
            Self::HandOver { permits, .. } => {
                usize::try_from(permits.free()).expect("there are few")
            }
            Self::Barging { free, .. }
            | Self::InTurn { free, .. }
            | Self::TakenBack { free, .. } => *free,
        }
    }

    /// Takes one that is free.
    pub(super) fn pass(&mut self) -> bool {
        match self {
            Self::HandOver { permits, .. } => permits.pass(),
            Self::Barging { free, .. } | Self::TakenBack { free, .. } => {
                let is_free = *free > 0;
                *free -= usize::from(is_free);
                is_free
            }
            Self::InTurn { free, line } => {
                let is_free = *free > 0 && line.is_empty();
                *free -= usize::from(is_free);
                is_free
            }
        }
    }

    /// Takes one that is free, or waits.
    pub(super) fn enter(&mut self, who: usize) -> bool {
        match self {
            Self::HandOver { permits, tickets } => {
                permits.enter(who).map(|ticket| tickets.insert(who, ticket)).is_err()
            }
            Self::Barging { .. } | Self::InTurn { .. } | Self::TakenBack { .. } => {
                let passes = self.pass();
                if let Self::Barging { line, .. }
                | Self::InTurn { line, .. }
                | Self::TakenBack { line, .. } = self
                    && !passes
                {
                    line.push(who);
                }
                passes
            }
        }
    }

    /// Has one, if it is his turn.
    pub(super) fn come(&mut self, who: usize) -> bool {
        match self {
            Self::HandOver { permits, tickets } => {
                let comes = permits.come(tickets[&who]);
                if comes {
                    tickets.remove(&who);
                }
                comes
            }
            Self::Barging { .. } => {
                let passes = self.pass();
                if let Self::Barging { line, .. } = self
                    && passes
                {
                    line.retain(|it| *it != who);
                }
                passes
            }
            Self::InTurn { free, line } => {
                let comes = *free > 0 && line.first() == Some(&who);
                *free -= usize::from(comes);
                line.retain(|it| !comes || *it != who);
                comes
            }
            Self::TakenBack { granted, .. } => {
                let comes = granted.contains(&who);
                granted.retain(|it| *it != who);
                comes
            }
        }
    }

    /// Leaves, and hands on what was granted.
    pub(super) fn leave(&mut self, who: usize) -> Gone {
        match self {
            Self::HandOver { permits, tickets } => {
                let ticket = tickets.remove(&who).expect("who leaves has waited");
                let Left { own, next } = permits.leave(ticket);
                Gone { was_granted: own.is_none(), told: next.into_iter().collect() }
            }
            Self::Barging { free, line, .. } | Self::InTurn { free, line } => {
                line.retain(|it| *it != who);
                // What he was told of is told to the next.
                let told = line.first().copied().filter(|_| *free > 0);
                Gone { was_granted: false, told: told.into_iter().collect() }
            }
            Self::TakenBack { line, .. } => {
                line.retain(|it| *it != who);
                let was_granted = self.come(who);
                let told = if was_granted { self.give_back() } else { Vec::new() };
                Gone { was_granted, told }
            }
        }
    }

    /// Who is to be told when one has come.
    pub(super) fn next_turn(&self) -> Vec<usize> {
        match self {
            Self::InTurn { free, line } if *free > 0 => line.iter().copied().take(1).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn give_back(&mut self) -> Vec<usize> {
        match self {
            Self::HandOver { permits, .. } => permits.give_back().into_iter().collect(),
            Self::Barging { free, line, tells_all } => {
                *free += 1;
                line.iter().copied().take(if *tells_all { usize::MAX } else { 1 }).collect()
            }
            Self::InTurn { free, .. } => {
                *free += 1;
                self.next_turn()
            }
            Self::TakenBack { free, line, granted, .. } => {
                if line.is_empty() {
                    *free += 1;
                    return Vec::new();
                }
                let first = line.remove(0);
                granted.push(first);
                vec![first]
            }
        }
    }

    /// Adds so many, if there may be so many.
    pub(super) fn add(&mut self, many: usize) -> Option<Vec<usize>> {
        match self {
            Self::HandOver { permits, .. } => permits.add(many),
            Self::InTurn { free, .. } => {
                *free += many;
                Some(self.next_turn())
            }
            Self::Barging { .. } | Self::TakenBack { .. } => None,
        }
    }

    /// As others do: leaves, and what was granted is lost.
    pub(super) fn leave_with_it(&mut self, who: usize) -> Gone {
        if self.come(who) {
            if let Self::HandOver { permits, .. } = self {
                permits.forget();
            }
            return Gone { was_granted: true, told: Vec::new() };
        }
        self.leave(who)
    }

    /// As others do: waits, whether or not one is free by now.
    pub(super) fn enter_blindly(&mut self, who: usize) {
        if let Self::HandOver { permits, tickets } = self {
            tickets.insert(who, permits.line().enter(who));
        }
    }
}
