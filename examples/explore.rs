//! A program of a user in a browser, step by step: `cargo run --features model --example explore [-- PORT]`.
//!
//! Prints what the check finds, and shows the program at `http://127.0.0.1:3000`, to this machine alone, until it is
//! ended.

use settled::model::Plan;
use stateright::Model;

/// Two services, each of which needs what the other has.
fn services() -> Plan {
    let mut plan = Plan::new();
    let (order, bill) = (plan.future("order"), plan.future("bill"));
    let stock = plan.lock("stock");
    plan.thread("orders", |it| {
        it.lock(stock, |it| {
            it.result(bill);
        });
        it.finish(order);
    });
    plan.thread("billing", |it| {
        it.cancel(order);
        it.lock(stock, |it| {
            it.finish(bill);
        });
    });
    plan
}

fn main() {
    let port = std::env::args().nth(1).map_or(3000, |port| port.parse().expect("a port"));
    let plan = services();
    match plan.check() {
        Ok(report) => println!("{report}"),
        Err(finding) => println!("{finding}"),
    }
    println!("to be explored at http://127.0.0.1:{port}");
    plan.build().expect("it is a program").checker().serve(("127.0.0.1", port));
}
