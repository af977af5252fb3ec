//! What a program has of its own: variables, locks and channels, assertions, and what it does with an answer.

use std::fmt;

use super::{
    End,
    list::List,
    program::{Agent, Do, Future, Lock, Program},
    state::{Script, System},
};
use crate::Cancel;

/// A variable of the program's own, by its number.
pub type Variable = u8;
/// A channel of the program's own, by its number.
pub type Channel = u8;

/// What a call may have answered, or a variable may be. `[program-2]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Is {
    /// It is so: `done`, a removal that found its callback, a promise that delivered, a loop, pool or channel that took
    /// what it was given. What a call without an answer answers.
    Yes,
    /// It is not so: the promise came too late, or what was given came back, as its taker is closed; `recv`: the
    /// channel is closed and empty.
    No,
    /// The cancel won.
    Now,
    /// It was cancelled before.
    Already,
    /// The owner of the task was asked.
    Requested,
    /// It runs or is finished, and is not cancelled.
    Refused,
    /// It ended with a value.
    Value,
    /// It ended with an error.
    Error,
    /// It ended with a panic.
    Panicked,
    /// It ended as its running promise was dropped.
    Abandoned,
    /// It was cancelled.
    Cancelled,
    /// It is not settled, or to wait for it is refused: `InvalidState`, `WouldDeadlock`.
    Unsettled,
    /// The wait has expired.
    Expired,
    /// The wait was interrupted.
    Interrupted,
    /// It is this number.
    Equal(i16),
    /// It is another number.
    Other(i16),
    /// It is less.
    Below(i16),
    /// It is more.
    Above(i16),
}

impl Is {
    /// Whether a number is so.
    pub(super) fn holds(self, number: i32) -> bool {
        match self {
            Self::Equal(than) => number == i32::from(than),
            Self::Other(than) => number != i32::from(than),
            Self::Below(than) => number < i32::from(than),
            Self::Above(than) => number > i32::from(than),
            _ => false,
        }
    }

    /// Whether this asks for a number.
    pub(super) const fn is_of_numbers(self) -> bool {
        matches!(self, Self::Equal(_) | Self::Other(_) | Self::Below(_) | Self::Above(_))
    }
}

impl fmt::Display for Is {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equal(than) => write!(f, "= {than}"),
            Self::Other(than) => write!(f, "!= {than}"),
            Self::Below(than) => write!(f, "< {than}"),
            Self::Above(than) => write!(f, "> {than}"),
            answer => write!(f, "{answer:?}"),
        }
    }
}

/// What is stored in a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Put {
    /// This number.
    Number(i16),
    /// The sum of this and what the script has loaded or received last.
    Loaded(i16),
}

/// What a call has told its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Answer(Is),
    Number(i32),
}

impl Told {
    pub(super) const YES: Self = Self::Answer(Is::Yes);

    pub(super) const fn whether(it: bool) -> Self {
        Self::Answer(if it { Is::Yes } else { Is::No })
    }

    pub(super) const fn cancel(it: Cancel) -> Self {
        Self::Answer(match it {
            Cancel::Now => Is::Now,
            Cancel::Already => Is::Already,
            Cancel::Requested => Is::Requested,
            Cancel::Refused(_) => Is::Refused,
        })
    }

    pub(super) const fn end(it: Option<End>) -> Self {
        Self::Answer(match it {
            None => Is::Unsettled,
            Some(End::Value(_)) => Is::Value,
            Some(End::Error(_)) => Is::Error,
            Some(End::Panicked) => Is::Panicked,
            Some(End::Abandoned) => Is::Abandoned,
            Some(End::Cancelled(_)) => Is::Cancelled,
        })
    }

    pub(super) const fn is_number(self) -> bool {
        matches!(self, Self::Number(_))
    }

    fn is(self, is: Is) -> bool {
        match self {
            Self::Answer(it) => it == is,
            Self::Number(it) => is.holds(it),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(is) => is.fmt(f),
            Self::Number(number) => number.fmt(f),
        }
    }
}

/// What lies in a channel, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Queue {
    holds: List<i16>,
    closed: bool,
}

