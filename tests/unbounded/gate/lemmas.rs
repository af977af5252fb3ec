//! What is shown of every state that can be reached. Above each lemma are the clauses that it is about.

use crate::system::{Lemma, always};

pub(crate) const LEMMAS: &[Lemma] = &[
    // [event-2]
    always(
        "nobody waits while it is set",
        "(forall ((x W)) (=> (listed x) (not (says closed open behind))))",
    ),
    // [event-1] [event-2]
    always(
        "who goes on, or is to, came while it was set or was there when it was",
        "(forall ((x W)) (=> (or (= (phase x) On) (and (stands (phase x)) (not (listed x)))) (saw x)))",
    ),
    // [event-1]
    always(
        "no wake-up for a set is lost",
        "(forall ((x W)) (=> (and (= (phase x) Waiting) (not (listed x))) (or (owed x) (token x))))",
    ),
    // [event-1]
    always(
        "of those whom one sets free the first is told first",
        "(forall ((x W) (y W)) (=> (and (ahead x y) (granted x) (granted y) (= (by x) (by y)) (owed x)) (owed y)))",
    ),
    always(
        "who tells others has set it before",
        "(forall ((x W)) (=> (granted x) (= (phase (by x)) Over)))",
    ),
    always(
        "nobody is told whom nobody set free",
        "(forall ((x W)) (=> (or (owed x) (token x)) (granted x)))",
    ),
    always(
        "who is set free is not listed, and came before",
        "(forall ((x W)) (=> (granted x) (and (not (listed x)) (distinct (phase x) Idle) (distinct (phase x) Entering))))",
    ),
    always(
        "who is before another has come",
        "(forall ((x W) (y W)) (=> (ahead x y) (not (or (= (phase x) Idle) (= (phase x) Entering)
            (= (phase y) Idle) (= (phase y) Entering)))))",
    ),
    always("who has gone is not listed", "(forall ((x W)) (=> (listed x) (stands (phase x))))"),
    always(
        "who has the lock of an event has something to do",
        "(=> (or (= turn Taken) (= turn Deciding)) (wants (phase owner)))",
    ),
    always(
        "who decides of an event has closed its word",
        "(=> (or (= turn Deciding) (= turn Opening)) closed)",
    ),
    always(
        "the word of an event is closed while somebody waits",
        "(forall ((x W)) (=> (listed x) closed))",
    ),
    always(
        "the word of an event is open again when nobody waits",
        "(=> closed (or (= turn Deciding) (= turn Opening) (exists ((u W)) (listed u))))",
    ),
];
