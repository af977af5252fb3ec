//! Registering with a cell, and leaving it again.

use std::{
    task::{Context, Poll},
    time::Instant,
};

use super::Handle;
use crate::{
    context::{self, Id},
    sync::{Parker, is_over},
    waiter::{Callback, Waiter},
};

/// Names a registered waiter, so that it can leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

impl<T, E> Handle<T, E> {
    /// Registers a waiter, unless the cell is settled: then it comes back, to be told right away.
    /// The check and the registration are one step: no settlement fits in between. `[cell-1]`
    pub(crate) fn register(&self, waiter: Waiter) -> Result<Ticket, Waiter> {
        let mut inner = self.lock();
        if inner.state.is_settled() {
            return Err(waiter);
        }
        let ticket = Ticket(inner.next);
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

    /// Parks this thread until the cell is settled or the deadline has passed; says whether it is
    /// settled. Every return follows a look at the state under the lock, and the settler's last
    /// access to the cell is its unlock: when this returns `true`, the settler is gone.
    pub(crate) fn park_until(&self, deadline: Option<Instant>) -> bool {
        let parker = Parker::new();
        let Ok(ticket) = self.register(Waiter::Thread(parker.unparker())) else { return true };
        loop {
            let expired = is_over(deadline);
            if self.is_settled() {
                return true;
            }
            if expired {
                // Settled between the look and here: the ticket is gone, and that is a success.
                return self.deregister(ticket).is_none();
            }
            parker.park(deadline);
        }
    }
}

/// A task's place among the waiters of a cell: one, however often it polls. `[await-2]`
#[derive(Debug, Default)]
pub(crate) struct Registration(Option<Ticket>);

impl Registration {
    pub(crate) fn poll<T, E>(&mut self, cell: &Handle<T, E>, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_current(cell, cx) {
            return Poll::Pending;
        }
        // Cloning and dropping a waker is the user's code: neither happens under the lock.
        self.leave(cell);
        match cell.register(Waiter::Waker(cx.waker().clone(), context::current_loop())) {
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
