//! A barrier: those who come, leave at every moment, and break it or make it whole again.
//!
//! Each waits for the event of his round, of which is shown elsewhere that whoever waits goes on when it is set: here that is
//! one step, some time after the round is over.

use settled::model::check::{self, ENVIRONMENT, Kinds};
use stateright::{Model, Property};

use super::meeting::{Arrival, Meeting};
use crate::{Trials, refuted, row};

/// `[barrier-1]`
pub(super) const TOGETHER: &str = "nobody goes on before as many have come as there have to be";
/// `[barrier-1]`
pub(super) const NUMBERS: &str = "each who goes on has a number of his own in his round";
/// `[barrier-1]` `[barrier-2]`
pub(super) const AGREE: &str = "of a round all go on, or nobody does";
/// `[barrier-2]` `[barrier-4]`
pub(super) const WAITS: &str = "nobody waits for one who has left";
/// `[barrier-2]`
pub(super) const BLAME: &str = "a round breaks by one who waits in it, or on purpose";
/// `[barrier-2]`
pub(super) const BROKEN: &str = "whoever comes while it is broken is told so, and nobody else";

/// A mistake that one could make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    /// Who leaves takes himself off, and breaks nothing.
    LeavesQuietly,
    /// Who leaves a round that is over breaks the next one.
    BreaksTheNext,
    /// Who goes on looks whether it is broken by then.
    LooksLate,
    /// Whoever comes makes it whole again.
    ComesAnyway,
    /// Whoever leaves ends the round, and the next begins.
    BreaksOneRound,
    /// Whoever makes it whole ends the round, and no more.
    MendsOneRound,
    /// One less is enough.
    OneLess,
    /// Whoever goes on has the number of the first.
    OneNumber,
    /// A loop that is closed forgets those who wait on it.
    ClosedForgets,
}

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    /// Comes so many times.
    Comes(usize),
    /// Comes, and may leave: at a deadline, interrupted, or dropped.
    MayLeave,
    /// Comes in a task of this loop, which may be closed.
    On(usize),
    Aborts,
    Resets,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    /// Will come so many times more.
    Idle(usize),
    /// Waits in this round, as this number, and will come so many times more.
    Waits(u64, usize, usize),
    Over,
}

/// What has become of a round, and who went on in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Round {
    is_broken: Option<bool>,
    came: usize,
    numbers: Vec<usize>,
    told_broken: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    meeting: Meeting,
    stages: Vec<Stage>,
    rounds: Vec<Round>,
    closed: [bool; 2],
    /// Somebody who waited has left; he did so although all were there; one was told at once that it is broken.
    left: [bool; 2],
    refused: bool,
    /// Whether it is broken, as those know who have left, aborted and reset it; whether one came who was not told, or who
    /// was told what is not so; whether one came when it was whole again.
    is_broken: bool,
    was_let_in: bool,
    was_kept_out: bool,
    was_mended: bool,
    broken_by_another: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Arrive(usize),
    GoOn(usize),
    Leave(usize),
    Abort(usize),
    Reset(usize),
    Close(usize),
}

#[derive(Clone, Debug)]
struct Clients {
    parties: usize,
    clients: Vec<Does>,
    wrong: Option<Wrong>,
}

impl State {
    fn round(&mut self, number: u64) -> &mut Round {
        let at = usize::try_from(number).expect("there are few");
        self.rounds.resize(self.rounds.len().max(at + 1), Round::default());
        &mut self.rounds[at]
    }

    /// The round that was the current one is over.
    fn ends(&mut self, number: u64, is_broken: bool) {
        let round = self.round(number);
        if round.is_broken.is_none() {
            round.is_broken = Some(is_broken);
        }
    }

    fn end_of(&self, number: u64) -> Option<bool> {
        self.rounds.get(usize::try_from(number).expect("there are few"))?.is_broken
    }

    /// One has come, and is not told that it is broken.
    fn is_let_in(&mut self) {
        self.was_let_in |= self.is_broken;
        self.was_mended |= self.refused;
    }

    fn again(&mut self, who: usize, times: usize) {
        self.stages[who] = if times == 0 { Stage::Over } else { Stage::Idle(times) };
    }
}

