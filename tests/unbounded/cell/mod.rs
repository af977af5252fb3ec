//! The protocol of one cell, for any number of waiters and callbacks.
//!
//! A step is what the code does under one lock, or a look at the clock; `sites.rs` says where. Whatever two steps may be
//! taken, by the settler, a waiter, one who registers or the clock, either may come first. `W` is one call of
//! `park_until`, or one await of a task; `C` is one callback. Both are sorts without bound.

mod lemmas;
pub(crate) mod tables;
mod twins;

use settled::machine::State;

use crate::system::{Protocol, Step, System, Var, given, step, var};

pub(crate) const CELL: Protocol = Protocol { shipped, lemmas: lemmas::LEMMAS, twins: twins::TWINS };

fn shipped() -> System {
    let mut steps = settling();
    steps.extend(registering());
    steps.extend(threads());
    steps.extend(parked());
    steps.extend(tasks());
    steps.extend(callbacks());
    steps.push(clear());
    System {
        table: Box::new(State::on),
        vars: VARS,
        phases: PHASES.to_owned(),
        words: WORDS,
        steps,
    }
}

/// What a waiter is about to do.
///
/// A thread: look at the clock, then at the state (`Fresh`, or `Late` if its deadline has passed), then leave, and look
/// once more if it was told (`Checking`), or park; it sleeps inside of that. Woken, one who takes leaves (`Woken`) and
/// registers anew (`Again`). A task: ask whether it is registered, leave, register; it is `Asleep` between its polls.
const PHASES: &str = "(Idle) (Looking) (Fresh) (Late) (Leaving) (Checking) (Parking) (Asleep) (Woken) (Again) \
                                 (Polling) (Moving) (Outside) (Settled) (Expired) (Gone)";

/// Whether one in this phase waits; and whether what it waits for is so: a taker waits until callbacks are lent nothing.
const WORDS: &str =
    "(define-fun waits ((p Phase) (task Bool)) Bool (or (= p Asleep) (and (not task)
  (or (= p Looking) (= p Fresh) (= p Late) (= p Leaving) (= p Parking)))))
(define-fun enough ((s State) (lent Bool) (taker Bool)) Bool
  (and (settled s) (not (and taker lent))))";

const VARS: &[Var] = &[
    var("state", &[], "State", "Pending"),
    var("slot", &[], "Bool", "false"),
    // Seen only by the lemmas: the state in which the slot was written, and whether it was written again.
    var("outcome", &[], "State", "Pending"),
    var("rewritten", &[], "Bool", "false"),
    // Whether callbacks are lent the outcome; and whether the producer lends it, until all have returned that were
    // registered before it settled.
    var("lent", &[], "Bool", "false"),
    var("lending", &[], "Bool", "false"),
    // Seen only by the lemmas: it is settled, and nobody has been lent it at some moment since.
    var("free", &[], "Bool", "false"),
    // The waiters: whether it is a task, whether it has a deadline, and whether it waits for the callbacks too.
    given("task", &["W"]),
    given("timed", &["W"]),
    given("taker", &["W"]),
    var("phase", &["W"], "Phase", "Idle"),
    var("over", &["W"], "Bool", "false"),
    // In the cell's list, and before whom; in the settler's list; told of the settlement.
    var("listed", &["W"], "Bool", "false"),
    var("ahead", &["W", "W"], "Bool", "false"),
    var("owed", &["W"], "Bool", "false"),
    var("told", &["W"], "Bool", "false"),
    // A thread's token, or that its task is to be polled; and that its condition variable is to be notified.
    var("token", &["W"], "Bool", "false"),
    var("ring", &["W"], "Bool", "false"),
    // Seen only by the lemmas: told again; answered that it has expired, of what was so.
    var("twice", &["W"], "Bool", "false"),
    var("lied", &["W"], "Bool", "false"),
    // The callbacks: registered; in the cell's list, and before whom; taken out by the settler; to be called at once by
    // the one who registered it; called; and not returned.
    var("registered", &["C"], "Bool", "false"),
    var("queued", &["C"], "Bool", "false"),
    var("before", &["C", "C"], "Bool", "false"),
    var("due", &["C"], "Bool", "false"),
    var("late", &["C"], "Bool", "false"),
    var("called", &["C"], "Bool", "false"),
    var("running", &["C"], "Bool", "false"),
    // It came late, and is lent a handle until it has been called later and has returned.
    var("lends", &["C"], "Bool", "false"),
    // Taken out, to be dropped uncalled.
    var("cleared", &["C"], "Bool", "false"),
    // Seen only by the lemmas: it came to be queued, and was not dropped; it was called again.
    var("inline", &["C"], "Bool", "false"),
    var("again", &["C"], "Bool", "false"),
];

