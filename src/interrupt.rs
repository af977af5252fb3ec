//! Interrupting the waits of a thread: [`Interrupt`].
//!
//! A thread-local list has the interrupts that the thread has entered. A wait that is about to sleep asks each of them
//! whether it is raised, and leaves with it how it is to be woken. Whoever interrupts raises the flag first, and then
//! wakes those who sleep, so that no interrupt is lost. To a wait an interrupt is a deadline that passes at that moment: a
//! future that settles meanwhile is settled, and its wait is not interrupted. `[wait-9]`

use std::{
    cell::RefCell,
    fmt,
    marker::PhantomData,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    context::{Id, next_id},
    deferred,
    sync::{Mutex, after, is_over, is_past, lock, now, thread_local},
    waiter::isolate,
};

/// Ends the waits of threads from outside: of each thread that has [entered](Self::enter) it. `[wait-9]`
///
/// A wait that it ends is [`WaitError::Interrupted`](crate::WaitError::Interrupted); what was waited for is untouched,
/// goes on, and may be waited for again. Every wait of this crate is meant: for one future or several, by reference or
/// by value, for the end of a pool, and for what is in [`primitives`](crate::primitives). What is there already is
/// answered all the same, and a timeout of zero looks. An [`EventLoop`](crate::EventLoop) is none of them, and has [`stop`](crate::LoopHandle::stop).
///
/// It is a flag, and stays until it is [cleared](Self::clear), so that no interrupt is lost that comes between two
/// waits. Clones are the same flag. Python's waits are interrupted by its signals, in the main thread.
///
/// ```
/// use std::thread;
/// use settled::{Interrupt, ThreadFuture, WaitError};
///
/// let (promise, future) = ThreadFuture::<u32, ()>::pair();
/// let interrupt = Interrupt::new();
/// // For instance: ctrlc::set_handler(move || handler.interrupt())
/// let handler = interrupt.clone();
/// thread::spawn(move || handler.interrupt());
///
/// let entered = interrupt.enter();
/// assert_eq!(future.wait().unwrap_err(), WaitError::Interrupted);
/// drop(entered);
/// promise.finish(5).unwrap();
/// assert_eq!(future.join().unwrap(), 5);
/// ```
#[derive(Clone, Default)]
#[doc(alias("KeyboardInterrupt", "InterruptedException", "StopToken", "signal"))]
pub struct Interrupt(Arc<Shared>);

#[derive(Default)]
struct Shared(Mutex<Flag>);

#[derive(Default)]
struct Flag {
    raised: bool,
    /// Who sleeps, by numbers.
    sleepers: Vec<(Id, Arc<dyn Sleeper>)>,
}

/// Something on which a thread sleeps.
pub(crate) trait Sleeper: Send + Sync {
    /// Ends its sleep, also one that is about to begin, so that it looks again.
    fn wake(&self);
}

impl Interrupt {
    /// Makes an interrupt that nobody has raised.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises it: each wait of the threads that have entered it ends, and each that would have to block ends at once
    /// until it is cleared. Never blocks for long. May be called from any thread, such as those on which `ctrlc` and
    /// the iterators of `signal-hook` call; it takes a lock, and so is not for a signal handler itself. `[wait-9]`
    pub fn interrupt(&self) {
        let mut flag = lock(&self.0.0);
        flag.raised = true;
        let sleepers: Vec<_> = flag.sleepers.iter().map(|(_, it)| Arc::clone(it)).collect();
        drop(flag);
        sleepers.iter().for_each(|sleeper| sleeper.wake());
    }

    /// Clears it, for the waits to come, and returns whether it was raised. `[wait-9]`
    #[expect(clippy::must_use_candidate, reason = "clearing is what it is called for")]
    pub fn clear(&self) -> bool {
        std::mem::take(&mut lock(&self.0.0).raised)
    }

    /// Returns whether it is raised. Never blocks for long. `[wait-9]`
    ///
    /// ```
    /// use settled::Interrupt;
    ///
    /// let interrupt = Interrupt::new();
    /// interrupt.interrupt();
    /// assert!(interrupt.is_raised());
    /// interrupt.clear();
    /// assert!(!interrupt.is_raised());
    /// ```
    #[must_use]
    pub fn is_raised(&self) -> bool {
        lock(&self.0.0).raised
    }

    /// Lets it end the waits of this thread until the guard is dropped, those too of jobs and callbacks that run inside
    /// such a wait. A thread may enter several; each of them ends its waits. `[wait-9]`
    pub fn enter(&self) -> InterruptGuard {
        enter(By::Flag(Arc::clone(&self.0)))
    }

