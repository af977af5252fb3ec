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
pub(crate) fn program(stage: &Stage, play: Play) -> Result<Covered> {
    let play = Arc::new(play);
    let (mut known, mut covered) = (Known::new(), Covered::default());
    let (mut taken, mut in_vain) = (HashSet::new(), 0);
    // Where workers decide who goes first, what is left may never be offered again.
    let patience = if play.workers.is_empty() { usize::MAX } else { 100 };
    while in_vain < patience {
        let path = walk(stage, &play, &mut known)?;
        covered.paths += 1;
        covered.steps += path.len();
        mark(&mut known, &path);
        let before = taken.len();
        taken.extend(path.iter().map(|(state, step, _)| (state.clone(), step.clone())));
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

type Path = Vec<(System, (u8, String), System)>;

/// Walks once, where something is new if it can.
fn walk(stage: &Stage, play: &Arc<Play>, known: &mut Known) -> Result<Path> {
    let mut driver = Driver::new(stage, play)?;
    let mut path = Path::new();
    let told = |why: String, path: &Path, at: Option<Step>| {
        let taken: Vec<_> =
            path.iter().map(|(_, (agent, does), _)| format!("{agent} {does}")).collect();
        format!("{why}\nat {at:?}\nafter {}", taken.join(", "))
    };
    loop {
        let next = driver.next().map_err(|why| told(why, &path, None))?;
        let from = known.entry(driver.state().clone()).or_default();
        for (step, _) in &next {
            from.entry(key(*step)).or_insert(false);
        }
        let new = next.iter().position(|(step, _)| !from[&key(*step)]);
        // A circle is walked once.
        let Some((step, after)) = next.get(new.unwrap_or(0)).cloned() else { break };
        if new.is_none() && path.iter().any(|(state, ..)| *state == after) {
            break;
        }
        let before = driver.state().clone();
        driver.step(step, after.clone()).map_err(|why| told(why, &path, Some(step)))?;
        if before == after || path.iter().any(|(state, ..)| *state == after) {
            known.get_mut(&before).expect("it was reached").insert(key(step), true);
        }
        path.push((before, key(step), after));
    }
    driver.end().map_err(|why| told(why, &path, None))?;
    Ok(path)
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
            known.get_mut(state).expect("it was reached").insert(step.clone(), true);
        }
        met.remove(state);
    }
}

/// Walks once, at each step where the numbers say; says how many steps there were.
pub(crate) fn by_chance(stage: &Stage, play: &Play, numbers: &[usize]) -> Result<usize> {
    let mut driver = Driver::new(stage, &Arc::new(play.clone()))?;
    let mut taken = Vec::new();
    for number in numbers.iter().cycle().take(200) {
        let told = |why, at| format!("{why}\nat {at:?}\nafter {taken:?}");
        let next = driver.next().map_err(|why| told(why, None))?;
        if next.is_empty() {
            break;
        }
        let (step, after) = next[number % next.len()].clone();
        driver.step(step, after).map_err(|why| told(why, Some(step)))?;
        taken.push(step);
    }
    driver.end().map_err(|why| format!("{why}\nafter {taken:?}"))?;
    Ok(taken.len())
}
