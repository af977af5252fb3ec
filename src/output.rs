//! Awaiting the outcome by value, for both views.

use std::{
    convert::Infallible,
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    task::{Context, Poll, ready},
};

use crate::{
    cell::{Registration, Until},
    error::JoinError,
    settled::Settled,
};

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
            Stage::Awaits(_) | Stage::Over => panic!("not polled again after it was ready"),
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

/// The same, with the work's own error apart. Made by [`ThreadFuture::output_result`](crate::ThreadFuture::output_result)
/// and [`LoopFuture::output_result`](crate::LoopFuture::output_result). `[settled-5]`
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
    joined.map_or_else(|error| error.part().map(Err), |value| Ok(Ok(value)))
}
