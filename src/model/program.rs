//! Closed programs: who takes part, and what each of them does.

use std::fmt;

use super::{
    own::{Channel, Is, Put, Variable},
    rules::Rules,
    shape::{Member, Shape},
};

/// A future of a program, by its number.
pub type Future = u8;
/// One who takes part in a program, by its number.
pub type Agent = u8;
/// A callback, posted job, pool job or task of a program, by its number.
pub type Piece = u8;
/// A lock of the program's own, by its number.
pub type Lock = u8;

/// Up to four futures, in the order in which they are given to a call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Futures {
    given: [Future; Self::MOST],
    len: u8,
}

impl Futures {
    /// How many a call takes.
    pub const MOST: usize = 4;

    /// These futures.
    ///
    /// # Panics
    ///
    /// If there are more than four.
    #[must_use]
    pub const fn of(these: &[Future]) -> Self {
        assert!(these.len() <= Self::MOST, "a call takes up to four futures");
        let mut given = [0; Self::MOST];
        let mut at = 0;
        while at < these.len() {
            given[at] = these[at];
            at += 1;
        }
        Self { given, len: at as u8 }
    }

    /// Each of them, as often as it was given.
    pub fn iter(&self) -> impl Iterator<Item = Future> + '_ {
        self.given[..usize::from(self.len)].iter().copied()
    }
}

impl fmt::Debug for Futures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// One operation of a script. `[read-3]`
///
/// Each takes effect in one step, its linearization point, but for the ones whose documentation
/// names more. Whoever settles a future then tells those who are to know, each in a step of its own: the loops that
/// have a view of it, then those in `wait` or `as_completed`, as they were registered; and then its callbacks run. So
/// does whoever first asks a task to stop. A script that ends drops the promises that it holds, each in a step of its
/// own. One without operations is over in the step in which it begins.
///
/// Each loop has a view of each future that any view is used of: `wrap_future` is not a step, and
/// `run_in_executor` is [`Submit`](Self::Submit) and the view of the job's future.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Do {
    /// The promise begins the work. If it is too late, the script ends.
    Start(Future),
    /// The promise delivers a value.
    Finish(Future),
    /// The promise delivers an error.
    Fail(Future),
    /// The promise delivers a panic.
    Panic(Future),
    /// The promise is dropped.
    Abandon(Future),
    /// `finish_or_return`: the promise delivers a value, or has it back if nobody can ever see it.
    FinishOrReturn(Future),
    /// `is_closed`, asked of the promise.
    IsClosed(Future),
    /// `on_closed`: the promise has this called when nobody can see any more what it would deliver.
    OnClosed(Future, Piece),
    /// Waits for `closed`, of the promise.
    Closed(Future),
    /// The script drops its handle. Every script that says so has one of its own; one that uses the future and does not
    /// say so keeps what it has for ever. While a loop has a view of it, or nobody says so, somebody can see it.
    Drop(Future),
    /// `upgrade` of a weak handle; the handle is dropped in a step of its own.
    Upgrade(Future),
    /// `cancel`, through the thread's view.
    Cancel(Future),
    /// `done`.
    Done(Future),
    /// `try_result`.
    Read(Future),
    /// `result`: waits.
    Result(Future),
    /// `wait_timeout`, and `result` of what it answers: waits, or expires, which is a step of its own.
    WaitTimeout(Future),
    /// Asks `done` again and again, until it is.
    Poll(Future),
    /// `add_done_callback`, through the thread's view.
    Add(Future, Piece),
    /// `wait` for all: registers with each future in a step of its own, then waits.
    Wait(Futures),
    /// `wait` for the first. It leaves each of those of which it was not told in a step of its own, and finds it
    /// settled or not.
    WaitFirst(Futures),
    /// `wait` for all, with a timeout. When it expires it leaves as [`WaitFirst`](Self::WaitFirst) does.
    WaitAllTimeout(Futures),
    /// `as_completed`: registers with each future in a step of its own, then yields each in one.
    AsCompleted(Futures),
    /// `done` of the loop's view.
    LoopDone(Future),
    /// `result` of the loop's view.
    LoopRead(Future),
    /// `cancel` through the loop's view.
    LoopCancel(Future),
    /// `add_done_callback` of the loop's view.
    LoopAdd(Future, Piece),
    /// `remove_done_callback` of the loop's view.
    LoopRemove(Future, Piece),
    /// Awaits the loop's view, by value. In tasks only.
    Await(Future),
    /// Awaits the view that another loop has. In tasks only.
    AwaitOf(Agent, Future),
    /// Posts a job to a loop.
    Post(Agent, Piece),
    /// Makes a task on its loop: `create_task` there, `run_coroutine_threadsafe` elsewhere.
    Spawn(Piece),
    /// Asks the loop that runs this to end its run; whoever ran it then closes it.
    Stop,
    /// Closes the loop that runs this.
    Close,
    /// Submits a job to its pool.
    Submit(Piece),
    /// Closes the pool: it refuses new jobs, and ends once it has run what is queued.
    ClosePool,
    /// Takes out what is queued in the pool, and then drops one job a step.
    CancelPending,
    /// Waits until the pool's workers have ended.
    Shutdown,
    /// Raises the interrupt that a thread has entered, for ever: each of its waits for one future ends that blocks or
    /// would.
    Interrupt(Agent),
    /// Takes a lock of the program's own.
    Lock(Lock),
    /// Gives it back. A script that ends gives back what it still holds.
    Unlock(Lock),
    /// Reads a variable of the program's own.
    Load(Variable),
    /// Writes one.
    Store(Variable, Put),
    /// Adds to one, in one step, and reads what it was.
    Change(Variable, i16),
    /// A variable is as it should be. See [`ASSERTED`](super::property::ASSERTED).
    Assert(Variable, Is),
    /// Sends a number into a channel of the program's own; waits while it is full.
    Send(Channel, i16),
    /// Receives one; waits while there is none.
    Recv(Channel),
    /// Closes a channel: who receives is given what is left, and then told.
    Disconnect(Channel),
    /// Unless what the operation before answered is so, leaves out as many operations. No step of its own.
    Unless(Is, u8),
    /// Leaves out as many operations; more than there are end the script. No step of its own.
    Skip(u8),
    /// Panics: the callback or task that does ends here.
    Panics,
}

