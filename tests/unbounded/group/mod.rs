//! `wait` for several futures, for any number of them.
//!
//! `F` is a future, in a cell of its own: what happens to it there is `super::cell`'s. One thread waits, for one of them
//! or for `all`; `as_completed` uses the inbox as one who waits for one. The code counts who was told; here it is asked
//! who was: which is the same, as each is told of at most once and nobody else is.

mod lemmas;
mod twins;

use settled::machine::State;

use crate::system::{Protocol, Step, System, Var, given, step, var};

pub(crate) const GROUP: Protocol =
    Protocol { shipped, lemmas: lemmas::LEMMAS, twins: twins::TWINS };

/// What the thread is about to do: register; take what the inbox has; see whether that is enough; look at the clock, and
/// then at the inbox (`Fresh`, or `Late` if its deadline has passed); sleep, or look again as it wakes; leave.
const PHASES: &str = "(Registering) (Looking) (Deciding) (Counting) (Fresh) (Late) (Entering) (Asleep) (Woken) (Parting)";

const VARS: &[Var] = &[
    given("all", &[]),
    given("timed", &[]),
    var("phase", &[], "Phase", "Registering"),
    var("over", &[], "Bool", "false"),
    // Of the inbox: that somebody sleeps, and is to be woken when there are enough; that he is.
    var("wanted", &[], "Bool", "false"),
    var("ring", &[], "Bool", "false"),
    // Of a future: asked for; settled; listed in its cell, and that the group knows it; in the settler's list; in the
    // inbox; taken from there.
    var("asked", &["F"], "Bool", "false"),
    var("ended", &["F"], "Bool", "false"),
    var("listed", &["F"], "Bool", "false"),
    var("ticket", &["F"], "Bool", "false"),
    var("owed", &["F"], "Bool", "false"),
    var("told", &["F"], "Bool", "false"),
    var("heard", &["F"], "Bool", "false"),
    // What the call answers of it.
    var("parted", &["F"], "Bool", "false"),
    var("done", &["F"], "Bool", "false"),
    // Seen only by the lemmas: told again; answered to be not done, and not found so.
    var("twice", &["F"], "Bool", "false"),
    var("lied", &["F"], "Bool", "false"),
];

/// Whether those that are so are as many as the thread sleeps for.
macro_rules! enough {
    ($so:literal) => {
        concat!(
            "(ite all (forall ((u F)) (=> (and (asked u) (not (heard u))) (",
            $so,
            " u))) (exists ((u F)) (and (asked u) (not (heard u)) (",
            $so,
            " u))))"
        )
    };
}
pub(crate) use enough;

fn shipped() -> System {
    let mut steps = telling();
    steps.extend(deciding());
    steps.extend(sleeping());
    System { table: Box::new(State::on), vars: VARS, phases: PHASES.to_owned(), words: "", steps }
}

/// A step of the thread, which is one.
fn thread(
    name: &'static str,
    after: &'static str,
    guard: &str,
    sets: &[(&'static str, &str)],
) -> Step {
    let mut step = step(name, None, after, guard, &[]);
    sets.iter().for_each(|(var, value)| step.set(var, value));
    step
}

/// A future settles, and tells; the thread registers with it and leaves it.
fn telling() -> Vec<Step> {
    let step = |name, after, guard: &str, puts: &[_]| step(name, Some("F"), after, guard, puts);
    let settle = [("ended", "true"), ("owed", "(listed x)"), ("listed", "false")];
    let ask = [
        ("asked", "true"),
        ("told", "(ended x)"),
        ("listed", "(not (ended x))"),
        ("ticket", "(not (ended x))"),
    ];
    let mut tell = step(
        "tell",
        "ask settle",
        "(owed f)",
        &[("owed", "false"), ("twice", "(or (twice x) (told x) (heard x))"), ("told", "true")],
    );
    tell.set(
        "ring",
        "(or ring (and wanted (or (not all) (forall ((u F))
            (=> (and (asked u) (not (heard u))) (or (told u) (= u f)))))))",
    );
    // It is left if it was in its list still; otherwise it has settled.
    let left = "(and (ticket x) (listed x))";
    let part = [
        ("parted", "true"),
        ("done", &*format!("(and (ended x) (not {left}))")),
        ("lied", &*format!("(distinct (ended x) (not {left}))")),
        ("listed", "false"),
        ("ticket", "false"),
    ];
    vec![
        step("settle", "", "(not (ended f))", &settle),
        step("ask", "", "(and (= phase Registering) (not (asked f)))", &ask),
        tell,
        step(
            "part",
            "ask begin take go-on expire clock count",
            "(and (= phase Parting) (asked f) (not (parted f)))",
            &part,
        ),
    ]
}

/// The thread takes what the inbox has, and sees whether that is enough. Whether a failure is, is left open.
fn deciding() -> Vec<Step> {
    let is_left = "(exists ((u F)) (and (asked u) (not (heard u))))";
    let stops = format!("(or (not {is_left}) (and (not all) (exists ((u F)) (heard u))))");
    let mut take = thread("take", "begin", "(= phase Looking)", &[("phase", "Deciding")]);
    take.set("heard", "(or (heard x) (told x))");
    take.set("ticket", "(and (ticket x) (not (told x)))");
    take.set("told", "false");
    vec![
        thread("begin", "", "(= phase Registering)", &[("phase", "Looking")]),
        take,
        thread(
            "go-on",
            "ask begin take",
            &format!("(and (= phase Deciding) {is_left})"),
            &[("phase", "Counting")],
        ),
        thread(
            "stop",
            "begin take",
            &format!("(and (= phase Deciding) {stops})"),
            &[("phase", "Parting")],
        ),
    ]
}

/// The thread sleeps until there are enough in the inbox, or its time is over.
fn sleeping() -> Vec<Step> {
    let awake = "(or (= phase Entering) (= phase Woken))";
    let enough = enough!("told");
    vec![
        thread("expire", "", "(and timed (not over))", &[("over", "true")]),
        thread(
            "clock",
            "ask begin take go-on",
            "(= phase Counting)",
            &[("phase", "(ite over Late Fresh)")],
        ),
        thread(
            "count",
            "ask begin take go-on clock",
            "(or (= phase Fresh) (= phase Late))",
            &[("phase", &format!("(ite {enough} Looking (ite (= phase Late) Parting Entering))"))],
        ),
        thread(
            "sleep",
            "ask begin take go-on clock count",
            &format!("(and {awake} (not {enough}) (not over))"),
            &[("phase", "Asleep"), ("wanted", "true")],
        ),
        thread(
            "return",
            "ask begin take go-on clock count expire",
            &format!("(and {awake} (or {enough} over))"),
            &[("phase", &format!("(ite {enough} Looking Parting)")), ("wanted", "false")],
        ),
        thread(
            "ring",
            "ask begin take go-on clock count sleep settle tell",
            "ring",
            &[("ring", "false"), ("phase", "(ite (= phase Asleep) Woken phase)")],
        ),
        thread(
            "spurious",
            "ask begin take go-on clock count sleep",
            "(= phase Asleep)",
            &[("phase", "Woken")],
        ),
        thread(
            "time-out",
            "ask begin take go-on clock count sleep expire",
            "(and (= phase Asleep) over)",
            &[("phase", "Woken")],
        ),
    ]
}
