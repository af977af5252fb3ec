//! The programs alone: `tests/replay` plays them too.

use settled::model::{Do, Futures, Program};

const F: u8 = 0;
const G: u8 = 1;
const BOTH: Futures = Futures::of(&[F, G]);
const SWAPPED: Futures = Futures::of(&[G, F]);

/// A program that is larger than those of the families.
pub(crate) struct Large {
    pub(crate) name: &'static str,
    pub(crate) program: Program,
    /// How many states it has, and how deep they are.
    pub(crate) size: [usize; 2],
    /// Whether it can get stuck by a circle of waits that it wrote itself.
    pub(crate) circular: bool,
}

const fn large(name: &'static str, program: Program, size: [usize; 2]) -> Large {
    Large { name, program, size, circular: false }
}

#[expect(clippy::too_many_lines, reason = "a list")]
pub(crate) fn all() -> Vec<Large> {
    use Do::*;
    vec![
        large(
            "a cancel among those who wait",
            Program::new()
                .thread("worker", &[Start(F), Finish(F)])
                .thread("one", &[Cancel(F), Wait(BOTH)])
                .thread("other", &[Finish(G), Add(F, 0)])
                .event_loop("loop", &[LoopAdd(F, 1), LoopAdd(G, 2)])
                .call(&[Cancel(G)])
                .call(&[LoopCancel(G)])
                .call(&[LoopDone(F)]),
            [4349, 22],
        ),
        large(
            "two waits in opposite orders",
            Program::new()
                .thread("worker", &[Finish(F), Abandon(G)])
                .thread("one", &[Wait(BOTH), Add(G, 0)])
                .thread("other", &[AsCompleted(SWAPPED), Cancel(F)])
                .event_loop("loop", &[LoopAdd(F, 1), LoopCancel(G)])
                .call(&[Read(F)])
                .call(&[LoopAdd(G, 2)])
                .call(&[LoopDone(F)]),
            [5563, 26],
        ),
        large(
            "callbacks that settle",
            Program::new()
                .thread("worker", &[Add(F, 0), Finish(F)])
                .thread("one", &[WaitFirst(BOTH), Poll(G)])
                .thread("other", &[WaitTimeout(F), Result(G)])
                .event_loop("loop", &[LoopAdd(G, 1), LoopAdd(F, 2)])
                .call(&[Finish(G)])
                .call(&[LoopRead(F)])
                .call(&[LoopRead(G)]),
            [1394, 21],
        ),
        large(
            "a loop that is closed under posts",
            Program::new()
                .thread("worker", &[Finish(F), Post(3, 0)])
                .thread("one", &[Post(3, 1), Cancel(G)])
                .thread("other", &[Result(G), Result(F)])
                .event_loop("loop", &[LoopAdd(F, 2), Spawn(3), Stop])
                .call(&[LoopDone(F)])
                .call(&[LoopCancel(F)])
                .call(&[LoopDone(G)])
                .task(G, 3, &[Await(F)]),
            [1945, 25],
        ),
        large(
            "two timed waits and a cancel",
            Program::new()
                .thread("worker", &[Start(F), Panic(F)])
                .thread("one", &[WaitAllTimeout(BOTH), Done(F)])
                .thread("other", &[Fail(G), WaitAllTimeout(SWAPPED)])
                .event_loop("loop", &[LoopAdd(F, 0), LoopAdd(F, 1), LoopCancel(F)])
                .call(&[LoopRemove(F, 1)])
                .call(&[LoopDone(G)]),
            [9802, 22],
        ),
        large(
            "two loops that await each other's futures",
            Program::new()
                .event_loop("loop A", &[Spawn(0), LoopCancel(F)])
                .event_loop("loop B", &[Spawn(1)])
                .thread("user", &[Cancel(G), Wait(BOTH)])
                .task(F, 0, &[LoopDone(G), Await(2)])
                .task(G, 1, &[LoopDone(F), Finish(2)]),
            [1755, 25],
        ),
        large(
            "a pool that is shut down under its jobs",
            Program::new()
                .thread("user", &[Submit(0), Submit(1), Wait(BOTH)])
                .thread("other", &[Cancel(G), ClosePool, CancelPending, Shutdown])
                .worker("worker 1", 0)
                .worker("worker 2", 0)
                .job(F, 0, &[Submit(2), Result(2)])
                .job(G, 0, &[])
                .job(2, 0, &[]),
            [10019, 24],
        ),
        large(
            "jobs of one pool that wait for each other",
            Program::new()
                .thread("user", &[Submit(0), Submit(1), ClosePool])
                .thread("other", &[Result(F), Result(G)])
                .worker("worker 1", 0)
                .worker("worker 2", 0)
                .job(F, 0, &[Submit(2), Wait(Futures::of(&[G, 2]))])
                .job(G, 0, &[Result(2), Result(F)])
                .job(2, 0, &[]),
            [2042, 25],
        ),
        large(
            "a task that awaits a job",
            Program::new()
                .event_loop("loop", &[Submit(1), Spawn(0), LoopAdd(G, 2)])
                .thread("user", &[Cancel(F), Result(G)])
                .thread("other", &[ClosePool])
                .worker("worker", 0)
                .task(F, 0, &[Await(G), LoopDone(G)])
                .job(G, 0, &[Post(0, 3)])
                .call(&[LoopDone(F)])
                .call(&[LoopRead(G)]),
            [2477, 28],
        ),
        large(
            "a chain of tasks that is cancelled and closed",
            Program::new()
                .event_loop("loop", &[Spawn(0), Spawn(1), Spawn(2)])
                .thread("user", &[Cancel(F), Result(F)])
                .thread("other", &[Cancel(G), Post(0, 3)])
                .thread("worker", &[Finish(3)])
                .task(F, 0, &[Await(G)])
                .task(G, 0, &[Await(2), LoopDone(F)])
                .task(2, 0, &[Await(3)])
                .call(&[Stop]),
            [15473, 40],
        ),
        large(
            "a circle of tasks, and who owns one of them",
            Program::new()
                .event_loop("loop", &[Spawn(0), Spawn(1), Spawn(2)])
                .thread("user", &[Cancel(G), Result(F)])
                .thread("other", &[Cancel(F), Post(0, 3)])
                .task(F, 0, &[Await(G)])
                .task(G, 0, &[Await(2)])
                .task(2, 0, &[Await(G)])
                .call(&[Stop]),
            [1721, 35],
        ),
        large(
            "a callback that comes while its loop is closed",
            Program::new()
                .event_loop("loop", &[Finish(F), Post(0, 0), Stop])
                .thread("user", &[Cancel(F), Post(0, 2)])
                .call(&[LoopAdd(F, 1)])
                .call(&[LoopDone(F)])
                .call(&[LoopAdd(F, 3)])
                .call(&[LoopDone(F)]),
            [133, 18],
        ),
        large(
            "handles that go under those who look",
            Program::new()
                .thread("worker", &[OnClosed(F, 0), Start(F), FinishOrReturn(F)])
                .thread("one", &[Add(F, 1), Cancel(F), Drop(F)])
                .thread("other", &[Done(F), Drop(F)])
                .thread("weak", &[Upgrade(F), Upgrade(F)])
                .call(&[Done(G)])
                .call(&[Cancel(G)]),
            [2370, 16],
        ),
        Large {
            name: "locks of the user around calls",
            program: Program::new()
                .thread("one", &[Lock(0), Finish(F), Unlock(0)])
                .thread("other", &[Lock(0), Add(F, 0), Result(F), Unlock(0)])
                .thread("third", &[Lock(1), Lock(0), Cancel(F), Unlock(0), Unlock(1)])
                .call(&[Lock(1), Unlock(1)]),
            size: [74, 16],
            circular: true,
        },
    ]
}
