//! Queues: the code that ships, against whoever puts, gets, leaves, closes and joins.
//!
//! What is put and got without waiting, polled and dropped makes histories, which the machine explains that the models step.
//! Three threads have at most three preemptions, and histories four with `SETTLED_FULL=1`: a call is one critical section
//! of the queue, besides those of the event of whoever waits.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use loom::{
    sync::atomic::{AtomicU32, Ordering},
    thread,
};
use settled::{
    Expired, NotPut, QueueClosed, QueueError, Timer, TryPutError, WaitError, primitives::Queue,
};
use stateright::semantics::SequentialSpec;

use crate::{
    explore::{Seen, block_on, bound, explore_bounded, explore_histories, saw},
    history::{Caller, History},
    turns::{Wakes, line::Ticket},
};

#[path = "../../src/primitives/stock.rs"]
#[expect(dead_code, reason = "what is shown to users is said by few")]
pub(crate) mod stock;

use stock::Stock;

mod line {
    pub(super) use crate::turns::line::{Line, Ticket};
}

/// A call. A future is known by who has it, and whoever puts puts his own number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    TryPut(u8),
    TryGet,
    PollPut(Caller),
    PollGet(Caller),
    /// The future is dropped.
    Leave(Caller),
    Close,
    /// Who was woken until now, each as a bit.
    Woken,
}

/// What a call was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Put,
    Got(u8),
    Waits,
    Closed,
    Done,
    Woken(u8),
}

/// The machine, and the tickets of those who wait to put and to get.
#[derive(Clone, Debug)]
struct Spec {
    stock: Stock<u8, Caller>,
    putting: BTreeMap<Caller, Ticket>,
    getting: BTreeMap<Caller, Ticket>,
    /// Who was told.
    told: u8,
}

impl Spec {
    const fn new(capacity: usize) -> Self {
        Self {
            stock: Stock::new(capacity),
            putting: BTreeMap::new(),
            getting: BTreeMap::new(),
            told: 0,
        }
    }

    fn tells(&mut self, told: impl IntoIterator<Item = Caller>) {
        told.into_iter().for_each(|who| self.told |= 1 << who);
    }

    /// Whether these are woken, and nobody else: each who was told and waits still, and maybe others who were told. One who has
    /// come or left before he was woken for it never is.
    fn are_woken(&self, woken: u8) -> bool {
        let waits = self.putting.keys().chain(self.getting.keys());
        let waiting = waits.fold(0, |waiting, who| waiting | 1_u8 << who);
        woken & !self.told == 0 && self.told & waiting & !woken == 0
    }

    fn put(&mut self, value: u8) -> Told {
        match self.stock.put(value) {
            Ok(told) => {
                self.tells(told);
                Told::Put
            }
            Err(_) if self.stock.is_closed() => Told::Closed,
            Err(_) => Told::Waits,
        }
    }

    fn get(&mut self) -> Told {
        match self.stock.get() {
            Some((value, told)) => {
                self.tells(told);
                Told::Got(value)
            }
            None if self.stock.is_over() => Told::Closed,
            None => Told::Waits,
        }
    }
}

impl SequentialSpec for Spec {
    type Op = Call;
    type Ret = Told;

    fn invoke(&mut self, call: &Call) -> Told {
        let told = match *call {
            Call::TryPut(value) => return self.put(value),
            Call::TryGet => return self.get(),
            Call::PollPut(who) => match self.putting.get(&who) {
                Some(ticket) => match self.stock.come_put(*ticket) {
                    Some(Ok(())) => Told::Put,
                    Some(Err(_)) => Told::Closed,
                    None => Told::Waits,
                },
                None => {
                    let told = self.put(who);
                    if told == Told::Waits {
                        self.putting.insert(who, self.stock.wait_to_put(who, who));
                    }
                    told
                }
            },
            Call::PollGet(who) => match self.getting.get(&who) {
                Some(ticket) => match self.stock.take(*ticket) {
                    Some((value, told)) => {
                        self.tells(told);
                        value.map_or(Told::Closed, Told::Got)
                    }
                    None => Told::Waits,
                },
                None => {
                    let told = self.get();
                    if told == Told::Waits {
                        self.getting.insert(who, self.stock.wait_to_get(who));
                    }
                    told
                }
            },
            Call::Leave(who) => {
                if let Some(ticket) = self.putting.remove(&who) {
                    let _back = self.stock.end_put(ticket);
                }
                if let Some(ticket) = self.getting.remove(&who) {
                    let (_, _, told) = self.stock.leave_get(ticket);
                    self.tells(told);
                }
                return Told::Done;
            }
            Call::Close => {
                let told = self.stock.close();
                self.tells(told);
                return Told::Done;
            }
            Call::Woken => return Told::Woken(self.told),
        };
        if let (Call::PollPut(who) | Call::PollGet(who), true) = (*call, told != Told::Waits) {
            self.putting.remove(&who);
            self.getting.remove(&who);
        }
        told
    }

