//! The producer's handle: its type says which transitions are still possible.

use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use crate::{
    cell::{
        Address, Canceller, End, First, Handle, Outcome, Producer, Registration, Until, drop_unseen,
    },
    context::Id,
    error::{Cancelled, Failure, Lost, Panic, Unseen},
    lost::{Death, Unsent},
    phase::{Owned, Pending, Phase, Running},
    waiter::{Waiter, isolate},
};

/// The one who settles a future. There is exactly one per future, and it can settle only once: each
/// transition consumes it. `[promise-1]`
///
/// The phase `P` says what is still possible. A [`Pending`] promise may be started, finished or
/// failed, and each of these may lose to a cancel, in which case the loser gets its value back. A
/// [`Running`] or [`Owned`] promise cannot lose, and its methods return `()`.
///
/// Dropping a promise settles its future in the same step: as
/// [`Cancelled::Dropped`] if the work never began, as [`Failure::Abandoned`] if it was running. So
/// no future is left unsettled without somebody who can settle it. `[promise-3]`
///
/// Settling runs, in this order and in the calling thread with no lock held: the wake-ups of those
/// who wait, then the [`ThreadFuture`](crate::ThreadFuture)'s callbacks. A panic in any of them is
/// caught and reported by the process's panic hook; settling never unwinds. `[callback-2]`
/// `[callback-5]` Deep inside other callbacks they are deferred to the outermost call. `[callback-8]`
///
/// # Example
///
/// ```
/// use settled::{Cancel, ThreadFuture};
///
/// let (promise, future) = ThreadFuture::<u32, String>::pair();
/// let running = promise.start().expect("nobody has cancelled it");
/// assert!(matches!(future.cancel(), Cancel::Refused(_)));
/// running.finish(7);
/// assert_eq!(future.result().unwrap(), &7);
///
/// let (promise, future) = ThreadFuture::<u32, std::num::ParseIntError>::pair();
/// promise.settle("seven".parse()).unwrap(); // a value or an error, as it comes
/// assert!(future.join().unwrap_err().failure().unwrap().is_error());
/// ```
///
/// # Work that stops on request
///
/// A running job that is to see a request to cancel keeps its promise, instead of leaving it to
/// `submit`. What it makes of the request is its own decision; here it says so with an error.
///
/// ```
/// use settled::{Executor, Job, ThreadFuture, ThreadPool};
///
/// let pool = ThreadPool::default();
/// let (promise, future) = ThreadFuture::<(), &str>::pair();
/// pool.execute(Job::new(move || {
///     let Ok(promise) = promise.start() else { return };
///     while !promise.cancel_requested() {
///         std::thread::yield_now(); // a piece of the work
///     }
///     promise.fail("stopped on request");
/// }))
/// .unwrap();
/// while !future.running() {
///     std::thread::yield_now();
/// }
/// assert!(!future.cancel().thread_answer());
/// assert!(future.exception().unwrap().is_some());
/// ```
#[doc(alias("Sender", "Deferred", "Resolver"))]
#[must_use = "dropping a promise cancels or abandons its future"]
pub struct Promise<T, E, P: Phase = Pending> {
    producer: Producer<T, E>,
    phase: PhantomData<fn() -> P>,
}

/// A Pending promise and the one handle of its future.
pub(crate) fn pending<T, E>() -> (Promise<T, E, Pending>, Handle<T, E>) {
    let (producer, handle) = Producer::pair(None);
    (Promise { producer, phase: PhantomData }, handle)
}

/// An Owned promise, whose owner is woken by the first request to cancel.
pub(crate) fn owned<T, E>(owner: Waker) -> (Promise<T, E, Owned>, Handle<T, E>) {
    let (producer, handle) = Producer::pair(Some(owner));
    (Promise { producer, phase: PhantomData }, handle)
}

impl<T, E, P: Phase> Promise<T, E, P> {
    /// Returns whether somebody has asked to cancel. Never blocks. `[cancel-3]` `[cancel-4]`
    ///
    /// A pending promise is told that it has lost: the future is cancelled. To running work the cancel was refused; a
    /// long job looks at it now and then, in order to stop early. The owner of an owned one is woken by the first
    /// request too.
    #[must_use]
    #[doc(alias("is_cancelled", "is_cancellation_requested"))]
    pub fn cancel_requested(&self) -> bool {
        self.producer.handle().is_over(Until::Requested)
    }

