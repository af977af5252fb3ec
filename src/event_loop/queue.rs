//! The one door into a loop for other threads.

use std::{collections::VecDeque, fmt, mem, sync::Arc, time::Instant};

use crate::{
    blocking::Sleeper,
    cell::Address,
    context::{self, Id},
    error::Closed,
    hook::Hook,
    sync::{AtomicBool, Condvar, Mutex, Ordering, is_past, lock, wait_until},
    waiter::{Job, Schedule, isolate},
};

/// Something for the loop to do next.
pub(crate) enum Post {
    Job(Job),
    /// Poll the task with this number.
    Step(Id),
    Stop,
}

impl Post {
    /// The task that this makes, if it is a coroutine that was sent, and the cell that the task will settle.
    pub(super) fn sends(&self) -> Option<(Address, Id)> {
        match self {
            Self::Job(job) => job.settles().zip(job.task()),
            Self::Step(_) | Self::Stop => None,
        }
    }
}

/// The queue between threads, and the loop's bed.
pub(crate) struct Queue {
    pub(crate) id: Id,
    /// Whether something has been posted and not taken. It changes with the lock held.
    posted: AtomicBool,
    inner: Mutex<Inner>,
    /// Told when the queue gets its first entry while the loop sleeps, and when the loop is to look again.
    bell: Condvar,
}

struct Inner {
    posts: VecDeque<Post>,
    open: bool,
    asleep: bool,
    /// Whether the next sleep ends at once, or this one.
    look: bool,
    /// What ends the sleep of whoever drives the loop by hand.
    hook: Hook,
}

impl Queue {
    pub(crate) fn new() -> Arc<Self> {
        let inner = Inner {
            posts: VecDeque::new(),
            open: true,
            asleep: false,
            look: false,
            hook: Hook::default(),
        };
        Arc::new(Self {
            id: context::next_id(),
            posted: AtomicBool::new(false),
            inner: Mutex::new(inner),
            bell: Condvar::new(),
        })
    }

    /// Queues and wakes: in this order, so that no wake-up is lost. `[schedule-2]`
    pub(crate) fn post(&self, post: Post) -> Result<(), Closed<Post>> {
        let mut inner = lock(&self.inner);
        if !inner.open {
            return Err(Closed::new(post));
        }
        inner.posts.push_back(post);
        // ORDERING: Relaxed, *=>true; whoever looks takes the lock then.
        self.posted.store(true, Ordering::Relaxed);
        let (wake, ring) = (mem::take(&mut inner.asleep), inner.hook.ring());
        drop(inner);
        if wake {
            self.bell.notify_one();
        }
        ring.call();
        Ok(())
    }

    /// Whether there is something to take, as far as this thread knows: what was posted before this call is seen, and
    /// what is posted meanwhile may not be.
    pub(super) fn has_posts(&self) -> bool {
        // ORDERING: Relaxed; of a post that happened before this, the mark did too. The lock orders what is in it.
        self.posted.load(Ordering::Relaxed)
    }

    /// Whether there is something to take, whether or not this thread could know.
    pub(super) fn holds_posts(&self) -> bool {
        !lock(&self.inner).posts.is_empty()
    }

    /// Takes what has been posted, without waiting, into what is empty and whose room the queue gets.
    pub(super) fn take(&self, posts: &mut VecDeque<Post>) {
        self.swap(&mut lock(&self.inner), posts);
    }

    /// The same for a turn, after which the hook is called again.
    pub(super) fn take_and_rest(&self, posts: &mut VecDeque<Post>) {
        let mut inner = lock(&self.inner);
        inner.hook.rest();
        self.swap(&mut inner, posts);
    }

    /// The same; sleeps until there is something, the deadline has passed or the loop is to look again.
    pub(super) fn take_or_sleep(&self, posts: &mut VecDeque<Post>, deadline: Option<Instant>) {
        let mut inner = lock(&self.inner);
        while inner.posts.is_empty() && !inner.look && !is_past(deadline) {
            inner.asleep = true;
            inner = wait_until(&self.bell, &self.inner, inner, deadline);
        }
        inner.asleep = false;
        inner.look = false;
        inner.hook.rest();
        self.swap(&mut inner, posts);
    }

