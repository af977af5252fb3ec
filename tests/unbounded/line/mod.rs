//! Permits, the word and the line of those who wait for one, for any number of both.
//!
//! `W` is one who takes a permit, waits for it if he has to, and gives it back or leaves; `P` is a permit. Whoever passes or
//! gives tries one step of the word. If that is closed he takes the lock, closes the word, decides, opens the word, unless
//! somebody stands in the line, and frees the lock: steps between which others step. A lock or semaphore is any number of
//! permits, which are there from the beginning, or are brought. Whoever adds some brings them, and gives each back as whoever
//! has one does; that they are several under one lock is that nobody steps between. Whoever forgets one has it no more, and it is
//! there no more.

mod lemmas;
mod sites;
mod twins;

use settled::machine::State;

pub(crate) use self::sites::{ACTS, SITES};
use crate::{
    lock::{ANYBODY, of_one, the_lock},
    system::{Protocol, Step, System, Var, step, var},
};

pub(crate) const LINE: Protocol = Protocol { shipped, lemmas: lemmas::LEMMAS, twins: twins::TWINS };

/// What one is about to do: try the word; take the lock to enter, to come, to leave or to give back; or nothing, while he
/// waits or has his permit.
const PHASES: &str = "(Idle) (Entering) (Waiting) (Coming) (Leaving) (Having) (Giving) (Over)";

/// What is to be done by whoever has the lock. Who is in the line; who has a permit, or has one granted; and what is free.
const WORDS: &str = "(declare-sort P 0)
(declare-datatypes ((Turn 0)) (((Unlocked) (Taken) (Deciding) (Opening) (Freeing))))
(define-fun stands ((f Phase)) Bool (or (= f Waiting) (= f Coming) (= f Leaving)))
(define-fun wants ((f Phase)) Bool (or (= f Entering) (= f Coming) (= f Leaving) (= f Giving)))
(define-fun has ((f Phase) (l Bool)) Bool (or (= f Having) (= f Giving) (and (stands f) (not l))))
(define-fun free ((c Bool) (i Bool) (b Bool)) Bool (ite c b i))";

const VARS: &[Var] = &[
    Var { name: "some", of: &[], is: "P", first: None },
    // Whose step is next, if he has the lock, and which permit whoever passes would have: any.
    var("turn", &[], "Turn", "Unlocked"),
    Var { name: "nobody", of: &[], is: "W", first: None },
    var("owner", &[], "W", "nobody.0"),
    var("chosen", &[], "P", "some.0"),
    // Which permits there are.
    Var { name: "there", of: &["P"], is: "Bool", first: None },
    // The word: whether it is closed, and what it says; and what is free behind it.
    var("closed", &[], "Bool", "false"),
    var("open", &["P"], "Bool", "(there.0 x)"),
    var("behind", &["P"], "Bool", "false"),
    // Of one who waits: what he is about to do; whether he is listed, and before whom; whether he was granted one in the line,
    // is to be told, and is told.
    var("phase", &["W"], "Phase", "Idle"),
    var("listed", &["W"], "Bool", "false"),
    var("ahead", &["W", "W"], "Bool", "false"),
    var("granted", &["W"], "Bool", "false"),
    var("owed", &["W"], "Bool", "false"),
    var("token", &["W"], "Bool", "false"),
    var("permit", &["W"], "P", "some.0"),
    // Seen only by the lemmas: who had it last; whether somebody went on beside one who waits.
    var("last", &["P"], "W", "nobody.0"),
    var("overtaken", &[], "Bool", "false"),
];

fn shipped() -> System {
    let mut steps = by_the_word();
    steps.extend(the_lock(
        ["(open x)", "(behind x)"],
        ["pass ask", "pass ask lock", "pass ask lock close wait", "pass ask lock close wait open"],
    ));
    steps.extend(deciding());
    steps.extend(telling());
    steps.extend(adding());
    System {
        table: Box::new(State::on),
        vars: VARS,
        phases: PHASES.to_owned(),
        words: WORDS,
        steps,
    }
}

/// Steps after which one waits, and after which he was granted a permit and looks.
const WAITS: &str = "pass ask lock close wait open free";
const LOOKS: &str = "pass ask lock close wait open free look lock close";
const LEAVES: &str = "pass ask lock close wait open free expire lock close";
const GRANTED: &str = "pass ask lock close wait open free ask lock close wait open free \
    give-closed lock close grant open free look lock close";

