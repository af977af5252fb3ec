//! Permits, and clients each of whom takes one, holds it, and gives it back.

use std::collections::BTreeSet;

use settled::model::check::{self, ENVIRONMENT, Kinds};
use stateright::{Model, Property};

use super::{
    CLOCK, TELLER,
    designs::{Design, Gone},
};
use crate::{Row, Trials, refuted, row};

/// `[semaphore-1]`
pub(super) const BALANCE: &str = "free, held and granted permits are as many as there are";
/// `[semaphore-2]`
pub(super) const ORDER: &str = "whoever came first has the next permit, and nobody overtakes";
/// `[semaphore-2]`
pub(super) const IDLE: &str = "none is free while the first who waits is not told to look";
/// `[semaphore-3]` `[semaphore-5]`
pub(super) const WAITS: &str = "nobody waits for ever";
/// `[semaphore-3]`
pub(super) const GONE: &str = "nothing is granted to one who has left";
/// `[semaphore-6]`
pub(super) const LIMIT: &str = "there are never more permits than there may be";

/// A mistake that one could make, or that others have shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Who leaves forgets what was granted to him.
    Keeps,
    /// Who leaves hands on, also what he has not.
    HandsOnAlways,
    /// Who leaves looks, and goes then without another look.
    LooksAndLeaves,
    /// Who comes looks, and waits then without another look.
    LooksAndEnters,
    /// Who comes in his turn tells nobody that the next is another's.
    ComesQuietly,
    /// Who leaves tells nobody that it is his turn.
    LeavesQuietly,
    /// A loop that is closed forgets those who wait on it.
    ClosedForgets,
}

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    /// Waits for a permit, as a thread without a deadline.
    Waits,
    /// Waits, and may leave: at its deadline, interrupted, or dropped.
    MayLeave,
    /// Waits in a task of this loop, which may be closed.
    On(usize),
    /// Takes one if it is free.
    Tries,
    /// Adds so many, without having any.
    Adds(usize),
    /// Waits, and begins anew when it has given its permit back.
    Again,
    /// Waits in a future that is polled once, and dropped when this other is over.
    KeptUntil(usize),
}

/// Where a client stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    Idle,
    /// Has looked and found none free, and has not entered the line.
    Looked,
    Waits,
    /// Waits still, has looked, and will go.
    Leaves,
    Holds,
    Over,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    design: Design,
    stages: Vec<Stage>,
    /// Those who wait, as they came.
    order: Vec<usize>,
    /// Those to whom one was granted, and who have not come.
    granted: BTreeSet<usize>,
    /// Who is still to be told, and who was told and has not looked.
    to_tell: BTreeSet<usize>,
    told: BTreeSet<usize>,
    closed: [bool; 2],
    /// How many permits there are.
    all: usize,
    /// Whether somebody overtook, or was granted one when he had left.
    jumped: bool,
    gone: bool,
    /// Whether somebody has left without a grant, and with one; whether somebody was refused what he would add.
    left: [bool; 2],
    refused: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Try(usize),
    Enter(usize),
    /// Looks when he was told, or before.
    Look(usize),
    LookEarly(usize),
    Leave(usize),
    GiveBack(usize),
    Add(usize),
    Tell(usize),
    Close(usize),
    TakeBack(usize),
}

#[derive(Clone, Debug)]
pub(super) struct Clients {
    pub(super) design: Design,
    /// As many permits as there are, and may be.
    pub(super) permits: [usize; 2],
    pub(super) clients: Vec<Does>,
    pub(super) wrong: Option<Wrong>,
}

impl Clients {
    /// What ships.
    pub(super) fn new(permits: usize, limit: usize, clients: &[Does]) -> Self {
        let design = Design::hand_over(permits, limit);
        Self { design, permits: [permits, limit], clients: clients.to_vec(), wrong: None }
    }

    fn is_wrong(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    /// Whether the loop of this client is closed.
    fn is_closed(&self, state: &State, who: usize) -> bool {
        matches!(self.clients[who], Does::On(home) if state.closed[home])
    }

    /// Whether he has to leave, the next time that he can.
    fn must_leave(&self, state: &State, who: usize) -> bool {
        match self.clients[who] {
            Does::On(_) => self.is_closed(state, who),
            Does::KeptUntil(other) => state.stages[other] == Stage::Over,
            _ => false,
        }
    }

    fn looks(&self, state: &State, who: usize) -> bool {
        !matches!(self.clients[who], Does::KeptUntil(_)) && !self.is_closed(state, who)
    }
}

impl State {
    /// These are to be told, and in the design that ships each was granted a permit.
    fn tell(&mut self, told: Vec<usize>) {
        for who in told {
            self.gone |= !matches!(self.stages[who], Stage::Waits | Stage::Leaves);
            if self.design.hands_over() {
                self.jumped |= self.order.first() != Some(&who);
                self.order.retain(|it| *it != who);
                self.granted.insert(who);
            }
            self.to_tell.insert(who);
        }
    }

