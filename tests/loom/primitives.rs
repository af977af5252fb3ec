//! Semaphores, events, conditions and barriers: the code that ships, against whoever leaves, gives, sets, notifies and closes.
//!
//! What is polled, dropped, given and set makes histories, which the machines explain that the models step. Threads that
//! block have no histories: where their turn comes does not show from outside. They have to go on, each time.
//!
//! Three threads have at most three preemptions, and histories four with `SETTLED_FULL=1`: each call is one step of the
//! word, or one critical section, which closes it, or two where a poll waits; what can go wrong is that one of them is overtaken
//! between its look and its act, or between the step that it finds refused and the lock that it takes then.

use std::{
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
    BarrierError, EventLoop, Expired, Timer, WaitError,
    primitives::{Barrier, Condition, Event, Lock, Permit, Semaphore},
};

use crate::{
    explore::{Counter, Seen, block_on, bound, explore, explore_bounded, explore_histories, saw},
    history::{Caller, History},
    turns::{
        Call, Decides, Spec, Told, Wakes, call, gate::Gate, notices::Notices, permits::Permits,
        woken,
    },
};

type Calls<M> = History<Spec<M>>;

/// What one does with a future of his own.
#[derive(Clone, Copy, Debug)]
enum Act {
    Poll,
    Drop,
}

use Act::{Drop as Leave, Poll as Look};

/// Does these to a future, by who has it, until it is ready.
fn do_these<M: Decides + Clone + Send + 'static, F: Future + Unpin>(
    history: &Calls<M>,
    wakes: &Wakes,
    who: Caller,
    mut future: F,
    acts: &[Act],
) -> Option<F::Output> {
    let waker = wakes.of(who);
    let mut cx = Context::from_waker(&waker);
    for act in acts {
        match act {
            Act::Poll => {
                let mut poll = || Pin::new(&mut future).poll(&mut cx);
                let told = |poll: &std::task::Poll<_>| Told::Is(poll.is_ready());
                if let std::task::Poll::Ready(value) =
                    call(history, Call::Poll(who), &mut poll, told)
                {
                    return Some(value);
                }
            }
            Act::Drop => {
                call(history, Call::Leave(who), || drop(future), |()| Told::Done);
                return None;
            }
        }
    }
    call(history, Call::Leave(who), || drop(future), |()| Told::Done);
    None
}

fn give(history: &Calls<Permits<Caller>>, permit: Permit) {
    call(history, Call::Give, || drop(permit), |()| Told::Done);
}

/// What is left when all is over.
fn end(history: &Calls<Permits<Caller>>, semaphore: &Semaphore) {
    call(history, Call::Left, || semaphore.available(), |free| Told::Left(0, *free));
}

