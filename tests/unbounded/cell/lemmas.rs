//! What is shown of every state that can be reached. Above each lemma are the clauses that it is about.

use crate::system::{Lemma, always, follows};

/// A list is finite: if somebody is in it, somebody is the first.
macro_rules! has_a_first {
    ($of:literal, $sort:literal, $order:literal) => {
        concat!(
            "(=> (exists ((x ",
            $sort,
            ")) (",
            $of,
            " x)) (exists ((x ",
            $sort,
            ")) (and (",
            $of,
            " x)
                (forall ((y ",
            $sort,
            ")) (=> (",
            $of,
            " y) (not (",
            $order,
            " y x)))))))"
        )
    };
}

pub(crate) const LEMMAS: &[Lemma] = &[
    // [cell-1]
    always("settled is that the slot is written", "(= (settled state) slot)"),
    // [cell-1]
    always("the slot is written once", "(not rewritten)"),
    // [machine-3]
    always("a settled future stays as it was settled", "(=> (settled state) (= state outcome))"),
    always(
        "threads and tasks each keep to their own steps",
        "(forall ((x W)) (not (ite (task x)
            (or (ring x) (= (phase x) Looking) (= (phase x) Fresh) (= (phase x) Late)
                (= (phase x) Leaving) (= (phase x) Checking) (= (phase x) Parking)
                (= (phase x) Woken) (= (phase x) Again) (= (phase x) Expired))
            (or (= (phase x) Polling) (= (phase x) Moving) (= (phase x) Outside) (= (phase x) Gone)))))",
    ),
    // [cell-1] [await-2] [settled-5]
    // One who takes may have been told of the end of a lending, of which the next has begun; it registers anew.
    always(
        "who waits for what is not so yet is listed, or was told",
        "(forall ((x W)) (=> (waits (phase x) (task x))
            (or (listed x) (ite (taker x) (or (owed x) (token x)) (settled state)))))",
    ),
    // [await-2]
    always(
        "who does not wait is not listed",
        "(forall ((x W)) (=> (listed x)
            (or (waits (phase x) (task x)) (= (phase x) Polling) (= (phase x) Moving)
                (= (phase x) Woken))))",
    ),
    // [cell-1] [wait-1]
    always(
        "nobody is told early",
        "(forall ((x W)) (=> (or (owed x) (told x)) (and (settled state) (=> (taker x) free))))",
    ),
    always(
        "nobody has a token that was not told",
        "(forall ((x W)) (=> (or (token x) (ring x)) (told x)))",
    ),
    // [cell-1]
    always(
        "nobody is listed who waits for nothing more",
        "(forall ((x W)) (=> (enough state lent (taker x)) (not (listed x))))",
    ),
    // [cell-1] [wait-1]
    // Who sleeps is owed its token, or has it, and a thread is then owed the ring of its condition variable.
    always(
        "no wake-up is lost",
        "(forall ((x W)) (=> (and (enough state lent (taker x)) (= (phase x) Asleep))
            (or (owed x) (and (token x) (or (task x) (ring x))))))",
    ),
    always(
        "a thread that sleeps with a token is to be woken",
        "(forall ((x W)) (=> (and (token x) (= (phase x) Asleep) (not (task x))) (ring x)))",
    ),
    always(
        "who parks for what is so is owed its token or has it",
        "(forall ((x W)) (=> (and (enough state lent (taker x)) (= (phase x) Parking))
            (or (owed x) (token x))))",
    ),
    // [settled-1] [wait-1]
    always(
        "who returns true found it so",
        "(forall ((x W)) (=> (= (phase x) Settled) (and (settled state) (=> (taker x) free))))",
    ),
    // [wait-3]
    always("who returns false found it not so", "(forall ((x W)) (not (lied x)))"),
    // [wait-2] [wait-3]
    always(
        "who gives up has met its deadline",
        "(forall ((x W)) (=> (or (= (phase x) Late) (= (phase x) Leaving) (= (phase x) Checking)
            (= (phase x) Expired)) (over x)))",
    ),
    always(
        "a deadline passes only if there is one",
        "(forall ((x W)) (=> (over x) (timed x)))",
    ),
    // One who takes may be told of several lendings.
    always(
        "who is owed was not told",
        "(forall ((x W)) (not (and (owed x) (told x) (not (taker x)))))",
    ),
    // [cell-1]
    always("nobody is told twice", "(forall ((x W)) (not (and (twice x) (not (taker x)))))"),
    always(
        "the waiters of a list are in one order",
        "(forall ((x W) (y W) (z W)) (and (not (ahead x x))
            (=> (and (or (listed x) (owed x)) (or (listed y) (owed y)) (distinct x y)
                    (not (or (taker x) (taker y))))
                (or (ahead x y) (ahead y x)))
            (=> (and (or (listed x) (owed x)) (or (listed y) (owed y)) (or (listed z) (owed z))
                    (ahead x y) (ahead y z) (not (or (taker x) (taker y) (taker z))))
                (ahead x z))))",
    ),
    // [callback-2]
    always(
        "waiters are told in order",
        "(forall ((x W) (y W)) (=> (and (owed x) (told y) (not (or (taker x) (taker y))))
            (not (ahead x y))))",
    ),
    // [callback-1]
    always(
        "no callback runs early",
        "(forall ((x C)) (=> (or (due x) (late x) (called x)) (settled state)))",
    ),
    // [cell-1] [callback-1]
    always(
        "no callback is left in the cell",
        "(forall ((x C)) (=> (settled state) (not (queued x))))",
    ),
    // [callback-1]
    always(
        "no callback is lost",
        "(forall ((x C)) (=> (registered x)
            (or (queued x) (due x) (late x) (called x) (cleared x))))",
    ),
    // [callback-9]
    always(
        "a callback that was dropped is never called",
        "(forall ((x C)) (=> (cleared x)
            (not (or (queued x) (due x) (inline x) (late x) (called x)))))",
    ),
    always(
        "a callback is in one place",
        "(forall ((x C)) (and
            (not (and (queued x) (or (due x) (late x) (called x))))
            (not (and (due x) (or (late x) (called x)))) (not (and (late x) (called x)))
            (=> (or (queued x) (due x)) (inline x)) (=> (inline x) (not (late x)))
            (=> (or (inline x) (late x) (called x) (cleared x)) (registered x))))",
    ),
    // [callback-1]
    always("no callback runs twice", "(forall ((x C)) (not (again x)))"),
    always(
        "the callbacks of a list are in one order",
        "(forall ((x C) (y C) (z C)) (and (not (before x x))
            (=> (before x y) (and (inline x) (inline y)))
            (=> (and (inline x) (inline y) (distinct x y)) (or (before x y) (before y x)))
            (=> (and (before x y) (before y z)) (before x z))))",
    ),
    // [callback-2]
    always(
        "callbacks run in order",
        "(forall ((x C) (y C)) (=> (and (before x y) (called y)) (and (called x) (not (running x)))))",
    ),
    // [callback-2]
    always(
        "callbacks run one at a time",
        "(forall ((x C) (y C)) (and (=> (running x) (and (called x) (inline x)))
            (=> (and (running x) (running y)) (= x y))))",
    ),
    // [callback-2]
    always(
        "callbacks run when all who wait were told",
        "(forall ((x W) (y C)) (not (and (owed x) (not (taker x)) (inline y) (called y))))",
    ),
    // [settled-5]
    always("what is lent is settled", "(=> lent (settled state))"),
    // [settled-5]
    always(
        "what is free is settled, and what is settled and not lent is free",
        "(and (=> free (settled state)) (=> (settled state) (or lent free)))",
    ),
    // [settled-5]
    always("it is lent as long as one lends", "(= lent (or lending (exists ((x C)) (lends x))))"),
    // [settled-5]
    // With the lemma that who returns true found it so: it takes no value from under them. One that came late is lent a
    // handle by somebody who has one, so that whoever takes then is not the last.
    always(
        "a value is lent as long as a callback has to return",
        "(forall ((x C)) (=> (and (or (due x) (running x)) (distinct state Cancelled))
            (and lending (not free))))",
    ),
    always(
        "what is lent late has been or will be called",
        "(forall ((x C)) (=> (lends x) (or (late x) (called x))))",
    ),
    // [wait-1]
    follows(
        "while somebody is owed, somebody can be told",
        concat!(
            "(=> (and (exists ((x W)) (owed x)) ", has_a_first!("owed", "W", "ahead"), ") (can tell))"
        ),
    ),
    // [wait-1]
    follows(
        "nobody sleeps for ever over a settled future",
        concat!(
            "(=> ", has_a_first!("owed", "W", "ahead"), " (forall ((x W))
                (=> (and (enough state lent (taker x)) (= (phase x) Asleep))
                    (or (can tell) (ring x) (and (task x) (token x))))))"
        ),
    ),
    // [settled-5]
    follows(
        "what is lent is given back when nobody can be told and no callback called or running",
        concat!(
            "(=> (and lent ", has_a_first!("due", "C", "before"), has_a_first!("owed", "W", "ahead"), ")
                (or (can give-back) (can call) (can return) (can tell) (can call-late) (can return-late)))"
        ),
    ),
    // [callback-1]
    follows(
        "while a callback is due, one can be called or one runs, or somebody can be told",
        concat!(
            "(=> (and (exists ((x C)) (due x)) ", has_a_first!("due", "C", "before"),
            has_a_first!("owed", "W", "ahead"), ") (or (can call) (can return) (can tell)))"
        ),
    ),
];