    /// Awaits a request to cancel, on any executor; ready at once if there was one. `[cancel-8]`
    ///
    /// ```
    /// use settled::{EventLoop, ThreadFuture};
    ///
    /// let (promise, future) = ThreadFuture::<u32, ()>::pair();
    /// let client = std::thread::spawn(move || future.cancel());
    /// EventLoop::new().run_until_complete(promise.cancel_request()).unwrap();
    /// assert!(promise.cancel_requested());
    /// client.join().unwrap();
    /// ```
    #[doc(alias = "CancellationToken")]
    pub fn cancel_request(&self) -> Listen<'_, T, E> {
        Listen::new(self.producer.handle(), Until::Requested)
    }

    /// Calls `f` at the first request to cancel, in the thread that asks, inside its call, and with no lock held; at
    /// once, in this thread, if there was a request before. `f` interrupts what blocks the work: it closes a socket,
    /// say. A panic in it is caught, and reported by the process's panic hook. If the future is settled otherwise, `f`
    /// is dropped uncalled. `[cancel-8]`
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use settled::ThreadFuture;
    ///
    /// let (promise, future) = ThreadFuture::<u32, ()>::pair();
    /// let promise = promise.start().unwrap();
    /// let (tell, told) = mpsc::channel();
    /// promise.on_cancel_request(move || tell.send("close the socket").unwrap());
    /// future.cancel_with("the user left");
    /// assert_eq!(told.recv().unwrap(), "close the socket");
    /// assert_eq!(promise.cancel_reason().as_deref(), Some("the user left"));
    /// promise.fail(());
    /// ```
    pub fn on_cancel_request(&self, f: impl FnOnce() + Send + 'static) {
        self.listen(Until::Requested, f);
    }

    /// Returns whether nobody can see any more what this promise would deliver: no handle of the future and no callback
    /// is left, or it is cancelled. It stays true. Never blocks. `[promise-8]`
    #[must_use]
    #[doc(alias = "is_canceled")]
    pub fn is_closed(&self) -> bool {
        self.producer.handle().is_over(Until::Closed)
    }

    /// Awaits that nobody can see any more what this promise would deliver, on any executor; see
    /// [`is_closed`](Self::is_closed). `[promise-8]`
    ///
    /// ```
    /// use settled::{EventLoop, ThreadFuture};
    ///
    /// let (promise, future) = ThreadFuture::<u32, ()>::pair();
    /// let client = std::thread::spawn(|| drop(future));
    /// EventLoop::new().run_until_complete(promise.closed()).unwrap();
    /// assert!(promise.is_closed());
    /// client.join().unwrap();
    /// ```
    pub fn closed(&self) -> Listen<'_, T, E> {
        Listen::new(self.producer.handle(), Until::Closed)
    }

    /// Calls `f` when nobody can see any more what this promise would deliver, in the thread that drops the last handle
    /// or cancels, once those who wait have been told; here and now if it is so already. A panic in it is caught, and
    /// reported by the process's panic hook. It is dropped uncalled when this promise settles the future. `[promise-8]`
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use settled::ThreadFuture;
    ///
    /// let (promise, future) = ThreadFuture::<u32, ()>::pair();
    /// let (tell, told) = mpsc::channel();
    /// promise.on_closed(move || tell.send("the client has gone").unwrap());
    /// drop(future);
    /// assert_eq!(told.recv().unwrap(), "the client has gone");
    /// ```
    pub fn on_closed(&self, f: impl FnOnce() + Send + 'static) {
        self.listen(Until::Closed, f);
    }

    fn listen(&self, until: Until, f: impl FnOnce() + Send + 'static) {
        if let Err(now) = self.producer.handle().register_until(until, Waiter::Call(Box::new(f))) {
            now.notify();
        }
    }

    /// Returns the first reason that a canceller gave. Never blocks. `[cancel-7]`
    #[must_use]
    pub fn cancel_reason(&self) -> Option<Arc<str>> {
        self.producer.handle().cancel_reason()
    }

    /// Where its cell is.
    pub(crate) fn address(&self) -> Address {
        self.producer.handle().address()
    }

    /// Whether its future is awaited on this loop.
    pub(crate) fn is_awaited_on(&self, home: Id) -> bool {
        self.producer.handle().is_awaited_on(home)
    }

    #[inline(always)]
    fn deliver(self, outcome: Outcome<T, E>) -> Result<(), (Outcome<T, E>, Cancelled)> {
        self.producer.finish(outcome, First::NOTHING, drop_unseen)
    }

    /// The same; gives the value back that nobody can ever see. `[promise-9]`
    fn deliver_or_return(self, value: T) -> Result<(), (T, Unseen)> {
        let unseen = match self.producer.finish(Ok(value), First::NOTHING, Some) {
            Ok(unseen) => unseen.map(|outcome| (outcome, Unseen::Closed)),
            Err((outcome, cause)) => Some((outcome, Unseen::Cancelled(cause))),
        };
        match unseen {
            None => Ok(()),
            Some((Ok(value), why)) => Err((value, why)),
            Some((Err(_), _)) => unreachable!("the outcome comes back as it was given"),
        }
    }

    /// Ends without an outcome; says whether nobody came first.
    fn end(self, end: End) -> bool {
        self.producer.end(end, First::NOTHING)
    }

    /// For the phases in which nobody can come first.
    fn deliver_surely(self, outcome: Outcome<T, E>) {
        let lost = self.deliver(outcome);
        debug_assert!(lost.is_ok(), "only the promise can settle in this phase");
    }
}

