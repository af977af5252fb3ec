//! Finding the files, in the order in which they are printed: nothing is listed before it is its turn, so
//! that the first line need not wait for the last directory.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    ffi::{OsStr, OsString},
    io,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::PathBuf,
    time::{Duration, Instant},
};

use nix::{
    dir::{Dir, Type},
    fcntl::{AtFlags, OFlag},
    sys::stat::fstatat,
};

use crate::open::{kind, open};

/// A search, and how far it has come.
#[derive(Debug)]
pub(crate) struct Walk {
    /// What has been found and not been looked at, the first of all on top.
    pending: BinaryHeap<Reverse<Entry>>,
    /// How many pipes, sockets and devices there were.
    pub(crate) skipped: u64,
    /// What could not be looked at, and why: what was named first, and then in order.
    pub(crate) unreadable: Vec<(PathBuf, io::Error)>,
    /// Whether it was told to stop in the middle of a directory.
    cut_short: bool,
}

/// A file or a directory. They are sorted by the bytes of their names, which is not how paths compare:
/// those compare part by part. A directory stands where what is in it stands, behind its slash.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    bytes: Vec<u8>,
    kind: Kind,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    File,
    /// Whether the slash at its end was there before.
    Directory {
        had_slash: bool,
    },
}

impl Entry {
    pub(crate) fn file(path: PathBuf) -> Self {
        Self { bytes: path.into_os_string().into_vec(), kind: Kind::File }
    }

    pub(crate) fn directory(path: PathBuf) -> Self {
        let mut bytes = path.into_os_string().into_vec();
        let had_slash = bytes.last() == Some(&b'/');
        if !had_slash {
            bytes.push(b'/');
        }
        Self { bytes, kind: Kind::Directory { had_slash } }
    }

    fn path(mut self) -> PathBuf {
        if self.kind == (Kind::Directory { had_slash: false }) {
            self.bytes.pop();
        }
        OsString::from_vec(self.bytes).into()
    }
}

impl Walk {
    /// A search below `named`, of which some could not be looked at.
    pub(crate) fn new(named: Vec<Entry>, unreadable: Vec<(PathBuf, io::Error)>) -> Self {
        let pending = named.into_iter().map(Reverse).collect();
        Self { pending, skipped: 0, unreadable, cut_short: false }
    }

    /// Whether everything has been seen.
    pub(crate) fn is_complete(&self) -> bool {
        self.pending.is_empty() && !self.cut_short
    }

    /// The next files, in order: at most `most`, and fewer if it takes longer than `time`, or if it is
    /// told to stop. Symbolic links are left out, and so cannot lead in circles.
    pub(crate) fn next(
        &mut self,
        most: usize,
        time: Duration,
        is_stopped: impl Fn() -> bool,
    ) -> Vec<PathBuf> {
        let start = Instant::now();
        let mut files = Vec::new();
        while files.len() < most && !is_stopped() {
            let Some(Reverse(first)) = self.pending.pop() else { break };
            if first.kind == Kind::File {
                files.push(first.path());
                continue;
            }
            // What is in it is not before anything that was found before.
            if let Err(error) = self.list(&first, &is_stopped) {
                self.unreadable.push((first.path(), error));
            }
            if start.elapsed() > time {
                break;
            }
        }
        files
    }

    fn list(&mut self, directory: &Entry, is_stopped: impl Fn() -> bool) -> io::Result<()> {
        let had_slash = directory.kind == Kind::Directory { had_slash: true };
        // Behind a slash a symbolic link means its directory, which is right for what the user wrote.
        let end = directory.bytes.len() - usize::from(!had_slash);
        let name = OsStr::from_bytes(&directory.bytes[..end]);
        let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
        let mut listed = Dir::from_fd(open(name.as_ref(), flags)?)?;
        let mut unknown = Vec::new();
        for entry in listed.iter() {
            if is_stopped() {
                self.cut_short = true;
                return Ok(());
            }
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            match entry.file_type() {
                Some(kind) => self.add(directory, name.to_bytes(), kind),
                None => unknown.push(name.to_owned()),
            }
        }
        // Some file systems do not say in the list what there is.
        for name in unknown {
            match fstatat(&listed, name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
                Ok(found) => self.add(directory, name.to_bytes(), kind(found.st_mode)),
                Err(error) => {
                    let path = path_of(directory, name.to_bytes());
                    self.unreadable.push((path, error.into()));
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, directory: &Entry, name: &[u8], kind: Type) {
        match kind {
            Type::Directory => {
                self.pending.push(Reverse(Entry::directory(path_of(directory, name))));
            }
            Type::File => self.pending.push(Reverse(Entry::file(path_of(directory, name)))),
            Type::Symlink => {}
            _ => self.skipped += 1,
        }
    }
}

fn path_of(directory: &Entry, name: &[u8]) -> PathBuf {
    // With room for the slash of a directory.
    let mut bytes = Vec::with_capacity(directory.bytes.len() + name.len() + 1);
    bytes.extend_from_slice(&directory.bytes);
    bytes.extend_from_slice(name);
    OsString::from_vec(bytes).into()
}
