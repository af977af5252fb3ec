//! Whether a worker that waits may still go on: the search over those whom it reaches, beside one over everybody.
//!
//! The search is that of the crate, in the test itself. The other is what the clauses say, in as few lines as possible.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

#[path = "support/dice.rs"]
mod dice;

mod cell {
    pub(crate) type Address = std::num::NonZero<usize>;
}

mod context {
    pub(crate) type Id = u64;
}

mod waiter {
    use crate::cell::Address;

    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub(crate) enum Brings {
        Settled(Address),
        Returned(Address),
    }
}

mod sync {
    pub(crate) use std::sync::Mutex;

    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
        mutex.lock().unwrap()
    }
}

#[path = "../src/blocking/waiting.rs"]
#[expect(dead_code, reason = "what looks for jobs is not asked here")]
mod waiting;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use cell::Address;
use dice::Dice;
use waiter::Brings;
use waiting::{Cells, Goal, Waiting, Waits, Wanted};

/// What the search asks of a pool.
trait Queue {
    fn id(&self) -> u64;
    fn workers(&self) -> usize;
    fn leaves(self: Arc<Self>, wanted: Brings, stuck: usize) -> bool;
    fn first_awaited_on(&self, home: u64, awaited: &mut Awaited) -> Option<Address>;
}

/// What a loop has noted; nothing here.
#[derive(Default)]
struct Awaited;

trait Sleeper {
    fn id(&self) -> u64;
}

/// A pool that cannot start another worker.
#[derive(Default)]
struct Pool {
    id: u64,
    workers: usize,
    queued: Vec<Brings>,
    asked: AtomicUsize,
}

impl Queue for Pool {
    fn id(&self) -> u64 {
        self.id
    }

    fn workers(&self) -> usize {
        self.asked.fetch_add(1, Relaxed);
        self.workers
    }

    fn leaves(self: Arc<Self>, wanted: Brings, stuck: usize) -> bool {
        self.asked.fetch_add(1, Relaxed);
        stuck >= self.workers && self.queued.contains(&wanted)
    }

    fn first_awaited_on(&self, home: u64, _: &mut Awaited) -> Option<Address> {
        self.queued.iter().find_map(|brings| match brings {
            Brings::Settled(cell) if cell.get() as u64 % 3 == home % 3 => Some(*cell),
            _ => None,
        })
    }
}

struct Loop(u64);

impl Sleeper for Loop {
    fn id(&self) -> u64 {
        self.0
    }
}

/// What somebody waits for.
#[derive(Clone, Debug)]
enum For {
    Cells(Vec<Address>, Wanted),
    /// Of the second it is enough that they are settled.
    Mixed(Vec<Address>, Vec<Address>, Wanted),
    One(Address, Wanted),
    End(u64),
    Sleep(Option<u64>),
    Owed(Vec<Address>),
}

#[derive(Clone, Debug)]
struct One {
    id: u64,
    /// The wait of the same worker, inside of which this one is.
    outer: Option<u64>,
    pool: usize,
    running: Vec<Option<Address>>,
    lending: Vec<Address>,
    goal: For,
}

impl One {
    fn waiting(&self, pools: &[Arc<Pool>]) -> Waiting {
        let goal = match &self.goal {
            For::Cells(cells, wanted) => {
                Goal::Cells(Cells::Many(Arc::new(cells.iter().copied().collect())), *wanted)
            }
            For::Mixed(cells, settled, wanted) => {
                let [cells, settled] =
                    [cells, settled].map(|them| Arc::new(them.iter().copied().collect()));
                Goal::Cells(Cells::Mixed(cells, settled), *wanted)
            }
            For::One(cell, wanted) => Goal::Cells(Cells::One(*cell), *wanted),
            For::End(pool) => Goal::End(*pool),
            For::Sleep(own) => Goal::Sleep(
                own.map(|own| (Arc::new(Loop(own)) as Arc<dyn Sleeper>, Arc::default())),
            ),
            For::Owed(cells) => {
                let cells: BTreeSet<_> = cells.iter().copied().collect();
                Goal::Owed(Arc::new(Mutex::new(cells)))
            }
        };
        Waiting {
            pool: Arc::clone(&pools[self.pool]) as Arc<dyn Queue>,
            running: self.running.clone(),
            lending: self.lending.clone(),
            goal,
            outer: self.outer,
        }
    }

