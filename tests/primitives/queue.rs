//! Queues: no value is lost, none comes twice, and all come in their order.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::{Duration, Instant},
};

use settled::{
    EventLoop, Expired, Interrupt, NoneUnfinished, NotPut, QueueClosed, QueueError, TryPutError,
    WaitError, WouldDeadlock, context,
    primitives::{AwaitGet, AwaitPut, Event, Queue, Semaphore},
    tasks,
};

use super::{Bell, DEPTH, Deed, Hostile, LONG, On, Primitives, SHORT, call, inside, poll, survive};

const EXPIRED: QueueError = QueueError::Wait(WaitError::Expired(Expired));
const REFUSED: QueueError = QueueError::Wait(WaitError::WouldDeadlock(WouldDeadlock::EventLoop));
const INTERRUPTED: QueueError = QueueError::Wait(WaitError::Interrupted);

/// A future that waits to get, and what it wakes.
fn getting<T>(queue: &Queue<T>) -> (AwaitGet<T>, Arc<Bell>) {
    let (mut future, bell) = (queue.get_async(), Arc::default());
    assert!(poll(&mut future, &bell).is_pending());
    (future, bell)
}

/// A future that waits to put this, and what it wakes.
fn putting<T>(queue: &Queue<T>, value: T) -> (AwaitPut<T>, Arc<Bell>) {
    let (mut future, bell) = (queue.put_async(value), Arc::default());
    assert!(poll(&mut future, &bell).is_pending());
    (future, bell)
}

fn got<T>((future, bell): &mut (AwaitGet<T>, Arc<Bell>)) -> Option<T> {
    match poll(future, bell) {
        Poll::Ready(end) => end.ok(),
        Poll::Pending => panic!("it waits"),
    }
}

fn is_put<T>((future, bell): &mut (AwaitPut<T>, Arc<Bell>)) -> bool {
    match poll(future, bell) {
        Poll::Ready(end) => end.is_ok(),
        Poll::Pending => panic!("it waits"),
    }
}

/// Waits until so many stand in each of the lines.
fn until(queue: &Queue<u32>, putting: usize, getting: usize, joining: usize) {
    let told = format!("putting: {putting}, getting: {getting}, joining: {joining}");
    while !format!("{queue:?}").contains(&told) {
        thread::yield_now();
    }
}

const EACH: u32 = 2_000;

/// Puts so many, as a thread or as a task; each knows who put it.
fn puts(queue: &Queue<(u32, u32)>, who: u32) {
    if who.is_multiple_of(2) {
        (0..EACH).for_each(|it| queue.put((who, it)).unwrap());
    } else {
        let all = async {
            for it in 0..EACH {
                queue.put_async((who, it)).await.unwrap();
            }
        };
        EventLoop::new().run_until_complete(all).unwrap();
    }
}

/// Gets until it is closed, as a thread or as a task.
fn gets(queue: &Queue<(u32, u32)>, is_task: bool) -> Vec<(u32, u32)> {
    let mut all = Vec::new();
    if is_task {
        let gets = async {
            while let Ok(it) = queue.get_async().await {
                all.push(it);
                queue.task_done().unwrap();
            }
        };
        EventLoop::new().run_until_complete(gets).unwrap();
    } else {
        while let Ok(it) = queue.get() {
            all.push(it);
            queue.task_done().unwrap();
        }
    }
    all
}

#[test]
fn threads_and_the_tasks_of_loops_hand_values_to_each_other() {
    watch!();
    for capacity in [0, 1, 3, usize::MAX] {
        let queue = Queue::bounded(capacity);
        let all = thread::scope(|scope| {
            let queue = &queue;
            let getters = [false, true].map(|is_task| scope.spawn(move || gets(queue, is_task)));
            let putters = [0, 1, 2, 3].map(|who| scope.spawn(move || puts(queue, who)));
            for putter in putters {
                putter.join().unwrap();
            }
            assert_eq!(queue.join(), Ok(()));
            queue.close();
            getters.map(|getter| getter.join().unwrap())
        });
        for one in &all {
            let of = |who| one.iter().filter(move |it| it.0 == who).map(|it| it.1);
            assert!((0..4).all(|who| of(who).is_sorted()), "each hears one in its order");
        }
        let mut all = all.concat();
        all.sort_unstable();
        let put: Vec<_> = (0..4).flat_map(|who| (0..EACH).map(move |it| (who, it))).collect();
        assert!(all == put, "a value was lost, or came twice");
        let told = "Queue { len: 0, putting: 0, getting: 0, joining: 0, closed: true }";
        assert_eq!(format!("{queue:?}"), told);
    }
}

