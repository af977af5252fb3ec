//! Exploring a model to the end, without passing for want of looking.
//!
//! A checker that stops early, that is asked nothing, or that never arrives where a property speaks,
//! reports success. [`prove`] rules that out: it explores every reachable state by a search of its
//! own, which keeps whole states and so cannot mistake one for another, and then has stateright
//! explore the model again and find exactly as many. [`count`] leaves a model too large to keep to
//! stateright alone, [`refute`] demands a counterexample, and [`ends`] judges what happens for ever.
//!
//! An action for which [`Model::next_state`] is `None` is no step at all, here and in stateright. One
//! that leads back to the same state is a step, and so a cycle.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    error::Error,
    fmt::{self, Debug, Display, Formatter},
    hash::Hash,
    rc::Rc,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use stateright::{Checker, Expectation, Model, Property};

/// The fairness class of a step of the environment, which nobody need ever take.
pub const ENVIRONMENT: usize = usize::MAX;

/// A model that says of each action what kind it is of and who takes it.
pub trait Kinds:
    Model<
        State: Clone + Debug + Eq + Hash + Send + Sync + 'static,
        Action: Clone + Debug + PartialEq + Send + Sync,
    > + Send
    + Sync
    + 'static
{
    /// The name of the kind of `action`.
    fn kind(action: &Self::Action) -> &'static str;

    /// The fairness class of `action`: who takes it, or [`ENVIRONMENT`] where nobody need.
    fn by(&self, action: &Self::Action) -> usize;
}

/// What a model that holds has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// How many properties it has.
    pub properties: usize,
    /// How many states are reachable.
    pub states: usize,
    /// How deep the search went; an initial state has depth 1. For [`prove`] it is the number of
    /// states on the longest of the shortest paths, for [`count`] about the longest path walked.
    pub depth: usize,
    /// The kinds of action that were taken.
    pub actions: BTreeSet<&'static str>,
}

/// How a model fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure<A, S> {
    /// A reachable state violates a property.
    Violated {
        /// The property.
        property: &'static str,
        /// The actions from an initial state to that state.
        path: Vec<A>,
        /// The state.
        last: S,
    },
    /// No reachable state has what a `sometimes` property asks for.
    Unreached {
        /// The property.
        property: &'static str,
    },
    /// The two searches found different numbers of states.
    Differs {
        /// As this module counts them.
        own: usize,
        /// As stateright counts them.
        stateright: usize,
    },
    /// A fair run goes round for ever and never arrives.
    ForEver {
        /// The shortest way from an initial state into the cycle.
        path: Vec<A>,
        /// A fair cycle: its last action leads back to where its first one starts.
        cycle: Vec<A>,
    },
}

impl<A: Debug, S: Debug> Display for Failure<A, S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violated { property, path, last } => {
                write!(f, "\"{property}\" is violated after {path:?}, in {last:?}")
            }
            Self::Unreached { property } => write!(f, "\"{property}\" is never reached"),
            Self::Differs { own, stateright } => {
                write!(f, "{own} states by the own search, {stateright} by stateright")
            }
            Self::ForEver { path, cycle } => write!(f, "after {path:?}, for ever {cycle:?}"),
        }
    }
}

impl<A: Debug, S: Debug> Error for Failure<A, S> {}

/// A `T`, or how `M` fails.
pub type Outcome<M, T> = Result<T, Failure<<M as Model>::Action, <M as Model>::State>>;

