//! The programs on which code and model are compared.

use settled::model::{
    Do::{self, *},
    Futures, Program,
};

use crate::explore::bound;

/// Programs that are explored alike.
pub(crate) struct Family {
    /// How many preemptions each may have.
    pub(crate) bound: Option<usize>,
    pub(crate) programs: Vec<Program>,
}

const F: u8 = 0;
const G: u8 = 1;
const BOTH: Futures = Futures::of(&[F, G]);
const ONE: Futures = Futures::of(&[F]);

/// What the promise of the one future may do.
fn producers() -> [&'static [Do]; 6] {
    [
        &[Finish(F)],
        &[Fail(F)],
        &[Abandon(F)],
        &[Start(F), Finish(F)],
        &[Start(F), Panic(F)],
        &[Start(F)],
    ]
}

/// What a thread may call, the callback that it registers being the one with this number.
fn calls(callback: u8) -> [Do; 6] {
    [Cancel(F), Done(F), Result(F), Add(F, callback), Wait(ONE), AsCompleted(ONE)]
}

/// A promise, and two calls of another thread.
pub(crate) fn one_future() -> Family {
    let mut programs = Vec::new();
    for producer in producers() {
        for first in calls(0) {
            for second in calls(1) {
                let program = Program::new().thread("A", producer).thread("B", &[first, second]);
                programs.push(program.call(&[Done(F)]).call(&[Cancel(F)]));
            }
        }
    }
    Family { bound: None, programs: programs }
}

/// A promise, and a call of each of two other threads.
pub(crate) fn three_threads() -> Family {
    let mut programs = Vec::new();
    for (at, first) in calls(0).into_iter().enumerate() {
        for second in calls(1).into_iter().skip(at) {
            let program = Program::new().thread("A", &[Finish(F)]).thread("B", &[first]);
            programs.push(program.thread("C", &[second]).call(&[Done(F)]).call(&[Done(F)]));
        }
    }
    Family { bound: bound(), programs }
}

/// A promise that asks, listens or waits for whether anybody is left, and a thread that drops the only handle.
pub(crate) fn a_handle() -> Family {
    let producers: [&[Do]; 8] = [
        &[IsClosed(F), Finish(F)],
        &[IsClosed(F), IsClosed(F), FinishOrReturn(F)],
        &[FinishOrReturn(F)],
        &[Start(F), FinishOrReturn(F)],
        &[OnClosed(F, 0), FinishOrReturn(F)],
        &[OnClosed(F, 0), Start(F), IsClosed(F), Abandon(F)],
        &[Closed(F), FinishOrReturn(F)],
        &[OnClosed(F, 0), Closed(F), Fail(F)],
    ];
    let users: [&[Do]; 4] =
        [&[Drop(F)], &[Done(F), Drop(F)], &[Cancel(F), Drop(F)], &[Cancel(F), Done(F), Drop(F)]];
    let mut programs = Vec::new();
    for producer in producers {
        for user in users {
            let program = Program::new().thread("A", producer).thread("B", user);
            programs.push(program.call(&[Finish(G)]));
        }
        // A callback is somebody, so that who waits for its end would wait for ever.
        if !producer.contains(&Closed(F)) {
            for user in [&[Add(F, 1), Drop(F)][..], &[Result(F), Drop(F)], &[Wait(ONE), Drop(F)]] {
                let program = Program::new().thread("A", producer).thread("B", user);
                programs.push(program.call(&[Finish(G)]).call(&[Done(G)]));
            }
        }
    }
    Family { bound: None, programs: programs }
}

/// Two handles that go, or a weak one beside one that goes.
pub(crate) fn handles() -> Family {
    let producers: [&[Do]; 5] = [
        &[IsClosed(F), FinishOrReturn(F)],
        &[OnClosed(F, 0), FinishOrReturn(F)],
        &[Start(F), FinishOrReturn(F)],
        &[Closed(F), FinishOrReturn(F)],
        &[Finish(F)],
    ];
    let users: [[&[Do]; 2]; 5] = [
        [&[Drop(F)], &[Drop(F)]],
        [&[Drop(F)], &[Done(F), Drop(F)]],
        [&[Cancel(F), Drop(F)], &[Drop(F)]],
        [&[Drop(F)], &[Upgrade(F)]],
        [&[Cancel(F), Drop(F)], &[Upgrade(F)]],
    ];
    let mut programs = Vec::new();
    for producer in producers {
        for [one, other] in users {
            let program = Program::new().thread("A", producer).thread("B", one);
            programs.push(program.thread("C", other).call(&[Finish(G)]));
        }
    }
    Family { bound: bound(), programs: programs }
}

/// Waits for two futures.
pub(crate) fn two_futures() -> Family {
    let settles: [&[Do]; 6] = [
        &[Finish(F), Finish(G)],
        &[Finish(G), Fail(F)],
        &[Start(F), Finish(F), Abandon(G)],
        &[Finish(F), Cancel(G)],
        &[Start(G), Finish(F)],
        &[Add(F, 0), Finish(F), Finish(G)],
    ];
    let mut programs = Vec::new();
    for wait in [Wait(BOTH), WaitFirst(BOTH), AsCompleted(BOTH)] {
        for settles in settles {
            for then in [Done(F), Done(G), Cancel(G), Add(G, 0)] {
                let program = Program::new().thread("A", settles).thread("B", &[wait, then]);
                programs.push(program.call(&[Done(G)]));
            }
        }
    }
    Family { bound: None, programs: programs }
}

