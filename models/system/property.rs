//! What a user could complain about. No property looks at the rules, but for `LOCKED`, which looks at
//! the lock that a rule adds.

use stateright::Property;

use super::{Callback, Do, Future, LOOP, Program, System};

pub(crate) const ENDS: &str = "who can take no step any more has ended";
pub(crate) const ONCE: &str = "a callback runs once, or is dropped by the close of its loop";
pub(crate) const ORDER: &str = "the callbacks of a loop's view run in registration order";
pub(crate) const THREAD: &str = "a loop's callbacks run on the loop's thread";
pub(crate) const NESTED: &str = "a loop's callback never runs inside other code of the loop";
pub(crate) const NEVER_RUNS: &str = "work whose cancel succeeded never runs";
pub(crate) const LOCKED: &str = "no callback runs under a lock of the library";
pub(crate) const ACCEPTED: &str = "a job that a loop accepted runs";

/// The twins of the properties: that a program gets to where they say something, as far as it has
/// what that needs.
pub(super) fn reached(program: &Program) -> Vec<Property<Program>> {
    let steps = program.threads.iter().chain(&program.callbacks).flatten();
    let has = |is: fn(&Do) -> bool| steps.clone().any(is);
    let twins = [
        (true, Property::sometimes("it ends", |it: &Program, state: &System| it.ended(state))),
        (
            !program.callbacks.is_empty(),
            Property::sometimes("a callback runs", |_, state: &System| state.callbacks() > 0),
        ),
        (
            has(|it| matches!(it, Do::LoopAdd(..))),
            Property::sometimes("a callback of a loop's view runs", |_, state: &System| {
                state.ran_on_loop()
            }),
        ),
        (
            has(|it| matches!(it, Do::Cancel(_))),
            Property::sometimes("a cancel succeeds", |_, state: &System| state.was_cancelled()),
        ),
        (
            has(|it| matches!(it, Do::Start(_))),
            Property::sometimes("work runs", |_, state: &System| state.has_run()),
        ),
        (
            has(|it| matches!(it, Do::Post(_))),
            Property::sometimes("a job is accepted", |_, state: &System| state.has_accepted()),
        ),
        (
            has(|it| matches!(it, Do::Close)),
            Property::sometimes("a job is handed back", |_, state: &System| state.has_refused()),
        ),
    ];
    twins.into_iter().filter(|(applies, _)| *applies).map(|(_, property)| property).collect()
}

/// What must never be otherwise.
pub(crate) fn always() -> Vec<Property<Program>> {
    vec![
        Property::always(ENDS, |it: &Program, state: &System| !it.stuck(state) || it.ended(state)),
        Property::always(ONCE, |it: &Program, state: &System| {
            let once = |(future, callback): &(Future, Callback)| {
                state.times(*callback) == 1
                    || state.dropped.contains(callback)
                    || !state.is_settled(*future)
            };
            let all = state.added.iter().chain(&state.registered);
            all.clone().all(|(_, callback)| state.times(*callback) <= 1)
                && (!it.ended(state) || all.clone().all(once))
        }),
        Property::always(ORDER, |_, state: &System| {
            (0..state.cells.len()).all(|future| {
                let of = |(it, callback): &(Future, Callback)| (*it == future).then_some(*callback);
                let registered: Vec<_> = state.registered.iter().filter_map(of).collect();
                let began: Vec<_> = state.began.iter().map(|(callback, _)| callback).collect();
                let began = began.into_iter().filter(|callback| registered.contains(callback));
                began.zip(&registered).all(|(began, registered)| began == registered)
            })
        }),
        Property::always(THREAD, |_, state: &System| {
            let of_loop = |callback| state.registered.iter().any(|(_, it)| it == callback);
            state.began.iter().all(|(callback, on)| *on == LOOP || !of_loop(callback))
        }),
        Property::always(NESTED, |_, state: &System| {
            state.threads.iter().all(|frames| {
                let mut begun = frames.iter().filter(|frame| frame.taken > 0);
                let outermost = begun.next();
                outermost.is_none() || !begun.any(|frame| frame.of_loop)
            })
        }),
        Property::always(NEVER_RUNS, |_, state: &System| {
            state.cells.iter().all(|cell| !(cell.cancelled && cell.ran))
        }),
        Property::always(LOCKED, |_, state: &System| {
            !state.threads.iter().flatten().any(|it| it.under.is_some() && it.taken > 0)
        }),
        Property::always(ACCEPTED, |it: &Program, state: &System| {
            !it.ended(state) || state.accepted.iter().all(|job| state.times(*job) == 1)
        }),
    ]
}
