//! Programs beside Python's classes: 100,000 trees of tasks; 82,500 of calls on events, semaphores, locks, conditions and
//! barriers; 20,000 of calls on queues; every program of up to five calls on both futures, and with `SETTLED_FULL=1` of six, then
//! 20,000 longer ones by chance for each class. The answers are equal, but for the rows of `spec/python.md`, and each row is met.
//!
//! Where there is no Python, a record of its answers to the programs of up to four calls stands in;
//! `SETTLED_BLESS=1` writes it anew.

#[macro_use]
#[path = "../support/watchdog.rs"]
mod watchdog;

#[path = "../support/closing.rs"]
mod closing;
mod primitives;
mod python;
mod queues;
mod real;
mod trees;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    env, fs,
    path::PathBuf,
    process::ExitCode,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use python::Python;
use quickcheck::{Arbitrary, Gen, QuickCheck, TestResult, Testable};
use real::Real;

/// How long the programs are that are all tried, and how long those that the record has.
const LENGTH: usize = 5;
const LENGTH_IN_FULL: usize = 6;
const RECORDED: usize = 4;
const RANDOM: u64 = 20_000;
const RANDOM_IN_FULL: u64 = 200_000;
const TREES: u64 = 100_000;
const TREES_IN_FULL: u64 = 300_000;
const PRIMITIVES: u64 = 80_000;
const PRIMITIVES_IN_FULL: u64 = 400_000;
const QUEUES: u64 = 20_000;
const QUEUES_IN_FULL: u64 = 200_000;

/// Python's class, and the calls that it has: start, finish, fail, cancel, result, exception, add a callback,
/// remove the last callback, a turn of the loop.
const CLASSES: [(char, &str); 3] = [('T', "srxcgea"), ('C', "rxcgeamt"), ('P', "rxcgeamt")];

/// The rows of `spec/python.md` that are about calls, in its order.
const ROWS: [&str; 4] =
    ["used-again", "removed-in-time", "told-not-raised", "start-is-not-asked-twice"];

/// How often each row was met.
static MET: Mutex<BTreeMap<&str, u64>> = Mutex::new(BTreeMap::new());

fn meet(row: &'static str) {
    let is_row = ROWS.contains(&row)
        || trees::ROWS.iter().any(|it| it.0 == row)
        || primitives::rows(0).contains(&row)
        || queues::ROWS.contains(&row);
    assert!(is_row, "{row} is no row");
    *MET.lock().unwrap().entry(row).or_default() += 1;
}

/// What Python answers to a program, against the real crate.
fn compare(class: char, program: &str, answers: &str) -> Result<(), String> {
    let mut real = Real::new(class);
    let answers: Vec<&str> = answers.split(' ').collect();
    if answers.len() != program.len() {
        return Err(format!("{class} {program}: there are {} answers", answers.len()));
    }
    for (at, (letter, theirs)) in program.chars().zip(answers).enumerate() {
        let ours = real.call(letter, theirs);
        if ours != theirs {
            let call = &program[..=at];
            return Err(format!("{class} {call}: the last call says {ours}, Python says {theirs}"));
        }
    }
    Ok(())
}

/// Every program of this length. Its beginnings are the shorter ones.
fn programs(letters: &str, length: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    for _ in 0..length {
        all = all
            .iter()
            .flat_map(|it| letters.chars().map(move |letter| format!("{it}{letter}")))
            .collect();
    }
    all
}

/// A program by chance.
#[derive(Clone, Debug)]
struct Random<const CLASS: usize>(String);

impl<const CLASS: usize> Arbitrary for Random<CLASS> {
    fn arbitrary(g: &mut Gen) -> Self {
        let letters: Vec<char> = CLASSES[CLASS].1.chars().collect();
        let length = LENGTH + 1 + usize::arbitrary(g) % 24;
        Self((0..length).map(|_| *g.choose(&letters).expect("there are calls")).collect())
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        let program = self.0.clone();
        Box::new((0..program.len()).map(move |at| {
            let mut shorter = program.clone();
            shorter.remove(at);
            Self(shorter)
        }))
    }
}

