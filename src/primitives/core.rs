//! The two ways to wait for a primitive: a thread blocks, a task awaits. Both stand in one line.
//!
//! What is decided is pure, and decided under one lock. Nothing else happens under it: wakers are cloned before, and
//! dropped and woken after.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use super::line::{Left, Ticket, Turns};
use crate::{
    blocking::{Looked, May, Wanted, before_parking},
    context,
    error::WaitError,
    sync::{Mutex, MutexGuard, Parker, is_over, lock},
    waiter::{Waiter, isolate},
};

/// A primitive that threads and loops share.
pub(super) struct Core<M>(Mutex<M>);

/// Drops it where no lock is held. What a waker's own drop does is its own affair.
fn let_go(waiter: Option<Waiter>) {
    isolate(|| drop(waiter));
}

impl<M: Turns<Waiter>> Core<M> {
    pub(super) fn new(machine: M) -> Arc<Self> {
        Arc::new(Self(Mutex::new(machine)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, M> {
        lock(&self.0)
    }

    /// What it shows of itself, unless somebody is about to change it.
    pub(super) fn look<R>(&self, look: impl FnOnce(&mut M) -> R) -> Option<R> {
        self.0.try_lock().ok().map(|mut machine| look(&mut machine))
    }

    /// Blocks this thread until it is its turn, or says why it is not. A callback that the thread has deferred is run
    /// first; nobody knows who would end the wait, and so no job is helped with, and no circle is refused.
    pub(super) fn block(&self, deadline: Option<Instant>) -> Result<(), WaitError> {
        loop {
            if self.lock().pass() {
                return Ok(());
            }
            if is_over(deadline) {
                return Err(WaitError::ended(deadline));
            }
            match before_parking(Wanted::All, None, &mut Looked::default())? {
                May::LookAgain => {}
                May::Park(_) => break,
            }
        }
        let parker = Parker::new();
        let entered = self.lock().enter(Waiter::Thread(parker.unparker()));
        let Ok(ticket) = entered else { return Ok(()) };
        loop {
            if is_over(deadline) {
                return if self.end(ticket) { Ok(()) } else { Err(WaitError::ended(deadline)) };
            }
            if self.lock().come(ticket) {
                return Ok(());
            }
            parker.park(deadline);
        }
    }

    /// Ends a wait in one step; whether it was its turn by then.
    fn end(&self, ticket: Ticket) -> bool {
        let mut machine = self.lock();
        if machine.come(ticket) {
            return true;
        }
        let left = machine.leave(ticket);
        drop(machine);
        Self::tell(left);
        false
    }

    /// Gives a place up, and what was granted to it.
    fn leave(&self, ticket: Ticket) {
        let left = self.lock().leave(ticket);
        Self::tell(left);
    }

    fn tell(Left { own, next }: Left<Waiter>) {
        if let Some(next) = next {
            next.notify();
        }
        let_go(own);
    }
}

/// Where a task stands in the line: nowhere, before its first poll.
pub(super) struct Place<M: Turns<Waiter>> {
    pub(super) core: Arc<Core<M>>,
    ticket: Option<Ticket>,
}

impl<M: Turns<Waiter>> Place<M> {
    pub(super) fn new(core: &Arc<Core<M>>) -> Self {
        Self { core: Arc::clone(core), ticket: None }
    }

    /// Goes on, if it is its turn, or leaves the task's waker in the line.
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        let mut machine = self.core.lock();
        let goes_on = match self.ticket {
            None => machine.pass(),
            Some(ticket) => machine.come(ticket),
        };
        if goes_on {
            self.ticket = None;
            return Poll::Ready(());
        }
        let waiter = self.ticket.and_then(|ticket| machine.line().waiter(ticket));
        if waiter.is_some_and(
            |waiter| matches!(waiter, Waiter::Waker(it, _) if it.will_wake(cx.waker())),
        ) {
            return Poll::Pending;
        }
        drop(machine);
        let waiter = Waiter::Waker(cx.waker().clone(), context::current_loop());
        let (other, goes_on) = self.wait(waiter);
        let_go(other);
        if goes_on { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Is told by this waiter from now on, unless it is its turn; what is not needed any more, and whether it is.
    fn wait(&mut self, mut waiter: Waiter) -> (Option<Waiter>, bool) {
        let mut machine = self.core.lock();
        let Some(ticket) = self.ticket else {
            return match machine.enter(waiter) {
                Ok(ticket) => {
                    self.ticket = Some(ticket);
                    (None, false)
                }
                Err(waiter) => (Some(waiter), true),
            };
        };
        if let Some(last) = machine.line().waiter(ticket) {
            std::mem::swap(last, &mut waiter);
            return (Some(waiter), false);
        }
        self.ticket = None;
        (Some(waiter), machine.come(ticket))
    }
}

impl<M: Turns<Waiter>> Drop for Place<M> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.core.leave(ticket);
        }
    }
}
