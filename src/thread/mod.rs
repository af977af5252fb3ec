//! The thread flavour: a future that blocks, and the pool that settles it.

mod executor;
#[cfg(any(feature = "rayon", feature = "tokio"))]
mod foreign;
mod future;
mod guard;
mod jobs;
mod join;
mod map;
mod pool;
mod scope;
mod several;
mod via;
mod wait;
mod watched;
mod weak;
mod workers;

pub use executor::Executor;
pub use future::{AwaitThread, AwaitThreadRef, ThreadFuture};
pub use guard::CancelOnDrop;
pub use map::{Map, MapError};
pub use pool::{PoolBuilder, ThreadPool};
pub use scope::{Scope, scope};
pub use several::{Borrowed, Several, join, select};
pub use wait::{AsCompleted, IntoCompleted, Parted, ReturnWhen, as_completed, wait};
pub use weak::WeakThreadFuture;
