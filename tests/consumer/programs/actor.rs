//! An actor that keeps accounts, in one thread for clients in any, until Ctrl-C.

use std::collections::HashMap;

use anyhow::{Error, Result, ensure};
use futures::{
    StreamExt,
    channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded},
};
use settled::{EventLoop, Promise, RunError, ThreadFuture};

/// An account, what is to be added, and who is told the balance.
type Order = (String, i64, Promise<i64, Error>);

#[derive(Clone)]
pub struct Client(UnboundedSender<Order>);

impl Client {
    /// The balance of the account, after the amount was added. Waits for the actor.
    pub fn add(&self, account: &str, amount: i64) -> Result<i64> {
        let (promise, balance) = ThreadFuture::pair();
        self.0.unbounded_send((account.to_owned(), amount, promise))?;
        balance.join_result()?
    }
}

pub struct Actor {
    orders: UnboundedReceiver<Order>,
    balances: HashMap<String, i64>,
}

impl Actor {
    pub fn new() -> (Client, Self) {
        let (sender, orders) = unbounded();
        (Client(sender), Self { orders, balances: HashMap::new() })
    }

    /// Serves until Ctrl-C, or until there is no client any more, and gives the balances. An order that was not served
    /// by then is refused.
    pub fn run(mut self) -> Result<HashMap<String, i64>> {
        let event_loop = EventLoop::new();
        let handle = event_loop.handle();
        ctrlc::set_handler(move || handle.stop())?;
        match event_loop.run_until_complete(self.serve()) {
            Ok(()) | Err(RunError::Stopped) => Ok(self.balances),
            Err(error) => Err(error.into()),
        }
    }

    async fn serve(&mut self) {
        while let Some((account, amount, promise)) = self.orders.next().await {
            drop(promise.settle(self.add(account, amount)));
        }
    }

    fn add(&mut self, account: String, amount: i64) -> Result<i64> {
        let balance = self.balances.entry(account).or_default();
        ensure!(*balance + amount >= 0, "only {balance} left");
        *balance += amount;
        Ok(*balance)
    }
}
