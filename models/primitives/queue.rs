//! A queue: those who put, get and join, leave at every moment, and close it.
//!
//! Each waits for an event of his own, of which is shown elsewhere that whoever waits goes on when it is set: here that he is
//! told is one step, and that he comes for his answer another. He may also look before he is told.

use std::collections::BTreeSet;

use settled::model::check::{self, ENVIRONMENT, Kinds};
use stateright::{Model, Property};

use super::{TELLER, line::Ticket, stock::Stock};
use crate::{Trials, refuted, row};

/// `[queue-1]` `[queue-3]`
pub(super) const ORDER: &str = "what was taken in comes out once, in its order, or is still there";
/// `[queue-3]` `[queue-7]`
pub(super) const BACK: &str = "what one brought and did not put is his again";
/// `[queue-2]`
pub(super) const FIRST: &str = "whoever waited longest is served first";
/// `[queue-4]`
pub(super) const ROOM: &str =
    "there are no more free values than there is room, but for what was promised once";
/// `[queue-2]` `[queue-7]` `[queue-8]`
pub(super) const IDLE: &str = "nobody waits for what is there";
/// `[queue-3]` `[queue-7]`
pub(super) const TOLD: &str = "whoever has his answer is told";
/// `[queue-3]` `[queue-7]`
pub(super) const KEPT: &str = "whoever was promised a value has one when he comes";
/// `[queue-7]`
pub(super) const NONE: &str = "whoever hears that there will be none is right";
/// `[queue-2]` `[queue-7]` `[queue-8]`
pub(super) const GOES_ON: &str = "whoever has an answer has it when he comes";
/// `[queue-8]`
pub(super) const DONE: &str = "nobody who joins goes on before all was done with";

/// A mistake that one could make, or that others have shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    /// Who leaves, and was promised a value, takes it with him.
    LeavesWithIt,
    /// Who leaves, and was promised a value, puts it again.
    PutsItAgain,
    /// Who leaves, and was told, tells nobody.
    EatsTheNews,
    /// Who comes looks, and waits then without another look.
    LooksAndWaits,
    /// Closing tells those who wait to get, and nobody else.
    ForgetsPutters,
    /// Closing tells those who wait to put, and nobody else.
    ForgetsGetters,
    /// Who was told looks first whether it is closed.
    LooksWhetherClosed,
    /// Who comes to get hears that it is closed, although one may leave what was promised to him.
    HearsTooSoon,
    /// Who brought a value and was refused drops it.
    DropsTheRefused,
    /// Who came last is told.
    TellsTheLast,
    /// It is never full.
    NeverFull,
    /// What one got counts twice as done with.
    DoneTwice,
    /// Who joins and was told looks whether all is done with still, and waits again if it is not.
    JoinsAgain,
    /// A loop that is closed takes along what was promised to those who wait on it.
    ClosedKeeps,
}

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    /// Puts so many values.
    Puts(u8),
    /// Puts one, and may leave: at a deadline, interrupted, or dropped.
    PutsOrLeaves,
    /// Puts one in a task of this loop, which may be closed.
    PutsOn(usize),
    /// Gets so many values, or hears that it is closed, and is done with each.
    Gets(u8),
    GetsOrLeaves,
    GetsOn(usize),
    Joins,
    Closes,
    Drains,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    /// Will put or get so many more.
    Idle(u8),
    /// Has looked, and is to wait.
    Looked(u8),
    Waits(Ticket, u8),
    /// Has one, and is to say that he is done with it.
    Has(u8),
    Over,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    stock: Stock<u8, usize>,
    stages: Vec<Stage>,
    /// What was taken in, what came out, and what was drained, each in its order.
    taken_in: Vec<u8>,
    out: Vec<u8>,
    drained: Vec<u8>,
    /// What was given back, or left with whoever brought it.
    back: BTreeSet<u8>,
    done: usize,
    closed: [bool; 2],
    /// Those who wait to put and to get, in their order, and those who have an answer.
    lines: [Vec<usize>; 2],
    answered: BTreeSet<usize>,
    promised: BTreeSet<usize>,
    to_tell: BTreeSet<usize>,
    told: BTreeSet<usize>,
    /// How many have left who were promised a value; whether it went on to another.
    left: usize,
    handed_on: bool,
    /// Whether one left what was drained by that; whether one heard that there will be none.
    let_go: bool,
    heard: bool,
    overtaken: bool,
    broken: bool,
    early: bool,
    joined: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Come(usize),
    Look(usize),
    LookEarly(usize),
    Leave(usize),
    Finish(usize),
    Close(usize),
    CloseLoop(usize),
    Tell(usize),
}

