//! [`Semaphore`]: so many at once.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use super::{
    hold::Hold,
    line::Turns,
    permits::Permits,
    waits::{Core, Place},
};
use crate::{
    error::{Surplus, WaitError},
    sync::after,
    waiter::Waiter,
};

/// Permits of which there are so many. Python's `threading.Semaphore` and `asyncio.Semaphore`, in one, and with
/// [`bounded`](Self::bounded) their `BoundedSemaphore`.
///
/// Who has a [`Permit`] drops it to give it back. Threads and tasks stand in one line, and whoever came first is given the
/// next permit: it is handed over, and nobody overtakes. Clones are the same semaphore. `[semaphore-1]` `[semaphore-2]`
///
/// ```
/// use settled::{EventLoop, primitives::Semaphore};
///
/// let connections = Semaphore::new(1);
/// let permit = connections.try_acquire().unwrap().into_owned();
/// let shared = connections.clone();
/// let thread = std::thread::spawn(move || shared.acquire().map(drop));
/// let event_loop = EventLoop::new();
/// let handle = event_loop.handle();
/// handle.call_soon_threadsafe(move || drop(permit)).unwrap();
/// event_loop.run_until_complete(async move {
///     let _permit = connections.acquire_async().await;
/// }).unwrap();
/// thread.join().unwrap().unwrap();
/// ```
///
/// ```
/// use std::time::Instant;
/// use settled::primitives::{Permit, Semaphore};
///
/// let semaphore = Semaphore::new(2);
/// let permit: Permit<'_> = semaphore.acquire_deadline(Instant::now()).unwrap();
/// assert_eq!(semaphore.available(), 1);
/// permit.forget();
/// assert_eq!(semaphore.available(), 1);
/// ```
#[derive(Clone)]
#[doc(alias("BoundedSemaphore", "CapacityLimiter"))]
pub struct Semaphore(Arc<Core<Permits<Waiter>>>);

impl Semaphore {
    /// One with so many permits, to which [`release`](Self::release) may add more.
    #[must_use]
    pub fn new(permits: usize) -> Self {
        Self(Core::new(Permits::new(permits, usize::MAX)))
    }

    /// One with so many permits, and never more than these. Python's `BoundedSemaphore`. `[semaphore-6]`
    #[must_use]
    pub fn bounded(permits: usize) -> Self {
        Self(Core::new(Permits::new(permits, permits)))
    }

    const fn permit(&self) -> Permit<'_> {
        Permit { of: Some(Hold::Borrowed(&self.0)) }
    }

    /// Takes a permit if one is free. It never blocks for long, and overtakes nobody. Python's `acquire(blocking=False)`.
    /// `[semaphore-2]`
    #[must_use]
    #[inline]
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        self.0.pass().then(|| self.permit())
    }

    /// Blocks this thread until it is its turn to have a permit. What was done by those who gave theirs back before happens
    /// before what this thread does then. `[semaphore-4]` `[semaphore-8]`
    ///
    /// # Errors
    ///
    /// [`WaitError::WouldDeadlock`] if none is free and this thread runs an event loop, or is in many callbacks that wait
    /// inside each other; [`WaitError::Interrupted`] if an
    /// [`Interrupt`](crate::Interrupt) ends the wait. `[wait-9]` Who gives one back is not known, so that a worker that
    /// waits for what a queued job of its pool would give back neither helps nor is refused, nor is a thread that has all
    /// of them itself.
    #[inline]
    pub fn acquire(&self) -> Result<Permit<'_>, WaitError> {
        self.block(None)
    }

    /// Blocks this thread until it has a permit, for `timeout` at the most, counted from this call. A zero timeout only
    /// looks. Python's `acquire(timeout=)`. `[semaphore-4]`
    ///
    /// ```
    /// use std::time::Duration;
    /// use settled::{Expired, WaitError, primitives::Semaphore};
    ///
    /// let semaphore = Semaphore::new(1);
    /// let _permit = semaphore.acquire_timeout(Duration::ZERO).unwrap();
    /// let late = semaphore.acquire_timeout(Duration::ZERO);
    /// assert_eq!(late.unwrap_err(), WaitError::Expired(Expired));
    /// ```
    ///
    /// # Errors
    ///
    /// [`WaitError::Expired`] if it was not its turn by then, and the others of [`acquire`](Self::acquire), but never for a
    /// zero timeout.
    #[inline]
    pub fn acquire_timeout(&self, timeout: Duration) -> Result<Permit<'_>, WaitError> {
        self.block(after(timeout))
    }

    /// Blocks this thread until it has a permit, until `deadline` at the latest. A permit that is granted to it while the
    /// deadline passes is taken. `[semaphore-4]`
    ///
    /// # Errors
    ///
    /// As [`acquire_timeout`](Self::acquire_timeout).
    pub fn acquire_deadline(&self, deadline: Instant) -> Result<Permit<'_>, WaitError> {
        self.block(Some(deadline))
    }

    #[inline]
    fn block(&self, deadline: Option<Instant>) -> Result<Permit<'_>, WaitError> {
        self.0.block(deadline).map_err(WaitError::told)?;
        Ok(self.permit())
    }

    /// Awaits a permit, on any executor. It stands in the line from its first poll on. `[semaphore-5]`
    ///
    /// Cancel safety: dropped, it leaves the line, and a permit that was granted to it meanwhile goes on to the next.
    /// `[semaphore-3]` From then on that one is granted to it the permit is its own: poll it or drop it, or nobody has the
    /// permit.
    #[inline]
    pub fn acquire_async(&self) -> AwaitPermit<'_> {
        AwaitPermit(Some(Place::new(Hold::Borrowed(&self.0))))
    }

    /// Adds so many permits. The first who wait have them. Python's `release(n)`, where nobody holds a permit by value; who
    /// does drops it. `[semaphore-1]`
    ///
    /// ```
    /// use settled::{Surplus, primitives::Semaphore};
    ///
    /// let semaphore = Semaphore::bounded(2);
    /// semaphore.try_acquire().unwrap().forget();
    /// semaphore.release(1).unwrap();
    /// assert_eq!(semaphore.release(1), Err(Surplus));
    /// ```
    ///
    /// # Errors
    ///
    /// [`Surplus`] if there would be more than there may be, those that are held among them; nothing is added then.
    /// `[semaphore-6]`
    #[doc(alias = "add_permits")]
    pub fn release(&self, permits: usize) -> Result<(), Surplus> {
        let told = self.0.lock().add(permits);
        told.ok_or(Surplus)?.into_iter().for_each(Waiter::notify);
        Ok(())
    }

    /// How many permits are free. Others may take them meanwhile. `[semaphore-1]`
    #[must_use]
    #[doc(alias("available_permits", "value", "locked"))]
    pub fn available(&self) -> usize {
        self.0.number(|permits| permits.free()).try_into().unwrap_or(usize::MAX)
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Core<Permits<Waiter>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Semaphore");
        match self.look(|permits| (permits.free(), permits.all(), permits.line().len())) {
            Some((available, all, waiting)) => {
                let debug = debug.field("available", &available).field("of", &all);
                debug.field("waiting", &waiting).finish()
            }
            None => debug.field("state", &format_args!("<locked>")).finish(),
        }
    }
}