/// Whoever has the lock has a permit that he gives back, or was granted one, and leaves.
const GIVES: &str =
    "(or (= (phase owner) Giving) (and (= (phase owner) Leaving) (not (listed owner))))";

/// This one has the permit that was chosen.
fn takes(step: &mut Step) {
    step.put("phase", "Having");
    step.put("permit", "chosen");
    step.set("last", "(ite (= x chosen) w (last x))");
    step.set("overtaken", &format!("(or overtaken {ANYBODY})"));
}

fn by_the_word() -> Vec<Step> {
    let mut choose = step("choose", Some("P"), "", "true", &[]);
    choose.set("chosen", "p");
    let mut pass = of_one("pass", "", "(and (= (phase w) Idle) (not closed) (open chosen))", &[]);
    takes(&mut pass);
    pass.set("open", "(and (open x) (distinct x chosen))");
    let mut give =
        of_one("give", "pass", "(and (= (phase w) Having) (not closed))", &[("phase", "Over")]);
    give.set("open", "(or (open x) (= x (permit w)))");
    vec![
        choose,
        pass,
        of_one(
            "ask",
            "choose pass",
            "(and (= (phase w) Idle) (or closed (not (exists ((q P)) (open q)))))",
            &[("phase", "Entering")],
        ),
        give,
        of_one(
            "give-closed",
            "pass ask lock close",
            "(and (= (phase w) Having) closed)",
            &[("phase", "Giving")],
        ),
        // Whoever waits looks, or leaves, at any time.
        of_one(
            "come-open",
            "pass ask lock close wait open free give-closed lock close grant open",
            "(and (= (phase w) Waiting) (not closed))",
            &[("phase", "Having"), ("token", "false")],
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
    let mut enter =
        decides("enter", "pass ask give lock close", "(= (phase w) Entering) (behind chosen)", &[]);
    takes(&mut enter);
    enter.set("behind", "(and (behind x) (distinct x chosen))");
    let mut wait = decides(
        "wait",
        "pass ask lock close",
        "(= (phase w) Entering) (not (exists ((q P)) (behind q)))",
        &[("phase", "Waiting"), ("listed", "true")],
    );
    wait.set("ahead", "(or (ahead x y) (and (= y w) (listed x)))");
    let mut frees = decides(
        "give-back",
        "pass ask lock close wait open free give-closed expire lock close leave open free lock close",
        &format!("{GIVES} (not {ANYBODY})"),
        &[("phase", "Over")],
    );
    frees.set("behind", "(or (behind x) (= x (permit w)))");
    vec![
        enter,
        wait,
        grant(),
        frees,
        decides("come", GRANTED, "(= (phase w) Coming) (not (listed w))", &[("phase", "Having")]),
        decides("stay", LOOKS, "(= (phase w) Coming) (listed w)", &[("phase", "Waiting")]),
        decides(
            "leave",
            LEAVES,
            "(= (phase w) Leaving) (listed w)",
            &[("phase", "Over"), ("listed", "false")],
        ),
    ]
}

/// Who has the lock gives what he had to the first who is listed, whose step this is.
fn grant() -> Step {
    let guard = format!(
        "(and (= turn Deciding) {GIVES} (listed w) (not (exists ((u W)) (and (listed u) (ahead u w)))))"
    );
    let mut grant = of_one(
        "grant",
        "pass ask lock close wait open free give-closed lock close",
        &guard,
        &[("listed", "false"), ("granted", "true"), ("owed", "true"), ("permit", "(permit owner)")],
    );
    grant.set("phase", "(ite (= x owner) Over (phase x))");
    grant.set("last", "(ite (= x (permit owner)) w (last x))");
    grant.set("turn", "Opening");
    grant
}

/// Whoever was granted one is told.
fn telling() -> Vec<Step> {
    vec![of_one(
        "tell",
        "pass ask lock close wait open free give-closed lock close grant",
        "(owed w)",
        &[("owed", "false"), ("token", "true")],
    )]
}

/// One more is brought, by one who then gives it back; and one is gone for good.
fn adding() -> Vec<Step> {
    let guard = "(and (= (phase w) Idle) (not (there chosen)))";
    let mut bring = of_one("bring", "", guard, &[("phase", "Having"), ("permit", "chosen")]);
    bring.set("there", "(or (there x) (= x chosen))");
    bring.set("last", "(ite (= x chosen) w (last x))");
    let mut forget = of_one("forget", "pass", "(= (phase w) Having)", &[("phase", "Over")]);
    forget.set("there", "(and (there x) (distinct x (permit w)))");
    vec![bring, forget]
}
