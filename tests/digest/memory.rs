//! The memory that the program takes. Only it, `find`, `sha256sum` and little helpers are children
//! of this process, so that the largest of them all bounds it.

use std::fs::{self, File};

use nix::sys::resource::{UsageWho, getrusage};

use crate::support::{TempDir, run};

/// The most memory that any child has had that has ended, in MiB.
fn peak() -> i64 {
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss();
    // In KiB, but for macOS, which counts bytes.
    if cfg!(target_vendor = "apple") { peak >> 20 } else { peak >> 10 }
}

fn assert_small() {
    let peak = peak();
    println!("peak memory: {peak} MiB");
    assert!((1..=100).contains(&peak), "{peak} MiB");
}

#[test]
fn a_file_of_4_gib_takes_little_memory() {
    watch!();
    let dir = TempDir::in_memory();
    dir.sparse("0", 4 << 30);
    let ended = run([dir.path()]);
    assert_eq!(ended.account().finished, 1, "{ended:?}");
    assert_small();
}

#[test]
fn many_files_take_little_memory() {
    watch!();
    let dir = TempDir::new();
    for part in 0..100 {
        let part = dir.path().join(format!("directory {part}"));
        fs::create_dir(&part).unwrap();
        // Links are files like any other here, and made faster than files.
        let first = part.join("file 0");
        File::create(&first).unwrap();
        for number in 1..1000 {
            fs::hard_link(&first, part.join(format!("file {number}"))).unwrap();
        }
    }
    let ended = run([dir.path()]);
    assert_eq!(ended.account().finished, 100_000, "{}", ended.stderr);
    assert_small();
}
