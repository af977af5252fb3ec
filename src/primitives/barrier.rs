//! [`Barrier`]: so many go on together.

use std::{
    fmt, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use super::{
    event::{AwaitEvent, Event},
    meeting::{Arrival, Meeting},
};
use crate::{
    blocking::may_block,
    error::{BarrierError, BrokenBarrier, WaitError},
    sync::{Mutex, after, is_past, lock},
};

/// Lets threads and tasks go on when so many of them are there. Python's `threading.Barrier` and `asyncio.Barrier`, in one.
///
/// Each who comes waits for the others; when the last has come they all go on, each with a number of his own, from zero on,
/// in the order in which they came, and the next round begins. If one of those who wait leaves, at his deadline, interrupted,
/// dropped, or with his loop, the others can wait for ever: the barrier is then broken, and they are told. `[barrier-1]`
/// `[barrier-2]` Clones are the same barrier.
///
/// ```
/// use settled::{EventLoop, primitives::Barrier};
///
/// let barrier = Barrier::new(2);
/// let shared = barrier.clone();
/// let thread = std::thread::spawn(move || shared.wait());
/// let run = EventLoop::new().run_until_complete(async move { barrier.wait_async().await });
/// let numbers = [thread.join().unwrap().unwrap(), run.unwrap().unwrap()];
/// assert!(numbers == [0, 1] || numbers == [1, 0]);
/// ```
///
/// ```
/// use settled::{BrokenBarrier, primitives::Barrier};
///
/// let barrier = Barrier::new(1);
/// assert_eq!((barrier.parties(), barrier.waiting(), barrier.wait()), (1, 0, Ok(0)));
/// barrier.abort();
/// assert!(barrier.is_broken());
/// assert_eq!(barrier.wait(), Err(BrokenBarrier.into()));
/// barrier.reset();
/// assert_eq!(barrier.wait(), Ok(0));
/// ```
#[derive(Clone)]
#[doc(alias = "CyclicBarrier")]
pub struct Barrier(Arc<Mutex<Rounds>>);

struct Rounds {
    meeting: Meeting,
    /// What those wait for who are there.
    round: Arc<Round>,
}

#[derive(Default)]
struct Round {
    is_over: Event,
    /// Written once, before that.
    is_broken: Mutex<bool>,
}

impl Rounds {
    /// The round is over, and those are to be told who wait in it.
    fn end(&mut self, is_broken: bool) -> Arc<Round> {
        let round = mem::take(&mut self.round);
        *lock(&round.is_broken) = is_broken;
        round
    }
}

/// One who waits. Dropped before his round is over, he breaks it.
struct Guest {
    barrier: Barrier,
    round: Arc<Round>,
    of: u64,
    number: usize,
}

impl Guest {
    /// What has become of the round, which is over.
    fn end(&self) -> Result<usize, BrokenBarrier> {
        if *lock(&self.round.is_broken) { Err(BrokenBarrier) } else { Ok(self.number) }
    }

    /// Leaves; whether the round was not over.
    fn leave(&self) -> bool {
        let mut rounds = lock(&self.barrier.0);
        let told = rounds.meeting.leave(self.of).then(|| rounds.end(true));
        drop(rounds);
        told.inspect(|round| round.is_over.set()).is_some()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Barrier {
    /// One for so many. With none it is as with one: nobody waits.
    #[must_use]
    pub fn new(parties: usize) -> Self {
        let meeting = Meeting::new(parties);
        Self(Arc::new(Mutex::new(Rounds { meeting, round: Arc::default() })))
    }

    /// Comes, and is told what became of it, or waits.
    fn arrive(&self, rounds: &mut Rounds) -> (Arrival, Option<Guest>, Option<Arc<Round>>) {
        let of = rounds.meeting.round();
        let arrival = rounds.meeting.arrive();
        match arrival {
            Arrival::Waits(number) => {
                let round = Arc::clone(&rounds.round);
                (arrival, Some(Guest { barrier: self.clone(), round, of, number }), None)
            }
            Arrival::Last(_) => (arrival, None, Some(rounds.end(false))),
            Arrival::Broken => (arrival, None, None),
        }
    }

    /// Blocks this thread until all are there, and answers its number among them. What each of them did before happens
    /// before what any of them does then. `[barrier-1]` `[barrier-3]`
    ///
    /// # Errors
    ///
    /// [`BrokenBarrier`] if it is broken, or breaks meanwhile. [`WaitError::WouldDeadlock`] if not all others are there and
    /// this thread runs an event loop, or is in many callbacks that wait inside each other; [`WaitError::Interrupted`] if an
    /// [`Interrupt`](crate::Interrupt) ends the wait. `[wait-9]` The first of these has not come, and breaks nothing.
    pub fn wait(&self) -> Result<usize, BarrierError> {
        self.block(None)
    }

    /// The same, for `timeout` at the most, counted from this call: then the barrier breaks, also if the timeout is zero.
    /// `[barrier-2]` `[barrier-3]`
    ///
    /// ```
    /// use std::time::Duration;
    /// use settled::{BarrierError, Expired, WaitError, primitives::Barrier};
    ///
    /// let barrier = Barrier::new(2);
    /// let end = barrier.wait_timeout(Duration::from_millis(1));
    /// assert_eq!(end, Err(BarrierError::Wait(WaitError::Expired(Expired))));
    /// assert!(barrier.is_broken());
    /// ```
    ///
    /// # Errors
    ///
    /// [`WaitError::Expired`] if not all were there by then, and the others of [`wait`](Self::wait), but never
    /// [`WaitError::WouldDeadlock`] for a zero timeout.
    pub fn wait_timeout(&self, timeout: Duration) -> Result<usize, BarrierError> {
        self.block(after(timeout))
    }

    /// The same, until `deadline` at the latest. If the last comes while the deadline passes, all are there. `[barrier-3]`
    ///
    /// ```
    /// use std::time::Instant;
    /// use settled::primitives::Barrier;
    ///
    /// assert_eq!(Barrier::new(1).wait_deadline(Instant::now()), Ok(0));
    /// ```
    ///
    /// # Errors
    ///
    /// As [`wait_timeout`](Self::wait_timeout).
    pub fn wait_deadline(&self, deadline: Instant) -> Result<usize, BarrierError> {
        self.block(Some(deadline))
    }

    fn block(&self, deadline: Option<Instant>) -> Result<usize, BarrierError> {
        let mut rounds = lock(&self.0);
        if rounds.meeting.would_wait() && !is_past(deadline) {
            drop(rounds);
            may_block().map_err(WaitError::from)?;
            rounds = lock(&self.0);
        }
        let (arrival, guest, told) = self.arrive(&mut rounds);
        drop(rounds);
        told.into_iter().for_each(|round| round.is_over.set());
        let guest = match (arrival, guest) {
            (Arrival::Last(number), _) => return Ok(number),
            (Arrival::Waits(_), Some(guest)) => guest,
            _ => return Err(BrokenBarrier.into()),
        };
        match guest.round.is_over.block(deadline) {
            Err(error) if guest.leave() => Err(error.told().into()),
            _ => Ok(guest.end()?),
        }
    }

    /// Awaits that all are there, on any executor, and its number among them, or that the barrier is broken. It has come
    /// from its first poll on. `[barrier-1]` `[barrier-4]`
    ///
    /// Cancel safety: none, as the others wait for it: dropped when it has come, and before all have, it breaks the barrier.
    /// `[barrier-2]`
    pub fn wait_async(&self) -> AwaitBarrier {
        AwaitBarrier(Stage::Begins(self.clone()))
    }

    /// Breaks it, until it is [`reset`](Self::reset): those who wait are told, and so is whoever comes. `[barrier-2]`
    pub fn abort(&self) {
        let mut rounds = lock(&self.0);
        rounds.meeting.abort();
        let told = rounds.end(true);
        drop(rounds);
        told.is_over.set();
    }

    /// Begins anew. Those who wait are told that their round broke. `[barrier-2]`
    pub fn reset(&self) {
        let mut rounds = lock(&self.0);
        rounds.meeting.reset();
        let told = rounds.end(true);
        drop(rounds);
        told.is_over.set();
    }

    /// How many have to be there. `[barrier-1]`
    #[must_use]
    pub fn parties(&self) -> usize {
        lock(&self.0).meeting.parties()
    }

    /// How many wait. Others may come meanwhile. Python's `n_waiting`. `[barrier-1]`
    #[must_use]
    #[doc(alias = "n_waiting")]
    pub fn waiting(&self) -> usize {
        lock(&self.0).meeting.there()
    }

    /// Whether it is broken. Python's `broken`. `[barrier-2]`
    #[must_use]
    #[doc(alias = "broken")]
    pub fn is_broken(&self) -> bool {
        lock(&self.0).meeting.is_broken()
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Barrier");
        let seen = self.0.try_lock().ok().map(|rounds| rounds.meeting.clone());
        match seen {
            Some(meeting) => {
                let debug = debug.field("parties", &meeting.parties());
                let debug = debug.field("waiting", &meeting.there());
                debug.field("broken", &meeting.is_broken()).finish()
            }
            None => debug.field("state", &format_args!("<locked>")).finish(),
        }
    }
}

/// Awaits the others at a [`Barrier`]. Made by [`Barrier::wait_async`]. `[barrier-4]`
#[must_use = "futures do nothing unless they are polled"]
pub struct AwaitBarrier(Stage);

enum Stage {
    Begins(Barrier),
    /// The wait goes before the guest does.
    Waits(AwaitEvent<'static>, Guest),
    Over,
}

impl Future for AwaitBarrier {
    type Output = Result<usize, BrokenBarrier>;

    /// # Panics
    ///
    /// If polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Stage::Begins(barrier) = &self.0 {
            let barrier = barrier.clone();
            let mut rounds = lock(&barrier.0);
            let (arrival, guest, told) = barrier.arrive(&mut rounds);
            drop(rounds);
            let Some(guest) = guest else {
                self.0 = Stage::Over;
                told.into_iter().for_each(|round| round.is_over.set());
                return Poll::Ready(match arrival {
                    Arrival::Last(number) => Ok(number),
                    _ => Err(BrokenBarrier),
                });
            };
            self.0 = Stage::Waits(guest.round.is_over.wait_as_an_owner(), guest);
        }
        let Stage::Waits(waits, guest) = &mut self.0 else {
            panic!("polled again after it was ready")
        };
        ready!(Pin::new(waits).poll(cx));
        let end = guest.end();
        self.0 = Stage::Over;
        Poll::Ready(end)
    }
}

impl fmt::Debug for AwaitBarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_come = !matches!(self.0, Stage::Begins(_));
        f.debug_struct("AwaitBarrier").field("has_come", &has_come).finish()
    }
}
