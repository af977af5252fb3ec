//! No link of the documents leads to nowhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::{checks::root, read};

/// The anchors of a document, as they are made of its headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut in_block = false;
    for line in text.lines() {
        in_block ^= line.starts_with("```");
        let heading = line.trim_start_matches('#');
        if in_block || heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let kept =
            heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '));
        let anchor = kept.collect::<String>().to_lowercase().replace(' ', "-");
        // Whatever has the same heading as another has a number.
        let mut name = anchor.clone();
        for number in 1.. {
            if anchors.insert(name) {
                break;
            }
            name = format!("{anchor}-{number}");
        }
    }
    anchors
}

/// What stands outside of the blocks of code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    text.split("```").step_by(2)
}

/// Where the links of a document go that say so where they stand.
fn inline(text: &str) -> impl Iterator<Item = &str> {
    prose(text)
        .flat_map(|part| part.split("](").skip(1))
        .map(|rest| rest.split(')').next().unwrap())
}

/// Where its labels go, which stand at its end.
fn labels(text: &str) -> BTreeMap<&str, &str> {
    text.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: ")).collect()
}

/// What rustdoc shows too: the README, and the specification.
fn shown() -> Vec<String> {
    let mut documents = vec!["README.md".to_owned()];
    for entry in fs::read_dir(root().join("spec")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            documents.push(format!("spec/{name}"));
        }
    }
    documents
}

pub(crate) fn no_link_leads_to_nowhere() -> Result<String, String> {
    let root = root();
    let mut documents = shown();
    let others =
        ["CHANGELOG.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md", "tests/README.md"];
    documents.extend(others.map(str::to_owned));
    let (mut local, mut wrong) = (0, Vec::new());
    for document in documents {
        let text = read(&document);
        for link in inline(&text).chain(labels(&text).into_values()) {
            if link.starts_with("https://") || link.starts_with('<') {
                continue;
            }
            local += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let below = Path::new(&document).parent().unwrap();
            let target = if file.is_empty() {
                document.clone()
            } else {
                below.join(file).to_str().unwrap().to_owned()
            };
            if !root.join(&target).exists() {
                wrong.push(format!("{document}: there is no {target}"));
            } else if !anchor.is_empty() && !anchors(&read(&target)).contains(anchor) {
                wrong.push(format!("{document}: {target} has no heading #{anchor}"));
            }
        }
    }
    assert!(local > 30, "the links were not found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(String::new())
}

/// In rustdoc the name of a file leads to nowhere. So what links to one has a label, and `src/links.md`, which rustdoc
/// reads before each document, gives each label its place there: of two the first counts. A picture is in
/// `src/pictures.md` as a whole.
pub(crate) fn each_label_has_its_place_in_the_documentation() -> Result<String, String> {
    let (places, code) = (read("src/links.md"), read("src/spec.rs"));
    let pictures = read("src/pictures.md");
    let pictures = labels(&pictures);
    let (places, mut used) = (labels(&places), BTreeSet::new());
    for document in shown() {
        let text = read(&document);
        for link in inline(&text) {
            let has_its_place = link.starts_with('#') || link.starts_with("https://");
            assert!(has_its_place || link.starts_with('<'), "{document}: {link} has no label");
        }
        let labels = labels(&text);
        for &label in labels.keys() {
            if label.ends_with(".svg") {
                assert!(pictures.contains_key(label), "{document}: src/pictures.md has no {label}");
                continue;
            }
            let (label, place) = places
                .get_key_value(label)
                .unwrap_or_else(|| panic!("{document}: src/links.md has no [{label}]"));
            assert!(place.starts_with("crate"), "[{label}] is no item");
            used.insert((*label).to_owned());
        }
        for part in prose(&text).flat_map(|part| part.split('[').skip(1)) {
            let name = part.split(']').next().unwrap();
            let is_file = name.ends_with(".md") && !name.starts_with('`');
            assert!(!is_file || labels.contains_key(name), "{document}: [{name}] leads nowhere");
        }
        let is_shown = document == "README.md" || code.contains(&format!("\"../{document}\""));
        assert!(is_shown, "src/spec.rs does not show {document}");
    }
    assert!(used.len() > 20, "the labels were not found");
    Ok(String::new())
}

/// The clauses of the guide have labels too, which lead to their chapter.
pub(crate) fn the_clauses_of_the_guide_have_their_places() -> Result<String, String> {
    let (clauses, places) = (read("spec/clauses.md"), read("src/links.md"));
    let (mut chapters, mut chapter) = (BTreeMap::new(), String::new());
    for line in clauses.lines() {
        if line.starts_with("## ") {
            chapter = anchors(line).pop_first().unwrap();
        } else if let Some((id, _)) = line.strip_prefix("- **[").and_then(|it| it.split_once(']')) {
            chapters.insert(id, format!("crate::spec::clauses#{chapter}"));
        }
    }
    let places = labels(&places);
    for (id, place) in places.iter().filter(|(_, place)| place.contains("::clauses#")) {
        assert_eq!(chapters.get(id).map(String::as_str), Some(*place), "[{id}]");
    }
    let mut cited = 0;
    for entry in fs::read_dir(root().join("src/guide")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for part in prose(&text).flat_map(|part| part.split('[').skip(1)) {
            let id = part.split(']').next().unwrap();
            let of_group = |(group, _)| clauses.contains(&format!("\n- **[{group}-1]** "));
            if id.split_once('-').is_some_and(of_group) {
                assert!(places.contains_key(id), "src/links.md has no [{id}]");
                cited += 1;
            }
        }
    }
    assert!(cited > 10, "the clauses were not found");
    Ok(String::new())
}

pub(crate) fn the_index_has_every_document() -> Result<String, String> {
    let index = read("spec/README.md");
    for document in shown() {
        let Some(name) = document.strip_prefix("spec/") else { continue };
        let told = name == "README.md" || index.contains(&format!("| [{name}]"));
        assert!(told || index.contains(&format!(", [{name}] |")), "the index has no {name}");
    }
    Ok(String::new())
}

/// Each test has its row where they are told.
pub(crate) fn each_test_is_told() -> Result<String, String> {
    let told = read("tests/README.md");
    for entry in fs::read_dir(root().join("tests")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name.strip_suffix(".rs").unwrap_or(&name);
        let is_told = told.contains(&format!("`{name}`")) || told.contains(&format!("`{name}/`"));
        assert!(is_told || name == "README.md", "tests/README.md does not tell of {name}");
    }
    Ok(String::new())
}

/// Whoever comes for the first time reads it whole.
pub(crate) fn the_read_me_is_short() -> Result<String, String> {
    let lines = read("README.md").lines().count();
    assert!(lines <= 200, "README.md has {lines} lines: move what only some need to the guide");
    Ok(String::new())
}

/// Each shows one thing, but `why`, which is a program.
pub(crate) fn an_example_is_short() -> Result<String, String> {
    let examples = fs::read_dir(root().join("examples")).unwrap();
    let paths = examples.map(|entry| entry.unwrap().path());
    let mut count = 0;
    for path in paths.filter(|it| it.extension().is_some_and(|it| it == "rs")) {
        let code = fs::read_to_string(&path).unwrap();
        let is_code = |line: &&str| !line.is_empty() && !line.starts_with("//");
        let lines = code.lines().map(str::trim).filter(is_code).count();
        let is_program = path.ends_with("why.rs");
        assert!(lines <= 40 || is_program, "{} has {lines} lines of code", path.display());
        count += 1;
    }
    assert!(count > 10, "the examples were not found");
    Ok(String::new())
}
