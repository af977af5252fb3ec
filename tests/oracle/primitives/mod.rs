//! Programs of calls on events, semaphores, locks, conditions and barriers, beside `threading` and `asyncio`.
//!
//! A program is a kind, a number of permits, and calls, each a letter. Chance makes it from a number, so that every run has
//! the same programs. Threads that wait are real ones: each call ends when all have come or sleep.

mod kind;
mod loops;
mod rows;
mod threads;

use kind::{Kind, Object};
use loops::Loops;
pub(crate) use rows::rows;
use threads::{Clients, Threads};

use crate::{meet, python::Python};

/// So many are kept at a time.
pub(crate) const LOAD: u64 = 10_000;

/// Each kind's calls. In small letters the primitives of `threading`, in capitals those of `asyncio`:
///
/// | | |
/// |---|---|
/// | `t`, `z` | acquires without waiting; waits with a limit of zero |
/// | `w`, `f` | another client waits; one of another loop does |
/// | `r`, `R` | gives back what is held; adds a permit that nobody held |
/// | `s`, `u`, `x` | sets the event, clears it, does both |
/// | `q`, `g` | gives back or sets, and nobody has gone on yet; gives back and acquires at once |
/// | `c`, `C`, `X` | cancels who waits longest; gives back before, or after |
/// | `b` | waits with a limit, on the thread of a loop |
/// | `?` | is it set, or locked? |
/// | `k` | closes the loops, and gives one back, or notifies all |
///
/// A condition is waited for with its lock, which `t` takes and `r` gives back; `i` notifies one and `a` all, with the lock,
/// and `o` without. What `z` is told is also how often the lock was given up. At a barrier `a` aborts and `u` resets, `t`
/// comes as the last, and `i` asks how many wait; whoever comes with `A` or `Z`, and is the last, aborts or resets at once.
const CALLS: [(char, &str); 12] = [
    ('S', "ttwwwrrRqgcCX?fz"),
    ('B', "ttwwwrrRqgcCX?fz"),
    ('E', "wwsuxqcC?fz"),
    ('L', "ttwwwrqgcCX?fz"),
    ('C', "ttwwwrriiacCX?fzo"),
    ('M', "wwwwtAZaucfi"),
    ('s', "ttwwrrRgq?bz"),
    ('b', "ttwwrrRgq?bz"),
    ('e', "wwsux?bzq"),
    ('l', "ttwrr?bz"),
    ('c', "ttwwwrriiazbo"),
    ('m', "wwwwzAZaui"),
];

/// Numbers by chance, the same ones for a seed.
pub(crate) struct Luck(pub(crate) u64);

impl Luck {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ mixed >> 31) % end as u64) as usize
    }
}

/// The same for a number every time.
fn by_chance(seed: u64) -> String {
    let mut luck = Luck(seed.wrapping_mul(0xD134_2543_DE82_EF95));
    // Two of three are for loops: threads that wait take longest.
    let (kind, letters) = CALLS[luck.below(18) % CALLS.len()];
    let letters = letters.as_bytes();
    // Nobody could ever give one to a bound of none, and a barrier is for somebody.
    let permits = match kind.to_ascii_lowercase() {
        'b' => luck.below(3).max(1),
        'm' => 1 + luck.below(3),
        _ => luck.below(3),
    };
    let mut program = format!("{kind}{permits}");
    for _ in 0..2 + luck.below(7) {
        program.push(char::from(letters[luck.below(letters.len())]));
    }
    if kind.is_uppercase() && luck.below(8) == 0 {
        program.push('k');
    }
    program
}

/// Compares this many programs.
pub(crate) fn run(python: &mut Python, count: u64) -> Result<u64, String> {
    let clients = Clients::new();
    let mut equal = 0;
    for begin in (0..count).step_by(LOAD as usize) {
        let programs: Vec<_> = (begin..count.min(begin + LOAD)).map(by_chance).collect();
        let mut differs = None;
        python.ask_all('S', &programs, |program, answer| {
            match compare(&clients, program, answer) {
                Ok(met) => {
                    equal += u64::from(met.is_empty());
                    met.into_iter().for_each(meet);
                }
                Err(_) => differs = differs.take().or(Some(program.to_owned())),
            }
        });
        if let Some(program) = differs {
            return Err(shrunk(python, &clients, program));
        }
    }
    let twice = twins(python, &clients)?;
    println!("primitives: {equal} of {count} programs meet no row");
    Ok(count + twice)
}

/// The rows that a program meets: up to where one leads elsewhere, or what no row has.
fn compare(clients: &Clients, program: &str, answers: &str) -> Result<Vec<&'static str>, String> {
    let kind = Kind::of(program)?;
    let mut ours: Box<dyn Subject> = if kind.is_threads {
        Box::new(Threads::new(kind, clients))
    } else {
        Box::new(Loops::new(kind))
    };
    let mut met = Vec::new();
    let calls = &program[2..];
    let answers: Vec<&str> = answers.split(' ').collect();
    if answers.len() != calls.len() {
        return Err(format!("{program}: Python says {answers:?}"));
    }
    for (at, (letter, theirs)) in calls.chars().zip(answers).enumerate() {
        let waiting = ours.waiting();
        let told = ours.call(letter);
        let row = rows::explain(kind, letter, waiting, &told, theirs);
        met.extend(row);
        if told != theirs {
            match row {
                Some(row) if rows::goes_on(row) => {}
                Some(_) => break,
                None => {
                    let calls = &program[..=at + 2];
                    return Err(format!(
                        "{calls}: the last call says {told}, Python says {theirs}"
                    ));
                }
            }
        }
    }
    Ok(met)
}

/// What runs a program here.
trait Subject {
    /// How many wait.
    fn waiting(&self) -> usize;
    /// Makes a call, and says what it is told, and who has come.
    fn call(&mut self, letter: char) -> String;
}

/// Programs with the same letters for both flavours, of which each answers as Python's does. Where the two differ, the
/// difference is that a thread that is granted a permit takes it, and a task only when its loop runs.
fn twins(python: &mut Python, clients: &Clients) -> Result<u64, String> {
    let mut count = 0;
    for letters in crate::programs("twrqg", 4) {
        for (thread, on_loop) in [('s', 'S'), ('b', 'B')] {
            let mut told = Vec::new();
            for kind in [thread, on_loop] {
                let program = format!("{kind}1{letters}");
                let answers = python.ask('S', &program);
                compare(clients, &program, &answers)?.into_iter().for_each(meet);
                told.push(answers);
                count += 1;
            }
            let both = told[0].split(' ').zip(told[1].split(' '));
            let first = letters.chars().zip(both).find(|(_, (thread, on_loop))| thread != on_loop);
            match first {
                None | Some(('g', _)) => {}
                Some(('q', (thread, "o:"))) if thread.len() > 2 => meet("D54"),
                Some(other) => return Err(format!("{letters}: the twins differ in {other:?}")),
            }
        }
    }
    Ok(count)
}

/// The smallest program that differs still, and how.
fn shrunk(python: &mut Python, clients: &Clients, mut program: String) -> String {
    let mut differs = |program: &str| compare(clients, program, &python.ask('S', program)).err();
    let mut told = differs(&program).unwrap_or_else(|| format!("{program}: once, and never again"));
    let smaller = |program: &str, at: usize| format!("{}{}", &program[..at], &program[at + 1..]);
    while program.len() > 3
        && let Some((less, why)) = (2..program.len())
            .map(|at| smaller(&program, at))
            .find_map(|less| Some((less.clone(), differs(&less)?)))
    {
        (program, told) = (less, why);
    }
    told
}
