//! The search of our own: breadth first, over whole states.

use std::collections::hash_map::Entry;

use ahash::{AHashMap, RandomState};
use stateright::Model;

use super::{Failure, Kinds};

/// The states that a breadth-first search has found, in the order found.
pub(super) struct Search<'a, M: Model> {
    model: &'a M,
    hasher: RandomState,
    /// Of the states with a hash the one that was found last, and of each state the one before it that has its hash.
    index: AHashMap<u64, usize>,
    before: Vec<Option<usize>>,
    pub(super) states: Vec<M::State>,
    /// From where and by which action each state was first reached.
    parents: Vec<Option<(usize, M::Action)>>,
}

impl<'a, M: Kinds> Search<'a, M> {
    pub(super) fn new(model: &'a M) -> Self {
        let (hasher, index, before, states, parents) = Default::default();
        let mut search = Self { model, hasher, index, before, states, parents };
        for state in model.init_states() {
            search.enter(state, None);
        }
        assert!(!search.states.is_empty(), "there is no initial state");
        search
    }

    /// The index of `state`, which is new or not.
    fn enter(&mut self, state: M::State, parent: Option<(usize, &M::Action)>) -> usize {
        let new = self.states.len();
        let before = match self.index.entry(self.hasher.hash_one(&state)) {
            Entry::Vacant(entry) => {
                entry.insert(new);
                None
            }
            Entry::Occupied(mut entry) => {
                let mut like = Some(*entry.get());
                while let Some(at) = like {
                    if self.states[at] == state {
                        return at;
                    }
                    like = self.before[at];
                }
                Some(entry.insert(new))
            }
        };
        assert!(self.model.within_boundary(&state), "a bounded search proves nothing: {state:?}");
        self.before.push(before);
        self.states.push(state);
        self.parents.push(parent.map(|(at, action)| (at, action.clone())));
        new
    }

    /// Shows each reachable state to `visit`, nearest first, and then each of its steps to `step`;
    /// until `visit` finds something, or to the end.
    pub(super) fn run<T>(
        &mut self,
        mut visit: impl FnMut(&M::State) -> Option<T>,
        mut step: impl FnMut(usize, &M::Action, usize),
    ) -> Option<(usize, T)> {
        let (mut actions, mut steps) = (Vec::new(), Vec::new());
        let mut at = 0;
        while let Some(state) = self.states.get(at) {
            if let Some(found) = visit(state) {
                return Some((at, found));
            }
            self.model.actions(state, &mut actions);
            let next =
                |action: M::Action| Some((self.model.next_state(state, action.clone())?, action));
            steps.extend(actions.drain(..).filter_map(next));
            for (next, action) in steps.drain(..) {
                let to = self.enter(next, Some((at, &action)));
                step(at, &action, to);
            }
            at += 1;
        }
        None
    }

    /// A shortest path to the state at `at`.
    pub(super) fn path(&self, mut at: usize) -> Vec<M::Action> {
        let mut path = Vec::new();
        while let Some((parent, action)) = &self.parents[at] {
            path.push(action.clone());
            at = *parent;
        }
        path.reverse();
        path
    }

    /// The number of states on the shortest path to the state found last, which none exceeds.
    pub(super) fn depth(&self) -> usize {
        1 + self.path(self.states.len() - 1).len()
    }

    pub(super) fn violation(
        &self,
        at: usize,
        property: &'static str,
    ) -> Failure<M::Action, M::State> {
        let last = self.states[at].clone();
        Failure::Violated { property, path: self.path(at), last }
    }
}
