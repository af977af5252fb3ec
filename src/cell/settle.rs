//! Settling a cell and asking for it: what the word decides, done.
#![expect(unsafe_code, reason = "the cell is where it belongs; every block says why it is sound")]

use std::{mem::ManuallyDrop, sync::Arc, task::Waker};

use super::{
    Handle, Inner, Outcome,
    lend::Lent,
    list::Taken,
    slot::Slot,
    word::{Ask, End, Settle, Then, Until, Word},
};
use crate::{
    error::{Cancel, Cancellation, Cancelled, Failure, Reason},
    machine::State,
    sync::MutexGuard,
    waiter::{Callback, Waiter, isolate},
};

/// What a step that settled owes to others, to be paid with no lock held.
#[must_use = "the waiters have been taken out of the cell, and nobody else will tell them"]
pub(crate) struct Settling<T, E> {
    waiters: Taken,
    callbacks: Vec<Callback<T, E>>,
    /// Whether somebody else than the producer has settled.
    is_lost: bool,
    /// Dropped outside the lock, like everything of the user's.
    owner: Option<Waker>,
}

/// What the producer's own handle became in the step that settled.
pub(crate) struct Settlement<T, E> {
    pub(crate) settling: Settling<T, E>,
    pub(crate) rest: Rest<T, E>,
}

/// What is left of the producer's handle after its last step.
pub(crate) enum Rest<T, E> {
    /// Nothing: it was given up inside the step, so that the only other handle is then the only one: a `take` after a
    /// `wait` succeeds.
    Nothing,
    /// Itself, for callbacks, which are lent it.
    Lent(Lent<T, E>),
    /// What was in the slot: nobody can ever see it. `[promise-9]`
    Unseen(Slot<T, E>),
}

/// The outcome that came too late, if there is one, and why it is.
type Late<T, E> = (Option<Outcome<T, E>>, Cancelled);

impl<T, E> Settling<T, E> {
    /// Tells all who wait, threads, wakers and loops, in registration order. `[callback-2]`
    pub(crate) fn wake(&mut self) {
        for (ticket, waiter) in std::mem::take(&mut self.waiters) {
            // The producer who settles has nothing to be told.
            if ticket.listens() && !self.is_lost {
                isolate(|| drop(waiter))
            } else {
                waiter.notify()
            }
        }
        if let Some(owner) = self.owner.take() {
            isolate(|| drop(owner));
        }
    }

    /// The thread callbacks, in registration order; they run after [`wake`](Self::wake).
    pub(crate) fn into_callbacks(self) -> Vec<Callback<T, E>> {
        debug_assert!(self.waiters.is_empty(), "the waiters are told before the callbacks run");
        self.callbacks
    }
}

fn tell(told: Taken) {
    told.into_iter().for_each(|(_, waiter)| waiter.notify());
}

/// Tells those who wait for this.
#[cold]
pub(super) fn tell_of<T, E>(mut inner: MutexGuard<'_, Inner<T, E>>, until: Until) {
    let told = inner.waiters.take(until);
    drop(inner);
    tell(told);
}

/// The outcome of what ended without one.
fn failure<E>(word: Word, reason: Option<&Reason>) -> Failure<E> {
    match word.state() {
        State::Cancelled => Cancellation::new(word.cause(), reason.cloned()).into(),
        _ => Failure::Abandoned,
    }
}

impl<T, E> Handle<T, E> {
    /// The one step in which a cell settles: facts 1 to 3. Those who wait for the callbacks that it lends the outcome wait
    /// on.
    fn apply(
        &self,
        inner: &mut Inner<T, E>,
        word: Word,
        outcome: Outcome<T, E>,
        lends: bool,
    ) -> Settling<T, E> {
        // SAFETY: `inner` is locked, and its word is not settled: the table accepted the event.
        unsafe { self.slot().write(outcome) };
        inner.word = word;
        let waiters = &mut inner.waiters;
        Settling {
            waiters: if lends { waiters.take_others(Until::Returned) } else { waiters.take_all() },
            callbacks: std::mem::take(&mut inner.callbacks),
            is_lost: false,
            owner: inner.owner.take(),
        }
    }

    /// The producer's last step, with the outcome of the work if there is one: it comes back if it is too late, with the
    /// reason. Its handle is given up in the step unless callbacks need it, and then this thread touches the cell only if
    /// it has to end it. `[cell-3]`
    pub(super) fn settle(
        self,
        end: End,
        outcome: Option<Outcome<T, E>>,
    ) -> Result<Settlement<T, E>, Late<T, E>> {
        let this = ManuallyDrop::new(self);
        let mut inner = this.lock();
        let (word, settle) = inner.word.settle(end);
        match settle {
            Settle::Late(cause, then) => {
                inner.word = word;
                if then == Then::Free {
                    // SAFETY: the word says that this was the last handle, and it is not dropped.
                    let slot = unsafe { this.end(inner) };
                    isolate(|| drop(slot));
                }
                Err((outcome, cause))
            }
            Settle::Settle(then) => {
                let outcome = outcome.unwrap_or_else(|| Err(failure(word, inner.reason.as_ref())));
                let settling = this.apply(&mut inner, word, outcome, then == Then::Lend);
                let rest = match then {
                    Then::Lend => {
                        drop(inner);
                        Rest::Lent(ManuallyDrop::into_inner(this).lent())
                    }
                    // SAFETY: the word says that this was the last handle, and it is not dropped.
                    Then::Free => Rest::Unseen(unsafe { this.end(inner) }),
                    Then::Forget | Then::Tell(_) => Rest::Nothing,
                };
                Ok(Settlement { settling, rest })
            }
        }
    }

    /// Anybody's cancel: applied, recorded as a request, or refused. `[cancel-1]`
    pub(crate) fn cancel(&self, reason: Option<Arc<str>>) -> (Cancel, Option<Settling<T, E>>) {
        let reason = reason.map(Reason::new);
        let mut inner = self.lock();
        if !inner.word.state().is_settled() && inner.reason.is_none() {
            inner.reason = reason;
        }
        let (word, ask) = inner.word.cancel();
        match ask {
            Ask::Settle => {
                let outcome = Err(failure(word, inner.reason.as_ref()));
                let settling = self.apply(&mut inner, word, outcome, false);
                // The producer has lost: whatever it listens for, it is told.
                (Cancel::Now, Some(Settling { is_lost: true, ..settling }))
            }
            Ask::Tell(answer) => {
                inner.word = word;
                let owner = inner.owner.take();
                let told = inner.waiters.take(Until::Requested);
                drop(inner);
                if let Some(owner) = owner {
                    Waiter::Waker(owner, None).notify();
                }
                tell(told);
                (answer, None)
            }
            Ask::Answer(answer) => (answer, None),
        }
    }
}
