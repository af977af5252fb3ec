//! Jobs that borrow from the stack of whoever submits them: [`scope`].
#![expect(
    unsafe_code,
    reason = "what borrows is sent as if it did not; every block says why it is sound"
)]

use std::{
    cell::RefCell,
    convert::Infallible,
    fmt,
    io::{self, Write as _},
    marker::PhantomData,
    mem, process,
};

use super::{
    Executor, ReturnWhen, ThreadFuture,
    executor::{Body, Call, Work},
    wait::wait,
};
use crate::{
    blocking::{Owed, run_for},
    cell::{Address, Until},
    context::{self, Id},
    error::{Closed, WaitError, WouldDeadlock},
    interrupt,
    phase::Running,
    promise::{self, Promise},
    trace,
    waiter::{Job, Run},
};

/// Calls `f`, which may submit jobs to `executor` that borrow what lives longer than this call, and returns when
/// nothing of any of these jobs is left. `[scope-1]`
///
/// Nothing of a job is left when it has run or was dropped, when what it captured was dropped, and when the callbacks
/// have returned that its settler called inside the job. Callbacks that were deferred or sent elsewhere, and those that
/// a canceller calls, are not waited for. `[callback-8]` `[callback-10]` A cancelled job is waited for too, until its
/// executor drops it. This thread waits as in [`wait`](crate::wait): a worker runs those of the scope's jobs that are
/// queued in its own pool. But the scope cannot give up: an executor that keeps a job for ever, or leaks it, makes it
/// wait for ever, and no [`Interrupt`](crate::Interrupt) ends it. `[scope-3]` If `f` panics, the panic goes on when the
/// jobs have ended. A panic of a job is the outcome of its future, and reaches nobody else. `[pool-3]`
///
/// A worker's scope counts in the circles of waits from its first job on: of what the job that made the scope is to
/// settle, its jobs cannot wait. `[scope-4]` A wait that began before, and that keeps a worker from beginning a job of
/// the scope, cannot be refused any more: the scope then says so on the standard error, and waits for ever.
///
/// There is no such scope for tasks: a coroutine can be dropped, or forgotten, at any of its awaits, with what it
/// lends, and jobs in other threads would go on reading it. In a task, move what the job needs into it, or share it by
/// an `Arc`.
///
/// ```
/// use settled::{ThreadPool, scope};
///
/// let (pool, numbers) = (ThreadPool::default(), vec![1, 2, 3, 4]);
/// let (left, right) = numbers.split_at(2);
/// let sum = scope(&pool, |scope| {
///     let left = scope.submit(|| left.iter().sum::<i32>()).unwrap();
///     let right = scope.submit(|| right.iter().sum::<i32>()).unwrap();
///     left.join().unwrap() + right.join().unwrap()
/// });
/// assert_eq!(sum, Ok(10));
/// drop(numbers);
/// ```
///
/// # Errors
///
/// [`WouldDeadlock`], and `f` is not called: on a thread that runs an event loop, in a worker that runs many jobs
/// inside each other or has little of its stack left, and in many callbacks that wait inside each other. `[scope-2]`
/// `[deadlock-1]`
///
/// # Panics
///
/// If `f` does.
#[doc(alias("scoped", "spawn_scoped"))]
pub fn scope<'env, F, R>(executor: &'env dyn Executor, f: F) -> Result<R, WouldDeadlock>
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> R,
{
    let owed = Owed::begin()?;
    let scope =
        Scope { executor, jobs: RefCell::default(), owed, _scope: PhantomData, _env: PhantomData };
    // Also if `f` panics.
    let end = End(&scope.jobs);
    let value = f(&scope);
    drop(end);
    Ok(value)
}