    /// This one has a permit that was free, or granted to him.
    fn holds(&mut self, who: usize) {
        if !self.granted.remove(&who) {
            self.jumped |= self.order.first().is_some_and(|first| *first != who);
            self.order.retain(|it| *it != who);
        }
        self.told.remove(&who);
        self.stages[who] = Stage::Holds;
    }

    fn waits(&mut self, who: usize) {
        self.order.push(who);
        self.stages[who] = Stage::Waits;
    }

    /// This one is gone, from wherever he stood.
    fn over(&mut self, who: usize) {
        self.order.retain(|it| *it != who);
        self.granted.remove(&who);
        self.told.remove(&who);
        self.stages[who] = Stage::Over;
    }

    pub(super) fn stage(&self, who: usize) -> Stage {
        self.stages[who]
    }

    pub(super) fn clients(&self) -> usize {
        self.stages.len()
    }

    pub(super) fn is_granted(&self, who: usize) -> bool {
        self.granted.contains(&who)
    }

    pub(super) fn is_over(&self, who: usize) -> bool {
        self.stages[who] == Stage::Over
    }

    fn count(&self, stage: Stage) -> usize {
        self.stages.iter().filter(|it| **it == stage).count()
    }
}

impl Model for Clients {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            design: self.design.clone(),
            stages: vec![Stage::Idle; self.clients.len()],
            order: Vec::new(),
            granted: BTreeSet::new(),
            to_tell: BTreeSet::new(),
            told: BTreeSet::new(),
            closed: [false; 2],
            all: self.permits[0],
            jumped: false,
            gone: false,
            left: [false; 2],
            refused: false,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        for (who, does) in self.clients.iter().enumerate() {
            match (state.stages[who], does) {
                (Stage::Idle, Does::Tries) => steps.push(Step::Try(who)),
                (Stage::Idle, Does::Adds(_)) => steps.push(Step::Add(who)),
                (Stage::Idle | Stage::Looked, _) => steps.push(Step::Enter(who)),
                (Stage::Waits | Stage::Leaves, _) => {
                    if state.stages[who] == Stage::Waits && self.looks(state, who) {
                        let is_told = state.told.contains(&who);
                        steps.push(if is_told { Step::Look(who) } else { Step::LookEarly(who) });
                    }
                    if *does == Does::MayLeave || self.must_leave(state, who) {
                        steps.push(Step::Leave(who));
                    }
                }
                (Stage::Holds, _) => steps.push(Step::GiveBack(who)),
                (Stage::Over, _) => {}
            }
        }
        steps.extend(state.to_tell.iter().copied().map(Step::Tell));
        if let Design::TakenBack { in_time, .. } = state.design
            && !state.order.is_empty()
        {
            let is_late = |who: &usize| !in_time || !self.looks(state, *who);
            steps.extend(state.granted.iter().copied().filter(is_late).map(Step::TakeBack));
        }
        let is_home = |home: &usize| self.clients.contains(&Does::On(*home));
        steps.extend((0..2).filter(is_home).filter(|home| !state.closed[*home]).map(Step::Close));
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut next = last.clone();
        match step {
            Step::Try(who) => {
                if next.design.pass() {
                    next.holds(who);
                } else {
                    next.over(who);
                }
            }
            Step::Enter(who) => self.enter(&mut next, who),
            Step::Look(who) | Step::LookEarly(who) => {
                next.told.remove(&who);
                if next.design.come(who) {
                    next.holds(who);
                    let next_turn = next.design.next_turn();
                    next.tell(if self.is_wrong(Wrong::ComesQuietly) {
                        Vec::new()
                    } else {
                        next_turn
                    });
                }
            }
            Step::Leave(who) => self.leave(&mut next, who),
            Step::GiveBack(who) => {
                let told = next.design.give_back();
                next.stages[who] = match self.clients[who] {
                    Does::Again => Stage::Idle,
                    _ => Stage::Over,
                };
                next.tell(told);
            }
            Step::Add(who) => self.add(&mut next, who),
            Step::Tell(who) => {
                next.to_tell.remove(&who);
                // Who has come before he was told, or has left, is told of nothing.
                if next.stages[who] == Stage::Waits {
                    next.told.insert(who);
                }
            }
            Step::Close(home) => self.close(&mut next, home),
            Step::TakeBack(who) => {
                let Gone { told, .. } = next.design.leave(who);
                next.granted.remove(&who);
                next.told.remove(&who);
                next.tell(told);
                next.design.enter(who);
                next.waits(who);
            }
        }
        (next != *last).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(BALANCE, |_, state: &State| {
                let granted = state.granted.len();
                state.design.free() + state.count(Stage::Holds) + granted == state.all
            }),
            Property::always(ORDER, |_, state: &State| !state.jumped),
            Property::always(IDLE, |_, state: &State| {
                let is_told = |who| state.to_tell.contains(who) || state.told.contains(who);
                state.design.free() == 0 || state.order.first().is_none_or(is_told)
            }),
            Property::always(GONE, |_, state: &State| !state.gone),
            Property::always(LIMIT, |clients: &Self, state: &State| {
                state.all <= clients.permits[1]
            }),
            Property::always(WAITS, |clients: &Self, state: &State| {
                let mut steps = Vec::new();
                clients.actions(state, &mut steps);
                let goes_on = |step: &Step| {
                    clients.by(step) != ENVIRONMENT && clients.next_state(state, *step).is_some()
                };
                let is_over = |stage: &Stage| *stage == Stage::Over;
                state.stages.iter().all(is_over) || steps.iter().any(goes_on)
            }),
            Property::sometimes("two wait at once", |_, state: &State| state.order.len() == 2),
            Property::sometimes(
                "two are granted a permit, and have not come",
                |_, state: &State| state.granted.len() == 2,
            ),
            Property::sometimes("one is granted a permit, and leaves", |_, state: &State| {
                state.left[1]
            }),
            Property::sometimes("one leaves without", |_, state: &State| state.left[0]),
            Property::sometimes("one comes before he is told", |_, state: &State| {
                state.to_tell.iter().any(|who| state.stages[*who] == Stage::Holds)
            }),
            Property::sometimes(
                "a loop is closed over one to whom a permit is granted",
                |clients: &Self, state: &State| {
                    let is_closed = |who: &usize| Self::is_closed(clients, state, *who);
                    state.granted.iter().any(is_closed)
                },
            ),
            Property::sometimes("somebody is refused what he would add", |_, state: &State| {
                state.refused
            }),
        ]
    }
}

