//! Conditions: a notice lets one go on who was there, with the lock.

use std::{
    cell::Cell,
    future::Future,
    mem,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

use settled::{
    EventLoop, Expired, Interrupt, LoopRef, ThreadFuture, WaitError, WouldDeadlock, context,
    primitives::{AwaitCondition, Condition, Event, Lock, LockGuard},
    tasks,
};

use super::{
    Bell, DEPTH, Deed, Hostile, LONG, On, Primitives, SHORT, call, ends_as_every_wait_does, inside,
    poll, survive, until_wait,
};

/// A future that waits for a notice with a lock of its own, and what it wakes.
fn waiting(condition: &Condition) -> (Lock<u32>, AwaitCondition<'static, u32>, Arc<Bell>) {
    let (lock, bell) = (Lock::new(7), Arc::default());
    let mut future = condition.wait_async(lock.try_lock().unwrap().into_owned());
    assert!(lock.is_locked(), "it has begun with its first poll");
    assert!(poll(&mut future, &bell).is_pending());
    assert!(!lock.is_locked());
    (lock, future, bell)
}

fn none_waits(condition: &Condition) {
    assert_eq!(format!("{condition:?}"), "Condition { waiting: 0 }");
}

/// Threads and the tasks of loops wait, and each is notified in its turn.
#[test]
fn whoever_waits_gives_the_lock_up_and_has_it_again() {
    watch!();
    let (lock, condition, (told, hears)) = (Lock::new(0), Condition::new(), mpsc::channel());
    let mut all = Vec::new();
    for number in 0..4_usize {
        let (shared, waited, told) = (lock.clone(), condition.clone(), told.clone());
        all.push(thread::spawn(move || {
            if number % 2 == 0 {
                let mut guard = shared.lock().unwrap();
                waited.wait(&mut guard).unwrap();
                *guard += 1;
                told.send((number, *guard)).unwrap();
            } else {
                let run = EventLoop::new().run_until_complete(async move {
                    let mut guard = waited.wait_async(shared.lock_async().await).await;
                    *guard += 1;
                    told.send((number, *guard)).unwrap();
                });
                run.unwrap();
            }
        }));
        until_wait(&condition, number + 1);
        drop(lock.lock().unwrap());
    }
    condition.notify();
    assert_eq!(hears.recv().unwrap(), (0, 1));
    until_wait(&condition, 3);
    // Who is notified has to wait for the lock besides.
    let guard = lock.lock().unwrap();
    condition.notify_n(2);
    until_wait(&condition, 1);
    until_wait(&lock, 2);
    assert!(hears.try_recv().is_err());
    drop(guard);
    let mut two = [hears.recv().unwrap(), hears.recv().unwrap()];
    two.sort_unstable_by_key(|it| it.1);
    assert_eq!((two[0].1, two[1].1, two[0].0 + two[1].0), (2, 3, 3));
    condition.notify_all();
    assert_eq!(hears.recv().unwrap(), (3, 4));
    all.into_iter().for_each(|thread| thread.join().unwrap());
    none_waits(&condition);
    assert!(!lock.is_locked());
}

#[test]
fn a_notice_goes_on_from_whoever_leaves_to_the_next_who_was_there() {
    watch!();
    let condition = Condition::new();
    let [first, second, third] = [(); 3].map(|()| waiting(&condition));
    // One who was not notified hands nothing on.
    drop(second.1);
    assert_eq!([first.2.count(), third.2.count()], [0, 0]);
    condition.notify();
    let late = waiting(&condition);
    assert_eq!([first.2.count(), third.2.count()], [1, 0]);
    drop(first.1);
    assert_eq!([third.2.count(), late.2.count()], [1, 0]);
    // One who was notified, and awaits the lock by now, has not gone on.
    let (lock, mut future, bell) = third;
    let held = lock.try_lock().unwrap();
    assert!(poll(&mut future, &bell).is_pending());
    drop(future);
    assert_eq!(late.2.count(), 0, "who came after the notice has no part in it");
    drop(held);
    assert!(!lock.is_locked());
    condition.notify_all();
    let (lock, mut future, bell) = late;
    let held = lock.try_lock().unwrap();
    assert!(poll(&mut future, &bell).is_pending());
    let (_, next, rung) = waiting(&condition);
    drop(future);
    assert_eq!(rung.count(), 0);
    drop((held, next));
    none_waits(&condition);
    assert!(!lock.is_locked());
}

/// The next has the notice also if it is handed on twice, and goes on with it.
#[test]
fn a_notice_that_was_handed_on_is_handed_on_again() {
    watch!();
    let condition = Condition::new();
    let [mut first, second, mut third] = [(); 3].map(|()| waiting(&condition));
    condition.notify();
    // It awaits the lock by now.
    let held = first.0.try_lock().unwrap();
    assert!(poll(&mut first.1, &first.2).is_pending());
    drop((first.1, second.1, held));
    assert_eq!(third.2.count(), 1);
    let Poll::Ready(guard) = poll(&mut third.1, &third.2) else { panic!("it was notified") };
    assert_eq!((*guard, third.0.is_locked()), (7, true));
    drop(guard);
    drop(third.1);
    none_waits(&condition);
    assert!(!third.0.is_locked());
}

#[test]
fn a_wait_for_a_condition_ends_as_every_wait_does() {
    watch!();
    let (lock, condition) = (Lock::new(1), Condition::new());
    let has_the_lock = |guard: &mut LockGuard<'_, u32>| {
        **guard += 1;
        assert!(lock.is_locked());
        none_waits(&condition);
    };
    ends_as_every_wait_does(&|timeout| {
        let mut guard = lock.try_lock().unwrap();
        let end = match timeout {
            Some(timeout) => condition.wait_timeout(&mut guard, timeout),
            None => condition.wait(&mut guard),
        };
        has_the_lock(&mut guard);
        end
    });
    let mut guard = lock.lock().unwrap();
    let late = condition.wait_deadline(&mut guard, Instant::now());
    assert_eq!(late, Err(WaitError::Expired(Expired)));
    has_the_lock(&mut guard);
}

