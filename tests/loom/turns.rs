//! The sequential specifications of a semaphore, an event and a condition: the machines that ship, a call at a time.

use std::{collections::BTreeMap, sync::Arc, task::Waker};

use stateright::semantics::SequentialSpec;

use crate::{
    explore::Counter,
    history::{Caller, History, Sequential},
};

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
    /// Who was woken until now, each as a bit.
    Woken,
}

/// What a call was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Is(bool),
    Done,
    Left(usize, usize),
    Woken(u8),
}

/// The wakers of three futures, each known by who has it.
#[derive(Clone, Default)]
pub(crate) struct Wakes([Arc<Counter>; 3]);

impl Wakes {
    pub(crate) fn of(&self, who: Caller) -> Waker {
        Waker::from(Arc::clone(&self.0[usize::from(who)]))
    }

    /// Those that were woken, each once.
    pub(crate) fn woken(&self) -> u8 {
        let counts = self.0.each_ref().map(|counter| counter.count());
        assert!(counts.iter().all(|count| *count <= 1), "each waits once: {counts:?}");
        counts.iter().zip(0..).map(|(count, who)| u8::from(*count > 0) << who).sum()
    }
}

/// What a call does besides those that are about a future, and who is told.
pub(crate) trait Decides: Turns<Caller> {
    fn decide(&mut self, call: Call) -> (Told, Vec<Caller>);
}

impl Decides for Permits<Caller> {
    fn decide(&mut self, call: Call) -> (Told, Vec<Caller>) {
        match call {
            Call::Give => (Told::Done, self.give_back().into_iter().collect()),
            Call::Left => {
                let free = usize::try_from(self.free()).expect("there are few");
                (Told::Left(self.line().len(), free), Vec::new())
            }
            call => unreachable!("a semaphore has no {call:?}"),
        }
    }
}

impl Decides for Gate<Caller> {
    fn decide(&mut self, call: Call) -> (Told, Vec<Caller>) {
        match call {
            Call::Set => (Told::Done, self.set().collect()),
            Call::Clear => {
                self.clear();
                (Told::Done, Vec::new())
            }
            Call::Left => (Told::Left(self.line().len(), usize::from(self.is_set())), Vec::new()),
            call => unreachable!("an event has no {call:?}"),
        }
    }
}

impl Decides for Notices<Caller> {
    fn decide(&mut self, call: Call) -> (Told, Vec<Caller>) {
        match call {
            Call::Notify(many) => (Told::Done, self.notify(many)),
            Call::Left => (Told::Left(self.line().len(), 0), Vec::new()),
            call => unreachable!("a condition has no {call:?}"),
        }
    }
}

/// A machine, and the tickets of those who wait.
#[derive(Clone, Debug)]
pub(crate) struct Spec<M> {
    machine: M,
    tickets: BTreeMap<Caller, Ticket>,
    /// Who was told.
    woken: u8,
}

impl<M> Spec<M> {
    pub(crate) const fn new(machine: M) -> Self {
        Self { machine, tickets: BTreeMap::new(), woken: 0 }
    }
}

impl<M: Decides> SequentialSpec for Spec<M> {
    type Op = Call;
    type Ret = Told;

    fn invoke(&mut self, call: &Call) -> Told {
        let Self { machine, tickets, woken } = self;
        let (answer, told) = match *call {
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
                (Told::Is(is_ready), Vec::new())
            }
            Call::Leave(who) => {
                let left = tickets.remove(&who).and_then(|ticket| machine.leave(ticket).next);
                (Told::Done, left.into_iter().collect())
            }
            Call::Try => (Told::Is(machine.pass()), Vec::new()),
            Call::Woken => (Told::Woken(*woken), Vec::new()),
            call => machine.decide(call),
        };
        told.into_iter().for_each(|who| *woken |= 1 << who);
        answer
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

/// Whoever was told is woken, and nobody else is. All have ended that wake.
pub(crate) fn woken<S: Sequential + SequentialSpec<Op = Call, Ret = Told>>(
    history: &History<S>,
    wakes: &Wakes,
) {
    call(history, Call::Woken, || wakes.woken(), |woken| Told::Woken(*woken));
}

/// The check can say no: who waits is given a permit, and is woken, or is not.
pub(crate) fn a_wake_that_is_missing_is_refused() {
    fn explain(is_woken: bool) -> Result<(), String> {
        let (history, wakes) = (History::default(), Wakes::default());
        call(&history, Call::Poll(1), || (), |()| Told::Is(false));
        call(&history, Call::Give, || (), |()| Told::Done);
        if is_woken {
            wakes.of(1).wake();
        }
        woken(&history, &wakes);
        history.explain(Spec::new(Permits::new(0, 1)))
    }
    loom::model(|| {
        assert!(explain(false).is_err());
        explain(true).unwrap();
    });
}
