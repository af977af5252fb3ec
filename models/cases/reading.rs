//! Reading a result, and delivering it.

use settled::model::{Do::*, Is, Program, property};

use super::{Case, F, G, NEVER_ENDS, case};

#[expect(clippy::too_many_lines, reason = "a list")]
pub(super) fn all() -> Vec<Case> {
    let posts = || Program::new().call(&[Finish(F)]);
    vec![
        case(
            "D2",
            "Why does `result()` of a loop's future raise, when the thread's waits?",
            "reading an unsettled future on its loop answers InvalidState at once",
            posts().event_loop("loop", &[Post(0, 0), LoopRead(F)]),
            [6, 6],
            "loop_read: Blocks",
            property::ENDS,
            1,
        ),
        case(
            "D4",
            "Does it help that another thread settles it?",
            "no: the loop has to deliver it, so it answers at once here too",
            Program::new()
                .event_loop("loop", &[LoopRead(F), LoopRead(F)])
                .thread("worker", &[Start(F), Fail(F)]),
            [13, 7],
            "loop_read: Blocks",
            property::ENDS,
            3,
        ),
        case(
            "D12",
            "Could the loop ask `done()` until it is, instead?",
            "reading answers at once, and the turn ends",
            posts().event_loop("loop", &[Post(0, 0), LoopRead(F)]),
            [6, 6],
            "loop_read: Polls",
            NEVER_ENDS,
            1,
        ),
        case(
            "D28",
            "May a callback on a loop wait for a thread's future?",
            "a wait on a loop's thread is answered WouldDeadlock",
            Program::new()
                .event_loop("loop", &[LoopAdd(G, 1), Finish(G), Post(0, 0)])
                .call(&[Finish(F)])
                .call(&[Result(F)]),
            [11, 11],
            "loop_may_block",
            property::ENDS,
            6,
        ),
        case(
            "D3",
            "Would a timeout make it safe to wait on the loop?",
            "no: it would block everything on the loop for its whole time, and never succeed; it is refused too",
            posts().event_loop("loop", &[Post(0, 0), WaitTimeout(F)]),
            [6, 6],
            "loop_may_block",
            property::IN_VAIN,
            1,
        ),
        case(
            "D13",
            "Why does a loop's view lag behind the thread's?",
            "a view changes only between turns, when it is delivered, so that code which looks twice counts a future once",
            Program::new()
                .event_loop(
                    "loop",
                    &[
                        LoopDone(F),
                        Unless(Is::No, 1),
                        Change(0, 1),
                        LoopDone(F),
                        Unless(Is::Yes, 1),
                        Change(0, 1),
                        Assert(0, Is::Equal(1)),
                    ],
                )
                .thread("worker", &[Finish(F)])
                .variable(0),
            [16, 8],
            "loop_reads_through",
            property::ASSERTED,
            6,
        ),
        case(
            "D18",
            "Why can only one settle a future?",
            "a finished future refuses a second outcome, and a promise is consumed",
            Program::new()
                .thread("one", &[Finish(F)])
                .thread("other", &[Finish(F)])
                .thread("reader", &[Result(F)]),
            [9, 4],
            "set_twice",
            property::AGREE,
            3,
        ),
        case(
            "bug-a1",
            "Why is delivering an outcome one step, and not a look and a set?",
            "the loser of a race with a cancel is told so, in the step that it lost",
            Program::new().thread("worker", &[Finish(F)]).thread("user", &[Cancel(F), Result(F)]),
            [8, 4],
            "set_in_two_steps",
            property::AGREE,
            4,
        ),
        case(
            "promise-3",
            "What if a promise is dropped?",
            "its future settles in the same step",
            Program::new().thread("worker", &[Start(F)]).thread("user", &[Result(F)]),
            [4, 4],
            "dropped_promise_forgets",
            property::OWNED,
            2,
        ),
    ]
}
