//! Waiting and callbacks, shown for any number of waiters, callbacks, futures, permits and events: `cargo test --test unbounded`.
//!
//! A transition relation, whose state changes are those of [`State::on`](settled::machine::State::on), the function that
//! ships, is printed as SMT-LIB, and z3 is asked whether a step can lead from a state in which all lemmas hold to one in
//! which one of them does not. No number of whoever takes the steps is given. `cell` is one future with all who wait for
//! it and its callbacks, `group` one who waits for several, `line` permits with all who wait for one, `gate` an event with all
//! who wait for it. Each broken twin has a run, from the beginning, that breaks a lemma. `sites.rs` compares the steps with the
//! places in the code that they stand for.
//!
//! What settles is one step here. In the code it is a step of the word, and what it takes out of the list: both with the
//! list's lock held. Whoever registers, leaves or clears takes that lock, so that it comes before both or after both; and
//! whoever looks at the word alone asks whether it is settled, which it is after the first as after the second.

#[macro_use]
#[path = "../support/watchdog.rs"]
mod watchdog;

mod cell;
#[path = "../support/closing.rs"]
mod closing;
mod gate;
mod group;
mod line;
mod lock;
mod sites;
mod smt;
mod system;

use std::{
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
};

use cell::{CELL, tables::Mutant};
use gate::GATE;
use group::GROUP;
use line::LINE;
use settled::machine::State;
use smt::{Answer, Path, Question};
use system::{Lemma, Protocol, Step, System, Twin};

/// What is shown: waiting for one future, with its callbacks, and for several; for a permit; and for an event.
const PROTOCOLS: [Protocol; 4] = [CELL, GROUP, LINE, GATE];

/// How many lemmas were shown.
static SHOWN: AtomicUsize = AtomicUsize::new(0);

impl Protocol {
    /// The lemmas that are a part of the invariant, or those that follow from it.
    fn such(&self, are_inductive: bool) -> Vec<&Lemma> {
        self.lemmas.iter().filter(|it| it.is_inductive == are_inductive).collect()
    }

    /// Whether these lemmas hold after the step if all held before.
    fn keeps(&self, system: &System, step: &Step, lemmas: &[&Lemma], wants: Answer) -> Question {
        let path = Path::from_anywhere(system).where_all_hold(self.lemmas).takes(step);
        path.asks_whether_not(lemmas, &format!("{} keeps", step.name), wants)
    }

    /// Whether these lemmas hold wherever the invariant does.
    fn follow(&self, system: &System, lemmas: &[&Lemma], wants: Answer) -> Question {
        let path = Path::from_anywhere(system).where_all_hold(self.lemmas);
        path.asks_whether_not(lemmas, "it follows", wants)
    }

    /// In the beginning and after each step the invariant holds, and what follows from it does.
    fn obligations(&self) -> Vec<Question> {
        let system = (self.shipped)();
        let (invariant, others) = (self.such(true), self.such(false));
        let begin = Path::from_the_beginning(&system);
        let mut questions = vec![
            begin.asks_whether_not(&invariant, "in the beginning", Answer::Unsat),
            self.follow(&system, &others, Answer::Unsat),
        ];
        let keeps = |step| self.keeps(&system, step, &invariant, Answer::Unsat);
        questions.extend(system.steps.iter().map(keeps));
        questions
    }

    /// Each step can be taken in a state where these lemmas hold, to one where they do, and in one that is reached from
    /// the beginning.
    fn possibilities(&self, lemmas: &[Lemma]) -> Vec<Question> {
        let system = (self.shipped)();
        let mut questions = Vec::new();
        for step in &system.steps {
            let anywhere = Path::from_anywhere(&system).where_all_hold(lemmas).takes(step);
            let anywhere = anywhere.where_all_hold(lemmas);
            questions.push(anywhere.asks(format!("{} is possible", step.name), Answer::Sat));
            let reached = Path::from_the_beginning(&system).runs(step.after).takes(step);
            questions.push(reached.asks(format!("{} is reached", step.name), Answer::Sat));
        }
        questions
    }

    /// A run that breaks the lemma, before whose last step every lemma holds; and what would show the lemma no longer
    /// does.
    fn refutation(&self, twin: &Twin) -> Result<[Question; 2], String> {
        let mut system = (self.shipped)();
        (twin.change)(&mut system);
        let lemma = self.lemmas.iter().find(|it| it.says == twin.breaks);
        let lemma = lemma.ok_or_else(|| format!("{}: no lemma says: {}", twin.is, twin.breaks))?;
        let (before, last) = twin.run.rsplit_once(' ').unwrap_or(("", twin.run));
        let path = Path::from_the_beginning(&system).runs(before).where_all_hold(self.lemmas);
        let name = format!("{} breaks", twin.is);
        let run = path.runs(last).asks_whether_not(&[lemma], &name, Answer::Sat);
        let shown = if lemma.is_inductive {
            self.keeps(&system, system.find(last), &[lemma], Answer::Sat)
        } else {
            self.follow(&system, &[lemma], Answer::Sat)
        };
        Ok([run, shown])
    }

