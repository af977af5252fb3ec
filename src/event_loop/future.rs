//! [`LoopFuture`]: the view of a cell that never blocks.

use std::{fmt, rc::Rc, sync::Arc, task::Context};

use super::{
    cancel::CancelHandle, incident::FutureId, ready::Errand, registry::Registry, task::Task,
    view::View,
};
use crate::{
    cell::{Address, Canceller, Handle},
    context::{self, Id},
    deferred,
    error::{Cancel, Failure, InvalidState, NoValue},
    settled::Settled,
    waiter::Schedule,
};

/// A result that comes later, for an event loop: reading never blocks, and callbacks always go
/// through the loop.
///
/// It is Python's `asyncio.Future`. It lives on the thread of its loop and is neither `Send` nor
/// `Sync` (D1, D48), so that what it calls needs no lock and need not be `Send`.
///
/// It may *lag*: a future that another thread settles is settled for its loop when the loop has
/// delivered it, so that nothing changes in the middle of a turn. What the loop's own thread settles
/// is seen at once, and its callbacks still wait for their turn. Once the loop is closed, the view
/// reads through to the cell. `[loop-1]` `[loop-2]`
///
/// `Clone` needs `T, E: Sync`, as for every handle. `[bounds-2]`
///
/// # Example
///
/// ```
/// use settled::EventLoop;
///
/// let event_loop = EventLoop::new();
/// let (promise, future) = event_loop.create_future::<u32, String>();
/// event_loop.call_later(std::time::Duration::ZERO, || promise.finish(3).unwrap()).unwrap();
/// let settled = event_loop.run_until_complete(future).unwrap();
/// assert_eq!(settled.result().unwrap(), &3);
/// ```
///
/// ```
/// use std::time::Duration;
/// use settled::{EventLoop, tasks};
///
/// let event_loop = EventLoop::new();
/// event_loop.run_until_complete(async {
///     let here = settled::LoopRef::current().unwrap();
///     let task = here.create_task(tasks::sleep(Duration::from_secs(3600))).unwrap();
///     assert!(!task.done() && task.result().is_err() && task.exception().is_err());
///     let token = task.add_done_callback(|_| unreachable!("it is removed"));
///     assert!(task.remove_done_callback(token));
///     task.cancel_with("no time");
///     let settled = (&task).await;
///     assert!(settled.cancelled() && task.cancelled());
///     assert_eq!(settled.cancel_reason().as_deref(), Some("no time"));
/// }).unwrap();
/// ```
#[doc(alias = "Future")]
pub struct LoopFuture<T: 'static, E: 'static> {
    pub(super) view: Rc<View<T, E>>,
}

/// Names a callback, so that it can be removed: what
/// [`add_done_callback`](LoopFuture::add_done_callback) returns. `[callback-4]`
///
/// ```
/// use settled::{EventLoop, Token};
///
/// let event_loop = EventLoop::new();
/// let (promise, future) = event_loop.create_future::<u32, ()>();
/// let token: Token = future.add_done_callback(|_| unreachable!("it is removed"));
/// assert!(future.remove_done_callback(token));  // it has not run, and never will
/// assert!(!future.remove_done_callback(token)); // it is gone
/// promise.finish(7).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    home: Id,
    number: u64,
}

impl<T, E> LoopFuture<T, E> {
    /// A view of the cell behind `settled`, settled or not, that lives on the loop `home`.
    pub(crate) fn view(settled: Settled<T, E>, home: &Rc<Registry>) -> Self {
        Self { view: View::new(settled, home) }
    }

    /// Returns the proof that it is settled, if it is settled for its loop. `[loop-1]`
    #[must_use]
    pub fn settled(&self) -> Option<&Settled<T, E>> {
        self.view.is_settled().then(|| self.view.proof())
    }

    /// Returns the value, at once. Python's `result()`. `[read-2]`
    ///
    /// # Errors
    ///
    /// [`NoValue::Unsettled`] with [`InvalidState`] if it is not settled for its loop;
    /// [`NoValue::Failed`] if there is no value and never will be.
    #[doc(alias("try_result", "try_recv"))]
    pub fn result(&self) -> Result<&T, NoValue<InvalidState, &Failure<E>>> {
        self.settled().ok_or(NoValue::Unsettled(InvalidState))?.result().map_err(NoValue::Failed)
    }

    /// Returns why there is no value, at once; `None` if there is one. Python's `exception()`, which however
    /// raises a cancellation instead of returning it. `[read-2]`
    ///
    /// # Errors
    ///
    /// [`InvalidState`] if it is not settled for its loop.
    #[doc(alias("err", "failure"))]
    pub fn exception(&self) -> Result<Option<&Failure<E>>, InvalidState> {
        Ok(self.settled().ok_or(InvalidState)?.exception())
    }

