//! Executions: the events of a run, who reads from whom, and in which order each place is written.
//!
//! The relations have the names that they have in RC11. A read-modify-write is one event here.

use std::fmt;

use super::{
    axioms::{Axioms, LOOSE},
    program::Order,
    rows::Rows,
};

/// The thread of what was so before.
pub(crate) const BEFORE: usize = usize::MAX;

/// Something that a thread did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Event {
    pub(crate) by: usize,
    /// A bit for each place that it is about: one for an access, none for a fence.
    pub(crate) places: u64,
    pub(crate) order: Order,
    pub(crate) read: Option<u64>,
    pub(crate) written: Option<u64>,
    /// The event that it reads from, once there is one.
    pub(crate) from: Option<usize>,
}

impl Event {
    /// Whether it gives memory back.
    pub(crate) const fn frees(&self) -> bool {
        self.places != 0 && self.read.is_none() && self.written.is_none()
    }

    pub(crate) const fn is_fence(&self) -> bool {
        self.places == 0
    }

    const fn is_atomic(&self) -> bool {
        !matches!(self.order, Order::Plain)
    }

    const fn is_rmw(&self) -> bool {
        self.read.is_some() && self.written.is_some()
    }

    pub(crate) const fn place(&self) -> usize {
        self.places.trailing_zeros() as usize
    }
}

/// What was done so far, in an order in which each thread did it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) struct Graph {
    pub(crate) events: Vec<Event>,
    /// For each place the events that write it, in the order in which they do (`mo`).
    pub(crate) writes: Vec<Vec<usize>>,
}

/// The relations that verdicts are about.
pub(crate) struct Relations {
    pub(crate) sb: Rows,
    pub(crate) rf: Rows,
    pub(crate) mo: Rows,
    pub(crate) rb: Rows,
    pub(crate) hb: Rows,
}

