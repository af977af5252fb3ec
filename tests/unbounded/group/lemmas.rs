//! What is shown of every state that can be reached. Above each lemma are the clauses that it is about.

use super::enough;
use crate::system::{Lemma, always, follows};

pub(crate) const LEMMAS: &[Lemma] = &[
    // [wait-5]
    always(
        "who waits for an unsettled future is listed with it",
        "(forall ((x F)) (=> (and (asked x) (not (ended x)) (not (parted x))) (and (listed x) (ticket x))))",
    ),
    // [wait-5] [wait-6]
    always(
        "nothing is left behind in a future",
        "(forall ((x F)) (=> (listed x) (and (asked x) (ticket x) (not (ended x)) (not (parted x)))))",
    ),
    // [wait-5] [wait-6]
    always(
        "nobody is told early of a future",
        "(forall ((x F)) (=> (or (owed x) (told x) (heard x)) (and (asked x) (ended x))))",
    ),
    // [wait-5] [wait-6]
    always(
        "no settlement is lost",
        "(forall ((x F)) (=> (and (asked x) (ended x) (not (parted x))) (or (owed x) (told x) (heard x))))",
    ),
    // [wait-5] [wait-6]
    always(
        "a future counts once",
        "(forall ((x F)) (and (not (and (owed x) (or (told x) (heard x)))) (not (and (told x) (heard x)))))",
    ),
    // [wait-6]
    always("nobody is told twice of a future", "(forall ((x F)) (not (twice x)))"),
    always("who sleeps for futures has said so", "(=> (= phase Asleep) wanted)"),
    // [wait-5] [wait-6]
    always(
        "no wake-up for enough futures is lost",
        concat!("(=> (and (= phase Asleep) ", enough!("told"), ") ring)"),
    ),
    always(
        "a future that the group does not hold has settled",
        "(forall ((x F)) (=> (and (asked x) (not (parted x)) (not (ticket x))) (ended x)))",
    ),
    always(
        "a call leaves its futures in the end, and no others",
        "(forall ((x F)) (=> (parted x) (and (asked x) (= phase Parting))))",
    ),
    // [wait-5]
    always("what is not done was left before it settled", "(forall ((x F)) (not (lied x)))"),
    // [wait-5]
    always("what is done is settled", "(forall ((x F)) (=> (done x) (and (ended x) (parted x))))"),
    // [wait-5]
    always(
        "who stops waiting has enough or has met its deadline",
        "(and (=> (= phase Late) over) (=> (= phase Parting) (or over (and (not all) (exists ((u F)) (heard u)))
            (forall ((u F)) (=> (asked u) (heard u))))))",
    ),
    always("the time is over only if there is a deadline", "(=> over timed)"),
    // [wait-5] [wait-6]
    follows(
        "nobody sleeps for ever over enough settled futures",
        concat!("(=> (and (= phase Asleep) ", enough!("ended"), ") (or ring (can tell)))"),
    ),
];
