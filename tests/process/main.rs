//! Pools of processes, with real processes: this program starts itself again.

#[macro_use]
#[path = "../support/watchdog.rs"]
mod watchdog;

#[path = "../../src/process/compact.rs"]
mod compact;
mod deaths;
mod ends;
mod foreign;
#[path = "../../src/process/frame.rs"]
#[expect(dead_code, reason = "the pool and its workers need more of it")]
mod frame;
mod functions;
mod inputs;
mod jobs;
mod kills;
mod raw;
mod shapes;

use std::{env, process::ExitCode, sync::Mutex};

use libtest_mimic::{Arguments, Trial};

/// A test under its name.
type Test = (&'static str, fn());

/// What is printed in the end.
static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Adds a closing line.
fn close(line: String) {
    LINES.lock().unwrap().push(line);
}

fn main() -> ExitCode {
    if env::var_os("SETTLED_ASTRAY").is_some() {
        return raw::play("astray");
    }
    settled::process::worker(functions::ALL);
    if let Some(role) = env::args().nth(1).filter(|it| it.starts_with("role-")) {
        return raw::play(&role["role-".len()..]);
    }
    let tests = [
        jobs::TESTS,
        deaths::TESTS,
        inputs::TESTS,
        shapes::TESTS,
        ends::TESTS,
        foreign::TESTS,
        kills::TESTS,
    ]
    .concat();
    let trial = |(name, test): Test| {
        Trial::test(name, move || {
            watch!(
                Some(name.to_owned()),
                if name.starts_with("kills") { 2 * 60 * 60 } else { 300 }
            );
            test();
            Ok(())
        })
    };
    // One after the other: some look at all children and descriptors of this process.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let conclusion = libtest_mimic::run(&arguments, tests.into_iter().map(trial).collect());
    for line in LINES.lock().unwrap().iter() {
        println!("{line}");
    }
    conclusion.exit_code()
}
