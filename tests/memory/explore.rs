//! Every consistent execution of a program, once each.
//!
//! Events are added one by one. What does not read comes as soon as its thread is there. A read takes one of the writes
//! that are there, or waits for a later one: then the threads after it go on, and it takes none that it has passed over.
//! So each execution is built in one way alone.
//!
//! Where load buffering is allowed, a read may also guess a value, one of those that some execution writes there, and
//! a write that comes because of it has to make it true.

use std::{
    collections::{BTreeSet, HashSet},
    rc::Rc,
};

use super::{
    axioms::Axioms,
    graph::{BEFORE, Event, Graph},
    program::{Ask, Named, Next, Order, Program},
};

/// How often what can be guessed may become more.
const ROUNDS: usize = 8;

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct End {
    /// What each thread observed.
    pub(crate) seen: Vec<u64>,
    /// What each place holds.
    pub(crate) memory: Vec<u64>,
    /// How often memory was given back.
    pub(crate) frees: usize,
}

/// What the executions of a program are like.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) executions: usize,
    pub(crate) ends: BTreeSet<End>,
    /// What went wrong in some execution: a race, a requirement, a deadlock; and one execution for each.
    pub(crate) wrong: Vec<(String, String)>,
    /// The named orderings that some execution used.
    pub(crate) used: BTreeSet<Named>,
}

impl Found {
    /// Whether something of this kind went wrong.
    pub(crate) fn has(&self, what: &str) -> bool {
        self.wrong.iter().any(|it| it.0.starts_with(what))
    }
}

/// How far a thread is.
#[derive(Clone)]
struct Thread {
    answers: Vec<u64>,
    /// The events that its next read has passed over.
    passed: usize,
    next: Rc<Next>,
}

impl Thread {
    fn returned(&self) -> Option<u64> {
        match &*self.next {
            Next::Returned(value) => Some(*value),
            Next::Asks(_) | Next::Wrong(_) => None,
        }
    }
}

#[derive(Clone)]
struct State {
    graph: Graph,
    threads: Vec<Thread>,
    /// The reads that have guessed.
    guesses: Vec<usize>,
}

struct Search<'a> {
    program: &'a Program,
    axioms: &'a Axioms,
    /// What may be guessed, for each place: a value, and who writes it.
    values: Vec<BTreeSet<(u64, usize)>>,
    /// What was written, for each place, and by whom.
    written: Vec<BTreeSet<(u64, usize)>>,
    /// Those that guess may be built in several ways.
    known: HashSet<Graph>,
    found: Found,
}

/// All executions.
pub(crate) fn explore(program: &Program, axioms: &Axioms) -> Found {
    let named = |it: &BTreeSet<u64>| it.iter().map(|value| (*value, BEFORE)).collect();
    let mut values: Vec<_> = program.guesses.iter().map(named).collect();
    for _ in 0..ROUNDS {
        let written = values.clone();
        let found = Found::default();
        let known = HashSet::new();
        let mut it = Search { program, axioms, values, written, known, found };
        it.begin();
        // What can be written may be more once more can be guessed.
        if axioms.early == 0 || it.values == it.written {
            return it.found;
        }
        values = it.written;
    }
    panic!("there are ever more values");
}

