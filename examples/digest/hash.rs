//! Hashing one file: the job that runs on the pool's threads.

use std::{
    cell::RefCell,
    fs::File,
    io::{self, ErrorKind, Read},
    path::Path,
};

#[cfg(feature = "process")]
use std::os::unix::ffi::OsStrExt as _;

use nix::{
    fcntl::OFlag,
    sys::resource::{Resource, getrlimit},
};
use settled::{
    WaitError,
    primitives::{Permit, Semaphore},
};
use sha2::{Digest, Sha256};

use crate::{Shared, open};

pub(crate) type Sum = [u8; 32];

/// The same, in another process: of the file whose name has these bytes, and how many bytes were hashed.
#[cfg(feature = "process")]
pub(crate) const HASH: settled::process::Function<Vec<u8>, (Sum, u64), String> =
    settled::process::Function::fallible("hash", |name| {
        let shared = Shared::default();
        let sum = hash(Path::new(std::ffi::OsStr::from_bytes(&name)), &shared);
        sum.map(|sum| (sum, shared.hashed_bytes())).map_err(|error| error.to_string())
    });

/// As many files as may be open to be hashed, however many threads there are.
#[derive(Debug)]
pub(crate) struct OpenFiles(Semaphore);

impl Default for OpenFiles {
    /// Half of what the system allows: the rest is for directories, and the way to a file that lies deep.
    fn default() -> Self {
        let allowed = getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(now, _)| now);
        Self(Semaphore::bounded(usize::try_from(allowed / 2).unwrap_or(usize::MAX).max(1)))
    }
}

impl OpenFiles {
    /// Blocks until one more may be open.
    pub(crate) fn one_more(&self) -> Result<Permit<'_>, WaitError> {
        self.0.acquire()
    }
}

/// Large enough that the system calls do not count, small enough for any number of workers.
const BUFFER: usize = 64 * 1024;

thread_local! {
    /// What this thread reads into, one file after the other: to zero it for each takes as long as to hash a small one.
    static ROOM: RefCell<Vec<u8>> = RefCell::new(vec![0; BUFFER]);
}

/// The SHA-256 sum of the file, or why there is none.
pub(crate) fn hash(path: &Path, shared: &Shared) -> io::Result<Sum> {
    let _one = shared.open_files.one_more().map_err(io::Error::other)?;
    let (mut file, expected) = open(path)?;
    shared.add_opened(expected);
    let mut sha = Sha256::new();
    let mut total = 0;
    ROOM.with_borrow_mut(|room| {
        loop {
            if shared.is_abandoned() {
                return Err(ErrorKind::Interrupted.into());
            }
            let read = match file.read(room) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            sha.update(&room[..read]);
            total += read as u64;
            shared.add_hashed(read as u64);
        }
    })?;
    // A file that grows is hashed to its end, as sha256sum does. Of one that was cut off, the sum
    // would be that of a file that never was.
    if total < expected {
        let why = format!("it shrank while it was read: only {total} of {expected} bytes");
        return Err(io::Error::other(why));
    }
    Ok(sha.finalize().into())
}

/// Opens a regular file, and says how large it is. The file was one when it was found; in the
/// meantime it may have become a link, which must not be followed (`O_NOFOLLOW`), or a pipe, whose
/// opening would wait for a writer (`O_NONBLOCK`, which means nothing to a regular file).
fn open(path: &Path) -> io::Result<(File, u64)> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let file = File::from(open::open(path, flags)?);
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("it is not a regular file any more"));
    }
    Ok((file, found.len()))
}
