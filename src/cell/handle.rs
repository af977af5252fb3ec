//! Handles: who keeps the cell alive, and who frees it.
//!
//! ```text
//! who has a handle, and can    makes            gives up, in one step that says what is to be done then
//! see the outcome
//! the promise                  with the cell    in its last step, which settles or is late; lent to callbacks it lives on
//! a future, or its proof       with the cell,   when it is dropped, or takes the outcome; if the promise alone is left,
//!                              or by `clone`    that is told
//! callbacks                    in the step      when they have returned: the end of the lending is told
//!                              that settles,
//!                              or by `lend`
//!
//! who has a hold, and keeps    gets it          releases it
//! the memory alone
//! whoever has to tell others   for his handle   when he has taken them out of the place
//! whoever was the last         for his handle   when he has taken the outcome out of the slot
//! all weak handles together    with the first   with the last; one of them becomes a handle as long as somebody sees the
//!                                               outcome, or in the step in which it cancels
//! ```
//!
//! When there is neither a handle nor a hold, the memory is freed, and then what was in the slot is dropped, with no lock
//! held. `[cell-4]` `[weak-2]`
#![expect(unsafe_code, reason = "the cell is where it belongs; every block says why it is sound")]

use std::{
    fmt,
    panic::{RefUnwindSafe, UnwindSafe},
    ptr::NonNull,
    sync::Arc,
    task::Waker,
};

use super::{
    Address, Cell, MOST_WEAK, Outcome,
    atom::Atom,
    list::Taken,
    memory,
    place::{Open, Place},
    slot::{Failed, Slot},
    word::{Then, Word},
};
use crate::{
    error::{Cancellation, Cancelled, Failure, Reason},
    machine::State,
    sync::{Alive, AtomicBool, AtomicU32, Lock, Ordering, at},
};

/// A counted reference to a cell. Every promise, future and proof of settlement is one of these.
///
/// The pointer is never null, so that an `Option` of it costs nothing; it is invariant in `T` and
/// `E`, because the cell contains an `UnsafeCell` of them. `[bounds-4]`
pub(crate) struct Handle<T, E>(NonNull<Cell<T, E>>);

// SAFETY: a handle moves `&T` access to its new thread, and may drop `T` and `E` there, hence
// `Send`. It gives nobody a second `&T` in the old thread: without `Sync` handles cannot be cloned
// and callbacks cannot be registered, so that the promise is the only other handle that gets at the slot: it writes it, or
// takes back what it wrote in vain, and gives its handle up in the step that settles. `[bounds-1]`
unsafe impl<T: Send, E: Send> Send for Handle<T, E> {}
// SAFETY: two threads with a `&Handle` may both hold `&T` (`Sync`). The count is in an atomic.
// Whoever owns the handle may be in another thread than the last reader, so `T` may be dropped in
// any of them (`Send`). `[bounds-1]`
unsafe impl<T: Send + Sync, E: Send + Sync> Sync for Handle<T, E> {}

// What the lock guards is whole at every unlock, whoever panics, so that only the values count.
impl<T: RefUnwindSafe, E: RefUnwindSafe> UnwindSafe for Handle<T, E> {}
impl<T: RefUnwindSafe, E: RefUnwindSafe> RefUnwindSafe for Handle<T, E> {}

impl<T, E> Handle<T, E> {
    #[inline]
    pub(super) fn pair(owner: Option<Waker>) -> (Self, Self) {
        let word = Word::new(owner.is_some());
        let (place, marked) = Place::new(owner);
        let cell = memory::make(Cell {
            word: Atom::new(word),
            place,
            marked,
            lock: Lock::new(),
            weak: AtomicU32::new(0),
            looked: AtomicBool::new(false),
            slot: Slot::new(),
            alive: Alive::new(),
        });
        (Self(cell), Self(cell))
    }

    #[inline]
    fn cell(&self) -> &Cell<T, E> {
        // SAFETY: whoever has this has a handle or a hold, and the cell is freed only when there is neither.
        let cell = unsafe { self.0.as_ref() };
        cell.alive.touch();
        cell
    }

