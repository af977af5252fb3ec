//! Opening what lies deeper than the system takes a path, and looking at it.

use std::{
    ffi::OsStr,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

use nix::{
    dir::Type,
    fcntl::{AT_FDCWD, AtFlags, OFlag, openat},
    libc::mode_t,
    sys::stat::{Mode, SFlag, fstatat},
};

/// So much of a path is given to the system at a time, which any system takes.
const STEP: usize = 1000;

/// Opens `path` for reading, however long it is.
pub(crate) fn open(path: &Path, flags: OFlag) -> nix::Result<OwnedFd> {
    let (reached, rest) = reach(path)?;
    let from = reached.as_ref().map_or(AT_FDCWD, AsFd::as_fd);
    openat(from, rest, OFlag::O_RDONLY | OFlag::O_CLOEXEC | flags, Mode::empty())
}

/// What is there. A symbolic link is one, and not what it points to.
pub(crate) fn look(path: &Path) -> nix::Result<Type> {
    let (reached, rest) = reach(path)?;
    let from = reached.as_ref().map_or(AT_FDCWD, AsFd::as_fd);
    Ok(kind(fstatat(from, rest, AtFlags::AT_SYMLINK_NOFOLLOW)?.st_mode))
}

/// What a file of this mode is; a pipe stands for all that is neither a file, a directory nor a link.
pub(crate) fn kind(mode: mode_t) -> Type {
    match SFlag::from_bits_truncate(mode) & SFlag::S_IFMT {
        SFlag::S_IFDIR => Type::Directory,
        SFlag::S_IFREG => Type::File,
        SFlag::S_IFLNK => Type::Symlink,
        _ => Type::Fifo,
    }
}

/// Goes down `path` step by step, one directory from the one before, until what is left is short.
fn reach(path: &Path) -> nix::Result<(Option<OwnedFd>, &OsStr)> {
    let mut rest = path.as_os_str().as_bytes();
    let mut reached: Option<OwnedFd> = None;
    loop {
        // A name of a thousand bytes is longer than any that there is, and refused.
        let slash = (rest.len() > STEP).then(|| rest[..STEP].iter().rposition(|it| *it == b'/'));
        let Some(slash) = slash.flatten().filter(|it| *it > 0) else {
            return Ok((reached, OsStr::from_bytes(rest)));
        };
        let from = reached.as_ref().map_or(AT_FDCWD, AsFd::as_fd);
        let directory = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_DIRECTORY;
        let next = openat(from, OsStr::from_bytes(&rest[..slash]), directory, Mode::empty())?;
        reached = Some(next);
        // More slashes mean no more than one; but a path that begins with one begins at the root.
        let skipped = rest[slash..].iter().take_while(|it| **it == b'/').count();
        rest = &rest[slash + skipped..];
    }
}
