//! An event, its word and the line of those who wait for it, for any number of those and of those who set and clear it.
//!
//! `W` is one who waits for it, if he has to, and goes on or leaves, or one who sets or clears it, each once. The word and the
//! lock are those of `line`, and so are their sites in the code.

mod lemmas;
mod sites;
mod twins;

use settled::machine::State;

pub(crate) use self::sites::{ACTS, OF_THE_LINE, SITES};
use crate::{
    lock::{of_one, the_lock},
    system::{Protocol, Step, System, Var, var},
};

pub(crate) const GATE: Protocol = Protocol { shipped, lemmas: lemmas::LEMMAS, twins: twins::TWINS };

/// What one is about to do: try the word; take the lock to enter, to come, to leave, to set or to clear; or nothing, while he
/// waits, has gone on, or is through with it.
const PHASES: &str =
    "(Idle) (Entering) (Waiting) (Coming) (Leaving) (Setting) (Clearing) (On) (Over)";

/// What is to be done by whoever has the lock. Who is in the line; and what it says.
const WORDS: &str = "(declare-datatypes ((Turn 0)) (((Unlocked) (Taken) (Deciding) (Opening) (Freeing))))
(define-fun stands ((f Phase)) Bool (or (= f Waiting) (= f Coming) (= f Leaving)))
(define-fun wants ((f Phase)) Bool (or (= f Entering) (= f Coming) (= f Leaving) (= f Setting) (= f Clearing)))
(define-fun says ((c Bool) (i Bool) (b Bool)) Bool (ite c b i))";

const VARS: &[Var] = &[
    var("turn", &[], "Turn", "Unlocked"),
    Var { name: "nobody", of: &[], is: "W", first: None },
    var("owner", &[], "W", "nobody.0"),
    // The word: whether it is closed, and whether it says that it is set; and what is so behind it.
    var("closed", &[], "Bool", "false"),
    var("open", &[], "Bool", "false"),
    var("behind", &[], "Bool", "false"),
    // Of one who waits: what he is about to do; whether he is listed, and before whom; whether it was set while he was, who did
    // that, whether he is to be told, and is told.
    var("phase", &["W"], "Phase", "Idle"),
    var("listed", &["W"], "Bool", "false"),
    var("ahead", &["W", "W"], "Bool", "false"),
    var("granted", &["W"], "Bool", "false"),
    var("by", &["W"], "W", "nobody.0"),
    var("owed", &["W"], "Bool", "false"),
    var("token", &["W"], "Bool", "false"),
    // Seen only by the lemmas: whether it was set at a moment since he came.
    var("saw", &["W"], "Bool", "false"),
];

/// Nobody is to be told before him by whoever tells him.
const FIRST: &str = "(not (exists ((u W)) (and (owed u) (= (by u) (by w)) (ahead u w))))";

/// Steps after which one waits, and after which it is set.
const WAITS: &str = "ask lock close wait open free";
const SETS: &str = "ask lock close wait open free set-closed lock close set-all";

fn shipped() -> System {
    let mut steps = by_the_word();
    steps.extend(the_lock(
        ["open", "behind"],
        ["ask", "ask lock", "ask lock close wait", "ask lock close wait open"],
    ));
    steps.extend(deciding());
    steps.push(of_one(
        "tell",
        SETS,
        &format!("(and (owed w) {FIRST})"),
        &[("owed", "false"), ("token", "true")],
    ));
    System {
        table: Box::new(State::on),
        vars: VARS,
        phases: PHASES.to_owned(),
        words: WORDS,
        steps,
    }
}

fn by_the_word() -> Vec<Step> {
    let idle = |name, after, what: &str, puts: &[_]| {
        of_one(name, after, &format!("(and (= (phase w) Idle) {what})"), puts)
    };
    let mut set = idle("set", "", "(not closed)", &[("phase", "Over")]);
    set.set("open", "true");
    let mut clear = idle("clear", "set", "(not closed)", &[("phase", "Over")]);
    clear.set("open", "false");
    vec![
        idle("pass", "set", "(not closed) open", &[("phase", "On"), ("saw", "true")]),
        idle("ask", "", "(or closed (not open))", &[("phase", "Entering")]),
        set,
        idle("set-closed", WAITS, "closed", &[("phase", "Setting")]),
        clear,
        idle("clear-closed", WAITS, "closed", &[("phase", "Clearing")]),
        // Whoever waits looks, or leaves, at any time.
        of_one(
            "come-open",
            "ask lock close wait open free set-closed lock close set-all open",
            "(and (= (phase w) Waiting) (not closed))",
            &[("phase", "On"), ("token", "false")],
        ),
        of_one(
            "look",
            WAITS,
            "(and (= (phase w) Waiting) closed)",
            &[("phase", "Coming"), ("token", "false")],
        ),
        of_one("expire", WAITS, "(= (phase w) Waiting)", &[("phase", "Leaving")]),
    ]
}

/// What whoever has the lock decides.
fn deciding() -> Vec<Step> {
    let decides = |name, after, what: &str, puts: &[_]| {
        let guard = format!("(and (= turn Deciding) (= w owner) {what})");
        let mut step = of_one(name, after, &guard, puts);
        step.set("turn", "Opening");
        step
    };
    let enter = [("phase", "On"), ("saw", "true")];
    let mut wait = decides(
        "wait",
        "ask lock close",
        "(= (phase w) Entering) (not behind)",
        &[("phase", "Waiting"), ("listed", "true")],
    );
    wait.set("ahead", "(or (ahead x y) (and (= y w) (listed x)))");
    let mut set = decides(
        "set-all",
        "ask lock close wait open free set-closed lock close",
        "(= (phase w) Setting)",
        &[("phase", "Over")],
    );
    set.set("behind", "true");
    set.set("granted", "(or (granted x) (listed x))");
    set.set("owed", "(or (owed x) (listed x))");
    set.set("saw", "(or (saw x) (listed x))");
    set.set("by", "(ite (listed x) w (by x))");
    set.set("listed", "false");
    let mut clear = decides(
        "clear-it",
        "ask lock close wait open free clear-closed lock close",
        "(= (phase w) Clearing)",
        &[("phase", "Over")],
    );
    clear.set("behind", "false");
    let looks = "ask lock close wait open free look lock close";
    let comes =
        "ask lock close wait open free look set-closed lock close set-all open free lock close";
    let leaves = "ask lock close wait open free expire lock close";
    vec![
        decides("enter", "ask set lock close", "(= (phase w) Entering) behind", &enter),
        wait,
        set,
        clear,
        decides("come", comes, "(= (phase w) Coming) (not (listed w))", &[("phase", "On")]),
        decides("stay", looks, "(= (phase w) Coming) (listed w)", &[("phase", "Waiting")]),
        // Whoever leaves has nothing to hand on.
        decides(
            "leave",
            leaves,
            "(= (phase w) Leaving)",
            &[("phase", "Over"), ("listed", "false")],
        ),
    ]
}
