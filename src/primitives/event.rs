//! [`Event`]: something that has happened, or has not yet.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use super::{
    gate::Gate,
    hold::Hold,
    line::Turns,
    waits::{Core, Place},
    word::Word,
};
use crate::{
    error::WaitError,
    sync::{Ordering, after, at},
    waiter::Waiter,
};

/// A flag that threads and tasks wait for. Python's `threading.Event` and `asyncio.Event`, in one.
///
/// Whoever waits goes on when it is set; whoever comes while it is set does not wait. Who waited when it was set goes on
/// even if it is cleared at once. Clones are the same event. `[event-1]` `[event-2]`
///
/// What happens once, with a value, is a [`ThreadFuture`](crate::ThreadFuture).
///
/// ```
/// use settled::{EventLoop, primitives::Event};
///
/// let ready = Event::new();
/// let told = ready.clone();
/// let thread = std::thread::spawn(move || told.wait());
/// let event_loop = EventLoop::new();
/// event_loop.run_until_complete(async {
///     let here = settled::LoopRef::current().unwrap();
///     let awaited = ready.clone();
///     let task = here.create_task(async move { awaited.wait_async().await }).unwrap();
///     ready.set();
///     task.await;
/// }).unwrap();
/// thread.join().unwrap().unwrap();
/// ```
///
/// ```
/// use std::time::Instant;
/// use settled::primitives::Event;
///
/// let event = Event::new();
/// event.set();
/// assert!(event.is_set() && event.wait_deadline(Instant::now()).is_ok());
/// event.clear();
/// assert!(!event.is_set());
/// ```
#[derive(Clone)]
#[doc(alias("ManualResetEvent", "Notify", "Latch"))]
pub struct Event(Arc<Core<Gate<Waiter>>>);

impl Event {
    /// One that is not set.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Core::of(Word::ZERO)))
    }

    /// Sets it, and tells all who wait, in the order in which they came, on this thread and under no lock. Threads go on at
    /// once, and tasks in a later turn of their loops. What this thread did before happens before what they do then. Never
    /// blocks for long. `[event-1]` `[event-4]`
    #[doc(alias("notify_all", "notify_waiters"))]
    #[inline]
    pub fn set(&self) {
        if self.0.step(None, at("set", Ordering::AcqRel), |word| word.set(1)).is_none() {
            self.tell_all();
        }
    }

    #[cold]
    fn tell_all(&self) {
        let told = self.0.lock().set();
        told.for_each(Waiter::notify);
    }

    /// Takes it back: whoever comes from now on waits. Who waited when it was set goes on. `[event-1]`
    #[doc(alias = "reset")]
    pub fn clear(&self) {
        if self.0.step(None, at("set", Ordering::AcqRel), |word| word.set(0)).is_none() {
            self.0.lock().clear();
        }
    }

    /// Whether it is set. On a loop's thread, too, another thread may have set it a moment ago, or clear it. `[event-2]`
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.pass()
    }

    /// Blocks this thread until it is set. `[event-3]`
    ///
    /// # Errors
    ///
    /// [`WaitError::WouldDeadlock`] if it is not set and this thread runs an event loop, or is in many callbacks that wait
    /// inside each other; [`WaitError::Interrupted`] if an
    /// [`Interrupt`](crate::Interrupt) ends the wait. `[wait-9]` Who sets it is not known, so that a worker that waits for
    /// what a queued job of its pool would set neither helps nor is refused.
    pub fn wait(&self) -> Result<(), WaitError> {
        self.block(None).map_err(WaitError::told)
    }

    /// Blocks this thread until it is set, for `timeout` at the most, counted from this call. A zero timeout only looks.
    /// `[event-3]`
    ///
    /// ```
    /// use std::time::Duration;
    /// use settled::{Expired, WaitError, primitives::Event};
    ///
    /// let event = Event::new();
    /// assert_eq!(event.wait_timeout(Duration::ZERO), Err(WaitError::Expired(Expired)));
    /// event.set();
    /// assert_eq!(event.wait_timeout(Duration::ZERO), Ok(()));
    /// ```
    ///
    /// # Errors
    ///
    /// [`WaitError::Expired`] if it was not set by then, and the others of [`wait`](Self::wait), but never for a zero
    /// timeout.
    pub fn wait_timeout(&self, timeout: Duration) -> Result<(), WaitError> {
        self.block(after(timeout)).map_err(WaitError::told)
    }

    /// Blocks this thread until it is set, until `deadline` at the latest. If it is set while the deadline passes, it is set.
    /// `[event-3]`
    ///
    /// # Errors
    ///
    /// As [`wait_timeout`](Self::wait_timeout).
    pub fn wait_deadline(&self, deadline: Instant) -> Result<(), WaitError> {
        self.block(Some(deadline)).map_err(WaitError::told)
    }

    /// Blocks this thread until it is set, or says why it is not, of which the caller is to be [told](WaitError::told).
    pub(super) fn block(&self, deadline: Option<Instant>) -> Result<(), WaitError> {
        self.0.block(deadline)
    }

    /// Awaits that it is set, on any executor. It stands in the line from its first poll on. `[event-3]`
    ///
    /// Cancel safety: dropped, it leaves, and changes nothing for anybody else.
    #[inline]
    pub fn wait_async(&self) -> AwaitEvent<'_> {
        AwaitEvent(Some(Place::new(Hold::Borrowed(&self.0))))
    }

    /// The same, as an owner.
    pub(super) fn wait_as_an_owner(&self) -> AwaitEvent<'static> {
        AwaitEvent(Some(Place::new(Hold::Owned(Arc::clone(&self.0)))))
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Event");
        match self.0.look(|gate| (gate.is_set(), gate.line().len())) {
            Some((is_set, waiting)) => {
                debug.field("set", &is_set).field("waiting", &waiting).finish()
            }
            None => debug.field("state", &format_args!("<locked>")).finish(),
        }
    }
}

/// Awaits an [`Event`]. Made by [`Event::wait_async`]. `[event-3]`
#[must_use = "futures do nothing unless they are polled"]
pub struct AwaitEvent<'a>(Option<EventPlace<'a>>);

type EventPlace<'a> = Place<Gate<Waiter>, Hold<'a, Core<Gate<Waiter>>>>;

impl Future for AwaitEvent<'_> {
    type Output = ();

    /// # Panics
    ///
    /// If polled again after it was ready.
    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let place = self.0.as_mut().expect("polled again after it was ready");
        let poll = place.poll(cx);
        if poll.is_ready() {
            self.0 = None;
        }
        poll
    }
}

impl fmt::Debug for AwaitEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitEvent").field("ready", &self.0.is_none()).finish()
    }
}
