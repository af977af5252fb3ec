//! What can be chosen of a [`ProcessPool`].

use std::{
    env,
    ffi::{OsStr, OsString},
    fmt, io,
    num::NonZero,
    path::PathBuf,
    sync::Arc,
};

use super::{
    books::Books,
    child::How,
    format::{Format, Unwritten},
    frame::{self, Call, Kind},
    function::Function,
    job::guarded,
    manager::{Listener, Manager},
    pool::ProcessPool,
    shared::Shared,
    worker,
};
use crate::{blocking, sync::thread};

/// Why nobody can be a worker that is this program.
const NO_WORKER: &str = "the main of this program does not begin with settled::process::worker, so that it cannot be its own worker; make that its first line, or name another program with ProcessPoolBuilder::program";

/// Makes a [`ProcessPool`]: made by [`ProcessPool::builder`].
#[must_use = "it makes no pool before `build`"]
pub struct ProcessPoolBuilder {
    workers: Option<NonZero<usize>>,
    jobs_each: u64,
    program: Option<(PathBuf, Vec<OsString>)>,
    environment: Vec<(OsString, Option<OsString>)>,
    directory: Option<PathBuf>,
    format: Format,
    limit: u32,
    initializer: Option<Write>,
    listener: Option<Listener>,
}

/// Writes the call of the initializer.
type Write = Box<dyn FnOnce(Format, &mut Vec<u8>) -> io::Result<()>>;

impl ProcessPoolBuilder {
    pub(super) fn new() -> Self {
        Self {
            workers: None,
            jobs_each: u64::MAX,
            program: None,
            environment: Vec::new(),
            directory: None,
            format: Format::default(),
            limit: 64 << 20,
            initializer: None,
            listener: None,
        }
    }

    /// Allows at most this many workers. Without it, as many as the machine runs threads at once.
    #[doc(alias = "max_workers")]
    pub fn workers(mut self, workers: NonZero<usize>) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Ends each worker after so many jobs, and another is started if there is work for it. Python's
    /// `max_tasks_per_child`. `[process-9]`
    #[doc(alias = "max_tasks_per_child")]
    pub fn jobs_per_worker(mut self, jobs: NonZero<u64>) -> Self {
        self.jobs_each = jobs.get();
        self
    }

    /// Makes this program the worker, which speaks the protocol of `spec/processes.md` over its standard input.
    /// `[process-6]` One whose `main` begins with [`worker`](super::worker) does so if `--settled-worker` is the first of
    /// its arguments, and is the whole program once more without. One that neither speaks nor ends keeps its job waiting.
    pub fn program<I>(mut self, program: impl Into<PathBuf>, arguments: I) -> Self
    where
        I: IntoIterator<Item: Into<OsString>>,
    {
        self.program = Some((program.into(), arguments.into_iter().map(Into::into).collect()));
        self
    }

    /// Shows workers this variable in their environment.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().into(), Some(value.as_ref().into())));
        self
    }

    /// Hides this variable from workers.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().into(), None));
        self
    }

    /// Begins workers in this directory.
    pub fn current_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Chooses in what arguments and values travel.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Limits the bytes of a call, which are those of its arguments, as they travel, of the function's name and eleven more,
    /// and of a value or an error; more is [`UnsentKind::TooLarge`](crate::UnsentKind::TooLarge). Without it 64 MiB, and at
    /// least 1 KiB. `[process-5]`
    pub fn limit(mut self, bytes: u32) -> Self {
        self.limit = bytes.max(1 << 10);
        self
    }

    /// Has each worker call `function` with `arguments` once, before its first job. If that fails or panics, the pool
    /// is broken: see [`ProcessPool::broken_reason`]. `[process-4]`
    pub fn initializer<A, T, E>(mut self, function: &Function<A, T, E>, arguments: A) -> Self
    where
        A: 'static,
    {
        let (name, signature, write) = (function.name(), function.signature(), function.write);
        self.initializer = Some(Box::new(move |format, bytes| {
            let written = Call { signature, each: false, name }.write(bytes);
            written.map_err(|_| io::Error::other("the name of the initializer is too long"))?;
            let written = guarded(|| write(format, &arguments, bytes, frame::room(u32::MAX)));
            written.map_err(|it| {
                io::Error::other(match it {
                    Unwritten::TooLarge => "the initializer's arguments are too large".to_owned(),
                    Unwritten::Why(why) => why,
                })
            })
        }));
        self
    }

    /// Reads what workers write to their standard output and error, and tells it to `listener` as it comes: the number
    /// of the worker, whether it is the standard error, and the bytes. It is called in the pool's thread, and must not
    /// block. Without it both are those of this process. `[process-9]`
    pub fn on_output(
        mut self,
        listener: impl Fn(u64, bool, &[u8]) + Send + Sync + 'static,
    ) -> Self {
        self.listener = Some(Box::new(listener));
        self
    }

    /// Makes the pool. It starts no worker yet.
    ///
    /// # Errors
    ///
    /// As [`ProcessPool::new`], and if the arguments of the initializer cannot be written.
    pub fn build(self) -> io::Result<ProcessPool> {
        let Self {
            workers,
            jobs_each,
            program,
            environment,
            directory,
            format,
            limit,
            initializer,
            listener,
        } = self;
        if !worker::was_called() && (program.is_none() || worker::is_one()) {
            return Err(io::Error::other(NO_WORKER));
        }
        let available = || std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        let max = workers.unwrap_or_else(available).get();
        let name = program.is_none().then(|| env::args_os().next()).flatten();
        let (program, arguments) = match program {
            Some(it) => it,
            None => (own()?, vec![worker::ARGUMENT.into()]),
        };
        let mut setup = frame::begin(Kind::Setup, format.tag(), 0);
        setup.extend(limit.to_le_bytes());
        if let Some(write) = initializer {
            write(format, &mut setup)?;
        }
        frame::end(&mut setup, u32::MAX)
            .map_err(|_| io::Error::other("the initializer's arguments are too large"))?;
        let reads = listener.is_some();
        let how = How { program, name, arguments, environment, directory, reads, limit };
        let (woken, wake) = io::pipe()?;
        rustix::io::ioctl_fionbio(&wake, true)?;
        rustix::io::ioctl_fionbio(&woken, true)?;
        let shared = Arc::new(Shared::new(wake));
        let books = Books::new(max, jobs_each);
        let manager = Manager::new(&shared, how, setup, listener, woken, books);
        // It reads and drops values that workers have written, and runs callbacks.
        let thread = thread::Builder::new()
            .name("settled-processes".into())
            .stack_size(blocking::STACK)
            .spawn(move || manager.run())?;
        Ok(ProcessPool { shared, thread: Some(thread), format, limit, max })
    }
}

/// This program: on Linux the very file that runs, also when another one has its name by now.
fn own() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { env::current_exe() }
}

impl fmt::Debug for ProcessPoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessPoolBuilder").field("workers", &self.workers).finish_non_exhaustive()
    }
}
