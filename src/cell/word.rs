//! The word: what a cell is, as one value, and every decision about it.
//!
//! An event goes in; out come the next word and what is to be done: settle, ask, answer, tell, free. Nothing is done
//! here, and nothing is decided elsewhere. Whoever calls a function puts the next word in place of the one that he gave, in
//! one step, or asks again if it has changed meanwhile, and does what he is told. What an event does to the state is
//! [`State::on`]'s alone to say. `[machine-2]`
//!
//! ```text
//! part       bits  written by                                                  read by
//! phase         3  start, settle, cancel                                       everybody
//! owned         1  nobody, after its making                                    cancel
//! requested     1  cancel, when it is not granted at once                      the producer; settle, for the cause
//! reasoned      1  the first cancel that gives a reason                        who tells the reason
//! called        1  the first callback; who takes them: settle, cancel, clear   settle, for whom to lend; who asks for Closed
//! waited        4  whoever registers; who tells them                           leave and give back, for whom to tell
//! holds         8  who gives a handle up and goes on; the first weak; release  whoever gives up the last, for who frees
//! lent         20  lend, settle; give back                                     who waits for Returned
//! handles      24  clone, lend, upgrade, a weak cancel; drop, give back,       whoever gives a handle up, for who frees; take
//!                  settle, take
//! ```
//!
//! The phase is the state, and for Cancelled its cause too. Whoever has a handle can see the outcome; whoever has a hold sees
//! nothing and keeps the memory: see [`Then`].
//!
//! The module is pure: no allocation, no threads, no values, `no_std`.

use super::{MOST_HANDLES, MOST_HOLDS, MOST_LENT};
use crate::{
    error::{Cancel, Cancelled, Refusal},
    machine::{Event, State, Step},
};

/// What a cell is, but for what it holds: the outcome, those who wait, and what they said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Word(u64);

/// Where the parts are.
const PHASE: u64 = 0b111;
const OWNED: u64 = 1 << 3;
const REQUESTED: u64 = 1 << 4;
const REASONED: u64 = 1 << 5;
const CALLED: u64 = 1 << 6;
/// For what somebody waits, or has waited and was not told: a bit each.
const WAITED: u64 = 0b1111 << 7;
/// How many keep the memory and see nothing.
const HOLD: u64 = 1 << 12;
/// How many handles are lent to callbacks that have still to return. Whoever wants the value waits for these.
const LENT: u64 = 1 << 20;
/// How many handles there are, the promise's and the lent ones included.
const HANDLE: u64 = 1 << 40;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// The cell is settled.
    Settled,
    /// And every callback has returned that is lent a handle. `[settled-5]`
    Returned,
    /// By the producer: somebody has asked to cancel. `[cancel-8]`
    Requested,
    /// By the producer: nobody can see what it would deliver. `[promise-8]`
    Closed,
}

/// How the producer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With the outcome of the work.
    Finish,
    /// The owner has stopped the work.
    Stop,
    /// The work will never begin, because its pool broke.
    Break,
    /// The promise is dropped.
    Drop,
}

/// What is to be done with the handle whose step this was, and for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Then {
    /// Lend it to the callbacks, and give it back when they have returned.
    Lend,
    /// Forget it: it was given up, and others are left.
    Forget,
    /// It was given up and has become a hold: take out those who wait for this, release the hold, and tell them.
    Tell(Until),
    /// It was the last handle and has become a hold, since there are others: take the outcome out, and release the hold.
    End,
    /// It was the last handle, and nobody has a hold: take the outcome out, and free the memory. Nobody else can see the word
    /// any more, so that it need not be put in place.
    Free,
}

/// What the producer's last step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Settle {
    /// It settles: take out whoever waits and the callbacks, and tell and call them.
    Settle(Then),
    /// It comes too late: a cancel was first, for this reason. Hand the outcome back, and give the handle up.
    Late(Cancelled),
}

/// What a cancel by anybody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Ask {
    /// It settles: as [`Settle::Settle`], and the producer is told too, which has lost.
    Settle,
    /// A request, the first: wake the owner and tell who waits for this, and answer so.
    Tell(Cancel),
    /// Answer so.
    Answer(Cancel),
}