impl Clients {
    fn is_wrong(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    /// Whether the loop of this client is closed, so that he leaves and does nothing else.
    fn is_closed(&self, state: &State, who: usize) -> bool {
        matches!(self.clients[who], Does::On(home) if state.closed[home])
    }

    fn arrive(&self, next: &mut State, who: usize, times: usize) {
        let round = next.meeting.round();
        let was_broken = next.meeting.is_broken();
        if was_broken && self.is_wrong(Wrong::ComesAnyway) {
            next.meeting.reset();
            next.ends(round, true);
            return self.arrive(next, who, times);
        }
        match next.meeting.arrive() {
            Arrival::Waits(number) => {
                next.is_let_in();
                next.round(round).came += 1;
                next.stages[who] = Stage::Waits(round, number, times);
            }
            Arrival::Last(number) => {
                next.is_let_in();
                next.round(round).came += 1;
                next.round(round).numbers.push(number);
                next.ends(round, false);
                next.again(who, times);
            }
            Arrival::Broken => {
                next.was_kept_out |= !next.is_broken;
                next.refused = true;
                next.stages[who] = Stage::Over;
            }
        }
    }

    fn go_on(&self, next: &mut State, who: usize) -> Option<()> {
        let Stage::Waits(round, number, times) = next.stages[who] else { return None };
        let mut is_broken = next.end_of(round)?;
        if self.is_wrong(Wrong::LooksLate) {
            is_broken = next.meeting.is_broken();
        }
        if is_broken {
            next.round(round).told_broken += 1;
            next.stages[who] = Stage::Over;
        } else {
            let number = if self.is_wrong(Wrong::OneNumber) { 0 } else { number };
            next.round(round).numbers.push(number);
            next.again(who, times);
        }
        Some(())
    }

    fn leave(&self, next: &mut State, who: usize) -> Option<()> {
        let Stage::Waits(round, ..) = next.stages[who] else { return None };
        next.left[usize::from(next.end_of(round).is_some())] = true;
        next.stages[who] = Stage::Over;
        if self.is_wrong(Wrong::LeavesQuietly) {
            return Some(());
        }
        let current = next.meeting.round();
        let of = if self.is_wrong(Wrong::BreaksTheNext) { current } else { round };
        if next.meeting.leave(of) {
            next.ends(current, true);
            next.is_broken = true;
            if self.is_wrong(Wrong::BreaksOneRound) {
                next.meeting.reset();
            }
            next.broken_by_another |= current != round;
        }
        Some(())
    }
}

impl Model for Clients {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let stage = |does: &Does| match does {
            Does::Comes(times) => Stage::Idle(*times),
            _ => Stage::Idle(1),
        };
        vec![State {
            meeting: Meeting::new(self.parties - usize::from(self.is_wrong(Wrong::OneLess))),
            stages: self.clients.iter().map(stage).collect(),
            rounds: Vec::new(),
            closed: [false; 2],
            left: [false; 2],
            refused: false,
            is_broken: false,
            was_let_in: false,
            was_kept_out: false,
            was_mended: false,
            broken_by_another: false,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        for (who, does) in self.clients.iter().enumerate() {
            match (state.stages[who], does) {
                (Stage::Idle(_), Does::Aborts) => steps.push(Step::Abort(who)),
                (Stage::Idle(_), Does::Resets) => steps.push(Step::Reset(who)),
                (Stage::Waits(..), _) if self.is_closed(state, who) => {
                    steps.push(Step::Leave(who));
                }
                (Stage::Idle(_), _) => steps.push(Step::Arrive(who)),
                (Stage::Waits(..), does) => {
                    steps.push(Step::GoOn(who));
                    if *does == Does::MayLeave {
                        steps.push(Step::Leave(who));
                    }
                }
                (Stage::Over, _) => {}
            }
        }
        let is_home = |home: &usize| self.clients.contains(&Does::On(*home));
        steps.extend((0..2).filter(is_home).filter(|home| !state.closed[*home]).map(Step::Close));
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut next = last.clone();
        match step {
            Step::Arrive(who) => {
                let Stage::Idle(times) = last.stages[who] else { return None };
                self.arrive(&mut next, who, times - 1);
            }
            Step::GoOn(who) => self.go_on(&mut next, who)?,
            Step::Leave(who) => self.leave(&mut next, who)?,
            Step::Abort(who) => {
                let round = next.meeting.round();
                next.meeting.abort();
                next.is_broken = true;
                next.ends(round, true);
                next.stages[who] = Stage::Over;
            }
            Step::Reset(who) => {
                let round = next.meeting.round();
                next.meeting.reset();
                if self.is_wrong(Wrong::MendsOneRound) && last.meeting.is_broken() {
                    next.meeting.abort();
                }
                next.is_broken = false;
                next.ends(round, true);
                next.stages[who] = Stage::Over;
            }
            Step::Close(home) => {
                next.closed[home] = true;
                let is_there = |who: &usize| self.clients[*who] == Does::On(home);
                for who in (0..self.clients.len()).filter(is_there) {
                    if self.is_wrong(Wrong::ClosedForgets) || last.stages[who] == Stage::Idle(1) {
                        next.stages[who] = Stage::Over;
                    }
                }
            }
        }
        (next != *last).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut all = holds();
        all.extend(is_reached());
        all
    }
}

/// What holds in every state.
fn holds() -> Vec<Property<Clients>> {
    vec![
        Property::always(TOGETHER, |clients: &Clients, state: &State| {
            let has_all = |round: &Round| round.came == clients.parties;
            state.rounds.iter().all(|round| round.numbers.is_empty() || has_all(round))
        }),
        Property::always(NUMBERS, |clients: &Clients, state: &State| {
            state.rounds.iter().all(|round| {
                let mut numbers = round.numbers.clone();
                numbers.sort_unstable();
                numbers.dedup();
                numbers.len() == round.numbers.len()
                    && numbers.iter().all(|number| *number < clients.parties)
            })
        }),
        Property::always(AGREE, |_, state: &State| {
            state.rounds.iter().all(|it| it.numbers.is_empty() || it.told_broken == 0)
        }),
        Property::always(WAITS, |clients: &Clients, state: &State| {
            // Who waits in the round that goes on waits for others only: as many are there as it counts.
            let round = state.meeting.round();
            let waits = |it: &&Stage| matches!(it, Stage::Waits(of, ..) if *of == round);
            let there = state.stages.iter().filter(waits).count();
            let is_told = |it: &Stage| match it {
                Stage::Waits(of, ..) => *of == round || state.end_of(*of).is_some(),
                _ => true,
            };
            there == state.meeting.there()
                && there < clients.parties
                && state.stages.iter().all(is_told)
        }),
        Property::always(BLAME, |_, state: &State| !state.broken_by_another),
        Property::always(BROKEN, |_, state: &State| !state.was_let_in && !state.was_kept_out),
    ]
}

/// What some state shows.
fn is_reached() -> Vec<Property<Clients>> {
    vec![
        Property::sometimes("two rounds are over", |_, state: &State| {
            state.rounds.iter().filter(|round| round.is_broken == Some(false)).count() == 2
        }),
        Property::sometimes("one leaves, and breaks it", |_, state: &State| state.left[0]),
        Property::sometimes("one leaves when all are there", |_, state: &State| state.left[1]),
        Property::sometimes("one is told at once that it is broken", |_, state: &State| {
            state.refused
        }),
        Property::sometimes(
            "one is told that it is broken, and another comes when it is whole",
            |_, state: &State| state.was_mended,
        ),
        Property::sometimes("it is made whole while one waits", |_, state: &State| {
            !state.meeting.is_broken() && state.rounds.iter().any(|it| it.told_broken > 0)
        }),
        Property::sometimes(
            "a loop is closed over one for whom others wait",
            |of: &Clients, state: &State| {
                let round = state.meeting.round();
                let waits = |it: &Stage| matches!(it, Stage::Waits(of, ..) if *of == round);
                let waiting = (0..state.stages.len()).filter(|who| waits(&state.stages[*who]));
                let is_closed: Vec<_> = waiting.map(|who| of.is_closed(state, who)).collect();
                is_closed.contains(&true) && is_closed.contains(&false)
            },
        ),
        Property::sometimes("one is late, and the next round has begun", |_, state: &State| {
            let round = state.meeting.round();
            let is_late = |it: &Stage| matches!(it, Stage::Waits(of, ..) if *of < round);
            state.meeting.there() > 0 && state.stages.iter().any(is_late)
        }),
    ]
}

impl Kinds for Clients {
    fn kind(step: &Step) -> &'static str {
        match step {
            Step::Arrive(_) => "arrive",
            Step::GoOn(_) => "go on",
            Step::Leave(_) => "leave",
            Step::Abort(_) => "abort",
            Step::Reset(_) => "reset",
            Step::Close(_) => "close",
        }
    }

