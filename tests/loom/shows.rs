//! Programs of primitives, and what those who take part in one can be told, on all of its paths.
//!
//! One step is one critical section of the code, decided by the machine that ships, or that one is told, or that one looks at
//! the clock. Whoever blocks comes for what was granted to him at any time, told or not: that he has not slept yet does not show.
//! Whoever is polled, by hand or by his loop, shows whether he was told.

use std::{
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

use crate::{
    queue::stock::Stock,
    turns::{
        gate::Gate,
        line::{Left, Ticket, Turns},
        notices::Notices,
        permits::Permits,
    },
};

#[path = "../../src/primitives/meeting.rs"]
#[expect(dead_code, reason = "what is shown to users is said by few")]
pub(crate) mod meeting;

use meeting::{Arrival, Meeting};

/// What one waits for: a permit, a lock, an event, a notice, the others at a barrier, a value of a queue, room in it for one's
/// own, or that all is done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Of {
    Permit,
    Lock,
    Event,
    Notice,
    Others,
    Value,
    Room(u8),
    End,
}

/// What one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Do {
    /// Blocks its thread until it has it, or until the timer has gone off.
    Block(Of),
    Timed(Of),
    /// Takes it, if it need not wait.
    Try(Of),
    /// Polls a future of its own, and drops it.
    Poll(Of),
    Leave,
    /// Runs what its loop has to do, and closes the loop.
    Tick,
    Close,
    /// Gives back what it had last, if it has something.
    Give,
    Forget,
    Add(usize),
    Free,
    Set,
    Clear,
    IsSet,
    Notify(usize),
    Abort,
    Reset,
    Shut,
    TaskDone,
}

/// What it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Told {
    Done,
    Is(bool),
    Number(usize),
    /// It has it. Of a lock: how often others had it before.
    Has(u8),
    Waits,
    Expired,
    Broken,
    Closed,
    /// Whether its future was told: before a poll, and in the end.
    Woken(bool),
}

/// What each was told, in its own order.
pub(crate) type Outcome = Vec<Vec<(Do, Told)>>;

/// A party: what its loop's task awaits, if it has a loop, and what it does.
pub(crate) type Party = (Option<Of>, Vec<Do>);

/// What is done by several, each in a thread. The first of them does so many alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    pub(crate) permits: usize,
    pub(crate) parties: Vec<Party>,
    pub(crate) alone: usize,
    /// How many meet at the barrier, and what the queue has room for.
    pub(crate) meets: usize,
    pub(crate) room: usize,
}

impl Program {
    pub(crate) fn all(&self) -> impl Iterator<Item = Do> {
        self.parties.iter().flat_map(|party| party.1.iter().copied())
    }

    pub(crate) fn is_timed(&self) -> bool {
        self.all().any(|it| matches!(it, Do::Timed(_)))
    }
}

/// A mistake of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// Whoever leaves keeps what was granted to him.
    Keeps,
    /// What is given back is free for all, and the first who waits is told to look.
    Barges,
    /// Whoever was told looks whether it is set.
    LooksAgain,
}

/// Where one stands who waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Place {
    #[default]
    Nowhere,
    At(Ticket),
    /// Has come to a barrier, in this round, with this number; and waits for its end.
    There(usize, usize),
    InRound(usize, usize, Ticket),
    Over,
}

/// Where one is in what it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Stage {
    #[default]
    Begins,
    /// Has looked in vain, and has a deadline.
    Looked,
    Blocks(Place),
    /// Stands in the line of a condition, and is to give the lock up.
    GivesUp(Ticket),
    /// Has this answer of a condition, and is to have the lock.
    Locks(Told, Place),
    /// Is to poll its future.
    Polls,
    /// Its task has this, and gives it back.
    Has(Told),
}