/// One permit of a [`Semaphore`]. Dropped, it goes to the first who waits, or is free. Leaked, it stays away, and harms
/// nothing else. It may be given to another thread. `[semaphore-1]`
///
/// It borrows the semaphore. [`into_owned`](Self::into_owned) makes one that does not.
#[must_use = "dropped, it is given back at once"]
#[doc(alias("SemaphorePermit", "OwnedSemaphorePermit", "release"))]
pub struct Permit<'a> {
    /// `None` once it is gone for good.
    of: Option<Hold<'a, Core<Permits<Waiter>>>>,
}

impl Permit<'_> {
    /// The same permit, which borrows nothing: it may outlive this handle of the semaphore, and go into a thread or task
    /// of its own. `[semaphore-1]`
    ///
    /// ```
    /// use settled::primitives::{Permit, Semaphore};
    ///
    /// struct Connection(Permit<'static>);
    ///
    /// let semaphore = Semaphore::new(1);
    /// let connection = Connection(semaphore.acquire().unwrap().into_owned());
    /// drop(semaphore);
    /// std::thread::spawn(move || drop(connection.0)).join().unwrap();
    /// ```
    #[doc(alias = "acquire_owned")]
    pub fn into_owned(mut self) -> Permit<'static> {
        Permit { of: self.of.take().map(Hold::into_owned) }
    }

    /// The permit is gone for good, or until [`release`](Semaphore::release) adds another. `[semaphore-1]`
    ///
    /// ```
    /// use settled::primitives::Semaphore;
    ///
    /// let semaphore = Semaphore::new(1);
    /// semaphore.try_acquire().unwrap().forget();
    /// assert!(semaphore.try_acquire().is_none());
    /// ```
    pub fn forget(mut self) {
        if let Some(of) = self.of.take() {
            of.lock().forget();
        }
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(of) = &self.of {
            of.give_back();
        }
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("of", &self.of).finish()
    }
}

/// Awaits a permit of a [`Semaphore`]. Made by [`Semaphore::acquire_async`]. `[semaphore-5]`
#[must_use = "futures do nothing unless they are polled"]
pub struct AwaitPermit<'a>(Option<PermitPlace<'a>>);

type PermitPlace<'a> = Place<Permits<Waiter>, Hold<'a, Core<Permits<Waiter>>>>;

impl<'a> Future for AwaitPermit<'a> {
    type Output = Permit<'a>;

    /// # Panics
    ///
    /// If polled again after it was ready.
    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit<'a>> {
        let place = self.0.as_mut().expect("polled again after it was ready");
        std::task::ready!(place.poll(cx));
        let permit = Permit { of: Some(place.core.clone()) };
        self.0 = None;
        Poll::Ready(permit)
    }
}

impl fmt::Debug for AwaitPermit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitPermit").field("ready", &self.0.is_none()).finish()
    }
}
