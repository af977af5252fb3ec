//! The sequential specification of a few futures, and who writes their histories.

use std::collections::VecDeque;

use settled::{
    machine::State,
    model::{Answer, End, Op, Ret, Spec},
};
use stateright::semantics::SequentialSpec;

use crate::history::{Caller, History};

/// A call on a future: one of the specification's, or one that tells less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Op(Op),
    Done,
    Cancelled,
    Running,
    /// `as_completed`, of all futures, and `next` of what it returned.
    Listen,
    Next,
}

/// What a call was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Ret(Ret),
    Is(bool),
    Listens,
    /// Which future was yielded, and how it had ended.
    Yielded(Option<(u8, End)>),
    /// That there is nothing to yield yet, which nobody is told: the call waits.
    Waits,
}

/// The futures of a scenario, by number, as far as the public calls show them.
#[derive(Clone, Debug)]
pub(crate) struct Futures {
    specs: Vec<Spec>,
    /// Those that are settled and not yet yielded, if anybody listens.
    heard: Option<VecDeque<u8>>,
    yielded: usize,
}

impl Futures {
    pub(crate) fn new(specs: impl Into<Vec<Spec>>) -> Self {
        Self { specs: specs.into(), heard: None, yielded: 0 }
    }

    fn op(&mut self, of: u8, op: &Op) -> Told {
        let spec = &mut self.specs[usize::from(of)];
        let was_settled = spec.state().is_settled();
        let ret = spec.invoke(op);
        if !was_settled && spec.state().is_settled() {
            self.heard.iter_mut().for_each(|heard| heard.push_back(of));
        }
        Told::Ret(ret)
    }

    fn end(&self, of: u8) -> End {
        let answer = self.specs[usize::from(of)].clone().invoke(&Op::Read).answer;
        let Answer::Read(Some(end)) = answer else { unreachable!("it is settled") };
        end
    }

    /// Those that are settled already come first, in the order of their numbers.
    fn listen(&mut self) -> Told {
        let all = (0..).zip(&self.specs);
        let settled = all.filter(|(_, spec)| spec.state().is_settled()).map(|(of, _)| of);
        self.heard = Some(settled.collect());
        Told::Listens
    }

    fn next(&mut self) -> Told {
        match self.heard.as_mut().and_then(VecDeque::pop_front) {
            Some(of) => {
                self.yielded += 1;
                Told::Yielded(Some((of, self.end(of))))
            }
            None if self.yielded == self.specs.len() => Told::Yielded(None),
            None => Told::Waits,
        }
    }
}

impl SequentialSpec for Futures {
    type Op = (u8, Call);
    type Ret = Told;

    fn invoke(&mut self, (of, call): &(u8, Call)) -> Told {
        let state = self.specs[usize::from(*of)].state();
        match call {
            Call::Op(op) => self.op(*of, op),
            Call::Done => Told::Is(state.is_settled()),
            Call::Cancelled => Told::Is(state == State::Cancelled),
            Call::Running => Told::Is(state == State::Running),
            Call::Listen => self.listen(),
            Call::Next => self.next(),
        }
    }
}

/// Writes down the calls on one of the futures.
#[derive(Clone, Default)]
pub(crate) struct Recorder {
    history: History<Futures>,
    of: u8,
}

impl Recorder {
    /// For the only future of a scenario, or the first.
    pub(crate) fn new(history: &History<Futures>) -> Self {
        Self { history: history.clone(), of: 0 }
    }

    /// For another future of the same history.
    pub(crate) fn of(&self, of: u8) -> Self {
        Self { history: self.history.clone(), of }
    }

    pub(crate) fn number(&self) -> u8 {
        self.of
    }

    pub(crate) fn history(&self) -> &History<Futures> {
        &self.history
    }

    /// A call begins that another place in the code will end.
    pub(crate) fn begins(&self, caller: Caller, op: Op) {
        self.history.begins(caller, (self.of, Call::Op(op)));
    }

    /// A call ends, in which the callbacks ran that were noted.
    pub(crate) fn ends(&self, caller: Caller, answer: Answer) {
        self.history.ends(caller, |due| Told::Ret(Ret { answer, due, told: Vec::new() }));
    }

    /// If this caller was settling its future, that is over.
    pub(crate) fn is_done(&self, caller: Caller) {
        let settles = |op| matches!(op, Op::Settle(_) | Op::Stop | Op::Abandon);
        if matches!(self.history.open(caller), Some((_, Call::Op(op))) if settles(op)) {
            self.ends(caller, Answer::Done);
        }
    }

    /// Whoever was settling a future, that is over.
    pub(crate) fn are_done(&self) {
        for caller in self.history.callers_in_calls() {
            self.is_done(caller);
        }
    }

    /// Makes a call of the specification, and writes down what it was told and which callbacks ran in it.
    pub(crate) fn op(&self, op: Op, call: impl FnOnce() -> Answer) -> Answer {
        let here = self.history.here();
        self.begins(here, op);
        let answer = call();
        self.ends(here, answer);
        answer
    }

    /// Makes a call that tells less.
    pub(crate) fn call(&self, what: Call, call: impl FnOnce() -> Told) {
        let here = self.history.here();
        self.history.begins(here, (self.of, what));
        let told = call();
        self.history.ends(here, |_| told);
    }

    /// A call that waits: what linearizes is the look with which it ends.
    pub(crate) fn wait(&self, call: impl FnOnce() -> End) {
        self.op(Op::Read, || Answer::Read(Some(call())));
    }

    /// A callback of this name, which notes in whose call it runs.
    pub(crate) fn callback(&self, name: u8) -> impl FnOnce() + Send + 'static + use<> {
        let history = self.history.clone();
        move || history.note(name)
    }
}
