//! Transition relations: parts of a state, and steps that change them, for any number of whoever takes them.

use settled::machine::{self, Event, State};

/// A part of the state: a function of waiters or whoever else there is any number of.
pub(crate) struct Var {
    pub(crate) name: &'static str,
    /// The sorts of its arguments, which are called `x` and `y`.
    pub(crate) of: &'static [&'static str],
    pub(crate) is: &'static str,
    /// What it is in the beginning; what has none may be anything.
    pub(crate) first: Option<&'static str>,
}

pub(crate) const fn var(
    name: &'static str,
    of: &'static [&'static str],
    is: &'static str,
    first: &'static str,
) -> Var {
    Var { name, of, is, first: Some(first) }
}

pub(crate) const fn given(name: &'static str, of: &'static [&'static str]) -> Var {
    Var { name, of, is: "Bool", first: None }
}

/// A step of somebody, whose name is that of the sort in small letters, or of nobody.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) by: Option<&'static str>,
    pub(crate) guard: String,
    /// What it changes: the new value for `x` and `y`.
    pub(crate) does: Vec<(&'static str, String)>,
    /// Steps after which it can be taken, from the beginning on.
    pub(crate) after: &'static str,
}

impl Step {
    /// Changes what it does to this.
    pub(crate) fn set(&mut self, var: &'static str, value: &str) {
        self.keep(var);
        self.does.push((var, value.to_owned()));
    }

    /// Does nothing to this.
    pub(crate) fn keep(&mut self, var: &str) {
        self.does.retain(|it| it.0 != var);
    }

    /// Does this to whoever takes it.
    pub(crate) fn put(&mut self, var: &'static str, value: &str) {
        let who = self.by.expect("somebody takes it").to_lowercase();
        self.set(var, &format!("(ite (= x {who}) {value} ({var} x))"));
    }
}

/// The transition relation: the table, and the steps.
pub(crate) struct System {
    pub(crate) table: Box<dyn Fn(State, Event) -> machine::Step>,
    pub(crate) vars: &'static [Var],
    /// What the phases of whoever waits are called.
    pub(crate) phases: String,
    /// What the lemmas say more shortly.
    pub(crate) words: &'static str,
    pub(crate) steps: Vec<Step>,
}

impl System {
    pub(crate) fn find(&self, name: &str) -> &Step {
        self.steps.iter().find(|it| it.name == name).unwrap_or_else(|| panic!("no step {name}"))
    }

    /// The same, to be changed.
    pub(crate) fn step(&mut self, name: &str) -> &mut Step {
        self.steps.iter_mut().find(|it| it.name == name).unwrap_or_else(|| panic!("no step {name}"))
    }
}

pub(crate) fn step(
    name: &'static str,
    by: Option<&'static str>,
    after: &'static str,
    guard: &str,
    puts: &[(&'static str, &str)],
) -> Step {
    let mut step = Step { name, by, guard: guard.to_owned(), does: Vec::new(), after };
    puts.iter().for_each(|(var, value)| step.put(var, value));
    step
}

/// What is claimed of a transition relation, and the broken twins that show that each claim is one.
pub(crate) struct Protocol {
    pub(crate) shipped: fn() -> System,
    pub(crate) lemmas: &'static [Lemma],
    pub(crate) twins: &'static [Twin],
}

/// A sentence about a state.
pub(crate) struct Lemma {
    pub(crate) says: &'static str,
    pub(crate) holds: &'static str,
    /// Whether it is a part of the invariant, which every step preserves; the others follow from it.
    pub(crate) is_inductive: bool,
}

pub(crate) const fn always(says: &'static str, holds: &'static str) -> Lemma {
    Lemma { says, holds, is_inductive: true }
}

/// `(can step)` is that somebody can take it.
pub(crate) const fn follows(says: &'static str, holds: &'static str) -> Lemma {
    Lemma { says, holds, is_inductive: false }
}

/// A protocol that is wrong in one place.
pub(crate) struct Twin {
    pub(crate) is: &'static str,
    pub(crate) change: fn(&mut System),
    /// From the beginning to a state in which the lemma does not hold. Before the last step all did.
    pub(crate) run: &'static str,
    pub(crate) breaks: &'static str,
}

pub(crate) const fn twin(
    is: &'static str,
    breaks: &'static str,
    run: &'static str,
    change: fn(&mut System),
) -> Twin {
    Twin { is, change, run, breaks }
}

/// Adds a step by whoever takes this one.
pub(crate) fn add(
    system: &mut System,
    like: &str,
    name: &'static str,
    guard: &str,
    puts: &[(&'static str, &str)],
) {
    let by = system.step(like).by;
    let mut step = Step { name, by, guard: guard.to_owned(), does: Vec::new(), after: "" };
    puts.iter().for_each(|(var, value)| step.put(var, value));
    system.steps.push(step);
}

/// Leaves this out of what must be so before a step.
pub(crate) fn unguard(step: &mut Step, part: &str) {
    assert!(step.guard.contains(part), "{part} is not asked for");
    step.guard = step.guard.replacen(part, "true", 1);
}

/// Asks for this too before a step.
pub(crate) fn guard(step: &mut Step, part: &str) {
    step.guard = format!("(and {part} {})", step.guard);
}
