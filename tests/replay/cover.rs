//! Walks through a program that take every step of it.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
};

use settled::model::{Program, Step, System};
use stateright::Model;

use crate::{
    driver::{Driver, Result, Stage},
    play::Play,
};

/// What walks have shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Covered {
    pub(crate) programs: usize,
    /// The states that were reached, and how many the model has.
    pub(crate) states: usize,
    pub(crate) of: usize,
    /// The steps that were taken from them, each counted once.
    pub(crate) edges: usize,
    pub(crate) paths: usize,
    pub(crate) steps: usize,
}

impl Covered {
    pub(crate) fn add(&mut self, other: Self) {
        self.programs += other.programs;
        self.states += other.states;
        self.of += other.of;
        self.edges += other.edges;
        self.paths += other.paths;
        self.steps += other.steps;
    }
}

impl fmt::Display for Covered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { programs, states, of, edges, paths, steps } = self;
        write!(
            f,
            "{programs} programs, {states} of {of} states, {edges} steps from them, in {paths} paths of {steps} steps"
        )
    }
}

/// Steps from each state that was reached: whether each leads to nothing that is new.
type Known = HashMap<System, HashMap<(u8, String), bool>>;

/// Takes every step from every state that can be reached, in walks from the beginning.
pub(crate) fn program(stage: &Stage, play: &Arc<Play>) -> Result<Covered> {
    let (mut known, mut covered) = (Known::new(), Covered::default());
    let (mut taken, mut in_vain) = (HashSet::new(), 0);
    // Where workers decide who goes first, what is left may never be offered again.
    let patience = if play.workers.is_empty() { usize::MAX } else { 100 };
    while in_vain < patience {
        let path = walk(stage, play, &mut |path, state, next| {
            to_what_is_new(&mut known, path, state, next)
        })?;
        covered.paths += 1;
        covered.steps += path.len();
        if let Some((.., last)) = path.last() {
            known.entry(last.clone()).or_default();
        }
        mark(&mut known, &path);
        let before = taken.len();
        taken.extend(path.iter().map(|(state, step, _)| (state.clone(), key(*step))));
        in_vain = if taken.len() > before { 0 } else { in_vain + 1 };
        let begin = path.first().map(|(state, ..)| state);
        if begin.is_none_or(|begin| known[begin].values().all(|used_up| *used_up)) {
            break;
        }
    }
    covered.programs = 1;
    covered.states = known.len();
    covered.of = states(&play.program);
    covered.edges = taken.len();
    Ok(covered)
}

/// How many states the model of a program has.
fn states(program: &Program) -> usize {
    let mut left = program.init_states();
    let mut seen: HashSet<System> = left.iter().cloned().collect();
    while let Some(state) = left.pop() {
        let next = program.next_steps(&state).into_iter().map(|(_, after)| after);
        left.extend(next.filter(|after| seen.insert(after.clone())));
    }
    seen.len()
}

/// The steps of a walk, each with the states before and after it.
type Path = Vec<(System, Step, System)>;

/// A choice among the steps that can be taken after a path, or none to end there.
type Choice<'a> = &'a mut dyn FnMut(&Path, &System, &[(Step, System)]) -> Option<usize>;

/// Walks once, from the beginning.
fn walk(stage: &Stage, play: &Arc<Play>, choose: Choice<'_>) -> Result<Path> {
    let (mut driver, mut path) = (Driver::new(stage, play)?, Path::new());
    let told = |why: String, path: &Path, at: Option<Step>| {
        let taken: Vec<_> = path.iter().map(|(_, step, _)| step).collect();
        format!("{why}\nat {at:?}\nafter {taken:?}")
    };
    loop {
        let mut next = driver.next().map_err(|why| told(why, &path, None))?;
        if next.is_empty() {
            break;
        }
        let before = driver.state().clone();
        let Some(at) = choose(&path, &before, &next) else { break };
        let (step, after) = next.swap_remove(at);
        driver.step(step, after.clone()).map_err(|why| told(why, &path, Some(step)))?;
        path.push((before, step, after));
    }
    driver.end().map_err(|why| told(why, &path, None))?;
    Ok(path)
}

/// Where something is new, if there is something.
fn to_what_is_new(
    known: &mut Known,
    path: &Path,
    state: &System,
    next: &[(Step, System)],
) -> Option<usize> {
    let from = known.entry(state.clone()).or_default();
    for (step, _) in next {
        from.entry(key(*step)).or_insert(false);
    }
    let new = next.iter().position(|(step, _)| !from[&key(*step)]);
    let (step, after) = &next[new.unwrap_or(0)];
    // A circle is walked once.
    if after == state || path.iter().any(|(before, ..)| before == after) {
        new?;
        from.insert(key(*step), true);
    }
    new.or(Some(0))
}

fn key(step: Step) -> (u8, String) {
    (step.agent, format!("{:?}", step.does))
}

/// A step is used up if all that comes after it is, or was on the way to it.
fn mark(known: &mut Known, path: &Path) {
    let mut met: HashSet<&System> = path.iter().map(|(state, ..)| state).collect();
    for (state, step, after) in path.iter().rev() {
        let circle = met.contains(after);
        let used_up =
            circle || known.get(after).is_none_or(|it| it.values().all(|used_up| *used_up));
        if used_up {
            known.get_mut(state).expect("it was reached").insert(key(*step), true);
        }
        met.remove(state);
    }
}

/// Walks through every beginning of so many steps, and from each to the end.
pub(crate) fn every_beginning(
    stage: &Stage,
    play: &Arc<Play>,
    length: usize,
) -> Result<[usize; 2]> {
    let [mut paths, mut steps] = [0, 0];
    // What was chosen at each step, and of how many.
    let mut chosen: Vec<(usize, usize)> = Vec::new();
    loop {
        let path = walk(stage, play, &mut |path, state, next| {
            let at = path.len();
            if at == chosen.len() && at < length {
                chosen.push((0, next.len()));
            }
            match chosen.get(at) {
                Some((choice, of)) => {
                    assert_eq!(*of, next.len(), "without a pool it is the driver that decides");
                    Some(*choice)
                }
                None => path.iter().all(|(before, ..)| before != state).then_some(0),
            }
        })?;
        paths += 1;
        steps += path.len();
        while chosen.pop_if(|(choice, of)| *choice + 1 == *of).is_some() {}
        let Some((choice, _)) = chosen.last_mut() else { return Ok([paths, steps]) };
        *choice += 1;
    }
}

/// Walks once, at each step where the numbers say; says how many steps there were.
pub(crate) fn by_chance(stage: &Stage, play: &Arc<Play>, numbers: &[usize]) -> Result<usize> {
    let mut numbers = numbers.iter().cycle().take(200);
    let path = walk(stage, play, &mut |_, _, next| numbers.next().map(|it| it % next.len()))?;
    Ok(path.len())
}
