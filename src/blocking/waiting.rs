//! Every worker that waits, and whether one that does may still go on.
//!
//! The question is asked under a lock of the whole process. So what it needs is found by what it is about: who runs or
//! is lent a cell, and who waits in a pool. An answer costs what it reaches, and not how many others wait; but what it
//! reaches is looked for in each pool in which somebody waits, since who queues a job tells nobody else.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
    sync::Arc,
};

use crate::{
    cell::Address,
    context::Id,
    sync::{Mutex, lock},
    waiter::Brings,
};

use super::{Awaited, Queue, Sleeper};

/// How many of the cells a thread waits for, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    All,
    Any,
    /// For the one cell to be settled, and for its callbacks to return. `[settled-5]`
    Returned,
    /// The same for any of several. `[wait-8]`
    AnyReturned,
}

impl Wanted {
    /// Whether callbacks have to return, too.
    pub(crate) const fn returned(self) -> bool {
        matches!(self, Self::Returned | Self::AnyReturned)
    }

    const fn any(self) -> bool {
        matches!(self, Self::Any | Self::AnyReturned)
    }
}

/// The cells that a thread waits for. Settled ones may be among them.
#[derive(Clone, Debug)]
pub(crate) enum Cells {
    One(Address),
    Many(Arc<BTreeSet<Address>>),
    /// The same; it is enough that the second of them are settled, also where callbacks have to return.
    Mixed(Arc<BTreeSet<Address>>, Arc<BTreeSet<Address>>),
}

impl Cells {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(many) | Self::Mixed(many, _) => many.len(),
        }
    }

    /// All that is a part of it.
    pub(crate) fn needs(&self, wanted: Wanted) -> impl Iterator<Item = Brings> {
        let returned = move |cell| self.returned(wanted, cell).then_some(Brings::Returned(cell));
        self.iter().flat_map(move |cell| iter::once(Brings::Settled(cell)).chain(returned(cell)))
    }

    fn iter(&self) -> impl Iterator<Item = Address> {
        let (one, many) = match self {
            Self::One(one) => (Some(*one), None),
            Self::Many(many) | Self::Mixed(many, _) => (None, Some(many)),
        };
        one.into_iter().chain(many.into_iter().flat_map(|many| many.iter().copied()))
    }

    /// Whether this is a part of what is wanted.
    pub(crate) fn need(&self, wanted: Wanted, brings: Brings) -> bool {
        match brings {
            Brings::Settled(cell) => self.contains(cell),
            Brings::Returned(cell) => self.returned(wanted, cell) && self.contains(cell),
        }
    }

    /// Whether the callbacks of this one have to return.
    pub(super) fn returned(&self, wanted: Wanted, cell: Address) -> bool {
        wanted.returned() && !matches!(self, Self::Mixed(_, settled) if settled.contains(&cell))
    }

    fn contains(&self, cell: Address) -> bool {
        match self {
            Self::One(one) => *one == cell,
            Self::Many(many) | Self::Mixed(many, _) => many.contains(&cell),
        }
    }

    pub(super) fn test(&self, wanted: Wanted, mut test: impl FnMut(Address) -> bool) -> bool {
        match self {
            Self::One(one) => test(*one),
            Self::Many(many) | Self::Mixed(many, _) => match wanted.any() {
                true => many.iter().any(|cell| test(*cell)),
                false => many.iter().all(|cell| test(*cell)),
            },
        }
    }
}

/// A loop that sleeps, and what it has noted.
pub(super) type Asleep = (Arc<dyn Sleeper>, Arc<Mutex<Awaited>>);

/// What a worker waits for.
pub(super) enum Goal {
    Cells(Cells, Wanted),
    /// The end of the pool with this number.
    End(Id),
    /// Whatever may wake a loop: this one, which awaits this, if it could run a job instead.
    Sleep(Option<Asleep>),
    /// Not yet anything; but what it runs does not end before all of these cells are settled. `[scope-4]`
    Owed(Arc<Mutex<BTreeSet<Address>>>),
}

impl Goal {
    /// Whether it goes on for now.
    pub(super) const fn owes(&self) -> bool {
        matches!(self, Self::Owed(_))
    }
}

/// A worker that waits.
pub(super) struct Waiting {
    pub(super) pool: Arc<dyn Queue>,
    /// What its jobs settle, if they do.
    pub(super) running: Vec<Option<Address>>,
    /// What its callbacks are lent.
    pub(super) lending: Vec<Address>,
    pub(super) goal: Goal,
    /// The wait of the same worker in which a closure is asked that waits here.
    pub(super) outer: Option<Id>,
}

/// Everybody who waits, over all pools.
pub(super) struct Waits {
    waiting: BTreeMap<Id, Waiting>,
    /// The wait that is inside of another, by that.
    inner: BTreeMap<Id, Id>,
    running: BTreeSet<(Address, Id)>,
    lending: BTreeSet<(Address, Id)>,
    pools: BTreeMap<Id, Pool>,
}

