//! Tasks: a coroutine, and the Owned promise of its outcome.

use std::{
    cell::RefCell,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

use super::{
    core::Core,
    queue::{Post, Queue},
};
use crate::{
    context::{self, Id},
    error::Panic,
    phase::Owned,
    promise::Promise,
    sync::{AtomicBool, Ordering},
    waiter::{Run, isolate},
};

/// What wakes a task: it asks the loop for a step, once until the step is taken. A request to cancel
/// uses it too, so that stopping is a step like any other. `[loop-6]` `[cancel-4]`
pub(crate) struct Flag {
    queue: Arc<Queue>,
    task: Id,
    /// Whether a step is queued.
    queued: AtomicBool,
}

impl Flag {
    /// For a task whose first step the caller queues.
    pub(crate) fn queued(queue: Arc<Queue>) -> Arc<Self> {
        Arc::new(Self { queue, task: context::next_id(), queued: AtomicBool::new(true) })
    }

    pub(crate) fn task(&self) -> Id {
        self.task
    }

    /// The queued step is taken: from now on a wake queues another.
    pub(crate) fn lower(&self) {
        // ORDERING: true=>false, AcqRel; pairs with the swap in `wake_by_ref`: what a waker did
        // before it found the flag up is visible to this step.
        self.queued.swap(false, Ordering::AcqRel);
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // ORDERING: *=>true, AcqRel; releases what the waker did to the step that lowers the flag.
        if !self.queued.swap(true, Ordering::AcqRel) {
            // A closed loop has stopped its tasks.
            drop(self.queue.post(Post::Step(self.task)));
        }
    }
}

/// A task of any type, as the loop holds it.
pub(crate) trait Step {
    /// Polls the coroutine, or stops it if that was requested; says whether the task has ended.
    fn step(&self) -> bool;
    /// Drops the coroutine, and only then settles the task as Cancelled. `[loop-7]`
    fn stop(&self);
}

/// A coroutine and what becomes of it. Also what another thread sends to the loop to make a task.
pub(crate) struct Spawn<F, T, E, O> {
    pub(crate) future: F,
    pub(crate) promise: Promise<T, E, Owned>,
    pub(crate) flag: Arc<Flag>,
    pub(crate) call: fn(O) -> Result<T, E>,
}

impl<F, T, E, O> Run for Spawn<F, T, E, O>
where
    F: Future<Output = O> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
    O: 'static,
{
    fn run(self: Box<Self>) {
        if let Some(core) = Core::of(self.flag.queue.id) {
            let id = self.flag.task();
            core.adopt(id, self.into_task());
            core.step(id);
        }
    }
}

impl<F, T, E, O> Spawn<F, T, E, O>
where
    F: Future<Output = O> + 'static,
    T: 'static,
    E: 'static,
    O: 'static,
{
    pub(crate) fn into_task(self) -> Rc<dyn Step> {
        let body = Body { future: Box::pin(self.future), promise: self.promise };
        let body = RefCell::new(Some(body));
        Rc::new(Task { body, flag: self.flag, call: self.call })
    }
}

struct Task<F, T, E, O> {
    /// `None` while it is polled, and after its end.
    body: RefCell<Option<Body<F, T, E>>>,
    flag: Arc<Flag>,
    call: fn(O) -> Result<T, E>,
}

struct Body<F, T, E> {
    future: Pin<Box<F>>,
    promise: Promise<T, E, Owned>,
}

impl<F, T, E> Body<F, T, E> {
    /// Drops the coroutine, then says so: nobody sees a task settled that still holds something.
    fn drop_coroutine(self) -> Promise<T, E, Owned> {
        isolate(|| drop(self.future));
        self.promise
    }

    fn stop(self) {
        let promise = {
            let _stopping = context::stop_coroutine();
            self.drop_coroutine()
        };
        promise.stopped();
    }
}

impl<F, T, E, O> Step for Task<F, T, E, O>
where
    F: Future<Output = O>,
{
    fn step(&self) -> bool {
        let Some(mut body) = self.body.take() else { return true };
        self.flag.lower();
        if body.promise.cancel_requested() {
            body.stop();
            return true;
        }
        let waker = Waker::from(Arc::clone(&self.flag));
        let mut cx = Context::from_waker(&waker);
        match catch_unwind(AssertUnwindSafe(|| body.future.as_mut().poll(&mut cx))) {
            Ok(Poll::Pending) => {
                self.body.replace(Some(body));
                return false;
            }
            Ok(Poll::Ready(output)) => {
                let promise = body.drop_coroutine();
                match (self.call)(output) {
                    Ok(value) => promise.finish(value),
                    Err(error) => promise.fail(error),
                }
            }
            Err(payload) => body.drop_coroutine().panicked(Panic::new(payload)),
        }
        true
    }

    fn stop(&self) {
        if let Some(body) = self.body.take() {
            body.stop();
        }
    }
}
