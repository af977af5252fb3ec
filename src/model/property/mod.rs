//! What a user could complain about.
//!
//! A property is a sentence about what users of a program see: who waits for ever, what was called
//! twice, what was read. It is given the program's [`Shape`] and a state of it, and nothing else, so
//! that it cannot tell by which rules the state came about.

mod sight;

use stateright::{Model, Property};

pub(super) use self::sight::Judge;
use self::sight::Sight;
use super::{
    End,
    program::{Do, Piece, Program, Role},
    shape::Shape,
    state::{Cell, Entry, Life, Script, Seen, System},
};
use crate::Cancelled;

/// A sentence that holds in every state.
///
/// ```
/// use settled::model::{Plan, System, check, property::{ALWAYS, Always, TWICE}};
///
/// let mut plan = Plan::new();
/// let job = plan.future("job");
/// plan.thread("worker", |it| { it.finish(job); });
/// plan.thread("user", |it| it.add_done_callback(job, "callback", |_| ()));
/// let program = plan.build().unwrap();
/// let states: Vec<System> = check::states(&program);
/// let once: &Always = ALWAYS.iter().find(|it| it.name == TWICE).unwrap();
/// assert!(states.iter().all(|state| once.holds(&program, state)));
/// assert!(states.iter().any(|state| once.speaks(&program, state))); // it says something of a state
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Always {
    /// The sentence.
    pub name: &'static str,
    /// The clause that promises it.
    pub clause: &'static str,
    holds: fn(Sight<'_>) -> bool,
    /// Its twin: that a state is reached in which it says something.
    speaks: fn(Sight<'_>) -> bool,
}

impl Always {
    /// Returns whether it holds in a state.
    #[must_use]
    pub fn holds(&self, program: &Program, state: &System) -> bool {
        (self.holds)(Sight { shape: &program.shape, state, judge: program })
    }

    /// Returns whether it says something of a state: its reachability twin.
    #[must_use]
    pub fn speaks(&self, program: &Program, state: &System) -> bool {
        self.says(program, state)
    }

    /// The same, for whatever can be judged.
    pub(super) fn says(&self, model: &impl Judge, state: &System) -> bool {
        (self.speaks)(Sight { shape: model.shape(), state, judge: model })
    }
}

/// Deadlock freedom: in every state without a step everything has ended properly, or the program
/// wrote a circle of waits itself, through its own locks or promises that threads hold. `[wait-1]`
/// `[deadlock-1]`
pub const ENDS: &str = "nobody waits for ever";
/// Nor for a whole timeout that nothing could have forestalled, and then in vain. `[deadlock-1]`
pub const IN_VAIN: &str = "nobody blocks for a whole timeout in vain";
/// Each callback is called. `[callback-1]` `[callback-3]`
pub const MISSED: &str = "no callback is missed";
/// And not again. `[callback-1]` `[callback-3]`
pub const TWICE: &str = "nothing runs twice";
/// And not before its time. `[callback-1]`
pub const EARLY: &str = "no callback runs before its future is settled";
/// In order. `[callback-3]`
pub const ORDER: &str = "the callbacks of a loop's view run in registration order";
/// On its thread. `[callback-3]`
pub const THREAD: &str = "what a loop is given runs on the loop's thread";
/// One at a time. `[callback-3]`
pub const AT_ONCE: &str = "two callbacks of one loop never run at once";
/// In a turn of its own, as does what a task begins with. `[callback-3]` `[callback-7]` `[loop-8]`
pub const NESTED: &str =
    "nothing that is called by way of a loop's view runs inside other code of the loop";
/// First in, first out. `[callback-8]`
pub const DEFERRED: &str = "callbacks that were deferred run in the order in which they were";
/// Removed is removed. `[callback-4]`
pub const REMOVED: &str = "a callback whose removal was answered with true never runs";
/// No lock of the library is held. `[callback-6]`
pub const LOCKED: &str = "nobody is kept out by a lock while a callback runs";
/// A cancel that succeeded stands. `[cancel-2]`
pub const NEVER_RUNS: &str = "work whose cancel succeeded never runs";
/// An answer of a cancel stands. `[cancel-1]`
pub const REFUSED: &str = "no future of which a cancel was refused is read as cancelled";
/// Nobody cancels but who is asked to. `[cancel-5]` `[wait-3]`
pub const UNASKED: &str = "nothing is cancelled on request that nobody asked to cancel";
/// One outcome. `[settled-2]` `[loop-2]` `[bridge-1]`
pub const AGREE: &str = "whoever reads a future reads how it ended";
/// One outcome, for both views. `[loop-2]` `[bridge-1]`
pub const ONE: &str = "two who read a future read the same end";
/// One turn, one answer. `[loop-1]`
pub const TURN: &str = "no view changes in the middle of a turn";
/// A closed loop's views read through. `[loop-5]`
pub const STALE: &str = "a view of a closed loop answers what its future does";
/// One notion of done. `[machine-3]`
pub const REPORTED: &str = "wait reports as done what its caller knows to be";
/// What a loop took runs. `[loop-5]` `[schedule-4]`
pub const ACCEPTED: &str = "a job that a loop accepted runs";
/// No future is left unsettled without an owner: when a promise, a queued job or a task goes, its
/// future settles in the same step. `[promise-3]` `[pool-1]`
pub const OWNED: &str = "no future is left unsettled without an owner";
/// Cancelled means stopped. `[loop-7]` `[cancel-4]`
pub const STOPPED: &str = "no task takes a step after it was settled";
/// A stop goes on to what is awaited. `[await-3]`
pub const ORPHAN: &str = "no work begins that only a stopped task awaited";
/// Cancelled means stopped, with all that was owned. `[await-3]`
pub const OUTLIVED: &str = "no task is settled before a task that it owned was stopped";
/// Only a wait that cannot end is refused to a worker: every way to go on without it was looked at, but for those
/// in which something is cancelled or a wait expires. `[pool-8]`
pub const NEEDLESS: &str = "no wait of a worker is refused that could have ended";
/// Work that stops for that harms nobody, then or later. `[promise-8]` `[weak-1]`
pub const LISTENS: &str = "no promise is told that nobody is left while somebody is";
/// And it hears of it. `[promise-8]`
pub const HEARS: &str = "whoever listens hears when nobody is left";
/// A value is never lost, and never in two hands. `[promise-9]` `[weak-1]`
pub const RETURNED: &str = "a value comes back if nobody can ever see it, and only then";
/// A step of a task is not interrupted, so that whoever could ask on its loop would be told no. `[loop-6]` `[loop-8]`
pub const RUNNING: &str = "nobody on a loop could be told that a task of it is running";
/// What a program says of its own variables: [`Script::assert`](super::plan::Script::assert) and
/// [`Plan::finally`](super::Plan::finally). Of programs that say something.
pub const ASSERTED: &str = "what the program asserts is so";

/// All of them, but for [`ASSERTED`], which is the program's.
pub const ALWAYS: [Always; 30] = [
    always(ENDS, "wait-1", |it| !it.judge.stuck(it.state, false), |it| it.judge.ended(it.state)),
    always(
        IN_VAIN,
        "deadlock-1",
        |it| !it.judge.stuck(it.state, true),
        |it| it.judge.may_expire(it.state),
    ),
    always(
        MISSED,
        "callback-1",
        |it| it.misses_none(),
        |it| it.judge.ended(it.state) && it.registered().any(|piece| it.began(piece)),
    ),
    always(
        TWICE,
        "callback-1",
        |it| {
            let given = |piece| it.registered().filter(|it| *it == piece).count().max(1);
            (0..it.shape.pieces.len() as Piece).all(|piece| it.state.times(piece) <= given(piece))
        },
        |it| !it.state.notes.began.is_empty(),
    ),
    always(
        EARLY,
        "callback-1",
        |it| !it.state.notes.early,
        |it| it.registered().any(|piece| it.began(piece)),
    ),
    always(
        ORDER,
        "callback-3",
        |it| it.keeps_order(),
        |it| it.state.notes.viewed.iter().filter(|viewed| it.began(viewed.2)).count() > 1,
    ),
    always(
        THREAD,
        "callback-3",
        |it| !it.state.notes.astray && it.keeps_threads(),
        |it| it.state.notes.viewed.iter().any(|viewed| it.began(viewed.2)),
    ),
    always(AT_ONCE, "callback-3", |it| it.one_at_a_time(), |it| it.runs_viewed()),
    always(NESTED, "callback-3", |it| it.nests_none(), |it| it.runs_viewed()),
    always(
        REMOVED,
        "callback-4",
        |it| !it.state.notes.began.iter().any(|(piece, _)| it.state.notes.removed.has(*piece)),
        |it| !it.state.notes.removed.is_empty(),
    ),
    always(
        LOCKED,
        "callback-6",
        |it| !it.state.frames().any(|frame| frame.begun && frame.under.is_some()),
        |it| it.state.frames().any(|frame| frame.begun && frame.of.is_some()),
    ),
    always(
        NEVER_RUNS,
        "cancel-2",
        |it| !it.state.cells.iter().any(|cell| cell.cancelled && cell.ran),
        |it| it.state.cells.iter().any(|cell| cell.cancelled),
    ),
    always(
        REFUSED,
        "cancel-1",
        |it| {
            let cancelled = |cell: &Cell| cell.seen.has(Seen::Cancelled as u8);
            !it.state.cells.iter().any(|cell| cell.refused && cancelled(cell))
        },
        |it| it.state.cells.iter().any(|cell| cell.refused),
    ),
    always(
        UNASKED,
        "wait-3",
        |it| it.state.cells.iter().all(|cell| cell.asked || !cell.cancelled),
        |it| it.state.notes.expired,
    ),
    always(
        AGREE,
        "settled-2",
        |it| it.agrees(),
        |it| it.state.cells.iter().any(|cell| !cell.seen.is_empty()),
    ),
    always(
        ONE,
        "bridge-1",
        |it| !it.contradicts(),
        |it| it.state.cells.iter().any(|cell| !cell.seen.is_empty()),
    ),
    always(
        TURN,
        "loop-1",
        |it| !it.state.notes.flipped,
        |it| {
            let lags = |future| it.state.is_settled(future);
            it.state.parties.iter().any(|party| party.unsettled.iter().any(lags))
        },
    ),
    always(
        STALE,
        "loop-5",
        |it| !it.state.notes.stale,
        |it| {
            it.state.parties.iter().any(|party| party.life == Life::Over && !party.knows.is_empty())
        },
    ),
    always(
        REPORTED,
        "machine-3",
        |it| !it.state.notes.misreported,
        |it| it.state.notes.expired && it.state.parties.iter().any(|party| !party.told.is_empty()),
    ),
    always(
        ACCEPTED,
        "schedule-4",
        |it| !it.judge.ended(it.state) || it.accepted().all(|piece| it.began(piece)),
        |it| it.accepted().any(|piece| it.began(piece)),
    ),
    always(
        OWNED,
        "promise-3",
        |it| it.all_have_owners(),
        |it| {
            let dropped = |cell: &Cell| {
                matches!(cell.spec.end(), Some(End::Abandoned | End::Cancelled(Cancelled::Dropped)))
            };
            it.state.cells.iter().any(dropped)
        },
    ),
    always(
        STOPPED,
        "loop-7",
        |it| !it.state.notes.undead,
        |it| it.state.frames().any(|frame| matches!(frame.script, Script::Stop(_))),
    ),
    always(ORPHAN, "await-3", |it| !it.state.notes.orphan, |it| !it.state.notes.orphans.is_empty()),
    always(
        OUTLIVED,
        "await-3",
        |it| it.outlives_what_it_owned(),
        |it| it.state.notes.owned.iter().any(|(own, _)| it.state.is_settled(*own)),
    ),
    always(RUNNING, "loop-6", |it| it.interrupts_no_task(), |it| it.runs_task()),
    always(NEEDLESS, "pool-8", |it| !it.state.notes.needless, |it| it.state.notes.circle),
    always(
        DEFERRED,
        "callback-8",
        |it| it.keeps_deferred_order(),
        |it| it.state.notes.deferred.iter().filter(|(_, piece)| it.began(*piece)).count() > 1,
    ),
    always(
        LISTENS,
        "promise-8",
        |it| it.state.notes.closed.iter().all(|of| it.is_left_alone(of)),
        |it| !it.state.notes.closed.is_empty(),
    ),
    always(
        HEARS,
        "promise-8",
        |it| it.hears_when_nobody_is_left(),
        |it| it.judge.ended(it.state) && it.listened().any(|piece| it.began(piece)),
    ),
    always(
        RETURNED,
        "promise-9",
        |it| it.returns_what_nobody_sees(),
        |it| it.state.cells.iter().any(|cell| cell.returned),
    ),
];

const fn always(
    name: &'static str,
    clause: &'static str,
    holds: fn(Sight<'_>) -> bool,
    speaks: fn(Sight<'_>) -> bool,
) -> Always {
    Always { name, clause, holds, speaks }
}

/// What is asked of a state.
pub(super) type Condition = fn(&Program, &System) -> bool;

/// The twins of the properties: that a program gets to where they say something, as far as it has
/// what that needs.
pub(super) fn twins(shape: &Shape) -> Vec<(&'static str, Condition)> {
    let scripts = shape.members.iter().map(|member| &member.script);
    let all: Vec<Do> =
        scripts.chain(shape.pieces.iter().map(|(_, script)| script)).flatten().copied().collect();
    let has = |is: fn(&Do) -> bool| all.iter().any(is);
    let cancels = |it: &Do| matches!(it, Do::Cancel(_) | Do::LoopCancel(_));
    let pools = shape.members.iter().any(|member| matches!(member.role, Role::Worker(_)));
    let twins: [(bool, &'static str, Condition); 11] = [
        (true, "it ends", |it, state| it.ended(state)),
        (has(|it| matches!(it, Do::Add(..) | Do::LoopAdd(..))), "a callback runs", |_, state| {
            !state.notes.began.is_empty()
        }),
        (has(|it| matches!(it, Do::LoopAdd(..))), "a callback of a view runs", |_, state| {
            let notes = &state.notes;
            notes.viewed.iter().any(|(_, _, it)| state.times(*it) > 0 || notes.removed.has(*it))
                || notes.viewed.iter().any(|(_, _, it)| notes.dropped.has(*it))
        }),
        (has(cancels), "a cancel is asked for", |_, state| {
            state.cells.iter().any(|cell| cell.asked)
        }),
        (has(|it| matches!(it, Do::Start(_))) || pools, "work runs", |_, state| {
            state.cells.iter().any(|cell| cell.ran)
        }),
        (has(|it| matches!(it, Do::Post(..))), "a job is posted", |_, state| {
            !state.notes.accepted.is_empty() || !state.notes.refused.is_empty()
        }),
        (has(|it| matches!(it, Do::LoopRemove(..))), "a callback is removed", |_, state| {
            !state.notes.removed.is_empty()
        }),
        (
            has(|it| matches!(it, Do::WaitTimeout(_) | Do::WaitAllTimeout(_))),
            "a wait ends",
            |_, state| state.notes.expired || state.notes.refused_wait,
        ),
        (has(|it| matches!(it, Do::Drop(_))), "a handle is dropped", |it, state| {
            let handles = it.shape.handles.iter().zip(state.cells.iter());
            handles.into_iter().any(|(had, cell)| cell.spec.handles() < *had)
        }),
        (shape.asserts(), "an assertion is judged", Program::judges),
        (has(|it| matches!(it, Do::Close | Do::Stop)), "a loop is closed", |_, state| {
            state.parties.iter().any(|party| party.life == Life::Over)
        }),
    ];
    twins.into_iter().filter(|it| it.0).map(|(_, name, reached)| (name, reached)).collect()
}

/// Returns whether everything has ended properly: what every fair run comes to.
#[must_use]
pub fn ended(program: &Program, state: &System) -> bool {
    program.ended(state)
}

/// Whether the property with the number `N` holds.
fn holds<M: Judge, const N: usize>(model: &M, state: &System) -> bool {
    (ALWAYS[N].holds)(Sight { shape: model.shape(), state, judge: model })
}

/// All of them, for a model of whose states they can be judged.
pub(super) fn all<M: Model<State = System> + Judge>() -> Vec<Property<M>> {
    /// A condition is a function, which cannot keep its number: one for each.
    macro_rules! by_number {
        ($($number:literal)*) => { [$(holds::<M, $number>),*] };
    }
    let holds: [fn(&M, &System) -> bool; ALWAYS.len()] = by_number!(
        0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29
    );
    ALWAYS.iter().zip(holds).map(|(it, holds)| Property::always(it.name, holds)).collect()
}

/// Whether an entry of a queue is of a future, for the reader of a chart.
pub(super) const fn of(entry: Entry) -> &'static str {
    match entry {
        Entry::Job(_) => "posted job",
        Entry::Call(_) => "callback",
        Entry::Deliver(_) => "delivery",
        Entry::Step(_) => "step of task",
        Entry::Copy(_) => "copy",
    }
}
