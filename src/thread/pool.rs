//! [`ThreadPool`]: the reference executor.

use std::{
    convert::Infallible,
    fmt,
    io::{self, Write as _},
    mem,
    num::NonZero,
    sync::Arc,
};

use crate::{
    blocking, context,
    error::{Closed, Refused, WaitError, WouldDeadlock},
    interrupt::{self, before_sleep},
    sync::{Condvar, Mutex, is_over, lock, thread, wait_until},
    thread::{
        Executor,
        workers::{Initializer, Shared, State},
    },
    trace,
    waiter::{Job, isolate},
};

/// A fixed number of worker threads and one queue, first in, first out. Python's
/// `ThreadPoolExecutor`.
///
/// Workers are started when there is work for them, up to the maximum, and are named
/// `<name>-<number>`, or as [`PoolBuilder::thread_names`] says. No job, callback or drop of a job
/// ever runs under a lock of the pool. `[pool-5]`
///
/// Dropping the pool closes it, and waits until the queued jobs have run and the workers have ended. `[pool-6]` It does
/// not wait where that might never end, and the workers then end later, by themselves:
///
/// * on a worker of the pool itself;
/// * on a thread that runs an event loop;
/// * inside many callbacks that wait inside each other;
/// * on a worker of another pool for which a job of this one waits. A line on the standard error says so. `[pool-11]`
///
/// No [`Interrupt`](crate::Interrupt) ends the wait of a drop. To let a pool go without waiting, call
/// [`detach`](Self::detach).
#[doc(alias = "ThreadPoolExecutor")]
pub struct ThreadPool {
    shared: Arc<Shared>,
}

/// Names a worker by its number.
type ThreadNames = Box<dyn Fn(usize) -> String>;

impl ThreadPool {
    /// Makes a pool of at most `workers` threads. It starts none yet. `[pool-5]`
    #[must_use]
    #[doc(alias = "max_workers")]
    pub fn new(workers: NonZero<usize>) -> Self {
        Self::named("settled", workers)
    }

    /// Makes a pool of at most `workers` threads, which are named `<name>-0`, `<name>-1`, …. It starts none
    /// yet. `[pool-5]`
    ///
    /// # Panics
    ///
    /// If `name` contains a null byte, which no thread's name may.
    ///
    /// ```
    /// use settled::ThreadPool;
    ///
    /// let pool = ThreadPool::named("indexer", std::num::NonZero::new(2).unwrap());
    /// assert!(pool.max_workers() == 2 && !pool.is_broken());
    /// ```
    #[must_use]
    pub fn named(name: impl Into<String>, workers: NonZero<usize>) -> Self {
        Self::builder().name(name).workers(workers).build()
    }

    /// Begins a pool with more to choose: a [`PoolBuilder`]. `[pool-5]` `[pool-10]`
    pub fn builder() -> PoolBuilder {
        PoolBuilder {
            name: "settled".to_owned(),
            thread_names: None,
            workers: None,
            initializer: None,
        }
    }

    /// Returns how many workers the pool has at this moment: those that were started and have not ended. It starts them
    /// as work comes, up to [`max_workers`](Self::max_workers). Never blocks for long. `[pool-14]` Python has this
    /// number as `len(executor._threads)` only.
    ///
    /// ```
    /// use std::num::NonZero;
    /// use settled::{Executor, ThreadPool};
    ///
    /// let pool = ThreadPool::new(NonZero::new(4).unwrap());
    /// assert_eq!((pool.workers(), pool.max_workers()), (0, 4));
    /// pool.submit(|| ()).unwrap().wait().unwrap();
    /// assert_eq!(pool.workers(), 1);
    /// ```
    #[must_use]
    #[doc(alias("num_threads", "current_num_threads"))]
    pub fn workers(&self) -> usize {
        lock(&self.shared.state).live
    }

    /// Returns how many workers the pool has at the most. `[pool-14]` Python's `_max_workers`.
    #[must_use]
    #[doc(alias = "_max_workers")]
    pub fn max_workers(&self) -> usize {
        self.shared.max
    }

    /// Returns whether the initializer of a worker has failed: the pool takes no more work, and has dropped
    /// what was queued. Never blocks for long. `[pool-10]`
    #[must_use]
    #[doc(alias("BrokenThreadPool", "BrokenExecutor"))]
    pub fn is_broken(&self) -> bool {
        self.broken_reason().is_some()
    }

