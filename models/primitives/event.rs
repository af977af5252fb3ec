//! An event, those who wait for it, and those who set and clear it.

use std::collections::BTreeSet;

use settled::model::check::{self, ENVIRONMENT, Kinds};
use stateright::{Model, Property};

use super::{
    TELLER,
    gate::Gate,
    line::{Ticket, Turns},
};
use crate::{Trials, refuted, row};

/// `[event-1]`
pub(super) const GOES_ON: &str = "whoever waited when it was set goes on, although it is cleared";
/// `[event-2]`
pub(super) const STANDS: &str = "nobody waits while it is set";
/// `[event-1]` `[event-2]`
pub(super) const EARLY: &str = "nobody goes on who neither finds it set nor waited when it was";
/// `[event-3]`
pub(super) const WAITS: &str = "nobody waits for ever who was there when it was set last";

/// A mistake that one could make, or that others have shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    /// Who was told looks whether it is set, and waits again if it is not.
    LooksAgain,
    /// Who comes looks, and waits then without another look.
    LooksAndEnters,
    /// Whoever leaves takes what was told to the next with him.
    TellsOne,
    /// Who looks goes on, whatever he sees.
    AnyLook,
}

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Waits,
    MayLeave,
    /// Waits in a task of this loop, which may be closed.
    On(usize),
    Sets,
    /// Sets it and clears it, in two steps.
    Pulses,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Idle,
    Looked,
    Waits(Ticket),
    /// Has set it, and is to clear it.
    Clears,
    WentOn,
    Over,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    gate: Gate<usize>,
    stages: Vec<Stage>,
    /// Those who wait, and those of them who waited when it was set.
    waiting: BTreeSet<usize>,
    owed: BTreeSet<usize>,
    to_tell: BTreeSet<usize>,
    told: BTreeSet<usize>,
    closed: [bool; 2],
    was_set: bool,
    early: bool,
    left: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Enter(usize),
    Look(usize),
    LookEarly(usize),
    Leave(usize),
    Set(usize),
    Clear(usize),
    Tell(usize),
    Close(usize),
}

#[derive(Clone, Debug)]
struct Clients {
    clients: Vec<Does>,
    wrong: Option<Wrong>,
}

impl Clients {
    fn is_wrong(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    fn must_leave(&self, state: &State, who: usize) -> bool {
        matches!(self.clients[who], Does::On(home) if state.closed[home])
    }

    fn enter(&self, next: &mut State, who: usize) {
        if self.is_wrong(Wrong::LooksAndEnters) {
            if next.stages[who] == Stage::Idle && !next.gate.pass() {
                next.stages[who] = Stage::Looked;
                return;
            }
            if next.stages[who] == Stage::Looked {
                let ticket = next.gate.line().enter(who);
                next.waits(who, ticket);
                return;
            }
        }
        match next.gate.enter(who) {
            Ok(ticket) => next.waits(who, ticket),
            Err(_) => next.goes_on(who),
        }
    }

    fn look(&self, next: &mut State, who: usize, ticket: Ticket) {
        next.told.remove(&who);
        if !next.gate.come(ticket) {
            if self.is_wrong(Wrong::AnyLook) {
                next.goes_on(who);
            }
            return;
        }
        if self.is_wrong(Wrong::LooksAgain) && !next.gate.is_set() {
            let ticket = next.gate.line().enter(who);
            next.stages[who] = Stage::Waits(ticket);
            return;
        }
        next.goes_on(who);
    }
}

impl State {
    fn waits(&mut self, who: usize, ticket: Ticket) {
        self.waiting.insert(who);
        self.stages[who] = Stage::Waits(ticket);
    }

    fn goes_on(&mut self, who: usize) {
        self.early |= !self.gate.is_set() && !self.owed.contains(&who);
        self.ends(who, Stage::WentOn);
    }

    fn ends(&mut self, who: usize, stage: Stage) {
        for of in [&mut self.waiting, &mut self.owed, &mut self.told] {
            of.remove(&who);
        }
        self.stages[who] = stage;
    }

