//! Handles: who keeps the cell alive, who settles it, who frees it.
#![expect(unsafe_code, reason = "the cell is where it belongs; every block says why it is sound")]

use std::{
    fmt,
    mem::ManuallyDrop,
    panic::{RefUnwindSafe, UnwindSafe},
    ptr::NonNull,
    sync::Arc,
    task::Waker,
};

use super::{Address, Cell, Inner, Outcome, Ticket, Until, lend::Lent};
use crate::{
    error::{Cancel, Cancelled, Failure, Refusal},
    machine::{Event, State, Step},
    sync::{AtomicBool, Mutex, MutexGuard, Ordering, UnsafeCell, lock},
    waiter::{Callback, Waiter, isolate},
};

/// A counted reference to a cell. Every promise, future and proof of settlement is one of these.
///
/// The pointer is never null, so that an `Option` of it costs nothing; it is invariant in `T` and
/// `E`, because the cell contains an `UnsafeCell` of them. `[bounds-4]`
pub(crate) struct Handle<T, E>(NonNull<Cell<T, E>>);

// SAFETY: a handle moves `&T` access to its new thread, and may drop `T` and `E` there, hence
// `Send`. It gives nobody a second `&T` in the old thread: without `Sync` handles cannot be cloned
// and callbacks cannot be registered, so that the promise is the only other handle, which never
// reads the slot and gives its handle up in the step that settles. `[bounds-1]`
unsafe impl<T: Send, E: Send> Send for Handle<T, E> {}
// SAFETY: two threads with a `&Handle` may both hold `&T` (`Sync`). The count is under the lock.
// Whoever owns the handle may be in another thread than the last reader, so `T` may be dropped in
// any of them (`Send`). `[bounds-1]`
unsafe impl<T: Send + Sync, E: Send + Sync> Sync for Handle<T, E> {}

// What the lock guards is whole at every unlock, whoever panics, so that only the values count.
impl<T: RefUnwindSafe, E: RefUnwindSafe> UnwindSafe for Handle<T, E> {}
impl<T: RefUnwindSafe, E: RefUnwindSafe> RefUnwindSafe for Handle<T, E> {}

/// What a step that settled owes to others, to be paid with no lock held.
#[must_use = "the waiters have been taken out of the cell, and nobody else will tell them"]
pub(crate) struct Settling<T, E> {
    waiters: Vec<(Ticket, Waiter)>,
    callbacks: Vec<Callback<T, E>>,
    /// Whether somebody else than the producer has settled.
    is_lost: bool,
    /// Dropped outside the lock, like everything of the user's.
    owner: Option<Waker>,
}

/// What the producer's own handle became in the step that settled.
pub(crate) struct Settlement<T, E> {
    pub(crate) settling: Settling<T, E>,
    /// Kept only for callbacks, which are lent it. Without any it was given up inside the step, so
    /// that the only other handle is then the only one: a `take` after a `wait` succeeds.
    pub(crate) handle: Option<Lent<T, E>>,
}

/// Tells those whom the step was waited for by.
fn tell(waiters: Vec<(Ticket, Waiter)>) {
    waiters.into_iter().for_each(|(_, waiter)| waiter.notify());
}

/// Tells the producer that nobody else is left.
#[cold]
fn hang_up<T, E>(mut inner: MutexGuard<'_, Inner<T, E>>) {
    let listeners = inner.listeners(Until::Closed);
    drop(inner);
    tell(listeners);
}

impl<T, E> Settling<T, E> {
    /// Tells all who wait, threads, wakers and loops, in registration order. `[callback-2]`
    pub(crate) fn wake(&mut self) {
        for (ticket, waiter) in self.waiters.drain(..) {
            // The producer who settles has nothing to be told.
            if ticket.listens() && !self.is_lost {
                isolate(|| drop(waiter))
            } else {
                waiter.notify()
            }
        }
        let owner = self.owner.take();
        isolate(|| drop(owner));
    }

    /// The thread callbacks, in registration order; they run after [`wake`](Self::wake).
    pub(crate) fn into_callbacks(self) -> Vec<Callback<T, E>> {
        debug_assert!(self.waiters.is_empty(), "the waiters are told before the callbacks run");
        self.callbacks
    }

    fn has_callbacks(&self) -> bool {
        !self.callbacks.is_empty()
    }
}

impl<T, E> Inner<T, E> {
    /// Takes out the producer's waiters for this.
    fn listeners(&mut self, until: Until) -> Vec<(Ticket, Waiter)> {
        self.waiters.extract_if(.., |(ticket, _)| ticket.waits_until(until)).collect()
    }

    /// One more of the handles is lent to callbacks.
    pub(super) fn lend(&mut self) {
        let lent = self.lent.checked_add(1);
        self.lent = lent.expect("more callbacks than the memory could hold");
    }