impl Do {
    /// Returns the future whose promise this is an operation of.
    #[must_use]
    pub const fn promise(self) -> Option<Future> {
        match self {
            Self::Start(it)
            | Self::Finish(it)
            | Self::Fail(it)
            | Self::Panic(it)
            | Self::Abandon(it)
            | Self::FinishOrReturn(it)
            | Self::IsClosed(it)
            | Self::OnClosed(it, _)
            | Self::Closed(it) => Some(it),
            _ => None,
        }
    }

    /// The futures of which a script that says this has a handle, or had one.
    pub(super) fn handles(self) -> Futures {
        match self {
            Self::Cancel(it)
            | Self::Done(it)
            | Self::Read(it)
            | Self::Add(it, _)
            | Self::Drop(it)
            | Self::AwaitOf(_, it) => Futures::of(&[it]),
            Self::LoopRead(_) => Futures::of(&[]),
            _ => self.waits_for().unwrap_or(Futures::of(&[])),
        }
    }

    /// Returns whether this is about what the program has of its own, not about the library.
    #[must_use]
    pub const fn is_own(self) -> bool {
        matches!(
            self,
            Self::Lock(_)
                | Self::Unlock(_)
                | Self::Load(_)
                | Self::Store(..)
                | Self::Change(..)
                | Self::Assert(..)
                | Self::Send(..)
                | Self::Recv(_)
                | Self::Disconnect(_)
        )
    }

    /// Returns whether this says where the script goes on, and is no step.
    #[must_use]
    pub const fn is_branch(self) -> bool {
        matches!(self, Self::Unless(..) | Self::Skip(_))
    }

    /// Returns the futures that this blocks for.
    #[must_use]
    pub fn waits_for(self) -> Option<Futures> {
        match self {
            Self::Result(it) | Self::WaitTimeout(it) | Self::Poll(it) | Self::LoopRead(it) => {
                Some(Futures::of(&[it]))
            }
            Self::Wait(these)
            | Self::WaitFirst(these)
            | Self::WaitAllTimeout(these)
            | Self::AsCompleted(these) => Some(these),
            _ => None,
        }
    }

    /// Returns the future that is looked at through a loop's view.
    #[must_use]
    pub const fn views(self) -> Option<Future> {
        match self {
            Self::LoopDone(it)
            | Self::LoopRead(it)
            | Self::LoopCancel(it)
            | Self::LoopAdd(it, _)
            | Self::LoopRemove(it, _)
            | Self::Await(it) => Some(it),
            _ => None,
        }
    }
}

/// What one who takes part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A thread.
    Thread,
    /// A thread that runs an event loop; its script is the first job of the loop.
    Loop,
    /// A worker of a pool, by the pool's number. It has no script.
    Worker(u8),
}

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A callback, or a job that is posted to a loop.
    Call,
    /// A job of a pool, which settles a future.
    Job(Future, u8),
    /// A task of a loop, which settles a future whose promise is Owned.
    Task(Future, Agent),
}

