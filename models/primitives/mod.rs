//! Semaphores, events, conditions, barriers and queues, as they decide in the crate: threads and tasks that wait, leave at
//! every moment, and are closed with their loops, and whoever gives permits back and tells.
//!
//! The machines are those of `src/primitives`, and one step is one critical section of the code, or that one is told. That
//! such a section is as one step, also where it is one of the word alone, is shown in `steps`.

mod barrier;
mod charts;
mod condition;
mod designs;
mod event;
mod fairness;
#[path = "../../src/primitives/gate.rs"]
mod gate;
#[path = "../../src/primitives/line.rs"]
#[expect(dead_code, reason = "what is behind a word is there from the beginning")]
mod line;
#[path = "../../src/primitives/meeting.rs"]
#[expect(dead_code, reason = "what is shown to users is no step")]
mod meeting;
#[path = "../../src/primitives/notices.rs"]
mod notices;
#[path = "../../src/primitives/permits.rs"]
#[expect(dead_code, reason = "what is shown to users is no step")]
mod permits;
#[path = "../../src/places.rs"]
#[expect(dead_code, reason = "the callbacks of a loop future are no line")]
mod places;
mod queue;
mod semaphore;
mod steps;
#[path = "../../src/primitives/stock.rs"]
#[expect(dead_code, reason = "what is shown to users is no step")]
mod stock;
#[path = "../../src/primitives/word.rs"]
#[expect(dead_code, reason = "a lock begins with a word that it does not look at")]
mod word;

use crate::Trials;

pub(crate) fn add(trials: &mut Trials) {
    semaphore::add(trials);
    steps::add(trials);
    event::add(trials);
    condition::add(trials);
    barrier::add(trials);
    queue::add(trials);
    fairness::add(trials);
}

/// Whose step it is to tell those who are to be told.
const TELLER: usize = 100;
/// Whose step it is to take back what nobody has come for.
const CLOCK: usize = 101;
