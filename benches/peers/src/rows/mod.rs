//! The rows, by what they are about.

mod cell;
mod many;
mod threads;

use std::convert::Infallible;

use settled::{Promise, ThreadFuture};

use crate::rounds::Row;

/// All of them, in the order in which they run.
pub(crate) fn all() -> Vec<Row> {
    cell::rows().into_iter().chain(threads::rows()).chain(many::rows()).collect()
}

pub(crate) type Future = ThreadFuture<u64, Infallible>;
pub(crate) type Made = Promise<u64, Infallible>;

/// A cell.
pub(crate) fn pair() -> (Made, Future) {
    ThreadFuture::pair()
}