    /// Gives the settler's handle up, unless callbacks are lent it; says whether it was the last. Who waits for the end of
    /// the lending then waits on.
    fn give_up(&mut self, settling: &mut Settling<T, E>) -> bool {
        if settling.has_callbacks() {
            self.lend();
            let waits_on = |(ticket, _): &mut (Ticket, _)| ticket.waits_until(Until::Returned);
            self.waiters = settling.waiters.extract_if(.., waits_on).collect();
            return false;
        }
        self.handles -= 1;
        self.handles == 0
    }
}

impl<T, E> Handle<T, E> {
    pub(super) fn pair(owner: Option<Waker>) -> (Self, Self) {
        let cell = Box::new(Cell {
            inner: Mutex::new(Inner {
                state: State::Pending,
                cause: Cancelled::Requested,
                handles: 2,
                lent: 0,
                owned: owner.is_some(),
                requested: false,
                reason: None,
                owner,
                next: 0,
                waiters: Vec::new(),
                callbacks: Vec::new(),
            }),
            slot: UnsafeCell::new(None),
            looked: AtomicBool::new(false),
        });
        let cell = NonNull::from(Box::leak(cell));
        (Self(cell), Self(cell))
    }

    fn cell(&self) -> &Cell<T, E> {
        // SAFETY: a handle is counted, and the cell is freed only when the count is zero.
        unsafe { self.0.as_ref() }
    }