/// Who is to be told: a waiter, one who is told as long as he waits for a queue, or all in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Tell {
    Waiter(usize),
    OfQueue(usize),
    Round(usize),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Part {
    at: usize,
    stage: Stage,
    future: Place,
    is_told: bool,
    /// It leaves a queue, and is told no more.
    is_deaf: bool,
    /// Whom it has to tell, before anything else.
    tells: Vec<Tell>,
    has: Vec<Of>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    semaphore: Permits<usize>,
    lock: Permits<usize>,
    /// How often somebody had it.
    had: u8,
    event: Gate<usize>,
    condition: Notices<usize>,
    meeting: Meeting,
    /// The rounds at the barrier, and whether each was broken.
    rounds: Vec<(Gate<usize>, bool)>,
    queue: Stock<u8, usize>,
    has_gone_off: bool,
    /// What is free, by mistake.
    loose: u8,
    parts: Vec<Part>,
}

/// What a step of one who waits came to.
enum Step {
    Told(Told),
    Waits,
    /// There is another step before it waits.
    Again,
}

impl State {
    fn new(program: &Program) -> Self {
        Self {
            semaphore: Permits::new(program.permits, usize::MAX),
            lock: Permits::new(1, 1),
            had: 0,
            event: Gate::new(),
            condition: Notices::new(),
            meeting: Meeting::new(program.meets),
            rounds: vec![(Gate::new(), false)],
            queue: Stock::new(program.room),
            has_gone_off: false,
            loose: 0,
            parts: vec![Part::default(); program.parties.len()],
        }
    }

    fn tells(&mut self, who: usize, told: impl IntoIterator<Item = usize>) {
        self.parts[who].tells.extend(told.into_iter().map(Tell::Waiter));
    }

    fn tells_of_queue(&mut self, who: usize, told: impl IntoIterator<Item = usize>) {
        self.parts[who].tells.extend(told.into_iter().map(Tell::OfQueue));
    }

    /// This one has it.
    fn has(&mut self, who: usize, of: Of) -> Told {
        if matches!(of, Of::Permit | Of::Lock) {
            self.parts[who].has.push(of);
        }
        if of != Of::Lock {
            return Told::Has(0);
        }
        self.had += 1;
        Told::Has(self.had - 1)
    }

    /// The round is over, and those in it are to be told.
    fn ends(&mut self, who: usize, is_broken: bool) {
        let round = self.rounds.len() - 1;
        self.rounds[round].1 = is_broken;
        self.rounds.push((Gate::new(), false));
        self.parts[who].tells.push(Tell::Round(round));
    }

    const fn end_of(is_broken: bool, number: usize) -> Told {
        if is_broken { Told::Broken } else { Told::Number(number) }
    }

    /// What has a line of its own, and nothing besides.
    fn turns(&mut self, of: Of) -> Option<&mut dyn Turned> {
        match of {
            Of::Permit => Some(&mut self.semaphore),
            Of::Lock => Some(&mut self.lock),
            Of::Event => Some(&mut self.event),
            Of::Notice => Some(&mut self.condition),
            _ => None,
        }
    }

    /// Tries to have it without waiting.
    fn tries(&mut self, who: usize, of: Of) -> Option<Told> {
        match of {
            Of::Value => match self.queue.get() {
                Some((value, told)) => {
                    self.tells_of_queue(who, told);
                    Some(Told::Has(value))
                }
                None if self.queue.is_over() => Some(Told::Closed),
                None => None,
            },
            Of::Room(value) => match self.queue.put(value) {
                Ok(told) => {
                    self.tells_of_queue(who, told);
                    Some(Told::Done)
                }
                Err(_) if self.queue.is_closed() => Some(Told::Closed),
                Err(_) => None,
            },
            Of::End => (self.queue.unfinished() == 0).then_some(Told::Done),
            Of::Permit if self.loose > 0 => {
                self.loose -= 1;
                Some(self.has(who, of))
            }
            _ => self.turns(of)?.pass().then(|| self.has(who, of)),
        }
    }

