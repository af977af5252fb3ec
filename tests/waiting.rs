//! `wait` and `as_completed`, clause by clause.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

/// How the crate finds out which of many cells are the same.
#[path = "../src/addresses.rs"]
mod addresses;

/// What that needs of the crate.
mod cell {
    pub(crate) type Address = std::num::NonZero<usize>;
}

use std::{
    hash::BuildHasher,
    num::NonZero,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use settled::{
    AsCompleted, Executor, Failure, JoinError, Promise, ReturnWhen, ThreadFuture, ThreadPool,
    WaitError, WouldDeadlock, as_completed, context, wait,
};

type Future = ThreadFuture<usize, &'static str>;

const EVERY: [ReturnWhen; 3] =
    [ReturnWhen::FirstCompleted, ReturnWhen::FirstException, ReturnWhen::AllCompleted];

/// More than any test takes; a wait that needs it has failed.
const LONG: Duration = Duration::from_secs(600);

fn pending(count: usize) -> (Vec<Promise<usize, &'static str>>, Vec<Future>) {
    (0..count).map(|_| Future::pair()).unzip()
}

fn finished(value: usize) -> Future {
    let (promise, future) = Future::pair();
    promise.finish(value).unwrap();
    future
}

fn places<T>(parted: &[(usize, T)]) -> Vec<usize> {
    parted.iter().map(|(place, _)| *place).collect()
}

#[test]
fn nothing_is_waited_for_at_no_cost() {
    watch!();
    let none: [Future; 0] = [];
    for when in EVERY {
        let (done, not_done) = wait(&none, None, when).unwrap();
        assert!(done.is_empty() && not_done.is_empty());
        // Not even a loop's thread is refused.
        let _guard = context::enter_loop();
        assert!(wait(&none, None, when).is_ok());
    }
    let mut none = as_completed(&none, None);
    assert_eq!(none.size_hint(), (0, Some(0)));
    assert!(none.next().is_none());
}

#[test]
fn a_future_counts_once() {
    watch!();
    let (one, other) = (finished(1), finished(2));
    let twice = [one.clone(), other.clone(), one.clone(), one];
    for when in EVERY {
        let (done, not_done) = wait(&twice, None, when).unwrap();
        assert_eq!((places(&done), not_done.len()), (vec![0, 1], 0));
    }
    let yielded: Vec<_> = as_completed(&twice, None).map(|item| item.unwrap().0).collect();
    assert_eq!(yielded, [0, 1]);
    let (_promise, pending) = Future::pair();
    let (done, not_done) = wait([&pending, &pending], Some(Duration::ZERO), EVERY[2]).unwrap();
    assert_eq!((done.len(), places(&not_done)), (0, vec![0]));
}

#[test]
fn a_cancelled_future_is_done() {
    watch!();
    let (_promises, futures) = pending(3);
    for future in &futures {
        future.cancel();
    }
    for when in EVERY {
        let (done, not_done) = wait(&futures, None, when).unwrap();
        assert_eq!((done.len(), not_done.len()), (3, 0));
    }
    assert_eq!(as_completed(&futures, None).filter(Result::is_ok).count(), 3);
    // Also one that is cancelled while it is waited for, and whose promise nobody touches.
    let (_promise, future) = Future::pair();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| wait([&future], None, EVERY[2]).unwrap().0.len());
        future.cancel();
        assert_eq!(waiting.join().unwrap(), 1);
    });
}

#[test]
fn the_first_is_enough_if_asked_for() {
    watch!();
    let (mut promises, futures) = pending(3);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let (done, not_done) = wait(&futures, None, ReturnWhen::FirstCompleted).unwrap();
            (places(&done), places(&not_done))
        });
        promises.remove(1).finish(7).unwrap();
        assert_eq!(waiting.join().unwrap(), (vec![1], vec![0, 2]));
    });
}

