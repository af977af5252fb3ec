//! The model against the code: paths of the model, replayed on the real crate in the same order by one driver. What the
//! code answers, which callback, job or task begins in which thread and when a coroutine is dropped is what the model
//! says, and so is, whenever no thread has run ahead of the model, what a thread sees of each future.
//!
//! For a program, that is done from every state that its walks reach for every step that the driver can take there,
//! each at least once. The programs are those of the models: each case, the larger ones, and some of the family of
//! `models/families`, which are too many for all of them. The cases and the larger ones are played in every way in
//! which they can begin, too.

#[macro_use]
#[path = "../support/watchdog.rs"]
mod watchdog;

mod agents;
mod cover;
mod driver;
#[expect(dead_code, reason = "the second family is not played")]
#[path = "../../models/families/programs.rs"]
mod family;
#[expect(dead_code, reason = "only the programs are played")]
#[path = "../../models/larger/programs.rs"]
mod large;
mod play;
#[expect(dead_code, reason = "only the programs are played")]
#[path = "../../models/cases/mod.rs"]
mod programs;
#[path = "../support/real.rs"]
mod real;
#[path = "../support/told.rs"]
mod told;

use std::{
    cell::Cell,
    process::ExitCode,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use cover::Covered;
use driver::{Result, Stage};
use libtest_mimic::{Arguments, Trial};
use play::Play;
use quickcheck::{Gen, QuickCheck, TestResult, Testable};
use settled::model::{Do, Program};

/// The programs of the cases and the larger ones, by name.
fn named() -> Vec<(String, Program)> {
    // The code does not defer callbacks in programs as small as these.
    let cases = programs::all()
        .into_iter()
        .filter(|case| !case.program.is_nested())
        .map(|case| (format!("{} {}", case.id, case.flip), case.program));
    cases.chain(large::all().into_iter().map(|it| (it.name.to_owned(), it.program))).collect()
}

/// Those that cannot be played, with the reason.
const NOT_PLAYED: [(&str, &str); 6] = [
    ("D18 set_twice", "a promise has two holders"),
    ("wait-9 interrupt_wakes_nobody", "nobody is interrupted"),
    ("wait-9 interrupt_cancels", "nobody is interrupted"),
    ("D53 closed_loop_swallows", "a loop is closed by what it runs"),
    ("D19 closed_view_stays", "a loop is closed by what it runs"),
    ("D48 foreign_loop_awaits", "a loop has the view of another"),
];

/// A step is a hand-over from thread to thread and back, during which a processor has time for others.
const LANES: usize = 4;

/// Keeps this thread, and those that it starts from now on, on one processor: a hand-over to another one takes longer
/// than all that is done between two. Where that is not allowed, it takes longer.
#[cfg(target_os = "linux")]
fn stay_on_one_processor(lane: usize) {
    use nix::{
        sched::{CpuSet, sched_getaffinity, sched_setaffinity},
        unistd::Pid,
    };
    let this = Pid::from_raw(0);
    let Ok(may) = sched_getaffinity(this) else { return };
    let may: Vec<usize> =
        (0..CpuSet::count()).filter(|it| may.is_set(*it).unwrap_or(false)).collect();
    let mut one = CpuSet::new();
    let _ = one.set(may[lane % may.len()]).and_then(|()| sched_setaffinity(this, &one));
}

#[cfg(not(target_os = "linux"))]
fn stay_on_one_processor(_lane: usize) {}

/// Does something with each of some items, on a stage, in several lanes; what comes of it is in no order. One that fails
/// is printed at once, and the others are gone through all the same: which is the first, the scheduler decides.
fn in_lanes<I: Sync, R: Send>(
    items: &[I],
    each: impl Fn(&Stage, &I) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let lane = |number: usize| -> Vec<R> {
        stay_on_one_processor(number);
        let mut stage = Stage::new(4);
        let mut all = Vec::new();
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            match each(&stage, item) {
                Ok(it) => all.push(it),
                Err(why) => {
                    println!("FAILED: {why}");
                    // Its threads stand anywhere.
                    stage = Stage::new(4);
                }
            }
        }
        all
    };
    let all: Vec<R> = thread::scope(|scope| {
        let lane = &lane;
        let lanes: Vec<_> = (0..LANES).map(|it| scope.spawn(move || lane(it))).collect();
        lanes.into_iter().flat_map(|lane| lane.join().expect("a lane does not panic")).collect()
    });
    let failed = items.len() - all.len();
    if failed == 0 { Ok(all) } else { Err(format!("{failed} of {} programs", items.len())) }
}

