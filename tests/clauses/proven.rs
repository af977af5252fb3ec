//! What is known of each clause, from the marks that stand beside the checks.
//!
//! A mark is a clause's id in the comment of a lemma, a property or a test: `[wait-1]`. Behaviour tests are named by the
//! clause itself. `SETTLED_BLESS=1 cargo test --test clauses` writes the table of `spec/proven.md` anew.

use std::{collections::BTreeSet, env, fs, path::Path};

use crate::{checks::root, clauses, ids};

/// How a clause is known, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Proven,
    Explored,
    Compared,
    Tested,
}

impl Level {
    const fn says(self) -> &'static str {
        match self {
            Self::Proven => "proven without a bound",
            Self::Explored => "explored to a bound",
            Self::Compared => "compared",
            Self::Tested => "tested",
        }
    }
}

use Level::{Compared, Explored, Proven, Tested};

/// Where marks stand, below the package, and what they say.
const MARKED: [(&str, &str, Level); 13] = [
    ("tests/unbounded/cell/lemmas.rs", "unbounded", Proven),
    ("tests/unbounded/group/lemmas.rs", "unbounded", Proven),
    ("tests/unbounded/line/lemmas.rs", "unbounded", Proven),
    ("tests/unbounded/gate/lemmas.rs", "unbounded", Proven),
    ("models/table.rs", "models/table", Proven),
    ("src/model/property/mod.rs", "models", Explored),
    ("models/processes/properties.rs", "models/processes", Explored),
    ("models/primitives", "models/primitives", Explored),
    ("tests/loom", "loom", Explored),
    ("tests/spec.rs", "spec", Explored),
    ("tests/word.rs", "word", Explored),
    ("tests/oracle/main.rs", "oracle", Compared),
    ("tests/properties.rs", "properties", Compared),
];

/// What the name of a check in a clause says.
fn level_of(file: &str) -> Level {
    match file.split('/').next() {
        Some("loom" | "spec" | "word") => Explored,
        Some("properties") => Compared,
        _ => Tested,
    }
}

/// That a check is about a clause.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Mark {
    clause: String,
    level: Level,
    check: String,
}

/// The marks of a text: each with the function below the comment, or the sentence.
fn marks(text: &str, of: &str, level: Level) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut cited = BTreeSet::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let (code, rest) = (line.trim_start(), &text[at..]);
        at += line.len();
        if code.starts_with("//") {
            cited.extend(ids(code));
            continue;
        }
        if code.starts_with("#[") {
            continue;
        }
        let is_sentence = ["always(", "follows(", "const ", "pub const ", "pub(super) const "]
            .iter()
            .any(|it| code.starts_with(it));
        let name = match code.split_once("fn ") {
            Some((_, head)) => head.split(['(', '<']).next(),
            None if is_sentence => rest.split('"').nth(1),
            None => None,
        };
        let clauses = std::mem::take(&mut cited);
        if let Some(name) = name {
            let check = format!("{of}: {name}");
            let mark =
                |clause: &str| Mark { clause: clause.to_owned(), level, check: check.clone() };
            marks.extend(clauses.into_iter().map(mark));
        }
    }
    marks
}

/// All that stand beside checks, and the checks that the clauses name.
fn all_marks(root: &Path, text: &str) -> Vec<Mark> {
    let mut all = Vec::new();
    for (path, of, level) in MARKED {
        let path = root.join(path);
        if path.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                let path = entry.unwrap().path();
                let of = format!("{of}/{}", path.file_stem().unwrap().display());
                all.extend(marks(&fs::read_to_string(path).unwrap(), &of, level));
            }
        } else {
            all.extend(marks(&fs::read_to_string(path).unwrap(), of, level));
        }
    }
    for (clause, checks) in clauses(text) {
        for (file, tests) in checks {
            all.extend(tests.iter().map(|test| Mark {
                clause: clause.to_owned(),
                level: level_of(file),
                check: format!("{file}: {test}"),
            }));
        }
    }
    all.sort();
    all.dedup();
    all
}

