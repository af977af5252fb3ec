//! The bounded models: `cargo test --features model`.
//!
//! Each system is explored exhaustively: every interleaving of every step, where one step is one
//! linearization point. The steps are those of [`State::on`], the function that ships. The target
//! owns its output, so that its closing line stands at the start of a line.

mod flavours;
mod general;
mod machine;
mod system;
mod table;

use std::{fmt::Debug, hash::Hash, process::ExitCode};

use stateright::{Checker, HasDiscoveries, Model};

/// What a system of the report showed.
struct Proof {
    system: &'static str,
    bound: &'static str,
    properties: usize,
    states: usize,
    must_fail: bool,
}

/// A model that the checker can explore.
trait System:
    Model<State: Clone + Debug + PartialEq + Hash + Send + Sync, Action: Clone + Debug + PartialEq>
    + Send
    + Sync
    + 'static
{
}

impl<M> System for M where
    M: Model<
            State: Clone + Debug + PartialEq + Hash + Send + Sync,
            Action: Clone + Debug + PartialEq,
        > + Send
        + Sync
        + 'static
{
}

/// Explores all of `model` and requires every property to hold, every `sometimes` to be reached, and
/// the number of states and the depth to be the ones that stand there. A model that lost its steps,
/// or a search that ended early, changes these numbers.
fn prove<M: System>(
    system: &'static str,
    bound: &'static str,
    model: M,
    states: usize,
    depth: usize,
) -> Proof {
    let properties = model.properties().len();
    // A search goes on only as long as a property is undecided: an `always` that holds keeps it so.
    let always = |property: &stateright::Property<M>| {
        matches!(property.expectation, stateright::Expectation::Always)
    };
    assert!(model.properties().iter().any(always), "{system}: nothing would be explored");
    let checker = model.checker().spawn_bfs().join();
    checker.assert_properties();
    assert_eq!(checker.unique_state_count(), states, "{system}: states");
    assert_eq!(checker.max_depth(), depth, "{system}: depth");
    Proof { system, bound, properties, states, must_fail: false }
}

/// Requires the one property of `model` to fail, `steps` steps from the start at the least. With a
/// single property, breadth-first search finds a shortest counterexample.
fn refute<M: System>(system: &'static str, bound: &'static str, model: M, steps: usize) -> Proof {
    let name = match &model.properties()[..] {
        [property] => property.name,
        _ => panic!("{system}: a must-fail system has one property"),
    };
    let checker = model.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let path = checker.discovery(name).unwrap_or_else(|| panic!("{system}: `{name}` holds"));
    let actions = path.into_actions();
    assert_eq!(actions.len(), steps, "{system}: shortest counterexample {actions:?}");
    println!("refuted: {system}: not so: {name}");
    for action in actions {
        println!("    {action:?}");
    }
    let states = checker.unique_state_count();
    Proof { system, bound, properties: 1, states, must_fail: true }
}

fn main() -> ExitCode {
    let mut proofs = vec![table::proof()];
    proofs.extend(machine::proofs());
    proofs.extend(flavours::proofs());
    proofs.extend(general::proofs());
    println!("\n{:<42} {:<30} {:>10} {:>7}", "system", "bound", "properties", "states");
    for Proof { system, bound, properties, states, must_fail } in &proofs {
        let states = if *must_fail { "fails".to_owned() } else { states.to_string() };
        println!("{system:<42} {bound:<30} {properties:>10} {states:>7}");
    }
    let (refuted, proven): (Vec<_>, Vec<_>) = proofs.iter().partition(|proof| proof.must_fail);
    println!(
        "\nproven: {} systems, {} properties, {} must-fail systems, {} states",
        proven.len(),
        proven.iter().map(|proof| proof.properties).sum::<usize>(),
        refuted.len(),
        proven.iter().map(|proof| proof.states).sum::<usize>(),
    );
    if proven.is_empty() || refuted.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
