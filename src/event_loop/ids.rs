//! A table by numbers that this crate gives out, one after the other.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// What has a number, by it. Nobody outside chooses the numbers, so that they need no hash that is hard to foresee:
/// neighbours are neighbours in the table, and what comes and goes in order stays in the cache.
pub(super) type ById<T> = HashMap<u64, T, BuildHasherDefault<Itself>>;

/// The number itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Itself(u64);

impl Hasher for Itself {
    fn finish(&self) -> u64 {
        // The table takes a place from the low bits, and tells those of one place apart by the highest.
        self.0 | self.0 << 57
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only numbers are hashed")
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}
