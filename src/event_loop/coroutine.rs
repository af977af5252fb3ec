//! The coroutines of a loop: how they become tasks, their steps, and their ends.

use std::{
    cell::{OnceCell, RefCell},
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::{Rc, Weak},
    sync::Arc,
    task::{Context, Poll, Waker},
};

use super::{
    incident::FutureId,
    queue::{LoopHandle, Queue},
    ready::Deliver,
    registry::Registry,
    stop::{Stopping, stop},
    task::{Ended, Facts, Step, Task},
    view::View,
    waker::TaskWaker,
};
use crate::{
    cell::{Address, Handle},
    context::{self, Id},
    error::{Cancel, Closed, Failure, Panic, Refusal},
    phase::Owned,
    promise::{self, Promise},
    settled::Settled,
    waiter::{Job, Run, Schedule},
};

/// A coroutine as its task has it. So the code of a task is there once for each kind of outcome, and not for each coroutine.
pub(super) type Boxed<O> = Pin<Box<dyn Future<Output = O>>>;

/// A task of a loop, made of a coroutine, and the view of its outcome. Its first step is up to the caller.
pub(super) fn make<T: 'static, E: 'static, O: 'static>(
    coroutine: Boxed<O>,
    call: fn(O) -> Result<T, E>,
    home: &Rc<Registry>,
) -> (Task, Rc<View<T, E>>) {
    let (promise, waker, handle) = owned(home.of_own().ready.queue());
    let body = Body::new(coroutine, promise, waker, call, home);
    let (task, settled) = (body.task(), Settled::new(handle));
    let view = View::of_task(settled, home, task.clone());
    body.view.get_or_init(|| Rc::downgrade(&view));
    (task, view)
}

/// The promise of a task that is to be, what wakes it, and the handle of its outcome.
fn owned<T, E>(home: &Arc<Queue>) -> (Promise<T, E, Owned>, Arc<TaskWaker>, Handle<T, E>) {
    let waker = TaskWaker::queued(Arc::clone(home));
    let (promise, handle) = promise::owned(Waker::from(Arc::clone(&waker)));
    (promise, waker, handle)
}

/// Sends a coroutine to a loop, which makes a task of it, and gives the handle of its outcome.
pub(crate) fn send<F, T, E, O>(
    future: F,
    home: &LoopHandle,
    call: fn(O) -> Result<T, E>,
) -> Result<Handle<T, E>, Closed<F>>
where
    F: Future<Output = O> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
    O: 'static,
{
    // The job that makes the task takes its first step, so that a request to cancel that comes
    // before is seen there, and the coroutine never runs.
    let (promise, waker, handle) = owned(&home.queue);
    let spawn = Spawn { future, promise, waker, call };
    let posted = Schedule::call_soon_threadsafe(home, Job::from_run(spawn));
    posted.map(|()| handle).map_err(|closed| {
        closed.map(|job| {
            let refused = job.into_run::<Spawn<F, T, E, O>>();
            refused.expect("a refused job is handed back as it was").future
        })
    })
}

/// A coroutine and what becomes of it: what another thread sends to the loop to make a task.
struct Spawn<F, T, E, O> {
    future: F,
    promise: Promise<T, E, Owned>,
    waker: Arc<TaskWaker>,
    call: fn(O) -> Result<T, E>,
}

impl<F, T, E, O> Run for Spawn<F, T, E, O>
where
    F: Future<Output = O> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
    O: 'static,
{
    fn run(self: Box<Self>) {
        if let Some(home) = Registry::find(self.waker.home()) {
            let Self { future, promise, waker, call } = *self;
            home.begin(Body::new(Box::pin(future), promise, waker, call, &home).task());
        }
    }

    fn settles(&self) -> Option<Address> {
        Some(self.promise.address())
    }

    fn task(&self) -> Option<Id> {
        Some(self.waker.task())
    }
}

struct Body<T: 'static, E: 'static, O> {
    facts: Facts,
    home: Rc<Registry>,
    coroutine: RefCell<Coroutine<O>>,
    /// `None` after its end.
    promise: RefCell<Option<Promise<T, E, Owned>>>,
    /// The view that was made with it, which it tells itself, before others are told. None if it was sent.
    view: OnceCell<Weak<View<T, E>>>,
    queued: Arc<TaskWaker>,
    /// The same.
    waker: Waker,
    call: fn(O) -> Result<T, E>,
}

enum Coroutine<O> {
    Suspended(Boxed<O>),
    /// It is dropped; those that it owned are about to stop.
    Stopping(Stopping),
    /// It is polled at this moment, or gone.
    Away,
}

