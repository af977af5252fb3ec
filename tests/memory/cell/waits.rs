//! Registering with a cell, and leaving it again; who is told.

use super::{
    LIST, LOCK, TOLD,
    calls::{Has, Twin, User},
    word::{Until, Word},
};
use crate::program::{
    Order::{Relaxed, Release},
    Run,
};

/// The list: of each who waits for what, in four bits, and whether there are callbacks.
const CALLBACKS: u64 = 1 << 8;

fn entry(who: usize, until: Until) -> u64 {
    (1 + until as u64) << (4 * who)
}

impl User<'_, '_> {
    /// `Waiters::take`, with the lock held: who waits for one of these.
    pub(super) fn take_waiters(&mut self, of: impl Fn(Until) -> bool) -> Run<Vec<usize>> {
        let list = self.t.read(LIST)?;
        let (mut rest, mut told) = (list, Vec::new());
        for who in 0..TOLD.len() {
            for until in [Until::Settled, Until::Returned, Until::Requested, Until::Closed] {
                if list >> (4 * who) & 7 == 1 + until as u64 && of(until) {
                    rest -= entry(who, until);
                    told.push(who);
                }
            }
        }
        if rest != list {
            self.t.write(LIST, rest)?;
        }
        Ok(told)
    }

    pub(super) fn tell(&mut self, told: &[usize]) -> Run<()> {
        told.iter().try_for_each(|who| self.t.fetch(TOLD[*who], Release, |it| it + 1).map(drop))
    }

    /// `Handle::register_until`, with a waker whose clone does this before.
    pub(super) fn register_cloned(
        &mut self,
        who: usize,
        until: Until,
        clones: fn(&mut Self) -> Run,
    ) -> Run<(bool, u64)> {
        let is_locked = self.has(Twin::ClonesLocked);
        let is_checked = !self.has(Twin::RegistersUnchecked);
        if !is_checked && self.look()?.is_over(until) {
            return Ok((false, 0));
        }
        let mut value = if is_locked { 0 } else { clones(self)? };
        self.t.lock(LOCK)?;
        let registers = move |word: Word| word.register(until);
        let is_in = self.apply(Has::Handle, ("enter", Relaxed), registers)? || !is_checked;
        if is_in {
            if is_locked {
                value = clones(self)?;
            }
            let list = self.t.read(LIST)?;
            self.t.write(LIST, list + entry(who, until))?;
        }
        self.t.unlock(LOCK)?;
        if is_in && self.has(Twin::TellsItself) && self.look()?.is_over(until) {
            self.tell(&[who])?;
        }
        Ok((is_in, value))
    }

    /// The same with one whose clone does nothing.
    pub(super) fn register(&mut self, who: usize, until: Until) -> Run<bool> {
        Ok(self.register_cloned(who, until, |_| Ok(0))?.0)
    }

    /// `Handle::deregister`, of who waits until the cell is settled, with a waker whose drop does this; whether it was
    /// still there, and whoever is not has been told.
    pub(super) fn deregister(
        &mut self,
        who: usize,
        drops: fn(&mut Self) -> Run,
    ) -> Run<(bool, u64)> {
        let is_locked = self.has(Twin::DropsLocked);
        self.t.lock(LOCK)?;
        let list = self.t.read(LIST)?;
        let mine = list & 7 << (4 * who);
        let mut value = 0;
        if mine != 0 {
            self.t.write(LIST, list - mine)?;
            if is_locked {
                value = drops(self)?;
            }
        }
        self.t.unlock(LOCK)?;
        if mine == 0 {
            self.t.wait(TOLD[who])?;
        }
        if mine == 0 || !is_locked {
            value = drops(self)?;
        }
        Ok((mine != 0, value))
    }

    /// `Handle::park_until`, without a deadline.
    pub(super) fn wait(&mut self, who: usize, until: Until) -> Run<()> {
        if self.register(who, until)? {
            self.t.wait(TOLD[who])?;
            let word = self.look()?;
            self.t.require(word.is_over(until), "who is told finds it so")?;
        }
        Ok(())
    }

    /// `Handle::register_callback`.
    pub(super) fn add_callback(&mut self) -> Run<bool> {
        self.t.lock(LOCK)?;
        let is_in = self.apply(Has::Handle, ("call", Relaxed), Word::register_callback)?;
        if is_in {
            let list = self.t.read(LIST)?;
            self.t.write(LIST, list | CALLBACKS)?;
        }
        self.t.unlock(LOCK)?;
        Ok(is_in)
    }
}