/// One permit, which this thread holds and gives, and two futures in two other threads.
fn futures_against_a_permit(
    history: &Calls<Permits<Caller>>,
    acts: [&'static [Act]; 2],
    tries: bool,
) -> Spec<Permits<Caller>> {
    let semaphore = Semaphore::new(1);
    let mut spec = Permits::new(1, usize::MAX);
    assert!(crate::turns::line::Turns::pass(&mut spec));
    let (permit, wakes) = (semaphore.try_acquire().unwrap(), Wakes::default());
    let threads: Vec<_> = (1_u8..)
        .zip(acts)
        .map(|(who, acts)| {
            let (history, wakes, semaphore) = (history.clone(), wakes.clone(), semaphore.clone());
            thread::spawn(move || {
                if let Some(permit) =
                    do_these(&history, &wakes, who, semaphore.acquire_async(), acts)
                {
                    give(&history, permit);
                }
            })
        })
        .collect();
    give(history, permit);
    if tries {
        let got = call(history, Call::Try, || semaphore.try_acquire(), |it| Told::Is(it.is_some()));
        got.into_iter().for_each(|permit| give(history, permit));
    }
    for thread in threads {
        thread.join().unwrap();
    }
    end(history, &semaphore);
    woken(history, &wakes);
    Spec::new(spec)
}

/// `[semaphore-1]` `[semaphore-2]` `[semaphore-3]` Two futures that are polled and dropped against a permit that is given.
pub(crate) fn two_futures_against_a_permit() {
    for acts in [[&[Look, Look][..], &[Look, Leave]], [&[Look, Leave], &[Look, Leave]]] {
        explore_histories("semaphore_futures", bound(), move |history| {
            futures_against_a_permit(history, acts, false)
        });
    }
}

/// `[semaphore-2]` The same, and one who takes a permit if it is free.
pub(crate) fn a_newcomer_against_two_futures() {
    explore_histories("semaphore_newcomer", bound(), |history| {
        futures_against_a_permit(history, [&[Look, Look], &[Look]], true)
    });
}

/// `[event-1]` `[event-2]` An event that is set and cleared against two futures.
pub(crate) fn two_futures_against_an_event() {
    explore_histories("event_futures", bound(), |history: &Calls<Gate<Caller>>| {
        let (event, wakes) = (Event::new(), Wakes::default());
        let acts = [&[Look, Look][..], &[Look, Leave]];
        let threads: Vec<_> = (1_u8..)
            .zip(acts)
            .map(|(who, acts)| {
                let (history, wakes, event) = (history.clone(), wakes.clone(), event.clone());
                thread::spawn(move || do_these(&history, &wakes, who, event.wait_async(), acts))
            })
            .collect();
        call(history, Call::Set, || event.set(), |()| Told::Done);
        call(history, Call::Clear, || event.clear(), |()| Told::Done);
        for thread in threads {
            thread.join().unwrap();
        }
        call(history, Call::Left, || event.is_set(), |is_set| Told::Left(0, usize::from(*is_set)));
        woken(history, &wakes);
        Spec::new(Gate::new())
    });
}

/// `[semaphore-2]` `[semaphore-4]` Two threads that block, and a permit that is given: each has it once.
pub(crate) fn two_threads_against_a_permit() {
    explore_bounded("semaphore_threads", &["all"], |seen| {
        let semaphore = Semaphore::new(1);
        let permit = semaphore.try_acquire().unwrap();
        let threads = [(); 2].map(|()| {
            let semaphore = semaphore.clone();
            thread::spawn(move || drop(semaphore.acquire().unwrap()))
        });
        drop(permit);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(semaphore.available(), 1);
        saw(seen, "all");
    });
}

/// `[semaphore-3]` `[semaphore-4]` A wait that has its time against a grant and the timer: it ends with either, and the
/// permit is not lost. Three preemptions are one for each of the threads.
pub(crate) fn an_expiry_against_a_grant() {
    explore_bounded("semaphore_expiry", &["expired", "has it"], |seen| {
        let (timer, semaphore) = (Timer::new(), Semaphore::new(1));
        let permit = semaphore.try_acquire().unwrap().into_owned();
        let giver = thread::spawn(move || drop(permit));
        let ticking = thread::spawn(timer.alarm());
        match semaphore.acquire_timeout(Duration::from_secs(1)) {
            Ok(_) => saw(seen, "has it"),
            Err(WaitError::Expired(Expired)) => saw(seen, "expired"),
            Err(other) => panic!("{other:?}"),
        }
        giver.join().unwrap();
        ticking.join().unwrap();
        assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 1, of: 1, waiting: 0 }");
    });
}

/// `[semaphore-3]` A wait that expires before another that does not, and a grant: the second has it in the end.
pub(crate) fn an_expiry_before_another_waiter() {
    explore_bounded("semaphore_expiry_2", &["expired", "has it"], |seen| {
        let (timer, semaphore) = (Timer::new(), Semaphore::new(1));
        let permit = semaphore.try_acquire().unwrap();
        let first = thread::spawn({
            let semaphore = semaphore.clone();
            move || semaphore.acquire_timeout(Duration::from_secs(1)).is_ok()
        });
        let ticking = thread::spawn(timer.alarm());
        let second = thread::spawn({
            let semaphore = semaphore.clone();
            move || block_on(semaphore.acquire_async()).into_owned()
        });
        drop(permit);
        drop(second.join().unwrap());
        saw(seen, if first.join().unwrap() { "has it" } else { "expired" });
        ticking.join().unwrap();
        assert_eq!(semaphore.available(), 1);
    });
}

