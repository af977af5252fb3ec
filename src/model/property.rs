//! What a user could complain about.
//!
//! A property is a sentence about what users of a program see: who waits for ever, what was called
//! twice, what was read. It is given the program's [`Shape`] and a state of it, and nothing else, so
//! that it cannot tell by which rules the state came about.

use std::fmt;

use super::{
    Answer, Op,
    program::{Agent, Do, Future, Kind, Piece, Program, Role, Shape},
    state::{Entry, Life, Script, Seen, System},
};

/// What a property is given.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    shape: &'a Shape,
    state: &'a System,
    judge: &'a dyn Judge,
}

/// What can be said of a state only by those who know how to go on from it.
trait Judge {
    /// Everything has ended properly.
    fn ended(&self, state: &System) -> bool;
    /// Nobody can take a step but the clock, without having ended, and no circle of waits that the
    /// program wrote is why.
    fn stuck(&self, state: &System) -> bool;
    /// There is one who will settle a future: a promise, a job or a task.
    fn owns(&self, state: &System, it: Future) -> bool;
}

impl Judge for Program {
    fn ended(&self, state: &System) -> bool {
        self.ended(state)
    }

    fn stuck(&self, state: &System) -> bool {
        self.stuck(state) && !self.ended(state) && !self.wrote_a_cycle(state)
    }

    fn owns(&self, state: &System, it: Future) -> bool {
        self.is_owned(state, it)
    }
}

impl fmt::Debug for Sight<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state.fmt(f)
    }
}

