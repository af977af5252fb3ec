//! A theorem about all programs of a size, instead of examples.
//!
//! The programs are *all* of these: a thread A that holds the promise, with two operations, of which
//! one is the promise's; a thread B with any two calls; a loop that has a callback on its view, and a
//! task that takes one step. An operation is any that its view has; see [`calls`] for those that are
//! left out because they are others by another name. Every callback calls its future again.
//!
//! Why this is enough of each: a future tells its callers apart only by what they registered and in
//! which order, so that a third thread can add nothing to a state but one more entry of a kind that is
//! there; two calls a thread are the first, and one that is made knowing what the first answered; and
//! everything else that a loop does is another turn, which begins without anything of the one before.
//! `larger` tries three threads and two futures all the same.

use settled::model::{
    Do, chart,
    check::{self, Failure},
    property,
    rules::FLIPS,
};

use crate::{
    Row, Trials,
    family::{F, producers, programs},
    row,
};

pub(crate) fn add(trials: &mut Trials) {
    let full = std::env::var_os("SETTLED_FULL").is_some();
    for (own, size) in SIZES {
        if full || !matches!(own, Do::Fail(_) | Do::Panic(_)) {
            trials.add(format!("general::{own:?}"), move || prove(own, size));
        }
    }
    for (rule, property) in BROKEN {
        trials.add(format!("general::{rule}"), move || breaks(rule, property));
    }
}

/// The operations of the promise that A has, or has first, and how many states there are.
const SIZES: [(Do, [usize; 2]); 5] = [
    (Do::Start(F), [14_839_123, 28]),
    (Do::Finish(F), [15_968_282, 27]),
    (Do::Abandon(F), [15_946_970, 27]),
    (Do::Fail(F), [15_968_282, 27]),
    (Do::Panic(F), [15_968_282, 27]),
];

/// The rules without which the theorem is false, and what the first program that shows it breaks.
/// The others are about pools, a second future or loop, or calls that no program here makes.
const BROKEN: [(&str, &str); 18] = [
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
];

fn breaks(rule: &str, property: &str) -> Result<Vec<Row>, String> {
    let flip = FLIPS.iter().find(|flip| flip.name == rule).ok_or("there is no such rule")?;
    let every = producers(Do::Start(F)).into_iter().flat_map(|script| programs(&script));
    match check::prove_all(every.map(|program| program.under(flip.rules()))) {
        Err(failed) => match failed.1 {
            Failure::Violated { property: broken, path, .. } if broken == property => {
                Ok(vec![Row {
                    system: format!("general: {rule}"),
                    bound: format!("not so: {property}"),
                    properties: 1,
                    states: 0,
                    fails: Some(path.len()),
                }])
            }
            failure => Err(failure.to_string()),
        },
        Ok(proof) => Err(format!("{rule} breaks nothing in {} states", proof.states)),
    }
}

fn prove(own: Do, size: [usize; 2]) -> Result<Vec<Row>, String> {
    let programs: Vec<_> = producers(own).iter().flat_map(|script| programs(script)).collect();
    let bound = format!("{} programs", programs.len());
    let proof = check::prove_all(programs).map_err(|failed| match *failed {
        (program, Failure::Violated { property, path, .. }) => {
            format!("not so: {property}\n{}", chart(&program, &path))
        }
        (_, failure) => failure.to_string(),
    })?;
    Ok(vec![row(format!("general: {own:?}"), bound, &proof, size)?])
}
