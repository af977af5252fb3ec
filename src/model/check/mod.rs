//! Exploring a model to the end, without passing for want of looking.
//!
//! A program of a user is judged by [`Program::check`](super::Program::check); the functions here are what the crate's
//! own proofs are made of.
//!
//! A checker that stops early, that is asked nothing, or that never arrives where a property speaks,
//! reports success. [`prove`] rules that out: it explores every reachable state by a search of its
//! own, which keeps whole states and so cannot mistake one for another, and then has stateright
//! explore the model again and find exactly as many. [`refute`] demands a counterexample, and [`ends`] judges what
//! happens for ever.
//!
//! An action for which [`Model::next_state`] is `None` is no step at all, here and in stateright. One
//! that leads back to the same state is a step, and so a cycle.

mod cycles;
mod front;
mod search;
mod watched;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    error::Error,
    fmt::{self, Debug, Display, Formatter},
    hash::Hash,
};

pub use self::front::{Finding, Report, Run, Wrong};
use stateright::{Checker, Expectation, Model, Property};

use self::{
    cycles::{Edge, Graph},
    search::Search,
    watched::Watched,
};

/// The fairness class of a step of the environment, which nobody need ever take.
pub const ENVIRONMENT: usize = usize::MAX;

/// A model that says of each action what kind it is of and who takes it.
///
/// ```
/// use settled::model::check::{Kinds, Outcome, Proof, prove};
/// use stateright::{Model, Property};
///
/// struct Counter;
///
/// impl Model for Counter {
///     type State = u8;
///     type Action = u8;
///
///     fn init_states(&self) -> Vec<u8> { vec![0] }
///     fn actions(&self, state: &u8, actions: &mut Vec<u8>) { if *state < 2 { actions.push(1) } }
///     fn next_state(&self, state: &u8, more: u8) -> Option<u8> { Some(state + more) }
///     fn properties(&self) -> Vec<Property<Self>> { vec![Property::always("small", |_, it| *it < 3)] }
/// }
///
/// impl Kinds for Counter {
///     fn kind(_: &u8) -> &'static str { "count" }
///     fn by(&self, _: &u8) -> usize { 0 }
/// }
///
/// let proof: Outcome<Counter, Proof> = prove(Counter);
/// assert_eq!(proof.unwrap().states, 3);
/// ```
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
    /// The number of states on the longest of the shortest paths; an initial state has depth 1.
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

/// Explores `model` twice and requires every property of it to hold. Of a [`Program`](super::Program) that is what the
/// library promises: a circle of waits that the program wrote itself is excused, and
/// [`Program::check`](super::Program::check) is what finds it.
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
    let mut tally = Tally::default();
    tally.explore(&model)?;
    let proof = tally.proof()?;
    let stateright = count(model)?;
    if proof.states != stateright {
        return Err(Failure::Differs { own: proof.states, stateright });
    }
    Ok(proof)
}

/// Explores each of `models` by the search of our own, and requires its `always` properties to hold
/// and its `sometimes` properties to be reached in one of them; the sum of it.
///
/// # Errors
///
/// As [`prove`], with the model that fails; the last one if it is what none of them reaches.
///
/// # Panics
///
/// As [`prove`], and if there are no models.
pub fn prove_all<M: Kinds>(models: impl IntoIterator<Item = M>) -> Result<Proof, Box<Failed<M>>> {
    let mut tally = Tally::default();
    let mut last = None;
    for model in models {
        if let Err(failure) = tally.explore(&model) {
            return Err(Box::new((model, failure)));
        }
        last = Some(model);
    }
    let last = last.expect("nothing would be explored");
    tally.proof().map_err(|failure| Box::new((last, failure)))
}

/// A model, and how it fails.
pub type Failed<M> = (M, Failure<<M as Model>::Action, <M as Model>::State>);

/// What the models that were explored so far have shown.
#[derive(Default)]
struct Tally {
    /// The properties by name, and whether some state has had them.
    reached: BTreeMap<&'static str, bool>,
    states: usize,
    depth: usize,
    actions: BTreeSet<&'static str>,
}

impl Tally {
    fn explore<M: Kinds>(&mut self, model: &M) -> Outcome<M, ()> {
        let properties = judgeable(model);
        let mut reached = vec![false; properties.len()];
        let mut search = Search::new(model);
        let violated = search.run(
            |state| {
                for (property, reached) in properties.iter().zip(&mut reached) {
                    let always = property.expectation == Expectation::Always;
                    if *reached && !always {
                        continue;
                    }
                    let holds = (property.condition)(model, state);
                    *reached |= holds;
                    if always && !holds {
                        return Some(property.name);
                    }
                }
                None
            },
            |_, action, _| {
                self.actions.insert(M::kind(action));
            },
        );
        if let Some((at, property)) = violated {
            return Err(search.violation(at, property));
        }
        for (property, reached) in properties.iter().zip(reached) {
            *self.reached.entry(property.name).or_default() |= reached;
        }
        self.states += search.states.len();
        self.depth = self.depth.max(search.depth());
        Ok(())
    }

    fn proof<A, S>(self) -> Result<Proof, Failure<A, S>> {
        if let Some((property, _)) = self.reached.iter().find(|(_, reached)| !**reached) {
            return Err(Failure::Unreached { property });
        }
        let Self { reached, states, depth, actions } = self;
        Ok(Proof { properties: reached.len(), states, depth, actions })
    }
}

/// Every reachable state of `model`, nearest first.
///
/// # Panics
///
/// If `model` has no initial state, or a state out of bounds.
pub fn states<M: Kinds>(model: &M) -> Vec<M::State> {
    let mut search = Search::new(model);
    search.run(|_| None::<()>, |_, _, _| ());
    search.states
}

/// Has stateright explore `model` too, and judge every property of it; how many states it finds. It keeps a hash of
/// 64 bits of each.
fn count<M: Kinds>(model: M) -> Outcome<M, usize> {
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
    Ok(checker.unique_state_count())
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
