//! Where this crate answers otherwise than CPython on purpose: each row of the table *Everything else* in
//! `spec/python.md` has the test of its name, which shows our side, and CPython's where that is simple.

#[macro_use]
#[path = "../support/watchdog.rs"]
mod watchdog;

mod loops;
mod pools;
mod threads;

use std::{
    collections::BTreeSet,
    env, fs,
    path::Path,
    process::{Command, Stdio},
    thread,
};

/// What CPython prints when it runs `program`, after the imports that most need.
fn python(program: &str, prints: &str) {
    let imports = "import asyncio, gc, threading, weakref\nfrom concurrent.futures import *\n";
    let asked = Command::new("python3")
        .args(["-c", &format!("{imports}{program}")])
        .stderr(Stdio::piped())
        .output();
    let Ok(output) = asked else {
        let test = thread::current().name().unwrap_or("deviations").to_owned();
        println!("SKIPPED {test}: python3, install with apt-get install python3");
        let strict = env::var("SETTLED_STRICT").is_ok_and(|strict| strict == "1");
        assert!(!strict, "SETTLED_STRICT is set, and there is no Python to ask");
        return;
    };
    let printed = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(printed.trim_end(), prints, "{error}");
}

/// The names of the tests in a source file, as rows are named.
fn tests(source: &str) -> BTreeSet<String> {
    let names = source.split("#[test]\nfn ").skip(1).filter_map(|it| it.split('(').next());
    names.map(|name| name.replace('_', "-")).collect()
}

#[test]
fn the_rows_are_the_tests() {
    watch!();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/python.md");
    let text = fs::read_to_string(path).unwrap();
    let (_, table) = text.split_once("\n## Everything else\n").expect("the table is there");
    let table = table.split("\n## ").next().unwrap();
    let mut rows = BTreeSet::new();
    for line in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.trim_matches('|').split(" |").map(str::trim).collect();
        let [row, theirs, ours, why, ids, versions] = cells[..] else {
            panic!("six cells: {line}")
        };
        for cell in [theirs, ours, why, ids, versions] {
            assert!(!cell.is_empty(), "a cell is empty: {line}");
        }
        assert!(rows.insert(row.trim_matches('`').to_owned()), "{row} stands there twice");
    }
    let sources = [include_str!("loops.rs"), include_str!("pools.rs"), include_str!("threads.rs")];
    let tests: BTreeSet<_> = sources.into_iter().flat_map(tests).collect();
    assert_eq!(rows, tests, "the table has other rows than there are tests");
}