#[test]
fn the_first_failure_is_enough_if_asked_for() {
    watch!();
    // Not a value, and not a cancel.
    let (promises, futures) = pending(2);
    let (cancelled, value) = (Future::pair(), finished(1));
    cancelled.1.cancel();
    let all = [&futures[0], &cancelled.1, &value, &futures[1]];
    let (begin, short) = (Instant::now(), Duration::from_millis(20));
    let (done, _) = wait(all, Some(short), ReturnWhen::FirstException).unwrap();
    assert_eq!(places(&done), [1, 2]);
    assert!(begin.elapsed() >= short, "it went on waiting");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let (done, not_done) = wait(all, None, ReturnWhen::FirstException).unwrap();
            (places(&done), places(&not_done))
        });
        let mut promises = promises.into_iter();
        promises.next().unwrap().fail("no").unwrap();
        assert_eq!(waiting.join().unwrap(), (vec![0, 1, 2], vec![3]));
        // An abandonment is a failure as well.
        drop(promises.next().unwrap().start().unwrap());
        let (done, _) = wait([&futures[1]], None, ReturnWhen::FirstException).unwrap();
        assert_eq!(done.len(), 1);
    });
    // Without a failure it waits for all.
    let (done, not_done) = wait([&value], None, ReturnWhen::FirstException).unwrap();
    assert_eq!((done.len(), not_done.len()), (1, 0));
}

#[test]
fn the_end_of_a_timeout_is_no_error() {
    watch!();
    let (_promises, mut futures) = pending(2);
    futures.push(finished(1));
    let (begin, timeout) = (Instant::now(), Duration::from_millis(30));
    let (done, not_done) = wait(&futures, Some(timeout), ReturnWhen::AllCompleted).unwrap();
    assert!(begin.elapsed() >= timeout, "not before its time");
    assert_eq!((places(&done), places(&not_done)), (vec![2], vec![0, 1]));
    // One that is too long for the clock is none.
    assert!(wait([&futures[2]], Some(Duration::MAX), ReturnWhen::AllCompleted).is_ok());
}

#[test]
fn a_zero_timeout_only_looks() {
    watch!();
    let (_promises, mut futures) = pending(1);
    futures.push(finished(1));
    let _guard = context::enter_loop();
    for when in EVERY {
        let (done, not_done) = wait(&futures, Some(Duration::ZERO), when).unwrap();
        assert_eq!((places(&done), places(&not_done)), (vec![1], vec![0]));
    }
    let mut iterator = as_completed(&futures, Some(Duration::ZERO));
    assert_eq!(iterator.next().unwrap().unwrap().0, 1);
    assert!(matches!(iterator.next(), Some(Err(WaitError::Expired(_)))));
}

#[test]
fn a_loop_thread_does_not_block_for_several() {
    watch!();
    let (_promises, futures) = pending(2);
    let _guard = context::enter_loop();
    for when in EVERY {
        assert_eq!(
            wait(&futures, None, when).unwrap_err(),
            WaitError::WouldDeadlock(WouldDeadlock::EventLoop)
        );
    }
    let mut iterator = as_completed(&futures, None);
    let refused = Some(Err(WaitError::WouldDeadlock(WouldDeadlock::EventLoop)));
    assert_eq!(iterator.next().map(|item| item.map(|_| ())), refused);
    assert!(iterator.next().is_none(), "an error is the end");
    // What is settled is answered there too.
    let settled = finished(1);
    let (done, _) = wait([&settled], None, ReturnWhen::AllCompleted).unwrap();
    assert_eq!(done.len(), 1);
}

#[test]
fn they_are_yielded_in_the_order_in_which_they_settle() {
    watch!();
    let (mut promises, mut futures) = pending(3);
    futures.insert(1, finished(9));
    let mut iterator = as_completed(&futures, None);
    assert_eq!(iterator.size_hint(), (1, Some(4)));
    promises.pop().unwrap().finish(3).unwrap();
    promises.remove(0).fail("no").unwrap();
    // The one that was settled, then 3 and 0; the values go with their places.
    let item = |item: Option<Result<_, _>>| -> (usize, Option<usize>) {
        let (place, settled): (usize, &settled::Settled<usize, &str>) = item.unwrap().unwrap();
        (place, settled.result().ok().copied())
    };
    assert_eq!(item(iterator.next()), (1, Some(9)));
    assert_eq!(item(iterator.next()), (3, Some(3)));
    assert_eq!(item(iterator.next()), (0, None));
    thread::scope(|scope| {
        scope.spawn(|| promises.pop().unwrap().finish(2).unwrap());
        assert_eq!(item(iterator.next()), (2, Some(2)));
    });
    assert!(iterator.next().is_none() && iterator.next().is_none());
}

