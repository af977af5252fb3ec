//! The programs print what is said.

use std::{
    env, panic,
    process::{Command, Stdio},
    thread,
};

use crate::{blocks, read};

/// The newest Python on which all of them were tried.
const TRIED: &str = "3.13";

/// The numbers of a version.
fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|number| number.parse().expect("a version is of numbers")).collect()
}

/// Whether the first version is at least the second, as far as that goes.
fn is_at_least(version: &[u32], least: &str) -> bool {
    version >= &numbers(least)[..]
}

/// Whether it is newer than the last that is meant: 3.13 means all of 3.13.
fn is_after(version: &[u32], last: &str) -> bool {
    let last = numbers(last);
    version[..last.len().min(version.len())] > last[..]
}

/// What the Python that is installed prints, or `None` if there is none.
fn python(program: &str) -> Option<(String, String)> {
    let asked =
        Command::new("python3").args(["-c", program]).stderr(Stdio::piped()).output().ok()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some((text(&asked.stdout), text(&asked.stderr)))
}

/// Each is marked with the versions of which what it prints is true. On a newer one it may print something else, which
/// is told.
pub(crate) fn each_program_prints_what_is_said() -> Result<String, String> {
    let strict = env::var("SETTLED_STRICT").is_ok_and(|strict| strict == "1");
    let Some((version, _)) =
        python("import platform; print(platform.python_version().split('+')[0])")
    else {
        println!(
            "SKIPPED each_program_prints_what_is_said: python3, install with apt-get install python3"
        );
        assert!(!strict, "SETTLED_STRICT is set, and there is no Python to ask");
        return Ok(String::new());
    };
    let documents = [read("spec/why.md"), read("spec/accidents.md")];
    let programs: Vec<_> = documents
        .iter()
        .flat_map(|text| {
            let programs = blocks(text, "python");
            assert_eq!(
                programs.len(),
                text.matches("```python\n").count(),
                "a program has no mark"
            );
            programs.into_iter().map(move |(versions, program)| (&**text, versions, program))
        })
        .collect();
    // Half of the time a program waits.
    let (ones, others) = programs.split_at(programs.len() / 2);
    let try_all =
        |programs: &[_]| programs.iter().filter(|it| prints(**it, &version, strict)).count();
    let ran = thread::scope(|scope| {
        let others = scope.spawn(|| try_all(others));
        try_all(ones) + others.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
    });
    assert!(ran > 19, "only {ran} programs ran");
    Ok(String::new())
}

/// Whether the program is about the Python that is installed, and prints what stands below it in this text.
fn prints((text, versions, program): (&str, &str, &str), version: &str, strict: bool) -> bool {
    let installed = numbers(version.trim().trim_end_matches(|c: char| !c.is_ascii_digit()));
    let (from, to) = versions.split_once(" to ").unwrap_or((versions, TRIED));
    if !is_at_least(&installed, from) {
        println!("a program is about Python {versions}, and not about {}", version.trim());
        return false;
    }
    let (_, after) = text.split_once(program).expect("it stands there");
    let said = after.trim_start_matches("```\n\n```text\n").split_once("```").unwrap().0;
    assert!(
        after.starts_with("```\n\n```text\n"),
        "what it prints does not stand below:\n{program}"
    );
    let (printed, error) = python(program).expect("there was one a moment ago");
    if printed != said && is_after(&installed, to) {
        println!(
            "Python {} answers otherwise, of which the text says nothing:\n{printed}{error}",
            version.trim()
        );
        assert!(!strict, "SETTLED_STRICT is set, and a newer Python answers otherwise:\n{program}");
    } else {
        assert_eq!(printed, said, "{program}\n{error}");
    }
    true
}

pub(crate) fn versions_are_compared_by_their_numbers() -> Result<String, String> {
    let version = numbers("3.13.4");
    assert!(is_at_least(&version, "3.9") && is_at_least(&version, "3.13.4"));
    assert!(!is_at_least(&version, "3.13.5") && !is_at_least(&numbers("3.9.18"), "3.11"));
    assert!(is_after(&version, "3.13.3") && is_after(&version, "3.12"));
    assert!(!is_after(&version, "3.13") && !is_after(&version, "3.13.4"));
    Ok(String::new())
}
