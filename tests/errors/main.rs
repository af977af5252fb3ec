//! Every message of the crate beside the run that caused it, as `spec/errors.md` has them. `SETTLED_BLESS=1` writes
//! that file anew. A new variant needs one new entry in `runs.rs`.

#[macro_use]
#[path = "../support/watchdog.rs"]
mod watchdog;

mod runs;

use std::{collections::BTreeSet, env, fmt::Write, fs, path::Path};

#[cfg(feature = "process")]
use runs::RUNS_OF_PROCESSES;
use runs::{RUNS, Run};

const HEAD: &str = "# Errors

Every message of every error, refusal and report, beside a run that causes it. Written by `tests/errors` from its own
code (`SETTLED_BLESS=1 cargo test --test errors`), and compared, so that no text changes unnoticed. Numbers of tasks and
futures are told as `N`. A variant without a run fails the test.
";

/// Before what a build without the feature leaves as it is.
const OF_PROCESSES: &str = "
# With the feature `process`
";

/// The text of the entry with this name in `runs.rs`.
fn source(name: &str) -> String {
    let begin = format!("\n    \"{name}\" {{\n");
    let (_, rest) = include_str!("runs.rs").split_once(&begin).expect(name);
    let (body, _) = rest.split_once("\n    }\n").expect(name);
    let lines = body.lines().map(|line| line.strip_prefix("        ").unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// With `N` for the numbers that differ from run to run.
fn steady(message: &str) -> String {
    let mut steady = String::new();
    let mut rest = message;
    while let Some(at) = ["task ", "Task-", "future "]
        .iter()
        .filter_map(|word| {
            let is_named = |it: &(usize, &str)| {
                rest[it.0 + word.len()..].starts_with(|c: char| c.is_ascii_digit())
            };
            rest.match_indices(word).find(is_named).map(|(at, word)| at + word.len())
        })
        .min()
    {
        steady += &rest[..at];
        steady.push('N');
        rest = rest[at..].trim_start_matches(|c: char| c.is_ascii_digit());
    }
    steady + rest
}

/// What the page says of these.
fn all(runs: &[Run]) -> String {
    let mut text = String::new();
    for (name, run) in runs {
        let (message, code) = (steady(&run()), source(name));
        write!(text, "\n## `{name}`\n\n> {message}\n\n```rust,ignore\n{code}\n```\n").unwrap();
    }
    text
}

#[test]
fn every_message_is_as_committed() {
    watch!();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/errors.md");
    let mut text = HEAD.to_owned() + &all(RUNS) + OF_PROCESSES;
    #[cfg(feature = "process")]
    text.push_str(&all(RUNS_OF_PROCESSES));
    #[cfg(not(feature = "process"))]
    text.push_str(fs::read_to_string(&path).unwrap().split_once(OF_PROCESSES).unwrap().1);
    if env::var_os("SETTLED_BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    for (line, (ours, theirs)) in text.lines().zip(committed.lines()).enumerate() {
        assert_eq!(ours, theirs, "spec/errors.md, line {}", line + 1);
    }
    assert!(text == committed, "spec/errors.md has more or less than there is");
}

/// Every Rust file of the library, but for its models, whose errors are no part of the futures.
fn sources(directory: &Path, text: &mut String) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("model") {
            sources(&path, text);
        } else if path.extension().is_some_and(|it| it == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

fn word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default()
}

/// The variants of the public enum that `text` goes on with, or the name of the struct.
fn variants(text: &str) -> Vec<String> {
    let item = |line: &&str| line.starts_with("pub enum ") || line.starts_with("pub struct ");
    let mut lines = text.lines();
    let head = lines.find(item).expect("something is derived for it");
    let Some(name) = head.strip_prefix("pub enum ").map(word) else {
        return vec![word(&head["pub struct ".len()..]).to_owned()];
    };
    let body = lines.take_while(|line| *line != "}");
    let heads = body.filter_map(|line| line.strip_prefix("    ").map(word));
    let heads = heads.filter(|it| it.starts_with(|c: char| c.is_ascii_uppercase()));
    heads.map(|variant| format!("{name}::{variant}")).collect()
}

#[test]
fn every_variant_has_its_run() {
    watch!();
    let mut text = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../src"), &mut text);
    let derived = |it: &str| it.split(')').next().is_some_and(|it| it.contains("Error"));
    let errors = text.match_indices("#[derive(").filter(|(at, _)| derived(&text[*at..]));
    let others = [
        "pub enum Failure<E> {",
        "pub struct Cancellation {",
        "pub enum Refusal {",
        "pub enum Incident<'a> {",
        "pub enum SubmitError {",
    ];
    let others = others.map(|it| text.find(it).expect("it is there"));
    let places = errors.map(|(at, _)| at).chain(others);
    let expected: BTreeSet<_> = places.flat_map(|at| variants(&text[at..])).collect();
    assert!(expected.len() > 25, "the errors were not found: {expected:?}");
    let name = |line: &'static str| line.strip_prefix("    \"")?.strip_suffix("\" {");
    let names: Vec<_> = include_str!("runs.rs").lines().filter_map(name).collect();
    let run: BTreeSet<_> = names.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(run, expected, "tests/errors/runs.rs has other entries than src has variants");
    assert_eq!(run.len(), names.len(), "an entry stands there twice");
}
