//! Who may wait for ever, in each way to give permits: by a future that nobody polls, or by others who come again.
//!
//! Handed over, a permit belongs to one who has not come for it. A thread always comes. A future does not if nobody polls
//! it: the task that holds it waits for something else, and everybody behind it waits with it, for as long. If a permit is
//! not handed over but free for whoever looks first, nobody waits for such a future, as long as all who wait are told, and
//! not the first alone; but then one who comes again and again may be faster each time. A permit that is handed over, and
//! taken back when nobody has come for some time, has neither fault if whoever is polled comes in time, and both otherwise.

use settled::model::check::{self, Failure};

use super::{
    charts::{chart, compare},
    designs::Design,
    semaphore::{Clients, Does, IDLE, State, WAITS, Wrong},
};
use crate::{Row, Trials, refuted};

use Does::{Adds, Again, KeptUntil, MayLeave, On, Waits};

/// One holds the permit, a future waits that is kept, and not polled, until the third has gone on, and the third waits.
const KEPT: [Does; 3] = [Waits, KeptUntil(2), Waits];
/// One comes again and again, and another waits.
const AGAIN: [Does; 2] = [Again, Waits];
const OFTEN: [Does; 3] = [Again, Waits, Waits];

fn clients(design: Design, clients: &[Does]) -> Clients {
    Clients { design, ..Clients::new(1, 1, clients) }
}

fn hand_over(these: &[Does]) -> Clients {
    clients(Design::hand_over(1, 1), these)
}

fn barging(tells_all: bool, these: &[Does]) -> Clients {
    clients(Design::barging(1, tells_all), these)
}

/// Free for the first who waits, who is told to look.
fn in_turn(permits: usize, these: &[Does], wrong: Option<Wrong>) -> Clients {
    Clients { wrong, design: Design::in_turn(permits), ..Clients::new(permits, 2, these) }
}

/// Taken back only from one who is not polled, or from anybody at any time.
fn taken_back(in_time: bool, these: &[Does]) -> Clients {
    clients(Design::taken_back(1, in_time), these)
}

/// Whether the last client has gone on, and everybody who does not come again.
fn all_go_on(clients: &Clients, state: &State) -> bool {
    clients.clients.iter().enumerate().all(|(who, does)| *does == Again || state.is_over(who))
}

/// The row of a system in which everybody goes on.
fn goes_on(system: &str, bound: &str, model: Clients) -> Result<Row, String> {
    let states = check::ends(model, all_go_on, &[]).map_err(|it| format!("{system}: {it}"))?;
    let (system, bound) = (system.to_owned(), bound.to_owned());
    Ok(Row { system, bound, properties: 1, states, fails: None })
}

/// The row of one in which somebody waits while others go round for ever.
fn starves(system: &str, model: Clients, steps: usize) -> Result<Row, String> {
    match check::ends(model, all_go_on, &[]) {
        Err(Failure::ForEver { path, cycle }) if path.len() + cycle.len() == steps => Ok(Row {
            system: system.to_owned(),
            bound: "goes round for ever".to_owned(),
            properties: 1,
            states: 0,
            fails: Some(steps),
        }),
        Err(Failure::ForEver { path, cycle }) => {
            Err(format!("{system}: not in {steps} steps: {path:?}, for ever {cycle:?}"))
        }
        other => Err(format!("{system}: nobody starves: {other:?}")),
    }
}

fn stuck(system: &str, model: Clients, steps: usize) -> Result<Row, String> {
    refuted(system, format!("not so: {WAITS}"), model, WAITS, steps)
}