    /// Returns why the pool [is broken](Self::is_broken): the text of the error with which the first initializer
    /// failed, or the message of its panic. `None` if it is not broken. Never blocks for long. `[pool-10]` Python tells
    /// it by a log only.
    ///
    /// ```
    /// use settled::{Cancelled, Executor, ThreadPool};
    ///
    /// let pool = ThreadPool::builder().try_initializer(|| Err("no licence")).build();
    /// let job = pool.submit(|| 1).unwrap();
    /// assert_eq!(job.exception().unwrap().unwrap().cause(), Some(Cancelled::Broken));
    /// assert_eq!(pool.broken_reason().as_deref(), Some("no licence"));
    /// ```
    #[must_use]
    pub fn broken_reason(&self) -> Option<Arc<str>> {
        lock(&self.shared.state).broken.clone()
    }

    /// Lets the pool go without waiting for it: what is queued still runs, and each worker ends when nothing is left.
    /// Never blocks for long, and may be called on any thread, also on a worker of the pool, on a thread that runs an
    /// event loop, or with a lock held that the workers need. `[pool-14]` What has not run when the process ends never
    /// runs. Python's `shutdown(wait=False)`, after which the end of the interpreter waits all the same.
    ///
    /// ```
    /// use settled::{Executor, ThreadPool};
    ///
    /// let pool = ThreadPool::default();
    /// let job = pool.submit(|| 6 * 7).unwrap();
    /// pool.detach();
    /// assert_eq!(job.result().unwrap(), &42);
    /// ```
    #[doc(alias = "shutdown_background")]
    pub fn detach(self) {
        lock(&self.shared.state).detached = true;
    }

    /// Refuses new jobs from now on: they are handed back as [`Closed`]. What is queued still runs, and each worker
    /// ends when nothing is left. Never blocks for long, and may be called again, from any thread. `[pool-6]` Python's
    /// `shutdown(wait=False)`.
    ///
    /// ```
    /// use settled::{Executor, ThreadPool};
    ///
    /// let pool = ThreadPool::default();
    /// let job = pool.submit(|| 6 * 7).unwrap();
    /// pool.close();
    /// assert!(pool.submit(|| 1).is_err());
    /// assert_eq!(job.result().unwrap(), &42);
    /// ```
    #[doc(alias = "shutdown_now")]
    pub fn close(&self) {
        lock(&self.shared.state).open = false;
        self.shared.work.notify_all();
    }

    /// Drops what is queued, in this thread, in order and one after the other, which settles its futures as
    /// [`Cancelled(Dropped)`](crate::Cancelled::Dropped) and runs their callbacks. What a worker has begun goes on, also
    /// what it begins while callbacks run here: a callback may wait for a job that is queued behind its own. A pool that is
    /// open stays open, and keeps what is submitted after the call; call [`close`](Self::close) first to have no job after
    /// this. `[pool-6]`
    ///
    /// A job is queued until a worker has begun it, so that a call right after `submit` may drop every job, also the
    /// first; in Python `submit` returns when its thread has started. Python's `shutdown(cancel_futures=True)` is
    /// `close`, `cancel_pending`, and `shutdown` where it waits.
    ///
    /// ```
    /// use settled::{Cancelled, Executor, ThreadPool};
    ///
    /// let pool = ThreadPool::new(std::num::NonZero::<usize>::MIN);
    /// let (go, goes) = std::sync::mpsc::channel::<()>();
    /// let running = pool.submit(move || goes.recv()).unwrap();
    /// while !running.running() {
    ///     std::thread::yield_now();
    /// }
    /// let queued = pool.submit(|| 1).unwrap();
    /// pool.cancel_pending();
    /// assert_eq!(queued.exception().unwrap().unwrap().cause(), Some(Cancelled::Dropped));
    /// go.send(()).unwrap();
    /// assert!(running.join().unwrap().is_ok());
    /// ```
    #[doc(alias("cancel_futures", "clear"))]
    pub fn cancel_pending(&self) {
        let end = lock(&self.shared.state).queue.end();
        // One is dropped before the next is taken: a callback may wait for one that is still queued.
        let next = || lock(&self.shared.state).queue.pop_before(end);
        while let Some(job) = next() {
            isolate(|| drop(job));
        }
    }

    /// [Closes](Self::close) the pool, and waits until every job has ended and the workers with them. May be called
    /// again, and from any thread; of several calls at once one waits for the ends of the threads too, and the others do
    /// not. `[pool-6]` Python's `shutdown(wait=True)`.
    ///
    /// ```
    /// use settled::{Executor, ThreadPool};
    ///
    /// let pool = ThreadPool::default();
    /// let job = pool.submit(|| 6 * 7).unwrap();
    /// pool.shutdown().unwrap();
    /// assert!(job.done());
    /// ```
    ///
    /// # Errors
    ///
    /// [`WaitError::WouldDeadlock`] instead of waiting, if there is something to wait for and this thread is a
    /// worker of this pool, or runs an event loop, or is a worker of another pool whose wait would close
    /// a circle (a job here waits for what that worker does), or is in many callbacks that wait inside each
    /// other. [`WaitError::Interrupted`] if an [`Interrupt`](crate::Interrupt) that this thread has entered ends the
    /// wait. The pool is closed all the same. `[deadlock-3]` `[pool-11]` `[callback-8]` `[wait-9]`
    #[doc(alias = "join")]
    pub fn shutdown(&self) -> Result<(), WaitError> {
        self.close();
        self.wait_for_the_end()
    }