#[test]
fn whoever_came_first_is_served_first() {
    watch!();
    let queue = Queue::bounded(1);
    queue.try_put(0).unwrap();
    let mut putters = [1, 2, 3].map(|value| putting(&queue, value));
    for first in 0..3 {
        assert_eq!(queue.try_put(9).unwrap_err().cause, TryPutError::Full, "it overtakes");
        // Who makes room takes in what the first brought, whether he is polled or not.
        assert_eq!(queue.try_get(), Ok(Some(first)));
        let told: Vec<_> = putters.iter().map(|(_, bell)| bell.count()).collect();
        let expected: Vec<_> = (0..3).map(|at| usize::from(at <= first as usize)).collect();
        assert_eq!((told, queue.len()), (expected, 1));
    }
    assert_eq!((queue.try_get(), queue.try_get()), (Ok(Some(3)), Ok(None)));
    assert!(putters.iter_mut().all(is_put));

    let mut getters = [(); 3].map(|()| getting(&queue));
    queue.try_put(4).unwrap();
    let told = |getters: &[(_, Arc<Bell>); 3]| getters.iter().map(|it| it.1.count()).collect();
    let first: Vec<_> = told(&getters);
    assert_eq!(first, [1, 0, 0]);
    assert_eq!((queue.try_get(), queue.is_empty()), (Ok(None), true), "it overtakes");
    queue.try_put(5).unwrap();
    queue.try_put(6).unwrap();
    queue.try_put(7).unwrap();
    let all: Vec<_> = told(&getters);
    assert_eq!((all, queue.len()), (vec![1; 3], 1));
    // What is promised is a value; whoever comes for it has the first.
    let [first, second, third] = &mut getters;
    assert_eq!((got(second), queue.try_get()), (Some(4), Ok(Some(5))));
    assert_eq!((got(first), got(third)), (Some(6), Some(7)));
}

#[test]
fn whoever_leaves_takes_his_own_and_hands_on_what_was_promised() {
    watch!();
    let queue = Queue::bounded(1);
    let [first, mut second] = [(); 2].map(|()| getting(&queue));
    queue.try_put(1).unwrap();
    assert_eq!([first.1.count(), second.1.count()], [1, 0]);
    drop(first);
    assert_eq!((second.1.count(), queue.try_get(), got(&mut second)), (1, Ok(None), Some(1)));

    // Who was promised nothing hands nothing on.
    let [first, second] = [(); 2].map(|()| getting(&queue));
    drop(first);
    assert_eq!(second.1.count(), 0);
    queue.try_put(2).unwrap();
    assert_eq!(second.1.count(), 1);
    // In whatever order they leave, what was promised keeps its place.
    let third = getting(&queue);
    queue.try_put(3).unwrap();
    queue.try_put(4).unwrap();
    drop(second);
    drop(third);
    assert_eq!([(); 3].map(|()| queue.try_get()), [2, 3, 4].map(|it| Ok(Some(it))));

    let (queue, owner) = (Queue::bounded(0), Arc::new(()));
    let brings = || putting(&queue, Arc::clone(&owner));
    let (first, second, third) = (brings(), brings(), brings());
    assert_eq!(Arc::strong_count(&owner), 4);
    drop(second);
    assert_eq!(Arc::strong_count(&owner), 3, "he takes it with him");
    assert!(third.0.take_back().is_some());
    let back = queue.put_async(Arc::clone(&owner)).take_back();
    assert!(back.is_some());
    drop(queue.try_get().unwrap().unwrap());
    assert!(first.0.take_back().is_none(), "it was in");
    drop(back);
    assert_eq!((Arc::strong_count(&owner), queue.try_get()), (1, Ok(None)));
}

