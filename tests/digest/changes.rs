//! Files that change between being found and being read to their end. With one job, the endless
//! file is read first, and everything behind it waits for as long as the test likes.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::symlink,
    path::Path,
};

use nix::{sys::stat::Mode, unistd::mkfifo};

use crate::support::{Account, ENDLESS, Session, TempDir};

fn shrink(file: &Path) {
    OpenOptions::new().write(true).open(file).unwrap().set_len(0).unwrap();
}

#[test]
fn a_file_that_shrinks_while_it_is_read_has_failed() {
    watch!();
    let dir = TempDir::new();
    let first = dir.sparse("1", ENDLESS);
    dir.sparse("2", 0);

    let mut session = Session::start(["--jobs".as_ref(), "1".as_ref(), dir.path()]);
    session.wait_until_reading();
    shrink(&first);
    let ended = session.end();

    assert!(ended.says(&["/1\": ", "shrank while it was read"]), "{ended:?}");
    let expected =
        Account { found: 2, finished: 1, failed: 1, cancelled: 0, skipped: 0, unreadable: 0 };
    assert_eq!(ended.account(), expected);
    assert_eq!(ended.status, Some(1));
}

#[test]
fn a_file_that_is_replaced_before_it_is_read_has_failed() {
    watch!();
    let dir = TempDir::new();
    let first = dir.sparse("1", ENDLESS);
    let pipe = dir.sparse("2 pipe", 0);
    let link = dir.sparse("3 link", 0);
    let gone = dir.sparse("4 gone", 0);
    dir.sparse("5", 0);

    let mut session = Session::start(["--jobs".as_ref(), "1".as_ref(), dir.path()]);
    session.wait_until_reading();
    for path in [&pipe, &link, &gone] {
        fs::remove_file(path).unwrap();
    }
    // Nobody ever opens the other end: to wait for it would be to wait forever.
    mkfifo(&pipe, Mode::S_IRWXU).unwrap();
    symlink("5", &link).unwrap();
    shrink(&first);
    let ended = session.end();

    assert!(ended.says(&["/2 pipe\": ", "not a regular file any more"]), "{ended:?}");
    assert!(ended.says(&["/3 link\": ", "symbolic link"]), "{ended:?}");
    assert!(ended.says(&["/4 gone\": ", "No such file"]), "{ended:?}");
    let expected =
        Account { found: 5, finished: 1, failed: 4, cancelled: 0, skipped: 0, unreadable: 0 };
    assert_eq!(ended.account(), expected);
    assert_eq!(ended.status, Some(1));
}
