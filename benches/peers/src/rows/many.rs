//! Many cells, and one who waits for all of them. The cells are made before the clock starts.

use std::{
    hint::black_box,
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};

use futures::{Stream, stream::FuturesUnordered};
use settled::{ReturnWhen, as_completed, wait};
use tokio::sync::oneshot as tokio_oneshot;

use super::pair;
use crate::{
    clock::Cpus,
    rounds::{Place, Row, Side},
    waker::waker,
};

pub(super) fn rows() -> Vec<Row> {
    let row = |name, what, aim, sides| Row { name, what, aim, cpus: Cpus::Any, sides };
    let completed = "register with so many cells, finish all, take each as it is told of, free it; a FuturesUnordered \
                     takes the cells over, and is polled once before the first is finished";
    let waited = "wait for so many cells that are finished, look at each value, free them; the peer takes each in turn";
    vec![
        row("as_completed_10", completed, 0.7, completing::<10>),
        row("as_completed_1e3", completed, 0.7, completing::<1_000>),
        row("as_completed_1e5", completed, 0.7, completing::<100_000>),
        row("as_completed_1e6", completed, 0.7, completing::<1_000_000>),
        row(
            "as_completed_flat",
            "the same for each of a million cells, to each of a thousand",
            1.5,
            flat,
        ),
        row("wait_10", waited, 2.0, waiting::<10>),
        row("wait_1e3", waited, 2.0, waiting::<1_000>),
        row("wait_1e5", waited, 2.0, waiting::<100_000>),
        row("wait_1e6", waited, 2.0, waiting::<1_000_000>),
    ]
}

/// Work over so many cells: the sum of what it takes is compared.
fn over<C: 'static>(
    place: &Place,
    name: &'static str,
    count: usize,
    make: fn(u64) -> C,
    work: fn(C) -> u64,
) -> Side {
    let (clock, count) = (place.clock(), place.count(count));
    // To look at the clock takes as long as a few cells do.
    let groups = (1_000 / count).max(1);
    Side::new(name, move |times| {
        let (mut elapsed, mut done) = (Duration::ZERO, 0);
        while done < times {
            let cells: Vec<_> = (0..groups).map(|_| make(count as u64)).collect();
            let mut sum = 0;
            elapsed += clock.time(|| sum = black_box(cells).into_iter().map(work).sum());
            assert_eq!(sum, (groups * count * (count - 1) / 2) as u64);
            done += groups * count;
        }
        (elapsed, done)
    })
}

/// The two ends of so many cells.
type Ends<P, F> = (Vec<P>, Vec<F>);

fn ends<P, F>(count: u64, make: fn() -> (P, F)) -> Ends<P, F> {
    (0..count).map(|_| make()).unzip()
}

fn completed(place: &Place, name: &'static str, count: usize) -> Side {
    let make = |count| ends(count, pair);
    over(place, name, count, make, |(promises, futures)| {
        let told = as_completed(&futures, None);
        for (number, promise) in (0..).zip(promises) {
            promise.finish(number).expect("nobody cancels");
        }
        told.map(|item| *item.expect("all are settled").1.result().expect("it has a value")).sum()
    })
}

fn completing<const COUNT: usize>(place: &Place) -> Vec<Side> {
    let make = |count| ends(count, pair);
    let by_value = over(place, "settled-by-value", COUNT, make, |(promises, futures)| {
        let told = as_completed(futures, None);
        for (number, promise) in (0..).zip(promises) {
            promise.finish(number).expect("nobody cancels");
        }
        told.map(|item| item.expect("all are settled").1.expect("it has a value")).sum()
    });
    let make = |count| ends(count, oneshot::async_channel);
    let oneshot = over(place, "unordered-oneshot", COUNT, make, |ends| {
        unordered(ends, |sender, number| sender.send(number).expect("it is received"))
    });
    let make = |count| ends(count, tokio_oneshot::channel);
    let tokio = over(place, "unordered-tokio", COUNT, make, |ends| {
        unordered(ends, |sender, number| sender.send(number).expect("it is received"))
    });
    vec![completed(place, "settled", COUNT), oneshot, tokio, by_value.beside()]
}

/// Takes all out of a set that was polled before the first of them was finished.
fn unordered<E, P, F>((senders, receivers): Ends<P, F>, finish: impl Fn(P, u64)) -> u64
where
    F: Future<Output = Result<u64, E>>,
{
    let mut left = receivers.len();
    let waker = waker();
    let mut context = Context::from_waker(&waker);
    let mut set = pin!(receivers.into_iter().collect::<FuturesUnordered<_>>());
    assert!(set.as_mut().poll_next(&mut context).is_pending());
    for (number, sender) in (0..).zip(senders) {
        finish(sender, number);
    }
    let mut sum = 0;
    while left > 0 {
        if let Poll::Ready(item) = set.as_mut().poll_next(&mut context) {
            sum += item.and_then(Result::ok).expect("each is finished");
            left -= 1;
        }
    }
    sum
}

fn flat(place: &Place) -> Vec<Side> {
    vec![completed(place, "settled-1e6", 1_000_000), completed(place, "settled-1e3", 1_000)]
}

fn waiting<const COUNT: usize>(place: &Place) -> Vec<Side> {
    let finished = |count| {
        let (promises, futures) = ends(count, pair);
        (0..)
            .zip(promises)
            .for_each(|(number, promise)| promise.finish(number).expect("nobody cancels"));
        futures
    };
    let ours = over(place, "settled", COUNT, finished, |futures| {
        let (done, not_done) =
            wait(&futures, None, ReturnWhen::AllCompleted).expect("no loop runs here");
        assert!(not_done.is_empty());
        done.into_iter().map(|(_, settled)| settled.result().expect("it has a value")).sum()
    });
    let sent = |count| {
        let (senders, receivers) = ends(count, oneshot::channel);
        (0..)
            .zip(senders)
            .for_each(|(number, sender)| sender.send(number).expect("it is received"));
        receivers
    };
    let oneshot = over(place, "oneshot", COUNT, sent, |receivers| {
        receivers.into_iter().map(|receiver| receiver.recv().expect("it was sent")).sum()
    });
    let sent = |count| {
        let (senders, receivers) = ends(count, tokio_oneshot::channel);
        (0..)
            .zip(senders)
            .for_each(|(number, sender)| sender.send(number).expect("it is received"));
        receivers
    };
    let tokio = over(place, "tokio", COUNT, sent, |receivers| {
        receivers.into_iter().map(|mut receiver| receiver.try_recv().expect("it was sent")).sum()
    });
    vec![ours, oneshot, tokio]
}
