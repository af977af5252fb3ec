//! One cell, in one thread.

use std::{
    future::IntoFuture,
    hint::black_box,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use settled::Cancel;
use tokio::sync::oneshot as tokio_oneshot;

use super::pair;
use crate::{
    clock::Cpus,
    handmade::Handmade,
    rounds::{Place, Row, Side},
    waker::waker,
};

pub(super) fn rows() -> Vec<Row> {
    let row = |name, what, aim, sides| Row { name, what, aim, cpus: Cpus::Any, sides };
    vec![
        row("create", "make a cell, finish it, take the value", 1.0, create),
        row(
            "recycled",
            "the same in batches of 1,000 cells: they outgrow the allocator's cache",
            0.5,
            batches,
        ),
        row("async_ready", "make a cell, finish it, poll it", 1.0, ready),
        row(
            "async_register",
            "make a cell, poll it, finish it, which wakes, poll it",
            1.0,
            register,
        ),
        row("callback_1", "make a cell, give it a callback, finish it", 0.5, |place| {
            callbacks::<1>(place)
        }),
        row("callback_8", "make a cell, give it eight callbacks, finish it", 0.6, |place| {
            callbacks::<8>(place)
        }),
        row("cancel", "make a cell, cancel it, finish it in vain", 1.0, cancel),
    ]
}

/// Does it so often, with a number of its own each time.
fn repeat(times: usize, mut operation: impl FnMut(u64)) {
    (0..times as u64).for_each(|number| operation(black_box(number)));
}

fn create(place: &Place) -> Vec<Side> {
    vec![
        Side::all(place, "settled", |times| {
            repeat(times, |number| {
                let (promise, future) = black_box(pair());
                promise.finish(number).expect("nobody cancels");
                let settled = future.into_settled().expect("no loop runs here");
                let value = settled.take().expect("the promise is gone");
                assert_eq!(value.ok(), Some(number));
            });
        }),
        Side::all(place, "oneshot", |times| {
            repeat(times, |number| {
                let (sender, receiver) = black_box(oneshot::channel());
                sender.send(number).expect("it is received");
                assert_eq!(receiver.recv().ok(), Some(number));
            });
        }),
        Side::all(place, "tokio", |times| {
            repeat(times, |number| {
                let (sender, mut receiver) = black_box(tokio_oneshot::channel());
                sender.send(number).expect("it is received");
                assert_eq!(receiver.try_recv().ok(), Some(number));
            });
        }),
    ]
}

const BATCH: usize = 1_000;

/// In batches: all are made, then all are finished, then all are taken.
fn in_batches<P, F>(
    place: &Place,
    name: &'static str,
    make: fn() -> (P, F),
    finish: fn(P, u64),
    take: fn(F) -> u64,
) -> Side
where
    P: 'static,
    F: 'static,
{
    let clock = place.clock();
    let (mut promises, mut futures) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
    Side::new(name, move |times| {
        let batches = times.div_ceil(BATCH);
        let mut sum = 0;
        let elapsed = clock.time(|| {
            for _ in 0..batches {
                for _ in 0..BATCH {
                    let (promise, future) = make();
                    promises.push(promise);
                    futures.push(future);
                }
                let numbers = black_box(0..).zip(promises.drain(..));
                numbers.for_each(|(number, promise)| finish(promise, number));
                sum += futures.drain(..).map(take).sum::<u64>();
            }
        });
        assert_eq!(sum, (batches * BATCH * (BATCH - 1) / 2) as u64);
        (elapsed, batches * BATCH)
    })
}

fn batches(place: &Place) -> Vec<Side> {
    vec![
        in_batches(
            place,
            "settled",
            pair,
            |promise, number| promise.finish(number).expect("nobody cancels"),
            |future| {
                let settled = future.into_settled().expect("no loop runs here");
                settled.take().expect("the promise is gone").expect("it has a value")
            },
        ),
        in_batches(
            place,
            "oneshot",
            oneshot::channel,
            |sender, number| sender.send(number).expect("it is received"),
            |receiver| receiver.recv().expect("it was sent"),
        ),
        in_batches(
            place,
            "tokio",
            tokio_oneshot::channel,
            |sender, number| sender.send(number).expect("it is received"),
            |mut receiver| receiver.try_recv().expect("it was sent"),
        ),
    ]
}

/// Polls a future that is ready.
fn poll_ready<F: Future>(future: Pin<&mut F>, context: &mut Context<'_>) -> F::Output {
    let Poll::Ready(output) = future.poll(context) else { panic!("it is settled") };
    output
}

fn ready(place: &Place) -> Vec<Side> {
    vec![
        Side::all(place, "settled", |times| {
            let waker = waker();
            let mut context = Context::from_waker(&waker);
            repeat(times, |number| {
                let (promise, future) = black_box(pair());
                promise.finish(number).expect("nobody cancels");
                let settled = poll_ready(pin!(future.into_future()), &mut context);
                assert_eq!(settled.result().ok(), Some(&number));
            });
        }),
        Side::all(place, "oneshot", |times| {
            let waker = waker();
            let mut context = Context::from_waker(&waker);
            repeat(times, |number| {
                let (sender, receiver) = black_box(oneshot::async_channel());
                sender.send(number).expect("it is received");
                assert_eq!(poll_ready(pin!(receiver), &mut context).ok(), Some(number));
            });
        }),
        Side::all(place, "tokio", |times| {
            let waker = waker();
            let mut context = Context::from_waker(&waker);
            repeat(times, |number| {
                let (sender, receiver) = black_box(tokio_oneshot::channel());
                sender.send(number).expect("it is received");
                assert_eq!(poll_ready(pin!(receiver), &mut context).ok(), Some(number));
            });
        }),
    ]
}

fn register(place: &Place) -> Vec<Side> {
    vec![
        Side::all(place, "settled", |times| {
            let waker = waker();
            let mut context = Context::from_waker(&waker);
            repeat(times, |number| {
                let (promise, future) = black_box(pair());
                let mut future = pin!(future.into_future());
                assert!(future.as_mut().poll(&mut context).is_pending());
                promise.finish(number).expect("nobody cancels");
                assert_eq!(poll_ready(future, &mut context).result().ok(), Some(&number));
            });
        }),
        Side::all(place, "oneshot", |times| {
            let waker = waker();
            let mut context = Context::from_waker(&waker);
            repeat(times, |number| {
                let (sender, receiver) = black_box(oneshot::async_channel());
                let mut receiver = pin!(receiver);
                assert!(receiver.as_mut().poll(&mut context).is_pending());
                sender.send(number).expect("it is received");
                assert_eq!(poll_ready(receiver, &mut context).ok(), Some(number));
            });
        }),
        Side::all(place, "tokio", |times| {
            let waker = waker();
            let mut context = Context::from_waker(&waker);
            repeat(times, |number| {
                let (sender, receiver) = black_box(tokio_oneshot::channel());
                let mut receiver = pin!(receiver);
                assert!(receiver.as_mut().poll(&mut context).is_pending());
                sender.send(number).expect("it is received");
                assert_eq!(poll_ready(receiver, &mut context).ok(), Some(number));
            });
        }),
    ]
}

fn callbacks<const COUNT: usize>(place: &Place) -> Vec<Side> {
    // What a callback captures makes it an allocation, as callbacks have it.
    vec![
        Side::all(place, "settled", |times| {
            repeat(times, |number| {
                let (promise, future) = black_box(pair());
                for place in 0..COUNT {
                    let expected = black_box(number);
                    future.add_done_callback(move |settled| {
                        assert_eq!(settled.result().ok(), Some(&expected));
                        black_box(place);
                    });
                }
                promise.finish(number).expect("nobody cancels");
                drop(future);
            });
        }),
        Side::all(place, "by-hand", |times| {
            repeat(times, |number| {
                let promise = black_box(Handmade::default());
                let future = black_box(promise.clone());
                for place in 0..COUNT {
                    let expected = black_box(number);
                    future.add_done_callback(move |value| {
                        assert_eq!(value, expected);
                        black_box(place);
                    });
                }
                promise.finish(number);
                drop(future);
            });
        }),
    ]
}

fn cancel(place: &Place) -> Vec<Side> {
    vec![
        Side::all(place, "settled", |times| {
            repeat(times, |number| {
                let (promise, future) = black_box(pair());
                assert_eq!(future.cancel(), Cancel::Now);
                let lost = promise.finish(number).expect_err("it is cancelled");
                assert_eq!(lost.value, number);
            });
        }),
        Side::all(place, "oneshot", |times| {
            repeat(times, |number| {
                let (sender, receiver) = black_box(oneshot::channel());
                drop(receiver);
                let lost = sender.send(number).expect_err("nobody receives");
                assert_eq!(lost.into_inner(), number);
            });
        }),
        Side::all(place, "tokio", |times| {
            repeat(times, |number| {
                let (sender, mut receiver) = black_box(tokio_oneshot::channel());
                receiver.close();
                let lost = sender.send(number).expect_err("nobody receives");
                assert_eq!(lost, number);
            });
        }),
    ]
}
