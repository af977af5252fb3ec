//! What the user asked for.

use std::{ffi::OsString, io, num::NonZero, path::PathBuf, thread, time::Duration};

use nix::dir::Type;

use crate::{open::look, report::Quoted, walk::Entry};

pub(crate) const HELP: &str = "\
Usage: digest [OPTION]... [--] FILE_OR_DIRECTORY...

Prints the SHA-256 sum of every regular file that is named or lies below a directory that is named,
sorted by path, in the format of sha256sum, each as soon as all before it are known. Symbolic links
are neither followed nor listed; pipes, sockets and devices are skipped.

  -j, --jobs N        hash N files at a time (default: as many as the machine runs threads)
  --processes N       hash N files at a time, each in another process (in a build with --features process)
  --deadline SECONDS  after SECONDS, which may have a fraction, do as on Ctrl-C
  -h, --help          print this text
  -V, --version       print the version

Ctrl-C (and SIGTERM) cancels the files not yet started, finishes those being read, and prints
what is done. A second Ctrl-C ends the program at once, with status 130.

Exit status: 0 if every file was hashed, 1 if anything failed, is missing or was cancelled, 2 for
bad usage, 141 without a word if nobody reads the sums any more.
";

#[derive(Debug)]
pub(crate) enum Request {
    Run(Options),
    /// To print this.
    Text(String),
}

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) named: Vec<Entry>,
    /// What is named and cannot be looked at, and why.
    pub(crate) unreadable: Vec<(PathBuf, io::Error)>,
    pub(crate) jobs: NonZero<usize>,
    pub(crate) processes: Option<NonZero<usize>>,
    pub(crate) deadline: Option<Duration>,
}

/// Reads the arguments, or says what is wrong with them.
pub(crate) fn parse(mut args: impl Iterator<Item = OsString>) -> Result<Request, String> {
    let jobs = thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let (named, unreadable) = (Vec::new(), Vec::new());
    let mut options = Options { named, unreadable, jobs, processes: None, deadline: None };
    let mut paths = Vec::new();
    while let Some(arg) = args.next() {
        let Some((option, attached)) = arg.to_str().and_then(split) else {
            paths.push(PathBuf::from(arg));
            continue;
        };
        let mut value = |wanted| match attached {
            Some(text) => Ok((option, wanted, OsString::from(text))),
            None => match args.next() {
                Some(text) => Ok((option, wanted, text)),
                None => Err(format!("{option} needs {wanted}")),
            },
        };
        match option {
            "--jobs" | "-j" => options.jobs = read(value(NUMBER)?, |text| text.parse().ok())?,
            "--processes" if cfg!(feature = "process") => {
                options.processes = Some(read(value(NUMBER)?, |text| text.parse().ok())?);
            }
            "--processes" => {
                return Err("--processes needs a build with --features process".to_owned());
            }
            "--deadline" => options.deadline = Some(read(value(SECONDS)?, seconds)?),
            _ if attached.is_some() => return Err(format!("unknown option {}", arg.display())),
            "--help" | "-h" => return Ok(Request::Text(HELP.to_owned())),
            "--version" | "-V" => {
                let version = env!("CARGO_PKG_VERSION");
                return Ok(Request::Text(format!("digest {version}\n")));
            }
            "--" => paths.extend(args.by_ref().map(PathBuf::from)),
            _ => return Err(format!("unknown option {option}")),
        }
    }
    if paths.is_empty() {
        return Err("no file or directory given".to_owned());
    }
    for path in paths {
        match look(&path) {
            Ok(kind) => options.named.push(check(path, kind)?),
            Err(error) => options.unreadable.push((path, error.into())),
        }
    }
    Ok(Request::Run(options))
}

const NUMBER: &str = "a number from 1 on";
const SECONDS: &str = "a number of seconds";

/// An option, and the value that is attached to it as in `--jobs=3` and `-j3`; none if it is a name.
fn split(arg: &str) -> Option<(&str, Option<&str>)> {
    if arg.starts_with("--") {
        let (option, value) = arg.split_once('=').map_or((arg, None), |(a, b)| (a, Some(b)));
        return Some((option, value));
    }
    let letter = arg.strip_prefix('-')?.chars().next();
    let end = 1 + letter.map_or(0, char::len_utf8);
    Some((&arg[..end], Some(&arg[end..]).filter(|value| !value.is_empty())))
}

fn read<T>(
    (option, wanted, text): (&str, &str, OsString),
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, String> {
    let known = text.to_str().and_then(read);
    known.ok_or_else(|| format!("{option} needs {wanted}, not {text:?}"))
}

fn seconds(text: &str) -> Option<Duration> {
    // Refuses what is negative, not a number, or more than a Duration can hold.
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

/// A symbolic link is refused, since the program follows none and an empty answer would look as if
/// there were no files. With a slash at its end the name means the directory, as everywhere.
fn check(path: PathBuf, kind: Type) -> Result<Entry, String> {
    let why = match kind {
        Type::Directory => return Ok(Entry::directory(path)),
        Type::File => return Ok(Entry::file(path)),
        Type::Symlink => "is a symbolic link, which is not followed; name what it points to",
        _ => "is neither a file nor a directory",
    };
    Err(format!("{} {why}", Quoted(&path)))
}