    /// The same reference once more, which nobody has counted.
    #[inline]
    pub(super) fn same(&self) -> Self {
        Self(self.0)
    }

    #[inline]
    pub(super) fn slot(&self) -> &Slot<T, E> {
        &self.cell().slot
    }

    #[inline]
    pub(super) fn word(&self) -> &Atom {
        &self.cell().word
    }

    #[inline]
    pub(super) fn look_at_word(&self) -> Word {
        self.word().look()
    }

    /// Where the cell is: tells it apart from all others as long as it lives.
    pub(crate) fn address(&self) -> Address {
        self.0.addr()
    }

    #[inline]
    pub(super) fn lock(&self) -> Open<'_, T, E> {
        Open::of(self.cell())
    }

    #[inline]
    pub(crate) fn state(&self) -> State {
        self.look_at_word().state()
    }

    #[inline]
    pub(crate) fn is_settled(&self) -> bool {
        self.state().is_settled()
    }

    /// The value, or why there is none.
    ///
    /// # Panics
    ///
    /// If the cell is not settled. Callers hold the proof that it is.
    #[inline]
    pub(crate) fn outcome(&self) -> Result<&T, &Failure<E>> {
        let word = self.word().settled();
        match word.state() {
            // SAFETY: it is Finished, and this is a handle.
            State::Finished => unsafe { self.slot().read() }.as_ref(),
            State::Cancelled => Err(self.cancelled(word)),
            State::Pending | State::Running => {
                unreachable!("callers hold the proof that it is settled")
            }
        }
    }

    /// Why there is no value in a cell that is Cancelled.
    fn cancelled(&self, word: Word) -> &Failure<E> {
        if !word.is_reasoned() {
            return plain(word.cause());
        }
        let mut list = self.lock();
        let list = list.grown();
        let failure = || Box::new(Cancellation::new(word.cause(), list.reason.clone()).into());
        let failure = NonNull::from(&**list.cancelled.get_or_insert_with(failure));
        // SAFETY: once made it stays in its box, unchanged, as long as the cell is there.
        unsafe { failure.as_ref() }
    }

    /// Somebody looks at the outcome, or is handed the proof: nobody has to report it any more.
    #[inline]
    pub(crate) fn look(&self) {
        let looked = &self.cell().looked;
        // ORDERING: Relaxed, false=>true; whoever asks does so with the last handle, and has seen this one given up.
        if !looked.load(Ordering::Relaxed) {
            looked.store(true, Ordering::Relaxed);
        }
    }

    /// Whether this is the last handle of an outcome that is settled and that nobody has looked at.
    pub(crate) fn is_unread(&self) -> bool {
        let word = self.look_at_word();
        // ORDERING: Relaxed; see `look`.
        word.is_unread(self.cell().looked.load(Ordering::Relaxed))
    }

    /// Pending => Running, or the reason why not.
    pub(crate) fn start(&self) -> Result<(), Cancelled> {
        self.word().step(at("begin", Ordering::Relaxed), |word| Ok((word.start()?, ())))
    }

    /// What the first canceller said who gave a reason.
    pub(super) fn reason(&self) -> Option<Reason> {
        if !self.look_at_word().is_reasoned() {
            return None;
        }
        self.lock().as_list()?.reason.clone()
    }

    /// The same, to be shared.
    pub(crate) fn cancel_reason(&self) -> Option<Arc<str>> {
        self.reason().map(|reason| *reason)
    }

    /// Another handle, which this step counts. `[bounds-2]`
    pub(super) fn another(&self, step: impl Fn(Word) -> Option<Word>) -> Self
    where
        T: Sync,
        E: Sync,
    {
        self.one_more(step).expect("more handles than can be counted")
    }

    /// Another handle, if the step grants one, which counts it. It is up to the caller that `T` and `E` are `Sync`.
    /// `[bounds-2]`
    pub(super) fn one_more(&self, step: impl Fn(Word) -> Option<Word>) -> Option<Self> {
        self.word().apply(at("share", Ordering::Relaxed), step).then(|| self.same())
    }

    /// Gives the handle up in one step, and does what that says. `[cell-4]`
    ///
    /// # Safety
    ///
    /// This one is not used again.
    #[inline]
    pub(super) unsafe fn give_up(&self, step: impl Fn(Word) -> (Word, Then)) {
        // Mostly another is left, or nothing but the value.
        let word = self.word().seemingly();
        if let (next, Then::Forget) = step(word)
            && self.word().try_step(word, next, at("leave", Ordering::Release))
        {
            return;
        }
        if self.word().is(|word| matches!(step(word).1, Then::Free))
            // SAFETY: the word says so, and by the contract it is not used again.
            && let Ok(value) = unsafe { self.free_with_value() }
        {
            return drop(value);
        }
        // SAFETY: by the contract.
        unsafe { self.give_up_so(step) }
    }

    /// The same where there may be somebody to be told, or something else is left.
    ///
    /// # Safety
    ///
    /// As for [`give_up`](Self::give_up).
    #[cold]
    #[inline(never)]
    unsafe fn give_up_so(&self, step: impl Fn(Word) -> (Word, Then)) {
        let tells = |word: Word| matches!(step(word).1, Then::Tell(_));
        let gives_up = |word| match step(word) {
            (_, then @ (Then::Free | Then::Tell(_))) => Err(then),
            (word, then) => Ok((word, then)),
        };
        loop {
            if self.word().seems(tells) {
                let Some(told) = self.give_up_listed(&step) else { continue };
                return told.tell();
            }
            match self.word().step(at("leave so", Ordering::AcqRel), gives_up) {
                Err(Then::Tell(_)) => {}
                Ok(then) | Err(then) => {
                    // SAFETY: the word says so, and by the contract it is not used again.
                    return drop(unsafe { self.end(then) });
                }
            }
        }
    }

    /// The same, with the lock of the place; returns those who are to be told, if there may still be somebody.
    #[cold]
    fn give_up_listed(&self, step: impl Fn(Word) -> (Word, Then)) -> Option<Taken> {
        let mut list = self.lock();
        let gives_up = |word| match step(word) {
            (word, Then::Tell(until)) => Ok((word, until)),
            _ => Err(()),
        };
        let until = self.word().step(at("leave listed", Ordering::Release), gives_up).ok()?;
        let told = list.take_waiters(until);
        drop(list);
        // SAFETY: the step has made the handle a hold.
        unsafe { self.release() };
        Some(told)
    }

    /// Does what is to be done with a handle that was given up; returns the outcome, if that was left to this one. `[cell-4]`
    ///
    /// # Safety
    ///
    /// The word said so in the step that gave the handle up, and it is not used again.
    #[inline(always)]
    pub(super) unsafe fn end(&self, then: Then) -> Option<Outcome<T, E>> {
        if matches!(then, Then::Forget | Then::Lend | Then::Tell(_)) {
            return None;
        }
        // SAFETY: it was the last handle, which still keeps the memory: the word says that there is nobody else, or the step
        // has made it a hold.
        let outcome = unsafe { self.slot().take() };
        match then {
            // SAFETY: the word says that there is nobody else, and what was in the slot is out.
            Then::Free => unsafe { self.free() },
            // SAFETY: the step has made the handle a hold.
            _ => unsafe { self.release() },
        }
        outcome
    }

    /// Frees the memory, and returns the value that was in the slot, if there was one; unless it was a failure: then nothing is
    /// done.
    ///
    /// # Safety
    ///
    /// There is neither a handle nor a hold but this one, which is not used again if the memory is freed.
    #[inline(always)]
    pub(super) unsafe fn free_with_value(&self) -> Result<Option<T>, Failed> {
        // SAFETY: by the contract it was the last handle.
        let value = unsafe { self.slot().take_value() }?;
        // SAFETY: by the contract, and nothing is in the slot.
        unsafe { self.free() };
        Ok(value)
    }

    /// Releases a hold.
    ///
    /// # Safety
    ///
    /// The caller has one, and has no handle that it was made of.
    pub(super) unsafe fn release(&self) {
        if !self.word().release() {
            // SAFETY: the word says that there is nobody else. Whoever gave up the last handle has taken out what was in the
            // slot.
            unsafe { self.free() }
        }
    }

    /// Frees the memory. What was in the slot is out by then, and is dropped by whoever took it when the memory is gone,
    /// outside every lock. `[cell-4]`
    ///
    /// # Safety
    ///
    /// There is neither a handle nor a hold but this one, which is not used again, and nothing is in the slot.
    #[inline(always)]
    unsafe fn free(&self) {
        let cell = self.cell();
        cell.alive.end();
        // Of what is left nothing is the user's: whoever waits or is called was taken out in the step that settled.
        // SAFETY: by the contract nobody else has the cell, which goes.
        unsafe { cell.place.clear(&cell.marked) };
        // SAFETY: as above. Nothing is moved out: the parts were written one by one, and a read of several would have to wait
        // until they are in memory.
        unsafe { self.0.drop_in_place() };
        // SAFETY: the cell was made so, and what was in it is out.
        unsafe { memory::free(self.0) };
    }

    /// Counts a weak handle. The first gets a hold for all.
    pub(super) fn count_weak(&self) {
        // ORDERING: Relaxed; who counts has a handle, or is counted.
        match self.cell().weak.fetch_add(1, Ordering::Relaxed) {
            0 => {
                self.word().apply(at("hold", Ordering::Relaxed), |word| Some(word.hold()));
            }
            // Too many are forgotten handles; to free what they point to would be worse.
            MOST_WEAK.. => std::process::abort(),
            _ => {}
        }
    }

    /// The end of a weak handle. The last releases the hold of all.
    ///
    /// # Safety
    ///
    /// This one was counted as a weak one, and is not used again.
    pub(super) unsafe fn uncount_weak(&self) {
        if self.cell().weak.fetch_sub(1, at("weak", Ordering::AcqRel)) == 1 {
            // SAFETY: it is the hold of all, of whom this was the last.
            unsafe { self.release() }
        }
    }

    /// What `Debug` prints; never waits for the lock.
    pub(crate) fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.look_at_word();
        // Read under the lock and printed without it: what is printed to is the user's.
        let seen = Open::try_of(self.cell()).map(|mut list| list.count());
        let mut debug = f.debug_struct(name);
        debug.field("state", &format_args!("{}", self.describe(word)));
        match seen {
            Some((waiters, callbacks)) => {
                debug.field("waiters", &waiters).field("callbacks", &callbacks).finish()
            }
            None => debug.finish_non_exhaustive(),
        }
    }

    /// How the cell was seen, without what is in it.
    fn describe(&self, word: Word) -> &'static str {
        match word.state() {
            State::Pending => "Pending",
            State::Running => "Running",
            State::Cancelled => word.cause().kind(),
            State::Finished => self.outcome().map_or_else(Failure::kind, |_| "Finished"),
        }
    }
}

