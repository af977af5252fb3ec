//! [`LoopFuture`]: the view of a cell that never blocks.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use super::registry::{Deliver, Registry};
use crate::{
    cell::{Handle, Registration, Ticket},
    context::{self, Id},
    error::{Cancel, Failure, InvalidState, NoValue},
    settled::{Settled, run_callbacks},
    waiter::{Schedule, Waiter, isolate},
};

/// A result that comes later, for an event loop: reading never blocks, and callbacks always go
/// through the loop.
///
/// It is Python's `asyncio.Future`. It lives on the thread of its loop and is neither `Send` nor
/// `Sync` (D1, D48), so that what it calls needs no lock and need not be `Send`.
///
/// It may *lag*: a future that another thread settles is settled for its loop when the loop has
/// delivered it, so that nothing changes in the middle of a turn. What the loop's own thread settles
/// is seen at once, and its callbacks still wait for their turn. Once the loop is closed, the view
/// reads through to the cell. `[loop-1]` `[loop-2]`
///
/// `Clone` needs `T, E: Sync`, as for every handle. `[bounds-2]`
///
/// # Example
///
/// ```
/// use settled::EventLoop;
///
/// let event_loop = EventLoop::new();
/// let (promise, future) = event_loop.create_future::<u32, String>();
/// event_loop.call_later(std::time::Duration::ZERO, || promise.finish(3).unwrap()).unwrap();
/// let settled = event_loop.run_until_complete(future).unwrap();
/// assert_eq!(settled.result().unwrap(), &3);
/// ```
pub struct LoopFuture<T: 'static, E: 'static> {
    view: Rc<View<T, E>>,
}

/// Names a callback, so that it can be removed: what
/// [`add_done_callback`](LoopFuture::add_done_callback) returns. `[callback-4]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    home: Id,
    number: u64,
}

type LocalCallback<T, E> = Box<dyn FnOnce(&Settled<T, E>)>;
type Share<T, E> = fn(&Settled<T, E>) -> Settled<T, E>;

/// What all handles of one view share. It holds the view's one handle of the cell.
struct View<T: 'static, E: 'static> {
    id: u64,
    home: Rc<Registry>,
    /// Lent only once it is true; `None` once it was moved out by the only handle.
    settled: Option<Settled<T, E>>,
    /// The view's place among the waiters of the cell.
    hook: Cell<Option<Ticket>>,
    /// Whether it is settled as far as the loop is concerned.
    delivered: Cell<bool>,
    /// Whether a drain has been posted that will run what is registered now.
    draining: Cell<bool>,
    /// In registration order.
    callbacks: RefCell<VecDeque<(Token, LocalCallback<T, E>)>>,
    /// How to get a second handle of the cell: known as soon as the view was cloned, which needs
    /// `T, E: Sync`, as a second handle does.
    share: Cell<Option<Share<T, E>>>,
}

impl<T, E> View<T, E> {
    fn cell(&self) -> &Handle<T, E> {
        self.proof().handle()
    }

    /// The handle, as long as the view has it.
    fn proof(&self) -> &Settled<T, E> {
        self.settled.as_ref().expect("moved out only when the view goes")
    }

    fn is_settled(&self) -> bool {
        self.delivered.get() || (self.home.is_closed() && self.cell().is_settled())
    }

    /// Posts a drain, if there is anything to run and none is on its way. `[callback-3]`
    fn drain_soon(self: &Rc<Self>) {
        if !self.callbacks.borrow().is_empty() && !self.draining.replace(true) {
            let view = Rc::clone(self);
            self.home.post(Box::new(move || view.deliver()));
        }
    }

    /// The next callback, if it was registered before `end`.
    fn next_callback(&self, end: u64) -> Option<LocalCallback<T, E>> {
        let mut callbacks = self.callbacks.borrow_mut();
        if callbacks.front()?.0.number >= end {
            return None;
        }
        callbacks.pop_front().map(|(_, callback)| callback)
    }
}

impl<T, E> Deliver for View<T, E> {
    fn arrived(self: Rc<Self>) {
        self.delivered.set(true);
        self.drain_soon();
        self.home.release(self.id);
    }