#[test]
fn what_is_ready_is_yielded_before_the_expiry() {
    watch!();
    let (mut promises, futures) = pending(2);
    let (begin, timeout) = (Instant::now(), Duration::from_millis(30));
    let mut iterator = as_completed(&futures, Some(timeout));
    let not_done = wait([&futures[0]], Some(timeout), ReturnWhen::AllCompleted).unwrap().1;
    assert_eq!(not_done.len(), 1);
    // The deadline has passed by now; the clock of the iterator started with the call.
    promises.remove(1).finish(1).unwrap();
    assert_eq!(iterator.next().unwrap().unwrap().0, 1);
    assert!(matches!(iterator.next(), Some(Err(WaitError::Expired(_)))));
    assert!(begin.elapsed() >= timeout, "not before its time");
    assert!(iterator.next().is_none(), "an error is the end");
    // The futures are as they were.
    promises.remove(0).finish(0).unwrap();
    assert_eq!(futures[0].result().unwrap(), &0);
}

#[test]
fn nothing_is_left_behind_and_nothing_is_consumed() {
    watch!();
    let (promises, futures) = pending(3);
    assert!(wait(&futures, Some(Duration::ZERO), ReturnWhen::AllCompleted).is_ok());
    drop(as_completed(&futures, None));
    let iterator = as_completed(&futures, None);
    for (number, promise) in promises.into_iter().enumerate() {
        promise.finish(number).unwrap();
    }
    let yielded: Vec<_> = iterator.map(|item| item.unwrap().0).collect();
    assert_eq!(yielded, [0, 1, 2]);
    // The settler gave its handle up, and so did everybody who waited.
    for (number, future) in futures.into_iter().enumerate() {
        assert_eq!(future.into_settled().unwrap().take().unwrap().unwrap(), number);
    }
}

#[test]
fn many_threads_settle_what_many_threads_wait_for() {
    watch!();
    const THREADS: usize = 4;
    const EACH: usize = 500;
    for round in 0..20 {
        let (promises, futures) = pending(THREADS * EACH);
        let mut shares: Vec<Vec<_>> = (0..THREADS).map(|_| Vec::new()).collect();
        for (number, promise) in promises.into_iter().enumerate() {
            shares[(number + round) % THREADS].push((number, promise));
        }
        thread::scope(|scope| {
            for share in shares {
                scope.spawn(move || {
                    for (number, promise) in share {
                        match number % 3 {
                            0 => promise.finish(number).unwrap(),
                            1 => promise.fail("no").unwrap(),
                            _ => drop(promise),
                        }
                    }
                });
            }
            scope.spawn(|| {
                let (done, not_done) =
                    wait(&futures, Some(LONG), ReturnWhen::AllCompleted).unwrap();
                assert_eq!((done.len(), not_done.len()), (THREADS * EACH, 0));
            });
            let mut seen = vec![0; futures.len()];
            for item in as_completed(&futures, Some(LONG)) {
                seen[item.unwrap().0] += 1;
            }
            assert!(seen.iter().all(|times| *times == 1), "each is yielded once");
        });
    }
}

#[test]
fn many_threads_wait_in_opposite_orders() {
    watch!();
    for _ in 0..200 {
        let (mut promises, futures) = pending(2);
        thread::scope(|scope| {
            for reversed in [false, true, false, true] {
                let mut order = [&futures[0], &futures[1]];
                if reversed {
                    order.reverse();
                }
                scope.spawn(move || {
                    let (done, _) = wait(order, Some(LONG), ReturnWhen::AllCompleted).unwrap();
                    assert_eq!(done.len(), 2);
                });
            }
            promises.pop().unwrap().finish(1).unwrap();
            promises.pop().unwrap().finish(0).unwrap();
        });
    }
}

