//! Sets of cells, by where they are.

use std::{
    collections::HashSet,
    hash::{BuildHasherDefault, Hasher},
};

use crate::cell::Address;

/// Cells, each once.
pub(crate) type Addresses = HashSet<Address, BuildHasherDefault<Spread>>;

/// Spreads an address over all bits. The allocator chooses addresses, and nobody who would choose many that collide.
#[derive(Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn write_usize(&mut self, address: usize) {
        // The high bits of the product depend on all bits of the address; a table looks at the low ones too.
        self.0 = (address as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(26);
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("an address is one number");
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
