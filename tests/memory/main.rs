//! A second opinion on what memory orders, beside loom's: every C11 execution of small programs, by axioms.
//!
//! `cargo test --test memory`. What it is about, and how to read it, is `spec/memory.md`'s.

#[macro_use]
#[path = "../support/watchdog.rs"]
mod watchdog;

mod axioms;
mod cell;
#[path = "../support/closing.rs"]
mod closing;
mod explore;
mod graph;
mod litmus;
mod program;
mod protocol;
mod rows;
mod sites;
mod twins;

use std::{process::ExitCode, sync::Mutex};

/// What the word needs of the crate.
mod error {
    pub(crate) use settled::{Cancel, Cancelled, Refusal};
}
use settled::machine;

use axioms::{LOOSE, RC11};

/// How many litmus tests ended as published, and in how many executions.
static PUBLISHED: Mutex<Option<[usize; 2]>> = Mutex::new(None);

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
    *PUBLISHED.lock().unwrap() = Some([tests, executions]);
    Ok(String::new())
}

/// Each program of the cell is right in every execution.
fn the_cell_is_right_in_every_execution() -> Result<String, String> {
    let [programs, executions] = protocol::the_cell_is_right_in_every_execution()?;
    Ok(match PUBLISHED.lock().unwrap().take() {
        // Only this test was asked for.
        None => String::new(),
        Some([tests, others]) => format!(
            "executions: {tests} litmus tests as published, {programs} protocols, {} executions",
            others + executions
        ),
    })
}

fn main() -> ExitCode {
    closing::main(
        None,
        [
            ("the_litmus_tests_end_as_published", the_litmus_tests_end_as_published),
            ("the_cell_is_right_in_every_execution", the_cell_is_right_in_every_execution),
            ("every_mistake_is_noticed", protocol::every_mistake_is_noticed),
            ("every_ordering_is_needed", sites::every_ordering_is_needed),
            ("the_orderings_are_those_of_the_code", sites::the_orderings_are_those_of_the_code),
            ("every_ordering_has_a_name", sites::every_ordering_has_a_name),
            (
                "the_programs_stand_for_the_functions_of_the_code",
                sites::the_programs_stand_for_the_functions_of_the_code,
            ),
            ("wrong_axioms_are_noticed", twins::wrong_axioms_are_noticed),
            ("one_order_is_the_interleavings", twins::one_order_is_the_interleavings),
            ("a_weakened_ordering_is_noticed", twins::a_weakened_ordering_is_noticed),
            ("a_deadlock_is_noticed", twins::a_deadlock_is_noticed),
        ],
    )
}
