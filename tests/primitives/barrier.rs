//! Barriers: all go on, or nobody does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    thread,
    time::{Duration, Instant},
};

use settled::{
    BarrierError, BrokenBarrier, EventLoop, Expired, Interrupt, WaitError, WouldDeadlock, context,
    primitives::{AwaitBarrier, Barrier},
};

use super::{Bell, DEPTH, LONG, SHORT, call, inside, poll, survive, until_wait};

fn waiting(barrier: &Barrier) -> (AwaitBarrier, Arc<Bell>) {
    let (mut future, bell) = (barrier.wait_async(), Arc::default());
    assert!(poll(&mut future, &bell).is_pending());
    (future, bell)
}

/// It is whole, and so many wait.
fn is_whole(barrier: &Barrier, waiting: usize) {
    assert_eq!((barrier.is_broken(), barrier.waiting()), (false, waiting));
}

const ROUNDS: usize = 300;

/// Comes in so many rounds, as a thread or as a task, and sees that the others have come by then.
fn comes(barrier: Barrier, came: &AtomicUsize, is_task: bool) -> Vec<usize> {
    let before = || came.fetch_add(1, Ordering::Relaxed);
    let after = |round: usize| assert!(came.load(Ordering::Relaxed) >= 4 * (round + 1));
    let mut numbers = Vec::new();
    if is_task {
        let rounds = async {
            for round in 0..ROUNDS {
                before();
                numbers.push(barrier.wait_async().await.unwrap());
                after(round);
            }
        };
        EventLoop::new().run_until_complete(rounds).unwrap();
    } else {
        for round in 0..ROUNDS {
            before();
            numbers.push(barrier.wait().unwrap());
            after(round);
        }
    }
    numbers
}

#[test]
fn threads_and_the_tasks_of_two_loops_go_on_together() {
    watch!();
    let (barrier, came) = (Barrier::new(4), AtomicUsize::new(0));
    let numbers: Vec<_> = thread::scope(|scope| {
        let come = |is_task| {
            let (barrier, came) = (barrier.clone(), &came);
            scope.spawn(move || comes(barrier, came, is_task))
        };
        let all = [false, true, false, true].map(come);
        all.map(|thread| thread.join().unwrap()).into()
    });
    for round in 0..ROUNDS {
        let mut of_it: Vec<_> = numbers.iter().map(|it| it[round]).collect();
        of_it.sort_unstable();
        assert_eq!(of_it, [0, 1, 2, 3], "each has a number of his own");
    }
    assert_eq!(format!("{barrier:?}"), "Barrier { parties: 4, waiting: 0, broken: false }");
    assert_eq!(
        (barrier.parties(), Barrier::new(0).wait(), Barrier::new(1).wait()),
        (4, Ok(0), Ok(0))
    );
}

#[test]
fn whoever_leaves_before_all_are_there_breaks_it() {
    watch!();
    let barrier = Barrier::new(3);
    let [first, mut second] = [(); 2].map(|()| waiting(&barrier));
    is_whole(&barrier, 2);
    drop(barrier.wait_async());
    is_whole(&barrier, 2);
    drop(first.0);
    assert_eq!((second.1.count(), barrier.is_broken(), barrier.waiting()), (1, true, 0));
    assert_eq!(poll(&mut second.0, &second.1), Poll::Ready(Err(BrokenBarrier)));
    assert_eq!(barrier.wait(), Err(BarrierError::Broken(BrokenBarrier)));
    assert_eq!(poll(&mut barrier.wait_async(), &second.1), Poll::Ready(Err(BrokenBarrier)));
    assert!(survive(|| poll(&mut second.0, &second.1)).is_none(), "it is polled again");
    barrier.reset();
    is_whole(&barrier, 0);
}

/// It leaves a round that is over, and the next has begun.
#[test]
fn whoever_leaves_when_all_are_there_breaks_nothing() {
    watch!();
    let barrier = Barrier::new(2);
    let (first, _) = waiting(&barrier);
    assert_eq!(barrier.wait(), Ok(1));
    let (mut next, bell) = waiting(&barrier);
    drop(first);
    is_whole(&barrier, 1);
    assert_eq!(barrier.wait(), Ok(1));
    assert_eq!(poll(&mut next, &bell), Poll::Ready(Ok(0)));
    is_whole(&barrier, 0);
}

