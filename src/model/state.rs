//! What a program looks like between two steps.

use super::{
    End, Spec,
    list::List,
    own::Own,
    program::{Agent, Do, Future, Kind, Piece, Program, Role},
    shape::{Member, Shape},
    shared::Shared,
};

/// A set of futures or of agents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Set(u8);

impl Set {
    pub(super) fn add(&mut self, it: u8) {
        self.0 |= 1 << it;
    }

    pub(super) fn remove(&mut self, it: u8) {
        self.0 &= !(1 << it);
    }

    pub(super) const fn has(self, it: u8) -> bool {
        self.0 & 1 << it != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn iter(self) -> impl Iterator<Item = u8> {
        (0..8).filter(move |it| self.has(*it))
    }
}

/// How a future was seen to end. The values of two producers are two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Value,
    OtherValue,
    Error,
    Panicked,
    Abandoned,
    Cancelled,
}

impl Seen {
    /// How an end is seen.
    pub(super) const fn of(end: End) -> Self {
        match end {
            End::Value(by) if by % 2 == 0 => Self::Value,
            End::Value(_) => Self::OtherValue,
            End::Error(_) => Self::Error,
            End::Panicked => Self::Panicked,
            End::Abandoned => Self::Abandoned,
            End::Cancelled(_) => Self::Cancelled,
        }
    }
}

/// A lock of the library under which callbacks run, if they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Held {
    Future(Future),
    Pool(u8),
}

/// Whose script is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Script {
    /// That of who takes part.
    Own,
    /// That of a callback, posted job, pool job or task.
    Piece(Piece),
    /// The rest of the stop of a task: its coroutine is gone, its future not yet settled.
    Stop(Piece),
    /// A task that is woken when the callbacks before it have run. Not a step of its own.
    Wake(Piece),
    /// A job is still to be dropped, if nobody takes it out of its queue before, or a closure that has listened in vain.
    Drop(Piece),
    /// The callbacks that come before this are lent a future, and give it back.
    Return(Future),
    /// One who waits is still to be told that a future is settled.
    Tell(Agent, Future),
    /// Something is still to be posted to a loop: what its view, its task or a callback is owed.
    Post(Agent, Entry),
}

/// A script that is being run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Frame {
    pub(super) script: Script,
    pub(super) begun: bool,
    /// The number of operations that are over, and how far the next one has come.
    pub(super) at: u8,
    pub(super) part: u8,
    /// Whose callback it is, and the lock under which it runs.
    pub(super) of: Option<Future>,
    pub(super) under: Option<Held>,
    /// Whether it was called by way of a loop's view.
    pub(super) viewed: bool,
}

impl Frame {
    pub(super) const fn new(script: Script, begun: bool) -> Self {
        Self { script, begun, at: 0, part: 0, of: None, under: None, viewed: false }
    }
}

/// What lies in the queue of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Entry {
    /// Run a posted job.
    Job(Piece),
    /// Run a callback of a thread future that the loop's view settled.
    Call(Piece),
    /// Deliver the loop's view of a future.
    Deliver(Future),
    /// Take a step of a task, or stop it.
    Step(Piece),
    /// Copy what a future ended with, or forward a cancel. Only if the views are copies.
    Copy(Future),
}

/// A future.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Cell {
    pub(super) spec: Spec,
    /// Who is registered in `wait` or `as_completed`, in order, and whether the promise knows of a cancel.
    pub(super) waiters: List<Agent>,
    pub(super) acknowledged: bool,
    /// What users have seen: that work began, what cancels answered, how it ended.
    pub(super) ran: bool,
    pub(super) asked: bool,
    pub(super) cancelled: bool,
    pub(super) refused: bool,
    pub(super) seen: Set,
    /// Whether nobody was left to see it before it was settled; what `finish_or_return` said: that it has delivered, or
    /// that the value came back.
    pub(super) alone: bool,
    pub(super) kept: bool,
    pub(super) returned: bool,
}

/// A callback or a task that waits for a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Waiting {
    Call(Piece),
    Task(Piece),
}

/// A loop's view of a future.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct View {
    pub(super) delivered: bool,
    pub(super) waiting: List<Waiting>,
    /// Its own cell, if the views are copies.
    pub(super) copy: Spec,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Life {
    Open,
    Stopping,
    Closing,
    Over,
}

