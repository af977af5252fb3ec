//! The protocol of waiting and of callbacks, shown for any number of waiters and callbacks: `cargo test --test unbounded`.
//!
//! A transition relation (`system.rs`), whose state changes are those of [`State::on`](settled::machine::State::on), the
//! function that ships, is printed as SMT-LIB, and z3 is asked whether a step can lead from a state in which all lemmas
//! hold (`lemmas.rs`) to one in which one of them does not. No number of waiters or callbacks is given. Each broken twin
//! (`twins.rs`, `tables.rs`) has a run, from the beginning, that breaks a lemma. `sites.rs` compares the steps with
//! the places in the code that they stand for.

#[macro_use]
#[path = "../support/watchdog.rs"]
mod watchdog;

#[path = "../support/closing.rs"]
mod closing;
mod lemmas;
mod sites;
mod smt;
mod system;
mod tables;
mod twins;

use std::{
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
};

use lemmas::{LEMMAS, Lemma};
use settled::machine::State;
use smt::{Answer, Path, Question};
use system::{Step, System};
use tables::Mutant;
use twins::{TWINS, Twin};

/// How many lemmas were shown.
static SHOWN: AtomicUsize = AtomicUsize::new(0);

/// The lemmas that are a part of the invariant, or those that follow from it.
fn lemmas(are_inductive: bool) -> Vec<&'static Lemma> {
    LEMMAS.iter().filter(|it| it.is_inductive == are_inductive).collect()
}

/// Whether these lemmas hold after the step if all held before.
fn keeps(system: &System, step: &Step, lemmas: &[&Lemma], wants: Answer) -> Question {
    let path = Path::from_anywhere(system).where_all_hold(LEMMAS).takes(step);
    path.asks_whether_not(lemmas, &format!("{} keeps", step.name), wants)
}

/// Whether these lemmas hold wherever the invariant does.
fn follow(system: &System, lemmas: &[&Lemma], wants: Answer) -> Question {
    Path::from_anywhere(system).where_all_hold(LEMMAS).asks_whether_not(lemmas, "it follows", wants)
}

/// In the beginning and after each step the invariant holds, and what follows from it does.
fn obligations(system: &System) -> Vec<Question> {
    let (invariant, others) = (lemmas(true), lemmas(false));
    let begin = Path::from_the_beginning(system);
    let mut questions = vec![
        begin.asks_whether_not(&invariant, "in the beginning", Answer::Unsat),
        follow(system, &others, Answer::Unsat),
    ];
    let keep = system.steps.iter().map(|step| keeps(system, step, &invariant, Answer::Unsat));
    questions.extend(keep);
    questions
}

/// Each step can be taken in a state that satisfies the invariant, and in one that is reached from the beginning.
fn possibilities(system: &System, lemmas: &[Lemma]) -> Vec<Question> {
    let each = system.steps.iter().flat_map(|step| {
        let anywhere = Path::from_anywhere(system).where_all_hold(lemmas).takes(step);
        let reached = Path::from_the_beginning(system).runs(step.after).takes(step);
        [
            anywhere.where_all_hold(lemmas).asks(format!("{} is possible", step.name), Answer::Sat),
            reached.asks(format!("{} is reached", step.name), Answer::Sat),
        ]
    });
    each.collect()
}

fn every_lemma_holds() -> Result<String, String> {
    if smt::is_there()? {
        smt::ask(&obligations(&System::shipped()))?;
        SHOWN.store(LEMMAS.len(), Ordering::Relaxed);
    }
    Ok(String::new())
}

fn every_step_can_be_taken() -> Result<String, String> {
    if smt::is_there()? {
        smt::ask(&possibilities(&System::shipped(), LEMMAS))?;
    }
    Ok(String::new())
}

