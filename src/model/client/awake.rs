//! Whom of the clients somebody may still wake.

use super::Client;
use crate::model::{
    program::{Agent, Do, Future, Kind, Role},
    property::Judge,
    shape::Shape,
    state::{Script, Set, System, Task},
    step::Does,
};

impl Client {
    /// Whether nothing goes on but by what a client chooses to do, or by the clock.
    fn is_quiet(&self, state: &System) -> bool {
        let quiet = |agent| matches!(self.goes(state, agent), None | Some(Does::Expire(_)));
        (0..self.program.agents()).all(quiet)
    }

    /// Those who are between two operations or have nothing to do, and those who sleep for what one of them may settle.
    fn awake(&self, state: &System) -> Set {
        let mut awake = Set::default();
        for agent in 0..self.program.agents() {
            let has_nothing = |agent: Agent| match self.role(agent) {
                Role::Thread => true,
                Role::Loop => state.parties[usize::from(agent)].queue.is_empty(),
                Role::Worker(pool) => state.pools[usize::from(pool)].queue.is_empty(),
            };
            if self.is_free(state, agent) && (state.top(agent).is_some() || has_nothing(agent)) {
                awake.add(agent);
            }
        }
        loop {
            let before = awake;
            for agent in 0..self.program.agents() {
                if self.may_be_woken(state, agent, before) {
                    awake.add(agent);
                }
            }
            if awake == before {
                return awake;
            }
        }
    }

    fn role(&self, agent: Agent) -> Role {
        self.program.shape.members[usize::from(agent)].role
    }

    /// Whether an agent sleeps for something unsettled, and all of it may be settled.
    fn may_be_woken(&self, state: &System, agent: Agent, awake: Set) -> bool {
        let Some(frame) = state.top(agent) else { return false };
        let Some(what) = self.menu(agent, frame).get(usize::from(frame.at)) else { return false };
        let Some(these) = what.waits_for() else {
            let workers = |it| self.role(it) != Role::Worker(0) || awake.has(it);
            return *what == Do::Shutdown && (0..self.program.agents()).all(workers);
        };
        let settled = these.iter().filter(|it| state.is_settled(*it)).count();
        let mut left = these.iter().filter(|it| !state.is_settled(*it));
        let may = |it| self.may_be_settled(state, it, awake);
        match what {
            // A loop that waits for its own turn.
            Do::LoopRead(_) | Do::Poll(_) => false,
            Do::WaitFirst(_) => settled == 0 && left.any(may),
            Do::AsCompleted(_) => {
                let yielded = usize::from(frame.part) - these.iter().count();
                settled == yielded && left.all(may)
            }
            _ => left.next().is_some_and(may) && left.all(may),
        }
    }

    /// Whether one of those who are awake may settle a future.
    fn may_be_settled(&self, state: &System, it: Future, awake: Set) -> bool {
        let Some(piece) = self.program.shape.piece_of(it) else {
            return self.program.holder(state, it).is_none_or(|agent| awake.has(agent));
        };
        let runs = || self.program.runs(state, piece).is_some_and(|agent| awake.has(agent));
        match (self.program.shape.kind(piece), state.tasks[usize::from(piece)]) {
            (_, Task::Unborn | Task::Done) => true,
            (_, Task::Running) => runs(),
            (Kind::Job(_, pool), _) => (0..self.program.agents())
                .any(|agent| self.role(agent) == Role::Worker(pool) && awake.has(agent)),
            (Kind::Task(_, on), _) => awake.has(on),
            (Kind::Call, _) => true,
        }
    }
}

impl Judge for Client {
    fn shape(&self) -> &Shape {
        &self.program.shape
    }

    fn ended(&self, state: &System) -> bool {
        let at_rest = |agent: Agent| match state.parties[usize::from(agent)].frames.as_slice() {
            [] => true,
            [own] => {
                own.script == Script::Own
                    && self.role(agent) == Role::Thread
                    && self.chooses(agent, own)
            }
            _ => false,
        };
        self.is_quiet(state)
            && (0..self.program.agents()).all(at_rest)
            && state.parties.iter().all(|party| party.queue.is_empty())
    }

    fn stuck(&self, state: &System, expires: bool) -> bool {
        let may_expire = |agent| matches!(self.goes(state, agent), Some(Does::Expire(_)));
        self.is_quiet(state) && {
            let awake = self.awake(state);
            (0..self.program.agents()).any(|it| !awake.has(it) && may_expire(it) == expires)
        }
    }

    fn may_expire(&self, state: &System) -> bool {
        let expires = |agent| matches!(self.goes(state, agent), Some(Does::Expire(_)));
        (0..self.program.agents()).any(expires)
    }

    fn owns(&self, state: &System, it: Future) -> bool {
        self.program.is_owned(state, it)
    }
}
