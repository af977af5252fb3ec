//! `spec/counterexamples.md`: the shortest counterexample of each case, as a chart.
//!
//! `SETTLED_BLESS=1 cargo test --features model --test models -- charts` writes it anew.

use std::{fmt::Write, fs, path::Path};

use crate::{
    Row, Trials,
    cases::{self, Case},
};

pub(crate) fn add(trials: &mut Trials) {
    trials
        .add("charts::they_are_the_committed_ones", || compare("counterexamples.md", &document()?));
}

/// A file below `spec` is what it should be, or is written.
pub(crate) fn compare(file: &str, text: &str) -> Result<Vec<Row>, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec").join(file);
    if std::env::var_os("SETTLED_BLESS").is_some() {
        fs::write(&path, text).map_err(|error| error.to_string())?;
    }
    let committed = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    if committed == text {
        return Ok(Vec::new());
    }
    let at = committed.lines().zip(text.lines()).position(|(old, new)| old != new);
    Err(format!(
        "{} is not what the models show, from line {}; SETTLED_BLESS=1 writes it anew",
        path.display(),
        at.unwrap_or_default() + 1
    ))
}

const HEAD: &str = "# Counterexamples

What happens if a rule were another one: for each case of `models/cases` the shortest way to something
that a user could complain about, found by breadth-first search and compared with this file by
`cargo test --features model`. A column is a thread, a loop or a worker, a row is a step, and one step is
one linearization point, or that one other is told of it. `f0` and `f1` are futures, `#0` and so on are callbacks, posted jobs, jobs and
tasks, by their numbers in the program; `view` is the loop's view of a future.
";

fn document() -> Result<String, String> {
    let mut text = HEAD.to_owned();
    for case in cases::all() {
        let Case { id, question, answer, flip, steps, .. } = &case;
        let harm = case.harm();
        let chart = case.chart().map_err(|wrong| format!("{id}: {wrong}"))?;
        let _ = write!(
            text,
            "\n## {id}: {question}\n\nIn `settled` {answer}. With the rule `{flip}`, after {steps} \
             {}, {harm}:\n\n```text\n{chart}```\n",
            if *steps == 1 { "step" } else { "steps" },
        );
    }
    Ok(text)
}
