//! The loop flavour: a future that never blocks, and the event loop that delivers it.
//!
//! A [`LoopFuture`] knows its loop only as a [`Schedule`](crate::Schedule) and a registry; it never
//! imports the loop.

mod awaiting;
mod cancel;
mod clock;
mod core;
mod future;
mod incident;
mod queue;
mod registry;
mod run;
mod stop;
mod task;
mod weak;

pub use awaiting::{AwaitLoop, AwaitLoopRef};
pub use cancel::CancelHandle;
pub use clock::Clock;
pub use future::{LoopFuture, Token};
pub use incident::{FutureId, Incident};
pub use queue::LoopHandle;
pub(crate) use registry::Registry;
pub(crate) use run::CENTURY;
pub use run::{CallHandle, EventLoop, LoopRef};
pub(crate) use stop::{Stopping, forward, stop, task_of, wait_in_scope};
pub use task::Task;
pub(crate) use task::{Flag, Spawn};
pub use weak::WeakLoopFuture;
