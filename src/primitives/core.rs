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
    context, deferred,
    error::WaitError,
    interrupt,
    sync::{Mutex, MutexGuard, Parker, is_over, is_past, lock},
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

    /// Blocks this thread until it is its turn, or says why it is not, of which the caller is to be
    /// [told](WaitError::told). A callback that the thread has deferred is run first; nobody knows who would end the wait,
    /// and so no job is helped with, and no circle is refused.
    pub(super) fn block(self: &Arc<Self>, deadline: Option<Instant>) -> Result<(), WaitError> {
        loop {
            if self.lock().pass() {
                return Ok(());
            }
            if is_past(deadline) {
                return Err(WaitError::of(deadline));
            }
            match before_parking(Wanted::All, None, &mut Looked::default())? {
                May::LookAgain => {}
                May::Park(_) => break,
            }
        }
        if is_over(deadline) {
            return Err(WaitError::of(deadline));
        }
        self.enter().map_or(Ok(()), |standing| standing.park(deadline))
    }

    /// Blocks this thread until it is its turn. Nothing ends this wait, and nothing refuses it.
    pub(super) fn block_in_any_case(self: &Arc<Self>) {
        while !self.lock().pass() {
            if matches!(deferred::run_one(), Ok(true)) {
                continue;
            }
            let _shield = interrupt::shield();
            let end = self.enter().map_or(Ok(()), |standing| standing.park(None));
            return debug_assert!(end.is_ok(), "nothing ends it");
        }
    }

    /// Stands in the line from now on, and calls this. Then it blocks this thread until it is its turn, or says why it is
    /// not, as [`block`](Self::block) does: what the thread has deferred runs in between, one callback after the other as
    /// long as the wait is not over, and may be what it waits for.
    pub(super) fn enter_and_block(
        self: &Arc<Self>,
        deadline: Option<Instant>,
        entered: impl FnOnce(),
    ) -> Result<(), WaitError> {
        let Some(mut standing) = self.enter() else { return Ok(()) };
        entered();
        loop {
            match before_parking(Wanted::All, None, &mut Looked::default()) {
                Ok(May::LookAgain) if standing.place.come() => return Ok(()),
                Ok(May::LookAgain) if !is_past(deadline) => {}
                Ok(_) => return standing.park(deadline),
                Err(_) if standing.place.end() => return Ok(()),
                Err(refused) => return Err(refused.into()),
            }
        }
    }

    /// This thread goes on, or stands in the line.
    fn enter(self: &Arc<Self>) -> Option<Standing<M>> {
        let parker = Parker::new();
        let ticket = self.lock().enter(Waiter::Thread(parker.unparker())).ok()?;
        Some(Standing { parker, place: Place { core: Arc::clone(self), ticket: Some(ticket) } })
    }
}

/// A thread that stands in the line. Unwinding, it leaves.
struct Standing<M: Turns<Waiter>> {
    parker: Parker,
    place: Place<M>,
}

impl<M: Turns<Waiter>> Standing<M> {
    /// Blocks this thread until it is its turn.
    fn park(mut self, deadline: Option<Instant>) -> Result<(), WaitError> {
        loop {
            if is_over(deadline) {
                return if self.place.end() { Ok(()) } else { Err(WaitError::of(deadline)) };
            }
            if self.place.come() {
                return Ok(());
            }
            self.parker.park(deadline);
        }
    }
}

/// Where a thread or a task stands in the line: nowhere, before a task's first poll.
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
        let poll = self.look(cx, M::come);
        if poll.is_ready() {
            self.ticket = None;
        }
        poll
    }

    /// The same, but has not gone on when it is ready: it still gives its turn up when it leaves.
    pub(super) fn poll_turn(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.look(cx, M::is_granted)
    }

    /// Goes on, if it is its turn.
    pub(super) fn come(&mut self) -> bool {
        let comes = self.ticket.is_some_and(|ticket| self.core.lock().come(ticket));
        if comes {
            self.ticket = None;
        }
        comes
    }

    /// Ends the wait in one step: goes on, if it is its turn, or leaves.
    fn end(&mut self) -> bool {
        let Some(ticket) = self.ticket.take() else { return false };
        let mut machine = self.core.lock();
        if machine.come(ticket) {
            return true;
        }
        let left = machine.leave(ticket);
        drop(machine);
        tell(left);
        false
    }

    fn look(&mut self, cx: &Context<'_>, come: fn(&mut M, Ticket) -> bool) -> Poll<()> {
        let mut machine = self.core.lock();
        let goes_on = match self.ticket {
            None => machine.pass(),
            Some(ticket) => come(&mut machine, ticket),
        };
        if goes_on {
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
        let (other, goes_on) = self.wait(waiter, come);
        let_go(other);
        if goes_on { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Is told by this waiter from now on, unless it is its turn; what is not needed any more, and whether it is.
    fn wait(
        &mut self,
        mut waiter: Waiter,
        come: fn(&mut M, Ticket) -> bool,
    ) -> (Option<Waiter>, bool) {
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
        (Some(waiter), come(&mut machine, ticket))
    }
}

/// Gives the place up, and what was granted to it.
impl<M: Turns<Waiter>> Drop for Place<M> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let left = self.core.lock().leave(ticket);
            tell(left);
        }
    }
}

fn tell(Left { own, next }: Left<Waiter>) {
    if let Some(next) = next {
        next.notify();
    }
    let_go(own);
}
