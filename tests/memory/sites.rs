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

/// The named orderings of a text; and whether every other is Relaxed.
fn orderings_of(text: &str) -> (BTreeSet<String>, bool) {
    let named = text.split("at(\"").skip(1).filter_map(|it| it.split_once("\", Ordering::"));
    let word = |it: &str| it.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("").to_owned();
    let sites: Vec<_> = named.map(|(name, order)| format!("{name}: {}", word(order))).collect();
    let orders = text.split("Ordering::").skip(1).map(word);
    let strong = orders.filter(|it| matches!(&**it, "Acquire" | "Release" | "AcqRel" | "SeqCst"));
    let is_named = strong.count() == sites.iter().filter(|it| !it.ends_with(": Relaxed")).count();
    (sites.into_iter().collect(), is_named)
}

/// The code of the cell, without its comments.
fn code() -> String {
    let cell = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cell");
    let files =
        fs::read_dir(cell).unwrap().map(|it| fs::read_to_string(it.unwrap().path()).unwrap());
    let lines = |text: String| {
        let lines = text.lines().filter(|it| !it.trim_start().starts_with("//"));
        lines.collect::<Vec<_>>().join("\n")
    };
    files.map(lines).collect()
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
    let code = code() + &fs::read_to_string(settled).unwrap();
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

/// The programs have the orderings of the code, by name and strength.
pub(crate) fn the_orderings_are_those_of_the_code() -> Result<String, String> {
    let used = all().into_iter().flat_map(|it| it.wrong(&RC11).0.used);
    let used: BTreeSet<_> = used.map(|(name, order)| format!("{name}: {order:?}")).collect();
    let code = code();
    let compare = |code: &str| match orderings_of(code) {
        (_, false) => Err("an ordering of src/cell has no name, and is not Relaxed".to_owned()),
        (sites, _) if sites != used => {
            Err(format!("src/cell has {sites:?}, the programs {used:?}"))
        }
        _ => Ok(String::new()),
    };
    for (is, becomes) in [
        ("at(\"settle\", Ordering::Release)", "at(\"settle\", Ordering::Relaxed)"),
        ("at(\"ask\", Ordering::Release)", "at(\"cancel\", Ordering::Release)"),
        ("at(\"weak\", Ordering::AcqRel)", "Ordering::AcqRel"),
    ] {
        let changed = code.replace(is, becomes);
        if changed == code || compare(&changed).is_ok() {
            return Err(format!("nobody notices {becomes} for {is}"));
        }
    }
    compare(&code)
}
