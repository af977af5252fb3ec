//! Waiting at the level of the lock: what a waiter needs to return if it may wake for no reason.
//!
//! A waiter looks under the lock and sleeps on the condition variable while the work is not done. A
//! settler takes the lock once, marks the work done, lets go of the lock and wakes whoever sleeps. A
//! sleeper may also wake spuriously. The waiter then retakes the lock, finds nothing and sleeps again:
//! if that never stops, the lock is free again and again, yet never for good, and a settler who is owed
//! only what is free for good may starve. It is enough that the lock is fair to the settler, or that
//! spurious wake-ups cease.

use settled::model::check::{self, ENVIRONMENT, Failure, Kinds, Outcome};
use stateright::{Model, Property};

use crate::{Row, Trials, refuted, row};

const ONE: &str = "one holds the lock";
const SEEN: &str = "who returns saw it done";
const NONE_LOST: &str = "no wake-up is lost";

/// A mistake that is made easily.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    /// The settler does not ask whether the lock is free.
    LocksAnyway,
    /// Who wakes takes it that the work is done.
    Trusts,
    /// The waiter lets go of the lock, and then sleeps.
    LetsGoAndSleeps,
}

/// The fairness class of the waiter's steps.
const WAITER: usize = 0;
/// The fairness class of the settler's steps.
const SETTLER: usize = 1;

/// Where the waiter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Waiter {
    /// Wants the lock.
    Locking,
    /// Holds the lock and is about to look.
    Looking,
    /// Has let go of the lock and is about to sleep, if these are two steps.
    Falling,
    /// Let go of the lock and sleeps, in one step.
    Sleeping,
    /// Saw that the work is done, and returned.
    Returned,
}

/// Where the settler stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Settler {
    /// Wants the lock.
    Locking,
    /// Holds the lock and is about to mark the work done.
    Marking,
    /// Holds the lock and is about to let go of it.
    Unlocking,
    /// About to wake the sleeper.
    Notifying,
    /// Has nothing left to do.
    Finished,
}

/// A state of [`Park`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Parked {
    waiter: Waiter,
    settler: Settler,
    done: bool,
    /// How many more spurious wake-ups there will be, if they cease.
    wakes: Option<u8>,
}

impl Parked {
    /// Whether nobody holds the lock.
    fn free(&self) -> bool {
        self.waiter != Waiter::Looking
            && !matches!(self.settler, Settler::Marking | Settler::Unlocking)
    }
}

/// A step of [`Park`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The waiter takes the lock, at first or on waking.
    WaiterLocks,
    /// The waiter looks: it returns, or lets go of the lock and sleeps.
    Look,
    /// The waiter sleeps, if it has let go of the lock before.
    Sleep,
    /// The settler takes the lock.
    SettlerLocks,
    /// The settler marks the work done.
    Mark,
    /// The settler lets go of the lock.
    Unlock,
    /// The settler wakes the waiter, if it sleeps.
    Notify,
    /// The waiter wakes for no reason.
    Spurious,
}

/// One waiter, one settler, one lock, one condition variable.
#[derive(Clone, Debug)]
struct Park {
    /// How many spurious wake-ups there are; `None` is as many as can be.
    wakes: Option<u8>,
    wrong: Option<Wrong>,
}

impl Model for Park {
    type State = Parked;
    type Action = Step;

    fn init_states(&self) -> Vec<Parked> {
        let (waiter, settler) = (Waiter::Locking, Settler::Locking);
        vec![Parked { waiter, settler, done: false, wakes: self.wakes }]
    }

    fn actions(&self, state: &Parked, steps: &mut Vec<Step>) {
        match state.waiter {
            Waiter::Locking if state.free() => steps.push(Step::WaiterLocks),
            Waiter::Looking => steps.push(Step::Look),
            Waiter::Falling => steps.push(Step::Sleep),
            Waiter::Sleeping if state.wakes != Some(0) => steps.push(Step::Spurious),
            Waiter::Locking | Waiter::Sleeping | Waiter::Returned => {}
        }
        match state.settler {
            Settler::Locking if state.free() || self.wrong == Some(Wrong::LocksAnyway) => {
                steps.push(Step::SettlerLocks)
            }
            Settler::Marking => steps.push(Step::Mark),
            Settler::Unlocking => steps.push(Step::Unlock),
            Settler::Notifying => steps.push(Step::Notify),
            Settler::Locking | Settler::Finished => {}
        }
    }

