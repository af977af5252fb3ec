//! Code of a user, run under some of its schedules, picked at random. Only with `--cfg settled_shuttle`.

use shuttle::{Config, Runner, scheduler::RandomScheduler};

/// shuttle's own, which a scenario uses where it would use `std`'s.
pub use shuttle::{sync, thread};

use super::panics::none_caught;

/// In bytes: shuttle's own is less than a debug build takes.
const STACK: usize = 1 << 20;

/// Runs `scenario` under so many schedules of its threads, picked at random by `seed`: for what has more than
/// `explore`, which `--cfg settled_loom` has here, could go through. What it does not find may be there. `[program-4]`
///
/// The scenario must do the same under the same schedule: threads and locks are those of [`thread`] and [`sync`], as
/// many as it likes, and whatever it uses it makes itself. It must not wait with a timeout, which goes by the system's
/// clock. An atomic of a weaker order is taken for one of `SeqCst`: what hangs on that, `explore` sees.
///
/// # Panics
///
/// If it panics or blocks for ever under one of these schedules, which is printed then, for `shuttle::replay`; and if
/// something in it has panicked in a callback, which harms nobody, and would hide what was found there.
pub fn sample(seed: u64, schedules: usize, scenario: impl Fn() + Send + Sync + 'static) {
    let mut config = Config::new();
    config.stack_size = STACK;
    let scheduler = RandomScheduler::new_from_seed(seed, schedules);
    none_caught(|| _ = Runner::new(scheduler, config).run(scenario));
}
