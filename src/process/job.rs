//! A job of a pool, from its submission to its end.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{
    format::Format,
    frame::{Frame, Kind},
    function::Read,
};
use crate::{
    cell::Address,
    error::Panic,
    lost::{Death, Unsent, UnsentKind},
    phase::{Pending, Running},
    promise::Promise,
    waiter::isolate,
};

/// A job that is queued. Dropped, its future is Cancelled(Dropped).
pub(super) struct Queued {
    pub(super) name: &'static str,
    /// The whole message for the worker.
    pub(super) message: Vec<u8>,
    pub(super) promise: Box<dyn Waiting>,
}

/// A job that a worker has been given.
pub(super) struct Given {
    pub(super) name: &'static str,
    pub(super) promise: Box<dyn Owing>,
}

/// The promise of a job that is queued.
pub(super) trait Waiting: Send {
    /// Begins the work, unless it was cancelled.
    fn start(self: Box<Self>) -> Option<Box<dyn Owing>>;
    fn broken(self: Box<Self>);
}

/// The promise of a job that runs.
pub(super) trait Owing: Send {
    fn address(&self) -> Address;
    fn cancel_reason(&self) -> Option<Arc<str>>;
    /// Settles with what the worker has answered.
    fn answered(self: Box<Self>, frame: Frame<'_>);
    fn died(self: Box<Self>, death: Death);
}

/// A promise, and how its outcome is read.
pub(super) struct Typed<P, T, E> {
    pub(super) promise: P,
    pub(super) value: Read<T>,
    pub(super) error: Read<E>,
}

impl<T: Send + 'static, E: Send + 'static> Waiting for Typed<Promise<T, E, Pending>, T, E> {
    fn start(self: Box<Self>) -> Option<Box<dyn Owing>> {
        let Self { promise, value, error } = *self;
        let promise = promise.start().ok()?;
        Some(Box::new(Typed { promise, value, error }))
    }

    fn broken(self: Box<Self>) {
        self.promise.broken();
    }
}

impl<T: Send + 'static, E: Send + 'static> Owing for Typed<Promise<T, E, Running>, T, E> {
    fn address(&self) -> Address {
        self.promise.address()
    }

    fn cancel_reason(&self) -> Option<Arc<str>> {
        self.promise.cancel_reason()
    }

    fn answered(self: Box<Self>, frame: Frame<'_>) {
        let Self { promise, value, error } = *self;
        let text = || String::from_utf8_lossy(frame.payload).into_owned();
        let format = Format::of(frame.format)
            .ok_or_else(|| format!("its format {} is unknown", frame.format));
        match frame.kind {
            Kind::Value => match format.and_then(|format| guarded(|| value(format, frame.payload)))
            {
                Ok(value) => promise.finish(value),
                Err(why) => promise.unsent(Unsent::new(UnsentKind::Value, why)),
            },
            Kind::Error => match format.and_then(|format| guarded(|| error(format, frame.payload)))
            {
                Ok(error) => promise.fail(error),
                Err(why) => promise.unsent(Unsent::new(UnsentKind::Error, why)),
            },
            Kind::Panic => promise.panicked(Panic::new(Box::new(text()))),
            _ => {
                let (code, why) = frame.payload.split_first().unwrap_or((&0, &[]));
                let why = String::from_utf8_lossy(why).into_owned();
                promise.unsent(Unsent::new(super::kind(*code), why));
            }
        }
    }

    fn died(self: Box<Self>, death: Death) {
        self.promise.died(death);
    }
}

/// Reads or writes, with code of the user's.
pub(super) fn guarded<T, W: From<String>>(travels: impl FnOnce() -> Result<T, W>) -> Result<T, W> {
    catch_unwind(AssertUnwindSafe(travels)).unwrap_or_else(|payload| {
        let panic = Panic::new(payload);
        let why = format!("what reads or writes it panicked: {}", panic.message());
        isolate(|| drop(panic));
        Err(why.into())
    })
}
