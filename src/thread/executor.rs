//! [`Executor`]: whoever takes a job and gives back a future.

use std::{
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::Map;
use crate::{
    blocking::run_for,
    cell::Address,
    context::Id,
    error::{Closed, Panic},
    phase::Running,
    promise::Promise,
    thread::ThreadFuture,
    trace::{self, Queued},
    waiter::{Job, Run, isolate},
};

/// Whoever runs work in other threads and gives futures for it. Python's
/// `concurrent.futures.Executor`.
///
/// An implementation provides [`execute`](Self::execute): accept a [`Job`] or hand it back. Each
/// accepted job must be run once or dropped; both settle its future. `[pool-1]`
///
/// A pointer to an executor is one too: an `Arc<dyn Executor>` or `Box<dyn Executor>` submits, and
/// so does a reference to a `&dyn Executor`.
///
/// ```
/// use std::thread;
/// use settled::{Closed, Executor, Job};
///
/// struct Threads;
///
/// impl Executor for Threads {
///     fn execute(&self, job: Job) -> Result<(), Closed<Job>> {
///         thread::spawn(|| job.run()); // dropped unrun, it would settle its future too
///         Ok(())
///     }
/// }
///
/// let parsed = Threads.submit_result(|| "7".parse::<u32>()).unwrap();
/// assert_eq!(parsed.join().unwrap(), 7);
/// ```
pub trait Executor {
    /// Takes a job, to run it in a thread of the executor, or to drop it.
    ///
    /// # Errors
    ///
    /// [`Closed`] hands the job back if the executor takes no more work; it has not run and never
    /// will. It must be the same job, not one that was made around it: `submit` takes the work out
    /// of it. `[pool-4]`
    fn execute(&self, job: Job) -> Result<(), Closed<Job>>;

    /// Runs `work` in the executor; its value is the future's. A panic in it becomes the future's
    /// outcome, with its payload. `[pool-2]` `[pool-3]` Cancelled before a worker begins, it never
    /// runs, and is dropped. `[cancel-2]`
    ///
    /// In a [`ThreadPool`](crate::ThreadPool), a job that waits for a queued job of its own pool runs that job itself.
    /// `[pool-7]` An [`EventLoop`](crate::EventLoop) that runs inside a job does so too when three things hold: it
    /// would sleep, it awaits a queued job of the pool, and no other worker can run that job, because each of them
    /// waits or sleeps in a loop. `[pool-13]` The loop stands still meanwhile: its timers are late, and a job that ends
    /// only when a `wait_for` of this loop cancels it never ends.
    ///
    /// Two waits inside a job may never end: a loop's for a job that has begun and waits for the job which runs the
    /// loop; and a foreign `block_on` that awaits a job of the same pool, since it tells the pool nothing.
    ///
    /// # Errors
    ///
    /// [`Closed`] hands `work` back if the executor takes no more work; it has not run and never
    /// will. `[pool-4]`
    ///
    /// # Panics
    ///
    /// If [`execute`](Self::execute) hands back another job than the one that it was given.
    ///
    /// ```
    /// use settled::{Executor, ThreadPool};
    ///
    /// let pool = ThreadPool::default();
    /// let future = pool.submit(|| 6 * 7).unwrap();
    /// assert_eq!(future.result().unwrap(), &42);
    /// ```
    #[doc(alias("spawn", "spawn_blocking"))]
    fn submit<T, F>(&self, work: F) -> Result<ThreadFuture<T, Infallible>, Closed<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
        Self: Sized,
    {
        submit(self, work, |work, _| Ok(work()))
    }

    /// As [`submit`](Self::submit), for work that can fail. `[pool-2]` `[pool-3]`
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit).
    ///
    /// # Panics
    ///
    /// As [`submit`](Self::submit).
    #[doc(alias = "try_spawn")]
    fn submit_result<T, E, F>(&self, work: F) -> Result<ThreadFuture<T, E>, Closed<F>>
    where
        F: FnOnce() -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
        Self: Sized,
    {
        submit(self, work, |work, _| work())
    }

    /// As [`submit_result`](Self::submit_result), for work that can stop early: it is lent its promise, which tells it
    /// that somebody asked to cancel, or that nobody is left who would see what it returns. The cancel stays refused,
    /// since only the work itself can stop; what it then returns is its own decision. `[cancel-3]` `[promise-8]` Lent,
    /// the promise settles nothing: every method that does takes it by value.
    ///
    /// ```
    /// use settled::{Executor, ThreadPool};
    ///
    /// let pool = ThreadPool::default();
    /// let job = pool.submit_with(|promise| {
    ///     for done in 0_u64.. {
    ///         if promise.cancel_requested() {
    ///             return Err(done); // so far
    ///         }
    ///     }
    ///     Ok(())
    /// });
    /// let job = job.unwrap();
    /// while !job.running() {
    ///     std::thread::yield_now();
    /// }
    /// assert!(!job.cancel().thread_answer());
    /// assert!(job.exception().unwrap().is_some());
    ///
    /// let job = pool.submit_with(|promise| {
    ///     while !promise.is_closed() {
    ///         std::thread::yield_now(); // a piece of the work
    ///     }
    ///     Ok::<_, ()>(())
    /// });
    /// drop(job.unwrap());   // nobody waits any more, and the work ends
    /// pool.shutdown().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit).
    ///
    /// # Panics
    ///
    /// As [`submit`](Self::submit).
    #[doc(alias = "JobContext")]
    fn submit_with<T, E, F>(&self, work: F) -> Result<ThreadFuture<T, E>, Closed<F>>
    where
        F: FnOnce(&Promise<T, E, Running>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
        Self: Sized,
    {
        submit(self, work, |work, promise| work(promise))
    }

    /// Calls `work` with each of `items`, in the executor, and yields what it returns, in the order
    /// of the items. Python's `Executor.map`. `[pool-9]`
    ///
    /// Nothing is submitted before the first `next`; then all items are, or as many as a
    /// [`buffersize`](Map::buffersize) allows ahead of the one that is waited for. It ends with the
    /// first item that has no value; that, and dropping it, cancels what has not begun.
    ///
    /// ```
    /// use settled::{Executor, ThreadPool};
    ///
    /// let pool = ThreadPool::default();
    /// let squares: Result<Vec<_>, _> = pool.map(1..=4, |n| n * n).collect();
    /// assert_eq!(squares.unwrap(), [1, 4, 9, 16]);
    /// ```
    fn map<I, F, T>(&self, items: I, work: F) -> Map<&Self, I::IntoIter, F, T>
    where
        I: IntoIterator<Item: Send + 'static>,
        F: Fn(I::Item) -> T + Send + Sync + 'static,
        T: Send + 'static,
        Self: Sized,
    {
        Map::new(self, items.into_iter(), work)
    }

    /// As [`map`](Self::map), and keeps the executor, for instance an `Arc` of it: what this returns borrows nothing,
    /// and can live in a struct or go to another thread. `[pool-9]`
    ///
    /// ```
    /// use std::sync::Arc;
    /// use settled::{Executor, ThreadPool};
    ///
    /// fn squares(pool: &Arc<ThreadPool>) -> impl Iterator<Item = u32> + use<> {
    ///     Arc::clone(pool).map_owned(1..=4, |n| n * n).map_while(Result::ok)
    /// }
    ///
    /// assert!(squares(&Arc::default()).eq([1, 4, 9, 16]));
    /// ```
    fn map_owned<I, F, T>(self, items: I, work: F) -> Map<Self, I::IntoIter, F, T>
    where
        I: IntoIterator<Item: Send + 'static>,
        F: Fn(I::Item) -> T + Send + Sync + 'static,
        T: Send + 'static,
        Self: Sized,
    {
        Map::new(self, items.into_iter(), work)
    }
}

impl<X: Executor + ?Sized> Executor for &X {
    fn execute(&self, job: Job) -> Result<(), Closed<Job>> {
        (**self).execute(job)
    }
}

impl<X: Executor + ?Sized> Executor for Arc<X> {
    fn execute(&self, job: Job) -> Result<(), Closed<Job>> {
        (**self).execute(job)
    }
}

impl<X: Executor + ?Sized> Executor for Box<X> {
    fn execute(&self, job: Job) -> Result<(), Closed<Job>> {
        (**self).execute(job)
    }
}

/// Work and the promise of its outcome. The order of the fields is the order of their drops: when
/// the future is seen settled, what the work held is gone.
pub(super) struct Work<F, T, E> {
    queued: Queued,
    work: F,
    promise: Promise<T, E>,
    call: Call<F, T, E>,
}

/// How work is called.
pub(super) type Call<F, T, E> = fn(F, &Promise<T, E, Running>) -> Result<T, E>;

fn submit<X, F, T, E>(
    executor: &X,
    work: F,
    call: Call<F, T, E>,
) -> Result<ThreadFuture<T, E>, Closed<F>>
where
    X: Executor,
    F: Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let (promise, future) = ThreadFuture::pair();
    let submitted = executor.execute(Job::from_run(Work::new(work, promise, call)));
    submitted.map(|()| future).map_err(|closed| {
        trace::job_is_refused();
        closed.map(|job| {
            let refused = job.into_run::<Work<F, T, E>>();
            refused.expect("an executor hands back the very job that it was given").work
        })
    })
}