/// One who looks again and again, with no time to wait, keeps nobody out who stands in the line.
#[test]
fn a_wait_without_time_lets_others_have_the_lock() {
    watch!();
    let (lock, condition) = (Lock::new(0), Condition::new());
    let mut guard = lock.lock().unwrap();
    let shared = lock.clone();
    let other = thread::spawn(move || *shared.lock().unwrap() = 1);
    until_wait(&lock, 1);
    let expired = Err(WaitError::Expired(Expired));
    {
        // A loop's thread may not wait for the lock, and keeps it.
        let _loop = context::enter_loop();
        assert_eq!(condition.wait_timeout(&mut guard, Duration::ZERO), expired);
        assert_eq!((*guard, format!("{lock:?}").contains("waiting: 1")), (0, true));
    }
    assert_eq!(condition.wait_timeout(&mut guard, Duration::ZERO), expired);
    assert_eq!(*guard, 1);
    assert_eq!(condition.wait_deadline(&mut guard, Instant::now()), expired);
    let mut looks = 0;
    let seen = condition.wait_for_timeout(
        &mut guard,
        |_| mem::replace(&mut looks, 1) == 1,
        Duration::ZERO,
    );
    assert_eq!(seen, Ok(()));
    other.join().unwrap();
    none_waits(&condition);
}

/// Whoever has the lock keeps the one waiting who was interrupted, who has it again in the end.
#[test]
fn an_interrupted_wait_has_the_lock_again() {
    watch!();
    let (lock, condition, interrupt) = (Lock::new(0), Condition::new(), Interrupt::new());
    let waits = thread::spawn({
        let (lock, condition, interrupt) = (lock.clone(), condition.clone(), interrupt.clone());
        move || {
            let _entered = interrupt.enter();
            let mut guard = lock.lock().unwrap();
            let end = condition.wait(&mut guard);
            assert_eq!(*guard, 1);
            *guard = 2;
            end
        }
    });
    until_wait(&condition, 1);
    let mut guard = lock.lock().unwrap();
    interrupt.interrupt();
    until_wait(&lock, 1);
    // Another does not end its wait for the lock.
    interrupt.interrupt();
    *guard = 1;
    drop(guard);
    assert_eq!(waits.join().unwrap(), Err(WaitError::Interrupted));
    assert_eq!(*lock.try_lock().unwrap(), 2);
    none_waits(&condition);
}

