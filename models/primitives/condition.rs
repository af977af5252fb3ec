//! A condition and its lock, those who wait, and those who notify.
//!
//! The lock is the semaphore of one permit that ships, of which is shown elsewhere that nobody waits for it for ever: whoever
//! waits for it looks when he likes. Whoever has been notified is told in a step of its own, and may look before.

use std::collections::BTreeSet;

use settled::model::check::{self, ENVIRONMENT, Kinds};
use stateright::{Model, Property};

use super::{
    TELLER,
    line::{Ticket, Turns},
    notices::Notices,
    permits::Permits,
};
use crate::{Trials, refuted, row};

/// `[condition-1]`
pub(super) const THERE: &str = "whoever gave the lock up to wait is there when somebody notifies";
/// `[condition-2]`
pub(super) const FIRST: &str = "whoever came first is notified first";
/// `[condition-2]`
pub(super) const SINCE: &str = "nobody is notified by what came before he waited";
/// `[condition-2]`
pub(super) const MANY: &str = "no more go on than were notified";
/// `[condition-2]` `[condition-5]`
pub(super) const WAITS: &str = "nobody waits for ever with a notice for him that nobody has used";
/// `[condition-1]` `[condition-3]`
pub(super) const ALONE: &str = "one at a time has the lock";

/// A mistake that one could make, or that others have shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    /// Who leaves forgets that he was notified.
    Keeps,
    /// Who is notified takes that for good, and then awaits the lock.
    ComesFirst,
    /// Who leaves notifies another, also when he was not notified.
    HandsOnAlways,
    /// Who leaves notifies whoever waits by then.
    HandsToAny,
    /// Who waits gives the lock up, and then enters the line.
    UnlocksFirst,
    /// Who leaves looks, and goes then without another look.
    LooksAndLeaves,
    /// Who is notified goes on, and does not lock again.
    LocksNoMore,
    /// Who came last is notified.
    NotifiesTheLast,
    /// Of those who are notified one is told.
    TellsOne,
    /// Who leaves notifies the next, and does not tell him.
    EatsTheNews,
    /// A loop that is closed takes along what those were notified of who wait on it.
    ClosedKeeps,
}

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    /// Waits, as a thread without a deadline.
    Waits,
    /// Waits in a thread, and has the lock again if its time is over.
    Expires,
    /// Waits in a task, which may be dropped at any moment.
    MayLeave,
    /// Waits in a task of this loop, which may be closed.
    On(usize),
    /// Locks, notifies so many, and unlocks.
    Notifies(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Idle,
    /// Waits for the lock, and has been notified, or has not waited for that, or not any more.
    Locks(Ticket, Why),
    /// Has the lock.
    Has(Why),
    /// Has given the lock up, and does not wait yet.
    Unlocked,
    /// Stands in the line, and has the lock still.
    Entered(Ticket),
    Waits(Ticket),
    /// Has looked, and will leave.
    Leaves(Ticket),
    Over,
}

/// Why one has the lock, or wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Why {
    ToBegin,
    /// It was notified; the ticket is there until it has gone on.
    Notified(Option<Ticket>),
    /// To unlock it.
    ToEnd,
}

/// A notice for one of those who waited when it was given.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Notice {
    /// Those of them who still wait, and were not notified.
    there: BTreeSet<usize>,
    has: Option<usize>,
    is_used: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    notices: Notices<usize>,
    lock: Permits<usize>,
    stages: Vec<Stage>,
    /// Those who wait and were not notified, as they came, and those who have given the lock up for that.
    order: Vec<usize>,
    gave_up: BTreeSet<usize>,
    given: Vec<Notice>,
    to_tell: BTreeSet<usize>,
    told: BTreeSet<usize>,
    closed: [bool; 2],
    went_on: usize,
    is_jumped: bool,
    is_early: bool,
    is_missed: bool,
    /// Whether somebody has left who was notified, before and while he awaited the lock; whether his notice went on, or
    /// was over.
    left: [bool; 4],
    is_met: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Lock(usize),
    HasLock(usize),
    Enter(usize),
    Unlock(usize),
    Look(usize),
    LookEarly(usize),
    Leave(usize),
    Notify(usize),
    Tell(usize),
    Close(usize),
}