    fn wait_for_the_end(&self) -> Result<(), WaitError> {
        self.wait_for_the_last_worker()?;
        // Every job has ended. What is left of the threads is the drop of their thread-locals, which
        // a loop's thread does not wait for.
        if context::in_loop() {
            return Ok(());
        }
        let threads = mem::take(&mut lock(&self.shared.state).threads);
        for worker in threads {
            // A worker never panics: what it runs is isolated. It may come here itself while its
            // thread-locals are dropped, and is not to wait for itself.
            if worker.thread().id() != thread::current().id() {
                let _ = worker.join();
            }
        }
        Ok(())
    }

    fn wait_for_the_last_worker(&self) -> Result<(), WaitError> {
        let Shared { id, state: mutex, ended, .. } = &*self.shared;
        if lock(mutex).live == 0 {
            return Ok(());
        }
        // Dropped after the lock is.
        let _registered = blocking::before_parking_for_the_end(*id)?;
        loop {
            let sleep = before_sleep(&self.shared, None);
            let mut state = lock(mutex);
            while state.live > 0 && !is_over(sleep.until) {
                state = wait_until(ended, mutex, state, sleep.until);
            }
            if state.live == 0 {
                return Ok(());
            }
            if is_over(None) {
                return Err(WaitError::ended(None));
            }
        }
    }
}

/// As many workers as the machine runs threads at once.
impl Default for ThreadPool {
    fn default() -> Self {
        Self::builder().build()
    }
}

/// Makes a [`ThreadPool`]: made by [`ThreadPool::builder`]. `[pool-5]` `[pool-10]`
///
/// ```
/// use settled::{Executor, ThreadPool};
///
/// let two = std::num::NonZero::new(2).unwrap();
/// let pool = ThreadPool::builder()
///     .name("indexer")
///     .workers(two)
///     .try_initializer(|| std::env::current_dir().map(|_| println!("a worker begins")))
///     .build();
/// pool.submit(|| println!("in {:?}", std::thread::current().name())).unwrap();
///
/// let pool = ThreadPool::builder().initializer(|| println!("a worker begins")).build();
/// assert_eq!(pool.submit(|| 7).unwrap().join().unwrap(), 7);
/// ```
#[must_use = "it makes no pool before `build`"]
#[doc(alias = "ThreadPoolBuilder")]
pub struct PoolBuilder {
    name: String,
    thread_names: Option<ThreadNames>,
    workers: Option<NonZero<usize>>,
    initializer: Option<Initializer>,
}

impl PoolBuilder {
    /// Sets how many workers there are at the most. Without it, as many as the machine runs threads at once. `[pool-5]`
    pub fn workers(mut self, workers: NonZero<usize>) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Names the pool, and its workers `<name>-0`, `<name>-1`, …. `[pool-5]`
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Names each worker as `names` says of its number, instead of after the pool. Numbers count from zero in the order
    /// in which workers are started. [`build`](Self::build) calls it, in its own thread, once for each number below the
    /// maximum. `[pool-14]`
    ///
    /// ```
    /// use std::thread;
    /// use settled::{Executor, ThreadPool};
    ///
    /// let pool = ThreadPool::builder().thread_names(|number| format!("indexer/{number}")).build();
    /// let name = pool.submit(|| thread::current().name().map(str::to_owned)).unwrap();
    /// assert_eq!(name.result().unwrap().as_deref(), Some("indexer/0"));
    /// ```
    #[doc(alias("thread_name", "thread_name_prefix"))]
    pub fn thread_names(mut self, names: impl Fn(usize) -> String + 'static) -> Self {
        self.thread_names = Some(Box::new(names));
        self
    }

    /// Has each worker call `initializer` once, before its first job. If it panics, the pool is broken: what is queued
    /// is dropped, which settles the future of every job that has not begun as
    /// [`Cancelled(Broken)`](crate::Cancelled::Broken); later jobs are handed back; and what other workers have begun
    /// runs to its end. [`ThreadPool::broken_reason`] has the message. `[pool-10]`
    ///
    /// A worker runs no job inside its initializer. If that waits for a job of its own pool, another worker has to run
    /// the job; if none can, the wait answers [`WouldDeadlock`].
    pub fn initializer(self, initializer: impl Fn() + Send + Sync + 'static) -> Self {
        self.try_initializer(move || {
            initializer();
            Ok::<_, Infallible>(())
        })
    }

