//! The loops of other crates, each behind a feature of its name.

#[cfg(feature = "tokio")]
/// Makes a way into the tokio `LocalSet` or local runtime of this thread. Call it inside, as
/// `tokio::task::spawn_local`. When the set is dropped, jobs that have not run are dropped with it, and later posts are
/// handed back. `[host-3]`
///
/// # Panics
///
/// As `tokio::task::spawn_local`, outside a `LocalSet`.
///
/// ```
/// use std::sync::Arc;
/// use settled::{Executor, ThreadPool, host::{Host, tokio_local}};
///
/// let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// let value = tokio::task::LocalSet::new().block_on(&runtime, async {
///     let host = Host::new(Arc::new(tokio_local()));
///     host.adopt_future(ThreadPool::default().submit(|| 7).unwrap()).output().await
/// });
/// assert_eq!(value.unwrap(), 7);
/// ```
#[must_use]
pub fn tokio_local() -> super::JobSender {
    let (sender, queue) = super::job_queue();
    drop(tokio::task::spawn_local(queue));
    sender
}

#[cfg(feature = "async-executor")]
/// Makes a way into an async-executor `LocalExecutor`. When the executor is dropped, jobs that have not run are dropped
/// with it, and later posts are handed back. `[host-3]`
///
/// ```
/// use std::sync::Arc;
/// use settled::{ThreadFuture, host::{Host, local_executor}};
///
/// let executor = async_executor::LocalExecutor::new();
/// let host = Host::new(Arc::new(local_executor(&executor)));
/// let (promise, future) = ThreadFuture::<u32, ()>::pair();
/// let view = host.wrap_future(&future);
/// promise.finish(7).unwrap();
/// while !view.done() {
///     executor.try_tick();
/// }
/// assert_eq!(view.result(), Ok(&7));
/// ```
#[must_use]
pub fn local_executor(executor: &async_executor::LocalExecutor<'_>) -> super::JobSender {
    let (sender, queue) = super::job_queue();
    executor.spawn(queue).detach();
    sender
}
