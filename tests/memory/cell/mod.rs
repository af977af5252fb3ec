//! The cell's protocol, two and three threads at a time: each call as `src/cell` has it, with the word that ships.
//!
//! What a call does to memory is written here once more, access by access, under the names that the orderings have in
//! the code: the word, the count of weak handles, the lock of the list, and what is not atomic, which is the slot and what
//! the lock guards. A step of the word is one read-modify-write; in the programs that are `in detail` it is what the
//! code has, a look and then a compare-and-swap for as long as that fails.

pub(crate) mod calls;
mod ends;
mod users;
mod waits;
#[path = "../../../src/cell/word.rs"]
#[expect(dead_code, reason = "the whole of it is `tests/word.rs`'s")]
mod word;

pub(crate) use calls::Way;
pub(crate) use users::{LONG, Make, SHORT, WRONG};

use crate::program::{Place, Program};
use word::Word;

/// As many as the word counts.
const MOST_HANDLES: u64 = (1 << 24) - 1;
const MOST_LENT: u64 = (1 << 20) - 1;
const MOST_HOLDS: u64 = (1 << 7) - 1;
/// Where it counts them: there is room for one more.
const HOLDS: u64 = (1 << 8) - 1;

/// What a cell consists of, all of which is freed.
pub(crate) const CELL: [Place; 7] = [WORD, WEAK, LOCK, LIST, REASON, FAILURE, SLOT];
const WORD: Place = 0;
const WEAK: Place = 1;
/// The list's lock, and what it guards: who is registered, the reason, and what is shown of a cancellation, which is read
/// without the lock once it is made.
const LOCK: Place = 2;
const LIST: Place = 3;
const REASON: Place = 4;
const FAILURE: Place = 5;
/// Whether there is a value in it.
pub(crate) const SLOT: Place = 6;
/// What a producer and a canceller have done before.
const WORK: Place = 7;
const CAUSE: Place = 8;
/// Of each who waits, whether he was told.
pub(crate) const TOLD: [Place; 2] = [9, 10];

const NAMES: [&str; 11] = [
    "word", "weak", "lock", "list", "reason", "failure", "slot", "work", "cause", "told 0",
    "told 1",
];

/// A program in which the word is this in the beginning.
fn cell(word: Word) -> Program {
    Program::new(&NAMES).starts(WORD, word.bits())
}

/// A promise and so many futures.
fn pending(futures: usize) -> Word {
    let one_more = |word: Word, _| word.share().expect("so few can be counted");
    (1..futures).fold(Word::new(false), one_more)
}
