//! Who can see a future, and what its promise learns when nobody can.

use settled::model::{Do::*, Program, property};

use super::{Case, F, case};

#[expect(clippy::too_many_lines, reason = "a list")]
pub(super) fn all() -> Vec<Case> {
    vec![
        case(
            "promise-8",
            "Does the work learn that nobody waits for it any more?",
            "whoever drops the last handle tells the promise, which may end then",
            Program::new()
                .thread("worker", &[Closed(F), Abandon(F)])
                .thread("user", &[Done(F), Drop(F)])
                .thread("other", &[Drop(F)]),
            [8, 6],
            "last_handle_tells_nobody",
            property::ENDS,
            3,
        ),
        case(
            "promise-8",
            "And if it does not wait for that, but works on?",
            "it has something called then, by whoever drops the last handle",
            Program::new()
                .thread("worker", &[OnClosed(F, 0), FinishOrReturn(F)])
                .thread("user", &[Drop(F)])
                .thread("other", &[Drop(F)])
                .call(&[]),
            [22, 6],
            "last_handle_tells_nobody",
            property::HEARS,
            4,
        ),
        case(
            "promise-8",
            "Is a callback somebody?",
            "who has registered one, and dropped the future, is still told how it ends",
            Program::new()
                .thread("worker", &[IsClosed(F), Finish(F)])
                .thread("user", &[Add(F, 0), Drop(F)])
                .call(&[]),
            [14, 6],
            "callback_is_nobody",
            property::LISTENS,
            3,
        ),
        case(
            "promise-8",
            "What if the future is cancelled, and dropped after that?",
            "the promise is told once, at the cancel",
            Program::new()
                .thread("worker", &[OnClosed(F, 0), Finish(F)])
                .thread("user", &[Cancel(F), Drop(F)])
                .call(&[]),
            [19, 6],
            "listeners_stay",
            property::TWICE,
            5,
        ),
        case(
            "promise-9",
            "What becomes of a value that nobody can ever see?",
            "finish_or_return gives it back, so that it may be used otherwise",
            Program::new()
                .thread("worker", &[Start(F), FinishOrReturn(F)])
                .thread("user", &[Drop(F)]),
            [7, 4],
            "unseen_is_dropped",
            property::RETURNED,
            3,
        ),
        case(
            "promise-9",
            "Would it do to ask is_closed first?",
            "no: the last handle may go in between; the step that settles decides",
            Program::new().thread("worker", &[FinishOrReturn(F)]).thread("user", &[Drop(F)]),
            [5, 3],
            "unseen_in_two_steps",
            property::RETURNED,
            3,
        ),
        case(
            "weak-1",
            "Can a weak handle bring back what nobody was left to see?",
            "no: once the promise may have been told that nobody is left, it stays so",
            Program::new()
                .thread("worker", &[IsClosed(F), FinishOrReturn(F)])
                .thread("user", &[Drop(F)])
                .thread("other", &[Upgrade(F)]),
            [24, 5],
            "closed_is_upgraded",
            property::LISTENS,
            3,
        ),
        case(
            "weak-1",
            "Even if the promise has not asked yet?",
            "nor then: of the value it is settled once who sees it",
            Program::new()
                .thread("worker", &[FinishOrReturn(F)])
                .thread("user", &[Drop(F)])
                .thread("other", &[Upgrade(F)]),
            [14, 4],
            "closed_is_upgraded",
            property::RETURNED,
            3,
        ),
    ]
}
