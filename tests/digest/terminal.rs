//! The progress bar.

use std::{fs, time::Duration};

use crate::{
    line::Progress,
    support::{ENDLESS, Session, TempDir, run, sha256sum_of},
};

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

/// What a terminal is sent, without what moves the cursor or clears.
fn lines(shown: &str) -> Vec<String> {
    let lines = shown.split(['\r', '\n']);
    lines.map(|line| console::strip_ansi_codes(line).into_owned()).collect()
}

#[test]
fn a_sum_is_on_a_line_of_its_own_where_the_bar_was() {
    watch!();
    let dir = TempDir::new();
    let endless = dir.sparse("1", ENDLESS);
    let last = dir.path().join("2");
    fs::write(&last, "content").unwrap();
    let mut session = Session::start_on_one([dir.path()]);
    session.wait_for("iB/s, ");
    fs::OpenOptions::new().write(true).open(endless).unwrap().set_len(0).unwrap();
    let sum = sha256sum_of(b"content", &last);
    let ended = session.end();
    assert!(lines(&ended.stderr).contains(&sum), "{ended:?}");
}

#[test]
fn the_bar_fits_a_narrow_terminal() {
    watch!();
    for columns in [20, 30, 50] {
        let dir = TempDir::new();
        dir.sparse("0", ENDLESS);
        let mut session = Session::start_in(columns, [dir.path()]);
        session.wait_for("iB/s, ");
        session.wait_for("iB/s, ");
        session.interrupt();
        session.wait_for("interrupted");
        session.interrupt();
        let ended = session.end();
        let bars: Vec<_> =
            lines(&ended.stderr).into_iter().filter(|line| line.contains("iB/s")).collect();
        assert!(!bars.is_empty());
        let fits = |line: &String| line.trim_end().chars().count() < usize::from(columns);
        assert!(bars.iter().all(fits), "{columns}: {bars:?}");
    }
}

#[test]
fn a_line_fits_any_width_and_says_what_it_has_room_for() {
    watch!();
    let mut sizes = vec![0, 1, 9, 999, 1000, 1023, 1024, 10_239, 1_047_552];
    sizes.extend([u64::MAX >> 20, u64::MAX / 1000, u64::MAX]);
    let times = [0, 1, 99, 100, 5999, 6000, 359_999, 360_000, 863_999_999, u64::MAX >> 1];
    for (found, ended) in [(0, 0), (1, 0), (1, 1), (345, 12), (u64::MAX, 1), (u64::MAX, u64::MAX)] {
        for &bytes in &sizes {
            for elapsed in times {
                for is_complete in [false, true] {
                    let progress = Progress {
                        found,
                        is_complete,
                        ended,
                        hashed_bytes: bytes,
                        opened: found / 2 + 1,
                        opened_bytes: bytes,
                        elapsed: Duration::from_secs(elapsed),
                    };
                    for columns in 19..200 {
                        let line = progress.line(columns);
                        assert!(line.len() <= columns, "{columns}: {line}, of {progress:?}");
                    }
                }
            }
        }
    }
    let progress = Progress {
        found: 345,
        is_complete: true,
        ended: 12,
        hashed_bytes: 1200 << 20,
        opened: 14,
        opened_bytes: 1400 << 20,
        elapsed: Duration::from_secs(4),
    };
    let wide = "[=>                            ] 12/345 files, 1.2 GiB, 300 MiB/s, 1 min left";
    assert_eq!(progress.line(100), wide);
    assert_eq!(progress.line(60), "[>            ] 12/345 files, 1.2 GiB, 300 MiB/s, 1 min left");
    assert_eq!(progress.line(50), "12/345 files, 1.2 GiB, 300 MiB/s, 1 min left");
    assert_eq!(progress.line(40), "12/345, 1.2 GiB, 300 MiB/s, 1 min");
    assert_eq!(progress.line(30), "12/345, 300 MiB/s, 1 min");
    assert_eq!(progress.line(20), "300 MiB/s, 1 min");
}

#[test]
fn a_long_path_does_not_flood_the_terminal() {
    watch!();
    let dir = TempDir::new();
    let deep = dir.path().join("directory/".repeat(300));
    fs::create_dir_all(&deep).unwrap();
    // It is no file any more when it is its turn.
    let endless = dir.sparse("1", ENDLESS);
    fs::write(deep.join("last"), "").unwrap();
    let last = deep.join("last");
    let args = ["-j1".as_ref(), endless.as_os_str(), last.as_os_str()];
    let mut session = Session::start_in(60, args);
    session.wait_until_reading();
    fs::remove_file(&last).unwrap();
    fs::OpenOptions::new().write(true).open(&endless).unwrap().set_len(0).unwrap();
    let ended = session.end();
    let complaints: Vec<_> =
        lines(&ended.stderr).into_iter().filter(|line| line.contains("No such file")).collect();
    let [complaint] = &complaints[..] else { panic!("{ended:?}") };
    assert!(complaint.contains("...") && complaint.contains("/last\": "), "{complaint}");
    assert!(complaint.chars().count() < 120, "{complaint}");

    // Somebody else may need it whole.
    let whole = run([deep.join("gone")]);
    assert!(whole.says(&[deep.join("gone").to_str().unwrap()]), "{whole:?}");
}
