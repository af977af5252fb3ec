//! Event loops that are not this crate's. A [`Host`] makes such a loop the home of [`LoopFuture`]s; a [`job_queue`] is
//! the way into a loop that has none of its own.
//!
//! | loop | way in |
//! |---|---|
//! | one that polls local futures | [`job_queue`]: spawn the [`JobQueue`] |
//! | one that is driven by hand, frame by frame | [`job_queue`]: call [`JobQueue::run_pending`] in each turn |
//! | the same, if it sleeps between its turns | and [`JobQueue::set_wake_hook`] |
//! | tokio's `LocalSet`, feature `tokio` | `tokio_local` |
//! | async-executor's `LocalExecutor`, feature `async-executor` | `local_executor` |
//! | one with a channel of its own, such as calloop | implement [`Schedule`] |
//!
//! Do not implement [`Schedule`] by spawning a task for each job: the loops above do not run tasks in the order
//! in which they were spawned from several threads. [`conformance`](crate::conformance) finds that.

mod adapters;
mod queue;

use std::{fmt, rc::Rc, sync::Arc};

#[cfg(feature = "async-executor")]
#[cfg_attr(docsrs, doc(cfg(feature = "async-executor")))]
pub use adapters::local_executor;
#[cfg(feature = "tokio")]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
pub use adapters::tokio_local;
pub use queue::{JobQueue, JobSender, job_queue};

use crate::{
    Incident, LoopFuture, Promise, Schedule, Settled,
    context::{self, Id},
    event_loop::Registry,
    promise,
};

/// Makes a foreign event loop the home of [`LoopFuture`]s: they live on the thread that made the host, and
/// their callbacks go through the loop's [`Schedule`]. `[host-1]`
///
/// Tasks stay the foreign loop's own: a coroutine that awaits these futures is spawned there. Drop the host on
/// its thread, before its loop or after it; what that means for its futures is told at
/// [`EventLoop::close`](crate::EventLoop::close). `[loop-5]`
///
/// If the loop is dropped first, the host learns of it by the first job that the loop refuses, or that it accepted and
/// drops unrun. From then on the host's futures read through to what other threads have settled. Callbacks that would
/// run now are dropped instead, on this thread; those that were registered before are dropped with the host, at the
/// latest. An await that had begun goes on only when its callback is dropped, so drop the host too. `[host-1]`
///
/// ```
/// use std::sync::Arc;
/// use settled::{ThreadFuture, host::{Host, job_queue}};
///
/// let (sender, mut queue) = job_queue();
/// let host = Host::new(Arc::new(sender));
/// let (promise, future) = ThreadFuture::<u32, ()>::pair();
/// let view = host.wrap_future(&future);
/// std::thread::spawn(move || promise.finish(5).unwrap()).join().unwrap();
/// assert!(!view.done(), "another thread's result is delivered by the loop");
/// queue.run_pending(); // a turn of the loop
/// assert_eq!(view.result().unwrap(), &5);
/// ```
#[doc(alias = "SpawnLocal")]
pub struct Host {
    registry: Rc<Registry>,
    id: Id,
}

impl Host {
    /// Makes a host for the loop of this thread, which runs what `schedule` is given. `[host-1]`
    #[must_use]
    pub fn new(schedule: Arc<dyn Schedule>) -> Self {
        let id = context::next_id();
        Self { registry: Registry::new(id, schedule), id }
    }

    pub(crate) fn registry(&self) -> &Rc<Registry> {
        &self.registry
    }

    /// Makes a new pending future of this loop, and its promise, as
    /// [`LoopRef::create_future`](crate::LoopRef::create_future) makes them. `[host-1]`
    ///
    /// ```
    /// use std::sync::Arc;
    /// use settled::host;
    ///
    /// let (sender, mut queue) = host::job_queue();
    /// let host = host::Host::new(Arc::new(sender));
    /// host.set_exception_handler(|incident| eprintln!("{incident}"));
    /// let (promise, future) = host.create_future::<u32, ()>();
    /// future.add_done_callback(|settled| assert_eq!(settled.result().unwrap(), &7));
    /// promise.finish(7).unwrap();
    /// queue.run_pending();
    /// ```
    pub fn create_future<T, E>(&self) -> (Promise<T, E>, LoopFuture<T, E>) {
        let (promise, handle) = promise::pending();
        (promise, LoopFuture::view(Settled::new(handle), &self.registry))
    }

    /// Tells `handler` of what goes wrong in callbacks, as
    /// [`LoopRef::set_exception_handler`](crate::LoopRef::set_exception_handler) does. `[report-1]`
    pub fn set_exception_handler(&self, handler: impl Fn(&Incident<'_>) + 'static) {
        let last = self.registry.set_handler(Some(Rc::new(handler)));
        drop(last);
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _role = context::run_loop(self.id);
        // One that is gone without a word told of nothing, and tells of nothing now.
        let was_open = self.registry.is_open();
        self.registry.begin_close();
        while self.registry.run_errand() {}
        if was_open {
            self.registry.catch_up();
        }
        while self.registry.run_errand() {}
        self.registry.sweep();
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("futures", &self.registry.views()).finish()
    }
}