/// A closed program under some rules: what a [`Plan`](super::Plan) makes, or, with numbers for names, the crate's own
/// models.
///
/// ```
/// use settled::model::Plan;
///
/// // A thread waits for a future that another finishes, or cancels.
/// let mut plan = Plan::new();
/// let order = plan.future("order");
/// plan.thread("producer", |it| {
///     it.start(order);
///     it.finish(order);
/// });
/// plan.thread("user", |it| {
///     it.cancel(order);
///     it.result(order);
/// });
/// let program = plan.build().unwrap();
/// program.validate().unwrap(); // as `build` has done
/// let report = program.check().unwrap();
/// assert!(report.states > 5);
/// assert!(program.check_up_to(5).is_err());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Program {
    pub(super) rules: Rules,
    pub(super) shape: Shape,
    pub(super) only: Option<&'static str>,
    /// How many callbacks run inside each other; no limit if it is `None`.
    pub(super) nest: Option<u8>,
}

/// By numbers, as the crate's own models are written; see [`Plan`](super::Plan).
#[doc(hidden)]
impl Program {
    /// A program without anybody in it, under the rules that ship.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a thread. Its number is that of those who were added before.
    #[must_use]
    pub fn thread(self, name: &'static str, script: &[Do]) -> Self {
        self.member(name, Role::Thread, script)
    }

    /// Adds an event loop, whose first job is this script.
    #[must_use]
    pub fn event_loop(self, name: &'static str, script: &[Do]) -> Self {
        self.member(name, Role::Loop, script)
    }

    /// Adds a worker of a pool.
    #[must_use]
    pub fn worker(mut self, name: &'static str, pool: u8) -> Self {
        self.shape.pools = self.shape.pools.max(pool.saturating_add(1));
        self.member(name, Role::Worker(pool), &[])
    }

    /// Adds a callback, or a job that is posted. Its number is that of the pieces that were added
    /// before.
    #[must_use]
    pub fn call(self, script: &[Do]) -> Self {
        self.piece(Kind::Call, script)
    }

    /// Adds a job of a pool, which settles `future` with a value when it ends.
    #[must_use]
    pub fn job(self, future: Future, pool: u8, script: &[Do]) -> Self {
        self.piece(Kind::Job(future, pool), script)
    }

    /// Adds a task of a loop, which settles `future` with a value when it ends.
    #[must_use]
    pub fn task(self, future: Future, on: Agent, script: &[Do]) -> Self {
        self.piece(Kind::Task(future, on), script)
    }

    /// Adds a variable of the program's own, which holds this at the beginning. Its number is that of those that were
    /// added before.
    #[must_use]
    pub fn variable(mut self, initial: i16) -> Self {
        self.shape.variables.push(initial);
        self
    }

    /// Adds a channel of the program's own, which holds up to `capacity` numbers. Its number is that of those that were
    /// added before.
    #[must_use]
    pub fn channel(mut self, capacity: u8) -> Self {
        self.shape.channels.push(capacity);
        self
    }

    /// When everything has ended, the variable is so. See [`ASSERTED`](super::property::ASSERTED).
    #[must_use]
    pub fn finally(mut self, variable: Variable, is: Is) -> Self {
        self.shape.finally.push((variable, is));
        self
    }

    /// The same program under other rules.
    #[must_use]
    pub fn under(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// As many callbacks run inside each other, and deeper ones are deferred to the outermost call. The code defers
    /// too deep for any program that can be explored; without this none is deferred. `[callback-8]`
    #[must_use]
    pub fn nest(mut self, callbacks: u8) -> Self {
        self.nest = Some(callbacks);
        self
    }

    /// Returns whether [`nest`](Self::nest) says how many callbacks run inside each other.
    #[must_use]
    pub const fn is_nested(&self) -> bool {
        self.nest.is_some()
    }

    /// Only this property is checked.
    #[must_use]
    pub fn only(mut self, property: &'static str) -> Self {
        self.only = Some(property);
        self
    }

    /// Returns the names of those who take part, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.shape.members.iter().map(|member| &*member.name)
    }

    /// Who takes part, and what each does, in order.
    pub fn members(&self) -> impl Iterator<Item = (Role, &[Do])> {
        self.shape.members.iter().map(|member| (member.role, &*member.script))
    }

    /// Returns the callbacks, posted jobs, pool jobs and tasks, in order.
    pub fn pieces(&self) -> impl Iterator<Item = (Kind, &[Do])> {
        self.shape.pieces.iter().map(|(kind, script)| (*kind, &**script))
    }

    /// Returns how many futures it has.
    #[must_use]
    pub const fn futures(&self) -> u8 {
        self.shape.futures
    }

    fn member(mut self, name: &'static str, role: Role, script: &[Do]) -> Self {
        let name = name.to_owned();
        self.shape.members.push(Member { name, role, script: script.to_vec() });
        self.shape.count();
        self
    }

    fn piece(mut self, kind: Kind, script: &[Do]) -> Self {
        self.shape.pieces.push((kind, script.to_vec()));
        self.shape.count();
        self
    }
}
