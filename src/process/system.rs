//! What is asked of the system about processes and their files.

use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    process::Child,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

/// Whether reading it would not wait.
pub(super) fn is_readable(file: &impl AsFd) -> bool {
    let mut files = [PollFd::new(file, PollFlags::IN)];
    poll(&mut files, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|count| count > 0)
}

/// How many bytes can be read now.
pub(super) fn waiting(file: BorrowedFd<'_>) -> u64 {
    rustix::io::ioctl_fionread(file).unwrap_or(0)
}

/// What tells the end of a process, whoever has its channel; nothing where the system has none. It fails if there is one, and
/// no more descriptors for it, or no such process any more.
#[cfg(target_os = "linux")]
pub(super) fn notice(process: &Child) -> Result<Option<OwnedFd>, Errno> {
    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    match pidfd_open(Pid::from_child(process), PidfdFlags::empty()) {
        Err(error @ (Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::SRCH)) => Err(error),
        it => Ok(it.ok()),
    }
}

/// The end of the channel tells it alone.
#[cfg(not(target_os = "linux"))]
pub(super) fn notice(_process: &Child) -> Result<Option<OwnedFd>, Errno> {
    Ok(None)
}

/// Whether it is certain that a process goes on which has not been waited for. One that ends says so before its files are
/// closed.
pub(super) fn goes_on(process: &Child) -> bool {
    const ENDS: u32 = 4; // PF_EXITING
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id())).unwrap_or_default();
    let flags = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(6));
    flags.and_then(|it| it.parse::<u32>().ok()).is_some_and(|it| it & ENDS == 0)
}
