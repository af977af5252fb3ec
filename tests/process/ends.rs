//! How pools and programs end.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read},
    num::NonZero,
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
};

use nix::{
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, waitpid},
    },
    unistd::Pid,
};
use settled::{
    Cancelled, EventLoop, ThreadFuture, bridge,
    process::{ProcessPool, SubmitError},
};

use crate::{
    Test,
    deaths::{is_elsewhere, playing},
    functions::{self, *},
    inputs::{by_hand, call},
    jobs::{Ending, pool, until_it_runs},
    kills::open_files,
};

pub(crate) const TESTS: &[Test] = &[
    ("ends::shutdown_runs_what_is_queued", shutdown_runs_what_is_queued),
    (
        "ends::a_pool_that_was_let_go_runs_what_is_queued",
        a_pool_that_was_let_go_runs_what_is_queued,
    ),
    ("ends::cancel_pending_drops_what_is_queued", cancel_pending_drops_what_is_queued),
    ("ends::terminate_ends_everything_by_force", terminate_ends_everything_by_force),
    ("ends::workers_end_with_a_parent_that_is_killed", workers_end_with_a_parent_that_is_killed),
    (
        "ends::a_worker_that_is_stopped_ends_when_it_is_continued",
        a_worker_that_is_stopped_ends_when_it_is_continued,
    ),
    ("ends::workers_of_a_worker_end_with_it", workers_of_a_worker_end_with_it),
    ("ends::a_worker_ends_when_nobody_has_its_channel", a_worker_ends_when_nobody_has_its_channel),
    ("ends::whoever_does_not_leave_is_ended", whoever_does_not_leave_is_ended),
    ("ends::a_worker_leads_a_group_of_processes", a_worker_leads_a_group_of_processes),
    ("ends::loops_and_a_pool_end_in_every_order", loops_and_a_pool_end_in_every_order),
    ("ends::nothing_is_left", nothing_is_left),
    (
        "ends::no_descriptor_of_a_worker_reaches_its_children",
        no_descriptor_of_a_worker_reaches_its_children,
    ),
];

fn shutdown_runs_what_is_queued() {
    let pool = pool(2);
    let jobs: Vec<_> = (0..20).map(|n| pool.submit(&SQUARE, &n).unwrap()).collect();
    pool.shutdown().unwrap();
    assert!(jobs.iter().all(|job| job.done() && !job.cancelled()));
    assert_eq!(pool.workers(), 0);
    assert_eq!(pool.submit(&SQUARE, &1).unwrap_err(), SubmitError::Closed);
    pool.shutdown().unwrap();
}

fn a_pool_that_was_let_go_runs_what_is_queued() {
    let files = open_files();
    let pool = ProcessPool::new(NonZero::<usize>::MIN).unwrap();
    let first = pool.submit(&UNTIL, &()).unwrap();
    until_it_runs(&first);
    let last = pool.submit(&SQUARE, &7).unwrap();
    pool.detach();
    assert!(first.running() && !last.done());
    first.cancel();
    assert_eq!(last.join().unwrap(), 49);
    // Nothing is left.
    while open_files() != files {
        thread::yield_now();
    }
}

fn cancel_pending_drops_what_is_queued() {
    let pool = pool(1);
    let first = pool.submit(&UNTIL, &()).unwrap();
    until_it_runs(&first);
    let queued = pool.submit(&SQUARE, &1).unwrap();
    pool.cancel_pending();
    assert_eq!(queued.exception().unwrap().unwrap().cause(), Some(Cancelled::Dropped));
    assert!(first.running());
    first.cancel();
    assert_eq!(pool.submit(&SQUARE, &2).unwrap().join().unwrap(), 4);
}

fn terminate_ends_everything_by_force() {
    let pool = pool(1);
    let (first, second) = (pool.submit(&SPIN, &()).unwrap(), pool.submit(&SPIN, &()).unwrap());
    until_it_runs(&first);
    pool.terminate();
    pool.shutdown().unwrap();
    assert!(first.exception().unwrap().unwrap().death().unwrap().was_asked_for());
    assert_eq!(second.exception().unwrap().unwrap().cause(), Some(Cancelled::Dropped));
}

fn workers_end_with_a_parent_that_is_killed() {
    let mut parent = Command::new(env::current_exe().unwrap());
    let mut parent =
        parent.arg("role-parent").stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(parent.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "running\n");
    parent.kill().unwrap();
    parent.wait().unwrap();
    // The workers have the same output, which ends with the last of them.
    assert_eq!(output.read_to_string(&mut line).unwrap(), 0);
}

