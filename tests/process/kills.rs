//! Workers that are killed at any moment, by every means, and books that balance: what became of each job is compared with
//! the journals that the workers wrote to disk.

use std::{
    collections::{HashMap, HashSet},
    env,
    fs::{self, File, OpenOptions},
    io::Write,
    num::NonZero,
    path::{Path, PathBuf},
    process, thread,
};

use nix::{
    errno::Errno,
    sys::{
        resource::{Resource, setrlimit},
        signal::{Signal, raise},
        wait::{WaitPidFlag, waitpid},
    },
};
use serde::{Deserialize, Serialize};
use settled::{
    Cancel, Failure, Progress, ThreadFuture,
    process::{Function, ProcessPool},
};

use crate::{
    Test, close,
    deaths::{is_elsewhere, wait_for_its_end},
    functions::{self, SQUARE, UNTIL},
    jobs::{pool, until_it_runs},
};

pub(crate) const TESTS: &[Test] = &[
    ("kills::the_books_balance", the_books_balance),
    ("kills::a_pool_that_lives_keeps_nothing", a_pool_that_lives_keeps_nothing),
];

pub(crate) const WORK: Function<Work, Vec<u8>, String> = Function::fallible("work", work);
pub(crate) const ARM: Function<PathBuf, ()> = Function::new("arm", arm);

const WORKERS: usize = 3;
const JOBS: u64 = 150;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Work {
    number: u64,
    journals: PathBuf,
    fate: Fate,
}

/// What becomes of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Fate {
    Fine,
    Fails,
    Panics,
    /// A signal comes after so many steps of another thread: in the job, in its answer, or later.
    Bomb(Blow, u32),
    /// The same, around a large answer.
    BombInAnswer(u32),
    /// Is killed when a part of its answer is in the pipe, which the pool does not read meanwhile. The first one of a round.
    InAnswer,
    Abort,
    Overflow,
    OutOfMemory,
    Exit,
    /// Stops, and is killed by the pool.
    Stop,
    /// Is cancelled by whoever submitted it, at once.
    Cancelled,
    /// Is killed when the pool has been closed, by itself. The last one of a round.
    Closing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Blow {
    Term,
    Kill,
}

