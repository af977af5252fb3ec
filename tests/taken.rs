//! The queue of a pool: what is taken out of it, beside a queue that is searched from its beginning, and how much is looked
//! at for it.
//!
//! The queue is that of the crate, in the test itself.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

#[path = "support/dice.rs"]
mod dice;

mod cell {
    pub(crate) type Address = std::num::NonZero<usize>;
}

mod blocking {
    use std::{
        cell::Cell,
        collections::{BTreeSet, VecDeque},
        iter,
    };

    use crate::{cell::Address, waiter::Brings};

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Wanted {
        All,
        Returned,
    }

    #[derive(Debug, Default)]
    pub(crate) struct Looked {
        pub(crate) until: u64,
        pub(crate) wanted: VecDeque<u64>,
    }

    #[derive(Debug, Default)]
    pub(crate) struct Awaited {
        pub(crate) new: BTreeSet<Address>,
        pub(crate) until: u64,
        pub(crate) jobs: BTreeSet<u64>,
    }

    /// Cells, and how often one was looked at.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Cells(pub(crate) BTreeSet<Address>, pub(crate) Cell<usize>);

    impl Cells {
        fn looks(&self) {
            self.1.set(self.1.get() + 1);
        }

        pub(crate) fn len(&self) -> usize {
            self.0.len()
        }

        pub(crate) fn need(&self, wanted: Wanted, brings: Brings) -> bool {
            self.looks();
            match brings {
                Brings::Settled(cell) => self.0.contains(&cell),
                Brings::Returned(cell) => wanted == Wanted::Returned && self.0.contains(&cell),
            }
        }

        pub(crate) fn needs(&self, wanted: Wanted) -> impl Iterator<Item = Brings> {
            let returned =
                move |cell| (wanted == Wanted::Returned).then_some(Brings::Returned(cell));
            let needs = move |cell| iter::once(Brings::Settled(cell)).chain(returned(cell));
            self.0.iter().flat_map(move |cell| needs(*cell)).inspect(|_| self.looks())
        }
    }
}

mod context {
    pub(crate) type Id = u64;
}

mod waiter {
    use std::{
        cell::{Cell, RefCell},
        collections::BTreeSet,
    };

    use crate::{cell::Address, context::Id};