    fn next_state(&self, last: &Parked, step: Step) -> Option<Parked> {
        let mut next = last.clone();
        let trusts = self.wrong == Some(Wrong::Trusts);
        let wakes = if trusts { Waiter::Returned } else { Waiter::Locking };
        match step {
            Step::WaiterLocks => next.waiter = Waiter::Looking,
            Step::Look if last.done => next.waiter = Waiter::Returned,
            Step::Look if self.wrong == Some(Wrong::LetsGoAndSleeps) => {
                next.waiter = Waiter::Falling
            }
            Step::Look | Step::Sleep => next.waiter = Waiter::Sleeping,
            Step::SettlerLocks => next.settler = Settler::Marking,
            Step::Mark => (next.done, next.settler) = (true, Settler::Unlocking),
            Step::Unlock => next.settler = Settler::Notifying,
            Step::Notify => {
                next.settler = Settler::Finished;
                if last.waiter == Waiter::Sleeping {
                    next.waiter = wakes;
                }
            }
            Step::Spurious => {
                next.waiter = wakes;
                next.wakes = last.wakes.map(|left| left - 1);
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONE, |_, state: &Parked| {
                let settling = matches!(state.settler, Settler::Marking | Settler::Unlocking);
                !(settling && state.waiter == Waiter::Looking)
            }),
            Property::always(SEEN, |_, state: &Parked| {
                state.waiter != Waiter::Returned || state.done
            }),
            Property::always(NONE_LOST, |_, state: &Parked| {
                state.settler != Settler::Finished || state.waiter != Waiter::Sleeping
            }),
            Property::sometimes("the waiter sleeps", |_, state: &Parked| {
                state.waiter == Waiter::Sleeping
            }),
            Property::sometimes("the waiter returns", |_, state: &Parked| {
                state.waiter == Waiter::Returned
            }),
        ]
    }
}

impl Kinds for Park {
    fn kind(step: &Step) -> &'static str {
        match step {
            Step::WaiterLocks => "waiter locks",
            Step::Look => "look",
            Step::Sleep => "sleep",
            Step::SettlerLocks => "settler locks",
            Step::Mark => "mark",
            Step::Unlock => "unlock",
            Step::Notify => "notify",
            Step::Spurious => "spurious",
        }
    }

    fn by(&self, step: &Step) -> usize {
        match step {
            Step::WaiterLocks | Step::Look | Step::Sleep => WAITER,
            Step::SettlerLocks | Step::Mark | Step::Unlock | Step::Notify => SETTLER,
            Step::Spurious => ENVIRONMENT,
        }
    }
}

impl Park {
    /// Spurious wake-ups without end.
    const ANY: Self = Self { wakes: None, wrong: None };
    /// At most two spurious wake-ups.
    const FEW: Self = Self { wakes: Some(2), wrong: None };
}

/// Whether the waiter has returned.
fn returned(_: &Park, state: &Parked) -> bool {
    state.waiter == Waiter::Returned
}

pub(crate) fn add(trials: &mut Trials) {
    trials.add("park::safety", || {
        let mut rows = Vec::new();
        for (bound, model, size) in [
            ("spurious wake-ups without end", Park::ANY, [14, 7]),
            ("two of them", Park::FEW, [42, 13]),
        ] {
            let proof = check::prove(model).map_err(|failure| failure.to_string())?;
            rows.push(row("park", bound, &proof, size)?);
        }
        Ok::<_, String>(rows)
    });
    trials.add("park::liveness", liveness);
    for (name, wrong, property, steps) in [
        ("the settler locks what is not free", Wrong::LocksAnyway, ONE, 2),
        ("whoever wakes returns", Wrong::Trusts, SEEN, 3),
        ("a waiter lets go, and then sleeps", Wrong::LetsGoAndSleeps, NONE_LOST, 7),
    ] {
        trials.add(format!("park: {name}"), move || {
            let model = Park { wrong: Some(wrong), ..Park::ANY };
            let system = format!("park: {name}");
            refuted(system, format!("not so: {property}"), model, property, steps)
                .map(|it| vec![it])
        });
    }
}

/// Whether the waiter returns, and under which fairness.
fn liveness() -> Result<Vec<Row>, String> {
    let holds = |bound: &str, states: Outcome<Park, usize>| match states {
        Ok(states) => Ok(Row {
            system: "park: the waiter returns".to_owned(),
            bound: bound.to_owned(),
            properties: 1,
            states,
            fails: None,
        }),
        Err(failure) => Err(format!("{bound}: {failure}")),
    };
    let starved = match check::ends(Park::ANY, returned, &[]) {
        Err(Failure::ForEver { path, .. }) => Row {
            system: "park: spurious wake-ups, any lock".to_owned(),
            bound: "goes round for ever".to_owned(),
            properties: 1,
            states: 0,
            fails: Some(path.len()),
        },
        _ => return Err("the settler cannot starve".to_owned()),
    };
    Ok(vec![
        holds("a lock that is fair to the settler", check::ends(Park::ANY, returned, &[SETTLER]))?,
        holds("two spurious wake-ups, any lock", check::ends(Park::FEW, returned, &[]))?,
        starved,
    ])
}
