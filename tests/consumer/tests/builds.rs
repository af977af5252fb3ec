//! A program and its worker that are two builds.

#[macro_use]
#[path = "../../support/watchdog.rs"]
mod watchdog;

use std::num::NonZero;

use orders_1::Order;
use settled::{
    UnsentKind,
    process::{Function, ProcessPool},
};

const HALF: Function<u32, u32> = Function::new("half", |number| number / 2);
const PIECES: Function<Order, u32> = Function::new("pieces", |order| order.pieces);
const ORDER: Order = Order { pieces: 3, price: 700 };

fn pool(worker: &str) -> ProcessPool {
    let builder = ProcessPool::builder().workers(NonZero::<usize>::MIN);
    builder.program(worker, ["--settled-worker"]).build().unwrap()
}

#[test]
fn a_worker_with_other_types_of_the_same_names_runs_nothing() {
    watch!();
    let same = pool(env!("CARGO_BIN_EXE_worker-1"));
    assert_eq!(same.submit(&PIECES, &ORDER).unwrap().join().unwrap(), 3);
    let other = pool(env!("CARGO_BIN_EXE_worker-2"));
    let failure = other.submit(&PIECES, &ORDER).unwrap().join().unwrap_err().into_failure();
    let failure = failure.unwrap();
    assert_eq!(failure.unsent().unwrap().kind(), UnsentKind::OtherVersion, "{failure}");
    assert_eq!(
        failure.to_string(),
        "the worker knows this function with other types, and ran nothing; it is another build of the program: \"pieces\""
    );
    // What is the same in both goes on.
    assert_eq!(other.submit(&HALF, &14).unwrap().join().unwrap(), 7);
}
