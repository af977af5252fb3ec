//! Finding the files: one job for the pool, before the first file is hashed.
//!
//! The list of paths is needed anyway, because the output is sorted. To have it first costs little
//! time, and gives a bar that knows its end and an account in which nothing can be missing.

use std::{
    fs::{self, DirEntry},
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use crate::Shared;

#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// Sorted by their bytes, which is not how paths compare: those compare part by part.
    pub(crate) files: Vec<PathBuf>,
    /// How many pipes, sockets and devices there were.
    pub(crate) skipped: u64,
    /// What could not be looked into, and why.
    pub(crate) unreadable: Vec<(PathBuf, io::Error)>,
    /// Whether it was told to stop before it had seen everything.
    pub(crate) cut_short: bool,
}

/// Lists what is below `directories`. Symbolic links are left out, and so cannot lead in circles.
pub(crate) fn walk(directories: Vec<PathBuf>, shared: &Shared) -> Walk {
    let mut walk = Walk::default();
    // A stack of paths instead of recursion: no depth of directories overflows it, and only one
    // directory is open at a time.
    let mut pending = directories;
    while let Some(directory) = pending.pop() {
        if let Err(error) = walk.list(&directory, &mut pending, shared) {
            walk.unreadable.push((directory, error));
        }
    }
    walk.files.sort_unstable_by(|a, b| bytes(a).cmp(bytes(b)));
    walk.unreadable.sort_unstable_by(|(a, _), (b, _)| bytes(a).cmp(bytes(b)));
    walk
}

impl Walk {
    fn list(
        &mut self,
        directory: &Path,
        pending: &mut Vec<PathBuf>,
        shared: &Shared,
    ) -> io::Result<()> {
        for entry in fs::read_dir(directory)? {
            if shared.is_stopped() {
                self.cut_short = true;
                return Ok(());
            }
            let entry = entry?;
            if let Err(error) = self.add(&entry, pending, shared) {
                self.unreadable.push((entry.path(), error));
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        entry: &DirEntry,
        pending: &mut Vec<PathBuf>,
        shared: &Shared,
    ) -> io::Result<()> {
        let kind = entry.file_type()?;
        if kind.is_dir() {
            pending.push(entry.path());
        } else if kind.is_file() {
            self.files.push(entry.path());
            shared.add_found();
        } else if !kind.is_symlink() {
            self.skipped += 1;
        }
        Ok(())
    }
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}
