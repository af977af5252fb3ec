//! A queue of jobs for a loop of any kind.

use std::{
    collections::VecDeque,
    convert::Infallible,
    fmt,
    future::Future,
    marker::PhantomData,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use crate::{
    Closed, Job, Schedule, context,
    sync::{Mutex, lock},
    waiter::isolate,
};

/// A way into a loop that can poll a local future, or that somebody drives turn by turn: what is posted to the
/// sender, the queue runs, first in, first out, on the thread that made it. `[host-2]`
///
/// ```
/// use settled::{Job, Schedule, host::job_queue};
///
/// let (sender, mut queue) = job_queue();
/// sender.call_soon_threadsafe(Job::new(|| println!("in the loop"))).unwrap();
/// assert_eq!(queue.run_pending(), 1);
/// drop(queue);
/// assert!(sender.call_soon_threadsafe(Job::new(|| ())).is_err());
/// ```
pub fn job_queue() -> (JobSender, JobQueue) {
    let inner = Inner { jobs: VecDeque::new(), waker: None, open: true };
    let shared = Arc::new(Mutex::new(inner));
    (JobSender(Arc::clone(&shared)), JobQueue { shared, _here: PhantomData })
}

struct Inner {
    jobs: VecDeque<Job>,
    waker: Option<Waker>,
    open: bool,
}

/// The end of a [`job_queue`] for other threads. It never blocks for longer than a push. `[host-2]`
#[derive(Clone)]
pub struct JobSender(Arc<Mutex<Inner>>);

impl Schedule for JobSender {
    fn call_soon_threadsafe(&self, job: Job) -> Result<(), Closed<Job>> {
        let mut inner = lock(&self.0);
        if !inner.open {
            return Err(Closed::new(job));
        }
        inner.jobs.push_back(job);
        let waker = inner.waker.take();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }
}

impl fmt::Debug for JobSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JobSender(..)")
    }
}

/// The end of a [`job_queue`] for its loop. As a future it never completes: it runs what was posted whenever it
/// is polled, and is woken by a post. Dropping it closes the queue: what has not run is dropped, and what is
/// posted later is handed back. Neither `Send` nor `Sync`. `[host-2]`
#[must_use = "nothing runs unless it is polled, or `run_pending` is called"]
pub struct JobQueue {
    shared: Arc<Mutex<Inner>>,
    /// The jobs run on one thread.
    _here: PhantomData<*const ()>,
}

impl JobQueue {
    /// Runs what was posted before this call, in this thread, and says how many jobs that were. Meanwhile the
    /// thread is marked as one that runs an event loop. A panic in a job is caught, and reported by the
    /// process's panic hook. `[host-2]` `[deadlock-2]`
    pub fn run_pending(&mut self) -> usize {
        let jobs = mem::take(&mut lock(&self.shared).jobs);
        let _role = context::enter_loop();
        let number = jobs.len();
        for job in jobs {
            isolate(|| job.run());
        }
        number
    }
}

impl Future for JobQueue {
    type Output = Infallible;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Infallible> {
        // Registered before it looks, so that no post is missed. Wakers are foreign code.
        let waker = cx.waker().clone();
        let last = lock(&self.shared).waker.replace(waker);
        drop(last);
        self.run_pending();
        Poll::Pending
    }
}

impl Drop for JobQueue {
    fn drop(&mut self) {
        let mut inner = lock(&self.shared);
        inner.open = false;
        let (jobs, waker) = (mem::take(&mut inner.jobs), inner.waker.take());
        drop(inner);
        isolate(|| drop(waker));
        for job in jobs {
            isolate(|| drop(job));
        }
    }
}

impl fmt::Debug for JobQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JobQueue(..)")
    }
}
