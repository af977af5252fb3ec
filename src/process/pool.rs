//! [`ProcessPool`]: the executor over processes.

use std::{fmt, io, mem, num::NonZero, sync::Arc};

use super::{
    builder::ProcessPoolBuilder,
    format::{Format, Unwritten},
    frame::{self, Call, Kind},
    function::{Function, Read},
    job::{Queued, Typed, guarded},
    map::ProcessMap,
    shared::{Message, Shared},
};
use crate::{
    blocking,
    error::{WaitError, WouldDeadlock},
    interrupt::{self, before_sleep},
    lost::{Unsent, UnsentKind},
    sync::{is_over, lock, thread, wait_until},
    thread::ThreadFuture,
};

/// Worker processes, at most a fixed number, and one queue, first in, first out. Python's `ProcessPoolExecutor`.
///
/// Workers are started when there is work for them, up to the maximum, and each gets one job at a time. One thread of
/// the pool waits for all of them, settles their jobs, and runs the callbacks of these futures. It is marked as the
/// thread of an event loop, so that a callback which would block there is answered
/// [`WouldDeadlock`] instead of stopping all workers. `[process-1]`
///
/// A job cannot submit to its own pool, since that is in another process. A pool that a job makes is a pool of its own,
/// whose workers end with the job's worker. Whoever waits in this process waits as for any [`ThreadFuture`].
///
/// Dropping the pool shuts it down in order: what is queued still runs, and the drop waits for it and for the end of
/// each worker, except on a thread that may not block. `[process-9]`
#[doc(alias = "ProcessPoolExecutor")]
pub struct ProcessPool {
    pub(super) shared: Arc<Shared>,
    pub(super) thread: Option<thread::JoinHandle<()>>,
    pub(super) format: Format,
    pub(super) limit: u32,
    pub(super) max: usize,
}

impl ProcessPool {
    /// Makes a pool of at most `workers` processes of this program. It starts none yet.
    ///
    /// # Errors
    ///
    /// If the system has no thread or channel for the pool, or if nobody has called [`worker`](super::worker), with which
    /// the `main` of this program is to begin: what it starts would be no worker. `[process-2]`
    pub fn new(workers: NonZero<usize>) -> io::Result<Self> {
        Self::builder().workers(workers).build()
    }

    /// Makes a pool with more to choose.
    pub fn builder() -> ProcessPoolBuilder {
        ProcessPoolBuilder::new()
    }

