//! The calls, as `src/cell` has them: steps of the word, and who comes and goes.

use super::{
    CELL, HOLDS, LOCK, MOST_LENT, SLOT, WEAK, WORD,
    word::{Then, Word},
};
use crate::program::{
    Order,
    Order::{AcqRel, Acquire, Relaxed, Release},
    Run, Thread,
};

/// How calls are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// Whether steps are what the code has, or single accesses.
    pub(super) is_detailed: bool,
    /// What is wrong with them.
    twin: Option<Twin>,
}

/// A mistake that others have made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twin {
    /// A step of this name looks, and then stores what follows from that.
    TwoSteps(&'static str),
    /// The word says settled before the slot is written.
    StateBeforeSlot,
    /// Whoever registers looks whether it is over, and then registers.
    RegistersUnchecked,
    /// Whoever registers looks once more, and then tells itself.
    TellsItself,
    /// The settler takes out who waits when it has neither a handle nor a hold.
    NoHold,
    /// A waker is dropped with the lock held.
    DropsLocked,
    /// A waker is cloned with the lock held.
    ClonesLocked,
    /// A handle is given up, and then its waker taken out.
    LeavesLate,
    /// Whoever polls again forgets the waker that it has registered.
    ForgetsWaker,
}

impl Way {
    pub(crate) const STEPS: Self = Self { is_detailed: false, twin: None };
    pub(crate) const DETAIL: Self = Self { is_detailed: true, twin: None };

    pub(crate) const fn wrong(twin: Twin) -> Self {
        Self { twin: Some(twin), ..Self::STEPS }
    }
}

/// What is required of who reads the slot.
pub(crate) const READS: &str = "who reads finds a value";

/// What somebody has of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Has {
    Handle,
    Lent,
    Hold,
}

impl Has {
    /// Whether the word counts one of these.
    const fn is_counted(self, word: Word) -> bool {
        const NEW: Word = Word::new(false);
        const LENT: u64 = NEW.lend().unwrap().bits() - NEW.share().unwrap().bits();
        const HOLD: u64 = NEW.hold().bits() - NEW.bits();
        match self {
            Self::Handle => !word.has_ended(),
            Self::Lent => !word.has_ended() && (word.bits() / LENT) & MOST_LENT > 0,
            Self::Hold => (word.bits() / HOLD) & HOLDS > 0,
        }
    }
}

/// A thread that uses the cell.
pub(super) struct User<'a, 'b> {
    pub(super) t: &'a mut Thread<'b>,
    pub(super) way: Way,
}

impl User<'_, '_> {
    pub(super) fn has(&self, twin: Twin) -> bool {
        self.way.twin == Some(twin)
    }

    /// `Atom::look`.
    pub(super) fn look(&mut self) -> Run<Word> {
        self.look_as("look")
    }

    fn look_as(&mut self, name: &'static str) -> Run<Word> {
        let order = self.t.at(name, Acquire);
        self.t.load(WORD, order).map(Word::from_bits)
    }

    /// `Atom::seemingly_not`, of what is done without a step then. It adds nothing where steps are single: they look.
    pub(super) fn is(&mut self, so: impl Fn(Word) -> bool) -> Run<bool> {
        if !self.way.is_detailed { Ok(false) } else { self.look_as("glance").map(so) }
    }

    /// `Atom::seemingly` and `Atom::settled`.
    pub(super) fn guess(&mut self) -> Run<Word> {
        self.t.load(WORD, Relaxed).map(Word::from_bits)
    }

    /// `Atom::seems`, of a choice of ways that each look again. It adds nothing where steps are single.
    pub(super) fn seems(&mut self, so: impl Fn(Word) -> bool) -> Run<bool> {
        if !self.way.is_detailed { Ok(false) } else { self.guess().map(so) }
    }

