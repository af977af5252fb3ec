//! The outcome by value, for both views: what awaits it, and why it did not come.

use std::{
    convert::Infallible,
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use thiserror::Error;

use crate::{
    cell::{Registration, Until},
    error::Failure,
    settled::Settled,
};

/// Why a call that takes the outcome by value gave no value. `[settled-5]`
///
/// `B` is what hands the future back when the wait ended too early, as far as the call can meet that: a [`Back`], or
/// nothing. It is an error that can go up by `?`: it owns what it holds, and is `Send` and `Sync` where `E` and the
/// future are `Send`, and `E` is `Sync`.
#[derive(Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JoinError<E, B = Infallible> {
    /// The work gave no value.
    #[error(transparent)]
    Failed(Failure<E>),
    /// Another handle shares the outcome, and can still read it. Of several handles by which it is taken, one gets it.
    #[error(
        "the outcome is shared with another handle of the future, and was left to it; take it by the last handle, or read \
         it by reference"
    )]
    Shared,
    /// The wait ended before the outcome could be taken.
    #[error(transparent)]
    Back(B),
}

impl<E, B> JoinError<E, B> {
    /// Returns why the work gave no value, if it gave none.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure<E>> {
        if let Self::Failed(failure) = self { Some(failure) } else { None }
    }

    /// Returns why the work gave no value, by value.
    ///
    /// # Errors
    ///
    /// This error, if it is of another kind.
    ///
    /// ```
    /// use settled::{Executor, ThreadPool};
    ///
    /// let job = ThreadPool::default().submit_result(|| Err::<(), _>("no route")).unwrap();
    /// let error = job.join().unwrap_err();
    /// assert!(error.failure().is_some_and(|failure| failure.is_error()));
    /// assert_eq!(error.into_failure().unwrap().into_error(), Ok("no route"));
    /// ```
    pub fn into_failure(self) -> Result<Failure<E>, Self> {
        if let Self::Failed(failure) = self { Ok(failure) } else { Err(self) }
    }

    /// Returns the work's own error by value, whatever it is: for what is yielded by value, as
    /// [`as_completed`](crate::as_completed) does, and is to go up by `?`. `[settled-5]`
    ///
    /// # Errors
    ///
    /// This error, if it is of another kind: one in which no `E` is left, so that it goes up where `E` does not.
    ///
    /// ```
    /// use settled::{Executor, ThreadPool, as_completed};
    ///
    /// fn first(text: &'static str) -> anyhow::Result<u32> {
    ///     let pool = ThreadPool::default();
    ///     let jobs = vec![pool.submit_result(move || Ok::<u32, anyhow::Error>(text.parse()?))?];
    ///     let (_, number) = as_completed(jobs, None).next().expect("there is one")?;
    ///     Ok(number.map(Ok).or_else(|error| error.into_error().map(Err))??)
    /// }
    ///
    /// assert_eq!(first("7").unwrap(), 7);
    /// assert_eq!(first("seven").unwrap_err().to_string(), "invalid digit found in string");
    /// ```
    pub fn into_error(self) -> Result<E, JoinError<Infallible, B>> {
        match self {
            Self::Failed(failure) => failure.into_error().map_err(JoinError::Failed),
            Self::Shared => Err(JoinError::Shared),
            Self::Back(back) => Err(JoinError::Back(back)),
        }
    }
}

/// Why a wait ended too early, with the future that it was called on. `[settled-5]`
///
/// It is `Sync` although the future may not be: the future is given away, and never lent.
///
/// ```
/// use std::time::Duration;
/// use settled::{Expired, JoinError, ThreadFuture, WaitError};
///
/// let (promise, future) = ThreadFuture::<u32, &str>::pair();
/// let Err(JoinError::Back(back)) = future.join_timeout(Duration::ZERO) else { unreachable!() };
/// assert_eq!(back.why(), WaitError::Expired(Expired));
/// let future = back.into_future();
/// promise.finish(7).unwrap();
/// assert_eq!(future.join_timeout(Duration::from_secs(60)).unwrap(), 7);
/// ```
#[derive(Error)]
#[error("{why}")]
pub struct Back<W, H> {
    why: W,
    /// The lock is never taken; it is what makes a future that is only `Send` shareable.
    future: Mutex<H>,
}