/// The state of what a program has of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Own {
    values: List<i32>,
    /// What each script has loaded or received last and may still store: those of who takes part, then those of the
    /// pieces. Empty where none stores it.
    loaded: List<i32>,
    channels: Vec<Queue>,
    /// Who holds each lock, and in which script.
    pub(super) locks: List<Option<(Agent, Script)>>,
    /// The assertion that failed first: the script, and its place in it.
    pub(super) failed: Option<(Agent, Script, u8)>,
}

impl Program {
    /// What the program has of its own, at its beginning.
    pub(super) fn begin_own(&self) -> Own {
        let shape = &self.shape;
        let stores = |what: &Do| matches!(what, Do::Store(_, Put::Loaded(_)));
        let keeps = shape.all().any(|it| stores(&it));
        let scripts = shape.members.len() + shape.pieces.len();
        Own {
            values: shape.variables.iter().map(|it| i32::from(*it)).collect(),
            loaded: (0..scripts).filter(|_| keeps).map(|_| 0).collect(),
            channels: vec![Queue::default(); shape.channels.len()],
            locks: vec![None; usize::from(shape.locks)].into(),
            failed: None,
        }
    }

    /// Whether a lock or a channel keeps a script from its next operation.
    pub(super) fn own_blocks(&self, state: &System, what: Do) -> bool {
        let own = &state.own;
        match what {
            Do::Lock(lock) => own.locks[usize::from(lock)].is_some(),
            Do::Send(channel, _) => {
                let Queue { holds, closed } = &own.channels[usize::from(channel)];
                !closed && holds.len() >= usize::from(self.shape.channels[usize::from(channel)])
            }
            Do::Recv(channel) => {
                let Queue { holds, closed } = &own.channels[usize::from(channel)];
                !closed && holds.is_empty()
            }
            _ => false,
        }
    }

    /// An operation on what the program has of its own.
    pub(super) fn own(&self, state: &mut System, agent: Agent, what: Do) -> Told {
        let frame = state.top(agent).expect("it acts");
        let (script, at) = (frame.script, frame.at);
        let slot = self.slot(agent, script);
        let own = &mut state.own;
        let mut told = Told::YES;
        match what {
            Do::Load(it) => told = Told::Number(own.values[usize::from(it)]),
            Do::Store(it, Put::Number(number)) => own.values[usize::from(it)] = number.into(),
            Do::Store(it, Put::Loaded(plus)) => {
                own.values[usize::from(it)] = own.loaded[slot] + i32::from(plus);
            }
            Do::Change(it, by) => {
                let value = &mut own.values[usize::from(it)];
                told = Told::Number(*value);
                *value += i32::from(by);
            }
            Do::Assert(it, is) => {
                if !is.holds(own.values[usize::from(it)]) && own.failed.is_none() {
                    own.failed = Some((agent, script, at));
                }
            }
            Do::Send(it, number) => {
                let queue = &mut own.channels[usize::from(it)];
                told = Told::whether(!queue.closed);
                if !queue.closed {
                    queue.holds.push(number);
                }
            }
            Do::Recv(it) => {
                let holds = &mut own.channels[usize::from(it)].holds;
                told = if holds.is_empty() {
                    Told::Answer(Is::No)
                } else {
                    Told::Number(holds.remove(0).into())
                };
            }
            Do::Disconnect(it) => own.channels[usize::from(it)].closed = true,
            Do::Lock(lock) => own.locks[usize::from(lock)] = Some((agent, script)),
            Do::Unlock(lock) => own.locks[usize::from(lock)] = None,
            _ => unreachable!("{what:?} is the library's"),
        }
        if let (Told::Number(number), Some(loaded)) = (told, own.loaded.get_mut(slot)) {
            *loaded = number;
        }
        told
    }