    /// Runs `function` with `arguments` in a worker. `[process-1]` `[process-2]`
    ///
    /// The arguments are written here and now, and stay the caller's. What the function returns is the future's
    /// outcome; a panic in it is one too, with its message and place as the text of the payload. If the worker dies,
    /// the future fails as [`Failure::Died`](crate::Failure::Died), and as [`Failure::Unsent`](crate::Failure::Unsent)
    /// if something could not travel.
    ///
    /// # Errors
    ///
    /// [`SubmitError`], and the function never runs.
    #[doc(alias = "apply_async")]
    pub fn submit<A, T, E>(
        &self,
        function: &Function<A, T, E>,
        arguments: &A,
    ) -> Result<ThreadFuture<T, E>, SubmitError>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let write = |bytes: &mut Vec<u8>, end| (function.write)(self.format, arguments, bytes, end);
        self.queue(function, false, write, function.value)
    }

    /// Runs `function` with each of `items`, in jobs of `chunk` items, and yields what it returns, in the order of the
    /// items. All of them are submitted now. It ends with the first chunk of which an item has no value, those before it
    /// in that chunk included; that, and dropping it, cancels what has not begun. A chunk that runs is one job, and not to
    /// be [killed](Self::kill) from here. Python's `map(chunksize=)`. `[process-2]`
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit); what was submitted of it by then is cancelled, unless it has begun.
    pub fn map<A, T, E>(
        &self,
        function: &Function<A, T, E>,
        items: impl IntoIterator<Item = A>,
        chunk: NonZero<usize>,
    ) -> Result<ProcessMap<T, E>, SubmitError>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let (mut items, mut map) = (items.into_iter(), ProcessMap::default());
        loop {
            let chunk: Vec<_> = items.by_ref().take(chunk.get()).collect();
            if chunk.is_empty() {
                return Ok(map);
            }
            let write =
                |bytes: &mut Vec<u8>, end| (function.write_each)(self.format, &chunk, bytes, end);
            map.push(self.queue(function, true, write, function.values)?, chunk.len());
        }
    }

    fn queue<A, T, E, R>(
        &self,
        function: &Function<A, T, E>,
        each: bool,
        write: impl FnOnce(&mut Vec<u8>, usize) -> Result<(), Unwritten>,
        value: Read<R>,
    ) -> Result<ThreadFuture<R, E>, SubmitError>
    where
        R: Send + 'static,
        E: Send + 'static,
    {
        let name = function.name();
        let mut message = frame::begin(Kind::Job, self.format.tag(), 0);
        let unsent = |kind, why: String| SubmitError::Unsent(Unsent::new(kind, why));
        let too_large = || {
            let why = format!("the call of {name:?} has more than {} bytes", self.limit);
            unsent(UnsentKind::TooLarge, why)
        };
        Call { signature: function.signature(), each, name }
            .write(&mut message)
            .map_err(|it| unsent(UnsentKind::TooLarge, format!("a name of {it} bytes")))?;
        guarded(|| write(&mut message, frame::room(self.limit))).map_err(|it| match it {
            Unwritten::TooLarge => too_large(),
            Unwritten::Why(why) => unsent(UnsentKind::Arguments, format!("{name:?}: {why}")),
        })?;
        frame::end(&mut message, self.limit).map_err(|_| too_large())?;
        let (promise, future) = ThreadFuture::pair();
        let mut state = lock(&self.shared.state);
        if let Some(why) = &state.broken {
            return Err(SubmitError::Broken(Arc::clone(why)));
        }
        if state.closed {
            return Err(SubmitError::Closed);
        }
        state.last += 1;
        let token = state.last;
        frame::number(&mut message, token);
        let shared = Arc::clone(&self.shared);
        promise.on_cancel_request(move || {
            shared.tell(&mut lock(&shared.state), Message::Cancel(token));
        });
        let promise = Box::new(Typed { promise, value, error: function.error });
        self.shared.tell(&mut state, Message::Submit(token, Queued { name, message, promise }));
        Ok(future)
    }

    /// Kills the worker that runs the job of `future`, by force, if one does; says whether one did. `[process-3]`
    ///
    /// The future then fails as [`Failure::Died`](crate::Failure::Died) with
    /// [`was_asked_for`](crate::Death::was_asked_for), unless the whole answer was in the pipe already. A job that has
    /// not begun is not touched: cancel it.
    #[doc(alias("kill_workers", "terminate_workers"))]
    pub fn kill<T, E>(&self, future: &ThreadFuture<T, E>) -> bool {
        let mut state = lock(&self.shared.state);
        // As long as there is this handle, its address is nobody else's.
        let token = state.running.get(&future.handle().address()).copied();
        if let Some(token) = token {
            self.shared.tell(&mut state, Message::Kill(token));
        }
        token.is_some()
    }

    /// Returns how many workers the pool has at this moment. Never blocks for long.
    #[must_use]
    pub fn workers(&self) -> usize {
        lock(&self.shared.state).workers
    }

    /// Returns how many workers the pool has at the most.
    #[must_use]
    #[doc(alias = "_max_workers")]
    pub fn max_workers(&self) -> usize {
        self.max
    }

    /// Returns whether the pool [is broken](Self::broken_reason). Never blocks for long. `[process-4]`
    #[must_use]
    #[doc(alias("BrokenProcessPool", "BrokenExecutor"))]
    pub fn is_broken(&self) -> bool {
        self.broken_reason().is_some()
    }

    /// Returns why the pool takes no more work, if its initializer has failed, or no worker is left and none could be
    /// started: several in a row have ended before they began a job. What was queued is then
    /// [`Cancelled::Broken`](crate::Cancelled::Broken); what workers had begun goes on. `[process-4]`
    #[must_use]
    pub fn broken_reason(&self) -> Option<Arc<str>> {
        lock(&self.shared.state).broken.clone()
    }

    /// [Closes](Self::close) the pool and lets it go: what is queued still runs, and each worker ends when nothing is left.
    /// Never blocks for long, and may be called on any thread. `[process-9]` When this process ends, its workers are ended
    /// in the middle of what they do. `[process-8]` Python's `shutdown(wait=False)`, after which the end of the interpreter
    /// waits all the same.
    #[doc(alias = "shutdown_background")]
    pub fn detach(mut self) {
        self.close();
        self.thread = None;
    }

    /// Refuses new jobs from now on. What is queued still runs, and each worker ends when nothing is left. Never blocks
    /// for long. `[process-9]`
    pub fn close(&self) {
        let mut state = lock(&self.shared.state);
        state.closed = true;
        self.shared.tell(&mut state, Message::Close);
    }

    /// Drops what is queued, in the pool's thread, which settles its futures as
    /// [`Cancelled(Dropped)`](crate::Cancelled::Dropped). What workers have begun goes on. A pool that is open stays
    /// open. `[process-9]`
    #[doc(alias = "cancel_futures")]
    pub fn cancel_pending(&self) {
        self.shared.tell(&mut lock(&self.shared.state), Message::DropQueued);
    }

    /// Ends everything by force: closes the pool, drops what is queued, and kills every worker, whose jobs then fail as
    /// [`Failure::Died`](crate::Failure::Died). Never blocks for long. `[process-9]`
    #[doc(alias = "kill_workers")]
    pub fn terminate(&self) {
        let mut state = lock(&self.shared.state);
        state.closed = true;
        for message in [Message::Close, Message::DropQueued, Message::Terminate] {
            self.shared.tell(&mut state, message);
        }
    }

    /// [Closes](Self::close) the pool, and waits until every job has ended, every callback of theirs has returned, and
    /// every worker's process has ended. May be called again, and from any thread. `[process-9]`
    ///
    /// # Errors
    ///
    /// [`WaitError::WouldDeadlock`] instead of waiting, if there is something to wait for and this thread runs an event
    /// loop, or is the pool's own, or is in many callbacks that wait inside each other; [`WaitError::Interrupted`] if
    /// an [`Interrupt`](crate::Interrupt) ends the wait. The pool is closed all the same.
    pub fn shutdown(&self) -> Result<(), WaitError> {
        self.close();
        let shared = &self.shared;
        if lock(&shared.state).ended {
            return Ok(());
        }
        let _registered = blocking::before_parking_for_the_end(shared.id)?;
        loop {
            let sleep = before_sleep(shared, None);
            let mut state = lock(&shared.state);
            while !state.ended && !is_over(sleep.until) {
                state = wait_until(&shared.told, &shared.state, state, sleep.until);
            }
            if state.ended {
                return Ok(());
            }
            if is_over(None) {
                return Err(WaitError::ended(None));
            }
        }
    }
}

