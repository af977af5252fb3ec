//! How a cell is settled and asked for, read, and taken from.

use super::{
    FAILURE, LOCK, REASON, SLOT,
    calls::{Has, READS, Twin, User},
    word::{Ask, End, Settle, Take, Then, Until, Word},
};
use crate::{
    machine::State,
    program::{
        Order::{AcqRel, Relaxed, Release},
        Run,
    },
};

impl User<'_, '_> {
    /// `Handle::start`.
    pub(super) fn start(&mut self) -> Run<bool> {
        self.apply(Has::Handle, ("begin", Relaxed), |word| word.start().ok())
    }

    /// `Handle::settle` and `Handle::settle_so`, with a value if the end is to finish: how many values this thread has in the
    /// end. `Producer::give` looks before.
    pub(super) fn settle(&mut self, end: End) -> Run {
        let has = u64::from(matches!(end, End::Finish));
        if has == 1 && self.is(|word| matches!(word.settle(end).1, Settle::Late(_)))? {
            return Ok(has + self.leave()?);
        }
        let writes = self.guess()?.finishes(end);
        let is_early = !self.has(Twin::StateBeforeSlot);
        if writes && is_early {
            self.t.write(SLOT, 1)?;
        }
        let settles_at_once = |word: Word| match word.settle(end) {
            (next, Settle::Settle(Then::Forget)) if !word.is_listed() => Some(next),
            _ => None,
        };
        if self.try_step(Has::Handle, ("settle", Release), settles_at_once)? {
            return Ok(0);
        }
        loop {
            if self.seems(Word::is_listed)?
                && let Some(value) = self.settle_listed(end)?
            {
                return Ok(value);
            }
            match self.step(Has::Handle, ("settle so", Release), settles(end, false))? {
                Ok(then) => {
                    if writes && !is_early {
                        self.t.write(SLOT, 1)?;
                    }
                    return self.end(then);
                }
                Err(Not::Alone) => {
                    self.t.lock(LOCK)?;
                    self.t.unlock(LOCK)?;
                    return self.end(Then::Free);
                }
                Err(Not::Late) => {
                    let value = if writes { self.take_out()? } else { has };
                    return Ok(value + self.leave()?);
                }
                Err(Not::Listed) if !self.way.is_detailed => {
                    if let Some(value) = self.settle_listed(end)? {
                        return Ok(value);
                    }
                }
                Err(Not::Listed | Not::Unlisted) => {}
            }
        }
    }

    /// `Handle::settle_listed`, and `Settlement::pay`.
    pub(super) fn settle_listed(&mut self, end: End) -> Run<Option<u64>> {
        self.t.lock(LOCK)?;
        let Ok(then) = self.step(Has::Handle, ("settle listed", Release), settles(end, true))?
        else {
            self.t.unlock(LOCK)?;
            return Ok(None);
        };
        let lends = then == Then::Lend;
        let is_held = !self.has(Twin::NoHold);
        if !is_held && matches!(then, Then::Tell(_)) {
            self.release()?;
        }
        let told = self.take_waiters(|it| !lends || it != Until::Returned)?;
        self.t.unlock(LOCK)?;
        match then {
            Then::Lend => {
                self.tell(&told)?;
                self.outcome()?;
                self.give_up(Has::Lent, Word::give_back).map(Some)
            }
            Then::Tell(_) => {
                if is_held {
                    self.release()?;
                }
                self.tell(&told)?;
                Ok(Some(0))
            }
            others => {
                let value = self.end(others)?;
                self.tell(&told)?;
                Ok(Some(value))
            }
        }
    }

    /// `Handle::cancel`, by `Handle::cancel_by` and `Handle::cancel_so`; says whether it settled.
    pub(super) fn cancel(&mut self, has_reason: bool) -> Run<bool> {
        let asks = |word: Word| match word.cancel(false) {
            (_, Ask::Settle | Ask::Tell(_)) if word.is_listed() => Err(()),
            others => Ok(others),
        };
        let asks_at_once = |word: Word| match word.cancel(false) {
            (next, Ask::Settle) if !word.is_listed() => Some(next),
            _ => None,
        };
        if !has_reason && self.try_step(Has::Handle, ("ask", Release), asks_at_once)? {
            return Ok(true);
        }
        if !has_reason
            && !self.seems(move |word| asks(word).is_err())?
            && let Ok(ask) = self.step(Has::Handle, ("ask so", Release), asks)?
        {
            return Ok(ask == Ask::Settle);
        }
        self.cancel_listed(has_reason)
    }