    fn is_over(&self, who: usize) -> bool {
        matches!(self.stages[who], Stage::WentOn | Stage::Over)
    }
}

impl Model for Clients {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let none = BTreeSet::new;
        vec![State {
            gate: Gate::new(),
            stages: vec![Stage::Idle; self.clients.len()],
            waiting: none(),
            owed: none(),
            to_tell: none(),
            told: none(),
            closed: [false; 2],
            was_set: false,
            early: false,
            left: false,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        for (who, does) in self.clients.iter().enumerate() {
            match (state.stages[who], does) {
                (Stage::Idle, Does::Sets | Does::Pulses) => steps.push(Step::Set(who)),
                (Stage::Clears, _) => steps.push(Step::Clear(who)),
                (Stage::Idle | Stage::Looked, _) => steps.push(Step::Enter(who)),
                (Stage::Waits(_), _) => {
                    let must_leave = self.must_leave(state, who);
                    if must_leave || *does == Does::MayLeave {
                        steps.push(Step::Leave(who));
                    }
                    if !must_leave {
                        let is_told = state.told.contains(&who);
                        steps.push(if is_told { Step::Look(who) } else { Step::LookEarly(who) });
                    }
                }
                (Stage::WentOn | Stage::Over, _) => {}
            }
        }
        steps.extend(state.to_tell.iter().copied().map(Step::Tell));
        let is_home = |home: &usize| self.clients.contains(&Does::On(*home));
        steps.extend((0..2).filter(is_home).filter(|home| !state.closed[*home]).map(Step::Close));
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut next = last.clone();
        match step {
            Step::Enter(who) => self.enter(&mut next, who),
            Step::Look(who) | Step::LookEarly(who) => {
                let Stage::Waits(ticket) = last.stages[who] else { return None };
                self.look(&mut next, who, ticket);
            }
            Step::Leave(who) => {
                let Stage::Waits(ticket) = last.stages[who] else { return None };
                next.left |= next.gate.leave(ticket).own.is_none();
                next.ends(who, Stage::Over);
            }
            Step::Set(who) => {
                let told: Vec<_> = next.gate.set().collect();
                next.was_set = true;
                next.owed = next.waiting.clone();
                let all = if self.is_wrong(Wrong::TellsOne) { 1 } else { told.len() };
                next.to_tell.extend(told.into_iter().take(all));
                let pulses = self.clients[who] == Does::Pulses;
                next.stages[who] = if pulses { Stage::Clears } else { Stage::Over };
            }
            Step::Clear(who) => {
                next.gate.clear();
                next.stages[who] = Stage::Over;
            }
            Step::Tell(who) => {
                next.to_tell.remove(&who);
                if matches!(next.stages[who], Stage::Waits(_)) {
                    next.told.insert(who);
                }
            }
            Step::Close(home) => {
                next.closed[home] = true;
                for who in 0..self.clients.len() {
                    if self.clients[who] == Does::On(home) && next.stages[who] == Stage::Idle {
                        next.ends(who, Stage::Over);
                    }
                }
            }
        }
        (next != *last).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(GOES_ON, |_, state: &State| {
                // None of them is listed: each goes on when he looks.
                let is_granted = |who: &usize| match state.stages[*who] {
                    Stage::Waits(ticket) => state.gate.clone().come(ticket),
                    _ => false,
                };
                state.owed.iter().all(is_granted)
            }),
            Property::always(STANDS, |_, state: &State| {
                !state.gate.is_set() || state.waiting.is_subset(&state.owed)
            }),
            Property::always(EARLY, |_, state: &State| !state.early),
            Property::always(WAITS, |clients: &Self, state: &State| {
                let mut steps = Vec::new();
                clients.actions(state, &mut steps);
                let goes_on = |step: &Step| {
                    clients.by(step) != ENVIRONMENT && clients.next_state(state, *step).is_some()
                };
                state.owed.is_empty() || steps.iter().any(goes_on)
            }),
            Property::sometimes("two wait at once", |_, state: &State| state.waiting.len() == 2),
            Property::sometimes(
                "it is cleared while one who waited has not come",
                |_, state: &State| !state.owed.is_empty() && !state.gate.is_set(),
            ),
            Property::sometimes("one waits for the next time", |_, state: &State| {
                state.was_set && state.waiting.len() > state.owed.len()
            }),
            Property::sometimes("one leaves although it is his turn", |_, state: &State| {
                state.left
            }),
            Property::sometimes("all are over", |clients: &Self, state: &State| {
                (0..clients.clients.len()).all(|who| state.is_over(who))
            }),
        ]
    }
}

impl Kinds for Clients {
    fn kind(step: &Step) -> &'static str {
        match step {
            Step::Enter(_) => "enter",
            Step::Look(_) => "look",
            Step::LookEarly(_) => "look early",
            Step::Leave(_) => "leave",
            Step::Set(_) => "set",
            Step::Clear(_) => "clear",
            Step::Tell(_) => "tell",
            Step::Close(_) => "close",
        }
    }

    fn by(&self, step: &Step) -> usize {
        match step {
            Step::Leave(who) if self.clients[*who] == Does::MayLeave => ENVIRONMENT,
            Step::LookEarly(_) | Step::Close(_) => ENVIRONMENT,
            Step::Tell(_) => TELLER,
            Step::Enter(who) | Step::Look(who) | Step::Leave(who) => *who,
            Step::Set(who) | Step::Clear(who) => *who,
        }
    }
}

use Does::{MayLeave, On, Pulses, Sets, Waits};

/// What is explored. Two who wait are two whose turns are told one after the other; the third leaves, or is closed with its
/// loop, between them. Two who set it overlap, and so do two loops.
const SYSTEMS: [&[Does]; 4] = [
    &[Waits, Waits, MayLeave, Pulses],
    &[Waits, MayLeave, On(0), Pulses, Sets],
    &[Waits, On(0), On(1), Pulses],
    &[Waits, Waits, Pulses, Pulses],
];

pub(crate) fn add(trials: &mut Trials) {
    trials.add("primitives::event", || {
        let clients = |clients: &[Does]| Clients { clients: clients.to_vec(), wrong: None };
        let proof =
            check::prove_all(SYSTEMS.map(clients)).map_err(|it| format!("{:?}: {}", it.0, it.1))?;
        row("an event for threads and loops", "4 systems of 4 and 5 clients", &proof, [21746, 14])
            .map(|it| vec![it])
    });
    for (name, wrong, property, steps) in [
        ("whoever was told looks whether it is set", Wrong::LooksAgain, GOES_ON, 4),
        ("a waiter looks, and then waits", Wrong::LooksAndEnters, STANDS, 3),
        ("one alone is told", Wrong::TellsOne, WAITS, 6),
        ("whoever looks goes on", Wrong::AnyLook, EARLY, 2),
    ] {
        trials.add(format!("primitives::event: {name}"), move || {
            let model = Clients { clients: vec![Waits, Waits, Pulses], wrong: Some(wrong) };
            let system = format!("an event: {name}");
            refuted(system, format!("not so: {property}"), model, property, steps)
                .map(|it| vec![it])
        });
    }
}
