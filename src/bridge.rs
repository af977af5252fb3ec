//! The crossings between the two flavours: the only module that uses both.

use std::{any::Any, convert::Infallible, future::Future, rc::Rc, sync::Arc};

use crate::{
    Executor, LoopFuture, LoopHandle, LoopRef, Schedule, ThreadFuture, ThreadPool,
    error::Closed,
    event_loop::send,
    host::{Host, JobSender},
    sync::thread,
    waiter::Job,
};

/// Makes a loop's view of a thread future: a second view of the same cell, not a copy. Python's `asyncio.wrap_future`.
/// `[bridge-1]`
///
/// The two views never contradict each other, and a cancel through either is a cancel of the one future. The loop's view
/// may lag, until its loop has delivered the end. A second view hands `&T` to the loop's thread, hence `Sync`.
/// `[bounds-2]` If nobody needs the thread's view any more, [`adopt_future`] needs no `Sync`. Call it on the loop's thread.
///
/// ```
/// use settled::{EventLoop, ThreadFuture, bridge};
///
/// let event_loop = EventLoop::new();
/// let (promise, future) = ThreadFuture::<u32, String>::pair();
/// let view = bridge::wrap_future(&future, &event_loop);
/// let producer = std::thread::spawn(move || promise.finish(1));
/// let settled = event_loop.run_until_complete(view).unwrap();
/// assert_eq!(settled.result().unwrap(), future.result().unwrap());
/// producer.join().unwrap().unwrap();
/// ```
#[must_use]
pub fn wrap_future<T, E>(future: &ThreadFuture<T, E>, home: &LoopRef) -> LoopFuture<T, E>
where
    T: Sync + 'static,
    E: Sync + 'static,
{
    LoopFuture::view(future.clone().into_inner(), home.registry())
}

/// Makes a loop's future of a thread's: the same cell, whose only handle changes its kind. So the value need not be
/// `Sync`, as it must for two views, and comes out of the loop's future by value. `[bridge-5]` Python has no such
/// crossing, since all its values can be shared.
///
/// A cancel through it is a cancel of the one future. Callbacks that were registered before stay with the thread that
/// settles. Call it on the loop's thread.
///
/// ```
/// use std::sync::mpsc;
/// use settled::{EventLoop, Executor, ThreadPool, bridge};
///
/// let (event_loop, pool) = (EventLoop::new(), ThreadPool::default());
/// let job = pool.submit(mpsc::channel::<u32>).unwrap(); // its receiver is not `Sync`
/// let future = bridge::adopt_future(job, &event_loop);
/// let (sender, receiver) = event_loop.run_until_complete(future.output()).unwrap().unwrap();
/// sender.send(7).unwrap();
/// assert_eq!(receiver.recv(), Ok(7));
/// ```
#[must_use]
pub fn adopt_future<T, E>(future: ThreadFuture<T, E>, home: &LoopRef) -> LoopFuture<T, E>
where
    T: 'static,
    E: 'static,
{
    LoopFuture::view(future.into_inner(), home.registry())
}

/// Makes a thread's view of a loop's future, a task's for example. Other threads can wait for it, and the coroutine stays
/// where it is. `[bridge-1]`
///
/// It is a second view of the same cell, as [`wrap_future`] makes one the other way round: a cancel through it is a cancel
/// of the one future. Call it on the loop's thread, and hand the result to others. Do not wait for it on the loop's own
/// thread: while the loop runs the wait answers [`WouldDeadlock`](crate::WouldDeadlock), and while it does not run nobody
/// ends the wait.
///
/// A task that is stopped while it awaits this by value asks it to cancel, and does not wait until it has; one that awaits
/// the loop's future does. `[await-3]` An error that nobody has looked at is reported if the loop's handle is the last to
/// go. `[report-2]`
///
/// ```
/// use std::{rc::Rc, thread};
/// use settled::{EventLoop, bridge};
///
/// let event_loop = EventLoop::new();
/// let not_send = Rc::new(42);
/// let task = event_loop.create_task(async move { *not_send }).unwrap();
/// let (future, handle) = (bridge::thread_future(&task), event_loop.handle());
/// let other = thread::spawn(move || {
///     let answer = *future.result().unwrap();
///     handle.stop();
///     answer
/// });
/// event_loop.run_forever().unwrap();
/// assert_eq!(other.join().unwrap(), 42);
/// ```
#[must_use]
pub fn thread_future<T, E>(future: &LoopFuture<T, E>) -> ThreadFuture<T, E>
where
    T: Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    ThreadFuture::new(future.handle().clone())
}