    fn swap(&self, inner: &mut Inner, posts: &mut VecDeque<Post>) {
        mem::swap(&mut inner.posts, posts);
        // ORDERING: Relaxed, *=>false; see `post`.
        self.posted.store(false, Ordering::Relaxed);
    }

    /// Sets what ends the sleep of whoever drives the loop by hand, and calls it if there is something to do.
    pub(super) fn set_hook(&self, hook: impl Fn() + Send + Sync + 'static, work: bool) {
        let mut inner = lock(&self.inner);
        let last = inner.hook.set(hook);
        let work = work || !inner.posts.is_empty();
        drop(inner);
        isolate(|| drop(last));
        if work {
            self.ring();
        }
    }

    /// The loop has something to do that was not posted.
    pub(super) fn ring(&self) {
        let ring = lock(&self.inner).hook.ring();
        ring.call();
    }

    pub(crate) fn close(&self) {
        let mut inner = lock(&self.inner);
        inner.open = false;
        let last = inner.hook.take();
        drop(inner);
        isolate(|| drop(last));
    }
}

impl Sleeper for Queue {
    fn id(&self) -> Id {
        self.id
    }

    fn look_again(&self) {
        lock(&self.inner).look = true;
        self.bell.notify_one();
    }
}

/// The way to an [`EventLoop`](crate::EventLoop) from other threads. Cheap to clone; `Send` and
/// `Sync`. It keeps neither the loop nor the loop's tasks alive. `[schedule-1]`
#[derive(Clone)]
pub struct LoopHandle {
    pub(crate) queue: Arc<Queue>,
}

impl LoopHandle {
    /// Calls `f` on the loop's thread, soon, never inside this call. Calls that happen one after
    /// the other run in this order, also among those of
    /// [`LoopRef::call_soon`](crate::LoopRef::call_soon). `[schedule-2]`
    ///
    /// `Ok` means that `f` runs once, or is dropped with the loop. A panic in `f` is caught and
    /// reported by the process's panic hook.
    ///
    /// # Errors
    ///
    /// [`Closed`] hands `f` back if the loop takes no more work. `[schedule-3]`
    pub fn call_soon_threadsafe<F>(&self, f: F) -> Result<(), Closed<F>>
    where
        F: FnOnce() + Send + 'static,
    {
        Schedule::call_soon_threadsafe(self, Job::new(f)).map_err(|closed| {
            closed.map(|job| job.into_run().expect("a refused job is handed back as it was"))
        })
    }

    /// Ends [`run_forever`](crate::EventLoop::run_forever) or
    /// [`run_until_complete`](crate::EventLoop::run_until_complete) after the turn in which it
    /// arrives; if the loop does not run, that is the next run's first turn. On a closed loop it does
    /// nothing. May be called from any thread. `[loop-4]`
    ///
    /// ```
    /// use settled::EventLoop;
    ///
    /// let event_loop = EventLoop::new();
    /// let handle = event_loop.handle();
    /// std::thread::spawn(move || {
    ///     handle.call_soon_threadsafe(|| println!("on the thread of the loop")).unwrap();
    ///     handle.stop();
    /// });
    /// event_loop.run_forever().unwrap();
    /// ```
    pub fn stop(&self) {
        drop(self.queue.post(Post::Stop));
    }
}

impl Schedule for LoopHandle {
    fn call_soon_threadsafe(&self, job: Job) -> Result<(), Closed<Job>> {
        self.queue.post(Post::Job(job)).map_err(|closed| {
            closed.map(|post| match post {
                Post::Job(job) => job,
                Post::Step(_) | Post::Stop => {
                    unreachable!("a refused post is handed back as it was")
                }
            })
        })
    }
}

impl fmt::Debug for LoopHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopHandle").field("id", &self.queue.id).finish()
    }
}
