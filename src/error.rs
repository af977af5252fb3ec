//! The types of every answer that is not a value.
//!
//! The error of a method has only the cases that the method can meet. Each message says what happened, what it means
//! and what to do.

use std::{
    any::Any,
    convert::Infallible,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use thiserror::Error;

use crate::{
    deferred::TooDeep,
    interrupt,
    lost::{Death, Unsent},
    sync::is_past,
};

/// Why a settled future holds no value. `[settled-2]`
///
/// It is an [`Error`](std::error::Error) where `E` is one, and then has the work's own error as its
/// [`source`](std::error::Error::source), which the text therefore leaves out: whoever prints chains of causes prints
/// it once. The alternate form `{:#}` says both in one line, also where `E` is a text. `[settled-4]`
///
/// Two of them are equal if they are of the same kind and what they hold is equal.
///
/// ```
/// use std::{error::Error, io};
/// use settled::{Executor, ThreadPool};
///
/// let pool = ThreadPool::default();
/// let job = pool.submit_result(|| Err::<(), _>(io::Error::other("disk full"))).unwrap();
/// let failure = job.join_result().unwrap().map_err(settled::Failure::Error).unwrap_err();
/// assert_eq!(failure.to_string(), "the work failed");
/// assert_eq!(format!("{failure:#}"), "the work failed: disk full");
/// assert_eq!(failure.source().unwrap().to_string(), "disk full");
/// ```
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use settled::{Executor, Failure, ThreadPool};
///
/// let pool = ThreadPool::default();
/// let job = pool.submit_result(|| Err::<(), _>(std::io::Error::other("disk full")))?;
/// let Err(failure) = job.wait()?.result() else { unreachable!() };
/// assert!(failure.is_error() && !failure.is_panic() && !failure.is_cancelled() && !failure.is_abandoned());
/// assert_eq!(failure.error().map(ToString::to_string).as_deref(), Some("disk full"));
/// assert_eq!((failure.cause(), failure.reason()), (None, None));
/// assert!(failure.death().is_none() && failure.unsent().is_none()); // that it ran in another process, and was lost
///
/// let failure: Failure<&str> = Failure::Error("disk full");
/// assert_eq!(failure.map_error(str::len).into_error(), Ok(9));
/// assert_eq!(Failure::Error("disk full").into_panic(), Err(Failure::Error("disk full")));
/// assert!(Failure::<&str>::Abandoned.into_cancellation().is_err());
/// # Ok(())
/// # }
/// ```
#[doc(alias("ExecutionException", "RecvError", "Exception"))]
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure<E> {
    /// The work ended with this error.
    Error(E),
    /// The work panicked.
    Panicked(Panic),
    /// The future was cancelled: the work never ran, or its owner stopped it.
    Cancelled(Cancellation),
    /// The running work dropped its promise without an outcome.
    Abandoned,
    /// The process that ran the work has died, and the answer is not whole: the work may have run, wholly or partly.
    /// Nobody runs it again. `[process-3]`
    Died(Death),
    /// What the work was to get, or has given, could not travel from one process to another. `[process-5]`
    Unsent(Unsent),
}

/// `[settled-4]`
impl<E> Failure<E> {
    /// What it is, for those who print it without what is in it.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Error(_) => "Failed",
            Self::Panicked(_) => "Panicked",
            Self::Cancelled(cancellation) => cancellation.cause.kind(),
            Self::Abandoned => "Abandoned",
            Self::Died(_) => "Died",
            Self::Unsent(_) => "Unsent",
        }
    }

    /// Returns whether the work ended with an error of its own.
    #[must_use]
    pub const fn is_error(&self) -> bool {
        matches!(self, Self::Error(_))
    }

    /// Returns whether the work panicked.
    #[must_use]
    pub const fn is_panic(&self) -> bool {
        matches!(self, Self::Panicked(_))
    }

    /// Returns whether the future was cancelled.
    #[must_use]
    #[doc(alias = "cancelled")]
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled(_))
    }

    /// Returns whether the running work dropped its promise without an outcome.
    #[must_use]
    pub const fn is_abandoned(&self) -> bool {
        matches!(self, Self::Abandoned)
    }

    /// Returns what died with the work, if something did. `[process-3]`
    #[must_use]
    pub const fn death(&self) -> Option<&Death> {
        if let Self::Died(death) = self { Some(death) } else { None }
    }

    /// Returns what could not travel, if something could not. `[process-5]`
    #[must_use]
    pub const fn unsent(&self) -> Option<&Unsent> {
        if let Self::Unsent(unsent) = self { Some(unsent) } else { None }
    }

    /// Returns the work's own error, if it ended with one.
    #[must_use]
    pub const fn error(&self) -> Option<&E> {
        if let Self::Error(error) = self { Some(error) } else { None }
    }

    /// Returns why the future was cancelled, if it was.
    #[must_use]
    pub const fn cause(&self) -> Option<Cancelled> {
        if let Self::Cancelled(it) = self { Some(it.cause) } else { None }
    }

    /// Returns the first reason that a canceller gave, if the future was cancelled. `[cancel-7]`
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        if let Self::Cancelled(it) = self { it.reason() } else { None }
    }

    /// Returns the work's own error by value.
    ///
    /// # Errors
    ///
    /// The failure, if it is of another kind: one in which no `E` is left.
    pub fn into_error(self) -> Result<E, Failure<Infallible>> {
        match self {
            Self::Error(error) => Ok(error),
            Self::Panicked(panic) => Err(Failure::Panicked(panic)),
            Self::Cancelled(cancellation) => Err(Failure::Cancelled(cancellation)),
            Self::Abandoned => Err(Failure::Abandoned),
            Self::Died(death) => Err(Failure::Died(death)),
            Self::Unsent(unsent) => Err(Failure::Unsent(unsent)),
        }
    }

    /// Returns the panic by value, for [`Panic::into_payload`] and [`std::panic::resume_unwind`].
    ///
    /// # Errors
    ///
    /// The failure, if it is of another kind.
    pub fn into_panic(self) -> Result<Panic, Self> {
        if let Self::Panicked(panic) = self { Ok(panic) } else { Err(self) }
    }

    /// Returns the cancellation by value.
    ///
    /// # Errors
    ///
    /// The failure, if it is of another kind.
    pub fn into_cancellation(self) -> Result<Cancellation, Self> {
        if let Self::Cancelled(cancellation) = self { Ok(cancellation) } else { Err(self) }
    }

    /// Returns the failure with another error in it, if it is one of the work's own.
    pub fn map_error<F>(self, change: impl FnOnce(E) -> F) -> Failure<F> {
        match self {
            Self::Error(error) => Failure::Error(change(error)),
            Self::Panicked(panic) => Failure::Panicked(panic),
            Self::Cancelled(cancellation) => Failure::Cancelled(cancellation),
            Self::Abandoned => Failure::Abandoned,
            Self::Died(death) => Failure::Died(death),
            Self::Unsent(unsent) => Failure::Unsent(unsent),
        }
    }
}

