//! What must not compile does not, and says why.
//!
//! Each file in `cases/` is misuse, with the compiler's text beside it; its namesake in `twins/` is
//! the same program without the misuse, and is compiled and run. So a case fails for the one reason
//! that it is there for, and not because something else in it has rotted. To write the texts anew:
//! `TRYBUILD=overwrite cargo test -p settled-compile-fail`.

#[macro_use]
#[path = "../../support/watchdog.rs"]
mod watchdog;

use std::{collections::BTreeSet, fs};

#[test]
fn every_case_fails_and_its_twin_compiles() {
    watch!();
    let tests = trybuild::TestCases::new();
    tests.compile_fail("cases/*.rs");
    tests.pass("twins/*.rs");
}

#[test]
fn each_case_has_its_text_and_its_twin() {
    watch!();
    let cases = stems("cases", "rs");
    assert!(!cases.is_empty());
    assert_eq!(cases, stems("cases", "stderr"), "a case without its text, or the other way round");
    assert_eq!(cases, stems("twins", "rs"), "a case without its twin, or the other way round");
}

#[test]
fn each_twin_differs_in_one_line() {
    watch!();
    for name in stems("cases", "rs") {
        let (case, twin) = (read("cases", &name), read("twins", &name));
        let (case, twin) = differing(&case, &twin);
        assert_eq!(case.len(), 1, "{name}: the case has one offending line, but {case:?}");
        assert!(twin.len() <= 1, "{name}: the twin has one line for it or none, but {twin:?}");
    }
}

#[test]
fn texts_name_no_place_of_this_machine() {
    watch!();
    for name in stems("cases", "stderr") {
        let text = fs::read_to_string(format!("cases/{name}.stderr")).unwrap();
        for line in text.lines().filter(|line| line.contains("--> ")) {
            let file = line.split_once("--> ").unwrap().1;
            let relative = ["cases/", "$WORKSPACE/"].iter().any(|start| file.starts_with(start));
            assert!(relative, "{name}: {line}");
        }
    }
}

/// The names of the files in `folder` that end in `.extension`.
fn stems(folder: &str, extension: &str) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == extension))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

fn read(folder: &str, name: &str) -> Vec<String> {
    let text = fs::read_to_string(format!("{folder}/{name}.rs")).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// What is left of both without the lines that they begin and end with in common.
fn differing<'a>(mut a: &'a [String], mut b: &'a [String]) -> (&'a [String], &'a [String]) {
    while let ([first, rest_a @ ..], [other, rest_b @ ..]) = (a, b)
        && first == other
    {
        (a, b) = (rest_a, rest_b);
    }
    while let ([rest_a @ .., last], [rest_b @ .., other]) = (a, b)
        && last == other
    {
        (a, b) = (rest_a, rest_b);
    }
    (a, b)
}