thread_local! {
    /// Whom this thread asks.
    static CHILD: RefCell<Option<Python>> = const { RefCell::new(None) };
}

/// Asks Python.
fn ask<T>(question: impl FnOnce(&mut Python) -> T) -> T {
    CHILD.with_borrow_mut(|child| question(child.as_mut().expect("it was started")))
}

impl<const CLASS: usize> Testable for Random<CLASS> {
    fn result(&self, _: &mut Gen) -> TestResult {
        let class = CLASSES[CLASS].0;
        match compare(class, &self.0, &ask(|python| python.ask(class, &self.0))) {
            Ok(()) => TestResult::passed(),
            Err(why) => TestResult::error(why),
        }
    }
}

fn random<const CLASS: usize>() -> Result<u64, String> {
    fn agrees<const CLASS: usize>(program: Random<CLASS>) -> Random<CLASS> {
        program
    }
    let tests = if is_full() { RANDOM_IN_FULL } else { RANDOM };
    QuickCheck::new()
        .tests(tests)
        .max_tests(tests)
        .quicktest(agrees::<CLASS> as fn(Random<CLASS>) -> Random<CLASS>)
        .map_err(|why| format!("{why:?}"))
}

fn is_full() -> bool {
    env::var_os("SETTLED_FULL").is_some()
}

fn is_blessing() -> bool {
    env::var_os("SETTLED_BLESS").is_some()
}

fn record() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("tests/oracle/record.txt")
}

/// How many programs have agreed, and with whom.
static AGREED: AtomicU64 = AtomicU64::new(0);
static WITH: OnceLock<String> = OnceLock::new();

/// All programs of one class; what Python answers to the short ones, if the record is to be written.
fn calls<const CLASS: usize>(python: Python) -> Result<String, String> {
    let (class, letters) = CLASSES[CLASS];
    CHILD.set(Some(python));
    let length = if is_full() { LENGTH_IN_FULL } else { LENGTH };
    let mut result = Ok(());
    ask(|python| {
        python.ask_all(class, &programs(letters, length), |program, answers| {
            if result.is_ok() {
                result = compare(class, program, answers);
                AGREED.fetch_add(1, Ordering::Relaxed);
            }
        });
    });
    result?;
    AGREED.fetch_add(random::<CLASS>()?, Ordering::Relaxed);
    let mut text = String::new();
    if is_blessing() {
        ask(|python| {
            python.ask_all(class, &programs(letters, RECORDED), |program, answers| {
                text += &format!("{class} {program} {answers}\n");
            });
        });
    }
    Ok(text)
}

