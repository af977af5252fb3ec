//! The word in an atomic: the one place where steps of different threads meet.
//!
//! ```text
//! site            ordering  pairs with, and what that is for
//! look            Acquire   every step: who sees a cell settled sees what came before; who sees that nobody else is left may
//!                           free
//! glance          Acquire   the same, for what is done without a step then
//! find            Acquire   the same, with what a step begins and where it is not taken
//! begin           Relaxed   nothing: that the work has begun says nothing about memory
//! ask             Release   look: a cancel and all that came before it. At the first try
//! ask so          Release   the same, where it may not be taken
//! ask listed      Release   the same, with the lock of the place
//! settle, so,     Release   look: the outcome, and all that came before it; at the three places where the others are
//! listed
//! enter, call,    Relaxed   nothing: who is told of it takes the lock of the place. Of who waits, of who is called, and where
//! clear                     the callbacks are taken out
//! share, hold     Relaxed   nothing: who shares has a handle or a hold, and whoever reads by the new one looks first
//! leave,          Release   look, leave: whoever frees, or takes out the outcome, comes after those who have left. At the first
//! leave listed              try, and with the lock of the place: then others are left
//! leave so, take  AcqRel    the same, and that he who is the last comes after all others
//! release         Release   look: the same for those who had a hold
//! ```
//!
//! A step that leaves the word as it is, is a look. One more site, `weak`, is that of the count of weak handles: `AcqRel`, so
//! that the last of them, who releases the hold of all, comes after the others. Each site has a name of its own, by which it is
//! weakened: see `spec/memory.md`.

use super::word::Word;
use crate::sync::{AtomicU64, Ordering, at, thread};

pub(super) struct Atom(AtomicU64);

impl Atom {
    pub(super) fn new(word: Word) -> Self {
        Self(AtomicU64::new(word.bits()))
    }

    /// The word at this moment.
    #[inline]
    pub(super) fn look(&self) -> Word {
        self.look_as(at("look", Ordering::Acquire))
    }

    #[inline]
    fn look_as(&self, ordering: Ordering) -> Word {
        Word::from_bits(self.0.load(ordering))
    }

    /// The same for one who knows it settled, since he has a proof: what is read does not change any more.
    #[inline]
    pub(super) fn settled(&self) -> Word {
        self.seemingly()
    }

    /// The word, as far as that is needed to choose a way that looks again.
    #[inline]
    pub(super) fn seemingly(&self) -> Word {
        self.guess(Ordering::Relaxed).0
    }

    /// Whether that is so of the word, to choose such a way.
    #[inline]
    pub(super) fn seems(&self, so: impl Fn(Word) -> bool) -> bool {
        so(self.seemingly())
    }

    /// Whether that is so of the word, or perhaps not yet: a look where it is.
    #[inline]
    pub(super) fn is(&self, so: impl Fn(Word) -> bool) -> bool {
        self.seemingly_not(so).is_none()
    }

    /// The word, as [`seemingly`](Self::seemingly), unless that is so of it: a look where it is.
    #[inline]
    pub(super) fn seemingly_not(&self, so: impl Fn(Word) -> bool) -> Option<Word> {
        let looks = at("glance", Ordering::Acquire);
        let (word, is_seen) = self.guess(looks);
        let is_so = so(word) && (is_seen || so(self.look_as(looks)));
        (!is_so).then_some(word)
    }

    /// A step that is mostly taken: puts the one word in place of the other, which was a guess; says whether it has. It takes
    /// no hold. Who has guessed wrong goes on with [`step`](Self::step).
    #[inline]
    pub(super) fn try_step(&self, guess: Word, next: Word, ordering: Ordering) -> bool {
        let (from, to) = (guess.bits(), next.bits());
        self.0.compare_exchange_weak(from, to, ordering, Ordering::Relaxed).is_ok()
    }

    /// Releases a hold; says whether anybody is left.
    pub(super) fn release(&self) -> bool {
        self.apply(at("release", Ordering::Release), Word::release)
    }

    /// One step: puts the word in place that `decide` makes of the one that is there, unless that says that there is none. A
    /// step that takes a hold waits until one more can be counted.
    #[inline(always)]
    pub(super) fn step<R, N>(
        &self,
        ordering: Ordering,
        decide: impl Fn(Word) -> Result<(Word, R), N>,
    ) -> Result<R, N> {
        let looks = at("find", Ordering::Acquire);
        let (mut word, mut is_seen) = self.guess(looks);
        loop {
            match decide(word) {
                Ok((next, _)) if next.is_crowded() => {
                    thread::yield_now();
                    (word, is_seen) = (self.look_as(looks), true);
                }
                Ok((next, result)) if next != word => {
                    let (from, to) = (word.bits(), next.bits());
                    match self.0.compare_exchange_weak(from, to, ordering, looks) {
                        Ok(_) => return Ok(result),
                        Err(other) => (word, is_seen) = (Word::from_bits(other), true),
                    }
                }
                unchanged if is_seen => return unchanged.map(|(_, result)| result),
                _ => (word, is_seen) = (self.look_as(looks), true),
            }
        }
    }

    /// The same where nothing but the word comes of it; says whether there is one.
    #[inline]
    pub(super) fn apply(&self, ordering: Ordering, next: impl Fn(Word) -> Option<Word>) -> bool {
        self.step(ordering, |word| Ok::<_, ()>((next(word).ok_or(())?, ()))).is_ok()
    }

    /// The word with which a step begins, and whether that is a look.
    #[inline]
    fn guess(&self, ordering: Ordering) -> (Word, bool) {
        let (bits, is_seen) = self.0.guess(ordering);
        (Word::from_bits(bits), is_seen)
    }
}