/// One who takes part.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Party {
    pub(super) frames: List<Frame>,
    /// The callbacks that it has deferred.
    pub(super) deferred: List<Frame>,
    /// What it was told of in `wait`, the latest last, and what it knows to be settled.
    pub(super) told: List<Future>,
    pub(super) knows: Set,
    /// What it saw unsettled in this turn and has not settled itself since.
    pub(super) unsettled: Set,
    pub(super) life: Life,
    pub(super) asleep: bool,
    pub(super) interrupted: bool,
    pub(super) queue: List<Entry>,
    pub(super) views: Shared<Vec<View>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Task {
    Unborn,
    /// Another thread has sent its coroutine to the loop, which has not made the task yet.
    Sent,
    /// Its next operation.
    Live(u8),
    Running,
    /// Its coroutine is gone, and it waits for the task of this future, which it owned, or for its loop, which
    /// is closing, to settle it.
    Stopping(Option<Future>),
    Done,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Pool {
    pub(super) queue: List<Piece>,
    pub(super) over: bool,
}

/// What users have noticed that they should not have, or that a property asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Notes {
    /// Each callback, job and task that began, and on whom, in order.
    pub(super) began: List<(Piece, Agent)>,
    /// Callbacks of thread futures, and those of views with their loop, as they were registered.
    pub(super) added: List<(Future, Piece)>,
    pub(super) viewed: List<(Agent, Future, Piece)>,
    /// Callbacks that were deferred, and by whom, in order.
    pub(super) deferred: List<(Agent, Piece)>,
    /// Jobs that a loop or a pool took; those that were handed back.
    pub(super) accepted: Set16,
    pub(super) refused: Set16,
    /// Callbacks that the close of their loop dropped, and those whose removal answered true.
    pub(super) dropped: Set16,
    pub(super) removed: Set16,
    /// A future changed in the middle of a turn; `wait` called a future not done that its caller knew
    /// to be settled; a view of a closed loop did not answer what its future does; a callback began
    /// before its future was settled; a task took a step after it was seen settled, or on another thread
    /// than its loop's; work began that only a stopped task awaited;
    /// `as_completed` yielded a future twice.
    pub(super) flipped: bool,
    pub(super) misreported: bool,
    pub(super) stale: bool,
    pub(super) early: bool,
    pub(super) undead: bool,
    pub(super) astray: bool,
    pub(super) orphan: bool,
    pub(super) orphans: Set,
    /// The futures whose promises were told that nobody is left, and who listens for that.
    pub(super) closed: Set,
    pub(super) listening: List<(Future, Piece)>,
    /// The future of each task that was stopped while it owned another, and the other's.
    pub(super) owned: List<(Future, Future)>,
    /// A worker's wait was refused for a circle that it would close; one that could have ended.
    pub(super) circle: bool,
    pub(super) needless: bool,
    /// Whether anybody was told `WouldDeadlock`, and whether a wait expired.
    pub(super) refused_wait: bool,
    pub(super) expired: bool,
}

impl Notes {
    /// Leaves pieces out of all that was noticed.
    pub(super) fn forget(&mut self, which: impl Fn(Piece) -> bool) {
        self.began.retain(|(it, _)| !which(*it));
        self.added.retain(|(_, it)| !which(*it));
        self.viewed.retain(|(.., it)| !which(*it));
        self.deferred.retain(|(_, it)| !which(*it));
        self.listening.retain(|(_, it)| !which(*it));
        for all in [&mut self.accepted, &mut self.refused, &mut self.dropped, &mut self.removed] {
            all.retain(|it| !which(it));
        }
    }
}

/// A set of pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Set16(u16);

impl Set16 {
    pub(super) fn add(&mut self, it: Piece) {
        self.0 |= 1 << it;
    }

