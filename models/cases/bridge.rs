//! Crossings between a thread and a loop.

use settled::model::{Do::*, Program, property};

use super::{Case, F, G, case};

pub(super) fn all() -> Vec<Case> {
    vec![
        case(
            "bridge-1",
            "Why is a wrapped future a second view, and not a copy?",
            "both views read the one cell",
            Program::new()
                .event_loop("loop", &[LoopCancel(F), LoopDone(F)])
                .thread("worker", &[Start(F), Finish(F)])
                .thread("user", &[Result(F)]),
            [36, 8],
            "views_are_copies",
            property::ONE,
            5,
        ),
        case(
            "bridge-1",
            "And if it is only the copy that is cancelled?",
            "a callback of a view runs when the one future is settled",
            Program::new()
                .event_loop("loop", &[LoopAdd(F, 0), LoopCancel(F)])
                .thread("worker", &[Start(F), Finish(F)])
                .call(&[]),
            [25, 8],
            "views_are_copies",
            property::EARLY,
            4,
        ),
        case(
            "D34",
            "Why does the stop of a task go on to what it awaits?",
            "what is awaited by value is asked to cancel",
            Program::new()
                .event_loop("loop", &[Submit(0), Spawn(1)])
                .thread("user", &[Cancel(G)])
                .worker("worker", 0)
                .job(F, 0, &[])
                .task(G, 0, &[Await(F)]),
            [210, 17],
            "cancel_is_not_forwarded",
            property::ORPHAN,
            10,
        ),
        case(
            "D34",
            "And if it has not begun, and nobody waits for it any more?",
            "it is asked before it begins, and never does",
            Program::new()
                .event_loop("loop A", &[Spawn(0), Spawn(1), Post(0, 2)])
                .event_loop("loop B", &[Recv(0)])
                .thread("user", &[Result(G), Send(0, 1)])
                .task(F, 1, &[Recv(0)])
                .task(G, 0, &[Await(F)])
                .call(&[Cancel(G)])
                .channel(1),
            [21, 21],
            "cancel_is_not_forwarded",
            property::ENDS,
            17,
        ),
    ]
}