    fn deliver(self: Rc<Self>) {
        self.delivered.set(true);
        self.draining.set(false);
        // Those that a callback registers come in a later turn.
        let end = self.home.next();
        while let Some(callback) = self.next_callback(end) {
            isolate(|| callback(self.proof()));
        }
        self.home.release(self.id);
    }

    fn sweep(&self) {
        let callbacks = self.callbacks.take();
        for (_, callback) in callbacks {
            isolate(|| drop(callback));
        }
    }
}

impl<T, E> Drop for View<T, E> {
    fn drop(&mut self) {
        self.home.leave(self.id);
        if let (Some(settled), Some(ticket)) = (&self.settled, self.hook.get()) {
            drop(settled.handle().deregister(ticket));
        }
    }
}

impl<T, E> LoopFuture<T, E> {
    /// A view of the cell behind `settled`, settled or not, that lives on the loop `home`.
    pub(crate) fn view(settled: Settled<T, E>, home: &Rc<Registry>) -> Self {
        let view = Rc::new(View {
            id: home.next(),
            home: Rc::clone(home),
            settled: Some(settled),
            hook: Cell::new(None),
            delivered: Cell::new(false),
            draining: Cell::new(false),
            callbacks: RefCell::default(),
            share: Cell::new(None),
        });
        if !home.is_closed() {
            let weak = Rc::downgrade(&view);
            home.enter(view.id, weak);
        }
        // A loop that is closing delivers nothing new; the view reads through when it is closed.
        if home.is_open() {
            match view.cell().register(Waiter::Hook(home.hook(view.id))) {
                Ok(ticket) => view.hook.set(Some(ticket)),
                Err(_) => {
                    view.draining.set(true);
                    let view = Rc::clone(&view);
                    home.post(Box::new(move || view.deliver()));
                }
            }
        }
        Self { view }
    }

    /// The proof that it is settled, if it is settled for its loop. `[loop-1]`
    #[must_use]
    pub fn settled(&self) -> Option<&Settled<T, E>> {
        self.view.is_settled().then(|| self.view.proof())
    }

    /// The value, at once. Python's `result()`. `[read-2]`
    ///
    /// # Errors
    ///
    /// [`NoValue::Unsettled`] with [`InvalidState`] if it is not settled for its loop;
    /// [`NoValue::Failed`] if there is no value and never will be.
    pub fn result(&self) -> Result<&T, NoValue<InvalidState, &Failure<E>>> {
        self.settled().ok_or(NoValue::Unsettled(InvalidState))?.result().map_err(NoValue::Failed)
    }

    /// Why there is no value, at once; `None` if there is one. Python's `exception()`, which however
    /// raises a cancellation instead of returning it.
    ///
    /// # Errors
    ///
    /// [`InvalidState`] if it is not settled for its loop.
    pub fn exception(&self) -> Result<Option<&Failure<E>>, InvalidState> {
        Ok(self.settled().ok_or(InvalidState)?.exception())
    }

    /// Cancels the work if it has not begun; a task is asked to stop, and seen Cancelled when it has
    /// stopped. asyncio's answer is [`Cancel::as_loop`]. Never blocks. `[cancel-1]` `[cancel-4]`
    ///
    /// Callbacks do not run inside this call: neither this view's, nor those of a
    /// [`ThreadFuture`](crate::ThreadFuture) of the same cell, which are posted to the loop too
    /// (`bug-c8`). `[callback-7]`
    ///
    /// `Refused(Finished)` or `Already` may come before this view shows it: the outcome is then on
    /// its way through the loop.
    pub fn cancel(&self) -> Cancel {
        let (answer, settling) = self.view.cell().cancel();
        if let Some(mut settling) = settling {
            settling.wake();
            let callbacks = settling.into_callbacks();
            if !callbacks.is_empty() {
                let view = Rc::clone(&self.view);
                self.view.home.post(Box::new(move || run_callbacks(callbacks, view.proof())));
            }
        }
        answer
    }