/// A pool of which somebody waits.
struct Pool {
    queue: Arc<dyn Queue>,
    waiting: BTreeSet<Id>,
    /// How many of them owe, and go on for now.
    owing: usize,
    /// How many of them are loops that sleep.
    loops: usize,
    /// How many of them are inside of another of the same worker.
    nested: usize,
}

impl Pool {
    /// How many of its workers are in a wait.
    fn parked(&self) -> usize {
        self.waiting.len() - self.owing - self.nested
    }

    /// How many of those who are in a wait have to go on, for one worker to be there.
    fn wanted(&self) -> usize {
        (self.parked() + 1).saturating_sub(self.queue.workers())
    }
}

impl Waits {
    pub(super) const fn new() -> Self {
        Self {
            waiting: BTreeMap::new(),
            inner: BTreeMap::new(),
            running: BTreeSet::new(),
            lending: BTreeSet::new(),
            pools: BTreeMap::new(),
        }
    }

    pub(super) fn enter(&mut self, id: Id, waiting: Waiting) {
        self.running.extend(waiting.running.iter().flatten().map(|cell| (*cell, id)));
        self.lending.extend(waiting.lending.iter().map(|cell| (*cell, id)));
        let pool = self.pools.entry(waiting.pool.id()).or_insert_with(|| Pool {
            queue: Arc::clone(&waiting.pool),
            waiting: BTreeSet::new(),
            owing: 0,
            loops: 0,
            nested: 0,
        });
        pool.waiting.insert(id);
        pool.owing += usize::from(waiting.goal.owes());
        pool.loops += usize::from(matches!(waiting.goal, Goal::Sleep(_)));
        pool.nested += usize::from(waiting.outer.is_some());
        self.inner.extend(waiting.outer.map(|outer| (outer, id)));
        self.waiting.insert(id, waiting);
    }

    /// Takes one out. It is returned, to be dropped with no lock held.
    pub(super) fn leave(&mut self, id: Id) -> Option<Waiting> {
        let waiting = self.waiting.remove(&id)?;
        waiting.running.iter().flatten().for_each(|cell| _ = self.running.remove(&(*cell, id)));
        waiting.lending.iter().for_each(|cell| _ = self.lending.remove(&(*cell, id)));
        waiting.outer.iter().for_each(|outer| _ = self.inner.remove(outer));
        let number = waiting.pool.id();
        if let Some(pool) = self.pools.get_mut(&number) {
            pool.waiting.remove(&id);
            pool.owing -= usize::from(waiting.goal.owes());
            pool.loops -= usize::from(matches!(waiting.goal, Goal::Sleep(_)));
            pool.nested -= usize::from(waiting.outer.is_some());
            if pool.waiting.is_empty() {
                self.pools.remove(&number);
            }
        }
        Some(waiting)
    }

    /// Whether this worker would wait for ever, as far as workers and their jobs tell: everybody of whom
    /// that is not certain is taken to go on. The same as in the model, see `settled::model`.
    pub(super) fn is_hopeless(&self, id: Id) -> bool {
        !Hope::new(self, true).is_for(Question::GoesOn(id))
    }

    /// The loops that await a queued job which nobody else can run, if none of the loops that sleep is woken.
    pub(super) fn to_help(&self) -> Vec<Arc<dyn Sleeper>> {
        let mut hope = Hope::new(self, false);
        let mut found = Vec::new();
        for (number, pool) in self.pools.iter().filter(|(_, pool)| pool.loops > 0) {
            // Mostly a worker is there.
            if pool.wanted() == 0 || hope.is_for(Question::Serves(*number)) {
                continue;
            }
            for id in &pool.waiting {
                let Goal::Sleep(Some((sleeper, awaited))) = &self.waiting[id].goal else {
                    continue;
                };
                let mut awaited = lock(awaited);
                let first = pool.queue.first_awaited_on(sleeper.id(), &mut awaited);
                let Some(cell) = first else { continue };
                if !hope.is_for(Question::Settles(cell)) {
                    found.push(Arc::clone(sleeper));
                }
            }
        }
        found
    }

    /// What the answer to a question depends on: it is yes if the answers to so many of these are.
    fn depends(&self, question: Question, loops: bool) -> (usize, Vec<Question>) {
        match question {
            Question::GoesOn(id) => match self.inner.get(&id) {
                Some(inner) => all(vec![Question::Ends(id), Question::GoesOn(*inner)]),
                None => self.depends(Question::Ends(id), loops),
            },
            Question::Ends(id) => self.ends(&self.waiting[&id].goal, loops),
            Question::Settles(cell) => all(self.settles(cell).collect()),
            Question::Both(cell) => all(self.settles(cell).chain(self.returns(cell)).collect()),
            Question::Serves(number) => {
                let pool = &self.pools[&number];
                let is_in_a_wait = |id: &&Id| {
                    let Waiting { goal, outer, .. } = &self.waiting[id];
                    !goal.owes() && outer.is_none()
                };
                let waits = pool.waiting.iter().filter(is_in_a_wait).copied();
                match pool.wanted() {
                    0 => all(Vec::new()),
                    wanted => (wanted, waits.map(Question::GoesOn).collect()),
                }
            }
        }
    }