#[test]
fn what_is_waited_for_is_looked_at_first_and_in_the_end() {
    watch!();
    let (lock, condition) = (Lock::new(0), Condition::new());
    let mut guard = lock.lock().unwrap();
    {
        let _loop = context::enter_loop();
        assert_eq!(condition.wait_for(&mut guard, |it| *it == 0), Ok(()));
        let refused = Err(WaitError::WouldDeadlock(WouldDeadlock::EventLoop));
        assert_eq!(condition.wait_for(&mut guard, |it| *it == 1), refused);
        assert!(lock.is_locked());
    }
    let mut looks = 0;
    // Nobody notifies it, and it is so when its time is over.
    let seen = condition.wait_for_timeout(
        &mut guard,
        |_| {
            looks += 1;
            looks == 2
        },
        SHORT,
    );
    assert_eq!((seen, looks), (Ok(()), 2));
    let waits = thread::spawn({
        let (lock, condition) = (lock.clone(), condition.clone());
        move || {
            let mut guard = lock.lock().unwrap();
            condition.wait_for(&mut guard, |it| *it == 2).map(|()| *guard)
        }
    });
    drop(guard);
    for number in 1..=2 {
        until_wait(&condition, 1);
        *lock.lock().unwrap() = number;
        condition.notify();
    }
    assert_eq!(waits.join().unwrap(), Ok(2));
    let guard = lock.lock().unwrap();
    let mut future = Box::pin(condition.wait_for_async(guard, |it| *it == 3));
    let bell = Arc::default();
    assert!(poll(&mut future, &bell).is_pending());
    for (number, is_ready) in [(2, false), (3, true)] {
        *lock.lock().unwrap() = number;
        condition.notify_all();
        assert_eq!(poll(&mut future, &bell).is_ready(), is_ready);
    }
}

#[test]
fn a_loop_that_is_closed_hands_its_notices_on() {
    watch!();
    let (lock, condition) = (Lock::new(()), Condition::new());
    let waits = || {
        let (event_loop, went_on) = (EventLoop::new(), Rc::new(Cell::new(false)));
        let (lock, condition, noted) = (lock.clone(), condition.clone(), Rc::clone(&went_on));
        let waits = async move {
            drop(condition.wait_async(lock.lock_async().await).await);
            noted.set(true);
        };
        drop(event_loop.create_task(waits).unwrap());
        assert!(event_loop.try_tick().unwrap());
        (event_loop, went_on)
    };
    let [first, second, third, last] = [(); 4].map(|()| waits());
    second.0.close();
    until_wait(&condition, 3);
    let held = lock.try_lock().unwrap();
    condition.notify();
    // It is told, and awaits the lock.
    assert!(first.0.try_tick().unwrap());
    until_wait(&lock, 1);
    first.0.close();
    until_wait(&lock, 0);
    drop(held);
    while !third.1.get() {
        third.0.try_tick().unwrap();
    }
    until_wait(&condition, 1);
    assert!(!first.1.get() && !second.1.get() && !last.1.get());
    drop(last);
    none_waits(&condition);
    assert!(!lock.is_locked());
}

