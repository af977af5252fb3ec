//! The clauses, the documentation that cites them and the tests that check them agree.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

#[path = "support/checks.rs"]
mod checks;
#[path = "clauses/proven.rs"]
mod proven;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use checks::{is_case, is_test, root, rows};

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The text of every Rust file and every document below a directory of the package.
fn sources(below: &str) -> String {
    fn collect(directory: &Path, text: &mut String) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, text);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "rs" || extension == "md")
            {
                text.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut text = String::new();
    collect(&root().join(below), &mut text);
    text
}

/// Everything in `text` that has the form of a clause id, `[word-number]`.
fn ids(text: &str) -> BTreeSet<&str> {
    let is_id = |candidate: &&str| {
        candidate.split_once('-').is_some_and(|(word, number)| {
            !word.is_empty()
                && word.bytes().all(|b| b.is_ascii_lowercase())
                && !number.is_empty()
                && number.bytes().all(|b| b.is_ascii_digit())
        })
    };
    text.split('[').filter_map(|rest| Some(rest.split_once(']')?.0)).filter(is_id).collect()
}

/// The checks that each clause names, as (file, tests).
fn clauses(text: &str) -> BTreeMap<&str, Vec<(&str, Vec<&str>)>> {
    let mut clauses = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("- **[")) {
        let id = line[5..].split(']').next().unwrap();
        let checks = line.rsplit_once("*(").expect(id).1.strip_suffix(")*").expect(id);
        let checks = checks.split("; ").map(|check| {
            let (file, tests) = check.split_once(": ").expect(id);
            (file, tests.split(", ").collect())
        });
        let former = clauses.insert(id, checks.collect());
        assert!(former.is_none(), "[{id}] stands there twice");
    }
    clauses
}

#[test]
fn clauses_documentation_and_tests_agree() {
    watch!();
    let text = read("spec/clauses.md");
    let clauses = clauses(&text);
    assert!(clauses.len() > 50, "the clauses were not found");
    let (source, readme) = (sources("src"), read("README.md"));
    let cited: BTreeSet<_> = ids(&source).union(&ids(&readme)).copied().collect();
    let unknown: Vec<_> = cited.iter().filter(|id| !clauses.contains_key(*id)).collect();
    assert!(unknown.is_empty(), "cited, but not a clause: {unknown:?}");
    let silent: Vec<_> = clauses.keys().filter(|id| !cited.contains(*id)).collect();
    assert!(silent.is_empty(), "a clause that no documentation cites: {silent:?}");
    for (id, checks) in clauses {
        for (file, tests) in checks {
            for test in tests {
                assert!(is_test(&format!("{file}: {test}")), "[{id}]: no test {file}: {test}");
            }
        }
    }
}

/// Each clause about several futures, tasks and reports has a fault of its own, which its test catches.
#[test]
fn every_clause_of_several_futures_has_its_fault() {
    watch!();
    let (text, table) = (read("spec/clauses.md"), read("tests/faults/clauses"));
    let mut faults = BTreeMap::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let (clause, patches) = line.split_once(": ").expect(line);
        let former = faults.insert(clause, patches.split(' ').collect::<Vec<_>>());
        assert!(former.is_none(), "{clause} stands there twice");
    }
    let clauses = clauses(&text);
    let several = |id: &&&str| {
        let (group, _) = id.split_once('-').unwrap();
        ["callback-4", "pool-10"].contains(*id)
            || ["combine", "group", "report", "task", "wait"].contains(&group)
    };
    for clause in clauses.keys().filter(several) {
        assert!(faults.contains_key(clause), "tests/faults/clauses has no fault for {clause}");
    }
    for (clause, patches) in faults {
        let checks = clauses.get(clause).unwrap_or_else(|| panic!("{clause} is no clause"));
        for patch in patches {
            let fault = read(&format!("tests/faults/{patch}.patch"));
            let by = fault.lines().next().unwrap().strip_prefix("# caught by: ").expect(patch);
            let (target, test) = by.rsplit_once(' ').expect(patch);
            let named = checks.iter().any(|(file, tests)| {
                let (file, prefix) = match file.split_once('/') {
                    Some((target, module)) => (target, format!("{module}::")),
                    None => (*file, String::new()),
                };
                file == target && tests.iter().any(|it| format!("{prefix}{it}") == test)
            });
            assert!(named, "{patch} is caught by {by}, which {clause} does not name");
        }
    }
}

/// Everything in `text` that starts with `prefix` and goes on with letters or digits.
fn words<'a>(text: &'a str, prefix: &str) -> BTreeSet<&'a str> {
    let ends = |rest: &str| rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    text.match_indices(prefix)
        .map(|(at, _)| &text[at..at + prefix.len() + ends(&text[at + prefix.len()..])])
        .filter(|word| word.len() > prefix.len())
        .collect()
}

