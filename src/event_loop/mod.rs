//! The loop flavour: a future that never blocks, and the event loop that delivers it.
//!
//! A [`LoopFuture`] knows its loop only as a [`Schedule`](crate::Schedule) and a registry; it never
//! imports the loop.

mod awaiting;
mod core;
mod future;
mod queue;
mod registry;
mod run;
mod task;

pub use awaiting::{AwaitLoop, AwaitLoopRef};
pub use future::{LoopFuture, Token};
pub use queue::LoopHandle;
pub use run::{CallHandle, EventLoop, LoopRef};
pub(crate) use task::{Flag, Spawn};
