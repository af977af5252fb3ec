//! Most general clients: whoever takes part does any operation of a menu, at any time and as often as it likes.
//!
//! What [`Client`] says is done once for each piece is what a client is finite by. One callback of each kind is marked,
//! by which any of them is followed; the others do nothing, are alike, and come again when they have run. How many of
//! them are on their way at once is a cap, and that it is none is compared: with one more the same states are reached,
//! the others left out of them.

use ahash::AHashSet;
use settled::model::{
    Client, Do, Future, Futures, Piece, Program, System,
    check::{self, Failure, states},
    property::{self, ALWAYS},
    rules::FLIPS,
};

use crate::{Row, Trials, refuted, row};

const F: Future = 0;
const G: Future = 1;
const H: Future = 2;
const ONE: Futures = Futures::of(&[F]);
const BOTH: Futures = Futures::of(&[F, G]);

/// A client, which has this many other callbacks of each kind; the first of the others.
type Make = fn(others: u8) -> (Program, Piece);

/// A client, how many states it has and how deep they are, and a rule without which it breaks a property, in so many
/// steps.
struct General {
    name: &'static str,
    make: Make,
    /// How many other callbacks of each kind are on their way at once, if it has any.
    cap: Option<u8>,
    size: [usize; 2],
    breaks: (&'static str, &'static str, usize),
}

fn all() -> Vec<General> {
    vec![
        General {
            name: "three threads, a future and a loop",
            make: threads,
            cap: Some(1),
            size: [373802, 22],
            breaks: ("register_in_two_steps", property::MISSED, 6),
        },
        General {
            name: "two futures, waits for both, and callbacks that wait",
            make: futures,
            cap: Some(1),
            size: [4743, 17],
            breaks: ("cancel_in_two_steps", property::ENDS, 3),
        },
        General {
            name: "two tasks that are cancelled and closed",
            make: tasks,
            cap: None,
            size: [119478, 32],
            breaks: ("stopped_before_owned", property::OUTLIVED, 13),
        },
        General {
            name: "a pool and a loop that is closed",
            make: pool,
            cap: None,
            size: [169973, 28],
            breaks: ("shutdown_forgets_queue", property::OWNED, 2),
        },
        General {
            name: "jobs that wait for each other",
            make: jobs,
            cap: None,
            size: [180010, 28],
            breaks: ("pool_cycle_blocks", property::ENDS, 7),
        },
        General {
            name: "two loops",
            make: loops,
            cap: Some(1),
            size: [135222, 30],
            breaks: ("loop_callbacks_inline", property::AT_ONCE, 5),
        },
    ]
}

/// The program with `others` more callbacks, of which each agent that has a menu may register any.
fn with_others(
    others: u8,
    first: Piece,
    program: impl FnOnce(&dyn Fn(&[Do]) -> Vec<Do>) -> Program,
) -> (Program, Piece) {
    let adds = |menu: &[Do]| {
        let mut menu = menu.to_vec();
        for what in menu.clone() {
            match what {
                Do::Add(it, _) => menu.extend((0..others).map(|at| Do::Add(it, first + at))),
                Do::LoopAdd(it, _) => {
                    menu.extend((0..others).map(|at| Do::LoopAdd(it, first + others + at)));
                }
                _ => {}
            }
        }
        menu
    };
    let mut program = program(&adds);
    for _ in 0..2 * others {
        program = program.call(&[]);
    }
    (program, first)
}

fn client(make: Make, others: u8) -> Client {
    let (program, first) = make(others);
    Client::new(program).alike(first)
}

fn threads(others: u8) -> (Program, Piece) {
    use Do::*;
    with_others(others, 2, |with| {
        Program::new()
            .thread("A", &[Start(F), Finish(F), Abandon(F)])
            .thread("B", &with(&[Cancel(F), Result(F), Add(F, 0)]))
            .thread("C", &[WaitAllTimeout(ONE)])
            .event_loop("loop", &with(&[LoopAdd(F, 1), LoopRemove(F, 1)]))
            .call(&[Cancel(F)])
            .call(&[LoopDone(F)])
    })
}

fn futures(others: u8) -> (Program, Piece) {
    use Do::*;
    with_others(others, 2, |with| {
        Program::new()
            .thread("A", &[Finish(F)])
            .thread("B", &[Finish(G), Abandon(G)])
            .thread(
                "C",
                &with(&[Wait(BOTH), WaitFirst(BOTH), AsCompleted(BOTH), Cancel(F), Add(F, 0)]),
            )
            .call(&[Result(G)])
            .call(&[])
    })
}

fn tasks(_: u8) -> (Program, Piece) {
    use Do::*;
    let program = Program::new()
        .event_loop("loop", &[Spawn(0), Spawn(1), Stop])
        .thread("user", &[Cancel(F), Cancel(G), Result(F), Result(G)])
        .thread("worker", &[Finish(H)])
        .task(F, 0, &[Await(G), LoopDone(G)])
        .task(G, 0, &[Await(H), LoopDone(F)]);
    (program, 2)
}

