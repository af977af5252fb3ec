//! Each test in a process of its own, and what the tests count.
//!
//! An execution maps a stack for each of its threads and gives it back, where none is kept for it. The threads of one process take
//! turns at that, so that two tests beside each other took as long as one after the other.

use std::{
    env,
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use libtest_mimic::Failed;

/// What is counted.
#[derive(Clone, Copy)]
pub(crate) enum Count {
    Executions,
    Histories,
    /// Programs that were compared with the model, those of them with a bound, and what they came to.
    Programs,
    Bounded,
    ComparedExecutions,
    Outcomes,
    /// Families of programs of which all were compared.
    Families,
}

static COUNTED: [AtomicUsize; 7] = [const { AtomicUsize::new(0) }; 7];

pub(crate) fn count(what: Count, more: usize) {
    COUNTED[what as usize].fetch_add(more, Ordering::Relaxed);
}

pub(crate) fn counted(what: Count) -> usize {
    COUNTED[what as usize].load(Ordering::Relaxed)
}

/// How the line begins in which a process says what it has counted.
const TOLD: &str = "counted:";

/// Says what was counted, to whoever started this process.
pub(crate) fn tell() {
    let numbers = COUNTED.each_ref().map(|it| it.load(Ordering::Relaxed).to_string());
    println!("{TOLD} {}", numbers.join(" "));
}

/// Runs the test with this name in a process of its own, and counts what it has counted.
pub(crate) fn run(name: &str) -> Result<(), Failed> {
    let mut command = Command::new(env::current_exe()?);
    // What its watchdog says is seen at once.
    let output = command.args(["--exact", name]).stderr(Stdio::inherit()).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(format!("{}\n{said}", output.status).into());
    }
    // It would pass with a name that nothing has, too.
    if !said.contains("test result: ok. 1 passed") {
        return Err(format!("it did not run:\n{said}").into());
    }
    let told = said.lines().find_map(|line| line.strip_prefix(TOLD)).ok_or("it counted nothing")?;
    let numbers = told.split_whitespace().map(str::parse).collect::<Result<Vec<usize>, _>>()?;
    if numbers.len() != COUNTED.len() {
        return Err(format!("it told other counts: {told}").into());
    }
    for (all, more) in COUNTED.iter().zip(numbers) {
        all.fetch_add(more, Ordering::Relaxed);
    }
    // What the scenarios say; the harness's lines are for whoever runs one test.
    said.lines()
        .filter(|it| it.starts_with("loom: ") || it.starts_with("loads: "))
        .for_each(|it| println!("{it}"));
    Ok(())
}
