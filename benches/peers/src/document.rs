//! What was measured, in `spec/speed.md` and in the README: each between two comments that name it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    growth::{AIM, Grown},
    rounds::Measured,
};

const SPEED: &str = "spec/speed.md";
const README: &str = "README.md";

/// What the README has of all rows, two in a line, with what a reader calls them.
const SHOWN: [[(&str, &str); 2]; 5] = [
    [("create", "make, finish, take"), ("cross", "a million from another thread")],
    [("async_ready", "await what is ready"), ("handover_2", "two threads that wait in turn")],
    [("async_register", "await, wake, ready"), ("as_completed_1e5", "100,000, each as it is done")],
    [("callback_1", "one callback"), ("pool_2", "a job of a pool")],
    [("cancel", "cancel"), ("call_soon", "`call_soon`")],
];

/// Writes all of it.
///
/// # Panics
///
/// If a document cannot be written, or has no place for it.
pub(crate) fn write(measured: &[Measured<'_>], sizes: &[String], grown: &[Grown]) {
    fill(SPEED, "machine", &machine());
    fill(SPEED, "ratios", &ratios(measured));
    fill(SPEED, "sizes", &weights(sizes));
    fill(SPEED, "growth", &growth(grown));
    fill(README, "speed", &shown(measured));
    println!("written: {SPEED}, {README}; the picture follows with SETTLED_BLESS=1");
}

fn path(document: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(document)
}

/// Puts a text between the comments of that name.
fn fill(document: &str, name: &str, text: &str) {
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let old = fs::read_to_string(path(document)).expect("it is there");
    let parts =
        old.split_once(&open).and_then(|(head, rest)| Some((head, rest.split_once(&close)?)));
    let (head, (_, tail)) = parts.unwrap_or_else(|| panic!("{document} has no {open}"));
    fs::write(path(document), format!("{head}{open}{text}{close}{tail}"))
        .expect("it can be written");
}

/// Where it was measured.
fn machine() -> String {
    let about = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = about.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unknown processor", |(_, model)| model);
    let cpus = crate::clock::cpus().len();
    format!("{cpus} CPUs, {model}; {}; commit {}.\n", said(&["rustc", "--version"]), commit())
}

fn commit() -> String {
    said(&["git", "rev-parse", "--short", "HEAD"])
}

/// What a program says.
fn said(command: &[&str]) -> String {
    let output = Command::new(command[0]).args(&command[1..]).output();
    output
        .map_or_else(|_| "?".to_owned(), |it| String::from_utf8_lossy(&it.stdout).trim().to_owned())
}

fn ratios(measured: &[Measured<'_>]) -> String {
    let mut table = "| row | ours, ns | fastest peer | its ns | ratio | aim | | what is done |\n\
                     |---|---:|---|---:|---:|---:|---|---|\n"
        .to_owned();
    for Measured { row, ratio, sides, fastest } in measured {
        let ((_, ours), (peer, theirs)) = (&sides[0], &sides[*fastest]);
        let met = if ratio.median <= row.aim { "met" } else { "missed" };
        table += &format!(
            "| {} | {:.1} | {peer} | {:.1} | {ratio} | {} | {met} | {} |\n",
            row.name, ours.median, theirs.median, row.aim, row.what
        );
    }
    table
}

/// The lines `size <row> <bytes> <allocations> aim <bytes> <allocations>` and `sizes <row> <peers>`.
fn weights(lines: &[String]) -> String {
    let mut table = "| row | bytes | allocations | aim | peers: bytes, allocations |\n\
                     |---|---:|---:|---|---|\n"
        .to_owned();
    for pair in lines.chunks(2) {
        let [ours, peers] = pair else { panic!("each has a line of its peers: {pair:?}") };
        let ours: Vec<_> = ours.split(' ').collect();
        let [_, row, bytes, allocations, _, most, at_most] = ours[..] else { panic!("{ours:?}") };
        let peers = peers.splitn(3, ' ').nth(2).expect("it tells of the peers");
        table += &format!("| {row} | {bytes} | {allocations} | {most}, {at_most} | {peers} |\n");
    }
    table
}

fn growth(grown: &[Grown]) -> String {
    let mut table =
        "| row | exponent | | each, ns | what is done |\n|---|---:|---|---|---|\n".to_owned();
    for it in grown {
        let met = if it.exponent() <= AIM { "met" } else { "missed" };
        let each = it.points.iter().map(|(count, each)| format!("{count}: {each:.0}"));
        let each: Vec<_> = each.collect();
        table += &format!(
            "| {} | {:.2} | {met} | {} | {} |\n",
            it.row.name,
            it.exponent(),
            each.join(", "),
            it.row.what
        );
    }
    table
}

fn shown(measured: &[Measured<'_>]) -> String {
    let mut table = "| | ours ÷ peer | | ours ÷ peer |\n|---|---|---|---|\n".to_owned();
    for pair in SHOWN {
        let cells = pair.map(|(name, what)| match measured.iter().find(|it| it.row.name == name) {
            Some(it) => format!("{what} | {:.1} of {}", it.ratio.median, it.sides[it.fastest].0),
            None => format!("{what} | not measured"),
        });
        table += &format!("| {} |\n", cells.join(" | "));
    }
    table
}
