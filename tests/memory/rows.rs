//! Relations between at most 64 events.

use std::ops::BitOr;

/// A relation: a row of bits for each event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows {
    rows: [u64; 64],
    len: usize,
}

impl Rows {
    pub(crate) const fn new(len: usize) -> Self {
        Self { rows: [0; 64], len }
    }

    /// Each event with itself.
    pub(crate) fn same(len: usize) -> Self {
        let mut rows = Self::new(len);
        (0..len).for_each(|it| rows.add(it, it));
        rows
    }

    pub(crate) fn or_same(&self) -> Self {
        *self | Self::same(self.len)
    }

    pub(crate) const fn has(&self, a: usize, b: usize) -> bool {
        self.rows[a] & 1 << b != 0
    }

    pub(crate) const fn add(&mut self, a: usize, b: usize) {
        self.rows[a] |= 1 << b;
    }

    /// `a` with all of these too.
    pub(crate) const fn set(&mut self, a: usize, all: u64) {
        self.rows[a] |= all;
    }

    pub(crate) const fn row(&self, a: usize) -> u64 {
        self.rows[a]
    }

    /// Makes it transitive.
    pub(crate) fn close(&mut self) {
        for k in 0..self.len {
            let row = self.rows[k];
            for i in 0..self.len {
                if self.rows[i] & 1 << k != 0 {
                    self.rows[i] |= row;
                }
            }
        }
    }

    pub(crate) fn is_reflexive(&self) -> bool {
        (0..self.len).any(|it| self.has(it, it))
    }

    pub(crate) fn is_acyclic(mut self) -> bool {
        self.close();
        !self.is_reflexive()
    }

    /// This one, and then that.
    pub(crate) fn then(&self, that: &Self) -> Self {
        let mut rows = Self::new(self.len);
        for i in 0..self.len {
            let mut left = self.rows[i];
            while left != 0 {
                rows.rows[i] |= that.rows[left.trailing_zeros() as usize];
                left &= left - 1;
            }
        }
        rows
    }

    pub(crate) fn filter(&self, keep: impl Fn(usize, usize) -> bool) -> Self {
        let mut rows = Self::new(self.len);
        for a in 0..self.len {
            (0..self.len).filter(|b| self.has(a, *b) && keep(a, *b)).for_each(|b| rows.add(a, b));
        }
        rows
    }
}

impl BitOr for Rows {
    type Output = Self;

    fn bitor(mut self, that: Self) -> Self {
        (0..self.len).for_each(|it| self.rows[it] |= that.rows[it]);
        self
    }
}
