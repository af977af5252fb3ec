//! The loops of other crates, each behind a feature of its name.

#[cfg(feature = "tokio")]
/// The way into the tokio `LocalSet` or local runtime of this thread. Call it inside, as for
/// `tokio::task::spawn_local`. When the set is dropped, so is what has not run, and later posts are handed back.
/// `[host-3]`
///
/// # Panics
///
/// As `tokio::task::spawn_local`, outside a `LocalSet`.
#[must_use]
pub fn tokio_local() -> super::JobSender {
    let (sender, queue) = super::job_queue();
    drop(tokio::task::spawn_local(queue));
    sender
}

#[cfg(feature = "async-executor")]
/// The way into an async-executor `LocalExecutor`. When it is dropped, so is what has not run, and later posts
/// are handed back. `[host-3]`
#[must_use]
pub fn local_executor(executor: &async_executor::LocalExecutor<'_>) -> super::JobSender {
    let (sender, queue) = super::job_queue();
    executor.spawn(queue).detach();
    sender
}
