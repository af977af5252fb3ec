//! The programs alone: `tests/replay` plays some of them too.

use settled::model::{Do, Futures, Program};

pub(crate) const F: u8 = 0;
const G: u8 = 1;
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
    /// Callbacks of what a loop does before and after it makes its task.
    pub(super) const BEFORE: u8 = 11;
    pub(super) const AFTER: u8 = 12;
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
        Do::WaitTimeout(F),
        Do::Add(F, at),
        Do::Wait(one),
        Do::WaitAllTimeout(one),
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
    let own = [Do::LoopAdd(F, piece::OF_LOOP), Do::Spawn(piece::TASK)];
    let all = callers()
        .into_iter()
        .flat_map(|caller| steps().into_iter().map(move |step| (caller.clone(), step)));
    all.map(|(caller, step)| program(producer, &caller, &own, &[Do::LoopDone(F)], step)).collect()
}

/// A program in which the loop does this first, and its first callback does that.
fn program(producer: &[Do], caller: &[Do], own: &[Do], first: &[Do], step: Do) -> Program {
    let mut program =
        Program::new().thread("A", producer).thread("B", caller).event_loop("loop", own);
    for _ in 0..piece::OF_LOOP {
        program = program.call(&[Do::Cancel(F)]);
    }
    program = program.call(first);
    for at in piece::OF_TASK..piece::TASK {
        let view = at != piece::OF_TASK || matches!(step, Do::LoopAdd(..));
        program = program.call(&[if view { Do::LoopDone(F) } else { Do::Cancel(F) }]);
    }
    program.task(TASK, LOOP, &[step])
}

/// All programs of a third kind: A has two operations of its promise, of which the last ends it; B and C have a call
/// each, or none, and then drop their handles, or keep them.
pub(crate) fn handles() -> Vec<Program> {
    let ends = [Do::Finish(F), Do::FinishOrReturn(F), Do::Abandon(F)];
    let before = [Do::Start(F), Do::IsClosed(F), Do::OnClosed(F, 0), Do::Closed(F)];
    let uses = |callback| {
        let one = Futures::of(&[F]);
        let calls = [
            Do::Cancel(F),
            Do::Done(F),
            Do::Result(F),
            Do::WaitAllTimeout(one),
            Do::Add(F, callback),
            Do::Upgrade(F),
        ];
        let mut all: Vec<Vec<Do>> = calls.into_iter().map(|call| vec![call, Do::Drop(F)]).collect();
        all.extend([vec![Do::Drop(F)], vec![Do::Upgrade(F)], vec![Do::Result(F)]]);
        all
    };
    let mut all = Vec::new();
    for end in ends {
        for first in before {
            for (at, one) in uses(2).iter().enumerate() {
                for other in &uses(3)[at..] {
                    // Who waits for the end of somebody that never ends would wait for ever.
                    let stays = |uses: &[Do]| {
                        uses == [Do::Result(F)] || uses.iter().any(|it| matches!(it, Do::Add(..)))
                    };
                    let goes = [one, other].iter().any(|uses| uses.contains(&Do::Drop(F)));
                    if first == Do::Closed(F) && (!goes || stays(one) || stays(other)) {
                        continue;
                    }
                    let program = Program::new().thread("A", &[first, end]).thread("B", one);
                    let program = program.thread("C", other);
                    all.push((0..4).fold(program, |program, _| program.call(&[Do::Done(G)])));
                }
            }
        }
    }
    all
}

/// All programs of a second kind: A does nothing but to end its promise, B makes one call, and the loop makes one
/// before its task, and one after; its first callback removes the next.
pub(crate) fn turns() -> Vec<Program> {
    let uses = |callback| {
        let removes = [piece::BEFORE, piece::OF_LOOP].map(|it| Do::LoopRemove(F, it));
        let other = [Do::LoopDone(F), Do::LoopRead(F), Do::LoopCancel(F), Do::LoopAdd(F, callback)];
        [&other[..], &removes].concat()
    };
    let steps = [Do::LoopDone(F), Do::LoopAdd(F, piece::OF_TASK), Do::Await(F), Do::Cancel(TASK)];
    let mut all = Vec::new();
    for producer in [vec![Do::Finish(F)], vec![Do::Start(F), Do::Finish(F)], vec![Do::Abandon(F)]] {
        for call in calls(2).into_iter().chain([Do::Cancel(TASK)]) {
            for before in uses(piece::BEFORE) {
                for after in uses(piece::AFTER) {
                    let own =
                        [Do::LoopAdd(F, piece::OF_LOOP), before, Do::Spawn(piece::TASK), after];
                    let removes = [Do::LoopRemove(F, piece::BEFORE)];
                    let of = |step| program(&producer, &[call], &own, &removes, step);
                    let looks = [Do::LoopDone(F)];
                    all.extend(steps.map(of).map(|it| it.call(&looks).call(&looks)));
                }
            }
        }
    }
    all
}