/// The runs that `spec/primitives.md` has.
fn runs() -> Result<(), String> {
    let mut text = String::new();
    let kept_by_a_loop =
        Clients { wrong: Some(Wrong::ClosedForgets), ..Clients::new(1, 1, &[Waits, On(0), Waits]) };
    for (title, model) in [
        ("D54: Handed over, with a future that nobody polls", hand_over(&KEPT)),
        (
            "D54: Free for all, the first is told, with a future that nobody polls",
            barging(false, &KEPT),
        ),
        ("D57: A loop that is closed, and keeps who waits on it", kept_by_a_loop),
    ] {
        let path = check::refute(model.clone(), WAITS)?;
        text += &chart(title, &model, &path, &[]);
    }
    for (title, model) in [
        ("D58: Free for all, with one who comes again", barging(true, &AGAIN)),
        ("D54: Taken back too soon, with one who comes again", taken_back(false, &AGAIN)),
    ] {
        let Err(Failure::ForEver { path, cycle }) = check::ends(model.clone(), all_go_on, &[])
        else {
            return Err(format!("{title}: nobody starves"));
        };
        text += &chart(title, &model, &path, &cycle);
    }
    compare(&text)
}

fn handed_over() -> Result<Vec<Row>, String> {
    Ok(vec![
        goes_on(
            "permits handed over: nobody starves",
            "2 clients, one comes again",
            hand_over(&AGAIN),
        )?,
        goes_on(
            "permits handed over: nobody starves",
            "3 clients, one comes again",
            hand_over(&OFTEN),
        )?,
        stuck(
            "permits handed over: a future that nobody polls (futures-locks #3, tokio #6450)",
            hand_over(&KEPT),
            5,
        )?,
    ])
}

fn free_for_all() -> Result<Vec<Row>, String> {
    Ok(vec![
        goes_on(
            "free permits, all are told: a future that nobody polls",
            "3 clients, one is kept",
            barging(true, &KEPT),
        )?,
        stuck(
            "free permits, the first is told: a future that nobody polls",
            barging(false, &KEPT),
            5,
        )?,
        starves("free permits, all are told (hindsight #4157)", barging(true, &AGAIN), 10)?,
        starves("free permits, the first is told (async-lock #23)", barging(false, &AGAIN), 10)?,
    ])
}

fn free_in_turn() -> Result<Vec<Row>, String> {
    let (leaves, adds) = ([Waits, MayLeave, Waits], [Waits, Waits, Adds(2)]);
    Ok(vec![
        goes_on(
            "free permits, the first is told, and has his turn: nobody starves",
            "2 clients, one comes again",
            in_turn(1, &AGAIN, None),
        )?,
        stuck(
            "free permits, the first is told, and has his turn: a future that nobody polls",
            in_turn(1, &KEPT, None),
            5,
        )?,
        goes_on(
            "free permits, the first is told, and has his turn",
            "3 clients, one leaves",
            in_turn(1, &leaves, None),
        )?,
        goes_on(
            "free permits, the first is told, and has his turn",
            "3 clients, one adds two",
            in_turn(0, &adds, None),
        )?,
        refuted(
            "free permits, whoever comes tells nobody that another is next (embassy #2766)",
            format!("not so: {IDLE}"),
            in_turn(0, &adds, Some(Wrong::ComesQuietly)),
            IDLE,
            4,
        )?,
        stuck(
            "who leaves free permits tells nobody (anyio #1145, cpython #93222, #111693, embassy #6964)",
            in_turn(1, &leaves, Some(Wrong::LeavesQuietly)),
            6,
        )?,
    ])
}

fn handed_over_and_taken_back() -> Result<Vec<Row>, String> {
    Ok(vec![
        goes_on(
            "permits taken back: a future that nobody polls",
            "3 clients, one is kept; whoever is polled comes in time",
            taken_back(true, &KEPT),
        )?,
        goes_on(
            "permits taken back: nobody starves",
            "2 clients, whoever waits comes in time",
            taken_back(true, &AGAIN),
        )?,
        starves("permits taken back too soon", taken_back(false, &AGAIN), 9)?,
    ])
}

pub(crate) fn add(trials: &mut Trials) {
    trials.add("primitives::fairness::runs", || runs().map(|()| Vec::new()));
    trials.add("primitives::fairness::hand_over", handed_over);
    trials.add("primitives::fairness::barging", free_for_all);
    trials.add("primitives::fairness::in_turn", free_in_turn);
    trials.add("primitives::fairness::taken_back", handed_over_and_taken_back);
}
