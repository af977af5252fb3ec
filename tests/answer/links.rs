//! No link of the documents leads to nowhere.

use std::{collections::BTreeSet, fs, path::Path};

use crate::read;

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

/// Where the links of a document go, but for those in its blocks of code.
fn links(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose
        .flat_map(|part| part.split("](").skip(1))
        .map(|rest| rest.split(')').next().unwrap())
        .collect()
}

pub(crate) fn no_link_leads_to_nowhere() -> Result<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut documents = vec!["README.md".to_owned(), "CHANGELOG.md".to_owned()];
    for entry in fs::read_dir(root.join("spec")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            documents.push(format!("spec/{name}"));
        }
    }
    let (mut local, mut wrong) = (0, Vec::new());
    for document in documents {
        let text = read(&document);
        for link in links(&text) {
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

pub(crate) fn the_index_has_every_document() -> Result<String, String> {
    let index = read("spec/README.md");
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("spec")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let told = name == "README.md" || index.contains(&format!("| [{name}]({name})"));
        assert!(
            told || index.contains(&format!(", [{name}]({name}) |")),
            "the index has no {name}"
        );
    }
    Ok(String::new())
}
