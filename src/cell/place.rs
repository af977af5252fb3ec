//! The place: two words of the cell, for one waiter or one callback, or the list of more. What the lock guards.
//!
//! ```text
//! mark      what the two words are            becomes
//! Nothing   nothing                           Waiter or Callback by the first who comes, List by whoever does not fit
//! Waiter    who waits                         Nothing when he leaves or is taken out, List by the next who comes
//! Callback  what is called                    the same
//! List      where the list of all is          Nothing in the step that settles, unless somebody or something stays behind
//! ```
//!
//! A waiter here needs no memory of his own. His ticket is the last that was given, which is written beside the mark.
#![expect(unsafe_code, reason = "the cell is where it belongs; every block says why it is sound")]

use std::{mem::ManuallyDrop, ptr, sync::Arc, task::Waker};

use super::{
    Cell, Until,
    list::{List, Taken, Ticket, Waiters},
};
use crate::{
    context::Id,
    inbox::Inbox,
    sync::{Locked, Unparker, UnsafeCell},
    waiter::{Callback, Callbacks, Waiter},
};

/// What is in the place, taken out: the two words, and what they are.
pub(super) struct Held<T, E>(Mark, Words<T, E>);

/// The same by kind: a waiter with the byte of his ticket.
pub(super) enum Kind<T, E> {
    Nothing,
    Waker(u8, Waker),
    Thread(u8, Unparker),
    Member(u8, Arc<Inbox>, usize),
    Callback(Callback<T, E>),
    List(Box<List<T, E>>),
}

/// What the two words are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Nothing,
    Waker,
    Thread,
    Member,
    Callback,
    List,
}

/// What the two words are, and the number of the last ticket that was given while they were no list. Zero is nobody's.
#[derive(Clone, Copy)]
struct Mark {
    what: What,
    last: u8,
}

union Words<T, E> {
    nothing: (),
    waker: ManuallyDrop<Waker>,
    thread: ManuallyDrop<Unparker>,
    member: ManuallyDrop<(Arc<Inbox>, usize)>,
    callback: ManuallyDrop<Callback<T, E>>,
    list: ManuallyDrop<Box<List<T, E>>>,
}

/// The two words, in a cell.
pub(super) struct Place<T, E>(UnsafeCell<Words<T, E>>);

/// What they are: apart, since they leave no room for it.
pub(super) struct Marked(UnsafeCell<Mark>);

/// The place of a cell, whose lock is taken.
pub(super) struct Open<'a, T, E> {
    cell: &'a Cell<T, E>,
    _locked: Locked<'a>,
}

impl<T, E> Place<T, E> {
    /// With the producer's owner in it, who waits for a request, or nothing.
    #[inline]
    pub(super) fn new(owner: Option<Waker>) -> (Self, Marked) {
        let (what, last, words) = match owner {
            Some(owner) => (What::Waker, Ticket::OWNER, Words { waker: ManuallyDrop::new(owner) }),
            None => (What::Nothing, 0, Words { nothing: () }),
        };
        (Self(UnsafeCell::new(words)), Marked(UnsafeCell::new(Mark { what, last })))
    }

    /// Drops what is in it, which is mostly nothing.
    ///
    /// # Safety
    ///
    /// Nobody else has the cell, and the place is not used again.
    #[inline]
    pub(super) unsafe fn clear(&self, marked: &Marked) {
        // SAFETY: by the contract nobody else uses it.
        let mark = marked.0.with_mut(|mark| unsafe { *mark });
        // SAFETY: as above, and it is not used again.
        let words = || self.0.with_mut(|place| unsafe { place.read() });
        if mark.what != What::Nothing {
            // SAFETY: the mark says what the words are, whenever the lock is free.
            unsafe { words().clear(mark) }
        }
    }
}

impl<T, E> Words<T, E> {
    /// What they are.
    ///
    /// # Safety
    ///
    /// They are what the mark says, and are not used again.
    #[inline]
    #[expect(clippy::multiple_unsafe_ops_per_block, reason = "one of them is done")]
    unsafe fn kind(&self, mark: Mark) -> Kind<T, E> {
        // SAFETY: by the contract it is this one, and owned by nobody else.
        unsafe {
            match mark.what {
                What::Nothing => Kind::Nothing,
                What::Waker => Kind::Waker(mark.last, ptr::read(&*self.waker)),
                What::Thread => Kind::Thread(mark.last, ptr::read(&*self.thread)),
                What::Member => {
                    let (inbox, number) = ptr::read(&*self.member);
                    Kind::Member(mark.last, inbox, number)
                }
                What::Callback => Kind::Callback(ptr::read(&*self.callback)),
                What::List => Kind::List(ptr::read(&*self.list)),
            }
        }
    }

