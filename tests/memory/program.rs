//! Programs: threads over a few places of memory, written as functions.
//!
//! A thread is a function that is run again from its beginning whenever it has been told one answer more, until it asks
//! for something that it has not been told yet: `?` ends the run there. So a thread may branch on what it reads, and
//! must do nothing else than ask.

use std::collections::BTreeSet;

/// A place of memory, by its number in the program.
pub(crate) type Place = usize;

/// How an access or a fence is ordered. A plain access is no atomic one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Order {
    Plain,
    Relaxed,
    Acquire,
    Release,
    AcqRel,
    SeqCst,
}

impl Order {
    pub(crate) const fn acquires(self) -> bool {
        matches!(self, Self::Acquire | Self::AcqRel | Self::SeqCst)
    }

    pub(crate) const fn releases(self) -> bool {
        matches!(self, Self::Release | Self::AcqRel | Self::SeqCst)
    }
}

/// What a read-modify-write writes over what it finds, if it writes.
type Change = Box<dyn Fn(u64) -> Option<u64>>;

/// What a thread asks for.
pub(crate) enum Ask {
    Load {
        at: Place,
        order: Order,
    },
    Store {
        at: Place,
        order: Order,
        value: u64,
    },
    /// Atomic: the read is ordered so if nothing is written.
    Update {
        at: Place,
        order: Order,
        failure: Order,
        change: Change,
        /// Whether it waits until there is something to write.
        waits: bool,
    },
    Fence(Order),
    /// The memory of these places is given back.
    Free(Vec<Place>),
}

/// Why a run of a thread ended.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It has asked for something.
    Asks,
    /// What it requires is not so.
    Wrong(&'static str),
}

/// What a thread returns: the value that it observed.
pub(crate) type Run<T = u64> = Result<T, Stop>;

/// An ordering that has a name.
pub(crate) type Named = (&'static str, Order);

/// One run of a thread.
pub(crate) struct Thread<'a> {
    answers: std::slice::Iter<'a, u64>,
    asks: Option<Ask>,
    weakened: Option<(&'a str, Order)>,
    /// The orderings that it has used, by name.
    used: Vec<Named>,
}

impl Thread<'_> {
    fn ask(&mut self, ask: impl FnOnce() -> Ask) -> Run {
        if let Some(answer) = self.answers.next() {
            return Ok(*answer);
        }
        self.asks = Some(ask());
        Err(Stop::Asks)
    }

    pub(crate) fn load(&mut self, at: Place, order: Order) -> Run {
        self.ask(|| Ask::Load { at, order })
    }

    pub(crate) fn store(&mut self, at: Place, value: u64, order: Order) -> Run<()> {
        self.ask(|| Ask::Store { at, order, value }).map(drop)
    }

    /// A read of what is not atomic.
    pub(crate) fn read(&mut self, at: Place) -> Run {
        self.load(at, Order::Plain)
    }

    /// A write of what is not atomic.
    pub(crate) fn write(&mut self, at: Place, value: u64) -> Run<()> {
        self.store(at, value, Order::Plain)
    }

    /// Puts `new` in the place of `old`, or says what is there instead. It never fails for no reason.
    pub(crate) fn cas(
        &mut self,
        at: Place,
        [old, new]: [u64; 2],
        [order, failure]: [Order; 2],
    ) -> Run<Result<u64, u64>> {
        let change = move |found| (found == old).then_some(new);
        let found = self.update(at, [order, failure], change)?;
        Ok(if found == old { Ok(old) } else { Err(found) })
    }

    /// One read-modify-write, or a read where there is nothing to write; says what it found.
    pub(crate) fn update(
        &mut self,
        at: Place,
        [order, failure]: [Order; 2],
        change: impl Fn(u64) -> Option<u64> + 'static,
    ) -> Run {
        let change = Box::new(change);
        self.ask(|| Ask::Update { at, order, failure, change, waits: false })
    }

    /// One read-modify-write that always writes; says what it found.
    pub(crate) fn fetch(
        &mut self,
        at: Place,
        order: Order,
        change: impl Fn(u64) -> u64 + 'static,
    ) -> Run {
        self.update(at, [order, order], move |found| Some(change(found)))
    }

    pub(crate) fn fence(&mut self, order: Order) -> Run<()> {
        self.ask(|| Ask::Fence(order)).map(drop)
    }

    /// Takes a lock, which is a read-modify-write of `0` that acquires.
    pub(crate) fn lock(&mut self, at: Place) -> Run<()> {
        let [order, failure] = [Order::Acquire, Order::Relaxed];
        let change = |found| (found == 0).then_some(1);
        self.ask(|| Ask::Update { at, order, failure, change: Box::new(change), waits: true })
            .map(drop)
    }

    /// Lets go of a lock, which is a store that releases.
    pub(crate) fn unlock(&mut self, at: Place) -> Run<()> {
        self.store(at, 0, Order::Release)
    }

    /// Waits until somebody has added to a place, and takes that.
    pub(crate) fn wait(&mut self, at: Place) -> Run<()> {
        let [order, failure] = [Order::Acquire, Order::Relaxed];
        let change = |found: u64| found.checked_sub(1);
        self.ask(|| Ask::Update { at, order, failure, change: Box::new(change), waits: true })
            .map(drop)
    }

    pub(crate) fn free(&mut self, places: &[Place]) -> Run<()> {
        self.ask(|| Ask::Free(places.to_vec())).map(drop)
    }

    /// Ends the thread if this is not so.
    pub(crate) fn require(&self, is_so: bool, what: &'static str) -> Run<()> {
        if is_so { Ok(()) } else { Err(Stop::Wrong(what)) }
    }

    /// An ordering that has a name, by which it can be weakened.
    pub(crate) fn at(&mut self, name: &'static str, order: Order) -> Order {
        self.used.push((name, order));
        match self.weakened {
            Some((weakened, weak)) if weakened == name => weak,
            _ => order,
        }
    }
}

