//! What is printed: the sums on standard output, the account on standard error.

use std::{
    fmt::{self, Display},
    io::{self, IsTerminal},
    os::unix::ffi::OsStrExt,
    path::Path,
    process::ExitCode,
};

use console::Term;

use crate::{files::Files, hash::Sum, say, walk::Walk};

/// What a shell says of a program that SIGPIPE has ended, as it ends `sha256sum` when its reader goes away.
const LEFT: u8 = 128 + 13;

#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) files: Files,
    pub(crate) walk: Walk,
    /// Whether the reader of the sums went away before the end, as `head` does.
    pub(crate) is_left: bool,
}

impl Report {
    /// Tells what became of the files. Where nobody reads the sums any more, only what went wrong is told.
    pub(crate) fn print(&self) -> ExitCode {
        let Files { finished, failed, .. } = &self.files;
        let Walk { skipped, unreadable, .. } = &self.walk;
        let (found, failures) = (self.files.found(), failed.len());
        let cancelled = found - finished - failures;
        for (path, reason) in failed {
            complain(path, reason);
        }
        for (path, error) in unreadable {
            complain(path, format_args!("cannot be read: {error}"));
        }
        if self.is_left {
            return ExitCode::from(LEFT);
        }
        let is_complete = self.walk.is_complete();
        if !is_complete {
            say("the search was cut short, there may be more files");
        }
        say(format_args!(
            "{found} found = {finished} finished + {failures} failed + {cancelled} cancelled; \
             {skipped} skipped; {} unreadable",
            unreadable.len(),
        ));
        let is_done = failures + unreadable.len() + cancelled == 0 && is_complete;
        if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn complain(path: &Path, reason: impl Display) {
    say(format_args!("{}: {reason}", Quoted(path)));
}

/// Quoted and escaped, so that it is one line whatever the name is. On a terminal, whose lines are short,
/// the middle of a name that is longer than one is left out.
#[derive(Debug)]
pub(crate) struct Quoted<'a>(pub(crate) &'a Path);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = format!("{:?}", self.0);
        let columns = if io::stderr().is_terminal() { columns() } else { usize::MAX };
        let length = quoted.chars().count();
        if length <= columns {
            return f.write_str(&quoted);
        }
        // The end says more than the beginning, which many have in common.
        let head = columns / 3;
        let tail = columns - head - 3;
        f.write_str(&quoted.chars().take(head).collect::<String>())?;
        f.write_str("...")?;
        f.write_str(&quoted.chars().skip(length - tail).collect::<String>())
    }
}

/// How wide the terminal is.
pub(crate) fn columns() -> usize {
    usize::from(Term::stderr().size().1).max(20)
}

/// Adds a line as `sha256sum` prints it. Names are bytes and are printed as they are, but for the three
/// that would break the line or the escape itself; a backslash in front then says so.
pub(crate) fn print_sum(lines: &mut Vec<u8>, sum: &Sum, path: &Path) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let name = path.as_os_str().as_bytes();
    let is_escaped = name.iter().any(|byte| matches!(byte, b'\\' | b'\n' | b'\r'));
    if is_escaped {
        lines.push(b'\\');
    }
    for byte in sum {
        lines.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    lines.extend_from_slice(b"  ");
    if !is_escaped {
        lines.extend_from_slice(name);
    } else {
        for byte in name {
            match byte {
                b'\\' => lines.extend_from_slice(br"\\"),
                b'\n' => lines.extend_from_slice(br"\n"),
                b'\r' => lines.extend_from_slice(br"\r"),
                byte => lines.push(*byte),
            }
        }
    }
    lines.push(b'\n');
}