    /// Whether it is cancelled, as far as its loop has been told.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.settled().is_some_and(Settled::cancelled)
    }

    /// Whether it is settled, as far as its loop has been told. `[loop-1]`
    #[must_use]
    pub fn done(&self) -> bool {
        self.view.is_settled()
    }

    /// Calls `callback` once, on the loop's thread, in a later turn, when the future is settled.
    /// Never inside this call, also when it is settled already (D22). Callbacks of one view run in
    /// registration order, whichever thread settles the future, and whenever. `[callback-3]`
    ///
    /// They run also if every handle of the future has been dropped. A panic in one is caught and
    /// reported by the process's panic hook. `[callback-5]` When the loop is closed, those that have
    /// not run are dropped, on the loop's thread; so is one that is registered later. `[loop-5]`
    pub fn add_done_callback(&self, callback: impl FnOnce(&Settled<T, E>) + 'static) -> Token {
        let view = &self.view;
        let token = Token { home: view.home.id(), number: view.home.next() };
        if view.home.is_closed() {
            isolate(|| drop(callback));
            return token;
        }
        view.callbacks.borrow_mut().push_back((token, Box::new(callback)));
        if view.delivered.get() {
            // While the loop closes nothing new is scheduled, or closing might never end.
            if view.home.is_open() {
                view.drain_soon();
            }
        } else {
            view.home.keep(view.id, Rc::clone(view) as Rc<dyn Deliver>);
        }
        token
    }

    /// Removes a callback: `true` if and only if it has not run and never will. `[callback-4]`
    pub fn remove_done_callback(&self, token: Token) -> bool {
        let view = &self.view;
        let removed = {
            let mut callbacks = view.callbacks.borrow_mut();
            let at = callbacks.iter().position(|(other, _)| *other == token);
            at.and_then(|at| callbacks.remove(at))
        };
        if view.callbacks.borrow().is_empty() {
            view.home.release(view.id);
        }
        removed.is_some()
    }

    /// The loop that it lives on.
    #[must_use]
    pub fn get_loop(&self) -> &Arc<dyn Schedule> {
        self.view.home.schedule()
    }

    /// Turns into the proof, whose [`take`](Settled::take) gives the outcome by value. Never blocks.
    /// `[settled-3]`
    ///
    /// # Errors
    ///
    /// Gives the future back if it is not settled for its loop, or if callbacks have still to run.
    pub fn into_settled(self) -> Result<Settled<T, E>, Self> {
        if !self.view.is_settled() {
            return Err(self);
        }
        match Rc::try_unwrap(self.view) {
            Ok(mut view) => Ok(view.settled.take().expect("moved out only once")),
            Err(view) => match view.share.get() {
                Some(share) => Ok(share(view.proof())),
                None => Err(Self { view }),
            },
        }
    }
}

/// Another handle of the same view. `[bounds-2]`
impl<T: Sync, E: Sync> Clone for LoopFuture<T, E> {
    fn clone(&self) -> Self {
        self.view.share.set(Some(Settled::clone));
        Self { view: Rc::clone(&self.view) }
    }
}

impl<T, E> fmt::Debug for LoopFuture<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view.cell().debug("LoopFuture", f)
    }
}

impl<T, E> IntoFuture for LoopFuture<T, E> {
    type Output = Settled<T, E>;
    type IntoFuture = AwaitLoop<T, E>;

    /// Awaits the future, by value, in a task on the loop's thread. A task that had to wait goes on
    /// in callback order: after the callbacks that were registered before. `[await-1]` `[await-4]`
    ///
    /// Cancel safety: a task that is stopped while it awaits a future by value asks to cancel that
    /// future; dropped anywhere else, or awaited by reference, it never cancels. `[await-3]`
    ///
    /// # Panics
    ///
    /// When polled on another [`EventLoop`](crate::EventLoop) than its own, which cannot run at the
    /// same time on this thread. Awaiting on any other executor of the thread is allowed; the
    /// future's loop must run for it to go on.
    fn into_future(self) -> AwaitLoop<T, E> {
        AwaitLoop { future: Some(self), place: Place::default() }
    }
}

impl<'a, T, E> IntoFuture for &'a LoopFuture<T, E> {
    type Output = &'a Settled<T, E>;
    type IntoFuture = AwaitLoopRef<'a, T, E>;

