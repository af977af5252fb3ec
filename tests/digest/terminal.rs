//! The progress bar.

use crate::support::{Session, TempDir, run};

#[test]
fn a_terminal_shows_a_progress_bar() {
    watch!();
    let dir = TempDir::new();
    dir.sparse("0", 1 << 30);
    let mut session = Session::start([dir.path()]);
    session.wait_for("0/1 files, ");
    let ended = session.end();
    assert!(ended.stderr.contains('\x1b'), "drawn in place: {ended:?}");
    assert_eq!(ended.account().finished, 1);
    assert_eq!(ended.status, Some(0));
}

#[test]
fn a_pipe_shows_none() {
    watch!();
    let dir = TempDir::new();
    dir.sparse("0", 1 << 30);
    let ended = run([dir.path()]);
    let account = "digest: 1 found = 1 finished + 0 failed + 0 cancelled; 0 skipped; 0 unreadable";
    assert_eq!(ended.stderr, format!("{account}\n"));
    assert_eq!(ended.status, Some(0));
}
