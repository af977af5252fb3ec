//! The two ways to wait for a primitive: a thread blocks, a task awaits. Both stand in one line.
//!
//! What is decided is pure, and decided by one step of the word, or under one lock. Nothing else happens under it: wakers are
//! cloned before, and dropped and woken after.
//!
//! ```text
//! site     ordering  pairs with, and what that is for
//! pass     Acquire   give, set, open: what was done before
//! give     Release   pass, close
//! set      AcqRel    pass, close, set: the same, and a clear that comes after sees what was done before it
//! close    Acquire   give, set: what the one with the lock has was there before
//! open     Release   pass, come: what is open was there before, also what was given with the lock taken
//! come     Acquire   open: what was done before it was given, or set, with the lock taken
//! ```

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, PoisonError},
    task::{Context, Poll},
    time::Instant,
};

use super::{
    line::{Left, Ticket, Turns},
    memory::{Ends, Later},
    permits::Permits,
    word::{Step, Word},
};
use crate::{
    blocking::{Looked, May, Wanted, before_parking},
    deferred,
    error::WaitError,
    interrupt,
    sync::{AtomicU64, Mutex, MutexGuard, Ordering, Parker, at, is_over, is_past, lock},
    waiter::{Waiter, isolate},
};

/// A primitive that threads and loops share.
pub(super) struct Core<M: Turns<Waiter>> {
    word: AtomicU64,
    behind: Later<Mutex<M>>,
}

/// As long as this is there, the lock is taken, and the word is closed.
pub(super) struct Locked<'a, M: Turns<Waiter>> {
    machine: MutexGuard<'a, M>,
    word: &'a AtomicU64,
}

impl<M: Turns<Waiter>> Deref for Locked<'_, M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.machine
    }
}

impl<M: Turns<Waiter>> DerefMut for Locked<'_, M> {
    fn deref_mut(&mut self) -> &mut M {
        &mut self.machine
    }
}

/// Opens the word, and then frees the lock.
impl<M: Turns<Waiter>> Drop for Locked<'_, M> {
    #[inline]
    fn drop(&mut self) {
        if let Some(word) = self.machine.open() {
            self.word.store(word.bits(), at("open", Ordering::Release));
        }
    }
}

/// Drops it where no lock is held. What a waker's own drop does is its own affair.
fn let_go(waiter: Option<Waiter>) {
    isolate(|| drop(waiter));
}

impl<M: Turns<Waiter>> Ends for Mutex<M> {
    /// The wakers of futures that were leaked go one by one, so that what one does as it goes keeps none of the others.
    fn end(&mut self) {
        let machine = self.get_mut().unwrap_or_else(PoisonError::into_inner);
        while let Some(waiter) = machine.line().grant() {
            let_go(Some(waiter));
        }
    }
}

impl<M: Turns<Waiter>> Core<M> {
    pub(super) fn new(mut machine: M) -> Arc<Self> {
        let word = machine.open().unwrap_or(Word::CLOSED);
        Arc::new(Self { word: AtomicU64::new(word.bits()), behind: Later::of(Mutex::new(machine)) })
    }

    /// One of which there is nothing yet but the word.
    pub(super) fn of(word: Word) -> Self {
        Self { word: AtomicU64::new(word.bits()), behind: Later::new() }
    }

