//! A worker of a program, built with version 2 of its types.

use orders_2::Order;
use settled::process::{Function, worker};

const HALF: Function<u32, u32> = Function::new("half", |number| number / 2);
const PIECES: Function<Order, u32> = Function::new("pieces", |order| order.pieces);

fn main() {
    worker(&[&HALF, &PIECES]);
}
