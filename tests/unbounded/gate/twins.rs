//! Broken twins: each with the run that shows it, and the lemma that no longer holds.

use super::FIRST;
use crate::system::{Twin, twin, unguard};

pub(crate) const TWINS: &[Twin] = &[
    twin(
        "one who waits without a look behind the word",
        "nobody waits while it is set",
        "ask set lock close wait",
        |it| unguard(it.step("wait"), "(not behind)"),
    ),
    twin(
        "a set that leaves those alone who wait",
        "nobody waits while it is set",
        "ask lock close wait open free set-closed lock close set-all",
        |it| it.step("set-all").keep("listed"),
    ),
    twin(
        "whoever looks goes on",
        "who goes on, or is to, came while it was set or was there when it was",
        "ask lock close wait open free look lock close come",
        |it| {
            unguard(it.step("come"), "(not (listed w))");
            it.step("come").put("listed", "false");
        },
    ),
    twin(
        "whoever looks goes on by the word, also while it is closed",
        "who goes on, or is to, came while it was set or was there when it was",
        "ask lock close wait open free come-open",
        |it| {
            unguard(it.step("come-open"), "(not closed)");
            it.step("come-open").put("listed", "false");
        },
    ),
    twin(
        "a clear that lets those go on who wait",
        "who goes on, or is to, came while it was set or was there when it was",
        "ask lock close wait open free clear-closed lock close clear-it",
        |it| it.step("clear-it").set("listed", "false"),
    ),
    twin(
        "a set of which nobody is told",
        "no wake-up for a set is lost",
        "ask lock close wait open free set-closed lock close set-all",
        |it| it.step("set-all").keep("owed"),
    ),
    twin(
        "they are told in any order",
        "of those whom one sets free the first is told first",
        "ask lock close wait open free ask lock close wait open free set-closed lock close set-all tell",
        |it| unguard(it.step("tell"), FIRST),
    ),
    twin(
        "who has set it is about to set it",
        "who tells others has set it before",
        "ask lock close wait open free set-closed lock close set-all",
        |it| it.step("set-all").keep("phase"),
    ),
    twin(
        "told as he enters the line",
        "nobody is told whom nobody set free",
        "ask lock close wait",
        |it| it.step("wait").put("owed", "true"),
    ),
    twin(
        "set free as he asks",
        "who is set free is not listed, and came before",
        "set ask",
        |it| {
            unguard(it.step("ask"), "(or closed (not open))");
            it.step("ask").put("granted", "true");
            it.step("ask").put("by", "owner");
        },
    ),
    twin(
        "a place in the line before it is decided",
        "who is before another has come",
        "ask lock close wait open free ask",
        |it| it.step("ask").set("ahead", "(or (ahead x y) (and (= y w) (listed x)))"),
    ),
    twin(
        "one who leaves, and stays in the line",
        "who has gone is not listed",
        "ask lock close wait open free expire lock close leave",
        |it| it.step("leave").keep("listed"),
    ),
    twin("a lock for nothing", "who has the lock of an event has something to do", "lock", |it| {
        it.step("lock").guard = "(= turn Unlocked)".to_owned();
    }),
    twin(
        "a word that is not closed",
        "who decides of an event has closed its word",
        "ask lock close",
        |it| it.step("close").keep("closed"),
    ),
    twin(
        "a word that is opened over the line",
        "the word of an event is closed while somebody waits",
        "ask lock close wait open",
        |it| {
            it.step("open").set("closed", "false");
            it.step("open").set("open", "behind");
        },
    ),
    twin(
        "a word that stays closed",
        "the word of an event is open again when nobody waits",
        "ask set lock close enter open",
        |it| it.step("open").keep("closed"),
    ),
];
