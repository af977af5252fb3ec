//! The view of a cell, whatever handles of it there are: who is told, and when.

use std::{
    cell::{Cell, RefCell},
    mem,
    rc::Rc,
    task::{Context, Waker},
};

use super::{
    incident::FutureId,
    ready::{Deliver, Errand},
    registry::Registry,
    task::Task,
};
use crate::{
    cell::{Handle, Ticket},
    places::Places,
    settled::Settled,
    waiter::Waiter,
};

type LocalCallback<T, E> = Box<dyn FnOnce(&Settled<T, E>)>;

/// Who is told, in its place.
enum Told<T, E> {
    /// A callback of the user's.
    Callback(LocalCallback<T, E>),
    /// Somebody of this crate who waits.
    Waits(LocalCallback<T, E>),
    /// A task that awaits. It is woken also when it goes untold, because the loop was closed: it then looks again.
    Awaits(Waker),
}

impl<T, E> Told<T, E> {
    const fn waits(&self) -> bool {
        matches!(self, Self::Waits(_) | Self::Awaits(_))
    }

    fn tell(self, settled: &Settled<T, E>) {
        match self {
            Self::Callback(call) | Self::Waits(call) => call(settled),
            Self::Awaits(waker) => waker.wake(),
        }
    }

    /// The loop is closed.
    fn give_up(self) {
        match self {
            Self::Callback(call) | Self::Waits(call) => drop(call),
            Self::Awaits(waker) => waker.wake(),
        }
    }
}

type Share<T, E> = fn(&Settled<T, E>) -> Settled<T, E>;

/// What all handles of one view share. It holds the view's one handle of the cell.
pub(super) struct View<T: 'static, E: 'static> {
    id: u64,
    /// Whether the loop finds it by that number.
    entered: Cell<bool>,
    pub(super) home: Rc<Registry>,
    /// Lent only once it is true; `None` once it was moved out by the only handle.
    settled: Option<Settled<T, E>>,
    /// The view's place among the waiters of the cell.
    hook: Cell<Option<Ticket>>,
    /// Whether the loop is told when it settles. One that is made while its loop closes is not, and reads through.
    told: bool,
    /// Whether it is settled as far as the loop is concerned.
    delivered: Cell<bool>,
    /// Whether a drain has been posted that will run what is registered now.
    draining: Cell<bool>,
    /// By the number of their token, which is their order.
    callbacks: RefCell<Places<Told<T, E>>>,
    /// Itself, as long as somebody is to be told: nobody else need hold it then.
    kept: Cell<Option<Rc<Self>>>,
    /// How to get a second handle of the cell: known as soon as the view was cloned, which needs
    /// `T, E: Sync`, as a second handle does.
    share: Cell<Option<Share<T, E>>>,
    /// The task whose outcome it is, and which tells it of that.
    task: Option<Task>,
}

impl<T, E> View<T, E> {
    /// A view of the cell behind `settled`, settled or not, that lives on the loop `home`.
    pub(super) fn new(settled: Settled<T, E>, home: &Rc<Registry>) -> Rc<Self> {
        let view = Self::make(settled, home, None);
        if !home.is_closed() {
            view.enter();
        }
        if view.told {
            match view.cell().register(Waiter::View(home.home(), view.id)) {
                Ok(ticket) => {
                    view.hook.set(Some(ticket));
                    home.awaits(view.cell().address());
                }
                Err(_) => {
                    view.draining.set(true);
                    home.post(Errand::Deliver(Rc::clone(&view) as Rc<dyn Deliver>));
                }
            }
        }
        view
    }

    /// A view of what becomes of `task`, which is new and ends before its loop is closed.
    pub(super) fn of_task(settled: Settled<T, E>, home: &Rc<Registry>, task: Task) -> Rc<Self> {
        Self::make(settled, home, Some(task))
    }

    fn make(settled: Settled<T, E>, home: &Rc<Registry>, task: Option<Task>) -> Rc<Self> {
        home.one_more_view();
        let told = task.is_some() || home.is_open();
        Rc::new(Self {
            id: home.next(),
            entered: Cell::new(false),
            home: Rc::clone(home),
            settled: Some(settled),
            hook: Cell::new(None),
            told,
            delivered: Cell::new(false),
            draining: Cell::new(false),
            callbacks: RefCell::default(),
            kept: Cell::new(None),
            share: Cell::new(None),
            task,
        })
    }

    /// From now on the loop finds it.
    fn enter(self: &Rc<Self>) {
        if !self.entered.replace(true) {
            let weak = Rc::downgrade(self);
            self.home.enter(self.id, weak);
        }
    }

    pub(super) fn cell(&self) -> &Handle<T, E> {
        self.proof().handle()
    }

    /// The handle, as long as the view has it.
    pub(super) fn proof(&self) -> &Settled<T, E> {
        self.settled.as_ref().expect("moved out only when the view goes")
    }

    pub(super) const fn task(&self) -> Option<&Task> {
        self.task.as_ref()
    }

    pub(super) fn future_id(&self) -> FutureId {
        match &self.task {
            Some(task) => FutureId::of_task(task.id()),
            None => FutureId::of_view(self.home.id(), self.id),
        }
    }

    /// Runs user code that belongs to this view.
    fn isolate(&self, f: impl FnOnce()) {
        self.home.isolate_for(Some((self.future_id(), self.task.as_ref())), f);
    }

