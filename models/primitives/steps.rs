//! The word and the lock: what is one critical section elsewhere, in the steps that the code takes.
//!
//! Whoever passes, gives back, sets, clears or reads tries one step of the word. If that is closed he takes the lock, closes
//! the word, decides, opens the word, and frees the lock: five steps, between each of which others step. Whoever has a ticket
//! looks at the word first, also when nobody has told him anything, and has had his turn if it is open. Whoever adds or forgets
//! a permit takes the lock at once, and so does whoever looks, if it is free. Words and machines are those of `src/primitives`.

use std::{collections::BTreeSet, fmt::Debug, hash::Hash};

use settled::model::check::{self, ENVIRONMENT, Kinds};
use stateright::{Model, Property};

use super::{
    TELLER,
    gate::Gate,
    line::{Ticket, Turns},
    permits::Permits,
    word::{self, Word},
};
use crate::{Trials, refuted, row};

/// `[semaphore-1]`
const BALANCE: &str = "free, held and granted permits are as many as there are";
/// `[semaphore-2]`
const ORDER: &str = "nobody passes while another stands in the line";
/// `[semaphore-2]` `[event-1]`
const WAITS: &str = "nobody waits for ever for what is there, or was granted";
/// `[semaphore-1]` `[event-2]`
const READ: &str = "what is read is so when it is read";

/// A mistake that is made easily.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    /// Who has the lock looks at the word, and closes it in another step.
    LooksAndCloses,
    /// Who has the lock does not close the word.
    NeverCloses,
    /// Who gives back does not heed that it is closed.
    GivesToTheClosed,
    /// It is opened although somebody stands in the line.
    OpensOverTheLine,
    /// The lock is free before the word is open.
    FreesAndOpens,
    /// Who reads looks behind the word, also while it is open.
    ReadsBehind,
    /// Who clears does not heed that it is closed.
    ClearsTheClosed,
    /// Who forgets takes one from the word, too.
    ForgetsTwice,
    /// Who adds does not close the word.
    AddsBehind,
    /// Who has a ticket goes on by the word, also while it is closed.
    ComesAnyway,
    /// Who has a ticket and finds the word open asks it to pass.
    ComesAndTakes,
}

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    /// Waits, and gives back what it has then.
    Waits,
    /// The same, and may leave.
    MayLeave,
    /// Goes on only if it need not wait.
    Tries,
    /// Sets it.
    Sets,
    /// Sets it, and clears it then.
    Pulses,
    /// Waits, and forgets what it has then.
    Forgets,
    /// Adds one permit.
    Adds,
    /// Reads how many are free, or whether it is set.
    Reads,
    /// The same, with the lock, if nobody has it.
    Looks,
}

/// What is done with the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Op {
    Enter,
    Try,
    Come(Ticket),
    Leave(Ticket),
    Give,
    Clear,
    Forget,
    Add,
    Read,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Idle,
    /// Wants the lock, has it, has looked at the word, and has closed it.
    Wants(Op),
    Locks(Op),
    Looked(Op, u64),
    Decides(Op),
    /// Has decided, and has opened the word, or freed the lock, if that was wrong.
    Opens(After),
    Frees(After),
    Then(After),
}

/// What comes when the lock is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum After {
    Waits(Ticket),
    Has,
    /// Has set it, and is to clear it.
    Clears,
    Over,
}

/// What waits behind the word.
trait Behind: Turns<usize> + Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// Whether who goes on has something to give back.
    const HOLDS: bool;

    fn give_by(word: Word) -> word::Step;

    fn give(&mut self) -> Vec<usize>;

    /// What is free.
    fn free(&self) -> u64;

    /// What only one of them has: whether it was done.
    fn act(&mut self, op: Op) -> Option<Vec<usize>>;
}

impl Behind for Permits<usize> {
    const HOLDS: bool = true;

    fn give_by(word: Word) -> word::Step {
        word.give()
    }

    fn give(&mut self) -> Vec<usize> {
        self.give_back().into_iter().collect()
    }

    fn free(&self) -> u64 {
        Self::free(self)
    }

    fn act(&mut self, op: Op) -> Option<Vec<usize>> {
        match op {
            Op::Add => self.add(1),
            Op::Forget => {
                self.forget();
                Some(Vec::new())
            }
            _ => None,
        }
    }
}

impl Behind for Gate<usize> {
    const HOLDS: bool = false;

    fn give_by(word: Word) -> word::Step {
        word.set(1)
    }

