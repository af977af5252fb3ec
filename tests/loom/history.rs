//! What the threads of an execution called and were told, and whether one object that takes one call after
//! the other would have told them the same.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Debug,
    sync::{Arc, Mutex, MutexGuard},
};

use loom::thread::{self, ThreadId};
use settled::{
    Cancel, Cancelled,
    model::{Answer, End, Op, Spec},
};
use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};

use crate::{
    fifo::{self, Fifo},
    futures::{Futures, Recorder},
};

/// A sequential specification that a history can be explained by.
pub(crate) trait Sequential:
    SequentialSpec<Op: Clone + Debug + Send, Ret: Clone + Debug + PartialEq + Send>
    + Clone
    + Send
    + 'static
{
}

impl<S> Sequential for S where
    S: SequentialSpec<Op: Clone + Debug + Send, Ret: Clone + Debug + PartialEq + Send>
        + Clone
        + Send
        + 'static
{
}

/// Who calls. A thread gets the next number, from 0, when it is first heard of; a caller that is no thread,
/// or not one and the same, is given a number from 100.
pub(crate) type Caller = u8;

/// Something that happened in an execution.
#[derive(Clone, Debug)]
enum Event<C, R> {
    Calls(Caller, C),
    IsTold(Caller, R),
    /// Something was noted outside of every call.
    Strays(Caller, u8),
}

/// One execution's history: loom runs one thread at a time, so that the order of the list is the order in time.
pub(crate) struct History<S: Sequential>(Arc<Mutex<Inner<S>>>);

struct Inner<S: Sequential> {
    events: Vec<Event<S::Op, S::Ret>>,
    /// How many threads got a number.
    heard_of: Caller,
    callers: HashMap<ThreadId, Caller>,
    /// The call that each caller is in.
    open: BTreeMap<Caller, S::Op>,
    /// What each has noted in it.
    notes: BTreeMap<Caller, Vec<u8>>,
}

impl<S: Sequential> Inner<S> {
    fn here(&mut self) -> Caller {
        *self.callers.entry(thread::current().id()).or_insert_with(|| {
            self.heard_of += 1;
            self.heard_of - 1
        })
    }
}

impl<S: Sequential> History<S> {
    fn inner(&self) -> MutexGuard<'_, Inner<S>> {
        self.0.lock().unwrap()
    }

    /// Who calls from this thread.
    pub(crate) fn here(&self) -> Caller {
        self.inner().here()
    }

    /// From now on this thread's calls are those of `caller`.
    pub(crate) fn becomes(&self, caller: Caller) {
        self.inner().callers.insert(thread::current().id(), caller);
    }

    /// A call begins.
    pub(crate) fn begins(&self, caller: Caller, call: S::Op) {
        let mut inner = self.inner();
        inner.open.insert(caller, call.clone());
        inner.events.push(Event::Calls(caller, call));
    }

    /// A call ends; what it is told may say what was noted in it.
    pub(crate) fn ends(&self, caller: Caller, told: impl FnOnce(Vec<u8>) -> S::Ret) {
        let mut inner = self.inner();
        inner.open.remove(&caller);
        let notes = inner.notes.remove(&caller).unwrap_or_default();
        inner.events.push(Event::IsTold(caller, told(notes)));
    }

    /// The call that a caller is in.
    pub(crate) fn open(&self, caller: Caller) -> Option<S::Op> {
        self.inner().open.get(&caller).cloned()
    }

    /// All that are in a call.
    pub(crate) fn callers_in_calls(&self) -> Vec<Caller> {
        self.inner().open.keys().copied().collect()
    }

    /// How many calls were told something like it.
    pub(crate) fn count_told(&self, is_such: impl Fn(&S::Ret) -> bool) -> usize {
        let is_such = |event: &&_| matches!(event, Event::IsTold(_, told) if is_such(told));
        self.inner().events.iter().filter(is_such).count()
    }

    /// Those that are in such a call have not made it: it was announced, for the time when it might begin.
    pub(crate) fn takes_back(&self, is_such: impl Fn(Caller, &S::Op) -> bool) {
        let Inner { events, open, .. } = &mut *self.inner();
        open.retain(|caller, call| {
            let taken = is_such(*caller, call);
            let begins = |event: &_| matches!(event, Event::Calls(other, _) if other == caller);
            if taken && let Some(at) = events.iter().rposition(begins) {
                events.remove(at);
            }
            !taken
        });
    }

    /// Notes something in the call that this thread is in.
    pub(crate) fn note(&self, note: u8) {
        let mut inner = self.inner();
        let here = inner.here();
        if inner.open.contains_key(&here) {
            inner.notes.entry(here).or_default().push(note);
        } else {
            inner.events.push(Event::Strays(here, note));
        }
    }

    /// The history as a text by which it is told apart from others.
    pub(crate) fn text(&self) -> String {
        format!("{:?}", self.inner().events)
    }

    /// Whether some order of the calls, each between its beginning and its end, explains what they were told.
    pub(crate) fn explain(&self, spec: S) -> Result<(), String> {
        let events = &self.inner().events;
        let mut tester = LinearizabilityTester::new(spec);
        for event in events {
            match event.clone() {
                Event::Calls(caller, call) => tester.on_invoke(caller, call).map(drop)?,
                Event::IsTold(caller, told) => tester.on_return(caller, told).map(drop)?,
                Event::Strays(caller, note) => {
                    return Err(format!("{caller} noted {note} outside of every call: {events:?}"));
                }
            }
        }
        if tester.is_consistent() { Ok(()) } else { Err(format!("no order explains {events:?}")) }
    }
}