    /// Drops what they are.
    ///
    /// # Safety
    ///
    /// As for [`kind`](Self::kind).
    #[cold]
    unsafe fn clear(&self, mark: Mark) {
        // SAFETY: the caller keeps the contract, which is the same.
        drop(unsafe { self.kind(mark) });
    }
}

impl What {
    const fn is_waiter(self) -> bool {
        matches!(self, Self::Waker | Self::Thread | Self::Member)
    }
}

impl<'a, T, E> Open<'a, T, E> {
    /// Takes the lock.
    #[inline]
    pub(super) fn of(cell: &'a Cell<T, E>) -> Self {
        Self { cell, _locked: cell.lock.lock() }
    }

    /// The same, if it is free.
    pub(super) fn try_of(cell: &'a Cell<T, E>) -> Option<Self> {
        Some(Self { cell, _locked: cell.lock.try_lock()? })
    }

    #[inline]
    fn mark(&self) -> Mark {
        // SAFETY: the lock is taken, and what it guards is used by nobody else.
        self.cell.marked.0.with(|mark| unsafe { *mark })
    }

    /// Puts this in the place, in which there is nothing.
    #[inline]
    fn put(&mut self, mark: Mark, words: Words<T, E>) {
        // SAFETY: the lock is taken.
        self.cell.place.0.with_mut(|place| unsafe { place.write(words) });
        // SAFETY: as above.
        self.cell.marked.0.with_mut(|it| unsafe { *it = mark });
    }

    /// Takes out what is in it.
    #[inline(always)]
    pub(super) fn take(&mut self) -> Held<T, E> {
        let mark = self.mark();
        // SAFETY: the lock is taken.
        let words = self.cell.place.0.with(|place| unsafe { place.read() });
        self.put(Mark { what: What::Nothing, ..mark }, Words { nothing: () });
        Held(mark, words)
    }

    fn put_list(&mut self, list: Box<List<T, E>>) {
        let mark = Mark { what: What::List, ..self.mark() };
        self.put(mark, Words { list: ManuallyDrop::new(list) });
    }

    /// The list, if there is one.
    #[inline]
    pub(super) fn as_list(&mut self) -> Option<&mut List<T, E>> {
        if self.mark().what != What::List {
            return None;
        }
        // SAFETY: the lock is taken as long as this is.
        let words = self.cell.place.0.with_mut(|place| unsafe { &mut *place });
        // SAFETY: the mark says so.
        Some(unsafe { &mut words.list })
    }

    /// The list, which has what is in the place if there was none.
    #[inline(never)]
    pub(super) fn grown(&mut self) -> &mut List<T, E> {
        if self.mark().what != What::List {
            let mut list = Box::<List<T, E>>::default();
            list.waiters = Waiters::after(self.mark().last);
            match self.take().into_kind() {
                Kind::Callback(callback) => list.callbacks.push(callback),
                kind => list.waiters.first = kind.into_waiter(),
            }
            self.put_list(list);
        }
        self.as_list().expect("it was put there")
    }

    pub(super) fn is_empty(&self) -> bool {
        self.mark().what == What::Nothing
    }

    /// The waiter's ticket, if there is one who is in no list.
    #[inline]
    fn alone(&self) -> Option<Ticket> {
        let Mark { what, last } = self.mark();
        what.is_waiter().then(|| Ticket::short(last))
    }

    /// The waker, if there is one in no list.
    fn waker(&self) -> Option<&Waker> {
        if self.mark().what != What::Waker {
            return None;
        }
        // SAFETY: the lock is taken as long as this is.
        let words = self.cell.place.0.with(|place| unsafe { &*place });
        // SAFETY: the mark says so.
        Some(unsafe { &words.waker })
    }

    /// One more who waits for this.
    #[inline]
    pub(super) fn enter(&mut self, until: Until, waiter: Waiter) -> Ticket {
        let Some(last) = self.next_alone(until) else { return self.enter_list(until, waiter) };
        let (what, words) = match waiter {
            Waiter::Waker(waker, None) => (What::Waker, Words { waker: ManuallyDrop::new(waker) }),
            Waiter::Thread(thread) => (What::Thread, Words { thread: ManuallyDrop::new(thread) }),
            Waiter::Member(inbox, number) => {
                (What::Member, Words { member: ManuallyDrop::new((inbox, number)) })
            }
            // Two words are not enough for him.
            others => return self.enter_list(until, others),
        };
        self.put(Mark { what, last }, words);
        Ticket::short(last)
    }

    /// The byte of the next ticket, if whoever gets it can be here alone.
    #[inline]
    fn next_alone(&self, until: Until) -> Option<u8> {
        let mark = self.mark();
        if mark.what == What::Nothing { Ticket::next_short(mark.last, until) } else { None }
    }

