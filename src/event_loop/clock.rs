//! A clock that tests drive.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use crate::sync::now;

/// A clock for tests: it stands still until it is moved, and the timers of the loops that were made with it
/// follow it. Cheap to clone; all clones are one clock. It stays on its thread. `[loop-11]`
///
/// Made by [`driven`](Self::driven), it moves by [`advance`](Self::advance) alone: a loop that has nothing to do
/// but to wait for a timer sleeps, until another thread posts something. Made by [`jumping`](Self::jumping), it
/// moves by itself as well: when the loop would sleep for a timer, the clock jumps to the moment for which that was
/// set, and nothing is waited for. What other threads do meanwhile then looks as if it took for ever; use a driven
/// clock where they work for the loop.
///
/// A minute in a test:
///
/// ```
/// use std::time::Duration;
/// use settled::{Clock, EventLoop, tasks};
///
/// let (clock, minute) = (Clock::jumping(), Duration::from_secs(60));
/// let event_loop = EventLoop::with_clock(&clock);
/// let begin = clock.now();
/// event_loop.run_until_complete(async { tasks::sleep(minute).await }).unwrap();
/// assert_eq!(clock.now() - begin, minute);
/// ```
///
/// Step by step, just before the time and at it:
///
/// ```
/// use std::time::Duration;
/// use settled::{Clock, EventLoop, tasks};
///
/// let clock = Clock::driven();
/// let event_loop = EventLoop::with_clock(&clock);
/// let task = event_loop.create_task(tasks::timeout(std::future::pending::<()>(), Duration::from_secs(9)));
/// let task = task.unwrap();
/// let run = || while event_loop.try_tick().unwrap() {};
/// run();
/// clock.advance(Duration::from_millis(8_999));
/// run();
/// assert!(!task.done());
/// clock.advance(Duration::from_millis(1));
/// run();
/// assert!(task.result().unwrap().is_err());
/// ```
#[derive(Clone, Debug)]
pub struct Clock(Rc<Hands>);

#[derive(Debug)]
struct Hands {
    now: Cell<Instant>,
    jumps: bool,
}

impl Clock {
    /// Makes a clock that only [`advance`](Self::advance) moves. It begins with the present time. `[loop-11]`
    #[must_use]
    pub fn driven() -> Self {
        Self::new(false)
    }

    /// Makes a clock that also jumps to the next timer when its loop would sleep for it. It begins with the present
    /// time. `[loop-11]`
    #[must_use]
    pub fn jumping() -> Self {
        Self::new(true)
    }

    fn new(jumps: bool) -> Self {
        Self(Rc::new(Hands { now: Cell::new(now()), jumps }))
    }

    /// Returns what time it is. `[loop-11]`
    #[must_use]
    pub fn now(&self) -> Instant {
        self.0.now.get()
    }

    /// Moves it on. Nothing runs inside this call; the timers that are due then run in the next turn of their
    /// loops. `[loop-11]`
    ///
    /// # Panics
    ///
    /// If that is beyond the last moment that there is.
    pub fn advance(&self, by: Duration) {
        self.0.now.set(self.now() + by);
    }

    /// Whether it is so late already, or because it jumps.
    pub(super) fn reaches(&self, at: Instant) -> bool {
        if self.0.jumps {
            self.0.now.set(self.now().max(at));
        }
        at <= self.now()
    }
}
