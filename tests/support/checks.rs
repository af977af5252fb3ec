//! The tables of `spec/`, and the checks that they name.

use std::{fs, path::Path};

/// Where the crate is.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The rows of a table whose first cell begins so, as trimmed cells.
pub(crate) fn rows<'a>(text: &'a str, begin: &str) -> Vec<Vec<&'a str>> {
    let cells = |line: &'a str| line.trim_matches('|').split(" |").map(str::trim).collect();
    text.lines().filter(|line| line.starts_with(begin)).map(cells).collect()
}

/// Whether there is such a test, `file: test`, below `tests/`.
pub(crate) fn is_test(check: &str) -> bool {
    is_there(check, "tests", |test| format!("fn {test}("))
}

/// Whether there is such a program of the models, `theme: id`, or such a system, `file: name`.
pub(crate) fn is_case(check: &str) -> bool {
    let below = if check.starts_with("primitives/") { "models" } else { "models/cases" };
    is_there(check, below, |id| format!("\"{id}\","))
}

fn is_there(check: &str, below: &str, code_of: impl Fn(&str) -> String) -> bool {
    let Some((file, name)) = check.split_once(": ") else { return false };
    let path = root().join(below).join(file).with_extension("rs");
    fs::read_to_string(path).is_ok_and(|code| code.contains(&code_of(name)))
}
