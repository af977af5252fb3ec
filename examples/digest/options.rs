//! What the user asked for.

use std::{ffi::OsString, fmt::Display, fs, num::NonZero, path::PathBuf, thread, time::Duration};

pub(crate) const HELP: &str = "\
Usage: digest [OPTION]... [--] DIRECTORY...

Prints the SHA-256 sum of every regular file below each DIRECTORY, sorted by path, in the format of
sha256sum. Symbolic links are neither followed nor listed; pipes, sockets and devices are skipped.

  --jobs N            hash N files at a time (default: as many as the machine runs threads)
  --processes N       hash N files at a time, each in another process (in a build with --features process)
  --deadline SECONDS  after SECONDS, which may have a fraction, do as on Ctrl-C
  -h, --help          print this text

Ctrl-C (and SIGTERM) cancels the files not yet started, finishes those being read, and prints
what is done. A second Ctrl-C ends the program at once, with status 130.

Exit status: 0 if every file was hashed, 1 if anything failed or was cancelled, 2 for bad usage.
";

#[derive(Debug)]
pub(crate) enum Request {
    Run(Options),
    Help,
}

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) directories: Vec<PathBuf>,
    pub(crate) jobs: NonZero<usize>,
    pub(crate) processes: Option<NonZero<usize>>,
    pub(crate) deadline: Option<Duration>,
}

/// Reads the arguments, or says what is wrong with them.
pub(crate) fn parse(mut args: impl Iterator<Item = OsString>) -> Result<Request, String> {
    let jobs = thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let mut options = Options { directories: Vec::new(), jobs, processes: None, deadline: None };
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("--help" | "-h") => return Ok(Request::Help),
            Some("--jobs") => {
                options.jobs =
                    value("--jobs", "a number from 1 on", args.next(), |text| text.parse().ok())?;
            }
            Some("--processes") if cfg!(feature = "process") => {
                let wanted = "a number from 1 on";
                options.processes =
                    Some(value("--processes", wanted, args.next(), |text| text.parse().ok())?);
            }
            Some("--processes") => {
                return Err("--processes needs a build with --features process".to_owned());
            }
            Some("--deadline") => {
                options.deadline =
                    Some(value("--deadline", "a number of seconds", args.next(), seconds)?);
            }
            Some("--") => options.directories.extend(args.by_ref().map(PathBuf::from)),
            Some(option) if option.starts_with('-') => {
                return Err(format!("unknown option {option}"));
            }
            _ => options.directories.push(arg.into()),
        }
    }
    if options.directories.is_empty() {
        return Err("no directory given".to_owned());
    }
    options.directories.iter().try_for_each(check)?;
    Ok(Request::Run(options))
}

fn value<T>(
    option: &str,
    wanted: &str,
    text: Option<OsString>,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, String> {
    let text = text.ok_or_else(|| format!("{option} needs {wanted}"))?;
    let known = text.to_str().and_then(read);
    known.ok_or_else(|| format!("{option} needs {wanted}, not {text:?}"))
}

fn seconds(text: &str) -> Option<Duration> {
    // Refuses what is negative, not a number, or more than a Duration can hold.
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

/// A symbolic link is refused, since the program follows none and an empty answer would look as if
/// there were no files. With a slash at its end the name means the directory, as everywhere.
fn check(directory: &PathBuf) -> Result<(), String> {
    let complain = |why: &dyn Display| Err(format!("{directory:?} {why}"));
    match fs::symlink_metadata(directory) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(found) if found.is_symlink() => {
            complain(&"is a symbolic link, which is not followed; name what it points to")
        }
        Ok(_) => complain(&"is not a directory"),
        Err(error) => complain(&format_args!("cannot be searched: {error}")),
    }
}