impl<T, E> Promise<T, E, Pending> {
    /// Begins the work: from now on `cancel` is refused. Of this call and a concurrent cancel exactly one succeeds.
    /// `[promise-4]`
    ///
    /// # Errors
    ///
    /// Why the future was cancelled. The work must then not be done.
    #[doc(alias = "set_running_or_notify_cancel")]
    pub fn start(self) -> Result<Promise<T, E, Running>, Cancelled> {
        self.producer.handle().start()?;
        Ok(Promise { producer: self.producer, phase: PhantomData })
    }

    /// Delivers the value of work that was never Running. Runs the callbacks in this thread.
    ///
    /// # Errors
    ///
    /// [`Lost`] hands the value back if the future had been cancelled. `[promise-2]`
    #[doc(alias("set_result", "complete", "send", "resolve"))]
    #[inline]
    pub fn finish(self, value: T) -> Result<(), Lost<T>> {
        self.producer.give(value, drop_unseen).map_err(|(value, cause)| Lost { value, cause })
    }

    /// As [`finish`](Self::finish), and gives the value back if nobody can ever see it. `[promise-9]`
    ///
    /// The step that settles decides: it settles the future all the same, as finished, unless a cancel was first; and
    /// who sees it is whoever has a handle of the future at that moment, weak ones not counted, a callback, or a loop's
    /// view.
    ///
    /// # Errors
    ///
    /// [`Lost`] hands the value back, and says [why](Unseen).
    ///
    /// ```
    /// use settled::{ThreadFuture, Unseen};
    ///
    /// let (promise, future) = ThreadFuture::<String, ()>::pair();
    /// drop(future);
    /// let lost = promise.finish_or_return("for the next who asks".to_owned()).unwrap_err();
    /// assert_eq!((&*lost.value, lost.cause), ("for the next who asks", Unseen::Closed));
    /// ```
    #[doc(alias = "send")]
    pub fn finish_or_return(self, value: T) -> Result<(), Lost<T, Unseen>> {
        self.deliver_or_return(value).map_err(|(value, cause)| Lost { value, cause })
    }

    /// Delivers the error of work that was never Running. Runs the callbacks in this thread.
    ///
    /// # Errors
    ///
    /// [`Lost`] hands the error back if the future had been cancelled. `[promise-2]`
    #[doc(alias("set_exception", "reject"))]
    pub fn fail(self, error: E) -> Result<(), Lost<E>> {
        let outcome = Err(Failure::Error(error));
        self.deliver(outcome).map_err(|(outcome, cause)| match outcome {
            Err(Failure::Error(value)) => Lost { value, cause },
            _ => unreachable!("the outcome comes back as it was given"),
        })
    }