#[derive(Clone, Debug)]
struct Clients {
    capacity: usize,
    clients: Vec<Does>,
    wrong: Option<Wrong>,
}

const PUT: usize = 0;
const GET: usize = 1;

impl State {
    /// Who has an answer now, of those who stand in this line.
    fn answers(&mut self, line: usize, who: Option<usize>) {
        let Some(who) = who else { return };
        self.overtaken |= self.lines[line].first() != Some(&who);
        self.lines[line].retain(|it| *it != who);
        self.answered.insert(who);
        self.to_tell.insert(who);
        if line == GET {
            self.promised.insert(who);
        }
    }

    /// There is nothing for this one, of those who stand in a line.
    fn is_in_vain(&mut self, who: usize) {
        self.lines.iter_mut().for_each(|line| line.retain(|it| *it != who));
        self.answered.insert(who);
        self.to_tell.insert(who);
    }

    fn ends(&mut self, who: usize, stage: Stage) {
        for of in [&mut self.answered, &mut self.promised, &mut self.told, &mut self.to_tell] {
            of.remove(&who);
        }
        self.lines.iter_mut().for_each(|line| line.retain(|it| *it != who));
        self.stages[who] = stage;
    }

    /// What is inside, as those would have it who come for it now.
    fn inside(&self, clients: &Clients) -> Vec<u8> {
        let mut stock = self.stock.clone();
        let mut inside = Vec::new();
        for (who, does) in clients.clients.iter().enumerate() {
            if let (Stage::Waits(ticket, _), true) = (self.stages[who], does.gets()) {
                inside.extend(stock.take(ticket).and_then(|(value, _)| value));
            }
        }
        inside.extend(stock.drain().0);
        inside
    }
}

impl Does {
    const fn puts(self) -> bool {
        matches!(self, Self::Puts(_) | Self::PutsOrLeaves | Self::PutsOn(_))
    }

    const fn gets(self) -> bool {
        matches!(self, Self::Gets(_) | Self::GetsOrLeaves | Self::GetsOn(_))
    }

    const fn may_leave(self) -> bool {
        matches!(self, Self::PutsOrLeaves | Self::GetsOrLeaves)
    }

    /// The loop of his task.
    const fn home(self) -> Option<usize> {
        match self {
            Self::PutsOn(home) | Self::GetsOn(home) => Some(home),
            _ => None,
        }
    }
}

/// The value that a client puts who will put so many more.
fn value(who: usize, left: u8) -> u8 {
    u8::try_from(who).expect("there are few") * 10 + left
}

const fn again(left: u8) -> Stage {
    if left <= 1 { Stage::Over } else { Stage::Idle(left - 1) }
}

