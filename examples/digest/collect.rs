//! The event loop's side: hands the files out, collects their sums, and stops when told to.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    convert::Infallible,
    error::Error,
    io::{self, ErrorKind, IsTerminal as _, Write},
    num::NonZero,
    path::PathBuf,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use settled::{EventLoop, Failure, LoopFuture, LoopRef, Settled, ThreadPool, bridge};

use crate::{
    Shared,
    files::{Files, Outcome},
    hash::{self, Sum},
    line::Progress,
    options::Options,
    report::{Report, columns},
    say,
    walk::Walk,
};

/// How often the progress bar is drawn.
const TICK: Duration = Duration::from_millis(100);

/// Small files end faster than lines can be printed one by one.
const PAUSE: Duration = Duration::from_millis(20);

/// How many files are looked for at a time, and how long, before those that were found are hashed.
const BATCH: (usize, Duration) = (1024, Duration::from_millis(10));

/// Finds, hashes and prints what `options` ask for, until all is done or it is told to stop.
pub(crate) fn collect(options: Options) -> Result<Report, Box<dyn Error>> {
    let event_loop = EventLoop::new();
    let collector = Rc::new(Collector::new(&event_loop, &options)?);
    collector.stop_on_interrupt()?;
    collector.stop_without_reader();
    if let Some(deadline) = options.deadline {
        let this = Rc::clone(&collector);
        event_loop.call_later(deadline, move || this.stop("the deadline has passed"))?;
    }
    collector.tick();
    let run = Rc::clone(&collector).run(Walk::new(options.named, options.unreadable));
    let walk = event_loop.run_until_complete(run)??;
    collector.bar.finish_and_clear();
    // From here on nothing is left to cancel, and an interrupt ends the program at once.
    event_loop.close();
    for pool in [&collector.pool, &collector.finder, &collector.printer] {
        pool.close();
        pool.cancel_pending();
        pool.shutdown()?;
    }
    let report = Report { files: collector.files.take(), walk, is_left: collector.is_left() };
    match collector.print_error.take() {
        Some(error) if !report.is_left => {
            report.print();
            Err(error.into())
        }
        _ => Ok(report),
    }
}

