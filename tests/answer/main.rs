//! `spec/why.md` is true: what its programs print, and those of `spec/accidents.md`; its charts, and how it sorts the
//! differences. Each question of `spec/questions.md` is answered by clauses and checks that exist; no link of the
//! documents leads to nowhere; and the rooms and walls of `spec/architecture.md` are those of the code.

#[macro_use]
#[path = "../support/watchdog.rs"]
mod watchdog;

#[path = "../support/checks.rs"]
mod checks;
#[path = "../support/closing.rs"]
mod closing;
mod kinds;
mod links;
mod programs;
mod questions;
mod walls;

use std::{fs, process::ExitCode};

use checks::root;

fn read(file: &str) -> String {
    let path = root().join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// What stands between a mark in a comment and the end of the code block that follows it: the mark's own words, and the
/// block.
fn blocks<'a>(text: &'a str, mark: &str) -> Vec<(&'a str, &'a str)> {
    let begin = format!("<!-- {mark} ");
    let block = |rest: &'a str| {
        let (words, rest) = rest.split_once(" -->\n```").expect("a mark stands before a block");
        let (_, rest) = rest.split_once('\n').expect("a block has lines");
        let (block, _) = rest.split_once("```").expect("a block ends");
        (words, block)
    };
    text.split(&begin).skip(1).map(block).collect()
}

/// The charts that are told are those that were found, and the table is the one that ships.
fn the_charts_are_those_that_were_found() -> Result<String, String> {
    let (why, found, readme) =
        (read("spec/why.md"), read("spec/counterexamples.md"), read("README.md"));
    let charts = blocks(&why, "chart");
    assert!(charts.len() > 5, "the charts were not found");
    for (title, chart) in charts {
        let (_, case) = found
            .split_once(&format!("\n## {title}\n"))
            .unwrap_or_else(|| panic!("there is no {title}"));
        let (_, theirs) = case.split_once("```text\n").unwrap();
        assert_eq!(theirs.split_once("```").unwrap().0, chart, "{title}");
    }
    let primitives = read("spec/primitives.md");
    let runs = blocks(&why, "run");
    assert!(!runs.is_empty(), "the runs were not found");
    for (title, run) in runs {
        let there = primitives.contains(&format!("\n**{title}**\n\n```text\n{run}```"));
        assert!(there, "primitives.md has another run of {title}");
    }
    let table = |text: &str| {
        text.split("<!-- machine -->")
            .nth(1)
            .unwrap()
            .split("<!-- /machine -->")
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(table(&why), table(&readme), "the machine is another one than that of the README");
    Ok(String::new())
}

fn main() -> ExitCode {
    closing::main(
        None,
        [
            ("the_charts_are_those_that_were_found", the_charts_are_those_that_were_found),
            (
                "each_difference_is_of_one_kind_and_has_what_that_asks_for",
                kinds::each_difference_is_of_one_kind_and_has_what_that_asks_for,
            ),
            (
                "each_difference_of_the_twins_has_its_reason",
                kinds::each_difference_of_the_twins_has_its_reason,
            ),
            ("they_are_counted", kinds::they_are_counted),
            ("no_link_leads_to_nowhere", links::no_link_leads_to_nowhere),
            ("the_index_has_every_document", links::the_index_has_every_document),
            (
                "each_label_has_its_place_in_the_documentation",
                links::each_label_has_its_place_in_the_documentation,
            ),
            (
                "the_clauses_of_the_guide_have_their_places",
                links::the_clauses_of_the_guide_have_their_places,
            ),
            ("each_test_is_told", links::each_test_is_told),
            ("the_read_me_is_short", links::the_read_me_is_short),
            ("an_example_is_short", links::an_example_is_short),
            ("no_room_imports_from_above", walls::no_room_imports_from_above),
            ("the_walls_stand", walls::the_walls_stand),
            (
                "rooms_go_in_the_one_circle_that_is_known",
                walls::rooms_go_in_the_one_circle_that_is_known,
            ),
            ("no_file_imports_one_that_imports_it", walls::no_file_imports_one_that_imports_it),
            ("what_is_named_exists", walls::what_is_named_exists),
            ("each_program_prints_what_is_said", programs::each_program_prints_what_is_said),
            (
                "versions_are_compared_by_their_numbers",
                programs::versions_are_compared_by_their_numbers,
            ),
            ("each_is_answered_by_what_there_is", questions::each_is_answered_by_what_there_is),
        ],
    )
}
