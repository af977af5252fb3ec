//! Broken twins: each with the run that shows it, and the lemma that no longer holds.

use crate::system::{Twin, add, guard, twin, unguard};

pub(crate) const TWINS: &[Twin] = &[
    twin(
        "a registration that is forgotten",
        "who waits for an unsettled future is listed with it",
        "ask",
        |it| it.step("ask").keep("listed"),
    ),
    twin(
        "a registration that does not look",
        "nothing is left behind in a future",
        "settle ask",
        |it| {
            it.step("ask").put("listed", "true");
            it.step("ask").put("ticket", "true");
        },
    ),
    twin(
        "a call that leaves its places behind",
        "nothing is left behind in a future",
        "ask begin take go-on expire clock count part",
        |it| it.step("part").keep("listed"),
    ),
    twin("told before it is settled", "nobody is told early of a future", "ask tell-early", |it| {
        add(it, "tell", "tell-early", "(listed f)", &[("told", "true")]);
    }),
    twin("a settlement that is not told", "no settlement is lost", "ask settle", |it| {
        it.step("settle").put("owed", "false");
    }),
    twin("a late registration that is not told", "no settlement is lost", "settle ask", |it| {
        it.step("ask").keep("told");
    }),
    twin("a future that is told and stays owed", "a future counts once", "ask settle tell", |it| {
        it.step("tell").keep("owed");
    }),
    twin("an inbox that is not emptied", "a future counts once", "settle ask begin take", |it| {
        it.step("take").keep("told");
    }),
    twin(
        "a future that is told again",
        "nobody is told twice of a future",
        "ask settle tell tell-again",
        |it| add(it, "tell", "tell-again", "(told f)", &[("twice", "true")]),
    ),
    twin(
        "a sleep that the inbox does not know of",
        "who sleeps for futures has said so",
        "ask begin take go-on clock count sleep",
        |it| it.step("sleep").keep("wanted"),
    ),
    twin(
        "a future that does not wake",
        "no wake-up for enough futures is lost",
        "ask begin take go-on clock count sleep settle tell",
        |it| it.step("tell").keep("ring"),
    ),
    twin(
        "a sleep without a last look",
        "no wake-up for enough futures is lost",
        "ask begin take go-on clock count settle tell sleep",
        |it| {
            let sleep = it.step("sleep");
            sleep.guard = "(= phase Entering)".to_owned();
        },
    ),
    twin(
        "a place that is given up without a look",
        "a future that the group does not hold has settled",
        "ask begin take",
        |it| it.step("take").set("ticket", "false"),
    ),
    twin(
        "a call that leaves the futures of others",
        "a call leaves its futures in the end, and no others",
        "begin take stop part",
        |it| unguard(it.step("part"), "(asked f)"),
    ),
    twin(
        "a call that does not look again as it leaves",
        "what is not done was left before it settled",
        "ask begin take go-on expire clock count settle part",
        |it| {
            it.step("part").put("done", "(not (ticket x))");
            it.step("part").put("lied", "(and (ticket x) (ended x))");
        },
    ),
    twin(
        "a call that says of all that they are done",
        "what is done is settled",
        "ask begin take go-on expire clock count part",
        |it| it.step("part").put("done", "true"),
    ),
    twin(
        "a call that gives up before its time",
        "who stops waiting has enough or has met its deadline",
        "ask begin take go-on clock count",
        |it| it.step("count").set("phase", "Parting"),
    ),
    twin(
        "a call without a deadline that expires",
        "the time is over only if there is a deadline",
        "expire",
        |it| unguard(it.step("expire"), "timed"),
    ),
    twin(
        "a settler who waits until nobody sleeps",
        "nobody sleeps for ever over enough settled futures",
        "ask begin take go-on clock count sleep settle",
        |it| guard(it.step("tell"), "(distinct phase Asleep)"),
    ),
];