    /// One step of one who waits, from where he stands.
    fn waits(&mut self, who: usize, of: Of, place: &mut Place, wrong: Option<Wrong>) -> Step {
        let (next, told) = match (*place, of) {
            (Place::Nowhere, Of::Others) => {
                let round = self.rounds.len() - 1;
                match self.meeting.arrive() {
                    Arrival::Waits(number) => {
                        *place = Place::There(round, number);
                        return Step::Again;
                    }
                    Arrival::Last(number) => {
                        self.ends(who, false);
                        (Place::Over, Told::Number(number))
                    }
                    Arrival::Broken => (Place::Over, Told::Broken),
                }
            }
            (Place::There(round, number), _) => match self.rounds[round].0.enter(who) {
                Ok(ticket) => (Place::InRound(round, number, ticket), Told::Waits),
                Err(_) => (Place::Over, Self::end_of(self.rounds[round].1, number)),
            },
            (Place::InRound(round, number, ticket), _) => {
                let (gate, is_broken) = &mut self.rounds[round];
                if gate.come(ticket) {
                    (Place::Over, Self::end_of(*is_broken, number))
                } else {
                    (*place, Told::Waits)
                }
            }
            (Place::Nowhere, _) => match self.tries(who, of) {
                Some(told) => (Place::Over, told),
                None => (Place::At(self.enter(who, of)), Told::Waits),
            },
            (Place::At(ticket), _) => match self.comes(who, of, ticket, wrong) {
                Some(told) => (Place::Over, told),
                None => (*place, Told::Waits),
            },
            (Place::Over, _) => unreachable!("it is over"),
        };
        *place = next;
        if told == Told::Waits { Step::Waits } else { Step::Told(told) }
    }

    fn enter(&mut self, who: usize, of: Of) -> Ticket {
        match of {
            Of::Value => self.queue.wait_to_get(who),
            Of::Room(value) => self.queue.wait_to_put(value, who),
            Of::End => self.queue.wait_to_join(who),
            _ => self.turns(of).expect("it has a line").stands(who),
        }
    }

    fn comes(&mut self, who: usize, of: Of, ticket: Ticket, wrong: Option<Wrong>) -> Option<Told> {
        match of {
            Of::Value => {
                let (value, told) = self.queue.take(ticket)?;
                self.tells_of_queue(who, told);
                Some(value.map_or(Told::Closed, Told::Has))
            }
            Of::Room(_) => Some(self.queue.come_put(ticket)?.map_or(Told::Closed, |()| Told::Done)),
            Of::End => self.queue.come_join(ticket).then_some(Told::Done),
            Of::Event if wrong == Some(Wrong::LooksAgain) && !self.event.is_set() => None,
            Of::Permit if wrong == Some(Wrong::Barges) => {
                self.loose = self.loose.checked_sub(1)?;
                let _own = self.semaphore.leave(ticket);
                Some(self.has(who, of))
            }
            _ => self.turns(of)?.comes(ticket).then(|| self.has(who, of)),
        }
    }

    /// Has it, if it is his turn, or leaves.
    fn ends_wait(&mut self, who: usize, of: Of, mut place: Place, wrong: Option<Wrong>) -> Told {
        match place {
            Place::At(_) => match self.waits(who, of, &mut place, wrong) {
                Step::Told(told) => return told,
                _ => self.leaves(who, of, place, wrong),
            },
            Place::There(round, number) | Place::InRound(round, number, _) => {
                if round + 1 < self.rounds.len() {
                    return Self::end_of(self.rounds[round].1, number);
                }
                self.leaves(who, of, place, wrong);
            }
            Place::Nowhere | Place::Over => {}
        }
        Told::Expired
    }

    /// Leaves, and hands on what was granted to him.
    fn leaves(&mut self, who: usize, of: Of, place: Place, wrong: Option<Wrong>) {
        match (place, of) {
            (Place::At(ticket), Of::Value) => {
                let told = self.queue.leave_get(ticket).2;
                self.tells_of_queue(who, told);
            }
            (Place::At(ticket), Of::Room(_)) => drop(self.queue.end_put(ticket)),
            (Place::At(ticket), Of::End) => drop(self.queue.end_join(ticket)),
            (Place::At(ticket), _) => {
                let turns = self.turns(of).expect("it has a line");
                if wrong == Some(Wrong::Keeps) && turns.comes(ticket) {
                    return;
                }
                let told = turns.leaves(ticket);
                self.tells(who, told);
            }
            (Place::There(round, _) | Place::InRound(round, ..), _) => {
                if let Place::InRound(.., ticket) = place {
                    let _own = self.rounds[round].0.leave(ticket);
                }
                if self.meeting.leave(round as u64) {
                    self.ends(who, true);
                }
            }
            (Place::Nowhere | Place::Over, _) => {}
        }
    }

