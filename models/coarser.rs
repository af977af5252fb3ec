//! What the steps of the model have to be as fine as: answers that the code gives, and that a coarser model denies.

use std::collections::BTreeSet;

use settled::model::{
    Do::{Finish, LoopDone, Post, Result as Wait},
    Does, Program,
    rules::COARSER,
};
use stateright::Model;

use crate::{Row, Trials};

pub(crate) fn add(trials: &mut Trials) {
    trials.add("coarser::settled_in_one_step", both_answers);
}

const F: u8 = 0;
const LOOP: u8 = 2;

/// Who has seen the future settled posts to the loop, while whoever settles it has not got so far: the job that was
/// posted finds the loop's view unsettled, or settled.
fn program() -> Program {
    Program::new()
        .thread("worker", &[Finish(F)])
        .thread("user", &[Wait(F), Post(LOOP, 0)])
        .event_loop("loop", &[])
        .call(&[LoopDone(F)])
}

/// What the job finds, over all states of a program.
fn answers(program: &Program) -> BTreeSet<bool> {
    let (mut left, mut seen) = (program.init_states(), BTreeSet::new());
    let mut found: std::collections::HashSet<_> = left.iter().cloned().collect();
    while let Some(state) = left.pop() {
        for (step, next) in program.next_steps(&state) {
            if step.does == Does::Do(LoopDone(F)) {
                seen.insert(program.shows(&state, LOOP, F));
            }
            if found.insert(next.clone()) {
                left.push(next);
            }
        }
    }
    seen
}

/// The view may lag behind what a thread has seen; a model in which it cannot is found. `[loop-1]`
fn both_answers() -> Result<Vec<Row>, String> {
    let coarser = COARSER[0].rules();
    match [program(), program().under(coarser)].map(|program| answers(&program)) {
        [both, one] if both == BTreeSet::from([false, true]) && one == BTreeSet::from([true]) => {
            Ok(Vec::new())
        }
        [both, one] => {
            Err(format!("the view was seen as {both:?}, in the coarser model as {one:?}"))
        }
    }
}
