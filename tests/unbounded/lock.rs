//! The lock of a primitive and its word, which `line` and `gate` have: whoever takes the lock closes the word first of all, and
//! opens it last of all, unless somebody stands in the line.

use crate::system::{Step, step};

pub(crate) const ANYBODY: &str = "(exists ((u W)) (listed u))";

pub(crate) fn of_one(
    name: &'static str,
    after: &'static str,
    guard: &str,
    puts: &[(&'static str, &str)],
) -> Step {
    step(name, Some("W"), after, guard, puts)
}

/// Takes the lock, closes the word, opens it and frees the lock, where this is what the word says and what is so behind it;
/// each after these steps.
pub(crate) fn the_lock([says, behind]: [&str; 2], after: [&'static str; 4]) -> Vec<Step> {
    let [asked, locked, decided, opened] = after;
    let mut lock = of_one("lock", asked, "(and (= turn Unlocked) (wants (phase w)))", &[]);
    lock.set("turn", "Taken");
    lock.set("owner", "w");
    let mut close = step("close", None, locked, "(= turn Taken)", &[]);
    close.set("behind", &format!("(ite closed {behind} {says})"));
    close.set("closed", "true");
    close.set("turn", "Deciding");
    let mut open = step("open", None, decided, "(= turn Opening)", &[]);
    open.set("open", &format!("(ite {ANYBODY} {says} {behind})"));
    open.set("closed", ANYBODY);
    open.set("turn", "Freeing");
    let mut free = step("free", None, opened, "(= turn Freeing)", &[]);
    free.set("turn", "Unlocked");
    vec![lock, close, open, free]
}