#[test]
fn a_queue_has_room_for_so_many() {
    watch!();
    let queue = Queue::bounded(2);
    assert_eq!((queue.capacity(), queue.len(), queue.is_full()), (Some(2), 0, false));
    assert!(queue.is_empty() && queue.try_put(1).is_ok() && queue.try_put(2).is_ok());
    assert_eq!((queue.len(), queue.is_full(), queue.is_empty()), (2, true, false));
    let back = queue.try_put(3).unwrap_err();
    assert_eq!(back, NotPut { value: 3, cause: TryPutError::Full });
    assert_eq!((queue.get(), queue.get()), (Ok(1), Ok(2)));

    // What is promised takes no room; once it is not any more, there is one too many, for so long.
    let waits = getting(&queue);
    (1..4).for_each(|it| queue.try_put(it).unwrap());
    assert_eq!((queue.len(), queue.try_put(4).is_err()), (2, true));
    drop(waits);
    assert_eq!((queue.len(), queue.is_full()), (3, true));
    let mut next = putting(&queue, 4);
    assert_eq!((queue.try_get(), next.1.count()), (Ok(Some(1)), 0));
    assert_eq!((queue.try_get(), next.1.count()), (Ok(Some(2)), 1));
    assert!(is_put(&mut next));

    let none = Queue::bounded(0);
    assert_eq!((none.capacity(), none.is_full(), none.is_empty()), (Some(0), true, true));
    assert!(none.try_put(1).is_err());
    let [mut first, mut second] = [1, 2].map(|value| putting(&none, value));
    assert_eq!((none.try_get(), none.get()), (Ok(Some(1)), Ok(2)));
    assert!(is_put(&mut first) && is_put(&mut second));
    let mut waits = getting(&none);
    assert!(none.try_put(3).is_ok() && none.try_put(4).is_err());
    assert_eq!(got(&mut waits), Some(3));

    let queue = Queue::unbounded();
    assert_eq!(queue.capacity(), None);
    (0..1_000).for_each(|it| queue.put(it).unwrap());
    assert_eq!((queue.len(), queue.is_full()), (1_000, false));
}

#[test]
fn a_wait_of_a_queue_ends_as_every_wait_does() {
    watch!();
    let (full, empty) = (Queue::bounded(1), Queue::<u32>::bounded(1));
    full.put(1).unwrap();
    let puts: [&dyn Fn() -> Result<(), NotPut<u32>>; 2] =
        [&|| full.put_timeout(2, SHORT), &|| full.put_deadline(2, Instant::now())];
    for put in puts {
        assert_eq!(put(), Err(NotPut { value: 2, cause: EXPIRED }));
    }
    assert_eq!(empty.get_timeout(SHORT), Err(EXPIRED));
    assert_eq!(empty.get_deadline(Instant::now()), Err(EXPIRED));
    assert_eq!(full.join_timeout(SHORT), Err(WaitError::Expired(Expired)));
    assert_eq!(full.join_deadline(Instant::now()), Err(WaitError::Expired(Expired)));
    {
        let _loop = context::enter_loop();
        assert_eq!(full.put(2), Err(NotPut { value: 2, cause: REFUSED }));
        assert_eq!((empty.get(), empty.get_timeout(LONG)), (Err(REFUSED), Err(REFUSED)));
        assert_eq!(full.join(), Err(WouldDeadlock::EventLoop.into()));
        // What only looks is not refused, nor is what need not wait.
        let cause = full.put_timeout(2, Duration::ZERO).map_err(|it| it.cause);
        assert_eq!((cause, empty.get_timeout(Duration::ZERO)), (Err(EXPIRED), Err(EXPIRED)));
        assert_eq!((empty.put(3), empty.get(), empty.try_get()), (Ok(()), Ok(3), Ok(None)));
    }
    type Wait = fn(&Queue<u32>) -> Option<QueueError>;
    let waits: [(_, Wait); 3] = [
        ((1, 0, 0), |queue| queue.put(2).err().filter(|it| it.value == 2).map(|it| it.cause)),
        ((0, 1, 0), |queue| queue.get().err()),
        ((0, 0, 1), |queue| queue.join().err().map(QueueError::Wait)),
    ];
    for ((putting, getting, joining), wait) in waits {
        let queue = if getting == 1 { &empty } else { &full };
        let (interrupt, shared) = (Interrupt::new(), queue.clone());
        let interrupted = interrupt.clone();
        let thread = thread::spawn(move || {
            let _entered = interrupted.enter();
            wait(&shared)
        });
        until(queue, putting, getting, joining);
        interrupt.interrupt();
        assert_eq!(thread.join().unwrap(), Some(INTERRUPTED));
        until(queue, 0, 0, 0);
    }
    assert_eq!((full.len(), empty.len()), (1, 0));
}

