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

mod waiting;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use crate::{
    cell::Address,
    context, deferred,
    error::WouldDeadlock,
    interrupt,
    sync::{Mutex, lock, static_mutex, thread_local},
    trace,
    waiter::{Brings, Job, isolate},
};
pub(crate) use waiting::{Cells, Wanted};
use waiting::{Goal, Waiting, Waits};

/// How many jobs a worker runs inside each other before a wait for one more is refused.
pub(crate) const DEPTH: usize = 2_000;

/// How many bytes of its stack a worker may have in use when it begins another job inside a wait.
const ROOM: usize = STACK / 2;

/// How many bytes of it a scope may have in use in its own call when it waits for its jobs, beyond what it has at its
/// entry.
const SCOPE: usize = 256 << 10;

/// The size in bytes of a worker's stack. It is reserved, and used as far as jobs go.
pub(crate) const STACK: usize = if cfg!(target_pointer_width = "64") { 32 << 20 } else { 4 << 20 };

/// A pool, as far as its workers need it to wait.
pub(crate) trait Queue: Send + Sync {
    /// Tells pools apart.
    fn id(&self) -> context::Id;

    /// Takes the first queued job that is a part of what is wanted of these cells. Whoever asks again with the same
    /// notes asks for no cell besides.
    fn take(&self, cells: &Cells, wanted: Wanted, looked: &mut Looked) -> Option<Job>;

    /// What the first queued job settles that is awaited on this loop, which has noted this.
    fn first_awaited_on(&self, home: context::Id, awaited: &mut Awaited) -> Option<Address>;

    /// How many workers the pool has.
    fn workers(&self) -> usize;

    /// Whether such a job is queued.
    fn holds(&self, cells: &Cells, wanted: Wanted) -> bool;

    /// Whether a job that brings this about is queued, and the pool has no worker beside as many as are `stuck`, nor
    /// can start one.
    fn leaves(self: Arc<Self>, wanted: Brings, stuck: usize) -> bool;
}

/// What somebody has seen of a pool's queue who looks for jobs in it again and again.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    pool: Option<context::Id>,
    /// The number of the first job that he has not looked at.
    pub(crate) until: u64,
    /// The numbers of those before it that he wants, the first first.
    pub(crate) wanted: VecDeque<u64>,
}

impl Looked {
    /// Looks at the queue of this pool, from its beginning if it is another than before.
    pub(crate) fn begin(&mut self, pool: context::Id) {
        if self.pool != Some(pool) {
            *self = Self { pool: Some(pool), ..Self::default() };
        }
    }
}