impl<E> From<Cancelled> for Failure<E> {
    fn from(cause: Cancelled) -> Self {
        Self::Cancelled(cause.into())
    }
}

impl<E> From<Cancellation> for Failure<E> {
    fn from(cancellation: Cancellation) -> Self {
        Self::Cancelled(cancellation)
    }
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) if f.alternate() => write!(f, "the work failed: {error:#}"),
            Self::Error(_) => f.write_str("the work failed"),
            Self::Panicked(panic) => write!(f, "the work panicked: {panic}"),
            Self::Cancelled(cancellation) => cancellation.fmt(f),
            Self::Abandoned => f.write_str(
                "the work ended without an outcome: its promise was dropped while it ran",
            ),
            Self::Died(death) => death.fmt(f),
            Self::Unsent(unsent) => unsent.fmt(f),
        }
    }
}

impl<E: std::error::Error + 'static> std::error::Error for Failure<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error().map(|error| error as _)
    }
}

/// How a future was cancelled: the cause, and the first reason that a canceller gave. `[cancel-6]` `[cancel-7]`
///
/// The reason is a part of it, whether it is read or taken by value, so that it goes up with the error. For the cause
/// alone, compare it with a [`Cancelled`].
///
/// ```
/// use settled::{Cancelled, Failure, ThreadFuture};
///
/// let (_promise, future) = ThreadFuture::<u32, std::io::Error>::pair();
/// let _ = future.cancel_with("user pressed x");
/// let error = future.join().unwrap_err();
/// assert_eq!(error.to_string(), "cancelled on request; the reason given: user pressed x");
/// let Ok(Failure::Cancelled(cancellation)) = error.into_failure() else { panic!("another failure") };
/// assert_eq!(cancellation, Cancelled::Requested);
/// assert_eq!((cancellation.cause(), cancellation.reason()), (Cancelled::Requested, Some("user pressed x")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cancellation {
    cause: Cancelled,
    /// In a box, so that an outcome is no larger for it.
    reason: Option<Reason>,
}