#[test]
fn a_shut_down_queue_keeps_nobody_waiting() {
    watch!();
    use settled::{Executor, ThreadPool};
    let pool = ThreadPool::builder().workers(std::num::NonZero::<usize>::MIN).build();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let running = pool.submit(move || released.recv().is_err()).unwrap();
    while !running.running() {
        thread::yield_now();
    }
    let queued: Vec<_> = (0..3).map(|_| pool.submit(|| true).unwrap()).collect();
    pool.close();
    pool.cancel_pending();
    // Nobody acknowledges anything any more, and nobody needs to.
    let (done, not_done) = wait(&queued, None, ReturnWhen::AllCompleted).unwrap();
    assert_eq!((done.len(), not_done.len()), (3, 0));
    assert!(done.iter().all(|(_, settled)| settled.cancelled()));
    assert_eq!(as_completed(&queued, None).filter(Result::is_ok).count(), 3);
    drop(release);
    assert_eq!(running.result().unwrap(), &true);
}

#[test]
fn debug_says_how_many_are_left() {
    watch!();
    let futures = [finished(1), finished(2)];
    let mut completed = as_completed(&futures, None);
    assert_eq!(format!("{completed:?}"), "AsCompleted { left: 2, .. }");
    assert!(completed.next().is_some());
    assert_eq!(format!("{completed:?}"), "AsCompleted { left: 1, .. }");
}

/// What is owned by nobody but its struct.
struct Batch<T> {
    results: AsCompleted<ThreadFuture<T, &'static str>>,
}

#[test]
fn futures_by_value_give_their_outcomes_by_value() {
    watch!();
    // Neither `Clone` nor `Sync`.
    type Value = std::cell::Cell<Box<usize>>;
    let (promises, futures): (Vec<_>, Vec<_>) =
        (0..4).map(|_| ThreadFuture::<Value, &str>::pair()).unzip();
    let mut batch = Batch { results: as_completed(futures, None) };
    let [zero, one, two, three] = promises.try_into().unwrap();
    two.finish(Value::new(Box::new(2))).unwrap();
    zero.fail("no").unwrap();
    drop(three);
    let collecting = thread::spawn(move || {
        let settled: Vec<_> = batch.results.by_ref().take(3).map(Result::unwrap).collect();
        assert_eq!(batch.results.left(), 1);
        (settled, batch)
    });
    let (settled, mut batch) = collecting.join().unwrap();
    let settled: Vec<_> = settled
        .into_iter()
        .map(|(place, it)| (place, it.map(|value| *value.into_inner())))
        .collect();
    let dropped = Failure::from(settled::Cancelled::Dropped);
    let failed = JoinError::Failed(Failure::Error("no"));
    assert_eq!(settled, [(2, Ok(2)), (0, Err(failed)), (3, Err(JoinError::Failed(dropped)))]);
    one.finish(Value::new(Box::new(1))).unwrap();
    let (place, value) = batch.results.next().unwrap().unwrap();
    assert_eq!((place, *value.unwrap().into_inner()), (1, 1));
    assert!(batch.results.next().is_none());
}

#[test]
fn of_handles_by_value_of_one_future_the_first_counts() {
    watch!();
    let (one, other) = (finished(1), finished(2));
    let kept = other.clone();
    let yielded = as_completed([one.clone(), other, one], None);
    let yielded: Vec<_> = yielded.map(Result::unwrap).collect();
    assert_eq!(yielded, [(0, Ok(1)), (1, Err(JoinError::Shared))]);
    assert_eq!(kept.join().unwrap(), 2, "who keeps a handle keeps the value");
}

