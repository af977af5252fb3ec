//! What a future takes in memory, here and with the peers: allocations, and the bytes that they ask for.

use std::{
    future::IntoFuture, hint::black_box, iter, pin::Pin, process::Command, sync::Arc,
    task::Context, thread,
};

use settled::primitives::{Event, Lock};
use tokio::task::spawn_local;

use crate::{
    handmade::Handmade,
    rows::{
        loops::{on_executor, on_local_set, on_ours},
        pair,
    },
    waker::waker,
};

/// So many live at once, more than any list of freed ones keeps.
const COUNT: usize = 10_000;

/// Bytes and allocations up to now.
pub(crate) type Counter = fn() -> (usize, usize);

type Taken = fn(Counter) -> (usize, usize);

struct Size {
    name: &'static str,
    /// Bytes, where they are aimed at, and allocations, at most.
    aim: (Option<usize>, usize),
    ours: Taken,
    peers: &'static [(&'static str, Taken)],
}

const SIZES: [Size; 6] = [
    Size {
        name: "memory_cell",
        aim: (Some(48), 1),
        ours: |counter| each(counter, pair),
        peers: &[
            ("oneshot", |counter| each(counter, oneshot::channel::<u64>)),
            ("tokio", |counter| each(counter, tokio::sync::oneshot::channel::<u64>)),
            ("by-hand", |counter| each(counter, Handmade::default)),
        ],
    },
    Size {
        name: "memory_waiter",
        aim: (Some(64), 1),
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
        aim: (Some(112), 2),
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
    Size {
        name: "memory_task",
        aim: (None, 2),
        ours: |counter| {
            let mut taken = (0, 0);
            on_ours(async |here| {
                let spawn = || here.create_task(async { black_box(1_u64) }).expect("it is open");
                taken = awaited(counter, spawn).await;
            });
            taken
        },
        peers: &[
            ("local-executor", |counter| {
                let mut taken = (0, 0);
                on_executor(async |executor| {
                    taken = awaited(counter, || executor.spawn(async { black_box(1_u64) })).await;
                });
                taken
            }),
            ("local-set", |counter| {
                let mut taken = (0, 0);
                on_local_set(async || {
                    taken = awaited(counter, || spawn_local(async { black_box(1_u64) })).await;
                });
                taken
            }),
        ],
    },
    // In an `Arc`, as the peers are here: its two counts are 16 of these bytes.
    Size {
        name: "memory_lock",
        aim: (Some(32), 1),
        ours: |counter| each(counter, || Lock::new(())),
        peers: &[
            ("parking_lot", |counter| each(counter, || Arc::new(parking_lot::Mutex::new(())))),
            ("async-lock", |counter| each(counter, || Arc::new(async_lock::Mutex::new(())))),
            ("tokio", |counter| each(counter, || Arc::new(tokio::sync::Mutex::new(())))),
        ],
    },
    Size {
        name: "memory_event",
        aim: (Some(32), 1),
        ours: |counter| each(counter, Event::new),
        peers: &[
            ("event-listener", |counter| {
                each(counter, || Arc::new(<event_listener::Event>::new()))
            }),
            ("tokio-notify", |counter| each(counter, || Arc::new(tokio::sync::Notify::new()))),
        ],
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
    per_one(before, after)
}

/// What each takes of so many that are made and awaited, one after the other.
async fn awaited<F: IntoFuture>(counter: Counter, make: impl Fn() -> F) -> (usize, usize) {
    // What is only allocated once.
    make().await;
    let before = counter();
    for _ in 0..COUNT {
        make().await;
    }
    per_one(before, counter())
}

fn per_one(before: (usize, usize), after: (usize, usize)) -> (usize, usize) {
    let each = |before: usize, after: usize| (after - before).div_ceil(COUNT);
    (each(before.0, after.0), each(before.1, after.1))
}

/// Prints a line for each kind, and one of the peers'. Each is measured in a thread of its own, which keeps no memory of
/// cells that another kind has freed.
pub fn measure(counter: fn() -> (usize, usize)) {
    let measured =
        |size: Taken| thread::spawn(move || size(counter)).join().expect("nothing panics");
    for Size { name, aim, ours, peers } in SIZES {
        let (bytes, allocations) = measured(ours);
        let most = aim.0.map_or("-".to_owned(), |bytes| bytes.to_string());
        println!("size {name} {bytes} {allocations} aim {most} {}", aim.1);
        let peers = peers.iter().map(|(peer, size)| (peer, measured(*size)));
        let peers: Vec<_> =
            peers.map(|(peer, size)| format!("{peer} {}, {}", size.0, size.1)).collect();
        println!("sizes {name} {}", peers.join("; "));
    }
}

/// Runs the program, and passes on the lines that it prints of the kinds that are wanted.
pub(crate) fn weigh(program: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let printed = Command::new(program).output().expect("the program is built");
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let printed = String::from_utf8(printed.stdout).expect("it prints text");
    let wanted = printed.lines().filter(|line| line.split(' ').nth(1).is_some_and(&is_wanted));
    wanted.inspect(|line| println!("{line}")).map(str::to_owned).collect()
}