/// What whoever takes by value gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Take {
    /// The outcome: this was the last handle, and what is to be done with it.
    Outcome(Then),
    /// A cancellation, of which there is enough for everybody. The handle is still to be given up.
    Cancelled(Cancelled),
    /// Nothing: another handle shares the outcome.
    Shared,
}

impl Until {
    #[inline]
    const fn bit(self) -> u64 {
        1 << (7 + self as u32)
    }
}

impl End {
    #[inline]
    const fn event(self) -> Event {
        match self {
            Self::Finish => Event::Finish,
            Self::Stop => Event::Cancel,
            Self::Break | Self::Drop => Event::Abandon,
        }
    }

    /// Why it is Cancelled, if that is where the event leads.
    #[inline]
    const fn cause(self, requested: bool) -> Cancelled {
        match self {
            // Whoever was answered that it was a request finds that it was granted.
            Self::Stop if requested => Cancelled::Requested,
            Self::Stop => Cancelled::Stopped,
            Self::Break => Cancelled::Broken,
            Self::Drop | Self::Finish => Cancelled::Dropped,
        }
    }
}

impl Word {
    /// A Pending cell, with a handle for the producer and one for the first future.
    #[inline]
    pub(crate) const fn new(owned: bool) -> Self {
        Self((2 * HANDLE) | if owned { OWNED } else { 0 })
    }

    #[inline]
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    #[inline]
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    #[inline]
    pub(crate) const fn state(self) -> State {
        match self.0 & PHASE {
            0 => State::Pending,
            1 => State::Running,
            2 => State::Finished,
            _ => State::Cancelled,
        }
    }

    /// Why it is Cancelled, once it is.
    #[inline]
    pub(crate) const fn cause(self) -> Cancelled {
        match self.0 & PHASE {
            4 => Cancelled::Requested,
            5 => Cancelled::Stopped,
            6 => Cancelled::Broken,
            _ => Cancelled::Dropped,
        }
    }

    #[inline]
    const fn in_state(self, state: State, cause: Cancelled) -> Self {
        let phase = match (state, cause) {
            (State::Pending, _) => 0,
            (State::Running, _) => 1,
            (State::Finished, _) => 2,
            (State::Cancelled, Cancelled::Requested) => 4,
            (State::Cancelled, Cancelled::Stopped) => 5,
            (State::Cancelled, Cancelled::Broken) => 6,
            (State::Cancelled, _) => 3,
        };
        Self(self.0 & !PHASE | phase)
    }

    #[inline]
    const fn is(self, flag: u64) -> bool {
        self.0 & flag != 0
    }

    #[inline]
    const fn handles(self) -> u64 {
        self.0 / HANDLE
    }

    #[inline]
    const fn lent(self) -> u64 {
        self.0 % HANDLE / LENT
    }

    #[inline]
    const fn holds(self) -> u64 {
        self.0 % LENT / HOLD
    }

    /// Whether this wait is over.
    #[inline]
    pub(crate) const fn is_over(self, until: Until) -> bool {
        let is_cancelled = matches!(self.state(), State::Cancelled);
        match until {
            Until::Settled => self.state().is_settled(),
            Until::Returned => self.state().is_settled() && self.lent() == 0,
            Until::Requested => self.is(REQUESTED) || is_cancelled,
            Until::Closed => is_cancelled || self.is_only() && !self.is(CALLED),
        }
    }

    /// Whether there is one handle.
    #[inline]
    pub(crate) const fn is_only(self) -> bool {
        self.handles() == 1
    }

    /// Whether the last handle is asking, and nobody has looked at the outcome.
    #[inline]
    pub(crate) const fn is_unread(self, looked: bool) -> bool {
        self.is_only() && self.state().is_settled() && !looked
    }

    /// Whether a reason to cancel was given.
    #[inline]
    pub(crate) const fn is_reasoned(self) -> bool {
        self.is(REASONED)
    }