    pub(super) const fn has(self, it: Piece) -> bool {
        self.0 & 1 << it != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Without the pieces that are not wanted.
    fn retain(&mut self, wanted: impl Fn(Piece) -> bool) {
        self.0 = (0..16).filter(|it| self.has(*it) && wanted(*it)).fold(0, |all, it| all | 1 << it);
    }
}

/// A program between two steps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct System {
    pub(super) cells: Shared<Vec<Cell>>,
    pub(super) parties: Vec<Shared<Party>>,
    pub(super) tasks: Shared<Vec<Task>>,
    pub(super) pools: Shared<Vec<Pool>>,
    pub(super) own: Shared<Own>,
    pub(super) notes: Shared<Notes>,
}

impl Program {
    /// # Panics
    ///
    /// If the program is not one that can be stepped.
    pub(super) fn begin(&self) -> System {
        self.fits().unwrap_or_else(|misuse| panic!("{misuse}"));
        let shape = &self.shape;
        let cell = |it: u8| Cell {
            spec: if shape.is_task(it) && !self.rules.cancelled_before_stopped {
                Spec::owned()
            } else {
                Spec::new()
            }
            .shared(shape.handles[usize::from(it)]),
            waiters: List::new(),
            acknowledged: false,
            ran: false,
            asked: false,
            cancelled: false,
            refused: false,
            seen: Set::default(),
            alone: false,
            kept: false,
            returned: false,
        };
        let view = View { delivered: false, waiting: List::new(), copy: Spec::new() };
        let party = |member: &Member| Party {
            frames: if member.script.is_empty() {
                List::new()
            } else {
                vec![Frame::new(Script::Own, true)].into()
            },
            deferred: List::new(),
            told: List::new(),
            knows: Set::default(),
            unsettled: Set::default(),
            life: Life::Open,
            asleep: false,
            interrupted: false,
            queue: List::new(),
            views: match member.role {
                Role::Loop => Shared::new(vec![view.clone(); usize::from(shape.futures)]),
                Role::Thread | Role::Worker(_) => Shared::default(),
            },
        };
        let mut begin = System {
            cells: Shared::new((0..shape.futures).map(cell).collect()),
            parties: shape.members.iter().map(party).map(Shared::new).collect(),
            tasks: Shared::new(vec![Task::Unborn; shape.pieces.len()]),
            pools: Shared::new(vec![Pool::default(); usize::from(shape.pools)]),
            own: Shared::new(self.begin_own()),
            notes: Shared::default(),
        };
        begin.remember();
        begin
    }
}

impl Shape {
    /// The operations of a frame's script.
    pub(super) fn script(&self, agent: Agent, script: Script) -> &[Do] {
        match script {
            Script::Own => &self.members[usize::from(agent)].script,
            Script::Piece(piece) => &self.pieces[usize::from(piece)].1,
            Script::Stop(_)
            | Script::Wake(_)
            | Script::Drop(_)
            | Script::Return(_)
            | Script::Tell(..)
            | Script::Post(..) => &[],
        }
    }

    pub(super) fn kind(&self, piece: Piece) -> Kind {
        self.pieces[usize::from(piece)].0
    }
}

// Hidden as the numbers are by which they ask: `tests/replay` steps the code beside a model, and looks at both.
impl System {
    /// Returns what a future is like, for whoever steps the real one beside it.
    ///
    /// # Panics
    ///
    /// If the program has no such future.
    #[must_use]
    #[doc(hidden)]
    pub fn future(&self, it: Future) -> &Spec {
        &self.cells[usize::from(it)].spec
    }

    /// Returns the scripts that an agent is in, the innermost last: whether it has begun it, and how many of its
    /// operations are over.
    ///
    /// # Panics
    ///
    /// If nobody with this number takes part.
    #[doc(hidden)]
    pub fn scripts(&self, agent: Agent) -> impl DoubleEndedIterator<Item = (Script, bool, usize)> {
        let frames = &self.parties[usize::from(agent)].frames;
        frames.iter().map(|frame| (frame.script, frame.begun, usize::from(frame.at)))
    }

    /// Returns whether a task waits for its next step.
    ///
    /// # Panics
    ///
    /// If the program has no such piece.
    #[must_use]
    #[doc(hidden)]
    pub fn is_suspended(&self, task: Piece) -> bool {
        matches!(self.tasks[usize::from(task)], Task::Live(_) | Task::Sent)
    }