    /// Lets `ask` end the waits of this thread until the guard is dropped: a wait that blocks calls it when `interval`
    /// has passed since it was asked last, on this thread and under no lock, and ends if it says `true`. For a language
    /// binding that has to look for a Ctrl-C. `[wait-9]`
    ///
    /// Callbacks that it defers run in the wait, one after the other until that is over. `[callback-8]` Between two waits it
    /// is not asked. If the wait has ended otherwise when it says so, the next that blocks ends.
    /// It must not wait for what its thread waits for at a primitive: the thread has its place in the line before it.
    /// `[semaphore-4]` It is not asked inside itself; if it panics, that is reported by the process's panic hook and taken
    /// for `true`.
    /// An `interval` too long for the clock is none: `ask` is never called.
    ///
    /// ```
    /// use std::time::Duration;
    /// use settled::{Interrupt, ThreadFuture, WaitError};
    ///
    /// let (_promise, future) = ThreadFuture::<u32, ()>::pair();
    /// let mut asked = 0;
    /// let _entered = Interrupt::ask_every(Duration::from_millis(1), move || {
    ///     asked += 1;
    ///     asked == 3    // for instance: Python::attach(|py| py.check_signals().is_err())
    /// });
    /// assert_eq!(future.wait().unwrap_err(), WaitError::Interrupted);
    /// ```
    #[doc(alias = "PyErr_CheckSignals")]
    pub fn ask_every(interval: Duration, ask: impl FnMut() -> bool + 'static) -> InterruptGuard {
        let closure =
            Closure { interval, due: after(interval), ask: Some(Box::new(ask)), yes: false };
        enter(By::Closure(closure))
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Interrupt");
        match self.0.0.try_lock() {
            Ok(flag) => {
                let (raised, sleepers) = (flag.raised, flag.sleepers.len());
                drop(flag);
                debug.field("raised", &raised).field("sleepers", &sleepers).finish()
            }
            Err(_) => debug.field("state", &format_args!("<locked>")).finish(),
        }
    }
}

/// Lets the waits of its thread be interrupted as long as it lives. Made by [`Interrupt::enter`] and
/// [`Interrupt::ask_every`]; not `Send`. `[wait-9]`
#[must_use = "waits can be interrupted only as long as the guard lives"]
#[derive(Debug)]
pub struct InterruptGuard {
    number: Id,
    _not_send: PhantomData<*const ()>,
}

impl Drop for InterruptGuard {
    fn drop(&mut self) {
        let left = ENTERED.try_with(|entered| {
            let mut entered = entered.borrow_mut();
            let at = entered.iter().position(|it| it.number == self.number)?;
            Some(entered.remove(at))
        });
        // With a closure of the user's in it.
        drop(left);
    }
}

impl Closure {
    fn is_due(&self) -> bool {
        self.ask.is_some() && self.due.is_some() && is_past(self.due)
    }
}

struct Entered {
    number: Id,
    by: By,
}

enum By {
    Flag(Arc<Shared>),
    Closure(Closure),
    /// Hides those before it, unless it is lifted.
    Shield {
        lifted: bool,
    },
}

/// Those that are not hidden, the last first.
fn open(entered: &mut [Entered]) -> impl Iterator<Item = &mut Entered> {
    entered.iter_mut().rev().take_while(|it| !matches!(it.by, By::Shield { lifted: false }))
}

/// A closure of the user's, which says whether the waits of its thread are to end.
struct Closure {
    interval: Duration,
    /// When it is asked next.
    due: Option<Instant>,
    /// `None` while it is asked.
    ask: Option<Box<dyn FnMut() -> bool>>,
    /// Whether it said so, and no wait has ended by it.
    yes: bool,
}

thread_local! {
    /// What may end the waits of this thread.
    static ENTERED: RefCell<Vec<Entered>> = RefCell::default();
}

fn enter(by: By) -> InterruptGuard {
    let number = next_id();
    // The waits of a thread that is being torn down cannot be interrupted any more.
    let _ = ENTERED.try_with(|entered| entered.borrow_mut().push(Entered { number, by }));
    InterruptGuard { number, _not_send: PhantomData }
}

/// Whether the waits of this thread are to end.
pub(crate) fn is_raised() -> bool {
    let is_raised = |entered: &mut Entered| match &entered.by {
        By::Flag(shared) => lock(&shared.0).raised,
        By::Closure(closure) => closure.yes,
        By::Shield { .. } => false,
    };
    ENTERED.try_with(|entered| open(&mut entered.borrow_mut()).any(is_raised)).unwrap_or(false)
}

/// A wait of this thread has ended by it, and what closures have said is used up.
pub(crate) fn use_up() {
    let _ = ENTERED.try_with(|entered| {
        for entered in open(&mut entered.borrow_mut()) {
            if let By::Closure(closure) = &mut entered.by {
                closure.yes = false;
            }
        }
    });
}