/// Runs `work` in an executor and gives the loop's view of its outcome. Python's
/// `loop.run_in_executor`. `[bridge-2]`
///
/// Cancelling the future before a worker has begun drops `work` unrun; after that it is refused. Work
/// that wants to see the request is submitted with
/// [`submit_with`](Executor::submit_with), and wrapped. Call it on the loop's thread.
///
/// # Errors
///
/// [`Closed`] hands `work` back if the executor takes no more work.
///
/// # Panics
///
/// If the executor hands back another job than the one that it was given.
///
/// ```
/// use settled::{EventLoop, LoopRef, ThreadPool, bridge};
///
/// let (event_loop, pool) = (EventLoop::new(), ThreadPool::default());
/// let text = event_loop.run_until_complete(async {
///     let here = LoopRef::current().unwrap();
///     let read = bridge::run_in_executor_result(&here, &pool, || std::fs::read_to_string("Cargo.toml")).unwrap();
///     let count = bridge::run_in_executor(&here, &pool, || 6 * 7).unwrap();
///     (read.output().await.unwrap().len() > 0, count.output().await.unwrap())
/// });
/// assert_eq!(text, Ok((true, 42)));
/// ```
#[doc(alias("spawn_blocking", "unblock"))]
pub fn run_in_executor<X, T, F>(
    home: &LoopRef,
    executor: &X,
    work: F,
) -> Result<LoopFuture<T, Infallible>, Closed<F>>
where
    X: Executor + ?Sized,
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Ok(LoopFuture::view((&executor).submit(work)?.into_inner(), home.registry()))
}

/// As [`run_in_executor`], for work that can fail. `[bridge-2]`
///
/// # Errors
///
/// As [`run_in_executor`].
///
/// # Panics
///
/// As [`run_in_executor`].
pub fn run_in_executor_result<X, T, E, F>(
    home: &LoopRef,
    executor: &X,
    work: F,
) -> Result<LoopFuture<T, E>, Closed<F>>
where
    X: Executor + ?Sized,
    F: FnOnce() -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    Ok(LoopFuture::view((&executor).submit_result(work)?.into_inner(), home.registry()))
}

/// Runs `work` in the default executor of the loop that runs this. Python's `asyncio.to_thread`, and
/// `run_in_executor(None, ..)`. `[bridge-4]`
///
/// ```
/// use settled::{EventLoop, bridge};
///
/// let answer = EventLoop::new().run_until_complete(async {
///     bridge::to_thread(|| 6 * 7).unwrap().await.take().unwrap().unwrap()
/// });
/// assert_eq!(answer, Ok(42));
/// ```
///
/// # Errors
///
/// [`Closed`] hands `work` back if no loop of this crate runs this, if its default executor was shut down, or if that has
/// no worker and none can be started.
#[doc(alias = "spawn_blocking")]
pub fn to_thread<T, F>(work: F) -> Result<LoopFuture<T, Infallible>, Closed<F>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let Some(home) = LoopRef::current() else { return Err(Closed::new(work)) };
    match default_executor(&home) {
        Some(pool) => run_in_executor(&home, &pool, work),
        None => Err(Closed::new(work)),
    }
}

/// What a loop keeps of its default executor.
struct Kept {
    /// None if it was shut down before there was one.
    pool: Option<Arc<ThreadPool>>,
    /// Whether it was shut down, and is that of the loop no more.
    shut: bool,
}

fn kept(home: &LoopRef) -> Option<Rc<Kept>> {
    let kept = home.kept().borrow().clone();
    kept.and_then(|kept| kept.downcast().ok())
}

