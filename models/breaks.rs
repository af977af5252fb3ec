//! `spec/flips.md`: all that each flipped rule breaks, in the cases and some of the families.
//!
//! `SETTLED_BLESS=1 cargo test --features model --test models -- breaks` writes it anew.

use std::{collections::BTreeMap, fmt::Write, sync::Mutex, thread};

use settled::model::{
    Program,
    check::states,
    property::ALWAYS,
    rules::{FLIPS, Flip},
};

use crate::{Trials, cases, charts, families};

pub(crate) fn add(trials: &mut Trials) {
    trials.add("breaks::they_are_the_committed_ones", || charts::compare("flips.md", &document()));
}

/// One in so many of the families' programs.
const EACH: usize = 2503;

fn sources() -> [Vec<Program>; 2] {
    [cases::all().into_iter().map(|case| case.program).collect(), families::some(EACH)]
}

/// How many programs of each source break each property, by its place.
type Broken = BTreeMap<usize, [usize; 2]>;

fn broken(flip: Flip, sources: &[Vec<Program>]) -> Broken {
    let mut all = Broken::new();
    for (source, programs) in sources.iter().enumerate() {
        for program in programs {
            let flipped = program.clone().under(flip.rules());
            let mut left: Vec<usize> = (0..ALWAYS.len()).collect();
            for state in states(&flipped) {
                left.retain(|at| {
                    let holds = ALWAYS[*at].holds(&flipped, &state);
                    if !holds {
                        all.entry(*at).or_default()[source] += 1;
                    }
                    holds
                });
            }
        }
    }
    all
}

const HEAD: &str = "# What each flipped rule breaks

For each rule of `settled::model::rules` that is flipped alone: every property of `settled::model::property` that some
program then breaks, and how many programs of each kind do: those of `models/cases`, and one in so many of the
programs of `models/families`. Found by exploring all states of each, and compared with this file by
`cargo test --features model`. What breaks nothing alone is hidden by another rule, as its case says. That a fair run
may go round for ever is not counted, nor is what a program asserts of its own variables.

";

fn document() -> String {
    let sources = sources();
    let found: Mutex<BTreeMap<usize, Broken>> = Mutex::default();
    let lane = |lane: usize| {
        for (at, flip) in FLIPS.into_iter().enumerate().skip(lane).step_by(2) {
            let broken = broken(flip, &sources);
            found.lock().expect("nobody panics with it").insert(at, broken);
        }
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| lane(1));
        lane(0);
        other.join().expect("the other lane does not panic");
    });
    let mut text = HEAD.to_owned();
    let [cases, families] = sources.map(|programs| programs.len());
    let _ = write!(
        text,
        "| rule | not so | of {cases} cases | of {families} of the families, one in {} |\n\
         |---|---|---|---|\n",
        EACH
    );
    for (flip, broken) in
        FLIPS.iter().zip(found.into_inner().expect("nobody panics with it").values())
    {
        if broken.is_empty() {
            let _ = writeln!(text, "| `{}` | nothing | | |", flip.name);
        }
        for (property, [cases, families]) in broken {
            let name = ALWAYS[*property].name;
            let _ = writeln!(text, "| `{}` | {name} | {cases} | {families} |", flip.name);
        }
    }
    text
}