/// `[semaphore-3]` One who is polled once and dropped, one who blocks, and a grant: the second has it each time.
pub(crate) fn a_waiter_that_leaves_before_another() {
    explore_bounded("semaphore_leaves", &["first", "second"], |seen| {
        let semaphore = Semaphore::new(1);
        let permit = semaphore.try_acquire().unwrap().into_owned();
        let leaves = thread::spawn({
            let semaphore = semaphore.clone();
            move || {
                let waker = Waker::from(Arc::new(Counter::default()));
                let mut future = semaphore.acquire_async();
                Pin::new(&mut future).poll(&mut Context::from_waker(&waker)).is_ready()
            }
        });
        let giver = thread::spawn(move || drop(permit));
        drop(semaphore.acquire().unwrap());
        saw(seen, if leaves.join().unwrap() { "first" } else { "second" });
        giver.join().unwrap();
        assert_eq!(semaphore.available(), 1);
    });
}

/// `[semaphore-5]` A loop that is closed over a task that waits, against the grant, and a thread behind it, which has the
/// permit each time.
pub(crate) fn a_loop_that_closes_against_a_grant() {
    explore_bounded("semaphore_close", &["task", "thread"], |seen| {
        let semaphore = Semaphore::new(1);
        let permit = semaphore.try_acquire().unwrap().into_owned();
        let event_loop = EventLoop::new();
        let awaited = semaphore.clone();
        let task = async move { drop(awaited.acquire_async().await) };
        let task = event_loop.create_task(task).unwrap();
        event_loop.try_tick().unwrap();
        let behind = thread::spawn({
            let semaphore = semaphore.clone();
            move || drop(semaphore.acquire().unwrap())
        });
        let giver = thread::spawn(move || drop(permit));
        event_loop.try_tick().unwrap();
        saw(seen, if task.done() { "task" } else { "thread" });
        event_loop.close();
        behind.join().unwrap();
        giver.join().unwrap();
        assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 1, of: 1, waiting: 0 }");
    });
}

/// `[semaphore-5]` Two loops, each closed in its thread over a task that waits, against the grant: it is handed on from one to
/// the other, and is back in the end.
pub(crate) fn two_loops_that_close_against_a_grant() {
    fn waits(semaphore: &Semaphore) -> EventLoop {
        let (event_loop, awaited) = (EventLoop::new(), semaphore.clone());
        let task = async move { drop(awaited.acquire_async().await) };
        drop(event_loop.create_task(task).unwrap());
        event_loop.try_tick().unwrap();
        event_loop
    }
    explore_bounded("semaphore_closes", &["free", "held"], |seen| {
        let semaphore = Semaphore::new(1);
        let permit = semaphore.try_acquire().unwrap().into_owned();
        let first = waits(&semaphore);
        let second = thread::spawn({
            let semaphore = semaphore.clone();
            move || waits(&semaphore).close()
        });
        let giver = thread::spawn(move || drop(permit));
        first.close();
        saw(seen, if semaphore.available() == 1 { "free" } else { "held" });
        second.join().unwrap();
        giver.join().unwrap();
        assert_eq!(format!("{semaphore:?}"), "Semaphore { available: 1, of: 1, waiting: 0 }");
    });
}

