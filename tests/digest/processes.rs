//! Files that are hashed in other processes. In a build with feature `process`; the example needs it too.

use std::{
    fs::{self, File},
    process::Stdio,
    thread,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::support::{ENDLESS, Ended, TempDir, limited, program, run, sha256sum_of};

#[test]
fn processes_hash_as_threads_do() {
    watch!();
    let dir = TempDir::new();
    for number in 0..40 {
        fs::write(dir.path().join(number.to_string()), format!("content {number}")).unwrap();
    }
    let by_threads = run([dir.path()]);
    let by_processes = run(["--processes".as_ref(), "2".as_ref(), dir.path().as_os_str()]);
    assert_eq!(by_processes.status, Some(0), "{by_processes:?}");
    assert_eq!(by_processes.stdout, by_threads.stdout);
}

/// The children of a process.
fn children(parent: u32) -> Vec<i32> {
    let tasks = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| list.split(' ').filter_map(|it| it.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// Whether a process has this file open.
fn reads(process: i32, file: &std::path::Path) -> bool {
    let links = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    links.filter_map(|link| fs::read_link(link.path()).ok()).any(|it| it == file)
}

#[test]
fn a_worker_that_is_killed_takes_one_file() {
    watch!();
    let dir = TempDir::new();
    for number in 0..10 {
        fs::write(dir.path().join(number.to_string()), format!("content {number}")).unwrap();
    }
    let endless = dir.path().join("endless");
    File::create(&endless).unwrap().set_len(ENDLESS).unwrap();
    let mut command = limited(&program());
    command.args(["--processes", "2"]).arg(dir.path()).stdin(Stdio::null());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Nobody takes its number before the program has.
    let worker = loop {
        if let Some(it) = children(child.id()).into_iter().find(|it| reads(*it, &endless)) {
            break it;
        }
        thread::yield_now();
    };
    kill(Pid::from_raw(worker), Signal::SIGKILL).unwrap();
    let ended = Ended::of(child.wait_with_output().unwrap());
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let lines = (0..10).map(|number| {
        let path = dir.path().join(number.to_string());
        sha256sum_of(format!("content {number}").as_bytes(), &path) + "\n"
    });
    assert_eq!(String::from_utf8_lossy(&ended.stdout), lines.collect::<String>());
    assert!(ended.says(&["endless", "died", "signal 9 ended it"]), "{ended:?}");
    assert!(ended.says(&["11 found = 10 finished + 1 failed + 0 cancelled"]), "{ended:?}");
}
