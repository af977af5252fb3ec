//! One of several futures that are waited for, of whatever type.

use super::wait::Handed;
use crate::{
    cell::{Address, Ticket, Until},
    waiter::Waiter,
};

/// A handle of a future, as far as whoever waits for several needs it.
pub(super) trait Watched {
    /// Until when it is waited for.
    fn until(&self) -> Until;
    fn address(&self) -> Address;
    /// Whether there is nothing to wait for, as far as one look tells.
    fn is_over(&self, until: Until) -> bool;
    fn register_until(&self, until: Until, waiter: Waiter) -> Result<Ticket, Waiter>;
    fn deregister(&self, ticket: Ticket) -> Option<Waiter>;
}

impl<F: Handed> Watched for F {
    fn until(&self) -> Until {
        if F::RETURNED { Until::Returned } else { Until::Settled }
    }

    fn address(&self) -> Address {
        self.future().handle().address()
    }

    fn is_over(&self, until: Until) -> bool {
        self.future().handle().is_over_already(until)
    }

    fn register_until(&self, until: Until, waiter: Waiter) -> Result<Ticket, Waiter> {
        self.future().handle().register_until(until, waiter)
    }

    fn deregister(&self, ticket: Ticket) -> Option<Waiter> {
        self.future().handle().deregister(ticket)
    }
}

impl Watched for &dyn Watched {
    fn until(&self) -> Until {
        (**self).until()
    }

    fn address(&self) -> Address {
        (**self).address()
    }

    fn is_over(&self, until: Until) -> bool {
        (**self).is_over(until)
    }

    fn register_until(&self, until: Until, waiter: Waiter) -> Result<Ticket, Waiter> {
        (**self).register_until(until, waiter)
    }

    fn deregister(&self, ticket: Ticket) -> Option<Waiter> {
        (**self).deregister(ticket)
    }
}