impl Clients {
    fn enter(&self, next: &mut State, who: usize) {
        let looks_first = self.is_wrong(Wrong::LooksAndEnters);
        if looks_first && next.stages[who] == Stage::Looked {
            next.design.enter_blindly(who);
            next.waits(who);
        } else if looks_first && next.design.pass() {
            next.holds(who);
        } else if looks_first {
            next.stages[who] = Stage::Looked;
        } else if next.design.enter(who) {
            next.holds(who);
        } else {
            next.waits(who);
        }
    }

    fn add(&self, next: &mut State, who: usize) {
        if let Does::Adds(many) = self.clients[who] {
            match next.design.add(many) {
                Some(told) => {
                    next.all += many;
                    next.tell(told);
                }
                None => next.refused = true,
            }
        }
        next.over(who);
    }

    fn leave(&self, next: &mut State, who: usize) {
        if self.is_wrong(Wrong::LooksAndLeaves) && next.stages[who] == Stage::Waits {
            if next.design.come(who) {
                next.holds(who);
            } else {
                next.stages[who] = Stage::Leaves;
            }
            return;
        }
        let forgets = self.is_wrong(Wrong::Keeps) || self.is_wrong(Wrong::LooksAndLeaves);
        let Gone { was_granted, mut told } =
            if forgets { next.design.leave_with_it(who) } else { next.design.leave(who) };
        if !was_granted && self.is_wrong(Wrong::HandsOnAlways) {
            told.extend(next.design.add(1).unwrap_or_default());
        }
        if self.is_wrong(Wrong::LeavesQuietly) {
            told.clear();
        }
        next.left[usize::from(was_granted)] = true;
        next.over(who);
        next.tell(told);
    }

    /// Who waits on it leaves from now on, and who has not begun never does.
    fn close(&self, next: &mut State, home: usize) {
        next.closed[home] = true;
        for who in 0..self.clients.len() {
            let forgets = self.is_wrong(Wrong::ClosedForgets) && next.stages[who] == Stage::Waits;
            if self.clients[who] != Does::On(home) {
                continue;
            }
            if next.stages[who] == Stage::Idle {
                next.over(who);
            } else if forgets {
                next.stages[who] = Stage::Over;
            }
        }
    }
}