    pub(super) fn lock(&self) -> Locked<'_, M> {
        self.locked(lock(self.behind()))
    }

    fn behind(&self) -> &Mutex<M> {
        self.behind.get(|| Mutex::new(M::behind_a_word()))
    }

    fn locked<'a>(&'a self, mut machine: MutexGuard<'a, M>) -> Locked<'a, M> {
        // Only who has the lock opens it.
        let (bits, _) = self.word.guess(Ordering::Relaxed);
        if Word::from_bits(bits) != Word::CLOSED {
            let last = self.word.swap(Word::CLOSED.bits(), at("close", Ordering::Acquire));
            Word::from_bits(last).number().into_iter().for_each(|said| machine.close(said));
        }
        Locked { machine, word: &self.word }
    }

    /// What it shows of itself, unless somebody is about to change it.
    pub(super) fn look<R>(&self, look: impl FnOnce(&mut M) -> R) -> Option<R> {
        let machine = self.behind().try_lock().ok()?;
        Some(look(&mut self.locked(machine)))
    }

    /// One step of the word, and its answer, if it is open. It is tried from this word first, or else from the one that is
    /// there.
    #[inline(always)]
    pub(super) fn step(
        &self,
        first: Option<Word>,
        ordering: Ordering,
        step: impl Fn(Word) -> Step,
    ) -> Option<bool> {
        let looks = at("pass", Ordering::Acquire);
        let (mut bits, mut is_seen) = match first {
            Some(first) => (first.bits(), false),
            None => self.word.guess(looks),
        };
        loop {
            match step(Word::from_bits(bits)) {
                Step::To(next) => {
                    let put = self.word.compare_exchange_weak(bits, next.bits(), ordering, looks);
                    match put {
                        Ok(_) => return Some(true),
                        Err(other) => (bits, is_seen) = (other, true),
                    }
                }
                Step::Stays(answer) if is_seen => return Some(answer),
                Step::Closed if is_seen => return None,
                _ => (bits, is_seen) = (self.word.load(looks), true),
            }
        }
    }

    /// What the word says, or what this says of the machine.
    pub(super) fn number(&self, of: impl FnOnce(&M) -> u64) -> u64 {
        let word = Word::from_bits(self.word.load(at("pass", Ordering::Acquire)));
        word.number().unwrap_or_else(|| of(&self.lock()))
    }

    /// Whether nobody stands in the line, as an open word says: whoever has a ticket has had his turn then, and goes on
    /// without the lock.
    #[inline]
    fn has_no_line(&self) -> bool {
        let bits = self.word.load(at("come", Ordering::Acquire));
        Word::from_bits(bits).number().is_some()
    }

    /// Goes on, if nobody has to wait.
    #[inline]
    pub(super) fn pass(&self) -> bool {
        self.pass_from(None)
    }

    #[inline]
    fn pass_from(&self, first: Option<Word>) -> bool {
        let step = self.step(first, at("pass", Ordering::Acquire), M::step);
        step.unwrap_or_else(|| self.lock().pass())
    }

    /// Blocks this thread until it is its turn, or says why it is not, of which the caller is to be
    /// [told](WaitError::told). A callback that the thread has deferred is run first; nobody knows who would end the wait,
    /// and so no job is helped with, and no circle is refused.
    #[inline]
    pub(super) fn block(&self, deadline: Option<Instant>) -> Result<(), WaitError> {
        if self.pass() { Ok(()) } else { self.block_or_say_why(deadline) }
    }

    /// The same for one who has looked, and does not pass.
    #[cold]
    pub(super) fn block_or_say_why(&self, deadline: Option<Instant>) -> Result<(), WaitError> {
        loop {
            if is_past(deadline) {
                return Err(WaitError::of(deadline));
            }
            match before_parking(Wanted::All, None, &mut Looked::default())? {
                May::LookAgain => {}
                May::Park(_) => break,
            }
            if self.pass() {
                return Ok(());
            }
        }
        if is_over(deadline) {
            return Err(WaitError::of(deadline));
        }
        self.enter().map_or(Ok(()), |standing| standing.park(deadline))
    }

    /// Blocks this thread until it is its turn. Nothing ends this wait, and nothing refuses it.
    pub(super) fn block_in_any_case(&self) {
        while !self.pass() {
            if matches!(deferred::run_one(), Ok(true)) {
                continue;
            }
            let _shield = interrupt::shield();
            let end = self.enter().map_or(Ok(()), |standing| standing.park(None));
            // Who goes on has a value that nobody else may have.
            assert!(end.is_ok(), "nothing ends it");
            return;
        }
    }

    /// Stands in the line from now on, and calls this. Then it blocks this thread until it is its turn, or says why it is
    /// not, as [`block`](Self::block) does: what the thread has deferred runs in between, one callback after the other as
    /// long as the wait is not over, and may be what it waits for.
    pub(super) fn enter_and_block(
        &self,
        deadline: Option<Instant>,
        entered: impl FnOnce(),
    ) -> Result<(), WaitError> {
        let Some(mut standing) = self.enter() else { return Ok(()) };
        entered();
        while !is_past(deadline) {
            match before_parking(Wanted::All, None, &mut Looked::default()) {
                Ok(May::LookAgain) if standing.place.come() => return Ok(()),
                Ok(May::LookAgain) => {}
                Ok(May::Park(_)) => break,
                Err(_) if standing.place.end() => return Ok(()),
                Err(refused) => return Err(refused.into()),
            }
        }
        standing.park(deadline)
    }

    /// This thread goes on, or stands in the line.
    fn enter(&self) -> Option<Standing<'_, M>> {
        let parker = Parker::new();
        let ticket = self.lock().enter(Waiter::Thread(parker.unparker())).ok()?;
        Some(Standing { parker, place: Place { core: self, ticket: Some(ticket) } })
    }
}

/// A thread that stands in the line. Unwinding, it leaves.
struct Standing<'a, M: Turns<Waiter>> {
    parker: Parker,
    place: Place<M, &'a Core<M>>,
}

impl<M: Turns<Waiter>> Standing<'_, M> {
    /// Blocks this thread until it is its turn.
    fn park(mut self, deadline: Option<Instant>) -> Result<(), WaitError> {
        loop {
            if is_over(deadline) {
                return if self.place.end() { Ok(()) } else { Err(WaitError::of(deadline)) };
            }
            self.parker.park(deadline);
            if self.place.come() {
                return Ok(());
            }
        }
    }
}