fn a_worker_that_is_stopped_ends_when_it_is_continued() {
    if is_elsewhere() {
        return;
    }
    let mut parent = Command::new(env::current_exe().unwrap());
    let parent = parent.arg("role-parent-of-one-that-stopped").stdin(Stdio::null());
    let mut parent = parent.stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(parent.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let worker = line.trim().parse().unwrap();
    parent.kill().unwrap();
    parent.wait().unwrap();
    // Where the system has not continued it by itself, since its parent has gone.
    let _ = kill(Pid::from_raw(worker), Signal::SIGCONT);
    assert_eq!(output.read_to_string(&mut line).unwrap(), 0);
}

fn workers_of_a_worker_end_with_it() {
    if is_elsewhere() {
        return;
    }
    let (tell, told) = mpsc::channel();
    let builder = ProcessPool::builder().workers(NonZero::<usize>::MIN);
    let listener = move |_, _, text: &[u8]| {
        if let Ok(number) = String::from_utf8_lossy(text).trim().parse::<u32>() {
            tell.send(number).unwrap();
        }
    };
    let pool = Ending(builder.on_output(listener).build().unwrap());
    let job = pool.submit(&NEST, &()).unwrap();
    let inner = told.recv().unwrap();
    assert!(pool.kill(&job));
    assert!(job.exception().unwrap().unwrap().death().is_some());
    let lives = || {
        let stat = fs::read_to_string(format!("/proc/{inner}/stat"));
        stat.is_ok_and(|it| !it.contains(") Z "))
    };
    while lives() {
        thread::yield_now();
    }
}

/// As when the pool's process has forked itself: another one has its end too.
fn a_worker_ends_when_nobody_has_its_channel() {
    let (mut worker, mut pool) = by_hand();
    pool.say(2, 7, &call("spin", false, &[]));
    assert_eq!(pool.hear(), (18, 7, vec![]));
    let other = pool.0.try_clone().unwrap();
    drop(pool);
    assert!(worker.try_wait().unwrap().is_none());
    drop(other);
    assert_eq!(worker.wait().unwrap().signal(), Some(9));
}

fn whoever_does_not_leave_is_ended() {
    let pool = playing("stays-and-hangs-up");
    assert_eq!(pool.submit(&SQUARE, &7).unwrap().join().unwrap(), 49);
    pool.shutdown().unwrap();
    let pool = playing("stays");
    assert_eq!(pool.submit(&SQUARE, &7).unwrap().join().unwrap(), 49);
    pool.close();
    assert_eq!(pool.workers(), 1);
    pool.terminate();
    pool.shutdown().unwrap();
}

fn a_worker_leads_a_group_of_processes() {
    let (worker, group) = pool(1).submit(&GROUP, &()).unwrap().join().unwrap();
    assert_eq!(worker.cast_signed(), group);
}

/// What there is to close.
enum Part {
    Pool(ProcessPool),
    Loop(EventLoop),
}

/// Two loops and a pool in one program, closed in every order, while a worker has one job and another is queued.
fn loops_and_a_pool_end_in_every_order() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let pool = ProcessPool::new(NonZero::<usize>::MIN).unwrap();
        let loops = [EventLoop::new(), EventLoop::new()];
        let jobs = [0, 1].map(|_| pool.submit(&UNTIL, &()).unwrap());
        until_it_runs(&jobs[0]);
        let views =
            [bridge::wrap_future(&jobs[0], &loops[0]), bridge::wrap_future(&jobs[1], &loops[1])];
        let [first, second] = loops;
        let mut parts = [Some(Part::Loop(first)), Some(Part::Loop(second)), Some(Part::Pool(pool))];
        for at in order {
            match parts[at].take().unwrap() {
                Part::Pool(pool) => {
                    for job in jobs.iter().rev() {
                        let _ = job.cancel();
                    }
                    drop(pool);
                    assert!(jobs.iter().all(ThreadFuture::done), "{order:?}");
                }
                // It delivers what has ended when it turns.
                Part::Loop(it) if jobs.iter().all(ThreadFuture::done) => {
                    // What this thread has settled, which is the loop's, its view shows before.
                    assert_eq!(views[at].done(), at == 1, "{order:?}");
                    it.run_until_complete(&views[at]).unwrap();
                    assert!(views[at].done());
                }
                Part::Loop(it) => drop(it),
            }
        }
        assert_eq!(jobs[0].exception().unwrap().unwrap().error().map(String::as_str), Some(""));
        assert!(jobs[1].cancelled());
        // Of a loop that was closed before they read through.
        assert_eq!(views[0].exception().unwrap().unwrap().error().map(String::as_str), Some(""));
        assert!(views[1].cancelled(), "{order:?}");
    }
}

fn nothing_is_left() {
    if is_elsewhere() {
        return;
    }
    let count = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = count();
    {
        let pool = pool(3);
        for n in 0..30 {
            let _ = pool.submit(&DIE, &functions::Death::Exit(n)).unwrap().wait().unwrap();
            pool.submit(&SQUARE, &1).unwrap().wait().unwrap();
        }
    }
    assert_eq!(count(), before);
    assert_eq!(waitpid(None, Some(WaitPidFlag::WNOHANG)), Err(nix::errno::Errno::ECHILD));
    let few = NonZero::<usize>::MIN;
    for _ in 0..5 {
        drop(ProcessPool::new(few).unwrap());
    }
    assert_eq!(count(), before);
}

fn no_descriptor_of_a_worker_reaches_its_children() {
    if is_elsewhere() {
        return;
    }
    // What this process has been given for its children, they have too.
    assert_eq!(pool(1).submit(&LIST_FILES, &()).unwrap().join().unwrap(), list_files());
}