#[test]
fn every_difference_and_bug_that_is_cited_is_told() {
    watch!();
    let (differences, bugs) = (read("spec/differences.md"), read("spec/bugs.md"));
    for number in 1..=53 {
        assert!(differences.contains(&format!("\n| D{number} |")), "D{number} is not told");
    }
    let mut product = sources("src") + &sources("tests") + &sources("models");
    product += &(read("README.md") + &read("spec/clauses.md") + &differences);
    let cited = words(&product, concat!("bug", "-"));
    assert!(cited.len() > 5, "the bugs were not found");
    let untold: Vec<_> = cited.iter().filter(|bug| !bugs.contains(&format!("`{bug}`"))).collect();
    assert!(untold.is_empty(), "cited, but not told: {untold:?}");
}

/// A table of Python's names: at most a quarter is not offered, and the rest name tests that exist.
fn names_are_told(file: &str, at_least: usize) {
    let text = read(&format!("spec/{file}"));
    let names = rows(&text, "| `");
    assert!(names.len() >= at_least, "the rows were not found");
    let (left_out, offered): (Vec<_>, Vec<_>) =
        names.iter().partition(|row| row[2].starts_with("not offered"));
    assert!(left_out.len() * 4 <= names.len(), "more than a quarter is not offered");
    let holds = rows(&text, "| *");
    assert!(holds.len() > 15, "the properties were not found");
    for row in offered.into_iter().chain(&holds) {
        let test = row.last().unwrap();
        assert!(is_test(test), "{}: there is no test {test}", row[0]);
    }
    println!("{file}: {} names, {} not offered", names.len(), left_out.len());
}

#[test]
fn every_name_of_concurrent_futures_is_told() {
    watch!();
    names_are_told("threads.md", 48);
}

/// What the installed Python has in that module: names, methods, and the parameters of the pools.
const NAMES: &str = r"
import concurrent.futures as module, inspect
from concurrent.futures import process, thread

def public(of):
    return [name for name in vars(of) if not name.startswith('_')]

names = [*module.__all__, 'process.BrokenProcessPool', 'thread.BrokenThreadPool']
names += [f'{of.__name__}.{name}' for of in (module.Future, module.Executor, process.ProcessPoolExecutor) for name in public(of)]
for pool in (process.ProcessPoolExecutor, thread.ThreadPoolExecutor):
    parameters = inspect.signature(pool).parameters.values()
    names += [f'{pool.__name__}({it.name}=)' for it in parameters if it.kind != it.VAR_KEYWORD]
print(*names, sep='\n')
";

#[test]
fn python_has_no_other_name_of_concurrent_futures() {
    watch!();
    let Ok(python) = Command::new("python3").args(["-c", NAMES]).output() else {
        assert!(std::env::var_os("SETTLED_STRICT").is_none(), "python3 is missing");
        return eprintln!("SKIPPED: python3 is missing (apt-get install python3)");
    };
    let names = String::from_utf8(python.stdout).unwrap();
    assert!(names.lines().count() > 35, "the names were not found: {names}");
    let text = read("spec/threads.md");
    let told: Vec<_> = rows(&text, "| `").iter().map(|row| row[0].to_owned()).collect();
    let untold = names.lines().filter(|name| !told.contains(&format!("`{name}`")));
    assert_eq!(untold.collect::<Vec<_>>(), [""; 0]);
    assert!(!text.contains("not yet"), "a name is not there yet");
}

#[test]
fn every_name_of_asyncio_is_told() {
    watch!();
    names_are_told("loops.md", 70);
}

/// What the installed Python has of the primitives: classes, what their objects have, and the parameters of the classes. What
/// a kind of another has besides counts, and of `RLock` and the other queues, which are told as a whole, that they are there.
const PRIMITIVES: &str = r"
import asyncio, inspect, queue, threading

def public(of):
    return {name for name in dir(of) if not name.startswith('_')}

names = []
for module, inside in (threading, threading), (asyncio, asyncio.locks), (queue, queue), (asyncio, asyncio.queues):
    wanted = ['Event', 'Semaphore', 'BoundedSemaphore', 'Lock', 'RLock', 'Condition', 'Barrier', 'BrokenBarrierError']
    classes = wanted if inside is threading else inside.__all__
    for name in {*classes, *(['BrokenBarrierError'] if inside is asyncio.locks else [])}:
        of = getattr(module, name)
        names.append(f'{module.__name__}.{name}')
        if inspect.isclass(of) and issubclass(of, BaseException) or name == 'RLock':
            continue
        it = of(1) if name == 'Barrier' else of()
        bases = [module.Semaphore()] if name == 'BoundedSemaphore' else []
        bases += [module.Queue()] if name.endswith('Queue') and name != 'Queue' else []
        names += [f'{module.__name__}.{name}.{own}' for own in public(it).difference(*map(public, bases))]
        if inspect.isclass(of) and not bases and name != 'Lock':
            names += [f'{module.__name__}.{name}({own})' for own in inspect.signature(of).parameters]
print(*sorted(names), sep='\n')
";

/// The names in a cell: `Queue.put` is one of both modules, and one without a class is of the class before it.
fn told_names(cell: &str) -> Vec<String> {
    let mut class = String::new();
    let mut told = Vec::new();
    for name in cell.split('`').skip(1).step_by(2) {
        let name = name.replace("=)", ")");
        let is_of_a_class = name.starts_with(|c: char| c.is_uppercase()) || name.contains('.');
        let full = if is_of_a_class { name } else { format!("{class}.{name}") };
        let end = full.rfind(['.', '(']).unwrap_or(full.len());
        if is_of_a_class {
            class = full[..end].to_owned();
        }
        told.push(full);
    }
    told
}