fn keep(home: &LoopRef, pool: Option<Arc<ThreadPool>>, shut: bool) {
    let kept = Rc::new(Kept { pool, shut });
    let last = home.kept().replace(Some(kept as Rc<dyn Any>));
    drop(last);
}

/// Returns the default executor of a loop: made by the first who asks, with as many workers as the machine runs threads
/// at once. `None` if it was shut down, or the loop is closed. The loop holds it until it is closed, which does not
/// wait for its jobs. `[bridge-4]`
///
/// ```
/// use std::sync::Arc;
/// use settled::{EventLoop, LoopRef, ThreadPool, bridge};
///
/// let event_loop = EventLoop::new();
/// event_loop.run_until_complete(async {
///     let here = LoopRef::current().unwrap();
///     bridge::set_default_executor(&here, Arc::new(ThreadPool::default()));
///     assert!(bridge::default_executor(&here).is_some());
///     bridge::shutdown_default_executor(&here).await;
/// }).unwrap();
/// ```
#[must_use]
pub fn default_executor(home: &LoopRef) -> Option<Arc<ThreadPool>> {
    if home.is_closed() {
        return None;
    }
    if let Some(kept) = kept(home) {
        return kept.pool.clone().filter(|_| !kept.shut);
    }
    let pool = Arc::new(ThreadPool::default());
    keep(home, Some(Arc::clone(&pool)), false);
    Some(pool)
}

/// Makes `pool` the default executor of a loop. Python's `loop.set_default_executor`. On a closed loop it does
/// nothing. The last one is dropped in this call: if nobody else holds it, that waits for its jobs where it may, outside
/// of a loop. After a shutdown there is a default executor again, which Python refuses. `[bridge-4]`
pub fn set_default_executor(home: &LoopRef, pool: Arc<ThreadPool>) {
    if !home.is_closed() {
        keep(home, Some(pool), false);
    }
}

/// Shuts the default executor of a loop down: new work is refused, and this completes when what was accepted has
/// ended. Python's `loop.shutdown_default_executor`. The loop runs on meanwhile: another thread waits. Dropping
/// this takes nothing back, and whoever calls it again waits again. `[bridge-4]`
///
/// # Panics
///
/// If no thread can be started that waits.
pub async fn shutdown_default_executor(home: &LoopRef) {
    let pool = kept(home).and_then(|kept| kept.pool.clone());
    keep(home, pool.clone(), true);
    let Some(pool) = pool else { return };
    let (promise, over) = home.create_future::<(), Infallible>();
    let waits = move || {
        // This thread is no worker and runs no loop.
        let waited = pool.shutdown();
        debug_assert!(waited.is_ok(), "a thread of its own can wait");
        let _ = promise.finish(());
    };
    thread::Builder::new().name("shutdown".into()).spawn(waits).expect("a thread can be started");
    over.await;
}

/// Runs `coroutine` as a task of a loop in another thread, and gives a future that this thread can
/// wait for. Python's `asyncio.run_coroutine_threadsafe`. `[bridge-3]`
///
/// `cancel` on the future asks the task to stop, and answers
/// [`Requested`](crate::Cancel::Requested): the future is Cancelled when the coroutine has been
/// dropped, not before. If the loop is closed first, the future is Cancelled too; it is never left
/// unsettled. Waiting for it on the loop's own thread is
/// [`WouldDeadlock`](crate::WouldDeadlock). May be called from any thread.
///
/// The coroutine is sent to the loop's thread, so that it must be `Send`: it cannot hold a
/// [`LoopRef`] or a [`LoopFuture`] across an `.await`. It can make a task of the loop that holds
/// them, and await a [`ThreadFuture`] whose promise that task keeps.
///
/// # Errors
///
/// [`Closed`] hands `coroutine` back if the loop takes no more work.
///
/// ```
/// use settled::{EventLoop, bridge};
///
/// let event_loop = EventLoop::new();
/// let handle = event_loop.handle();
/// let other = std::thread::spawn(move || {
///     let future = bridge::run_coroutine_threadsafe(async { 40 + 2 }, &handle).unwrap();
///     let answer = *future.result().unwrap();
///     handle.stop();
///     answer
/// });
/// event_loop.run_forever().unwrap();
/// assert_eq!(other.join().unwrap(), 42);
/// ```
#[doc(alias("spawn", "call_soon_threadsafe"))]
pub fn run_coroutine_threadsafe<F, T>(
    coroutine: F,
    home: &LoopHandle,
) -> Result<ThreadFuture<T, Infallible>, Closed<F>>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    Ok(ThreadFuture::new(send(coroutine, home, Ok)?))
}