/// Where a thread or a task stands in the line: nowhere, before a task's first poll.
pub(super) struct Place<M: Turns<Waiter>, R: Deref<Target = Core<M>> = Arc<Core<M>>> {
    pub(super) core: R,
    ticket: Option<Ticket>,
}

impl<M: Turns<Waiter>, R: Deref<Target = Core<M>>> Place<M, R> {
    pub(super) const fn new(core: R) -> Self {
        Self { core, ticket: None }
    }

    /// Goes on, if it is its turn, or leaves the task's waker in the line.
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        let poll = self.look(cx, M::come);
        if poll.is_ready() {
            self.ticket = None;
        }
        poll
    }

    /// The same, but has not gone on when it is ready: it still gives its turn up when it leaves.
    pub(super) fn poll_turn(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.look(cx, M::is_granted)
    }

    /// Goes on, if it is its turn.
    pub(super) fn come(&mut self) -> bool {
        let comes = self
            .ticket
            .is_some_and(|ticket| self.core.has_no_line() || self.core.lock().come(ticket));
        if comes {
            self.ticket = None;
        }
        comes
    }

    /// Ends the wait in one step: goes on, if it is its turn, or leaves.
    fn end(&mut self) -> bool {
        let Some(ticket) = self.ticket.take() else { return false };
        let mut machine = self.core.lock();
        if machine.come(ticket) {
            return true;
        }
        let left = machine.leave(ticket);
        drop(machine);
        tell(left);
        false
    }

    #[inline]
    fn look(&mut self, cx: &Context<'_>, come: fn(&mut M, Ticket) -> bool) -> Poll<()> {
        if self.ticket.is_none() && self.core.pass() {
            return Poll::Ready(());
        }
        self.look_again(cx, come)
    }

    #[cold]
    fn look_again(&mut self, cx: &Context<'_>, come: fn(&mut M, Ticket) -> bool) -> Poll<()> {
        if let Some(ticket) = self.ticket {
            if self.core.has_no_line() {
                return Poll::Ready(());
            }
            let mut machine = self.core.lock();
            if come(&mut machine, ticket) {
                return Poll::Ready(());
            }
            let last = machine.line().waiter(ticket);
            if matches!(last, Some(Waiter::Waker(it, _)) if it.will_wake(cx.waker())) {
                return Poll::Pending;
            }
        }
        let waiter = Waiter::Waker(cx.waker().clone(), None);
        let (other, goes_on) = self.wait(waiter, come);
        let_go(other);
        if goes_on { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Is told by this waiter from now on, unless it is its turn; what is not needed any more, and whether it is.
    fn wait(
        &mut self,
        mut waiter: Waiter,
        come: fn(&mut M, Ticket) -> bool,
    ) -> (Option<Waiter>, bool) {
        let mut machine = self.core.lock();
        let Some(ticket) = self.ticket else {
            return match machine.enter(waiter) {
                Ok(ticket) => {
                    self.ticket = Some(ticket);
                    (None, false)
                }
                Err(waiter) => (Some(waiter), true),
            };
        };
        if let Some(last) = machine.line().waiter(ticket) {
            std::mem::swap(last, &mut waiter);
            return (Some(waiter), false);
        }
        (Some(waiter), come(&mut machine, ticket))
    }
}

impl Core<Permits<Waiter>> {
    /// One with one permit, of which there is never more.
    pub(super) fn of_one() -> Self {
        Self::of(Word::ONE)
    }

    /// Gives one back that was held, and tells the first who waits, if it is his turn by that. Who calls it has a hold on
    /// this.
    #[inline]
    pub(super) fn give_back(&self) {
        self.give_back_from(None);
    }

    #[inline]
    fn give_back_from(&self, first: Option<Word>) {
        if self.step(first, at("give", Ordering::Release), Word::give).is_none() {
            self.hand_on();
        }
    }

    /// Passes, where there is one permit, which is likely to be free.
    #[inline]
    pub(super) fn lock_one(&self) -> bool {
        self.pass_from(Some(Word::ONE))
    }

    /// Gives it back.
    #[inline]
    pub(super) fn unlock_one(&self) {
        self.give_back_from(Some(Word::ZERO));
    }

    #[cold]
    fn hand_on(&self) {
        let next = self.lock().give_back();
        if let Some(next) = next {
            next.notify();
        }
    }
}

/// Gives the place up, and what was granted to it.
impl<M: Turns<Waiter>, R: Deref<Target = Core<M>>> Drop for Place<M, R> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let left = self.core.lock().leave(ticket);
            tell(left);
        }
    }
}

fn tell(Left { own, next }: Left<Waiter>) {
    if let Some(next) = next {
        next.notify();
    }
    let_go(own);
}
