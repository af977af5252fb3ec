//! The programs of the cell, in every execution.

use crate::{
    axioms::{Axioms, LOOSE, RC11},
    cell::{LONG, Make, SHORT, TOLD, WRONG, Way},
    explore::{End, Found, explore},
    program::{Order, Program},
};

/// A program of two or three threads, each of which has a handle or a weak one.
pub(super) struct Protocol {
    pub(super) name: &'static str,
    pub(super) program: Program,
    way: Way,
    /// How many values the threads have in the end.
    values: u64,
}

impl Protocol {
    fn of((name, values, make): &Make, way: Way) -> Self {
        Self { name, program: make(way), way, values: *values }
    }

    /// The same with an ordering that is this weak.
    pub(super) fn weakened(self, name: &'static str, order: Order) -> Self {
        Self { program: self.program.weakened(name, order), ..self }
    }

    /// What its executions are like, and what is wrong with one of them: it has to free the memory once, each value has to
    /// be somebody's, and whoever waits is told once.
    pub(super) fn wrong(&self, axioms: &Axioms) -> (Found, Option<String>) {
        let found = explore(&self.program, axioms);
        let is_right = |end: &End| {
            let values: u64 = end.seen.iter().sum();
            let untold = TOLD.iter().all(|it| end.memory[*it] == 0);
            end.frees == 1 && values == self.values && untold
        };
        let what = found.wrong.first().map(|(what, how)| format!("{what}{how}"));
        let other = || found.ends.iter().find(|it| !is_right(it)).map(|it| format!("{it:?}"));
        let nothing = || (found.executions == 0).then(|| "it has no execution".to_owned());
        let what = what.or_else(other).or_else(nothing);
        (found, what)
    }
}

/// One read at a time is ahead of its write.
const AHEAD: Axioms = Axioms { early: 1, ..LOOSE };

/// All of them: those of the first list in detail too.
pub(super) fn all() -> Vec<Protocol> {
    let steps = SHORT.iter().chain(LONG).map(|it| Protocol::of(it, Way::STEPS));
    SHORT.iter().map(|it| Protocol::of(it, Way::DETAIL)).chain(steps).collect()
}

/// What takes long where loads are buffered, and is asked then with `SETTLED_FULL=1` only.
const SLOW: [&str; 4] = [
    "finish, and a task that polls twice",
    "cancel, and a wait",
    "finish, and two who wait",
    "two reasons, and a look",
];

/// How many programs there are, and in how many executions they are right.
pub(crate) fn the_cell_is_right_in_every_execution() -> Result<[usize; 2], String> {
    let is_full = std::env::var_os("SETTLED_FULL").is_some();
    let (mut executions, mut wrong) = (0, Vec::new());
    println!("{:<46} {:<9} {:>10} {:>15}", "program", "steps", "executions", "loads buffered");
    for it in all() {
        let mut ask = |axioms: Option<&Axioms>| {
            let Some(axioms) = axioms else { return "not asked".to_owned() };
            let (found, what) = it.wrong(axioms);
            wrong.extend(what.map(|what| format!("{}: {what}", it.name)));
            executions += found.executions;
            found.executions.to_string()
        };
        let is_asked = it.way == Way::STEPS && (is_full || !SLOW.contains(&it.name));
        let (rc11, loose) = (ask(Some(&RC11)), ask(is_asked.then_some(&AHEAD)));
        let detail = if it.way == Way::STEPS { "single" } else { "in detail" };
        println!("{:<46} {detail:<9} {rc11:>10} {loose:>15}", it.name);
    }
    let programs = SHORT.len() + LONG.len();
    if wrong.is_empty() { Ok([programs, executions]) } else { Err(wrong.join("\n")) }
}

/// What others have done wrong is noticed by the program that is there for it.
pub(crate) fn every_mistake_is_noticed() -> Result<String, String> {
    for (twin, name, was) in WRONG {
        let make = SHORT.iter().chain(LONG).find(|it| it.0 == name).ok_or("there is none")?;
        let (_, what) = Protocol::of(make, Way::wrong(twin)).wrong(&RC11);
        let what = what.ok_or_else(|| format!("{name}: nobody notices that {was}"))?;
        println!("{was:<50} {name}: {}", what.lines().next().unwrap_or_default());
    }
    Ok(String::new())
}