/// Submits jobs that may borrow what lives longer than the call of [`scope`] that lends it. It stays in the thread of
/// that call. `[scope-1]`
///
/// ```
/// use settled::{Scope, ThreadPool, scope};
///
/// fn both<'scope, 'env>(on: &'scope Scope<'scope, 'env>, text: &'env str) -> usize {
///     let (head, tail) = text.split_once(' ').unwrap();
///     let head = on.submit(|| head.len()).unwrap();
///     let tail = on.submit_result(|| tail.parse::<usize>()).unwrap();
///     head.join().unwrap() + tail.join().unwrap()
/// }
///
/// let text = "borrowed 34".to_owned();
/// assert_eq!(scope(&ThreadPool::default(), |on| both(on, &text)), Ok(42));
/// ```
pub struct Scope<'scope, 'env: 'scope> {
    executor: &'env dyn Executor,
    /// Before the cells go that it names.
    owed: Owed,
    /// Of each job, what is settled when nothing of it is left.
    jobs: RefCell<Vec<ThreadFuture<(), Infallible>>>,
    /// Invariant: what jobs borrow is to outlive all of the scope, and no less.
    _scope: PhantomData<&'scope mut &'scope ()>,
    _env: PhantomData<&'env mut &'env ()>,
}

impl<'scope> Scope<'scope, '_> {
    /// As [`Executor::submit`], for work that may borrow. `[scope-1]`
    ///
    /// The future is one like any other; dropping it, or forgetting it, changes nothing for the scope.
    ///
    /// # Errors
    ///
    /// [`Closed`] if the executor takes no more work; `work` was dropped by then, since what borrows could not go up by
    /// `?`.
    pub fn submit<T, F>(&'scope self, work: F) -> Result<ThreadFuture<T, Infallible>, Closed<()>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        self.execute(work, |work, _| Ok(work()))
    }

    /// As [`Executor::submit_result`], for work that may borrow. `[scope-1]`
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit).
    pub fn submit_result<T, E, F>(&'scope self, work: F) -> Result<ThreadFuture<T, E>, Closed<()>>
    where
        F: FnOnce() -> Result<T, E> + Send + 'scope,
        T: Send + 'scope,
        E: Send + 'scope,
    {
        self.execute(work, |work, _| work())
    }

    /// As [`Executor::submit_with`], for work that may borrow. `[scope-1]`
    ///
    /// ```
    /// use settled::{ThreadPool, scope};
    ///
    /// let (pool, mut done) = (ThreadPool::default(), 0);
    /// scope(&pool, |scope| {
    ///     let job = scope.submit_with(|job| {
    ///         while !job.cancel_requested() {
    ///             done += 1; // a piece of the work
    ///         }
    ///         Ok::<_, ()>(())
    ///     });
    ///     let job = job.unwrap();
    ///     while !job.running() {
    ///         std::thread::yield_now();
    ///     }
    ///     let _ = job.cancel();
    /// })
    /// .unwrap();
    /// println!("{done} pieces");
    /// ```
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit).
    pub fn submit_with<T, E, F>(&'scope self, work: F) -> Result<ThreadFuture<T, E>, Closed<()>>
    where
        F: FnOnce(&Promise<T, E, Running>) -> Result<T, E> + Send + 'scope,
        T: Send + 'scope,
        E: Send + 'scope,
    {
        self.execute(work, |work, promise| work(promise))
    }

    fn execute<F, T, E>(
        &'scope self,
        work: F,
        call: Call<F, T, E>,
    ) -> Result<ThreadFuture<T, E>, Closed<()>>
    where
        F: Send + 'scope,
        T: Send + 'scope,
        E: Send + 'scope,
    {
        let (promise, handle) = promise::pending();
        let body: Box<dyn Body + 'scope> = Box::new(Work::new(work, promise, call));
        let (gone, left) = promise::pending();
        let left = ThreadFuture::new(left);
        self.owed.add(left.handle().address());
        // Before it is sent, so that no panic of the executor lets it be forgotten.
        self.jobs.borrow_mut().push(left);
        // SAFETY: only the lifetime changes. What `'scope` stands for lives until `scope` returns, and that does not before
        // `End` was dropped, which returns only when `gone` has settled each of the jobs, also if `f` panics; `f` cannot
        // keep it from being dropped. `gone` lies in the same `Scoped` as the body, is dropped after it, and is never
        // settled otherwise; nobody can cancel it, since its future does not leave the scope. So whoever runs the body,
        // drops it, forgets it or keeps it for ever, in whatever thread: what it borrows is there as long as the body is.
        // Nothing of it outlives the body: `Work` calls and drops the work and gives the promise away in `run`. What the
        // promise leaves in the cell belongs to the handles that the user has, whose types have the lifetime; callbacks,
        // which may be deferred, exist only where `T` and `E` are `'static`.
        let body = unsafe { mem::transmute::<Box<dyn Body + 'scope>, Box<dyn Body>>(body) };
        match self.executor.execute(Job::from_run(Scoped { body, gone })) {
            Ok(()) => Ok(ThreadFuture::new(handle)),
            Err(closed) => {
                trace::job_is_refused();
                Err(closed.map(drop))
            }
        }
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let jobs = self.jobs.try_borrow().ok();
        let left = jobs.map(|jobs| jobs.iter().filter(|job| !job.done()).count());
        f.debug_struct("Scope").field("left", &left).finish_non_exhaustive()
    }
}

/// A job of a scope. The order of the fields is the order of their drops: when the scope is told, the body is gone.
struct Scoped {
    /// It may borrow.
    body: Box<dyn Body>,
    gone: Promise<(), Infallible>,
}

impl Scoped {
    /// Lets go of the body by `f`; if that panics, the scope is told all the same, and not before.
    fn end(self, f: impl FnOnce(Box<dyn Body>)) {
        // In this order: what is declared last is dropped first.
        let Self { gone, body } = self;
        run_for(Some(gone.address()), || f(body));
        drop(gone);
    }
}

impl Run for Scoped {
    fn run(self: Box<Self>) {
        self.end(|body| body.run());
    }

    fn break_off(self: Box<Self>) {
        self.end(|body| body.break_off());
    }

    fn settles(&self) -> Option<Address> {
        Some(self.body.settles())
    }

    fn ends(&self) -> Option<Address> {
        Some(self.gone.address())
    }

    fn is_awaited_on(&self, home: Id) -> bool {
        self.body.is_awaited_on(home)
    }
}

/// Waits for the jobs of a scope when it is dropped. `[scope-3]`
struct End<'a>(&'a RefCell<Vec<ThreadFuture<(), Infallible>>>);

