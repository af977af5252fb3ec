//! Who shows what of what.

use crate::{
    read,
    svg::{At, Picture},
};

/// The number before a word in the line of `spec/evidence.md` that begins so.
fn count(begin: &str, word: &str) -> u64 {
    let evidence = read("spec/evidence.md");
    let is_it = |line: &&str| line.strip_prefix(begin).is_some_and(|rest| rest.starts_with(": "));
    let line = evidence.lines().find(is_it).unwrap_or_else(|| panic!("there is no {begin}"));
    let (before, _) = line.split_once(&format!(" {word}")).expect(word);
    before.rsplit(' ').next().unwrap().parse().expect(word)
}

/// With one digit that counts, so that the picture stays as it is when a few are added.
fn over(number: u64) -> String {
    let number = number - 1;
    let unit = 10_u64.pow(number.ilog10());
    let digits = (number / unit * unit).to_string();
    let parts: Vec<_> =
        digits.as_bytes().rchunks(3).rev().map(|it| str::from_utf8(it).unwrap()).collect();
    format!("over {}", parts.join(","))
}

/// How the clauses are known, the best first, and how many of twenty that are.
fn known() -> Vec<(&'static str, usize)> {
    let proven = read("spec/proven.md");
    let rows = proven.split("<!-- clauses -->").nth(1).unwrap();
    let hows = ["proven without a bound", "explored to a bound", "compared", "tested"];
    let of = |how: &str| rows.matches(&format!("| {how} |")).count();
    let all: usize = hows.iter().map(|how| of(how)).sum();
    assert!(all > 100, "the clauses were not found");
    let mut left = 20;
    let mut known = Vec::new();
    for (how, at) in hows.into_iter().zip(1..) {
        // What is rounded is seen in the last.
        let part = if at == hows.len() { left } else { (of(how) * 20 + all / 2) / all };
        left -= part;
        known.push((how, part));
    }
    known
}

const WIDTH: i32 = 156;

/// Where a column begins.
const fn column(number: i32) -> i32 {
    20 + number * (WIDTH + 10)
}

/// A check: where it is, by what, how much, and about which things.
fn checks() -> [(&'static str, &'static str, String, &'static str); 5] {
    [
        (
            "z3",
            "tests/unbounded",
            format!("{} lemmas", over(count("unbounded", "lemmas"))),
            "any number of waiters",
        ),
        (
            "a search",
            "models",
            format!("{} states", over(count("proven", "states"))),
            "every interleaving",
        ),
        (
            "loom",
            "tests/loom",
            format!("{} runs", over(count("explored", "executions"))),
            "bounded where large",
        ),
        (
            "CPython",
            "tests/oracle",
            format!("{} programs", over(count("agreed", "programs"))),
            "the same answers",
        ),
        ("tests", "tests", "one or more a clause".to_owned(), "of what it does"),
    ]
}

/// The clauses, as twenty that stand for all.
fn clauses(picture: &mut Picture) {
    let wide = column(4) + WIDTH - column(0);
    picture.rect("plain", (column(0), 20), (wide, 114));
    picture.text("big", (column(0) + 20, 46), "the clauses");
    picture.text("code end", (column(4) + WIDTH - 20, 46), "spec/clauses.md");
    let classes = ["loop", "cell", "thread", "plain"];
    let (mut place, step) = (column(0) + 20, (wide - 40) / 20);
    for ((how, part), class) in known().into_iter().zip(classes) {
        let begin = place;
        for _ in 0..part {
            picture.rect(class, (place, 62), (step - 6, 24));
            place += step;
        }
        // A short row has no room for its name beside the next.
        let below = if part > 2 { 106 } else { 124 };
        picture.text("soft", (begin, below), &format!("{part} of 20 {how}"));
    }
}

/// The checks, between what they show and what they look at.
fn shows(picture: &mut Picture) {
    let size: At = (WIDTH, 104);
    for ((name, place, many, what), at) in checks().into_iter().zip(0..) {
        assert!(
            std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(place).exists(),
            "{place}"
        );
        let (x, middle) = (column(at), column(at) + WIDTH / 2);
        picture.arrow("ink", &[(middle, 197), (middle, 138)]);
        let classes = ["loop", "cell", "cell", "thread", "plain"];
        picture.rect(classes[usize::try_from(at).unwrap()], (x, 200), size);
        picture.text("big mid", (middle, 224), name);
        picture.text("code mid", (middle, 246), place);
        picture.text("mid soft", (middle, 268), &many);
        picture.text("mid soft", (middle, 288), what);
        picture.arrow("ink", &[(middle, 306), (middle, 366)]);
    }
    picture.text("soft", (column(0) + WIDTH / 2 + 8, 340), "looks at");
    picture.card("loop", (column(0), 370), (WIDTH, 70), &["the steps", "written by hand"]);
    picture.card("cell", (column(1), 370), (WIDTH, 70), &["the models", "src/model"]);
    picture.card("thread", (column(2), 370), (3 * WIDTH + 20, 70), &["the code", "src"]);
}

/// What is about several of those that stand above it.
fn compared(picture: &mut Picture) {
    let models = format!(
        "replayed on the code: {} paths; refined, in both directions: {} programs",
        over(count("replayed", "paths")),
        over(count("refined", "programs"))
    );
    let below = [
        ("plain", 1, "compared", models.as_str(), "tests/replay, tests/loom/refine.rs"),
        (
            "plain",
            0,
            "compared",
            "which function locks, looks and tells, in which order",
            "tests/unbounded/sites.rs",
        ),
        ("cell", 0, "the machine's table", "one function, which all three step", "src/machine.rs"),
    ];
    for ((class, from, name, what, place), at) in below.into_iter().zip(0..) {
        let (x, y) = (column(from), 452 + at * 58);
        let width = column(4) + WIDTH - x;
        picture.rect(class, (x, y), (width, 48));
        picture.text("big", (x + 20, y + 20), name);
        picture.text("code end", (x + width - 20, y + 20), place);
        picture.text("soft", (x + 20, y + 39), what);
    }
}

pub(crate) fn draw() -> String {
    let mut picture = Picture::new(
        (860, 674),
        "Who shows what",
        "The clauses are shown by z3 of hand-written steps, by a search of the models, and by loom, CPython and tests of the \
         code. The steps and the models are compared with the code, and all three take the machine's table.",
    );
    clauses(&mut picture);
    shows(&mut picture);
    compared(&mut picture);
    let broken = format!(
        "What is broken on purpose is found: {} systems, {} twins, and {} changes of the code.",
        over(count("proven", "must-fail")),
        over(count("unbounded", "broken")),
        over(count("mutants", "caught"))
    );
    picture.text("soft", (column(0), 652), &broken);
    picture.finish()
}