/// What a canceller says.
pub(crate) type Reason = Box<Arc<str>>;

impl Cancellation {
    pub(crate) const fn new(cause: Cancelled, reason: Option<Reason>) -> Self {
        Self { cause, reason }
    }

    /// Returns why the future is Cancelled.
    #[must_use]
    pub const fn cause(&self) -> Cancelled {
        self.cause
    }

    /// Returns the first reason that a canceller gave.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref().map(|reason| &**reason)
    }

    /// The same, to keep.
    pub(crate) fn reason_shared(&self) -> Option<Arc<str>> {
        self.reason.as_deref().map(Arc::clone)
    }
}

impl From<Cancelled> for Cancellation {
    fn from(cause: Cancelled) -> Self {
        Self::new(cause, None)
    }
}

impl PartialEq<Cancelled> for Cancellation {
    fn eq(&self, cause: &Cancelled) -> bool {
        self.cause == *cause
    }
}

impl fmt::Display for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            Some(reason) => write!(f, "{}; the reason given: {reason}", self.cause),
            None => self.cause.fmt(f),
        }
    }
}

impl std::error::Error for Cancellation {}

/// Why a future is Cancelled. `[cancel-6]`
#[doc(alias = "CancelledError")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Cancelled {
    /// Somebody called `cancel`.
    #[error("cancelled on request")]
    Requested,
    /// The pending promise was dropped, for instance with the queue that held its job.
    #[error("cancelled because its promise was dropped before the work began")]
    Dropped,
    /// The pool broke before the work began, since the initializer of a worker failed, or no worker process could be
    /// started: [`ThreadPool::broken_reason`](crate::ThreadPool::broken_reason) says why.
    #[error(
        "cancelled because its pool broke: an initializer failed, or no worker could be started; the pool runs no more \
         jobs, and tells why; mend that, and submit to a new pool"
    )]
    Broken,
    /// The owner stopped the work of its own accord, for instance because its loop was closed.
    #[error("cancelled because its owner stopped the work")]
    Stopped,
}

impl Cancelled {
    /// What it is, for `Debug` of what was cancelled.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Requested => "Cancelled(Requested)",
            Self::Dropped => "Cancelled(Dropped)",
            Self::Broken => "Cancelled(Broken)",
            Self::Stopped => "Cancelled(Stopped)",
        }
    }
}

