//! The code and the model do the same: what those who take part in a program are told, in all interleavings of the real
//! crate, is what they can be told on all paths of the model, and the other way round.
//!
//! An outcome is what each of them was told, in its own order: the answers of its calls, which callbacks and jobs began
//! there, and what these were told. The programs are those of [`programs`]. Each is explored without a bound, or with
//! so many preemptions as its family says; what the code does beyond such a bound is not seen, but all that the model
//! can is required to be seen within it.

use settled::model::{
    Do::{Cancel, Drop, Finish, LoopDone, OnClosed, Post, Result as Wait, Upgrade},
    Program, Rules,
    rules::COARSER,
};

use crate::{
    apart::{Count, count, counted},
    party,
    programs::{self, Family},
    said,
};

/// How many families there are, with those of [`shown`](crate::shown).
const FAMILIES: usize = 17;

/// Says what was compared, if all families were.
pub(crate) fn report() {
    use Count::{Bounded, ComparedExecutions, Families, Outcomes, Programs};
    let [programs, bounded, executions, outcomes, families] =
        [Programs, Bounded, ComparedExecutions, Outcomes, Families].map(counted);
    if families == FAMILIES {
        println!(
            "refined: {programs} programs ({bounded} bounded), {executions} executions, {outcomes} outcomes, equal in \
             both directions"
        );
    }
}

/// One program more was compared, with so many executions and outcomes.
pub(crate) fn count_program(is_bounded: bool, [executions, outcomes]: [usize; 2]) {
    count(Count::Programs, 1);
    count(Count::Bounded, usize::from(is_bounded));
    count(Count::ComparedExecutions, executions);
    count(Count::Outcomes, outcomes);
}

/// All of a family were.
pub(crate) fn is_through() {
    count(Count::Families, 1);
}

/// What the code can say of a program is what the model can; how many executions and outcomes there were.
fn compare(program: &Program, model: &Program, bound: Option<usize>) -> Result<[usize; 2], String> {
    let (code, executions) = party::outcomes(program, bound);
    let model = said::outcomes(model);
    let text = |it: &Program| {
        let members: Vec<_> = it.members().collect();
        let pieces: Vec<_> = it.pieces().collect();
        format!("{members:?} with {pieces:?}")
    };
    for (one, other, whose) in [(&code, &model, "code"), (&model, &code, "model")] {
        let alone: Vec<_> = one.difference(other).collect();
        if let Some(first) = alone.first() {
            return Err(format!(
                "the {whose} alone can say, and {} more: {first:#?}\nof {}",
                alone.len() - 1,
                text(program)
            ));
        }
    }
    Ok([executions, code.len()])
}

fn all(Family { bound, programs }: Family) {
    let mut wrong = Vec::new();
    for program in &programs {
        match compare(program, program, bound) {
            Ok(seen) => count_program(bound.is_some(), seen),
            Err(why) => wrong.push(why),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} programs: {}",
        wrong.len(),
        programs.len(),
        wrong.join("\n")
    );
    is_through();
}

/// `[read-3]` `[callback-1]` `[callback-2]` Two threads and one future.
pub(crate) fn one_future() {
    all(programs::one_future());
}

/// `[read-3]` `[callback-1]` Three threads and one future.
pub(crate) fn three_threads() {
    all(programs::three_threads());
}

/// `[promise-8]` `[promise-9]` The only handle goes, and the promise asks, listens or waits for that.
pub(crate) fn a_handle() {
    all(programs::a_handle());
}

/// `[promise-8]` `[promise-9]` `[weak-1]` Two handles go, or one beside a weak one.
pub(crate) fn handles() {
    all(programs::handles());
}

/// `[wait-5]` `[wait-6]` Waits for two futures, which one thread settles, or two.
pub(crate) fn two_futures() {
    all(programs::two_futures());
}

/// `[loop-1]` `[schedule-2]` `[loop-5]` A loop, its views and its end.
pub(crate) fn a_loop() {
    all(programs::a_loop());
}

/// `[await-3]` `[loop-6]` A task of a loop.
pub(crate) fn a_task() {
    all(programs::a_task());
}

/// `[bridge-2]` A loop that submits to a pool.
pub(crate) fn a_loop_and_a_pool() {
    all(programs::a_loop_and_a_pool());
}

/// `[pool-6]` `[cancel-2]` Jobs of a pool.
pub(crate) fn a_pool() {
    all(programs::a_pool());
}

/// `[wait-3]` `[wait-5]` Timed waits, which expire at any moment.
pub(crate) fn an_expiry() {
    all(programs::an_expiry());
}

/// A model that settles and tells in one step denies what the code says: whoever has seen a future settled is ahead of
/// the loop.
pub(crate) fn a_coarser_model_is_found() {
    let program = Program::new()
        .thread("worker", &[Finish(0)])
        .thread("user", &[Wait(0), Post(2, 0)])
        .event_loop("loop", &[])
        .call(&[LoopDone(0)]);
    let coarser = program.clone().under(COARSER[0].rules());
    let found = compare(&program, &coarser, Some(2)).unwrap_err();
    assert!(
        found.starts_with("the code alone") && found.contains("LoopDone(0) = Answer(Read(None))"),
        "{found}"
    );
}

/// Models in which the last handle tells nobody, in which one who listens is told twice, and in which a weak handle
/// brings back what nobody was left to see.
pub(crate) fn wrong_models_of_handles_are_found() {
    let listens = |drops| {
        let program = Program::new().thread("A", &[OnClosed(0, 0), Finish(0)]);
        program.thread("B", drops).call(&[Finish(1)])
    };
    let upgrades = Program::new().thread("A", &[Finish(0)]).thread("B", &[Drop(0), Upgrade(0)]);
    let wrong = [
        (listens(&[Drop(0)]), Rules { last_handle_tells_nobody: true, ..Rules::default() }),
        (listens(&[Cancel(0), Drop(0)]), Rules { listeners_stay: true, ..Rules::default() }),
        (upgrades, Rules { closed_is_upgraded: true, ..Rules::default() }),
    ];
    for ((program, rules), whose) in wrong.into_iter().zip(["code", "model", "model"]) {
        let found = compare(&program, &program.clone().under(rules), Some(2)).unwrap_err();
        assert!(found.starts_with(&format!("the {whose} alone")), "{found}");
    }
}