/// The classes at once, each with a Python of its own.
fn all_calls(python: Python) -> Result<(), String> {
    let all: [fn(Python) -> Result<String, String>; 3] = [calls::<0>, calls::<1>, calls::<2>];
    let pythons = [python, Python::start()?, Python::start()?];
    let text = thread::scope(|scope| {
        let asked = all.into_iter().zip(pythons);
        let asked: Vec<_> = asked.map(|(calls, it)| scope.spawn(move || calls(it))).collect();
        let told = asked.into_iter().map(|it| it.join().expect("a comparison does not panic"));
        told.collect::<Result<String, String>>()
    })?;
    if is_blessing() {
        fs::write(record(), text).map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// The recorded answers, where there is no Python to ask.
fn all_recorded() -> Result<u64, String> {
    let text = fs::read_to_string(record()).map_err(|e| format!("the record: {e}"))?;
    for line in text.lines() {
        let mut parts = line.splitn(3, ' ');
        let (class, program) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        compare(class.chars().next().unwrap_or('?'), program, parts.next().unwrap_or_default())?;
    }
    Ok(text.lines().count() as u64)
}

/// Python, unless there is none and none is asked for.
fn python() -> Result<Option<Python>, String> {
    match Python::start() {
        Ok(python) => Ok(Some(python)),
        Err(why) => {
            println!("no Python to ask: {why}");
            println!("SKIPPED oracle: python3, install with apt-get install python3");
            if env::var("SETTLED_STRICT").is_ok_and(|strict| strict == "1") {
                return Err("SETTLED_STRICT is set, and there is no Python to ask".to_owned());
            }
            Ok(None)
        }
    }
}

/// `[await-4]` `[combine-1]` `[combine-2]` `[combine-3]` `[combine-4]` `[group-1]` `[group-2]` `[loop-8]` `[loop-9]`
fn trees_of_tasks() -> Result<String, String> {
    if let Some(mut python) = python()? {
        let count = if is_full() { TREES_IN_FULL } else { TREES };
        AGREED.fetch_add(trees::run(&mut python, count)?, Ordering::Relaxed);
        let of_it = |row: &&str| trees::is_true(row, python.minor());
        let rows: Vec<_> = trees::ROWS.iter().map(|it| it.0).filter(of_it).collect();
        all_met(&rows)?;
    }
    Ok(String::new())
}

/// `[event-1]` `[event-3]` `[semaphore-1]` `[semaphore-2]` `[semaphore-3]` `[semaphore-4]` `[semaphore-5]` `[semaphore-6]`
/// `[lock-1]` `[condition-1]` `[condition-2]` `[condition-3]` `[condition-5]` `[barrier-1]` `[barrier-2]` `[barrier-4]`
fn calls_on_primitives() -> Result<String, String> {
    if let Some(mut python) = python()? {
        let count = if is_full() { PRIMITIVES_IN_FULL } else { PRIMITIVES };
        AGREED.fetch_add(primitives::run(&mut python, count)?, Ordering::Relaxed);
        all_met(&primitives::rows(python.minor()))?;
    }
    Ok(String::new())
}

/// `[queue-1]` `[queue-2]` `[queue-3]` `[queue-4]` `[queue-8]`
fn calls_on_queues() -> Result<String, String> {
    if let Some(mut python) = python()? {
        let count = if is_full() { QUEUES_IN_FULL } else { QUEUES };
        AGREED.fetch_add(queues::run(&mut python, count)?, Ordering::Relaxed);
        all_met(&queues::ROWS)?;
    }
    Ok(String::new())
}

/// `[promise-2]` `[settled-2]` `[read-2]` `[cancel-1]` `[cancel-3]` `[callback-3]` `[callback-4]`
fn calls_on_futures() -> Result<String, String> {
    let with = match python()? {
        Some(python) => {
            let version = python.version.clone();
            all_calls(python)?;
            format!("CPython {version}")
        }
        None => {
            AGREED.fetch_add(all_recorded()?, Ordering::Relaxed);
            "a record of CPython's answers".to_owned()
        }
    };
    all_met(&ROWS)?;
    WITH.set(with).expect("it is asked once");
    Ok(String::new())
}

/// Each row was met, and is told.
fn all_met(rows: &[&str]) -> Result<(), String> {
    let met = MET.lock().unwrap();
    let mut table = fs::read_to_string(
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join("spec/python.md"),
    )
    .map_err(|e| format!("spec/python.md: {e}"))?;
    table.retain(|c| c != '`');
    for row in rows {
        let times = met.get(row).copied().unwrap_or_default();
        println!("differs: {row}: {times} times");
        if times == 0 || !table.contains(&format!("\n| {row} |")) {
            return Err(format!("{row} was met {times} times, or is not told in spec/python.md"));
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let ended = closing::main(
        None,
        [
            // The longest first, so that the last ones are short.
            ("calls_on_futures", calls_on_futures),
            ("trees_of_tasks", trees_of_tasks),
            ("calls_on_primitives", calls_on_primitives),
            ("calls_on_queues", calls_on_queues),
        ],
    );
    if let Some(with) = WITH.get() {
        println!("agreed: {} programs with {with}", AGREED.load(Ordering::Relaxed));
    }
    ended
}
