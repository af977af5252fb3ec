//! The machine: four states, four events, one table.
//!
//! Everything else in this crate is a way to carry this table to threads and event loops. The
//! cell applies it to shared memory, the promise turns it into types, the models step it, the
//! documents print it: whatever else speaks of it is derived from it or compared with it.
//!
//! | | start | finish | cancel | abandon |
//! |---|---|---|---|---|
//! | **Pending** | Running | Finished | Cancelled | Cancelled |
//! | **Running** | refused | Finished | refused | Finished |
//! | **Cancelled** | refused | refused | already | already |
//! | **Finished** | refused | refused | refused | already |
//!
//! ```text
//!           start              finish, abandon
//!   Pending ────────▶ Running ───────────────────▶ Finished
//!    │  └──────────────── finish ─────────────────────▲
//!    └─── cancel, abandon ─────▶ Cancelled
//! ```
//!
//! The module is pure: no allocation, no threads, no values, `no_std`. Both enums are exhaustive on
//! purpose. Four states are the specification, not an implementation detail.

use core::fmt;

/// Where a future is in its life. `[machine-1]`
///
/// Python's `concurrent.futures` has a fifth state, `CANCELLED_AND_NOTIFIED`, that no predicate
/// shows and that `wait()` alone looks at; its absence is difference D33.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Nobody has begun the work, and a cancel would succeed.
    Pending,
    /// The work has begun, and a cancel is refused.
    Running,
    /// Settled: the work never ran, or its owner stopped it. No value will come.
    Cancelled,
    /// Settled: the work ran to some end (a value, an error, a panic, or its promise was dropped).
    Finished,
}

/// What can happen to a future. `[machine-1]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Event {
    /// A worker claims the work.
    Start,
    /// The work delivers its outcome, success and failure alike.
    Finish,
    /// Somebody asks that the work not be done.
    Cancel,
    /// The promise is dropped without an outcome.
    Abandon,
}

/// What the machine answers to an event. `[machine-4]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a refused event changed nothing, and its sender must be told"]
pub enum Step {
    /// The event was accepted and leads to this state.
    To(State),
    /// The event asks for what has been reached already; nothing changes.
    Already,
    /// The event has no place in this state; nothing changes.
    Refused,
}

impl State {
    /// All states, in the order of the table's rows.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Running, Self::Cancelled, Self::Finished];

    /// Returns what `event` does in this state: this is the table. `[machine-2]`
    ///
    /// ```
    /// use settled::machine::{Event, State, Step};
    ///
    /// assert_eq!(State::Pending.on(Event::Cancel), Step::To(State::Cancelled));
    /// assert_eq!(State::Running.on(Event::Cancel), Step::Refused);
    /// assert_eq!(State::Cancelled.on(Event::Cancel), Step::Already);
    /// ```
    #[inline]
    pub const fn on(self, event: Event) -> Step {
        use Event::{Abandon, Cancel, Finish, Start};
        use State::{Cancelled, Finished, Pending, Running};
        match (self, event) {
            (Pending, Start) => Step::To(Running),
            (Pending, Finish) => Step::To(Finished),
            (Pending, Cancel | Abandon) => Step::To(Cancelled),
            (Running, Finish | Abandon) => Step::To(Finished),
            (Running, Start | Cancel) => Step::Refused,
            (Cancelled, Cancel | Abandon) => Step::Already,
            (Cancelled, Start | Finish) => Step::Refused,
            // No type lets a finished future's promise be dropped; the cell stays total all the same.
            (Finished, Abandon) => Step::Already,
            (Finished, Start | Finish | Cancel) => Step::Refused,
        }
    }

    /// Returns whether this is the end: Cancelled or Finished. The one notion of "done" that every method,
    /// waiter and combinator of the crate uses. `[machine-3]`
    ///
    /// ```
    /// use settled::machine::State;
    ///
    /// assert!(State::Finished.is_settled() && State::Cancelled.is_settled());
    /// assert!(!State::Pending.is_settled() && !State::Running.is_settled());
    /// ```
    #[must_use]
    #[inline]
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Cancelled | Self::Finished)
    }
}

impl Event {
    /// All events, in the order of the table's columns.
    pub const ALL: [Self; 4] = [Self::Start, Self::Finish, Self::Cancel, Self::Abandon];
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Cancelled => "Cancelled",
            Self::Finished => "Finished",
        })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Start => "start",
            Self::Finish => "finish",
            Self::Cancel => "cancel",
            Self::Abandon => "abandon",
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::To(state) => state.fmt(f),
            Self::Already => f.pad("already"),
            Self::Refused => f.pad("refused"),
        }
    }
}
