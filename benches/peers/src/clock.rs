//! What time is counted in, and on which CPUs.

use std::time::{Duration, Instant};

use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    time::{ClockId, clock_gettime},
    unistd::Pid,
};

/// What is counted of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Clock {
    /// The CPU time of this process: other programs hardly disturb it.
    Cpu,
    /// What the clock on the wall says.
    Wall,
}

impl Clock {
    /// How long `work` takes.
    pub(crate) fn time(self, work: impl FnOnce()) -> Duration {
        match self {
            Self::Cpu => {
                let begin = cpu_time();
                work();
                cpu_time() - begin
            }
            Self::Wall => {
                let begin = Instant::now();
                work();
                begin.elapsed()
            }
        }
    }
}

/// How long this process has run up to now, on all CPUs together.
pub(crate) fn cpu_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("every Linux has this clock").into()
}

/// Where a row's threads run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cpus {
    /// Where the system will: there is one thread.
    Any,
    /// All on one.
    One,
    /// The one that measures on the first, the other side on a second.
    Two,
}

impl Cpus {
    /// Where it cannot be that no thread runs, other programs need not disturb: it is counted in CPU time.
    pub(crate) fn clock(self) -> Clock {
        match self {
            Self::Any | Self::One => Clock::Cpu,
            Self::Two => Clock::Wall,
        }
    }
}

/// The CPUs that this process may use.
pub(crate) fn cpus() -> Vec<usize> {
    let set = sched_getaffinity(Pid::from_raw(0)).expect("a process may ask for its own");
    (0..CpuSet::count()).filter(|&cpu| set.is_set(cpu).unwrap_or(false)).collect()
}

/// Keeps this thread, and those that it starts from now on, to these.
pub(crate) fn pin(cpus: &[usize]) {
    let mut set = CpuSet::new();
    cpus.iter().for_each(|&cpu| set.set(cpu).expect("it is a CPU of this process"));
    sched_setaffinity(Pid::from_raw(0), &set).expect("they are CPUs of this process");
}
