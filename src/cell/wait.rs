//! Registering with a cell, and leaving it again.

use std::{
    task::{Context, Poll},
    time::Instant,
};

use super::{Handle, Ticket, Until, word::Word};
use crate::{
    blocking::awaits,
    context::{self, Id},
    sync::{Ordering, Parker, at, is_over},
    waiter::{Callback, Callbacks, Waiter, isolate},
};

impl<T, E> Handle<T, E> {
    /// Registers a waiter, unless the cell is settled: then it comes back, to be told right away.
    /// The check and the registration are one step: no settlement fits in between. `[cell-1]`
    pub(crate) fn register(&self, waiter: Waiter) -> Result<Ticket, Waiter> {
        self.register_until(Until::Settled, waiter)
    }

    /// The same for one that may wait for longer. `[settled-5]`
    #[inline(always)]
    pub(crate) fn register_until(&self, until: Until, waiter: Waiter) -> Result<Ticket, Waiter> {
        let mut list = self.lock();
        if !self.word().apply(at("enter", Ordering::Relaxed), |word| word.register(until)) {
            return Err(waiter);
        }
        Ok(list.enter(until, waiter))
    }

    /// Whether a task of this loop awaits it, or the loop has a view of it.
    pub(crate) fn is_awaited_on(&self, home: Id) -> bool {
        self.lock().is_awaited_on(home)
    }

    /// Takes a waiter out. It is returned, to be dropped with no lock held.
    pub(crate) fn deregister(&self, ticket: Ticket) -> Option<Waiter> {
        self.lock().remove(ticket)
    }

    /// Registers a callback, unless the cell is settled: then it comes back, to be run right away.
    pub(crate) fn register_callback(&self, callback: Callback<T, E>) -> Result<(), Callback<T, E>>
    where
        T: Sync,
        E: Sync,
    {
        let mut list = self.lock();
        if !self.word().apply(at("call", Ordering::Relaxed), Word::register_callback) {
            return Err(callback);
        }
        list.push(callback);
        Ok(())
    }

    /// Takes the callbacks out that are registered. They are returned, to be dropped with no lock held. `[callback-9]`
    pub(crate) fn clear_callbacks(&self) -> Callbacks<T, E> {
        let mut list = self.lock();
        if list.is_empty()
            || !self.word().apply(at("clear", Ordering::Relaxed), Word::clear_callbacks)
        {
            return Callbacks::NONE;
        }
        list.take_callbacks()
    }

    /// Whether what is waited for is so.
    pub(crate) fn is_over(&self, until: Until) -> bool {
        self.look_at_word().is_over(until)
    }

    /// The same, or perhaps not yet. Whoever registers then finds out.
    pub(crate) fn is_over_already(&self, until: Until) -> bool {
        self.word().is(|word| word.is_over(until))
    }

    /// Parks this thread until what is waited for is so or the deadline has passed; says whether it is
    /// so. Every return follows a look at the word, and the settler has given its handle up in the step that settled: when
    /// this returns `true`, the settler shares the outcome no more.
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
                // Whoever is not listed any more was told after the look; but a lending may have begun anew since then.
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
    /// Ready when what is waited for is so.
    ///
    /// # Panics
    ///
    /// If it is not, in a step of the task that settles the cell. `[await-5]`
    pub(crate) fn poll<T, E>(
        &mut self,
        cell: &Handle<T, E>,
        until: Until,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        if cell.is_over(until) {
            // Whoever made it so has taken the place away, or is about to.
            self.0 = None;
            return Poll::Ready(());
        }
        let home = context::home_of_wait(cell.address());
        if self.is_current(cell, cx) {
            return Poll::Pending;
        }
        // Cloning and dropping a waker is the user's code: neither happens under the lock.
        self.leave(cell);
        let waiter = Waiter::Waker(cx.waker().clone(), home);
        match cell.register_until(until, waiter) {
            Ok(ticket) => {
                self.0 = Some(ticket);
                if let Some(home) = home {
                    awaits(home, cell.address());
                }
                Poll::Pending
            }
            Err(waiter) => {
                isolate(|| drop(waiter));
                Poll::Ready(())
            }
        }
    }

    /// Whether the waiter is registered and would wake the same task.
    fn is_current<T, E>(&self, cell: &Handle<T, E>, cx: &Context<'_>) -> bool {
        self.0.is_some_and(|ticket| cell.lock().wakes(ticket, cx.waker()))
    }

    /// Gives the place up, if there was one.
    pub(crate) fn leave<T, E>(&mut self, cell: &Handle<T, E>) -> bool {
        let ticket = self.0.take();
        if let Some(waiter) = ticket.and_then(|ticket| cell.deregister(ticket)) {
            isolate(|| drop(waiter));
        }
        ticket.is_some()
    }
}
