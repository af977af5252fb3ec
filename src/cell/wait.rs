//! Registering with a cell, and leaving it again.

use std::{
    task::{Context, Poll},
    time::Instant,
};

use super::{Handle, Inner};
use crate::{
    context::{self, Id},
    machine::State,
    sync::{Parker, is_over},
    waiter::{Callback, Waiter},
};

/// Names a registered waiter, so that it can leave, and says what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

impl Ticket {
    const fn new(number: u64, until: Until) -> Self {
        Self(number << 2 | until as u64)
    }

    pub(super) const fn waits_until(self, until: Until) -> bool {
        self.0 & 3 == until as u64
    }

    /// Whether this is the producer's, who is told of nothing when it settles the cell itself.
    pub(super) const fn listens(self) -> bool {
        self.waits_until(Until::Requested) || self.waits_until(Until::Closed)
    }
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// The cell is settled.
    Settled,
    /// And every callback has returned that is lent a handle. `[settled-5]`
    Returned,
    /// By the producer: somebody has asked to cancel. `[cancel-8]`
    Requested,
    /// By the producer: nobody can see what it would deliver. `[promise-8]`
    Closed,
}

impl Until {
    /// Whether the wait is over.
    pub(super) fn is_over<T, E>(self, inner: &Inner<T, E>) -> bool {
        match self {
            Self::Settled => inner.state.is_settled(),
            Self::Returned => inner.state.is_settled() && inner.lent == 0,
            Self::Requested => inner.requested || inner.state == State::Cancelled,
            Self::Closed => {
                inner.state == State::Cancelled || inner.handles == 1 && inner.callbacks.is_empty()
            }
        }
    }
}

impl<T, E> Handle<T, E> {
    /// Registers a waiter, unless the cell is settled: then it comes back, to be told right away.
    /// The check and the registration are one step: no settlement fits in between. `[cell-1]`
    pub(crate) fn register(&self, waiter: Waiter) -> Result<Ticket, Waiter> {
        self.register_until(Until::Settled, waiter)
    }

    /// The same for one that may wait for longer. `[settled-5]`
    pub(crate) fn register_until(&self, until: Until, waiter: Waiter) -> Result<Ticket, Waiter> {
        let mut inner = self.lock();
        if until.is_over(&inner) {
            return Err(waiter);
        }
        let ticket = Ticket::new(inner.next, until);
        inner.next += 1;
        inner.waiters.push((ticket, waiter));
        Ok(ticket)
    }

    /// Whether a task of this loop awaits it, or the loop has a view of it.
    pub(crate) fn is_awaited_on(&self, home: Id) -> bool {
        self.lock().waiters.iter().any(|(_, waiter)| waiter.home() == Some(home))
    }

    /// Takes a waiter out. It is returned, to be dropped with no lock held.
    pub(crate) fn deregister(&self, ticket: Ticket) -> Option<Waiter> {
        let mut inner = self.lock();
        let at = inner.waiters.iter().position(|(other, _)| *other == ticket)?;
        Some(inner.waiters.remove(at).1)
    }

    /// Registers a callback, unless the cell is settled: then it comes back, to be run right away.
    pub(crate) fn register_callback(&self, callback: Callback<T, E>) -> Result<(), Callback<T, E>>
    where
        T: Sync,
        E: Sync,
    {
        let mut inner = self.lock();
        if inner.state.is_settled() {
            return Err(callback);
        }
        inner.callbacks.push(callback);
        Ok(())
    }

    /// Whether what is waited for is so.
    pub(crate) fn is_over(&self, until: Until) -> bool {
        until.is_over(&self.lock())
    }

    /// Parks this thread until what is waited for is so or the deadline has passed; says whether it is
    /// so. Every return follows a look at the state under the lock, and the settler's last
    /// access to the cell is its unlock: when this returns `true`, the settler is gone.
    pub(crate) fn park_until(&self, until: Until, deadline: Option<Instant>) -> bool {
        let parker = Parker::new();
        let register = || self.register_until(until, Waiter::Thread(parker.unparker()));
        let Ok(mut ticket) = register() else { return true };
        loop {
            let expired = is_over(deadline);
            if self.is_over(until) {
                return true;
            }
            if expired {
                // Told between the look and here, it is over: settled is for ever, and a lending may have begun anew.
                return self.deregister(ticket).is_none() && self.is_over(until);
            }
            parker.park(deadline);
            if until == Until::Returned {
                // The lending may have ended, which took the ticket, and have begun anew: nobody would tell of its end.
                drop(self.deregister(ticket));
                let Ok(again) = register() else { return true };
                ticket = again;
            }
        }
    }
}

/// A task's place among the waiters of a cell: one, however often it polls. `[await-2]`
#[derive(Debug, Default)]
pub(crate) struct Registration(Option<Ticket>);

impl Registration {
    pub(crate) fn poll<T, E>(
        &mut self,
        cell: &Handle<T, E>,
        until: Until,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        if self.is_current(cell, cx) {
            return Poll::Pending;
        }
        // Cloning and dropping a waker is the user's code: neither happens under the lock.
        self.leave(cell);
        let waiter = Waiter::Waker(cx.waker().clone(), context::current_loop());
        match cell.register_until(until, waiter) {
            Ok(ticket) => {
                self.0 = Some(ticket);
                Poll::Pending
            }
            Err(_) => Poll::Ready(()),
        }
    }

    /// Whether the waiter is registered and would wake the same task.
    fn is_current<T, E>(&self, cell: &Handle<T, E>, cx: &Context<'_>) -> bool {
        let Some(ticket) = self.0 else { return false };
        cell.lock().waiters.iter().any(|(other, waiter)| {
            *other == ticket
                && matches!(waiter, Waiter::Waker(waker, _) if waker.will_wake(cx.waker()))
        })
    }

    /// Gives the place up, if there was one.
    pub(crate) fn leave<T, E>(&mut self, cell: &Handle<T, E>) -> bool {
        let ticket = self.0.take();
        if let Some(ticket) = ticket {
            drop(cell.deregister(ticket));
        }
        ticket.is_some()
    }
}