    /// Whether somebody may have to be told of a step that settles or asks: an owner, a waiter or a callback.
    #[inline]
    pub(crate) const fn is_listed(self) -> bool {
        self.is(OWNED | CALLED | WAITED)
    }

    /// The producer begins the work, unless a cancel was first.
    #[inline]
    pub(crate) const fn start(self) -> Result<Self, Cancelled> {
        match self.state().on(Event::Start) {
            Step::To(state) => Ok(self.in_state(state, Cancelled::Dropped)),
            Step::Already | Step::Refused => Err(self.cause()),
        }
    }

    /// Whether that is how the producer would end now: Finished, with an outcome.
    #[inline]
    pub(crate) const fn finishes(self, end: End) -> bool {
        matches!(self.state().on(end.event()), Step::To(State::Finished))
    }

    /// The producer's last step, in which its handle is given up, unless callbacks are lent it. `[cell-3]`
    #[inline]
    pub(crate) const fn settle(self, end: End) -> (Self, Settle) {
        let Step::To(state) = self.state().on(end.event()) else {
            return (self, Settle::Late(self.cause()));
        };
        let word = self.settled(state, end.cause(self.is(REQUESTED)));
        if self.is(CALLED) {
            // Whoever waits for the callbacks waits on.
            assert!(self.lent() < MOST_LENT, "more callbacks than can be counted");
            let waited = self.0 & Until::Returned.bit();
            return (Self((word.0 | waited) + LENT), Settle::Settle(Then::Lend));
        }
        let (word, then) = match word.leave() {
            (word, Then::Forget) if self.is_listed() => (word.hold(), Then::Tell(Until::Settled)),
            others => others,
        };
        (word, Settle::Settle(then))
    }

    /// Anybody's cancel, with a reason or without: applied, recorded as a request, or refused. `[cancel-1]`
    #[inline]
    pub(crate) const fn cancel(self, reasoned: bool) -> (Self, Ask) {
        let word = match (reasoned, self.state().is_settled()) {
            (true, false) => Self(self.0 | REASONED),
            _ => self,
        };
        match self.state().on(Event::Cancel) {
            Step::To(_) if self.is(OWNED) => word.request(Cancel::Requested),
            Step::To(state) => (word.settled(state, Cancelled::Requested), Ask::Settle),
            Step::Already => (word, Ask::Answer(Cancel::Already)),
            Step::Refused if self.state().is_settled() => {
                (word, Ask::Answer(Cancel::Refused(Refusal::Finished)))
            }
            Step::Refused => word.request(Cancel::Refused(Refusal::Running)),
        }
    }

    /// The cancel of a weak handle: if it settles, and there are callbacks, there is one handle more for them to read the
    /// outcome through; none if there are as many as can be counted. What is not settled has not ended: its producer has a
    /// handle. `[cancel-10]`
    #[inline]
    pub(crate) const fn cancel_weakly(self, reasoned: bool) -> Option<(Self, Ask)> {
        match self.cancel(reasoned) {
            (word, Ask::Settle) if self.is(CALLED) => match word.share() {
                Some(word) => Some((word, Ask::Settle)),
                None => None,
            },
            answered => Some(answered),
        }
    }

    /// The first request is told, and all are answered alike. `[cancel-3]` `[cancel-4]`
    #[inline]
    const fn request(self, answer: Cancel) -> (Self, Ask) {
        if self.is(REQUESTED) {
            (self, Ask::Answer(answer))
        } else {
            (Self((self.0 | REQUESTED) & !Until::Requested.bit()), Ask::Tell(answer))
        }
    }

    /// Settled so. Whoever waited and the callbacks are taken out.
    #[inline]
    const fn settled(self, state: State, cause: Cancelled) -> Self {
        Self(self.in_state(state, cause).0 & !(OWNED | CALLED | WAITED))
    }

    /// Somebody waits for this, unless it is so. `[cell-1]`
    #[inline]
    pub(crate) const fn register(self, until: Until) -> Option<Self> {
        if self.is_over(until) {
            return None;
        }
        Some(Self(self.0 | until.bit()))
    }

