//! The bounded models: `cargo test --features model`.
//!
//! Each system is explored exhaustively: every interleaving of every step, where one step is one
//! linearization point, or that one other is told of it. The steps are those of
//! [`State::on`](settled::machine::State::on), the function that ships. The target owns its output, so that its closing
//! line stands at the start of a line. `cargo test --features model --test models -- D21` runs what has that in its
//! name.

extern crate alloc;

#[macro_use]
#[path = "../tests/support/watchdog.rs"]
mod watchdog;

mod blind;
#[path = "../src/process/books.rs"]
#[expect(dead_code, reason = "the pool needs more of them")]
mod books;
mod breaks;
mod cases;
#[path = "../tests/memory/cell/mod.rs"]
#[expect(dead_code, reason = "in detail it is the target `memory`'s")]
mod cell;
mod cells;
mod charts;
mod clients;
mod coarser;
mod families;
mod larger;
mod machine;
mod needed;
mod primitives;
mod processes;
#[path = "../tests/memory/program.rs"]
#[expect(dead_code, reason = "what memory orders is the target `memory`'s")]
mod program;
mod table;
mod waiting;

use std::{collections::BTreeMap, fmt::Display, process::ExitCode, sync::Mutex};

use libtest_mimic::{Arguments, Trial};
use settled::model::check::{self, Kinds, Proof};

/// What the cell's word needs of the crate.
mod error {
    pub(crate) use settled::{Cancel, Cancelled, Refusal};
}

/// What a system of the report showed.
struct Row {
    system: String,
    bound: String,
    properties: usize,
    states: usize,
    /// In how many steps it fails, if it must.
    fails: Option<usize>,
}

/// What the trials that were run have shown, by the number and in the order of the trials.
static ROWS: Mutex<BTreeMap<usize, Vec<Row>>> = Mutex::new(BTreeMap::new());

/// How long the longest may take, in seconds, at its larger bound and on a busy machine.
const HOURS: u64 = 2 * 60 * 60;

/// The tests, and what those show that are systems.
#[derive(Default)]
struct Trials(Vec<Trial>);

impl Trials {
    /// Adds a test, which shows what it returns.
    fn add<E: Display>(
        &mut self,
        name: impl Into<String>,
        run: impl FnOnce() -> Result<Vec<Row>, E> + Send + 'static,
    ) {
        let (number, name) = (self.0.len(), name.into());
        self.0.push(Trial::test(name.clone(), move || {
            watch!(Some(name), HOURS);
            let rows = run().map_err(|error| error.to_string())?;
            ROWS.lock().expect("nobody panics with it").insert(number, rows);
            Ok(())
        }));
    }
}

/// A row of a system that holds, if it is as large and as deep as it was. A model that lost its
/// steps, or a search that ended early, changes these numbers.
fn row(
    system: impl Into<String>,
    bound: impl Into<String>,
    proof: &Proof,
    [states, depth]: [usize; 2],
) -> Result<Row, String> {
    let (system, bound) = (system.into(), bound.into());
    let Proof { properties, states: found, depth: reached, .. } = *proof;
    if (found, reached) != (states, depth) {
        return Err(format!(
            "{system}: {found} states, depth {reached}; there were {states}, depth {depth}"
        ));
    }
    Ok(Row { system, bound, properties, states, fails: None })
}

/// The row of a model that must break a property, in this number of steps at the least.
fn refuted<M: Kinds>(
    system: impl Into<String>,
    bound: impl Into<String>,
    model: M,
    property: &'static str,
    steps: usize,
) -> Result<Row, String> {
    let (system, bound) = (system.into(), bound.into());
    let path = check::refute(model, property).map_err(|error| format!("{system}: {error}"))?;
    if path.len() != steps {
        return Err(format!(
            "{system}: \"{property}\" breaks in {} steps, not in {steps}: {path:?}",
            path.len()
        ));
    }
    Ok(Row { system, bound, properties: 1, states: 0, fails: Some(steps) })
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Trials::default();
    table::add(&mut trials);
    machine::add(&mut trials);
    cells::add(&mut trials);
    processes::add(&mut trials);
    waiting::add(&mut trials);
    primitives::add(&mut trials);
    needed::add(&mut trials);
    coarser::add(&mut trials);
    blind::add(&mut trials);
    charts::add(&mut trials);
    breaks::add(&mut trials);
    larger::add(&mut trials);
    clients::add(&mut trials);
    families::add(&mut trials);
    let list = arguments.list;
    let chosen = arguments.filter.is_some() || !arguments.skip.is_empty();
    // This one and the last take longest, and two threads that begin with them have the short ones left in the end.
    trials.0.reverse();
    trials.0.sort_by_key(|it| it.name() != "processes::every_program");
    let conclusion = libtest_mimic::run(&arguments, trials.0);
    if list || conclusion.has_failed() {
        return conclusion.exit_code();
    }
    let rows = ROWS.lock().expect("nobody panics with it");
    let (failing, proven): (Vec<_>, Vec<_>) =
        rows.values().flatten().partition(|row| row.fails.is_some());
    report(&proven, &failing);
    // A run of everything that checked nothing is a failure.
    let nothing = proven.is_empty() || failing.is_empty();
    if nothing && !chosen { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn report(proven: &[&Row], failing: &[&Row]) {
    println!("{:<50} {:<42} {:>10} {:>10}", "system", "bound", "properties", "states");
    for Row { system, bound, properties, states, .. } in proven {
        println!("{system:<50} {bound:<42} {properties:>10} {states:>10}");
    }
    println!("\n{:<50} {:<74}", "must-fail system", "breaks, in the least number of steps");
    for Row { system, bound, fails, .. } in failing {
        println!("{system:<50} {bound}, {}", fails.unwrap_or_default());
    }
    println!(
        "\nproven: {} systems, {} properties, {} must-fail systems, {} states",
        proven.len(),
        proven.iter().map(|row| row.properties).sum::<usize>(),
        failing.len(),
        proven.iter().map(|row| row.states).sum::<usize>(),
    );
}
