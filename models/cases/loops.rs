//! Posting to a loop, and closing it.

use settled::model::{Do::*, Program, property};

use super::{Case, F, G, NEVER_ENDS, case};

pub(super) fn all() -> Vec<Case> {
    vec![
        case(
            "D1",
            "Why may other threads not call a loop directly?",
            "what is posted from another thread wakes the loop",
            Program::new()
                .event_loop("loop", &[LoopAdd(F, 0)])
                .thread("worker", &[Finish(F)])
                .call(&[]),
            [8, 6],
            "post_does_not_wake",
            property::ENDS,
            3,
        ),
        case(
            "D53",
            "Why does a closed loop hand a job back?",
            "what it cannot run it does not take",
            Program::new().event_loop("loop", &[Close]).thread("worker", &[Post(0, 0)]).call(&[]),
            [10, 6],
            "closed_loop_swallows",
            property::ACCEPTED,
            3,
        ),
        case(
            "D19",
            "What does a view answer once its loop is closed?",
            "it reads through, so that whoever asks there is told in the end; and settling never fails",
            Program::new().event_loop("loop", &[Close, Poll(F)]).thread("worker", &[Finish(F)]),
            [7, 5],
            "closed_view_stays",
            NEVER_ENDS,
            4,
        ),
        case(
            "D53",
            "What becomes of a task whose loop is closed?",
            "closing stops each coroutine and settles its future",
            Program::new()
                .event_loop("loop", &[Spawn(0), Stop])
                .thread("user", &[Result(F)])
                .task(F, 0, &[Await(G)])
                .thread("worker", &[Result(F), Finish(G)]),
            [18, 11],
            "close_forgets_tasks",
            property::OWNED,
            4,
        ),
    ]
}