/// A cancellation for which no reason was given: it is the same for all.
fn plain<'a, E>(cause: Cancelled) -> &'a Failure<E> {
    struct Plain<'a, E>(std::marker::PhantomData<&'a E>);
    impl<'a, E> Plain<'a, E> {
        const REQUESTED: &'a Failure<E> =
            &Failure::Cancelled(Cancellation::new(Cancelled::Requested, None));
        const DROPPED: &'a Failure<E> =
            &Failure::Cancelled(Cancellation::new(Cancelled::Dropped, None));
        const BROKEN: &'a Failure<E> =
            &Failure::Cancelled(Cancellation::new(Cancelled::Broken, None));
        const STOPPED: &'a Failure<E> =
            &Failure::Cancelled(Cancellation::new(Cancelled::Stopped, None));
    }
    match cause {
        Cancelled::Requested => Plain::REQUESTED,
        Cancelled::Dropped => Plain::DROPPED,
        Cancelled::Broken => Plain::BROKEN,
        Cancelled::Stopped => Plain::STOPPED,
    }
}

/// A second handle hands `&T` to whoever gets it, hence the bounds. `[bounds-2]`
impl<T: Sync, E: Sync> Clone for Handle<T, E> {
    fn clone(&self) -> Self {
        self.another(Word::share)
    }
}

impl<T, E> Drop for Handle<T, E> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this is its drop.
        unsafe { self.give_up(Word::leave) }
    }
}