/// Explores `model` twice and requires every property of it to hold.
///
/// # Errors
///
/// The first violation in breadth-first order, with a shortest path to it; else a `sometimes` property
/// that is never reached; else stateright's dissent.
///
/// # Panics
///
/// If the model is not one this module can judge: it has no `always` property, an `eventually` one
/// (which stateright judges wrongly on cycles; see [`ends`]), two properties of one name, no initial
/// state, or a state out of bounds. If a thread of stateright panics.
pub fn prove<M: Kinds>(model: M) -> Outcome<M, Proof> {
    let properties = judgeable(&model);
    let mut actions = BTreeSet::new();
    let mut reached = vec![false; properties.len()];
    let mut search = Search::new(&model);
    let violated = search.run(
        |state| {
            for (property, reached) in properties.iter().zip(&mut reached) {
                let holds = (property.condition)(&model, state);
                *reached |= holds;
                if property.expectation == Expectation::Always && !holds {
                    return Some(property.name);
                }
            }
            None
        },
        |_, action, _| {
            actions.insert(M::kind(action));
        },
    );
    if let Some((at, property)) = violated {
        return Err(search.violation(at, property));
    }
    if let Some(unreached) = reached.iter().position(|reached| !reached) {
        return Err(Failure::Unreached { property: properties[unreached].name });
    }
    let (own, depth) = (search.states.len(), search.depth());
    drop(search);
    let Proof { states: stateright, .. } = count(model)?;
    if own != stateright {
        return Err(Failure::Differs { own, stateright });
    }
    Ok(Proof { properties: properties.len(), states: own, depth, actions })
}

/// Has stateright alone explore `model`, which may be too large to keep, and requires every property
/// of it to hold. Stateright keeps a hash of 64 bits per state.
///
/// # Errors
///
/// A violation, with some path to it; else a `sometimes` property that is never reached.
///
/// # Panics
///
/// As [`prove`].
pub fn count<M: Kinds>(model: M) -> Outcome<M, Proof> {
    let properties = judgeable(&model);
    let checker = Watched::new(model).checker().threads(2).spawn_dfs().join();
    let watched = checker.model();
    if let Some(path) = checker.discoveries().remove(Watched::<M>::EVERY) {
        let last = path.last_state().clone();
        let property = watched.violated(&last).expect("a state violates a property, or does not");
        return Err(Failure::Violated { property, path: path.into_actions(), last });
    }
    if let Some(property) = watched.unreached() {
        return Err(Failure::Unreached { property });
    }
    Ok(Proof {
        properties: properties.len(),
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        actions: watched.kinds.read().unwrap_or_else(PoisonError::into_inner).clone(),
    })
}

/// Finds a shortest path to a state of `model` that violates its `always` property `property`.
///
/// # Errors
///
/// If every reachable state has the property.
///
/// # Panics
///
/// If `model` has no `always` property of that name, no initial state, or a state out of bounds.
pub fn refute<M: Kinds>(model: M, property: &'static str) -> Result<Vec<M::Action>, String> {
    let Property { expectation, condition, .. } = model.property(property);
    assert_eq!(expectation, Expectation::Always, "\"{property}\" cannot be refuted by a state");
    let mut search = Search::new(&model);
    let violated = search.run(|state| (!condition(&model, state)).then_some(()), |_, _, _| ());
    match violated {
        Some((at, ())) => Ok(search.path(at)),
        None => Err(format!("\"{property}\" holds in all {} states", search.states.len())),
    }
}

/// Requires every fair run of `model` to come to a `goal`, and again after every step away from it;
/// answers how many states are reachable.
///
/// A run is fair if each class of actions gets its turn: one that from some point on is always
/// enabled is taken, and one of the classes in `strong` is taken already if it is enabled again and
/// again. The environment has no turn.
///
/// # Errors
///
/// A state short of the goal where nobody but the environment can take a step, as a violation of "it
/// ends"; else a fair cycle that avoids the goal.
///
/// # Panics
///
/// If `model` has no initial state, or a state out of bounds.
pub fn ends<M: Kinds>(
    model: M,
    goal: fn(&M, &M::State) -> bool,
    strong: &[usize],
) -> Outcome<M, usize> {
    let mut edges: Vec<Vec<Edge<M::Action>>> = Vec::new();
    let mut search = Search::new(&model);
    search.run(
        |_| None::<()>,
        |from, action, to| {
            edges.resize_with(from + 1, Vec::new);
            edges[from].push(Edge { to, by: model.by(action), action: action.clone() });
        },
    );
    let states = search.states.len();
    edges.resize_with(states, Vec::new);
    let left: Vec<usize> = (0..states).filter(|&at| !goal(&model, &search.states[at])).collect();
    let stuck = |at: &&usize| edges[**at].iter().all(|edge| edge.by == ENVIRONMENT);
    if let Some(&at) = left.iter().find(stuck) {
        return Err(search.violation(at, "it ends"));
    }
    match Graph::new(edges, strong).fair_cycle(left) {
        Some((at, cycle)) => Err(Failure::ForEver { path: search.path(at), cycle }),
        None => Ok(states),
    }
}

