//! Code of a user, run under every schedule. Only with `--cfg settled_loom`.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::panics::none_caught;

/// loom's own, which a scenario uses where it would use `std`'s.
pub use loom::{sync, thread};

/// Runs `scenario` under every schedule of its threads; how many there are. `[program-4]`
///
/// It is run anew for each, and must do the same under the same schedule: threads and locks are those of [`thread`] and
/// [`sync`], up to four threads beside its own, and whatever it uses it makes itself. Timed waits never expire.
///
/// # Panics
///
/// If it panics, blocks for ever or leaks under some schedule; if something in it has panicked in a callback, which
/// harms nobody, and would hide what was found there; and if it has one schedule only, so that nothing was shown.
pub fn explore(scenario: impl Fn() + Send + Sync + 'static) -> usize {
    several(run(None, scenario))
}

/// The same, under every schedule in which so many threads at the most are interrupted where they could have gone on:
/// for what has too many without a bound.
///
/// # Panics
///
/// As [`explore`].
pub fn explore_bounded(preemptions: usize, scenario: impl Fn() + Send + Sync + 'static) -> usize {
    several(run(Some(preemptions), scenario))
}

/// The same for the crate's own scenarios, some of which have one schedule. A limit on time or on schedules would pass
/// what was not explored: there is none, whatever the environment says.
#[doc(hidden)]
pub fn run(preemptions: Option<usize>, scenario: impl Fn() + Send + Sync + 'static) -> usize {
    let schedules = Arc::new(AtomicUsize::new(0));
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.checkpoint_file = None;
    let counted = Arc::clone(&schedules);
    none_caught(|| {
        builder.check(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            scenario();
        });
    });
    schedules.load(Ordering::Relaxed)
}

/// What has one schedule shows nothing.
fn several(schedules: usize) -> usize {
    assert!(
        schedules > 1,
        "the scenario has one schedule only, which shows nothing: let two threads meet, those of `schedules::thread`"
    );
    schedules
}
