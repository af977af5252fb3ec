//! The table is written once, in `State::on`. Everything printed of it is generated from there and
//! compared.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{self, Command},
};

use settled::machine::{Event, State};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: &str) -> String {
    let path = Path::new(ROOT).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn table() -> String {
    let events = Event::ALL.map(|event| event.to_string()).join(" | ");
    let mut table = format!("| | {events} |\n|---{}|\n", "|---".repeat(Event::ALL.len()));
    for state in State::ALL {
        let steps = Event::ALL.map(|event| state.on(event).to_string()).join(" | ");
        writeln!(table, "| **{state}** | {steps} |").unwrap();
    }
    table
}

/// `text` with what stands between the markers of `name` replaced by `generated`.
fn replaced(text: &str, name: &str, generated: &str) -> String {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->\n"));
    let (before, rest) = text.split_once(&begin).expect("the first marker is there");
    let (_, after) = rest.split_once(&end).expect("the second marker is there");
    format!("{before}{begin}{generated}{end}{after}")
}

/// `[machine-1]` `[machine-2]` `[machine-4]` The whole state × event matrix. `SETTLED_BLESS=1` writes the expectation anew; the difference is
/// then for a reader to accept.
#[test]
fn the_matrix_is_as_committed() {
    watch!();
    let path = "spec/machine.md";
    let committed = read(path);
    let generated = replaced(&committed, "table", &table());
    if env::var_os("SETTLED_BLESS").is_some() {
        fs::write(Path::new(ROOT).join(path), &generated).unwrap();
    }
    assert_eq!(read(path), generated, "{path} is not what the machine says");
}

/// Every table of the machine in `text`.
fn copies(text: &str) -> Vec<String> {
    let begins = text.match_indices("| | start").map(|(at, _)| &text[at..]);
    let rows = begins.map(|text| text.lines().take_while(|line| line.starts_with('|')));
    rows.map(|rows| rows.flat_map(|row| [row, "\n"]).collect()).collect()
}

#[test]
fn the_documentation_of_the_machine() {
    watch!();
    let source = read("src/machine.rs");
    let docs: String = source
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .map(|line| format!("{}\n", line.trim_start()))
        .collect();
    assert_eq!(copies(&docs), [table()], "src/machine.rs documents another machine");
}

#[test]
fn the_read_me() {
    watch!();
    assert_eq!(copies(&read("README.md")), [table()], "README.md shows another machine");
}

/// A directory that is removed with everything in it, also when the test fails.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("{name}-{}", process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Machine and phase need nothing: no allocation, no standard library, no other module.
#[test]
fn machine_and_phase_alone_without_std() {
    watch!();
    let scratch = Scratch::new("no-std");
    let (library, out) = (scratch.0.join("lib.rs"), scratch.0.join("out"));
    let source = format!(
        "#![no_std]\n#[path = {:?}]\npub mod machine;\n#[path = {:?}]\npub mod phase;\n",
        Path::new(ROOT).join("src/machine.rs"),
        Path::new(ROOT).join("src/phase.rs"),
    );
    fs::write(&library, source).unwrap();
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(["--crate-type", "lib", "--edition", "2024", "--emit", "metadata", "-D", "warnings"])
        .arg("-o")
        .arg(out)
        .arg(&library)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