    thread_local! {
        /// What is awaited on which loop, and how often a job was asked.
        pub(crate) static AWAITED: RefCell<BTreeSet<(Id, Address)>> = RefCell::default();
        pub(crate) static ASKED: Cell<usize> = const { Cell::new(0) };
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub(crate) enum Brings {
        Settled(Address),
        Returned(Address),
    }

    /// A job with a name, and what it brings about.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(crate) struct Job(pub(crate) usize, pub(crate) Vec<Brings>);

    impl Job {
        pub(crate) fn brings(&self) -> impl Iterator<Item = Brings> + use<> {
            self.1.clone().into_iter()
        }

        pub(crate) fn settles(&self) -> Option<Address> {
            self.1.iter().find_map(|it| match it {
                Brings::Settled(cell) => Some(*cell),
                Brings::Returned(_) => None,
            })
        }

        pub(crate) fn is_awaited_on(&self, home: Id) -> bool {
            ASKED.set(ASKED.get() + 1);
            self.settles().is_some_and(|cell| AWAITED.with_borrow(|it| it.contains(&(home, cell))))
        }
    }
}

#[path = "../src/thread/jobs.rs"]
#[expect(dead_code, reason = "what is taken is counted here, and not all else that it does")]
mod jobs;

use std::collections::VecDeque;

use blocking::{Awaited, Cells, Looked, Wanted};
use cell::Address;
use dice::Dice;
use jobs::Jobs;
use waiter::{ASKED, AWAITED, Brings, Job};

fn address(number: usize) -> Address {
    Address::new(number + 1).unwrap()
}

impl Dice {
    fn brings(&mut self, range: usize) -> Brings {
        [Brings::Settled, Brings::Settled, Brings::Returned][self.below(3)](address(
            self.below(range),
        ))
    }
}

/// What a worker that waits has asked for, and has noted.
struct Asker {
    cells: Cells,
    wanted: Wanted,
    looked: Looked,
}

#[test]
fn what_is_taken_is_the_first_that_is_wanted() {
    watch!();
    let mut taken = 0;
    for seed in 0..1_000 {
        let mut dice = Dice(seed);
        let (mut jobs, mut plain) = (Jobs::default(), VecDeque::<Job>::new());
        let range = 5 + dice.below(40);
        let mut askers: Vec<Asker> = Vec::new();
        for name in 0..200 {
            match dice.below(8) {
                0..=2 => {
                    let brings = (0..dice.below(3)).map(|_| dice.brings(range)).collect();
                    let job = Job(name, brings);
                    jobs.push(job.clone());
                    plain.push_back(job);
                }
                3 => assert_eq!(jobs.pop(), plain.pop_front()),
                4 => {
                    let wanted = dice.brings(range);
                    assert_eq!(jobs.has(wanted), plain.iter().any(|it| it.1.contains(&wanted)));
                }
                5 => {
                    let cells = (0..dice.below(9)).map(|_| address(dice.below(range))).collect();
                    let (cells, looked) = (Cells(cells, 0.into()), Looked::default());
                    let wanted = [Wanted::All, Wanted::Returned][dice.below(2)];
                    askers.push(Asker { cells, wanted, looked });
                }
                _ if askers.is_empty() => {}
                _ => {
                    let at = dice.below(askers.len());
                    let Asker { cells, wanted, looked } = &mut askers[at];
                    let wanted = *wanted;
                    // It hears of some.
                    if dice.below(2) == 0 {
                        cells.0.pop_first();
                    }
                    let is_wanted = |it: &Job| it.brings().any(|it| cells.need(wanted, it));
                    let found = plain.iter().position(is_wanted);
                    assert_eq!(jobs.holds(cells, wanted), found.is_some());
                    let found = found.and_then(|at| plain.remove(at));
                    taken += usize::from(found.is_some());
                    assert_eq!(jobs.take(cells, wanted, looked), found, "seed {seed}");
                }
            }
            assert_eq!(jobs.len(), plain.len());
            if dice.below(100) == 0 {
                assert!(jobs.take_all().eq(plain.drain(..)));
            }
            assert!(jobs.iter().eq(&plain));
        }
    }
    assert!(taken > 1_000, "{taken}");
}

#[test]
fn what_a_loop_finds_is_the_first_that_it_awaits() {
    watch!();
    let mut found = 0;
    for seed in 0..1_000 {
        let mut dice = Dice(seed);
        AWAITED.take();
        let (mut jobs, mut plain) = (Jobs::default(), VecDeque::<Job>::new());
        let range = 5 + dice.below(40);
        let mut loops: [Awaited; 2] = Default::default();
        for name in 0..200 {
            let (home, cell) = (dice.below(2), address(dice.below(range)));
            match dice.below(7) {
                // Also of what was awaited before.
                0 | 1 => {
                    let job = Job(name, vec![Brings::Settled(cell)]);
                    jobs.push(job.clone());
                    plain.push_back(job);
                }
                2 => assert_eq!(jobs.pop(), plain.pop_front()),
                3 => {
                    let cells = Cells([cell].into(), 0.into());
                    let at = plain.iter().position(|it| it.settles() == Some(cell));
                    let taken = at.and_then(|at| plain.remove(at));
                    assert_eq!(jobs.take(&cells, Wanted::All, &mut Looked::default()), taken);
                }
                4 => {
                    AWAITED.with_borrow_mut(|it| it.insert((home as u64, cell)));
                    loops[home].new.insert(cell);
                }
                5 => _ = AWAITED.with_borrow_mut(|it| it.remove(&(home as u64, cell))),
                _ => {
                    let first = plain.iter().find(|it| it.is_awaited_on(home as u64));
                    let first = first.and_then(Job::settles);
                    let told = jobs.first_awaited_on(home as u64, &mut loops[home]);
                    assert_eq!(told, first, "seed {seed}");
                    found += usize::from(first.is_some());
                }
            }
        }
    }
    assert!(found > 1_000, "{found}");
}

fn job(number: usize) -> Job {
    Job(number, vec![Brings::Settled(address(number))])
}

/// How often a cell is looked at by who waits for so many jobs, the last first, behind as many of others.
fn looks_one_by_one(many: usize) -> usize {
    let mut jobs = Jobs::default();
    (0..2 * many).for_each(|number| jobs.push(job(number)));
    let mut looks = 0;
    for number in (many..2 * many).rev() {
        let cells = Cells([address(number)].into(), 0.into());
        assert_eq!(
            jobs.take(&cells, Wanted::All, &mut Looked::default()).map(|it| it.0),
            Some(number)
        );
        looks += cells.1.get();
    }
    looks
}

/// The same for one who waits for all of them together.
fn looks_together(many: usize) -> usize {
    let mut jobs = Jobs::default();
    (0..2 * many).for_each(|number| jobs.push(job(number)));
    let mut cells = Cells((many..2 * many).map(address).collect(), 0.into());
    let mut looked = Looked::default();
    for number in many..2 * many {
        assert_eq!(jobs.take(&cells, Wanted::All, &mut looked).map(|it| it.0), Some(number));
        cells.0.remove(&address(number));
    }
    assert_eq!(jobs.take(&cells, Wanted::All, &mut looked), None);
    cells.1.get()
}

/// How often a job is asked by a loop that sleeps as many times as jobs are queued, and again until it has run as many
/// that it awaits, which are behind them.
fn asked_by_a_loop(many: usize) -> usize {
    let (mut jobs, mut awaited, before) = (Jobs::default(), Awaited::default(), ASKED.get());
    (0..2 * many).for_each(|number| jobs.push(job(number)));
    for _ in 0..many {
        assert_eq!(jobs.first_awaited_on(0, &mut awaited), None);
    }
    for cell in (many..2 * many).map(address) {
        AWAITED.with_borrow_mut(|it| it.insert((0, cell)));
        awaited.new.insert(cell);
    }
    for cell in (many..2 * many).map(address) {
        assert_eq!(jobs.first_awaited_on(0, &mut awaited), Some(cell));
        let cells = Cells([cell].into(), 0.into());
        assert!(jobs.take(&cells, Wanted::All, &mut Looked::default()).is_some());
    }
    AWAITED.take();
    ASKED.get() - before
}

#[test]
fn what_is_looked_at_grows_as_the_jobs_that_are_waited_for() {
    watch!();
    for looks in [looks_one_by_one, looks_together, asked_by_a_loop] {
        let (few, many) = (looks(100), looks(1000));
        assert!(few > 0 && many <= 11 * few, "{few}, {many}");
    }
}
