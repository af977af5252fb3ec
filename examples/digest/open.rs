//! Opening what lies deeper than the system takes a path.

use std::{
    ffi::OsStr,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

use nix::{
    fcntl::{AT_FDCWD, OFlag, openat},
    sys::stat::Mode,
};

/// So much of a path is given to the system at a time, which any system takes.
const STEP: usize = 1000;

/// Opens `path` for reading, however long it is: step by step, one directory from the one before.
pub(crate) fn open(path: &Path, flags: OFlag) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | flags;
    let mut rest = path.as_os_str().as_bytes();
    let mut reached: Option<OwnedFd> = None;
    loop {
        let from = reached.as_ref().map_or(AT_FDCWD, AsFd::as_fd);
        // A name of a thousand bytes is longer than any that there is, and refused.
        let slash = (rest.len() > STEP).then(|| rest[..STEP].iter().rposition(|it| *it == b'/'));
        let Some(slash) = slash.flatten().filter(|it| *it > 0) else {
            return openat(from, OsStr::from_bytes(rest), flags, Mode::empty());
        };
        let directory = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_DIRECTORY;
        let next = openat(from, OsStr::from_bytes(&rest[..slash]), directory, Mode::empty())?;
        reached = Some(next);
        // More slashes mean no more than one; but a path that begins with one begins at the root.
        let skipped = rest[slash..].iter().take_while(|it| **it == b'/').count();
        rest = &rest[slash + skipped..];
    }
}
