//! Callbacks that run on an executor of one's choice.

use super::{Executor, ThreadFuture};
use crate::{
    blocking::run_for,
    cell::{Address, Lent},
    deferred,
    settled::Settled,
    waiter::{Job, Run, isolate},
};

impl<T, E> ThreadFuture<T, E> {
    /// As [`add_done_callback`](Self::add_done_callback), but has `executor` run `callback`: a pool, or a loop by its
    /// [`LoopHandle`](crate::LoopHandle), for what is not to run in the thread that settles. `[callback-10]`
    ///
    /// The thread that settles the future only hands it over, in the order in which callbacks were registered; when and
    /// in which thread it runs is the executor's affair, also if the future is settled already. Whoever takes the
    /// outcome by value waits for it, as for every callback, and a worker that does runs it, if it is queued in its own
    /// pool. `[settled-5]` `[pool-7]`
    ///
    /// An executor that takes no more work, or drops it unrun, drops `callback`: it never runs anywhere else. A promise
    /// in it then settles its future as [`Cancelled(Dropped)`](crate::Cancelled::Dropped). `[promise-3]` `executor` is
    /// dropped when it was asked: give a pointer to a pool that others keep, since the drop of a pool waits. One future
    /// has at most 1,048,575 callbacks on their way; one more is dropped.
    ///
    /// ```
    /// use std::{sync::Arc, thread};
    /// use settled::{ThreadFuture, ThreadPool};
    ///
    /// let pool = Arc::new(ThreadPool::default());
    /// let (promise, future) = ThreadFuture::<u32, ()>::pair();
    /// let (written, elsewhere) = ThreadFuture::<bool, ()>::pair();
    /// let settler = thread::current().id();
    /// future.add_done_callback_on(Arc::clone(&pool), move |_| {
    ///     written.finish(thread::current().id() != settler).unwrap();
    /// });
    /// promise.finish(7).unwrap();
    /// assert!(elsewhere.join().unwrap());
    /// ```
    #[doc(alias = "via")]
    pub fn add_done_callback_on(
        &self,
        executor: impl Executor + Send + 'static,
        callback: impl FnOnce(&Settled<T, E>) + Send + 'static,
    ) where
        T: Send + Sync + 'static,
        E: Send + Sync + 'static,
    {
        self.add_done_callback(move |settled| {
            let via = Via { callback, lent: settled.handle().lend() };
            // Refused, it is dropped.
            drop(executor.execute(Job::from_run(via)));
        });
    }
}

/// A callback on its way. The order of the fields is the order of their drops: when the lending ends, what the callback
/// held is gone.
struct Via<T, E, F> {
    callback: F,
    lent: Lent<T, E>,
}

impl<T, E, F> Run for Via<T, E, F>
where
    T: Send + Sync + 'static,
    E: Send + Sync + 'static,
    F: FnOnce(&Settled<T, E>) + Send + 'static,
{
    fn run(self: Box<Self>) {
        let Self { callback, lent } = *self;
        let settled = lent.settled();
        run_for(None, || deferred::call(settled, callback));
        // If it was the last handle, the value is dropped here, when nothing names its cell any more.
        isolate(|| drop(lent));
    }

    fn returns(&self) -> Option<Address> {
        Some(self.lent.settled().handle().address())
    }
}
