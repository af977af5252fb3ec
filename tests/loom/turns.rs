//! The sequential specifications of a semaphore, an event and a condition: the machines that ship, a call at a time.

use std::collections::BTreeMap;

use stateright::semantics::SequentialSpec;

use crate::history::{Caller, History, Sequential};

#[path = "../../src/primitives/gate.rs"]
pub(crate) mod gate;
#[path = "../../src/primitives/line.rs"]
#[expect(dead_code, reason = "a waker that is replaced is no call")]
pub(crate) mod line;
#[path = "../../src/primitives/notices.rs"]
pub(crate) mod notices;
#[path = "../../src/primitives/permits.rs"]
#[expect(dead_code, reason = "nothing is added or forgotten")]
pub(crate) mod permits;
#[path = "../../src/places.rs"]
#[expect(dead_code, reason = "the callbacks of a loop future are no line")]
pub(crate) mod places;
#[path = "../../src/primitives/word.rs"]
#[expect(dead_code, reason = "what the lock decides is all of a call")]
pub(crate) mod word;

use self::{
    gate::Gate,
    line::{Ticket, Turns},
    notices::Notices,
    permits::Permits,
};

/// A call. A future is known by who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Poll(Caller),
    /// The future is dropped.
    Leave(Caller),
    /// A permit is taken if it is free, or it is looked whether it is set.
    Try,
    /// A permit is dropped.
    Give,
    Set,
    Clear,
    /// So many are notified.
    Notify(usize),
    /// How many wait, and what is free.
    Left,
}

/// What a call was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Is(bool),
    Done,
    Left(usize, usize),
}

/// What a call does besides those that are about a future.
pub(crate) trait Decides: Turns<Caller> {
    fn decide(&mut self, call: Call) -> Told;
}

impl Decides for Permits<Caller> {
    fn decide(&mut self, call: Call) -> Told {
        match call {
            Call::Give => drop(self.give_back()),
            Call::Left => {
                return Told::Left(
                    self.line().len(),
                    usize::try_from(self.free()).expect("there are few"),
                );
            }
            call => unreachable!("a semaphore has no {call:?}"),
        }
        Told::Done
    }
}

impl Decides for Gate<Caller> {
    fn decide(&mut self, call: Call) -> Told {
        match call {
            Call::Set => self.set().for_each(drop),
            Call::Clear => self.clear(),
            Call::Left => return Told::Left(self.line().len(), usize::from(self.is_set())),
            call => unreachable!("an event has no {call:?}"),
        }
        Told::Done
    }
}

impl Decides for Notices<Caller> {
    fn decide(&mut self, call: Call) -> Told {
        match call {
            Call::Notify(many) => drop(self.notify(many)),
            Call::Left => return Told::Left(self.line().len(), 0),
            call => unreachable!("a condition has no {call:?}"),
        }
        Told::Done
    }
}

/// A machine, and the tickets of those who wait.
#[derive(Clone, Debug)]
pub(crate) struct Spec<M> {
    machine: M,
    tickets: BTreeMap<Caller, Ticket>,
}

impl<M> Spec<M> {
    pub(crate) const fn new(machine: M) -> Self {
        Self { machine, tickets: BTreeMap::new() }
    }
}

impl<M: Decides> SequentialSpec for Spec<M> {
    type Op = Call;
    type Ret = Told;

    fn invoke(&mut self, call: &Call) -> Told {
        let Self { machine, tickets } = self;
        match *call {
            Call::Poll(who) => {
                let is_ready = match tickets.get(&who) {
                    Some(ticket) => machine.come(*ticket),
                    None => match machine.enter(who) {
                        Ok(ticket) => {
                            tickets.insert(who, ticket);
                            return Told::Is(false);
                        }
                        Err(_) => true,
                    },
                };
                if is_ready {
                    tickets.remove(&who);
                }
                Told::Is(is_ready)
            }
            Call::Leave(who) => {
                if let Some(ticket) = tickets.remove(&who) {
                    drop(machine.leave(ticket));
                }
                Told::Done
            }
            Call::Try => Told::Is(machine.pass()),
            call => machine.decide(call),
        }
    }
}

/// Makes a call, and writes it down.
pub(crate) fn call<S: Sequential + SequentialSpec<Op = Call, Ret = Told>, R>(
    history: &History<S>,
    call: Call,
    make: impl FnOnce() -> R,
    told: impl FnOnce(&R) -> Told,
) -> R {
    let here = history.here();
    history.begins(here, call);
    let result = make();
    history.ends(here, |_| told(&result));
    result
}
