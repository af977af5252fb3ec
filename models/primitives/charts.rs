//! The shortest runs in which somebody waits for ever, as `spec/primitives.md` has them.
//!
//! `SETTLED_BLESS=1 cargo test --features model --test models -- primitives` writes them anew.

use std::{fmt::Write, fs, path::Path};

use stateright::Model;

use super::semaphore::{Clients, Does, Stage, State, Step};

const BEGIN: &str = "<!-- runs -->\n";
const END: &str = "<!-- /runs -->";

/// What a client is called.
fn name(does: Does) -> &'static str {
    match does {
        Does::Again => "comes again",
        Does::KeptUntil(_) => "kept future",
        Does::On(_) => "on a loop",
        _ => "waits",
    }
}

/// Whose step it is, and what he does.
fn cell(last: &State, next: &State, step: Step) -> (usize, String) {
    let holds = |who: usize| next.stage(who) == Stage::Holds;
    match step {
        Step::Enter(who) if holds(who) => (who, "takes it".to_owned()),
        Step::Enter(who) => (who, "waits".to_owned()),
        Step::Look(who) | Step::LookEarly(who) if holds(who) => (who, "has it".to_owned()),
        Step::Look(who) | Step::LookEarly(who) => (who, "looks: none".to_owned()),
        Step::GiveBack(who) => {
            let to = (0..last.clients()).find(|it| next.is_granted(*it) && !last.is_granted(*it));
            (who, to.map_or_else(|| "gives back".to_owned(), |to| format!("gives back to {to}")))
        }
        Step::Tell(who) => (who, "is told".to_owned()),
        Step::TakeBack(who) => (who, "it is taken back".to_owned()),
        Step::Leave(who) | Step::Try(who) | Step::Add(who) => (who, format!("{step:?}")),
        Step::Close(home) => (0, format!("loop {home} is closed")),
    }
}

/// A column for each client, a row for each step; the last rows repeat, if there is a cycle.
pub(super) fn chart(title: &str, model: &Clients, path: &[Step], cycle: &[Step]) -> String {
    let mut state = model.init_states().remove(0);
    let heads = model.clients.iter().enumerate();
    let mut rows = vec![heads.map(|(who, does)| format!("{who} {}", name(*does))).collect()];
    for step in path.iter().chain(cycle) {
        let next = model.next_state(&state, *step).expect("it is a step");
        let (who, text) = cell(&state, &next, *step);
        let mut row = vec![String::new(); model.clients.len()];
        row[who] = text;
        rows.push(row);
        state = next;
    }
    let width = |at: usize| rows.iter().map(|row: &Vec<String>| row[at].len()).max().unwrap_or(0);
    let widths: Vec<_> = (0..model.clients.len()).map(width).collect();
    let mut text = format!("\n**{title}**\n\n```text\n");
    for (number, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        let _ = writeln!(text, "{}", line.trim_end());
        if number == 0 {
            let rules: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
            let _ = writeln!(text, "{}", rules.join("  "));
        }
    }
    if cycle.is_empty() {
        let waits = |who: &usize| state.stage(*who) == Stage::Waits;
        let waiting: Vec<_> =
            (0..model.clients.len()).filter(waits).map(|it| it.to_string()).collect();
        let verb = if waiting.len() == 1 { "waits" } else { "wait" };
        let _ = writeln!(text, "{} {verb} for ever", waiting.join(" and "));
    } else {
        let _ = writeln!(text, "and again from the last {} on, for ever", cycle.len());
    }
    text + "```\n"
}

/// What stands in the document is this, or is written.
pub(super) fn compare(charts: &str) -> Result<(), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec/primitives.md");
    let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let (before, rest) = text.split_once(BEGIN).ok_or("there is no place for the runs")?;
    let (there, after) = rest.split_once(END).ok_or("the runs have no end")?;
    if std::env::var_os("SETTLED_BLESS").is_some() {
        let text = format!("{before}{BEGIN}{charts}\n{END}{after}");
        return fs::write(&path, text).map_err(|error| error.to_string());
    }
    if there == format!("{charts}\n") {
        return Ok(());
    }
    Err("spec/primitives.md has other runs; SETTLED_BLESS=1 writes them anew".to_owned())
}
