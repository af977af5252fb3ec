//! What is shown of every state that can be reached. Above each lemma are the clauses that it is about.

use crate::system::{Lemma, always, follows};

pub(crate) const LEMMAS: &[Lemma] = &[
    // [semaphore-1] [lock-1]
    always(
        "a permit that somebody has, or was granted, is his alone",
        "(forall ((x W)) (=> (has (phase x) (listed x)) (= (last (permit x)) x)))",
    ),
    // [semaphore-1]
    always(
        "a permit that is free is nobody's",
        "(forall ((x W)) (=> (has (phase x) (listed x)) (not (free closed (open (permit x)) (behind (permit x))))))",
    ),
    // [semaphore-1] [semaphore-3]
    always(
        "a permit is free, or somebody has it or was granted it",
        "(forall ((q P)) (=> (there q) (or (free closed (open q) (behind q))
            (and (has (phase (last q)) (listed (last q))) (= (permit (last q)) q)))))",
    ),
    // [semaphore-1]
    always(
        "what is free, and what somebody has, is there",
        "(and (forall ((q P)) (=> (free closed (open q) (behind q)) (there q)))
            (forall ((x W)) (=> (has (phase x) (listed x)) (there (permit x)))))",
    ),
    // [semaphore-2]
    always(
        "none is free while somebody waits",
        "(forall ((x W) (q P)) (=> (listed x) (not (free closed (open q) (behind q)))))",
    ),
    // [semaphore-2] [semaphore-3]
    always(
        "as long as somebody waits somebody has each permit",
        "(forall ((x W) (q P)) (=> (and (listed x) (there q)) (has (phase (last q)) (listed (last q)))))",
    ),
    // [semaphore-2]
    always("nobody overtakes", "(not overtaken)"),
    // [semaphore-2]
    always(
        "whoever came first is granted one first",
        "(forall ((x W) (y W)) (=> (and (ahead x y) (granted y)) (not (listed x))))",
    ),
    always(
        "who was granted one has waited",
        "(forall ((x W)) (=> (granted x) (not (or (= (phase x) Idle) (= (phase x) Entering)))))",
    ),
    always(
        "who has a place in the line has come",
        "(forall ((x W) (y W)) (=> (ahead x y) (not (or (= (phase x) Idle) (= (phase x) Entering)
            (= (phase y) Idle) (= (phase y) Entering)))))",
    ),
    // [semaphore-2]
    always(
        "nobody is granted one who was granted one",
        "(forall ((x W)) (=> (listed x) (not (granted x))))",
    ),
    // [semaphore-3]
    always("who has left is not listed", "(forall ((x W)) (=> (listed x) (stands (phase x))))"),
    // [semaphore-2] [semaphore-5]
    always(
        "no wake-up for a grant is lost",
        "(forall ((x W)) (=> (and (= (phase x) Waiting) (not (listed x))) (or (owed x) (token x))))",
    ),
    // [semaphore-3]
    always(
        "nobody is told who was granted nothing",
        "(forall ((x W)) (=> (or (owed x) (token x)) (granted x)))",
    ),
    always(
        "who has the lock has something to do",
        "(=> (or (= turn Taken) (= turn Deciding)) (wants (phase owner)))",
    ),
    always(
        "who decides has closed the word",
        "(=> (or (= turn Deciding) (= turn Opening)) closed)",
    ),
    always("the word is closed while somebody waits", "(forall ((x W)) (=> (listed x) closed))"),
    always(
        "the word is open again when nobody waits",
        "(=> closed (or (= turn Deciding) (= turn Opening) (exists ((u W)) (listed u))))",
    ),
    // [semaphore-2] [semaphore-5]
    follows(
        "nobody sleeps for ever over his grant",
        "(forall ((x W)) (=> (and (= (phase x) Waiting) (not (listed x)) (not (token x))) (can tell)))",
    ),
];