/// `[semaphore-8]` What is done with a permit is seen by the next who has it: nothing else orders it.
pub(crate) fn what_is_done_with_a_permit_is_seen() {
    explore("semaphore_order", &["first", "second"], |seen: &Seen| {
        let (semaphore, count) = (Semaphore::new(1), Arc::new(AtomicU32::new(0)));
        let adds = |semaphore: Semaphore, count: Arc<AtomicU32>| {
            move || {
                let _permit = semaphore.acquire().unwrap();
                let last = count.load(Ordering::Relaxed);
                count.store(last + 1, Ordering::Relaxed);
                last
            }
        };
        let other = thread::spawn(adds(semaphore.clone(), Arc::clone(&count)));
        let last = adds(semaphore, count)();
        saw(seen, if last == 0 { "first" } else { "second" });
        assert_eq!(last + other.join().unwrap(), 1);
    });
}

/// `[semaphore-8]` The same where one passes by the word alone, and another has the lock meanwhile, who looks.
pub(crate) fn what_is_given_while_another_looks_is_seen() {
    explore("semaphore_word", &["early", "late"], |seen: &Seen| {
        let (semaphore, written) = (Semaphore::new(1), Arc::new(AtomicU32::new(0)));
        let permit = semaphore.try_acquire().unwrap();
        let looks = thread::spawn({
            let semaphore = semaphore.clone();
            move || format!("{semaphore:?}")
        });
        let tries = thread::spawn({
            let (semaphore, written) = (semaphore.clone(), Arc::clone(&written));
            move || semaphore.try_acquire().map(|_permit| written.load(Ordering::Relaxed))
        });
        written.store(7, Ordering::Relaxed);
        drop(permit);
        let read = tries.join().unwrap();
        assert!(read.is_none_or(|read| read == 7));
        saw(seen, if read.is_some() { "late" } else { "early" });
        looks.join().unwrap();
    });
}

/// `[event-3]` `[event-4]` One who waits and a task against one who sets it: both go on, and see what was done before.
pub(crate) fn what_is_done_before_it_is_set_is_seen() {
    explore_bounded("event_order", &["late", "waited"], |seen| {
        let (event, written) = (Event::new(), Arc::new(AtomicU32::new(0)));
        let setter = thread::spawn({
            let (event, written) = (event.clone(), Arc::clone(&written));
            move || {
                written.store(7, Ordering::Relaxed);
                event.set();
            }
        });
        let task = thread::spawn({
            let (event, written) = (event.clone(), Arc::clone(&written));
            move || {
                block_on(event.wait_async());
                written.load(Ordering::Relaxed)
            }
        });
        saw(seen, if event.is_set() { "late" } else { "waited" });
        event.wait().unwrap();
        assert_eq!(written.load(Ordering::Relaxed), 7);
        assert_eq!(task.join().unwrap(), 7);
        setter.join().unwrap();
    });
}

/// `[event-4]` The same for one who stands in the line and looks before he is told: he goes on by the word alone.
pub(crate) fn what_is_done_before_whoever_looks_is_told_is_seen() {
    explore("event_early", &["early", "told"], |seen| {
        let (event, written) = (Event::new(), Arc::new(AtomicU32::new(0)));
        let mut future = event.wait_async();
        assert!(poll_once(&mut future).is_pending());
        let setter = thread::spawn({
            let (event, written) = (event.clone(), Arc::clone(&written));
            move || {
                written.store(7, Ordering::Relaxed);
                event.set();
            }
        });
        let is_told = poll_once(&mut future).is_ready();
        assert!(!is_told || written.load(Ordering::Relaxed) == 7);
        saw(seen, if is_told { "told" } else { "early" });
        setter.join().unwrap();
    });
}

/// `[event-4]` Whoever clears an event that was set sees what was done before, and so does whoever sets one that was cleared:
/// who was last shows in the end.
pub(crate) fn whoever_clears_sees_what_was_done() {
    fn last_of_two<const IS_SET: bool>(seen: &Seen) {
        fn put(event: &Event, is_set: bool) {
            if is_set { event.set() } else { event.clear() }
        }
        let (event, written) = (Event::new(), Arc::new(AtomicU32::new(0)));
        let looks = thread::spawn({
            let (event, written) = (event.clone(), Arc::clone(&written));
            move || {
                put(&event, IS_SET);
                written.load(Ordering::Relaxed)
            }
        });
        written.store(7, Ordering::Relaxed);
        put(&event, !IS_SET);
        let read = looks.join().unwrap();
        let is_last = event.is_set() == IS_SET;
        assert!(!is_last || read == 7);
        saw(seen, if is_last { "last" } else { "first" });
    }
    explore("event_clear", &["first", "last"], last_of_two::<false>);
    explore("event_set", &["first", "last"], last_of_two::<true>);
}

