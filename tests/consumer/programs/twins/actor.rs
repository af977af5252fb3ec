//! The same with tokio.

use std::collections::HashMap;

use anyhow::{Result, ensure};
use tokio::{
    runtime::Builder,
    select,
    signal::unix::{SignalKind, signal},
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        oneshot,
    },
};

/// An account, what is to be added, and who is told the balance.
type Order = (String, i64, oneshot::Sender<Result<i64>>);

#[derive(Clone)]
pub struct Client(UnboundedSender<Order>);

impl Client {
    /// The balance of the account, after the amount was added. Waits for the actor.
    pub fn add(&self, account: &str, amount: i64) -> Result<i64> {
        let (sender, balance) = oneshot::channel();
        self.0.send((account.to_owned(), amount, sender))?;
        balance.blocking_recv()?
    }
}

pub struct Actor {
    orders: UnboundedReceiver<Order>,
    balances: HashMap<String, i64>,
}

impl Actor {
    pub fn new() -> (Client, Self) {
        let (sender, orders) = unbounded_channel();
        (Client(sender), Self { orders, balances: HashMap::new() })
    }

    /// Serves until Ctrl-C, or until there is no client any more, and gives the balances. An order that was not served
    /// by then is refused.
    pub fn run(mut self) -> Result<HashMap<String, i64>> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut interrupt = signal(SignalKind::interrupt())?;
            select! {
                _ = interrupt.recv() => {}
                () = self.serve() => {}
            }
            Ok(self.balances)
        })
    }

    async fn serve(&mut self) {
        while let Some((account, amount, sender)) = self.orders.recv().await {
            let _ = sender.send(self.add(account, amount));
        }
    }

    fn add(&mut self, account: String, amount: i64) -> Result<i64> {
        let balance = self.balances.entry(account).or_default();
        ensure!(*balance + amount >= 0, "only {balance} left");
        *balance += amount;
        Ok(*balance)
    }
}