#[test]
fn a_task_waits_in_the_line_and_leaves_it_with_its_loop() {
    watch!();
    let (queue, event_loop) = (Queue::bounded(1), EventLoop::new());
    let (awaits, brings) = (Queue::<u32>::bounded(1), queue.clone());
    queue.put(1).unwrap();
    let put = async move { brings.put_async(2).await.unwrap() };
    drop(event_loop.create_task(put).unwrap());
    let (awaited, joined) = (awaits.clone(), queue.clone());
    drop(event_loop.create_task(async move { joined.join_async().await }).unwrap());
    let get = async move { assert!(awaited.get_async().await.is_ok()) };
    drop(event_loop.create_task(get).unwrap());
    // Each begins.
    assert!((0..3).all(|_| event_loop.try_tick().unwrap()));
    until(&queue, 1, 0, 1);
    until(&awaits, 0, 1, 0);
    let mut next = getting(&awaits);
    awaits.put(3).unwrap();
    event_loop.close();
    until(&queue, 0, 0, 0);
    assert_eq!((queue.try_get(), queue.try_get()), (Ok(Some(1)), Ok(None)));
    assert_eq!(got(&mut next), Some(3), "what was promised went with the loop");

    // A task that is stopped in the line.
    let run = EventLoop::new().run_until_complete(async {
        let end = tasks::timeout(awaits.get_async(), SHORT).await;
        assert!(end.is_err());
        awaits.put_async(4).await.unwrap();
        awaits.get_async().await
    });
    assert_eq!(run.unwrap(), Ok(4));
    let (mut future, bell) = (awaits.get_async(), Arc::default());
    awaits.put(5).unwrap();
    assert_eq!(poll(&mut future, &bell), Poll::Ready(Ok(5)));
    assert!(survive(|| poll(&mut future, &bell)).is_none(), "it is polled again");
}