/// What a cancel did. It may be ignored. `[cancel-1]`
///
/// Python's answers are projections of it: [`thread_answer`](Self::thread_answer) and
/// [`loop_answer`](Self::loop_answer).
///
/// ```
/// use settled::{Cancel, Refusal, ThreadFuture};
///
/// let (promise, future) = ThreadFuture::<u32, ()>::pair();
/// assert_eq!(future.cancel(), Cancel::Now);
/// assert_eq!(future.cancel(), Cancel::Already);
/// assert!(Cancel::Already.thread_answer() && !Cancel::Already.loop_answer());
/// assert!(promise.start().is_err());
///
/// let (promise, future) = ThreadFuture::<u32, ()>::pair();
/// let running = promise.start().unwrap();
/// assert_eq!(future.cancel(), Cancel::Refused(Refusal::Running));
/// running.finish(1);
/// assert_eq!(future.cancel(), Cancel::Refused(Refusal::Finished));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cancel {
    /// This call cancelled the future.
    Now,
    /// The future had been cancelled before.
    Already,
    /// The work belongs to an owner, who has been asked to stop it. It may still end otherwise.
    Requested,
    /// The future cannot be cancelled any more. To a running job the request is still visible, as
    /// [`cancel_requested`](crate::Promise::cancel_requested).
    Refused(Refusal),
}

/// Why a cancel was refused. `[cancel-1]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The work has begun and runs to its end; code in a thread cannot be interrupted.
    Running,
    /// The work has ended.
    Finished,
}

impl Cancel {
    /// Returns what `concurrent.futures.Future.cancel` would answer (difference D31): whether the future is cancelled,
    /// or going to be. `[cancel-1]`
    #[must_use]
    pub const fn thread_answer(self) -> bool {
        matches!(self, Self::Now | Self::Already | Self::Requested)
    }

    /// Returns what `asyncio.Future.cancel` would answer (difference D31): whether this call changed anything.
    /// `[cancel-1]`
    #[must_use]
    pub const fn loop_answer(self) -> bool {
        matches!(self, Self::Now | Self::Requested)
    }
}

/// A captured panic. It is `Sync` although the payload is not, because it lends the message alone and gives the payload
/// away. Two are equal if their messages are, since payloads cannot be compared. `[panic-1]`
///
/// ```
/// use settled::{Executor, ThreadPool};
///
/// let job = ThreadPool::default().submit(|| panic!("out of ink")).unwrap();
/// let failure = job.join_result().map(|never| never.unwrap()).unwrap_err().into_failure().unwrap();
/// let panic = failure.into_panic().unwrap();
/// assert_eq!(panic.message(), "out of ink");
/// assert!(panic.into_payload().is::<&str>()); // for std::panic::resume_unwind
/// assert_eq!(settled::Panic::new(Box::new("out of ink")).message(), "out of ink");
/// ```
#[doc(alias = "resume_unwind")]
pub struct Panic(Box<Captured>);

struct Captured {
    message: Box<str>,
    /// The lock is never taken; it is what makes a payload that is only `Send` shareable.
    payload: Mutex<Box<dyn Any + Send>>,
}

impl Panic {
    /// Wraps what [`std::panic::catch_unwind`] caught. `[panic-1]`
    #[must_use]
    pub fn new(payload: Box<dyn Any + Send>) -> Self {
        let message = match payload.downcast_ref::<&str>() {
            Some(message) => message,
            None => payload.downcast_ref::<String>().map_or("(not a text)", String::as_str),
        };
        Self(Box::new(Captured { message: message.into(), payload: Mutex::new(payload) }))
    }

    /// Returns the panic's message; `(not a text)` if it was raised with something else. `[panic-1]`
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the panic's payload, as [`std::panic::resume_unwind`] takes it. `[panic-1]`
    #[must_use]
    #[doc(alias("resume_unwind", "into_panic"))]
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        self.0.payload.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartialEq for Panic {
    fn eq(&self, other: &Self) -> bool {
        self.message() == other.message()
    }
}

impl Eq for Panic {}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Panic").field(&self.message()).finish()
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Panic {}

/// Why a read gave no value: the future is not settled, or it failed. `[read-1]`
///
/// `W` says why there is no outcome yet: a [`WaitError`] of a method that waits, an [`InvalidState`] of one that does
/// not.
///
/// ```
/// use settled::{Failure, InvalidState, NoValue, ThreadFuture};
///
/// let (promise, future) = ThreadFuture::<u32, &str>::pair();
/// assert_eq!(future.try_result(), Err(NoValue::Unsettled(InvalidState)));
/// promise.fail("no route").unwrap();
/// assert_eq!(future.try_result(), Err(NoValue::Failed(&Failure::Error("no route"))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoValue<W, F> {
    /// There is no outcome yet.
    #[error("{0}")]
    Unsettled(W),
    /// There is an outcome, and it is not a value.
    #[error(transparent)]
    Failed(F),
}

