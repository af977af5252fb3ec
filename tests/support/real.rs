//! The calls of the sequential specification, made on the real crate.

use std::pin::Pin;

use settled::{
    Failure, NoValue, Panic, Promise, ThreadFuture, Unseen,
    model::{Answer, End, Op},
    phase::{Owned, Pending, Running},
};

/// A promise in the phase in which its calls have left it.
pub(crate) enum Producer {
    Pending(Promise<u8, u8, Pending>),
    Running(Promise<u8, u8, Running>),
    Owned(Promise<u8, u8, Owned>),
    Gone,
}

impl Producer {
    /// The answer, or `None` if the types forbid the call here; the promise is gone then.
    pub(crate) fn invoke(&mut self, op: Op) -> Option<Answer> {
        match (std::mem::replace(self, Self::Gone), op) {
            (producer, Op::Return(value)) => producer.finish_or_return(value),
            (producer, Op::Closed) => {
                let closed = producer.is_closed()?;
                *self = producer;
                Some(Answer::Closed(closed))
            }
            (Self::Pending(promise), Op::Start) => Some(match promise.start() {
                Ok(promise) => {
                    *self = Self::Running(promise);
                    Answer::Done
                }
                Err(cause) => Answer::Lost(cause),
            }),
            (Self::Pending(promise), Op::Settle(End::Value(value))) => Some(
                promise
                    .finish(value)
                    .map_or_else(|lost| Answer::Lost(lost.cause), |()| Answer::Done),
            ),
            (Self::Pending(promise), Op::Settle(End::Error(error))) => Some(
                promise.fail(error).map_or_else(|lost| Answer::Lost(lost.cause), |()| Answer::Done),
            ),
            (Self::Running(promise), Op::Settle(end)) => {
                match end {
                    End::Value(value) => promise.finish(value),
                    End::Error(error) => promise.fail(error),
                    _ => promise.panicked(Panic::new(Box::new(""))),
                }
                Some(Answer::Done)
            }
            (Self::Owned(promise), Op::Settle(end)) => {
                match end {
                    End::Value(value) => promise.finish(value),
                    End::Error(error) => promise.fail(error),
                    _ => promise.panicked(Panic::new(Box::new(""))),
                }
                Some(Answer::Done)
            }
            (Self::Owned(promise), Op::Stop) => {
                promise.stopped();
                Some(Answer::Done)
            }
            (Self::Running(promise), Op::Requested) => {
                let requested = promise.cancel_requested();
                *self = Self::Running(promise);
                Some(Answer::Requested(requested))
            }
            (Self::Owned(promise), Op::Requested) => {
                let requested = promise.cancel_requested();
                *self = Self::Owned(promise);
                Some(Answer::Requested(requested))
            }
            (Self::Gone, _) => None,
            (producer, Op::Abandon) => {
                drop(producer);
                Some(Answer::Done)
            }
            _ => None,
        }
    }
}

impl Producer {
    fn finish_or_return(self, value: u8) -> Option<Answer> {
        let returned = match self {
            Self::Pending(promise) => promise.finish_or_return(value).map_err(|lost| lost.cause),
            Self::Running(promise) => promise.finish_or_return(value).map_err(|_| Unseen::Closed),
            Self::Owned(promise) => promise.finish_or_return(value).map_err(|_| Unseen::Closed),
            Self::Gone => return None,
        };
        Some(match returned {
            Ok(()) => Answer::Done,
            Err(Unseen::Cancelled(cause)) => Answer::Lost(cause),
            Err(_) => Answer::Unseen,
        })
    }

    fn is_closed(&self) -> Option<bool> {
        match self {
            Self::Pending(promise) => Some(promise.is_closed()),
            Self::Running(promise) => Some(promise.is_closed()),
            Self::Owned(promise) => Some(promise.is_closed()),
            Self::Gone => None,
        }
    }

    /// Has something called when nobody is left.
    pub(crate) fn on_closed(&self, f: impl FnOnce() + Send + 'static) {
        match self {
            Self::Pending(promise) => promise.on_closed(f),
            Self::Running(promise) => promise.on_closed(f),
            Self::Owned(promise) => promise.on_closed(f),
            Self::Gone => {}
        }
    }

    /// Ready when nobody is left.
    pub(crate) fn closed(&self) -> Option<Pin<Box<dyn Future<Output = ()> + '_>>> {
        match self {
            Self::Pending(promise) => Some(Box::pin(promise.closed())),
            Self::Running(promise) => Some(Box::pin(promise.closed())),
            Self::Owned(promise) => Some(Box::pin(promise.closed())),
            Self::Gone => None,
        }
    }
}

/// How an outcome is told by the specification.
pub(crate) fn end(outcome: Result<&u8, &Failure<u8>>) -> End {
    match outcome {
        Ok(value) => End::Value(*value),
        Err(Failure::Error(error)) => End::Error(*error),
        Err(Failure::Panicked(_)) => End::Panicked,
        Err(Failure::Abandoned) => End::Abandoned,
        Err(Failure::Cancelled(it)) => End::Cancelled(it.cause()),
        Err(other) => unreachable!("no promise here delivers {other:?}"),
    }
}

/// `try_result`, as the specification tells it.
pub(crate) fn read(future: &ThreadFuture<u8, u8>) -> Option<End> {
    match future.try_result() {
        Ok(value) => Some(end(Ok(value))),
        Err(NoValue::Failed(failure)) => Some(end(Err(failure))),
        Err(NoValue::Unsettled(_)) => None,
    }
}
