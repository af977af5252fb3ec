//! Who is told when a future settles, and what a loop must offer to be told.

use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::Arc,
    task::Waker,
};

use crate::{
    cell::{Address, Lent},
    context::{self, Id},
    error::Closed,
    inbox::Inbox,
    settled::Settled,
    sync::Unparker,
    trace,
};

/// A done-callback of a [`ThreadFuture`](crate::ThreadFuture).
pub(crate) type Callback<T, E> = Box<dyn Call<T, E>>;

/// What is inside a [`Callback`].
pub(crate) trait Call<T, E>: Send {
    /// Calls it.
    fn call(self: Box<Self>, settled: &Settled<T, E>);

    /// What callbacks that are called later are lent until then.
    fn lend(&self, settled: &Settled<T, E>) -> Rc<Lent<T, E>>;

    /// What calls it later, and what it is lent, which is dropped after that.
    fn with(self: Box<Self>, lent: Rc<Lent<T, E>>) -> (Box<dyn FnOnce()>, Rc<dyn Any>);
}

impl<T, E, F> Call<T, E> for F
where
    T: Sync + 'static,
    E: Sync + 'static,
    F: FnOnce(&Settled<T, E>) + Send + 'static,
{
    fn call(self: Box<Self>, settled: &Settled<T, E>) {
        self(settled);
    }

    fn lend(&self, settled: &Settled<T, E>) -> Rc<Lent<T, E>> {
        Rc::new(settled.handle().lend())
    }

    fn with(self: Box<Self>, lent: Rc<Lent<T, E>>) -> (Box<dyn FnOnce()>, Rc<dyn Any>) {
        let own = Rc::clone(&lent);
        (Box::new(move || self(own.settled())), lent)
    }
}

/// Callbacks in the order in which they registered. One alone needs no memory but its own.
pub(crate) struct Callbacks<T, E> {
    first: Option<Callback<T, E>>,
    others: Vec<Callback<T, E>>,
}

impl<T, E> Callbacks<T, E> {
    pub(crate) const NONE: Self = Self { first: None, others: Vec::new() };

    pub(crate) fn one(callback: Callback<T, E>) -> Self {
        Self { first: Some(callback), others: Vec::new() }
    }

    pub(crate) fn push(&mut self, callback: Callback<T, E>) {
        match self.first {
            None => self.first = Some(callback),
            Some(_) => {
                // Seven more at once.
                if self.others.is_empty() {
                    self.others.reserve_exact(7);
                }
                self.others.push(callback);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    pub(crate) fn into_iter(self) -> impl Iterator<Item = Callback<T, E>> {
        self.first.into_iter().chain(self.others)
    }
}

/// A loop that has views of cells.
pub(crate) trait Home: Send + Sync {
    fn id(&self) -> Id;

    /// The cell of this view has settled, and the loop is to be told. Any thread may call it. `[loop-3]`
    fn settled(self: Arc<Self>, view: u64);
}

/// Somebody who waits. It is told once, with no lock held.
pub(crate) enum Waiter {
    /// A thread that is parked in `wait`.
    Thread(Unparker),
    /// A task that awaits, and the loop of this crate on which it does, if that is one in a worker.
    Waker(Waker, Option<Id>),
    /// A thread that waits for several futures, by the number of this one.
    Member(Arc<Inbox>, usize),
    /// A loop's view of the cell, by its number.
    View(Arc<dyn Home>, u64),
    /// Something of the producer's to do.
    Call(Box<dyn FnOnce() + Send>),
}

impl Waiter {
    /// The loop that is told.
    pub(crate) fn home(&self) -> Option<Id> {
        match self {
            Self::Waker(_, home) => *home,
            Self::View(home, _) => Some(home.id()),
            Self::Thread(_) | Self::Member(..) | Self::Call(_) => None,
        }
    }

    /// Tells it. Never unwinds: a panicking waker harms neither its siblings nor the settler.
    #[inline]
    pub(crate) fn notify(self) {
        match self {
            Self::Thread(thread) => thread.unpark(),
            Self::Waker(waker, _) => wake(waker),
            Self::Member(inbox, number) => inbox.tell(number),
            Self::View(home, view) => foreign(|| home.settled(view)),
            Self::Call(call) => foreign(call),
        }
    }
}

/// Wakes a task. Never unwinds.
#[inline]
pub(crate) fn wake(waker: Waker) {
    foreign(|| waker.wake());
}

/// Calls foreign code, isolated. What it drops is not the coroutine's that is being stopped, if one is. `[await-3]`
fn foreign(f: impl FnOnce()) {
    let _role = context::is_stopping_coroutine().then(context::call_back);
    isolate(f);
}

/// Runs user code so that a panic ends here. The panic has been reported by then, once, by the
/// process's panic hook. `[callback-5]`
pub(crate) fn isolate(f: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
        panicked(payload);
    }
}

/// The end of a panic.
#[cold]
fn panicked(payload: Box<dyn Any + Send>) {
    trace::callback_panicked(&*payload);
    // A payload whose own drop panics must not undo the isolation, and what that panics with
    // is not dropped at all.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(payload);
    }
}

/// A piece of work that runs once: what loops queue and what executors execute.
///
/// Dropping it unrun is allowed and loses nothing: a future that it was to settle is then
/// Cancelled([`Dropped`](crate::Cancelled::Dropped)). `[schedule-4]`
pub struct Job(Box<dyn Run>);

/// What running a job brings about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Brings {
    /// This cell is settled.
    Settled(Address),
    /// A callback returns that is lent the outcome of this cell.
    Returned(Address),
}