/// A loop with a view.
pub(crate) fn a_loop() -> Family {
    const LOOP: u8 = 2;
    let scripts: [&[Do]; 8] = [
        &[LoopAdd(F, 1), Stop],
        &[LoopAdd(F, 1), LoopRemove(F, 1)],
        &[],
        &[LoopDone(F), LoopDone(F)],
        &[LoopAdd(F, 1)],
        &[LoopAdd(F, 1), LoopCancel(F)],
        &[Add(F, 2), LoopCancel(F), LoopDone(F)],
        &[LoopDone(F), Stop],
    ];
    let mut programs = Vec::new();
    for script in scripts {
        for user in [&[Result(F), Post(LOOP, 0)][..], &[Post(LOOP, 0), Cancel(F)], &[Post(LOOP, 0)]]
        {
            programs.push(
                Program::new()
                    .thread("A", &[Finish(F)])
                    .thread("B", user)
                    .event_loop("loop", script)
                    .call(&[LoopDone(F)])
                    .call(&[LoopDone(F)])
                    .call(&[Done(F)]),
            );
        }
    }
    Family { bound: bound(), programs }
}

/// A task that awaits, and what else its loop is asked to do meanwhile.
pub(crate) fn a_task() -> Family {
    const LOOP: u8 = 2;
    let users: [&[Do]; 4] =
        [&[Post(LOOP, 0)], &[Cancel(F), Post(LOOP, 1)], &[Result(F), Post(LOOP, 1)], &[]];
    let scripts: [&[Do]; 3] =
        [&[Spawn(2)], &[Spawn(2), LoopAdd(G, 1), LoopDone(F)], &[Spawn(2), Stop]];
    let mut programs = Vec::new();
    for user in users {
        for script in scripts {
            for task in [&[Await(F), LoopDone(F)][..], &[LoopDone(F), Await(F)]] {
                let threads = Program::new().thread("A", &[Finish(F)]).thread("B", user);
                programs.push(
                    threads
                        .event_loop("loop", script)
                        .call(&[LoopCancel(G)])
                        .call(&[LoopDone(F)])
                        .task(G, LOOP, task),
                );
            }
        }
    }
    Family { bound: bound(), programs }
}

/// Jobs, and who submits them: a thread, another job, or a loop, which then has a view.
pub(crate) fn a_pool() -> Family {
    let users: [&[Do]; 8] = [
        &[Submit(0), Result(F)],
        &[Submit(0), Cancel(F), Result(F)],
        &[Submit(0), CancelPending, Cancel(F)],
        &[Submit(0), ClosePool, CancelPending, Done(F)],
        &[Submit(0), Add(F, 1), Done(F)],
        &[Submit(0), ClosePool, Shutdown, Done(F)],
        &[ClosePool, Submit(0)],
        &[Submit(0), Wait(ONE), Done(F)],
    ];
    let one = |user: &&[Do]| {
        let program = Program::new().thread("A", user).worker("worker", 0);
        program.job(F, 0, &[]).call(&[Done(F)])
    };
    let mut programs: Vec<Program> = users.iter().map(one).collect();
    let waits: [&[Do]; 4] = [
        &[Wait(BOTH)],
        &[WaitFirst(BOTH), Done(F)],
        &[AsCompleted(BOTH)],
        &[Cancel(G), Wait(BOTH)],
    ];
    for wait in waits {
        let user = [&[Submit(0), Submit(1)], wait].concat();
        let program = Program::new().thread("A", &user).worker("worker", 0);
        programs.push(program.job(F, 0, &[]).job(G, 0, &[]));
    }
    let nested = Program::new().thread("A", &[Submit(0), Result(F)]).worker("worker", 0);
    programs.push(nested.job(F, 0, &[Submit(1), Result(G)]).job(G, 0, &[]));
    let again = Program::new().thread("A", &[Submit(0), CancelPending, Submit(1), Result(G)]);
    programs.push(again.worker("worker", 0).job(F, 0, &[]).job(G, 0, &[]));
    let ended = Program::new().thread("A", &[Submit(0)]).thread("B", &[CancelPending]);
    programs.push(ended.worker("worker", 0).job(F, 0, &[]));
    Family { bound: bound(), programs }
}

/// A loop that submits a job, of which it has the view.
pub(crate) fn a_loop_and_a_pool() -> Family {
    let scripts: [&[Do]; 4] = [
        &[Submit(0), LoopDone(F)],
        &[Submit(0), LoopAdd(F, 1), LoopDone(F)],
        &[Submit(0), LoopCancel(F)],
        &[Submit(0), LoopAdd(F, 1), LoopCancel(F), LoopDone(F)],
    ];
    let program = |script: &&[Do]| {
        let program = Program::new().event_loop("loop", script).worker("worker", 0);
        program.job(F, 0, &[Post(0, 2)]).call(&[LoopDone(F)]).call(&[LoopDone(F)])
    };
    Family { bound: bound(), programs: scripts.iter().map(program).collect() }
}

/// Timed waits.
pub(crate) fn an_expiry() -> Family {
    let users: [&[Do]; 5] = [
        &[WaitTimeout(F)],
        &[WaitTimeout(F), Cancel(F)],
        &[WaitAllTimeout(ONE), Done(F)],
        &[WaitAllTimeout(BOTH)],
        &[WaitAllTimeout(BOTH), Done(F)],
    ];
    let program =
        |user: &&[Do]| Program::new().thread("A", &[Finish(F), Finish(G)]).thread("B", user);
    Family { bound: bound(), programs: users.iter().map(program).collect() }
}