    /// Cancels the work if it has not begun; a task is asked to stop, and seen Cancelled when it has
    /// stopped. asyncio's answer is [`Cancel::loop_answer`]. Never blocks. `[cancel-1]` `[cancel-4]`
    ///
    /// Callbacks do not run inside this call: neither this view's, nor those of a
    /// [`ThreadFuture`](crate::ThreadFuture) of the same cell, which are posted to the loop too
    /// (`bug-c8`). `[callback-7]`
    ///
    /// `Refused(Finished)` or `Already` may come before this view shows it: the outcome is then on
    /// its way through the loop.
    #[doc(alias = "abort")]
    pub fn cancel(&self) -> Cancel {
        self.cancel_for(None)
    }

    /// As [`cancel`](Self::cancel), and says why: the first reason that is given stays with the future, and
    /// goes on to what a stopped task awaits. `[cancel-7]` Python's `cancel(msg)`.
    pub fn cancel_with(&self, reason: impl Into<Arc<str>>) -> Cancel {
        self.cancel_for(Some(reason.into()))
    }

    pub(crate) fn cancel_for(&self, reason: Option<Arc<str>>) -> Cancel {
        let (answer, settling) = self.view.cell().cancel(reason);
        if let Some(settling) = settling {
            let callbacks = settling.wake();
            if !callbacks.is_empty() {
                let view = Rc::clone(&self.view);
                let run = move || deferred::run(callbacks.into_iter(), view.proof());
                self.view.home.post(Errand::Do(Box::new(run)));
            }
        }
        answer
    }

    /// Returns what cancels it from other threads, where the future itself cannot go. `[cancel-10]`
    ///
    /// ```
    /// use std::{rc::Rc, thread};
    /// use settled::{Cancel, EventLoop};
    ///
    /// let event_loop = EventLoop::new();
    /// let (promise, future) = event_loop.create_future::<Rc<u32>, ()>();
    /// let handle = future.cancel_handle();
    /// let answer = thread::spawn(move || handle.cancel()).join().unwrap();
    /// assert_eq!(answer, Cancel::Now);
    /// assert!(promise.finish(Rc::new(1)).is_err());
    /// ```
    #[must_use]
    #[doc(alias = "abort_handle")]
    pub fn cancel_handle(&self) -> CancelHandle {
        CancelHandle::of(Canceller::of(self.handle()))
    }

