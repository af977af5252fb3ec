//! The word: what there is to know of a primitive for which nobody waits, as one number, and what a call makes of it.
//!
//! It says how many permits are free, or whether an event is set, while it is open, and a call is one step of it, without a
//! lock. Whoever takes the lock closes it first of all, and has what it said. Whoever frees the lock opens it last of all,
//! unless somebody stands in the line.
//!
//! ```text
//!            the lock is taken                          the lock is freed, somebody waits
//!   open: n ──────────────────▶ closed: n is behind it ───────────────────────────────────▶ closed
//!    │  ▲ ◀──────────────────── the lock is freed, and nobody waits
//!    └──┘ a step without the lock
//! ```
//!
//! So nobody can give a permit past one who waits, or is about to: there is no word to give it to, and he asks for the lock.
//! And whoever stood in the line and finds the word open has had his turn, and goes on without the lock: nobody stands there.

/// What a primitive is, while that is a number; or that it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Word(u64);

/// What a call makes of the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Step {
    /// This is the next.
    To(Word),
    /// It stays, and this is the answer.
    Stays(bool),
    /// Who has the lock can tell.
    Closed,
}

impl Word {
    pub(crate) const CLOSED: Self = Self(u64::MAX);
    pub(crate) const ZERO: Self = Self(0);
    pub(crate) const ONE: Self = Self(1);

    /// The word of this number. The greatest has none: that one stays behind the lock.
    pub(crate) const fn open(number: u64) -> Option<Self> {
        if number == Self::CLOSED.0 { None } else { Some(Self(number)) }
    }

    /// What it says, if it is open.
    pub(crate) const fn number(self) -> Option<u64> {
        if self.0 == Self::CLOSED.0 { None } else { Some(self.0) }
    }

    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// One less, if there is one.
    #[inline]
    pub(crate) const fn take(self) -> Step {
        match self.number() {
            Some(0) => Step::Stays(false),
            Some(number) => Step::To(Self(number - 1)),
            None => Step::Closed,
        }
    }

    /// One more.
    #[inline]
    pub(crate) const fn give(self) -> Step {
        match self.number() {
            Some(number) if number + 1 != Self::CLOSED.0 => Step::To(Self(number + 1)),
            _ => Step::Closed,
        }
    }

    /// Whether it is more than none.
    #[inline]
    pub(crate) const fn is_above_zero(self) -> Step {
        match self.number() {
            Some(number) => Step::Stays(number > 0),
            None => Step::Closed,
        }
    }

    /// This number, whatever it was.
    #[inline]
    pub(crate) const fn set(self, number: u64) -> Step {
        match self.number() {
            Some(_) => Step::To(Self(number)),
            None => Step::Closed,
        }
    }
}
