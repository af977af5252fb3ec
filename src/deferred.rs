//! Callbacks run inside each other as deep as [`DEPTH`]; deeper ones wait for the outermost of them.
//!
//! A callback may settle a future whose callback settles the next, and so on. Each thread counts how many of these
//! calls it is in. Beyond the depth it queues what it would have called, and the outermost call runs that, first in,
//! first out, before it returns. Nobody else is to wait for it meanwhile: whatever blocks this thread runs the queue
//! first. `[callback-8]`

use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

use crate::{
    cell::Address,
    context::{self, Roles},
    interrupt,
    settled::Settled,
    sync::{DEPTH, thread_const},
    waiter::{Callback, isolate},
};

/// Callbacks that wait may run deferred ones inside themselves as far as this.
const LIMIT: usize = 2 * DEPTH;

/// More callbacks wait inside each other than this thread has room for.
#[derive(Debug)]
pub(crate) struct TooDeep;

/// A callback, with what it is to be called with, the cell of that, and the roles under which it would have run.
struct Deferred {
    call: Box<dyn FnOnce()>,
    lent: Rc<dyn Any>,
    cell: Address,
    roles: Roles,
}

impl Deferred {
    fn run(self) {
        context::under(self.roles, || {
            let _role = context::call_back();
            let lending = Lending::of(self.cell);
            isolate(self.call);
            drop(lending);
            // If it was the last handle, the value is dropped here, when nothing names its cell any more.
            isolate(|| drop(self.lent));
        });
    }
}

/// As long as this lives, this thread calls callbacks that are lent a handle of a cell.
struct Lending;

impl Lending {
    fn of(cell: Address) -> Self {
        let _ = CALLS.try_with(|calls| calls.lending.borrow_mut().push(cell));
        Self
    }
}

impl Drop for Lending {
    fn drop(&mut self) {
        let _ = CALLS.try_with(|calls| calls.lending.borrow_mut().pop());
    }
}

/// The cells of which this thread calls callbacks, the innermost last. `[settled-5]`
pub(crate) fn lending() -> Vec<Address> {
    CALLS.try_with(|calls| calls.lending.borrow().clone()).unwrap_or_default()
}

/// The calls of a thread that run callbacks.
struct Calls {
    /// How many it is in.
    inside: Cell<usize>,
    /// What they have deferred; empty outside of them.
    queue: RefCell<VecDeque<Deferred>>,
    /// The cells of the callbacks that it calls.
    lending: RefCell<Vec<Address>>,
}

thread_const! {
    /// Those of this thread.
    static CALLS: Calls = Calls {
        inside: Cell::new(0),
        queue: RefCell::new(VecDeque::new()),
        lending: RefCell::new(Vec::new()),
    };
}

/// Runs the callbacks of a future that is settled, of which there is one at least, or defers them.
pub(crate) fn run<T, E>(callbacks: impl Iterator<Item = Callback<T, E>>, settled: &Settled<T, E>) {
    let cell = settled.handle().address();
    if !enter(DEPTH) {
        // One handle for all of them, however many there are.
        let mut lent = None;
        for callback in callbacks {
            if lent.is_none() {
                // There may be more handles than can be counted.
                isolate(|| lent = Some(callback.lend(settled)));
            }
            match &lent {
                Some(lent) => defer(callback.with(Rc::clone(lent)), cell),
                None => isolate(|| drop(callback)),
            }
        }
        return;
    }
    let role = context::call_back();
    let lending = Lending::of(cell);
    callbacks.for_each(|callback| isolate(|| callback.call(settled)));
    drop((lending, role));
    leave();
}

/// Calls one callback, in a thread that calls no other of this cell.
pub(crate) fn call<T, E>(settled: &Settled<T, E>, callback: impl FnOnce(&Settled<T, E>)) {
    let _role = context::call_back();
    let _lending = Lending::of(settled.handle().address());
    isolate(|| callback(settled));
}

/// Runs the first callback that this thread has deferred, if it has any; says whether it had. Whoever is about to block
/// the thread calls this until there is none.
#[inline]
pub(crate) fn run_one() -> Result<bool, TooDeep> {
    if CALLS.try_with(Calls::is_empty).unwrap_or(true) { Ok(false) } else { run_first() }
}

#[cold]
fn run_first() -> Result<bool, TooDeep> {
    if !enter(LIMIT) {
        return Err(TooDeep);
    }
    if let Some(first) = CALLS.try_with(Calls::pop).ok().flatten() {
        interrupt::unshielded(|| first.run());
    }
    leave();
    Ok(true)
}

/// Whether a wait here could run what this thread has deferred, if it has anything.
pub(crate) fn may_run_one() -> Result<(), TooDeep> {
    let inside = CALLS.try_with(|calls| calls.inside.get()).unwrap_or_default();
    if inside < LIMIT { Ok(()) } else { Err(TooDeep) }
}

/// Counts one more call that runs callbacks, unless there are as many as `most`. A thread that is being torn down
/// counts no more, and runs all of them at once.
fn enter(most: usize) -> bool {
    CALLS
        .try_with(|Calls { inside, .. }| {
            let enters = inside.get() < most;
            inside.set(inside.get() + usize::from(enters));
            enters
        })
        .unwrap_or(true)
}

/// The end of a call that [`enter`] has counted. The outermost runs what was deferred inside it.
fn leave() {
    let _ = CALLS.try_with(|calls| {
        let inside = calls.inside.get();
        if inside == 1 && !calls.is_empty() {
            calls.run_all();
        }
        calls.inside.set(inside - 1);
    });
}

impl Calls {
    /// Whether nothing is deferred.
    fn is_empty(&self) -> bool {
        self.queue.borrow().is_empty()
    }

    #[cold]
    fn run_all(&self) {
        while let Some(next) = self.pop() {
            next.run();
        }
    }

    /// What was deferred first, if anything was.
    fn pop(&self) -> Option<Deferred> {
        self.queue.borrow_mut().pop_front()
    }
}

fn defer((call, lent): (Box<dyn FnOnce()>, Rc<dyn Any>), cell: Address) {
    let mut deferred = Some(Deferred { call, lent, cell, roles: context::roles() });
    let _ = CALLS.try_with(|calls| calls.queue.borrow_mut().extend(deferred.take()));
    if let Some(at_once) = deferred {
        at_once.run();
    }
}