    /// What an operation of the library tells its caller as it returns, but for a cancel.
    pub(super) fn tells(&self, state: &System, agent: Agent, what: Do) -> Told {
        let ended = |it: Future| Told::end(state.future(it).end());
        match what {
            Do::Done(it) => Told::whether(state.is_settled(it)),
            Do::LoopDone(it) => Told::whether(self.sees(state, agent, it)),
            Do::LoopRead(it) | Do::Await(it) if !self.sees(state, agent, it) => Told::end(None),
            Do::Read(it)
            | Do::Result(it)
            | Do::WaitTimeout(it)
            | Do::Poll(it)
            | Do::LoopRead(it)
            | Do::Await(it)
            | Do::AwaitOf(_, it) => ended(it),
            Do::Finish(it) | Do::Fail(it) | Do::Panic(it) => {
                Told::whether(ended(it) != Told::Answer(Is::Cancelled))
            }
            Do::LoopRemove(_, piece) => Told::whether(state.was_removed(piece)),
            Do::Post(_, piece) | Do::Spawn(piece) | Do::Submit(piece) => {
                Told::whether(!state.was_refused(piece))
            }
            _ if self.refuses(agent, what) => Told::end(None),
            _ => Told::YES,
        }
    }

    /// Where a script goes on from `at`, if what it has just called told it this. A branch is no step.
    pub(super) fn branch(&self, agent: Agent, script: Script, at: u8, told: Told) -> u8 {
        let script = self.shape.script(agent, script);
        let mut at = usize::from(at);
        loop {
            at += match script.get(at) {
                Some(Do::Unless(is, _)) if told.is(*is) => 1,
                Some(Do::Unless(_, over) | Do::Skip(over)) => 1 + usize::from(*over),
                _ => return at.min(script.len()) as u8,
            };
        }
    }

    /// A script that will not store what it has loaded forgets it, so that it makes no two states of one.
    pub(super) fn forget(&self, state: &mut System, agent: Agent, script: Script, at: u8) {
        if !state.own.loaded.is_empty() {
            let mut left = self.shape.script(agent, script).iter().skip(at.into());
            if !left.any(|what| matches!(what, Do::Store(_, Put::Loaded(_)))) {
                let slot = self.slot(agent, script);
                state.own.loaded[slot] = 0;
            }
        }
    }

    /// The number of a script among all.
    pub(super) fn slot(&self, agent: Agent, script: Script) -> usize {
        match script {
            Script::Own => agent.into(),
            Script::Piece(it) | Script::Stop(it) | Script::Wake(it) | Script::Drop(it) => {
                self.shape.members.len() + usize::from(it)
            }
            Script::Tell(..) | Script::Post(..) | Script::Return(_) => {
                unreachable!("what is told is no script")
            }
        }
    }

    /// Whether no assertion has failed: neither one in a script, nor one of what is so at the end.
    pub(super) fn asserted(&self, state: &System) -> bool {
        state.own.failed.is_none() && self.untrue(state).is_none()
    }

    /// What is not as it should be when everything has ended.
    pub(super) fn untrue(&self, state: &System) -> Option<(Variable, Is)> {
        let mut finally = self.shape.finally.iter().copied();
        let untrue = finally.find(|(it, is)| !is.holds(state.own.values[usize::from(*it)]))?;
        self.ended(state).then_some(untrue)
    }

    /// Whether an assertion is about to be judged, or has been.
    pub(super) fn judges(&self, state: &System) -> bool {
        let judges = |agent: Agent| {
            let next = state.top(agent).map(|frame| (frame.script, usize::from(frame.at)));
            next.and_then(|(script, at)| self.shape.script(agent, script).get(at))
                .is_some_and(|what| matches!(what, Do::Assert(..)))
        };
        (0..self.agents()).any(judges) || !self.shape.finally.is_empty() && self.ended(state)
    }
}

impl System {
    /// Returns what a variable of the program holds.
    ///
    /// # Panics
    ///
    /// If the program has no such variable.
    #[must_use]
    #[doc(hidden)]
    pub fn variable(&self, it: Variable) -> i32 {
        self.own.values[usize::from(it)]
    }

    /// A script is over, or its coroutine dropped: so are the guards of the locks that it holds.
    pub(super) fn release(&mut self, agent: Agent, script: Script) {
        let held = Some((agent, script));
        if self.own.locks.contains(&held) {
            self.own.locks.iter_mut().filter(|lock| **lock == held).for_each(|lock| *lock = None);
        }
    }

    /// Who holds a lock.
    pub(super) fn owner(&self, lock: Lock) -> Option<Agent> {
        self.own.locks[usize::from(lock)].map(|(agent, _)| agent)
    }
}
