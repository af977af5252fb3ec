//! Locks, semaphores and events, which threads and tasks share here, and which the peers have for one of the two.

use std::{
    future::Future,
    hint::black_box,
    pin::{Pin, pin},
    sync::{Arc, mpsc},
    task::{Context, Poll},
};

use event_listener::{Event as ListenerEvent, EventListener, IntoNotification};
use settled::primitives::{Event, Lock, Queue, Semaphore};

use super::{sum_below, threads::Other};
use crate::{
    clock::Cpus,
    rounds::{Place, Row, Side},
    waker::waker,
};

pub(super) fn rows() -> Vec<Row> {
    let row = |name, what, sides| Row { name, what, aim: 1.0, cpus: Cpus::Any, sides };
    let contended = "two threads take a lock that goes to whoever has waited longest, until each has had it as often";
    vec![
        row("lock", "take a lock that is free, add to its value, give it back", lock),
        row("lock_async", "the same in a task", lock_async),
        row("permit", "acquire a permit of a semaphore that has some, give it back", permit),
        row("permit_async", "the same in a task", permit_async),
        row(
            "event_8",
            "eight tasks poll an event, it is set, which wakes them, they poll again; a new event each time",
            event,
        ),
        row("queue", "put a number into a queue that has room, get it", queue),
        Row { cpus: Cpus::Two, ..row("lock_contended_2", contended, lock_contended) },
        Row { cpus: Cpus::One, ..row("lock_contended_1", contended, lock_contended) },
    ]
}

/// Runs work that never has to wait.
fn poll_once(work: impl Future<Output = ()>) {
    let waker = waker();
    let ready = pin!(work).poll(&mut Context::from_waker(&waker)).is_ready();
    assert!(ready, "nothing is waited for");
}

fn lock(place: &Place) -> Vec<Side> {
    vec![
        Side::all(place, "settled", |times| {
            let lock = Lock::new(0_usize);
            (0..times).for_each(|_| *black_box(&lock).lock().expect("no loop runs here") += 1);
            assert_eq!(*lock.lock().expect("no loop runs here"), times);
        }),
        Side::all(place, "parking_lot", |times| {
            let lock = parking_lot::Mutex::new(0_usize);
            (0..times).for_each(|_| *black_box(&lock).lock() += 1);
            assert_eq!(*lock.lock(), times);
        }),
        Side::all(place, "std", |times| {
            let lock = std::sync::Mutex::new(0_usize);
            (0..times).for_each(|_| *black_box(&lock).lock().expect("nobody panics") += 1);
            assert_eq!(*lock.lock().expect("nobody panics"), times);
        }),
    ]
}

fn lock_async(place: &Place) -> Vec<Side> {
    vec![
        Side::all(place, "settled", |times| {
            let lock = Lock::new(0_usize);
            poll_once(async {
                for _ in 0..times {
                    *black_box(&lock).lock_async().await += 1;
                }
                assert_eq!(*lock.lock_async().await, times);
            });
        }),
        Side::all(place, "async-lock", |times| {
            let lock = async_lock::Mutex::new(0_usize);
            poll_once(async {
                for _ in 0..times {
                    *black_box(&lock).lock().await += 1;
                }
                assert_eq!(*lock.lock().await, times);
            });
        }),
        Side::all(place, "tokio", |times| {
            let lock = tokio::sync::Mutex::new(0_usize);
            poll_once(async {
                for _ in 0..times {
                    *black_box(&lock).lock().await += 1;
                }
                assert_eq!(*lock.lock().await, times);
            });
        }),
    ]
}

fn permit(place: &Place) -> Vec<Side> {
    vec![
        Side::all(place, "settled", |times| {
            let semaphore = Semaphore::new(8);
            for _ in 0..times {
                drop(black_box(&semaphore).acquire().expect("no loop runs here"));
            }
            assert_eq!(semaphore.available(), 8);
        }),
        Side::all(place, "tokio", |times| {
            let semaphore = tokio::sync::Semaphore::new(8);
            for _ in 0..times {
                drop(black_box(&semaphore).try_acquire().expect("there are some"));
            }
            assert_eq!(semaphore.available_permits(), 8);
        }),
    ]
}

fn permit_async(place: &Place) -> Vec<Side> {
    vec![
        Side::all(place, "settled", |times| {
            let semaphore = Semaphore::new(8);
            poll_once(async {
                for _ in 0..times {
                    drop(black_box(&semaphore).acquire_async().await);
                }
            });
        }),
        Side::all(place, "tokio", |times| {
            let semaphore = tokio::sync::Semaphore::new(8);
            poll_once(async {
                for _ in 0..times {
                    drop(black_box(&semaphore).acquire().await.expect("nobody closes it"));
                }
            });
        }),
        Side::all(place, "async-lock", |times| {
            let semaphore = async_lock::Semaphore::new(8);
            poll_once(async {
                for _ in 0..times {
                    drop(black_box(&semaphore).acquire().await);
                }
            });
        }),
    ]
}

const WAITERS: usize = 8;

