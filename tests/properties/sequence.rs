//! What is done, and what is answered, in the words that the model and the system share.

use quickcheck::{Arbitrary, Gen};
use settled::{Cancel, Cancelled, Failure, Settled};

use crate::system::Value;

/// Something that is done to a future or its promise. Where that is impossible at the moment (the
/// promise is gone, or its phase has no such method), nothing is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Start,
    Finish,
    Fail,
    Panicked,
    Stopped,
    CancelRequested,
    DropPromise,
    Cancel,
    AddCallback,
    AddPanickingCallback,
    Look,
    Read,
    Clone,
    Drop,
    Take,
    /// Turns a future into something to poll.
    Await,
    Poll,
    DropAwait,
}

impl Op {
    const SETTLING: [Self; 7] = [
        Self::Finish,
        Self::Fail,
        Self::Panicked,
        Self::Stopped,
        Self::DropPromise,
        Self::Cancel,
        Self::Start,
    ];
    const OTHER: [Self; 11] = [
        Self::CancelRequested,
        Self::AddCallback,
        Self::AddPanickingCallback,
        Self::Look,
        Self::Read,
        Self::Clone,
        Self::Drop,
        Self::Take,
        Self::Await,
        Self::Poll,
        Self::DropAwait,
    ];
}

impl Arbitrary for Op {
    /// Most do not settle, or nothing would be registered by then.
    fn arbitrary(g: &mut Gen) -> Self {
        let settling = *g.choose(&[true, false, false, false, false]).unwrap_or(&false);
        let ops: &[Self] = if settling { &Self::SETTLING } else { &Self::OTHER };
        *g.choose(ops).expect("there are operations")
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It could not be done.
    Impossible,
    Done,
    /// Too late; the value of this number came back, if one was to be delivered.
    Lost(Option<u32>, Cancelled),
    Cancel(Cancel),
    Requested(bool),
    Look {
        done: bool,
        cancelled: bool,
        running: bool,
    },
    Unsettled,
    End(End),
    /// Other handles share the outcome.
    Shared,
}

/// How the work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Value(u32),
    Error(u32),
    Panicked(u32),
    Cancelled(Cancelled),
    Abandoned,
}

impl End {
    pub(crate) fn of(settled: &Settled<Value, Value>) -> Self {
        let end = Self::from(settled.result());
        assert_eq!(settled.exception().is_some(), !matches!(end, Self::Value(_)));
        assert_eq!(settled.cancelled(), matches!(end, Self::Cancelled(_)));
        end
    }
}

impl From<Result<&Value, &Failure<Value>>> for End {
    fn from(result: Result<&Value, &Failure<Value>>) -> Self {
        match result {
            Ok(value) => Self::Value(value.number),
            Err(Failure::Error(error)) => Self::Error(error.number),
            Err(Failure::Panicked(panic)) => Self::Panicked(panic.message().parse().unwrap()),
            Err(Failure::Cancelled(it)) => Self::Cancelled(it.cause()),
            Err(Failure::Abandoned) => Self::Abandoned,
            Err(other) => unreachable!("no promise here delivers {other:?}"),
        }
    }
}

/// Something that a future did to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// The owner was asked to stop the work.
    Owner,
    /// The task that began to await as this number was woken.
    Woken(u32),
    /// The callback of this number ran, and was shown this end.
    Ran(u32, End),
}
