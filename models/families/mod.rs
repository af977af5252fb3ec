//! All programs of two sizes, instead of examples: with `SETTLED_FULL=1` exhaustive for these families, and for no other
//! program.
//!
//! The first family is *all* of these: a thread A that holds the promise, with two operations, of which one is the
//! promise's; a thread B with any two calls; a loop that has a callback on its view, and a task that takes one step. An
//! operation is any that its view has; see [`calls`](programs) for those that are left out because they
//! are others by another name. With `SETTLED_FULL=1` that is all of them, and else one in thirteen of those whose promise
//! starts or finishes, and one in seventeen of those where it is dropped, fails or panics. Every callback calls its future
//! again. The second has one call a thread, and a loop that uses its view twice in a turn, before it makes its task and
//! after; its callback removes another.
//!
//! What takes a third thread, a second future, task or loop, or a pool is not in them: `clients` has it, with any
//! number of operations, and [`BREAKS_NOTHING`] says which properties the families say nothing about.

mod programs;

use settled::model::{
    Do, Program, chart,
    check::{self, Failure, Proof, states},
    property::{self, ALWAYS},
    rules::FLIPS,
};

use self::programs::{F, handles, producers, programs, turns};
use crate::{Row, Trials, row};

pub(crate) fn add(trials: &mut Trials) {
    let full = std::env::var_os("SETTLED_FULL").is_some();
    for (own, all, some) in SIZES {
        let (each, size) = if full { (1, all) } else { some };
        trials.add(format!("families::{own:?}"), move || prove(own, each, size));
    }
    trials.add("families::turns", || {
        let programs = turns();
        let bound = format!("{} programs", programs.len());
        Ok::<_, String>(vec![row("families: turns", bound, &holds(programs)?, TURNS)?])
    });
    trials.add("families::handles", || {
        let programs = handles();
        let bound = format!("{} programs", programs.len());
        Ok::<_, String>(vec![row("families: handles", bound, &holds(programs)?, HANDLES)?])
    });
    for (rule, property) in BROKEN_IN_HANDLES {
        trials.add(format!("families::handles: {rule}"), move || breaks(rule, property, handles()));
    }
    for (rule, property) in BROKEN {
        trials.add(format!("families::{rule}"), move || breaks(rule, property, every()));
    }
    for (rule, property) in BROKEN_IN_TURNS {
        trials.add(format!("families::turns: {rule}"), move || breaks(rule, property, turns()));
    }
    trials.add("families::every_property_speaks", every_property_speaks);
}

/// How many states the programs of the second family have.
const TURNS: Size = [917_398, 24];

/// And those of the third.
const HANDLES: Size = [22_437, 11];

/// How far apart programs of a script are that follow each other in `every`.
const APART: usize = 41;

fn scripts() -> Vec<Vec<Do>> {
    SIZES.into_iter().flat_map(|(own, ..)| producers(own)).collect()
}

/// Every program of the first family, those that are alike far from each other.
fn every() -> impl Iterator<Item = Program> {
    let scripts = scripts();
    (0..APART).flat_map(move |first| {
        let some = |script: &Vec<Do>| {
            programs(script).into_iter().skip(first).step_by(APART).collect::<Vec<_>>()
        };
        scripts.iter().flat_map(some).collect::<Vec<_>>()
    })
}

/// One in so many of the programs of both families: of the first in the order of `every`, but each script's are made
/// once.
pub(crate) fn some(each: usize) -> Vec<Program> {
    let scripts = scripts();
    let mut chosen = Vec::new();
    for (script, of) in scripts.iter().enumerate() {
        let programs = programs(of);
        let many = |first: usize| (programs.len() - first).div_ceil(APART);
        let begin: Vec<usize> = (0..APART)
            .scan(0, |begin, first| {
                let here = *begin;
                *begin += scripts.len() * many(first);
                Some(here + script * many(first))
            })
            .collect();
        for (at, program) in programs.into_iter().enumerate() {
            let place = begin[at % APART] + at / APART;
            if place.is_multiple_of(each) {
                chosen.push((place, program));
            }
        }
    }
    chosen.sort_unstable_by_key(|(place, _)| *place);
    let chosen = chosen.into_iter().map(|(_, program)| program);
    chosen.chain(turns().into_iter().step_by(each)).collect()
}

