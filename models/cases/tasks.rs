//! Tasks, and what they await.

use settled::model::{Do::*, Program, property};

use super::{Case, F, G, H, case};

#[expect(clippy::too_many_lines, reason = "a list")]
pub(super) fn all() -> Vec<Case> {
    vec![
        case(
            "D7",
            "Why is there no `running()` for a task?",
            "code of a loop never runs in the middle of a step of its task, so that whoever asked there would be told no",
            Program::new()
                .event_loop("loop", &[Spawn(0)])
                .thread("user", &[Result(F)])
                .task(F, 0, &[LoopAdd(G, 1), Finish(G), Done(F)])
                .call(&[Done(F)]),
            [16, 13],
            "loop_callbacks_inline",
            property::RUNNING,
            7,
        ),
        case(
            "D30",
            "Why is a task stopped first, and then seen cancelled?",
            "a cancel is a request; the loop stops the coroutine, and then settles",
            Program::new()
                .event_loop("loop", &[Spawn(0)])
                .thread("user", &[Cancel(F), Result(F)])
                .task(F, 0, &[Done(G), Done(G)]),
            [33, 11],
            "cancelled_before_stopped",
            property::STOPPED,
            5,
        ),
        case(
            "bug-e4",
            "Why is a stopped task not settled before the tasks that it owned?",
            "it waits for them: when it is seen cancelled, nothing runs that it started",
            Program::new()
                .event_loop("loop", &[Spawn(0), Spawn(1)])
                .thread("user", &[Cancel(F), Result(F)])
                .thread("worker", &[Finish(H)])
                .task(F, 0, &[Await(G)])
                .task(G, 0, &[Await(H), Done(G)]),
            [326, 23],
            "stopped_before_owned",
            property::OUTLIVED,
            13,
        ),
        case(
            "await-3",
            "Why does a stopped task wait also for one that is stopping already?",
            "that one still waits for its own; who is stopping has not ended",
            Program::new()
                .event_loop("loop", &[Spawn(0), Spawn(1), Spawn(2), Post(0, 3)])
                .thread("worker", &[Finish(3)])
                .task(F, 0, &[Await(G)])
                .task(G, 0, &[Await(H)])
                .task(H, 0, &[Await(3)])
                .call(&[LoopCancel(G), LoopCancel(F)]),
            [182, 32],
            "stopping_is_forgotten",
            property::OUTLIVED,
            23,
        ),
        case(
            "await-3",
            "Why does it wait for a coroutine that was sent and is no task yet?",
            "the loop has accepted it and will stop it; until then it exists",
            Program::new()
                .event_loop("loop", &[Spawn(0)])
                .thread("user", &[Cancel(F), Spawn(1), Result(F)])
                .task(F, 0, &[Await(G)])
                .task(G, 0, &[Done(F)]),
            [62, 15],
            "sent_is_forgotten",
            property::OUTLIVED,
            10,
        ),
        case(
            "await-3",
            "Why do stopped tasks that own each other not wait for each other?",
            "they end when all their coroutines are gone, which is all that can be waited for",
            Program::new()
                .event_loop("loop", &[Spawn(0), Spawn(1)])
                .thread("user", &[Cancel(F), Result(G)])
                .task(F, 0, &[Await(G)])
                .task(G, 0, &[Await(F)]),
            [52, 17],
            "circles_wait",
            property::ENDS,
            13,
        ),
        case(
            "loop-5",
            "Why does closing a loop not settle its tasks in the order in which they were made?",
            "each is settled after those that it owned",
            Program::new()
                .event_loop("loop", &[Spawn(0), Spawn(1), Post(0, 2)])
                .task(F, 0, &[Await(G)])
                .task(G, 0, &[Await(H)])
                .call(&[Stop]),
            [22, 22],
            "close_ends_owners_first",
            property::OUTLIVED,
            18,
        ),
        case(
            "D48",
            "Why is a loop's future bound to one loop?",
            "awaiting another loop's view is an error",
            Program::new()
                .event_loop("loop A", &[LoopDone(G)])
                .event_loop("loop B", &[Spawn(0)])
                .thread("worker", &[Finish(G)])
                .task(F, 1, &[AwaitOf(0, G)]),
            [65, 11],
            "foreign_loop_awaits",
            property::THREAD,
            10,
        ),
        case(
            "D51",
            "Why does a task not begin at once?",
            "its first step is taken in a later turn, so that it may count on all that its maker does in this one",
            Program::new()
                .event_loop("loop", &[Spawn(0), Send(0, 1)])
                .thread("user", &[Result(F)])
                .task(F, 0, &[Recv(0)])
                .channel(1),
            [8, 8],
            "task_starts_at_once",
            property::ENDS,
            2,
        ),
    ]
}