/// `[lock-1]` Two threads and a lock: each has the value once, with what the other made of it.
pub(crate) fn a_lock_against_itself() {
    explore("lock", &["first", "second"], |seen: &Seen| {
        let lock = Lock::new(0);
        let adds = |lock: Lock<u32>| {
            move || {
                let mut value = lock.lock().unwrap();
                *value += 1;
                *value
            }
        };
        let other = thread::spawn(adds(lock.clone()));
        let mine = adds(lock.clone())();
        saw(seen, if mine == 1 { "first" } else { "second" });
        assert_eq!(mine + other.join().unwrap(), 3);
        assert_eq!(*lock.try_lock().unwrap(), 2);
    });
}

/// `[condition-1]` `[condition-2]` Two futures, each with a lock of its own, that are polled and dropped against a notice.
pub(crate) fn two_futures_against_a_notice() {
    for (acts, many) in [([&[Look, Look][..], &[Look, Leave]], 1), ([&[Look, Leave], &[Look]], 2)] {
        explore_histories("condition_futures", bound(), move |history: &Calls<Notices<Caller>>| {
            let (condition, wakes) = (Condition::new(), Wakes::default());
            let threads: Vec<_> = (1_u8..)
                .zip(acts)
                .map(|(who, acts)| {
                    let (history, wakes) = (history.clone(), wakes.clone());
                    let condition = condition.clone();
                    thread::spawn(move || {
                        let lock = Lock::new(());
                        let guard = lock.try_lock().unwrap();
                        drop(do_these(&history, &wakes, who, condition.wait_async(guard), acts));
                    })
                })
                .collect();
            call(history, Call::Notify(many), || condition.notify_n(many), |()| Told::Done);
            for thread in threads {
                thread.join().unwrap();
            }
            let waiting = |it: &String| Told::Left(usize::from(!it.contains("waiting: 0")), 0);
            call(history, Call::Left, || format!("{condition:?}"), waiting);
            woken(history, &wakes);
            Spec::new(Notices::new())
        });
    }
}

/// `[condition-1]` `[condition-4]` A thread that waits until it is so against one who makes it so and notifies: nothing comes
/// between its look and its wait.
pub(crate) fn a_thread_against_a_notice() {
    explore("condition_thread", &["late", "waited"], |seen: &Seen| {
        let (lock, condition) = (Lock::new(false), Condition::new());
        let makes_it_so = thread::spawn({
            let (lock, condition) = (lock.clone(), condition.clone());
            move || {
                *lock.lock().unwrap() = true;
                condition.notify();
            }
        });
        let mut looks = 0;
        let mut guard = lock.lock().unwrap();
        let is_so = |it: &mut bool| {
            looks += 1;
            *it
        };
        condition.wait_for(&mut guard, is_so).unwrap();
        assert!(*guard);
        drop(guard);
        saw(seen, if looks == 1 { "late" } else { "waited" });
        makes_it_so.join().unwrap();
        assert_eq!(format!("{condition:?}"), "Condition { waiting: 0 }");
    });
}