fn pool(_: u8) -> (Program, Piece) {
    use Do::*;
    let program = Program::new()
        .event_loop("loop", &[Submit(0), Spawn(1), LoopAdd(F, 2), Stop])
        .thread("user", &[Cancel(F), Cancel(G), ClosePool, CancelPending, Shutdown, Result(G)])
        .worker("worker", 0)
        .job(F, 0, &[Cancel(G)])
        .task(G, 0, &[Await(F)])
        .call(&[]);
    (program, 3)
}

fn jobs(_: u8) -> (Program, Piece) {
    use Do::*;
    let program = Program::new()
        .thread("user", &[Submit(0), Submit(1), Cancel(F), ClosePool, Shutdown, Result(F)])
        .worker("worker 1", 0)
        .worker("worker 2", 0)
        .job(F, 0, &[Result(G), Submit(2), Result(H)])
        .job(G, 0, &[Result(F), Wait(Futures::of(&[F, H]))])
        .job(H, 0, &[Result(F)]);
    (program, 3)
}

fn loops(others: u8) -> (Program, Piece) {
    use Do::*;
    with_others(others, 3, |with| {
        Program::new()
            .event_loop("loop A", &with(&[LoopCancel(F), LoopAdd(F, 0), Stop]))
            .event_loop("loop B", &[LoopDone(F), LoopAdd(F, 1), Post(0, 2)])
            .thread("worker", &[Finish(F)])
            .call(&[])
            .call(&[LoopCancel(F)])
            .call(&[LoopDone(F)])
    })
}

pub(crate) fn add(trials: &mut Trials) {
    let full = std::env::var_os("SETTLED_FULL").is_some();
    for General { name, make, cap, size, breaks: (rule, property, steps) } in all() {
        let others = cap.unwrap_or_default();
        trials.add(format!("clients::{name}"), move || {
            let bound = match cap {
                Some(cap) => format!("any operations; {cap} other callback of each kind"),
                None => "any operations".to_owned(),
            };
            let proof = check::prove(client(make, others)).map_err(|it| violated(&it))?;
            Ok::<_, String>(vec![row(format!("client: {name}"), bound, &proof, size)?])
        });
        trials.add(format!("clients::{name}: {rule}"), move || {
            let flip =
                FLIPS.iter().find(|flip| flip.name == rule).ok_or("there is no such rule")?;
            let (system, bound) =
                (format!("client: {name}: {rule}"), format!("not so: {property}"));
            let client = client(make, others).under(flip.rules());
            Ok::<_, String>(vec![refuted(system, bound, client, property, steps)?])
        });
        // With one more the first has millions of states.
        if let Some(cap) = cap
            && (full || name != "three threads, a future and a loop")
        {
            let name = format!("clients::{name}: one more adds nothing");
            trials.add(name, move || saturated(make, cap));
        }
    }
    trials.add("clients::one_is_more_than_none", one_is_more_than_none);
    trials.add("clients::every_property_speaks", every_property_speaks);
}

/// A violation, without the state.
fn violated<A: std::fmt::Debug, S: std::fmt::Debug>(failure: &Failure<A, S>) -> String {
    match failure {
        Failure::Violated { property, path, .. } => format!("not so: {property}: {path:#?}"),
        other => other.to_string(),
    }
}

/// The states with so many other callbacks, the others left out of them.
fn seen(make: Make, others: u8) -> AHashSet<System> {
    let first = make(others).1;
    states(&client(make, others)).iter().map(|state| state.without(first)).collect()
}

/// With one more callback of each kind the same states are reached, the others left out of them.
fn saturated(make: Make, cap: u8) -> Result<Vec<Row>, String> {
    let (at, beyond) = (seen(make, cap), seen(make, cap + 1));
    println!("clients: {} states without the others, {} with one more", at.len(), beyond.len());
    match beyond.iter().find(|state| !at.contains(*state)) {
        None if at.len() == beyond.len() => Ok(Vec::new()),
        None => Err("one more callback hides what was there".to_owned()),
        Some(state) => Err(format!("reached with one more callback alone: {state:?}")),
    }
}

/// That the comparison is not blind: without any other callback there is less.
fn one_is_more_than_none() -> Result<Vec<Row>, String> {
    match saturated(loops, 0) {
        Err(why) if why.starts_with("reached with one more callback alone") => Ok(Vec::new()),
        other => Err(format!("{:?}", other.map(|_| "the same"))),
    }
}

/// The twins: each property says something of some client.
fn every_property_speaks() -> Result<Vec<Row>, String> {
    let mut spoken = [0_usize; ALWAYS.len()];
    for General { make, .. } in all() {
        let client = client(make, 0);
        for state in states(&client) {
            for (property, times) in ALWAYS.iter().zip(&mut spoken) {
                *times += usize::from(client.speaks(property, &state));
            }
        }
    }
    let mut silent: Vec<_> =
        ALWAYS.iter().zip(spoken).filter(|it| it.1 == 0).map(|it| it.0.name).collect();
    silent.sort_unstable();
    if silent == SILENT { Ok(Vec::new()) } else { Err(format!("silent: {silent:?}")) }
}

/// What the clients say nothing about, and why.
const SILENT: [&str; 5] = [
    // None drops a handle.
    property::RETURNED,
    // None is so deep that a callback is deferred.
    property::DEFERRED,
    property::LISTENS,
    // Judged where programs have an end.
    property::NEEDLESS,
    property::HEARS,
];