/// A row: how the clause is known, and by what.
fn row(clause: &str, marks: &[Mark]) -> String {
    let of_it: Vec<_> = marks.iter().filter(|mark| mark.clause == clause).collect();
    let Some(best) = of_it.iter().map(|mark| mark.level).min() else {
        return format!("| `{clause}` | open | |\n");
    };
    let checks = of_it.iter().filter(|mark| mark.level == best);
    let checks: Vec<_> = checks.map(|mark| mark.check.as_str()).collect();
    // Which part of a clause is proven, the lemmas say together.
    let by = match checks.len() - 1 {
        others if best != Proven && others > 0 => format!("{}, and {others} more", checks[0]),
        _ => checks.join("; "),
    };
    format!("| `{clause}` | {} | {by} |\n", best.says())
}

/// The rows, in the order of the clauses.
fn table(text: &str, marks: &[Mark]) -> String {
    let order = text.lines().filter_map(|line| line.strip_prefix("- **[")?.split(']').next());
    let order: Vec<_> = order.collect();
    for mark in marks {
        assert!(order.contains(&mark.clause.as_str()), "{mark:?} is about no clause");
    }
    order.iter().map(|clause| row(clause, marks)).collect()
}

const BEGIN: &str = "<!-- clauses -->\n";
const END: &str = "<!-- /clauses -->";

#[test]
fn what_is_known_of_each_clause_is_told() {
    watch!();
    let root = root();
    let text = fs::read_to_string(root.join("spec/clauses.md")).unwrap();
    let table = table(&text, &all_marks(root, &text));
    let told = format!("| clause | how | by |\n|---|---|---|\n{table}");
    let path = root.join("spec/proven.md");
    let proven = fs::read_to_string(&path).unwrap();
    let (head, rest) = proven.split_once(BEGIN).expect("the table begins");
    let (committed, tail) = rest.split_once(END).expect("the table ends");
    if env::var_os("SETTLED_BLESS").is_some() {
        fs::write(path, format!("{head}{BEGIN}{told}{END}{tail}")).unwrap();
        return;
    }
    let differs = told.lines().zip(committed.lines()).find(|(told, committed)| told != committed);
    assert!(
        told == committed,
        "the marks say otherwise than spec/proven.md; SETTLED_BLESS=1 writes it: {differs:?}"
    );
}

/// The best check counts; without any the clause is open.
#[test]
fn a_mark_that_goes_is_missed() {
    watch!();
    let root = root();
    let text = fs::read_to_string(root.join("spec/clauses.md")).unwrap();
    let mut marks = all_marks(root, &text);
    for [says, next] in [
        ["proven without a bound", "explored to a bound"],
        ["explored to a bound", "tested"],
        ["tested", "open"],
    ] {
        assert!(row("wait-3", &marks).contains(says), "{}", row("wait-3", &marks));
        let best = marks.iter().filter(|mark| mark.clause == "wait-3").map(|mark| mark.level).min();
        let before = table(&text, &marks);
        marks.retain(|mark| mark.clause != "wait-3" || Some(mark.level) != best);
        assert!(row("wait-3", &marks).contains(next), "{}", row("wait-3", &marks));
        assert_ne!(before, table(&text, &marks));
    }
}

/// A mark is found above what it marks, and nowhere else.
#[test]
fn a_mark_stands_in_the_comment_of_its_check() {
    watch!();
    let text = "/// `[wait-1]` One.\n/// Of `[wait-2]`.\n#[test]\nfn one() {\n    // `[wait-3]` not here\n    \
                let x = 1;\n}\n    // [wait-4]\n    always(\n        \"two\",\n/// None.\nfn three() {}\n";
    let found = marks(text, "file", Proven);
    let found: Vec<_> = found.iter().map(|it| (it.clause.as_str(), it.check.as_str())).collect();
    assert_eq!(found, [("wait-1", "file: one"), ("wait-2", "file: one"), ("wait-4", "file: two")]);
}