#[test]
fn an_outcome_by_value_is_yielded_when_its_callbacks_have_returned() {
    watch!();
    let (promises, futures) = pending(2);
    let (begun, begins) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    futures[0].add_done_callback(move |settled| {
        begun.send(()).unwrap();
        let _ = released.recv();
        assert_eq!(settled.result().unwrap(), &10);
    });
    let [zero, one] = promises.try_into().unwrap();
    let mut results = as_completed(futures, None);
    let settler = thread::spawn(move || zero.finish(10).unwrap());
    begins.recv().unwrap();
    one.finish(11).unwrap();
    // The first is settled, and its callback reads it.
    assert_eq!(results.next().unwrap().unwrap(), (1, Ok(11)));
    drop(release);
    assert_eq!(results.next().unwrap().unwrap(), (0, Ok(10)));
    settler.join().unwrap();
}

#[test]
fn what_was_not_yielded_comes_back() {
    watch!();
    let (promises, futures) = pending(4);
    let [zero, one, two, three] = promises.try_into().unwrap();
    let mut results = as_completed(futures, Some(Duration::ZERO));
    one.finish(11).unwrap();
    assert_eq!(results.next().unwrap().unwrap(), (1, Ok(11)));
    assert_eq!(results.next().unwrap().unwrap_err(), WaitError::Expired(settled::Expired));
    assert!(results.next().is_none());
    // It settles when nobody waits for it any more.
    two.finish(12).unwrap();
    assert_eq!(results.left(), 3);
    let mut left = results.into_left();
    assert_eq!(places(&left), [0, 2, 3]);
    let (_, last) = left.pop().unwrap();
    assert!(format!("{last:?}").contains("waiters: 0"), "{last:?}");
    three.finish(13).unwrap();
    assert_eq!(last.join().unwrap(), 13);
    assert_eq!(left.pop().unwrap().1.join().unwrap(), 12);
    drop(left);
    assert!(zero.is_closed(), "the last handle is gone");
}

#[test]
fn an_outcome_by_value_is_not_waited_for_inside_its_own_callback() {
    watch!();
    let (promises, futures) = pending(2);
    let [own, other] = promises.try_into().unwrap();
    let given = futures[0].clone();
    let (tell, told) = mpsc::channel();
    let mut second = Some(futures[1].clone());
    futures[0].add_done_callback(move |_| {
        other.finish(11).unwrap();
        let mut results = as_completed([given, second.take().unwrap()], None);
        tell.send(results.next().unwrap().unwrap()).unwrap();
        assert_eq!(
            results.next().unwrap().unwrap_err(),
            WaitError::WouldDeadlock(WouldDeadlock::Lent)
        );
        tell.send((results.left(), Err(JoinError::Shared))).unwrap();
    });
    own.finish(10).unwrap();
    assert_eq!(told.recv().unwrap().0, 1, "what others settle is yielded");
    assert_eq!(told.recv().unwrap().0, 1);
}

#[test]
fn a_worker_helps_with_futures_by_value() {
    watch!();
    let pool = std::sync::Arc::new(ThreadPool::new(NonZero::<usize>::MIN));
    let inner = std::sync::Arc::clone(&pool);
    let outer = pool.submit(move || {
        let jobs: Vec<_> = (0..3).map(|n| inner.submit(move || n).unwrap()).collect();
        as_completed(jobs, None).map(|item| item.unwrap().1.unwrap()).sum::<u32>()
    });
    assert_eq!(outer.unwrap().join().unwrap(), 3);
    // Its own outcome by value, inside the job that makes it.
    let (give, given) = mpsc::channel::<ThreadFuture<bool, _>>();
    let own = pool.submit(move || {
        let circle = WaitError::WouldDeadlock(WouldDeadlock::Circle);
        as_completed([given.recv().unwrap()], None).next().unwrap().is_err_and(|it| it == circle)
    });
    let own = own.unwrap();
    give.send(own.clone()).unwrap();
    assert_eq!(own.result().unwrap(), &true);
}

/// Calls `f` in so many callbacks inside each other that those which it registers late are deferred.
fn inside_many(depth: usize, f: Box<dyn FnOnce() + Send>) {
    if depth == 0 {
        return f();
    }
    let (promise, future) = Future::pair();
    future.add_done_callback(move |_| inside_many(depth - 1, f));
    promise.finish(0).unwrap();
}

