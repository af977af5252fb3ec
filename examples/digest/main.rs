//! Hashes every regular file below some directories, in the format of `sha256sum`.
//!
//! The files are read and hashed on the threads of a [`settled::ThreadPool`], or with `--processes` and
//! the feature `process` in the processes of a `settled::process::ProcessPool`. One
//! [`settled::EventLoop`], on the main thread, hands them out, collects the results as they come, has each
//! printed as soon as all before it are, draws the progress bar, and listens to the deadline and to Ctrl-C.
//! It never blocks: to search and to print are jobs of other threads too.
//!
//! ```text
//! cargo run --release --example digest -- src
//! ```

mod collect;
mod files;
mod hash;
mod line;
mod open;
mod options;
mod orders;
mod report;
mod walk;

use std::{
    fmt::Display,
    io::{self, Write},
    process::ExitCode,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use hash::OpenFiles;
use options::Request;

fn main() -> ExitCode {
    #[cfg(feature = "process")]
    settled::process::worker(&[&hash::HASH]);
    let options = match options::parse(std::env::args_os().skip(1)) {
        Ok(Request::Run(options)) => options,
        Ok(Request::Text(text)) => {
            // Whoever asks for help and closes the pipe has got it.
            let _ = io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            say(format_args!("{problem}; try --help"));
            return ExitCode::from(2);
        }
    };
    match collect::collect(options).map(|report| report.print()) {
        Ok(code) => code,
        Err(error) => {
            say(error);
            ExitCode::FAILURE
        }
    }
}

/// Tells the user something. Unlike `eprintln!` it does not panic if nobody listens any more.
fn say(message: impl Display) {
    let _ = writeln!(io::stderr(), "digest: {message}");
}

/// What the loop and the workers share: how many files may be open, two orders, and numbers for the progress bar. Each stands for
/// itself, so that Relaxed is enough; results take the way through the futures.
#[derive(Debug, Default)]
struct Shared {
    open_files: OpenFiles,
    stop: AtomicBool,
    abandon: AtomicBool,
    hashed_bytes: AtomicU64,
    opened: AtomicU64,
    opened_bytes: AtomicU64,
}

impl Shared {
    /// Nothing more is begun.
    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Nobody wants what has been begun either.
    fn abandon(&self) {
        self.abandon.store(true, Ordering::Relaxed);
        self.stop();
    }

    fn is_abandoned(&self) -> bool {
        self.abandon.load(Ordering::Relaxed)
    }

    fn add_hashed(&self, bytes: u64) {
        self.hashed_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn hashed_bytes(&self) -> u64 {
        self.hashed_bytes.load(Ordering::Relaxed)
    }

    /// Notes that a file has been opened, and its size.
    fn add_opened(&self, bytes: u64) {
        self.opened.fetch_add(1, Ordering::Relaxed);
        self.opened_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// How many files have been opened, and their sizes.
    fn opened(&self) -> (u64, u64) {
        (self.opened.load(Ordering::Relaxed), self.opened_bytes.load(Ordering::Relaxed))
    }
}
