//! That none of this is blind: wrong axioms are noticed, every litmus test can fail, and where all is in one order the
//! executions are the interleavings.

use std::collections::BTreeSet;

use super::{
    axioms::{Axioms, LOOSE, RC11},
    explore::{End, explore},
    litmus::{self, Litmus, patterns::crossed},
    program::{Ask, Next, Order, Program},
};

/// Axioms that are wrong in one way each, beside those that they stand for.
fn wrong() -> Vec<(&'static str, Axioms, Axioms)> {
    let of = |is, wrong| (is, RC11, wrong);
    vec![
        of("no coherence", Axioms { coherence: false, ..RC11 }),
        of("updates in two steps", Axioms { atomicity: false, ..RC11 }),
        of("SC accesses in no order", Axioms { sc_accesses: false, ..RC11 }),
        of("SC fences in no order", Axioms { sc_fences: false, ..RC11 }),
        of("loads are buffered", LOOSE),
        ("loads are not buffered", LOOSE, RC11),
        of("nothing synchronises", Axioms { synchronises: false, ..RC11 }),
        (
            "nothing synchronises, and loads are buffered",
            LOOSE,
            Axioms { synchronises: false, ..LOOSE },
        ),
        of("fences do not synchronise", Axioms { fences: false, ..RC11 }),
        of("no release sequences", Axioms { release_sequences: false, ..RC11 }),
        of("release sequences of C11", Axioms { own_stores: true, ..RC11 }),
        of("no races", Axioms { races: false, ..RC11 }),
        of("all in one order", Axioms { sequential: true, ..RC11 }),
        of("everything synchronises", Axioms { all_synchronise: true, ..RC11 }),
    ]
}

/// The tests that do not end as published under these axioms, which stand for those.
fn noticed_by(right: &Axioms, wrong: &Axioms) -> Vec<&'static str> {
    let says = |it: &Litmus| if *right == LOOSE { it.loose } else { it.says };
    let fails = |it: &&'static Litmus| it.verdict(wrong).0 != Ok(says(it));
    litmus::all().filter(fails).map(|it| it.name).collect()
}

/// Wrong axioms are noticed, and every test notices some.
pub(crate) fn wrong_axioms_are_noticed() -> Result<String, String> {
    let mut can_fail = BTreeSet::new();
    for (is, right, wrong) in wrong() {
        let noticed = noticed_by(&right, &wrong);
        if noticed.is_empty() {
            return Err(format!("{is}: no litmus test notices"));
        }
        println!("{is}: noticed by {} litmus tests, {} among them", noticed.len(), noticed[0]);
        can_fail.extend(noticed);
    }
    match litmus::all().find(|it| !can_fail.contains(it.name)) {
        Some(it) => Err(format!("{} ends as published, whatever the axioms", it.name)),
        None => Ok(String::new()),
    }
}

/// The ends of all interleavings, in which each step is taken by one thread and seen by all.
fn interleave(
    program: &Program,
    answers: &[Vec<u64>],
    memory: &[u64],
    frees: usize,
) -> BTreeSet<End> {
    let mut ends = BTreeSet::new();
    let mut seen = Vec::new();
    for by in 0..answers.len() {
        let (mut memory, mut frees, mut answer) = (memory.to_vec(), frees, 0);
        match program.run(by, &answers[by]).0 {
            Next::Returned(value) => {
                seen.push(value);
                continue;
            }
            Next::Wrong(_) => continue,
            Next::Asks(Ask::Load { at, .. }) => answer = memory[at],
            Next::Asks(Ask::Store { at, value, .. }) => memory[at] = value,
            Next::Asks(Ask::Update { at, change, waits, .. }) => {
                answer = memory[at];
                match change(answer) {
                    Some(value) => memory[at] = value,
                    None if waits => continue,
                    None => {}
                }
            }
            Next::Asks(Ask::Fence(_)) => {}
            Next::Asks(Ask::Free(_)) => frees += 1,
        }
        let mut answers = answers.to_vec();
        answers[by].push(answer);
        ends.extend(interleave(program, &answers, &memory, frees));
    }
    if seen.len() == answers.len() {
        ends.insert(End { seen, memory: memory.to_vec(), frees });
    }
    ends
}

/// Where all is in one order, the executions end as the interleavings do: none is left out.
pub(crate) fn one_order_is_the_interleavings() -> Result<String, String> {
    for it in litmus::all() {
        let program = (it.program)();
        let memory: Vec<_> = program.places.iter().map(|it| it.1).collect();
        let told = vec![Vec::new(); program.len()];
        let interleaved = interleave(&program, &told, &memory, 0);
        let explored = explore(&program, &Axioms { sequential: true, ..RC11 }).ends;
        if explored != interleaved || explored.is_empty() {
            return Err(format!("{}: {explored:?}, and interleaved {interleaved:?}", it.name));
        }
    }
    Ok(String::new())
}

/// A message behind named orderings, which is required to be there once it is announced.
fn named() -> Program {
    Program::new(&["message", "flag"])
        .thread(|t| {
            t.write(0, 1)?;
            let order = t.at("announces", Order::Release);
            t.store(1, 1, order)?;
            Ok(0)
        })
        .thread(|t| {
            let order = t.at("looks", Order::Acquire);
            if t.load(1, order)? == 0 {
                return Ok(0);
            }
            let message = t.read(0)?;
            t.require(message == 1, "the message is there")?;
            Ok(1)
        })
}

/// An ordering that is weakened by its name gives a race, and what is not as required is told.
pub(crate) fn a_weakened_ordering_is_noticed() -> Result<String, String> {
    let found = explore(&named(), &RC11);
    let names = [("announces", Order::Release), ("looks", Order::Acquire)];
    if !found.wrong.is_empty() || !found.used.iter().eq(&names) {
        return Err(format!("{:?}, and it used {:?}", found.wrong, found.used));
    }
    for (weakened, _) in names {
        let found = explore(&named().weakened(weakened, Order::Relaxed), &RC11);
        if !found.has("race: message") || !found.has("the message is there") {
            return Err(format!("{weakened}: {:?}", found.wrong));
        }
    }
    Ok(String::new())
}

/// Who waits for ever is found.
pub(crate) fn a_deadlock_is_noticed() -> Result<String, String> {
    let found = explore(&crossed(), &RC11);
    if found.has("deadlock") && !found.ends.is_empty() {
        Ok(String::new())
    } else {
        Err(format!("two locks, taken the other way round: {:?}", found.wrong))
    }
}