/// The properties of `model`, if this module can judge them.
fn judgeable<M: Model>(model: &M) -> Vec<Property<M>> {
    let properties = model.properties();
    let any = |wanted| properties.iter().any(|property| property.expectation == wanted);
    assert!(any(Expectation::Always), "without an `always` property nothing would be explored");
    assert!(!any(Expectation::Eventually), "an `eventually` property is not judged on cycles");
    let names: HashSet<_> = properties.iter().map(|property| property.name).collect();
    assert_eq!(names.len(), properties.len(), "two properties have one name");
    properties
}

/// The states that a breadth-first search has found, in the order found.
struct Search<'a, M: Model> {
    model: &'a M,
    index: HashMap<Rc<M::State>, usize>,
    states: Vec<Rc<M::State>>,
    /// From where and by which action each state was first reached.
    parents: Vec<Option<(usize, M::Action)>>,
}

impl<'a, M: Kinds> Search<'a, M> {
    fn new(model: &'a M) -> Self {
        let (index, states, parents) = Default::default();
        let mut search = Self { model, index, states, parents };
        for state in model.init_states() {
            search.enter(state, None);
        }
        assert!(!search.states.is_empty(), "there is no initial state");
        search
    }

    /// The index of `state`, which is new or not.
    fn enter(&mut self, state: M::State, parent: Option<(usize, M::Action)>) -> usize {
        if let Some(&at) = self.index.get(&state) {
            return at;
        }
        assert!(self.model.within_boundary(&state), "a bounded search proves nothing: {state:?}");
        let (at, state) = (self.states.len(), Rc::new(state));
        self.index.insert(Rc::clone(&state), at);
        self.states.push(state);
        self.parents.push(parent);
        at
    }

    /// Shows each reachable state to `visit`, nearest first, and then each of its steps to `step`;
    /// until `visit` finds something, or to the end.
    fn run<T>(
        &mut self,
        mut visit: impl FnMut(&M::State) -> Option<T>,
        mut step: impl FnMut(usize, &M::Action, usize),
    ) -> Option<(usize, T)> {
        let mut actions = Vec::new();
        let mut at = 0;
        while let Some(state) = self.states.get(at).map(Rc::clone) {
            if let Some(found) = visit(&state) {
                return Some((at, found));
            }
            self.model.actions(&state, &mut actions);
            for action in actions.drain(..) {
                if let Some(next) = self.model.next_state(&state, action.clone()) {
                    let to = self.enter(next, Some((at, action.clone())));
                    step(at, &action, to);
                }
            }
            at += 1;
        }
        None
    }

    /// A shortest path to the state at `at`.
    fn path(&self, mut at: usize) -> Vec<M::Action> {
        let mut path = Vec::new();
        while let Some((parent, action)) = &self.parents[at] {
            path.push(action.clone());
            at = *parent;
        }
        path.reverse();
        path
    }

    /// The number of states on the shortest path to the state found last, which none exceeds.
    fn depth(&self) -> usize {
        1 + self.path(self.states.len() - 1).len()
    }

    fn violation(&self, at: usize, property: &'static str) -> Failure<M::Action, M::State> {
        let last = M::State::clone(&self.states[at]);
        Failure::Violated { property, path: self.path(at), last }
    }
}

/// A model under stateright's eyes. Its one property is that every `always` property holds: as long as
/// that is so it stays undecided, and stateright goes on to the end.
struct Watched<M: Model> {
    model: M,
    properties: Vec<Property<M>>,
    /// Which of them some state has had.
    reached: Vec<AtomicBool>,
    kinds: RwLock<BTreeSet<&'static str>>,
}

impl<M: Kinds> Watched<M> {
    const EVERY: &'static str = "every `always` property";

    fn new(model: M) -> Self {
        let properties = model.properties();
        let reached = properties.iter().map(|_| AtomicBool::new(false)).collect();
        Self { model, properties, reached, kinds: RwLock::default() }
    }

