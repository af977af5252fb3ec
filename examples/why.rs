//! Why the two flavours differ: `cargo run --features model --example why`.
//!
//! Each question is answered by what ships, with its proof, and by what happens otherwise, with a
//! shortest counterexample. `-- D21` shows one, `-- --list` all questions; `-- --mermaid D21` prints its charts as
//! Mermaid. A difference that no program is about is answered by its row of `spec/differences.md`; one of events,
//! semaphores, locks, conditions, barriers and queues, from D54 on, by its row of `spec/primitives.md` and the runs that stand there.

#[path = "../models/cases/mod.rs"]
mod cases;

use std::{
    error::Error,
    io::{self, ErrorKind, Write},
    process::ExitCode,
};

use cases::Case;
use settled::model::mermaid;

const USAGE: &str = "\
usage: why [--list | --mermaid] [ID]...

Says why Python's two future classes differ, and its two kinds of event, semaphore, lock, condition, barrier and queue:
what settled does, with its proof, and the shortest run that goes wrong otherwise.

  ID         a difference (D21), a bug (bug-c8) or a clause (pool-7); without one, everything that has a program
  --list     the questions alone
  --mermaid  the runs as diagrams, each in a block of Markdown
  --help     this text
";

const DIFFERENCES: &str = include_str!("../spec/differences.md");
const PRIMITIVES: &str = include_str!("../spec/primitives.md");

fn main() -> ExitCode {
    let (options, ids): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    let how: fn(&mut dyn Write, &Case) -> Answered = match options.as_slice() {
        [] => tell,
        [option] if option == "--list" => list,
        [option] if option == "--mermaid" => draw,
        [option] if matches!(&**option, "--help" | "-h") => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        [option] => return refuse(&format!("there is no option {option}")),
        _ => return refuse("one option at a time"),
    };
    match answer(&mut io::stdout().lock(), how, &ids) {
        Ok(unknown) if unknown.is_empty() => ExitCode::SUCCESS,
        Ok(unknown) => {
            let unknown = unknown.join(", ");
            refuse(&format!("nothing is known about {unknown}; --list has what is known"))
        }
        // Whoever reads has read enough.
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("why: {error}");
            ExitCode::FAILURE
        }
    }
}

type Answered<T = ()> = Result<T, Box<dyn Error>>;

fn refuse(what: &str) -> ExitCode {
    eprintln!("why: {what}\n\n{USAGE}");
    ExitCode::from(2)
}

fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// Answers each id, or everything; returns those that mean nothing, of which none is answered.
fn answer(
    out: &mut dyn Write,
    how: fn(&mut dyn Write, &Case) -> Answered,
    ids: &[String],
) -> Answered<Vec<String>> {
    let cases = cases::all();
    let of = |id: &str| -> Vec<&Case> {
        cases.iter().filter(|case| case.id.eq_ignore_ascii_case(id)).collect()
    };
    let is_known = |id: &&String| !of(id).is_empty() || difference(id).is_some();
    let unknown: Vec<_> = ids.iter().filter(|id| !is_known(id)).cloned().collect();
    if !unknown.is_empty() {
        return Ok(unknown);
    }
    if ids.is_empty() {
        cases.iter().try_for_each(|case| how(out, case))?;
    }
    for id in ids {
        let cases = of(id);
        cases.iter().try_for_each(|case| how(out, case))?;
        if let (true, Some([id, kind, thread, on_loop, why, here])) =
            (cases.is_empty(), difference(id))
        {
            writeln!(out, "{id} ({kind}): {}\n", of_whom(id, thread, on_loop))?;
            writeln!(out, "  Why: {why}.\n  In settled: {here}.\n")?;
            for run in runs(id) {
                for line in run.lines() {
                    writeln!(out, "{}", format!("    {line}").trim_end())?;
                }
                writeln!(out)?;
            }
        }
    }
    Ok(Vec::new())
}

/// The row of a difference.
fn difference(id: &str) -> Option<[&'static str; 6]> {
    let cells = |line: &'static str| line.trim_matches('|').split(" | ").map(str::trim).collect();
    let lines = DIFFERENCES.lines().chain(PRIMITIVES.lines());
    let mut rows = lines.filter(|line| line.starts_with("| D")).map(cells);
    let row = rows.find(|row: &Vec<_>| row[0].eq_ignore_ascii_case(id))?;
    row.try_into().ok()
}

fn of_whom(id: &str, thread: &str, on_loop: &str) -> String {
    if PRIMITIVES.contains(&format!("\n| {id} |")) {
        format!("Threads: {thread}. Loops: {on_loop}.")
    } else {
        format!("A thread's future: {thread}. A loop's: {on_loop}.")
    }
}

/// The shortest runs that go wrong, as `models/primitives` finds them; title and chart.
fn runs(id: &str) -> impl Iterator<Item = String> {
    let title = format!("**{id}: ");
    let run = |part: &str| {
        let (title, rest) = part.split_once("**\n\n```text\n")?;
        Some(format!("{title}:\n\n{}", rest.split_once("```")?.0))
    };
    PRIMITIVES.split(&*title).skip(1).filter_map(run).collect::<Vec<_>>().into_iter()
}

/// The question, the rule that ships and its proof, the flipped rule and its counterexample.
fn tell(out: &mut dyn Write, case: &Case) -> Answered {
    let wrong = |wrong| format!("{}: {wrong}", case.id);
    let (proof, chart) = (case.prove().map_err(wrong)?, case.chart().map_err(wrong)?);
    writeln!(out, "{} ({}): {}\n", case.id, case.theme, case.question)?;
    writeln!(out, "  In settled {}.", case.answer)?;
    let agents = case.program.names().collect::<Vec<_>>().join(", ");
    writeln!(
        out,
        "  Proven for {agents}: {} properties hold in all {} states, and every fair run ends.\n",
        proof.properties, proof.states
    )?;
    writeln!(out, "  With the rule `{}` {}:\n", case.flip, case.harm())?;
    for line in chart.lines() {
        writeln!(out, "    {line}")?;
    }
    writeln!(out)?;
    Ok(())
}

fn list(out: &mut dyn Write, case: &Case) -> Answered {
    Ok(writeln!(out, "{:11} {}", case.id, case.question)?)
}

fn draw(out: &mut dyn Write, case: &Case) -> Answered {
    let path = case.counterexample().map_err(|wrong| format!("{}: {wrong}", case.id))?.concat();
    writeln!(out, "{}: {} With `{}` {}:\n", case.id, case.question, case.flip, case.harm())?;
    writeln!(out, "```mermaid\n{}```\n", mermaid(&case.flipped(), &path))?;
    Ok(())
}
