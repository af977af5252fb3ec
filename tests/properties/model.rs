//! What a future is, for one thread: the table, and who is told.

use settled::{
    Cancel, Cancelled, Refusal,
    machine::{Event, State, Step},
};

use crate::sequence::{Answer, End, Entry, Op};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Pending,
    Running,
    Owned,
    Gone,
}

pub(crate) struct Model {
    state: State,
    phase: Phase,
    owned: bool,
    end: Option<End>,
    requested: bool,
    futures: usize,
    proofs: usize,
    /// The numbers of those that await, and whether they are registered.
    awaits: Vec<u32>,
    /// In the order in which they registered.
    waiters: Vec<u32>,
    callbacks: Vec<u32>,
    pub(crate) log: Vec<Entry>,
}

impl Model {
    pub(crate) fn new(owned: bool) -> Self {
        Self {
            state: State::Pending,
            phase: if owned { Phase::Owned } else { Phase::Pending },
            owned,
            end: None,
            requested: false,
            futures: 1,
            proofs: 0,
            awaits: Vec::new(),
            waiters: Vec::new(),
            callbacks: Vec::new(),
            log: Vec::new(),
        }
    }

    fn handles(&self) -> usize {
        let promise = usize::from(self.phase != Phase::Gone);
        self.futures + self.proofs + self.awaits.len() + promise
    }

    /// How many of the user's values there are: the cell holds one, until it is freed.
    pub(crate) fn values(&self) -> usize {
        let holds = matches!(self.end, Some(End::Value(_) | End::Error(_)));
        usize::from(holds && self.handles() > 0)
    }

    pub(crate) fn apply(&mut self, op: Op, number: u32) -> Answer {
        match op {
            Op::Start => self.start(),
            Op::Finish => self.deliver(End::Value(number), Some(number)),
            Op::Fail => self.deliver(End::Error(number), Some(number)),
            Op::Panicked if self.phase == Phase::Pending => Answer::Impossible,
            Op::Panicked => self.deliver(End::Panicked(number), None),
            Op::Stopped if self.phase != Phase::Owned => Answer::Impossible,
            Op::Stopped => self.stopped(),
            Op::DropPromise => self.abandon(),
            Op::CancelRequested => match self.phase {
                Phase::Running | Phase::Owned => Answer::Requested(self.requested),
                Phase::Pending | Phase::Gone => Answer::Impossible,
            },
            Op::Poll => self.poll(number),
            Op::DropAwait => self.drop_await(number),
            Op::Take => self.take(),
            _ if self.futures == 0 => Answer::Impossible,
            Op::Cancel => self.cancel(),
            Op::AddCallback | Op::AddPanickingCallback => self.add_callback(number),
            Op::Look => Answer::Look {
                done: self.state.is_settled(),
                cancelled: self.state == State::Cancelled,
                running: self.state == State::Running,
            },
            Op::Read => self.end.map_or(Answer::Unsettled, Answer::End),
            Op::Clone => self.with_futures(self.futures + 1),
            Op::Drop => self.with_futures(self.futures - 1),
            Op::Await => {
                self.awaits.push(number);
                self.with_futures(self.futures - 1)
            }
        }
    }

    fn with_futures(&mut self, futures: usize) -> Answer {
        self.futures = futures;
        Answer::Done
    }

    /// Steps the table. If that settles, tells those who wait and then the callbacks.
    fn step(&mut self, event: Event, end: impl FnOnce(State) -> End) -> Step {
        let step = self.state.on(event);
        if let Step::To(state) = step {
            self.state = state;
            if state.is_settled() {
                let end = end(state);
                self.end = Some(end);
                self.log.extend(self.waiters.drain(..).map(Entry::Woken));
                self.log.extend(self.callbacks.drain(..).map(|number| Entry::Ran(number, end)));
            }
        }
        step
    }

    fn cause(&self) -> Cancelled {
        match self.end {
            Some(End::Cancelled(cause)) => cause,
            _ => panic!("only a cancel can have come first"),
        }
    }