    /// `Atom::try_step`, of the step that follows from a guess, if it is to be tried; says whether it was taken. It adds nothing
    /// where steps are single.
    pub(super) fn try_step(
        &mut self,
        has: Has,
        (name, order): (&'static str, Order),
        next: impl Fn(Word) -> Option<Word>,
    ) -> Run<bool> {
        if !self.way.is_detailed {
            return Ok(false);
        }
        let word = self.guess()?;
        let order = self.t.at(name, order);
        match next(word).filter(|_| has.is_counted(word)) {
            Some(next) => {
                Ok(self.t.cas(WORD, [word.bits(), next.bits()], [order, Relaxed])?.is_ok())
            }
            None => Ok(false),
        }
    }

    /// `Atom::step`.
    pub(super) fn step<R: Copy, N>(
        &mut self,
        has: Has,
        (name, order): (&'static str, Order),
        decide: impl Fn(Word) -> Result<(Word, R), N> + Copy + 'static,
    ) -> Run<Result<R, N>> {
        let next = move |word: Word| {
            // Out of thin air anything may be read.
            if !has.is_counted(word) {
                return None;
            }
            decide(word).ok().map(|(next, _)| next).filter(|it| *it != word)
        };
        let (look, order) = (self.t.at("find", Acquire), self.t.at(name, order));
        let word = if self.has(Twin::TwoSteps(name)) {
            let word = self.look()?;
            if let Some(next) = next(word) {
                self.t.store(WORD, next.bits(), order)?;
            }
            word
        } else if !self.way.is_detailed {
            let change = move |bits| next(Word::from_bits(bits)).map(Word::bits);
            self.t.update(WORD, [order, look], change).map(Word::from_bits)?
        } else {
            let mut word = self.look_as("find")?;
            while let Some(next) = next(word) {
                match self.t.cas(WORD, [word.bits(), next.bits()], [order, look])? {
                    Ok(_) => break,
                    Err(other) => word = Word::from_bits(other),
                }
            }
            word
        };
        self.t.require(has.is_counted(word), "who has a handle or a hold is counted")?;
        Ok(decide(word).map(|(_, result)| result))
    }

    /// `Atom::apply`.
    pub(super) fn apply(
        &mut self,
        has: Has,
        site: (&'static str, Order),
        next: impl Fn(Word) -> Option<Word> + Copy + 'static,
    ) -> Run<bool> {
        Ok(self.step(has, site, move |word| Ok::<_, ()>((next(word).ok_or(())?, ())))?.is_ok())
    }

    /// `Handle::free` and `Handle::free_with_value`: what was in the slot.
    pub(super) fn free(&mut self) -> Run {
        let value = self.t.read(SLOT)?;
        self.t.free(&CELL)?;
        Ok(value)
    }

    /// `Slot::take`.
    pub(super) fn take_out(&mut self) -> Run {
        let value = self.t.read(SLOT)?;
        self.t.write(SLOT, 0)?;
        Ok(value)
    }

    /// `Handle::release`.
    pub(super) fn release(&mut self) -> Run<()> {
        if !self.apply(Has::Hold, ("release", Release), Word::release)? {
            let value = self.free()?;
            self.t.require(value == 0, "who frees for a hold finds no value")?;
        }
        Ok(())
    }

    /// `Handle::end`: how many values this thread has now.
    pub(super) fn end(&mut self, then: Then) -> Run {
        match then {
            Then::Forget | Then::Lend | Then::Tell(_) => Ok(0),
            Then::Free => self.free(),
            Then::End => {
                let value = self.take_out()?;
                self.release()?;
                Ok(value)
            }
        }
    }

    /// `Handle::give_up` and `Handle::give_up_so`.
    pub(super) fn give_up(&mut self, has: Has, step: fn(Word) -> (Word, Then)) -> Run {
        let forgets = |word| match step(word) {
            (word, Then::Forget) => Some(word),
            _ => None,
        };
        if self.try_step(has, ("leave", Release), forgets)? {
            return Ok(0);
        }
        if self.is(|word| has.is_counted(word) && step(word).1 == Then::Free)? {
            return self.end(Then::Free);
        }
        loop {
            let tells =
                move |word: Word| has.is_counted(word) && matches!(step(word).1, Then::Tell(_));
            if self.seems(tells)? {
                if self.give_up_listed(has, step)? {
                    return Ok(0);
                }
                continue;
            }
            let gives_up = move |word| match step(word) {
                (_, then @ (Then::Free | Then::Tell(_))) => Err(then),
                (word, then) => Ok((word, then)),
            };
            match self.step(has, ("leave so", AcqRel), gives_up)? {
                Err(Then::Tell(_)) => {
                    if !self.way.is_detailed && self.give_up_listed(has, step)? {
                        return Ok(0);
                    }
                }
                Ok(then) | Err(then) => return self.end(then),
            }
        }
    }

    /// `Handle::give_up_listed`.
    pub(super) fn give_up_listed(&mut self, has: Has, step: fn(Word) -> (Word, Then)) -> Run<bool> {
        self.t.lock(LOCK)?;
        let gives_up = move |word| match step(word) {
            (word, Then::Tell(until)) => Ok((word, until)),
            _ => Err(()),
        };
        let Ok(until) = self.step(has, ("leave listed", Release), gives_up)? else {
            self.t.unlock(LOCK)?;
            return Ok(false);
        };
        let told = self.take_waiters(|it| it == until)?;
        self.t.unlock(LOCK)?;
        self.release()?;
        self.tell(&told)?;
        Ok(true)
    }

    /// The drop of a handle.
    pub(super) fn leave(&mut self) -> Run {
        self.give_up(Has::Handle, Word::leave)
    }

    /// `Handle::clone`, and the like, by `Handle::one_more`.
    pub(super) fn share(&mut self) -> Run<()> {
        let is_shared = self.apply(Has::Handle, ("share", Relaxed), Word::share)?;
        self.t.require(is_shared, "so few can be counted")
    }

    /// `Weak::of`, by `Handle::count_weak`.
    pub(super) fn downgrade(&mut self) -> Run<()> {
        if self.t.fetch(WEAK, Relaxed, |it| it.wrapping_add(1))? == 0 {
            self.apply(Has::Handle, ("hold", Relaxed), |word| Some(word.hold()))?;
        }
        Ok(())
    }

    /// `Weak::upgrade`.
    pub(super) fn upgrade(&mut self) -> Run<bool> {
        self.apply(Has::Hold, ("share", Relaxed), Word::upgrade)
    }

    /// The drop of a weak handle: `Handle::uncount_weak`.
    pub(super) fn leave_weak(&mut self) -> Run<()> {
        let order = self.t.at("weak", AcqRel);
        if self.t.fetch(WEAK, order, |it| it.wrapping_sub(1))? == 1 {
            self.release()
        } else {
            Ok(())
        }
    }
}
