//! Interrupts and deadlines. The files that wait are endless, so that they wait however late the
//! order to stop is obeyed; when it is, they are cut off, so that the program ends in any case.

use std::{fs::OpenOptions, path::PathBuf};

use crate::support::{ENDLESS, Ended, Session, TempDir};

/// `sha256sum` of 2^30 zeros.
const GIBIBYTE: &str = "49bc20df15e412a64472421e13fe86ff1c5165e18b2afccf160d4dc19fe68a14";
const WAITING: usize = 100;

/// A file that takes a while, and behind it many that would take forever.
struct Tree {
    dir: TempDir,
    waiting: Vec<PathBuf>,
}

impl Tree {
    fn new() -> Self {
        let dir = TempDir::new();
        dir.sparse("0", 1 << 30);
        let waiting = (0..WAITING).map(|n| dir.sparse(&format!("1-{n}"), ENDLESS)).collect();
        Self { dir, waiting }
    }

    fn start(&self, option: &str, value: &str) -> Session {
        let options = ["--jobs", "1", option, value].map(AsRef::as_ref);
        Session::start(options.into_iter().chain([self.dir.path()]))
    }

    /// Returns when the program has said that it stops.
    fn see_it_stop(&self, mut session: Session, sign: &str) -> Ended {
        session.wait_for(sign);
        for file in &self.waiting {
            OpenOptions::new().write(true).open(file).unwrap().set_len(0).unwrap();
        }
        session.end()
    }
}

#[test]
fn an_interrupt_cancels_what_waits_and_lets_what_runs_end() {
    watch!();
    let tree = Tree::new();
    let mut session = tree.start("--jobs", "1");
    session.wait_until_reading();
    session.interrupt();
    let ended = tree.see_it_stop(session, "interrupted");

    let account = ended.account();
    assert_eq!(account.found, 1 + WAITING);
    assert_eq!(account.finished, 1, "{ended:?}");
    let first = format!("{GIBIBYTE}  {}\n", tree.dir.path().join("0").display());
    assert_eq!(String::from_utf8_lossy(&ended.stdout), first);
    // One of them may have been begun before the interrupt arrived.
    assert!(account.cancelled >= WAITING - 1, "{ended:?}");
    assert_eq!(ended.status, Some(1));
}

#[test]
fn a_second_interrupt_ends_it_at_once() {
    watch!();
    let dir = TempDir::new();
    dir.sparse("0", ENDLESS);
    let mut session = Session::start([dir.path()]);
    session.wait_until_reading();
    session.interrupt();
    session.wait_for("interrupted");
    session.interrupt();
    let ended = session.end();
    assert_eq!(ended.status, Some(130), "{ended:?}");
    assert!(ended.stdout.is_empty());
}

#[test]
fn a_deadline_cancels_what_waits() {
    watch!();
    let tree = Tree::new();
    let session = tree.start("--deadline", "1.5");
    let ended = tree.see_it_stop(session, "the deadline has passed");

    let account = ended.account();
    // Where the machine was too busy even to find them in time, it says so.
    assert!(account.found == 1 + WAITING || ended.says(&["cut short"]), "{ended:?}");
    assert!(account.cancelled + 2 >= account.found, "one after the other: {ended:?}");
    assert_eq!(ended.status, Some(1));
}

#[test]
fn a_deadline_of_zero_hashes_nothing() {
    watch!();
    let tree = Tree::new();
    let session = tree.start("--deadline", "0");
    let ended = tree.see_it_stop(session, "the deadline has passed");

    let account = ended.account();
    assert_eq!((account.finished, account.failed), (0, 0), "{ended:?}");
    assert_eq!(account.found, account.cancelled);
    assert!(account.found == 1 + WAITING || ended.says(&["cut short"]), "{ended:?}");
    assert_eq!(ended.status, Some(1));
}