    fn owes(&self) -> bool {
        matches!(self.goal, For::Owed(_))
    }
}

/// Everybody at once: who goes on, beginning with nobody, until nothing changes.
struct Everybody<'a> {
    pools: &'a [Arc<Pool>],
    all: &'a [One],
    loops: bool,
    live: Vec<bool>,
}

impl<'a> Everybody<'a> {
    fn new(pools: &'a [Arc<Pool>], all: &'a [One], loops: bool) -> Self {
        let mut this = Self { pools, all, loops, live: vec![false; all.len()] };
        loop {
            let inner = |it: &One| this.dead().all(|other| other.outer != Some(it.id));
            let live: Vec<_> = all.iter().map(|it| this.goes_on(it) && inner(it)).collect();
            if live == this.live {
                return this;
            }
            this.live = live;
        }
    }

    fn goes_on(&self, it: &One) -> bool {
        let is_over = |cell: &Address, wanted: Wanted| {
            self.settles(*cell)
                && (matches!(wanted, Wanted::All | Wanted::Any)
                    || self.dead().all(|other| !other.lending.contains(cell))
                        && !self.is_queued_in_vain(Brings::Returned(*cell)))
        };
        let settled_or = |settled: &[Address], cell: &Address, wanted: Wanted| match wanted {
            Wanted::Returned if settled.contains(cell) => Wanted::All,
            Wanted::AnyReturned if settled.contains(cell) => Wanted::Any,
            _ => wanted,
        };
        match &it.goal {
            For::Mixed(cells, settled, wanted @ (Wanted::Any | Wanted::AnyReturned)) => {
                cells.iter().any(|cell| is_over(cell, settled_or(settled, cell, *wanted)))
            }
            For::Mixed(cells, settled, wanted) => {
                cells.iter().all(|cell| is_over(cell, settled_or(settled, cell, *wanted)))
            }
            For::One(cell, wanted) => is_over(cell, *wanted),
            For::Cells(cells, wanted @ (Wanted::Any | Wanted::AnyReturned)) => {
                cells.iter().any(|cell| is_over(cell, *wanted))
            }
            For::Cells(cells, wanted) => cells.iter().all(|cell| is_over(cell, *wanted)),
            For::End(pool) => self.dead().all(|other| self.pools[other.pool].id != *pool),
            For::Sleep(_) => self.loops,
            For::Owed(cells) => cells.iter().all(|cell| self.settles(*cell)),
        }
    }

    fn dead(&self) -> impl Iterator<Item = &One> {
        self.all.iter().zip(&self.live).filter(|(_, live)| !**live).map(|(it, _)| it)
    }

    fn is_left(&self, at: usize) -> bool {
        // A worker counts once, however many waits of it are inside of each other.
        let stuck = self.dead().filter(|it| it.pool == at && !it.owes() && it.outer.is_none());
        self.all.iter().any(|it| it.pool == at) && stuck.count() >= self.pools[at].workers
    }

    fn is_queued_in_vain(&self, brings: Brings) -> bool {
        let is_left = |at: usize| self.pools[at].queued.contains(&brings) && self.is_left(at);
        (0..self.pools.len()).any(is_left)
    }

    fn settles(&self, cell: Address) -> bool {
        self.dead().all(|it| !it.running.contains(&Some(cell)))
            && !self.is_queued_in_vain(Brings::Settled(cell))
    }

    fn to_help(&self) -> Vec<u64> {
        let own = |it: &One| {
            let For::Sleep(Some(own)) = it.goal else { return None };
            let pool = &self.pools[it.pool];
            let cell =
                self.is_left(it.pool).then(|| pool.first_awaited_on(own, &mut Awaited))??;
            (!self.settles(cell)).then_some(own)
        };
        self.all.iter().filter_map(own).collect()
    }
}

impl Dice {
    fn cell(&mut self) -> Address {
        address(self.below(6))
    }

    fn cells(&mut self, end: usize) -> Vec<Address> {
        (0..self.below(end)).map(|_| self.cell()).collect()
    }