/// Hypotheses that contradict each other show everything, and are noticed.
fn a_contradiction_is_noticed() -> Result<String, String> {
    if smt::is_there()? {
        let nothing =
            Lemma { says: "nothing is so", holds: "(distinct slot slot)", is_inductive: true };
        let answer = smt::ask(&possibilities(&System::shipped(), &[nothing]));
        let why = answer.err().ok_or("every step can be taken where nothing can be")?;
        for step in System::shipped().steps {
            if !why.contains(&format!("{} is possible: unsat", step.name)) {
                return Err(format!("{} is said to be possible: {why}", step.name));
            }
        }
    }
    Ok(String::new())
}

/// A run that breaks the lemma, before whose last step every lemma holds; and what would show the lemma no longer does.
fn refutation(twin: &Twin) -> Result<[Question; 2], String> {
    let mut system = System::shipped();
    (twin.change)(&mut system);
    let lemma = LEMMAS.iter().find(|it| it.says == twin.breaks);
    let lemma = lemma.ok_or_else(|| format!("{}: no lemma says: {}", twin.is, twin.breaks))?;
    let (before, last) = twin.run.rsplit_once(' ').unwrap_or(("", twin.run));
    let path = Path::from_the_beginning(&system).runs(before).where_all_hold(LEMMAS).runs(last);
    let run = path.asks_whether_not(&[lemma], &format!("{} breaks", twin.is), Answer::Sat);
    let shown = if lemma.is_inductive {
        keeps(&system, system.find(last), &[lemma], Answer::Sat)
    } else {
        follow(&system, &[lemma], Answer::Sat)
    };
    Ok([run, shown])
}

/// A table that harms the protocol breaks a lemma from the beginning on, and any other none, wherever it is.
fn refutation_of_table(mutant: Mutant) -> Question {
    let system = mutant.system();
    let path = if mutant.is_harmful() {
        let run = match mutant.state {
            State::Pending => "",
            State::Running => "start",
            State::Cancelled => "cancel",
            State::Finished => "finish",
        };
        Path::from_the_beginning(&system).runs(run)
    } else {
        Path::from_anywhere(&system)
    };
    let all: Vec<_> = lemmas(true).iter().map(|it| it.holds).collect();
    let path = path.where_all_hold(LEMMAS).runs(&mutant.event.to_string());
    let path = path.says(&format!("(not (and {}))", all.join(" ")));
    let wants = if mutant.is_harmful() { Answer::Sat } else { Answer::Unsat };
    path.asks(format!("{mutant:?}"), wants)
}

fn every_twin_is_refuted() -> Result<String, String> {
    for Lemma { says, .. } in LEMMAS {
        if !TWINS.iter().any(|twin| twin.breaks == *says) {
            return Err(format!("no twin breaks: {says}"));
        }
    }
    if !smt::is_there()? {
        return Ok(String::new());
    }
    let twins: Result<Vec<_>, _> = TWINS.iter().map(refutation).collect();
    smt::ask(&twins?.into_iter().flatten().collect::<Vec<_>>())?;
    let mutants = Mutant::all();
    let tables: Vec<_> = mutants.iter().map(|it| refutation_of_table(*it)).collect();
    smt::ask(&tables)?;
    let refuted = TWINS.len() + mutants.iter().filter(|it| it.is_harmful()).count();
    Ok(match SHOWN.load(Ordering::Relaxed) {
        // Only this test was asked for.
        0 => String::new(),
        shown => format!("unbounded: {shown} lemmas, {refuted} broken twins refuted"),
    })
}

fn main() -> ExitCode {
    closing::main([
        ("the_steps_are_the_sites_of_the_code", sites::the_steps_are_the_sites_of_the_code),
        ("a_site_that_changes_is_noticed", sites::a_site_that_changes_is_noticed),
        ("every_lemma_holds", every_lemma_holds),
        ("every_step_can_be_taken", every_step_can_be_taken),
        ("a_contradiction_is_noticed", a_contradiction_is_noticed),
        ("every_twin_is_refuted", every_twin_is_refuted),
    ])
}
