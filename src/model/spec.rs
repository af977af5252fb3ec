//! The sequential specification of one future.

use stateright::semantics::SequentialSpec;

use super::list::List;
use crate::{
    Cancel, Cancelled, Refusal,
    machine::{Event, State, Step},
};

/// One future, for calls that come one after the other: what each returns, and which callbacks it
/// makes due. `[read-3]`
///
/// An implementation for many threads is right if every history of it is *linearizable* against
/// this: there is an order of the calls, in which each call lies between its beginning and its end,
/// that this type would answer in the same way. It is stateright's
/// [`SequentialSpec`], so that stateright's testers can look for such an order.
///
/// A call that waits is not an operation: what linearizes is the [`Op::Read`] with which it ends.
/// Nor are `take` and the loop's view here, which are about the value and about a loop. The calls of a
/// promise are those that its type allows; for others the answers mean nothing.
///
/// ```
/// use settled::{Cancel, machine::State, model::{Answer, End, Op, Ret, Spec}};
/// use stateright::semantics::SequentialSpec;
///
/// let mut future = Spec::new();
/// assert!(future.invoke(&Op::Register(1)).due.is_empty());
/// assert_eq!(future.invoke(&Op::Start).answer, Answer::Done);
/// assert_eq!(future.invoke(&Op::Settle(End::Value(7))).due, [1]);
/// assert_eq!(future.invoke(&Op::Read).answer, Answer::Read(Some(End::Value(7))));
/// assert_eq!(future.invoke(&Op::Register(2)).due, [2]);
/// assert_eq!((future.state(), future.end()), (State::Finished, Some(End::Value(7))));
/// assert_eq!(future.handles(), 1);
///
/// let Ret { answer, due, .. } = Spec::owned().invoke(&Op::Cancel); // of a task: a request
/// assert_eq!((answer, due.len()), (Answer::Cancel(Cancel::Requested), 0));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spec {
    state: State,
    owned: bool,
    requested: bool,
    end: Option<End>,
    callbacks: List<u8>,
    /// How many handles there are, the promise's not among them.
    handles: u8,
    /// Whom the promise has called when nobody is left.
    listeners: List<u8>,
}

/// How a future ended. `[settled-2]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// With this value.
    Value(u8),
    /// With this error.
    Error(u8),
    /// With a panic.
    Panicked,
    /// With its running promise dropped.
    Abandoned,
    /// Without having run to an end.
    Cancelled(Cancelled),
}

/// A call on a future or on its promise. `[read-3]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// [`Promise::start`](crate::Promise::start).
    Start,
    /// `finish`, `fail` or `panicked`: the promise delivers how the work ended, which is a value, an
    /// error or a panic.
    Settle(End),
    /// [`Promise::stopped`](crate::Promise::stopped): the owner has stopped the work.
    Stop,
    /// The promise is dropped.
    Abandon,
    /// `cancel_requested`, asked of the promise.
    Requested,
    /// `cancel`, through either view.
    Cancel,
    /// `done`, `cancelled` and `running` in one.
    Look,
    /// `try_result`, or a call that has waited and returns.
    Read,
    /// `add_done_callback`, with the number by which the callback is known.
    Register(u8),
    /// `finish_or_return`: the promise delivers this value, or has it back if nobody can ever see it.
    Return(u8),
    /// `is_closed`, asked of the promise: whether nobody can see any more what it would deliver.
    Closed,
    /// `on_closed`, with the number by which the closure is known.
    Listen(u8),
    /// A handle of the future is dropped.
    Leave,
}

/// What a call returns, and what it makes due. `[read-3]`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ret {
    /// What the caller is told.
    pub answer: Answer,
    /// The callbacks that are due because of this call, in the order in which they run.
    pub due: Vec<u8>,
    /// Who is told before them that nobody is left, in the order in which they listened.
    pub told: Vec<u8>,
}

/// What a caller is told. `[read-3]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It is done.
    Done,
    /// A cancel came first, for this reason; what was to be delivered goes back.
    Lost(Cancelled),
    /// What the cancel did.
    Cancel(Cancel),
    /// Nobody can ever see the value, which goes back; the future is finished.
    Unseen,
    /// Whether a cancel was asked for that could not be granted.
    Requested(bool),
    /// Whether nobody can see any more what would be delivered.
    Closed(bool),
    /// The state.
    State(State),
    /// How it ended, if it has.
    Read(Option<End>),
}

impl Spec {
    /// A Pending future whose promise anybody's cancel can forestall.
    #[must_use]
    pub const fn new() -> Self {
        Self::with(false)
    }

    /// A Pending future whose work belongs to an owner: a cancel is a request.
    #[must_use]
    pub const fn owned() -> Self {
        Self::with(true)
    }

    /// Returns how it ended, if it has.
    #[must_use]
    pub const fn end(&self) -> Option<End> {
        self.end
    }

    /// Forgets callbacks that are not wanted.
    pub(super) fn retain(&mut self, wanted: impl Fn(u8) -> bool) {
        self.callbacks.retain(|it| wanted(*it));
    }

    const fn with(owned: bool) -> Self {
        Self {
            state: State::Pending,
            owned,
            requested: false,
            end: None,
            callbacks: List::new(),
            handles: 1,
            listeners: List::new(),
        }
    }

    /// The same with so many handles.
    pub(super) const fn shared(mut self, handles: u8) -> Self {
        self.handles = handles;
        self
    }

    /// One handle more, of one who was none of those who see.
    pub(super) const fn share(&mut self) {
        self.handles += 1;
    }

    /// Returns how many handles there are, the promise's not among them.
    #[must_use]
    pub const fn handles(&self) -> u8 {
        self.handles
    }

