//! Other programs than a worker of this crate, which this program plays too.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    process::{self, ExitCode},
    thread,
};

use settled::process::ProcessPool;

use crate::functions;

/// A worker by hand, which misbehaves in its own way.
pub(crate) struct Raw(pub(crate) UnixStream);

impl Raw {
    fn new() -> Self {
        Self(UnixStream::from(io::stdin().as_fd().try_clone_to_owned().unwrap()))
    }

    /// The number and the payload of the next message.
    fn next(&mut self) -> (u64, Vec<u8>) {
        let (_, token, payload) = self.hear();
        (token, payload)
    }

    /// The same, and before it what the message is.
    pub(crate) fn hear(&mut self) -> (u8, u64, Vec<u8>) {
        let (kind, token, length) = self.hear_head();
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).unwrap();
        (kind, token, payload)
    }

    /// What the next message is, its number, and how long its payload is, which is still to be heard.
    fn hear_head(&mut self) -> (u8, u64, usize) {
        let mut head = [0; 16];
        self.0.read_exact(&mut head).unwrap();
        let [a, b, c, d, _, kind, _, _, token @ ..] = head;
        (kind, u64::from_le_bytes(token), u32::from_le_bytes([a, b, c, d]) as usize)
    }

    pub(crate) fn say(&mut self, kind: u8, token: u64, payload: &[u8]) {
        self.0.write_all(&message(kind, token, payload)).unwrap();
    }

    /// Is ready, and takes a job.
    fn take(&mut self) -> u64 {
        self.next();
        self.say(16, 0, &[]);
        self.next().0
    }

    /// Takes a job, and answers it in this format.
    fn answer(&mut self, format: u8, payload: &[u8]) {
        let job = self.take();
        self.say(18, job, &[]);
        let mut answer = message(19, job, payload);
        answer[6] = format;
        self.0.write_all(&answer).unwrap();
    }
}

fn message(kind: u8, token: u64, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_le_bytes().to_vec();
    bytes.extend([1, kind, 1, 0]);
    bytes.extend(token.to_le_bytes());
    bytes.extend(payload);
    bytes
}

/// Whether a signal has stopped a process.
fn is_stopped(process: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap().contains(") T ")
}

/// A list of as many of what takes no bytes as can be said.
pub(crate) const NO_END: [u8; 10] = [255, 255, 255, 255, 255, 255, 255, 255, 255, 1];

/// A list whose places are all inside each other.
pub(crate) fn no_bottom() -> Vec<u8> {
    let mut bytes = vec![1; 4_000_000];
    bytes.push(0);
    bytes
}

/// How many bytes a process has written, if it is there.
pub(crate) fn printed(process: u32) -> Option<u64> {
    let io = std::fs::read_to_string(format!("/proc/{process}/io")).ok()?;
    io.lines().find_map(|line| line.strip_prefix("wchar: "))?.parse().ok()
}