impl<W: Copy, H> Back<W, H> {
    pub(crate) const fn new(why: W, future: H) -> Self {
        Self { why, future: Mutex::new(future) }
    }

    /// Returns why the wait ended: a [`WaitError`](crate::WaitError).
    #[must_use]
    pub const fn why(&self) -> W {
        self.why
    }

    /// Returns the future, as it was.
    #[must_use]
    pub fn into_future(self) -> H {
        self.future.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: fmt::Debug, H> fmt::Debug for Back<W, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Back").field(&self.why).finish()
    }
}

/// Awaits the value by value: made by [`ThreadFuture::output`](crate::ThreadFuture::output) and
/// [`LoopFuture::output`](crate::LoopFuture::output). `[settled-5]`
///
/// First it awaits the future by value, as `A` does, with what is said there of dropping it; then it waits for the
/// callbacks that read the outcome to return. Dropped then, it leaves the outcome to other handles.
#[must_use = "futures do nothing unless they are polled"]
pub struct Output<A, T, E>(Stage<A, T, E>);

enum Stage<A, T, E> {
    Awaits(A),
    /// Its place among those who wait for the end of the lending.
    Returns(Settled<T, E>, Registration),
    Over,
}

impl<A, T, E> Output<A, T, E> {
    pub(crate) fn of(future: impl IntoFuture<IntoFuture = A>) -> Self {
        Self(Stage::Awaits(future.into_future()))
    }
}

impl<A, T, E> Future for Output<A, T, E>
where
    A: Future<Output = Settled<T, E>> + Unpin,
{
    type Output = Result<T, JoinError<E>>;

    /// # Panics
    ///
    /// If polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let stage = &mut self.0;
        if let Stage::Awaits(future) = stage {
            let settled = ready!(Pin::new(future).poll(cx));
            *stage = Stage::Returns(settled, Registration::default());
        }
        if let Stage::Returns(settled, place) = stage {
            ready!(place.poll(settled.handle(), Until::Returned, cx));
            place.leave(settled.handle());
        }
        match std::mem::replace(stage, Stage::Over) {
            Stage::Returns(settled, _) => Poll::Ready(settled.give()),
            Stage::Awaits(_) | Stage::Over => panic!("polled again after it was ready"),
        }
    }
}

impl<A, T, E> Drop for Output<A, T, E> {
    fn drop(&mut self) {
        if let Stage::Returns(settled, place) = &mut self.0 {
            place.leave(settled.handle());
        }
    }
}

impl<A, T, E> fmt::Debug for Output<A, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").finish_non_exhaustive()
    }
}

/// The same, with the work's own error apart. Made by
/// [`ThreadFuture::output_result`](crate::ThreadFuture::output_result) and
/// [`LoopFuture::output_result`](crate::LoopFuture::output_result). `[settled-5]`
#[must_use = "futures do nothing unless they are polled"]
#[derive(Debug)]
pub struct OutputResult<A, T, E>(Output<A, T, E>);

impl<A, T, E> OutputResult<A, T, E> {
    pub(crate) fn of(future: impl IntoFuture<IntoFuture = A>) -> Self {
        Self(Output::of(future))
    }
}

impl<A, T, E> Future for OutputResult<A, T, E>
where
    A: Future<Output = Settled<T, E>> + Unpin,
{
    type Output = Result<Result<T, E>, JoinError<Infallible>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(apart)
    }
}

/// The outcome with the work's own error in the value.
pub(crate) fn apart<T, E, B>(
    joined: Result<T, JoinError<E, B>>,
) -> Result<Result<T, E>, JoinError<Infallible, B>> {
    joined.map_or_else(|error| error.into_error().map(Err), |value| Ok(Ok(value)))
}
