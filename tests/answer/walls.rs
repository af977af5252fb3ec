//! `spec/architecture.md` says on which floor each room is, and no room imports from above; its walls stand, and inside
//! a room no file imports one that imports it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use crate::{checks::root, read};

/// The Rust files below a directory.
fn files(below: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push(path);
        }
    }
}

/// The rooms, which are the modules of the crate's root, each with its code.
fn rooms() -> BTreeMap<String, String> {
    let (mut all, mut rooms) = (Vec::new(), BTreeMap::<_, String>::new());
    files(&root().join("src"), &mut all);
    for path in all {
        let below = path.strip_prefix(root().join("src")).unwrap();
        let room = below.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        rooms.entry(room.to_owned()).or_default().extend(code.flat_map(|line| [line, "\n"]));
    }
    rooms
}

/// The name that a path begins with.
fn first(path: &str) -> &str {
    let path = path.trim_start();
    path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap()
}

/// What stands between a brace that was opened and its end, at its commas.
fn items(text: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut items) = (0, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return [items, vec![&text[begin..at]]].concat(),
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => (),
        }
    }
    panic!("a brace has no end: {}", &text[..40]);
}

/// What each room imports of the others.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let mut rooms = rooms();
    let lib = rooms.remove("lib").unwrap();
    // What the root exports is imported from there, too.
    let mut exports = BTreeMap::new();
    for item in items(lib.split_once("pub use crate::{").unwrap().1) {
        let (room, names) = item.split_once("::").unwrap_or(("", ""));
        let names = names.trim_start().trim_start_matches('{').split(',');
        exports.extend(names.map(|name| (first(name), room.trim().to_owned())));
    }
    let of = |name: &str| {
        let exported = || exports.get(name).cloned().filter(|_| !name.is_empty());
        if rooms.contains_key(name) { Some(name.to_owned()) } else { exported() }
    };
    let imports = |code: &str| -> BTreeSet<String> {
        let names = code.split("crate::").skip(1).flat_map(|rest| match rest.strip_prefix('{') {
            Some(rest) => items(rest).into_iter().map(first).collect(),
            None => vec![first(rest)],
        });
        names.filter_map(of).collect()
    };
    let mut all: BTreeMap<_, _> =
        rooms.iter().map(|(room, code)| (room.clone(), imports(code))).collect();
    for (room, imports) in &mut all {
        imports.remove(room);
    }
    all
}

/// The floor of each room, as the document has them.
fn floors() -> BTreeMap<String, u8> {
    let text = read("spec/architecture.md");
    let (_, rows) = text.split_once("| floor | room | has |\n|---|---|---|\n").unwrap();
    let mut floors = BTreeMap::new();
    for row in rows.lines().take_while(|line| line.starts_with('|')) {
        let cells: Vec<_> = row.split(" | ").collect();
        let floor = cells[0].trim_start_matches("| ").parse().unwrap();
        for room in cells[1].split('`').skip(1).step_by(2) {
            let former = floors.insert(room.to_owned(), floor);
            assert_eq!(former, None, "{room} is on two floors");
        }
    }
    floors
}

pub(crate) fn no_room_imports_from_above() -> Result<String, String> {
    let (floors, imports) = (floors(), imports());
    let unknown: Vec<_> = imports.keys().filter(|room| !floors.contains_key(*room)).collect();
    assert!(unknown.is_empty(), "on which floor is {unknown:?}?");
    assert!(imports.values().map(BTreeSet::len).sum::<usize>() > 80, "the imports were not found");
    for (room, imported) in imports {
        let is_told = |other: &str| (&room[..], other) == ("trace", "event_loop");
        let is_above = |other: &&String| floors[*other] > floors[&room] && !is_told(other);
        let above = imported.iter().find(is_above);
        assert_eq!(above, None, "{room} imports from above");
    }
    Ok(String::new())
}

