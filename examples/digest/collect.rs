//! The event loop's side: hands the files out, collects their sums, and stops when told to.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    convert::Infallible,
    error::Error,
    mem,
    path::PathBuf,
    process,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use settled::{EventLoop, Failure, LoopFuture, LoopRef, Settled, ThreadPool, bridge};

use crate::{
    Shared,
    hash::{self, Sum},
    options::Options,
    report::{File, Outcome, Report},
    say,
    walk::{self, Walk},
};

/// How often the progress bar is drawn.
const TICK: Duration = Duration::from_millis(100);

/// The exit status that shells give to what Ctrl-C has ended.
const INTERRUPTED: i32 = 130;

/// Finds and hashes what `options` ask for, until all is done or it is told to stop.
pub(crate) fn collect(options: Options) -> Result<Report, Box<dyn Error>> {
    let event_loop = EventLoop::new();
    let collector = Rc::new(Collector::new(&event_loop, &options)?);
    collector.stop_on_interrupt()?;
    if let Some(deadline) = options.deadline {
        let this = Rc::clone(&collector);
        event_loop.call_later(deadline, move || this.stop("the deadline has passed"))?;
    }
    collector.tick();
    let run = Rc::clone(&collector).run(options.directories);
    let walk = event_loop.run_until_complete(run)??;
    collector.bar.finish_and_clear();
    // From here on nothing is left to cancel, and an interrupt ends the program at once.
    event_loop.close();
    collector.pool.close();
    collector.pool.cancel_pending();
    collector.pool.shutdown()?;
    Ok(Report { files: collector.files.take(), walk })
}

/// What the loop's tasks and callbacks share. It stays on the loop's thread and needs no lock.
struct Collector {
    here: LoopRef,
    pool: ThreadPool,
    /// The number of lanes, which bounds the number of files in flight.
    lanes: usize,
    shared: Arc<Shared>,
    bar: ProgressBar,
    /// Every file that was found. A file is cancelled until it is known to have ended otherwise,
    /// so that none can be missing from the account.
    files: RefCell<Vec<File>>,
    /// The place of the first file that no lane has taken yet.
    next: Cell<usize>,
    /// What the pool has been given and has not answered, by the file's place.
    in_flight: RefCell<BTreeMap<usize, LoopFuture<Hashed, String>>>,
    /// Who hashes, if it is processes.
    #[cfg(feature = "process")]
    processes: Option<settled::process::ProcessPool>,
}

/// The sum of a file, and how many of its bytes the progress bar has not been told of.
type Hashed = (Sum, u64);