    /// What it is, as its loop sees it. It is no look at the outcome.
    pub(super) fn kind(&self) -> &'static str {
        match self.view.is_settled().then(|| self.view.proof().peek()) {
            None => "Pending",
            Some(Ok(_)) => "Finished",
            Some(Err(failure)) => failure.kind(),
        }
    }

    /// Returns whether it is cancelled, as far as its loop has been told. `[loop-1]`
    #[must_use]
    #[doc(alias = "is_cancelled")]
    pub fn cancelled(&self) -> bool {
        self.settled().is_some_and(Settled::cancelled)
    }

    /// Returns whether it is settled, as far as its loop has been told. `[loop-1]`
    #[must_use]
    #[doc(alias("is_finished", "is_ready", "is_done"))]
    pub fn done(&self) -> bool {
        self.view.is_settled()
    }

    /// Calls `callback` once, on the loop's thread, in a later turn, when the future is settled.
    /// Never inside this call, also when it is settled already (D22). Callbacks of one view run in
    /// registration order, whichever thread settles the future, and whenever. `[callback-3]`
    ///
    /// They run also if every handle of the future has been dropped. A panic in one is caught and
    /// reported by the process's panic hook. `[callback-5]` When the loop is closed, those of
    /// a future that has settled still run, if the loop was told before or settles it as it closes; the others are
    /// dropped, on the loop's thread, and so is one that is registered later. `[loop-5]`
    #[doc(alias("on_complete", "when_complete", "then"))]
    pub fn add_done_callback(&self, callback: impl FnOnce(&Settled<T, E>) + 'static) -> Token {
        self.token(self.view.add(Box::new(callback)))
    }

    /// The same for somebody of this crate, who waits: [`clear_done_callbacks`](Self::clear_done_callbacks) leaves it.
    pub(crate) fn wait_with(&self, callback: impl FnOnce(&Settled<T, E>) + 'static) -> Token {
        self.token(self.view.wait_with(Box::new(callback)))
    }

    /// A task that awaits takes a place among those who are told, or keeps the one that it has. `[await-2]`
    pub(super) fn await_with(&self, place: Option<Token>, cx: &Context<'_>) -> Token {
        self.token(self.view.await_with(place.map(|place| place.number), cx))
    }

    fn token(&self, number: u64) -> Token {
        Token { home: self.view.home.id(), number }
    }

    /// Removes a callback: `true` if and only if it has not run and never will. It is dropped in this
    /// call. `[callback-4]`
    ///
    /// # Panics
    ///
    /// If the drop of the callback does.
    pub fn remove_done_callback(&self, token: Token) -> bool {
        token.home == self.view.home.id() && self.view.remove(token.number)
    }

    /// Drops the callbacks of this view, uncalled, in this call; returns how many. What is on its way through the loop
    /// goes too, until it runs. Whoever awaits the future or waits for several, waits on, and so do a group's tasks. So
    /// a collector of garbage breaks a circle in which a callback holds what holds the future. `[callback-9]`
    ///
    /// ```
    /// use settled::EventLoop;
    ///
    /// let event_loop = EventLoop::new();
    /// let (promise, future) = event_loop.create_future::<u32, ()>();
    /// future.add_done_callback(|_| unreachable!("it is dropped"));
    /// future.clear_done_callbacks();
    /// promise.finish(7).unwrap();
    /// while event_loop.try_tick().unwrap() {}
    /// assert_eq!(future.result().unwrap(), &7);
    /// ```
    pub fn clear_done_callbacks(&self) -> usize {
        self.view.clear()
    }

    /// Returns the task whose outcome this is; `None` for every other future. `[task-1]`
    #[must_use]
    pub fn task(&self) -> Option<&Task> {
        self.view.task()
    }

    /// Its name in reports. `[report-3]`
    ///
    /// ```
    /// let event_loop = settled::EventLoop::new();
    /// let (_promise, future) = event_loop.create_future::<(), ()>();
    /// let unread = event_loop.create_task_result(async { Err::<(), _>("disk full") }).unwrap();
    /// let id = unread.id();
    /// assert_ne!(id, future.id());
    /// event_loop.set_exception_handler(move |incident| assert_eq!(incident.future(), Some(id)));
    /// drop(unread);
    /// event_loop.run_until_complete(std::future::ready(())).unwrap();
    /// ```
    #[must_use]
    pub fn id(&self) -> FutureId {
        self.view.future_id()
    }

    /// Where its cell is.
    pub(crate) fn address(&self) -> Address {
        self.view.cell().address()
    }

    /// Whether it can be waited for here, or is settled.
    pub(crate) fn check_home(&self) {
        let home = &self.view.home;
        let elsewhere = context::current_loop().is_some_and(|here| here != home.id());
        assert!(
            self.done() || !(elsewhere || home.is_closed()),
            "a loop future was waited for on another loop than its own, which does not run meanwhile or is \
             closed; wait for a thread future, or wrap it for this loop"
        );
    }

    /// Whether this is a step of the task that settles it: it cannot wait for it. `[await-5]`
    pub(crate) fn check_other(&self) {
        if !self.done() {
            context::refuse_oneself(self.address());
        }
    }

    pub(crate) fn handle(&self) -> &Handle<T, E> {
        self.view.cell()
    }

    /// Returns the loop that it lives on. Python's `get_loop()`. `[schedule-1]`
    ///
    /// ```
    /// use settled::{EventLoop, Job};
    ///
    /// let event_loop = EventLoop::new();
    /// let (_promise, future) = event_loop.create_future::<u32, ()>();
    /// future.get_loop().call_soon_threadsafe(Job::new(|| println!("in a later turn"))).unwrap();
    /// while event_loop.try_tick().unwrap() {}
    /// ```
    #[must_use]
    pub fn get_loop(&self) -> &Arc<dyn Schedule> {
        self.view.home.schedule()
    }

    /// Turns into the proof, whose [`take`](Settled::take) gives the outcome by value. Never blocks.
    /// `[settled-3]`
    ///
    /// # Errors
    ///
    /// Gives the future back if it is not settled for its loop, or if callbacks have still to run.
    ///
    /// ```
    /// use settled::EventLoop;
    ///
    /// let event_loop = EventLoop::new();
    /// let (promise, future) = event_loop.create_future::<u32, ()>();
    /// let future = future.into_settled().unwrap_err(); // it is not settled, and comes back
    /// promise.finish(7).unwrap();
    /// assert_eq!(future.into_settled().unwrap().take().unwrap().unwrap(), 7);
    /// ```
    pub fn into_settled(self) -> Result<Settled<T, E>, Self> {
        if !self.view.is_settled() {
            return Err(self);
        }
        View::into_settled(self.view).map_err(|view| Self { view })
    }
}

/// Another handle of the same view. `[bounds-2]`
impl<T: Sync, E: Sync> Clone for LoopFuture<T, E> {
    fn clone(&self) -> Self {
        Self::again(Rc::clone(&self.view))
    }
}

impl<T: Sync, E: Sync> LoopFuture<T, E> {
    /// Another handle of this view.
    pub(super) fn again(view: Rc<View<T, E>>) -> Self {
        view.share_with(Settled::clone);
        Self { view }
    }
}

impl<T, E> fmt::Debug for LoopFuture<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let view = &self.view;
        let (waiters, callbacks) = view.count();
        f.debug_struct("LoopFuture")
            .field("id", &format_args!("{}", self.id()))
            .field("state", &format_args!("{}", self.kind()))
            .field("waiters", &waiters)
            .field("callbacks", &callbacks)
            .field("cell", &fmt::from_fn(|f| view.cell().debug("Cell", f)))
            .finish()
    }
}