pub(crate) fn the_walls_stand() -> Result<String, String> {
    let imports = imports();
    let of = |room: &str| imports[room].iter().map(String::as_str).collect::<Vec<_>>();
    assert!(of("machine").is_empty(), "the machine knows {:?}", of("machine"));
    assert_eq!(of("phase"), ["machine"]);
    assert_eq!(of("model"), ["error", "machine"]);
    for (room, others) in &imports {
        let knows_both = others.contains("thread") && others.contains("event_loop");
        assert!(!knows_both || ["bridge", "tasks"].contains(&&room[..]), "{room} knows both");
        assert!(!others.contains("model"), "{room} knows the model");
    }
    assert!(!of("thread").contains(&"event_loop"), "the thread flavour knows the loop's");
    assert!(!of("event_loop").contains(&"thread"), "the loop flavour knows the thread's");
    let knowing = |word: &str| -> Vec<_> {
        let rooms = rooms();
        rooms.into_iter().filter(|(_, code)| code.contains(word)).map(|(room, _)| room).collect()
    };
    assert_eq!(knowing("cfg(settled_loom"), ["lib", "sync"], "who knows the schedulers");
    assert_eq!(knowing("unsafe {"), ["cell", "primitives", "thread"], "who is unsafe");
    Ok(String::new())
}

/// A file of a room, or a folder of it: its name, its code, and how a path begins there that goes on in the room.
fn parts(room: &str) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    let folder = root().join("src").join(room);
    files(&folder, &mut all);
    all.extend(Some(folder.with_extension("rs")).filter(|front| front.exists()));
    let part = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let below = path.strip_prefix(&folder).unwrap_or(Path::new("mod.rs")).with_extension("");
        let is_front = below.ends_with("mod");
        let up = below.components().count() - usize::from(is_front);
        let name = below.iter().next().unwrap().to_str().unwrap().to_owned();
        (name, code.collect::<Vec<_>>().join("\n"), "super::".repeat(up))
    };
    all.into_iter().map(part).collect()
}

/// What the files of a room import of each other, also by way of what its front, which is called `mod` here, hands on.
fn imports_inside(room: &str) -> BTreeMap<String, BTreeSet<String>> {
    let parts = parts(room);
    let (_, front, _) = parts.iter().find(|(name, ..)| name == "mod").unwrap();
    let names: BTreeSet<_> = parts.iter().map(|(name, ..)| name.clone()).collect();
    let handed_on: BTreeMap<_, _> = front
        .split("use ")
        .skip(1)
        .flat_map(|rest| {
            let (file, names) =
                rest.split_once(';').unwrap_or_default().0.split_once("::").unwrap_or_default();
            let names = names.trim_matches(['{', '}']).split(',').map(first);
            names.map(|name| (name, file.to_owned())).collect::<Vec<_>>()
        })
        .filter(|(_, file)| names.contains(file))
        .collect();
    let is_in_front = |name: &str| {
        let kinds = ["fn", "struct", "enum", "trait", "type", "const", "static"];
        kinds.iter().any(|kind| {
            front.match_indices(&format!("{kind} {name}")).any(|(at, found)| {
                !front[at + found.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
            })
        })
    };
    let of = |name: &str| match names.contains(name) {
        true => Some(name.to_owned()),
        false => handed_on
            .get(name)
            .cloned()
            .or_else(|| (!name.is_empty() && is_in_front(name)).then(|| "mod".to_owned())),
    };
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, code, up) in &parts {
        let inside = format!("crate::{room}::");
        let own = if file == "mod" { "mod ".to_owned() } else { up.clone() };
        let paths = code.split(&*own).skip(1).chain(code.split(&*inside).skip(1));
        let found = paths.flat_map(|rest| match rest.strip_prefix('{') {
            Some(rest) => items(rest).into_iter().map(first).collect(),
            None => vec![first(rest)],
        });
        let others = found.filter_map(of).filter(|other| other != file);
        all.entry(file.clone()).or_default().extend(others);
    }
    all
}

/// Those from which imports lead back to themselves.
fn in_circles(imports: &BTreeMap<String, BTreeSet<String>>) -> Vec<&str> {
    let comes_back = |file: &&String| {
        let (mut found, mut next) = (BTreeSet::new(), vec![*file]);
        while let Some(it) = next.pop() {
            next.extend(imports[it].iter().filter(|other| found.insert(*other)));
        }
        found.contains(*file)
    };
    imports.keys().filter(comes_back).map(String::as_str).collect()
}

