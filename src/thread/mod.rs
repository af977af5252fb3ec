//! The thread flavour: a future that blocks, and the pool that settles it.

mod executor;
mod future;
mod pool;

pub use executor::Executor;
pub use future::{AwaitThread, AwaitThreadRef, ThreadFuture};
pub use pool::ThreadPool;
