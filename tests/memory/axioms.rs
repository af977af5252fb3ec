//! Which executions are consistent: the axioms of RC11, by the names that the paper gives to its relations.
//!
//! Lahav, Vafeiadis, Kang, Hur, Dreyer, "Repairing Sequential Consistency in C/C++11", PLDI 2017.

use super::{
    graph::{Graph, Relations},
    program::Order,
    rows::Rows,
};

/// Which axioms there are. All but [`RC11`] and [`LOOSE`] are wrong, and are there to be noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axioms {
    /// What happens before and what is read and written agree, place by place.
    pub(crate) coherence: bool,
    /// Nothing comes between the two halves of a read-modify-write.
    pub(crate) atomicity: bool,
    /// SC accesses are ordered.
    pub(crate) sc_accesses: bool,
    /// SC fences are ordered.
    pub(crate) sc_fences: bool,
    /// How many reads at once may be of what is written because of them: if none may, no load is buffered.
    pub(crate) early: usize,
    /// A release is acquired by who reads what was written.
    pub(crate) synchronises: bool,
    /// And by way of fences.
    pub(crate) fences: bool,
    /// And by way of what read-modify-writes make of it.
    pub(crate) release_sequences: bool,
    /// And by way of later stores of the same thread: C11 has this, and C++20 has it no more, nor has Rust.
    pub(crate) own_stores: bool,
    /// A plain access that nothing orders is a race.
    pub(crate) races: bool,
    /// All is in one order. No hardware is so.
    pub(crate) sequential: bool,
    /// Every atomic access releases and acquires.
    pub(crate) all_synchronise: bool,
}

/// RC11, with the release sequences of C++20.
pub(crate) const RC11: Axioms = Axioms {
    coherence: true,
    atomicity: true,
    sc_accesses: true,
    sc_fences: true,
    early: 0,
    synchronises: true,
    fences: true,
    release_sequences: true,
    own_stores: false,
    races: true,
    sequential: false,
    all_synchronise: false,
};

/// The same without the axiom that forbids load buffering, and with it what is read out of thin air.
pub(crate) const LOOSE: Axioms = Axioms { early: 2, ..RC11 };

impl Graph {
    /// Whether the axioms allow it.
    pub(crate) fn is_consistent(&self, axioms: &Axioms) -> bool {
        let it = self.relations(axioms);
        let mut eco = it.rf | it.mo | it.rb;
        if axioms.sequential {
            return (it.sb | eco).is_acyclic();
        }
        eco.close();
        // A read-modify-write reads before it writes, too.
        let is_late = || it.rf.then(&it.mo).is_reflexive();
        if axioms.coherence
            && (it.hb.is_reflexive() || it.hb.then(&eco).is_reflexive() || is_late())
        {
            return false;
        }
        if axioms.atomicity && it.rb.then(&it.mo).is_reflexive() {
            return false;
        }
        if axioms.early == 0 && !(it.sb | it.rf).is_acyclic() {
            return false;
        }
        self.is_sc(axioms, &it, &eco)
    }

    /// The axiom about SC: `psc` is acyclic.
    fn is_sc(&self, axioms: &Axioms, it: &Relations, eco: &Rows) -> bool {
        let (mut accesses, mut fences) = (0_u64, 0_u64);
        for (at, event) in self.events.iter().enumerate() {
            if event.order == Order::SeqCst {
                let (is_used, which) = if event.is_fence() {
                    (axioms.sc_fences, &mut fences)
                } else {
                    (axioms.sc_accesses, &mut accesses)
                };
                *which |= u64::from(is_used) << at;
            }
        }
        if (accesses | fences).count_ones() < 2 {
            return true;
        }
        let same = |a: usize, b: usize| self.events[a].places & self.events[b].places != 0;
        let far = it.sb.filter(|a, b| !same(a, b));
        let scb = it.sb | far.then(&it.hb).then(&far) | it.hb.filter(same) | it.mo | it.rb;
        let begins = it.hb.or_same().filter(|a, _| fences & 1 << a != 0);
        let ends = it.hb.or_same().filter(|_, b| fences & 1 << b != 0);
        let only = Rows::same(self.events.len()).filter(|a, _| accesses & 1 << a != 0);
        let base = (only | begins).then(&scb).then(&(only | ends));
        let between = it.hb | it.hb.then(eco).then(&it.hb);
        let of_fences = between.filter(|a, b| fences & 1 << a != 0 && fences & 1 << b != 0);
        (base | of_fences).is_acyclic()
    }
}