/// The rooms that know each other, all by way of all.
const CIRCLE_OF_ROOMS: [&str; 15] = [
    "blocking",
    "cell",
    "context",
    "deferred",
    "error",
    "event_loop",
    "hook",
    "inbox",
    "interrupt",
    "output",
    "promise",
    "settled",
    "sync",
    "trace",
    "waiter",
];

/// The files of a room that do, which are known and grow no more; the front of a room has the name of the room.
const CIRCLES: [(&str, &[&str]); 8] = [
    ("blocking", &["blocking", "waiting"]),
    (
        "cell",
        &[
            "atom", "handle", "lend", "list", "cell", "place", "producer", "settle", "slot",
            "wait", "weak", "word",
        ],
    ),
    ("model", &["names", "own", "program", "shape", "state"]),
    ("primitives", &["memory", "waits"]),
    (
        "process",
        &[
            "builder", "child", "function", "inbox", "job", "manager", "process", "pool", "shape",
            "shared", "worker",
        ],
    ),
    ("sync", &["cell", "lock", "sync"]),
    ("tasks", &["group", "many", "tasks", "time"]),
    ("thread", &["executor", "future", "map", "wait", "watched", "weak"]),
];

pub(crate) fn rooms_go_in_the_one_circle_that_is_known() -> Result<String, String> {
    let imports = imports();
    assert_eq!(in_circles(&imports), CIRCLE_OF_ROOMS);
    let (mut found, mut next) = (BTreeSet::new(), vec![CIRCLE_OF_ROOMS[0]]);
    while let Some(it) = next.pop() {
        next.extend(imports[it].iter().map(String::as_str).filter(|other| found.insert(*other)));
    }
    assert!(CIRCLE_OF_ROOMS.iter().all(|room| found.contains(room)), "they are several circles");
    let named = CIRCLE_OF_ROOMS.map(|room| format!("`{room}`")).join(", ");
    assert!(joined("spec/architecture.md").contains(&named), "it does not say: {named}");
    Ok(String::new())
}

/// A text as one line.
fn joined(path: &str) -> String {
    read(path).split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn no_file_imports_one_that_imports_it() -> Result<String, String> {
    let rooms: Vec<_> = imports().into_keys().collect();
    let folders = rooms.iter().filter(|room| root().join("src").join(room).is_dir());
    let (mut circles, mut files) = (Vec::new(), 0);
    for room in folders {
        let imports = imports_inside(room);
        files += imports.len();
        let names = in_circles(&imports);
        let names = names.into_iter().map(|it| if it == "mod" { room } else { it }.to_owned());
        circles.push((room.clone(), names.collect::<Vec<_>>()));
    }
    circles.retain(|(_, files)| !files.is_empty());
    let known: Vec<_> = CIRCLES
        .iter()
        .map(|(room, files)| {
            ((*room).to_owned(), files.iter().map(|it| (*it).to_owned()).collect())
        })
        .collect();
    assert_eq!(circles, known, "files go in other circles than are known");
    assert!(files > 100, "the files were not found");
    let said = |(room, files): &(&str, &[&str])| {
        let files: Vec<_> = files.iter().map(|file| format!("`{file}`")).collect();
        format!("in `src/{room}` {}", files.join(", "))
    };
    let row = format!(
        "| Inside a room no file imports one that imports it, but for these circles, in which a front has the name of its room: {}. |",
        CIRCLES.iter().map(said).collect::<Vec<_>>().join("; ")
    );
    assert!(read("spec/architecture.md").contains(&row), "it does not say: {row}");
    Ok(String::new())
}

pub(crate) fn what_is_named_exists() -> Result<String, String> {
    let text = read("spec/architecture.md");
    let named = text.split('`').skip(1).step_by(2).filter(|name| name.contains('/'));
    let named: Vec<_> = named.filter(|name| !name.contains('\n')).collect();
    assert!(named.len() > 30, "the names were not found");
    let missing: Vec<_> = named.into_iter().filter(|name| !root().join(name).exists()).collect();
    assert!(missing.is_empty(), "there is no {missing:?}");
    Ok(String::new())
}