impl Clients {
    fn is_wrong(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    /// Whether the loop of this client is closed, so that he leaves and does nothing else.
    fn is_closed(&self, state: &State, who: usize) -> bool {
        self.clients[who].home().is_some_and(|home| state.closed[home])
    }

    /// Of those in a line the one who is told.
    fn choose(&self, next: &State, line: usize, told: Option<usize>) -> Option<usize> {
        let last = next.lines[line].last().copied();
        if self.is_wrong(Wrong::TellsTheLast) { told.and(last) } else { told }
    }

    fn puts(&self, next: &mut State, who: usize, left: u8) {
        let value = value(who, left);
        match next.stock.put(value) {
            Ok(told) => {
                next.overtaken |= !next.lines[PUT].is_empty();
                next.taken_in.push(value);
                let told = self.choose(next, GET, told);
                next.answers(GET, told);
                next.stages[who] = again(left);
            }
            Err(value) if next.stock.is_closed() => self.refused(next, who, value),
            Err(value) => {
                let ticket = next.stock.wait_to_put(value, who);
                next.lines[PUT].push(who);
                next.stages[who] = Stage::Waits(ticket, left);
            }
        }
    }

    fn refused(&self, next: &mut State, who: usize, value: u8) {
        if !self.is_wrong(Wrong::DropsTheRefused) {
            next.back.insert(value);
        }
        next.ends(who, Stage::Over);
    }

    fn gets(&self, next: &mut State, who: usize, left: u8) {
        if self.is_wrong(Wrong::LooksAndWaits) && next.stages[who] == Stage::Looked(left) {
            let ticket = next.stock.wait_to_get(who);
            next.lines[GET].push(who);
            next.stages[who] = Stage::Waits(ticket, left);
            return;
        }
        match next.stock.get() {
            Some((value, told)) => {
                next.overtaken |= !next.lines[GET].is_empty();
                self.let_in(next, told);
                next.out.push(value);
                next.stages[who] = Stage::Has(left);
            }
            None if next.stock.is_over()
                || next.stock.is_closed() && self.is_wrong(Wrong::HearsTooSoon) =>
            {
                next.heard = true;
                next.stages[who] = Stage::Over;
            }
            None if self.is_wrong(Wrong::LooksAndWaits) => next.stages[who] = Stage::Looked(left),
            None => {
                let ticket = next.stock.wait_to_get(who);
                next.lines[GET].push(who);
                next.stages[who] = Stage::Waits(ticket, left);
            }
        }
    }

    /// What this one brought is taken in.
    fn let_in(&self, next: &mut State, told: Option<usize>) {
        if let Some(told) = told
            && let Stage::Waits(_, left) = next.stages[told]
        {
            next.taken_in.push(value(told, left));
            let told = self.choose(next, PUT, Some(told));
            next.answers(PUT, told);
        }
    }

    fn look(&self, next: &mut State, who: usize) -> Option<()> {
        let Stage::Waits(ticket, left) = next.stages[who] else { return None };
        next.told.remove(&who);
        match self.clients[who] {
            does if does.puts() => match next.stock.come_put(ticket)? {
                Ok(()) => next.ends(who, again(left)),
                Err(value) => self.refused(next, who, value),
            },
            does if does.gets() => {
                if self.is_wrong(Wrong::LooksWhetherClosed) && next.stock.is_closed() {
                    next.broken |= next.promised.contains(&who);
                    drop(next.stock.leave_get(ticket));
                    next.ends(who, Stage::Over);
                    return Some(());
                }
                let (got, told) = next.stock.take(ticket)?;
                told.into_iter().for_each(|it| next.is_in_vain(it));
                next.heard |= got.is_none();
                next.broken |= got.is_none() && next.promised.contains(&who);
                next.out.extend(got);
                next.ends(who, if got.is_some() { Stage::Has(left) } else { Stage::Over });
            }
            _ => {
                if !next.stock.come_join(ticket) {
                    return None;
                }
                if self.is_wrong(Wrong::JoinsAgain) && next.stock.unfinished() > 0 {
                    next.stages[who] = Stage::Waits(next.stock.wait_to_join(who), left);
                    return Some(());
                }
                next.joined = true;
                next.ends(who, Stage::Over);
            }
        }
        Some(())
    }

    fn leave(&self, next: &mut State, who: usize) -> Option<()> {
        let Stage::Waits(ticket, _) = next.stages[who] else { return None };
        if self.clients[who].puts() {
            if let (Err(value), _) = next.stock.end_put(ticket) {
                next.back.insert(value);
            }
            next.ends(who, Stage::Over);
            return Some(());
        }
        let was_promised = next.promised.contains(&who);
        next.left += usize::from(was_promised);
        next.ends(who, Stage::Over);
        let keeps = self.is_wrong(Wrong::LeavesWithIt)
            || self.is_wrong(Wrong::ClosedKeeps) && self.is_closed(next, who);
        if was_promised && keeps {
            next.stock.take(ticket);
            return Some(());
        }
        if was_promised && self.is_wrong(Wrong::PutsItAgain) {
            let told = next.stock.put(next.stock.clone().take(ticket)?.0?).unwrap_or_default();
            next.stock.take(ticket);
            next.answers(GET, told);
            return Some(());
        }
        let (_, freed, told) = next.stock.leave_get(ticket);
        if let Some(value) = freed {
            next.let_go = true;
            // It was there before those that were drained.
            next.drained.insert(0, value);
            self.all_done(next, told);
            return Some(());
        }
        for told in told {
            next.handed_on = true;
            next.answers(GET, Some(told));
            if self.is_wrong(Wrong::EatsTheNews) {
                next.to_tell.remove(&told);
            }
        }
        Some(())
    }

    fn finish(&self, next: &mut State, who: usize) -> Option<()> {
        let Stage::Has(left) = next.stages[who] else { return None };
        next.done += 1;
        for _ in 0..=usize::from(self.is_wrong(Wrong::DoneTwice)) {
            let told = next.stock.task_done().unwrap_or_default();
            self.all_done(next, told);
        }
        next.stages[who] = again(left);
        Some(())
    }

    /// These have joined, and go on.
    fn all_done(&self, next: &mut State, told: Vec<usize>) {
        for who in told {
            next.early |= next.done + next.drained.len() < next.taken_in.len();
            next.answered.insert(who);
            next.to_tell.insert(who);
        }
    }

    fn close(&self, next: &mut State, who: usize) {
        let (drained, told) = match self.clients[who] {
            Does::Drains => next.stock.drain(),
            _ => (Default::default(), next.stock.close()),
        };
        next.drained.extend(drained);
        let (ended, joined): (Vec<_>, Vec<_>) =
            told.into_iter().partition(|it| self.clients[*it] != Does::Joins);
        self.all_done(next, joined);
        for it in ended {
            let gets = self.clients[it].gets();
            next.is_in_vain(it);
            let forgets = if gets { Wrong::ForgetsGetters } else { Wrong::ForgetsPutters };
            if self.is_wrong(forgets) {
                next.to_tell.remove(&it);
            }
        }
        next.stages[who] = Stage::Over;
    }
}

impl Model for Clients {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let capacity = if self.is_wrong(Wrong::NeverFull) { usize::MAX } else { self.capacity };
        let stage = |does: &Does| match does {
            Does::Puts(times) | Does::Gets(times) => Stage::Idle(*times),
            _ => Stage::Idle(1),
        };
        let none = BTreeSet::new;
        vec![State {
            stock: Stock::new(capacity),
            stages: self.clients.iter().map(stage).collect(),
            taken_in: Vec::new(),
            out: Vec::new(),
            drained: Vec::new(),
            back: BTreeSet::new(),
            done: 0,
            closed: [false; 2],
            lines: [const { Vec::new() }; 2],
            answered: none(),
            promised: none(),
            to_tell: none(),
            told: none(),
            left: 0,
            handed_on: false,
            let_go: false,
            heard: false,
            overtaken: false,
            broken: false,
            early: false,
            joined: false,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        for (who, does) in self.clients.iter().enumerate() {
            match (state.stages[who], does) {
                (Stage::Idle(_), Does::Closes | Does::Drains) => steps.push(Step::Close(who)),
                (Stage::Waits(..), _) if self.is_closed(state, who) => {
                    steps.push(Step::Leave(who));
                }
                (Stage::Idle(_) | Stage::Looked(_), _) => steps.push(Step::Come(who)),
                (Stage::Has(_), _) => steps.push(Step::Finish(who)),
                (Stage::Waits(..), does) => {
                    let is_told = state.told.contains(&who);
                    steps.push(if is_told { Step::Look(who) } else { Step::LookEarly(who) });
                    if does.may_leave() {
                        steps.push(Step::Leave(who));
                    }
                }
                (Stage::Over, _) => {}
            }
        }
        steps.extend(state.to_tell.iter().copied().map(Step::Tell));
        let is_home = |home: &usize| self.clients.iter().any(|does| does.home() == Some(*home));
        let homes = (0..2).filter(is_home).filter(|home| !state.closed[*home]);
        steps.extend(homes.map(Step::CloseLoop));
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut next = last.clone();
        match step {
            Step::Come(who) => match (self.clients[who], last.stages[who]) {
                (does, Stage::Idle(left)) if does.puts() => self.puts(&mut next, who, left),
                (does, Stage::Idle(left) | Stage::Looked(left)) if does.gets() => {
                    self.gets(&mut next, who, left);
                }
                _ if next.stock.unfinished() == 0 => next.stages[who] = Stage::Over,
                _ => {
                    let ticket = next.stock.wait_to_join(who);
                    next.stages[who] = Stage::Waits(ticket, 1);
                }
            },
            Step::Look(who) | Step::LookEarly(who) => self.look(&mut next, who)?,
            Step::Leave(who) => self.leave(&mut next, who)?,
            Step::Finish(who) => self.finish(&mut next, who)?,
            Step::Close(who) => self.close(&mut next, who),
            // Who waits on it leaves from now on, and who has not begun never does.
            Step::CloseLoop(home) => {
                next.closed[home] = true;
                for who in 0..self.clients.len() {
                    let is_there = self.clients[who].home() == Some(home);
                    if is_there && last.stages[who] == Stage::Idle(1) {
                        next.back.extend(self.clients[who].puts().then(|| value(who, 1)));
                        next.stages[who] = Stage::Over;
                    }
                }
            }
            Step::Tell(who) => {
                next.to_tell.remove(&who);
                if matches!(next.stages[who], Stage::Waits(..)) {
                    next.told.insert(who);
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
        Property::always(ORDER, |clients: &Clients, state: &State| {
            let all = [&state.out[..], &state.inside(clients), &state.drained].concat();
            all == state.taken_in
        }),
        Property::always(BACK, |clients: &Clients, state: &State| {
            let puts = clients.clients.iter().enumerate().filter(|(_, does)| does.puts());
            let is_over = |who: &usize| state.stages[*who] == Stage::Over;
            puts.map(|(who, _)| who).filter(is_over).all(|who| {
                // The last that he brought: he puts no more once he was refused.
                let brought = (1..10).map(|left| value(who, left));
                let is_in = |it: &u8| state.taken_in.contains(it);
                let is_back = |it: &u8| state.back.contains(it);
                brought.clone().all(|it| !(is_in(&it) && is_back(&it)))
                    && (is_in(&value(who, 1)) || brought.clone().any(|it| is_back(&it)))
            })
        }),
        Property::always(FIRST, |_, state: &State| !state.overtaken),
        Property::always(ROOM, |clients: &Clients, state: &State| {
            state.stock.free() <= clients.capacity + state.left
        }),
        Property::always(IDLE, |clients: &Clients, state: &State| {
            let [putting, getting, joining] = state.stock.waiting();
            let (free, is_closed) = (state.stock.free(), state.stock.is_closed());
            let is_over = state.stock.is_over();
            (putting == 0 || free >= clients.capacity && getting == 0 && !is_closed)
                && (getting == 0 || free == 0 && !is_over)
                && (joining == 0 || state.stock.unfinished() > 0)
                && [putting, getting] == [state.lines[PUT].len(), state.lines[GET].len()]
        }),
        Property::always(TOLD, |_, state: &State| {
            state.answered.iter().all(|it| state.to_tell.contains(it) || state.told.contains(it))
        }),
        Property::always(KEPT, |_, state: &State| !state.broken),
        Property::always(NONE, |_, state: &State| {
            !state.heard || state.out.len() + state.drained.len() == state.taken_in.len()
        }),
        Property::always(GOES_ON, |clients: &Clients, state: &State| {
            state.answered.iter().all(|who| {
                let Stage::Waits(ticket, _) = state.stages[*who] else { return false };
                let mut stock = state.stock.clone();
                match clients.clients[*who] {
                    does if does.puts() => stock.come_put(ticket).is_some(),
                    does if does.gets() => stock.take(ticket).is_some(),
                    _ => stock.come_join(ticket),
                }
            })
        }),
        Property::always(DONE, |_, state: &State| !state.early),
    ]
}

/// What some state shows.
fn is_reached() -> Vec<Property<Clients>> {
    vec![
        Property::sometimes("one leaves, and the next is promised it", |_, state: &State| {
            state.handed_on
        }),
        Property::sometimes(
            "there is one more than there is room",
            |of: &Clients, state: &State| state.stock.free() > of.capacity,
        ),
        Property::sometimes("two wait to put", |_, state: &State| state.stock.waiting()[PUT] == 2),
        Property::sometimes("two wait to get", |_, state: &State| state.stock.waiting()[GET] == 2),
        Property::sometimes("one has his own back", |_, state: &State| !state.back.is_empty()),
        Property::sometimes("some are drained, and one is promised", |_, state: &State| {
            !state.drained.is_empty() && !state.promised.is_empty()
        }),
        Property::sometimes("one waits to get, although it is closed", |_, state: &State| {
            state.stock.is_closed() && state.stock.waiting()[GET] > 0
        }),
        Property::sometimes("one hears that there will be none", |_, state: &State| state.heard),
        Property::sometimes("what one leaves is drained", |_, state: &State| state.let_go),
        Property::sometimes("one joins, and goes on", |_, state: &State| state.joined),
        Property::sometimes(
            "another is put before one who joins goes on",
            |clients: &Clients, state: &State| {
                let joins = |who: &usize| clients.clients[*who] == Does::Joins;
                state.answered.iter().any(joins) && state.stock.unfinished() > 0
            },
        ),
        Property::sometimes(
            "a loop is closed over one who was promised a value",
            |of: &Clients, state: &State| {
                state.promised.iter().any(|who| of.is_closed(state, *who))
            },
        ),
        Property::sometimes(
            "a loop is closed over one who waits to put",
            |of: &Clients, state: &State| {
                state.lines[PUT].iter().any(|who| of.is_closed(state, *who))
            },
        ),
        Property::sometimes("all are over", |_, state: &State| {
            state.stages.iter().all(|it| *it == Stage::Over)
        }),
    ]
}

impl Kinds for Clients {
    fn kind(step: &Step) -> &'static str {
        match step {
            Step::Come(_) => "come",
            Step::Look(_) => "look",
            Step::LookEarly(_) => "look early",
            Step::Leave(_) => "leave",
            Step::Finish(_) => "finish",
            Step::Close(_) => "close",
            Step::CloseLoop(_) => "close the loop",
            Step::Tell(_) => "tell",
        }
    }

    fn by(&self, step: &Step) -> usize {
        match step {
            Step::Leave(who) if self.clients[*who].home().is_some() => *who,
            Step::Leave(_) | Step::LookEarly(_) | Step::CloseLoop(_) => ENVIRONMENT,
            Step::Tell(_) => TELLER,
            Step::Come(who) | Step::Look(who) | Step::Finish(who) | Step::Close(who) => *who,
        }
    }
}

use Does::{Closes, Drains, Gets, GetsOn, GetsOrLeaves, Joins, Puts, PutsOn, PutsOrLeaves};

/// What is explored. Two who get are one who leaves and the next; two who put are the first and one whose order counts. A
/// queue of no room has a way of its own, and one of two has order inside. Two loops are closed, one of them over two who get.
const SYSTEMS: [(usize, &[Does]); 10] = [
    (1, &[Puts(2), PutsOrLeaves, Gets(1), GetsOrLeaves]),
    (1, &[Puts(3), GetsOrLeaves, GetsOrLeaves, Gets(1)]),
    (0, &[Puts(2), PutsOrLeaves, GetsOrLeaves, Gets(2)]),
    (2, &[Puts(3), Gets(1), GetsOrLeaves, Drains]),
    (1, &[Puts(2), PutsOrLeaves, GetsOrLeaves, Closes]),
    (1, &[Puts(1), PutsOrLeaves, Gets(2), Gets(1), Closes]),
    (1, &[Puts(1), GetsOrLeaves, Gets(1), Closes]),
    (1, &[Puts(2), Gets(2), Joins, Joins, Drains]),
    (1, &[Puts(2), GetsOn(0), GetsOn(0), GetsOn(1)]),
    (1, &[Puts(1), PutsOn(0), PutsOn(1), GetsOn(1), Closes]),
];

const GETS: &[Does] = &[Puts(2), GetsOrLeaves, GetsOrLeaves];
const PUTS: &[Does] = &[Puts(1), Puts(1), Closes];

/// What is done wrong, with whom, and what breaks in so many steps.
const MISTAKES: [(&str, Wrong, &[Does], &str, usize); 14] = [
    (
        "who leaves takes what was promised to him along (cpython #68000, tornado #2826)",
        Wrong::LeavesWithIt,
        GETS,
        ORDER,
        3,
    ),
    ("who leaves puts what was promised to him again", Wrong::PutsItAgain, GETS, ORDER, 4),
    ("who leaves, and was told, tells nobody (cpython #108042)", Wrong::EatsTheNews, GETS, TOLD, 4),
    (
        "a closed loop takes what was promised along",
        Wrong::ClosedKeeps,
        &[Puts(1), GetsOn(0)],
        ORDER,
        4,
    ),
    ("who comes looks, and then waits", Wrong::LooksAndWaits, GETS, IDLE, 3),
    ("whoever came last is told", Wrong::TellsTheLast, GETS, FIRST, 3),
    ("it is never full", Wrong::NeverFull, GETS, ROOM, 2),
    ("closing forgets who waits to put", Wrong::ForgetsPutters, PUTS, TOLD, 3),
    (
        "closing forgets who waits to get (cpython #117531)",
        Wrong::ForgetsGetters,
        &[Gets(1), Closes],
        TOLD,
        2,
    ),
    (
        "who comes hears that it is closed while one may leave",
        Wrong::HearsTooSoon,
        &[Puts(1), GetsOrLeaves, Gets(1), Closes],
        NONE,
        4,
    ),
    ("who is refused drops what he brought", Wrong::DropsTheRefused, PUTS, BACK, 2),
    (
        "who was promised a value looks whether it is closed",
        Wrong::LooksWhetherClosed,
        &[Puts(1), Gets(1), Closes],
        KEPT,
        4,
    ),
    ("what one got counts twice", Wrong::DoneTwice, &[Puts(2), Gets(1), Joins], DONE, 5),
    (
        "who joins looks again whether all is done with",
        Wrong::JoinsAgain,
        &[Puts(2), Gets(1), Joins],
        GOES_ON,
        6,
    ),
];

pub(crate) fn add(trials: &mut Trials) {
    trials.add("primitives::queue", || {
        let clients = |(capacity, clients): (usize, &[Does])| Clients {
            capacity,
            clients: clients.to_vec(),
            wrong: None,
        };
        let proof =
            check::prove_all(SYSTEMS.map(clients)).map_err(|it| format!("{:?}: {}", it.0, it.1))?;
        row("a queue for threads and loops", "10 systems of 4 and 5 clients", &proof, [20676, 13])
            .map(|it| vec![it])
    });
    for (name, wrong, clients, property, steps) in MISTAKES {
        trials.add(format!("primitives::queue: {name}"), move || {
            let model = Clients { capacity: 1, clients: clients.to_vec(), wrong: Some(wrong) };
            let system = format!("a queue: {name}");
            refuted(system, format!("not so: {property}"), model, property, steps)
                .map(|it| vec![it])
        });
    }
}
