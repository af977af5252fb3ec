//! The queues of loops and pools: their histories are explained by the specification of a queue that is closed.
//!
//! A take begins when the thread that runs the entries is free, and ends when one begins to run.
//!
//! Three and four threads have at most three preemptions, or four with `SETTLED_FULL=1`. Whoever posts, takes, goes
//! to sleep or closes does so in one critical section, with a wake-up after it at the most. What can go wrong is that
//! one of them is overtaken between its look and its act, which is one preemption and one back; the third is for a
//! wake-up that comes late besides. A fourth thread adds no part to such a fault, only others to meet.

use std::{
    future::{Future, poll_fn},
    num::NonZero,
    sync::Arc,
    task::Poll,
};

use loom::thread;
use settled::{
    EventLoop, Executor, Job, LoopHandle, LoopRef, Schedule, ThreadPool, host::job_queue,
};

use crate::{
    explore::{block_on, bound, explore_histories},
    fifo::{self, Fifo},
    history::History,
};

type Posts = &'static [u8];

/// Posts these to a loop, one after the other.
fn post_all(history: &History<Fifo>, handle: &impl Schedule, posts: Posts) {
    for number in posts {
        fifo::post(history, *number, |mut entry| {
            handle.call_soon_threadsafe(Job::new(move || entry.run())).is_ok()
        });
    }
}

/// A thread that posts these to a loop, and may stop it then.
fn spawn_poster(
    history: &History<Fifo>,
    handle: LoopHandle,
    posts: Posts,
    stops: bool,
) -> thread::JoinHandle<()> {
    let history = history.clone();
    thread::spawn(move || {
        post_all(&history, &handle, posts);
        if stops {
            handle.stop();
        }
    })
}

/// Threads that post against a loop that sleeps, runs until the first of them stops it, and is closed.
fn posters_against_a_loop(history: &History<Fifo>, posts: &[Posts]) -> Fifo {
    let event_loop = EventLoop::new();
    let posters: Vec<_> = posts
        .iter()
        .enumerate()
        .map(|(at, posts)| spawn_poster(history, event_loop.handle(), posts, at == 0))
        .collect();
    fifo::is_free(history);
    event_loop.run_forever().unwrap();
    fifo::close(history, false, || drop(event_loop));
    for poster in posters {
        poster.join().unwrap();
    }
    fifo::end(history)
}

/// `[schedule-2]` `[schedule-3]` `[loop-5]` Two threads post to a loop, one of them twice.
pub(crate) fn two_posters_against_a_loop_that_closes() {
    explore_histories("loop_posters", bound(), |it| posters_against_a_loop(it, &[&[1], &[2, 3]]));
}

/// `[schedule-2]` `[schedule-3]` `[loop-5]` Three threads post to a loop, once each: four threads. Which of them the
/// loop meets asleep, awake or closed is open for each; the bound is that of three threads, for the same reason.
pub(crate) fn three_posters_against_a_loop_that_closes() {
    explore_histories("loop_posters_3", bound(), |it| {
        posters_against_a_loop(it, &[&[1], &[2], &[3]])
    });
}

/// Schedules an entry from the loop's own thread; when it runs, it does this too.
fn call_soon(history: &History<Fifo>, here: &LoopRef, number: u8, then: impl FnOnce() + 'static) {
    fifo::post(history, number, |mut entry| {
        let call = here.call_soon(move || {
            entry.run();
            then();
        });
        call.is_ok()
    });
}

/// `[schedule-2]` The loop's own calls and another thread's posts are in one queue: two threads, without any bound.
pub(crate) fn posts_against_calls_of_the_loop() {
    explore_histories("loop_calls", None, |history| {
        let event_loop = EventLoop::new();
        let poster = spawn_poster(history, event_loop.handle(), &[1, 2], true);
        let (again, here) = (history.clone(), event_loop.clone());
        call_soon(history, &event_loop, 3, move || call_soon(&again, &here, 4, || ()));
        fifo::is_free(history);
        event_loop.run_forever().unwrap();
        fifo::close(history, false, || drop(event_loop));
        poster.join().unwrap();
        fifo::end(history)
    });
}

