//! Settling a cell and asking for it: what the word decides, done.
#![expect(unsafe_code, reason = "the cell is where it belongs; every block says why it is sound")]

use std::{convert::Infallible, iter, mem::ManuallyDrop, sync::Arc};

use super::{
    Handle, Outcome, Ticket,
    list::{List, tell},
    place::{Held, Kind, Open},
    word::{Ask, End, Settle, Then, Until, Word},
};
use crate::{
    deferred,
    error::{Cancel, Cancelled, Failure, Reason},
    settled::Settled,
    sync::{Ordering, at},
    waiter::{Callbacks, Waiter, isolate, wake},
};

/// What a step that settled owes to others, to be paid with no lock held.
#[must_use = "the waiters have been taken out of the cell, and nobody else will tell them"]
pub(crate) struct Settling<T, E> {
    held: Held<T, E>,
    /// Whether somebody else than the producer has settled.
    is_lost: bool,
}

/// What is called in the thread that has settled, before others are told: mostly nothing. It is not a type of its own, so that
/// the code that settles is there once.
pub(crate) struct First<'a>(Option<&'a mut dyn FnMut()>);

impl<'a> First<'a> {
    pub(crate) const NOTHING: Self = Self(None);

    pub(crate) fn new(f: &'a mut dyn FnMut()) -> Self {
        Self(Some(f))
    }

    #[inline]
    fn call(self) {
        if let Some(f) = self.0 {
            f();
        }
    }
}

/// The outcome that came too late, if there is one, and why it is.
pub(super) type Late<T, E> = (Option<Outcome<T, E>>, Cancelled);

impl<T, E> Settling<T, E> {
    /// Tells all who wait, threads, wakers and loops, in registration order, and returns the thread callbacks, in
    /// registration order. `[callback-2]`
    #[inline(always)]
    pub(crate) fn wake(self) -> Callbacks<T, E> {
        match self.held.into_kind() {
            Kind::Callback(callback) => Callbacks::one(callback),
            Kind::List(list) => list.tell(self.is_lost),
            alone => {
                alone.tell(self.is_lost);
                Callbacks::NONE
            }
        }
    }

    /// Tells them, and calls the callbacks, each isolated, in this thread, with what the settler has.
    #[inline(always)]
    pub(crate) fn pay(self, settled: &Settled<T, E>) {
        match self.held.into_kind() {
            // A callback alone is not moved on its way.
            Kind::Callback(callback) => deferred::run(iter::once(callback), settled),
            Kind::List(list) => {
                let callbacks = list.tell(self.is_lost);
                if !callbacks.is_empty() {
                    deferred::run(callbacks.into_iter(), settled);
                }
            }
            alone => alone.tell(self.is_lost),
        }
    }
}

impl<T, E> Kind<T, E> {
    /// Tells those who wait, if anybody does, where there are no callbacks: not the producer who settles, which has nothing to
    /// be told.
    #[inline(always)]
    fn tell(self, is_lost: bool) {
        match self {
            Self::Nothing => {}
            Self::Waker(last, waker) if is_due(Ticket::short(last), is_lost) => wake(waker),
            Self::Waker(_, waker) => isolate(|| drop(waker)),
            Self::Thread(_, thread) => thread.unpark(),
            Self::Member(_, inbox, number) => inbox.tell(number),
            Self::Callback(callback) => isolate(|| drop(callback)),
            Self::List(list) => drop(list.tell(is_lost)),
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

/// Who is to be told of a settlement: not the producer who settles.
fn due(ticket: Ticket, waiter: Waiter, is_lost: bool) -> Option<Waiter> {
    if is_due(ticket, is_lost) {
        return Some(waiter);
    }
    isolate(|| drop(waiter));
    None
}

const fn is_due(ticket: Ticket, is_lost: bool) -> bool {
    is_lost || !ticket.listens()
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
    /// reason. Its handle is given up inside the step, so that the only other handle is then the only one, and a `take` after
    /// a `wait` succeeds; unless callbacks need it, which are lent it. It begins with this word, which was seen before or
    /// guessed. `[cell-3]`
    ///
    /// What is owed is paid, in this thread, with no lock held: first `first` is called, which does not unwind, then those are told who wait, then
    /// the callbacks are called, each isolated. `[callback-2]` An outcome that nobody can ever see is left to `unseen`.
    /// `[promise-9]`
    #[inline(always)]
    pub(super) fn settle<R: Default>(
        self,
        word: Word,
        end: End,
        outcome: Option<Outcome<T, E>>,
        first: First<'_>,
        unseen: impl FnOnce(Outcome<T, E>) -> R,
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
            first.call();
            return Ok(R::default());
        }
        let left = this.settle_so(end, outcome, first)?;
        Ok(left.map_or_else(R::default, unseen))
    }

    /// The same where there may be somebody to be told, or nobody is left, or it is too late. It takes the handle.
    #[cold]
    #[inline(never)]
    fn settle_so(
        &self,
        end: End,
        outcome: Option<Outcome<T, E>>,
        first: First<'_>,
    ) -> Result<Option<Outcome<T, E>>, Late<T, E>> {
        let mut is_listed = self.word().seems(Word::is_listed);
        loop {
            if is_listed && let Some((mut list, then)) = self.settle_listed(end) {
                let held = list.settled(then == Then::Lend);
                drop(list);
                let left = match then {
                    Then::Lend => {
                        let lent = self.same().lent();
                        first.call();
                        Settling { held, is_lost: false }.pay(lent.settled());
                        // If it was the last handle, the value is dropped here.
                        isolate(|| drop(lent));
                        return Ok(None);
                    }
                    Then::Tell(_) => {
                        // SAFETY: the step has made the handle a hold.
                        unsafe { self.release() };
                        None
                    }
                    // SAFETY: the word says so, and the handle is not used again.
                    others => unsafe { self.end(others) },
                };
                first.call();
                // There are no callbacks, or the handle would be lent.
                held.into_kind().tell(false);
                return Ok(left);
            }
            match self.word().step(at("settle so", Ordering::Release), settles(end, false)) {
                Ok(then) => {
                    // SAFETY: the word says so, and the handle is not used again.
                    let left = unsafe { self.end(then) };
                    first.call();
                    return Ok(left);
                }
                Err(Not::Alone) => {
                    let held = self.lock().take();
                    // SAFETY: the word says that there is nobody else, and the handle is not used again.
                    let left = unsafe { self.end(Then::Free) };
                    first.call();
                    held.into_kind().tell(false);
                    return Ok(left);
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

    /// The step with the lock of the place, if there may still be somebody. It takes the handle then, and leaves what is to be
    /// done with that, and those who are in the place.
    #[inline(always)]
    fn settle_listed(&self, end: End) -> Option<(Open<'_, T, E>, Then)> {
        let list = self.lock();
        let settles = settles(end, true);
        let then = self.word().step(at("settle listed", Ordering::Release), settles).ok()?;
        Some((list, then))
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