    fn give_back(&mut self, who: usize, of: Of, wrong: Option<Wrong>) {
        if wrong == Some(Wrong::Barges)
            && let Some(first) = self.semaphore.line().first()
        {
            self.loose += 1;
            let told = self.semaphore.line().waiter(first).copied();
            return self.tells(who, told);
        }
        let told = match of {
            Of::Permit => self.semaphore.give_back(),
            _ => self.lock.give_back(),
        };
        self.tells(who, told);
    }

    fn tell(&mut self, who: usize) {
        match self.parts[who].tells.remove(0) {
            Tell::Waiter(it) => self.parts[it].is_told = true,
            Tell::OfQueue(it) => {
                let part = &mut self.parts[it];
                part.is_told |= matches!(part.future, Place::At(_)) && !part.is_deaf;
            }
            Tell::Round(round) => {
                let told: Vec<_> = self.rounds[round].0.set().collect();
                let told = told.into_iter().map(Tell::Waiter);
                self.parts[who].tells.splice(0..0, told);
            }
        }
    }
}

/// A machine with one line, whatever it decides.
trait Turned {
    fn pass(&mut self) -> bool;
    fn stands(&mut self, who: usize) -> Ticket;
    fn comes(&mut self, ticket: Ticket) -> bool;
    fn leaves(&mut self, ticket: Ticket) -> Option<usize>;
}

impl<M: Turns<usize>> Turned for M {
    fn pass(&mut self) -> bool {
        Turns::pass(self)
    }

    fn stands(&mut self, who: usize) -> Ticket {
        self.line().enter(who)
    }

    fn comes(&mut self, ticket: Ticket) -> bool {
        self.come(ticket)
    }

    fn leaves(&mut self, ticket: Ticket) -> Option<usize> {
        let Left { next, .. } = self.leave(ticket);
        next
    }
}

/// All outcomes of a program, with this mistake or without.
pub(crate) fn outcomes(program: &Program, wrong: Option<Wrong>) -> BTreeSet<Outcome> {
    let mut paths = Paths { program, wrong, known: HashMap::new() };
    let ends = paths.from(&State::new(program));
    let forward = |mut end: Outcome| {
        end.iter_mut().for_each(|said| said.reverse());
        end
    };
    ends.iter().cloned().map(forward).collect()
}

struct Paths<'a> {
    program: &'a Program,
    wrong: Option<Wrong>,
    /// What is still said from a state on, the last first.
    known: HashMap<State, Rc<BTreeSet<Outcome>>>,
}

