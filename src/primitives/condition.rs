//! [`Condition`]: something that holds of the value of a lock, or will.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use super::{
    hold::Hold,
    line::Turns,
    lock::{AwaitLock, LockGuard},
    memory::Shared,
    notices::Notices,
    waits::{Core, Place},
};
use crate::{
    blocking::may_block,
    context,
    error::WaitError,
    sync::{after, is_over, is_past},
    waiter::Waiter,
};

/// Waits until somebody says that the value of a [`Lock`](super::Lock) has changed. Python's `threading.Condition` and
/// `asyncio.Condition`, in one.
///
/// Whoever waits gives the lock up, and has it again when he goes on. Nothing comes in between: who has the lock next finds
/// him in the line. Threads and tasks stand in one line, and who came first is notified first. Each notice lets one of those
/// go on who waited when it was given, and nobody else: there are no others. `[condition-1]` `[condition-2]` Clones are the
/// same condition. It may be used with any lock, also with several.
///
/// What somebody waits for may be over again when he has the lock: [`wait_for`](Self::wait_for) looks, and waits again.
///
/// ```
/// use settled::{EventLoop, primitives::{Condition, Lock}};
///
/// let (jobs, changed) = (Lock::new(Vec::new()), Condition::new());
/// let (shared, told) = (jobs.clone(), changed.clone());
/// let thread = std::thread::spawn(move || {
///     let mut jobs = shared.lock().unwrap();
///     told.wait_for(&mut jobs, |jobs| !jobs.is_empty()).unwrap();
///     jobs.pop()
/// });
/// EventLoop::new().run_until_complete(async move {
///     jobs.lock_async().await.push("a job");
///     changed.notify();
/// }).unwrap();
/// assert_eq!(thread.join().unwrap(), Some("a job"));
/// ```
#[derive(Clone)]
#[doc(alias("Condvar", "ConditionVariable", "Monitor"))]
pub struct Condition(Arc<Core<Notices<Waiter>>>);

impl Condition {
    /// One for which nobody waits.
    #[must_use]
    pub fn new() -> Self {
        Self(Core::new(Notices::new()))
    }

    /// Gives the lock up, blocks this thread until it is notified, and then until it has the lock again: it has the lock
    /// whatever this answers, and only another that keeps it prolongs the wait. `[condition-1]` `[condition-3]`
    ///
    /// What this thread has deferred runs meanwhile, without the lock, and the thread is in the line by then; so does what is
    /// left of that when the wait is over, if another has the lock, before the thread stands in the line of that.
    ///
    /// ```
    /// use settled::primitives::{Condition, Lock};
    ///
    /// let (lock, condition) = (Lock::new(0), Condition::new());
    /// let mut guard = lock.lock().unwrap();
    /// let (shared, told) = (lock.clone(), condition.clone());
    /// let thread = std::thread::spawn(move || {
    ///     *shared.lock().unwrap() = 1;
    ///     told.notify_all();
    /// });
    /// // It locks when this thread waits, and not before.
    /// condition.wait(&mut guard).unwrap();
    /// assert_eq!(*guard, 1);
    /// thread.join().unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// [`WaitError::WouldDeadlock`] if this thread runs an event loop, or is in many callbacks that wait inside each other:
    /// it has not given the lock up then. [`WaitError::Interrupted`] if an [`Interrupt`](crate::Interrupt) ends the wait;
    /// if that was raised before, the lock was not given up either. `[wait-9]`
    pub fn wait<T>(&self, guard: &mut LockGuard<'_, T>) -> Result<(), WaitError> {
        self.block(guard, None).map_err(WaitError::told)
    }

    /// The same, for `timeout` at the most, counted from this call. Without time, too, the thread gives the lock up, and has it
    /// again behind those who wait for it: one who looks again and again keeps nobody out. Only on the thread of a loop, which
    /// may not wait for it, it keeps it then. `[condition-3]`
    ///
    /// ```
    /// use std::time::Duration;
    /// use settled::{Expired, WaitError, primitives::{Condition, Lock}};
    ///
    /// let (lock, condition) = (Lock::new(1), Condition::new());
    /// let mut guard = lock.lock().unwrap();
    /// let end = condition.wait_timeout(&mut guard, Duration::from_millis(1));
    /// assert_eq!((end, *guard), (Err(WaitError::Expired(Expired)), 1));
    /// ```
    ///
    /// # Errors
    ///
    /// [`WaitError::Expired`] if it was not notified by then, and the others of [`wait`](Self::wait), but never for a zero
    /// timeout.
    pub fn wait_timeout<T>(
        &self,
        guard: &mut LockGuard<'_, T>,
        timeout: Duration,
    ) -> Result<(), WaitError> {
        self.block(guard, after(timeout)).map_err(WaitError::told)
    }