    fn start(&mut self) -> Answer {
        if self.phase != Phase::Pending {
            return Answer::Impossible;
        }
        match self.step(Event::Start, |_| unreachable!("a start does not settle")) {
            Step::To(_) => {
                self.phase = Phase::Running;
                Answer::Done
            }
            Step::Already | Step::Refused => {
                self.phase = Phase::Gone;
                Answer::Lost(None, self.cause())
            }
        }
    }

    fn deliver(&mut self, end: End, value: Option<u32>) -> Answer {
        if self.phase == Phase::Gone {
            return Answer::Impossible;
        }
        self.phase = Phase::Gone;
        match self.step(Event::Finish, |_| end) {
            Step::To(_) => Answer::Done,
            Step::Already | Step::Refused => Answer::Lost(value, self.cause()),
        }
    }

    fn stopped(&mut self) -> Answer {
        self.phase = Phase::Gone;
        let cause = if self.requested { Cancelled::Requested } else { Cancelled::Stopped };
        match self.step(Event::Cancel, |_| End::Cancelled(cause)) {
            Step::To(_) => Answer::Done,
            Step::Already | Step::Refused => panic!("only the owner settles"),
        }
    }

    fn abandon(&mut self) -> Answer {
        if self.phase == Phase::Gone {
            return Answer::Impossible;
        }
        self.phase = Phase::Gone;
        let step = self.step(Event::Abandon, |state| match state {
            State::Cancelled => End::Cancelled(Cancelled::Dropped),
            _ => End::Abandoned,
        });
        assert_ne!(step, Step::Refused, "a promise can always be dropped");
        Answer::Done
    }

    fn cancel(&mut self) -> Answer {
        if self.owned && matches!(self.state.on(Event::Cancel), Step::To(_)) {
            if !self.requested {
                self.log.push(Entry::Owner);
            }
            self.requested = true;
            return Answer::Cancel(Cancel::Requested);
        }
        Answer::Cancel(match self.step(Event::Cancel, |_| End::Cancelled(Cancelled::Requested)) {
            Step::To(_) => Cancel::Now,
            Step::Already => Cancel::Already,
            Step::Refused if self.state.is_settled() => Cancel::Refused(Refusal::Finished),
            Step::Refused => {
                self.requested = true;
                Cancel::Refused(Refusal::Running)
            }
        })
    }

    fn add_callback(&mut self, number: u32) -> Answer {
        match self.end {
            Some(end) => self.log.push(Entry::Ran(number, end)),
            None => self.callbacks.push(number),
        }
        Answer::Done
    }

    fn poll(&mut self, number: u32) -> Answer {
        if self.awaits.is_empty() {
            return Answer::Impossible;
        }
        let at = number as usize % self.awaits.len();
        if let Some(end) = self.end {
            self.awaits.remove(at);
            self.proofs += 1;
            return Answer::End(end);
        }
        if !self.waiters.contains(&self.awaits[at]) {
            self.waiters.push(self.awaits[at]);
        }
        Answer::Unsettled
    }

    fn drop_await(&mut self, number: u32) -> Answer {
        if self.awaits.is_empty() {
            return Answer::Impossible;
        }
        let gone = self.awaits.remove(number as usize % self.awaits.len());
        self.waiters.retain(|waiter| *waiter != gone);
        Answer::Done
    }

    /// By a proof if there is one, by a future that is settled otherwise, which is a proof then. In
    /// a cancelled one there is nothing to share.
    fn take(&mut self) -> Answer {
        let Some(end) = self.end else { return Answer::Impossible };
        if self.proofs == 0 {
            if self.futures == 0 {
                return Answer::Impossible;
            }
            self.futures -= 1;
            self.proofs = 1;
        }
        if self.handles() > 1 && self.state != State::Cancelled {
            return Answer::Shared;
        }
        self.proofs -= 1;
        Answer::End(end)
    }
}
