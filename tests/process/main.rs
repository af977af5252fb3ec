//! Pools of processes, with real processes: this program starts itself again.

#[macro_use]
#[path = "../support/watchdog.rs"]
mod watchdog;

mod deaths;
mod ends;
mod functions;
mod inputs;
mod jobs;
mod raw;

use std::{env, process::ExitCode};

use libtest_mimic::{Arguments, Trial};

/// A test under its name.
type Test = (&'static str, fn());

fn main() -> ExitCode {
    if env::var_os("SETTLED_ASTRAY").is_some() {
        return raw::play("astray");
    }
    settled::process::worker(functions::ALL);
    if let Some(role) = env::args().nth(1).filter(|it| it.starts_with("role-")) {
        return raw::play(&role["role-".len()..]);
    }
    let tests = [jobs::TESTS, deaths::TESTS, inputs::TESTS, ends::TESTS].concat();
    let trial = |(name, test): Test| {
        Trial::test(name, move || {
            watch!(Some(name.to_owned()), 300);
            test();
            Ok(())
        })
    };
    // One after the other: some look at all children and descriptors of this process.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, tests.into_iter().map(trial).collect()).exit_code()
}