impl Paths<'_> {
    fn from(&mut self, state: &State) -> Rc<BTreeSet<Outcome>> {
        if let Some(known) = self.known.get(state) {
            return Rc::clone(known);
        }
        let next = self.next(state);
        let mut rests = BTreeSet::new();
        if next.is_empty() {
            rests.insert(self.end(state));
        }
        for (who, said, after) in next {
            for rest in self.from(&after).iter() {
                let mut rest = rest.clone();
                if let Some(said) = said {
                    rest[who].push(said);
                }
                rests.insert(rest);
            }
        }
        let rests = Rc::new(rests);
        self.known.insert(state.clone(), Rc::clone(&rests));
        rests
    }

    /// What is said when all is over.
    fn end(&self, state: &State) -> Outcome {
        let parts = state.parts.iter().zip(&self.program.parties);
        parts
            .map(|(part, (_, script))| {
                assert_eq!(part.at, script.len(), "somebody waits for ever: {:?}", self.program);
                let polled = script.iter().find(|it| matches!(it, Do::Poll(_)));
                polled.map(|it| (*it, Told::Woken(part.is_told))).into_iter().collect()
            })
            .collect()
    }

    /// The steps from a state on: whose, what he says, and the state after it.
    fn next(&self, state: &State) -> Vec<(usize, Option<(Do, Told)>, State)> {
        let mut all = Vec::new();
        if self.program.is_timed() && !state.has_gone_off {
            all.push((0, None, State { has_gone_off: true, ..state.clone() }));
        }
        for who in 0..state.parts.len() {
            if who > 0 && state.parts[0].at < self.program.alone {
                break;
            }
            let mut step = |ends: bool| {
                let mut next = state.clone();
                if let Some(said) = self.step(&mut next, who, ends) {
                    if said.is_some_and(|(_, told)| !matches!(told, Told::Woken(_))) {
                        next.parts[who].at += 1;
                        next.parts[who].stage = Stage::Begins;
                    }
                    all.push((who, said, next));
                }
            };
            step(false);
            if state.has_gone_off && state.parts[who].tells.is_empty() {
                step(true);
            }
        }
        all
    }

    /// One step of this one, and what he says at the end of a call; none if he can take none. Or the step that ends a wait whose
    /// time is over.
    fn step(&self, next: &mut State, who: usize, ends: bool) -> Option<Option<(Do, Told)>> {
        if !next.parts[who].tells.is_empty() {
            next.tell(who);
            return Some(None);
        }
        let (task, script) = &self.program.parties[who];
        let does = *script.get(next.parts[who].at)?;
        let says = |told: Told| Some(Some((does, told)));
        let wrong = self.wrong;
        let stage = next.parts[who].stage;
        if ends {
            let Do::Timed(of) = does else { return None };
            return match stage {
                Stage::Looked => says(Told::Expired),
                Stage::Blocks(place) => {
                    let told = next.ends_wait(who, of, place, wrong);
                    if of == Of::Notice {
                        next.parts[who].stage = Stage::Locks(told, Place::Nowhere);
                        return Some(None);
                    }
                    says(told)
                }
                _ => None,
            };
        }
        match (stage, does) {
            (Stage::Begins, Do::Block(Of::Notice) | Do::Timed(Of::Notice)) => {
                let ticket = next.condition.enter(who).expect("everybody waits");
                next.parts[who].stage = Stage::GivesUp(ticket);
                Some(None)
            }
            (Stage::GivesUp(ticket), _) => {
                next.parts[who].has.retain(|it| *it != Of::Lock);
                next.give_back(who, Of::Lock, wrong);
                next.parts[who].stage = Stage::Blocks(Place::At(ticket));
                Some(None)
            }
            (Stage::Locks(told, mut place), _) => {
                let last = place;
                match next.waits(who, Of::Lock, &mut place, wrong) {
                    Step::Told(has) => says(if told == Told::Expired { told } else { has }),
                    _ if place == last => None,
                    _ => {
                        next.parts[who].stage = Stage::Locks(told, place);
                        Some(None)
                    }
                }
            }
            (Stage::Begins, Do::Timed(of)) if of != Of::Others => match next.tries(who, of) {
                Some(told) => says(told),
                None => {
                    next.parts[who].stage = Stage::Looked;
                    Some(None)
                }
            },
            (Stage::Begins | Stage::Looked | Stage::Blocks(_), Do::Block(of) | Do::Timed(of)) => {
                let mut place = match stage {
                    Stage::Blocks(place) => place,
                    _ => Place::Nowhere,
                };
                let last = place;
                match next.waits(who, of, &mut place, wrong) {
                    Step::Told(told) if of == Of::Notice => {
                        next.parts[who].stage = Stage::Locks(told, Place::Nowhere);
                        Some(None)
                    }
                    Step::Told(told) => says(told),
                    _ if place == last => None,
                    _ => {
                        next.parts[who].stage = Stage::Blocks(place);
                        Some(None)
                    }
                }
            }
            // He looks whether he was told, and then polls.
            (Stage::Begins, Do::Poll(_)) => {
                next.parts[who].stage = Stage::Polls;
                says(Told::Woken(next.parts[who].is_told))
            }
            (Stage::Polls, Do::Poll(of)) => self.poll(next, who, of, does),
            (Stage::Begins, Do::Tick) => {
                let part = &mut next.parts[who];
                let begins = part.future == Place::Nowhere;
                if part.future == Place::Over || !begins && !part.is_told {
                    return says(Told::Waits);
                }
                part.is_told = false;
                part.stage = Stage::Polls;
                Some(None)
            }
            (Stage::Polls, Do::Tick) => self.poll(next, who, task.expect("it has one"), does),
            (Stage::Has(told), _) => {
                let of = next.parts[who].has.pop().expect("it has it");
                next.give_back(who, of, wrong);
                says(told)
            }
            (Stage::Begins, Do::Leave | Do::Close) => {
                let of = script.iter().find_map(|it| match it {
                    Do::Poll(of) => Some(*of),
                    _ => None,
                });
                let of = task.or(of).expect("it has a future");
                let part = &mut next.parts[who];
                if matches!(of, Of::Value | Of::Room(_) | Of::End) && !part.is_deaf {
                    part.is_deaf = true;
                    return Some(None);
                }
                let place = std::mem::replace(&mut part.future, Place::Over);
                next.leaves(who, of, place, wrong);
                says(Told::Done)
            }
            (Stage::Begins, Do::Give) => {
                let Some(of) = next.parts[who].has.pop() else { return says(Told::Is(false)) };
                next.give_back(who, of, wrong);
                says(Told::Is(true))
            }
            _ => says(self.call(next, who, does)),
        }
    }

    /// A step of a poll.
    fn poll(&self, next: &mut State, who: usize, of: Of, does: Do) -> Option<Option<(Do, Told)>> {
        let mut place = next.parts[who].future;
        if place == Place::Over {
            return Some(Some((does, Told::Done)));
        }
        let step = next.waits(who, of, &mut place, self.wrong);
        next.parts[who].future = place;
        match step {
            Step::Told(told) if does == Do::Tick && matches!(of, Of::Permit | Of::Lock) => {
                next.parts[who].stage = Stage::Has(told);
                Some(None)
            }
            Step::Told(told) => Some(Some((does, told))),
            Step::Waits => Some(Some((does, Told::Waits))),
            Step::Again => {
                next.parts[who].stage = Stage::Polls;
                Some(None)
            }
        }
    }

    /// What is one step, and waits for nothing.
    fn call(&self, next: &mut State, who: usize, does: Do) -> Told {
        match does {
            Do::Try(of) => next.tries(who, of).unwrap_or(Told::Is(false)),
            Do::Forget => {
                let had = next.parts[who].has.pop().is_some();
                if had {
                    next.semaphore.forget();
                }
                Told::Is(had)
            }
            Do::Add(many) => {
                let told = next.semaphore.add(many).expect("there may be so many");
                next.tells(who, told);
                Told::Done
            }
            Do::Free => {
                Told::Number(usize::try_from(next.semaphore.free()).expect("there are few"))
            }
            Do::Set => {
                let told: Vec<_> = next.event.set().collect();
                next.tells(who, told);
                Told::Done
            }
            Do::Clear => {
                next.event.clear();
                Told::Done
            }
            Do::IsSet => Told::Is(next.event.is_set()),
            Do::Notify(many) => {
                let told = next.condition.notify(many);
                next.tells(who, told);
                Told::Done
            }
            Do::Abort | Do::Reset => {
                if does == Do::Abort {
                    next.meeting.abort();
                } else {
                    next.meeting.reset();
                }
                next.ends(who, true);
                Told::Done
            }
            Do::Shut => {
                let told = next.queue.close();
                next.tells_of_queue(who, told);
                Told::Done
            }
            Do::TaskDone => {
                let told = next.queue.task_done();
                let was_one = told.is_some();
                next.tells_of_queue(who, told.unwrap_or_default());
                Told::Is(was_one)
            }
            does => unreachable!("{does:?} is more than one step"),
        }
    }
}