/// `[condition-2]` `[condition-3]` A wait that has its time, one that has none, and a notice for one of them: whoever has it
/// takes what was brought, and the second goes on in the end.
pub(crate) fn an_expiry_against_a_notice() {
    explore_bounded("condition_expiry", &["expired", "has it"], |seen| {
        let (timer, lock, condition) = (Timer::new(), Lock::new(0_u32), Condition::new());
        let brings = |lock: &Lock<u32>, condition: &Condition| {
            *lock.lock().unwrap() += 1;
            condition.notify();
        };
        let first = thread::spawn({
            let (lock, condition) = (lock.clone(), condition.clone());
            move || {
                let mut guard = lock.lock().unwrap();
                let is_so = |it: &mut u32| *it > 0;
                let end = condition.wait_for_timeout(&mut guard, is_so, Duration::from_secs(1));
                *guard -= u32::from(end.is_ok());
                drop(guard);
                if end.is_ok() {
                    brings(&lock, &condition);
                }
                end.is_ok()
            }
        });
        let ticking = thread::spawn(timer.alarm());
        brings(&lock, &condition);
        let guard = block_on(lock.lock_async());
        let mut guard = block_on(Box::pin(condition.wait_for_async(guard, |it| *it > 0)));
        *guard -= 1;
        drop(guard);
        // A time that began when the timer had gone off never ends.
        brings(&lock, &condition);
        saw(seen, if first.join().unwrap() { "has it" } else { "expired" });
        ticking.join().unwrap();
        assert_eq!(*lock.try_lock().unwrap(), 1);
    });
}

/// `[condition-2]` `[condition-3]` A wait whose time passes as it is notified, before another who waits: exactly one of them
/// goes on.
pub(crate) fn an_expiry_with_a_notice_before_another() {
    explore_bounded("condition_leaves", &["the first", "the second"], |seen: &Seen| {
        let (timer, condition, is_over) = (Timer::new(), Condition::new(), Lock::new(false));
        let notifies = thread::spawn({
            let (condition, is_over) = (condition.clone(), is_over.clone());
            move || {
                let mut second = None;
                if format!("{condition:?}").contains("waiting: 1") {
                    let mut future =
                        condition.wait_async(Lock::new(()).try_lock().unwrap().into_owned());
                    let polled = poll_once(&mut future);
                    assert!(polled.is_pending());
                    second = Some(future);
                }
                condition.notify();
                let goes_on = second.as_mut().map(|future| poll_once(future).is_ready());
                // For a first who comes after that.
                *is_over.lock().unwrap() = true;
                condition.notify_all();
                goes_on
            }
        });
        let ticking = thread::spawn(timer.alarm());
        let mut guard = is_over.lock().unwrap();
        let first = !*guard && condition.wait_timeout(&mut guard, Duration::from_secs(1)).is_ok();
        drop(guard);
        if let Some(second) = notifies.join().unwrap() {
            assert_ne!(first, second, "whether the first and the second have gone on");
            saw(seen, if first { "the first" } else { "the second" });
        }
        ticking.join().unwrap();
    });
}

/// Polls it with a waker of nobody's.
fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    let waker = Waker::from(Arc::new(Counter::default()));
    Pin::new(future).poll(&mut Context::from_waker(&waker))
}

/// `[condition-5]` `[condition-6]` What was done before a notice is seen by who goes on for it, without the lock.
pub(crate) fn what_is_done_before_a_notice_is_seen() {
    explore("condition_order", &["waited"], |seen: &Seen| {
        let (condition, written) = (Condition::new(), Arc::new(AtomicU32::new(0)));
        let lock = Lock::new(());
        let mut future = condition.wait_async(lock.try_lock().unwrap());
        let waker = Waker::from(Arc::new(Counter::default()));
        assert!(Pin::new(&mut future).poll(&mut Context::from_waker(&waker)).is_pending());
        let notifies = thread::spawn({
            let written = Arc::clone(&written);
            move || {
                written.store(7, Ordering::Relaxed);
                condition.notify();
            }
        });
        drop(block_on(future));
        assert_eq!(written.load(Ordering::Relaxed), 7);
        saw(seen, "waited");
        notifies.join().unwrap();
    });
}

