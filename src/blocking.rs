//! What a thread does before it parks: it asks whether it may, and a worker helps its own pool.
//!
//! A worker that waits for a job which is still queued in its own pool runs that job, and only that
//! one. If there is none, it registers what it waits for, in one step with the look at all other
//! workers that wait, over all pools of the process: one that would close a circle is refused. So is one
//! that waits for the end of another pool. `[pool-7]` `[pool-8]` `[pool-11]`
//!
//! A worker in a scope is registered from its first job on, since what it runs cannot end before that has. `[scope-4]`
//!
//! A loop that sleeps in a worker is registered too. It is never refused, and nobody for its sake: anything may wake
//! it. But whoever registers looks for those loops of which nobody else can run what they await, and has them
//! look again. `[pool-13]`

use std::{cell::RefCell, collections::HashSet, sync::Arc};

use crate::{
    cell::Address,
    context, deferred,
    error::WouldDeadlock,
    sync::{Mutex, lock, static_mutex, thread_local},
    trace,
    waiter::{Job, isolate},
};

/// How many jobs a worker runs inside each other before a wait for one more is refused.
pub(crate) const DEPTH: usize = 2_000;

/// How many bytes of its stack a worker may have in use when it begins another job inside a wait.
const ROOM: usize = STACK / 2;

/// How many bytes of it a scope may have in use in its own call when it waits for its jobs, beyond what it has at its entry.
const SCOPE: usize = 256 << 10;

/// The size in bytes of a worker's stack. It is reserved, and used as far as jobs go.
pub(crate) const STACK: usize = if cfg!(target_pointer_width = "64") { 32 << 20 } else { 4 << 20 };

/// A pool, as far as its workers need it to wait.
pub(crate) trait Queue: Send + Sync {
    /// Tells pools apart.
    fn id(&self) -> context::Id;

    /// Takes the first queued job of which `wanted` is true.
    fn take(&self, wanted: &dyn Fn(&Job) -> bool) -> Option<Job>;

    /// What the first queued job settles that is awaited on this loop.
    fn first_awaited_on(&self, home: context::Id) -> Option<Address>;

    /// Whether the pool has no worker beside as many as are `stuck`.
    fn is_left(&self, stuck: usize) -> bool;

    /// Whether such a job is queued.
    fn holds(&self, wanted: &dyn Fn(&Job) -> bool) -> bool;

    /// Whether such a job is queued, and the pool has no worker beside as many as are `stuck`, nor can start one.
    fn leaves(self: Arc<Self>, wanted: &dyn Fn(&Job) -> bool, stuck: usize) -> bool;
}

/// A loop that may sleep in a worker.
pub(crate) trait Sleeper: Send + Sync {
    /// Tells loops apart.
    fn id(&self) -> context::Id;

    /// Ends its sleep, also one that begins later, so that it asks again whether it may.
    fn look_again(&self);
}

/// What this thread is, if it is a worker.
struct Worker {
    pool: Arc<dyn Queue>,
    /// Whether it may run jobs: its initializer is over.
    ready: bool,
    /// An address at the bottom of its stack.
    bottom: usize,
    /// What the jobs that it runs, inside each other, settle, if they do.
    running: Vec<Option<Address>>,
}

thread_local! {
    static WORKER: RefCell<Option<Worker>> = RefCell::default();
}

/// Asks something of this thread as a worker; `None` if it is none.
fn worker<R>(ask: impl FnOnce(&mut Worker) -> R) -> Option<R> {
    // A thread that is being torn down works no more.
    WORKER.try_with(|worker| worker.borrow_mut().as_mut().map(ask)).ok().flatten()
}

/// This thread works for a pool until the guard is dropped.
pub(crate) fn work(pool: Arc<dyn Queue>) -> AtWork {
    let bottom = stack();
    let _ = WORKER.try_with(|worker| {
        *worker.borrow_mut() = Some(Worker { pool, ready: false, bottom, running: Vec::new() });
    });
    AtWork
}

/// Ends the work of this thread when it is dropped.
pub(crate) struct AtWork;

impl AtWork {
    /// This worker is initialized, and may run jobs from now on.
    pub(crate) fn is_ready(&self) {
        worker(|worker| worker.ready = true);
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        drop(WORKER.try_with(|worker| worker.borrow_mut().take()));
    }
}

/// Whether this thread is a worker.
pub(crate) fn is_worker() -> bool {
    worker(|_| ()).is_some()
}

/// About where the stack of this thread ends now.
fn stack() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(&here).addr()
}