/// The future is not settled, and this method does not wait. `[read-2]`
#[doc(alias = "InvalidStateError")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the future is not settled yet, and this call does not wait; await it, or add a callback")]
pub struct InvalidState;

/// The wait's time was over before the future settled. The future is untouched. `[wait-3]` From
/// [`tasks::timeout`](crate::tasks::timeout) it means that the coroutine was stopped. `[combine-2]`
///
/// It is a type of its own, so that it cannot be taken for a timeout that the work itself reports
/// as its error (difference D6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "the time ran out before what was waited for had ended; a future is unchanged, and can be waited for again; a \
     coroutine that ran under `tasks::timeout` was stopped"
)]
#[doc(alias = "TimeoutError")]
pub struct Expired;

/// A semaphore would have more permits than it may. Nothing was added. `[semaphore-6]`
///
/// ```
/// use settled::{Surplus, primitives::Semaphore};
///
/// assert_eq!(Semaphore::bounded(1).release(1), Err(Surplus));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[error(
    "the semaphore would have more permits than it may, those that are held among them, and was given none; whoever \
     holds a permit gives it back by dropping it"
)]
pub struct Surplus;

/// The barrier is broken: somebody who was to wait has left, or has broken it on purpose. `[barrier-2]`
///
/// ```
/// use settled::{BrokenBarrier, primitives::Barrier};
///
/// let barrier = Barrier::new(2);
/// barrier.abort();
/// assert_eq!(barrier.wait(), Err(BrokenBarrier.into()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[error(
    "the barrier is broken: one of those who waited has left, or somebody has called `abort` or `reset`; nobody goes on \
     together, and `reset` makes the barrier whole again"
)]
#[doc(alias = "BrokenBarrierError")]
pub struct BrokenBarrier;

