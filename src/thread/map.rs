//! [`Map`]: work over many items, in their order.

use std::{
    collections::VecDeque,
    convert::Infallible,
    fmt,
    iter::{Fuse, FusedIterator},
    num::NonZero,
    sync::Arc,
    time::{Duration, Instant},
};

use thiserror::Error;

use super::{Executor, ThreadFuture};
use crate::{
    error::{Expired, Failure, WaitError, WouldDeadlock},
    sync::now,
};

/// The iterator of [`Executor::map`], which borrows the executor, and of [`Executor::map_owned`], which does not.
/// `next` waits for the future of one item. `[pool-9]`
#[must_use = "nothing is submitted unless it is iterated"]
pub struct Map<X, I, F, T>
where
    I: Iterator,
{
    executor: X,
    items: Fuse<I>,
    work: Arc<F>,
    /// Futures that were not yielded, in the order of their items.
    ahead: VecDeque<ThreadFuture<T, Infallible>>,
    buffersize: usize,
    begin: Instant,
    deadline: Option<Instant>,
    end: End,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Items may be left.
    Open,
    /// The executor took no more: what is ahead is yielded, and then that.
    Closed,
    /// Nothing comes any more.
    Over,
}

/// Why [`Map`] yields no value for an item, and ends. `[pool-9]`
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MapError {
    /// The work panicked, or somebody dropped or cancelled its job.
    #[error("the work for an item failed: {0}")]
    Failed(Failure<Infallible>),
    /// The time of [`Map::timeout`] is over.
    #[error(transparent)]
    Expired(#[from] Expired),
    /// Waiting here might never end.
    #[error(transparent)]
    WouldDeadlock(#[from] WouldDeadlock),
    /// Somebody has interrupted the waits of this thread: an [`Interrupt`](crate::Interrupt). `[wait-9]`
    #[error(
        "the map was interrupted by an `Interrupt` that this thread has entered; what has not begun was cancelled"
    )]
    Interrupted,
    /// The executor took no more work, and items are left.
    #[error(
        "the executor takes no more work, and items are left, the first of them dropped; map over them with another one"
    )]
    Closed,
}

impl<X, I, F, T> Map<X, I, F, T>
where
    I: Iterator,
{
    pub(super) fn new(executor: X, items: I, work: F) -> Self {
        Self {
            executor,
            items: items.fuse(),
            work: Arc::new(work),
            ahead: VecDeque::new(),
            buffersize: usize::MAX,
            begin: now(),
            deadline: None,
            end: End::Open,
        }
    }

    /// Submits at most this many items ahead, the one that is waited for included. Without it, all are
    /// submitted at the first `next`, which never returns for items without end. `[pool-9]`
    ///
    /// ```
    /// use std::time::Duration;
    /// use settled::{Executor, ThreadPool};
    ///
    /// let pool = ThreadPool::default();
    /// let squares = pool.map(1.., |n: u32| n * n).buffersize(std::num::NonZero::new(8).unwrap());
    /// let first: Result<Vec<_>, _> = squares.timeout(Duration::from_secs(60)).take(3).collect();
    /// assert_eq!(first.unwrap(), [1, 4, 9]);
    /// ```
    pub fn buffersize(mut self, items: NonZero<usize>) -> Self {
        self.buffersize = items.get();
        self
    }

    /// Ends it with [`MapError::Expired`] when a value is waited for longer than this, counted from the
    /// call of [`Executor::map`]. One too long for the clock is none. `[pool-9]`
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.deadline = self.begin.checked_add(timeout);
        self
    }

    /// Cancels what has not begun.
    fn cancel(&mut self) {
        self.end = End::Over;
        for future in self.ahead.drain(..) {
            future.cancel();
        }
    }
}

impl<X, I, F, T> Map<X, I, F, T>
where
    X: Executor,
    I: Iterator<Item: Send + 'static>,
    F: Fn(I::Item) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    fn submit_ahead(&mut self) {
        while self.end == End::Open && self.ahead.len() < self.buffersize {
            let Some(item) = self.items.next() else { return };
            let work = Arc::clone(&self.work);
            match self.executor.submit(move || work(item)) {
                Ok(future) => self.ahead.push_back(future),
                Err(_closed) => self.end = End::Closed,
            }
        }
    }

    fn wait(&mut self, future: ThreadFuture<T, Infallible>) -> Result<T, MapError> {
        let waited = match self.deadline {
            None => future.wait(),
            Some(deadline) => future.wait_deadline(deadline),
        };
        if let Err(error) = waited.map(|_| ()) {
            self.ahead.push_front(future);
            return Err(match error {
                WaitError::Expired(expired) => expired.into(),
                WaitError::WouldDeadlock(would_deadlock) => would_deadlock.into(),
                WaitError::Interrupted => MapError::Interrupted,
            });
        }
        // Nobody else has a handle, and nobody registered a callback.
        let outcome = future.into_inner().take().expect("the only handle of a settled future");
        outcome.map_err(MapError::Failed)
    }
}

impl<X, I, F, T> Iterator for Map<X, I, F, T>
where
    X: Executor,
    I: Iterator<Item: Send + 'static>,
    F: Fn(I::Item) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    type Item = Result<T, MapError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.submit_ahead();
        let item = match (self.ahead.pop_front(), self.end) {
            (Some(future), _) => self.wait(future),
            (None, End::Closed) => Err(MapError::Closed),
            (None, End::Open | End::Over) => return None,
        };
        if item.is_err() {
            self.cancel();
        }
        Some(item)
    }
}

impl<X, I, F, T> FusedIterator for Map<X, I, F, T>
where
    X: Executor,
    I: Iterator<Item: Send + 'static>,
    F: Fn(I::Item) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
}

/// Cancels what has not begun.
impl<X, I, F, T> Drop for Map<X, I, F, T>
where
    I: Iterator,
{
    fn drop(&mut self) {
        self.cancel();
    }
}

impl<X, I, F, T> fmt::Debug for Map<X, I, F, T>
where
    I: Iterator,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("ahead", &self.ahead.len()).finish_non_exhaustive()
    }
}