impl Search<'_> {
    fn begin(&mut self) {
        let graph = Graph::new(&self.program.places);
        let threads = (0..self.program.len()).map(|it| self.resume(it, Vec::new())).collect();
        self.go(State { graph, threads, guesses: Vec::new() });
    }

    fn resume(&mut self, thread: usize, answers: Vec<u64>) -> Thread {
        let (next, used) = self.program.run(thread, &answers);
        self.found.used.extend(used);
        Thread { answers, passed: 0, next: Rc::new(next) }
    }

    fn go(&mut self, mut state: State) {
        for by in 0..state.threads.len() {
            let next = Rc::clone(&state.threads[by].next);
            let Next::Asks(ask) = &*next else { continue };
            let mut event =
                Event { by, places: 0, order: Order::Plain, read: None, written: None, from: None };
            match ask {
                Ask::Fence(order) => event.order = *order,
                Ask::Free(places) => event.places = places.iter().fold(0, |all, it| all | 1 << it),
                Ask::Store { at, order, value } => {
                    (event.places, event.order, event.written) = (1 << at, *order, Some(*value));
                    return self.write(&state, event, 0);
                }
                Ask::Load { .. } | Ask::Update { .. } => continue,
            }
            state.graph.events.push(event);
            return self.went(state, by, 0);
        }
        self.reads(state);
    }

    /// All wait to read, or have ended.
    fn reads(&mut self, mut state: State) {
        let mut has_ended = true;
        // What is read early is written by another thread.
        let is_alone = |read: &usize| {
            let by = state.graph.events[*read].by;
            let others = state.threads.iter().enumerate().filter(|it| it.0 != by);
            others.map(|it| &it.1.next).all(|it| !matches!(**it, Next::Asks(_)))
        };
        if state.guesses.iter().any(is_alone) {
            return;
        }
        for by in 0..state.threads.len() {
            let next = Rc::clone(&state.threads[by].next);
            let Next::Asks(ask @ (Ask::Load { at, .. } | Ask::Update { at, .. })) = &*next else {
                continue;
            };
            has_ended = false;
            for from in state.graph.writes[*at].clone() {
                if from >= state.threads[by].passed {
                    let value = state.graph.events[from].written.unwrap_or_default();
                    self.read(&state, by, ask, value, Some(from));
                }
            }
            if state.guesses.len() < self.axioms.early && state.threads[by].passed == 0 {
                // What is read early is written by another thread.
                let others = self.values[*at].iter().filter(|it| it.1 != by).map(|it| it.0);
                for value in others.collect::<BTreeSet<_>>() {
                    self.read(&state, by, ask, value, None);
                }
            }
            state.threads[by].passed = state.graph.events.len();
        }
        if has_ended {
            self.ends(&state);
        } else if state.guesses.is_empty() && self.is_stuck(&state) {
            self.judge(&state);
            if self.found.wrong.is_empty() {
                self.is_wrong("deadlock", &state.graph);
            }
        }
    }

    /// Whether all who have not ended wait, and can take no write that is there.
    fn is_stuck(&self, state: &State) -> bool {
        (0..state.threads.len()).all(|by| match &*state.threads[by].next {
            Next::Asks(ask @ Ask::Update { at, waits: true, .. }) => {
                state.graph.writes[*at].iter().all(|from| {
                    let value = state.graph.events[*from].written.unwrap_or_default();
                    !self.can_read(state, by, ask, value, *from)
                })
            }
            Next::Asks(_) => false,
            Next::Returned(_) | Next::Wrong(_) => true,
        })
    }

    /// What the event is if it reads this, unless it waits for something else.
    fn reading(by: usize, ask: &Ask, value: u64, from: Option<usize>) -> Option<Event> {
        let (at, order, written) = match ask {
            Ask::Load { at, order } => (at, order, None),
            Ask::Update { at, order, failure, change, waits } => match change(value) {
                None if *waits => return None,
                None => (at, failure, None),
                written => (at, order, written),
            },
            _ => return None,
        };
        Some(Event { by, places: 1 << at, order: *order, read: Some(value), written, from })
    }

    fn can_read(&self, state: &State, by: usize, ask: &Ask, value: u64, from: usize) -> bool {
        let Some(event) = Self::reading(by, ask, value, Some(from)) else { return false };
        let mut graph = state.graph.clone();
        let writes = &mut graph.writes[event.place()];
        let after = writes.iter().position(|it| *it == from).unwrap_or_default() + 1;
        if event.written.is_some() {
            writes.insert(after, graph.events.len());
        }
        graph.events.push(event);
        graph.is_consistent(self.axioms)
    }

    fn read(&mut self, state: &State, by: usize, ask: &Ask, value: u64, from: Option<usize>) {
        let Some(event) = Self::reading(by, ask, value, from) else { return };
        if event.written.is_some() {
            return self.write(state, event, value);
        }
        let mut next = state.clone();
        if from.is_none() {
            next.guesses.push(next.graph.events.len());
        }
        next.graph.events.push(event);
        if next.graph.is_consistent(self.axioms) {
            self.went(next, by, value);
        }
    }

    /// Adds a write at each place in the order of writes that the axioms allow, and makes guesses true with it.
    fn write(&mut self, state: &State, event: Event, answer: u64) {
        let (at, number) = (event.place(), state.graph.events.len());
        let fits = |it: &&usize| {
            let read = &state.graph.events[**it];
            read.places == event.places && read.read == event.written
        };
        let fitting: Vec<_> = state.guesses.iter().filter(fits).copied().collect();
        for position in 1..=state.graph.writes[at].len() {
            for chosen in 0..1_usize << fitting.len() {
                let mut next = state.clone();
                if event.read.is_some() && event.from.is_none() {
                    next.guesses.push(number);
                }
                next.graph.events.push(event);
                next.graph.writes[at].insert(position, number);
                let is_chosen = |it: &(usize, &usize)| chosen & 1 << it.0 != 0;
                let true_now: Vec<_> =
                    fitting.iter().enumerate().filter(is_chosen).map(|it| *it.1).collect();
                true_now.iter().for_each(|it| next.graph.events[*it].from = Some(number));
                next.guesses.retain(|it| !true_now.contains(it));
                // It is written because of what was guessed; that may show later if somebody else guesses still.
                let is_because = !next.guesses.is_empty()
                    || true_now.iter().all(|it| next.graph.is_of_the_future(*it));
                if is_because && next.graph.is_consistent(self.axioms) {
                    self.went(next, event.by, answer);
                }
            }
        }
    }

    fn went(&mut self, mut state: State, by: usize, answer: u64) {
        let mut answers = std::mem::take(&mut state.threads[by].answers);
        answers.push(answer);
        state.threads[by] = self.resume(by, answers);
        self.go(state);
    }

    fn is_wrong(&mut self, what: &str, graph: &Graph) {
        if !self.found.wrong.iter().any(|it| it.0 == what) {
            self.found.wrong.push((what.to_owned(), self.tell(graph)));
        }
    }

    /// A whole execution.
    fn ends(&mut self, state: &State) {
        let graph = &state.graph;
        // Guessed early is what a write that comes because of it makes true, and nothing else.
        let is_early = |it: usize| graph.events[it].from.is_some_and(|from| from > it);
        let early: Vec<_> = (0..graph.events.len()).filter(|it| is_early(*it)).collect();
        if !state.guesses.is_empty() || early.iter().any(|it| !graph.is_of_the_future(*it)) {
            return;
        }
        if !early.is_empty() && !self.known.insert(graph.canonical()) {
            return;
        }
        self.found.executions += 1;
        for event in &graph.events {
            if let Some(value) = event.written {
                self.written[event.place()].insert((value, event.by));
            }
        }
        self.judge(state);
        let seen: Vec<_> = state.threads.iter().filter_map(Thread::returned).collect();
        if seen.len() == state.threads.len() {
            let frees = graph.events.iter().filter(|it| it.frees()).count();
            self.found.ends.insert(End { seen, memory: graph.memory(), frees });
        }
    }

    /// What is wrong with an execution that goes no further.
    fn judge(&mut self, state: &State) {
        let graph = &state.graph;
        if let Some((kind, [a, b])) = graph.race(self.axioms) {
            let both = graph.events[a].places & graph.events[b].places;
            let at = self.program.places[both.trailing_zeros() as usize].0;
            self.is_wrong(&format!("{kind}: {at}"), graph);
        }
        for thread in &state.threads {
            if let Next::Wrong(what) = &*thread.next {
                self.is_wrong(what, graph);
            }
        }
    }

    /// The execution, event by event.
    fn tell(&self, graph: &Graph) -> String {
        let mut text = String::new();
        for (number, event) in graph.events.iter().enumerate().filter(|it| it.1.by != BEFORE) {
            let names = self.program.places.iter().enumerate();
            let places: Vec<_> =
                names.filter(|it| event.places & 1 << it.0 != 0).map(|it| it.1.0).collect();
            let from = event.from.map(|it| format!(" from {it}")).unwrap_or_default();
            text += &format!(
                "\n  {number}: thread {}: {event} {} ({:?}){from}",
                event.by,
                places.join(" "),
                event.order
            );
        }
        text
    }
}