/// What is inside a [`Job`]. `Any`, so that a refused job can be given back as what it was made of.
pub(crate) trait Run: Any + Send {
    fn run(self: Box<Self>);

    /// Goes unrun, because its pool broke.
    fn break_off(self: Box<Self>) {}

    /// The cell that it settles, if it is known.
    fn settles(&self) -> Option<Address> {
        None
    }

    /// The cell that says that nothing of it is left, if there is one.
    fn ends(&self) -> Option<Address> {
        None
    }

    /// The cell whose outcome it is lent, if it is a callback.
    fn returns(&self) -> Option<Address> {
        None
    }

    /// The task that it makes, if it is a coroutine on its way to a loop.
    fn task(&self) -> Option<Id> {
        None
    }

    /// Whether what it settles is awaited on this loop.
    fn is_awaited_on(&self, _home: Id) -> bool {
        false
    }
}

impl<F: FnOnce() + Send + 'static> Run for F {
    fn run(self: Box<Self>) {
        self();
    }
}

impl Job {
    /// Makes a job that calls `f`, in the thread that calls [`run`](Self::run). `[schedule-4]`
    #[must_use]
    pub fn new(f: impl FnOnce() + Send + 'static) -> Self {
        Self(Box::new(f))
    }

    pub(crate) fn from_run(run: impl Run) -> Self {
        Self(Box::new(run))
    }

    /// Does the work, in the calling thread. `[schedule-4]` `[pool-3]`
    ///
    /// # Panics
    ///
    /// If the work panics. A job made by an [`Executor`](crate::Executor) never does: the panic
    /// becomes its future's outcome.
    ///
    /// ```
    /// use settled::Job;
    ///
    /// let (tell, told) = std::sync::mpsc::channel();
    /// Job::new(move || tell.send("done").unwrap()).run();
    /// assert_eq!(told.recv().unwrap(), "done");
    /// ```
    pub fn run(self) {
        self.0.run();
    }

    /// Drops it unrun, because its pool broke: a future that it was to settle says so.
    pub(crate) fn break_off(self) {
        self.0.break_off();
    }

    /// The cell that it settles, if that is known.
    pub(crate) fn settles(&self) -> Option<Address> {
        self.0.settles()
    }

    /// What running it brings about, as far as that is known.
    pub(crate) fn brings(&self) -> impl Iterator<Item = Brings> + use<> {
        let settled = [self.0.settles(), self.0.ends()].into_iter().flatten().map(Brings::Settled);
        settled.chain(self.0.returns().map(Brings::Returned))
    }

    /// The task that it makes, if it is a coroutine on its way to a loop.
    pub(crate) fn task(&self) -> Option<Id> {
        self.0.task()
    }

    /// Whether the cell that it settles is awaited on this loop, as far as that is known.
    pub(crate) fn is_awaited_on(&self, home: Id) -> bool {
        self.0.is_awaited_on(home)
    }

    /// The work as what it was made of, if it was made of an `R`.
    pub(crate) fn into_run<R: Run>(self) -> Option<R> {
        (self.0 as Box<dyn Any>).downcast().ok().map(|run| *run)
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Job(..)")
    }
}

/// What an event loop must offer so that futures can live on it: one question, and one way to ask
/// it. `[schedule-1]`
///
/// [`LoopHandle`](crate::LoopHandle) is one; a [`Host`](crate::host::Host) puts loop futures on any other, and
/// [`conformance`](crate::conformance) checks it. An implementation promises:
///
/// * the job never runs inside `call_soon_threadsafe`, but later, on the one thread of the loop;
/// * if one call happens-before another, their jobs run in that order; `[schedule-2]`
/// * `Ok` means that the job runs once, or is dropped with the loop; `[schedule-4]`
/// * `Err` hands the job back, unrun: there is no separate "is it closed?", whose answer would be
///   stale before it could be used (`bug-d2`). `[schedule-3]`
/// * while jobs run, the thread is marked with [`context::enter_loop`](crate::context::enter_loop).
///   `[deadlock-2]`
///
/// ```
/// use std::sync::mpsc;
/// use settled::{Closed, Job, Schedule, context};
///
/// /// A loop that takes what it runs from a channel.
/// struct Channel(mpsc::Sender<Job>);
///
/// impl Schedule for Channel {
///     fn call_soon_threadsafe(&self, job: Job) -> Result<(), Closed<Job>> {
///         self.0.send(job).map_err(|refused| Closed::new(refused.0))
///     }
/// }
///
/// let (sender, jobs) = mpsc::channel();
/// Channel(sender).call_soon_threadsafe(Job::new(|| assert!(context::in_loop()))).unwrap();
/// let _marked = context::enter_loop();
/// jobs.into_iter().for_each(Job::run);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event loop that futures can live on",
    note = "implement `settled::Schedule`, or use a handle of `settled::EventLoop`"
)]
pub trait Schedule: Send + Sync + 'static {
    /// Queues `job` to run on the loop's thread. May be called from any thread, also from inside a
    /// callback, and does not block for longer than a short critical section. `[schedule-2]`
    ///
    /// # Errors
    ///
    /// [`Closed`] hands the job back if the loop takes no more work. `[schedule-3]`
    fn call_soon_threadsafe(&self, job: Job) -> Result<(), Closed<Job>>;
}