#[derive(Clone, Debug)]
struct Clients {
    clients: Vec<Does>,
    wrong: Option<Wrong>,
}

impl State {
    /// This one was notified, by one who gave this notice or handed it on.
    fn is_notified(&mut self, who: usize, notice: Option<usize>) {
        self.is_jumped |= self.order.first() != Some(&who);
        if let Some(notice) = notice {
            self.is_early |= !self.given[notice].there.contains(&who);
            self.given[notice].has = Some(who);
        }
        self.waits_no_more(who);
        self.to_tell.insert(who);
    }

    /// This one was notified, or has left.
    fn waits_no_more(&mut self, who: usize) {
        self.order.retain(|it| *it != who);
        self.gave_up.remove(&who);
        self.given.iter_mut().for_each(|it| _ = it.there.remove(&who));
    }

    /// The notice that this one has.
    fn notice_of(&self, who: usize) -> Option<usize> {
        self.given.iter().position(|it| it.has == Some(who))
    }

    fn goes_to_lock(&mut self, who: usize, why: Why) {
        self.stages[who] = match self.lock.enter(who) {
            Ok(ticket) => Stage::Locks(ticket, why),
            Err(_) => Stage::Has(self.has_lock(who, why)),
        };
    }

    /// What is so from the moment on in which one has the lock.
    fn has_lock(&mut self, who: usize, why: Why) -> Why {
        if let Why::Notified(Some(ticket)) = why {
            self.comes(who, ticket);
            return Why::Notified(None);
        }
        why
    }

    fn comes(&mut self, who: usize, ticket: Ticket) {
        if self.notices.come(ticket) {
            self.went_on += 1;
            if let Some(notice) = self.notice_of(who) {
                self.given[notice].is_used = true;
            }
        }
    }

    fn is_granted(&self, ticket: Ticket) -> bool {
        self.notices.clone().is_granted(ticket)
    }

    /// Those who were notified, and have not gone on.
    fn on_their_way(&self) -> usize {
        let is_on_its_way = |stage: &&Stage| match stage {
            Stage::Entered(ticket) | Stage::Waits(ticket) | Stage::Leaves(ticket) => {
                self.is_granted(*ticket)
            }
            Stage::Locks(_, Why::Notified(ticket)) => ticket.is_some(),
            _ => false,
        };
        self.stages.iter().filter(is_on_its_way).count()
    }

    /// Whether this one stands in the line.
    fn stands(&self, who: usize) -> bool {
        matches!(self.stages[who], Stage::Waits(ticket) if !self.is_granted(ticket))
    }
}