impl<T: 'static, E: 'static, O: 'static> Body<T, E, O> {
    fn new(
        coroutine: Boxed<O>,
        promise: Promise<T, E, Owned>,
        waker: Arc<TaskWaker>,
        call: fn(O) -> Result<T, E>,
        home: &Rc<Registry>,
    ) -> Rc<Self> {
        Rc::new(Self {
            facts: Facts::new(waker.task()),
            home: Rc::clone(home),
            coroutine: RefCell::new(Coroutine::Suspended(coroutine)),
            promise: RefCell::new(Some(promise)),
            view: OnceCell::new(),
            queued: Arc::clone(&waker),
            waker: Waker::from(waker),
            call,
        })
    }

    fn is_requested(&self) -> bool {
        self.promise.borrow().as_ref().is_some_and(Promise::<T, E, Owned>::cancel_requested)
    }

    fn stop_coroutine(self: &Rc<Self>, coroutine: Boxed<O>) -> Stopping {
        let reason = self.promise.borrow().as_ref().and_then(Promise::<T, E, Owned>::cancel_reason);
        let stopping = stop(coroutine, reason, &self.home);
        self.home.stops().enter(self.task(), stopping.stop());
        stopping
    }

    fn task(self: &Rc<Self>) -> Task {
        Task::new(Rc::clone(self) as Rc<dyn Step>)
    }

    /// Steps again when one of those that the coroutine owned has ended. `[await-3]`
    fn wait_for_stopped(&self, stopping: Stopping, cx: &Context<'_>) -> bool {
        let _ = stopping.poll(cx);
        self.coroutine.replace(Coroutine::Stopping(stopping));
        false
    }

    /// The end: with this outcome, or stopped.
    fn settle(&self, promise: Promise<T, E, Owned>, outcome: Option<Result<T, Failure<E>>>) {
        let mut view = self.view.get().and_then(Weak::upgrade);
        promise.end_telling(outcome, || view.take().into_iter().for_each(View::arrived));
    }

    /// Drops the coroutine, then says so: nobody sees a task settled that still holds something.
    fn finish(
        self: &Rc<Self>,
        coroutine: Boxed<O>,
        outcome: Result<T, Failure<E>>,
        step: context::Guard,
    ) {
        self.home.isolate(|| drop(coroutine));
        self.facts.end(Ended::with(&outcome));
        let Some(promise) = self.promise.take() else { return };
        if let Err(failure) = &outcome
            && promise.is_closed()
        {
            let task = self.task();
            self.home.report_failure(failure, FutureId::of_task(task.id()), Some(&task));
        }
        // Once it is settled its cell may be gone, and another one have its address.
        drop(step);
        self.settle(promise, Some(outcome));
    }
}

impl<T: 'static, E: 'static, O: 'static> Step for Body<T, E, O> {
    fn step(self: Rc<Self>) -> bool {
        let Some(cell) = self.settles() else { return true };
        let step = context::run_task(self.facts.id(), cell);
        self.queued.lower();
        let mut cx = Context::from_waker(&self.waker);
        let mut coroutine = match self.coroutine.replace(Coroutine::Away) {
            Coroutine::Suspended(coroutine) => coroutine,
            Coroutine::Stopping(stopping) => return self.wait_for_stopped(stopping, &cx),
            Coroutine::Away => return true,
        };
        if self.is_requested() {
            let stopping = self.stop_coroutine(coroutine);
            return self.wait_for_stopped(stopping, &cx);
        }
        match catch_unwind(AssertUnwindSafe(|| coroutine.as_mut().poll(&mut cx))) {
            Ok(Poll::Pending) => {
                self.coroutine.replace(Coroutine::Suspended(coroutine));
                return false;
            }
            Ok(Poll::Ready(output)) => {
                self.finish(coroutine, (self.call)(output).map_err(Failure::Error), step);
            }
            Err(payload) => {
                self.finish(coroutine, Err(Failure::Panicked(Panic::new(payload))), step);
            }
        }
        true
    }

    fn stop(self: Rc<Self>) {
        let stopping = match self.coroutine.replace(Coroutine::Away) {
            Coroutine::Suspended(coroutine) => self.stop_coroutine(coroutine),
            Coroutine::Stopping(stopping) => stopping,
            Coroutine::Away => return,
        };
        self.coroutine.replace(Coroutine::Stopping(stopping));
    }

    fn end(&self) {
        self.coroutine.replace(Coroutine::Away);
        self.facts.end(Ended::Cancelled);
        let promise = self.promise.take();
        if let Some(promise) = promise {
            self.settle(promise, None);
        }
    }

    fn cancel(&self, reason: Option<Arc<str>>) -> Cancel {
        // The request may call a hook, which may do anything: nothing is borrowed by then.
        let canceller = self.promise.borrow().as_ref().map(Promise::<T, E, Owned>::canceller);
        match canceller {
            Some(canceller) => canceller.cancel(reason),
            None if self.facts.ended() == Some(Ended::Cancelled) => Cancel::Already,
            None => Cancel::Refused(Refusal::Finished),
        }
    }

    fn settles(&self) -> Option<Address> {
        self.promise.borrow().as_ref().map(Promise::address)
    }

    fn facts(&self) -> &Facts {
        &self.facts
    }
}