    /// Where the cell is: tells it apart from all others as long as it lives.
    pub(crate) fn address(&self) -> Address {
        self.0.addr()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner<T, E>> {
        lock(&self.cell().inner)
    }

    pub(crate) fn state(&self) -> State {
        self.lock().state
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.state().is_settled()
    }

    /// The outcome.
    ///
    /// # Panics
    ///
    /// If the cell is not settled. Callers hold the proof that it is.
    pub(crate) fn outcome(&self) -> &Outcome<T, E> {
        self.cell().slot.with(|slot| {
            // SAFETY: the slot is written before the state says settled, in one critical section,
            // and never again; the caller has seen that state under the lock, or was handed a
            // proof by one who had. So no writer is left, and the write happened before.
            let slot = unsafe { &*slot };
            slot.as_ref().expect("a settled cell has an outcome")
        })
    }

    /// Somebody looks at the outcome, or is handed the proof: nobody has to report it any more.
    pub(crate) fn look(&self) {
        let looked = &self.cell().looked;
        // ORDERING: Relaxed, false=>true; whoever asks does so with the last handle, and this one was given up
        // under the lock before.
        if !looked.load(Ordering::Relaxed) {
            looked.store(true, Ordering::Relaxed);
        }
    }

    /// Whether this is the last handle of an outcome that is settled and that nobody has looked at.
    pub(crate) fn is_unread(&self) -> bool {
        let inner = self.lock();
        // ORDERING: Relaxed; see `look`.
        inner.handles == 1
            && inner.state.is_settled()
            && !self.cell().looked.load(Ordering::Relaxed)
    }

    /// Whether no other handle exists.
    pub(crate) fn is_only(&self) -> bool {
        self.lock().handles == 1
    }

    /// Pending => Running, or the reason why not.
    pub(crate) fn start(&self) -> Result<(), Cancelled> {
        let mut inner = self.lock();
        match inner.state.on(Event::Start) {
            Step::To(state) => {
                inner.state = state;
                Ok(())
            }
            Step::Already | Step::Refused => Err(inner.cause),
        }
    }

    /// What the first canceller said who gave a reason.
    pub(crate) fn cancel_reason(&self) -> Option<Arc<str>> {
        self.lock().reason.clone()
    }

    /// The one step in which a cell settles: facts 1 to 3. The slot is written only if the table
    /// accepts the event; otherwise the outcome comes back.
    fn apply(
        &self,
        inner: &mut Inner<T, E>,
        event: Event,
        mut outcome: Outcome<T, E>,
    ) -> Result<Settling<T, E>, Outcome<T, E>> {
        let Step::To(state) = inner.state.on(event) else { return Err(outcome) };
        if let Err(Failure::Cancelled(cause)) = &mut outcome {
            // Decided in this very step: whoever was answered `Requested` before finds that cause.
            if *cause == Cancelled::Stopped && inner.requested {
                *cause = Cancelled::Requested;
            }
            inner.cause = *cause;
        }
        self.cell().slot.with_mut(|slot| {
            // SAFETY: `inner` is locked and the cell was not settled, so that nobody has a proof
            // and nobody reads. What is overwritten is `None`: nothing of the user's is dropped.
            unsafe { slot.write(Some(outcome)) }
        });
        inner.state = state;
        Ok(Settling {
            waiters: std::mem::take(&mut inner.waiters),
            callbacks: std::mem::take(&mut inner.callbacks),
            is_lost: false,
            owner: inner.owner.take(),
        })
    }

    pub(super) fn settle(
        self,
        event: Event,
        outcome: Outcome<T, E>,
    ) -> Result<Settlement<T, E>, (Outcome<T, E>, Cancelled)> {
        let mut inner = self.lock();
        match self.apply(&mut inner, event, outcome) {
            Err(outcome) => {
                let cause = inner.cause;
                drop(inner);
                Err((outcome, cause))
            }
            Ok(mut settling) => {
                let last = inner.give_up(&mut settling);
                drop(inner);
                Ok(self.part(settling, last))
            }
        }
    }

    /// The promise was dropped. The table says what that means in the state that it finds.
    pub(super) fn abandon(self) -> Option<Settlement<T, E>> {
        let mut inner = self.lock();
        let failure = match inner.state {
            State::Pending | State::Cancelled => Failure::Cancelled(Cancelled::Dropped),
            State::Running | State::Finished => Failure::Abandoned,
        };
        let mut settling = self.apply(&mut inner, Event::Abandon, Err(failure)).ok()?;
        let last = inner.give_up(&mut settling);
        drop(inner);
        Some(self.part(settling, last))
    }

    /// After the producer's settling step: its handle was given up in the step unless callbacks
    /// need it, and then this thread touches the cell only if it has to free it. `[cell-3]`
    fn part(self, settling: Settling<T, E>, last: bool) -> Settlement<T, E> {
        if settling.has_callbacks() {
            return Settlement { settling, handle: Some(self.lent()) };
        }
        let this = ManuallyDrop::new(self);
        if last {
            // SAFETY: the count is zero, and this handle is not dropped.
            let cell = unsafe { this.free() };
            // A value whose drop panics must not unwind through the settler.
            isolate(|| drop(cell));
        }
        Settlement { settling, handle: None }
    }

    /// Anybody's cancel: applied, recorded as a request, or refused. `[cancel-1]`
    pub(crate) fn cancel(&self, reason: Option<Arc<str>>) -> (Cancel, Option<Settling<T, E>>) {
        let mut inner = self.lock();
        if !inner.state.is_settled() && inner.reason.is_none() {
            inner.reason = reason;
        }
        match inner.state.on(Event::Cancel) {
            Step::To(_) if inner.owned => {
                inner.requested = true;
                let owner = inner.owner.take();
                let listeners = inner.listeners(Until::Requested);
                drop(inner);
                if let Some(owner) = owner {
                    Waiter::Waker(owner, None).notify();
                }
                tell(listeners);
                (Cancel::Requested, None)
            }
            Step::To(_) => {
                let cancelled = Err(Failure::Cancelled(Cancelled::Requested));
                let settling = self.apply(&mut inner, Event::Cancel, cancelled).ok();
                // The producer has lost: whatever it listens for, it is told.
                (Cancel::Now, settling.map(|it| Settling { is_lost: true, ..it }))
            }
            Step::Already => (Cancel::Already, None),
            Step::Refused if inner.state == State::Running => {
                inner.requested = true;
                let listeners = inner.listeners(Until::Requested);
                drop(inner);
                tell(listeners);
                (Cancel::Refused(Refusal::Running), None)
            }
            Step::Refused => (Cancel::Refused(Refusal::Finished), None),
        }
    }

    /// Frees the memory and returns what was in it, so that the user's values are dropped when the
    /// memory is gone already, outside every lock. `[cell-4]`
    ///
    /// # Safety
    ///
    /// No other handle exists, and this one is not used again.
    pub(super) unsafe fn free(&self) -> Cell<T, E> {
        // loom does not see a free, but it sees a write, and that nothing orders it after a read.
        self.cell().slot.with_mut(|_| ());
        // SAFETY: the pointer came from `Box::leak`; by the contract nobody else has it.
        *unsafe { Box::from_raw(self.0.as_ptr()) }
    }

    /// What `Debug` prints; never waits for the lock.
    pub(crate) fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Read under the lock and printed without it: what is printed to is the user's.
        let seen = self.cell().inner.try_lock().ok();
        let seen = seen.map(|inner| {
            let waiters = inner.waiters.iter().filter(|(ticket, _)| !ticket.listens()).count();
            (inner.state, waiters, inner.callbacks.len())
        });
        let mut debug = f.debug_struct(name);
        match seen {
            Some((state, waiters, callbacks)) => debug
                .field("state", &state)
                .field("waiters", &waiters)
                .field("callbacks", &callbacks)
                .finish(),
            None => debug.field("state", &format_args!("<locked>")).finish(),
        }
    }
}

/// A second handle hands `&T` to whoever gets it, hence the bounds. `[bounds-2]`
impl<T: Sync, E: Sync> Clone for Handle<T, E> {
    fn clone(&self) -> Self {
        let mut inner = self.lock();
        let handles = inner.handles.checked_add(1);
        inner.handles = handles.expect("more handles than the memory could hold");
        drop(inner);
        Self(self.0)
    }
}

impl<T, E> Drop for Handle<T, E> {
    fn drop(&mut self) {
        let mut inner = self.lock();
        inner.handles -= 1;
        let last = inner.handles == 0;
        if !last && !inner.waiters.is_empty() && Until::Closed.is_over(&inner) {
            return hang_up(inner);
        }
        drop(inner);
        if last {
            // SAFETY: the count is zero, and this is the drop of the last handle.
            drop(unsafe { self.free() });
        }
    }
}
