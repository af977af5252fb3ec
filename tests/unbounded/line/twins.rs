//! Broken twins: each with the run that shows it, and the lemma that no longer holds.

use super::GIVES;
use crate::{
    lock::ANYBODY,
    system::{Twin, add, guard, twin, unguard},
};

pub(crate) const TWINS: &[Twin] = &[
    twin(
        "whoever looks goes on",
        "a permit that somebody has, or was granted, is his alone",
        "pass ask lock close wait open free look lock close come",
        |it| {
            unguard(it.step("come"), "(not (listed w))");
            it.step("come").put("listed", "false");
        },
    ),
    twin(
        "whoever looks goes on by the word, also while it is closed",
        "a permit that somebody has, or was granted, is his alone",
        "pass ask lock close wait open free come-open",
        |it| {
            unguard(it.step("come-open"), "(not closed)");
            it.step("come-open").put("listed", "false");
        },
    ),
    twin(
        "a permit that is given and kept",
        "a permit that is free is nobody's",
        "pass give",
        |it| it.step("give").keep("phase"),
    ),
    twin(
        "whoever leaves hands on, also what he has not",
        "a permit that is free is nobody's",
        "pass ask lock close wait open free expire lock close leave",
        |it| it.step("leave").set("behind", "(or (behind x) (= x (permit w)))"),
    ),
    twin(
        "a word that is looked at, and then closed",
        "a permit is free, or somebody has it or was granted it",
        "pass ask lock give close",
        |it| {
            it.step("lock").set("behind", "(ite closed (behind x) (open x))");
            it.step("close").keep("behind");
        },
    ),
    twin(
        "a closed word that is given to",
        "a permit is free, or somebody has it or was granted it",
        "pass ask lock close give",
        |it| unguard(it.step("give"), "(not closed)"),
    ),
    twin(
        "a grant that leaves with its waiter",
        "a permit is free, or somebody has it or was granted it",
        "pass ask lock close wait open free give-closed lock close grant open free expire lock close leave-with-it",
        |it| {
            let guard =
                "(and (= turn Deciding) (= w owner) (= (phase w) Leaving) (not (listed w)))";
            add(it, "leave", "leave-with-it", guard, &[("phase", "Over")]);
            it.step("leave-with-it").set("turn", "Opening");
        },
    ),
    twin(
        "a permit that is brought, and not counted",
        "what is free, and what somebody has, is there",
        "bring",
        |it| it.step("bring").keep("there"),
    ),
    twin(
        "a permit that is forgotten, and given back",
        "what is free, and what somebody has, is there",
        "pass forget",
        |it| it.step("forget").set("open", "(or (open x) (= x (permit w)))"),
    ),
    twin(
        "a permit that is there twice",
        "a permit that somebody has, or was granted, is his alone",
        "pass bring",
        |it| unguard(it.step("bring"), "(not (there chosen))"),
    ),
    twin(
        "a permit that is free for all who come",
        "none is free while somebody waits",
        "pass ask lock close wait open free give-closed lock close give-back",
        |it| unguard(it.step("give-back"), &format!("(not {ANYBODY})")),
    ),
    twin(
        "a grant that leaves with its waiter, before another",
        "as long as somebody waits somebody has each permit",
        "pass ask lock close wait open free ask lock close wait open free give-closed lock close grant open free \
         expire lock close leave-with-it",
        |it| {
            let guard =
                "(and (= turn Deciding) (= w owner) (= (phase w) Leaving) (not (listed w)))";
            add(it, "leave", "leave-with-it", guard, &[("phase", "Over")]);
            it.step("leave-with-it").set("turn", "Opening");
        },
    ),
    twin(
        "what is given back is a newcomer's",
        "nobody overtakes",
        "pass ask lock close wait open free give-closed lock close barge",
        |it| {
            let guard = format!("(and (= turn Deciding) {GIVES} (= (phase w) Idle))");
            add(it, "pass", "barge", &guard, &[("permit", "(permit owner)")]);
            let barge = it.step("barge");
            barge.set("phase", "(ite (= x w) Having (ite (= x owner) Over (phase x)))");
            barge.set("last", "(ite (= x (permit owner)) w (last x))");
            barge.set("overtaken", ANYBODY);
            barge.set("turn", "Opening");
        },
    ),
    twin(
        "whoever came last is granted one first",
        "whoever came first is granted one first",
        "pass ask lock close wait open free ask lock close wait open free give-closed lock close grant",
        |it| {
            let grant = it.step("grant");
            grant.guard = grant.guard.replace("(ahead u w)", "(ahead w u)");
        },
    ),
    twin("granted as he asks", "who was granted one has waited", "pass ask", |it| {
        it.step("ask").put("granted", "true");
    }),
    twin(
        "a place in the line before it is decided",
        "who has a place in the line has come",
        "pass ask lock close wait open free ask",
        |it| it.step("ask").set("ahead", "(or (ahead x y) (and (= y w) (listed x)))"),
    ),
    twin(
        "a grant to one who stays in the line",
        "nobody is granted one who was granted one",
        "pass ask lock close wait open free give-closed lock close grant",
        |it| it.step("grant").keep("listed"),
    ),
    twin(
        "one who leaves, and stays in the line",
        "who has left is not listed",
        "pass ask lock close wait open free expire lock close leave",
        |it| it.step("leave").keep("listed"),
    ),
    twin(
        "a grant of which nobody is told",
        "no wake-up for a grant is lost",
        "pass ask lock close wait open free give-closed lock close grant",
        |it| it.step("grant").keep("owed"),
    ),
    twin(
        "told as he enters the line",
        "nobody is told who was granted nothing",
        "pass ask lock close wait",
        |it| it.step("wait").put("owed", "true"),
    ),
    twin("a lock for nothing", "who has the lock has something to do", "lock", |it| {
        it.step("lock").guard = "(= turn Unlocked)".to_owned();
    }),
    twin(
        "a word that is not closed",
        "who decides has closed the word",
        "pass ask lock close",
        |it| it.step("close").keep("closed"),
    ),
    twin(
        "a word that is opened over the line",
        "the word is closed while somebody waits",
        "pass ask lock close wait open",
        |it| {
            it.step("open").set("closed", "false");
            it.step("open").set("open", "(behind x)");
        },
    ),
    twin(
        "a word that stays closed",
        "the word is open again when nobody waits",
        "pass ask give lock close enter open",
        |it| it.step("open").keep("closed"),
    ),
    twin(
        "who tells waits for the lock",
        "nobody sleeps for ever over his grant",
        "pass ask lock close wait open free give-closed lock close grant",
        |it| guard(it.step("tell"), "(= turn Unlocked)"),
    ),
];
