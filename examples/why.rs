//! Why the two flavours differ: `cargo run --release --features model --example why`.
//!
//! Each question is answered by what ships, with its proof, and by what happens otherwise, with a
//! shortest counterexample. `-- D21` shows one; `-- --mermaid D21` prints its chart as Mermaid.

#[path = "../models/cases/mod.rs"]
mod cases;

use std::{collections::BTreeSet, process::ExitCode};

use cases::Case;
use settled::model::mermaid;

const USAGE: &str =
    "why [--mermaid] [ID]...   ID is a difference (D21), a bug (bug-c8) or a clause (pool-7)";

fn main() -> ExitCode {
    let (options, ids): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    if let Some(option) = options.iter().find(|option| *option != "--mermaid") {
        return refuse(&format!("there is no option {option}"));
    }
    let cases = cases::all();
    if let Some(id) = ids.iter().find(|id| !cases.iter().any(|case| case.id == **id)) {
        let known: BTreeSet<_> = cases.iter().map(|case| (case.id.len(), case.id)).collect();
        let known: Vec<_> = known.into_iter().map(|(_, id)| id).collect();
        return refuse(&format!("nothing is known about {id}; there are {}", known.join(" ")));
    }
    for case in cases.iter().filter(|case| ids.is_empty() || ids.iter().any(|id| id == case.id)) {
        let told = if options.is_empty() { tell(case) } else { draw(case) };
        if let Err(wrong) = told {
            eprintln!("why: {}: {wrong}", case.id);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn refuse(what: &str) -> ExitCode {
    eprintln!("why: {what}\nusage: {USAGE}");
    ExitCode::from(2)
}

/// The question, the rule that ships and its proof, the flipped rule and its counterexample.
fn tell(case: &Case) -> Result<(), String> {
    let (proof, chart) = (case.prove()?, case.chart()?);
    println!("{} ({}): {}\n", case.id, case.theme, case.question);
    println!("  In settled {}.", case.answer);
    let agents = case.program.names().collect::<Vec<_>>().join(", ");
    println!(
        "  Proven for {agents}: {} properties hold in all {} states, and every fair run ends.\n",
        proof.properties, proof.states
    );
    println!("  With the rule `{}` it is not so that {}:\n", case.flip, case.breaks);
    for line in chart.lines() {
        println!("    {line}");
    }
    println!();
    Ok(())
}

fn draw(case: &Case) -> Result<(), String> {
    println!("%% {}: {}: not so: {}", case.id, case.flip, case.breaks);
    print!("{}", mermaid(&case.flipped(), &case.counterexample()?.concat()));
    Ok(())
}
