//! The rows, by what they are about.

mod cell;
pub(crate) mod growing;
pub(crate) mod loops;
mod many;
mod pools;
mod posts;
mod threads;
mod twins;

use std::convert::Infallible;

use settled::{Promise, ThreadFuture};

use crate::rounds::Row;

/// All of them, in the order in which they run.
pub(crate) fn all() -> Vec<Row> {
    let rows = [
        cell::rows(),
        threads::rows(),
        many::rows(),
        pools::rows(),
        loops::rows(),
        posts::rows(),
        twins::rows(),
    ];
    rows.into_iter().flatten().collect()
}

pub(crate) type Future = ThreadFuture<u64, Infallible>;
pub(crate) type Made = Promise<u64, Infallible>;

/// A cell.
pub(crate) fn pair() -> (Made, Future) {
    ThreadFuture::pair()
}

/// Work for another thread.
type Job = Box<dyn FnOnce() + Send>;

/// Nought and one and so on, so many of them, added up.
fn sum_below(count: usize) -> u64 {
    (count as u64) * (count as u64 - 1) / 2
}
