//! Settling a cell and asking for it: what the word decides, done.
#![expect(unsafe_code, reason = "the cell is where it belongs; every block says why it is sound")]

use std::{convert::Infallible, mem::ManuallyDrop, sync::Arc};

use super::{
    Handle, Outcome, Ticket,
    lend::Lent,
    list::{List, tell},
    place::Held,
    word::{Ask, End, Settle, Then, Until, Word},
};
use crate::{
    error::{Cancel, Cancelled, Failure, Reason},
    sync::{Ordering, at},
    waiter::{Callbacks, Waiter, isolate},
};

/// What a step that settled owes to others, to be paid with no lock held. Mostly nothing.
#[must_use = "the waiters have been taken out of the cell, and nobody else will tell them"]
pub(crate) struct Settling<T, E> {
    held: Held<T, E>,
    /// Whether somebody else than the producer has settled.
    is_lost: bool,
}

/// What the producer's last step owes, and what its handle became. Mostly nothing, and nothing.
#[must_use = "as what it owes"]
pub(crate) struct Settlement<T, E>(pub(crate) Option<(Settling<T, E>, Rest<T, E>)>);

/// What is left of the producer's handle after its last step.
pub(crate) enum Rest<T, E> {
    /// Itself, for callbacks, which are lent it.
    Lent(Lent<T, E>),
    /// Nothing: it was given up inside the step, so that the only other handle is then the only one: a `take` after a
    /// `wait` succeeds. If there was no other, here is the outcome that nobody can ever see. `[promise-9]`
    Nothing(Option<Outcome<T, E>>),
}

/// The outcome that came too late, if there is one, and why it is.
type Late<T, E> = (Option<Outcome<T, E>>, Cancelled);

impl<T, E> Settling<T, E> {
    const NOTHING: Self = Self { held: Held::Nothing, is_lost: false };

    /// Tells all who wait, threads, wakers and loops, in registration order, and returns the thread callbacks, in
    /// registration order. `[callback-2]`
    #[inline]
    pub(crate) fn wake(self) -> Callbacks<T, E> {
        match self.held {
            Held::Nothing => Callbacks::NONE,
            Held::Callback(callback) => Callbacks::one(callback),
            Held::List(list) => list.tell(self.is_lost),
            waiter => {
                let waiter = waiter.into_waiter();
                let due = waiter.and_then(|(ticket, waiter)| due(ticket, waiter, self.is_lost));
                due.into_iter().for_each(Waiter::notify);
                Callbacks::NONE
            }
        }
    }
}

impl<T, E> List<T, E> {
    #[inline(never)]
    #[expect(clippy::boxed_local, reason = "it is long to move")]
    fn tell(mut self: Box<Self>, is_lost: bool) -> Callbacks<T, E> {
        if self.waiters.is_empty() {
            return self.callbacks;
        }
        let all = self.waiters.take_all();
        tell(all.filter_map(|(ticket, waiter)| due(ticket, waiter, is_lost)));
        self.callbacks
    }
}

/// Who is to be told of a settlement: not the producer who settles, which has nothing to be told.
fn due(ticket: Ticket, waiter: Waiter, is_lost: bool) -> Option<Waiter> {
    if ticket.listens() && !is_lost {
        isolate(|| drop(waiter));
        return None;
    }
    Some(waiter)
}

/// Why a step was not taken.
enum Not {
    /// A cancel was first.
    Late(Cancelled),
    /// There is nobody else at all.
    Alone,
    /// There may be somebody in the place, which is not locked.
    Listed,
    /// There is nobody in the place any more, which is locked.
    Unlisted,
}

/// The producer's last step, with the place locked or not.
#[inline(always)]
fn settles(end: End, is_locked: bool) -> impl Fn(Word) -> Result<(Word, Then), Not> {
    move |word| match word.settle(end) {
        (_, Settle::Late(cause)) => Err(Not::Late(cause)),
        (_, Settle::Settle(Then::Free)) => Err(Not::Alone),
        _ if word.is_listed() && !is_locked => Err(Not::Listed),
        _ if is_locked && !word.is_listed() => Err(Not::Unlisted),
        (word, Settle::Settle(then)) => Ok((word, then)),
    }
}

impl<T, E> Handle<T, E> {
    /// The producer's last step, with the outcome of the work if there is one: it comes back if it is too late, with the
    /// reason. Its handle is given up in the step unless callbacks need it. `[cell-3]`
    #[inline(always)]
    pub(super) fn settle(
        self,
        end: End,
        outcome: Option<Outcome<T, E>>,
    ) -> Result<Settlement<T, E>, Late<T, E>> {
        let this = ManuallyDrop::new(self);
        let outcome = match this.word().seems(|word| word.finishes(end)) {
            true => {
                // SAFETY: this is the producer, which alone finishes. If a cancel comes between, nobody reads this.
                unsafe { this.slot().write(outcome.unwrap_or(Err(Failure::Abandoned))) };
                None
            }
            false => outcome,
        };
        // Mostly there is nobody to be told.
        let step = match this.word().seems(Word::is_listed) {
            true => Err(Not::Listed),
            false => this.word().step(at("settle", Ordering::Release), settles(end, false)),
        };
        if let Ok(Then::Forget) = step {
            return Ok(Settlement(None));
        }
        this.settle_so(end, step).map_err(|cause| {
            // SAFETY: this is the producer, and the word is Cancelled.
            let outcome = outcome.or_else(|| unsafe { this.slot().take() });
            drop(ManuallyDrop::into_inner(this));
            (outcome, cause)
        })
    }

