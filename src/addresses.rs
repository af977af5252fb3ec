//! Sets of cells, by where they are.

use std::{
    collections::HashSet,
    hash::{BuildHasherDefault, Hasher},
};

use crate::cell::Address;

/// Cells, each once.
pub(crate) type Addresses = HashSet<Address, BuildHasherDefault<Spread>>;

/// Keeps neighbours together: a table begins to look where the low bits say, so that whoever comes from one cell to the next
/// goes through it in order, and does not jump about in it. The allocator chooses addresses, and nobody who would choose many
/// that collide.
#[derive(Default)]
pub(crate) struct Spread(u64);

/// A place for each 16 bytes and a little more, so that cells at equal distances do not come back to one place, also where
/// that is a power of two: as large ones are.
const EACH: u64 = 0x1004_79B9_7F4A_7C15;

/// What a table tells those apart by who come to one place.
const HIGHEST: u64 = 0b111_1111 << 57;

impl Hasher for Spread {
    fn write_usize(&mut self, address: usize) {
        let (rest, place) = (address as u64).carrying_mul(EACH, 0);
        self.0 = place & !HIGHEST | rest & HIGHEST;
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("an address is one number");
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