pub(crate) fn play(role: &str) -> ExitCode {
    if role == "astray" {
        // A program that does not begin as its worker has to.
        let error = ProcessPool::new(std::num::NonZero::<usize>::MIN).unwrap_err();
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    if role == "prints" {
        let pool = ProcessPool::new(std::num::NonZero::<usize>::MIN).unwrap();
        let failure = pool.submit(&functions::PRINT, &()).unwrap().join().unwrap_err();
        eprintln!("told: {}", failure.into_failure().unwrap().into_panic().unwrap().message());
        // The worker goes on.
        assert_eq!(pool.submit(&functions::SQUARE, &7).unwrap().join().unwrap(), 49);
        return ExitCode::SUCCESS;
    }
    let mut raw = Raw::new();
    match role {
        // A worker that ends with a job, before it begins it.
        "never-begins" => {
            raw.take();
        }
        "cut-short" => {
            let job = raw.take();
            raw.say(18, job, &[]);
            let answer = message(19, job, &[7]);
            raw.0.write_all(&answer[..answer.len() - 1]).unwrap();
        }
        "cut-short-without-a-word" | "answers-when-heard" | "ready-when-heard" => {
            return end_when_heard(raw, role);
        }
        // All of the answer is in the pipe.
        "answers-and-dies" => {
            let job = raw.take();
            raw.say(18, job, &[]);
            raw.say(19, job, &[49]);
            process::abort();
        }
        // All of a large answer is in the pipe.
        "answers-much-and-dies" => {
            let job = raw.take();
            raw.say(18, job, &[]);
            eprintln!("{}", process::id());
            // 160,000 bytes, after their number.
            let mut answer = vec![0x80, 0xE2, 0x09];
            answer.extend([7; 160_000]);
            raw.say(19, job, &answer);
            process::abort();
        }
        "answers-before-it-hears" => answer_before_it_hears(raw),
        "unready-at-first" => {
            let is_first = File::create_new(std::env::args().nth(2).unwrap()).is_ok();
            if is_first {
                eprintln!("{}", process::id());
                raw.next();
                raw.say(17, 0, &[b'!'; 160_000]);
            } else {
                raw.next();
                raw.say(16, 0, &[]);
                // That it is to leave.
                raw.next();
            }
        }
        "leaves-a-printer" | "leaves-a-child" => leave(raw, role),
        other => misbehave(raw, other),
    }
    ExitCode::SUCCESS
}

/// Says more than its channel takes before it hears as much.
fn answer_before_it_hears(mut raw: Raw) {
    raw.next();
    raw.say(16, 0, &[]);
    let (_, job, length) = raw.hear_head();
    raw.say(18, job, &[]);
    // 4,000,000 bytes, after their number.
    let mut answer = vec![0x80, 0x92, 0xF4, 0x01];
    answer.resize(4_000_004, 7);
    raw.say(19, job, &answer);
    raw.0.read_exact(&mut vec![0; length]).unwrap();
    // That it is to leave.
    raw.next();
}

/// Ends in its own way, two of them when the pool's thread waits for that.
fn end_when_heard(mut raw: Raw, role: &str) -> ExitCode {
    match role {
        "cut-short-without-a-word" => {
            let job = raw.take();
            let answer = message(19, job, &[7]);
            raw.0.write_all(&answer[..answer.len() - 1]).unwrap();
        }
        "answers-when-heard" => {
            let job = raw.take();
            raw.say(18, job, &[]);
            until_it_is_heard();
            raw.say(19, job, &[49]);
        }
        "ready-when-heard" => {
            raw.next();
            until_it_is_heard();
            raw.say(16, 0, &[]);
            process::exit(7);
        }
        other => panic!("{other}"),
    }
    ExitCode::SUCCESS
}

/// Says that it is there, and waits until the pool's thread has heard it.
fn until_it_is_heard() {
    let told = std::path::PathBuf::from(std::env::args_os().nth(2).unwrap());
    eprintln!("{}", process::id());
    while !told.join(process::id().to_string()).exists() {
        thread::yield_now();
    }
}

/// Leaves something to a child, and ends.
#[expect(clippy::zombie_processes, reason = "the child outlives this process")]
fn leave(mut raw: Raw, role: &str) -> ! {
    let job = raw.take();
    raw.say(18, job, &[]);
    if role == "leaves-a-printer" {
        // Its output, where the child prints for ever.
        let mut yes = process::Command::new("yes").stdin(process::Stdio::null()).spawn().unwrap();
        eprintln!("{}", yes.id());
        // It ends early if nobody reads, since the test has.
        while yes.try_wait().unwrap().is_none() && printed(yes.id()).unwrap() < 500_000 {
            thread::yield_now();
        }
    } else {
        // Its channel.
        let mut sleep = process::Command::new("sleep");
        let child = sleep.arg("1000").stdin(OwnedFd::from(raw.0)).spawn().unwrap();
        eprintln!("{}", child.id());
    }
    process::exit(5);
}

/// What goes on until it is ended.
fn misbehave(mut raw: Raw, role: &str) -> ! {
    match role {
        "garbage" => {
            raw.take();
            raw.0.write_all(b"Hello, world! This is no message.").unwrap();
        }
        "too-large" => {
            let job = raw.take();
            raw.say(18, job, &[]);
            let mut answer = message(19, job, &[]);
            answer[..4].copy_from_slice(&u32::MAX.to_le_bytes());
            raw.0.write_all(&answer).unwrap();
        }
        "another-job" => {
            let job = raw.take();
            // At once, so that it is not ended in between.
            let all = [message(18, job, &[]), message(19, job + 1, &[49]), message(19, job, &[49])];
            raw.0.write_all(&all.concat()).unwrap();
        }
        "begins-twice" => {
            let job = raw.take();
            let all = [message(18, job, &[]), message(18, job, &[]), message(19, job, &[49])];
            raw.0.write_all(&all.concat()).unwrap();
        }
        "unready-later" => {
            let job = raw.take();
            let all = [message(18, job, &[]), message(17, 0, b"too late"), message(19, job, &[49])];
            raw.0.write_all(&all.concat()).unwrap();
        }
        "reads-no-more" => {
            raw.next();
            raw.0.shutdown(std::net::Shutdown::Read).unwrap();
            raw.say(16, 0, &[]);
        }
        "one-too-many" => raw.answer(1, &[4, 1, 2, 3, 4]),
        "one-too-many-in-json" => raw.answer(2, b"[1, 2, 3, 4]"),
        "no-end-of-nothing" => raw.answer(1, &NO_END),
        "no-end-of-depth" => raw.answer(1, &no_bottom()),
        "another-version" => {
            let mut ready = message(16, 0, &[]);
            ready[4] = 2;
            raw.0.write_all(&ready).unwrap();
        }
        // Ends its channel, and goes on.
        "hangs-up" => {
            raw.take();
            drop(raw);
            nix::unistd::dup2_stdin(File::open("/dev/null").unwrap()).unwrap();
        }
        "reserved" | "unknown-kind" | "speaks-as-a-pool" => {
            let job = raw.take();
            let (at, byte) = match role {
                "reserved" => (7, 7),
                "unknown-kind" => (5, 99),
                _ => (5, 2),
            };
            let mut wrong = message(19, job, &[]);
            wrong[at] = byte;
            raw.0.write_all(&[message(18, job, &[]), wrong].concat()).unwrap();
        }
        other => go_on(raw, other),
    }
    forever()
}

/// What makes sense, and does not end by itself.
fn go_on(mut raw: Raw, role: &str) {
    match role {
        // Cannot do what it is to do, for the reason that it is given.
        "cannot" => {
            raw.next();
            raw.say(16, 0, &[]);
            loop {
                let (job, call) = raw.next();
                raw.say(22, job, &[&call[call.len() - 1..], b"so it is"].concat());
            }
        }
        "stays" | "stays-and-hangs-up" => {
            let job = raw.take();
            raw.say(18, job, &[]);
            raw.say(19, job, &[49]);
            // That it is to leave.
            assert_eq!(raw.hear().0, 4);
            if role == "stays-and-hangs-up" {
                drop(raw);
                nix::unistd::dup2_stdin(File::open("/dev/null").unwrap()).unwrap();
            }
        }
        // A pool whose workers go on for ever.
        "parent" => {
            let pool = ProcessPool::new(std::num::NonZero::new(2).unwrap()).unwrap();
            let jobs = [functions::SPIN, functions::HOLD].map(|it| pool.submit(&it, &()).unwrap());
            jobs.iter().for_each(crate::jobs::until_it_runs);
            println!("running");
        }
        // One whose worker has been stopped.
        "parent-of-one-that-stopped" => {
            let pool = ProcessPool::new(std::num::NonZero::<usize>::MIN).unwrap();
            let worker = pool.submit(&functions::PID, &()).unwrap().join().unwrap();
            let job = pool.submit(&functions::DIE, &functions::Death::Raise(19)).unwrap();
            while !is_stopped(worker) {
                thread::yield_now();
            }
            println!("{worker}");
            std::mem::forget((pool, job));
        }
        other => panic!("{other}"),
    }
}

fn forever() -> ! {
    loop {
        thread::park();
    }
}
