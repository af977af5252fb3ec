//! A second opinion on what memory orders, beside loom's: every C11 execution of small programs, by axioms.
//!
//! `cargo test --test memory`. What it is about, and how to read it, is `spec/memory.md`'s.

#[macro_use]
#[path = "../support/watchdog.rs"]
mod watchdog;

mod axioms;
#[path = "../support/closing.rs"]
mod closing;
mod explore;
mod graph;
mod litmus;
mod program;
mod rows;
mod twins;

use std::process::ExitCode;

use axioms::{LOOSE, RC11};

/// Each test of the literature ends as published, with and without load buffering.
fn the_litmus_tests_end_as_published() -> Result<String, String> {
    let (mut tests, mut executions, mut wrong) = (0, 0, Vec::new());
    println!("{:<40} {:<10} {:<18} from", "litmus test", "RC11", "loads buffered");
    let papers = include_str!("../../spec/memory.md");
    for it in litmus::all() {
        tests += 1;
        if let Some(mark) = it.marks().find(|it| !papers.contains(&format!("| {it} | "))) {
            wrong.push(format!("{}: spec/memory.md does not say what {mark} is", it.name));
        }
        println!("{:<40} {:<10} {:<18} {}", it.name, it.says.name(), it.loose.name(), it.from);
        for (axioms, says) in [(&RC11, it.says), (&LOOSE, it.loose)] {
            let (verdict, found) = it.verdict(axioms);
            executions += found.executions;
            if verdict.as_ref() != Ok(&says) {
                wrong.push(format!("{}: {verdict:?}, not {says:?}", it.name));
            }
        }
    }
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    Ok(format!("executions: {tests} litmus tests as published, {executions} executions"))
}

fn main() -> ExitCode {
    closing::main([
        ("the_litmus_tests_end_as_published", the_litmus_tests_end_as_published),
        ("wrong_axioms_are_noticed", twins::wrong_axioms_are_noticed),
        ("one_order_is_the_interleavings", twins::one_order_is_the_interleavings),
        ("a_weakened_ordering_is_noticed", twins::a_weakened_ordering_is_noticed),
        ("a_deadlock_is_noticed", twins::a_deadlock_is_noticed),
    ])
}