/// Writes a line to the journal of this process, in one step.
fn journal(journals: &Path, line: &str) {
    let path = journals.join(process::id().to_string());
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// Makes a worker ready; every tenth is killed instead.
fn arm(journals: PathBuf) {
    let is_mine = |start: &u32| File::create_new(journals.join(format!("start-{start}"))).is_ok();
    if (0..).find(is_mine).unwrap() % 10 == 4 {
        journal(&journals, "kill at the start");
        raise(Signal::SIGKILL).unwrap();
    }
}

fn work(Work { number, journals, fate }: Work) -> Result<Vec<u8>, String> {
    journal(&journals, &format!("began {number}"));
    let bomb = |blow, steps| {
        let journals = journals.clone();
        thread::spawn(move || {
            (0..steps).for_each(|_| thread::yield_now());
            journal(&journals, "kill");
            raise_on_the_process(blow);
        });
    };
    let kill = || journal(&journals, "kill");
    match fate {
        Fate::Fine | Fate::Cancelled => (),
        Fate::Closing => die_at_the_shutdown(&journals),
        Fate::Fails => {
            journal(&journals, &format!("ended {number}"));
            return Err("it failed".into());
        }
        Fate::Panics => {
            journal(&journals, &format!("ended {number}"));
            panic!("it panicked");
        }
        Fate::Bomb(blow, steps) => bomb(blow, steps),
        Fate::BombInAnswer(steps) => {
            journal(&journals, &format!("ended {number}"));
            bomb(Blow::Kill, steps);
            return Ok(vec![7; 300_000]);
        }
        Fate::InAnswer => {
            journal(&journals, &format!("ended {number}"));
            return Ok(functions::cut_short(move || journal(&journals, "kill")));
        }
        Fate::Abort => {
            kill();
            process::abort();
        }
        Fate::Overflow => {
            kill();
            functions::overflow(1);
        }
        Fate::OutOfMemory => {
            kill();
            setrlimit(Resource::RLIMIT_AS, 1 << 20, 1 << 20).unwrap();
            drop(vec![1_u8; 1 << 30]);
        }
        Fate::Exit => {
            kill();
            process::exit(3);
        }
        Fate::Stop => {
            kill();
            File::create(journals.join(format!("stop-{number}"))).unwrap();
            raise(Signal::SIGSTOP).unwrap();
        }
    }
    journal(&journals, &format!("ended {number}"));
    Ok(vec![7])
}

fn die_at_the_shutdown(journals: &Path) {
    while !journals.join("closed").exists() {
        thread::yield_now();
    }
    journal(journals, "kill at the shutdown");
    raise(Signal::SIGKILL).unwrap();
}

fn raise_on_the_process(blow: Blow) {
    let signal = match blow {
        Blow::Term => Signal::SIGTERM,
        Blow::Kill => Signal::SIGKILL,
    };
    nix::sys::signal::kill(nix::unistd::getpid(), signal).unwrap();
}

/// What the pool said, by kinds.
#[derive(Debug, Default)]
struct Said {
    finished: u64,
    failed: u64,
    cancelled: u64,
    lost: u64,
    kills: u64,
    unaccounted: Vec<String>,
    not_begun: u64,
    cut_short: u64,
    at_start: u64,
    at_shutdown: u64,
    /// The processes that were killed, as they wrote themselves, and those with which a job was lost.
    killed: HashSet<String>,
    died: HashSet<String>,
}

fn fate(luck: &mut u64) -> Fate {
    let mut below = |end: u64| {
        *luck ^= *luck << 13;
        *luck ^= *luck >> 7;
        *luck ^= *luck << 17;
        *luck % end
    };
    match below(24) {
        0..=5 => Fate::Fine,
        6 => Fate::Fails,
        7 => Fate::Panics,
        8..=10 => Fate::Bomb(Blow::Term, below(40) as u32),
        11..=15 => Fate::Bomb(Blow::Kill, below(40) as u32),
        16..=18 => Fate::BombInAnswer(below(12) as u32),
        19 => Fate::Abort,
        20 if below(4) == 0 => Fate::Overflow,
        20 => Fate::OutOfMemory,
        21 => Fate::Exit,
        22 => Fate::Stop,
        _ => Fate::Cancelled,
    }
}

/// One pool, from its start to its end, with its journals.
fn round(luck: &mut u64, round: u64, said: &mut Said) {
    let files = open_files();
    let journals = env::temp_dir().join(format!("settled-kills-{}-{round}", process::id()));
    fs::create_dir_all(&journals).unwrap();
    let builder = ProcessPool::builder().workers(NonZero::new(WORKERS).unwrap());
    let journal = journals.clone();
    let listener = move |worker, is_error, text: &[u8]| {
        // What dying workers say is no news here, but for the number of one: it may have parts that are numbers too.
        if journal.join(&*String::from_utf8_lossy(text.trim_ascii())).is_file() {
            wait_for_its_end(worker, is_error, text);
        }
    };
    let builder = builder.initializer(&ARM, journals.clone()).on_output(listener);
    let pool = builder.build().unwrap();
    let jobs: Vec<_> = (0..JOBS)
        .map(|number| {
            let fate = match number {
                0 => Fate::InAnswer,
                number if number == JOBS - 1 => Fate::Closing,
                _ => fate(luck),
            };
            let work = Work { number, journals: journals.clone(), fate };
            let job = pool.submit(&WORK, &work).unwrap();
            let is_cancelled = work.fate == Fate::Cancelled && job.cancel() == Cancel::Now;
            (work.fate, is_cancelled, job)
        })
        .collect();
    // Each that stops is killed, since it would not end.
    for (number, (_, _, job)) in jobs.iter().enumerate().filter(|it| it.1.0 == Fate::Stop) {
        until_it_runs(job);
        while !job.done() && !journals.join(format!("stop-{number}")).exists() {
            thread::yield_now();
        }
        pool.kill(job);
    }
    pool.close();
    File::create(journals.join("closed")).unwrap();
    // Some bombs go off now, and some when all is done.
    pool.shutdown().unwrap();
    assert_eq!(pool.broken_reason(), None);
    drop(pool);
    assert_eq!(open_files(), files);
    assert_eq!(waitpid(None, Some(WaitPidFlag::WNOHANG)), Err(Errno::ECHILD));
    let (began, ended) = read(&journals, said);
    let times = |of: &HashMap<u64, u32>, number| of.get(&number).copied().unwrap_or_default();
    for (number, (fate, is_cancelled, job)) in (0..).zip(&jobs) {
        let fits = judge(job, [times(&began, number), times(&ended, number)], *is_cancelled, said);
        if !fits {
            let (began, ended) = (times(&began, number), times(&ended, number));
            said.unaccounted
                .push(format!("{number} {fate:?} began {began} ended {ended}: {job:?}"));
        }
    }
    // The system gives numbers of processes again.
    said.killed.clear();
    said.died.clear();
    fs::remove_dir_all(&journals).unwrap();
}

/// How many files this process has open, where that can be told.
pub(crate) fn open_files() -> Option<usize> {
    Some(fs::read_dir("/proc/self/fd").ok()?.count())
}

/// How often each job began and ended, as the workers wrote.
fn read(journals: &Path, said: &mut Said) -> (HashMap<u64, u32>, HashMap<u64, u32>) {
    let (mut began, mut ended) = (HashMap::new(), HashMap::new());
    for entry in fs::read_dir(journals).unwrap() {
        let entry = entry.unwrap();
        let text = fs::read_to_string(entry.path()).unwrap();
        for line in text.lines() {
            let (what, number) = line.split_once(' ').unwrap_or((line, ""));
            match what {
                "began" => *began.entry(number.parse().unwrap()).or_default() += 1,
                "ended" => *ended.entry(number.parse().unwrap()).or_default() += 1,
                "kill" => {
                    said.kills += 1;
                    said.killed.insert(entry.file_name().into_string().unwrap());
                    said.at_start += u64::from(line == "kill at the start");
                    said.at_shutdown += u64::from(line == "kill at the shutdown");
                }
                _ => (),
            }
        }
    }
    (began, ended)
}

/// Whether what became of a job fits how often the journals say that it began and ended.
fn judge(
    job: &ThreadFuture<Vec<u8>, String>,
    [began, ended]: [u32; 2],
    is_cancelled: bool,
    said: &mut Said,
) -> bool {
    let Some(settled) = job.settled() else { return false };
    let once = began <= 1 && ended <= began;
    once && is_cancelled == settled.cancelled()
        && match settled.result() {
            Ok(_) => {
                said.finished += 1;
                ended == 1
            }
            Err(Failure::Error(_) | Failure::Panicked(_)) => {
                said.failed += 1;
                ended == 1
            }
            Err(Failure::Cancelled(_)) => {
                said.cancelled += 1;
                began == 0
            }
            Err(Failure::Died(death)) => {
                said.lost += 1;
                said.not_begun += u64::from(death.progress() == Progress::NotBegun);
                said.cut_short += u64::from(death.progress() == Progress::CutShort);
                // Who died is one that was killed, and has lost no other job.
                let (_, process) = death.who().rsplit_once("process ").unwrap();
                let process = process.trim_end_matches(')');
                let is_one = said.killed.contains(process) && said.died.insert(process.to_owned());
                is_one
                    && match death.progress() {
                        Progress::NotBegun => began == 0,
                        Progress::Begun => true,
                        Progress::CutShort => ended == 1,
                    }
            }
            Err(_) => false,
        }
}

fn the_books_balance() {
    let kills = if env::var_os("SETTLED_FULL").is_some() { 100_000 } else { 1_000 };
    let (mut luck, mut said, mut rounds) = (0x9E37_79B9_7F4A_7C15, Said::default(), 0);
    while said.kills < kills {
        round(&mut luck, rounds, &mut said);
        rounds += 1;
    }
    let jobs = rounds * JOBS;
    eprintln!("{said:?}");
    assert!(said.unaccounted.is_empty(), "{:#?}", said.unaccounted);
    assert_eq!(said.finished + said.failed + said.cancelled + said.lost, jobs);
    assert!(said.lost <= said.kills, "more were lost than killed");
    assert!(said.finished > 0 && said.failed > 0 && said.cancelled > 0, "{said:?}");
    // One is killed in every round at its start. The one that waits for the shutdown may be hit before by the bomb of an
    // earlier job.
    assert!(said.at_start >= rounds && said.at_shutdown > 0, "{said:?}");
    assert!(said.cut_short > 0, "{said:?}");
    let Said { at_start, cut_short, at_shutdown, .. } = said;
    close(format!(
        "killed: {at_start} workers at their start, {cut_short} in the middle of an answer, {at_shutdown} at the shutdown"
    ));
    close(format!(
        "processes: {jobs} jobs, {} kills, {} lost, {} unaccounted",
        said.kills,
        said.lost,
        said.unaccounted.len()
    ));
}

/// How many children this process has, those included that have ended and were not waited for.
fn children() -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    // A thread that ends has none.
    let lists = tasks.filter_map(|it| fs::read_to_string(it.ok()?.path().join("children")).ok());
    lists.map(|list| list.split_whitespace().count()).sum()
}

/// One pool, and whenever nothing but two workers with a job each is there, as much is open as at first.
fn a_pool_that_lives_keeps_nothing() {
    if is_elsewhere() {
        return;
    }
    let pool = pool(2);
    let (mut jobs, mut kills, mut files) = (0, 0, None);
    for _ in 0..500 {
        let squares: Vec<_> = (0..20).map(|n| pool.submit(&SQUARE, &n).unwrap()).collect();
        for (n, job) in (0..).zip(squares) {
            assert_eq!(job.join().unwrap(), n * n);
            jobs += 1;
        }
        let both = [0, 1].map(|_| pool.submit(&UNTIL, &()).unwrap());
        both.iter().for_each(until_it_runs);
        assert_eq!(children(), 2);
        assert_eq!(open_files(), *files.get_or_insert_with(open_files));
        for job in both {
            assert!(pool.kill(&job));
            assert!(job.join().unwrap_err().into_failure().unwrap().death().is_some());
            kills += 1;
        }
    }
    let files = files.flatten().unwrap();
    close(format!(
        "lived: {jobs} jobs and {kills} kills in one pool, {files} files and 2 processes"
    ));
}
