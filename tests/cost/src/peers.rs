//! The same work by the fastest peer of each, as `benches/peers` has it: what is repeated is the same in both.

use std::{
    future::Future,
    hint::black_box,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
};

#[path = "../../../benches/peers/src/handmade.rs"]
mod handmade;

use handmade::Handmade;

use crate::{Bell, Operation};

/// An operation of the table, the peer, and what it does instead.
pub const PEERS: [(&str, &str, Operation); 6] = [
    ("create, finish, take", "oneshot", take),
    ("await what is ready", "oneshot", ready),
    ("register, wake, ready", "oneshot", register),
    ("1 callback", BY_HAND, |times| callbacks(times, 1)),
    ("8 callbacks", BY_HAND, |times| callbacks(times, 8)),
    ("cancel", "oneshot", cancel),
];

/// A lock of `parking_lot`, a condition variable and a vector of callbacks.
const BY_HAND: &str = "by hand";

fn take(times: usize) {
    for number in 0..times as u64 {
        let (sender, receiver) = black_box(oneshot::channel());
        sender.send(black_box(number)).expect("it is received");
        assert_eq!(receiver.recv().ok(), Some(number));
    }
}

fn poll_ready<F: Future>(future: Pin<&mut F>, context: &mut Context<'_>) -> F::Output {
    let Poll::Ready(output) = future.poll(context) else { panic!("it is settled") };
    output
}

fn ready(times: usize) {
    let waker = Waker::from(Arc::new(Bell));
    let mut context = Context::from_waker(&waker);
    for number in 0..times as u64 {
        let (sender, receiver) = black_box(oneshot::async_channel());
        sender.send(black_box(number)).expect("it is received");
        assert_eq!(poll_ready(pin!(receiver), &mut context).ok(), Some(number));
    }
}

fn register(times: usize) {
    let waker = Waker::from(Arc::new(Bell));
    let mut context = Context::from_waker(&waker);
    for number in 0..times as u64 {
        let (sender, receiver) = black_box(oneshot::async_channel());
        let mut receiver = pin!(receiver);
        assert!(receiver.as_mut().poll(&mut context).is_pending());
        sender.send(black_box(number)).expect("it is received");
        assert_eq!(poll_ready(receiver, &mut context).ok(), Some(number));
    }
}

fn callbacks(times: usize, count: usize) {
    for number in 0..times as u64 {
        let promise = black_box(Handmade::default());
        let future = black_box(promise.clone());
        for place in 0..count {
            future.add_done_callback(move |value| _ = black_box((place, value)));
        }
        promise.finish(black_box(number));
        drop(future);
    }
}

fn cancel(times: usize) {
    for number in 0..times as u64 {
        let (sender, receiver) = black_box(oneshot::channel());
        drop(receiver);
        let lost = sender.send(black_box(number)).expect_err("nobody receives");
        assert_eq!(lost.into_inner(), number);
    }
}
