//! The pictures of `spec/pictures`, drawn from the code, the models and the documents, and compared.
//! `SETTLED_BLESS=1` writes them anew, and with them `src/pictures.md`, by which rustdoc shows them.

#[macro_use]
#[path = "../support/watchdog.rs"]
mod watchdog;

mod delivery;
mod growth;
mod machine;
mod proof;
mod stop;
mod svg;
mod views;

use std::{
    collections::BTreeMap,
    env,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

fn path(file: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(file)
}

fn read(file: &str) -> String {
    fs::read_to_string(path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// What is to be in a file, and whether it is.
fn compare(file: &str, text: &str) {
    if env::var_os("SETTLED_BLESS").is_some() {
        fs::write(path(file), text).unwrap();
    }
    assert!(
        fs::read_to_string(path(file)).is_ok_and(|committed| committed == text),
        "{file} is not what is drawn; SETTLED_BLESS=1 draws it"
    );
}

/// The pictures that are there, by their names.
fn committed() -> BTreeMap<String, String> {
    let files = fs::read_dir(path("spec/pictures")).unwrap().map(|it| it.unwrap().file_name());
    let names = files.map(|name| name.into_string().unwrap());
    names.map(|name| (name.clone(), read(&format!("spec/pictures/{name}")))).collect()
}

/// The labels of the pictures, in which each stands as a whole: in rustdoc the name of a file leads nowhere.
fn labels(pictures: &BTreeMap<String, String>) -> String {
    let mut labels = String::new();
    for (name, picture) in pictures {
        let _ = write!(labels, "[{name}]: data:image/svg+xml,");
        for byte in picture.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~:/=,;".contains(&byte) {
                labels.push(byte.into());
            } else {
                let _ = write!(labels, "%{byte:02X}");
            }
        }
        labels.push('\n');
    }
    labels
}

#[test]
fn every_picture_is_as_committed() {
    watch!();
    let drawn = [
        ("machine", machine::draw()),
        ("views", views::draw()),
        ("delivery", delivery::draw()),
        ("stop", stop::draw()),
        ("proof", proof::draw()),
        ("growth", growth::draw()),
    ];
    for (name, picture) in drawn {
        compare(&format!("spec/pictures/{name}.svg"), &picture);
    }
    compare("src/pictures.md", &labels(&committed()));
}

#[test]
fn every_picture_is_shown_and_told() {
    watch!();
    let documents = fs::read_dir(path("spec")).unwrap().map(|it| it.unwrap().path());
    let documents = documents.filter(|it| it.extension().is_some_and(|it| it == "md"));
    let documents: Vec<_> =
        documents.chain([path("README.md")]).map(|it| fs::read_to_string(it).unwrap()).collect();
    for name in committed().into_keys() {
        let label = format!("][{name}]");
        let before = documents.iter().flat_map(|text| text.rsplit(&label).skip(1));
        let told: Vec<_> = before.map(|text| text.rsplit("![").next().unwrap()).collect();
        assert!(!told.is_empty(), "nobody shows {name}");
        let is_told = told.iter().all(|told| told.len() > 20);
        assert!(is_told, "who does not see {name} is not told what it shows");
    }
}
