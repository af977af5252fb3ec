//! The watchdog itself: a test that hangs ends its process and is named, and one that has ended is left alone.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

use std::{
    env, fs,
    path::Path,
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

/// What a child is to do.
const DEED: &str = "SETTLED_WATCHDOG_TEST";

/// Runs one test of this target in a process of its own, which watches for so many seconds.
fn run(test: &str, deed: &str, seconds: &str) -> Output {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", test]).env(DEED, deed).env("SETTLED_HUNG_AFTER", seconds);
    child.output().unwrap()
}

fn is_to(deed: &str) -> bool {
    env::var(DEED).is_ok_and(|it| it == deed)
}

/// Hangs in a child that is to.
#[test]
fn a_test_that_hangs() {
    watch!();
    while is_to("hang") {
        thread::park();
    }
}

/// In a child that is to, lives longer than it is watched.
#[test]
fn a_test_that_is_watched_at_first() {
    {
        watch!();
    }
    let begin = Instant::now();
    while is_to("outlive") && begin.elapsed() < Duration::from_secs(4) {
        thread::park_timeout(Duration::from_millis(100));
    }
}

#[test]
fn a_hang_is_a_failure_with_a_name() {
    let hung = run("a_test_that_hangs", "hang", "1");
    let said = String::from_utf8_lossy(&hung.stderr);
    assert_eq!(hung.status.code(), Some(86), "{said}");
    assert!(said.lines().any(|line| line == "HUNG: watchdog a_test_that_hangs"), "{said}");
}

#[test]
fn what_has_ended_is_not_watched() {
    let outlived = run("a_test_that_is_watched_at_first", "outlive", "3");
    assert!(outlived.status.success(), "{}", String::from_utf8_lossy(&outlived.stderr));
}

/// Each test is watched from its first line on, but for those of this file.
#[test]
fn every_test_is_watched() {
    watch!();
    let mut unwatched = Vec::new();
    let mut tests = 0;
    let mut left = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
            left.extend(entries.filter(|path| !path.ends_with("target")));
        } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with(file!()) {
            let code = fs::read_to_string(&path).unwrap();
            let mut lines = code.lines().map(str::trim);
            while lines.any(|line| line == "#[test]") {
                tests += 1;
                let head = lines.by_ref().find(|line| line.starts_with("fn ")).unwrap_or_default();
                if !head.ends_with('{') || lines.next() != Some("watch!();") {
                    unwatched.push(format!("{}: {head}", path.display()));
                }
            }
        }
    }
    assert!(tests > 200, "only {tests} tests were found");
    assert!(unwatched.is_empty(), "without `watch!();` at the head: {unwatched:#?}");
}
