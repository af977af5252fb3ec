//! Code of a user, run under every schedule. Only with `--cfg settled_loom`.

use std::{
    cell::Cell,
    panic,
    sync::{
        Arc, Once,
        atomic::{AtomicUsize, Ordering},
    },
};

/// loom's own, which a scenario uses where it would use `std`'s.
pub use loom::{sync, thread};

std::thread_local! {
    /// Panics in this thread. One thread of the system runs all threads of a scenario.
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

/// Runs `scenario` under every schedule of its threads; how many there are. `[program-4]`
///
/// It is run anew for each, and must do the same under the same schedule: threads and locks are those of [`thread`] and
/// [`sync`], up to four threads beside its own, and whatever it uses it makes itself. Timed waits never expire.
///
/// # Panics
///
/// If it panics, blocks for ever or leaks under some schedule; if something in it has panicked in a callback, which harms
/// nobody, and would hide what was found there; and if it has one schedule only, so that nothing was shown.
pub fn explore(scenario: impl Fn() + Send + Sync + 'static) -> usize {
    several(run(None, scenario))
}

/// The same, under every schedule in which so many threads at the most are interrupted where they could have gone on: for
/// what has too many without a bound.
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
    count_panics();
    let panics = PANICS.get();
    let schedules = Arc::new(AtomicUsize::new(0));
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.checkpoint_file = None;
    builder.check({
        let schedules = Arc::clone(&schedules);
        move || {
            schedules.fetch_add(1, Ordering::Relaxed);
            scenario();
        }
    });
    assert_eq!(
        PANICS.get(),
        panics,
        "something has panicked in a callback, and was caught there: its message stands above; what it would have shown is \
         lost, so mend it or let it return what it found"
    );
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

/// Callbacks and wakers that panic harm nobody, and so would the panics of loom that arise there.
fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            report(info);
        }));
    });
}
