//! A target whose tests print closing lines of their own.

use std::{
    process::ExitCode,
    sync::{Arc, Mutex},
};

use libtest_mimic::{Arguments, Trial};

/// A test's name, and the test: the line that it closes with, or nothing.
pub(crate) type Test = (&'static str, fn() -> Result<String, String>);

/// Runs the tests under their names, as libtest would, at most `at_once` at a time, or one for each CPU. Prints the lines
/// that they give, each at the start of a line. With one at a time no thread of the harness runs beside it.
pub(crate) fn main<const N: usize>(at_once: Option<usize>, tests: [Test; N]) -> ExitCode {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let trial = |(name, test): Test| {
        let lines = Arc::clone(&lines);
        Trial::test(name, move || {
            watch!(Some(name.to_owned()), 2 * 60 * 60);
            // The harness has begun this line with the test's name.
            println!();
            let closing = test().map_err(|why| format!("FAILED: {why}"))?;
            lines.lock().unwrap().push(closing);
            Ok(())
        })
    };
    let mut arguments = Arguments::from_args();
    arguments.test_threads = at_once.or(arguments.test_threads);
    let conclusion = libtest_mimic::run(&arguments, tests.map(trial).into());
    for line in lines.lock().unwrap().iter().filter(|line| !line.is_empty()) {
        println!("{line}");
    }
    conclusion.exit_code()
}
