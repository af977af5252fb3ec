//! Callbacks.

use settled::model::{
    Do::{self, *},
    Is, Program, Put, property,
};

use super::{Case, F, G, H, case};

#[expect(clippy::too_many_lines, reason = "a list")]
pub(super) fn all() -> Vec<Case> {
    let inline = || {
        Program::new()
            .event_loop("loop", &[LoopAdd(F, 0), LoopAdd(F, 1)])
            .thread("worker", &[Start(F), Finish(F)])
            .call(&[Done(F)])
            .call(&[Done(F)])
    };
    // What code of a loop has read is so until it returns.
    let counts = |program: Program| program.variable(0).finally(0, Is::Equal(2));
    let late = || {
        Program::new()
            .event_loop("loop", &[LoopAdd(F, 0), Finish(F), LoopAdd(F, 1), LoopRead(F)])
            .call(&[LoopRead(F)])
            .call(&[LoopRead(F)])
    };
    // The callbacks of the second future are deferred.
    let deep = |then: &[Do], deferred: &[Do]| {
        Program::new()
            .thread("user", &[Add(G, 1), Add(G, 2), Add(F, 0), Finish(F)])
            .thread("other", &[Cancel(F)])
            .call(&[&[Finish(G)], then].concat())
            .call(deferred)
            .call(&[])
            .nest(1)
    };
    vec![
        case(
            "D21",
            "Why do callbacks of a loop's future go through the loop?",
            "they run on the loop's thread, in a later turn",
            inline(),
            [17, 11],
            "loop_callbacks_inline",
            property::THREAD,
            5,
        ),
        case(
            "D21",
            "And if its callbacks may run anywhere?",
            "one callback of a loop runs at a time, so its state needs no lock",
            inline(),
            [17, 11],
            "loop_callbacks_inline",
            property::AT_ONCE,
            5,
        ),
        case(
            "D21",
            "And if it is the loop itself that settles?",
            "no callback runs inside the code that settles, so that what that has read is so when it writes",
            counts(
                Program::new()
                    .event_loop(
                        "loop",
                        &[LoopAdd(F, 0), Load(0), Finish(F), Store(0, Put::Loaded(1))],
                    )
                    .call(&[Change(0, 1)]),
            ),
            [9, 9],
            "loop_callbacks_inline",
            property::ASSERTED,
            7,
        ),
        case(
            "D22",
            "Why does a late callback of a loop's future not run at once?",
            "it runs in a later turn, so that whoever adds one finds all as it was",
            counts(
                Program::new()
                    .event_loop(
                        "loop",
                        &[Finish(F), Load(0), LoopAdd(F, 0), Store(0, Put::Loaded(1))],
                    )
                    .call(&[Change(0, 1)]),
            ),
            [8, 8],
            "late_callbacks_inline",
            property::ASSERTED,
            6,
        ),
        case(
            "D23",
            "Why can a late callback not overtake on a loop?",
            "a view's callbacks run in registration order, late ones included",
            late(),
            [11, 11],
            "late_callbacks_inline",
            property::ORDER,
            5,
        ),
        case(
            "bug-c8",
            "Why are thread callbacks posted if a loop's view cancels?",
            "a cancel through a view runs no callback inside the caller's turn, which finds all as it was",
            counts(
                Program::new()
                    .event_loop(
                        "loop",
                        &[Add(F, 0), Load(0), LoopCancel(F), Store(0, Put::Loaded(1))],
                    )
                    .call(&[Change(0, 1)]),
            ),
            [9, 9],
            "loop_cancel_inline",
            property::ASSERTED,
            6,
        ),
        case(
            "bug-c6",
            "Why is adding a callback one step?",
            "registering checks the state in the step in which it registers",
            Program::new()
                .thread("user", &[Add(F, 0)])
                .thread("worker", &[Finish(F)])
                .thread("other", &[Cancel(F)])
                .call(&[]),
            [22, 5],
            "register_in_two_steps",
            property::MISSED,
            4,
        ),
        case(
            "bug-c6",
            "And if it is stored first, and then looked whether it is late?",
            "whoever settles takes the callbacks that were added before, and no other is called late",
            Program::new().thread("user", &[Add(F, 0)]).thread("worker", &[Finish(F)]).call(&[]),
            [7, 4],
            "stored_before_looked",
            property::TWICE,
            5,
        ),
        case(
            "D29",
            "Why does no callback run under a lock?",
            "callbacks run with no lock held, and may call every method",
            Program::new().thread("user", &[Add(F, 0), Finish(F)]).call(&[Result(F)]),
            [5, 5],
            "callbacks_under_lock",
            property::ENDS,
            3,
        ),
        case(
            "D52",
            "And if it only prints the future?",
            "printing never waits for a lock that runs user code",
            Program::new()
                .thread("user", &[Add(F, 0), Finish(F)])
                .thread("other", &[Done(F)])
                .call(&[Done(G)]),
            [13, 6],
            "callbacks_under_lock",
            property::LOCKED,
            3,
        ),
        case(
            "D20",
            "Why are those who wait told before the callbacks run?",
            "waiters are woken first, so that a callback may wait for what they do",
            Program::new()
                .thread("worker", &[Add(F, 0), Finish(F)])
                .thread("user", &[Result(F), Finish(G)])
                .call(&[Result(G)]),
            [9, 7],
            "callbacks_before_waiters",
            property::ENDS,
            3,
        ),
        case(
            "D24",
            "What becomes of the other callbacks if one panics?",
            "a panic in a callback is isolated, and its siblings run",
            Program::new()
                .thread("worker", &[Add(F, 0), Add(F, 1), Finish(F)])
                .call(&[Panics])
                .call(&[]),
            [7, 7],
            "panic_skips_callbacks",
            property::MISSED,
            5,
        ),
        case(
            "callback-8",
            "What becomes of a callback that is too deep inside others?",
            "the outermost call runs it before it returns",
            deep(&[], &[]),
            [33, 10],
            "deferred_never_run",
            property::MISSED,
            7,
        ),
        case(
            "callback-8",
            "In which order do such callbacks run?",
            "callbacks that were deferred run in the order in which they were",
            deep(&[], &[]),
            [33, 10],
            "deferred_reversed",
            property::DEFERRED,
            7,
        ),
        case(
            "callback-8",
            "What if a callback waits for what a deferred one settles?",
            "a thread runs what it has deferred before it parks",
            deep(&[Result(H)], &[Finish(H)]),
            [43, 12],
            "deferred_forgotten_in_wait",
            property::ENDS,
            6,
        ),
        case(
            "D26",
            "When is a callback removed?",
            "removing answers true iff it has not run and never will",
            Program::new()
                .event_loop("loop", &[LoopAdd(F, 0), LoopAdd(F, 1)])
                .thread("worker", &[Finish(F)])
                .call(&[LoopRemove(F, 1)])
                .call(&[]),
            [12, 8],
            "removal_overlooks_due",
            property::REMOVED,
            8,
        ),
    ]
}
