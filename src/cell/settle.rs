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

/// What a step that settled owes to others, to be paid with no lock held.
#[must_use = "the waiters have been taken out of the cell, and nobody else will tell them"]
pub(crate) struct Settling<T, E> {
    held: Held<T, E>,
    /// Whether somebody else than the producer has settled.
    is_lost: bool,
}

/// What the producer's last step owes, and what its handle became.
#[must_use = "as what it owes"]
pub(crate) struct Settlement<T, E>(pub(crate) Settling<T, E>, pub(crate) Rest<T, E>);

/// What is left of the producer's handle after its last step.
pub(crate) enum Rest<T, E> {
    /// Itself, for callbacks, which are lent it.
    Lent(Lent<T, E>),
    /// Nothing: it was given up inside the step, so that the only other handle is then the only one: a `take` after a
    /// `wait` succeeds. If there was no other, here is the outcome that nobody can ever see. `[promise-9]`
    Nothing(Option<Outcome<T, E>>),
}

/// The outcome that came too late, if there is one, and why it is.
pub(super) type Late<T, E> = (Option<Outcome<T, E>>, Cancelled);

impl<T, E> Settling<T, E> {
    const NOTHING: Self = Self { held: Held::Nothing, is_lost: false };

    /// Tells all who wait, threads, wakers and loops, in registration order, and returns the thread callbacks, in
    /// registration order. `[callback-2]`
    #[inline(always)]
    pub(crate) fn wake(self) -> Callbacks<T, E> {
        match self.held {
            Held::Nothing => Callbacks::NONE,
            Held::Callback(callback) => Callbacks::one(callback),
            Held::List(list) => list.tell(self.is_lost),
            waiter => {
                if let Some((ticket, waiter)) = waiter.into_waiter()
                    && let Some(due) = due(ticket, waiter, self.is_lost)
                {
                    due.notify();
                }
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
#[inline]
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
    /// reason. Its handle is given up in the step unless callbacks need it. What the step owes is paid; mostly that is
    /// nothing. It begins with this word, which was seen before or guessed. `[cell-3]`
    #[inline(always)]
    pub(super) fn settle<R: Default>(
        self,
        word: Word,
        end: End,
        outcome: Option<Outcome<T, E>>,
        pay: impl FnOnce(Settlement<T, E>) -> R,
    ) -> Result<R, Late<T, E>> {
        let this = ManuallyDrop::new(self);
        let outcome = match word.finishes(end) {
            true => {
                let outcome = outcome.unwrap_or_else(|| Err(Failure::Abandoned));
                // SAFETY: this is the producer, which alone finishes. If a cancel comes between, nobody reads this.
                unsafe { this.slot().write(outcome) };
                None
            }
            false => outcome,
        };
        // Mostly there is nobody to be told.
        if !word.is_listed()
            && let (next, Settle::Settle(Then::Forget)) = word.settle(end)
            && this.word().try_step(word, next, at("settle", Ordering::Release))
        {
            return Ok(R::default());
        }
        this.settle_so(end, outcome, pay)
    }

    /// The same where there may be somebody to be told, or nobody is left, or it is too late. It takes the handle.
    #[cold]
    #[inline(never)]
    fn settle_so<R>(
        &self,
        end: End,
        outcome: Option<Outcome<T, E>>,
        pay: impl FnOnce(Settlement<T, E>) -> R,
    ) -> Result<R, Late<T, E>> {
        let mut is_listed = self.word().seems(Word::is_listed);
        loop {
            if is_listed && let Some(settlement) = self.settle_listed(end) {
                return Ok(pay(settlement));
            }
            match self.word().step(at("settle so", Ordering::Release), settles(end, false)) {
                Ok(then) => {
                    // SAFETY: the word says so, and the handle is not used again.
                    let unseen = unsafe { self.end(then) };
                    return Ok(pay(Settlement(Settling::NOTHING, Rest::Nothing(unseen))));
                }
                Err(Not::Alone) => {
                    let settling = Settling { held: self.lock().take(), is_lost: false };
                    // SAFETY: the word says that there is nobody else, and the handle is not used again.
                    let unseen = unsafe { self.end(Then::Free) };
                    return Ok(pay(Settlement(settling, Rest::Nothing(unseen))));
                }
                Err(Not::Late(cause)) => {
                    // SAFETY: this is the producer, and the word is Cancelled.
                    let outcome = outcome.or_else(|| unsafe { self.slot().take() });
                    drop(self.same());
                    return Err((outcome, cause));
                }
                Err(Not::Listed | Not::Unlisted) => is_listed = true,
            }
        }
    }

    /// The same with the lock of the place, if there may still be somebody. It takes the handle then.
    #[inline(always)]
    fn settle_listed(&self, end: End) -> Option<Settlement<T, E>> {
        let mut list = self.lock();
        let then =
            self.word().step(at("settle listed", Ordering::Release), settles(end, true)).ok()?;
        let held = list.settled(then == Then::Lend);
        drop(list);
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
        Some(Settlement(Settling { held, is_lost: false }, rest))
    }

    /// Anybody's cancel: applied, recorded as a request, or refused; and what it owes, if it settles and there may be
    /// somebody. `[cancel-1]`
    #[inline]
    pub(crate) fn cancel(&self, reason: Option<Arc<str>>) -> (Cancel, Option<Settling<T, E>>) {
        self.cancel_by(Word::cancel, reason)
    }

    /// The same by this step, with a reason or without, which may count a handle besides.
    #[inline]
    pub(super) fn cancel_by(
        &self,
        step: impl Fn(Word, bool) -> (Word, Ask),
        reason: Option<Arc<str>>,
    ) -> (Cancel, Option<Settling<T, E>>) {
        let word = self.word().seemingly();
        if reason.is_none()
            && !word.is_listed()
            && let (next, Ask::Settle) = step(word, false)
            && self.word().try_step(word, next, at("ask", Ordering::Release))
        {
            return (Cancel::Now, None);
        }
        self.cancel_so(step, reason)
    }

    /// The same where there may be somebody to be told, or it does not settle.
    #[cold]
    #[inline(never)]
    fn cancel_so(
        &self,
        step: impl Fn(Word, bool) -> (Word, Ask),
        reason: Option<Arc<str>>,
    ) -> (Cancel, Option<Settling<T, E>>) {
        let asks = |word: Word| match step(word, false) {
            (_, Ask::Settle | Ask::Tell(_)) if word.is_listed() => Err(()),
            others => Ok(others),
        };
        if reason.is_none() && !self.word().seems(|word| asks(word).is_err()) {
            match self.word().step(at("ask so", Ordering::Release), asks) {
                Ok(Ask::Settle) => return (Cancel::Now, None),
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
        let Ok(ask) = self.word().step(at("ask listed", Ordering::Release), asks);
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