    pub(super) fn is_settled(&self) -> bool {
        let reads_through = !self.told || self.home.is_closed();
        self.delivered.get() || (reads_through && self.cell().is_settled())
    }

    /// Posts a drain, if there is anything to run and none is on its way. `[callback-3]`
    fn drain_soon(self: &Rc<Self>) {
        if !self.callbacks.borrow().is_empty() && !self.draining.replace(true) {
            self.home.post(Errand::Deliver(Rc::clone(self) as Rc<dyn Deliver>));
        }
    }

    /// One more who is told; its number.
    fn register(self: &Rc<Self>, told: Told<T, E>) -> u64 {
        let number = self.home.next();
        if self.home.is_closed() {
            self.isolate(|| told.give_up());
            return number;
        }
        self.callbacks.borrow_mut().push(number, told);
        if !self.delivered.get() {
            self.kept.set(Some(Rc::clone(self)));
        } else if self.home.is_open() {
            self.drain_soon();
        } else {
            // While the loop closes nothing new is scheduled, or closing might never end.
            self.enter();
        }
        number
    }

    /// A callback of the user's; its number.
    pub(super) fn add(self: &Rc<Self>, callback: LocalCallback<T, E>) -> u64 {
        self.register(Told::Callback(callback))
    }

    /// One for somebody of this crate who waits.
    pub(super) fn wait_with(self: &Rc<Self>, callback: LocalCallback<T, E>) -> u64 {
        self.register(Told::Waits(callback))
    }

    /// A task that awaits takes a place, or keeps the one that it has. `[await-2]`
    pub(super) fn await_with(self: &Rc<Self>, place: Option<u64>, cx: &Context<'_>) -> u64 {
        // Cloning and dropping a waker is foreign code.
        let waker = cx.waker().clone();
        let last = {
            let mut callbacks = self.callbacks.borrow_mut();
            match place.and_then(|place| callbacks.get_mut(place)) {
                Some(Told::Awaits(last)) => Ok(mem::replace(last, waker)),
                _ => Err(waker),
            }
        };
        match (last, place) {
            (Ok(_), Some(place)) => place,
            (Ok(waker) | Err(waker), _) => self.register(Told::Awaits(waker)),
        }
    }

    /// Drops the one with this number; says whether it was there.
    pub(super) fn remove(&self, number: u64) -> bool {
        let removed = self.callbacks.borrow_mut().remove(number);
        if self.callbacks.borrow().is_empty() {
            self.let_go();
        }
        removed.is_some()
    }

    /// Drops the callbacks of the user's; says how many.
    pub(super) fn clear(&self) -> usize {
        let cleared = self.callbacks.borrow_mut().extract(Told::waits);
        if self.callbacks.borrow().is_empty() {
            self.let_go();
        }
        let count = cleared.len();
        for told in cleared {
            self.isolate(|| drop(told));
        }
        count
    }

    /// How many wait, and how many callbacks there are.
    pub(super) fn count(&self) -> (usize, usize) {
        let all = self.callbacks.borrow();
        let waiters = all.iter().filter(|it| it.waits()).count();
        (waiters, all.iter().count() - waiters)
    }

    /// From now on there is a way to get a second handle of the cell.
    pub(super) fn share_with(&self, share: Share<T, E>) {
        self.share.set(Some(share));
    }

    /// The proof, if it is the view's only handle, or if there is a way to get a second.
    pub(super) fn into_settled(self: Rc<Self>) -> Result<Settled<T, E>, Rc<Self>> {
        self.cell().look();
        match Rc::try_unwrap(self) {
            Ok(mut view) => Ok(view.settled.take().expect("moved out only once")),
            Err(view) => match view.share.get() {
                Some(share) => Ok(share(view.proof())),
                None => Err(view),
            },
        }
    }

    /// The next that is told, if it was registered before `end`.
    fn next_told(&self, end: u64) -> Option<Told<T, E>> {
        self.callbacks.borrow_mut().pop_below(end)
    }

    /// Nobody is left to be told.
    fn let_go(&self) {
        drop(self.kept.take());
    }
}

impl<T, E> Deliver for View<T, E> {
    fn arrived(self: Rc<Self>) {
        self.delivered.set(true);
        self.drain_soon();
        self.let_go();
    }

    fn deliver(self: Rc<Self>) {
        self.delivered.set(true);
        self.draining.set(false);
        if self.home.is_closed() {
            return self.sweep();
        }
        // Those that a callback registers come in a later turn.
        let end = self.home.next();
        while let Some(told) = self.next_told(end) {
            self.isolate(|| told.tell(self.proof()));
        }
        self.let_go();
    }

    fn catch_up(self: Rc<Self>) {
        if !self.delivered.get() && self.cell().is_settled() {
            self.deliver();
        }
    }

    fn sweep(&self) {
        let callbacks = self.callbacks.take().extract(|_| false);
        for told in callbacks {
            self.isolate(|| told.give_up());
        }
        self.let_go();
    }
}

impl<T, E> Drop for View<T, E> {
    fn drop(&mut self) {
        self.home.leave(self.entered.get().then_some(self.id));
        let Some(settled) = &self.settled else { return };
        if let Some(ticket) = self.hook.get() {
            drop(settled.handle().deregister(ticket));
        }
        if settled.handle().is_unread()
            && let Err(failure) = settled.peek()
        {
            self.home.report_failure(failure, self.future_id(), self.task.as_ref());
        }
    }
}