impl Drop for End<'_> {
    fn drop(&mut self) {
        /// Ends the process if a panic would unwind out of the wait, to where the jobs borrow from.
        struct Abort;
        impl Drop for Abort {
            fn drop(&mut self) {
                process::abort();
            }
        }
        let abort = Abort;
        let jobs = self.0.borrow();
        if wait_for_all(&jobs).is_err() {
            // It is not to panic where there is no standard error.
            let _ = writeln!(
                io::stderr(),
                "settled: a scope waits for a job that no worker can begin or end before the scope does, and for ever, \
                 unless that job is cancelled and dropped; submit it to another pool, or let no job wait for the scope's"
            );
        }
        // Refused or not: what the jobs borrow has to stay.
        for job in &*jobs {
            while !job.done() {
                let _shield = interrupt::shield();
                job.handle().park_until(Until::Settled, None);
            }
        }
        mem::forget(abort);
    }
}

/// Waits for the jobs of a scope, and helps as every wait does. The scope was let in where nothing refuses that but a
/// circle; what it calls or runs may enter a loop or an interrupt and keep it, which does not count here.
fn wait_for_all(jobs: &[ThreadFuture<(), Infallible>]) -> Result<(), WouldDeadlock> {
    loop {
        let _shield = interrupt::shield();
        let mut ended = Ok(());
        context::outside_of_loops(|| ended = wait(jobs, None, ReturnWhen::AllCompleted).map(drop));
        match ended {
            Ok(()) => return Ok(()),
            Err(WaitError::WouldDeadlock(why)) if why != WouldDeadlock::EventLoop => {
                return Err(why);
            }
            Err(_) => {}
        }
    }
}