/// Whether more of a worker's stack is in use than leaves room for another job, once it has used so much more.
fn is_little_left(bottom: usize, more: usize) -> bool {
    // A sanitizer may keep locals on the heap. An address that cannot be on the stack says nothing of it, and the
    // number of jobs alone counts.
    (ROOM - more..STACK).contains(&bottom.abs_diff(stack()))
}

/// Runs the work of a job, so that other workers know who settles this cell.
pub(crate) fn run_for<R>(cell: Option<Address>, work: impl FnOnce() -> R) -> R {
    struct Running;
    impl Drop for Running {
        fn drop(&mut self) {
            worker(|worker| worker.running.pop());
        }
    }
    let is_worker = worker(|worker| worker.running.push(cell)).is_some();
    let _running = is_worker.then_some(Running);
    work()
}

/// How many of the cells a thread waits for, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    All,
    Any,
    /// For the one cell to be settled, and for its callbacks to return. `[settled-5]`
    Returned,
    /// The same for any of several. `[wait-8]`
    AnyReturned,
}

impl Wanted {
    /// Whether callbacks have to return, too.
    const fn returned(self) -> bool {
        matches!(self, Self::Returned | Self::AnyReturned)
    }
}

/// The cells that a thread waits for. Settled ones may be among them.
#[derive(Clone)]
pub(crate) enum Cells {
    One(Address),
    Many(Arc<HashSet<Address>>),
}

impl Cells {
    fn contains(&self, cell: Address) -> bool {
        match self {
            Self::One(one) => *one == cell,
            Self::Many(many) => many.contains(&cell),
        }
    }

    /// Whether running this job is a part of what is wanted.
    fn need(&self, wanted: Wanted, job: &Job) -> bool {
        let contains = |cell| self.contains(cell);
        job.is_for(contains) || wanted.returned() && job.returns(contains)
    }

    fn test(&self, wanted: Wanted, mut test: impl FnMut(Address) -> bool) -> bool {
        match (self, wanted) {
            (Self::One(one), _) => test(*one),
            (Self::Many(many), Wanted::All | Wanted::Returned) => {
                many.iter().all(|cell| test(*cell))
            }
            (Self::Many(many), Wanted::Any | Wanted::AnyReturned) => {
                many.iter().any(|cell| test(*cell))
            }
        }
    }
}

/// What a worker waits for.
enum Goal {
    Cells(Cells, Wanted),
    /// The end of the pool with this number.
    End(context::Id),
    /// Whatever may wake a loop: this one, if it could run a job instead.
    Sleep(Option<Arc<dyn Sleeper>>),
    /// Not yet anything; but what it runs does not end before all of these cells are settled. `[scope-4]`
    Owed(Arc<Mutex<HashSet<Address>>>),
}

/// A worker that waits.
struct Waiting {
    id: u64,
    pool: Arc<dyn Queue>,
    /// What its jobs settle.
    running: Vec<Option<Address>>,
    /// What its callbacks are lent.
    lending: Vec<Address>,
    goal: Goal,
}

static_mutex! {
    /// Every worker that waits, over all pools.
    static WAITING: Vec<Waiting> = Vec::new();
}

/// Keeps this thread registered as one that waits.
#[derive(Debug)]
pub(crate) struct Registered(Option<u64>);

/// What a thread has to wait for before it goes on after a scope. Others see it from the first moment on, so that none of
/// them waits for what this thread does after it. `[scope-4]`
pub(crate) struct Owed {
    cells: Arc<Mutex<HashSet<Address>>>,
    _registered: Registered,
}

impl Owed {
    /// For nothing yet, if this thread may wait at all.
    pub(crate) fn begin() -> Result<Self, WouldDeadlock> {
        Self::ask().inspect_err(trace::wait_is_refused)
    }

    fn ask() -> Result<Self, WouldDeadlock> {
        context::may_block()?;
        deferred::may_run_one()?;
        let cells = Arc::new(Mutex::new(HashSet::new()));
        let me = worker(|it| (Arc::clone(&it.pool), it.running.len(), it.bottom));
        let registered = match me {
            // As at its end, where it cannot be refused any more.
            Some((_, jobs, bottom)) if jobs >= DEPTH || is_little_left(bottom, SCOPE) => {
                return Err(WouldDeadlock::TooDeep);
            }
            Some((pool, ..)) => register(pool, Goal::Owed(Arc::clone(&cells)))?,
            None => Registered(None),
        };
        Ok(Self { cells, _registered: registered })
    }

    /// And for this one.
    pub(crate) fn add(&self, cell: Address) {
        let waiting = lock(&WAITING);
        lock(&self.cells).insert(cell);
        let sleepers = to_help(&waiting);
        drop(waiting);
        sleepers.iter().for_each(|it| it.look_again());
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let Some(id) = self.0 else { return };
        let mut waiting = lock(&WAITING);
        let at = waiting.iter().position(|other| other.id == id);
        let gone = at.map(|at| waiting.swap_remove(at));
        drop(waiting);
        drop(gone);
    }
}