    fn ends(&self, goal: &Goal, loops: bool) -> (usize, Vec<Question>) {
        match goal {
            Goal::Cells(cells, wanted) => {
                let question = |cell| match cells.returned(*wanted, cell) {
                    true => Question::Both(cell),
                    false => Question::Settles(cell),
                };
                // Of most of them it is certain at once.
                let is_certain = |cell| self.depends(question(cell), loops).1.is_empty();
                let mut left = Vec::new();
                let is_over = cells.test(*wanted, |cell| {
                    let is_certain = is_certain(cell);
                    if !is_certain {
                        left.push(question(cell));
                    }
                    is_certain || !wanted.any()
                });
                match (wanted.any(), cells) {
                    (true, Cells::Many(_) | Cells::Mixed(..)) if is_over => all(Vec::new()),
                    (true, Cells::Many(_) | Cells::Mixed(..)) => (1, left),
                    _ => all(left),
                }
            }
            Goal::End(pool) => {
                let waiting = self.pools.get(pool).map(|pool| &pool.waiting);
                all(waiting.into_iter().flatten().copied().map(Question::GoesOn).collect())
            }
            Goal::Sleep(_) => (usize::from(!loops), Vec::new()),
            Goal::Owed(cells) => all(lock(cells).iter().copied().map(Question::Settles).collect()),
        }
    }

    fn settles(&self, cell: Address) -> impl Iterator<Item = Question> {
        named(&self.running, cell).chain(self.queued(Brings::Settled(cell)))
    }

    /// Those whose callbacks are lent the cell have to return, and those to run that were sent to pools. `[settled-5]`
    fn returns(&self, cell: Address) -> impl Iterator<Item = Question> {
        named(&self.lending, cell).chain(self.queued(Brings::Returned(cell)))
    }

    /// The pools in which this is queued, and all of whose workers wait: of those that they have, and not of those that
    /// they may have.
    fn queued(&self, wanted: Brings) -> impl Iterator<Item = Question> {
        let leaves = move |pool: &Pool| Arc::clone(&pool.queue).leaves(wanted, pool.parked());
        let left = self.pools.iter().filter(move |(_, pool)| leaves(pool));
        left.map(|(number, _)| Question::Serves(*number))
    }
}

fn named(places: &BTreeSet<(Address, Id)>, cell: Address) -> impl Iterator<Item = Question> {
    places.range((cell, Id::MIN)..=(cell, Id::MAX)).map(|(_, id)| Question::GoesOn(*id))
}

fn all(questions: Vec<Question>) -> (usize, Vec<Question>) {
    (questions.len(), questions)
}

/// What may be asked of those who wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    /// Whether this worker may go on.
    GoesOn(Id),
    /// The same, of this wait alone, whatever is inside of it.
    Ends(Id),
    /// Whether a cell may still be settled.
    Settles(Address),
    /// The same, and whether its callbacks may still return.
    Both(Address),
    /// Whether fewer workers of a pool wait for ever than it has.
    Serves(Id),
}

/// Answers questions: yes, where that follows from what is certain, and no where it does not. Who waits in a circle
/// goes on by nothing.
struct Hope<'a> {
    waits: &'a Waits,
    /// Whether loops that sleep go on.
    loops: bool,
    asked: BTreeMap<Question, Answer>,
    /// Of which it was not looked up yet what they depend on.
    new: Vec<Question>,
}

#[derive(Default)]
struct Answer {
    /// How many of those that it depends on are still to be answered by yes; none if it is. Not known for a new one.
    left: Option<usize>,
    /// Those that depend on it.
    askers: Vec<Question>,
}

impl<'a> Hope<'a> {
    fn new(waits: &'a Waits, loops: bool) -> Self {
        Self { waits, loops, asked: BTreeMap::new(), new: Vec::new() }
    }

    fn is_for(&mut self, question: Question) -> bool {
        self.asked.entry(question).or_insert_with(|| {
            self.new.push(question);
            Answer::default()
        });
        while self.asked[&question].left != Some(0)
            && let Some(next) = self.new.pop()
        {
            self.look_up(next);
        }
        self.asked[&question].left == Some(0)
    }

    fn look_up(&mut self, question: Question) {
        let (mut left, on) = self.waits.depends(question, self.loops);
        for other in on {
            let asked = self.asked.entry(other).or_insert_with(|| {
                self.new.push(other);
                Answer::default()
            });
            if asked.left == Some(0) {
                left = left.saturating_sub(1);
            } else {
                asked.askers.push(question);
            }
        }
        self.asked.entry(question).or_default().left = Some(left);
        let mut yes = if left == 0 { vec![question] } else { Vec::new() };
        while let Some(next) = yes.pop() {
            let askers = self.asked.get_mut(&next).map(|it| std::mem::take(&mut it.askers));
            for asker in askers.into_iter().flatten() {
                if let Some(Answer { left: Some(left @ 1..), .. }) = self.asked.get_mut(&asker) {
                    *left -= 1;
                    if *left == 0 {
                        yes.push(asker);
                    }
                }
            }
        }
    }
}