    fn by(&self, step: &Step) -> usize {
        match step {
            Step::Leave(who) if matches!(self.clients[*who], Does::On(_)) => *who,
            Step::Leave(_) | Step::Close(_) => ENVIRONMENT,
            Step::Arrive(who) | Step::GoOn(who) => *who,
            Step::Abort(who) | Step::Reset(who) => *who,
        }
    }
}

use Does::{Aborts, Comes, MayLeave, On, Resets};

/// What is explored. Two parties are one who comes and the last; three are one besides, who may be told before or after.
/// Who comes twice is in the next round while others have not gone on. Two loops are closed, one of them over two who wait.
const SYSTEMS: [(usize, &[Does]); 5] = [
    (2, &[Comes(2), Comes(2), MayLeave, Resets]),
    (2, &[Comes(2), MayLeave, Aborts, Resets]),
    (3, &[Comes(2), Comes(1), MayLeave, MayLeave]),
    (3, &[Comes(1), Comes(1), MayLeave, Aborts, Resets]),
    (3, &[Comes(2), On(0), On(0), On(1), Resets]),
];

pub(crate) fn add(trials: &mut Trials) {
    trials.add("primitives::barrier", || {
        let clients = |(parties, clients): (usize, &[Does])| Clients {
            parties,
            clients: clients.to_vec(),
            wrong: None,
        };
        let proof =
            check::prove_all(SYSTEMS.map(clients)).map_err(|it| format!("{:?}: {}", it.0, it.1))?;
        row("a barrier for threads and loops", "5 systems of 4 and 5 clients", &proof, [12500, 13])
            .map(|it| vec![it])
    });
    let comes: &[Does] = &[Comes(2), Comes(1), MayLeave];
    let three: &[Does] = &[Comes(1), Comes(1), Comes(1)];
    for (name, wrong, clients, property, steps) in [
        ("one less is enough", Wrong::OneLess, three, TOGETHER, 2),
        ("all have one number", Wrong::OneNumber, three, NUMBERS, 5),
        ("one leaves, and the others wait", Wrong::LeavesQuietly, comes, WAITS, 2),
        ("a closed loop forgets who waits", Wrong::ClosedForgets, &[On(0), Comes(1)], WAITS, 2),
        ("one leaves late, and breaks the next round", Wrong::BreaksTheNext, comes, BLAME, 3),
        (
            "whoever goes on looks whether it is broken",
            Wrong::LooksLate,
            &[Comes(1), Comes(1), Aborts],
            AGREE,
            4,
        ),
        ("whoever comes makes it whole again", Wrong::ComesAnyway, &[Comes(1), Aborts], BROKEN, 2),
        ("whoever leaves breaks one round", Wrong::BreaksOneRound, comes, BROKEN, 3),
        (
            "whoever makes it whole ends a round",
            Wrong::MendsOneRound,
            &[Comes(1), Aborts, Resets],
            BROKEN,
            3,
        ),
    ] {
        trials.add(format!("primitives::barrier: {name}"), move || {
            let parties = match wrong {
                Wrong::ComesAnyway => 1,
                Wrong::OneLess | Wrong::OneNumber => 3,
                _ => 2,
            };
            let model = Clients { parties, clients: clients.to_vec(), wrong: Some(wrong) };
            let system = format!("a barrier: {name}");
            refuted(system, format!("not so: {property}"), model, property, steps)
                .map(|it| vec![it])
        });
    }
}
