//! Bad usage, and readers that go away.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::symlink,
    process::Stdio,
};

use crate::support::{Ended, TempDir, limited, program, run, sha256sum_of};

#[test]
fn bad_usage_is_refused_with_a_clear_message() {
    watch!();
    let dir = TempDir::new();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let link = path("link");
    symlink(dir.path(), &link).unwrap();
    let here = dir.path().to_str().unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&[], "no file or directory given"),
        (&["--"], "no file or directory given"),
        (&["--fast", here], "unknown option --fast"),
        (&["--fast=1", here], "unknown option --fast=1"),
        (&["--help=1", here], "unknown option --help=1"),
        (&["-x", here], "unknown option -x"),
        (&["-", here], "unknown option -"),
        (&["-jx", here], "-j needs a number from 1 on, not \"x\""),
        (&["--jobs=", here], "--jobs needs a number from 1 on, not \"\""),
        (&["--deadline=", here], "--deadline needs a number of seconds, not \"\""),
        (&[here, "-j"], "-j needs a number"),
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
        (&["/dev/null"], "null\" is neither a file nor a directory"),
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
fn what_is_named_and_missing_keeps_nothing_else_from_being_hashed() {
    watch!();
    let dir = TempDir::new();
    let (file, missing) = (dir.path().join("file"), dir.path().join("missing"));
    fs::write(&file, "content").unwrap();
    let ended = run([&file, &missing, &file.join("below")]);
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let lines = String::from_utf8_lossy(&ended.stdout);
    assert_eq!(lines, format!("{}\n", sha256sum_of(b"content", &file)));
    assert_eq!((ended.account().finished, ended.account().unreadable), (1, 2));
    assert!(ended.says(&["missing\": cannot be read: No such file"]), "{ended:?}");
    assert!(ended.says(&["below\": cannot be read: Not a directory"]), "{ended:?}");
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
fn the_version_is_printed_on_request() {
    watch!();
    for option in ["--version", "-V"] {
        let ended = run([option]);
        assert_eq!(ended.status, Some(0));
        let version = concat!("digest ", env!("CARGO_PKG_VERSION"), "\n");
        assert_eq!(String::from_utf8_lossy(&ended.stdout), version);
        assert!(ended.stderr.is_empty());
    }
}

#[test]
fn options_take_their_values_in_each_common_way() {
    watch!();
    let dir = TempDir::new();
    dir.sparse("0", 1);
    let here = dir.path().to_str().unwrap();
    let cases: &[&[&str]] = &[
        &["--jobs", "3"],
        &["--jobs=3"],
        &["-j", "3"],
        &["-j3"],
        &["-j3", "--jobs=1"],
        &["--deadline=1e9"],
        &["--deadline", "1e9"],
    ];
    for options in cases {
        let ended = run(options.iter().copied().chain([here]));
        assert_eq!(ended.status, Some(0), "{options:?}: {ended:?}");
        assert_eq!(ended.account().finished, 1, "{options:?}: {ended:?}");
    }
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