/// What came of a run of a thread.
pub(crate) enum Next {
    Asks(Ask),
    Returned(u64),
    Wrong(&'static str),
}

type Body = Box<dyn Fn(&mut Thread<'_>) -> Run>;

/// Threads that run at once, over places that each have a value before.
pub(crate) struct Program {
    pub(crate) places: Vec<(&'static str, u64)>,
    threads: Vec<Body>,
    /// What may be read out of thin air besides what some execution writes, for each place.
    pub(crate) guesses: Vec<BTreeSet<u64>>,
    /// The one ordering that is weakened.
    weakened: Option<Named>,
}

impl Program {
    /// All places are `0` before.
    pub(crate) fn new(places: &[&'static str]) -> Self {
        let guesses = vec![BTreeSet::new(); places.len()];
        let places = places.iter().map(|name| (*name, 0)).collect();
        Self { places, threads: Vec::new(), guesses, weakened: None }
    }

    pub(crate) fn starts(mut self, at: Place, value: u64) -> Self {
        self.places[at].1 = value;
        self
    }

    /// This value may be read there out of thin air.
    pub(crate) fn guesses(mut self, at: Place, value: u64) -> Self {
        self.guesses[at].insert(value);
        self
    }

    /// The ordering of this name is this weak.
    pub(crate) fn weakened(self, name: &'static str, order: Order) -> Self {
        Self { weakened: Some((name, order)), ..self }
    }

    pub(crate) fn thread(mut self, body: impl Fn(&mut Thread<'_>) -> Run + 'static) -> Self {
        self.threads.push(Box::new(body));
        self
    }

    pub(crate) fn len(&self) -> usize {
        self.threads.len()
    }

    /// Runs a thread that has been told this, and says which named orderings it has used.
    pub(crate) fn run(&self, thread: usize, answers: &[u64]) -> (Next, Vec<Named>) {
        let answers = answers.iter();
        let mut it = Thread { answers, asks: None, weakened: self.weakened, used: Vec::new() };
        let next = match (self.threads[thread])(&mut it) {
            Ok(value) => Next::Returned(value),
            Err(Stop::Wrong(what)) => Next::Wrong(what),
            Err(Stop::Asks) => Next::Asks(it.asks.expect("it stops where it asks")),
        };
        (next, it.used)
    }
}