    #[inline(never)]
    fn enter_list(&mut self, until: Until, waiter: Waiter) -> Ticket {
        self.grown().waiters.enter(until, waiter)
    }

    /// Takes one out, if it is still there.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<Waiter> {
        if let Some(list) = self.as_list() {
            return list.waiters.remove(ticket);
        }
        if self.alone() != Some(ticket) {
            return None;
        }
        self.take().into_kind().into_waiter().map(|(_, waiter)| waiter)
    }

    /// Takes those out who wait for this.
    pub(super) fn take_waiters(&mut self, until: Until) -> Taken {
        if let Some(list) = self.as_list() {
            return list.waiters.take(until);
        }
        match self.alone() {
            Some(ticket) if ticket.waits_until(until) => {
                Taken::of(self.take().into_kind().into_waiter())
            }
            _ => Taken::default(),
        }
    }

    /// Takes everybody out in the step that settled, but those who wait for the callbacks that it lends the outcome, and
    /// but for why a cell is Cancelled.
    #[inline(always)]
    pub(super) fn settled(&mut self, lends: bool) -> Held<T, E> {
        // Whoever is alone here waits for no callbacks: there are none.
        if let Some(list) = self.as_list()
            && let Some(rest) = list.split(lends)
        {
            let held = self.take();
            self.put_list(rest);
            return held;
        }
        self.take()
    }

    /// One more who is called.
    pub(super) fn push(&mut self, callback: Callback<T, E>) {
        if let Some(list) = self.as_list() {
            return list.callbacks.push(callback);
        }
        let mark = self.mark();
        if mark.what == What::Nothing {
            let callback = ManuallyDrop::new(callback);
            self.put(Mark { what: What::Callback, ..mark }, Words { callback });
        } else {
            self.grown().callbacks.push(callback);
        }
    }

    /// Takes the callbacks out.
    pub(super) fn take_callbacks(&mut self) -> Callbacks<T, E> {
        if let Some(list) = self.as_list() {
            return std::mem::replace(&mut list.callbacks, Callbacks::NONE);
        }
        if self.mark().what != What::Callback {
            return Callbacks::NONE;
        }
        match self.take().into_kind() {
            Kind::Callback(callback) => Callbacks::one(callback),
            _ => unreachable!("the mark says so"),
        }
    }

    /// Whether the ticket's waiter is there, and wakes the same task.
    pub(super) fn wakes(&mut self, ticket: Ticket, by: &Waker) -> bool {
        if let Some(list) = self.as_list() {
            return list.waiters.wakes(ticket, by);
        }
        self.alone() == Some(ticket) && self.waker().is_some_and(|waker| waker.will_wake(by))
    }

    /// Whether somebody is told on this loop: he is in a list.
    pub(super) fn is_awaited_on(&mut self, home: Id) -> bool {
        self.as_list().is_some_and(|list| list.waiters.is_awaited_on(home))
    }

    /// How many wait, the producer not counted, and how many are called.
    pub(super) fn count(&mut self) -> (usize, usize) {
        if let Some(list) = self.as_list() {
            return (list.waiters.count(), list.callbacks.len());
        }
        let waits = self.alone().is_some_and(|ticket| !ticket.listens());
        (usize::from(waits), usize::from(self.mark().what == What::Callback))
    }
}

impl<T, E> Drop for Open<'_, T, E> {
    #[inline]
    fn drop(&mut self) {
        // The lock is freed next, and is a part of the cell.
        self.cell.alive.touch();
    }
}

impl<T, E> Held<T, E> {
    #[inline(always)]
    pub(super) fn into_kind(self) -> Kind<T, E> {
        let this = ManuallyDrop::new(self);
        // SAFETY: the mark that they were taken out with says what they are, and they are not dropped.
        unsafe { this.1.kind(this.0) }
    }
}

impl<T, E> Drop for Held<T, E> {
    #[cold]
    fn drop(&mut self) {
        // SAFETY: as above, by its drop.
        unsafe { self.1.clear(self.0) }
    }
}

impl<T, E> Kind<T, E> {
    /// The waiter, if that is what it is.
    #[inline]
    pub(super) fn into_waiter(self) -> Option<(Ticket, Waiter)> {
        let (last, waiter) = match self {
            Self::Waker(last, waker) => (last, Waiter::Waker(waker, None)),
            Self::Thread(last, thread) => (last, Waiter::Thread(thread)),
            Self::Member(last, inbox, number) => (last, Waiter::Member(inbox, number)),
            Self::Nothing | Self::Callback(_) | Self::List(_) => return None,
        };
        Some((Ticket::short(last), waiter))
    }
}