/// What the loop's tasks and callbacks share. It stays on the loop's thread and needs no lock.
pub(crate) struct Collector {
    pub(crate) here: LoopRef,
    pool: ThreadPool,
    /// The search must not wait for a large file, nor the loop for a slow reader.
    finder: ThreadPool,
    printer: ThreadPool,
    /// The number of lanes, which bounds the number of files in flight.
    lanes: usize,
    shared: Arc<Shared>,
    bar: ProgressBar,
    start: Instant,
    is_complete: Cell<bool>,
    files: RefCell<Files>,
    /// What the pool has been given and has not answered, by the file's place.
    in_flight: RefCell<BTreeMap<usize, LoopFuture<Hashed, String>>>,
    /// The lines that are being printed, when that was last done, and why it failed.
    printing: RefCell<Option<LoopFuture<(), io::Error>>>,
    printed: Cell<Option<Instant>>,
    print_error: RefCell<Option<io::Error>>,
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
            finder: ThreadPool::named("find", NonZero::<usize>::MIN),
            printer: ThreadPool::named("print", NonZero::<usize>::MIN),
            // For each worker a file to read and more in store: no worker waits for the loop, and a
            // million files take no more memory in flight than a hundred.
            lanes: options.processes.unwrap_or(options.jobs).get().saturating_mul(32),
            shared: Arc::default(),
            // Drawn on standard error, and only if that is a terminal.
            bar: ProgressBar::new(0).with_style(ProgressStyle::with_template("{wide_msg}")?),
            start: Instant::now(),
            is_complete: Cell::new(false),
            files: RefCell::default(),
            in_flight: RefCell::default(),
            printing: RefCell::default(),
            printed: Cell::new(None),
            print_error: RefCell::default(),
            #[cfg(feature = "process")]
            processes: options.processes.map(settled::process::ProcessPool::new).transpose()?,
        })
    }

    /// The main task.
    async fn run(self: Rc<Self>, mut walk: Walk) -> Result<Walk, Box<dyn Error>> {
        let mut lanes: Vec<LoopFuture<(), Infallible>> = Vec::new();
        while !walk.is_complete() && !self.shared.is_stopped() {
            walk = self.find(walk).await?;
            lanes.retain(|lane| !lane.done());
            let idle = self.lanes.saturating_sub(lanes.len());
            for _ in 0..idle.min(self.files.borrow().untaken()) {
                lanes.push(self.here.create_task(Rc::clone(&self).work())?);
            }
        }
        self.is_complete.set(true);
        for lane in lanes {
            lane.await.result().map_err(ToString::to_string)?;
        }
        self.files.borrow_mut().cancel_rest();
        self.print();
        while let Some(printing) = self.last_print() {
            printing.await;
            self.print();
        }
        Ok(walk)
    }

    /// Searches for a moment. It may take long, and the loop must stay awake.
    async fn find(&self, mut walk: Walk) -> Result<Walk, Box<dyn Error>> {
        let shared = Arc::clone(&self.shared);
        let search = move || {
            let files = walk.next(BATCH.0, BATCH.1, || shared.is_stopped());
            (walk, files)
        };
        let settled = bridge::run_in_executor(&self.here, &self.finder, search)?.await;
        // Nobody else has a handle of this future, so that its value can be moved out.
        let outcome = settled.take().map_err(|shared| format!("{shared:?} is not the only one"))?;
        let (walk, files) = outcome?;
        self.files.borrow_mut().add(files);
        Ok(walk)
    }

    /// One lane: takes the next file when its last one has ended, until none is left.
    async fn work(self: Rc<Self>) {
        while let Some((place, path)) = self.next_file() {
            let outcome = self.hash(place, path).await;
            self.files.borrow_mut().end(place, outcome);
            if self.printed.get().is_none_or(|printed| printed.elapsed() >= PAUSE) {
                self.print();
            }
        }
    }

    fn next_file(&self) -> Option<(usize, PathBuf)> {
        if self.shared.is_stopped() {
            return None;
        }
        self.files.borrow_mut().take_next()
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
        self.outcome(&settled)
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

    fn outcome(&self, settled: &Settled<Hashed, String>) -> Outcome {
        match settled.result() {
            Ok((sum, _)) => Outcome::Finished(*sum),
            Err(_) if self.shared.is_abandoned() => Outcome::Cancelled,
            Err(Failure::Cancelled(_)) => Outcome::Cancelled,
            Err(Failure::Error(error)) => Outcome::Failed(error.clone()),
            Err(bug) => Outcome::Failed(bug.to_string()),
        }
    }

    /// Prints the lines that can be printed, unless that is being done already: then it is looked for
    /// more when it has been, here or at the next tick.
    fn print(self: &Rc<Self>) {
        if self.printing.borrow().is_some() {
            return;
        }
        let lines = self.files.borrow_mut().take_lines();
        if lines.is_empty() || self.print_error.borrow().is_some() {
            return;
        }
        let bar = self.bar.clone();
        let write = move || {
            let mut out = io::stdout().lock();
            let is_shown = out.is_terminal();
            let mut write = || out.write_all(&lines).and_then(|()| out.flush());
            // On one terminal the bar goes out of the way.
            if is_shown { bar.suspend(write) } else { write() }
        };
        match bridge::run_in_executor_result(&self.here, &self.printer, write) {
            Ok(printing) => {
                let this = Rc::clone(self);
                printing.add_done_callback(move |settled| {
                    this.printing.take();
                    this.printed.set(Some(Instant::now()));
                    if let Err(Failure::Error(error)) = settled.result() {
                        this.abandon(io::Error::new(error.kind(), error.to_string()));
                    }
                });
                *self.printing.borrow_mut() = Some(printing);
            }
            Err(closed) => self.abandon(io::Error::other(closed.to_string())),
        }
    }

    fn last_print(&self) -> Option<LoopFuture<(), io::Error>> {
        self.printing.borrow().clone()
    }

    /// Cancels what waits. What is being read comes to its end, because a job that runs refuses to
    /// be cancelled; the search ends early, because it looks at the flag.
    pub(crate) fn stop(&self, why: &str) {
        self.cancel();
        let what = "files not yet started are cancelled; files being read are finished";
        self.bar.suspend(|| say(format_args!("{why}; {what}")));
    }

    fn cancel(&self) {
        self.shared.stop();
        for future in self.in_flight.borrow().values() {
            future.cancel();
        }
    }

    /// Ends everything, because nothing can be printed.
    pub(crate) fn abandon(&self, why: io::Error) {
        self.shared.abandon();
        self.cancel();
        #[cfg(feature = "process")]
        if let Some(processes) = &self.processes {
            processes.terminate();
        }
        self.print_error.borrow_mut().get_or_insert(why);
    }

    /// Whether the reader of the lines has gone away.
    fn is_left(&self) -> bool {
        let error = self.print_error.borrow();
        error.as_ref().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    }

    /// Draws the progress bar and prints, and comes back when it is time to do so again.
    fn tick(self: &Rc<Self>) {
        self.draw();
        self.print();
        let this = Rc::clone(self);
        // Refused only by a loop that is closed, and then there is nothing to draw.
        drop(self.here.call_later(TICK, move || this.tick()));
    }

    fn draw(&self) {
        if self.bar.is_hidden() {
            return;
        }
        let files = self.files.borrow();
        let (opened, opened_bytes) = self.shared.opened();
        let progress = Progress {
            found: files.found() as u64,
            is_complete: self.is_complete.get(),
            ended: files.ended as u64,
            hashed_bytes: self.shared.hashed_bytes(),
            opened,
            opened_bytes,
            elapsed: self.start.elapsed(),
        };
        // The last column is left free: many terminals go to the next line with it.
        self.bar.set_message(progress.line(columns() - 1));
    }
}