impl Collector {
    fn new(here: &LoopRef, options: &Options) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            here: here.clone(),
            pool: ThreadPool::named("hash", options.jobs),
            // For each worker a file to read and one in store: no worker waits for the loop, and a
            // million files take no more memory in flight than ten.
            lanes: options.processes.unwrap_or(options.jobs).get().saturating_mul(2),
            shared: Arc::default(),
            // Drawn on standard error, and only if that is a terminal.
            bar: ProgressBar::new(0).with_style(ProgressStyle::with_template("{msg}")?),
            files: RefCell::default(),
            next: Cell::new(0),
            in_flight: RefCell::default(),
            #[cfg(feature = "process")]
            processes: options.processes.map(settled::process::ProcessPool::new).transpose()?,
        })
    }

    /// The main task.
    async fn run(self: Rc<Self>, directories: Vec<PathBuf>) -> Result<Walk, Box<dyn Error>> {
        let mut walk = self.find(directories).await?;
        let found = mem::take(&mut walk.files).into_iter();
        *self.files.borrow_mut() =
            found.map(|path| File { path, outcome: Outcome::Cancelled }).collect();
        let template = "[{bar:30}] {pos}/{len} files, {msg}";
        self.bar.set_style(ProgressStyle::with_template(template)?.progress_chars("=> "));
        self.draw();

        let lanes = self.lanes.min(self.files.borrow().len());
        let mut tasks = Vec::with_capacity(lanes);
        for _ in 0..lanes {
            tasks.push(self.here.create_task(Rc::clone(&self).work())?);
        }
        for task in tasks {
            task.await.result().map_err(ToString::to_string)?;
        }
        Ok(walk)
    }

    /// The search is a job for the pool too: it may take long, and the loop must stay awake.
    async fn find(&self, directories: Vec<PathBuf>) -> Result<Walk, Box<dyn Error>> {
        let shared = Arc::clone(&self.shared);
        let search = move || walk::walk(directories, &shared);
        let settled = bridge::run_in_executor(&self.here, &self.pool, search)?.await;
        // Nobody else has a handle of this future, so that its value can be moved out.
        let outcome = settled.take().map_err(|shared| format!("{shared:?} is not the only one"))?;
        Ok(outcome?)
    }

    /// One lane: takes the next file when its last one has ended, until none is left.
    async fn work(self: Rc<Self>) {
        while let Some((place, path)) = self.next_file() {
            let outcome = self.hash(place, path).await;
            self.files.borrow_mut()[place].outcome = outcome;
        }
    }

    fn next_file(&self) -> Option<(usize, PathBuf)> {
        if self.shared.is_stopped() {
            return None;
        }
        let place = self.next.get();
        let path = self.files.borrow().get(place)?.path.clone();
        self.next.set(place + 1);
        Some((place, path))
    }

    async fn hash(&self, place: usize, path: PathBuf) -> Outcome {
        let future = match self.begin(path) {
            Ok(future) => future,
            Err(refused) => return Outcome::Failed(refused),
        };
        self.in_flight.borrow_mut().insert(place, future.clone());
        let settled = future.await;
        self.in_flight.borrow_mut().remove(&place);
        if let Ok((_, untold)) = settled.result() {
            self.shared.add_hashed(*untold);
        }
        outcome(&settled)
    }

    /// Has somebody hash a file.
    fn begin(&self, path: PathBuf) -> Result<LoopFuture<Hashed, String>, String> {
        #[cfg(feature = "process")]
        if let Some(processes) = &self.processes {
            use std::os::unix::ffi::OsStringExt;

            let job = processes.submit(&hash::HASH, &path.into_os_string().into_vec());
            let job = job.map_err(|refused| refused.to_string())?;
            return Ok(bridge::adopt_future(job, &self.here));
        }
        let shared = Arc::clone(&self.shared);
        let work = move || {
            let sum = hash::hash(&path, &shared).map_err(|error| error.to_string())?;
            Ok((sum, 0))
        };
        let future = bridge::run_in_executor_result(&self.here, &self.pool, work);
        future.map_err(|closed| closed.to_string())
    }

    /// Cancels what waits. What is being read comes to its end, because a job that runs refuses to
    /// be cancelled; the search ends early, because it looks at the flag.
    fn stop(&self, why: &str) {
        self.shared.stop();
        for future in self.in_flight.borrow().values() {
            future.cancel();
        }
        let what = "files not yet started are cancelled; files being read are finished";
        self.bar.suspend(|| say(format_args!("{why}; {what}")));
    }

    /// The signal arrives on a thread of its own, which cannot touch the collector. What it can do
    /// is to post to the loop a job that keeps a promise, and on the loop a callback waits for it.
    fn stop_on_interrupt(self: &Rc<Self>) -> Result<(), ctrlc::Error> {
        let (promise, interrupted) = self.here.create_future::<&str, Infallible>();
        let this = Rc::clone(self);
        interrupted.add_done_callback(move |settled| {
            // There is no value if the program ends without an interrupt.
            if let Ok(why) = settled.result() {
                this.stop(why);
            }
        });
        let handle = self.here.handle();
        let mut first = Some(promise);
        ctrlc::set_handler(move || {
            let posted = first.take().is_some_and(|promise| {
                let interrupt = || {
                    // It cannot lose, since nobody cancels its future.
                    let _ = promise.finish("interrupted (once more ends the program at once)");
                };
                handle.call_soon_threadsafe(interrupt).is_ok()
            });
            // The second interrupt, or one for which the loop that would see to it is closed.
            if !posted {
                process::exit(INTERRUPTED);
            }
        })
    }

    /// Draws the progress bar, and comes back when it is time to draw it again.
    fn tick(self: &Rc<Self>) {
        if self.bar.is_hidden() {
            return;
        }
        self.draw();
        let this = Rc::clone(self);
        // Refused only by a loop that is closed, and then there is nothing to draw.
        drop(self.here.call_later(TICK, move || this.tick()));
    }

    fn draw(&self) {
        let found = self.files.borrow().len();
        if found == 0 {
            self.bar.set_message(format!("{} files found", self.shared.found()));
        } else {
            let ended = self.next.get() - self.in_flight.borrow().len();
            self.bar.set_length(found as u64);
            self.bar.set_position(ended as u64);
            self.bar.set_message(HumanBytes(self.shared.hashed_bytes()).to_string());
        }
    }
}

fn outcome(settled: &Settled<Hashed, String>) -> Outcome {
    match settled.result() {
        Ok((sum, _)) => Outcome::Finished(*sum),
        Err(Failure::Cancelled(_)) => Outcome::Cancelled,
        Err(Failure::Error(error)) => Outcome::Failed(error.clone()),
        Err(bug) => Outcome::Failed(bug.to_string()),
    }
}
