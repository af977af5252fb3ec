//! What a future takes in memory, here and with the peers: allocations, and the bytes that they ask for.

use std::{future::IntoFuture, hint::black_box, iter, pin::Pin, task::Context};

use crate::{handmade::Handmade, rows::pair, waker::waker};

/// So many live at once, more than any list of freed ones keeps.
const COUNT: usize = 10_000;

/// Bytes and allocations up to now.
pub(crate) type Counter = fn() -> (usize, usize);

type Taken = fn(Counter) -> (usize, usize);

struct Size {
    name: &'static str,
    /// Bytes and allocations, at most.
    aim: (usize, usize),
    ours: Taken,
    peers: &'static [(&'static str, Taken)],
}

const SIZES: [Size; 3] = [
    Size {
        name: "memory_cell",
        aim: (48, 1),
        ours: |counter| each(counter, pair),
        peers: &[
            ("oneshot", |counter| each(counter, oneshot::channel::<u64>)),
            ("tokio", |counter| each(counter, tokio::sync::oneshot::channel::<u64>)),
            ("by-hand", |counter| each(counter, Handmade::default)),
        ],
    },
    Size {
        name: "memory_waiter",
        aim: (64, 1),
        ours: |counter| {
            polled(counter, || {
                let (promise, future) = pair();
                (promise, future.into_future())
            })
        },
        peers: &[
            ("oneshot", |counter| polled(counter, oneshot::async_channel::<u64>)),
            ("tokio", |counter| polled(counter, tokio::sync::oneshot::channel::<u64>)),
        ],
    },
    Size {
        name: "memory_callback",
        aim: (112, 2),
        ours: |counter| {
            each(counter, || {
                let (promise, future) = pair();
                let captured = (black_box(COUNT), 1_u64);
                future.add_done_callback(move |_| _ = black_box(captured));
                (promise, future)
            })
        },
        peers: &[("by-hand", |counter| {
            each(counter, || {
                let cell = Handmade::default();
                let captured = (black_box(COUNT), 1_u64);
                cell.add_done_callback(move |_| _ = black_box(captured));
                cell
            })
        })],
    },
];

/// What each takes of so many futures that are made, and then polled in vain.
fn polled<P, F: Future + Unpin>(counter: Counter, make: impl Fn() -> (P, F)) -> (usize, usize) {
    let waker = waker();
    each(counter, || {
        let (promise, mut future) = make();
        assert!(Pin::new(&mut future).poll(&mut Context::from_waker(&waker)).is_pending());
        (promise, future)
    })
}

/// What each takes of so many that are made.
fn each<C>(counter: Counter, make: impl FnMut() -> C) -> (usize, usize) {
    let mut made = Vec::with_capacity(COUNT);
    let before = counter();
    made.extend(iter::repeat_with(make).take(COUNT));
    let after = counter();
    drop(made);
    let each = |before: usize, after: usize| (after - before).div_ceil(COUNT);
    (each(before.0, after.0), each(before.1, after.1))
}

/// Prints a line for each kind, and one of the peers'.
pub fn measure(counter: fn() -> (usize, usize)) {
    for Size { name, aim, ours, peers } in SIZES {
        let (bytes, allocations) = ours(counter);
        println!("size {name} {bytes} {allocations} aim {} {}", aim.0, aim.1);
        let peers = peers.iter().map(|(peer, size)| (peer, size(counter)));
        let peers: Vec<_> =
            peers.map(|(peer, size)| format!("{peer} {} {}", size.0, size.1)).collect();
        println!("sizes {name} {}", peers.join(", "));
    }
}
