//! Runs the example, in a directory of the test's own, and reads its account.

use std::{
    env,
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use nix::{
    pty::{Winsize, openpty},
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sha2::{Digest, Sha256};

/// What the program may use of the processor, in seconds, before the system kills it: so a test
/// whose sign never comes ends all the same. It bounds work, not time; a busy machine is no reason
/// to fail.
const CPU_LIMIT: u32 = 120;

/// How much the terminal may show. The bar is drawn several times a second, whatever happens, so
/// that a program that waits forever is found out too.
const SHOWN_LIMIT: usize = 1 << 19;

/// A size that is never read to its end.
pub(crate) const ENDLESS: u64 = 1 << 40;

/// Where cargo has built the example: beside the directory of the tests.
pub(crate) fn program() -> PathBuf {
    let test = env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples/digest");
    assert!(program.exists(), "build it first: cargo build --example digest");
    program
}

/// `program`, with the limit above. `sh` is replaced by it, so that the process is the program's.
pub(crate) fn limited(program: &Path) -> Command {
    let mut command = Command::new("sh");
    let script = format!("ulimit -t {CPU_LIMIT} && exec \"$0\" \"$@\"");
    command.arg("-c").arg(script).arg(program);
    command
}

/// The line for a file with this content.
pub(crate) fn sha256sum_of(content: &[u8], path: &Path) -> String {
    let sum = Sha256::digest(content);
    let sum: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{sum}  {}", path.display())
}

/// Runs the program to its end, with pipes for its output.
pub(crate) fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Ended {
    let output = limited(&program()).args(args).stdin(Stdio::null()).output().unwrap();
    Ended::of(output)
}

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn of(output: process::Output) -> Self {
        let stderr = String::from_utf8(output.stderr).unwrap();
        Self { status: output.status.code(), stdout: output.stdout, stderr }
    }

    /// Whether a message of the program contains all of `parts`.
    pub(crate) fn says(&self, parts: &[&str]) -> bool {
        self.stderr.lines().any(|line| parts.iter().all(|part| line.contains(part)))
    }

    /// The account at the end, after a look whether it agrees with what was printed.
    pub(crate) fn account(&self) -> Account {
        let last = self.stderr.lines().last().unwrap_or_default();
        let (_, line) = last.split_once("digest: ").unwrap_or_else(|| panic!("{self:?}"));
        let numbers: Vec<usize> =
            line.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
        let [found, finished, failed, cancelled, skipped, unreadable] = numbers[..] else {
            panic!("no account: {last}");
        };
        assert_eq!(found, finished + failed + cancelled, "nothing is lost: {last}");
        let sums = self.stdout.split_inclusive(|byte| *byte == b'\n').count();
        assert_eq!(finished, sums, "each finished file has its line");
        let reasons = self.stderr.lines().filter(|line| line.contains("digest: \"")).count();
        assert_eq!(failed + unreadable, reasons, "each failure has its reason: {self:?}");
        Account { found, finished, failed, cancelled, skipped, unreadable }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) found: usize,
    pub(crate) finished: usize,
    pub(crate) failed: usize,
    pub(crate) cancelled: usize,
    pub(crate) skipped: usize,
    pub(crate) unreadable: usize,
}

/// A directory that is removed with all that is in it.
#[derive(Debug)]
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn new() -> Self {
        Self::inside(&env::temp_dir()).unwrap()
    }

    /// In memory, if there is a file system for that: to read a file of which nothing is stored makes no pages there.
    pub(crate) fn in_memory() -> Self {
        Self::inside(Path::new("/dev/shm")).unwrap_or_else(|_| Self::new())
    }

    fn inside(place: &Path) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // ORDERING: Relaxed; only the numbers must differ.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = place.join(format!("settled-digest-{}-{number}", process::id()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A file of `size` bytes of which the disk stores none, and all of which read as zero.
    pub(crate) fn sparse(&self, name: &str, size: u64) -> PathBuf {
        let path = self.0.join(name);
        File::create(&path).unwrap().set_len(size).unwrap();
        path
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // What a test made unreadable could not be removed by anyone but root.
        let _ = Command::new("chmod").arg("-R").arg("u+rwX").arg(&self.0).status();
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A run of the program whose standard error is a terminal. What the progress bar shows tells how
/// far it is, so that a test can act in the middle.
pub(crate) struct Session {
    child: Child,
    terminal: File,
    shown: String,
    /// Mostly standard output goes to a file, which never makes the program wait.
    output: TempDir,
}

impl Session {
    pub(crate) fn start<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Self {
        Self::start_in(100, args)
    }

    /// On a terminal of so many columns.
    pub(crate) fn start_in<A: AsRef<OsStr>>(
        columns: u16,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        Self::start_on(columns, false, args)
    }

    /// With the sums on the terminal too.
    pub(crate) fn start_on_one<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Self {
        Self::start_on(100, true, args)
    }

    fn start_on<A: AsRef<OsStr>>(
        columns: u16,
        is_one: bool,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None).unwrap();
        let output = TempDir::new();
        let stdout = File::create(output.path().join("stdout")).unwrap();
        let stdout = if is_one { pty.slave.try_clone().unwrap() } else { stdout.into() };
        let child = limited(&program())
            .args(args)
            .env("TERM", "xterm")
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(pty.slave)
            .spawn()
            .unwrap();
        Self { child, terminal: File::from(pty.master), shown: String::new(), output }
    }

    /// Reads what the terminal shows; `false` at its end.
    fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        // The end of a terminal, whose last program has ended, is an error on Linux.
        let read = self.terminal.read(&mut buffer).unwrap_or(0);
        self.shown.push_str(&String::from_utf8_lossy(&buffer[..read]));
        assert!(self.shown.len() < SHOWN_LIMIT, "it does not come to its end");
        read > 0
    }

    /// Returns as soon as the terminal has shown `sign`.
    pub(crate) fn wait_for(&mut self, sign: &str) {
        while !self.shown.contains(sign) {
            assert!(self.read(), "it ended and never showed {sign:?}: {}", self.shown);
        }
    }

    /// Returns when the first file is being read: the bar then shows a number of KiB, MiB or GiB.
    pub(crate) fn wait_until_reading(&mut self) {
        self.wait_for("iB");
    }

    /// What Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(pid, Signal::SIGINT).unwrap();
    }

    pub(crate) fn end(mut self) -> Ended {
        while self.read() {}
        let status = self.child.wait().unwrap().code();
        let stdout = fs::read(self.output.path().join("stdout")).unwrap();
        Ended { status, stdout, stderr: std::mem::take(&mut self.shown) }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Of a test that failed; a program that has been waited for is not touched.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