/// `[host-2]` `[schedule-4]` A queue of jobs that runs what there is, once, and is dropped: two threads, without any
/// bound.
pub(crate) fn posts_against_a_queue_that_is_dropped() {
    explore_histories("queue_posts", None, |history| {
        let (sender, mut queue) = job_queue();
        let poster = thread::spawn({
            let history = history.clone();
            move || post_all(&history, &sender, &[1, 2, 3])
        });
        fifo::is_free(history);
        queue.run_pending();
        fifo::close(history, true, || drop(queue));
        poster.join().unwrap();
        fifo::end(history)
    });
}

/// `[host-2]` A queue of jobs that is polled until each has run: a post wakes the waker that the last poll left. Two
/// threads, without any bound.
pub(crate) fn posts_against_a_queue_that_is_polled() {
    explore_histories("queue_polls", None, |history| {
        let (sender, queue) = job_queue();
        let poster = thread::spawn({
            let history = history.clone();
            move || post_all(&history, &sender, &[1, 2])
        });
        let mut queue = Box::pin(queue);
        fifo::is_free(history);
        block_on(poll_fn(|cx| {
            assert!(queue.as_mut().poll(cx).is_pending());
            if fifo::taken(history) == 2 { Poll::Ready(()) } else { Poll::Pending }
        }));
        fifo::close(history, true, || drop(queue));
        poster.join().unwrap();
        fifo::end(history)
    });
}

/// Submits these to a pool, one after the other.
fn submit_all(history: &History<Fifo>, pool: &ThreadPool, posts: Posts) {
    for number in posts {
        fifo::post(history, *number, |mut entry| pool.submit(move || entry.run()).is_ok());
    }
}

/// A pool with so many workers, this thread, which submits and then shuts it down, and another that submits.
#[derive(Clone, Copy, Debug)]
struct Pool {
    workers: usize,
    mine: Posts,
    others: Posts,
    cancel_pending: bool,
}

impl Pool {
    fn run(self, history: &History<Fifo>) -> Fifo {
        let free = history.clone();
        let pool = ThreadPool::builder()
            .workers(NonZero::new(self.workers).unwrap())
            .initializer(move || fifo::is_free(&free));
        let pool = Arc::new(pool.build());
        let other = (!self.others.is_empty()).then(|| {
            let (history, pool) = (history.clone(), Arc::clone(&pool));
            thread::spawn(move || submit_all(&history, &pool, self.others))
        });
        submit_all(history, &pool, self.mine);
        let drops = self.cancel_pending;
        let shut_down = || {
            pool.close();
            if drops {
                pool.cancel_pending();
            }
            pool.shutdown()
        };
        fifo::close(history, drops, shut_down).unwrap();
        if let Some(other) = other {
            other.join().unwrap();
        }
        fifo::end(history)
    }

    fn explore(self) {
        for cancel_pending in [false, true] {
            let pool = Self { cancel_pending, ..self };
            explore_histories(&format!("{pool:?}"), bound(), move |it| pool.run(it));
        }
    }
}

const POOL: Pool = Pool { workers: 1, mine: &[], others: &[], cancel_pending: false };

/// `[pool-1]` `[pool-4]` `[pool-6]` One thread submits, another shuts down.
pub(crate) fn a_submitter_against_shutdown() {
    Pool { others: &[1, 2], ..POOL }.explore();
}

/// `[pool-1]` `[pool-4]` `[pool-6]` Two threads submit, and one of them shuts down.
pub(crate) fn two_submitters_against_shutdown() {
    Pool { mine: &[1], others: &[2], ..POOL }.explore();
}

/// `[pool-1]` `[pool-5]` One thread submits more jobs than there are workers, and shuts down.
pub(crate) fn submits_against_two_workers() {
    Pool { workers: 2, mine: &[1, 2, 3], ..POOL }.explore();
}

/// `[pool-1]` `[pool-4]` `[pool-5]` Two threads submit to two workers: four threads. The bound is that of
/// three, for the same reason. A third job is left out, which would make it ten times as many interleavings.
pub(crate) fn two_submitters_against_two_workers() {
    Pool { workers: 2, mine: &[1], others: &[2], ..POOL }.explore();
}