/// Polls all, of which each is as ready as is said.
fn poll_all<F: Future + Unpin>(waiting: &mut [F], context: &mut Context<'_>, ready: bool) {
    for it in waiting {
        let polled: Poll<_> = Pin::new(it).poll(context);
        assert_eq!(polled.is_ready(), ready);
    }
}

fn event(place: &Place) -> Vec<Side> {
    vec![
        Side::all(place, "settled", |times| {
            let waker = waker();
            let mut context = Context::from_waker(&waker);
            for _ in 0..times {
                let event = Event::new();
                let mut waiting: Vec<_> = (0..WAITERS).map(|_| event.wait_async()).collect();
                poll_all(&mut waiting, &mut context, false);
                event.set();
                poll_all(&mut waiting, &mut context, true);
            }
        }),
        Side::all(place, "event-listener", |times| {
            let waker = waker();
            let mut context = Context::from_waker(&waker);
            for _ in 0..times {
                let event = ListenerEvent::new();
                let mut waiting: Vec<EventListener> =
                    (0..WAITERS).map(|_| event.listen()).collect();
                poll_all(&mut waiting, &mut context, false);
                event.notify(usize::MAX.relaxed());
                poll_all(&mut waiting, &mut context, true);
            }
        }),
        Side::all(place, "tokio-notify", |times| {
            let waker = waker();
            let mut context = Context::from_waker(&waker);
            for _ in 0..times {
                let event = tokio::sync::Notify::new();
                let mut waiting: Vec<_> =
                    (0..WAITERS).map(|_| Box::pin(event.notified())).collect();
                poll_all(&mut waiting, &mut context, false);
                event.notify_waiters();
                poll_all(&mut waiting, &mut context, true);
            }
        }),
    ]
}

fn queue(place: &Place) -> Vec<Side> {
    const CAPACITY: usize = 8;
    vec![
        Side::all(place, "settled", |times| {
            let queue = Queue::bounded(CAPACITY);
            let mut sum = 0;
            for number in 0..times as u64 {
                black_box(&queue).put(number).expect("it has room");
                sum += black_box(&queue).get().expect("it has one");
            }
            assert_eq!(sum, sum_below(times));
        }),
        Side::all(place, "crossbeam", |times| {
            let (sender, receiver) = crossbeam_channel::bounded(CAPACITY);
            let mut sum = 0;
            for number in 0..times as u64 {
                black_box(&sender).send(number).expect("it has room");
                sum += black_box(&receiver).recv().expect("it has one");
            }
            assert_eq!(sum, sum_below(times));
        }),
        Side::all(place, "mpsc", |times| {
            let (sender, receiver) = mpsc::sync_channel(CAPACITY);
            let mut sum = 0;
            for number in 0..times as u64 {
                black_box(&sender).send(number).expect("it has room");
                sum += black_box(&receiver).recv().expect("it has one");
            }
            assert_eq!(sum, sum_below(times));
        }),
        Side::all(place, "kanal", |times| {
            let (sender, receiver) = kanal::bounded(CAPACITY);
            let mut sum = 0;
            for number in 0..times as u64 {
                black_box(&sender).send(number).expect("it has room");
                sum += black_box(&receiver).recv().expect("it has one");
            }
            assert_eq!(sum, sum_below(times));
        }),
    ]
}

/// Two threads have the lock so often each.
fn contending<L: Send + Sync + 'static>(
    place: &Place,
    name: &'static str,
    make: fn() -> L,
    add: fn(&L),
    read: fn(&L) -> usize,
) -> Side {
    let (clock, other) = (place.clock(), Other::start(place));
    Side::new(name, move |times| {
        let each = times.div_ceil(2);
        let lock = Arc::new(make());
        let theirs = Arc::clone(&lock);
        let (ends, ended) = mpsc::channel();
        let elapsed = clock.time(|| {
            other.run(move || {
                (0..each).for_each(|_| add(&theirs));
                ends.send(()).expect("the other waits for it");
            });
            (0..each).for_each(|_| add(&lock));
            ended.recv().expect("it is sent");
        });
        assert_eq!(read(&lock), 2 * each);
        (elapsed, 2 * each)
    })
}

fn lock_contended(place: &Place) -> Vec<Side> {
    vec![
        contending(
            place,
            "settled",
            || Lock::new(0_usize),
            |lock| *lock.lock().expect("no loop runs here") += 1,
            |lock| *lock.lock().expect("no loop runs here"),
        ),
        contending(
            place,
            "fair-mutex",
            || parking_lot::FairMutex::new(0_usize),
            |lock| *lock.lock() += 1,
            |lock| *lock.lock(),
        ),
        contending(
            place,
            "tokio",
            || tokio::sync::Mutex::new(0_usize),
            |lock| *lock.blocking_lock() += 1,
            |lock| *lock.blocking_lock(),
        ),
        // Whoever comes may overtake whoever waits.
        contending(
            place,
            "std",
            || std::sync::Mutex::new(0_usize),
            |lock| *lock.lock().expect("nobody panics") += 1,
            |lock| *lock.lock().expect("nobody panics"),
        )
        .beside(),
    ]
}