/// The first of those who are owed.
const FIRST_OWED: &str = "(and (owed w) (forall ((u W)) (=> (owed u) (not (ahead u w)))))";

/// Whoever is owed was told, and the callback is the first of those that are due.
const FIRST_DUE: &str =
    "(and (due c) (not (exists ((u W)) (owed u))) (not (exists ((u C)) (running u)))
    (forall ((u C)) (=> (due u) (not (before u c)))))";

/// The producer lends the outcome, and every callback that it was for has returned.
const LENT_TO_NOBODY: &str = "(and lending (not (exists ((u C)) (or (due u) (running u)))))";

/// Ends a lending: if it is the last, those who take are owed to be told.
fn end_of_lending(step: &mut Step, goes_on: &str) {
    step.set("lent", goes_on);
    step.set("free", &format!("(or free (not {goes_on}))"));
    step.set("owed", &format!("(or (owed x) (and (listed x) (not {goes_on})))"));
    step.set("listed", &format!("(and (listed x) {goes_on})"));
}

/// What the producer and the cancellers do, and the settler after that.
fn settling() -> Vec<Step> {
    let mut steps = Vec::new();
    let events = [
        ("start", "Start"),
        ("finish", "Finish"),
        ("stop", "Cancel"),
        ("cancel", "Cancel"),
        ("abandon", "Abandon"),
    ];
    for (name, event) in events {
        let mut it = step(name, None, "", &format!("((_ is To) (on state {event}))"), &[]);
        it.set("state", &format!("(to (on state {event}))"));
        if name != "start" {
            it.set("slot", "true");
            it.set("rewritten", "(or rewritten slot)");
            it.set("outcome", &format!("(ite slot outcome (to (on state {event})))"));
            // A canceller lends a handle of its own, and a cancellation is given to each.
            let lends = if name == "cancel" { "false" } else { "(exists ((u C)) (queued u))" };
            it.set("lent", &format!("(or lent {lends})"));
            it.set("lending", &format!("(or lending {lends})"));
            it.set("free", &format!("(or free (not {lends}))"));
            it.set(
                "owed",
                &format!("(or (owed x) (and (listed x) (not (and (taker x) {lends}))))"),
            );
            it.set("listed", &format!("(and (listed x) (taker x) {lends})"));
            it.set("due", "(or (due x) (queued x))");
            it.set("queued", "false");
        }
        steps.push(it);
    }
    let waiter = Some("W");
    steps.push(step(
        "tell",
        waiter,
        "register finish",
        FIRST_OWED,
        &[
            ("owed", "false"),
            ("twice", "(or (twice x) (told x))"),
            ("told", "true"),
            ("token", "true"),
            ("ring", "(or (ring x) (not (task x)))"),
        ],
    ));
    let woken = "(ite (= (phase x) Asleep) Parking (phase x))";
    let ring = [("ring", "false"), ("phase", woken)];
    steps.push(step("ring", waiter, "register clock look sleep finish tell", "(ring w)", &ring));
    steps
}

/// A waiter enters the list, or finds the future settled.
fn registering() -> [Step; 2] {
    let begins = "(ite (task w) (= (phase w) Outside) (or (= (phase w) Idle) (= (phase w) Again)))";
    let (early, late) = (
        format!("(and (not (enough state lent (taker w))) {begins})"),
        format!("(and (enough state lent (taker w)) {begins})"),
    );
    let place = [("listed", "true"), ("phase", "(ite (task x) Asleep Looking)")];
    let mut register = step("register", Some("W"), "", &early, &place);
    register.set(
        "ahead",
        "(ite (= y w) (and (listed x) (distinct x w)) (and (distinct x w) (ahead x y)))",
    );
    [register, step("register-late", Some("W"), "finish", &late, &[("phase", "Settled")])]
}

/// A thread that looks and leaves, and the clock.
fn threads() -> Vec<Step> {
    let step = |name, after, guard: &str, puts: &[_]| step(name, Some("W"), after, guard, puts);
    let looked =
        "(ite (enough state lent (taker x)) Settled (ite (= (phase x) Late) Leaving Parking))";
    vec![
        step("expire", "register", "(and (timed w) (not (over w)))", &[("over", "true")]),
        step(
            "clock",
            "register",
            "(= (phase w) Looking)",
            &[("phase", "(ite (over x) Late Fresh)")],
        ),
        step(
            "look",
            "register clock",
            "(or (= (phase w) Fresh) (= (phase w) Late))",
            &[("phase", looked)],
        ),
        step(
            "deregister",
            "register expire clock look",
            "(= (phase w) Leaving)",
            &[
                ("lied", "(or (lied x) (and (listed x) (enough state lent (taker x))))"),
                ("phase", "(ite (listed x) Expired Checking)"),
                ("listed", "false"),
            ],
        ),
        step(
            "check",
            "register expire clock look finish deregister",
            "(= (phase w) Checking)",
            &[("phase", "(ite (enough state lent (taker x)) Settled Expired)")],
        ),
    ]
}