/// A sentence that holds in every state.
#[derive(Clone, Copy, Debug)]
pub struct Always {
    /// The sentence.
    pub name: &'static str,
    /// The clause that promises it.
    pub clause: &'static str,
    pub(super) holds: fn(Sight<'_>) -> bool,
}

/// Deadlock freedom: in every state without a step everything has ended properly, or the program
/// wrote a circle of waits itself, through its own locks or promises that threads hold. `[wait-1]`
/// `[deadlock-1]`
pub const ENDS: &str = "nobody waits for ever";
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
/// In a turn of its own. `[callback-3]` `[callback-7]`
pub const NESTED: &str = "no callback of a loop's view runs inside other code of the loop";
/// Removed is removed. `[callback-4]`
pub const REMOVED: &str = "a callback whose removal was answered with true never runs";
/// No lock of the library is held. `[callback-6]`
pub const LOCKED: &str = "nobody is kept out by a lock while a callback runs";
/// A cancel that succeeded stands. `[cancel-2]`
pub const NEVER_RUNS: &str = "work whose cancel succeeded never runs";
/// An answer of a cancel stands. `[cancel-1]`
pub const REFUSED: &str = "a future of which a cancel was refused is never cancelled";
/// Nobody cancels but who is asked to. `[cancel-5]` `[wait-3]`
pub const UNASKED: &str = "nothing is cancelled on request that nobody asked to cancel";
/// One outcome. `[settled-2]` `[loop-2]` `[bridge-1]`
pub const AGREE: &str = "whoever reads a future reads how it ended";
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
/// A task begins in a turn of its own. `[loop-8]`
pub const BEGINS: &str = "no task begins inside the call that makes it";
/// A stop goes on to what is awaited. `[await-3]`
pub const ORPHAN: &str = "no work begins that only a stopped task awaited";
/// A pool serves itself. `[pool-1]`
pub const HELPED: &str = "no wait is refused for a job that could begin";

/// All of them.
pub const ALWAYS: [Always; 23] = [
    always(ENDS, "wait-1", |it| !it.judge.stuck(it.state)),
    always(MISSED, "callback-1", |it| it.misses_none()),
    always(TWICE, "callback-1", |it| {
        (0..it.shape.pieces.len()).all(|piece| it.state.times(piece as Piece) <= 1)
    }),
    always(EARLY, "callback-1", |it| !it.state.notes.early),
    always(ORDER, "callback-3", |it| it.keeps_order()),
    always(THREAD, "callback-3", |it| !it.state.notes.astray && it.keeps_threads()),
    always(AT_ONCE, "callback-3", |it| it.one_at_a_time()),
    always(NESTED, "callback-3", |it| it.nests_none()),
    always(REMOVED, "callback-4", |it| {
        let removed = |piece: Piece| it.state.notes.removed.has(piece);
        it.state.notes.began.iter().all(|(piece, _)| !removed(*piece))
    }),
    always(LOCKED, "callback-6", |it| {
        let under = |frame: &super::state::Frame| frame.begun && frame.under.is_some();
        !it.state.frames().any(under)
    }),
    always(NEVER_RUNS, "cancel-2", |it| {
        !it.state.cells.iter().any(|cell| cell.cancelled && cell.ran)
    }),
    always(REFUSED, "cancel-1", |it| {
        let cancelled =
            |cell: &super::state::Cell| cell.spec.state() == crate::machine::State::Cancelled;
        !it.state.cells.iter().any(|cell| cell.refused && cancelled(cell))
    }),
    always(UNASKED, "wait-3", |it| it.state.cells.iter().all(|cell| cell.asked || !cell.cancelled)),
    always(AGREE, "settled-2", |it| it.agrees()),
    always(TURN, "loop-1", |it| !it.state.notes.flipped),
    always(STALE, "loop-5", |it| !it.state.notes.stale),
    always(REPORTED, "machine-3", |it| !it.state.notes.misreported),
    always(ACCEPTED, "schedule-4", |it| {
        let call = |piece: &usize| it.shape.pieces[*piece].0 == Kind::Call;
        let lost = |piece: Piece| it.state.notes.accepted.has(piece) && it.state.times(piece) == 0;
        !it.judge.ended(it.state)
            || !(0..it.shape.pieces.len()).filter(call).any(|piece| lost(piece as Piece))
    }),
    always(OWNED, "promise-3", |it| it.all_have_owners()),
    always(STOPPED, "loop-7", |it| !it.state.notes.undead),
    always(BEGINS, "loop-8", |it| !it.state.notes.at_once),
    always(ORPHAN, "await-3", |it| !it.state.notes.orphan),
    always(HELPED, "pool-1", |it| !it.state.notes.unhelped),
];

const fn always(name: &'static str, clause: &'static str, holds: fn(Sight<'_>) -> bool) -> Always {
    Always { name, clause, holds }
}

impl Sight<'_> {
    fn misses_none(self) -> bool {
        let notes = &self.state.notes;
        let settled = |future: Future| self.state.is_settled(future);
        let called = |piece: Piece| {
            self.state.times(piece) > 0 || notes.dropped.has(piece) || notes.removed.has(piece)
        };
        !self.judge.ended(self.state)
            || notes.added.iter().all(|(future, piece)| called(*piece) || !settled(*future))
                && notes.viewed.iter().all(|(_, future, piece)| called(*piece) || !settled(*future))
    }

    fn keeps_order(self) -> bool {
        let notes = &self.state.notes;
        let began = |piece: Piece| notes.began.iter().position(|(it, _)| *it == piece);
        let mut pairs = notes.viewed.iter().enumerate().flat_map(|(at, first)| {
            notes.viewed[at + 1..].iter().map(move |second| (first, second))
        });
        pairs.all(|((home, future, first), (home_2, future_2, second))| {
            let same = home == home_2 && future == future_2;
            let gone = notes.removed.has(*first) || notes.dropped.has(*first);
            !same
                || gone
                || match (began(*first), began(*second)) {
                    (Some(first), Some(second)) => first < second,
                    (None, Some(_)) => false,
                    (_, None) => true,
                }
        })
    }

    /// The loop that a piece belongs to, if it was given to one.
    fn home(self, piece: Piece) -> Option<Agent> {
        let viewed = &self.state.notes.viewed;
        viewed.iter().find(|(_, _, it)| *it == piece).map(|(home, _, _)| *home)
    }

    fn keeps_threads(self) -> bool {
        let began = &self.state.notes.began;
        began.iter().all(|(piece, on)| self.home(*piece).is_none_or(|home| home == *on))
    }

    fn one_at_a_time(self) -> bool {
        let runs = |home: Agent, agent: Agent| {
            let party = &self.state.parties[usize::from(agent)];
            party.frames.iter().any(|frame| {
                let of_home = match frame.script {
                    Script::Own => agent == home,
                    Script::Piece(piece) => self.home(piece) == Some(home),
                    Script::Stop(_) => false,
                };
                frame.begun && of_home
            })
        };
        let agents = self.state.parties.len() as Agent;
        (0..agents)
            .filter(|home| self.shape.is_loop(*home))
            .all(|home| (0..agents).filter(|agent| runs(home, *agent)).count() <= 1)
    }

    fn nests_none(self) -> bool {
        let closes = |agent: usize| self.state.parties[agent].life == Life::Closing;
        self.state.parties.iter().enumerate().all(|(agent, party)| {
            let mut begun = party.frames.iter().filter(|frame| frame.begun);
            let outer = begun.next();
            // A close runs what is left inside itself.
            closes(agent) || outer.is_none() || !begun.any(|frame| frame.viewed)
        })
    }

    fn agrees(self) -> bool {
        self.state.cells.iter().all(|cell| {
            use stateright::semantics::SequentialSpec;
            match cell.spec.clone().invoke(&Op::Read).answer {
                Answer::Read(Some(end)) => cell.seen.iter().all(|it| it == Seen::of(end) as u8),
                _ => cell.seen.is_empty(),
            }
        })
    }

    fn all_have_owners(self) -> bool {
        // One that nothing in the program can settle belongs to somebody outside of it.
        let scripts = self.shape.members.iter().map(|member| &member.script);
        let all = scripts.chain(self.shape.pieces.iter().map(|(_, script)| script)).flatten();
        let promised: Vec<Future> = all.filter_map(|what: &Do| what.promise()).collect();
        (0..self.state.cells.len() as Future).all(|it| {
            let settles = promised.contains(&it) || self.shape.piece_of(it).is_some();
            self.state.is_settled(it) || !settles || self.judge.owns(self.state, it)
        })
    }
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
    let twins: [(bool, &'static str, Condition); 9] = [
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
            has(|it| matches!(it, Do::ResultTimeout(_) | Do::WaitTimeout(_))),
            "a wait ends",
            |_, state| state.notes.expired || state.notes.refused_wait,
        ),
        (has(|it| matches!(it, Do::Close | Do::Stop)), "a loop is closed", |_, state| {
            state.parties.iter().any(|party| party.life == Life::Over)
        }),
    ];
    twins.into_iter().filter(|it| it.0).map(|(_, name, reached)| (name, reached)).collect()
}

/// Whether everything has ended properly: what every fair run comes to.
#[must_use]
pub fn goal(program: &Program, state: &System) -> bool {
    program.ended(state)
}

/// Whether the property with the number `N` holds.
pub(super) fn holds<const N: usize>(program: &Program, state: &System) -> bool {
    (ALWAYS[N].holds)(Sight { shape: &program.shape, state, judge: program })
}

/// The same, by number.
pub(super) const HOLDS: [Condition; 23] = [
    holds::<0>,
    holds::<1>,
    holds::<2>,
    holds::<3>,
    holds::<4>,
    holds::<5>,
    holds::<6>,
    holds::<7>,
    holds::<8>,
    holds::<9>,
    holds::<10>,
    holds::<11>,
    holds::<12>,
    holds::<13>,
    holds::<14>,
    holds::<15>,
    holds::<16>,
    holds::<17>,
    holds::<18>,
    holds::<19>,
    holds::<20>,
    holds::<21>,
    holds::<22>,
];

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