/// `[condition-5]` A loop that is closed over a task that waits, against the notice: either the task has gone on, or the next
/// who was there does.
pub(crate) fn a_loop_that_closes_against_a_notice() {
    explore("condition_close", &["task", "next"], |seen: &Seen| {
        let (lock, condition, event_loop) = (Lock::new(()), Condition::new(), EventLoop::new());
        let (shared, waited) = (lock.clone(), condition.clone());
        let task = async move { drop(waited.wait_async(shared.lock_async().await).await) };
        let task = event_loop.create_task(task).unwrap();
        event_loop.try_tick().unwrap();
        let mine = Lock::new(());
        let mut next = condition.wait_async(mine.try_lock().unwrap());
        assert!(poll_once(&mut next).is_pending());
        let notifies = thread::spawn({
            let condition = condition.clone();
            move || condition.notify()
        });
        event_loop.try_tick().unwrap();
        let has_gone_on = task.done();
        saw(seen, if has_gone_on { "task" } else { "next" });
        event_loop.close();
        notifies.join().unwrap();
        assert_eq!(poll_once(&mut next).is_ready(), !has_gone_on);
        assert!(!lock.is_locked());
    });
}

/// `[barrier-1]` A thread and a task that come to a barrier: both go on, with a number each, and see what the other did before.
pub(crate) fn a_thread_and_a_task_at_a_barrier() {
    explore("barrier", &["first", "second"], |seen: &Seen| {
        let (barrier, done) = (Barrier::new(2), [(); 2].map(|()| Arc::new(AtomicU32::new(0))));
        let task = thread::spawn({
            let (barrier, done) = (barrier.clone(), done.clone());
            move || {
                done[0].store(1, Ordering::Relaxed);
                let number = block_on(barrier.wait_async()).unwrap();
                assert_eq!(done[1].load(Ordering::Relaxed), 1);
                number
            }
        });
        done[1].store(1, Ordering::Relaxed);
        let number = barrier.wait().unwrap();
        assert_eq!(done[0].load(Ordering::Relaxed), 1);
        assert_eq!(number + task.join().unwrap(), 1);
        saw(seen, if number == 0 { "first" } else { "second" });
        assert!(barrier.waiting() == 0 && !barrier.is_broken());
    });
}

/// `[barrier-2]` `[barrier-4]` One who is polled once and dropped, against one who waits: they go on together, or it is broken.
pub(crate) fn one_who_leaves_against_the_last() {
    explore("barrier_leaves", &["together", "broken"], |seen: &Seen| {
        let barrier = Barrier::new(2);
        let leaves = thread::spawn({
            let barrier = barrier.clone();
            move || {
                let waker = Waker::from(Arc::new(Counter::default()));
                let mut future = barrier.wait_async();
                let poll = Pin::new(&mut future).poll(&mut Context::from_waker(&waker));
                drop(future);
                poll
            }
        });
        let end = barrier.wait();
        let other = leaves.join().unwrap();
        match end {
            Ok(_) => saw(seen, "together"),
            Err(BarrierError::Broken(_)) => {
                assert!(other.is_pending());
                saw(seen, "broken");
            }
            Err(other) => panic!("{other:?}"),
        }
        assert_eq!(barrier.is_broken(), end.is_err());
    });
}

/// `[barrier-2]` `[barrier-3]` A wait that has its time against the last, who comes, and the timer.
pub(crate) fn an_expiry_against_the_last() {
    explore_bounded("barrier_expiry", &["together", "broken"], |seen| {
        let (timer, barrier) = (Timer::new(), Barrier::new(2));
        let last = thread::spawn({
            let barrier = barrier.clone();
            move || block_on(barrier.wait_async())
        });
        let ticking = thread::spawn(timer.alarm());
        let end = barrier.wait_timeout(Duration::from_secs(1));
        match (end, last.join().unwrap()) {
            (Ok(mine), Ok(other)) => {
                assert_eq!(mine + other, 1);
                saw(seen, "together");
            }
            (Err(BarrierError::Wait(WaitError::Expired(Expired))), Err(_)) => saw(seen, "broken"),
            other => panic!("{other:?}"),
        }
        ticking.join().unwrap();
    });
}