    fn is_valid_step(&mut self, call: &Call, told: &Told) -> bool {
        match told {
            Told::Woken(woken) => self.are_woken(*woken),
            told => self.invoke(call) == *told,
        }
    }
}

type Calls = History<Spec>;

/// Makes a call, and writes it down.
fn call(history: &Calls, call: Call, make: impl FnOnce() -> Told) -> Told {
    let here = history.here();
    history.begins(here, call);
    let told = make();
    history.ends(here, |_| told);
    told
}

fn try_put(history: &Calls, queue: &Queue<u8>, value: u8) {
    call(history, Call::TryPut(value), || match queue.try_put(value).map_err(|it| it.cause) {
        Ok(()) => Told::Put,
        Err(TryPutError::Full) => Told::Waits,
        Err(TryPutError::Closed(_)) => Told::Closed,
    });
}

fn try_get(history: &Calls, queue: &Queue<u8>) {
    call(history, Call::TryGet, || match queue.try_get() {
        Ok(Some(value)) => Told::Got(value),
        Ok(None) => Told::Waits,
        Err(QueueClosed) => Told::Closed,
    });
}

fn close(history: &Calls, queue: &Queue<u8>) {
    call(history, Call::Close, || {
        queue.close();
        Told::Done
    });
}

/// What one does with his future, as long as it waits: he polls it so often, and drops it, unless he keeps it to the end.
#[derive(Clone, Copy, Debug)]
struct Does {
    polls: usize,
    keeps: bool,
}

const TWICE: Does = Does { polls: 2, keeps: false };
const ONCE: Does = Does { polls: 1, keeps: false };
const KEEPS: Does = Does { polls: 1, keeps: true };

/// A future that is kept, and is dropped at the end.
type Kept = Option<Box<dyn Send>>;

/// Does that, with this waker.
fn poll_and_leave<F: Future + Send + Unpin + 'static>(
    history: &Calls,
    (who, waker): (Caller, Waker),
    poll: Call,
    does: Does,
    mut future: F,
    told: impl Fn(F::Output) -> Told,
) -> Kept {
    for _ in 0..does.polls {
        let told = call(history, poll, || {
            match Pin::new(&mut future).poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(end) => told(end),
                Poll::Pending => Told::Waits,
            }
        });
        if told != Told::Waits {
            return None;
        }
    }
    if does.keeps {
        return Some(Box::new(future));
    }
    call(history, Call::Leave(who), || {
        drop(future);
        Told::Done
    });
    None
}

/// One that gets in a thread of its own.
fn getter(history: &Calls, queue: &Queue<u8>, who: (Caller, Waker), does: Does) -> Player {
    let (history, queue) = (history.clone(), queue.clone());
    let told = |end: Result<u8, QueueClosed>| end.map_or(Told::Closed, Told::Got);
    let future = queue.get_async();
    let poll = Call::PollGet(who.0);
    thread::spawn(move || poll_and_leave(&history, who, poll, does, future, told))
}

/// One that puts its own number.
fn putter(history: &Calls, queue: &Queue<u8>, who: (Caller, Waker), does: Does) -> Player {
    let (history, queue) = (history.clone(), queue.clone());
    let told = |end: Result<(), NotPut<u8, QueueClosed>>| end.map_or(Told::Closed, |()| Told::Put);
    let (future, poll) = (queue.put_async(who.0), Call::PollPut(who.0));
    thread::spawn(move || poll_and_leave(&history, who, poll, does, future, told))
}

type Player = thread::JoinHandle<Kept>;

/// All have done that: who is to be woken is, and what was kept is dropped.
fn ended(history: &Calls, wakes: &Wakes, threads: [Player; 2]) {
    let kept = threads.map(|thread| thread.join().unwrap());
    call(history, Call::Woken, || Told::Woken(wakes.woken()));
    for (who, kept) in (1..).zip(kept) {
        if kept.is_some() {
            call(history, Call::Leave(who), || {
                drop(kept);
                Told::Done
            });
        }
    }
}

/// `[queue-1]` `[queue-2]` `[queue-3]` `[queue-6]` Two futures that wait for a value, are polled and dropped, against one that is
/// put.
pub(crate) fn two_getters_against_a_put() {
    for does in [[TWICE, ONCE], [ONCE, ONCE], [KEEPS, KEEPS]] {
        explore_histories("queue_getters", bound(), move |history| {
            let (queue, wakes) = (Queue::bounded(1), Wakes::default());
            let threads = [(1, does[0]), (2, does[1])];
            let threads =
                threads.map(|(who, does)| getter(history, &queue, (who, wakes.of(who)), does));
            try_put(history, &queue, 7);
            ended(history, &wakes, threads);
            try_get(history, &queue);
            Spec::new(1)
        });
    }
}

