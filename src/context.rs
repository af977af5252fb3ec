//! What the current thread is: may it block? Is a coroutine being stopped here, and why?
//!
//! One thread-local stack answers both. An event loop pushes an entry while it runs, a pool worker while it lives, a
//! task for a step, a stop for the drop of a coroutine; a call that would have to park asks `may_block` first.
//! `[deadlock-1]`

use std::{
    cell::RefCell,
    collections::BTreeSet,
    iter,
    marker::PhantomData,
    mem,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Waker,
};

use crate::{cell::Address, error::WouldDeadlock, sync::thread_const};

/// Identifies a loop, a task or a pool within the process.
pub(crate) type Id = u64;

/// A number that nobody else has.
pub(crate) fn next_id() -> Id {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // ORDERING: Relaxed; only the numbers must differ.
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Loop(Option<Id>),
    Worker(Id),
    /// A step of this task, which settles this cell.
    Task(Id, Address),
    Stopping,
    Callback,
}

thread_const! {
    static ROLES: RefCell<Stack> = RefCell::new(Stack::new());
}

/// Makes what this thread keeps here, so that it is torn down after what is made later.
pub(crate) fn prepare() {
    let _ = ROLES.try_with(|_| ());
}

/// The stop of a coroutine: why, and what it asked to stop with it.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    reason: Option<Arc<str>>,
    /// The loop on which it is stopped.
    pub(crate) home: Option<Id>,
    /// The tasks that the coroutine owned and that have not ended.
    pub(crate) tasks: RefCell<BTreeSet<Id>>,
    /// Woken when one of them ends.
    pub(crate) waker: RefCell<Option<Waker>>,
}

/// All that a thread is at some moment, the outermost first. Each role has a number of its own within the thread.
pub(crate) type Roles = Vec<(u64, Role)>;

#[derive(Debug)]
struct Stack {
    now: Roles,
    /// What it is besides, which does not count while it calls something [`under`] the roles of another moment.
    aside: Vec<Roles>,
    /// The stops in progress, the innermost last: one for each role of that kind.
    stops: Vec<Rc<Stop>>,
    /// The number of the last role that was taken on.
    last: u64,
}

impl Stack {
    const fn new() -> Self {
        Self { now: Vec::new(), aside: Vec::new(), stops: Vec::new(), last: 0 }
    }

    /// The innermost first.
    fn outwards(&self) -> impl Iterator<Item = Role> {
        self.now.iter().rev().map(|(_, role)| *role)
    }

    /// The task whose step this is, if it is one, and the cell that it settles.
    fn task(&self) -> Option<(Id, Address)> {
        self.outwards().find_map(|role| match role {
            Role::Task(id, cell) => Some(Some((id, cell))),
            Role::Callback | Role::Loop(_) => Some(None),
            Role::Worker(_) | Role::Stopping => None,
        })?
    }

    /// The innermost loop, if it is one of this crate's.
    fn home(&self) -> Option<Id> {
        self.outwards().find_map(|role| match role {
            Role::Loop(id) => Some(id),
            Role::Worker(_) | Role::Task(..) | Role::Stopping | Role::Callback => None,
        })?
    }
}

fn any(test: impl Fn(Role) -> bool) -> bool {
    // A thread that is being torn down has no roles left.
    ROLES.try_with(|roles| roles.borrow().outwards().any(test)).unwrap_or(false)
}

/// Marks this thread as one that runs an event loop, until the guard is dropped. `[deadlock-2]`
///
/// For event loops that are not this crate's own (a GUI toolkit's, a game's): hold the guard while
/// the loop dispatches. A wait for an unsettled future then answers
/// [`WouldDeadlock`] instead of stopping the loop. Without the guard, detection is not promised. Do
/// not hold it across an `.await`.
///
/// ```
/// use settled::{ThreadFuture, WaitError, context};
///
/// let (promise, future) = ThreadFuture::<u32, String>::pair();
/// let guard = context::enter_loop();
/// assert!(matches!(future.wait(), Err(WaitError::WouldDeadlock(_))));
/// drop((guard, promise));
/// ```
#[must_use = "the thread is marked only as long as the guard lives"]
pub fn enter_loop() -> LoopGuard {
    LoopGuard(enter(Role::Loop(None)))
}