#[test]
fn a_callback_that_was_deferred_runs_while_the_lock_is_free() {
    watch!();
    /// Goes so deep into callbacks that the next one is deferred, which locks, and notifies.
    fn nest(lock: Lock<u32>, condition: Condition, met: mpsc::Sender<u32>) {
        let (promise, future) = ThreadFuture::<(), ()>::pair();
        future.add_done_callback(move |settled| {
            let (again, inner) = ThreadFuture::<(), ()>::pair();
            assert!(settled.result().is_ok());
            again.finish(()).unwrap();
            let (shared, told) = (lock.clone(), condition.clone());
            inner.add_done_callback(move |_| {
                *shared.lock_timeout(LONG).unwrap() += 1;
                told.notify();
            });
            let mut guard = lock.lock_timeout(LONG).unwrap();
            if *guard == 0 {
                condition.wait_timeout(&mut guard, LONG).unwrap();
                met.send(*guard).unwrap();
            } else {
                *guard = 0;
                drop(guard);
                nest(lock, condition, met);
            }
        });
        promise.finish(()).unwrap();
    }
    let (met, meets) = mpsc::channel();
    nest(Lock::new(0), Condition::new(), met);
    assert_eq!(meets.iter().collect::<Vec<_>>(), [1]);
}

/// The first of two callbacks that a thread has deferred ends its wait: the second runs later.
#[test]
fn a_wait_that_was_notified_leaves_what_was_deferred() {
    watch!();
    fn nest(lock: Lock<u32>, condition: Condition, later: Arc<AtomicUsize>) {
        let (promise, future) = ThreadFuture::<(), ()>::pair();
        future.add_done_callback(move |_| {
            let (again, inner) = ThreadFuture::<(), ()>::pair();
            again.finish(()).unwrap();
            let (shared, told) = (lock.clone(), condition.clone());
            inner.add_done_callback(move |_| {
                *shared.lock_timeout(LONG).unwrap() += 1;
                told.notify();
            });
            let ran = Arc::clone(&later);
            inner.add_done_callback(move |_| _ = ran.fetch_add(1, Ordering::SeqCst));
            let before = later.load(Ordering::SeqCst);
            let mut guard = lock.lock_timeout(LONG).unwrap();
            if *guard == 0 {
                condition.wait_timeout(&mut guard, LONG).unwrap();
                assert_eq!((*guard, later.load(Ordering::SeqCst)), (1, before));
                *guard = 7;
            } else {
                *guard = 0;
                drop(guard);
                nest(lock.clone(), condition, later);
            }
        });
        promise.finish(()).unwrap();
    }
    let (lock, later) = (Lock::new(0), Arc::default());
    nest(lock.clone(), Condition::new(), Arc::clone(&later));
    assert_eq!(*lock.try_lock().unwrap(), 7, "the deepest has waited");
}

/// The wait is over, and another has the lock by then, who waits for what was deferred.
#[test]
fn what_is_still_deferred_runs_before_a_thread_waits_for_the_lock_again() {
    watch!();
    let (lock, condition, event) = (Lock::new(()), Condition::new(), Event::new());
    let (ask, asked) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    let other = thread::spawn({
        let (lock, event) = (lock.clone(), event.clone());
        move || {
            asked.recv().unwrap();
            let _guard = lock.lock().unwrap();
            tell.send(()).unwrap();
            event.wait()
        }
    });
    let waits = move || {
        let mut guard = lock.lock().unwrap();
        let notifies = condition.clone();
        call(move || {
            ask.send(()).unwrap();
            told.recv().unwrap();
            notifies.notify();
        });
        call(move || event.set());
        assert_eq!(condition.wait(&mut guard), Ok(()));
    };
    inside(DEPTH, Box::new(waits));
    assert_eq!(other.join().unwrap(), Ok(()));
}

/// A later notice is another: who leaves hands on the one that he was given, and not to those who came between the two.
#[test]
fn a_later_notice_renews_no_other() {
    watch!();
    let condition = Condition::new();
    let (_, leaves, _) = waiting(&condition);
    condition.notify();
    let [second, third] = [(); 2].map(|()| waiting(&condition));
    condition.notify();
    drop(leaves);
    assert_eq!([second.2.count(), third.2.count()], [1, 0]);
}