impl Kinds for Clients {
    fn kind(step: &Step) -> &'static str {
        match step {
            Step::Try(_) => "try",
            Step::Enter(_) => "enter",
            Step::Look(_) => "look",
            Step::LookEarly(_) => "look early",
            Step::Leave(_) => "leave",
            Step::GiveBack(_) => "give back",
            Step::Add(_) => "add",
            Step::Tell(_) => "tell",
            Step::Close(_) => "close",
            Step::TakeBack(_) => "take back",
        }
    }

    fn by(&self, step: &Step) -> usize {
        match step {
            Step::Leave(who) if self.clients[*who] == Does::MayLeave => ENVIRONMENT,
            Step::LookEarly(_) | Step::Close(_) => ENVIRONMENT,
            Step::Tell(_) => TELLER,
            Step::TakeBack(_) => CLOCK,
            Step::Try(who) | Step::Enter(who) | Step::Look(who) | Step::Leave(who) => *who,
            Step::GiveBack(who) | Step::Add(who) => *who,
        }
    }
}

use Does::{Adds, MayLeave, On, Tries, Waits};

/// What is explored: permits, as many as there may be, and the clients.
///
/// Why so many clients are enough: what is wrong with a line is wrong between one who gives, the first who waits, and the
/// next; the fourth is another who comes or goes meanwhile, and the fifth one who only takes or only adds.
const SYSTEMS: [(usize, usize, &[Does]); 4] = [
    (1, 1, &[Waits, MayLeave, MayLeave, Tries]),
    (2, 3, &[Waits, Waits, MayLeave, MayLeave, Adds(1)]),
    (1, 2, &[Waits, MayLeave, Waits, Adds(2), Adds(1)]),
    (1, 1, &[MayLeave, On(0), On(0), On(1), On(1)]),
];

fn proven() -> Result<Vec<Row>, String> {
    let clients = |(permits, limit, clients)| Clients::new(permits, limit, clients);
    let proof =
        check::prove_all(SYSTEMS.map(clients)).map_err(|it| format!("{:?}: {}", it.0, it.1))?;
    row("a semaphore for threads and loops", "4 systems of 4 and 5 clients", &proof, [92889, 21])
        .map(|it| vec![it])
}

pub(crate) fn add(trials: &mut Trials) {
    trials.add("primitives::semaphore", proven);
    let wrong = |wrong: Wrong, permits, clients: &[Does]| {
        let wrong = Some(wrong);
        Clients { wrong, ..Clients::new(permits, permits, clients) }
    };
    let free_for_all =
        Clients { design: Design::barging(1, false), ..Clients::new(1, 1, &[Waits, Waits, Tries]) };
    let without_limit = Clients {
        design: Design::hand_over(1, usize::MAX),
        ..Clients::new(1, 1, &[Waits, Adds(1)])
    };
    let unlimited = |wrong| Clients { design: Design::hand_over(1, usize::MAX), ..wrong };
    for (name, model, property, steps) in [
        (
            "a grant leaves with its waiter (cpython #90155, tokio #1898)",
            wrong(Wrong::Keeps, 1, &[Waits, MayLeave]),
            BALANCE,
            4,
        ),
        (
            "a grant leaves with its waiter, and another waits",
            wrong(Wrong::Keeps, 1, &[Waits, MayLeave, Waits]),
            WAITS,
            6,
        ),
        (
            "whoever leaves hands on (kotlinx.coroutines #1323)",
            unlimited(wrong(Wrong::HandsOnAlways, 1, &[Waits, MayLeave])),
            BALANCE,
            3,
        ),
        (
            "a waiter looks, and then leaves",
            wrong(Wrong::LooksAndLeaves, 1, &[Waits, MayLeave]),
            BALANCE,
            5,
        ),
        (
            "a waiter looks, and then waits",
            wrong(Wrong::LooksAndEnters, 1, &[Waits, Waits]),
            WAITS,
            4,
        ),
        ("a closed loop keeps who waits", wrong(Wrong::ClosedForgets, 1, &[Waits, On(0)]), GONE, 4),
        ("a newcomer takes what is free", free_for_all, ORDER, 4),
        ("a surplus is added", without_limit, LIMIT, 1),
    ] {
        trials.add(format!("primitives::semaphore: {name}"), move || {
            let system = format!("a semaphore: {name}");
            refuted(system, format!("not so: {property}"), model, property, steps)
                .map(|it| vec![it])
        });
    }
}