/// As [`run_coroutine_threadsafe`], for a coroutine that can fail. May be called from any thread.
/// `[bridge-3]`
///
/// # Errors
///
/// As [`run_coroutine_threadsafe`].
///
/// ```
/// use settled::{EventLoop, bridge};
///
/// let event_loop = EventLoop::new();
/// let handle = event_loop.handle();
/// let failed = bridge::run_coroutine_threadsafe_result(async { Err::<(), _>("no route") }, &handle).unwrap();
/// while event_loop.try_tick().unwrap() {}
/// assert_eq!(failed.join_result().unwrap(), Err("no route"));
/// ```
pub fn run_coroutine_threadsafe_result<F, T, E>(
    coroutine: F,
    home: &LoopHandle,
) -> Result<ThreadFuture<T, E>, Closed<F>>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    Ok(ThreadFuture::new(send(coroutine, home, |output| output)?))
}

/// What is executed runs on the loop's thread, in a later turn: `handle.submit(work)` is
/// [`call_soon_threadsafe`](LoopHandle::call_soon_threadsafe) with a future of what `work` returns. `[bridge-6]`
///
/// ```
/// use std::thread;
/// use settled::{EventLoop, Executor};
///
/// let event_loop = EventLoop::new();
/// let (handle, here) = (event_loop.handle(), thread::current().id());
/// let other = thread::spawn(move || {
///     let ran_in = handle.submit(|| thread::current().id()).unwrap().join().unwrap();
///     handle.stop();
///     ran_in
/// });
/// event_loop.run_forever().unwrap();
/// assert_eq!(other.join().unwrap(), here);
/// ```
impl Executor for LoopHandle {
    fn execute(&self, job: Job) -> Result<(), Closed<Job>> {
        Schedule::call_soon_threadsafe(self, job)
    }
}

/// What is executed runs in the queue's loop. `[bridge-6]`
impl Executor for JobSender {
    fn execute(&self, job: Job) -> Result<(), Closed<Job>> {
        self.call_soon_threadsafe(job)
    }
}

/// Here, since only the crossings know both views.
impl Host {
    /// This loop's future instead of a thread future, as [`adopt_future`] gives it for a loop of this crate.
    /// `[bridge-5]` `[host-1]`
    ///
    /// ```
    /// use std::sync::Arc;
    /// use settled::{Executor, ThreadPool, host::{Host, job_queue}};
    ///
    /// let (sender, mut queue) = job_queue();
    /// let host = Host::new(Arc::new(sender));
    /// let future = host.adopt_future(ThreadPool::default().submit(|| 7).unwrap());
    /// while !future.done() {
    ///     queue.run_pending(); // the loop goes round
    /// }
    /// assert_eq!(future.result().unwrap(), &7);
    /// ```
    #[must_use]
    pub fn adopt_future<T, E>(&self, future: ThreadFuture<T, E>) -> LoopFuture<T, E>
    where
        T: 'static,
        E: 'static,
    {
        LoopFuture::view(future.into_inner(), self.registry())
    }

    /// This loop's view of a thread future, as [`wrap_future`] gives it for a loop of this crate. `[bridge-1]`
    /// `[host-1]`
    #[must_use]
    pub fn wrap_future<T, E>(&self, future: &ThreadFuture<T, E>) -> LoopFuture<T, E>
    where
        T: Sync + 'static,
        E: Sync + 'static,
    {
        LoopFuture::view(future.clone().into_inner(), self.registry())
    }
}