    /// Whether a handle or a callback is left, so that somebody can see what will be delivered.
    pub(super) fn is_seen(&self) -> bool {
        self.handles > 0 || !self.callbacks.is_empty()
    }

    /// Whether the promise is told that nobody is left.
    fn is_closed(&self) -> bool {
        self.state == State::Cancelled || !self.is_seen()
    }

    /// Those who listen are called, or go.
    pub(super) fn take_listeners(&mut self) -> Vec<u8> {
        std::mem::take(&mut *self.listeners).into_vec()
    }

    /// Those who listen.
    pub(super) fn listeners(&self) -> &[u8] {
        &self.listeners
    }

    /// They listen on, as under no rule that ships.
    pub(super) fn listen_on(&mut self, listeners: &[u8]) {
        self.listeners.extend_from_slice(listeners);
    }

    /// Returns the state of the machine.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Steps the table; if that settles, keeps how it ended and says what is due.
    fn step(&mut self, event: Event, end: Option<End>) -> (Step, Vec<u8>) {
        let step = self.state.on(event);
        if let Step::To(state) = step {
            self.state = state;
            if state.is_settled() {
                self.end = end;
                return (step, std::mem::take(&mut *self.callbacks).into_vec());
            }
        }
        (step, Vec::new())
    }

    /// For an event of the promise: done, or lost to the cancel that came first.
    fn deliver(&mut self, event: Event, end: Option<End>) -> Ret {
        let (step, due) = self.step(event, end);
        let answer = match (step, self.end) {
            (Step::Refused, Some(End::Cancelled(cause))) => Answer::Lost(cause),
            _ => Answer::Done,
        };
        if self.state.is_settled() {
            self.take_listeners();
        }
        Ret { answer, due, told: Vec::new() }
    }

    fn cancel(&mut self) -> Ret {
        if self.owned && matches!(self.state.on(Event::Cancel), Step::To(_)) {
            self.requested = true;
            return Ret::answer(Answer::Cancel(Cancel::Requested));
        }
        let (step, due) = self.step(Event::Cancel, Some(End::Cancelled(Cancelled::Requested)));
        let answer = match step {
            Step::To(_) => Cancel::Now,
            Step::Already => Cancel::Already,
            Step::Refused if self.state == State::Running => {
                self.requested = true;
                Cancel::Refused(Refusal::Running)
            }
            Step::Refused => Cancel::Refused(Refusal::Finished),
        };
        let told = if answer == Cancel::Now { self.take_listeners() } else { Vec::new() };
        Ret { answer: Answer::Cancel(answer), due, told }
    }

    fn register(&mut self, callback: u8) -> Ret {
        let due = if self.state.is_settled() {
            vec![callback]
        } else {
            self.callbacks.push(callback);
            Vec::new()
        };
        Ret { answer: Answer::Done, due, told: Vec::new() }
    }

    /// A value that nobody can ever see goes back.
    fn finish_or_return(&mut self, value: u8) -> Ret {
        let unseen = !self.is_seen();
        match self.deliver(Event::Finish, Some(End::Value(value))) {
            Ret { answer: Answer::Done, .. } if unseen => Ret::answer(Answer::Unseen),
            ret => ret,
        }
    }

    fn listen(&mut self, listener: u8) -> Ret {
        let mut ret = Ret::answer(Answer::Done);
        if self.is_closed() {
            ret.told.push(listener);
        } else {
            self.listeners.push(listener);
        }
        ret
    }

    fn leave(&mut self) -> Ret {
        self.handles = self.handles.saturating_sub(1);
        let told = if self.is_closed() { self.take_listeners() } else { Vec::new() };
        Ret { told, ..Ret::answer(Answer::Done) }
    }

    /// What the drop of the promise means here. The state in which it leaves the machine decides.
    fn abandon(&mut self) -> Ret {
        let end = match self.state.on(Event::Abandon) {
            Step::To(State::Cancelled) => End::Cancelled(Cancelled::Dropped),
            _ => End::Abandoned,
        };
        let (_, due) = self.step(Event::Abandon, Some(end));
        self.take_listeners();
        Ret { answer: Answer::Done, due, told: Vec::new() }
    }
}

impl Ret {
    /// Nobody is called.
    const fn answer(answer: Answer) -> Self {
        Self { answer, due: Vec::new(), told: Vec::new() }
    }
}

impl Default for Spec {
    fn default() -> Self {
        Self::new()
    }
}

impl SequentialSpec for Spec {
    type Op = Op;
    type Ret = Ret;

    fn invoke(&mut self, op: &Op) -> Ret {
        match *op {
            Op::Start => self.deliver(Event::Start, None),
            Op::Settle(end) => {
                debug_assert!(!matches!(end, End::Cancelled(_)), "work does not end as cancelled");
                self.deliver(Event::Finish, Some(end))
            }
            Op::Stop => {
                let cause = if self.requested { Cancelled::Requested } else { Cancelled::Stopped };
                self.deliver(Event::Cancel, Some(End::Cancelled(cause)))
            }
            Op::Abandon => self.abandon(),
            Op::Requested => Ret::answer(Answer::Requested(self.requested)),
            Op::Cancel => self.cancel(),
            Op::Look => Ret::answer(Answer::State(self.state)),
            Op::Read => Ret::answer(Answer::Read(self.end)),
            Op::Register(callback) => self.register(callback),
            Op::Return(value) => self.finish_or_return(value),
            Op::Closed => Ret::answer(Answer::Closed(self.is_closed())),
            Op::Listen(listener) => self.listen(listener),
            Op::Leave => self.leave(),
        }
    }
}
