//! `spec/architecture.md` says on which floor each room is, and no room imports from above; its walls stand, and inside
//! a room no file imports one that imports it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use crate::read;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

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

/// What the files of a room import of each other, also by way of what its `mod.rs` hands on.
fn imports_inside(room: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut all = Vec::new();
    files(&root().join("src").join(room), &mut all);
    let name = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let code = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        code.collect::<Vec<_>>().join("\n")
    };
    let mut codes: BTreeMap<_, _> = all.iter().map(|path| (name(path), code(path))).collect();
    let front = codes.remove("mod").unwrap();
    let handed_on: BTreeMap<_, _> = front
        .split("use ")
        .skip(1)
        .flat_map(|rest| {
            let (file, names) =
                rest.split_once(';').unwrap().0.split_once("::").unwrap_or(("", ""));
            let names = names.trim_matches(['{', '}']).split(',').map(first);
            names.map(|name| (name, file.to_owned())).collect::<Vec<_>>()
        })
        .collect();
    let of = |name: &str| match codes.contains_key(name) {
        true => Some(name.to_owned()),
        false => handed_on.get(name).filter(|file| codes.contains_key(*file)).cloned(),
    };
    let of_code = |(file, code): (&String, &String)| {
        let inside = format!("crate::{room}::");
        let paths = code.split("super::").skip(1).chain(code.split(&*inside).skip(1));
        let names = paths.flat_map(|rest| match rest.strip_prefix('{') {
            Some(rest) => items(rest).into_iter().map(first).collect(),
            None => vec![first(rest)],
        });
        (file.clone(), names.filter_map(of).filter(|other| other != file).collect())
    };
    codes.iter().map(of_code).collect()
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

pub(crate) fn no_file_imports_one_that_imports_it() -> Result<String, String> {
    let files = ["event_loop", "tasks", "cell", "host"].map(|room| {
        let imports = imports_inside(room);
        assert_eq!(in_circles(&imports), Vec::<&str>::new(), "the files of {room} go in a circle");
        imports.len()
    });
    assert!(files[0] > 15, "the files were not found");
    // Where there is one, it is known, and grows no more.
    let known = ["executor", "future", "map", "wait", "watched", "weak"];
    assert_eq!(in_circles(&imports_inside("thread")), known);
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