    /// `Handle::cancel_listed`.
    pub(super) fn cancel_listed(&mut self, has_reason: bool) -> Run<bool> {
        self.t.lock(LOCK)?;
        let word = self.look()?;
        let tells_why = has_reason && !word.is_reasoned() && !word.state().is_settled();
        if tells_why {
            self.t.write(REASON, 1)?;
        }
        let asks = move |word: Word| Ok::<_, ()>(word.cancel(tells_why));
        let ask = self.step(Has::Handle, ("ask listed", Release), asks)?.unwrap_or(Ask::Settle);
        let told = match ask {
            Ask::Settle => self.take_waiters(|_| true)?,
            Ask::Tell(_) => self.take_waiters(|it| it == Until::Requested)?,
            Ask::Answer(_) => Vec::new(),
        };
        self.t.unlock(LOCK)?;
        self.tell(&told)?;
        Ok(ask == Ask::Settle)
    }

    /// `Handle::outcome`, by who has seen the cell settled, or was told by one who has.
    pub(super) fn outcome(&mut self) -> Run<State> {
        let word = self.guess()?;
        match word.state() {
            State::Finished => {
                let value = self.t.read(SLOT)?;
                self.t.require(value == 1, READS)?;
            }
            State::Cancelled if word.is_reasoned() => {
                self.reason()?;
                if self.t.read(FAILURE)? == 0 {
                    self.t.write(FAILURE, 1)?;
                }
                self.t.unlock(LOCK)?;
                self.t.read(FAILURE)?;
            }
            State::Cancelled => {}
            State::Pending | State::Running => {
                self.t.require(false, "what was seen settled is settled")?;
            }
        }
        Ok(word.state())
    }

    /// `Handle::reason`, for a cell that has one. The lock stays taken.
    pub(super) fn reason(&mut self) -> Run<()> {
        self.t.lock(LOCK)?;
        let reason = self.t.read(REASON)?;
        self.t.require(reason == 1, "where the word says so there is a reason")
    }

    /// `Handle::take` and `Handle::take_or_leave`, by `Handle::taken`: what it got, and whether the handle is gone.
    pub(super) fn take(&mut self, step: fn(Word) -> (Word, Take)) -> Run<(u64, bool)> {
        if self.is(|word| matches!(step(word).1, Take::Outcome(Then::Free)))? {
            return Ok((self.end(Then::Free)?, true));
        }
        let takes = move |word| match step(word) {
            (_, take @ Take::Outcome(Then::Free)) => Err(take),
            (word, take) => Ok((word, take)),
        };
        let (Ok(take) | Err(take)) = self.step(Has::Handle, ("take", AcqRel), takes)?;
        match take {
            Take::Outcome(then) => Ok((self.end(then)?, true)),
            Take::Cancelled(_) => {
                if self.look()?.is_reasoned() {
                    self.reason()?;
                    self.t.unlock(LOCK)?;
                }
                Ok((self.leave()?, true))
            }
            Take::Shared => Ok((0, false)),
        }
    }
}

/// Why a step was not taken.
enum Not {
    Late,
    Alone,
    Listed,
    Unlisted,
}

/// `settles`.
fn settles(end: End, is_locked: bool) -> impl Fn(Word) -> Result<(Word, Then), Not> + Copy {
    move |word| match word.settle(end) {
        (_, Settle::Late(_)) => Err(Not::Late),
        (_, Settle::Settle(Then::Free)) => Err(Not::Alone),
        _ if word.is_listed() && !is_locked => Err(Not::Listed),
        _ if is_locked && !word.is_listed() => Err(Not::Unlisted),
        (word, Settle::Settle(then)) => Ok((word, then)),
    }
}
