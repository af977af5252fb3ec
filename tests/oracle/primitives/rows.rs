//! In what an answer may differ from Python's, and in nothing else: rows of `spec/python.md`.

use super::kind::{Kind, What};

/// A task that is granted a permit has it when its loop runs; a thread takes it. Told by programs that both have.
const COMES: &str = "D54";
/// `WouldDeadlock`, where Python blocks a loop.
const BLOCKS: &str = "D55";
/// `asyncio` has no limit to give.
const LIMIT: &str = "D56";
/// What was granted to a task of a closed loop goes on, and nobody stays in the line.
const CLOSED: &str = "D57";
/// A newcomer of `threading` takes what another was woken for.
const OVERTAKES: &str = "D58";
/// The tasks of one loop only.
const BOUND: &str = "D59";
/// Permits that are held, or on their way, count.
const SURPLUS: &str = "D60";
/// A wait for an event that has come is no truth value.
const TRUTH: &str = "D61";
/// `threading.Semaphore` cannot be asked.
const ASKED: &str = "D62";
/// A task of `asyncio` that is stopped awaits the lock of its condition first.
const LOCKS: &str = "D63";
/// A notice of `asyncio` is lost with a task that is stopped.
const LOST: &str = "D64";
/// A task of `asyncio` that is stopped breaks no barrier.
const COUNTED: &str = "D65";

/// A permit of `asyncio` is free, and nobody may take it before one who is coming for another has come.
const BEHIND: &str = "free-behind-one-who-comes";
/// A lock of `asyncio` that was given to a task is not locked until the task has come.
const UNLOCKED: &str = "unlocked-on-its-way";
/// Nobody notifies without the lock.
const WITHOUT: &str = "no-notice-without-the-lock";
/// A round that is over breaks for those who have not gone on.
const LATE: &str = "over-and-broken";

const ROWS: [&str; 16] = [
    COMES, BLOCKS, LIMIT, CLOSED, OVERTAKES, BOUND, SURPLUS, TRUTH, ASKED, LOCKS, LOST, COUNTED,
    BEHIND, UNLOCKED, WITHOUT, LATE,
];

/// Those that are true of this version.
pub(crate) fn rows(minor: u32) -> Vec<&'static str> {
    let is_true = |row: &&str| *row != LOST || minor < 13;
    ROWS.into_iter().filter(is_true).collect()
}

/// Whether both sides are in the same state after it.
pub(crate) fn goes_on(row: &str) -> bool {
    [BLOCKS, LIMIT, TRUTH, ASKED, UNLOCKED].contains(&row)
}

/// What a call differs in, or nothing that a row has.
pub(crate) fn explain(
    kind: Kind,
    letter: char,
    waiting: usize,
    ours: &str,
    theirs: &str,
) -> Option<&'static str> {
    let (our, we_go_on) = ours.split_once(':')?;
    let (their, they_go_on) = theirs.split_once(':')?;
    let is_threads = kind.is_threads;
    let all = |who: &str| who.split(',').filter(|it| !it.is_empty()).count();
    let stopped = |who: &str| who.matches('c').count();
    let row = match (letter, our, their) {
        ('b', "D", "F") => Some(BLOCKS),
        ('z', "T" | "F", "A") if !is_threads => Some(LIMIT),
        ('k', ..) if our != their && waiting > 0 => Some(CLOSED),
        ('g', "F", "T") if is_threads && waiting > 0 => Some(OVERTAKES),
        _ if they_go_on.contains('b') => Some(BOUND),
        ('o', "o", "E") => Some(WITHOUT),
        ('c' | 'C' | 'X', "o", "o") if kind.what == What::Condition => {
            let (ours, theirs) = (stopped(we_go_on), stopped(they_go_on));
            let is_lost = letter == 'C' && ours == theirs && all(we_go_on) == all(they_go_on) + 1;
            if is_lost { Some(LOST) } else { (ours > theirs).then_some(LOCKS) }
        }
        ('c', "oT", "oF") => Some(COUNTED),
        ('A' | 'Z', ..) if our == their && we_go_on != they_go_on => Some(LATE),
        ('R', "V", "o") | ('k', "FVF" | "TVT", "FoF" | "ToF") if kind.what == What::Bounded => {
            Some(SURPLUS)
        }
        ('?', _, "A") if is_threads && kind.what != What::Lock => Some(ASKED),
        ('t' | 'g', "T", "F") | ('?', "F", "T")
            if !is_threads && kind.what != What::Lock && waiting > 0 =>
        {
            Some(BEHIND)
        }
        ('?', "T", "F") if !is_threads && kind.what == What::Lock && waiting > 0 => Some(UNLOCKED),
        ('z' | 'b', ..) if kind.what == What::Event && our == their => Some(TRUTH),
        _ => None,
    };
    // Where both go on as they are, the same ones have come.
    row.filter(|row| !goes_on(row) || we_go_on == they_go_on)
}