/// What came of asking.
pub(crate) enum May {
    /// Look again: this thread ran one of the jobs itself, or a callback.
    LookAgain,
    /// Park, and keep this for as long.
    Park(Registered),
}

/// What a thread does before it parks for some cells, none of which is known to be settled: it runs a callback that it
/// has deferred, or one of them that lies in its own pool's queue, or asks whether it may park, and registers that it
/// does.
///
/// `cells` are needed of workers, and of who waits for callbacks inside one.
pub(crate) fn before_parking(wanted: Wanted, cells: Option<Cells>) -> Result<May, WouldDeadlock> {
    ask_for_cells(wanted, cells).inspect_err(trace::wait_is_refused)
}

fn ask_for_cells(wanted: Wanted, cells: Option<Cells>) -> Result<May, WouldDeadlock> {
    context::may_block()?;
    if wanted.returned() && cells.as_ref().is_some_and(|cells| is_lent_here(cells, wanted)) {
        return Err(WouldDeadlock::Lent);
    }
    if deferred::run_one()? {
        return Ok(May::LookAgain);
    }
    let me = worker(|it| (Arc::clone(&it.pool), it.ready, it.running.len(), it.bottom));
    let (Some((pool, ready, jobs, bottom)), Some(cells)) = (me, cells) else {
        return Ok(May::Park(Registered(None)));
    };
    if !ready {
        // Others may run it. `[pool-10]`
    } else if jobs >= DEPTH || is_little_left(bottom, 0) {
        if pool.holds(&|job| cells.need(wanted, job)) {
            return Err(WouldDeadlock::TooDeep);
        }
    } else if let Some(job) = pool.take(&|job| cells.need(wanted, job)) {
        isolate(|| job.run());
        return Ok(May::LookAgain);
    }
    register(pool, Goal::Cells(cells, wanted)).map(May::Park)
}

/// Whether what is wanted needs a callback to return inside which this thread is.
fn is_lent_here(cells: &Cells, wanted: Wanted) -> bool {
    let lending = deferred::lending();
    !cells.test(wanted, |cell| !lending.contains(&cell))
}

/// What a thread does before it parks for the end of another pool than its own, which is not known to have
/// ended: it runs the callbacks that it has deferred, and asks whether it may; a worker registers that it does.
/// `[pool-11]`
pub(crate) fn before_parking_for_the_end(pool: context::Id) -> Result<Registered, WouldDeadlock> {
    ask_for_the_end(pool).inspect_err(trace::wait_is_refused)
}

fn ask_for_the_end(pool: context::Id) -> Result<Registered, WouldDeadlock> {
    if context::works_for(pool) {
        return Err(WouldDeadlock::OwnWorker);
    }
    context::may_block()?;
    while deferred::run_one()? {}
    match worker(|worker| Arc::clone(&worker.pool)) {
        Some(own) => register(own, Goal::End(pool)),
        None => Ok(Registered(None)),
    }
}

/// What a loop does before it sleeps: in a worker, inside of it, it runs the first job in the queue of the worker's pool
/// that is awaited on this loop, if nobody else can run it. It may sleep if there is none, and keeps what this returns
/// for as long; otherwise it looks again. `[pool-13]`
pub(crate) fn before_sleeping(sleeper: &Arc<impl Sleeper + 'static>) -> Option<Registered> {
    let me = worker(|it| (Arc::clone(&it.pool), it.ready, it.running.len(), it.bottom));
    let Some((pool, ready, jobs, bottom)) = me else { return Some(Registered(None)) };
    let helps = ready && jobs < DEPTH && !is_little_left(bottom, 0);
    let goal = Goal::Sleep(helps.then(|| Arc::clone(sleeper) as Arc<dyn Sleeper>));
    let registered = register(Arc::clone(&pool), goal);
    if registered.is_err() {
        // Somebody may have taken it, and then tells the loop.
        let job = pool
            .first_awaited_on(sleeper.id())
            .and_then(|cell| pool.take(&|job| job.is_for(|it| it == cell)));
        let _role = context::call_back();
        job.into_iter().for_each(|job| isolate(|| job.run()));
    }
    registered.ok()
}