    /// A callback is registered, unless the cell is settled. `[cell-1]`
    #[inline]
    pub(crate) const fn register_callback(self) -> Option<Self> {
        if self.state().is_settled() { None } else { Some(Self(self.0 | CALLED)) }
    }

    /// The callbacks are taken out, uncalled, by one who has a handle of the future, unless the cell is settled, and they
    /// are the settler's. Nobody is told: the producer is not alone after it.
    #[inline]
    pub(crate) const fn clear_callbacks(self) -> Option<Self> {
        if self.state().is_settled() { None } else { Some(Self(self.0 & !CALLED)) }
    }

    /// One handle more, unless there are as many as can be counted.
    #[inline]
    pub(crate) const fn share(self) -> Option<Self> {
        if self.handles() == MOST_HANDLES {
            return None;
        }
        Some(Self(self.0 + HANDLE))
    }

    /// One handle more, which is lent to a callback that is called later.
    #[inline]
    pub(crate) const fn lend(self) -> Option<Self> {
        match self.share() {
            Some(word) if self.lent() < MOST_LENT => Some(Self(word.0 + LENT)),
            _ => None,
        }
    }

    /// One handle more for a weak one, unless nobody is left who could see the outcome: the producer may have been told
    /// so, and then it stays so. `[weak-1]`
    #[inline]
    pub(crate) const fn upgrade(self) -> Option<Self> {
        let is_closed = !self.state().is_settled() && self.is_over(Until::Closed);
        if self.has_ended() || is_closed { None } else { self.share() }
    }

    /// Whether the last handle was given up, so that nothing is left but memory.
    #[inline]
    pub(crate) const fn has_ended(self) -> bool {
        self.handles() == 0
    }

    /// Whether there is a hold more than can be counted: such a word is not put in place. All holds but one are released
    /// soon, without a lock, so that whoever wants another waits for that.
    #[inline]
    pub(crate) const fn is_crowded(self) -> bool {
        self.holds() > MOST_HOLDS
    }

    /// One hold more.
    #[inline]
    pub(crate) const fn hold(self) -> Self {
        Self(self.0 + HOLD)
    }

    /// A hold is released, unless that is all there is: then the memory is to be freed.
    #[inline]
    pub(crate) const fn release(self) -> Option<Self> {
        let word = Self(self.0 - HOLD);
        if word.has_ended() && word.holds() == 0 { None } else { Some(word) }
    }

    /// The callbacks have returned that were lent this handle.
    #[inline]
    pub(crate) const fn give_back(self) -> (Self, Then) {
        Self(self.0 - LENT).leave_and_tell(Until::Returned)
    }

    /// A handle is given up.
    #[inline]
    pub(crate) const fn leave(self) -> (Self, Then) {
        self.leave_and_tell(Until::Closed)
    }

    #[inline]
    const fn leave_and_tell(self, until: Until) -> (Self, Then) {
        let word = Self(self.0 - HANDLE);
        if word.has_ended() {
            if word.holds() == 0 { (word, Then::Free) } else { (word.hold(), Then::End) }
        } else if word.is(until.bit()) && word.is_over(until) {
            (Self(word.0 & !until.bit()).hold(), Then::Tell(until))
        } else {
            (word, Then::Forget)
        }
    }

    /// The outcome by value, for the only handle, which is given up in this step; for others the word stays as it is.
    /// `[settled-3]`
    #[inline]
    pub(crate) const fn take(self) -> (Self, Take) {
        match self.state() {
            State::Cancelled => (self, Take::Cancelled(self.cause())),
            _ if self.is_only() => self.take_or_leave(),
            _ => (self, Take::Shared),
        }
    }

    /// The outcome by value, for the last handle; the others are given up in this step. `[settled-5]`
    #[inline]
    pub(crate) const fn take_or_leave(self) -> (Self, Take) {
        match self.state() {
            State::Cancelled => (self, Take::Cancelled(self.cause())),
            _ if self.is_only() => {
                let (word, then) = self.leave();
                (word, Take::Outcome(then))
            }
            _ => (self.leave().0, Take::Shared),
        }
    }
}
