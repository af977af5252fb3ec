//! `wait` and `as_completed`.

use settled::model::{Do::*, Futures, Program, property};

use super::{BOTH, Case, F, G, case};

#[expect(clippy::too_many_lines, reason = "a list")]
pub(super) fn all() -> Vec<Case> {
    let own = || Program::new().call(&[Finish(F)]);
    vec![
        case(
            "D37",
            "Why is there no blocking `wait` for a loop?",
            "wait on a loop's thread is refused",
            own().event_loop("loop", &[Post(0, 0), Wait(Futures::of(&[F]))]),
            [6, 6],
            "wait_on_loop",
            property::ENDS,
            2,
        ),
        case(
            "D45",
            "Not even for the first of several?",
            "wait takes no futures of a loop",
            Program::new()
                .event_loop("loop", &[Post(0, 0), Post(0, 1), WaitFirst(BOTH)])
                .call(&[Finish(F)])
                .call(&[Finish(G)]),
            [10, 10],
            "wait_on_loop",
            property::ENDS,
            4,
        ),
        case(
            "D43",
            "Why does `as_completed` not block a loop?",
            "as_completed on a loop's thread is refused",
            Program::new()
                .event_loop("loop", &[Post(0, 0), AsCompleted(BOTH)])
                .thread("worker", &[Finish(G)])
                .call(&[Finish(F)]),
            [12, 7],
            "as_completed_on_loop",
            property::ENDS,
            5,
        ),
        case(
            "D38",
            "What does `wait` of nothing do?",
            "it returns at once",
            Program::new().thread("user", &[Wait(Futures::of(&[]))]).thread("worker", &[Finish(F)]),
            [4, 3],
            "empty_wait_waits",
            property::ENDS,
            1,
        ),
        case(
            "D42",
            "Why does `wait` not lock its futures together?",
            "it registers with one future after the other, and holds one lock at a time",
            Program::new()
                .thread("one", &[Wait(BOTH)])
                .thread("other", &[Wait(Futures::of(&[G, F]))])
                .thread("worker", &[Finish(F), Finish(G)]),
            [83, 10],
            "wait_locks_all",
            property::ENDS,
            2,
        ),
        case(
            "wait-9",
            "Can a wait be ended from outside?",
            "an interrupt ends the waits of a thread that has entered it, those that block and those that would",
            Program::new()
                .thread("user", &[Result(F), Send(0, 1)])
                .thread("worker", &[Recv(0), Finish(F)])
                .thread("other", &[Interrupt(0)])
                .channel(1),
            [6, 6],
            "interrupt_wakes_nobody",
            property::ENDS,
            1,
        ),
        case(
            "wait-9",
            "What becomes of the work then?",
            "an interrupt ends the wait and nothing else",
            Program::new()
                .thread("user", &[Result(F), Result(F)])
                .thread("worker", &[Finish(F)])
                .thread("other", &[Interrupt(0)]),
            [12, 5],
            "interrupt_cancels",
            property::UNASKED,
            2,
        ),
    ]
}
