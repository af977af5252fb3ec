//! A target of one test that prints a closing line of its own.

use std::{
    process::ExitCode,
    sync::{Arc, Mutex},
};

use libtest_mimic::{Arguments, Trial};

/// Runs the test under its name, as libtest would, and prints the line that it gives, at the start of a line.
/// No thread of the harness runs beside it.
pub(crate) fn main(
    name: &'static str,
    test: impl FnOnce() -> Result<String, String> + Send + 'static,
) -> ExitCode {
    let line = Arc::new(Mutex::new(None));
    let last = Arc::clone(&line);
    let test = move || {
        watch!(Some(name.to_owned()), 2 * 60 * 60);
        // The harness has begun this line with the test's name.
        println!();
        let closing = test().map_err(|why| format!("FAILED: {why}"))?;
        *last.lock().unwrap() = Some(closing);
        Ok(())
    };
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let conclusion = libtest_mimic::run(&arguments, vec![Trial::test(name, test)]);
    if let Some(line) = &*line.lock().unwrap() {
        println!("{line}");
    }
    conclusion.exit_code()
}