impl Clients {
    fn is_wrong(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    /// Whether he is a task, which awaits the lock before it has gone on.
    fn is_a_task(&self, who: usize) -> bool {
        matches!(self.clients[who], Does::MayLeave | Does::On(_))
    }

    /// Whether the loop of this client is closed, so that he leaves and does nothing else.
    fn is_closed(&self, state: &State, who: usize) -> bool {
        matches!(self.clients[who], Does::On(home) if state.closed[home])
    }

    fn look(&self, next: &mut State, who: usize, ticket: Ticket) {
        next.told.remove(&who);
        if !next.is_granted(ticket) {
            return;
        }
        if self.is_a_task(who) && !self.is_wrong(Wrong::ComesFirst) {
            next.goes_to_lock(who, Why::Notified(Some(ticket)));
        } else {
            next.comes(who, ticket);
            if self.is_wrong(Wrong::LocksNoMore) {
                next.stages[who] = Stage::Has(Why::Notified(None));
                return;
            }
            next.goes_to_lock(who, Why::Notified(None));
        }
    }

    /// Ends the wait in the line of the condition, or in that of the lock, if one was notified.
    fn leave(&self, next: &mut State, who: usize, ticket: Ticket) {
        let (was_granted, notice) = (next.is_granted(ticket), next.notice_of(who));
        next.left[0] |= was_granted;
        next.told.remove(&who);
        next.waits_no_more(who);
        if let Some(notice) = notice {
            next.given[notice].has = None;
        }
        let keeps = self.is_wrong(Wrong::Keeps)
            || self.is_wrong(Wrong::ClosedKeeps) && self.is_closed(next, who);
        if was_granted && keeps || self.is_wrong(Wrong::LooksAndLeaves) {
            if !next.notices.come(ticket) {
                drop(next.notices.leave(ticket));
            }
            return;
        }
        let told: Vec<_> = match self.wrong {
            Some(Wrong::HandsOnAlways) => {
                drop(next.notices.leave(ticket));
                next.notices.notify(1)
            }
            Some(Wrong::HandsToAny) if was_granted => {
                next.notices.come(ticket);
                next.notices.notify(1)
            }
            _ => next.notices.leave(ticket).next.into_iter().collect(),
        };
        next.left[if told.is_empty() { 3 } else { 2 }] |= was_granted;
        for told in told {
            next.is_notified(told, notice);
            if self.is_wrong(Wrong::EatsTheNews) {
                next.to_tell.remove(&told);
            }
        }
    }
}

impl Clients {
    /// Leaves, where he stands.
    fn leaves(&self, next: &mut State, who: usize) -> Option<()> {
        match next.stages[who] {
            Stage::Waits(ticket) if self.is_wrong(Wrong::LooksAndLeaves) => {
                if next.is_granted(ticket) {
                    return None;
                }
                next.stages[who] = Stage::Leaves(ticket);
            }
            Stage::Waits(ticket) | Stage::Leaves(ticket) => {
                self.leave(next, who, ticket);
                if self.clients[who] == Does::Expires {
                    next.goes_to_lock(who, Why::ToEnd);
                } else {
                    next.stages[who] = Stage::Over;
                }
            }
            Stage::Locks(lock, why) => {
                drop(next.lock.leave(lock));
                if let Why::Notified(Some(ticket)) = why {
                    next.left[1] = true;
                    self.leave(next, who, ticket);
                } else if let Some(notice) = next.notice_of(who) {
                    // He has not gone on.
                    next.went_on -= 1;
                    next.given[notice].is_used = false;
                }
                next.stages[who] = Stage::Over;
            }
            _ => return None,
        }
        Some(())
    }

