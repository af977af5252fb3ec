//! One executor and two cancellers, and the rule that they need: claiming the work is one step.

pub(crate) use settled::machine::{Event, State, Step};
use settled::model::check::{self, Kinds};
use stateright::{Model, Property};

use crate::{Trials, refuted, row};

/// Why two cancellers are enough: the machine answers a cancel by its own state alone, so a third
/// one can only repeat what the second saw. Why one executor: a promise has one owner.
const BOUND: &str = "1 executor, 2 cancellers";

pub(crate) fn add(trials: &mut Trials) {
    // Executor not begun: nobody has cancelled, or one has (2 ways), or both have (2 ways): 5.
    // Executor refused: somebody had cancelled: 4. Executor working, and executor done: each
    // canceller is idle or refused: 4 and 4. Together 17.
    //
    // Depth counts the states on a longest shortest path: the executor's two steps and one of each
    // canceller are four steps, five states.
    trials.add("machine::two_cancels", || {
        let proof =
            check::prove(Machine { claim_in_one_step: true }).map_err(|it| it.to_string())?;
        row("machine", BOUND, &proof, [17, 5]).map(|row| vec![row])
    });
    // look, cancel (Now), claim: now the work runs although a cancel succeeded (D8, bug-a1).
    trials.add("machine::look_and_then_claim", || {
        let split = Machine { claim_in_one_step: false };
        refuted(
            "machine: look and then claim",
            format!("not so: {NEVER_RUNS}"),
            split,
            NEVER_RUNS,
            3,
        )
        .map(|row| vec![row])
    });
}

const NEVER_RUNS: &str = "work whose cancel succeeded never runs";

#[derive(Clone)]
struct Machine {
    /// Whether the executor looks and claims in one step. What ships does.
    claim_in_one_step: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct System {
    machine: State,
    executor: Executor,
    /// What each canceller was answered.
    answers: [Option<Answer>; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Executor {
    Idle,
    /// Has looked, and not claimed yet.
    Looked,
    Working,
    Done,
    /// Found the work cancelled.
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Answer {
    Now,
    Already,
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Look,
    Claim,
    Start,
    Finish,
    Cancel(usize),
}

impl Model for Machine {
    type State = System;
    type Action = Action;

    fn init_states(&self) -> Vec<System> {
        let machine = State::Pending;
        vec![System { machine, executor: Executor::Idle, answers: [None; 2] }]
    }

    fn actions(&self, state: &System, actions: &mut Vec<Action>) {
        match state.executor {
            Executor::Idle if self.claim_in_one_step => actions.push(Action::Start),
            Executor::Idle => actions.push(Action::Look),
            Executor::Looked => actions.push(Action::Claim),
            Executor::Working => actions.push(Action::Finish),
            Executor::Done | Executor::Refused => {}
        }
        let idle = |canceller: &usize| state.answers[*canceller].is_none();
        actions.extend((0..2).filter(idle).map(Action::Cancel));
    }

    fn next_state(&self, state: &System, action: Action) -> Option<System> {
        let mut next = state.clone();
        match action {
            Action::Start => next.executor = next.apply(Event::Start, Executor::Working),
            Action::Finish => next.executor = next.apply(Event::Finish, Executor::Done),
            Action::Look => match state.machine.on(Event::Start) {
                Step::To(_) => next.executor = Executor::Looked,
                Step::Already | Step::Refused => next.executor = Executor::Refused,
            },
            // What it saw may be true no longer.
            Action::Claim => {
                next.machine = State::Running;
                next.executor = Executor::Working;
            }
            Action::Cancel(canceller) => {
                let answer = match state.machine.on(Event::Cancel) {
                    Step::To(to) => {
                        next.machine = to;
                        Answer::Now
                    }
                    Step::Already => Answer::Already,
                    Step::Refused => Answer::Refused,
                };
                next.answers[canceller] = Some(answer);
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NEVER_RUNS, |_, state: &System| {
                !(state.count(Answer::Now) > 0 && state.has_run())
            }),
            Property::always("at most one cancel succeeds", |_, state: &System| {
                state.count(Answer::Now) <= 1
            }),
            Property::always("nobody is left over an unsettled future", |model: &Self, state| {
                let mut actions = Vec::new();
                model.actions(state, &mut actions);
                !actions.is_empty() || state.machine.is_settled()
            }),
            Property::sometimes("a cancel succeeds", |_, state: &System| {
                state.count(Answer::Now) == 1
            }),
            Property::sometimes("a second cancel hears of the first", |_, state: &System| {
                state.count(Answer::Already) == 1
            }),
            Property::sometimes("running work refuses both cancels", |_, state: &System| {
                state.machine == State::Running && state.count(Answer::Refused) == 2
            }),
            Property::sometimes("the executor is refused", |_, state: &System| {
                state.executor == Executor::Refused
            }),
            Property::sometimes("the work is done", |_, state: &System| {
                state.executor == Executor::Done
            }),
        ]
    }
}

impl Kinds for Machine {
    fn kind(action: &Action) -> &'static str {
        match action {
            Action::Look => "look",
            Action::Claim => "claim",
            Action::Start => "start",
            Action::Finish => "finish",
            Action::Cancel(_) => "cancel",
        }
    }

    fn by(&self, action: &Action) -> usize {
        match action {
            Action::Cancel(canceller) => 1 + canceller,
            _ => 0,
        }
    }
}

impl System {
    /// The executor after an event of its own.
    fn apply(&mut self, event: Event, then: Executor) -> Executor {
        match self.machine.on(event) {
            Step::To(to) => {
                self.machine = to;
                then
            }
            Step::Already | Step::Refused => Executor::Refused,
        }
    }

    fn has_run(&self) -> bool {
        matches!(self.executor, Executor::Working | Executor::Done)
    }

    fn count(&self, answer: Answer) -> usize {
        self.answers.iter().filter(|it| **it == Some(answer)).count()
    }
}