/// What a closure has said ends the next wait, if this one had what it was for.
#[test]
fn an_interrupt_that_finds_it_so_ends_the_next_wait() {
    watch!();
    let (lock, condition, so) = (Lock::new(0), Condition::new(), Rc::new(Cell::new(false)));
    let becomes = Rc::clone(&so);
    let _entered = Interrupt::ask_every(SHORT, move || !becomes.replace(true));
    let mut guard = lock.try_lock().unwrap();
    assert_eq!(condition.wait_for(&mut guard, |_| so.get()), Ok(()));
    assert_eq!(condition.wait(&mut guard), Err(WaitError::Interrupted));
    // It was told, once.
    assert_eq!(condition.wait_timeout(&mut guard, SHORT), Err(WaitError::Expired(Expired)));
}

/// A waker that panics when it is cloned leaves the lock with the future, which has not begun to wait.
#[test]
fn a_hostile_waker_takes_no_lock_away() {
    watch!();
    let (lock, condition) = (Lock::new(7), Condition::new());
    let primitives = Primitives(settled::primitives::Semaphore::new(0), Default::default());
    let mut future = condition.wait_async(lock.try_lock().unwrap());
    for on in [On::Clone, On::Drop, On::Wake] {
        let polled = Hostile::new(on, Deed::Panics, &primitives).poll(&mut future);
        assert_eq!((polled.is_none(), lock.is_locked()), (on == On::Clone, on == On::Clone));
    }
    condition.notify();
    let polled = Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(guard) if *guard == 7) && !lock.is_locked());
    none_waits(&condition);
    let again = survive(|| Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop())));
    assert!(again.is_none(), "it is over");
}

/// What is brought, who has taken it, and how many there are in all.
#[derive(Clone)]
struct Goods(Lock<u32>, Condition, Arc<AtomicUsize>);

const ALL: usize = 3000;

impl Goods {
    fn is_over(&self) -> bool {
        self.2.load(Ordering::Relaxed) == ALL
    }

    fn take(&self, guard: &mut LockGuard<'_, u32>) {
        if **guard > 0 {
            **guard -= 1;
            self.2.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes until nothing is left, and each time for so long.
    fn take_all(&self, time: Option<Duration>) {
        let mut guard = self.0.lock().unwrap();
        while !self.is_over() {
            let is_so = |it: &mut u32| *it > 0 || self.is_over();
            let end = match time {
                None => self.1.wait_for(&mut guard, is_so),
                Some(time) => self.1.wait_for_timeout(&mut guard, is_so, time),
            };
            if end.is_ok() {
                self.take(&mut guard);
            }
        }
        self.1.notify_all();
    }

    async fn take_one(self) {
        let guard = self.0.lock_async().await;
        let mut guard = self.1.wait_for_async(guard, |it| *it > 0 || self.is_over()).await;
        self.take(&mut guard);
    }

    /// Takes until nothing is left, in tasks of which many are stopped.
    async fn take_in_tasks(self) {
        let here = LoopRef::current().unwrap();
        let mut round = 0_u32;
        while !self.is_over() {
            let task = here.create_task(self.clone().take_one()).unwrap();
            round += 1;
            if round.is_multiple_of(3) {
                tasks::sleep(Duration::ZERO).await;
                task.cancel();
            }
            task.await;
        }
        self.1.notify_all();
    }
}

/// Threads and the tasks of two loops take what others bring, leave at every moment, and nothing is left over.
#[test]
fn what_is_brought_is_taken_although_many_leave() {
    watch!();
    let goods = Goods(Lock::new(0), Condition::new(), Arc::default());
    thread::scope(|scope| {
        for time in [None, Some(50), Some(100)] {
            let goods = goods.clone();
            scope.spawn(move || goods.take_all(time.map(Duration::from_micros)));
        }
        for _ in 0..2 {
            let goods = goods.clone();
            scope.spawn(|| EventLoop::new().run_until_complete(goods.take_in_tasks()).unwrap());
        }
        for _ in 0..ALL {
            *goods.0.lock().unwrap() += 1;
            // One notice for each. Whoever comes anew looks first, so that one that was lost may not be missed here.
            goods.1.notify();
        }
    });
    assert_eq!((*goods.0.try_lock().unwrap(), goods.2.load(Ordering::Relaxed)), (0, ALL));
    none_waits(&goods.1);
}