/// `[queue-1]` `[queue-2]` `[queue-3]` `[queue-6]` Two futures that bring a value to a queue that is full, against one who gets.
pub(crate) fn two_putters_against_a_get() {
    for does in [[TWICE, ONCE], [ONCE, ONCE], [KEEPS, KEEPS]] {
        explore_histories("queue_putters", bound(), move |history| {
            let (queue, wakes) = (Queue::bounded(1), Wakes::default());
            try_put(history, &queue, 7);
            let threads = [(1, does[0]), (2, does[1])];
            let threads =
                threads.map(|(who, does)| putter(history, &queue, (who, wakes.of(who)), does));
            try_get(history, &queue);
            ended(history, &wakes, threads);
            try_get(history, &queue);
            try_get(history, &queue);
            Spec::new(1)
        });
    }
}

/// `[queue-4]` `[queue-6]` `[queue-7]` One that brings and one that waits, of a queue without room, against its end.
pub(crate) fn a_putter_and_a_getter_against_the_end() {
    for does in [TWICE, KEEPS] {
        explore_histories("queue_close", bound(), move |history| {
            let (queue, wakes) = (Queue::bounded(0), Wakes::default());
            let [one, other] = [1, 2].map(|who| (who, wakes.of(who)));
            let threads =
                [putter(history, &queue, one, does), getter(history, &queue, other, does)];
            close(history, &queue);
            ended(history, &wakes, threads);
            try_get(history, &queue);
            Spec::new(0)
        });
    }
}

/// `[queue-5]` `[queue-9]` A thread that blocks to put, and one that blocks to get: the values come in their order, with what
/// was done before.
pub(crate) fn a_thread_that_puts_and_one_that_gets() {
    explore_bounded("queue_threads", &["all"], |seen: &Seen| {
        let (queue, written) = (Queue::bounded(0), Arc::new(AtomicU32::new(0)));
        let puts = thread::spawn({
            let (queue, written) = (queue.clone(), Arc::clone(&written));
            move || {
                for it in 1..3 {
                    written.store(it, Ordering::Relaxed);
                    queue.put(it).unwrap();
                }
            }
        });
        assert_eq!(queue.get(), Ok(1));
        assert!(written.load(Ordering::Relaxed) >= 1);
        assert_eq!(queue.get(), Ok(2));
        assert_eq!(written.load(Ordering::Relaxed), 2);
        puts.join().unwrap();
        saw(seen, "all");
    });
}

/// `[queue-3]` `[queue-5]` A wait for a value that has its time, against one that is put: it is had, or is there still.
pub(crate) fn an_expiry_against_a_put() {
    explore_bounded("queue_get_expiry", &["has it", "expired"], |seen| {
        let (timer, queue) = (Timer::new(), Queue::bounded(1));
        let puts = thread::spawn({
            let queue = queue.clone();
            move || queue.put(1).unwrap()
        });
        let ticking = thread::spawn(timer.alarm());
        let end = queue.get_timeout(Duration::from_secs(1));
        puts.join().unwrap();
        match end {
            Ok(1) => saw(seen, "has it"),
            Err(QueueError::Wait(WaitError::Expired(Expired))) => {
                assert_eq!(queue.try_get(), Ok(Some(1)));
                saw(seen, "expired");
            }
            other => panic!("{other:?}"),
        }
        ticking.join().unwrap();
    });
}

/// `[queue-3]` `[queue-5]` A wait for room that has its time, against one who gets: the value is in, or is given back.
pub(crate) fn an_expiry_against_a_get() {
    explore_bounded("queue_put_expiry", &["is in", "expired"], |seen| {
        let (timer, queue) = (Timer::new(), Queue::bounded(1));
        queue.try_put(1).unwrap();
        let gets = thread::spawn({
            let queue = queue.clone();
            move || queue.try_get()
        });
        let ticking = thread::spawn(timer.alarm());
        let end = queue.put_timeout(2, Duration::from_secs(1));
        assert_eq!(gets.join().unwrap(), Ok(Some(1)));
        match end {
            Ok(()) => {
                assert_eq!(queue.try_get(), Ok(Some(2)));
                saw(seen, "is in");
            }
            Err(NotPut { value: 2, cause: QueueError::Wait(WaitError::Expired(Expired)) }) => {
                assert_eq!(queue.try_get(), Ok(None));
                saw(seen, "expired");
            }
            other => panic!("{other:?}"),
        }
        ticking.join().unwrap();
    });
}

/// `[queue-8]` `[queue-9]` A thread and a task that join, against who is done: they go on, and see what was done before.
pub(crate) fn a_join_against_the_last() {
    explore_bounded("queue_join", &["joined"], |seen| {
        let (queue, written) = (Queue::unbounded(), Arc::new(AtomicU32::new(0)));
        queue.put(1).unwrap();
        let finishes = thread::spawn({
            let (queue, written) = (queue.clone(), Arc::clone(&written));
            move || {
                queue.get().unwrap();
                written.store(7, Ordering::Relaxed);
                queue.task_done().unwrap();
            }
        });
        let task = thread::spawn({
            let queue = queue.clone();
            move || block_on(queue.join_async())
        });
        queue.join().unwrap();
        assert_eq!(written.load(Ordering::Relaxed), 7);
        finishes.join().unwrap();
        task.join().unwrap();
        saw(seen, "joined");
    });
}
