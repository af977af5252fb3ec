//! Cells between threads.

use std::{
    array,
    collections::VecDeque,
    hint::{black_box, spin_loop},
    iter,
    sync::{
        Arc, OnceLock,
        atomic::{
            AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
        mpsc,
    },
    thread,
};

use futures::executor::block_on;
use settled::Cancel;
use tokio::sync::{SetOnce, oneshot as tokio_oneshot};

use super::{Job, pair, sum_below};
use crate::{
    clock::Cpus,
    rounds::{Place, Row, Side},
};

pub(super) fn rows() -> Vec<Row> {
    let row = |name, what, aim, cpus, sides| Row { name, what, aim, cpus, sides };
    let round_trip = "a round trip between two threads that wait for each other, over cells that are there; channels of \
                      one place, which yield before they sleep, are shown beside";
    let to_kanal = "the same to a channel of one place that yields before it sleeps";
    let waiters = "finish a cell for which eight threads wait, until all have its value";
    vec![
        row(
            "cross",
            "another thread finishes cells, this one takes the values in order",
            1.0,
            Cpus::Two,
            cross,
        ),
        row("handover_2", round_trip, 1.0, Cpus::Two, parking),
        row("handover_1", round_trip, 1.0, Cpus::One, parking),
        row("handover_2_kanal", to_kanal, 1.2, Cpus::Two, yielding),
        row("handover_1_kanal", to_kanal, 1.2, Cpus::One, yielding),
        row(
            "cancel_contended",
            "one thread finishes a cell while another cancels it",
            1.2,
            Cpus::Two,
            contended,
        ),
        row("waiters_2", waiters, 1.0, Cpus::Two, waiters_of_one),
        row("waiters_1", waiters, 1.0, Cpus::One, waiters_of_one),
    ]
}

/// Two lists, of what one thread and what the other has of so many cells.
fn cells<P, F>(count: usize, make: fn() -> (P, F)) -> (Vec<P>, Vec<F>) {
    iter::repeat_with(make).take(count).unzip()
}

/// The thread on the other CPU, or on the same one. What it is given it runs.
pub(super) struct Other(mpsc::Sender<Job>);

impl Other {
    pub(super) fn start(place: &Place) -> Self {
        let (sender, receiver) = mpsc::channel::<Job>();
        place.elsewhere(|| thread::spawn(move || receiver.iter().for_each(|job| job())));
        Self(sender)
    }

    pub(super) fn run(&self, work: impl FnOnce() + Send + 'static) {
        self.0.send(Box::new(work)).expect("the thread runs until this is dropped");
    }
}

/// Waits until another thread has come as far.
fn meet(here: &AtomicUsize, there: &AtomicUsize, round: usize) {
    here.store(round, Release);
    let mut looks = 0;
    while there.load(Acquire) < round {
        looks += 1;
        // The other thread may have lost its CPU to another program.
        if looks % 1_000 == 0 { thread::yield_now() } else { spin_loop() }
    }
}

fn crossing<P: Send + 'static, F: 'static>(
    place: &Place,
    name: &'static str,
    make: fn() -> (P, F),
    finish: fn(P, u64),
    take: fn(F) -> u64,
) -> Side {
    let (clock, other) = (place.clock(), Other::start(place));
    Side::new(name, move |times| {
        // As many as shall be in memory at once.
        let times = times.min(1_000_000);
        let (promises, futures) = cells(times, make);
        let gates = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let theirs = Arc::clone(&gates);
        other.run(move || {
            meet(&theirs[1], &theirs[0], 1);
            (0..).zip(promises).for_each(|(number, promise)| finish(promise, number));
        });
        let mut sum = 0;
        meet(&gates[0], &gates[1], 1);
        let elapsed = clock.time(|| sum = futures.into_iter().map(take).sum());
        assert_eq!(sum, sum_below(times));
        (elapsed, times)
    })
}

fn cross(place: &Place) -> Vec<Side> {
    vec![
        crossing(place, "settled", pair, finish_ours, take_ours),
        crossing(place, "oneshot", oneshot::channel, finish_oneshot, take_oneshot),
        crossing(place, "tokio", tokio_oneshot::channel, finish_tokio, take_tokio),
    ]
}

fn finish_ours(promise: super::Made, number: u64) {
    promise.finish(number).expect("nobody cancels");
}

fn take_ours(future: super::Future) -> u64 {
    let settled = future.into_settled().expect("no loop runs here");
    settled.take().expect("the promise is gone").expect("it has a value")
}

fn finish_oneshot(sender: oneshot::Sender<u64>, number: u64) {
    sender.send(number).expect("it is received");
}

fn take_oneshot(receiver: oneshot::Receiver<u64>) -> u64 {
    receiver.recv().expect("it is sent")
}

fn finish_tokio(sender: tokio_oneshot::Sender<u64>, number: u64) {
    sender.send(number).expect("it is received");
}

fn take_tokio(receiver: tokio_oneshot::Receiver<u64>) -> u64 {
    receiver.blocking_recv().expect("it is sent")
}

/// Each thread finishes a cell for the other, and waits for one of the other.
fn round_trips<P: Send + 'static, F: Send + 'static>(
    place: &Place,
    name: &'static str,
    make: fn() -> (P, F),
    finish: fn(P, u64),
    take: fn(F) -> u64,
) -> Side {
    let (clock, other) = (place.clock(), Other::start(place));
    Side::new(name, move |times| {
        let (there, their_ends) = cells(times, make);
        let (back, our_ends) = cells(times, make);
        other.run(move || {
            for (end, promise) in iter::zip(their_ends, back) {
                finish(promise, take(end));
            }
        });
        let mut sum = 0;
        let elapsed = clock.time(|| {
            for (number, (promise, end)) in (0..).zip(iter::zip(there, our_ends)) {
                finish(promise, number);
                sum += take(end);
            }
        });
        assert_eq!(sum, sum_below(times));
        (elapsed, times)
    })
}

/// The same over two channels.
fn channel_trips<S: Clone + Send + 'static, R: Clone + Send + 'static>(
    place: &Place,
    name: &'static str,
    make: fn() -> (S, R),
    send: fn(&S, u64),
    receive: fn(&R) -> u64,
) -> Side {
    let (clock, other) = (place.clock(), Other::start(place));
    let ((there, their_end), (back, our_end)) = (make(), make());
    Side::new(name, move |times| {
        let (their_end, back) = (their_end.clone(), back.clone());
        other.run(move || (0..times).for_each(|_| send(&back, receive(&their_end))));
        let mut sum = 0;
        let elapsed = clock.time(|| {
            for number in 0..times as u64 {
                send(&there, number);
                sum += receive(&our_end);
            }
        });
        assert_eq!(sum, sum_below(times));
        (elapsed, times)
    })
}

fn ours(place: &Place) -> Side {
    round_trips(place, "settled", pair, finish_ours, take_ours)
}

fn kanal(place: &Place) -> Side {
    let send = |sender: &kanal::Sender<u64>, number| sender.send(number).expect("it is received");
    channel_trips(
        place,
        "kanal",
        || kanal::bounded(1),
        send,
        |receiver: &kanal::Receiver<u64>| receiver.recv().expect("it is sent"),
    )
}

fn crossbeam(place: &Place) -> Side {
    let send = |sender: &crossbeam_channel::Sender<u64>, number| {
        sender.send(number).expect("it is received")
    };
    channel_trips(
        place,
        "crossbeam",
        || crossbeam_channel::bounded(1),
        send,
        |receiver| receiver.recv().expect("it is sent"),
    )
}

fn parking(place: &Place) -> Vec<Side> {
    vec![
        ours(place),
        round_trips(place, "oneshot", oneshot::channel, finish_oneshot, take_oneshot),
        round_trips(place, "tokio", tokio_oneshot::channel, finish_tokio, take_tokio),
        crossbeam(place).beside(),
    ]
}

fn yielding(place: &Place) -> Vec<Side> {
    vec![ours(place), kanal(place), crossbeam(place).beside()]
}

/// The threads meet before each cell; `finish` and `cancel` say whether they have won.
fn contending<P: Send + 'static, F: 'static>(
    place: &Place,
    name: &'static str,
    make: fn() -> (P, F),
    finish: fn(P, u64) -> bool,
    cancel: fn(F) -> Option<bool>,
) -> Side {
    let (clock, other) = (place.clock(), Other::start(place));
    Side::new(name, move |times| {
        let times = times.min(100_000);
        let (promises, futures) = cells(times, make);
        let gates = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0)]);
        let theirs = Arc::clone(&gates);
        other.run(move || {
            for (number, promise) in (0..).zip(promises) {
                meet(&theirs[1], &theirs[0], number as usize + 1);
                if finish(promise, number) {
                    theirs[2].fetch_add(1, Relaxed);
                }
            }
            theirs[1].store(usize::MAX, Release);
        });
        let mut cancelled = Some(0);
        let elapsed = clock.time(|| {
            for (number, future) in futures.into_iter().enumerate() {
                meet(&gates[0], &gates[1], number + 1);
                cancelled = cancelled.zip(cancel(future)).map(|(all, won)| all + usize::from(won));
            }
            meet(&gates[0], &gates[1], times + 1);
        });
        if let Some(cancelled) = cancelled {
            assert_eq!(cancelled + gates[2].load(Relaxed), times, "one of the two wins");
        }
        (elapsed, times)
    })
}

