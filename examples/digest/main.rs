//! Hashes every regular file below some directories, in the format of `sha256sum`.
//!
//! The files are read and hashed on the threads of a [`settled::ThreadPool`], or with `--processes` and
//! the feature `process` in the processes of a `settled::process::ProcessPool`. One
//! [`settled::EventLoop`], on the main thread, hands them out, collects the results as they come,
//! draws the progress bar, and listens to the deadline and to Ctrl-C. It never blocks.
//!
//! ```text
//! cargo run --release --example digest -- src
//! ```

mod collect;
mod hash;
mod options;
mod report;
mod walk;

use std::{
    fmt::Display,
    io::{self, Write},
    process::ExitCode,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use options::Request;

fn main() -> ExitCode {
    #[cfg(feature = "process")]
    settled::process::worker(&[&hash::HASH]);
    let options = match options::parse(std::env::args_os().skip(1)) {
        Ok(Request::Run(options)) => options,
        Ok(Request::Help) => {
            // Whoever asks for help and closes the pipe has got it.
            let _ = io::stdout().write_all(options::HELP.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            say(format_args!("{problem}; try --help"));
            return ExitCode::from(2);
        }
    };
    match collect::collect(options).and_then(|report| Ok(report.print()?)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
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

/// What the loop and the workers share: one order, and two numbers for the progress bar. Each stands
/// for itself, so that Relaxed is enough; results take the way through the futures.
#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    found: AtomicU64,
    hashed_bytes: AtomicU64,
}

impl Shared {
    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn add_found(&self) {
        self.found.fetch_add(1, Ordering::Relaxed);
    }

    fn found(&self) -> u64 {
        self.found.load(Ordering::Relaxed)
    }

    fn add_hashed(&self, bytes: u64) {
        self.hashed_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn hashed_bytes(&self) -> u64 {
        self.hashed_bytes.load(Ordering::Relaxed)
    }
}