impl Graph {
    pub(crate) fn new(places: &[(&'static str, u64)]) -> Self {
        let mut graph = Self { events: Vec::new(), writes: vec![Vec::new(); places.len()] };
        for (at, (_, value)) in places.iter().enumerate() {
            graph.writes[at].push(graph.events.len());
            graph.events.push(Event {
                by: BEFORE,
                places: 1 << at,
                order: Order::Plain,
                read: None,
                written: Some(*value),
                from: None,
            });
        }
        graph
    }

    /// What the places hold in the end.
    pub(crate) fn memory(&self) -> Vec<u64> {
        let last = |writes: &Vec<usize>| writes.last().and_then(|it| self.events[*it].written);
        self.writes.iter().map(|it| last(it).unwrap_or_default()).collect()
    }

    pub(crate) fn relations(&self, axioms: &Axioms) -> Relations {
        let n = self.events.len();
        assert!(n <= 64, "a program of so many events is too long");
        let (mut sb, mut rf) = (Rows::new(n), Rows::new(n));
        let (mut mo, mut rb) = (Rows::new(n), Rows::new(n));
        for (a, event) in self.events.iter().enumerate() {
            for (b, later) in self.events.iter().enumerate().skip(a + 1) {
                if event.by == later.by && event.by != BEFORE
                    || event.by == BEFORE && later.by != BEFORE
                {
                    sb.add(a, b);
                }
            }
            if let Some(from) = event.from {
                rf.add(from, a);
            }
        }
        for writes in &self.writes {
            for (at, a) in writes.iter().enumerate() {
                writes[at + 1..].iter().for_each(|b| mo.add(*a, *b));
            }
        }
        for (a, event) in self.events.iter().enumerate() {
            if let Some(from) = event.from {
                rb.set(a, mo.row(from) & !(1 << a));
            }
        }
        let mut hb = sb;
        if axioms.synchronises {
            self.add_synchronisation(axioms, &sb, &mut hb);
        }
        hb.close();
        Relations { sb, rf, mo, rb, hb }
    }

    /// The writes whose release sequence this write is a part of.
    fn heads(&self, write: usize, axioms: &Axioms, sb: &Rows) -> u64 {
        let (mut heads, mut seen, mut at) = (0, 0_u64, write);
        // Without an axiom that forbids it, who reads from whom may go round.
        while self.events[at].is_atomic() && seen & 1 << at == 0 {
            let event = &self.events[at];
            seen |= 1 << at;
            heads |= 1 << at;
            if axioms.own_stores {
                let own = self.writes[event.place()].iter().filter(|it| sb.has(**it, at));
                let own = own.filter(|it| self.events[**it].is_atomic());
                heads |= own.fold(0, |all, it| all | 1 << it);
            }
            match event.from {
                Some(from) if axioms.release_sequences && event.is_rmw() => at = from,
                _ => break,
            }
        }
        heads
    }

    /// Adds `sw`.
    fn add_synchronisation(&self, axioms: &Axioms, sb: &Rows, hb: &mut Rows) {
        let all = axioms.all_synchronise;
        let fences = |acquires: bool| {
            let is_one = move |it: &(usize, &Event)| {
                let order = it.1.order;
                let does = if acquires { order.acquires() } else { order.releases() };
                axioms.fences && it.1.is_fence() && does
            };
            self.events.iter().enumerate().filter(is_one).map(|it| it.0)
        };
        for (read, event) in self.events.iter().enumerate() {
            let Some(from) = event.from.filter(|_| event.is_atomic()) else { continue };
            let mut acquirers = 0;
            if event.order.acquires() || all {
                acquirers |= 1 << read;
            }
            fences(true).filter(|it| sb.has(read, *it)).for_each(|it| acquirers |= 1 << it);
            if acquirers == 0 {
                continue;
            }
            let heads = self.heads(from, axioms, sb);
            for head in (0..self.events.len()).filter(|it| heads & 1 << it != 0) {
                if self.events[head].order.releases() || all {
                    hb.set(head, acquirers);
                }
                fences(false).filter(|it| sb.has(*it, head)).for_each(|it| hb.set(it, acquirers));
            }
        }
    }

    /// Two accesses of which one is plain, one writes, and neither happens before the other; or one of memory that was
    /// given back before. What it is called, and the two.
    pub(crate) fn race(&self, axioms: &Axioms) -> Option<(&'static str, [usize; 2])> {
        if !axioms.races {
            return None;
        }
        let hb = self.relations(axioms).hb;
        let writes = |it: &Event| it.written.is_some() || it.frees();
        for (b, second) in self.events.iter().enumerate() {
            for (a, first) in self.events.iter().enumerate().take(b) {
                if first.places & second.places == 0 {
                    continue;
                }
                if first.frees() && hb.has(a, b) || second.frees() && hb.has(b, a) {
                    return Some(("use of what is free", [a, b]));
                }
                let is_plain = !first.is_atomic() || !second.is_atomic();
                let is_ordered = hb.has(a, b) || hb.has(b, a);
                if is_plain && !is_ordered && (writes(first) || writes(second)) {
                    return Some(("race", [a, b]));
                }
            }
        }
        None
    }

    /// Whether this read is of what is written because of it.
    pub(crate) fn is_of_the_future(&self, read: usize) -> bool {
        let it = self.relations(&LOOSE);
        let mut before = it.sb | it.rf;
        before.close();
        before.has(read, read)
    }

    /// The same for all ways of building it: the events thread by thread.
    pub(crate) fn canonical(&self) -> Self {
        let mut order: Vec<_> = (0..self.events.len()).collect();
        order.sort_by_key(|it| (self.events[*it].by.wrapping_add(1), *it));
        let mut place = vec![0; order.len()];
        order.iter().enumerate().for_each(|(new, old)| place[*old] = new);
        let moved = |it: &usize| {
            let event = self.events[*it];
            Event { from: event.from.map(|from| place[from]), ..event }
        };
        let writes = |it: &Vec<usize>| it.iter().map(|it| place[*it]).collect();
        Self {
            events: order.iter().map(moved).collect(),
            writes: self.writes.iter().map(writes).collect(),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_fence() {
            return write!(f, "fence");
        }
        if self.frees() {
            return write!(f, "free");
        }
        match (self.read, self.written) {
            (Some(read), Some(written)) => write!(f, "update {read} to {written}"),
            (Some(read), None) => write!(f, "read {read}"),
            (None, written) => write!(f, "write {}", written.unwrap_or_default()),
        }
    }
}
