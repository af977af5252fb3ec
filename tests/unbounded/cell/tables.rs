//! Tables that differ from the one that ships in one entry.

use settled::machine::{Event, State, Step};

use super::shipped;
use crate::system::System;

/// Another answer of the table to one event in one state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mutant {
    pub(crate) state: State,
    pub(crate) event: Event,
    pub(crate) answers: Step,
}

impl Mutant {
    /// All tables that differ from the one that ships in one entry.
    pub(crate) fn all() -> Vec<Self> {
        let answers = State::ALL.map(Step::To);
        let answers = answers.into_iter().chain([Step::Already, Step::Refused]);
        let answers: Vec<_> = answers.collect();
        let entries = State::ALL.into_iter().flat_map(|state| Event::ALL.map(|it| (state, it)));
        entries
            .flat_map(|(state, event)| {
                let others = answers.clone().into_iter().filter(move |it| *it != state.on(event));
                others.map(move |answers| Self { state, event, answers })
            })
            .collect()
    }

    pub(crate) fn system(self) -> System {
        let table = move |state: State, event| {
            let is_here = (state, event) == (self.state, self.event);
            if is_here { self.answers } else { state.on(event) }
        };
        System { table: Box::new(table), ..shipped() }
    }

    /// Whether it breaks the protocol. The others say what work may do, and break clauses of the table alone
    /// (`models/table.rs`): an event that is answered otherwise and moves nothing, or work that begins or ends elsewhere.
    pub(crate) fn is_harmful(self) -> bool {
        let Step::To(to) = self.answers else { return false };
        match self.event {
            // It tells nobody: it must neither settle nor move what is settled.
            Event::Start if self.state.is_settled() => to != self.state,
            Event::Start => to.is_settled(),
            // It writes the slot and tells all: it must settle what was not.
            Event::Finish | Event::Abandon => self.state.is_settled() || !to.is_settled(),
            // Whoever cancels keeps no handle for callbacks: there must be no value to take from under them.
            Event::Cancel => self.state.is_settled() || to != State::Cancelled,
        }
    }
}