fn contended(place: &Place) -> Vec<Side> {
    let settled = contending(
        place,
        "settled",
        pair,
        |promise, number| promise.finish(number).is_ok(),
        |future| Some(future.cancel() == Cancel::Now),
    );
    // Its receiver is dropped, and does not learn whether that was in time.
    let oneshot = contending(
        place,
        "oneshot",
        oneshot::channel,
        |sender, number| sender.send(number).is_ok(),
        |receiver| {
            drop(receiver);
            None
        },
    );
    let tokio = contending(
        place,
        "tokio",
        tokio_oneshot::channel,
        |sender, number| sender.send(number).is_ok(),
        |mut receiver| {
            receiver.close();
            Some(receiver.try_recv().is_err())
        },
    );
    let floor = contending(place, "nothing", || ((), ()), |(), _| true, |()| Some(false));
    vec![settled, oneshot, tokio, floor.beside()]
}

const WAITERS: usize = 8;

/// Each of eight threads waits for a cell, then for the next.
fn waiting<C: Send + Sync + 'static>(
    place: &Place,
    name: &'static str,
    make: fn() -> C,
    finish: fn(&C, u64),
    wait: fn(&C) -> u64,
) -> Side {
    let clock = place.clock();
    let threads: [_; WAITERS] = array::from_fn(|_| Other::start(place));
    Side::new(name, move |times| {
        let cells: Arc<VecDeque<_>> = Arc::new(iter::repeat_with(make).take(times).collect());
        // How many have come to wait, and how many have waited.
        let counts = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        for thread in &threads {
            let (cells, counts) = (Arc::clone(&cells), Arc::clone(&counts));
            thread.run(move || {
                for (number, cell) in (0..).zip(&*cells) {
                    counts[0].fetch_add(1, Release);
                    assert_eq!(wait(cell), number);
                    counts[1].fetch_add(1, Release);
                }
            });
        }
        let until = |count: &AtomicUsize, number| {
            while count.load(Acquire) < (number + 1) * WAITERS {
                thread::yield_now();
            }
        };
        let elapsed = clock.time(|| {
            for (number, cell) in cells.iter().enumerate() {
                until(&counts[0], number);
                finish(cell, black_box(number as u64));
                until(&counts[1], number);
            }
        });
        (elapsed, times)
    })
}

fn waiters_of_one(place: &Place) -> Vec<Side> {
    vec![
        waiting(
            place,
            "settled",
            || {
                let (promise, future) = pair();
                (parking_lot::Mutex::new(Some(promise)), future)
            },
            |(promise, _), number| finish_ours(promise.lock().take().expect("it is there"), number),
            |(_, future)| {
                *future.wait().expect("no loop runs here").result().expect("it has a value")
            },
        ),
        waiting(
            place,
            "once-lock",
            OnceLock::new,
            |cell, number| cell.set(number).expect("it is empty"),
            |cell| *cell.wait(),
        ),
        waiting(
            place,
            "set-once",
            SetOnce::new,
            |cell, number| cell.set(number).expect("it is empty"),
            |cell| *block_on(cell.wait()),
        ),
    ]
}
