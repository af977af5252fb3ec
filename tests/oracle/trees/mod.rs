//! Trees of tasks on this crate beside asyncio's: with what each task ended, at what moment, in which order, and who
//! was stopped.
//!
//! A program is data: a tree of tasks, cancels at moments and turns, and callbacks that cancel. Chance makes it from a
//! number, so that every run has the same programs. The clock of both sides jumps from timer to timer.

mod answer;
mod chance;
mod change;
mod play;
mod program;
mod rows;

use answer::Answer;
use program::Program;
pub(crate) use rows::ROWS;

use crate::{meet, python::Python};

/// So many are kept at a time.
const LOAD: u64 = 10_000;

/// Compares this many programs.
pub(crate) fn run(python: &mut Python, count: u64) -> Result<u64, String> {
    let (mut equal, mut nudged) = (0, 0);
    for begin in (0..count).step_by(LOAD as usize) {
        let programs: Vec<_> = (begin..count.min(begin + LOAD)).map(Program::by_chance).collect();
        let lines: Vec<_> = programs.iter().map(Program::line).collect();
        let mut answered = programs.iter();
        let mut differs = None;
        let minor = python.minor();
        python.ask_all('L', &lines, |_, answer| {
            let program = answered.next().expect("it was asked");
            match compare(program, answer, minor) {
                Ok(met) => {
                    equal += u64::from(met.is_empty());
                    nudged += u64::from(met.contains(rows::NUDGED));
                    met.into_iter().for_each(meet);
                }
                Err(_) => differs = differs.take().or(Some(program)),
            }
        });
        if let Some(program) = differs {
            return Err(shrunk(python, program.clone()));
        }
    }
    println!("trees: {equal} of {count} programs meet no row");
    if 2 * equal < count {
        return Err("more than half of the trees meet a row".to_owned());
    }
    // That excuses much: what ends a turn too early or too late everywhere is not to pass by it.
    if 100 * nudged > count {
        return Err(format!("{nudged} trees agree only if something comes earlier or later"));
    }
    Ok(count)
}

fn compare(program: &Program, answer: &str, minor: u32) -> Result<rows::Met, String> {
    let theirs = Answer::parse(answer).ok_or_else(|| format!("Python says {answer}"))?;
    let ours = play::play(program);
    let met = rows::explain(program, &ours, &theirs)?;
    match met.iter().find(|row| !is_true(row, minor)) {
        Some(row) => Err(format!("{row} is not true of Python 3.{minor}")),
        None => Ok(met),
    }
}

/// Whether a row is true of a version.
pub(crate) fn is_true(row: &str, minor: u32) -> bool {
    ROWS.iter().any(|(name, pythons)| *name == row && pythons.contains(&minor))
}

/// The smallest program that differs still, and how.
fn shrunk(python: &mut Python, mut program: Program) -> String {
    let minor = python.minor();
    let mut differs = |program: &Program| {
        let answer = python.ask('L', &program.line());
        let why = compare(program, &answer, minor).err()?;
        let theirs = Answer::parse(&answer)?;
        let ours = play::play(program);
        Some(format!("{why}\n{program}here:   {ours}\nPython:{theirs}"))
    };
    let mut told = differs(&program).unwrap_or_else(|| "once, and never again".to_owned());
    while let Some((smaller, why)) = program
        .smaller()
        .into_iter()
        .find_map(|it| Some((differs(&it)?, it)))
        .map(|(why, it)| (it, why))
    {
        (program, told) = (smaller, why);
    }
    told
}
