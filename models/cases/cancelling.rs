//! Cancelling, and giving up.

use settled::model::{Do::*, Futures, Is, Program, property};

use super::{BOTH, Case, F, G, case};

#[expect(clippy::too_many_lines, reason = "a list")]
pub(super) fn all() -> Vec<Case> {
    vec![
        case(
            "D8",
            "Why is claiming work one step?",
            "of a start and a cancel exactly one succeeds",
            Program::new().thread("worker", &[Start(F), Finish(F)]).thread("user", &[Cancel(F)]),
            [8, 4],
            "claim_in_two_steps",
            property::NEVER_RUNS,
            3,
        ),
        case(
            "D33",
            "Why need a cancel not be acknowledged?",
            "a cancelled future is settled for everybody in the same step",
            Program::new()
                .thread("user", &[Cancel(F), Wait(Futures::of(&[F])), Finish(G)])
                .thread("worker", &[Result(G), Finish(F)]),
            [7, 7],
            "cancel_in_two_steps",
            property::ENDS,
            2,
        ),
        case(
            "D39",
            "Is a cancelled future done?",
            "yes: there is one notion of settled, also for wait",
            Program::new()
                .thread("user", &[Cancel(F), WaitAllTimeout(BOTH)])
                .thread("worker", &[Finish(F), Finish(G)]),
            [31, 8],
            "cancel_in_two_steps",
            property::REPORTED,
            4,
        ),
        case(
            "D30",
            "Why does running work of a thread refuse a cancel?",
            "a cancel of running work is refused, and visible to it",
            Program::new().thread("worker", &[Start(F), Finish(F)]).thread("user", &[Cancel(F)]),
            [8, 4],
            "cancel_running",
            property::NEVER_RUNS,
            2,
        ),
        case(
            "D31",
            "Why is a second cancel no refusal?",
            "it answers Already, and whoever is refused may count on the work",
            Program::new()
                .thread("one", &[Cancel(F)])
                .thread("other", &[Cancel(F), Unless(Is::Refused, 1), Recv(0)])
                .thread("worker", &[Start(F), Send(0, 1), Finish(F)])
                .channel(1),
            [28, 7],
            "second_cancel_refused",
            property::ENDS,
            3,
        ),
        case(
            "D5",
            "Why does an expired wait leave the future alone?",
            "expiry ends the wait and nothing else",
            Program::new()
                .thread("one", &[WaitTimeout(F)])
                .thread("other", &[Result(F)])
                .thread("worker", &[Finish(F)]),
            [8, 4],
            "expiry_cancels",
            property::UNASKED,
            1,
        ),
        case(
            "D6",
            "Why is expiry not an error like any other?",
            "an expired wait and failed work are two outcomes, so that nobody reads a failure and then a value",
            Program::new()
                .thread("user", &[WaitTimeout(F), Result(F)])
                .thread("worker", &[Finish(F)]),
            [7, 4],
            "expiry_is_a_failure",
            property::ONE,
            3,
        ),
    ]
}
