//! What is printed at the end: the sums on standard output, the account on standard error.

use std::{
    io::{self, BufWriter, ErrorKind, Write},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use crate::{hash::Sum, say, walk::Walk};

#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) outcome: Outcome,
}

#[derive(Debug)]
pub(crate) enum Outcome {
    Finished(Sum),
    Failed(String),
    Cancelled,
}

#[derive(Debug)]
pub(crate) struct Report {
    /// Sorted.
    pub(crate) files: Vec<File>,
    /// How they were found; its own list of files has been moved into `files`.
    pub(crate) walk: Walk,
}

impl Report {
    /// Prints everything, and says whether every file was hashed.
    pub(crate) fn print(&self) -> io::Result<bool> {
        let printed = self.print_sums(BufWriter::new(io::stdout().lock()));
        let complete = self.print_account();
        match printed {
            // The reader has seen what it wanted to see, as `head` does: that is no error.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(complete),
            printed => printed.map(|()| complete),
        }
    }

    fn print_sums(&self, mut out: impl Write) -> io::Result<()> {
        for file in &self.files {
            if let Outcome::Finished(sum) = &file.outcome {
                print_sum(&mut out, sum, &file.path)?;
            }
        }
        // An error at the end of the program would be lost.
        out.flush()
    }

    fn print_account(&self) -> bool {
        let (mut finished, mut failed, mut cancelled) = (0, 0, 0);
        for file in &self.files {
            match &file.outcome {
                Outcome::Finished(_) => finished += 1,
                Outcome::Cancelled => cancelled += 1,
                Outcome::Failed(reason) => {
                    failed += 1;
                    complain(&file.path, reason);
                }
            }
        }
        let Walk { skipped, unreadable, cut_short, .. } = &self.walk;
        for (path, error) in unreadable {
            complain(path, error);
        }
        if *cut_short {
            say("the search was cut short, there may be more files");
        }
        say(format_args!(
            "{} found = {finished} finished + {failed} failed + {cancelled} cancelled; \
             {skipped} skipped; {} unreadable",
            self.files.len(),
            unreadable.len(),
        ));
        failed + cancelled + unreadable.len() == 0 && !cut_short
    }
}

/// Quoted and escaped, so that it is one line whatever the name is.
fn complain(path: &Path, reason: impl std::fmt::Display) {
    say(format_args!("{path:?}: {reason}"));
}

/// A line as `sha256sum` prints it. Names are bytes and are printed as they are, but for the three
/// that would break the line or the escape itself; a backslash in front then says so.
fn print_sum(out: &mut impl Write, sum: &Sum, path: &Path) -> io::Result<()> {
    let name = path.as_os_str().as_bytes();
    if name.iter().any(|byte| matches!(byte, b'\\' | b'\n' | b'\r')) {
        out.write_all(b"\\")?;
    }
    for byte in sum {
        write!(out, "{byte:02x}")?;
    }
    out.write_all(b"  ")?;
    for byte in name {
        match byte {
            b'\\' => out.write_all(br"\\")?,
            b'\n' => out.write_all(br"\n")?,
            b'\r' => out.write_all(br"\r")?,
            byte => out.write_all(&[*byte])?,
        }
    }
    out.write_all(b"\n")
}
