//! The orderings that have names: each is as strong as some program needs it, and the programs have those of the code.

use std::{collections::BTreeSet, fs, path::Path};

use crate::{
    axioms::RC11,
    program::Order::{self, AcqRel, Acquire, Relaxed, Release, SeqCst},
    protocol::all,
};

/// The weaker ones.
const fn below(order: Order) -> &'static [Order] {
    match order {
        Order::Plain | Relaxed => &[],
        Acquire | Release => &[Relaxed],
        AcqRel => &[Relaxed, Acquire, Release],
        SeqCst => &[AcqRel],
    }
}

/// What goes wrong in the first program that notices it if this ordering is that weak.
fn noticed(name: &'static str, order: Order) -> Option<String> {
    all().into_iter().find_map(|it| {
        let name_of = it.name;
        let what = it.weakened(name, order).wrong(&RC11).1?;
        Some(format!("{name_of}: {}", what.lines().next().unwrap_or_default()))
    })
}

/// No ordering could be weaker.
pub(crate) fn every_ordering_is_needed() -> Result<String, String> {
    let (mut seen, mut needless) = (BTreeSet::new(), Vec::new());
    println!("{:<10} {:<10} {:<10} noticed by", "ordering", "is", "weakened");
    for (name, order) in all().iter().flat_map(|it| it.wrong(&RC11).0.used) {
        if !seen.insert((name, format!("{order:?}"))) {
            continue;
        }
        for weak in below(order) {
            let by = noticed(name, *weak);
            let told = by.as_deref().unwrap_or("NOBODY");
            println!("{name:<10} {:<10} {:<10} {told}", format!("{order:?}"), format!("{weak:?}"));
            if by.is_none() {
                needless.push(format!("{name} might be {weak:?}"));
            }
        }
    }
    if needless.is_empty() { Ok(String::new()) } else { Err(needless.join("\n")) }
}

/// The named orderings of a text, in order; and whether every other is Relaxed.
fn orderings_of(text: &str) -> (Vec<String>, bool) {
    let named = text.split("at(\"").skip(1).filter_map(|it| it.split_once("\", Ordering::"));
    let word = |it: &str| it.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("").to_owned();
    let sites: Vec<_> = named.map(|(name, order)| format!("{name}: {}", word(order))).collect();
    let orders = text.split("Ordering::").skip(1).map(word);
    let strong = orders.filter(|it| matches!(&**it, "Acquire" | "Release" | "AcqRel" | "SeqCst"));
    let is_named = strong.count() == sites.iter().filter(|it| !it.ends_with(": Relaxed")).count();
    (sites, is_named)
}

/// The code below a folder of `src`, without its comments.
fn code(folder: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder);
    let (mut folders, mut code) = (vec![folder], String::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let text = fs::read_to_string(path).unwrap();
                let lines = text.lines().filter(|it| !it.trim_start().starts_with("//"));
                lines.for_each(|line| code.extend([line, "\n"]));
            }
        }
    }
    code
}

/// The functions that the comments of the programs name.
fn named() -> BTreeSet<String> {
    let cell = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/memory/cell");
    let files =
        fs::read_dir(cell).unwrap().map(|it| fs::read_to_string(it.unwrap().path()).unwrap());
    let comments = |text: String| {
        let lines = text.lines().filter_map(|it| it.trim_start().strip_prefix("/// "));
        let words = lines.flat_map(|it| it.split('`').skip(1).step_by(2));
        let functions = words.filter_map(|it| it.split_once("::"));
        functions.map(|(_, function)| function.to_owned()).collect::<Vec<_>>()
    };
    files.flat_map(comments).collect()
}

/// The functions of a text with whether an ordering is named in each.
fn functions(text: &str) -> Vec<(&str, bool)> {
    let each = text.split("fn ").skip(1);
    let name = |it: &'_ str| it.find(|c: char| c != '_' && !c.is_alphanumeric());
    each.filter_map(|it| Some((&it[..name(it)?], it.contains("at(\"")))).collect()
}

/// No program clears callbacks: they are taken out with the lock held, as by whoever settles, and nobody is told.
const UNPLAYED: &str = "clear_callbacks";

/// A program stands for each function of the cell that has an ordering, and for none that is not there.
pub(crate) fn the_programs_stand_for_the_functions_of_the_code() -> Result<String, String> {
    let settled = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/settled.rs");
    let code = code("cell") + &fs::read_to_string(settled).unwrap();
    let mut named = named();
    named.insert(UNPLAYED.to_owned());
    let compare = |code: &str| {
        let functions = functions(code);
        let gone = named.iter().find(|name| functions.iter().all(|(it, _)| it != *name));
        let new = functions.iter().find(|(name, orders)| *orders && !named.contains(*name));
        match (gone, new) {
            (None, None) => Ok(format!("{} functions", named.len())),
            others => Err(format!("gone from src/cell, and not in the programs: {others:?}")),
        }
    };
    for (is, becomes) in [("fn settle_so", "fn settle_new"), ("fn give_up(", "fn give_in(")] {
        let changed = code.replace(is, becomes);
        if changed == code || compare(&changed).is_ok() {
            return Err(format!("nobody notices {becomes} for {is}"));
        }
    }
    compare(&code)
}

