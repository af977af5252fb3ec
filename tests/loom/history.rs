//! What the threads of an execution called and were told, and whether one future that takes one call after
//! the other would have told them the same.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use loom::thread::{self, ThreadId};
use settled::{
    Cancelled,
    machine::State,
    model::{Answer, End, Op, Ret, Spec},
};
use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};

/// A call on a future: one of the specification's, or one that tells less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Op(Op),
    Done,
    Cancelled,
    Running,
}

/// What a call was told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Told {
    Ret(Ret),
    Is(bool),
}

/// The specification, as far as the public calls show it.
#[derive(Clone, Debug)]
struct Public(Spec);

impl SequentialSpec for Public {
    type Op = Call;
    type Ret = Told;

    fn invoke(&mut self, call: &Call) -> Told {
        let state = self.0.state();
        match call {
            Call::Op(op) => Told::Ret(self.0.invoke(op)),
            Call::Done => Told::Is(state.is_settled()),
            Call::Cancelled => Told::Is(state == State::Cancelled),
            Call::Running => Told::Is(state == State::Running),
        }
    }
}

/// Something that happened in an execution, on one of its threads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Event {
    Calls(u8, Call),
    IsTold(u8, Told),
}

/// One execution's history: loom runs one thread at a time, so that the order of the list is the order in time.
#[derive(Clone, Default)]
pub(crate) struct History(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    events: Vec<Event>,
    threads: HashMap<ThreadId, u8>,
    /// The callbacks that ran inside the call that each thread is in.
    ran: HashMap<u8, Vec<u8>>,
}

impl Inner {
    fn here(&mut self) -> u8 {
        let next = u8::try_from(self.threads.len()).expect("few threads");
        *self.threads.entry(thread::current().id()).or_insert(next)
    }
}

impl History {
    /// Makes a call of the specification, and writes down what it was told and which callbacks ran in it.
    pub(crate) fn op(&self, op: Op, call: impl FnOnce() -> Answer) -> Answer {
        let here = self.begin(Call::Op(op));
        let answer = call();
        let mut inner = self.0.lock().unwrap();
        let due = inner.ran.remove(&here).unwrap_or_default();
        inner.events.push(Event::IsTold(here, Told::Ret(Ret { answer, due })));
        answer
    }

    /// Makes a call that answers yes or no.
    pub(crate) fn look(&self, what: Call, call: impl FnOnce() -> bool) -> bool {
        let here = self.begin(what);
        let answer = call();
        self.0.lock().unwrap().events.push(Event::IsTold(here, Told::Is(answer)));
        answer
    }

    /// A call that waits: what linearizes is the look with which it ends.
    pub(crate) fn wait(&self, call: impl FnOnce() -> End) -> End {
        let answer = self.op(Op::Read, || Answer::Read(Some(call())));
        let Answer::Read(Some(end)) = answer else { unreachable!("it waited") };
        end
    }

    fn begin(&self, call: Call) -> u8 {
        let mut inner = self.0.lock().unwrap();
        let here = inner.here();
        inner.events.push(Event::Calls(here, call));
        here
    }

    /// A callback of this name, which notes in whose call it runs.
    pub(crate) fn callback(&self, name: u8) -> impl FnOnce() + Send + 'static + use<> {
        let history = self.clone();
        move || {
            let mut inner = history.0.lock().unwrap();
            let here = inner.here();
            inner.ran.entry(here).or_default().push(name);
        }
    }

    /// The history as a text by which it is told apart from others, if some order of its calls, each between
    /// its beginning and its end, explains what they were told.
    pub(crate) fn explain(&self, spec: Spec) -> Result<String, String> {
        let inner = self.0.lock().unwrap();
        let mut tester = LinearizabilityTester::new(Public(spec));
        for event in &inner.events {
            match event.clone() {
                Event::Calls(thread, call) => tester.on_invoke(thread, call).map(drop)?,
                Event::IsTold(thread, told) => tester.on_return(thread, told).map(drop)?,
            }
        }
        let text = format!("{:?}", inner.events);
        let left: Vec<_> = inner.ran.iter().filter(|(_, ran)| !ran.is_empty()).collect();
        if !left.is_empty() {
            return Err(format!("callbacks outside of every call: {left:?} in {text}"));
        }
        if tester.is_consistent() { Ok(text) } else { Err(format!("no order explains {text}")) }
    }
}

/// The checker can say no: a cancel that succeeded and a value that was read, in this order, have none.
pub(crate) fn a_contradiction_is_refused() {
    loom::model(|| {
        let history = History::default();
        history.op(Op::Cancel, || Answer::Cancel(settled::Cancel::Now));
        history.wait(|| End::Value(1));
        assert!(history.explain(Spec::new()).is_err());
        let history = History::default();
        history.op(Op::Cancel, || Answer::Cancel(settled::Cancel::Now));
        history.wait(|| End::Cancelled(Cancelled::Requested));
        history.explain(Spec::new()).unwrap();
    });
}
