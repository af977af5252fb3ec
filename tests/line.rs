//! The line of those who are told of a loop future: what leaves it, beside a list that is searched from its beginning,
//! and how much is compared for that.
//!
//! The line is that of the crate, in the test itself.

extern crate alloc;

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

#[path = "../src/places.rs"]
mod places;

use std::{cell::Cell, cmp::Ordering};

use places::Places;

thread_local!(static COMPARED: Cell<usize> = const { Cell::new(0) });

/// A number that counts how often it is compared.
#[derive(Clone, Copy, Debug)]
struct Number(u32);

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        COMPARED.set(COMPARED.get() + 1);
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

/// Numbers that look as if they were random.
fn random(mut seed: u64) -> impl FnMut(u32) -> u32 {
    move |below| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as u32 % below
    }
}

#[test]
fn what_leaves_is_what_a_search_from_the_beginning_finds() {
    watch!();
    for seed in 0..200 {
        let (mut random, mut next) = (random(seed), 0);
        let (mut line, mut list) = (Places::default(), Vec::<u32>::new());
        for _ in 0..300 {
            match random(9) {
                0..4 => {
                    line.push(Number(next), next);
                    list.push(next);
                    next += 1;
                }
                4..6 => {
                    let number = random(next + 1);
                    let at = list.iter().position(|it| *it == number);
                    assert_eq!(line.remove(Number(number)), at.map(|at| list.remove(at)));
                }
                6 => {
                    let end = random(next + 1);
                    let first = list.first().copied().filter(|first| *first < end);
                    assert_eq!(line.pop_below(Number(end)), first);
                    list.drain(..usize::from(first.is_some()));
                }
                7 => {
                    let number = random(next + 1);
                    let there = list.iter().find(|it| **it == number);
                    assert_eq!(line.get_mut(Number(number)).map(|it| &*it), there);
                }
                _ if random(8) == 0 => {
                    let stays = |number: &u32| !number.is_multiple_of(3);
                    let gone: Vec<_> = list.extract_if(.., |it| !stays(it)).collect();
                    assert_eq!(line.extract(stays), gone);
                }
                _ if random(30) == 0 => {
                    assert_eq!(line.take_all().collect::<Vec<_>>(), std::mem::take(&mut list));
                }
                _ => {}
            }
            assert_eq!(line.iter().copied().collect::<Vec<_>>(), list);
            assert_eq!(line.first().map(|first| first.0), list.first().copied());
            assert_eq!((line.len(), line.is_empty()), (list.len(), list.is_empty()));
        }
    }
}

/// How many numbers are compared for each of so many that leave at random.
fn compared_for_each_of(count: u32) -> usize {
    let mut line = Places::default();
    (0..count).for_each(|number| line.push(Number(number), ()));
    let (mut random, mut leave) = (random(7), (0..count).collect::<Vec<_>>());
    let before = COMPARED.get();
    while !leave.is_empty() {
        let number = leave.swap_remove(random(leave.len() as u32) as usize);
        assert_eq!(line.remove(Number(number)), Some(()));
    }
    (COMPARED.get() - before) / count as usize
}

#[test]
fn what_is_compared_grows_as_the_digits_of_their_number() {
    watch!();
    let [few, many] = [1 << 8, 1 << 14].map(compared_for_each_of);
    assert!(few > 4, "they are compared: {few}");
    assert!(many <= few + 2 * 6, "{many} for each of 64 times as many, instead of {few}");
}