    /// The same, until `deadline` at the latest. A notice that is given while the deadline passes is taken. `[condition-3]`
    ///
    /// ```
    /// use std::time::Instant;
    /// use settled::primitives::{Condition, Lock};
    ///
    /// let (lock, condition) = (Lock::new(1), Condition::new());
    /// let mut guard = lock.lock().unwrap();
    /// assert!(condition.wait_deadline(&mut guard, Instant::now()).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// As [`wait_timeout`](Self::wait_timeout).
    pub fn wait_deadline<T>(
        &self,
        guard: &mut LockGuard<'_, T>,
        deadline: Instant,
    ) -> Result<(), WaitError> {
        self.block(guard, Some(deadline)).map_err(WaitError::told)
    }

    /// Says why it was not notified, of which the caller is to be [told](WaitError::told).
    fn block<T>(
        &self,
        guard: &mut LockGuard<'_, T>,
        deadline: Option<Instant>,
    ) -> Result<(), WaitError> {
        let has_time = !is_past(deadline);
        if has_time {
            may_block()?;
        }
        // Who may not wait for the lock keeps it.
        if is_over(None) || !has_time && context::may_block().is_err() {
            return Err(WaitError::of(deadline));
        }
        let mut guard = LocksAgain(guard, None);
        self.0.enter_and_block(deadline, || guard.1 = Some(guard.0.unlock()))
    }

    /// Waits as long as it is not so, which is looked at with the lock, first of all and after each notice. Python's
    /// `wait_for`. `[condition-4]`
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait), and only if it is not so in the end.
    #[doc(alias = "wait_while")]
    pub fn wait_for<T>(
        &self,
        guard: &mut LockGuard<'_, T>,
        is_so: impl FnMut(&mut T) -> bool,
    ) -> Result<(), WaitError> {
        self.block_for(guard, is_so, None)
    }

    /// The same, for `timeout` at the most, counted from this call. Without time it looks, waits once as
    /// [`wait_timeout`](Self::wait_timeout) does, and looks again. Python's `wait_for(timeout=)`. `[condition-4]`
    ///
    /// ```
    /// use std::time::Duration;
    /// use settled::primitives::{Condition, Lock};
    ///
    /// let (lock, condition) = (Lock::new(1), Condition::new());
    /// let mut guard = lock.lock().unwrap();
    /// assert!(condition.wait_for_timeout(&mut guard, |it| *it == 1, Duration::ZERO).is_ok());
    /// assert!(condition.wait_for_timeout(&mut guard, |it| *it == 2, Duration::ZERO).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// As [`wait_timeout`](Self::wait_timeout), and only if it is not so in the end.
    pub fn wait_for_timeout<T>(
        &self,
        guard: &mut LockGuard<'_, T>,
        is_so: impl FnMut(&mut T) -> bool,
        timeout: Duration,
    ) -> Result<(), WaitError> {
        self.block_for(guard, is_so, after(timeout))
    }

    /// The same, until `deadline` at the latest. `[condition-4]`
    ///
    /// ```
    /// use std::time::Instant;
    /// use settled::primitives::{Condition, Lock};
    ///
    /// let (lock, condition) = (Lock::new(1), Condition::new());
    /// let mut guard = lock.lock().unwrap();
    /// assert!(condition.wait_for_deadline(&mut guard, |it| *it == 1, Instant::now()).is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// As [`wait_timeout`](Self::wait_timeout), and only if it is not so in the end.
    pub fn wait_for_deadline<T>(
        &self,
        guard: &mut LockGuard<'_, T>,
        is_so: impl FnMut(&mut T) -> bool,
        deadline: Instant,
    ) -> Result<(), WaitError> {
        self.block_for(guard, is_so, Some(deadline))
    }

    fn block_for<T>(
        &self,
        guard: &mut LockGuard<'_, T>,
        mut is_so: impl FnMut(&mut T) -> bool,
        deadline: Option<Instant>,
    ) -> Result<(), WaitError> {
        let mut last = Ok(());
        loop {
            if is_so(guard) {
                return Ok(());
            }
            last.map_err(WaitError::told)?;
            last = self.block(guard, deadline);
        }
    }

    /// Gives the lock up, awaits that it is notified, and then the lock, on any executor. It stands in the line, and has
    /// given the lock up, from its first poll on. `[condition-1]` `[condition-5]`
    ///
    /// Cancel safety: dropped, it leaves, without the lock; a notice that was given to it, also if it was awaiting the lock by
    /// then, goes on to the next who was there. `[condition-2]` It takes the guard, so that there is none to use then. Poll it
    /// or drop it: kept and not polled, it keeps the notice that was given to it, and may keep the lock.
    ///
    /// ```
    /// use settled::{EventLoop, LoopRef, primitives::{Condition, Lock}};
    ///
    /// let run = EventLoop::new().run_until_complete(async {
    ///     let (lock, condition) = (Lock::new(0), Condition::new());
    ///     let (shared, told) = (lock.clone(), condition.clone());
    ///     let guard = lock.lock_async().await;
    ///     let notifies = async move {
    ///         *shared.lock_async().await += 1;
    ///         told.notify();
    ///     };
    ///     drop(LoopRef::current().unwrap().create_task(notifies).unwrap());
    ///     *condition.wait_async(guard).await
    /// });
    /// assert_eq!(run.unwrap(), 1);
    /// ```
    pub fn wait_async<'a, T>(&self, guard: LockGuard<'a, T>) -> AwaitCondition<'a, T> {
        AwaitCondition { place: Place::new(Arc::clone(&self.0)), stage: Stage::Begins(guard) }
    }

    /// Awaits as long as it is not so, which is looked at with the lock, first of all and after each notice. `[condition-4]`
    ///
    /// Cancel safety: as [`wait_async`](Self::wait_async).
    ///
    /// ```
    /// use settled::{EventLoop, primitives::{Condition, Lock}};
    ///
    /// let run = EventLoop::new().run_until_complete(async {
    ///     let (lock, condition) = (Lock::new(3), Condition::new());
    ///     let guard = lock.lock_async().await;
    ///     *condition.wait_for_async(guard, |it| *it == 3).await
    /// });
    /// assert_eq!(run.unwrap(), 3);
    /// ```
    pub async fn wait_for_async<'a, T>(
        &self,
        mut guard: LockGuard<'a, T>,
        mut is_so: impl FnMut(&mut T) -> bool,
    ) -> LockGuard<'a, T> {
        while !is_so(&mut guard) {
            guard = self.wait_async(guard).await;
        }
        guard
    }

    /// Lets the first who waits go on, with the lock, if anybody waits. Whoever has changed what is waited for calls it, with
    /// the lock or after that. What this thread did before happens before what he does then. `[condition-2]`
    /// `[condition-6]`
    #[doc(alias = "notify_one")]
    pub fn notify(&self) {
        self.notify_n(1);
    }

    /// Lets the first so many of those who wait go on, one after the other. Python's `notify(n)`. `[condition-2]`
    ///
    /// ```
    /// use settled::primitives::Condition;
    ///
    /// let condition = Condition::new();
    /// condition.notify_n(2);
    /// assert_eq!(format!("{condition:?}"), "Condition { waiting: 0 }");
    /// ```
    pub fn notify_n(&self, many: usize) {
        let told = self.0.lock().notify(many);
        told.into_iter().for_each(Waiter::notify);
    }

    /// Lets all go on who wait, one after the other. `[condition-2]`
    pub fn notify_all(&self) {
        self.notify_n(usize::MAX);
    }
}

