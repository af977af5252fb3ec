//! The thread flavour: a future that blocks, and the pool that settles it.

mod blocking;
mod executor;
mod future;
mod pool;
mod wait;

pub use executor::Executor;
pub use future::{AwaitThread, AwaitThreadRef, ThreadFuture};
pub use pool::ThreadPool;
pub use wait::{AsCompleted, Parted, ReturnWhen, as_completed, wait};