/// Why a thread did not go on at a [`Barrier`](crate::primitives::Barrier). `[barrier-2]` `[barrier-3]`
///
/// ```
/// use std::time::Duration;
/// use settled::{BarrierError, BrokenBarrier, Expired, WaitError, primitives::Barrier};
///
/// let barrier = Barrier::new(2);
/// let late = barrier.wait_timeout(Duration::ZERO);
/// assert_eq!(late, Err(BarrierError::Wait(WaitError::Expired(Expired))));
/// assert_eq!(barrier.wait(), Err(BarrierError::Broken(BrokenBarrier)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BarrierError {
    /// The barrier is broken, by another.
    #[error(transparent)]
    Broken(#[from] BrokenBarrier),
    /// The wait ended before all were there. Unless it was refused, that has broken the barrier.
    #[error(transparent)]
    Wait(#[from] WaitError),
}

/// The queue is closed: it takes no more values. Whoever gets hears it when there is none for him, and there will be none.
/// `[queue-7]`
///
/// ```
/// use settled::{QueueClosed, primitives::Queue};
///
/// let queue = Queue::<u32>::unbounded();
/// queue.close();
/// assert_eq!(queue.try_get(), Err(QueueClosed));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[error("the queue is closed: no more values are put into it")]
#[doc(alias("ShutDown", "QueueShutDown", "RecvError"))]
pub struct QueueClosed;

/// Why a thread put nothing into a [`Queue`](crate::primitives::Queue), or got nothing. `[queue-5]` `[queue-7]`
///
/// ```
/// use std::time::Duration;
/// use settled::{Expired, QueueClosed, QueueError, WaitError, primitives::Queue};
///
/// let queue = Queue::<u32>::unbounded();
/// let late = queue.get_timeout(Duration::ZERO);
/// assert_eq!(late, Err(QueueError::Wait(WaitError::Expired(Expired))));
/// queue.close();
/// assert_eq!(queue.get(), Err(QueueError::Closed(QueueClosed)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum QueueError {
    /// The queue is closed.
    #[error(transparent)]
    Closed(#[from] QueueClosed),
    /// The wait for room or for a value ended.
    #[error(transparent)]
    Wait(#[from] WaitError),
}

/// Why [`try_put`](crate::primitives::Queue::try_put) put nothing. `[queue-2]` `[queue-7]`
///
/// ```
/// use settled::{TryPutError, primitives::Queue};
///
/// let queue = Queue::bounded(1);
/// queue.try_put(1).unwrap();
/// assert_eq!(queue.try_put(2).unwrap_err().cause, TryPutError::Full);
/// queue.close();
/// assert!(matches!(queue.try_put(2).unwrap_err().cause, TryPutError::Closed(_)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[doc(alias("Full", "QueueFull", "TrySendError"))]
pub enum TryPutError {
    /// There is no room, and nobody waits for a value.
    #[error(
        "the queue is full, and nobody waits for a value: wait for room with `put` or `put_async`"
    )]
    Full,
    /// The queue is closed.
    #[error(transparent)]
    Closed(#[from] QueueClosed),
}

/// A value that was not put into a [`Queue`](crate::primitives::Queue) is handed back. `[queue-3]`
///
/// ```
/// use settled::{NotPut, QueueClosed, primitives::Queue};
///
/// let queue = Queue::unbounded();
/// queue.close();
/// let NotPut { value, cause } = queue.put("it").unwrap_err();
/// assert_eq!((value, cause), ("it", QueueClosed.into()));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Error)]
#[error("the value was not put, and is handed back: {cause}")]
#[doc(alias = "SendError")]
pub struct NotPut<T, C = QueueError> {
    /// What was to be put.
    pub value: T,
    /// Why it was not.
    pub cause: C,
}

impl<T> NotPut<T> {
    pub(crate) fn from_closed(refused: NotPut<T, QueueClosed>) -> Self {
        Self { value: refused.value, cause: refused.cause.into() }
    }
}

impl<T, C: fmt::Debug> fmt::Debug for NotPut<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotPut").field("cause", &self.cause).finish_non_exhaustive()
    }
}

/// All values that were put into a queue are done with already. Nothing was changed. `[queue-8]`
///
/// ```
/// use settled::{NoneUnfinished, primitives::Queue};
///
/// assert_eq!(Queue::<u32>::unbounded().task_done(), Err(NoneUnfinished));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[error(
    "all values that were put into the queue are done with: call `task_done` once for each that was got"
)]
pub struct NoneUnfinished;

/// Why a wait ended without an outcome. `[wait-3]` `[deadlock-1]` Without a timeout or deadline it is never
/// [`Expired`](Self::Expired).
///
/// ```
/// use std::time::Duration;
/// use settled::{Expired, ThreadFuture, WaitError, WouldDeadlock, context};
///
/// let (_promise, future) = ThreadFuture::<u32, ()>::pair();
/// assert_eq!(future.wait_timeout(Duration::ZERO).err(), Some(WaitError::Expired(Expired)));
/// let _loop = context::enter_loop(); // as the thread of an event loop is marked
/// assert_eq!(future.wait().err(), Some(WaitError::WouldDeadlock(WouldDeadlock::EventLoop)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
#[doc(alias = "RecvTimeoutError")]
pub enum WaitError {
    /// The deadline passed.
    #[error(transparent)]
    Expired(#[from] Expired),
    /// Waiting here might never end.
    #[error(transparent)]
    WouldDeadlock(#[from] WouldDeadlock),
    /// An [`Interrupt`](crate::Interrupt) that this thread has entered has ended the wait. `[wait-9]`
    #[error(
        "the wait was interrupted by an `Interrupt` that this thread has entered; what was waited for goes on, and can be \
         waited for again"
    )]
    Interrupted,
}

