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
    hook::Hook,
    sync::{Mutex, lock},
    waiter::isolate,
};

/// Makes a way into a loop that can poll a local future, or that somebody drives turn by turn. What is posted to the
/// sender, from any thread, the queue runs on the thread that made it, first in, first out. `[host-2]`
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
    let inner = Inner { jobs: VecDeque::new(), waker: None, hook: Hook::default(), open: true };
    let shared = Arc::new(Mutex::new(inner));
    (JobSender(Arc::clone(&shared)), JobQueue { shared, _here: PhantomData })
}

struct Inner {
    jobs: VecDeque<Job>,
    waker: Option<Waker>,
    hook: Hook,
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
        let (waker, ring) = (inner.waker.take(), inner.hook.ring());
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
        ring.call();
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
    /// Runs the jobs that were posted before this call, in this thread, and returns how many there were. While it runs
    /// them the thread is marked as one that runs an event loop. A panic in a job is caught, and reported by the
    /// process's panic hook. `[host-2]` `[deadlock-2]`
    pub fn run_pending(&mut self) -> usize {
        let mut inner = lock(&self.shared);
        let jobs = mem::take(&mut inner.jobs);
        inner.hook.rest();
        drop(inner);
        let _role = context::enter_loop();
        let number = jobs.len();
        for job in jobs {
            isolate(|| job.run());
        }
        number
    }

    /// Sets `hook`, which is called when there is something to run. It is for a loop that is driven by hand and sleeps
    /// between its turns, such as winit's with `ControlFlow::Wait`: the hook ends that sleep, and the loop then calls
    /// [`run_pending`](Self::run_pending). `[host-4]`
    ///
    /// Each `run_pending` takes the jobs that are queued; the first post after that calls the hook, and further posts
    /// do not. A job that is posted while `run_pending` runs others is one for the next call, and so calls the hook
    /// too. If something is queued when the hook is set, the hook is called at once.
    ///
    /// The hook runs in the thread that posts, with no lock held. That may be any thread: the loop's own, or one that
    /// settles a future and waits until the hook has returned, so keep it short. It may call everything, but must not
    /// run the jobs itself. A panic in it is caught, and reported by the process's panic hook. A second hook replaces
    /// the first. Whoever polls the queue as a future needs none.
    ///
    /// ```
    /// use std::{sync::mpsc, thread};
    /// use settled::{Job, Schedule, host::job_queue};
    ///
    /// let (sender, mut queue) = job_queue();
    /// let (wake, woken) = mpsc::channel();
    /// // For instance: queue.set_wake_hook(move || drop(proxy.send_event(Wake)))
    /// queue.set_wake_hook(move || { let _ = wake.send(()); });
    /// thread::spawn(move || sender.call_soon_threadsafe(Job::new(|| println!("in the loop"))).unwrap());
    /// woken.recv().unwrap(); // the loop sleeps
    /// assert_eq!(queue.run_pending(), 1);
    /// ```
    #[doc(alias("waker", "notify", "call_soon_threadsafe", "ping"))]
    pub fn set_wake_hook(&mut self, hook: impl Fn() + Send + Sync + 'static) {
        let mut inner = lock(&self.shared);
        let last = inner.hook.set(hook);
        let ring = (!inner.jobs.is_empty()).then(|| inner.hook.ring());
        drop(inner);
        isolate(|| drop(last));
        if let Some(ring) = ring {
            ring.call();
        }
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
        let hook = inner.hook.take();
        drop(inner);
        isolate(|| drop(waker));
        isolate(|| drop(hook));
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
