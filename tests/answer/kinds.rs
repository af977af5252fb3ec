//! Each difference is inherent, a convention or an accident, and has what its kind asks for.

use std::{collections::BTreeMap, env, fs};

use crate::{checks::root, read};

/// The differences of the futures.
const FUTURES: &str = "spec/differences.md";
/// The differences of events, semaphores and locks.
const TWINS: &str = "spec/primitives.md";

/// The differences of each kind, as the table sorts them.
fn kinds(file: &str) -> BTreeMap<String, Vec<String>> {
    let mut kinds = BTreeMap::<_, Vec<_>>::new();
    for row in read(file).lines().filter(|line| line.starts_with("| D")) {
        let cells: Vec<_> = row.split(" | ").collect();
        let [id, kind] = [cells[0], cells[1]].map(|cell| cell.trim_start_matches("| ").to_owned());
        kinds.entry(kind).or_default().push(id);
    }
    kinds
}

/// The ids in the cells of a table.
fn ids(text: &str) -> Vec<String> {
    let is_id =
        |word: &&str| word.strip_prefix('D').is_some_and(|number| number.parse::<u8>().is_ok());
    text.split([' ', ',', '|', '\n']).filter(is_id).map(str::to_owned).collect()
}

/// What stands below a heading of a table.
fn table<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, rest) =
        text.split_once(heading).unwrap_or_else(|| panic!("there is no table {heading}"));
    rest.split_once("\n\n").expect("a table ends").0
}

const KINDS: [&str; 3] = ["inherent", "convention", "accident"];

/// How many differences there are, and of each kind, as the target's closing line tells it.
pub(crate) fn counts() -> String {
    let (futures, twins) = (kinds(FUTURES), kinds(TWINS));
    let [inherent, conventions, accidents] =
        KINDS.map(|kind| futures[kind].len() + twins[kind].len());
    let all = inherent + conventions + accidents;
    format!(
        "{all} differences: {inherent} inherent, {conventions} conventions, {accidents} accidents"
    )
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort_by_key(|id| id[1..].parse::<u8>().unwrap());
    ids
}

pub(crate) fn each_difference_is_of_one_kind_and_has_what_that_asks_for() -> Result<String, String>
{
    let (kinds, why, found) =
        (kinds(FUTURES), read("spec/why.md"), read("spec/counterexamples.md"));
    let names: Vec<_> = kinds.keys().map(String::as_str).collect();
    assert_eq!(names, ["accident", "convention", "inherent"]);
    assert_eq!(kinds.values().map(Vec::len).sum::<usize>(), 53);
    for id in &kinds["inherent"] {
        assert!(
            found.contains(&format!("\n## {id}: ")),
            "{id} is called inherent, and has no chart"
        );
    }
    let facts = sorted(ids(table(&why, "| fact | differences |\n")));
    assert_eq!(facts, kinds["inherent"], "the facts explain others than the inherent ones");
    let accidents = table(&why, "| accident | what happens | where |\n");
    assert_eq!(ids(accidents), kinds["accident"], "other accidents are told than there are");
    for row in accidents.lines().skip(1) {
        assert!(row.contains("](https://"), "an accident has no source: {row}");
    }
    let (shown, (_, told)) = (
        read("spec/accidents.md"),
        why.split_once("Five of them, as programs").expect("there are five"),
    );
    for id in &kinds["accident"] {
        let is_shown = shown.contains(&format!("\n## {id}\n")) || told.contains(&format!("({id}"));
        assert!(is_shown, "there is no program for {id}");
    }
    Ok(String::new())
}

/// Each that is inherent is so by a run that is shown, or for the reason of another.
pub(crate) fn each_difference_of_the_twins_has_its_reason() -> Result<String, String> {
    let (text, found) = (read(TWINS), read("spec/counterexamples.md"));
    for id in &kinds(TWINS)["inherent"] {
        let row = text.lines().find(|line| line.starts_with(&format!("| {id} |"))).unwrap();
        let why = row.split(" | ").nth(4).unwrap();
        let other = why.strip_prefix("as ").and_then(|it| it.split([':', ';', ',']).next());
        let is_shown = other.is_some_and(|other| found.contains(&format!("\n## {other}: ")));
        assert!(is_shown || why.contains("*model*"), "{id} is called inherent: {why}");
    }
    for run in text.split("\n**D").skip(1) {
        let id = format!("D{}", run.split(':').next().unwrap());
        assert!(text.contains(&format!("\n| {id} |")), "a run is of {id}, which is none");
    }
    Ok(String::new())
}

/// The tables of how many there are are written by this test with `SETTLED_BLESS=1`.
pub(crate) fn they_are_counted() -> Result<String, String> {
    let futures = kinds(FUTURES);
    table_is(&futures, "counts");
    table_is(&kinds(TWINS), "counts of the twins");
    let inherent = futures["inherent"].len();
    let why = read("spec/why.md");
    assert!(why.contains(&format!("**{inherent} of the 53 differences are inherent**")));
    Ok(String::new())
}

fn table_is(kinds: &BTreeMap<String, Vec<String>>, mark: &str) {
    let why = read("spec/why.md");
    let mut table = "| kind | how many | which |\n|---|---|---|\n".to_owned();
    for kind in KINDS {
        let these = &kinds[kind];
        table += &format!("| {kind} | {} | {} |\n", these.len(), these.join(", "));
    }
    let (begin, end) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let (before, rest) = why.split_once(&begin).unwrap();
    let (there, after) = rest.split_once(&end).unwrap();
    if env::var_os("SETTLED_BLESS").is_some() {
        let text = format!("{before}{begin}{table}{end}{after}");
        fs::write(root().join("spec/why.md"), text).unwrap();
    } else {
        assert_eq!(
            there, table,
            "counted anew: SETTLED_BLESS=1 cargo test --test answer writes it"
        );
    }
}