impl Drop for ProcessPool {
    fn drop(&mut self) {
        let mut waits = self.thread.is_some();
        let mut ended = Ok(());
        // A callback that runs inside the wait may enter an interrupt, and keep it.
        while mem::take(&mut waits) {
            let _shield = interrupt::shield();
            ended = self.shutdown();
            waits = ended == Err(WaitError::Interrupted);
        }
        // Where waiting might never end, the thread goes on, and ends when everything has.
        if ended.is_ok()
            && let Some(thread) = self.thread.take()
            // The listener may have the last handle, which goes with that thread.
            && thread.thread().id() != thread::current().id()
        {
            let _ = thread.join();
        }
        debug_assert!(!matches!(ended, Err(WaitError::WouldDeadlock(WouldDeadlock::Circle))));
    }
}

impl fmt::Debug for ProcessPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessPool")
            .field("max", &self.max)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

/// Why a [`ProcessPool`] takes no job. The function never runs. `[process-5]`
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubmitError {
    /// The pool was closed.
    Closed,
    /// The pool is broken, and this is why.
    Broken(Arc<str>),
    /// The arguments cannot travel.
    Unsent(Unsent),
}

impl fmt::Display for SubmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str(
                "the pool is closed; the function was not run, submit it to another pool",
            ),
            Self::Broken(why) => {
                write!(
                    f,
                    "the pool is broken, and the function was not run; mend the cause and make a new pool: {why}"
                )
            }
            Self::Unsent(unsent) => unsent.fmt(f),
        }
    }
}

impl std::error::Error for SubmitError {}
