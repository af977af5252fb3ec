//! All programs of a size: those of `general`.

use settled::model::{Do, Futures, Program};

pub(crate) const F: u8 = 0;
/// What the loop's task settles.
const TASK: u8 = 1;
const LOOP: u8 = 2;

/// The pieces of each program, by number: a callback of each of A's and B's operations, of the loop's
/// script and of the task; posted jobs, which look at the view; and the task.
mod piece {
    pub(super) const OF_LOOP: u8 = 4;
    pub(super) const OF_TASK: u8 = 5;
    pub(super) const POSTED: u8 = 6;
    pub(super) const TASK: u8 = 10;
}

/// The calls of a thread, as its operation number `at`.
///
/// `try_result` is `done` in this model: both look. `wait` of one future for the first is `wait` for
/// all. `result` of a task's future by a thread is that of any other.
fn calls(at: u8) -> Vec<Do> {
    let one = Futures::of(&[F]);
    vec![
        Do::Cancel(F),
        Do::Done(F),
        Do::Result(F),
        Do::ResultTimeout(F),
        Do::Add(F, at),
        Do::Wait(one),
        Do::WaitTimeout(one),
        Do::AsCompleted(one),
        Do::Post(LOOP, piece::POSTED + at),
    ]
}

/// What A does: this operation of the promise, and a call before it or after it; or the operation with
/// which the work that it starts ends.
pub(crate) fn producers(own: Do) -> Vec<Vec<Do>> {
    let mut all: Vec<Vec<Do>> = calls(1).into_iter().map(|call| vec![own, call]).collect();
    all.extend(calls(0).into_iter().map(|call| vec![call, own]));
    if let Do::Start(_) = own {
        let ends = [Do::Finish(F), Do::Abandon(F), Do::Fail(F), Do::Panic(F)];
        all.extend(ends.map(|end| vec![own, end]));
    }
    all
}

/// What B does: any two calls, of which one may cancel the task.
fn callers() -> Vec<Vec<Do>> {
    let with = |at| calls(at).into_iter().chain([Do::Cancel(TASK)]);
    with(2).flat_map(|first| with(3).map(move |second| vec![first, second])).collect()
}

/// The one operation of the loop's task.
fn steps() -> Vec<Do> {
    vec![
        Do::LoopDone(F),
        Do::LoopRead(F),
        Do::LoopCancel(F),
        Do::LoopAdd(F, piece::OF_TASK),
        Do::LoopRemove(F, piece::OF_LOOP),
        Do::Await(F),
        Do::Result(F),
        Do::Wait(Futures::of(&[F])),
        Do::Cancel(F),
        Do::Add(F, piece::OF_TASK),
        Do::Cancel(TASK),
        Do::Stop,
    ]
}

/// All programs in which A does this.
pub(crate) fn programs(producer: &[Do]) -> Vec<Program> {
    let mut all = Vec::new();
    for caller in callers() {
        for step in steps() {
            let mut program = Program::new()
                .thread("A", producer)
                .thread("B", &caller)
                .event_loop("loop", &[Do::LoopAdd(F, piece::OF_LOOP), Do::Spawn(piece::TASK)]);
            for _ in 0..piece::OF_LOOP {
                program = program.call(&[Do::Cancel(F)]);
            }
            for at in piece::OF_LOOP..piece::TASK {
                let view = at != piece::OF_TASK || matches!(step, Do::LoopAdd(..));
                program = program.call(&[if view { Do::LoopDone(F) } else { Do::Cancel(F) }]);
            }
            all.push(program.task(TASK, LOOP, &[step]));
        }
    }
    all
}