#[test]
fn a_queue_that_is_closed_gives_what_is_in_it_and_tells_everybody() {
    watch!();
    let queue = Queue::bounded(1);
    let mut promised = getting(&queue);
    queue.put(1).unwrap();
    queue.put(2).unwrap();
    let (mut puts, mut late) = (putting(&queue, 3), putting(&queue, 4));
    assert_eq!(queue.try_get(), Ok(Some(1)));
    assert!(!queue.is_closed());
    queue.close();
    assert_eq!((late.1.count(), queue.is_closed()), (1, true));
    queue.close();
    assert_eq!((puts.1.count(), late.1.count(), queue.len()), (1, 1, 1));
    let refused = NotPut { value: 4, cause: QueueClosed };
    assert_eq!(poll(&mut late.0, &late.1), Poll::Ready(Err(refused)));
    assert!(is_put(&mut puts));
    assert_eq!(queue.put(5), Err(NotPut { value: 5, cause: QueueClosed.into() }));
    assert_eq!(queue.try_put(5).unwrap_err().cause, QueueClosed.into());
    // What was promised is kept, and what is not is for whoever comes.
    assert_eq!((queue.try_get(), queue.try_get()), (Ok(Some(2)), Ok(None)));
    assert_eq!((got(&mut promised), queue.get()), (Some(3), Err(QueueClosed.into())));

    // Threads are told, too.
    type Wait = fn(&Queue<u32>) -> QueueError;
    let waits: [(u32, usize, Wait); 2] =
        [(0, 0, |queue| queue.put(2).unwrap_err().cause), (1, 1, |queue| queue.get().unwrap_err())];
    for (getting, capacity, wait) in waits {
        let queue = Queue::bounded(capacity);
        let shared = queue.clone();
        let thread = thread::spawn(move || wait(&shared));
        until(&queue, 1 - getting as usize, getting as usize, 0);
        queue.close();
        assert_eq!(thread.join().unwrap(), QueueClosed.into());
    }

    // Drained: all but what is promised.
    let queue = Queue::unbounded();
    let mut promised = getting(&queue);
    (0..3).for_each(|it| queue.put(it).unwrap());
    assert_eq!((queue.close_and_drain(), queue.len()), ([1, 2].into(), 0));
    assert_eq!((got(&mut promised), queue.try_get()), (Some(0), Err(QueueClosed)));
    assert_eq!((queue.join_timeout(Duration::ZERO).is_err(), queue.task_done()), (true, Ok(())));
    assert_eq!(queue.join(), Ok(()));
}

#[test]
fn nobody_hears_that_there_will_be_none_while_one_may_leave() {
    watch!();
    let queue = Queue::bounded(1);
    let (leaves, mut next) = (getting(&queue), getting(&queue));
    queue.put(1).unwrap();
    queue.close();
    let mut last = getting(&queue);
    let told = [&leaves, &next, &last].map(|it| it.1.count());
    assert_eq!((told, queue.try_get()), ([1, 0, 0], Ok(None)));
    assert_eq!(queue.get_timeout(SHORT), Err(EXPIRED));
    drop(leaves);
    assert_eq!([&next, &last].map(|it| it.1.count()), [1, 0]);
    assert_eq!((got(&mut next), last.1.count()), (Some(1), 1));
    assert_eq!((got(&mut last), queue.try_get()), (None, Err(QueueClosed)));

    // What the last leaves is for whoever comes.
    let queue = Queue::bounded(1);
    let leaves = getting(&queue);
    queue.put(1).unwrap();
    queue.close();
    drop(leaves);
    assert_eq!((queue.try_get(), queue.try_get()), (Ok(Some(1)), Err(QueueClosed)));

    // What is left of a queue that was drained is dropped, and done with.
    let (queue, owner) = (Queue::bounded(1), Arc::new(()));
    let leaves = getting(&queue);
    queue.put(Arc::clone(&owner)).unwrap();
    let (mut joins, bell) = (queue.join_async(), Arc::default());
    assert!(poll(&mut joins, &bell).is_pending() && queue.close_and_drain().is_empty());
    drop(leaves);
    assert_eq!((Arc::strong_count(&owner), queue.try_get()), (1, Err(QueueClosed)));
    assert_eq!((poll(&mut joins, &bell), bell.count()), (Poll::Ready(()), 1));
}

