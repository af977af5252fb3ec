//! The sequential specification beside the real cell: every program of up to six calls.
//!
//! The models are built of the specification, so that it must be the code's. A program is any
//! sequence of calls that the types allow, on a future whose promise is Pending or Owned; a call
//! that the types forbid in its place ends the branch.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

#[expect(dead_code, reason = "nobody waits")]
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

/// Those that are about who is left, in programs of up to five calls.
const HANDLES: [Op; 9] = [
    Op::Start,
    Op::Settle(End::Value(1)),
    Op::Return(3),
    Op::Abandon,
    Op::Cancel,
    Op::Register(0),
    Op::Closed,
    Op::Listen(0),
    Op::Leave,
];

/// Numbers that were noted since the last call.
type Noted = Arc<Mutex<Vec<u8>>>;

/// A real future, the callbacks that have run since the last call, and those who were told that nobody is left.
struct Real {
    producer: Producer,
    future: Option<ThreadFuture<u8, u8>>,
    ran: Noted,
    told: Noted,
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
        Self { producer, future: Some(future), ran: Arc::default(), told: Arc::default() }
    }

    /// The answer, or `None` if the types forbid the call here.
    fn invoke(&mut self, op: Op) -> Option<Ret> {
        let future = self.future.as_ref();
        let answer = match op {
            Op::Look => Answer::State(self.look()?),
            Op::Read => Answer::Read(read(future?)),
            Op::Cancel => Answer::Cancel(future?.cancel()),
            Op::Register(callback) => {
                let ran = Arc::clone(&self.ran);
                future?.add_done_callback(move |_| ran.lock().unwrap().push(callback));
                Answer::Done
            }
            Op::Listen(_) if matches!(self.producer, Producer::Gone) => return None,
            Op::Listen(listener) => {
                let told = Arc::clone(&self.told);
                self.producer.on_closed(move || told.lock().unwrap().push(listener));
                Answer::Done
            }
            Op::Leave => {
                drop(self.future.take()?);
                Answer::Done
            }
            _ => self.producer.invoke(op)?,
        };
        let [due, told] =
            [&self.ran, &self.told].map(|it| std::mem::take(&mut *it.lock().unwrap()));
        Some(Ret { answer, due, told })
    }

    /// The state, as long as there is a handle.
    fn look(&self) -> Option<State> {
        let future = self.future.as_ref()?;
        let looks = (future.done(), future.cancelled(), future.running());
        Some(match looks {
            (false, false, false) => State::Pending,
            (false, false, true) => State::Running,
            (true, true, false) => State::Cancelled,
            (true, false, false) => State::Finished,
            _ => panic!("these looks contradict each other: {looks:?}"),
        })
    }
}

/// Runs a program from the start on both. Says whether the types allow it.
fn agree(owned: bool, program: &[Op]) -> bool {
    let mut spec = if owned { Spec::owned() } else { Spec::new() };
    let mut real = Real::new(owned);
    for (number, op) in (0..).zip(program) {
        // Each callback has a name of its own, so that their order shows.
        let op = match op {
            Op::Register(_) => Op::Register(number),
            Op::Listen(_) => Op::Listen(number),
            other => *other,
        };
        let Some(answer) = real.invoke(op) else { return false };
        assert_eq!(answer, spec.invoke(&op), "the answer to {op:?} in {program:?}, owned: {owned}");
        if let Some(looks) = real.look() {
            let state = spec.state();
            assert_eq!(looks, state, "the looks after {op:?} in {program:?}, owned: {owned}");
        }
    }
    true
}

fn extend(owned: bool, (ops, length): (&[Op], usize), program: &mut Vec<Op>, programs: &mut u64) {
    if !agree(owned, program) {
        return;
    }
    *programs += 1;
    if program.len() < length {
        for op in ops {
            program.push(*op);
            extend(owned, (ops, length), program, programs);
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
        extend(owned, (&OPS, LENGTH), &mut Vec::new(), &mut programs);
    }
    println!("replayed: {programs} programs of up to {LENGTH} calls");
    // Fewer means that a call that the types allow was taken for one that they forbid.
    assert_eq!(programs, 150_545);
}

/// `[promise-8]` `[promise-9]`
#[test]
fn every_short_program_with_handles_gets_the_same_answers() {
    watch!();
    let mut programs = 0;
    for owned in [false, true] {
        extend(owned, (&HANDLES, LENGTH - 1), &mut Vec::new(), &mut programs);
    }
    println!("replayed: {programs} programs about who is left");
    assert_eq!(programs, 13_364);
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
