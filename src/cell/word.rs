//! The word: what a cell is, as one value, and every decision about it.
//!
//! An event goes in; out come the next word and what is to be done: settle, ask, answer, tell, free. Nothing is done
//! here, and nothing is decided elsewhere. Whoever calls a function holds the lock, puts the next word in place in the
//! same step, and does what he is told. What an event does to the state is [`State::on`]'s alone to say. `[machine-2]`
//!
//! ```text
//! part       written by                                               read by
//! state      start, settle, cancel                                    everybody
//! cause      settle and cancel, when they lead to Cancelled           who comes too late; who takes
//! owned      nobody, after its making                                 cancel
//! requested  cancel, when it is not granted at once                   the producer; settle, for the cause
//! called     the first callback; who takes them: settle, cancel, clear settle, for whom to lend; who asks for Closed
//! waited     whoever registers; who tells them                        leave and give back, for whom to tell
//! handles    clone, lend, upgrade; drop, give back, settle, take       whoever gives a handle up, for who frees; take; upgrade
//! weak       downgrade; drop of a weak handle                          whoever gives the last handle up, for who frees
//! lent       lend, settle; give back                                  who waits for Returned
//! ```
//!
//! The module is pure: no allocation, no threads, no values, `no_std`.

use super::MOST_HANDLES;
use crate::{
    error::{Cancel, Cancelled, Refusal},
    machine::{Event, State, Step},
};

/// What a cell is, but for what it holds: the outcome, those who wait, and what they said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Word {
    /// How many handles there are, the promise's included.
    handles: u32,
    /// How many weak handles there are, which keep the memory and nothing else.
    weak: u32,
    /// How many of them are lent to callbacks that have still to return. Whoever wants the value waits for these.
    lent: u32,
    state: State,
    /// Why it is Cancelled, once it is.
    cause: Cancelled,
    /// Whether only the owner may apply a cancel (phase Owned).
    owned: bool,
    /// Whether a cancel was asked for that this future could not grant at once.
    requested: bool,
    /// Whether callbacks are registered.
    called: bool,
    /// For what somebody waits, or has waited and was not told: a bit each.
    waited: u8,
}

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
    /// Forget it, and tell those who wait for this.
    Tell(Until),
    /// End the cell: it was the last. Its memory is left to weak handles, if there are any.
    Free,
}

/// What the producer's last step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Settle {
    /// It settles: write the outcome, take out whoever waits and the callbacks, and tell and call them.
    Settle(Then),
    /// It comes too late: a cancel was first, for this reason. Hand the outcome back.
    Late(Cancelled, Then),
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
    /// The outcome: this was the last handle, end the cell as after [`Then::Free`].
    Outcome,
    /// A cancellation, of which there is enough for everybody. The handle is still to be given up.
    Cancelled(Cancelled),
    /// Nothing: another handle shares the outcome.
    Shared,
}

