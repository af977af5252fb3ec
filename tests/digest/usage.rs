//! Bad usage, and readers that go away.

use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::fs::symlink,
    process::Stdio,
};

use crate::support::{Ended, TempDir, limited, program, run};

#[test]
fn bad_usage_is_refused_with_a_clear_message() {
    watch!();
    let dir = TempDir::new();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (missing, file, link) = (path("missing"), path("file"), path("link"));
    fs::write(&file, "content").unwrap();
    symlink(dir.path(), &link).unwrap();
    let here = dir.path().to_str().unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&[], "no directory given"),
        (&["--"], "no directory given"),
        (&["--fast", here], "unknown option --fast"),
        (&["-x", here], "unknown option -x"),
        (&["--jobs", "0", here], "--jobs needs a number from 1 on, not \"0\""),
        (&["--jobs", "x", here], "--jobs needs a number from 1 on, not \"x\""),
        (&["--jobs", "-1", here], "--jobs needs a number from 1 on, not \"-1\""),
        (&[here, "--jobs"], "--jobs needs a number"),
        (&[here, "--processes"], "--processes needs a "),
        (&["--deadline", "-1", here], "--deadline needs a number of seconds, not \"-1\""),
        (&["--deadline", "soon", here], "--deadline needs a number of seconds, not \"soon\""),
        (&["--deadline", "NaN", here], "--deadline needs a number of seconds, not \"NaN\""),
        (&["--deadline", "inf", here], "--deadline needs a number of seconds, not \"inf\""),
        (&[here, "--deadline"], "--deadline needs a number"),
        (&[here, &missing], "missing\" cannot be searched: No such file"),
        (&[here, &file], "file\" is not a directory"),
        (&[here, &link], "link\" is a symbolic link"),
    ];
    for (args, message) in cases {
        let ended = run(*args);
        assert_eq!(ended.status, Some(2), "{args:?}: {ended:?}");
        assert!(ended.stdout.is_empty(), "{args:?}: {ended:?}");
        assert!(ended.says(&["digest: ", message, "try --help"]), "{args:?}: {ended:?}");
    }
}

#[test]
fn help_is_printed_on_request() {
    watch!();
    let ended = run(["--jobs", "3", "--help"]);
    assert_eq!(ended.status, Some(0));
    assert!(ended.stdout.starts_with(b"Usage: digest "));
    assert!(ended.stderr.is_empty());
}

#[test]
fn after_two_dashes_everything_is_a_directory() {
    watch!();
    let dir = TempDir::new();
    fs::create_dir(dir.path().join("--help")).unwrap();
    fs::write(dir.path().join("--help/file"), "").unwrap();
    let mut command = limited(&program());
    let output = command.args(["--", "--help"]).current_dir(dir.path()).output().unwrap();
    let ended = Ended::of(output);
    assert!(ended.stdout.ends_with(b"  --help/file\n"), "{ended:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
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
    assert_eq!(ended.status, Some(0), "{ended:?}");
    let account =
        "digest: 1000 found = 1000 finished + 0 failed + 0 cancelled; 0 skipped; 0 unreadable";
    assert_eq!(ended.stderr, format!("{account}\n"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    watch!();
    let dir = TempDir::new();
    dir.sparse("0", 1);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = limited(&program());
    let output = command.arg(dir.path()).stdout(full).stderr(Stdio::piped()).spawn();
    let ended = Ended::of(output.unwrap().wait_with_output().unwrap());
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(ended.says(&["No space left"]), "{ended:?}");
}