/// The operations of the promise that A has, or has first; how many states all their programs have; and one in how many is
/// explored where not all are, with how many states. Whose promise ends otherwise than with a value differs in what the others
/// read. These numbers share no factor with those of the operations, so that each is met.
const SIZES: [(Do, Size, (usize, Size)); 5] = [
    (Do::Start(F), [14_839_123, 28], (SOME, [1_137_990, 27])),
    (Do::Finish(F), [15_968_282, 27], (SOME, [1_228_103, 26])),
    (Do::Abandon(F), [15_946_970, 27], (FEWER, [942_019, 27])),
    (Do::Fail(F), [15_968_282, 27], (FEWER, [943_115, 27])),
    (Do::Panic(F), [15_968_282, 27], (FEWER, [943_115, 27])),
];

const SOME: usize = 13;
const FEWER: usize = 17;

/// How many states, and how deep.
type Size = [usize; 2];

/// The rules without which it is not so, and what a program that shows it breaks. `spec/flips.md` has all that each
/// rule breaks, and those that break nothing here.
const BROKEN: [(&str, &str); 19] = [
    ("loop_read: Blocks", property::ENDS),
    ("loop_callbacks_inline", property::THREAD),
    ("late_callbacks_inline", property::NESTED),
    ("loop_cancel_inline", property::NESTED),
    ("claim_in_two_steps", property::NEVER_RUNS),
    ("register_in_two_steps", property::MISSED),
    ("stored_before_looked", property::TWICE),
    ("cancel_in_two_steps", property::REPORTED),
    ("cancel_running", property::NEVER_RUNS),
    ("second_cancel_refused", property::REFUSED),
    ("dropped_promise_forgets", property::OWNED),
    ("callbacks_under_lock", property::ENDS),
    ("expiry_cancels", property::UNASKED),
    ("expiry_is_a_failure", property::AGREE),
    ("post_does_not_wake", property::ENDS),
    ("closed_loop_swallows", property::ACCEPTED),
    ("views_are_copies", property::EARLY),
    ("cancelled_before_stopped", property::STOPPED),
    ("set_in_two_steps", property::AGREE),
];

/// The same, for the second family.
const BROKEN_IN_TURNS: [(&str, &str); 3] = [
    ("loop_reads_through", property::TURN),
    ("removal_overlooks_due", property::REMOVED),
    ("task_starts_at_once", property::NESTED),
];

/// The same, for the third.
const BROKEN_IN_HANDLES: [(&str, &str); 6] = [
    ("last_handle_tells_nobody", property::HEARS),
    ("callback_is_nobody", property::LISTENS),
    ("listeners_stay", property::TWICE),
    ("unseen_is_dropped", property::RETURNED),
    ("unseen_in_two_steps", property::RETURNED),
    ("closed_is_upgraded", property::LISTENS),
];

/// The properties that say nothing of any program of the families: none has a second task or a pool, and no callback
/// is deferred.
const BREAKS_NOTHING: [&str; 3] = [property::OUTLIVED, property::NEEDLESS, property::DEFERRED];

/// The twins: every other property says something of some program.
fn every_property_speaks() -> Result<Vec<Row>, String> {
    let mut silent: Vec<_> = ALWAYS.iter().collect();
    for program in some(499).into_iter().chain(handles().into_iter().step_by(41)) {
        for state in states(&program) {
            silent.retain(|property| !property.speaks(&program, &state));
        }
    }
    let silent: Vec<_> = silent.iter().map(|property| property.name).collect();
    if silent == BREAKS_NOTHING { Ok(Vec::new()) } else { Err(format!("silent: {silent:?}")) }
}

fn breaks(
    rule: &str,
    property: &'static str,
    programs: impl IntoIterator<Item = Program>,
) -> Result<Vec<Row>, String> {
    let flip = FLIPS.iter().find(|flip| flip.name == rule).ok_or("there is no such rule")?;
    for program in programs {
        let flipped = program.under(flip.rules()).only(property);
        if let Err(Failure::Violated { path, .. }) = check::prove_all([flipped]).map_err(|it| it.1)
        {
            return Ok(vec![Row {
                system: format!("families: {rule}"),
                bound: format!("not so: {property}"),
                properties: 1,
                states: 0,
                fails: Some(path.len()),
            }]);
        }
    }
    Err(format!("{rule} does not break: {property}"))
}

fn prove(own: Do, each: usize, size: Size) -> Result<Vec<Row>, String> {
    let all = producers(own).into_iter().flat_map(|script| programs(&script));
    let programs: Vec<_> = all.step_by(each).collect();
    let bound = format!("{} programs", programs.len());
    Ok(vec![row(format!("families: {own:?}"), bound, &holds(programs)?, size)?])
}

fn holds(programs: Vec<Program>) -> Result<Proof, String> {
    check::prove_all(programs).map_err(|failed| match *failed {
        (program, Failure::Violated { property, path, .. }) => {
            format!("not so: {property}\n{}", chart(&program, &path))
        }
        (_, failure) => failure.to_string(),
    })
}
