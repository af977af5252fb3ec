//! The loop flavour: a future that never blocks, and the event loop that delivers it.
//!
//! A [`LoopFuture`] knows its loop only as a [`Schedule`](crate::Schedule) and a registry; it never
//! imports the loop.

mod future;
mod queue;
mod registry;
mod run;
mod task;

pub use future::{AwaitLoop, AwaitLoopRef, LoopFuture, Token};
pub use queue::LoopHandle;
pub use run::{CallHandle, EventLoop, LoopRef};
pub(crate) use task::{Flag, Spawn};