/// Locks when the wait is over, also if it unwinds.
struct LocksAgain<'g, 'a, T>(&'g mut LockGuard<'a, T>, Option<Hold<'a, Shared<T>>>);

impl<T> Drop for LocksAgain<'_, '_, T> {
    fn drop(&mut self) {
        if let Some(of) = self.1.take() {
            self.0.lock_again(of);
        }
    }
}

impl Default for Condition {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Condition");
        match self.0.look(|notices| notices.line().len()) {
            Some(waiting) => debug.field("waiting", &waiting).finish(),
            None => debug.field("state", &format_args!("<locked>")).finish(),
        }
    }
}

/// Awaits a notice of a [`Condition`], and the lock. Made by [`Condition::wait_async`]. `[condition-5]`
#[must_use = "futures do nothing unless they are polled"]
pub struct AwaitCondition<'a, T> {
    place: Place<Notices<Waiter>>,
    stage: Stage<'a, T>,
}

enum Stage<'a, T> {
    /// Has the lock still.
    Begins(LockGuard<'a, T>),
    /// What it awaits when it is notified.
    Waits(AwaitLock<'a, T>),
    Over,
}

impl<'a, T> Future for AwaitCondition<'a, T> {
    type Output = LockGuard<'a, T>;

    /// # Panics
    ///
    /// If polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<LockGuard<'a, T>> {
        let Self { place, stage } = &mut *self;
        assert!(!matches!(stage, Stage::Over), "polled again after it was ready");
        let is_told = place.poll_turn(cx);
        if let Stage::Begins(guard) = stage {
            // It stands in the line by now.
            *stage = Stage::Waits(AwaitLock::new(guard.unlock()));
        }
        ready!(is_told);
        let Stage::Waits(lock) = stage else { unreachable!("it has begun") };
        let guard = ready!(Pin::new(lock).poll(cx));
        place.come();
        *stage = Stage::Over;
        Poll::Ready(guard)
    }
}

impl<T> fmt::Debug for AwaitCondition<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_the_lock = matches!(self.stage, Stage::Begins(_));
        f.debug_struct("AwaitCondition")
            .field("has_the_lock", &has_the_lock)
            .finish_non_exhaustive()
    }
}