/// Registers this worker, unless it is not to wait, and has the loops look again that are not to sleep any more.
fn register(pool: Arc<dyn Queue>, goal: Goal) -> Result<Registered, WouldDeadlock> {
    let running = worker(|worker| worker.running.clone()).unwrap_or_default();
    let lending = deferred::lending();
    let id = context::next_id();
    let mut waiting = lock(&WAITING);
    waiting.push(Waiting { id, pool, running, lending, goal });
    let sleepers = to_help(&waiting);
    let refused = match waiting.last().map(|it| &it.goal) {
        Some(Goal::Sleep(Some(own))) => sleepers.iter().any(|it| it.id() == own.id()),
        _ => is_hopeless(&waiting, id),
    };
    if refused {
        let refused = waiting.pop();
        drop(waiting);
        drop(refused);
        return Err(WouldDeadlock::Circle);
    }
    drop(waiting);
    sleepers.iter().for_each(|it| it.look_again());
    Ok(Registered(Some(id)))
}

/// The loops that await a queued job which nobody else can run, if none of the loops that sleep is woken.
fn to_help(waiting: &[Waiting]) -> Vec<Arc<dyn Sleeper>> {
    if !waiting.iter().any(|it| matches!(it.goal, Goal::Sleep(_))) {
        return Vec::new();
    }
    let live = who_goes_on(waiting, false);
    let sleeper = |it: &Waiting| {
        let Goal::Sleep(Some(sleeper)) = &it.goal else { return None };
        // Asked first, because it is soon answered, and looking through the queue is not.
        let is_left = it.pool.is_left(stuck(waiting, &live, it.pool.id()));
        let cell = is_left.then(|| it.pool.first_awaited_on(sleeper.id()))??;
        (!may_settle(waiting, &live, cell)).then(|| Arc::clone(sleeper))
    };
    waiting.iter().filter_map(sleeper).collect()
}

/// Whether this worker would wait for ever, as far as workers and their jobs tell: everybody of whom
/// that is not certain is taken to go on. The same as in the model, see `settled::model`.
fn is_hopeless(waiting: &[Waiting], id: u64) -> bool {
    let live = who_goes_on(waiting, true);
    waiting.iter().zip(live).any(|(it, live)| it.id == id && !live)
}

/// Which of them may go on, as far as workers and their jobs tell, if the loops that sleep do or do not.
fn who_goes_on(waiting: &[Waiting], loops: bool) -> Vec<bool> {
    let mut live = vec![false; waiting.len()];
    loop {
        let before = live.clone();
        let hope = |it: &Waiting| match &it.goal {
            Goal::Cells(cells, wanted) => cells.test(*wanted, |cell| {
                (!wanted.returned() || may_return(waiting, &before, cell))
                    && may_settle(waiting, &before, cell)
            }),
            Goal::End(pool) => may_end(waiting, &before, *pool),
            Goal::Sleep(_) => loops,
            Goal::Owed(cells) => lock(cells).iter().all(|cell| may_settle(waiting, &before, *cell)),
        };
        for (it, live) in waiting.iter().zip(&mut live) {
            *live = *live || hope(it);
        }
        if live == before {
            return live;
        }
    }
}

/// Whether a pool may still end, if these go on and the others do not: it ends with all of its workers.
fn may_end(waiting: &[Waiting], live: &[bool], pool: context::Id) -> bool {
    waiting.iter().zip(live).all(|(it, live)| *live || it.pool.id() != pool)
}

/// Whether the callbacks of a cell may still return, if these go on and the others do not. `[settled-5]`
fn may_return(waiting: &[Waiting], live: &[bool], cell: Address) -> bool {
    waiting.iter().zip(live).all(|(it, live)| *live || !it.lending.contains(&cell))
        && !is_left(waiting, live, &|job| job.returns(|it| it == cell))
}

/// Whether a cell may still be settled, if these go on and the others do not.
fn may_settle(waiting: &[Waiting], live: &[bool], cell: Address) -> bool {
    waiting.iter().zip(live).all(|(it, live)| *live || !it.running.contains(&Some(cell)))
        && !is_left(waiting, live, &|job| job.is_for(|it| it == cell))
}

/// Whether such a job is queued in a pool all of whose workers wait for ever: of those that it has, and not of those that
/// it may have.
fn is_left(waiting: &[Waiting], live: &[bool], wanted: &dyn Fn(&Job) -> bool) -> bool {
    let leaves =
        |pool: &Arc<dyn Queue>| Arc::clone(pool).leaves(wanted, stuck(waiting, live, pool.id()));
    waiting.iter().any(|it| leaves(&it.pool))
}

/// How many workers of a pool wait for ever, if these go on and the others do not.
fn stuck(waiting: &[Waiting], live: &[bool], pool: context::Id) -> usize {
    // One that owes goes on for now.
    let waits = |it: &Waiting| it.pool.id() == pool && !matches!(it.goal, Goal::Owed(_));
    waiting.iter().zip(live).filter(|(it, live)| !**live && waits(it)).count()
}
