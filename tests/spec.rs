//! The sequential specification beside the real cell: every program of up to six calls.
//!
//! The models are built of the specification, so that it must be the code's. A program is any
//! sequence of calls that the types allow, on a future whose promise is Pending or Owned; a call
//! that the types forbid in its place ends the branch.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

#[path = "support/real.rs"]
mod real;

use std::{
    sync::{Arc, Mutex},
    task::Waker,
};

use real::{Producer, read};
use settled::{
    Cancelled, ThreadFuture,
    machine::State,
    model::{Answer, End, Op, Ret, Spec},
};
use stateright::semantics::SequentialSpec;

const LENGTH: usize = 6;

const OPS: [Op; 11] = [
    Op::Start,
    Op::Settle(End::Value(1)),
    Op::Settle(End::Error(2)),
    Op::Settle(End::Panicked),
    Op::Stop,
    Op::Abandon,
    Op::Requested,
    Op::Cancel,
    Op::Look,
    Op::Read,
    Op::Register(0),
];

/// A real future, and the callbacks that have run since the last call.
struct Real {
    producer: Producer,
    future: ThreadFuture<u8, u8>,
    ran: Arc<Mutex<Vec<u8>>>,
}

impl Real {
    fn new(owned: bool) -> Self {
        let (producer, future) = if owned {
            let (promise, future) = ThreadFuture::owned_pair(Waker::noop().clone());
            (Producer::Owned(promise), future)
        } else {
            let (promise, future) = ThreadFuture::pair();
            (Producer::Pending(promise), future)
        };
        Self { producer, future, ran: Arc::default() }
    }

    /// The answer, or `None` if the types forbid the call here.
    fn invoke(&mut self, op: Op) -> Option<Ret> {
        let answer = match op {
            Op::Look => Answer::State(self.look()),
            Op::Read => Answer::Read(read(&self.future)),
            Op::Cancel => Answer::Cancel(self.future.cancel()),
            Op::Register(callback) => {
                let ran = Arc::clone(&self.ran);
                self.future.add_done_callback(move |_| ran.lock().unwrap().push(callback));
                Answer::Done
            }
            _ => self.producer.invoke(op)?,
        };
        Some(Ret { answer, due: std::mem::take(&mut self.ran.lock().unwrap()) })
    }

    fn look(&self) -> State {
        let looks = (self.future.done(), self.future.cancelled(), self.future.running());
        match looks {
            (false, false, false) => State::Pending,
            (false, false, true) => State::Running,
            (true, true, false) => State::Cancelled,
            (true, false, false) => State::Finished,
            _ => panic!("these looks contradict each other: {looks:?}"),
        }
    }
}

/// Runs a program from the start on both. Says whether the types allow it.
fn agree(owned: bool, program: &[Op]) -> bool {
    let mut spec = if owned { Spec::owned() } else { Spec::new() };
    let mut real = Real::new(owned);
    for (number, op) in (0..).zip(program) {
        // Each callback has a name of its own, so that their order shows.
        let op = if let Op::Register(_) = op { Op::Register(number) } else { *op };
        let Some(answer) = real.invoke(op) else { return false };
        assert_eq!(answer, spec.invoke(&op), "the answer to {op:?} in {program:?}, owned: {owned}");
        assert_eq!(
            real.look(),
            spec.state(),
            "the looks after {op:?} in {program:?}, owned: {owned}"
        );
    }
    true
}

fn extend(owned: bool, program: &mut Vec<Op>, programs: &mut u64) {
    if !agree(owned, program) {
        return;
    }
    *programs += 1;
    if program.len() < LENGTH {
        for op in OPS {
            program.push(op);
            extend(owned, program, programs);
            program.pop();
        }
    }
}

/// `[machine-2]` `[machine-4]` `[read-2]` `[read-3]` `[settled-2]` `[cancel-3]`
#[test]
fn every_short_program_gets_the_same_answers() {
    watch!();
    let mut programs = 0;
    for owned in [false, true] {
        extend(owned, &mut Vec::new(), &mut programs);
    }
    println!("replayed: {programs} programs of up to {LENGTH} calls");
    // Fewer means that a call that the types allow was taken for one that they forbid.
    assert_eq!(programs, 150_545);
}

/// `[cancel-6]`
#[test]
fn the_cause_of_a_stop_depends_on_the_request() {
    watch!();
    for (request, cause) in [(true, Cancelled::Requested), (false, Cancelled::Stopped)] {
        let mut spec = Spec::owned();
        if request {
            let _ = spec.invoke(&Op::Cancel);
        }
        let _ = spec.invoke(&Op::Stop);
        assert_eq!(spec.invoke(&Op::Read).answer, Answer::Read(Some(End::Cancelled(cause))));
    }
    assert_eq!(Spec::default(), Spec::new());
}
