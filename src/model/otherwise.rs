//! What would have been, had a wait not been refused.

use ahash::AHashSet;

use super::{
    program::{Agent, Do, Program, Role},
    state::System,
    step::{Does, Step},
};
use crate::machine::State;

impl Program {
    /// The wait of a worker that this step refuses, because it would close a circle.
    pub(super) fn refused_for_a_circle(&self, state: &System, step: Step) -> Option<Do> {
        let Step { agent, does: Does::Do(what) } = step else { return None };
        let is_worker = matches!(self.shape.members[usize::from(agent)].role, Role::Worker(_));
        let waits = what == Do::Shutdown || what.waits_for().is_some();
        (is_worker && waits && !self.comes_back(state, agent, what)).then_some(what)
    }

    /// Whether the wait that an agent is in could come back if it were not refused, with no future cancelled and no
    /// wait expired. Nor is any other wait refused that was begun before. Looks at every way to go on, and
    /// knows nothing of how circles are found.
    pub(super) fn could_end(&self, state: &System, agent: Agent, what: Do) -> bool {
        let depth = |state: &System, of: Agent| state.parties[usize::from(of)].frames.len();
        let begun: Vec<Option<usize>> = (0..self.agents())
            .map(|of| self.blocked(state, of).map(|_| depth(state, of)))
            .collect();
        let waits = |state: &System, of: Agent| begun[usize::from(of)] == Some(depth(state, of));
        let mut seen = AHashSet::from([state.clone()]);
        let mut left = vec![state.clone()];
        while let Some(state) = left.pop() {
            if waits(&state, agent) && self.comes_back(&state, agent, what) {
                return true;
            }
            for by in 0..self.agents() {
                let Some(does) = self.choice(&state, by) else { continue };
                let step = Step { agent: by, does };
                let refuses =
                    waits(&state, by) && self.refused_for_a_circle(&state, step).is_some();
                if refuses || matches!(does, Does::Expire(_)) {
                    continue;
                }
                let mut next = state.clone();
                self.go(&mut next, step);
                if !cancels(&state, &next) && seen.insert(next.clone()) {
                    left.push(next);
                }
            }
        }
        false
    }

    /// Whether what an agent waits for is there.
    fn comes_back(&self, state: &System, agent: Agent, what: Do) -> bool {
        match what {
            Do::Shutdown => self.have_ended(state, 0),
            _ => state.top(agent).is_some_and(|frame| self.may_return(state, agent, frame, what)),
        }
    }
}

/// Whether a future is cancelled between two states.
fn cancels(before: &System, after: &System) -> bool {
    let is = |at: usize, state: &System| state.cells[at].spec.state() == State::Cancelled;
    (0..before.cells.len()).any(|at| is(at, after) && !is(at, before))
}