#[test]
fn an_outcome_by_value_is_waited_for_when_it_is_lent_anew() {
    watch!();
    let (promise, future) = Future::pair();
    let late = future.clone();
    let mut results = as_completed([future], Some(Duration::from_millis(20)));
    // The inbox is told of it here.
    promise.finish(5).unwrap();
    let ((deferred, defers), (release, released)) = (mpsc::channel(), mpsc::channel::<()>());
    let lender = thread::spawn(move || {
        let inside: Box<dyn FnOnce() + Send> = Box::new(move || {
            late.add_done_callback(|settled| assert_eq!(settled.result().unwrap(), &5));
            drop(late);
            deferred.send(()).unwrap();
            let _ = released.recv();
        });
        inside_many(32, inside);
    });
    defers.recv().unwrap();
    assert_eq!(results.next().unwrap().unwrap_err(), WaitError::Expired(settled::Expired));
    drop(release);
    assert_eq!(results.into_left().remove(0).1.join().unwrap(), 5);
    lender.join().unwrap();
}

#[test]
fn an_iterator_that_has_moved_waits_as_whoever_iterates_it() {
    watch!();
    // Made outside of the callback inside which it is iterated.
    let (promise, future) = Future::pair();
    let ((tell, told), lends) = (mpsc::channel(), future.clone());
    let mut results = as_completed([future], None);
    lends.add_done_callback(move |_| tell.send(results.next().unwrap().unwrap_err()).unwrap());
    promise.finish(5).unwrap();
    assert_eq!(told.recv().unwrap(), WaitError::WouldDeadlock(WouldDeadlock::Lent));
    // Made outside of the worker that iterates it, and alone can run what it waits for.
    let pool = ThreadPool::new(NonZero::<usize>::MIN);
    let (give, given) = mpsc::channel::<AsCompleted<ThreadFuture<u32, _>>>();
    let outer = pool.submit(move || {
        let results = given.recv().unwrap();
        results.map(|item| item.unwrap().1.unwrap()).sum::<u32>()
    });
    let jobs: Vec<_> = (1..=2).map(|n| pool.submit(move || n).unwrap()).collect();
    give.send(as_completed(jobs, None)).unwrap();
    assert_eq!(outer.unwrap().join().unwrap(), 3);
}

/// How many groups of places a table looks at, each by sixteen, as that of `std` does: it takes in cells at these addresses,
/// for which it has as much room as it wants.
fn groups(addresses: impl ExactSizeIterator<Item = usize>) -> usize {
    let mut taken = vec![false; (addresses.len() * 8 / 7).next_power_of_two()];
    let (places, mut groups) = (taken.len(), 0);
    let spread = addresses::Addresses::default();
    for address in addresses {
        let hash = spread.hasher().hash_one(NonZero::new(address).unwrap());
        let (mut group, mut step) = (hash as usize, 0);
        let free = loop {
            groups += 1;
            let free = (group..group + 16).map(|at| at % places).find(|at| !taken[*at]);
            step += 16;
            group += step;
            if let Some(free) = free {
                break free;
            }
        };
        taken[free] = true;
    }
    groups
}

/// The work for each cell does not depend on how many there are, wherever they are: one behind the other, or each at the
/// beginning of a page, or of many.
#[test]
fn cells_at_equal_distances_are_found_at_once() {
    watch!();
    let begin = 0x7F3A_1C00_0010_usize;
    let cells = |count, distance| (0..count).map(move |at| begin + at * distance);
    // As many as tables have room for, and fewer.
    for count in [10, 100, 1_792, 10_000, 14_336] {
        let small = (48..256).step_by(16);
        assert!(small.clone().all(|distance| groups(cells(count, distance)) == count), "{count}");
        let powers = (8..32).map(|power| 1 << power);
        for distance in powers.chain([4_096 + 16, 65_536 + 4_096]) {
            let groups = groups(cells(count, distance));
            assert!(groups <= 3 * count, "{count} by {distance}: {groups}");
        }
    }
}