/// Returns whether this thread runs an event loop: this crate's own, or one that holds a [`LoopGuard`].
/// `[deadlock-1]`
///
/// ```
/// use settled::context;
///
/// assert!(!context::in_loop());
/// let guard = context::enter_loop();
/// assert!(context::in_loop());
/// drop(guard);
/// assert!(!context::in_loop());
/// ```
#[must_use]
pub fn in_loop() -> bool {
    any(|role| matches!(role, Role::Loop(_)))
}

/// Keeps the current thread marked as one that runs an event loop. Made by [`enter_loop`]; not
/// `Send`. `[deadlock-2]`
#[derive(Debug)]
pub struct LoopGuard(#[expect(dead_code, reason = "held for its drop")] Guard);

/// Removes its role from the stack when it is dropped, which may be out of order.
#[derive(Debug)]
pub(crate) struct Guard {
    number: u64,
    /// A role belongs to one thread.
    _not_send: PhantomData<*const ()>,
}

fn enter(role: Role) -> Guard {
    let enter = |roles: &RefCell<Stack>| {
        let mut roles = roles.borrow_mut();
        roles.last += 1;
        let number = roles.last;
        roles.now.push((number, role));
        number
    };
    // A thread that is being torn down takes no roles on.
    Guard { number: ROLES.try_with(enter).unwrap_or_default(), _not_send: PhantomData }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = ROLES.try_with(|roles| {
            let Stack { now, aside, .. } = &mut *roles.borrow_mut();
            if now.pop_if(|(number, _)| *number == self.number).is_some() && aside.is_empty() {
                return;
            }
            for roles in iter::once(now).chain(aside) {
                if let Some(at) = roles.iter().rposition(|(number, _)| *number == self.number) {
                    roles.remove(at);
                }
            }
        });
    }
}

/// This thread runs the loop `id` until the guard is dropped.
pub(crate) fn run_loop(id: Id) -> Guard {
    enter(Role::Loop(Some(id)))
}

/// This thread works for the pool `id` until the guard is dropped.
pub(crate) fn work(id: Id) -> Guard {
    enter(Role::Worker(id))
}

/// A coroutine is being stopped until the guard is dropped: a future that it owned and awaited is
/// then cancelled with it. `[await-3]`
pub(crate) fn stop_coroutine(reason: Option<Arc<str>>) -> (Rc<Stop>, StopGuard) {
    let stop = Rc::new(Stop { reason, home: current_loop(), ..Stop::default() });
    let _ = ROLES.try_with(|roles| roles.borrow_mut().stops.push(Rc::clone(&stop)));
    (stop, StopGuard { _role: enter(Role::Stopping) })
}

/// A coroutine is being stopped. Guards of this kind are dropped in the order of their nesting.
pub(crate) struct StopGuard {
    _role: Guard,
}

impl Drop for StopGuard {
    fn drop(&mut self) {
        let last = ROLES.try_with(|roles| roles.borrow_mut().stops.pop());
        drop(last);
    }
}

/// The innermost stop in progress.
pub(crate) fn innermost_stop() -> Option<Rc<Stop>> {
    ROLES.try_with(|roles| roles.borrow().stops.last().cloned()).ok().flatten()
}

/// The reason of the stop in which this thread drops what a coroutine owned, if one was given.
pub(crate) fn stop_reason() -> Option<Arc<str>> {
    is_stopping_coroutine().then(innermost_stop)??.reason.clone()
}

/// What this thread is: each role once, in its innermost place, so that there are not more of them however often what
/// they are for goes on from there.
pub(crate) fn roles() -> Roles {
    let mut now = Roles::new();
    let _ = ROLES.try_with(|roles| {
        for role in roles.borrow().now.iter().rev() {
            if !now.iter().any(|(_, other)| *other == role.1) {
                now.push(*role);
            }
        }
    });
    now.reverse();
    now
}