/// Those that can be played.
fn named_plays() -> Result<Vec<(String, Arc<Play>)>> {
    let (mut plays, mut not_played) = (Vec::new(), Vec::new());
    for (name, program) in named() {
        match Play::new(&program) {
            Some(play) => plays.push((name, Arc::new(play))),
            None => not_played.push(name),
        }
    }
    let expected: Vec<_> = NOT_PLAYED.iter().map(|(name, _)| *name).collect();
    if not_played == expected { Ok(plays) } else { Err(format!("not played: {not_played:?}")) }
}

/// What the programs without a pool have shown, and those with one, in which the system's scheduler has a say.
fn named_programs() -> Result<[Covered; 2]> {
    let covered = in_lanes(&named_plays()?, |stage, (name, play)| {
        let covered = cover::program(stage, play).map_err(|why| format!("{name}: {why}"))?;
        Ok((usize::from(!play.workers.is_empty()), covered))
    })?;
    let mut all = [Covered::default(); 2];
    covered.into_iter().for_each(|(has_pool, covered)| all[has_pool].add(covered));
    Ok(all)
}

/// How many states of the programs with a pool are reached at the least: there were 1,876 to 3,996.
const POOL_STATES: usize = 1000;

/// The operations of the promise with which the family's programs begin.
const OWN: [Do; 5] = [
    Do::Start(family::F),
    Do::Finish(family::F),
    Do::Abandon(family::F),
    Do::Fail(family::F),
    Do::Panic(family::F),
];

/// Every program of the family that this crate's types allow.
fn of_the_family() -> Vec<Arc<Play>> {
    let scripts = OWN.into_iter().flat_map(family::producers);
    let programs = scripts.flat_map(|script| family::programs(&script));
    programs.filter_map(|program| Play::new(&program).map(Arc::new)).collect()
}

fn is_full() -> bool {
    std::env::var_os("SETTLED_FULL").is_some()
}

/// Every n-th of the family's programs; n is prime, so that they do not all have an operation in common.
fn some_of_the_family(plays: &[Arc<Play>]) -> Result<Covered> {
    let every = if is_full() { 53 } else { 2003 };
    let some: Vec<_> = plays.iter().step_by(every).collect();
    let covered = in_lanes(&some, |stage, play| cover::program(stage, play))?;
    let mut all = Covered::default();
    covered.into_iter().for_each(|covered| all.add(covered));
    Ok(all)
}

/// Walks by chance through programs of the family, picked by chance; what quickcheck can call.
#[derive(Clone)]
struct Walks(Rc<Walked>);

struct Walked {
    stage: Stage,
    plays: Arc<Vec<Arc<Play>>>,
    /// How many walks there were, and how many steps.
    counts: Cell<[usize; 2]>,
}

impl Testable for Walks {
    fn result(&self, g: &mut Gen) -> TestResult {
        let Walked { stage, plays, counts } = &*self.0;
        let numbers: Vec<usize> = (0..65).map(|_| *g.choose(&NUMBERS).expect("some")).collect();
        let at = numbers.iter().fold(0, |sum, it| (sum * 31 + it) % plays.len());
        match cover::by_chance(stage, &plays[at], &numbers) {
            Ok(steps) => {
                let [walks, before] = counts.get();
                counts.set([walks + 1, before + steps]);
                TestResult::passed()
            }
            Err(why) => TestResult::error(why),
        }
    }
}