impl WaitError {
    /// Why a wait of this thread ended before what it was for, if it was not refused.
    pub(crate) fn ended(deadline: Option<Instant>) -> Self {
        Self::of(deadline).told()
    }

    /// The same, of which the caller is not told yet: it may turn out that what the wait was for is so.
    pub(crate) fn of(deadline: Option<Instant>) -> Self {
        if is_past(deadline) { Self::Expired(Expired) } else { Self::Interrupted }
    }

    /// The caller is told. What has interrupted this wait interrupts no other. `[wait-9]`
    pub(crate) fn told(self) -> Self {
        if self == Self::Interrupted {
            interrupt::use_up();
        }
        self
    }
}

/// Why [`finish_or_return`](crate::Promise::finish_or_return) handed a value back. `[promise-9]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unseen {
    /// A cancel came first.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Nobody was left: no handle of the future, and no callback.
    #[error("nobody is left who could see it: there is no handle of the future, and no callback")]
    Closed,
}

/// Blocking here might never end, so the call did not block. `[deadlock-1]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WouldDeadlock {
    /// This thread runs an event loop.
    #[error(
        "this thread runs an event loop, and blocking it could stop the very work that is waited for; \
         await it in a task, or block in another thread (run_in_executor)"
    )]
    EventLoop,
    /// This thread is a worker of the pool that is to be waited for.
    #[error(
        "this thread is a worker of the pool whose end is to be waited for, and it would wait for \
         itself; the pool is closed all the same, so wait for its end in another thread"
    )]
    OwnWorker,
    /// This thread is a worker, and its wait would close a circle of waits between workers.
    #[error(
        "this thread is a worker, and what it wants to wait for waits for it: the wait would close a \
         circle between the jobs of one or more pools; let one of the jobs return what it has, and \
         add a callback for the rest"
    )]
    Circle,
    /// This thread already runs many jobs or callbacks inside each other, each of which waits. `[pool-7]`
    /// `[callback-8]`
    #[error(
        "this thread runs so many jobs or callbacks inside each other, each waiting for the next, that one \
         more might overflow its stack; wait in another thread, or make the chain shorter"
    )]
    TooDeep,
    /// This thread runs a callback of the future whose value is to be taken. `[settled-5]`
    #[error(
        "this thread runs a callback of the future whose value it wants to take, and the value can be taken only when the \
         callback has returned; read it in the callback, or take it elsewhere"
    )]
    Lent,
}

impl From<TooDeep> for WouldDeadlock {
    fn from(_: TooDeep) -> Self {
        Self::TooDeep
    }
}

impl From<TooDeep> for RunError {
    fn from(_: TooDeep) -> Self {
        Self::TooDeep
    }
}

/// A cancel came first: the value is handed back, and the future stays cancelled. `[promise-2]` With an
/// [`AnyPromise`](crate::AnyPromise) the `cause` is a [`TooLate`](crate::TooLate), which has more cases. `[promise-7]`
///
/// ```
/// use settled::{Cancelled, ThreadFuture};
///
/// let (promise, future) = ThreadFuture::<String, ()>::pair();
/// future.cancel();
/// let lost = promise.finish("too late".to_owned()).unwrap_err();
/// assert_eq!((lost.value.as_str(), lost.cause), ("too late", Cancelled::Requested));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Error)]
#[error("the outcome came too late and is handed back: {cause}")]
pub struct Lost<V, C = Cancelled> {
    /// What the loser wanted to deliver.
    pub value: V,
    /// Why it came too late.
    pub cause: C,
}