    /// The first `always` property that `state` violates. Marks what it reaches.
    fn violated(&self, state: &M::State) -> Option<&'static str> {
        for (property, reached) in self.properties.iter().zip(&self.reached) {
            let always = property.expectation == Expectation::Always;
            if !always && reached.load(Ordering::Relaxed) {
                continue;
            }
            if !(property.condition)(&self.model, state) {
                if always {
                    return Some(property.name);
                }
            } else if !reached.load(Ordering::Relaxed) {
                reached.store(true, Ordering::Relaxed);
            }
        }
        None
    }

    fn unreached(&self) -> Option<&'static str> {
        let at = self.reached.iter().position(|reached| !reached.load(Ordering::Relaxed))?;
        Some(self.properties[at].name)
    }

    /// Notes that a step of this kind was taken; writes only for the first one.
    fn note(&self, kind: &'static str) {
        if !self.kinds.read().unwrap_or_else(PoisonError::into_inner).contains(kind) {
            self.kinds.write().unwrap_or_else(PoisonError::into_inner).insert(kind);
        }
    }
}

impl<M: Kinds> Model for Watched<M> {
    type State = M::State;
    type Action = M::Action;

    fn init_states(&self) -> Vec<Self::State> {
        let states = self.model.init_states();
        assert!(!states.is_empty(), "there is no initial state");
        states
    }

    fn actions(&self, state: &Self::State, actions: &mut Vec<Self::Action>) {
        self.model.actions(state, actions);
    }

    fn next_state(&self, last: &Self::State, action: Self::Action) -> Option<Self::State> {
        let kind = M::kind(&action);
        let next = self.model.next_state(last, action);
        if next.is_some() {
            self.note(kind);
        }
        next
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(Self::EVERY, |watched, state| watched.violated(state).is_none())]
    }

    fn within_boundary(&self, state: &Self::State) -> bool {
        assert!(self.model.within_boundary(state), "a bounded search proves nothing: {state:?}");
        true
    }
}

/// A step, from the state that lists it.
struct Edge<A> {
    to: usize,
    by: usize,
    action: A,
}

/// All steps of a model, and whose turns count.
struct Graph<'a, A> {
    edges: Vec<Vec<Edge<A>>>,
    classes: BTreeSet<usize>,
    strong: &'a [usize],
}

/// No region: a state that a cycle must avoid.
const NOWHERE: usize = usize::MAX;

impl<'a, A: Clone> Graph<'a, A> {
    fn new(edges: Vec<Vec<Edge<A>>>, strong: &'a [usize]) -> Self {
        let by = edges.iter().flatten().map(|edge| edge.by);
        let classes = by.filter(|&by| by != ENVIRONMENT).collect();
        Self { edges, classes, strong }
    }

    fn enabled(&self, at: usize, class: usize) -> bool {
        self.edges[at].iter().any(|edge| edge.by == class)
    }

    /// The first state of a fair cycle through none but the states in `left`, and its actions.
    fn fair_cycle(&self, mut left: Vec<usize>) -> Option<(usize, Vec<A>)> {
        let mut region = vec![NOWHERE; self.edges.len()];
        left.iter().for_each(|&at| region[at] = 0);
        while !left.is_empty() {
            let components = self.components(&region, &left);
            left.drain(..).for_each(|at| region[at] = NOWHERE);
            for (id, component) in components.into_iter().enumerate() {
                let inside = component.into_iter().collect();
                match self.judge(&inside) {
                    Ok(taken) => return Some(self.lasso(&inside, &taken)),
                    Err(rest) => {
                        rest.iter().for_each(|&at| region[at] = id);
                        left.extend(rest);
                    }
                }
            }
        }
        None
    }

    /// The classes whose steps are taken in the strongly connected `inside`, if going round there for
    /// ever is fair; otherwise the states of it that may still hold a fair cycle.
    ///
    /// If a strong class is enabled there and never taken, a fair cycle avoids the states where it
    /// is. If a weak class is enabled in every state and never taken, there is no fair cycle.
    fn judge(&self, inside: &BTreeSet<usize>) -> Result<BTreeSet<usize>, Vec<usize>> {
        let steps = inside.iter().flat_map(|&at| &self.edges[at]);
        let taken: BTreeSet<usize> =
            steps.filter(|edge| inside.contains(&edge.to)).map(|edge| edge.by).collect();
        if taken.is_empty() {
            return Err(Vec::new());
        }
        let missed =
            |at: usize, class: &usize| !taken.contains(class) && self.enabled(at, *class);
        let avoid = |at: &usize| self.strong.iter().any(|class| missed(*at, class));
        if inside.iter().any(avoid) {
            return Err(inside.iter().copied().filter(|at| !avoid(at)).collect());
        }
        let starved = |class: &usize| inside.iter().all(|&at| missed(at, class));
        if self.classes.iter().any(starved) { Err(Vec::new()) } else { Ok(taken) }
    }