impl Until {
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl End {
    const fn event(self) -> Event {
        match self {
            Self::Finish => Event::Finish,
            Self::Stop => Event::Cancel,
            Self::Break | Self::Drop => Event::Abandon,
        }
    }

    /// Why it is Cancelled, if that is where the event leads.
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
    pub(crate) const fn new(owned: bool) -> Self {
        Self {
            handles: 2,
            weak: 0,
            lent: 0,
            state: State::Pending,
            cause: Cancelled::Dropped,
            owned,
            requested: false,
            called: false,
            waited: 0,
        }
    }

    pub(crate) const fn state(self) -> State {
        self.state
    }

    pub(crate) const fn cause(self) -> Cancelled {
        self.cause
    }

    /// Whether this wait is over.
    pub(crate) const fn is_over(self, until: Until) -> bool {
        let is_cancelled = matches!(self.state, State::Cancelled);
        match until {
            Until::Settled => self.state.is_settled(),
            Until::Returned => self.state.is_settled() && self.lent == 0,
            Until::Requested => self.requested || is_cancelled,
            Until::Closed => is_cancelled || self.is_only() && !self.called,
        }
    }

    /// Whether there is one handle.
    pub(crate) const fn is_only(self) -> bool {
        self.handles == 1
    }

    /// Whether the last handle is asking, and nobody has looked at the outcome.
    pub(crate) const fn is_unread(self, looked: bool) -> bool {
        self.is_only() && self.state.is_settled() && !looked
    }

    /// The producer begins the work, unless a cancel was first.
    pub(crate) const fn start(self) -> Result<Self, Cancelled> {
        match self.state.on(Event::Start) {
            Step::To(state) => Ok(Self { state, ..self }),
            Step::Already | Step::Refused => Err(self.cause),
        }
    }

    /// The producer's last step, in which its handle is given up, unless callbacks are lent it. `[cell-3]`
    pub(crate) const fn settle(self, end: End) -> (Self, Settle) {
        let Step::To(state) = self.state.on(end.event()) else {
            let (word, then) = self.leave();
            return (word, Settle::Late(self.cause, then));
        };
        let word = self.settled(state, end.cause(self.requested));
        if self.called {
            // Whoever waits for the callbacks waits on.
            let waited = self.waited & Until::Returned.bit();
            return (Self { lent: self.lent + 1, waited, ..word }, Settle::Settle(Then::Lend));
        }
        let (word, then) = word.leave();
        (word, Settle::Settle(then))
    }

    /// Anybody's cancel: applied, recorded as a request, or refused. `[cancel-1]`
    pub(crate) const fn cancel(self) -> (Self, Ask) {
        match self.state.on(Event::Cancel) {
            Step::To(_) if self.owned => self.request(Cancel::Requested),
            Step::To(state) => (self.settled(state, Cancelled::Requested), Ask::Settle),
            Step::Already => (self, Ask::Answer(Cancel::Already)),
            Step::Refused if self.state.is_settled() => {
                (self, Ask::Answer(Cancel::Refused(Refusal::Finished)))
            }
            Step::Refused => self.request(Cancel::Refused(Refusal::Running)),
        }
    }

    /// The first request is told, and all are answered alike. `[cancel-3]` `[cancel-4]`
    const fn request(self, answer: Cancel) -> (Self, Ask) {
        if self.requested {
            (self, Ask::Answer(answer))
        } else {
            (Self { requested: true, ..self.tell(Until::Requested).0 }, Ask::Tell(answer))
        }
    }

    /// Settled so. Whoever waited and the callbacks are taken out.
    const fn settled(self, state: State, cause: Cancelled) -> Self {
        Self { state, cause, called: false, waited: 0, ..self }
    }

    /// Those who wait for this are to be told, if there is anybody.
    const fn tell(self, until: Until) -> (Self, Then) {
        let others = self.waited & !until.bit();
        let then = if others == self.waited { Then::Forget } else { Then::Tell(until) };
        (Self { waited: others, ..self }, then)
    }

    /// Somebody waits for this, unless it is so. `[cell-1]`
    pub(crate) const fn register(self, until: Until) -> Option<Self> {
        if self.is_over(until) {
            return None;
        }
        Some(Self { waited: self.waited | until.bit(), ..self })
    }

    /// A callback is registered, unless the cell is settled. `[cell-1]`
    pub(crate) const fn register_callback(self) -> Option<Self> {
        if self.state.is_settled() { None } else { Some(Self { called: true, ..self }) }
    }

    /// The callbacks are taken out, uncalled, by one who has a handle of the future. Nobody is told: the producer is not
    /// alone after it.
    pub(crate) const fn clear_callbacks(self) -> Self {
        Self { called: false, ..self }
    }

    /// One handle more, unless there are as many as can be counted.
    pub(crate) const fn share(self) -> Option<Self> {
        if self.handles == MOST_HANDLES {
            return None;
        }
        Some(Self { handles: self.handles + 1, ..self })
    }

    /// One handle more, which is lent to a callback that is called later.
    pub(crate) const fn lend(self) -> Option<Self> {
        match self.share() {
            Some(word) => Some(Self { lent: self.lent + 1, ..word }),
            None => None,
        }
    }

    /// One weak handle more, unless there are as many as can be counted.
    pub(crate) const fn share_weak(self) -> Option<Self> {
        if self.weak == MOST_HANDLES {
            return None;
        }
        Some(Self { weak: self.weak + 1, ..self })
    }

    /// One handle more for a weak one, unless nobody is left who could see the outcome: the producer may have been told
    /// so, and then it stays so. `[weak-1]`
    pub(crate) const fn upgrade(self) -> Option<Self> {
        let is_closed = !self.state.is_settled() && self.is_over(Until::Closed);
        if self.has_ended() || is_closed { None } else { self.share() }
    }

    /// A weak handle is given up; says whether the memory is to be freed.
    pub(crate) const fn leave_weak(self) -> (Self, bool) {
        let word = Self { weak: self.weak - 1, ..self };
        (word, word.has_ended() && word.weak == 0)
    }

    /// Whether the last handle was given up, so that nothing is left but memory.
    pub(crate) const fn has_ended(self) -> bool {
        self.handles == 0
    }

    /// Whether a weak handle keeps the memory.
    pub(crate) const fn is_kept(self) -> bool {
        self.weak > 0
    }

    /// The callbacks have returned that were lent this handle.
    pub(crate) const fn give_back(self) -> (Self, Then) {
        let word = Self { lent: self.lent - 1, ..self };
        match word.leave() {
            (word, Then::Forget) if word.is_over(Until::Returned) => word.tell(Until::Returned),
            others => others,
        }
    }

    /// A handle is given up.
    pub(crate) const fn leave(self) -> (Self, Then) {
        let word = Self { handles: self.handles - 1, ..self };
        if word.handles == 0 {
            (word, Then::Free)
        } else if word.is_over(Until::Closed) {
            word.tell(Until::Closed)
        } else {
            (word, Then::Forget)
        }
    }

    /// The outcome by value, for the only handle, which is given up in this step; for others the word stays as it is.
    /// `[settled-3]`
    pub(crate) const fn take(self) -> (Self, Take) {
        match self.state {
            _ if self.is_only() => (self.leave().0, Take::Outcome),
            State::Cancelled => (self, Take::Cancelled(self.cause)),
            _ => (self, Take::Shared),
        }
    }

    /// The outcome by value, for the last handle; the others are given up in this step. `[settled-5]`
    pub(crate) const fn take_or_leave(self) -> (Self, Take) {
        if matches!(self.state, State::Cancelled) {
            return (self, Take::Cancelled(self.cause));
        }
        let take = if self.is_only() { Take::Outcome } else { Take::Shared };
        (self.leave().0, take)
    }
}