    /// As [`initializer`](Self::initializer), for one that can fail by value: the pool is then broken as by a panic,
    /// which the panic hook is not told of, and [`ThreadPool::broken_reason`] has the text of the error. `[pool-10]` In
    /// Python an initializer fails by raising, which is logged.
    pub fn try_initializer<E: fmt::Display>(
        mut self,
        initializer: impl Fn() -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.initializer = Some(Box::new(move || initializer().map_err(|error| error.to_string())));
        self
    }

    /// Makes the pool. It starts no worker yet. `[pool-5]`
    ///
    /// # Panics
    ///
    /// If a name contains a null byte, which no thread's name may, or if [`thread_names`](Self::thread_names) panics.
    #[must_use]
    pub fn build(self) -> ThreadPool {
        let Self { name, thread_names, workers, initializer } = self;
        let available = || std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        let max = workers.unwrap_or_else(available).get();
        // All of them now: later they would be asked for under a lock.
        let thread_names: Option<Vec<_>> = thread_names.map(|names| (0..max).map(names).collect());
        for name in thread_names.iter().flatten().chain([&name]) {
            assert!(!name.contains('\0'), "the name of a thread contains no null byte: {name:?}");
        }
        let state = State { open: true, ..State::default() };
        let shared = Shared {
            id: context::next_id(),
            name,
            thread_names,
            max,
            initializer,
            state: Mutex::new(state),
            work: Condvar::new(),
            ended: Condvar::new(),
        };
        trace::pool_begins(&shared.name, max);
        ThreadPool { shared: Arc::new(shared) }
    }
}

impl fmt::Debug for PoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, workers, .. } = self;
        f.debug_struct("PoolBuilder")
            .field("name", name)
            .field("workers", workers)
            .finish_non_exhaustive()
    }
}

impl Executor for ThreadPool {
    /// Queues the job, and starts a worker if none is free for it. `[pool-1]` `[pool-5]` If the machine has no
    /// thread for a further worker, the next job tries again, and so does a wait that nobody else could end.
    /// `[pool-12]`
    ///
    /// # Errors
    ///
    /// [`Closed`] after `close`, if the pool [is broken](ThreadPool::is_broken), or if the machine has no thread for the
    /// first worker. Its message says which.
    fn execute(&self, job: Job) -> Result<(), Closed<Job>> {
        let mut state = lock(&self.shared.state);
        if !state.open {
            let refused = state.broken.as_ref().map_or(Refused::Closed, |_| Refused::Broken);
            return Err(Closed::since(refused, job));
        }
        let wanted = state.queue.len() >= state.idle && state.live < self.shared.max;
        // Before the job is queued, so that a job that was refused never runs (`bug-f7`).
        if wanted && self.shared.start_worker(&mut state).is_err() && state.live == 0 {
            return Err(Closed::since(Refused::NoThread, job));
        }
        state.queue.push(job);
        self.shared.wake_one(state);
        Ok(())
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        let mut waits = !lock(&self.shared.state).detached;
        self.close();
        let mut ended = Ok(());
        // A callback that runs inside the wait may enter an interrupt, and keep it: from then on it is shielded too.
        while mem::take(&mut waits) {
            let _shield = interrupt::shield();
            ended = self.wait_for_the_end();
            waits = ended == Err(WaitError::Interrupted);
        }
        // Where waiting might never end, the workers end by themselves when the queue is empty.
        if ended == Err(WouldDeadlock::Circle.into()) {
            let name = &self.shared.name;
            // A drop answers nothing, and is not to panic where there is no standard error.
            let _ = writeln!(
                io::stderr(),
                "settled: the pool {name} was dropped by a job for which one of its own jobs waits; the drop did not \
                 wait, and its workers end later; drop it elsewhere, or after what its jobs wait for"
            );
        }
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Read under the lock and printed without it: what is printed to is the user's.
        let seen = self.shared.state.try_lock().ok();
        let seen = seen.map(|state| (state.open, state.live, state.idle, state.queue.len()));
        let mut debug = f.debug_struct("ThreadPool");
        debug.field("name", &self.shared.name).field("max", &self.shared.max);
        match seen {
            Some((open, live, idle, queued)) => debug
                .field("open", &open)
                .field("live", &live)
                .field("idle", &idle)
                .field("queued", &queued)
                .finish(),
            None => debug.field("state", &format_args!("<locked>")).finish(),
        }
    }
}