    /// What the producer's last step was, or the next until it is taken. It takes the handle, unless it is too late.
    #[cold]
    #[inline(never)]
    fn settle_so(
        &self,
        end: End,
        mut step: Result<Then, Not>,
    ) -> Result<Settlement<T, E>, Cancelled> {
        loop {
            match step {
                Ok(then) => {
                    // SAFETY: the word says so, and the handle is not used again.
                    let unseen = unsafe { self.end(then) };
                    return Ok(Settlement(Some((Settling::NOTHING, Rest::Nothing(unseen)))));
                }
                Err(Not::Late(cause)) => return Err(cause),
                Err(Not::Alone) => {
                    let settling = Settling { held: self.lock().take(), is_lost: false };
                    // SAFETY: the word says that there is nobody else, and the handle is not used again.
                    let unseen = unsafe { self.end(Then::Free) };
                    return Ok(Settlement(Some((settling, Rest::Nothing(unseen)))));
                }
                Err(Not::Listed) => {
                    if let Some(settlement) = self.settle_listed(end) {
                        return Ok(settlement);
                    }
                }
                Err(Not::Unlisted) => {}
            }
            step = self.word().step(at("settle", Ordering::Release), settles(end, false));
        }
    }

    /// The same with the lock of the place, if there may still be somebody. It takes the handle then.
    fn settle_listed(&self, end: End) -> Option<Settlement<T, E>> {
        let mut list = self.lock();
        let then = self.word().step(at("settle", Ordering::Release), settles(end, true)).ok()?;
        let held = list.settled(then == Then::Lend);
        drop(list);
        let settling = Settling { held, is_lost: false };
        let rest = match then {
            Then::Lend => Rest::Lent(self.same().lent()),
            Then::Tell(_) => {
                // SAFETY: the step has made the handle a hold.
                unsafe { self.release() };
                Rest::Nothing(None)
            }
            // SAFETY: the word says so, and the handle is not dropped.
            others => Rest::Nothing(unsafe { self.end(others) }),
        };
        Some(Settlement(Some((settling, rest))))
    }

    /// Anybody's cancel: applied, recorded as a request, or refused. `[cancel-1]`
    pub(crate) fn cancel(&self, reason: Option<Arc<str>>) -> (Cancel, Option<Settling<T, E>>) {
        self.cancel_by(Word::cancel, reason)
    }

    /// The same by this step, with a reason or without, which may count a handle besides.
    pub(super) fn cancel_by(
        &self,
        step: impl Fn(Word, bool) -> (Word, Ask),
        reason: Option<Arc<str>>,
    ) -> (Cancel, Option<Settling<T, E>>) {
        let asks = |word: Word| match step(word, false) {
            (_, Ask::Settle | Ask::Tell(_)) if word.is_listed() => Err(()),
            others => Ok(others),
        };
        if reason.is_none() && !self.word().seems(|word| asks(word).is_err()) {
            match self.word().step(at("ask", Ordering::Release), asks) {
                Ok(Ask::Settle) => return (Cancel::Now, Some(Settling::NOTHING)),
                Ok(Ask::Tell(answer) | Ask::Answer(answer)) => return (answer, None),
                Err(()) => {}
            }
        }
        self.cancel_listed(step, reason.map(Reason::new))
    }

    /// The same, with the lock of the place.
    fn cancel_listed(
        &self,
        step: impl Fn(Word, bool) -> (Word, Ask),
        reason: Option<Reason>,
    ) -> (Cancel, Option<Settling<T, E>>) {
        let mut list = self.lock();
        let word = self.look_at_word();
        let tells_why = reason.is_some() && !word.is_reasoned() && !word.state().is_settled();
        if tells_why {
            list.grown().reason = reason;
        }
        let asks = |word: Word| Ok::<_, Infallible>(step(word, tells_why));
        let Ok(ask) = self.word().step(at("ask", Ordering::Release), asks);
        match ask {
            Ask::Settle => {
                // The producer has lost: whatever it listens for, it is told.
                (Cancel::Now, Some(Settling { held: list.settled(false), is_lost: true }))
            }
            Ask::Tell(answer) => {
                let told = list.take_waiters(Until::Requested);
                drop(list);
                told.tell();
                (answer, None)
            }
            Ask::Answer(answer) => (answer, None),
        }
    }
}