/// The programs have the orderings of the code, by name and strength, and each of these has a name of its own.
pub(crate) fn the_orderings_are_those_of_the_code() -> Result<String, String> {
    let used = all().into_iter().flat_map(|it| it.wrong(&RC11).0.used);
    let used = used.map(|(name, order)| format!("{name}: {order:?}"));
    // Of `clear_callbacks`.
    let used: BTreeSet<_> = used.chain(["clear: Relaxed".to_owned()]).collect();
    let code = code("cell");
    let compare = |code: &str| {
        let (sites, is_named) = orderings_of(code);
        let names: BTreeSet<_> = sites.iter().cloned().collect();
        if !is_named {
            Err("an ordering of src/cell has no name, and is not Relaxed".to_owned())
        } else if names != used {
            Err(format!("src/cell has {names:?}, the programs {used:?}"))
        } else if sites.iter().any(|it| is_twice(&sites, it)) {
            Err(format!("two orderings of src/cell have one name: {sites:?}"))
        } else {
            Ok(format!("{} orderings", sites.len()))
        }
    };
    for (is, becomes) in [
        ("at(\"settle so\", Ordering::Release)", "at(\"settle so\", Ordering::Relaxed)"),
        ("at(\"settle so\", Ordering::Release)", "at(\"settle\", Ordering::Release)"),
        ("at(\"leave listed\", Ordering::Release)", "at(\"release\", Ordering::Release)"),
        ("at(\"take\", Ordering::AcqRel)", "Ordering::Relaxed"),
        ("at(\"ask\", Ordering::Release)", "at(\"cancel\", Ordering::Release)"),
        ("at(\"weak\", Ordering::AcqRel)", "Ordering::AcqRel"),
    ] {
        let changed = code.replacen(is, becomes, 1);
        if changed == code || compare(&changed).is_ok() {
            return Err(format!("nobody notices {becomes} for {is}"));
        }
    }
    compare(&code)
}

fn is_twice(sites: &[String], site: &str) -> bool {
    sites.iter().filter(|it| *it == site).count() > 1
}

/// Where a guess chooses a way that looks again: in the cell, and in the core of the primitives.
const RELAXED_GUESSES: usize = 2;

/// How many guesses are Relaxed. Any other is a look as strong as it says, but under loom, where it is none.
fn relaxed_guesses(code: &str) -> usize {
    code.matches(".guess(Ordering::Relaxed)").count()
}

/// Every ordering of the crate that is not Relaxed has a name, and `tests/faults/orderings` has each: the test of loom that
/// fails where it is weaker, or why there is none.
pub(crate) fn every_ordering_has_a_name() -> Result<String, String> {
    let rows = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/orderings");
    let rows = fs::read_to_string(rows).unwrap();
    let name = |row: &str| row.trim_start_matches("# ").split_once(": ").map(|it| it.0.to_owned());
    let rows: BTreeSet<_> = rows.lines().filter_map(name).collect();
    let compare = |code: &str| {
        let (sites, is_named) = orderings_of(code);
        let strong = sites.iter().filter(|it| !it.ends_with(": Relaxed"));
        let names: BTreeSet<_> = strong.filter_map(|it| name(it)).collect();
        match names.symmetric_difference(&rows).next() {
            _ if !is_named => Err("an ordering has no name, and is not Relaxed".to_owned()),
            _ if relaxed_guesses(code) != RELAXED_GUESSES => {
                Err("a step begins with a weaker look".to_owned())
            }
            Some(other) => Err(format!("not in both, src and tests/faults/orderings: {other}")),
            None => Ok(format!("{} orderings, {} names", sites.len(), names.len())),
        }
    };
    let code = code("");
    for (is, becomes) in [
        ("at(\"there\", Ordering::Acquire)", "Ordering::Acquire"),
        ("at(\"pass\", Ordering::Acquire)", "at(\"look in\", Ordering::Acquire)"),
        ("at(\"made\", Ordering::Release)", "at(\"made\", Ordering::Relaxed)"),
        ("is_seen) = self.guess(looks)", "is_seen) = self.guess(Ordering::Relaxed)"),
        ("self.word.guess(looks)", "self.word.guess(Ordering::Relaxed)"),
    ] {
        let changed = code.replacen(is, becomes, 1);
        if changed == code || compare(&changed).is_ok() {
            return Err(format!("nobody notices {becomes} for {is}"));
        }
    }
    compare(&code)
}
