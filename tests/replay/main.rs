//! The model against the code: paths of the model, replayed on the real crate in the same order by one driver. What the
//! code answers, which callback, job or task begins in which thread, when a coroutine is dropped, and what can be seen
//! of each future is what the model says, after each step.
//!
//! For a program, that is done from every state that its walks reach for every step that is possible there, each at
//! least once. The programs are those of the models: each case, the larger ones, and some of those that the theorem is
//! about, which are too many for all of them.

mod agents;
#[expect(dead_code, reason = "only the programs are played")]
#[path = "../../models/cases/mod.rs"]
mod cases;
#[path = "../support/closing.rs"]
mod closing;
mod cover;
mod driver;
#[path = "../../models/family.rs"]
mod family;
#[expect(dead_code, reason = "only the programs are played")]
#[path = "../../models/large.rs"]
mod large;
mod play;
#[path = "../support/real.rs"]
mod real;

use std::{process::ExitCode, sync::Mutex};

use cover::Covered;
use driver::{Result, Stage};
use play::Play;
use quickcheck::{Gen, QuickCheck, TestResult, Testable};
use settled::model::{Do, Program};

/// The programs of the cases and the larger ones, by name.
fn named() -> Vec<(String, Program)> {
    let cases =
        cases::all().into_iter().map(|case| (format!("{} {}", case.id, case.flip), case.program));
    cases.chain(large::all().into_iter().map(|it| (it.name.to_owned(), it.program))).collect()
}

/// Those that cannot be played, with the reason.
const NOT_PLAYED: [(&str, &str); 4] = [
    ("D18 set_twice", "a promise has two holders"),
    ("D53 closed_loop_swallows", "a loop is closed by what it runs"),
    ("D19 closed_view_stays", "a loop is closed by what it runs"),
    ("D48 foreign_loop_awaits", "a loop has the view of another"),
];

/// What the programs without a pool have shown, and those with one, in which the system's scheduler has a say.
fn named_programs(stage: &Stage) -> Result<[Covered; 2]> {
    let (mut all, mut not_played) = ([Covered::default(); 2], Vec::new());
    for (name, program) in named() {
        let Some(play) = Play::new(&program) else {
            not_played.push(name);
            continue;
        };
        let has_pool = usize::from(!play.workers.is_empty());
        all[has_pool].add(cover::program(stage, play).map_err(|why| format!("{name}: {why}"))?);
    }
    let expected: Vec<_> = NOT_PLAYED.iter().map(|(name, _)| *name).collect();
    if not_played == expected { Ok(all) } else { Err(format!("not played: {not_played:?}")) }
}

/// The operations of the promise with which the theorem's programs begin.
const OWN: [Do; 5] = [
    Do::Start(family::F),
    Do::Finish(family::F),
    Do::Abandon(family::F),
    Do::Fail(family::F),
    Do::Panic(family::F),
];

/// Every program of the theorem that this crate's types allow.
fn of_the_theorem() -> Vec<Play> {
    let scripts = OWN.into_iter().flat_map(family::producers);
    let programs = scripts.flat_map(|script| family::programs(&script));
    programs.filter_map(|program| Play::new(&program)).collect()
}

fn is_full() -> bool {
    std::env::var_os("SETTLED_FULL").is_some()
}

/// Every so manieth of the theorem's programs. The number is prime, so that each operation is met beside each other.
fn some_of_the_theorem(stage: &Stage, plays: &[Play]) -> Result<Covered> {
    let every = if is_full() { 53 } else { 1009 };
    let mut all = Covered::default();
    for play in plays.iter().step_by(every) {
        all.add(cover::program(stage, play.clone())?);
    }
    Ok(all)
}

/// Walks by chance through programs of the theorem, picked by chance.
struct Walks(Mutex<Walked>);

struct Walked {
    stage: Stage,
    plays: Vec<Play>,
    walks: usize,
    steps: usize,
}

impl Testable for &'static Walks {
    fn result(&self, g: &mut Gen) -> TestResult {
        let mut walked = self.0.lock().expect("no walk panics");
        let numbers: Vec<usize> = (0..65).map(|_| *g.choose(&NUMBERS).expect("some")).collect();
        let at = numbers.iter().fold(0, |sum, it| (sum * 31 + it) % walked.plays.len());
        match cover::by_chance(&walked.stage, &walked.plays[at], &numbers) {
            Ok(steps) => {
                walked.walks += 1;
                walked.steps += steps;
                TestResult::passed()
            }
            Err(why) => TestResult::error(why),
        }
    }
}

const NUMBERS: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

fn walks(stage: Stage, plays: Vec<Play>) -> Result<[usize; 2]> {
    let walked = Walked { stage, plays, walks: 0, steps: 0 };
    let walks: &'static Walks = Box::leak(Box::new(Walks(Mutex::new(walked))));
    let tests = if is_full() { 200_000 } else { 10_000 };
    let checked = QuickCheck::new().tests(tests).max_tests(tests).quicktest(walks);
    checked.map_err(|why| format!("{why:?}"))?;
    let walked = walks.0.lock().expect("no walk panics");
    Ok([walked.walks, walked.steps])
}

fn run() -> Result<String> {
    let stage = Stage::new(4);
    let [named, pools] = named_programs(&stage)?;
    println!("replayed: the cases and the larger programs: {named}");
    println!("replayed: those with a pool, as its workers happened to run: {pools}");
    let plays = of_the_theorem();
    let some = some_of_the_theorem(&stage, &plays)?;
    println!("replayed: some of the {} programs of the theorem: {some}", plays.len());
    let [by_chance, steps] = walks(stage, plays)?;
    println!("replayed: by chance: {by_chance} paths, {steps} steps");
    Ok(format!("replayed: {} paths", named.paths + some.paths + by_chance))
}

fn main() -> ExitCode {
    closing::main("paths", run)
}