    /// Returns whether a job, task or posted job was handed back.
    #[must_use]
    #[doc(hidden)]
    pub fn was_refused(&self, piece: Piece) -> bool {
        self.notes.refused.has(piece)
    }

    /// Returns whether the removal of a callback was answered with true.
    #[must_use]
    #[doc(hidden)]
    pub fn was_removed(&self, piece: Piece) -> bool {
        self.notes.removed.has(piece)
    }

    /// Returns whether a loop is closing, and whether it is closed.
    ///
    /// # Panics
    ///
    /// If nobody with this number takes part.
    #[must_use]
    #[doc(hidden)]
    pub fn is_closing(&self, agent: Agent) -> (bool, bool) {
        let life = self.parties[usize::from(agent)].life;
        (life == Life::Closing, life == Life::Over)
    }

    /// Returns how many entries the queue of a loop has.
    ///
    /// # Panics
    ///
    /// If nobody with this number takes part.
    #[must_use]
    #[doc(hidden)]
    pub fn queued(&self, agent: Agent) -> usize {
        self.parties[usize::from(agent)].queue.len()
    }

    /// Returns the futures that an agent was told of in `wait` and `as_completed`, the latest last.
    ///
    /// # Panics
    ///
    /// If nobody with this number takes part.
    #[must_use]
    #[doc(hidden)]
    pub fn told(&self, agent: Agent) -> &[Future] {
        &self.parties[usize::from(agent)].told
    }

    /// Returns how many parts of its next operation an agent has done.
    ///
    /// # Panics
    ///
    /// If nobody with this number takes part.
    #[must_use]
    #[doc(hidden)]
    pub fn progress(&self, agent: Agent) -> usize {
        self.top(agent).map_or(0, |frame| frame.part.into())
    }

    /// Returns whether somebody is still to be told by an agent, or a job to be dropped, before it does anything else.
    ///
    /// # Panics
    ///
    /// If nobody with this number takes part.
    #[must_use]
    #[doc(hidden)]
    pub fn is_telling(&self, agent: Agent) -> bool {
        let owes = |frame: &Frame| {
            matches!(
                frame.script,
                Script::Tell(..) | Script::Post(..) | Script::Drop(_) | Script::Return(_)
            )
        };
        self.top(agent).is_some_and(owes)
    }

    /// Remembers the hashes of what was changed.
    pub(super) fn remember(&mut self) {
        self.cells.remember();
        for party in self.parties.iter_mut().filter(|party| party.is_changed()) {
            party.views.remember();
            party.remember();
        }
        self.tasks.remember();
        self.pools.remember();
        self.own.remember();
        self.notes.remember();
    }

    pub(super) fn cell(&mut self, it: Future) -> &mut Cell {
        &mut self.cells[usize::from(it)]
    }

    pub(super) fn party(&mut self, it: Agent) -> &mut Party {
        &mut self.parties[usize::from(it)]
    }

    /// One who waits is told of a future, or is registered with one that is settled.
    pub(super) fn tell(&mut self, agent: Agent, it: Future) {
        let told = &mut self.party(agent).told;
        told.retain(|other| *other != it);
        told.push(it);
    }

    pub(super) fn was_told(&self, agent: Agent, it: Future) -> bool {
        self.parties[usize::from(agent)].told.contains(&it)
    }

    pub(super) fn top(&self, it: Agent) -> Option<&Frame> {
        self.parties[usize::from(it)].frames.last()
    }

    /// How many callbacks of futures an agent is in.
    pub(super) fn inside(&self, it: Agent) -> usize {
        let frames = &self.parties[usize::from(it)].frames;
        frames.iter().filter(|frame| frame.begun && frame.of.is_some()).count()
    }

    pub(super) fn is_settled(&self, it: Future) -> bool {
        self.cells[usize::from(it)].spec.state().is_settled()
    }

    pub(super) fn frames(&self) -> impl Iterator<Item = &Frame> {
        self.parties.iter().flat_map(|party| &party.frames)
    }

    pub(super) fn holds(&self, lock: Held) -> bool {
        self.frames().any(|frame| frame.under == Some(lock))
    }

    pub(super) fn times(&self, piece: Piece) -> usize {
        self.notes.began.iter().filter(|(began, _)| *began == piece).count()
    }
}
