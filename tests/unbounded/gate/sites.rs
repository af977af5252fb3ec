//! The places in the code that the steps stand for.

use crate::sites::{Acts, File};

/// What a function does with what others may see.
pub(crate) const ACTS: Acts = &[
    "self.is_set = ",
    ".grant_all()",
    ".leave(",
    ".come(",
    ".open()",
    "Word::open(",
    ".is_above_zero()",
    ".lock()",
    ".step(",
    "word.set(",
    ".tell_all()",
    ".set()",
    ".clear()",
    ".pass()",
    ".block(",
    "place.poll(",
    "Waiter::notify",
];

/// What waits and takes the lock is that of the line, whose sites these steps have.
pub(crate) const OF_THE_LINE: Acts = &["lock", "free", "ask", "look", "expire", "wait"];

pub(crate) const SITES: &[File] = &[
    (
        "primitives/gate.rs",
        ["", ""],
        &[
            ("set", "self.is_set = .grant_all()", "set-all"),
            ("clear", "self.is_set =", "clear-it"),
            ("open", "Word::open(", "open"),
            ("close", "self.is_set =", "close"),
            ("step", ".is_above_zero()", "pass"),
            ("come", ".come(", "come stay"),
            ("leave", ".leave(", "leave"),
        ],
    ),
    (
        "primitives/event.rs",
        ["", ""],
        &[
            ("set", ".step( word.set( .tell_all()", "set set-closed"),
            ("tell_all", ".lock() .set() Waiter::notify", "set-all tell"),
            ("clear", ".step( word.set( .lock() .clear()", "clear clear-closed clear-it"),
            ("is_set", ".pass()", "pass enter"),
            ("wait", ".block(", ""),
            ("wait_timeout", ".block(", ""),
            ("wait_deadline", ".block(", ""),
            ("block", ".block(", "pass"),
            ("poll", "place.poll(", "come-open"),
        ],
    ),
];