#[test]
fn whoever_joins_goes_on_when_all_is_done_with() {
    watch!();
    let queue = Queue::bounded(1);
    assert_eq!((queue.join(), queue.task_done()), (Ok(()), Err(NoneUnfinished)));
    let told = Arc::new(Mutex::new(Vec::new()));
    queue.put(1).unwrap();
    let threads = [(); 2].map(|()| {
        let (queue, told) = (queue.clone(), Arc::clone(&told));
        thread::spawn(move || {
            queue.join().unwrap();
            told.lock().unwrap().push("joined");
        })
    });
    let (mut joins, bell) = (queue.join_async(), Arc::default());
    assert!(poll(&mut joins, &bell).is_pending());
    drop(queue.join_async());
    until(&queue, 0, 0, 3);
    // Who waits to put has put nothing yet.
    let mut puts = putting(&queue, 2);
    assert_eq!(queue.get(), Ok(1));
    assert!(is_put(&mut puts));
    queue.task_done().unwrap();
    assert_eq!((queue.get(), bell.count(), told.lock().unwrap().len()), (Ok(2), 0, 0));
    queue.task_done().unwrap();
    // It is not so any more, and they go on.
    queue.put(3).unwrap();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!((poll(&mut joins, &bell), bell.count()), (Poll::Ready(()), 1));
    assert!(poll(&mut queue.join_async(), &bell).is_pending());
    // Closed, it is waited for all the same, and drained, it is not.
    let (mut joins, bell) = (queue.join_async(), Arc::default());
    assert!(poll(&mut joins, &bell).is_pending());
    queue.close();
    assert_eq!((queue.join_timeout(SHORT).is_err(), bell.count()), (true, 0));
    assert_eq!((queue.close_and_drain(), bell.count()), ([3].into(), 1));
    assert_eq!((poll(&mut joins, &bell), queue.join()), (Poll::Ready(()), Ok(())));
}

/// Uses its queue when it is dropped.
struct Uses(Queue<Self>);

impl Drop for Uses {
    fn drop(&mut self) {
        let _ = (self.0.len(), self.0.try_get());
    }
}

#[test]
fn what_is_dropped_may_use_its_queue() {
    watch!();
    let queue = Queue::bounded(1);
    let uses = || Uses(queue.clone());
    let is_seen = || assert!(queue.is_empty(), "what it did is not seen");
    assert!(queue.try_put(uses()).is_ok() && queue.put_timeout(uses(), SHORT).is_err());
    is_seen();
    assert!(queue.try_put(uses()).is_ok());
    drop(putting(&queue, uses()));
    is_seen();
    assert!(queue.try_put(uses()).is_ok());
    let puts = putting(&queue, uses());
    queue.close();
    drop(puts);
    is_seen();
    assert!(queue.try_put(uses()).is_err() && queue.close_and_drain().is_empty());
    let queue = Queue::bounded(1);
    let leaves = getting(&queue);
    assert!(queue.try_put(Uses(queue.clone())).is_ok() && queue.close_and_drain().is_empty());
    drop(leaves);
    assert!(queue.join_timeout(Duration::ZERO).is_ok());
}

/// One who waits, in whatever line.
type Waits = fn(Queue<u32>) -> Pin<Box<dyn Future<Output = ()>>>;

const PUTS: Waits = |queue| Box::pin(async move { queue.put_async(9).await.map_or((), drop) });
const GETS: Waits = |queue| Box::pin(async move { queue.get_async().await.map_or((), drop) });
const JOINS: Waits = |queue| Box::pin(async move { queue.join_async().await });

/// With room for one, and empty or full.
fn one(is_full: bool) -> Queue<u32> {
    let queue = Queue::bounded(1);
    if is_full {
        queue.put(1).unwrap();
    }
    queue
}

#[test]
fn a_future_that_moves_is_told_where_it_is() {
    watch!();
    for (is_full, waits) in [(true, PUTS), (false, GETS), (true, JOINS)] {
        let (queue, bells) = (one(is_full), [(); 2].map(|()| Arc::<Bell>::default()));
        let mut future = waits(queue.clone());
        for at in [0, 0, 1] {
            assert!(poll(&mut future, &bells[at]).is_pending());
        }
        assert_eq!(Arc::strong_count(&bells[0]), 1, "the first waker was let go of");
        queue.close_and_drain();
        assert_eq!(bells.map(|bell| bell.count()), [0, 1]);
    }
}

/// Uses its queue when it is woken.
struct Calls(Queue<u32>, AtomicUsize);