impl<F, T, E> Work<F, T, E> {
    pub(super) fn new(work: F, promise: Promise<T, E>, call: Call<F, T, E>) -> Self {
        Self { queued: Queued::now(), work, promise, call }
    }
}

/// A [`Run`] that may borrow.
pub(super) trait Body: Send {
    fn run(self: Box<Self>);
    fn break_off(self: Box<Self>);
    fn settles(&self) -> Address;
    fn is_awaited_on(&self, home: Id) -> bool;
}

impl<F: Send, T: Send, E: Send> Body for Work<F, T, E> {
    fn run(self: Box<Self>) {
        let Self { queued, work, promise, call } = *self;
        // Cancelled before it began: the work is dropped, and never runs.
        let Ok(promise) = promise.start() else { return isolate(|| drop(work)) };
        trace::job_begins(&queued);
        let settles = promise.address();
        match catch_unwind(AssertUnwindSafe(|| run_for(Some(settles), || call(work, &promise)))) {
            Ok(Ok(value)) => promise.finish(value),
            Ok(Err(error)) => promise.fail(error),
            Err(payload) => promise.panicked(Panic::new(payload)),
        }
    }

    fn break_off(self: Box<Self>) {
        let Self { work, promise, .. } = *self;
        isolate(|| drop(work));
        promise.broken();
    }

    fn settles(&self) -> Address {
        self.promise.address()
    }

    fn is_awaited_on(&self, home: Id) -> bool {
        self.promise.is_awaited_on(home)
    }
}

impl<F, T, E> Run for Work<F, T, E>
where
    F: Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    fn run(self: Box<Self>) {
        Body::run(self);
    }

    fn break_off(self: Box<Self>) {
        Body::break_off(self);
    }

    fn settles(&self) -> Option<Address> {
        Some(Body::settles(self))
    }

    fn is_awaited_on(&self, home: Id) -> bool {
        Body::is_awaited_on(self, home)
    }
}