    /// Every lemma is broken by a twin.
    fn refutations(&self) -> Result<Vec<Question>, String> {
        for Lemma { says, .. } in self.lemmas {
            if !self.twins.iter().any(|twin| twin.breaks == *says) {
                return Err(format!("no twin breaks: {says}"));
            }
        }
        let questions: Result<Vec<_>, _> =
            self.twins.iter().map(|it| self.refutation(it)).collect();
        Ok(questions?.into_iter().flatten().collect())
    }
}

/// Asks of all protocols.
fn ask(questions: impl Fn(&Protocol) -> Vec<Question>) -> Result<(), String> {
    smt::ask(&PROTOCOLS.iter().flat_map(questions).collect::<Vec<_>>())
}

fn every_lemma_holds() -> Result<String, String> {
    if smt::is_there()? {
        ask(Protocol::obligations)?;
        let shown = PROTOCOLS.iter().map(|it| it.lemmas.len()).sum();
        SHOWN.store(shown, Ordering::Relaxed);
    }
    Ok(String::new())
}

fn every_step_can_be_taken() -> Result<String, String> {
    if smt::is_there()? {
        ask(|it| it.possibilities(it.lemmas))?;
    }
    Ok(String::new())
}

/// Hypotheses that contradict each other show everything, and are noticed.
fn a_contradiction_is_noticed() -> Result<String, String> {
    if smt::is_there()? {
        let nothing = [system::always("nothing is so", "(distinct slot slot)")];
        let answer = smt::ask(&CELL.possibilities(&nothing));
        let why = answer.err().ok_or("every step can be taken where nothing can be")?;
        for step in (CELL.shipped)().steps {
            if !why.contains(&format!("{} is possible: unsat", step.name)) {
                return Err(format!("{} is said to be possible: {why}", step.name));
            }
        }
    }
    Ok(String::new())
}

/// A table that harms the protocol breaks a lemma from the beginning on, and any other none, wherever it is.
fn refutation_of_table(mutant: Mutant) -> Question {
    let system = mutant.system();
    let path = if mutant.is_harmful() {
        let run = match mutant.state {
            State::Pending => "register-callback",
            State::Running => "register-callback start",
            State::Cancelled => "register-callback cancel",
            State::Finished => "register-callback finish",
        };
        Path::from_the_beginning(&system).runs(run)
    } else {
        Path::from_anywhere(&system)
    };
    let all: Vec<_> = CELL.such(true).iter().map(|it| it.holds).collect();
    let path = path.where_all_hold(CELL.lemmas).runs(&mutant.event.to_string());
    let path = path.says(&format!("(not (and {}))", all.join(" ")));
    let wants = if mutant.is_harmful() { Answer::Sat } else { Answer::Unsat };
    path.asks(format!("{mutant:?}"), wants)
}

fn every_twin_is_refuted() -> Result<String, String> {
    let mut questions = Vec::new();
    for protocol in &PROTOCOLS {
        questions.extend(protocol.refutations()?);
    }
    if !smt::is_there()? {
        return Ok(String::new());
    }
    smt::ask(&questions)?;
    let mutants = Mutant::all();
    let tables: Vec<_> = mutants.iter().map(|it| refutation_of_table(*it)).collect();
    smt::ask(&tables)?;
    let twins: usize = PROTOCOLS.iter().map(|it| it.twins.len()).sum();
    let refuted = twins + mutants.iter().filter(|it| it.is_harmful()).count();
    Ok(match SHOWN.load(Ordering::Relaxed) {
        // Only this test was asked for.
        0 => String::new(),
        shown => format!("unbounded: {shown} lemmas, {refuted} broken twins refuted"),
    })
}

fn main() -> ExitCode {
    closing::main(
        Some(1),
        [
            ("the_steps_are_the_sites_of_the_code", sites::the_steps_are_the_sites_of_the_code),
            ("a_site_that_changes_is_noticed", sites::a_site_that_changes_is_noticed),
            ("every_lemma_holds", every_lemma_holds),
            ("every_step_can_be_taken", every_step_can_be_taken),
            ("a_contradiction_is_noticed", a_contradiction_is_noticed),
            ("every_twin_is_refuted", every_twin_is_refuted),
        ],
    )
}
