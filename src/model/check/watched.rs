//! The second opinion: stateright's search.

use std::sync::atomic::{AtomicBool, Ordering};

use stateright::{Expectation, Model, Property};

use super::Kinds;

/// A model under stateright's eyes. Its one property is that every `always` property holds: as long as
/// that is so it stays undecided, and stateright goes on to the end.
pub(super) struct Watched<M: Model> {
    model: M,
    properties: Vec<Property<M>>,
    /// Which of them some state has had.
    reached: Vec<AtomicBool>,
}

impl<M: Kinds> Watched<M> {
    pub(super) const EVERY: &'static str = "every `always` property";

    pub(super) fn new(model: M) -> Self {
        let properties = model.properties();
        let reached = properties.iter().map(|_| AtomicBool::new(false)).collect();
        Self { model, properties, reached }
    }

    /// The first `always` property that `state` violates. Marks what it reaches.
    pub(super) fn violated(&self, state: &M::State) -> Option<&'static str> {
        for (property, reached) in self.properties.iter().zip(&self.reached) {
            let always = property.expectation == Expectation::Always;
            if !always && reached.load(Ordering::Relaxed) {
                continue;
            }
            if !(property.condition)(&self.model, state) {
                if always {
                    return Some(property.name);
                }
            } else if !reached.load(Ordering::Relaxed) {
                reached.store(true, Ordering::Relaxed);
            }
        }
        None
    }

    pub(super) fn unreached(&self) -> Option<&'static str> {
        let at = self.reached.iter().position(|reached| !reached.load(Ordering::Relaxed))?;
        Some(self.properties[at].name)
    }
}

impl<M: Kinds> Model for Watched<M> {
    type State = M::State;
    type Action = M::Action;

    fn init_states(&self) -> Vec<Self::State> {
        let states = self.model.init_states();
        assert!(!states.is_empty(), "there is no initial state");
        states
    }

    fn actions(&self, state: &Self::State, actions: &mut Vec<Self::Action>) {
        self.model.actions(state, actions);
    }

    fn next_state(&self, last: &Self::State, action: Self::Action) -> Option<Self::State> {
        self.model.next_state(last, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(Self::EVERY, |watched, state| watched.violated(state).is_none())]
    }

    fn within_boundary(&self, state: &Self::State) -> bool {
        assert!(self.model.within_boundary(state), "a bounded search proves nothing: {state:?}");
        true
    }
}