/// Calls `f`, which does not unwind, in this thread as if it were what it was when `roles` were. What it takes on and
/// keeps it is from then on, and what it gives up it is no more.
pub(crate) fn under(roles: Roles, f: impl FnOnce()) {
    let begun = ROLES.try_with(|stack| {
        let Stack { now, aside, last, .. } = &mut *stack.borrow_mut();
        aside.push(mem::replace(now, roles));
        *last
    });
    f();
    let Ok(begun) = begun else { return };
    let _ = ROLES.try_with(|stack| {
        let Stack { now, aside, .. } = &mut *stack.borrow_mut();
        let kept = mem::replace(now, aside.pop().expect("it was put there above"));
        now.extend(kept.into_iter().filter(|(number, _)| *number > begun));
    });
}

/// Calls `f`, which does not unwind, as if this thread ran no loop: whatever marks it was kept by somebody's fault.
pub(crate) fn outside_of_loops(f: impl FnOnce()) {
    let mut roles = roles();
    roles.retain(|(_, role)| !matches!(role, Role::Loop(_)));
    under(roles, f);
}

/// Callbacks run until the guard is dropped: what they drop is not the coroutine's that is being
/// stopped, if one is.
pub(crate) fn call_back() -> Guard {
    enter(Role::Callback)
}

pub(crate) fn is_stopping_coroutine() -> bool {
    let is_stopping =
        |roles: &RefCell<Stack>| roles.borrow().outwards().next() == Some(Role::Stopping);
    ROLES.try_with(is_stopping).unwrap_or(false)
}

pub(crate) fn works_for(id: Id) -> bool {
    any(|role| role == Role::Worker(id))
}

/// This thread steps the task `id`, which settles `cell`, until the guard is dropped.
pub(crate) fn run_task(id: Id, cell: Address) -> Guard {
    enter(Role::Task(id, cell))
}

/// Asked only by those that would have to wait for `cell`.
///
/// # Panics
///
/// In a step of the task that settles it. `[await-5]`
pub(crate) fn refuse_oneself(cell: Address) {
    refuse(innermost_task(), cell);
}

fn refuse(task: Option<(Id, Address)>, cell: Address) {
    let own = task.is_some_and(|(_, own)| own == cell);
    assert!(!own, "a task awaited itself, which would never end; it is its own outcome");
}

/// Asked by a task that would have to wait for `cell`, as [`refuse_oneself`]: the innermost loop that this thread runs, if it
/// is one of this crate's, in a worker. Elsewhere nobody asks who waits on it. `[pool-13]`
///
/// # Panics
///
/// As that.
#[inline]
pub(crate) fn home_of_wait(cell: Address) -> Option<Id> {
    let is_nothing = ROLES.try_with(|roles| roles.borrow().now.is_empty()).unwrap_or(true);
    if is_nothing { None } else { home_in_roles(cell) }
}

#[inline(never)]
fn home_in_roles(cell: Address) -> Option<Id> {
    let ask = |roles: &RefCell<Stack>| {
        let roles = roles.borrow();
        let is_worker = roles.outwards().any(|role| matches!(role, Role::Worker(_)));
        (roles.task(), roles.home().filter(|_| is_worker))
    };
    let (task, home) = ROLES.try_with(ask).unwrap_or_default();
    refuse(task, cell);
    home
}

/// The task whose step this is, if it is one.
pub(crate) fn current_task() -> Option<Id> {
    innermost_task().map(|(id, _)| id)
}

fn innermost_task() -> Option<(Id, Address)> {
    ROLES.try_with(|roles| roles.borrow().task()).ok().flatten()
}

/// The innermost loop that this thread runs, if it is one of this crate's.
pub(crate) fn current_loop() -> Option<Id> {
    ROLES.try_with(|roles| roles.borrow().home()).ok().flatten()
}

/// Asked only by calls that would have to park. `[deadlock-1]`
pub(crate) fn may_block() -> Result<(), WouldDeadlock> {
    if in_loop() { Err(WouldDeadlock::EventLoop) } else { Ok(()) }
}