/// A round that was over before it broke is not broken by that.
#[test]
fn what_breaks_it_tells_those_who_wait_and_no_others() {
    watch!();
    let barrier = Barrier::new(2);
    let ends: [fn(&Barrier); 2] = [Barrier::abort, Barrier::reset];
    for (end, is_broken) in ends.into_iter().zip([true, false]) {
        let (mut over, bell) = waiting(&barrier);
        assert_eq!(barrier.wait(), Ok(1));
        let (mut waits, told) = waiting(&barrier);
        end(&barrier);
        assert_eq!((barrier.is_broken(), barrier.waiting(), told.count()), (is_broken, 0, 1));
        assert_eq!(poll(&mut over, &bell), Poll::Ready(Ok(0)));
        assert_eq!(poll(&mut waits, &told), Poll::Ready(Err(BrokenBarrier)));
        barrier.reset();
    }
}

#[test]
fn a_wait_at_a_barrier_ends_as_every_wait_does_and_breaks_it() {
    watch!();
    let barrier = Barrier::new(2);
    let expired = Err(BarrierError::Wait(WaitError::Expired(Expired)));
    let (mut other, bell) = waiting(&barrier);
    {
        // It has all, and does not wait.
        let _loop = context::enter_loop();
        assert_eq!(barrier.wait_timeout(LONG), Ok(1));
        let refused = WaitError::WouldDeadlock(WouldDeadlock::EventLoop);
        assert_eq!(barrier.wait(), Err(refused.into()));
        is_whole(&barrier, 0);
        // What waits for no time is not refused: it comes, and goes.
        let two = Barrier::new(2);
        assert_eq!((two.wait_timeout(Duration::ZERO), two.is_broken()), (expired, true));
    }
    assert_eq!(poll(&mut other, &bell), Poll::Ready(Ok(0)));
    let waits: [&dyn Fn() -> Result<usize, BarrierError>; 2] =
        [&|| barrier.wait_timeout(SHORT), &|| barrier.wait_deadline(Instant::now())];
    for wait in waits {
        assert_eq!(wait(), expired);
        assert!(barrier.is_broken());
        barrier.reset();
    }
    let (interrupt, shared) = (Interrupt::new(), barrier.clone());
    let interrupted = interrupt.clone();
    let waits = thread::spawn(move || {
        let _entered = interrupted.enter();
        shared.wait()
    });
    until_wait(&barrier, 1);
    interrupt.interrupt();
    assert_eq!(waits.join().unwrap(), Err(BarrierError::Wait(WaitError::Interrupted)));
    assert!(barrier.is_broken());
}

#[test]
fn a_loop_that_is_closed_breaks_a_barrier() {
    watch!();
    let (barrier, event_loop) = (Barrier::new(2), EventLoop::new());
    let awaited = barrier.clone();
    let waits = async move { assert!(awaited.wait_async().await.is_ok()) };
    drop(event_loop.create_task(waits).unwrap());
    assert!(event_loop.try_tick().unwrap());
    is_whole(&barrier, 1);
    event_loop.close();
    assert!(barrier.is_broken());
}

/// It runs when the thread has come, and comes, too.
#[test]
fn what_was_deferred_may_be_the_last() {
    watch!();
    let (barrier, numbers) = (Barrier::new(2), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&numbers);
    let waits = move || {
        let (comes, seen) = (barrier.clone(), Arc::clone(&numbers));
        call(move || {
            let number = comes.wait().unwrap();
            seen.fetch_add(10 * number, Ordering::Relaxed);
        });
        numbers.fetch_add(barrier.wait().unwrap() + 1, Ordering::Relaxed);
    };
    inside(DEPTH, Box::new(waits));
    assert_eq!(seen.load(Ordering::Relaxed), 11);
}