    /// Awaits the future, by reference. Dropping it cancels nothing. `[await-1]`
    fn into_future(self) -> AwaitLoopRef<'a, T, E> {
        AwaitLoopRef { future: self, place: Place::default() }
    }
}

/// Awaits a [`LoopFuture`] by value.
#[derive(Debug)]
#[must_use = "futures do nothing unless they are polled"]
pub struct AwaitLoop<T: 'static, E: 'static> {
    /// `None` once it was ready.
    future: Option<LoopFuture<T, E>>,
    place: Place,
}

impl<T, E> Future for AwaitLoop<T, E> {
    type Output = Settled<T, E>;

    /// # Panics
    ///
    /// If polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Settled<T, E>> {
        let this = &mut *self;
        let future = this.future.as_ref().expect("not polled again after it was ready");
        if !future.done() {
            ready!(this.place.poll(future, cx));
        }
        this.place.leave(future);
        match this.future.take().expect("it was there a line ago").into_settled() {
            Ok(settled) => Poll::Ready(settled),
            Err(future) => {
                // Callbacks are lent the handle still; this task goes on after them.
                this.place.queue(&future, cx);
                this.future = Some(future);
                Poll::Pending
            }
        }
    }
}

impl<T, E> Drop for AwaitLoop<T, E> {
    fn drop(&mut self) {
        if let Some(future) = &self.future
            && self.place.leave(future)
            && context::is_stopping_coroutine()
        {
            let _ = future.cancel();
        }
    }
}

/// Awaits a [`LoopFuture`] by reference.
#[derive(Debug)]
#[must_use = "futures do nothing unless they are polled"]
pub struct AwaitLoopRef<'a, T: 'static, E: 'static> {
    future: &'a LoopFuture<T, E>,
    place: Place,
}

impl<'a, T, E> Future for AwaitLoopRef<'a, T, E> {
    type Output = &'a Settled<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if !this.future.done() {
            ready!(this.place.poll(this.future, cx));
        }
        Poll::Ready(this.future.view.proof())
    }
}

impl<T, E> Drop for AwaitLoopRef<'_, T, E> {
    fn drop(&mut self) {
        self.place.leave(self.future);
    }
}

/// A task's place among the callbacks of a view: one, however often it polls. `[await-2]`
#[derive(Debug, Default)]
struct Place {
    /// Shared with the callback, which wakes it.
    waker: Rc<RefCell<Option<Waker>>>,
    token: Option<Token>,
    /// The place in the cell instead, once the loop is closed.
    late: Registration,
}

/// Wakes when it is called, and also when it is dropped uncalled because the loop was closed: the
/// task then looks again.
struct WakeOnDrop(Rc<RefCell<Option<Waker>>>);

impl Drop for WakeOnDrop {
    fn drop(&mut self) {
        if let Some(waker) = self.0.take() {
            waker.wake();
        }
    }
}

impl Place {
    fn poll<T, E>(&mut self, future: &LoopFuture<T, E>, cx: &mut Context<'_>) -> Poll<()> {
        if future.view.home.is_closed() {
            return self.late.poll(future.view.cell(), cx);
        }
        let here = context::current_loop();
        assert!(
            here.is_none_or(|here| here == future.view.home.id()),
            "a loop future was awaited on another loop than its own, which does not run meanwhile; \
             await a thread future, or wrap it for this loop"
        );
        self.queue(future, cx);
        Poll::Pending
    }

    fn queue<T, E>(&mut self, future: &LoopFuture<T, E>, cx: &Context<'_>) {
        let waiting = self.waker.replace(Some(cx.waker().clone())).is_some();
        if !waiting {
            let wake = WakeOnDrop(Rc::clone(&self.waker));
            self.token = Some(future.add_done_callback(move |_| drop(wake)));
        }
    }

    /// Gives the place up, if there was one.
    fn leave<T, E>(&mut self, future: &LoopFuture<T, E>) -> bool {
        drop(self.waker.take());
        let token = self.token.take();
        if let Some(token) = token {
            future.remove_done_callback(token);
        }
        self.late.leave(future.view.cell()) || token.is_some()
    }
}