#[test]
fn python_has_no_other_name_of_the_primitives() {
    watch!();
    let Ok(python) = Command::new("python3").args(["-c", PRIMITIVES]).output() else {
        assert!(std::env::var_os("SETTLED_STRICT").is_none(), "python3 is missing");
        return eprintln!("SKIPPED: python3 is missing (apt-get install python3)");
    };
    let names = String::from_utf8(python.stdout).unwrap();
    assert!(names.lines().count() > 90, "the names were not found: {names}");
    let text = read("spec/primitives.md");
    let told: BTreeSet<_> = rows(&text, "| `").iter().flat_map(|row| told_names(row[0])).collect();
    let is_told = |name: &str| {
        let (_, of_both) = name.split_once('.').unwrap();
        told.contains(name) || told.contains(of_both)
    };
    let untold = names.lines().filter(|name| !is_told(name));
    assert_eq!(untold.collect::<Vec<_>>(), [""; 0]);
}

/// Each name of the primitives has a test, or a reason; each of their differences is of a kind.
#[test]
fn every_name_of_the_primitives_is_told() {
    watch!();
    let text = read("spec/primitives.md");
    let names = rows(&text, "| `");
    assert!(names.len() > 15, "the rows were not found");
    for row in names {
        let told = row.last().unwrap();
        assert!(told.starts_with("not ") || is_test(told), "{}: there is no test {told}", row[0]);
    }
    let differences = rows(&text, "| D");
    let found: Vec<_> = differences.iter().map(|row| row[0].to_owned()).collect();
    assert_eq!(found, (54..=71).map(|number| format!("D{number}")).collect::<Vec<_>>());
    let is_kind = |kind: &str| ["inherent", "convention", "accident"].contains(&kind);
    assert!(differences.iter().all(|row| is_kind(row[1])), "a difference is of another kind");
    let cited: BTreeSet<_> = differences.iter().flat_map(|row| ids(row[5])).collect();
    let clauses = read("spec/clauses.md");
    for clause in &cited {
        assert!(clauses.contains(&format!("**[{clause}]**")), "{clause} is no clause");
    }
    assert!(cited.len() > 5, "the clauses were not found");
}

/// The numbers of bugs in a text: `#93222`.
fn numbers(text: &str) -> BTreeSet<&str> {
    let ends = |rest: &str| rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    text.split('#').skip(1).map(|rest| &rest[..ends(rest)]).filter(|it| !it.is_empty()).collect()
}

/// Each mistake of others that `primitives.md` tells of by its number has a system that has the number in its name.
#[test]
fn each_mistake_of_others_has_its_system() {
    watch!();
    let text = read("spec/primitives.md");
    let (_, told) = text.split_once("## Handed over, or free for all").unwrap();
    let (told, _) = told.split_once("## Name by name").unwrap();
    let (mut told, systems) = (numbers(told), sources("models/primitives"));
    // This one alone has none, and it is said there.
    assert!(told.remove("83055"), "the mistakes were not found");
    assert_eq!(told, numbers(&systems));
}

/// Each difference and each bug has one row in `coverage.md`, and what it names exists.
#[test]
fn every_difference_and_bug_is_covered() {
    watch!();
    let bugs = read("spec/bugs.md");
    let mut expected: Vec<String> = (1..=71).map(|number| format!("`D{number}`")).collect();
    expected.extend(rows(&bugs, "| `bug-").iter().map(|row| row[0].to_owned()));
    assert!(expected.len() > 100, "the bugs were not found");
    let text = read("spec/coverage.md");
    let covered = rows(&text, "| `");
    let ids: Vec<_> = covered.iter().map(|row| row[0]).collect();
    assert_eq!(
        ids, expected,
        "coverage.md has other rows than differences.md, primitives.md and bugs.md, or another order"
    );
    let (mut systems, mut tests) = (0, 0);
    for row in &covered {
        let [id, system, test] = row[..] else { panic!("three cells: {row:?}") };
        let reason = |cell: &str| cell.strip_prefix("none: ").is_some_and(|why| why.len() > 8);
        if !reason(system) {
            assert!(is_case(system), "{id}: there is no system {system}");
            systems += 1;
        }
        if !reason(test) {
            assert!(is_test(test), "{id}: there is no test {test}");
            tests += 1;
        }
    }
    println!("covered: {} ids, {systems} with a system, {tests} with a test", covered.len());
    // What a table of the differences calls shown by a model has a system.
    let differences = read("spec/differences.md") + &read("spec/primitives.md");
    let differences = rows(&differences, "| D");
    assert_eq!(differences.len(), 71);
    for row in differences.iter().filter(|row| row[4].contains("*model*")) {
        let of = format!("`{}`", row[0]);
        let covered = covered.iter().find(|row| row[0] == of).unwrap();
        assert!(!covered[1].starts_with("none"), "{of} is marked as modelled, and has no system");
    }
}