    fn notify(&self, next: &mut State, who: usize) -> Option<()> {
        let Does::Notifies(many) = self.clients[who] else { return None };
        next.is_missed |= next.gave_up.iter().any(|who| !next.stands(*who));
        next.is_met |= !next.gave_up.is_empty();
        let (there, first) = (BTreeSet::from_iter(next.order.clone()), next.given.len());
        let notice = Notice { there, has: None, is_used: false };
        next.given.extend(vec![notice; many.min(next.order.len())]);
        for (notice, told) in (first..).zip(next.notices.notify(many)) {
            let last = next.order.last().copied();
            let told = if self.is_wrong(Wrong::NotifiesTheLast) { last? } else { told };
            next.is_notified(told, Some(notice));
            if self.is_wrong(Wrong::TellsOne) && notice > first {
                next.to_tell.remove(&told);
            }
        }
        next.stages[who] = Stage::Has(Why::ToEnd);
        Some(())
    }
}

impl Model for Clients {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let many = self.clients.len();
        vec![State {
            notices: Notices::new(),
            lock: Permits::new(1, 1),
            stages: vec![Stage::Idle; many],
            order: Vec::new(),
            gave_up: BTreeSet::new(),
            given: Vec::new(),
            to_tell: BTreeSet::new(),
            told: BTreeSet::new(),
            closed: [false; 2],
            went_on: 0,
            is_jumped: false,
            is_early: false,
            is_missed: false,
            left: [false; 4],
            is_met: false,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        for (who, does) in self.clients.iter().enumerate() {
            match (state.stages[who], does) {
                (Stage::Locks(..) | Stage::Waits(_), _) if self.is_closed(state, who) => {
                    steps.push(Step::Leave(who));
                }
                (Stage::Idle, _) => steps.push(Step::Lock(who)),
                (Stage::Locks(_, why), _) => {
                    steps.push(Step::HasLock(who));
                    if *does == Does::MayLeave && why != Why::ToBegin {
                        steps.push(Step::Leave(who));
                    }
                }
                (Stage::Has(Why::ToBegin), Does::Notifies(_)) => steps.push(Step::Notify(who)),
                (Stage::Has(Why::ToBegin), _) if !self.is_wrong(Wrong::UnlocksFirst) => {
                    steps.push(Step::Enter(who));
                }
                (Stage::Has(_) | Stage::Entered(_), _) => steps.push(Step::Unlock(who)),
                (Stage::Unlocked, _) => steps.push(Step::Enter(who)),
                (Stage::Waits(_), does) => {
                    let is_told = state.told.contains(&who);
                    steps.push(if is_told { Step::Look(who) } else { Step::LookEarly(who) });
                    if matches!(does, Does::Expires | Does::MayLeave) {
                        steps.push(Step::Leave(who));
                    }
                }
                (Stage::Leaves(_), _) => steps.push(Step::Leave(who)),
                (Stage::Over, _) => {}
            }
        }
        steps.extend(state.to_tell.iter().copied().map(Step::Tell));
        let is_home = |home: &usize| self.clients.contains(&Does::On(*home));
        steps.extend((0..2).filter(is_home).filter(|home| !state.closed[*home]).map(Step::Close));
    }

    fn next_state(&self, last: &State, step: Step) -> Option<State> {
        let mut next = last.clone();
        match step {
            Step::Lock(who) => next.goes_to_lock(who, Why::ToBegin),
            Step::HasLock(who) => {
                let Stage::Locks(ticket, why) = last.stages[who] else { return None };
                if next.lock.come(ticket) {
                    next.stages[who] = Stage::Has(next.has_lock(who, why));
                }
            }
            Step::Enter(who) => {
                let ticket = next.notices.line().enter(who);
                next.order.push(who);
                next.stages[who] = match last.stages[who] {
                    Stage::Unlocked => Stage::Waits(ticket),
                    _ => Stage::Entered(ticket),
                };
            }
            Step::Unlock(who) => {
                next.stages[who] = match last.stages[who] {
                    Stage::Entered(ticket) => Stage::Waits(ticket),
                    Stage::Has(Why::ToBegin) => Stage::Unlocked,
                    _ => Stage::Over,
                };
                let waits = matches!(next.stages[who], Stage::Waits(_) | Stage::Unlocked);
                if waits && !matches!(last.stages[who], Stage::Entered(it) if last.is_granted(it)) {
                    next.gave_up.insert(who);
                }
                let _ = next.lock.give_back();
            }
            Step::Look(who) | Step::LookEarly(who) => {
                let Stage::Waits(ticket) = last.stages[who] else { return None };
                self.look(&mut next, who, ticket);
            }
            Step::Leave(who) => self.leaves(&mut next, who)?,
            Step::Notify(who) => self.notify(&mut next, who)?,
            Step::Tell(who) => {
                next.to_tell.remove(&who);
                // Who has come before he was told, or has left, is told of nothing.
                if matches!(next.stages[who], Stage::Waits(_) | Stage::Leaves(_)) {
                    next.told.insert(who);
                }
            }
            // Who waits on it leaves from now on, and who has not begun never does.
            Step::Close(home) => {
                next.closed[home] = true;
                for who in 0..self.clients.len() {
                    if self.clients[who] == Does::On(home) && next.stages[who] == Stage::Idle {
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
        Property::always(THERE, |_, state: &State| !state.is_missed),
        Property::always(FIRST, |_, state: &State| !state.is_jumped),
        Property::always(SINCE, |_, state: &State| !state.is_early),
        Property::always(MANY, |_, state: &State| {
            state.went_on + state.on_their_way() <= state.given.len()
        }),
        Property::always(WAITS, |clients: &Clients, state: &State| {
            let mut steps = Vec::new();
            clients.actions(state, &mut steps);
            let goes_on = |step: &Step| {
                clients.by(step) != ENVIRONMENT && clients.next_state(state, *step).is_some()
            };
            let is_used =
                |who: &usize| state.given.iter().all(|it| it.is_used || !it.there.contains(who));
            let is_over = |(who, stage): (usize, &Stage)| match stage {
                Stage::Waits(ticket) => !state.is_granted(*ticket) && is_used(&who),
                stage => *stage == Stage::Over,
            };
            steps.iter().any(goes_on) || state.stages.iter().enumerate().all(is_over)
        }),
        Property::always(ALONE, |_, state: &State| {
            let has_lock = |it: &&Stage| matches!(it, Stage::Has(_) | Stage::Entered(_));
            state.stages.iter().filter(has_lock).count() <= 1
        }),
    ]
}

/// What some state shows.
fn is_reached() -> Vec<Property<Clients>> {
    vec![
        Property::sometimes("two wait at once", |_, state: &State| state.order.len() == 2),
        Property::sometimes("two are notified, and have not gone on", |_, state: &State| {
            state.on_their_way() == 2
        }),
        Property::sometimes("one who is notified leaves", |_, state: &State| state.left[0]),
        Property::sometimes("one leaves who awaits the lock again", |_, state: &State| {
            state.left[1]
        }),
        Property::sometimes("a notice goes on to the next", |_, state: &State| state.left[2]),
        Property::sometimes(
            "a notice is over, since nobody waits who was there",
            |_, state: &State| state.left[3],
        ),
        Property::sometimes(
            "one who gave the lock up waits when somebody notifies",
            |_, state: &State| state.is_met,
        ),
        Property::sometimes("one looks before he is told", |_, state: &State| {
            let is_early = |who: &usize| !matches!(state.stages[*who], Stage::Waits(_));
            state.to_tell.iter().any(is_early)
        }),
        Property::sometimes(
            "two wait, and a notice for the second is used by the first",
            |_, state: &State| state.given.iter().any(|it| it.is_used && !it.there.is_empty()),
        ),
        Property::sometimes("one comes after a notice, and waits", |_, state: &State| {
            let came_later = |who: &usize| state.given.iter().all(|it| !it.there.contains(who));
            !state.given.is_empty() && state.order.iter().any(came_later)
        }),
        Property::sometimes(
            "a loop is closed over one who is notified",
            |of: &Clients, state: &State| {
                let is_notified = |it: &Stage| {
                    matches!(it, Stage::Locks(_, Why::Notified(_)))
                        || matches!(it, Stage::Waits(ticket) if state.is_granted(*ticket))
                };
                let stages = state.stages.iter().enumerate();
                stages.filter(|(_, it)| is_notified(it)).any(|(who, _)| of.is_closed(state, who))
            },
        ),
        Property::sometimes("all are over", |_, state: &State| {
            state.stages.iter().all(|stage| *stage == Stage::Over)
        }),
    ]
}

impl Kinds for Clients {
    fn kind(step: &Step) -> &'static str {
        match step {
            Step::Lock(_) => "lock",
            Step::HasLock(_) => "has the lock",
            Step::Enter(_) => "enter",
            Step::Unlock(_) => "unlock",
            Step::Look(_) => "look",
            Step::LookEarly(_) => "look early",
            Step::Leave(_) => "leave",
            Step::Notify(_) => "notify",
            Step::Tell(_) => "tell",
            Step::Close(_) => "close",
        }
    }

    fn by(&self, step: &Step) -> usize {
        match step {
            Step::Leave(who) if matches!(self.clients[*who], Does::On(_)) => *who,
            Step::Leave(_) | Step::LookEarly(_) | Step::Close(_) => ENVIRONMENT,
            Step::Tell(_) => TELLER,
            Step::Lock(who) | Step::HasLock(who) | Step::Enter(who) => *who,
            Step::Unlock(who) | Step::Look(who) | Step::Notify(who) => *who,
        }
    }
}

use Does::{Expires, MayLeave, Notifies, On, Waits};

/// What is explored. A notice meets one who is notified and leaves, the next who was there, and one who came later; two who
/// notify overlap; and two loops are closed, one of them over two who wait.
const SYSTEMS: [&[Does]; 7] = [
    &[Waits, MayLeave, Expires, Notifies(1)],
    &[MayLeave, MayLeave, Waits, Notifies(2)],
    &[Waits, Expires, Notifies(1), Notifies(1)],
    &[Waits, MayLeave, Notifies(1), Notifies(2)],
    &[MayLeave, Waits, Waits, Notifies(1), Notifies(1)],
    &[On(0), On(1), Waits, Notifies(2)],
    &[On(0), On(0), On(1), Notifies(1)],
];

const LEAVES: &[Does] = &[MayLeave, Waits, Notifies(1)];

/// What is done wrong, with whom, and what breaks in so many steps.
const MISTAKES: [(&str, Wrong, &[Does], &str, usize); 11] = [
    ("a notice leaves with its waiter (anyio #1075)", Wrong::Keeps, LEAVES, WAITS, 11),
    (
        "a waiter goes on, and then awaits the lock (cpython #112202)",
        Wrong::ComesFirst,
        LEAVES,
        WAITS,
        12,
    ),
    ("whoever leaves notifies", Wrong::HandsOnAlways, LEAVES, MANY, 6),
    ("a notice goes on to one who came later", Wrong::HandsToAny, LEAVES, SINCE, 9),
    ("a waiter unlocks, and then waits", Wrong::UnlocksFirst, LEAVES, THERE, 4),
    (
        "whoever is notified does not lock again",
        Wrong::LocksNoMore,
        &[Waits, Notifies(1)],
        ALONE,
        6,
    ),
    (
        "whoever came last is notified",
        Wrong::NotifiesTheLast,
        &[Waits, Waits, Notifies(1)],
        FIRST,
        8,
    ),
    (
        "one of those is told who are notified",
        Wrong::TellsOne,
        &[Waits, Waits, Notifies(2)],
        WAITS,
        12,
    ),
    ("a notice that goes on is not told", Wrong::EatsTheNews, LEAVES, WAITS, 11),
    (
        "a closed loop takes its notices along",
        Wrong::ClosedKeeps,
        &[On(0), Waits, Notifies(1)],
        WAITS,
        12,
    ),
    (
        "a waiter looks, and then leaves",
        Wrong::LooksAndLeaves,
        &[Expires, Waits, Notifies(1)],
        WAITS,
        10,
    ),
];

pub(crate) fn add(trials: &mut Trials) {
    trials.add("primitives::condition", || {
        let clients = |clients: &[Does]| Clients { clients: clients.to_vec(), wrong: None };
        let proof =
            check::prove_all(SYSTEMS.map(clients)).map_err(|it| format!("{:?}: {}", it.0, it.1))?;
        row(
            "a condition for threads and loops",
            "7 systems of 4 and 5 clients",
            &proof,
            [327341, 31],
        )
        .map(|it| vec![it])
    });
    for (name, wrong, clients, property, steps) in MISTAKES {
        trials.add(format!("primitives::condition: {name}"), move || {
            let model = Clients { clients: clients.to_vec(), wrong: Some(wrong) };
            let system = format!("a condition: {name}");
            refuted(system, format!("not so: {property}"), model, property, steps)
                .map(|it| vec![it])
        });
    }
}