impl<V> Lost<V> {
    pub(crate) fn map<U>(self, change: impl FnOnce(V) -> U) -> Lost<U> {
        Lost { value: change(self.value), cause: self.cause }
    }
}

impl<V, C: fmt::Debug> fmt::Debug for Lost<V, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lost").field("cause", &self.cause).finish_non_exhaustive()
    }
}

/// A loop or an executor that takes no more work hands it back; it has not run and never will.
/// `[schedule-3]` `[pool-4]`
///
/// Its message says why: the loop or executor is closed, the pool [is broken](crate::ThreadPool::is_broken), or the system
/// has no thread for the first worker of the pool, which may have one later.
///
/// It is `Sync` although the work may not be, so that `?` takes it up whatever a closure has captured: the work is
/// given away, and never lent.
///
/// ```
/// use settled::{Executor, ThreadPool};
///
/// let pool = ThreadPool::default();
/// pool.close();
/// let work = pool.submit(|| 6 * 7).unwrap_err().into_inner();
/// assert_eq!(work(), 42); // it was not run, and can be
/// assert_eq!(settled::Closed::new("work").into_inner(), "work");
/// ```
#[doc(alias("SendError", "RejectedExecution"))]
#[derive(Error)]
#[error("{1}")]
pub struct Closed<J>(
    /// The lock is never taken; it is what makes work that is only `Send` shareable.
    Mutex<J>,
    Refused,
);

/// Why work is handed back.
#[derive(Clone, Copy)]
pub(crate) enum Refused {
    Closed,
    Broken,
    NoThread,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => {
                "the loop or executor is closed, and takes no more work; the work is handed back, unrun: give it to \
                 another"
            }
            Self::Broken => {
                "the pool is broken, since the initializer of a worker has failed, and takes no more work; the work is \
                 handed back, unrun: ask `broken_reason` why, and give the work to another"
            }
            Self::NoThread => {
                "the system has no thread for the first worker of the pool; the work is handed back, unrun: submit it \
                 again when other threads have ended"
            }
        })
    }
}

impl<J> Closed<J> {
    /// Hands `work` back. For those who implement [`Schedule`](crate::Schedule) or [`Executor`](crate::Executor).
    #[must_use]
    pub const fn new(work: J) -> Self {
        Self::since(Refused::Closed, work)
    }

    pub(crate) const fn since(refused: Refused, work: J) -> Self {
        Self(Mutex::new(work), refused)
    }

    /// Returns the work, unrun.
    #[must_use]
    pub fn into_inner(self) -> J {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, with what the work was made of.
    pub(crate) fn map<F>(self, change: impl FnOnce(J) -> F) -> Closed<F> {
        let refused = self.1;
        Closed::since(refused, change(self.into_inner()))
    }
}

impl<J> fmt::Debug for Closed<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closed(..)")
    }
}

/// Why an event loop ended without the awaited outcome. `[loop-4]`
///
/// ```
/// use settled::{EventLoop, RunError};
///
/// let event_loop = EventLoop::new();
/// let inside = async { EventLoop::new().run_until_complete(std::future::ready(1)) };
/// assert_eq!(event_loop.run_until_complete(inside), Ok(Err(RunError::Nested)));
/// event_loop.stop();
/// assert_eq!(event_loop.run_until_complete(std::future::pending::<()>()), Err(RunError::Stopped));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RunError {
    /// `stop` was called before the future was complete.
    #[error("the event loop was stopped before the future completed; the future was dropped")]
    Stopped,
    /// This thread runs an event loop already.
    #[error(
        "this thread runs an event loop already, and a second one inside it would block the first; \
         create a task on the running loop instead"
    )]
    Nested,
    /// This thread already runs many callbacks inside each other, each of which waits, and has deferred
    /// others, which the loop would have to run before it sleeps. `[callback-8]`
    #[error(
        "this thread runs so many callbacks inside each other, each waiting for the next, that one more \
         might overflow its stack; the future was dropped, run the loop outside of these callbacks"
    )]
    TooDeep,
}
