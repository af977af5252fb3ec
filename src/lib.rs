#![cfg_attr(not(doctest), doc = include_str!("links.md"))]
#![cfg_attr(all(doc, not(doctest)), doc = include_str!("pictures.md"))]
#![doc = include_str!("../README.md")]
#![doc(test(attr(deny(warnings))))]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(target_has_atomic = "64"))]
compile_error!(
    "settled needs atomics of 64 bits, which this target does not have: what a cell is, is one word \
     of 64 bits. Build for a target that has them."
);

extern crate alloc;

mod addresses;
mod any_promise;
mod blocking;
pub mod bridge;
mod cell;
pub mod conformance;
pub mod context;
mod deferred;
mod error;
mod event_loop;
mod first;
#[cfg(doc)]
pub mod guide;
mod hook;
pub mod host;
mod inbox;
mod interrupt;
mod lost;
pub mod machine;
#[cfg(feature = "model")]
#[cfg_attr(docsrs, doc(cfg(feature = "model")))]
pub mod model;
mod output;
pub mod phase;
mod places;
pub mod primitives;
#[cfg(all(feature = "process", unix))]
#[cfg_attr(docsrs, doc(cfg(all(feature = "process", unix))))]
pub mod process;
mod promise;
mod settled;
#[cfg(all(doc, not(doctest)))]
pub mod spec;
mod sync;
pub mod tasks;
mod thread;
mod trace;
mod waiter;

#[cfg(any(settled_loom, settled_shuttle))]
pub use crate::sync::schedules;
#[cfg(settled_loom)]
#[doc(hidden)]
pub use crate::sync::{ByteLock, Timer};
pub use crate::{
    any_promise::{AnyPromise, TooLate},
    error::{
        BarrierError, BrokenBarrier, Cancel, Cancellation, Cancelled, Closed, Expired, Failure,
        InvalidState, Lost, NoValue, NoneUnfinished, NotPut, Panic, QueueClosed, QueueError,
        Refusal, RunError, Surplus, TryPutError, Unseen, WaitError, WouldDeadlock,
    },
    event_loop::{
        AwaitLoop, AwaitLoopRef, CallHandle, CancelHandle, Clock, EventLoop, FutureId, Incident,
        LoopFuture, LoopHandle, LoopRef, Task, Token, WeakLoopFuture,
    },
    first::First,
    interrupt::{Interrupt, InterruptGuard},
    lost::{Death, DeathCause, Progress, Unsent, UnsentKind},
    output::{Back, JoinError, Output, OutputResult},
    promise::{Listen, Promise},
    settled::Settled,
    thread::{
        AsCompleted, AwaitThread, AwaitThreadRef, Borrowed, CancelOnDrop, Executor, IntoCompleted,
        Map, MapError, Parted, PoolBuilder, ReturnWhen, Scope, Several, ThreadFuture, ThreadPool,
        WeakThreadFuture, as_completed, join, scope, select, wait,
    },
    waiter::{Job, Schedule},
};