    fn goal(&mut self) -> For {
        let wanted = [Wanted::All, Wanted::Any, Wanted::Returned, Wanted::AnyReturned];
        match self.below(10) {
            0..=3 => For::One(self.cell(), wanted[self.below(4)]),
            4 | 5 => For::Cells(self.cells(4), wanted[self.below(4)]),
            6 => For::Mixed(self.cells(4), self.cells(4), wanted[self.below(4)]),
            7 => For::End(self.below(3) as u64),
            8 => For::Sleep((self.below(3) > 0).then(|| 10 + self.below(9) as u64)),
            _ => For::Owed(self.cells(4)),
        }
    }
}

fn address(number: usize) -> Address {
    Address::new(number + 1).unwrap()
}

#[test]
fn the_search_answers_as_one_over_everybody() {
    watch!();
    let (mut hopeless, mut helped, mut asked, mut nested) = (0, 0, 0, 0);
    for seed in 0..2_000 {
        let mut dice = Dice(seed);
        let pools: Vec<_> = (0..3)
            .map(|id| {
                let (workers, queued) = (1 + dice.below(3), dice.cells(4));
                let brings = [Brings::Settled, Brings::Settled, Brings::Returned];
                let queued = queued.into_iter().map(|cell| brings[dice.below(3)](cell)).collect();
                Arc::new(Pool { id, workers, queued, ..Pool::default() })
            })
            .collect();
        let mut all: Vec<One> = Vec::new();
        for id in 0..1 + dice.below(8) as u64 {
            let (running, lending) = (dice.cells(3), dice.cells(2));
            let running = running.into_iter().map(|it| (dice.below(9) > 0).then_some(it)).collect();
            let pool = dice.below(3);
            let mut one = One { id, outer: None, pool, running, lending, goal: dice.goal() };
            if let Some(last) = all.last().filter(|it| !it.owes() && !one.owes())
                && dice.below(3) == 0
            {
                (one.outer, one.pool) = (Some(last.id), last.pool);
                nested += 1;
            }
            all.push(one);
        }
        let mut waits = Waits::new();
        for it in &all {
            waits.enter(it.id, it.waiting(&pools));
        }
        loop {
            let everybody = Everybody::new(&pools, &all, true);
            for (One { id, .. }, live) in all.iter().zip(&everybody.live) {
                assert_eq!(waits.is_hopeless(*id), !live, "{id} of seed {seed}: {all:?}");
                hopeless += usize::from(!live);
                asked += 1;
            }
            let mut found: Vec<_> = waits.to_help().iter().map(|it| it.id()).collect();
            let mut wanted = Everybody::new(&pools, &all, false).to_help();
            found.sort_unstable();
            wanted.sort_unstable();
            assert_eq!(found, wanted, "seed {seed}: {all:?}");
            helped += found.len();
            if all.is_empty() {
                break;
            }
            // One leaves, and nothing of him stays.
            let mut at = dice.below(all.len());
            while let Some(inner) = all.iter().position(|it| it.outer == Some(all[at].id)) {
                at = inner;
            }
            assert!(waits.leave(all.remove(at).id).is_some());
        }
    }
    assert!(hopeless > asked / 10 && hopeless < asked - asked / 10, "{hopeless} of {asked}");
    assert!(helped > 100 && nested > 1000, "{helped}, {nested}");
}

/// How often a wait asks a pool of which so many wait.
fn asked_among(many: usize) -> usize {
    let pool = Arc::new(Pool { workers: many + 1, ..Pool::default() });
    let mut waits = Waits::new();
    let one = |number| {
        let goal = For::One(address(2 * number), Wanted::All);
        let (id, running) = (number as u64, vec![Some(address(2 * number + 1))]);
        One { id, outer: None, pool: 0, running, lending: Vec::new(), goal }
    };
    for number in 0..=many {
        waits.enter(number as u64, one(number).waiting(&[Arc::clone(&pool)]));
    }
    let before = pool.asked.load(Relaxed);
    assert!(!waits.is_hopeless(many as u64));
    assert!(waits.to_help().is_empty());
    pool.asked.load(Relaxed) - before
}

#[test]
fn a_wait_costs_what_it_reaches_and_not_how_many_others_wait() {
    watch!();
    assert_eq!(asked_among(10), asked_among(1000));
    assert!(asked_among(1000) < 4);
}
