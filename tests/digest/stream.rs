//! Each line comes as soon as all before it are known, and the reader may go away.

use std::{
    ffi::OsStr,
    fs::{self, OpenOptions},
    io::{self, BufRead, BufReader},
    process::{Child, Stdio},
    time::Duration,
};

use crate::{
    support::{ENDLESS, Ended, TempDir, limited, program, sha256sum_of},
    walk::{Entry, Walk},
};

/// The program, with a pipe for its lines.
fn start(args: &[&OsStr]) -> Child {
    let mut command = limited(&program());
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[test]
fn what_is_final_is_printed_while_the_rest_is_read() {
    watch!();
    let dir = TempDir::new();
    fs::write(dir.path().join("1"), "content").unwrap();
    fs::write(dir.path().join("2"), "content").unwrap();
    let endless = dir.sparse("3", ENDLESS);
    fs::write(dir.path().join("4"), "content").unwrap();

    let mut child = start(&[dir.path().as_os_str()]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for name in ["1", "2"] {
        assert_eq!(
            lines.next().unwrap().unwrap(),
            sha256sum_of(b"content", &dir.path().join(name))
        );
    }
    // Only now does the third one end, without a sum.
    OpenOptions::new().write(true).open(endless).unwrap().set_len(0).unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), sha256sum_of(b"content", &dir.path().join("4")));
    assert!(lines.next().is_none());
    let ended = Ended::of(child.wait_with_output().unwrap());
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(ended.says(&["4 found = 3 finished + 1 failed + 0 cancelled"]), "{ended:?}");
}

#[test]
fn it_ends_when_its_reader_does() {
    watch!();
    let dir = TempDir::new();
    fs::write(dir.path().join("1"), "content").unwrap();
    dir.sparse("2", ENDLESS);
    let mut child = start(&[dir.path().as_os_str()]);
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.ends_with("/1\n"), "{line}");
    // As `head -1` does. The second file has no end, and so there is no second line to be refused.
    drop(reader);
    let ended = Ended::of(child.wait_with_output().unwrap());
    assert_eq!(
        (ended.status, &*ended.stderr),
        (Some(141), ""),
        "as sha256sum does, in a shell's words"
    );
}

#[test]
fn it_is_quiet_without_a_reader() {
    watch!();
    let dir = TempDir::new();
    for number in 0..1000 {
        dir.sparse(&number.to_string(), 1);
    }
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut command = limited(&program());
    let output = command.arg(dir.path()).stdout(writer).stderr(Stdio::piped()).spawn();
    let ended = Ended::of(output.unwrap().wait_with_output().unwrap());
    assert_eq!((ended.status, &*ended.stderr), (Some(141), ""), "{ended:?}");
}

#[test]
fn nothing_is_listed_before_its_turn() {
    watch!();
    let dir = TempDir::new();
    let path = |name: &str| dir.path().join(name);
    for part in ["a", "b", "c"] {
        fs::create_dir(path(part)).unwrap();
    }
    for file in ["a!", "a/1", "a/2", "b/1"] {
        fs::write(path(file), "").unwrap();
    }
    let mut walk = Walk::new(vec![Entry::directory(dir.path().to_owned())], Vec::new());
    let mut next = || walk.next(1, Duration::MAX, || false);
    // The exclamation mark is before the slash.
    assert_eq!(next(), [path("a!")]);
    assert_eq!(next(), [path("a/1")]);
    // What the search has not come to may still change.
    for file in ["b/0", "c/1"] {
        fs::write(path(file), "").unwrap();
    }
    fs::remove_file(path("b/1")).unwrap();
    for file in ["a/2", "b/0", "c/1"] {
        assert_eq!(next(), [path(file)]);
    }
    assert!(next().is_empty());
    assert!(walk.is_complete() && walk.unreadable.is_empty());
}