    /// The strongly connected components (Tarjan) of the states in `left`, along the steps that stay
    /// in a region.
    fn components(&self, region: &[usize], left: &[usize]) -> Vec<Vec<usize>> {
        const NEW: usize = usize::MAX;
        const DONE: usize = usize::MAX - 1;
        // When a state was entered, and the earliest one still open that it leads to.
        let (mut order, mut low) = (vec![NEW; region.len()], vec![NEW; region.len()]);
        let (mut open, mut calls, mut components) = (Vec::new(), Vec::new(), Vec::new());
        let mut entered = 0;
        for &root in left {
            if order[root] == NEW {
                calls.push((root, 0));
            }
            while let Some((at, next)) = calls.pop() {
                if next == 0 {
                    (order[at], low[at]) = (entered, entered);
                    entered += 1;
                    open.push(at);
                }
                if let Some(edge) = self.edges[at].get(next) {
                    calls.push((at, next + 1));
                    if region[edge.to] != region[at] || order[edge.to] == DONE {
                        continue;
                    } else if order[edge.to] == NEW {
                        calls.push((edge.to, 0));
                    } else {
                        low[at] = low[at].min(order[edge.to]);
                    }
                    continue;
                }
                if let Some(&(parent, _)) = calls.last() {
                    low[parent] = low[parent].min(low[at]);
                }
                if low[at] == order[at] {
                    let first = open.iter().rposition(|&other| other == at).unwrap_or(0);
                    let component = open.split_off(first);
                    component.iter().for_each(|&at| order[at] = DONE);
                    components.push(component);
                }
            }
        }
        components
    }

    /// A cycle in `inside` that starts where it is soonest reached, takes a step of every class in
    /// `taken` and passes, for every other class, a state where that has no step to take.
    fn lasso(&self, inside: &BTreeSet<usize>, taken: &BTreeSet<usize>) -> (usize, Vec<A>) {
        let start = *inside.first().expect("a component is not empty");
        let mut cycle: Vec<&Edge<A>> = Vec::new();
        for &class in &self.classes {
            let take = taken.contains(&class);
            let meets = |edge: &Edge<A>| {
                if take { edge.by == class } else { !self.enabled(edge.to, class) }
            };
            if !cycle.iter().any(|edge| meets(edge)) {
                let at = cycle.last().map_or(start, |edge| edge.to);
                cycle.extend(self.walk(inside, at, meets));
            }
        }
        if cycle.last().is_none_or(|edge| edge.to != start) {
            let at = cycle.last().map_or(start, |edge| edge.to);
            cycle.extend(self.walk(inside, at, |edge| edge.to == start));
        }
        (start, cycle.into_iter().map(|edge| edge.action.clone()).collect())
    }

    /// A shortest walk in `inside` from `start` whose last step is `wanted`.
    fn walk(
        &self,
        inside: &BTreeSet<usize>,
        start: usize,
        wanted: impl Fn(&Edge<A>) -> bool,
    ) -> Vec<&Edge<A>> {
        let mut parents: HashMap<usize, (usize, &Edge<A>)> = HashMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            for edge in self.edges[at].iter().filter(|edge| inside.contains(&edge.to)) {
                if wanted(edge) {
                    let mut walk = vec![edge];
                    let mut at = at;
                    while at != start {
                        let (parent, edge) = parents[&at];
                        walk.push(edge);
                        at = parent;
                    }
                    walk.reverse();
                    return walk;
                }
                if edge.to != start && !parents.contains_key(&edge.to) {
                    parents.insert(edge.to, (at, edge));
                    queue.push_back(edge.to);
                }
            }
        }
        unreachable!("in a component, every step can be reached from every state")
    }
}
