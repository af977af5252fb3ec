//! Every public function is shown in an example that runs: its own, one of what stands beside it, or one of
//! README's or the guide's.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What is not public, has a chapter of its own, or needs a crate that only its feature brings.
const ELSEWHERE: [&str; 5] =
    ["src/cell", "src/host/adapters.rs", "src/model", "src/sync", "src/sync.rs"];

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The lines of a text's examples that are compiled and run. `mark` is what its lines of documentation begin with.
fn examples(text: &str, mark: &str) -> String {
    let (mut shown, mut runs, mut is_inside) = (String::new(), false, false);
    for line in text.lines() {
        let Some(line) = line.trim_start().strip_prefix(mark) else { continue };
        if let Some(language) = line.trim_start().strip_prefix("```") {
            is_inside = !is_inside;
            runs = is_inside && ["", "rust", "should_panic"].contains(&language);
        } else if runs {
            shown += line;
            shown.push('\n');
        }
    }
    shown
}

/// The name of the public function that begins on this line.
fn function(line: &str) -> Option<&str> {
    let mut rest = line.trim_start().strip_prefix("pub ")?;
    for word in ["const ", "async "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    rest.strip_prefix("fn ")?.split(['(', '<']).next()
}

fn is_called(name: &str, shown: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    shown.split(|c: char| !is_part(c)).any(|word| word == name)
}

#[test]
fn every_public_function_is_shown() {
    watch!();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut documents = examples(&fs::read_to_string(root.join("README.md")).unwrap(), "");
    for page in ["threads", "loops"] {
        let page = fs::read_to_string(root.join(format!("src/guide/{page}.md"))).unwrap();
        documents += &examples(&page, "");
    }
    let mut files = Vec::new();
    collect(&root.join("src"), &mut files);
    let (mut functions, mut unshown) = (0, Vec::new());
    for path in files {
        let file = path.strip_prefix(root).unwrap();
        if ELSEWHERE.iter().any(|it| file.starts_with(it)) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let shown = [examples(&text, "///"), examples(&text, "//!"), documents.clone()].concat();
        for name in text.lines().filter_map(function) {
            functions += 1;
            if !is_called(name, &shown) {
                unshown.push(format!("{}: {name}", file.display()));
            }
        }
    }
    assert!(functions > 100, "the functions were not found: {functions}");
    assert!(unshown.is_empty(), "in no example: {unshown:#?}");
}
