//! Pools.

use settled::model::{Do::*, Program, property};

use super::{Case, F, G, case};

pub(super) fn all() -> Vec<Case> {
    [waits(), ends()].concat()
}

/// Workers that wait.
fn waits() -> Vec<Case> {
    vec![
        case(
            "pool-7",
            "May a job wait for another job of its own pool?",
            "a worker that waits for a job still queued in its pool runs that job",
            Program::new()
                .thread("user", &[Submit(0), Result(F)])
                .worker("worker", 0)
                .job(F, 0, &[Submit(1), Result(G)])
                .job(G, 0, &[]),
            [11, 11],
            "pool_does_not_help + pool_cycle_blocks",
            property::ENDS,
            4,
        ),
        case(
            "pool-8",
            "Why is a wait of a worker not refused to be on the safe side?",
            "only a wait that can never end is answered WouldDeadlock",
            Program::new()
                .thread("user", &[Submit(0), Submit(1), Result(F)])
                .worker("worker 1", 0)
                .worker("worker 2", 0)
                .job(F, 0, &[Result(G)])
                .job(G, 0, &[]),
            [51, 11],
            "pool_refuses_every_wait",
            property::NEEDLESS,
            4,
        ),
        case(
            "pool-8",
            "What if two workers wait for each other?",
            "the wait that would close the circle is answered WouldDeadlock",
            Program::new()
                .thread("user", &[Submit(0), Submit(1), Result(F)])
                .worker("worker 1", 0)
                .worker("worker 2", 0)
                .job(F, 0, &[Result(G)])
                .job(G, 0, &[Result(F)]),
            [83, 12],
            "pool_cycle_blocks",
            property::ENDS,
            6,
        ),
    ]
}

/// Pools that end.
fn ends() -> Vec<Case> {
    vec![
        case(
            "pool-11",
            "May a job wait for the end of another pool?",
            "a wait for it that would close a circle is answered WouldDeadlock too",
            Program::new()
                .thread("user", &[Submit(0), Submit(1), Result(F)])
                .worker("worker of a pool", 0)
                .worker("worker of another", 1)
                .job(F, 0, &[Result(G)])
                .job(G, 1, &[ClosePool, Shutdown]),
            [50, 14],
            "pool_end_blocks",
            property::ENDS,
            7,
        ),
        case(
            "bug-c3",
            "Why does shutting down not hold the pool's lock?",
            "no job, callback or drop runs under a lock of the pool",
            Program::new()
                .thread("user", &[Submit(0), Add(F, 1), CancelPending])
                .worker("worker", 0)
                .job(F, 0, &[])
                .call(&[Submit(2)])
                .job(G, 0, &[]),
            [45, 12],
            "pool_calls_under_lock",
            property::ENDS,
            6,
        ),
        case(
            "pool-6",
            "Why is one queued job dropped before the next is taken?",
            "a callback may wait for a job that is queued behind its own",
            Program::new()
                .thread("user", &[Submit(0), Submit(1), Add(F, 2), CancelPending])
                .worker("worker", 0)
                .job(F, 0, &[])
                .job(G, 0, &[])
                .call(&[Result(G)]),
            [69, 13],
            "pending_taken_at_once",
            property::ENDS,
            6,
        ),
        case(
            "pool-6",
            "What becomes of queued jobs when a pool is shut down?",
            "each is run or dropped, and either settles its future",
            Program::new()
                .thread("user", &[Submit(0), ClosePool, CancelPending, Result(F)])
                .worker("worker", 0)
                .job(F, 0, &[]),
            [23, 9],
            "shutdown_forgets_queue",
            property::OWNED,
            3,
        ),
    ]
}
