//! What a barrier decides: who is there, and whether they may go on.

/// So many have to be there, and then they go on together: a round is over, and the next begins. A round that breaks is
/// over, too, and then nobody may come until it is mended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Meeting {
    parties: usize,
    /// How many are there in this round, and which round it is.
    there: usize,
    round: u64,
    is_broken: bool,
}

/// What becomes of one who comes: he has a number in his round, from zero on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Arrival {
    Waits(usize),
    /// All are there, and those who wait are to be told that they may go on.
    Last(usize),
    Broken,
}

impl Meeting {
    pub(crate) const fn new(parties: usize) -> Self {
        Self { parties, there: 0, round: 0, is_broken: false }
    }

    pub(crate) const fn parties(&self) -> usize {
        self.parties
    }

    pub(crate) const fn there(&self) -> usize {
        self.there
    }

    pub(crate) const fn round(&self) -> u64 {
        self.round
    }

    pub(crate) const fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Whether one who comes now would have to wait.
    pub(crate) const fn would_wait(&self) -> bool {
        !self.is_broken && self.there + 1 < self.parties
    }

    pub(crate) const fn arrive(&mut self) -> Arrival {
        if self.is_broken {
            return Arrival::Broken;
        }
        let number = self.there;
        if self.would_wait() {
            self.there += 1;
            return Arrival::Waits(number);
        }
        self.begin_anew();
        Arrival::Last(number)
    }

    /// One who waits in this round leaves. If the round is not over, it breaks, and those who wait are to be told.
    pub(crate) fn leave(&mut self, round: u64) -> bool {
        let breaks = round == self.round;
        if breaks {
            self.abort();
        }
        breaks
    }

    /// It breaks: those who wait are to be told.
    pub(crate) const fn abort(&mut self) {
        self.is_broken = true;
        self.begin_anew();
    }

    /// It is whole again. Those who wait are to be told that their round broke.
    pub(crate) const fn reset(&mut self) {
        self.is_broken = false;
        self.begin_anew();
    }

    const fn begin_anew(&mut self) {
        self.there = 0;
        self.round += 1;
    }
}
