//! The lock of a cell, of one byte. In the scenarios of cells loom's lock stands for it.
#![expect(unsafe_code, reason = "a plain field that only the lock orders")]

use std::sync::Arc;

use loom::{cell::UnsafeCell, thread};
use settled::ByteLock;

use crate::explore::{Seen, explore, explore_bounded, saw};

/// What the lock guards: loom sees who uses it while another does.
struct Guarded {
    lock: ByteLock,
    value: UnsafeCell<u32>,
}

impl Guarded {
    fn add_one(&self) {
        self.value.with_mut(|value| unsafe { *value += 1 });
    }
}

/// So many threads, of which each takes it as often as is said.
fn take_turns(threads: u32, times: u32) {
    let guarded = Arc::new(Guarded { lock: ByteLock::new(), value: UnsafeCell::new(0) });
    let turns = |guarded: Arc<Guarded>| {
        move || (0..times).for_each(|_| guarded.lock.with(|| guarded.add_one()))
    };
    let others: Vec<_> = (1..threads).map(|_| thread::spawn(turns(Arc::clone(&guarded)))).collect();
    turns(Arc::clone(&guarded))();
    others.into_iter().for_each(|other| other.join().unwrap());
    let value = guarded.lock.with(|| guarded.value.with(|value| unsafe { *value }));
    assert_eq!(value, threads * times);
}

/// `[callback-6]` Nobody is in when another is, nobody oversleeps that it is free, and who takes it sees what was done in it.
pub(crate) fn two_threads_take_turns() {
    explore("lock_two", &["in turn"], |seen| {
        take_turns(2, 2);
        saw(seen, "in turn");
    });
}

/// Of two that sleep one may find it free, and then wakes the other. Three preemptions: the one that has it is left once, and
/// each that sleeps once between its look and its sleep.
pub(crate) fn three_threads_take_turns() {
    explore_bounded("lock_three", &["in turn"], |seen| {
        take_turns(3, 1);
        saw(seen, "in turn");
    });
}

/// Who only tries does not wait, and takes it from nobody.
pub(crate) fn a_try_against_a_turn() {
    explore("lock_try", &["taken", "free"], |seen: &Seen| {
        let guarded = Arc::new(Guarded { lock: ByteLock::new(), value: UnsafeCell::new(0) });
        let other = thread::spawn({
            let guarded = Arc::clone(&guarded);
            move || guarded.lock.with(|| guarded.add_one())
        });
        let tried = guarded.lock.try_with(|| guarded.add_one());
        other.join().unwrap();
        saw(seen, if tried.is_some() { "free" } else { "taken" });
    });
}