/// A thread that parks, and what it does when it is woken.
fn parked() -> Vec<Step> {
    let step = |name, after, guard: &str, puts: &[_]| step(name, Some("W"), after, guard, puts);
    let asleep = "(= (phase w) Asleep) (not (task w))";
    vec![
        step(
            "sleep",
            "register clock look",
            "(and (= (phase w) Parking) (not (token w)))",
            &[("phase", "Asleep")],
        ),
        step(
            "take",
            "register clock look finish tell",
            "(and (= (phase w) Parking) (or (token w) (over w)))",
            &[("token", "false"), ("phase", "(ite (taker x) Woken Looking)")],
        ),
        step(
            "leave",
            "register clock look expire take",
            "(= (phase w) Woken)",
            &[("listed", "false"), ("phase", "Again")],
        ),
        step(
            "spurious",
            "register clock look sleep",
            &format!("(and {asleep})"),
            &[("phase", "Parking")],
        ),
        step(
            "time-out",
            "register clock look sleep expire",
            &format!("(and {asleep} (over w))"),
            &[("phase", "Parking")],
        ),
    ]
}

/// A task that awaits: each poll asks whether it is registered with the same waker, and registers anew if not.
fn tasks() -> Vec<Step> {
    let step = |name, after, guard: &str, puts: &[_]| step(name, Some("W"), after, guard, puts);
    vec![
        step(
            "poll",
            "",
            "(and (task w) (or (= (phase w) Idle) (= (phase w) Asleep)))",
            &[("token", "false"), ("phase", "Polling")],
        ),
        step(
            "stay",
            "poll move give-up register poll",
            "(and (= (phase w) Polling) (listed w))",
            &[("phase", "Asleep")],
        ),
        step("move", "poll", "(= (phase w) Polling)", &[("phase", "Moving")]),
        step(
            "give-up",
            "poll move",
            "(= (phase w) Moving)",
            &[("listed", "false"), ("phase", "Outside")],
        ),
        step(
            "drop",
            "poll move give-up register",
            "(and (task w) (= (phase w) Asleep))",
            &[("listed", "false"), ("phase", "Gone")],
        ),
    ]
}

/// The callbacks that are registered are taken out, to be dropped uncalled.
fn clear() -> Step {
    let mut clear = step("clear", None, "register-callback", "true", &[]);
    clear.set("cleared", "(or (cleared x) (queued x))");
    clear.set("inline", "(and (inline x) (not (queued x)))");
    clear.set("before", "(and (before x y) (not (or (queued x) (queued y))))");
    clear.set("queued", "false");
    clear
}

/// A callback, its registration and its call.
fn callbacks() -> Vec<Step> {
    let step = |name, after, guard: &str, puts: &[_]| step(name, Some("C"), after, guard, puts);
    let mut register = step(
        "register-callback",
        "",
        "(and (not (settled state)) (not (registered c)))",
        &[("registered", "true"), ("queued", "true"), ("inline", "true")],
    );
    register.set(
        "before",
        "(ite (= y c) (and (queued x) (distinct x c)) (and (distinct x c) (before x y)))",
    );
    let mut give_back =
        step("give-back", "register-callback finish call return", LENT_TO_NOBODY, &[]);
    give_back.set("lending", "false");
    end_of_lending(&mut give_back, "(exists ((u C)) (lends u))");
    let lends = [("lends", "true")];
    let mut lend = step("lend-late", "finish register-callback-late", "(late c)", &lends);
    lend.set("lent", "true");
    let mut return_late = step(
        "return-late",
        "finish register-callback-late lend-late call-late",
        "(and (lends c) (called c))",
        &[("lends", "false")],
    );
    end_of_lending(
        &mut return_late,
        "(or lending (exists ((u C)) (and (lends u) (distinct u c))))",
    );
    let called = [("again", "(or (again x) (called x))"), ("called", "true")];
    let [again, call] = called;
    vec![
        register,
        step(
            "register-callback-late",
            "finish",
            "(and (settled state) (not (registered c)))",
            &[("registered", "true"), ("late", "true")],
        ),
        step(
            "call",
            "register-callback finish",
            FIRST_DUE,
            &[("due", "false"), again, call, ("running", "true")],
        ),
        step("return", "register-callback finish call", "(running c)", &[("running", "false")]),
        give_back,
        lend,
        return_late,
        step(
            "call-late",
            "finish register-callback-late",
            "(late c)",
            &[("late", "false"), again, call],
        ),
    ]
}