const NUMBERS: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

fn walks(plays: &Arc<Vec<Arc<Play>>>) -> Result<[usize; 2]> {
    let tests = if is_full() { 50_000 } else { 2_500 };
    let lane = |number: usize| -> Result<[usize; 2]> {
        stay_on_one_processor(number);
        let (stage, plays) = (Stage::new(4), Arc::clone(plays));
        let walks = Walks(Rc::new(Walked { stage, plays, counts: Cell::default() }));
        let checked = QuickCheck::new().tests(tests).max_tests(tests).quicktest(walks.clone());
        checked.map_err(|why| format!("{why:?}"))?;
        Ok(walks.0.counts.get())
    };
    let counted = thread::scope(|scope| {
        let lane = &lane;
        let lanes: Vec<_> = (0..LANES).map(|it| scope.spawn(move || lane(it))).collect();
        let counted = lanes.into_iter().map(|lane| lane.join().expect("a lane does not panic"));
        counted.collect::<Result<Vec<_>>>()
    })?;
    Ok(counted.into_iter().fold([0, 0], |sum, it| [sum[0] + it[0], sum[1] + it[1]]))
}

/// All ways in which the programs without a pool can begin, and one way on from each.
fn every_beginning(length: usize) -> Result<[usize; 2]> {
    let mut plays = named_plays()?;
    plays.retain(|(_, play)| play.workers.is_empty());
    let counted = in_lanes(&plays, |stage, (name, play)| {
        cover::every_beginning(stage, play, length).map_err(|why| format!("{name}: {why}"))
    })?;
    Ok(counted.into_iter().fold([0, 0], |sum, it| [sum[0] + it[0], sum[1] + it[1]]))
}

/// The paths of each test; those of pools are not counted, since no two runs have the same.
static PATHS: [AtomicUsize; 4] = [const { AtomicUsize::new(0) }; 4];

fn cases() -> Result<usize> {
    let [named, pools] = named_programs()?;
    println!("replayed: the cases and the larger programs: {named}");
    println!("replayed: those with a pool, as its workers happened to run: {pools}");
    if pools.states < POOL_STATES {
        return Err(format!("those with a pool have reached {} states only", pools.states));
    }
    Ok(named.paths)
}

fn family() -> Result<usize> {
    let plays = of_the_family();
    let some = some_of_the_family(&plays)?;
    println!("replayed: some of the {} programs of the family: {some}", plays.len());
    Ok(some.paths)
}

fn beginnings() -> Result<usize> {
    let length = if is_full() { 9 } else { 7 };
    let [paths, steps] = every_beginning(length)?;
    println!("replayed: every beginning of {length} steps: {paths} paths, {steps} steps");
    Ok(paths)
}

fn by_chance() -> Result<usize> {
    let [paths, steps] = walks(&Arc::new(of_the_family()))?;
    println!("replayed: by chance: {paths} paths, {steps} steps");
    Ok(paths)
}

fn trial(name: &'static str, test: fn() -> Result<usize>, paths: &'static AtomicUsize) -> Trial {
    Trial::test(name, move || {
        watch!(Some(name.to_owned()), 2 * 60 * 60);
        paths.store(test().map_err(|why| format!("FAILED: {why}"))?, Ordering::Relaxed);
        Ok(())
    })
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = vec![
        trial("cases", cases, &PATHS[0]),
        trial("family", family, &PATHS[1]),
        trial("beginnings", beginnings, &PATHS[2]),
        trial("by_chance", by_chance, &PATHS[3]),
    ];
    let conclusion = libtest_mimic::run(&arguments, trials);
    if conclusion.num_passed == PATHS.len() as u64 {
        let paths: usize = PATHS.iter().map(|paths| paths.load(Ordering::Relaxed)).sum();
        println!("replayed: {paths} paths");
    }
    conclusion.exit_code()
}