impl Wake for Calls {
    fn wake(self: Arc<Self>) {
        if !format!("{:?}", self.0).contains("locked") {
            let _ = (self.0.len(), self.0.try_get());
            self.1.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn a_waker_that_is_called_may_use_its_queue() {
    watch!();
    let waits = |queue: &Queue<u32>, waits: Waits| {
        let calls = Arc::new(Calls(queue.clone(), AtomicUsize::new(0)));
        let (mut future, waker) = (waits(queue.clone()), Waker::from(Arc::clone(&calls)));
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        (future, calls)
    };
    type Act = fn(&Queue<u32>);
    let acts: [(bool, Waits, Act); 6] = [
        (true, PUTS, |queue| assert_eq!(queue.try_get(), Ok(Some(1)))),
        (true, PUTS, Queue::close),
        (false, GETS, |queue| queue.try_put(1).unwrap()),
        (false, GETS, Queue::close),
        (true, JOINS, |queue| queue.task_done().unwrap()),
        (true, JOINS, |queue| drop(queue.close_and_drain())),
    ];
    for (at, (is_full, who, act)) in acts.into_iter().enumerate() {
        let queue = one(is_full);
        let (_future, calls) = waits(&queue, who);
        act(&queue);
        assert_eq!(calls.1.load(Ordering::Relaxed), 1, "the lock is held: {at}");
    }
    let queue = one(false);
    let leaves = getting(&queue);
    let (_future, calls) = waits(&queue, GETS);
    queue.put(1).unwrap();
    drop(leaves);
    assert_eq!(calls.1.load(Ordering::Relaxed), 1, "the lock is held: one leaves");
}

#[test]
fn a_waker_that_panics_takes_nothing() {
    watch!();
    let primitives = Primitives(Semaphore::new(1), Event::new());
    let hostile = || Hostile::new(On::Clone, Deed::Panics, &primitives);
    let queue = one(true);
    for stands in [false, true] {
        let (mut puts, bell) = (queue.put_async(2), Arc::default());
        assert!(!stands || poll(&mut puts, &bell).is_pending());
        assert!(hostile().poll(&mut puts).is_none(), "it panics");
        until(&queue, usize::from(stands), 0, 0);
        assert!(poll(&mut puts, &bell).is_pending());
        until(&queue, 1, 0, 0);
        assert!(hostile().poll(&mut puts).is_none(), "it panics");
        assert_eq!(puts.take_back(), Some(2));
    }
    let mut puts = queue.put_async(3);
    assert!(hostile().poll(&mut puts).is_none(), "it panics");
    assert_eq!(puts.take_back(), Some(3));
    let (queue, mut joins) = (one(false), queue.join_async());
    let mut gets = queue.get_async();
    assert!(hostile().poll(&mut gets).is_none() && hostile().poll(&mut joins).is_none());
    until(&queue, 0, 0, 0);
    assert!(poll(&mut joins, &Arc::default()).is_pending());
    queue.put(4).unwrap();
    assert_eq!(poll(&mut gets, &Arc::default()), Poll::Ready(Ok(4)));
}

#[test]
fn what_was_deferred_runs_before_a_wait_stands_in_the_line() {
    watch!();
    type Act = fn(&Queue<u32>);
    let waits: [(bool, Act, Act); 3] = [
        (true, |queue| assert!(queue.try_get().is_ok()), |queue| assert_eq!(queue.put(2), Ok(()))),
        (false, |queue| queue.put(1).unwrap(), |queue| assert_eq!(queue.get(), Ok(1))),
        (true, |queue| queue.task_done().unwrap(), |queue| assert_eq!(queue.join(), Ok(()))),
    ];
    for (is_full, deferred, wait) in waits {
        let (queue, (tell, told)) = (one(is_full), mpsc::channel());
        let work = move || {
            let (shared, tells) = (queue.clone(), tell.clone());
            call(move || {
                tells.send(format!("{shared:?}")).unwrap();
                deferred(&shared);
            });
            wait(&queue);
            tell.send("over".to_owned()).unwrap();
        };
        inside(DEPTH, Box::new(work));
        let told: Vec<_> = told.iter().collect();
        let nobody = "putting: 0, getting: 0, joining: 0";
        assert!(told.len() == 2 && told[0].contains(nobody) && told[1] == "over", "{told:?}");
    }
}
