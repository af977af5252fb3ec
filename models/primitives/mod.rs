//! Semaphores, events, conditions, barriers and queues, as they decide in the crate: threads and tasks that wait, leave at
//! every moment, and are closed with their loops, and whoever gives permits back and tells.
//!
//! The machines are those of `src/primitives`, and one step is one critical section of the code, or that one is told.

mod barrier;
mod charts;
mod condition;
mod designs;
mod event;
mod fairness;
#[path = "../../src/primitives/gate.rs"]
mod gate;
#[path = "../../src/primitives/line.rs"]
mod line;
#[path = "../../src/primitives/meeting.rs"]
#[expect(dead_code, reason = "what is shown to users is no step")]
mod meeting;
#[path = "../../src/primitives/notices.rs"]
mod notices;
#[path = "../../src/primitives/permits.rs"]
mod permits;
mod queue;
mod semaphore;
#[path = "../../src/primitives/stock.rs"]
#[expect(dead_code, reason = "what is shown to users is no step")]
mod stock;

use crate::Trials;

pub(crate) fn add(trials: &mut Trials) {
    semaphore::add(trials);
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