/// What was entered before ends no wait of this thread until the guard is dropped.
pub(crate) fn shield() -> InterruptGuard {
    enter(By::Shield { lifted: false })
}

/// Calls `f`, which does not unwind and is not a part of the wait that is shielded, without the innermost shield.
pub(crate) fn unshielded(f: impl FnOnce()) {
    let set = |of: &dyn Fn(&Entered) -> bool, to| {
        let set = |entered: &RefCell<Vec<Entered>>| {
            let mut entered = entered.borrow_mut();
            let it = entered.iter_mut().rfind(|it| of(it))?;
            it.by = By::Shield { lifted: to };
            Some(it.number)
        };
        ENTERED.try_with(set).ok().flatten()
    };
    let lifted = set(&|it| matches!(it.by, By::Shield { lifted: false }), true);
    f();
    if let Some(number) = lifted {
        set(&|it| it.number == number, false);
    }
}

/// A sleep of this thread that interrupts end.
pub(crate) struct Sleep {
    number: Id,
    flags: Vec<Arc<Shared>>,
    /// When it ends at the latest: the deadline of the wait, or before, to ask a closure.
    pub(crate) until: Option<Instant>,
}

/// What a wait calls before it sleeps, with no lock held: asks the closures that are due, and lets the others wake
/// `sleeper` as long as what this returns lives. If the closures have deferred callbacks, it runs the first of them, and
/// then there is no sleep: whoever waits looks again, since it may be what he waits for. `[callback-8]`
pub(crate) fn before_sleep(
    sleeper: &Arc<impl Sleeper + 'static>,
    deadline: Option<Instant>,
) -> Sleep {
    let mut sleep = Sleep { number: 0, flags: Vec::new(), until: deadline };
    let is_empty = ENTERED.try_with(|entered| entered.borrow().is_empty()).unwrap_or(true);
    if is_empty {
        return sleep;
    }
    ask_those_that_are_due();
    if asks() && !is_over(deadline) && matches!(deferred::run_one(), Ok(true)) {
        sleep.until = Some(now());
        return sleep;
    }
    sleep.number = next_id();
    let _ = ENTERED.try_with(|entered| {
        for entered in open(&mut entered.borrow_mut()) {
            match &entered.by {
                By::Flag(shared) => sleep.flags.push(Arc::clone(shared)),
                By::Closure(closure) if closure.ask.is_some() => {
                    sleep.until = sleep.until.into_iter().chain(closure.due).min();
                }
                By::Closure(_) | By::Shield { .. } => {}
            }
        }
    });
    for shared in &sleep.flags {
        lock(&shared.0).sleepers.push((sleep.number, Arc::clone(sleeper) as Arc<dyn Sleeper>));
    }
    sleep
}

impl Drop for Sleep {
    fn drop(&mut self) {
        for shared in &self.flags {
            let mut flag = lock(&shared.0);
            let at = flag.sleepers.iter().position(|(number, _)| *number == self.number);
            let gone = at.map(|at| flag.sleepers.swap_remove(at));
            drop(flag);
            drop(gone);
        }
    }
}

/// Whether there is a closure, which may have deferred something.
fn asks() -> bool {
    let is_closure = |it: &mut Entered| matches!(it.by, By::Closure(_));
    ENTERED.try_with(|entered| open(&mut entered.borrow_mut()).any(is_closure)).unwrap_or(false)
}

/// Each of them once, and under no borrow: it may wait, enter and leave.
fn ask_those_that_are_due() {
    let is_due = |it: &&mut Entered| matches!(&it.by, By::Closure(closure) if closure.is_due());
    let due = |entered: &RefCell<Vec<Entered>>| {
        open(&mut entered.borrow_mut()).filter(is_due).map(|it| it.number).collect()
    };
    for number in ENTERED.try_with(due).unwrap_or_else(|_| Vec::new()) {
        let Some(mut ask) = of_closure(number, |closure| closure.ask.take()).flatten() else {
            continue;
        };
        let mut yes = true;
        isolate(|| yes = ask());
        let mut ask = Some(ask);
        of_closure(number, |closure| {
            closure.ask = ask.take();
            closure.due = after(closure.interval);
            closure.yes |= yes;
        });
        // Its guard was dropped meanwhile.
        isolate(|| drop(ask));
    }
}

/// Does something to the closure with this number, if it is still entered.
fn of_closure<R>(number: Id, act: impl FnOnce(&mut Closure) -> R) -> Option<R> {
    let act = |entered: &RefCell<Vec<Entered>>| {
        let mut entered = entered.borrow_mut();
        match &mut entered.iter_mut().find(|it| it.number == number)?.by {
            By::Closure(closure) => Some(act(closure)),
            By::Flag(_) | By::Shield { .. } => None,
        }
    };
    ENTERED.try_with(act).ok().flatten()
}
