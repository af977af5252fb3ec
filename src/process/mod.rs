//! An executor over processes: a function with a name runs in another process, and its future is a [`ThreadFuture`].
//!
//! A [`ProcessPool`] starts the program itself again, as often as it has work for, and gives each of these workers one job
//! at a time. What a future means across a process, the protocol, and where another executor can begin, is told in
//! `spec/processes.md`.
//!
//! * The future is Running from the moment on at which a worker that waits for work is given the job. A cancel before
//!   that is [`Now`](crate::Cancel::Now), and the job never runs; after it the request reaches the job. `[process-1]`
//!   `[process-7]`
//! * A worker that dies takes its own job with it, which fails as [`Failure::Died`](crate::Failure::Died), and no other.
//!   The pool starts another worker, and runs nothing again. `[process-3]` `[process-4]`
//! * Workers end when their pool's process does, whatever ended it. `[process-8]`
//!
//! On Unix. The end of a worker whose channel somebody else holds is seen on Linux alone.
//!
//! [`ThreadFuture`]: crate::ThreadFuture

mod books;
mod builder;
mod child;
mod format;
mod frame;
mod function;
mod job;
mod manager;
mod map;
mod pool;
mod worker;

pub use self::{
    builder::ProcessPoolBuilder,
    format::Format,
    function::{Current, Function, Served},
    map::ProcessMap,
    pool::{ProcessPool, SubmitError},
    worker::worker,
};
use crate::lost::UnsentKind;

/// What could not travel, as a byte.
const fn code(kind: UnsentKind) -> u8 {
    match kind {
        UnsentKind::UnknownFunction => 1,
        UnsentKind::OtherVersion => 2,
        UnsentKind::Arguments => 3,
        UnsentKind::Value => 4,
        UnsentKind::Error => 5,
        UnsentKind::TooLarge => 6,
    }
}

/// The same back. What no byte is for is a value.
const fn kind(code: u8) -> UnsentKind {
    match code {
        1 => UnsentKind::UnknownFunction,
        2 => UnsentKind::OtherVersion,
        3 => UnsentKind::Arguments,
        5 => UnsentKind::Error,
        6 => UnsentKind::TooLarge,
        _ => UnsentKind::Value,
    }
}
