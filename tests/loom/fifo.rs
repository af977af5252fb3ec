//! The sequential specification of a queue that can be closed, and the jobs that write its histories.

use std::collections::VecDeque;

use stateright::semantics::SequentialSpec;

use crate::history::{Caller, History};

/// A call on a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Post(u8),
    /// Whoever runs the entries is free for the next.
    Take,
    /// Nothing is accepted any more. Who closes a pool drops what is left, if that was asked for.
    Close {
        drops: Option<Caller>,
    },
    /// How many were accepted and not taken.
    Left,
}

/// What a call on a queue was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Accepted,
    Refused,
    Took(u8),
    /// There is nothing: no call that takes is told this, since it waits.
    Nothing,
    Closed,
    Left(usize),
}

/// A queue, first in, first out: what is posted is accepted until it is closed, and then refused; what was
/// accepted is taken all the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fifo {
    entries: VecDeque<u8>,
    closed: bool,
}

impl SequentialSpec for Fifo {
    type Op = Call;
    type Ret = Told;

    fn invoke(&mut self, call: &Call) -> Told {
        match *call {
            Call::Post(_) if self.closed => Told::Refused,
            Call::Post(entry) => {
                self.entries.push_back(entry);
                Told::Accepted
            }
            Call::Take => self.entries.pop_front().map_or(Told::Nothing, Told::Took),
            Call::Close { .. } => {
                self.closed = true;
                Told::Closed
            }
            Call::Left => Told::Left(self.entries.len()),
        }
    }
}

/// A job of the queue, by number. Whoever runs it takes it, or who closes the queue and drops it.
pub(crate) struct Entry {
    history: History<Fifo>,
    number: u8,
    ran: bool,
}

impl Entry {
    /// Runs, until it is dropped, on a thread that was free.
    pub(crate) fn run(&mut self) {
        self.history.ends(self.history.here(), |_| Told::Took(self.number));
        self.ran = true;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let here = self.history.here();
        if self.ran {
            // The thread is free again.
            self.history.begins(here, Call::Take);
        } else if self.history.open(CLOSER) == Some(Call::Close { drops: Some(here) }) {
            self.history.begins(DROPPED, Call::Take);
            self.history.ends(DROPPED, |_| Told::Took(self.number));
        }
        // Otherwise it was refused, or is lost.
    }
}

/// Who closes, and who takes what is dropped meanwhile.
const CLOSER: Caller = 100;
const DROPPED: Caller = 101;

/// Posts an entry, and writes down whether it was accepted.
pub(crate) fn post(history: &History<Fifo>, number: u8, post: impl FnOnce(Entry) -> bool) {
    let here = history.here();
    history.begins(here, Call::Post(number));
    let accepted = post(Entry { history: history.clone(), number, ran: false });
    history.ends(here, |_| if accepted { Told::Accepted } else { Told::Refused });
}

/// This thread is free for the first entry.
pub(crate) fn is_free(history: &History<Fifo>) {
    history.begins(history.here(), Call::Take);
}

/// How many entries have begun to run, or were dropped by who closes.
pub(crate) fn taken(history: &History<Fifo>) -> usize {
    history.count_told(|told| matches!(told, Told::Took(_)))
}

/// Closes the queue; what it still holds is run, or dropped in this thread.
pub(crate) fn close<R>(history: &History<Fifo>, drops: bool, close: impl FnOnce() -> R) -> R {
    let drops = drops.then(|| history.here());
    history.begins(CLOSER, Call::Close { drops });
    let closed = close();
    history.ends(CLOSER, |_| Told::Closed);
    closed
}

/// Everything is over: whoever is still free takes nothing, and nothing may be left.
pub(crate) fn end(history: &History<Fifo>) -> Fifo {
    history.takes_back(|_, call| *call == Call::Take);
    history.begins(CLOSER, Call::Left);
    history.ends(CLOSER, |_| Told::Left(0));
    Fifo::default()
}