    /// Delivers what the work returned, its value or its error, where it was never Running. `[promise-6]`
    ///
    /// # Errors
    ///
    /// [`Lost`] hands it back if the future had been cancelled. `[promise-2]`
    #[doc(alias("setTry", "completeWith"))]
    pub fn settle(self, returned: Result<T, E>) -> Result<(), Lost<Result<T, E>>> {
        match returned {
            Ok(value) => self.finish(value).map_err(|lost| lost.map(Ok)),
            Err(error) => self.fail(error).map_err(|lost| lost.map(Err)),
        }
    }

    /// The work will never begin, because its pool broke. A cancel may have come first. `[pool-10]`
    pub(crate) fn broken(self) {
        self.end(End::Break);
    }
}

impl<T, E> Promise<T, E, Running> {
    /// Delivers the value. Cannot fail; runs the callbacks in this thread. `[promise-4]`
    #[doc(alias("set_result", "complete", "send", "resolve"))]
    #[inline]
    pub fn finish(self, value: T) {
        self.deliver_surely(Ok(value));
    }

    /// As [`finish`](Self::finish), and gives the value back if nobody can ever see it: no handle of the future is
    /// left, weak ones not counted, no callback, and no loop's view. The future is finished all the same. `[promise-9]`
    ///
    /// # Errors
    ///
    /// The value.
    pub fn finish_or_return(self, value: T) -> Result<(), T> {
        self.deliver_or_return(value).map_err(|(value, _)| value)
    }

    /// Delivers an error. Cannot fail; runs the callbacks in this thread. `[promise-4]`
    #[doc(alias("set_exception", "reject"))]
    pub fn fail(self, error: E) {
        self.deliver_surely(Err(Failure::Error(error)));
    }

    /// Delivers what the work returned: its value or its error. Cannot fail; runs the callbacks in this thread.
    /// `[promise-6]`
    #[doc(alias("setTry", "completeWith"))]
    pub fn settle(self, returned: Result<T, E>) {
        match returned {
            Ok(value) => self.finish(value),
            Err(error) => self.fail(error),
        }
    }

    /// Says that the process which ran the work has died: see [`Death`]. For executors whose workers can. Cannot fail;
    /// runs the callbacks in this thread. `[process-3]`
    ///
    /// ```
    /// use settled::{Death, DeathCause, Progress, ThreadFuture};
    ///
    /// let (promise, future) = ThreadFuture::<u32, ()>::pair();
    /// let death = Death::new("worker 3", "resize", DeathCause::Signal(9), Progress::Begun);
    /// promise.start().unwrap().died(death);
    /// assert!(future.exception().unwrap().unwrap().death().is_some());
    /// ```
    #[doc(alias = "set_exception")]
    pub fn died(self, death: Death) {
        self.deliver_surely(Err(Failure::Died(death)));
    }

    /// Says that something could not travel to the work or back: see [`Unsent`]. Cannot fail; runs the callbacks in
    /// this thread. `[process-5]`
    ///
    /// ```
    /// use settled::{ThreadFuture, Unsent, UnsentKind};
    ///
    /// let (promise, future) = ThreadFuture::<u32, ()>::pair();
    /// promise.start().unwrap().unsent(Unsent::new(UnsentKind::TooLarge, "90 bytes, of at most 64"));
    /// assert!(future.exception().unwrap().unwrap().unsent().is_some());
    /// ```
    #[doc(alias = "set_exception")]
    pub fn unsent(self, unsent: Unsent) {
        self.deliver_surely(Err(Failure::Unsent(unsent)));
    }

    /// Delivers a panic of the work, as [`std::panic::catch_unwind`] caught it. Runs the
    /// callbacks in this thread. `[panic-1]`
    ///
    /// ```
    /// use settled::{Panic, ThreadFuture};
    ///
    /// let (promise, future) = ThreadFuture::<u32, ()>::pair();
    /// let running = promise.start().unwrap();
    /// match std::panic::catch_unwind(|| if true { panic!("out of ink") } else { 7 }) {
    ///     Ok(value) => running.finish(value),
    ///     Err(payload) => running.panicked(Panic::new(payload)),
    /// }
    /// assert!(future.exception().unwrap().unwrap().is_panic());
    /// ```
    #[doc(alias = "set_exception")]
    pub fn panicked(self, panic: Panic) {
        self.deliver_surely(Err(Failure::Panicked(panic)));
    }
}