impl<S: Sequential> Default for History<S> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Inner {
            events: Vec::new(),
            heard_of: 0,
            callers: HashMap::new(),
            open: BTreeMap::new(),
            notes: BTreeMap::new(),
        })))
    }
}

impl<S: Sequential> Clone for History<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// The checker can say no: a cancel that succeeded and a value that was read, in this order, have none.
pub(crate) fn a_contradiction_is_refused() {
    fn explain(read: End) -> Result<(), String> {
        let recorder = Recorder::default();
        recorder.op(Op::Cancel, || Answer::Cancel(Cancel::Now));
        recorder.wait(|| read);
        recorder.history().explain(Futures::new([Spec::new()]))
    }
    loom::model(|| {
        assert!(explain(End::Value(1)).is_err());
        explain(End::Cancelled(Cancelled::Requested)).unwrap();
    });
}

/// A callback that runs in nobody's call has no place in a history.
pub(crate) fn a_note_outside_of_every_call_is_refused() {
    fn explain(is_in_the_call: bool) -> Result<(), String> {
        let recorder = Recorder::default();
        let callback = recorder.callback(1);
        recorder.op(Op::Settle(End::Value(1)), || Answer::Done);
        if is_in_the_call {
            recorder.op(Op::Register(1), || {
                callback();
                Answer::Done
            });
        } else {
            recorder.op(Op::Register(1), || Answer::Done);
            callback();
        }
        recorder.history().explain(Futures::new([Spec::new()]))
    }
    loom::model(|| {
        assert!(explain(false).unwrap_err().contains("outside of every call"));
        explain(true).unwrap();
    });
}

/// The checker can say no to a queue: what was posted last is not taken first, unless it may have been.
pub(crate) fn a_jump_of_the_queue_is_refused() {
    fn explain(are_posted_together: bool) -> Result<(), String> {
        let history = History::default();
        let (one, other) = (100, 101);
        history.begins(one, fifo::Call::Post(1));
        if are_posted_together {
            history.begins(other, fifo::Call::Post(2));
        }
        history.ends(one, |_| fifo::Told::Accepted);
        if !are_posted_together {
            history.begins(other, fifo::Call::Post(2));
        }
        history.ends(other, |_| fifo::Told::Accepted);
        for entry in [2, 1] {
            history.begins(one, fifo::Call::Take);
            history.ends(one, |_| fifo::Told::Took(entry));
        }
        history.explain(Fifo::default())
    }
    loom::model(|| {
        assert!(explain(false).is_err());
        explain(true).unwrap();
    });
}