    fn give(&mut self) -> Vec<usize> {
        self.set().collect()
    }

    fn free(&self) -> u64 {
        self.is_set().into()
    }

    fn act(&mut self, op: Op) -> Option<Vec<usize>> {
        (op == Op::Clear).then(|| self.clear())?;
        Some(Vec::new())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State<M> {
    word: Word,
    machine: M,
    is_locked: bool,
    stages: Vec<Stage>,
    to_tell: BTreeSet<usize>,
    told: BTreeSet<usize>,
    /// How many permits there are.
    all: u64,
    is_jumped: bool,
    is_misread: bool,
    /// Whether somebody passed, gave and found it closed by the word, while another had the lock or was about to take it.
    seen: [bool; 3],
    left: bool,
    /// Whether somebody came by the word, and by the lock.
    came: [bool; 2],
    /// Whether somebody has read with the lock, and done what only one of them has.
    read: bool,
    acted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Pass(usize),
    GiveBack(usize),
    Lock(usize),
    Look(usize),
    Close(usize),
    Decide(usize),
    Open(usize),
    Free(usize),
    Come(usize),
    /// Looks whether it is his turn, and nobody has told him so.
    LookEarly(usize),
    Leave(usize),
    Clear(usize),
    Forget(usize),
    Add(usize),
    Read(usize),
    LookBehind(usize),
    Tell(usize),
}

#[derive(Clone, Debug)]
struct Clients<M> {
    machine: M,
    permits: u64,
    clients: Vec<Does>,
    wrong: Option<Wrong>,
}

impl<M: Behind> State<M> {
    /// Passes or gives by the word, or says that it is closed.
    fn steps(&mut self, step: word::Step) -> Option<bool> {
        match step {
            word::Step::To(next) => {
                self.word = next;
                Some(true)
            }
            word::Step::Stays(answer) => Some(answer),
            word::Step::Closed => None,
        }
    }

    /// What is free, or whether it is set.
    fn free(&self) -> u64 {
        self.word.number().unwrap_or_else(|| self.machine.free())
    }

    fn stands(&self) -> bool {
        self.machine.clone().line().len() > 0
    }

    fn after(&mut self, who: usize) -> After {
        self.is_jumped |= self.stands();
        self.told.remove(&who);
        if M::HOLDS { After::Has } else { After::Over }
    }

    /// Whether another has the lock, or is about to take it to wait.
    fn is_met(&self) -> bool {
        self.is_locked || self.stages.contains(&Stage::Wants(Op::Enter))
    }

    fn decide(&mut self, who: usize, op: Op) -> After {
        let told = match op {
            Op::Enter => match self.machine.enter(who) {
                Ok(ticket) => return After::Waits(ticket),
                Err(_) => return self.after(who),
            },
            Op::Try if self.machine.pass() => return self.after(who),
            Op::Try => Vec::new(),
            Op::Come(ticket) if self.machine.come(ticket) => {
                self.came[1] = true;
                self.told.remove(&who);
                return if M::HOLDS { After::Has } else { After::Over };
            }
            Op::Come(ticket) => return After::Waits(ticket),
            Op::Leave(ticket) => {
                self.left = true;
                self.told.remove(&who);
                self.machine.leave(ticket).next.into_iter().collect()
            }
            Op::Give => self.machine.give(),
            Op::Read => {
                self.read = true;
                Vec::new()
            }
            Op::Clear | Op::Forget | Op::Add => {
                self.acted = true;
                match op {
                    Op::Add => self.all += 1,
                    Op::Forget => self.all -= 1,
                    _ => {}
                }
                self.machine.act(op).expect("it has that")
            }
        };
        self.to_tell.extend(told);
        After::Over
    }

    /// How many are granted one, and have not come.
    fn coming(&self) -> usize {
        let mut machine = self.machine.clone();
        let mut is_coming = |stage: &&Stage| match stage {
            Stage::Opens(After::Waits(ticket))
            | Stage::Frees(After::Waits(ticket))
            | Stage::Then(After::Waits(ticket))
            | Stage::Wants(Op::Come(ticket) | Op::Leave(ticket))
            | Stage::Locks(Op::Come(ticket) | Op::Leave(ticket))
            | Stage::Looked(Op::Come(ticket) | Op::Leave(ticket), _)
            | Stage::Decides(Op::Come(ticket) | Op::Leave(ticket)) => machine.is_granted(*ticket),
            _ => false,
        };
        self.stages.iter().filter(&mut is_coming).count()
    }

    /// How many have one, also those who have still to free the lock, and those who want it to give back.
    fn held(&self) -> usize {
        let has = |stage: &&Stage| match stage {
            Stage::Opens(after) | Stage::Frees(after) | Stage::Then(after) => *after == After::Has,
            Stage::Wants(op) | Stage::Locks(op) | Stage::Looked(op, _) | Stage::Decides(op) => {
                matches!(op, Op::Give | Op::Forget)
            }
            Stage::Idle => false,
        };
        self.stages.iter().filter(has).count()
    }
}

impl<M: Behind> Clients<M> {
    fn is_wrong(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    fn pass(&self, next: &mut State<M>, who: usize) {
        let is_met = next.is_met();
        next.stages[who] = match next.steps(M::step(next.word)) {
            Some(true) => {
                next.seen[0] |= is_met;
                Stage::Then(next.after(who))
            }
            _ if self.clients[who] != Does::Tries => Stage::Wants(Op::Enter),
            Some(false) => Stage::Then(After::Over),
            None => Stage::Wants(Op::Try),
        };
    }

    fn give(&self, next: &mut State<M>, who: usize) {
        let is_met = next.is_met();
        let mut step = M::give_by(next.word);
        if self.is_wrong(Wrong::GivesToTheClosed) && step == word::Step::Closed {
            step = M::give_by(Word::ZERO);
        }
        next.stages[who] = if next.steps(step).is_some() {
            next.seen[1] |= is_met;
            Stage::Then(self.after_giving(who))
        } else {
            next.seen[2] = true;
            Stage::Wants(Op::Give)
        };
    }

    fn after_giving(&self, who: usize) -> After {
        if self.clients[who] == Does::Pulses { After::Clears } else { After::Over }
    }

    /// One with a ticket looks at the word.
    fn come(&self, next: &mut State<M>, who: usize, ticket: Ticket) {
        let is_open = next.word.number().is_some();
        let comes = is_open || self.is_wrong(Wrong::ComesAnyway);
        next.told.remove(&who);
        next.stages[who] = if comes {
            next.came[0] |= is_open;
            if self.is_wrong(Wrong::ComesAndTakes) {
                next.steps(M::step(next.word));
            }
            Stage::Then(if M::HOLDS { After::Has } else { After::Over })
        } else {
            Stage::Wants(Op::Come(ticket))
        };
    }

    fn clear(&self, next: &mut State<M>, who: usize) {
        let mut step = next.word.set(0);
        if self.is_wrong(Wrong::ClearsTheClosed) && step == word::Step::Closed {
            step = Word::ZERO.set(0);
        }
        let is_done = next.steps(step).is_some();
        next.stages[who] = if is_done { Stage::Then(After::Over) } else { Stage::Wants(Op::Clear) };
    }

    fn read(&self, next: &mut State<M>, who: usize) {
        let said = next.word.number();
        if self.is_wrong(Wrong::ReadsBehind) {
            next.is_misread |= said.is_some_and(|said| said != next.machine.free());
        }
        let is_done = said.is_some() || self.is_wrong(Wrong::ReadsBehind);
        next.stages[who] = if is_done { Stage::Then(After::Over) } else { Stage::Wants(Op::Read) };
    }

    fn close(&self, next: &mut State<M>, said: Word) {
        if let Some(number) = said.number() {
            next.machine.close(number);
            if !self.is_wrong(Wrong::NeverCloses) {
                next.word = Word::CLOSED;
            }
        }
    }

    fn open(&self, next: &mut State<M>) {
        if self.is_wrong(Wrong::OpensOverTheLine) {
            next.word = Word::open(next.machine.free()).unwrap_or(Word::CLOSED);
        } else if let Some(word) = next.machine.open() {
            next.word = word;
        }
    }

    /// One of the steps with the lock.
    fn lock(&self, last: &State<M>, next: &mut State<M>, step: Step) -> Option<()> {
        match step {
            Step::Lock(who) => {
                let Stage::Wants(op) = last.stages[who] else { return None };
                next.is_locked = true;
                next.stages[who] = Stage::Locks(op);
            }
            Step::Look(who) => {
                let Stage::Locks(op) = last.stages[who] else { return None };
                next.stages[who] = Stage::Looked(op, last.word.bits());
            }
            Step::Close(who) => {
                let (op, said) = match last.stages[who] {
                    Stage::Locks(op) => (op, last.word),
                    Stage::Looked(op, said) => (op, Word::from_bits(said)),
                    _ => return None,
                };
                if op != Op::Add || !self.is_wrong(Wrong::AddsBehind) {
                    self.close(next, said);
                }
                next.stages[who] = Stage::Decides(op);
            }
            Step::Decide(who) => {
                let Stage::Decides(op) = last.stages[who] else { return None };
                let mut after = next.decide(who, op);
                if op == Op::Give {
                    after = self.after_giving(who);
                }
                if op == Op::Forget && self.is_wrong(Wrong::ForgetsTwice) {
                    next.machine.pass();
                }
                next.stages[who] = Stage::Opens(after);
            }
            Step::Open(who) => {
                self.open(next);
                next.stages[who] = match last.stages[who] {
                    Stage::Opens(after) => Stage::Frees(after),
                    Stage::Frees(after) => Stage::Then(after),
                    _ => return None,
                };
            }
            Step::Free(who) => {
                next.is_locked = false;
                next.stages[who] = match last.stages[who] {
                    Stage::Opens(after) => Stage::Frees(after),
                    Stage::Frees(after) => Stage::Then(after),
                    _ => return None,
                };
            }
            _ => return None,
        }
        Some(())
    }
}

impl<M: Behind> Model for Clients<M> {
    type State = State<M>;
    type Action = Step;

    fn init_states(&self) -> Vec<State<M>> {
        vec![State {
            word: self.machine.clone().open().expect("nobody waits"),
            machine: self.machine.clone(),
            is_locked: false,
            stages: vec![Stage::Idle; self.clients.len()],
            to_tell: BTreeSet::new(),
            told: BTreeSet::new(),
            all: self.permits,
            is_jumped: false,
            is_misread: false,
            seen: [false; 3],
            left: false,
            came: [false; 2],
            read: false,
            acted: false,
        }]
    }

    fn actions(&self, state: &State<M>, steps: &mut Vec<Step>) {
        for (who, does) in self.clients.iter().enumerate() {
            match state.stages[who] {
                Stage::Idle => steps.push(match does {
                    Does::Sets | Does::Pulses => Step::GiveBack(who),
                    Does::Adds => Step::Add(who),
                    Does::Reads => Step::Read(who),
                    Does::Looks => Step::LookBehind(who),
                    _ => Step::Pass(who),
                }),
                Stage::Wants(_) if state.is_locked => {}
                Stage::Wants(_) => steps.push(Step::Lock(who)),
                Stage::Locks(_) if self.is_wrong(Wrong::LooksAndCloses) => {
                    steps.push(Step::Look(who));
                }
                Stage::Locks(_) | Stage::Looked(..) => steps.push(Step::Close(who)),
                Stage::Decides(_) => steps.push(Step::Decide(who)),
                Stage::Opens(_) if self.is_wrong(Wrong::FreesAndOpens) => {
                    steps.push(Step::Free(who));
                }
                Stage::Frees(_) if self.is_wrong(Wrong::FreesAndOpens) => {
                    steps.push(Step::Open(who));
                }
                Stage::Opens(_) => steps.push(Step::Open(who)),
                Stage::Frees(_) => steps.push(Step::Free(who)),
                Stage::Then(After::Waits(_)) => {
                    steps.push(if state.told.contains(&who) {
                        Step::Come(who)
                    } else {
                        Step::LookEarly(who)
                    });
                    if *does == Does::MayLeave {
                        steps.push(Step::Leave(who));
                    }
                }
                Stage::Then(After::Has) if *does == Does::Forgets => steps.push(Step::Forget(who)),
                Stage::Then(After::Has) => steps.push(Step::GiveBack(who)),
                Stage::Then(After::Clears) => steps.push(Step::Clear(who)),
                Stage::Then(After::Over) => {}
            }
        }
        steps.extend(state.to_tell.iter().copied().map(Step::Tell));
    }

    fn next_state(&self, last: &State<M>, step: Step) -> Option<State<M>> {
        let mut next = last.clone();
        match step {
            Step::Pass(who) => self.pass(&mut next, who),
            Step::GiveBack(who) => self.give(&mut next, who),
            Step::Clear(who) => self.clear(&mut next, who),
            Step::Read(who) => self.read(&mut next, who),
            Step::Add(who) => next.stages[who] = Stage::Wants(Op::Add),
            Step::Forget(who) => next.stages[who] = Stage::Wants(Op::Forget),
            Step::LookBehind(who) if last.is_locked => next.stages[who] = Stage::Then(After::Over),
            Step::LookBehind(who) => {
                next.is_locked = true;
                next.stages[who] = Stage::Locks(Op::Read);
            }
            Step::Lock(_) | Step::Look(_) | Step::Close(_) => self.lock(last, &mut next, step)?,
            Step::Decide(_) | Step::Open(_) | Step::Free(_) => self.lock(last, &mut next, step)?,
            Step::Come(who) | Step::LookEarly(who) => {
                let Stage::Then(After::Waits(ticket)) = last.stages[who] else { return None };
                self.come(&mut next, who, ticket);
            }
            Step::Leave(who) => {
                let Stage::Then(After::Waits(ticket)) = last.stages[who] else { return None };
                next.told.remove(&who);
                next.stages[who] = Stage::Wants(Op::Leave(ticket));
            }
            Step::Tell(who) => {
                next.to_tell.remove(&who);
                let is_over = |after: After| after == After::Over;
                if !matches!(last.stages[who], Stage::Then(after) if is_over(after)) {
                    next.told.insert(who);
                }
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(BALANCE, |_, state: &State<M>| {
                let held = (state.held() + state.coming()) as u64;
                !M::HOLDS || state.free() + held == state.all
            }),
            Property::always(READ, |_, state: &State<M>| !state.is_misread),
            Property::always(ORDER, |_, state: &State<M>| !state.is_jumped),
            Property::always(WAITS, |clients: &Self, state: &State<M>| {
                let mut steps = Vec::new();
                clients.actions(state, &mut steps);
                // What he waits for is not there: all permits were forgotten, or it was cleared.
                let is_none = if M::HOLDS { state.all == 0 } else { state.free() == 0 };
                let is_over = |stage: &Stage| match stage {
                    Stage::Then(After::Waits(ticket)) => {
                        is_none && !state.machine.clone().is_granted(*ticket)
                    }
                    stage => *stage == Stage::Then(After::Over),
                };
                steps.iter().any(|step| clients.by(step) != ENVIRONMENT)
                    || state.stages.iter().all(is_over)
            }),
            Property::sometimes("two wait at once", |_, state: &State<M>| {
                state.machine.clone().line().len() == 2
            }),
            Property::sometimes(
                "one gives by the word while another is about to wait",
                |_, state: &State<M>| state.seen[1],
            ),
            Property::sometimes(
                "one finds it closed, and takes the lock",
                |_, state: &State<M>| state.seen[2],
            ),
            Property::sometimes(
                "one passes by the word while another has the lock",
                |_, state: &State<M>| state.seen[0],
            ),
            Property::sometimes("one reads with the lock", |_, state: &State<M>| state.read),
            Property::sometimes(
                "one adds, forgets or clears with the lock",
                |_, state: &State<M>| state.acted,
            ),
            Property::sometimes("one comes by the word", |_, state: &State<M>| state.came[0]),
            Property::sometimes("one comes by the lock", |_, state: &State<M>| state.came[1]),
            Property::sometimes("one leaves", |_, state: &State<M>| state.left),
            Property::sometimes("all are over", |_, state: &State<M>| {
                state.stages.iter().all(|stage| *stage == Stage::Then(After::Over))
            }),
        ]
    }
}

impl<M: Behind> Kinds for Clients<M> {
    fn kind(step: &Step) -> &'static str {
        match step {
            Step::Pass(_) => "pass",
            Step::GiveBack(_) => "give",
            Step::Lock(_) => "lock",
            Step::Look(_) => "look",
            Step::Close(_) => "close",
            Step::Decide(_) => "decide",
            Step::Open(_) => "open",
            Step::Free(_) => "free",
            Step::Come(_) => "come",
            Step::LookEarly(_) => "look early",
            Step::Leave(_) => "leave",
            Step::Clear(_) => "clear",
            Step::Forget(_) => "forget",
            Step::Add(_) => "add",
            Step::Read(_) => "read",
            Step::LookBehind(_) => "look behind",
            Step::Tell(_) => "tell",
        }
    }

    fn by(&self, step: &Step) -> usize {
        match step {
            Step::LookEarly(_) | Step::Leave(_) => ENVIRONMENT,
            Step::Tell(_) => TELLER,
            Step::Pass(who) | Step::GiveBack(who) | Step::Lock(who) | Step::Look(who) => *who,
            Step::Close(who) | Step::Decide(who) | Step::Open(who) | Step::Free(who) => *who,
            Step::Come(who) | Step::Clear(who) | Step::Forget(who) | Step::Add(who) => *who,
            Step::Read(who) | Step::LookBehind(who) => *who,
        }
    }
}

use Does::{Adds, Forgets, Looks, MayLeave, Pulses, Reads, Sets, Tries, Waits};

fn permits(permits: usize, clients: &[Does], wrong: Option<Wrong>) -> Clients<Permits<usize>> {
    let machine = Permits::new(permits, usize::MAX);
    Clients { machine, permits: permits as u64, clients: clients.to_vec(), wrong }
}

fn event(clients: &[Does], wrong: Option<Wrong>) -> Clients<Gate<usize>> {
    Clients { machine: Gate::new(), permits: 0, clients: clients.to_vec(), wrong }
}

pub(crate) fn add(trials: &mut Trials) {
    trials.add("primitives::steps", || {
        let systems = [
            permits(1, &[Waits, Waits, MayLeave], None),
            permits(1, &[Waits, MayLeave, Tries], None),
            permits(2, &[Waits, Waits, Waits, Tries], None),
            permits(1, &[Waits, Forgets, Adds, Reads], None),
            permits(1, &[Forgets, Waits, Looks, MayLeave], None),
        ];
        let proof = check::prove_all(systems).map_err(|it| format!("{:?}: {}", it.0, it.1))?;
        let of_permits = row(
            "permits, by the word or by the lock",
            "5 systems of 3 and 4 clients",
            &proof,
            [114721, 51],
        )?;
        let systems = [
            event(&[Waits, MayLeave, Tries, Sets], None),
            event(&[Waits, Waits, Sets, Sets], None),
            event(&[Waits, MayLeave, Pulses, Reads], None),
            event(&[Waits, Pulses, Sets, Looks], None),
        ];
        let proof = check::prove_all(systems).map_err(|it| format!("{:?}: {}", it.0, it.1))?;
        let of_events = row(
            "an event, by the word or by the lock",
            "4 systems of 4 clients",
            &proof,
            [61777, 45],
        )?;
        Ok::<_, String>(vec![of_permits, of_events])
    });
    add_wrong(trials);
}

fn add_wrong(trials: &mut Trials) {
    for (name, wrong, clients, property, steps) in [
        ("it is looked at, and then closed", Wrong::LooksAndCloses, &[Waits, Waits][..], WAITS, 9),
        ("it is not closed", Wrong::NeverCloses, &[Waits, Waits], WAITS, 8),
        ("what is closed is given to", Wrong::GivesToTheClosed, &[Waits, Waits], WAITS, 8),
        ("it is opened over the line", Wrong::OpensOverTheLine, &[Waits, Waits, Tries], ORDER, 8),
        (
            "it is open after the lock is free",
            Wrong::FreesAndOpens,
            &[Waits, Waits, Waits],
            BALANCE,
            15,
        ),
        ("whoever reads looks behind the word", Wrong::ReadsBehind, &[Waits, Reads], READ, 2),
        ("whoever forgets takes another", Wrong::ForgetsTwice, &[Forgets, Adds], BALANCE, 11),
        ("whoever adds does not close it", Wrong::AddsBehind, &[Adds], BALANCE, 4),
        ("whoever looks goes on", Wrong::ComesAnyway, &[Waits, Waits], BALANCE, 8),
    ] {
        trials.add(format!("primitives::steps: {name}"), move || {
            let model = permits(1, clients, Some(wrong));
            let system = format!("a word: {name}");
            refuted(system, format!("not so: {property}"), model, property, steps)
                .map(|it| vec![it])
        });
    }
    trials.add("primitives::steps: whoever comes takes another", || {
        let model = permits(2, &[Waits, Waits, Waits], Some(Wrong::ComesAndTakes));
        let system = "a word: whoever comes takes another";
        refuted(system, format!("not so: {BALANCE}"), model, BALANCE, 15).map(|it| vec![it])
    });
    trials.add("primitives::steps: what is closed is cleared", || {
        let model = event(&[Waits, Pulses, Pulses, Sets], Some(Wrong::ClearsTheClosed));
        let system = "a word: what is closed is cleared";
        refuted(system, format!("not so: {WAITS}"), model, WAITS, 11).map(|it| vec![it])
    });
}