impl<T, E> Promise<T, E, Owned> {
    /// What cancels the work for one who has the promise: by a request, as anybody's.
    pub(crate) fn canceller(&self) -> Canceller<T, E> {
        Canceller::of(self.producer.handle())
    }

    /// Delivers how the work has ended, or settles as [`stopped`](Self::stopped) does if there is no outcome. Calls
    /// `first` when that is done, before others are told.
    pub(crate) fn end_telling(self, outcome: Option<Outcome<T, E>>, mut first: impl FnMut()) {
        let mut first = || isolate(&mut first);
        let first = First::new(&mut first);
        let is_settled = match outcome {
            Some(outcome) => self.producer.finish(outcome, first, drop_unseen).is_ok(),
            None => self.producer.end(End::Stop, first),
        };
        assert!(is_settled, "only the promise can settle in this phase");
    }

    /// Delivers the value, also when a cancel was requested: the work was faster. Cannot fail; runs
    /// the thread callbacks in this thread. `[promise-5]`
    #[doc(alias("set_result", "complete", "send", "resolve"))]
    #[inline]
    pub fn finish(self, value: T) {
        self.deliver_surely(Ok(value));
    }

    /// As [`finish`](Self::finish), and gives the value back if nobody can ever see it: no handle of the future is
    /// left, weak ones not counted, no callback, and no loop's view. The future is finished all the same. `[promise-9]`
    ///
    /// # Errors
    ///
    /// The value.
    pub fn finish_or_return(self, value: T) -> Result<(), T> {
        self.deliver_or_return(value).map_err(|(value, _)| value)
    }

    /// Delivers an error. Cannot fail; runs the thread callbacks in this thread. `[promise-5]`
    #[doc(alias("set_exception", "reject"))]
    pub fn fail(self, error: E) {
        self.deliver_surely(Err(Failure::Error(error)));
    }

    /// Delivers what the work returned: its value or its error. Cannot fail; runs the thread
    /// callbacks in this thread. `[promise-6]`
    #[doc(alias("setTry", "completeWith"))]
    pub fn settle(self, returned: Result<T, E>) {
        match returned {
            Ok(value) => self.finish(value),
            Err(error) => self.fail(error),
        }
    }

    /// Delivers a panic of the work, as [`std::panic::catch_unwind`] caught it. Runs the
    /// thread callbacks in this thread. `[panic-1]`
    #[doc(alias = "set_exception")]
    pub fn panicked(self, panic: Panic) {
        self.deliver_surely(Err(Failure::Panicked(panic)));
    }

    /// Settles the future of work that its owner has stopped: it is Cancelled, as
    /// [`Requested`](Cancelled::Requested) if somebody had asked for it, as
    /// [`Stopped`](Cancelled::Stopped) otherwise. Stop the work *first*, so that nobody sees it
    /// cancelled while it still runs. Cannot fail; runs the thread callbacks in this thread.
    /// `[promise-5]` `[cancel-4]`
    pub fn stopped(self) {
        let ended = self.end(End::Stop);
        debug_assert!(ended, "only the promise can settle in this phase");
    }
}

/// Awaits what others do to the future of a promise: made by [`cancel_request`](Promise::cancel_request) and
/// [`closed`](Promise::closed). Dropping it gives its place up. `[cancel-8]` `[promise-8]`
#[must_use = "futures do nothing unless they are polled"]
pub struct Listen<'a, T, E> {
    cell: &'a Handle<T, E>,
    until: Until,
    place: Registration,
}

impl<'a, T, E> Listen<'a, T, E> {
    fn new(cell: &'a Handle<T, E>, until: Until) -> Self {
        Self { cell, until, place: Registration::default() }
    }
}

impl<T, E> Future for Listen<'_, T, E> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { cell, until, place } = &mut *self;
        place.poll(cell, *until, cx)
    }
}

impl<T, E> Drop for Listen<'_, T, E> {
    fn drop(&mut self) {
        self.place.leave(self.cell);
    }
}

impl<T, E> fmt::Debug for Listen<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listen").field("until", &self.until).finish_non_exhaustive()
    }
}

impl<T, E, P: Phase> fmt::Debug for Promise<T, E, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.producer.handle().debug("Promise", f)
    }
}
