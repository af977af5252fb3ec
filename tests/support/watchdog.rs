//! A test that hangs is a failure with a name: `watch!()` at its head.
//!
//! When it has not ended after 300 s, far beyond any honest time, the process ends with status 86 and says
//! `HUNG: <target> <test>`. `SETTLED_HUNG_AFTER` is another limit, in seconds.

use std::{
    any::type_name,
    env,
    io::{self, Write},
    process,
    sync::{Arc, Condvar, Mutex},
    thread::{self, JoinHandle},
    time::Duration,
};

/// How a process ends in which a test hung.
const STATUS: i32 = 86;

/// Watches the test until the end of the block, by its function's name or by the one that is given, which may have a
/// limit of its own, in seconds, where an honest run takes long.
macro_rules! watch {
    () => {
        watch!(None, 300)
    };
    ($test:expr, $seconds:expr) => {
        let _watch = {
            fn here() {}
            $crate::watchdog::Watch::over(&here, $test, $seconds)
        };
    };
}

/// What has happened to a watch.
#[derive(PartialEq)]
enum Phase {
    Made,
    Watched,
    Over,
}

/// A test, and the thread that watches it.
pub(crate) struct Watch {
    shared: Arc<(Mutex<Phase>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Begins to watch the test with this name, or with that of the function that `_inside` is in. What the watch
    /// allocates is allocated when this returns.
    pub(crate) fn over<F>(_inside: &F, test: Option<String>, seconds: u64) -> Self {
        Self::over_path(type_name::<F>(), test, seconds)
    }

    fn over_path(path: &str, test: Option<String>, seconds: u64) -> Self {
        let path = path.rsplit_once("::").map_or(path, |(test, _)| test);
        let function = path.split_once("::").map_or(path, |(_, test)| test);
        let test = test.unwrap_or_else(|| function.to_owned());
        let report = format!("\nHUNG: {} {test}\n", env!("CARGO_CRATE_NAME"));
        let given = env::var("SETTLED_HUNG_AFTER").ok();
        let seconds = given.map_or(seconds, |it| it.parse().expect("SETTLED_HUNG_AFTER: seconds"));
        let shared = Arc::new((Mutex::new(Phase::Made), Condvar::new()));
        let theirs = Arc::clone(&shared);
        let watch = move || {
            let (phase, changed) = &*theirs;
            let mut phase = phase.lock().unwrap();
            *phase = Phase::Watched;
            changed.notify_all();
            let limit = Duration::from_secs(seconds);
            let watched = |phase: &mut Phase| *phase == Phase::Watched;
            let (_phase, expiry) = changed.wait_timeout_while(phase, limit, watched).unwrap();
            if expiry.timed_out() {
                // The harness keeps what a test prints, and would keep this.
                let _ = io::stderr().write_all(report.as_bytes());
                process::exit(STATUS);
            }
        };
        let thread = thread::Builder::new().name("watchdog".to_owned()).spawn(watch).unwrap();
        let (phase, changed) = &*shared;
        drop(changed.wait_while(phase.lock().unwrap(), |phase| *phase == Phase::Made).unwrap());
        Self { shared, thread: Some(thread) }
    }
}

/// The test has ended: when this returns, nobody watches it.
impl Drop for Watch {
    fn drop(&mut self) {
        *self.shared.0.lock().unwrap() = Phase::Over;
        self.shared.1.notify_all();
        self.thread.take().expect("it is joined once").join().unwrap();
    }
}
