//! Locks, semaphores and events, which threads and tasks share here, and which the peers have for one of the two.

use std::{
    future::Future,
    hint::black_box,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use event_listener::{Event as ListenerEvent, EventListener, IntoNotification};
use settled::primitives::{Event, Lock, Semaphore};

use crate::{
    clock::Cpus,
    rounds::{Place, Row, Side},
    waker::waker,
};

pub(super) fn rows() -> Vec<Row> {
    let row = |name, what, sides| Row { name, what, aim: 1.0, cpus: Cpus::Any, sides };
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