/// What a loop in a worker notes, so that it finds the jobs that it awaits in the queue of the worker's pool.
#[derive(Debug, Default)]
pub(crate) struct Awaited {
    /// What it has begun to await since it was last looked for.
    pub(crate) new: BTreeSet<Address>,
    /// The number of the first job that was not looked at. Whatever comes to the queue later may be awaited before.
    pub(crate) until: u64,
    /// The numbers of the jobs that were awaited when they were looked at, or when they were looked for.
    pub(crate) jobs: BTreeSet<u64>,
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
    /// Its innermost wait that is registered, inside of which a closure may be asked.
    waits: Option<context::Id>,
    /// What its loops await.
    awaited: BTreeMap<context::Id, Arc<Mutex<Awaited>>>,
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
        *worker.borrow_mut() = Some(Worker {
            pool,
            ready: false,
            bottom,
            running: Vec::new(),
            waits: None,
            awaited: BTreeMap::new(),
        });
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

/// From now on this cell is awaited on a loop of this thread, or has a view there.
pub(crate) fn awaits(home: context::Id, cell: Address) {
    worker(|it| lock(it.awaited.entry(home).or_default()).new.insert(cell));
}

/// A loop of this thread is closed, and awaits nothing any more.
pub(crate) fn awaits_no_more(home: context::Id) {
    drop(worker(|it| it.awaited.remove(&home)));
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

static_mutex! {
    /// Every worker that waits, over all pools.
    static WAITING: Waits = Waits::new();
}

/// Keeps this thread registered as one that waits.
#[derive(Debug)]
pub(crate) struct Registered(Option<context::Id>);

/// What a thread has to wait for before it goes on after a scope. Others see it from the first moment on, so that none
/// of them waits for what this thread does after it. `[scope-4]`
pub(crate) struct Owed {
    cells: Arc<Mutex<BTreeSet<Address>>>,
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
        let cells = Arc::new(Mutex::new(BTreeSet::new()));
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
        let sleepers = waiting.to_help();
        drop(waiting);
        sleepers.iter().for_each(|it| it.look_again());
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let Some(id) = self.0 else { return };
        let mut waiting = lock(&WAITING);
        let gone = waiting.leave(id);
        drop(waiting);
        if let Some(gone) = gone.as_ref().filter(|it| !it.goal.owes()) {
            worker(|worker| worker.waits = gone.outer);
        }
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
/// `cells` are needed of workers, and of who waits for callbacks inside one. Whoever asks again, with the same cells or
/// some of them, brings what it has `looked` at.
pub(crate) fn before_parking(
    wanted: Wanted,
    cells: Option<Cells>,
    looked: &mut Looked,
) -> Result<May, WouldDeadlock> {
    ask_for_cells(wanted, cells, looked).inspect_err(trace::wait_is_refused)
}

fn ask_for_cells(
    wanted: Wanted,
    cells: Option<Cells>,
    looked: &mut Looked,
) -> Result<May, WouldDeadlock> {
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
        if pool.holds(&cells, wanted) {
            return Err(WouldDeadlock::TooDeep);
        }
    } else if let Some(job) = pool.take(&cells, wanted, looked) {
        interrupt::unshielded(|| isolate(|| job.run()));
        return Ok(May::LookAgain);
    }
    register(pool, Goal::Cells(cells, wanted)).map(May::Park)
}

/// Whether this thread may park at all, asked by what parks it later.
pub(crate) fn may_block() -> Result<(), WouldDeadlock> {
    let may = context::may_block().and_then(|()| Ok(deferred::may_run_one()?));
    may.inspect_err(trace::wait_is_refused)
}

/// Whether what is wanted needs a callback to return inside which this thread is.
fn is_lent_here(cells: &Cells, wanted: Wanted) -> bool {
    let lending = deferred::lending();
    !cells.test(wanted, |cell| !(cells.returned(wanted, cell) && lending.contains(&cell)))
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

/// What a loop does before it sleeps: in a worker, inside of it, it runs the first job in the queue of the worker's
/// pool that is awaited on this loop, if nobody else can run it. It may sleep if there is none, and keeps what this
/// returns for as long; otherwise it looks again. `[pool-13]`
pub(crate) fn before_sleeping(sleeper: &Arc<impl Sleeper + 'static>) -> Option<Registered> {
    let me = worker(|it| (Arc::clone(&it.pool), it.ready, it.running.len(), it.bottom));
    let Some((pool, ready, jobs, bottom)) = me else { return Some(Registered(None)) };
    let helps = ready && jobs < DEPTH && !is_little_left(bottom, 0);
    let awaited = worker(|it| Arc::clone(it.awaited.entry(sleeper.id()).or_default()));
    let awaited = awaited.unwrap_or_default();
    let own = (Arc::clone(sleeper) as Arc<dyn Sleeper>, Arc::clone(&awaited));
    let goal = Goal::Sleep(helps.then_some(own));
    let registered = register(Arc::clone(&pool), goal);
    if registered.is_err() {
        // Somebody may have taken it, and then tells the loop.
        let job = pool
            .first_awaited_on(sleeper.id(), &mut lock(&awaited))
            .and_then(|cell| pool.take(&Cells::One(cell), Wanted::All, &mut Looked::default()));
        let _role = context::call_back();
        job.into_iter().for_each(|job| isolate(|| job.run()));
    }
    registered.ok()
}

/// Registers this worker, unless it is not to wait, and has the loops look again that are not to sleep any more.
fn register(pool: Arc<dyn Queue>, goal: Goal) -> Result<Registered, WouldDeadlock> {
    let (running, outer) = worker(|it| (it.running.clone(), it.waits)).unwrap_or_default();
    // Whoever owes is in no wait for it yet.
    let waits = !goal.owes();
    let outer = outer.filter(|_| waits);
    let lending = deferred::lending();
    let id = context::next_id();
    let mut waiting = lock(&WAITING);
    let own = match &goal {
        Goal::Sleep(Some((own, _))) => Some(own.id()),
        _ => None,
    };
    waiting.enter(id, Waiting { pool, running, lending, goal, outer });
    let sleepers = waiting.to_help();
    let refused = match own {
        Some(own) => sleepers.iter().any(|it| it.id() == own),
        None => waiting.is_hopeless(id),
    };
    if refused {
        let refused = waiting.leave(id);
        drop(waiting);
        drop(refused);
        return Err(WouldDeadlock::Circle);
    }
    drop(waiting);
    if waits {
        worker(|worker| worker.waits = Some(id));
    }
    sleepers.iter().for_each(|it| it.look_again());
    Ok(Registered(Some(id)))
}
