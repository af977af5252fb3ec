//! Handles: who keeps the cell alive, and who frees it.
//!
//! ```text
//! who                      makes            gives up, in one step that says what is to be done then
//! the promise              with the cell    in its last step, which settles or is late; lent to callbacks it lives on
//! a future, or its proof   with the cell,   when it is dropped, or takes the outcome; if the promise alone is left,
//!                          or by `clone`    that is told
//! callbacks                in the step      when they have returned: the end of the lending is told
//!                          that settles,
//!                          or by `lend`
//! a weak handle, counted   by `downgrade`   when it is dropped; becomes a handle as long as somebody sees the outcome
//! apart
//! ```
//!
//! Whoever gives up the last one frees the memory, and then drops what was in the slot, with no lock held; while there are
//! weak handles it takes that out of the slot, and leaves the memory to the last of them. `[cell-4]` `[weak-2]`
#![expect(unsafe_code, reason = "the cell is where it belongs; every block says why it is sound")]

use std::{
    fmt,
    panic::{RefUnwindSafe, UnwindSafe},
    ptr::NonNull,
    sync::Arc,
    task::Waker,
};

use super::{
    Address, Cell, Inner, Outcome,
    list::Waiters,
    settle::tell_of,
    slot::Slot,
    word::{Then, Word},
};
use crate::{
    error::{Cancelled, Failure},
    machine::State,
    sync::{AtomicBool, Mutex, MutexGuard, Ordering, lock},
};

/// A counted reference to a cell. Every promise, future and proof of settlement is one of these.
///
/// The pointer is never null, so that an `Option` of it costs nothing; it is invariant in `T` and
/// `E`, because the cell contains an `UnsafeCell` of them. `[bounds-4]`
pub(crate) struct Handle<T, E>(NonNull<Cell<T, E>>);

// SAFETY: a handle moves `&T` access to its new thread, and may drop `T` and `E` there, hence
// `Send`. It gives nobody a second `&T` in the old thread: without `Sync` handles cannot be cloned
// and callbacks cannot be registered, so that the promise is the only other handle, which never
// reads the slot and gives its handle up in the step that settles. `[bounds-1]`
unsafe impl<T: Send, E: Send> Send for Handle<T, E> {}
// SAFETY: two threads with a `&Handle` may both hold `&T` (`Sync`). The count is under the lock.
// Whoever owns the handle may be in another thread than the last reader, so `T` may be dropped in
// any of them (`Send`). `[bounds-1]`
unsafe impl<T: Send + Sync, E: Send + Sync> Sync for Handle<T, E> {}

// What the lock guards is whole at every unlock, whoever panics, so that only the values count.
impl<T: RefUnwindSafe, E: RefUnwindSafe> UnwindSafe for Handle<T, E> {}
impl<T: RefUnwindSafe, E: RefUnwindSafe> RefUnwindSafe for Handle<T, E> {}

impl<T, E> Handle<T, E> {
    pub(super) fn pair(owner: Option<Waker>) -> (Self, Self) {
        let cell = Box::new(Cell {
            inner: Mutex::new(Inner {
                word: Word::new(owner.is_some()),
                reason: None,
                owner,
                waiters: Waiters::default(),
                callbacks: Vec::new(),
            }),
            slot: Slot::new(),
            looked: AtomicBool::new(false),
        });
        let cell = NonNull::from(Box::leak(cell));
        (Self(cell), Self(cell))
    }

    fn cell(&self) -> &Cell<T, E> {
        // SAFETY: a handle is counted, a weak one apart, and the cell is freed only when both counts are zero.
        unsafe { self.0.as_ref() }
    }

    pub(super) fn slot(&self) -> &Slot<T, E> {
        &self.cell().slot
    }

    /// Where the cell is: tells it apart from all others as long as it lives.
    pub(crate) fn address(&self) -> Address {
        self.0.addr()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner<T, E>> {
        lock(&self.cell().inner)
    }

    pub(crate) fn state(&self) -> State {
        self.lock().word.state()
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.state().is_settled()
    }

    /// The outcome.
    ///
    /// # Panics
    ///
    /// If the cell is not settled. Callers hold the proof that it is.
    pub(crate) fn outcome(&self) -> &Outcome<T, E> {
        // SAFETY: by what callers hold.
        unsafe { self.slot().read() }
    }

    /// Somebody looks at the outcome, or is handed the proof: nobody has to report it any more.
    pub(crate) fn look(&self) {
        let looked = &self.cell().looked;
        // ORDERING: Relaxed, false=>true; whoever asks does so with the last handle, and this one was given up
        // under the lock before.
        if !looked.load(Ordering::Relaxed) {
            looked.store(true, Ordering::Relaxed);
        }
    }

    /// Whether this is the last handle of an outcome that is settled and that nobody has looked at.
    pub(crate) fn is_unread(&self) -> bool {
        let inner = self.lock();
        // ORDERING: Relaxed; see `look`.
        inner.word.is_unread(self.cell().looked.load(Ordering::Relaxed))
    }

    /// Whether no other handle exists.
    pub(crate) fn is_only(&self) -> bool {
        self.lock().word.is_only()
    }

    /// Pending => Running, or the reason why not.
    pub(crate) fn start(&self) -> Result<(), Cancelled> {
        let mut inner = self.lock();
        inner.word = inner.word.start()?;
        Ok(())
    }

    /// What the first canceller said who gave a reason.
    pub(crate) fn cancel_reason(&self) -> Option<Arc<str>> {
        self.lock().reason.as_deref().cloned()
    }

    /// Another handle, which this step counts. `[bounds-2]`
    pub(super) fn another(&self, step: impl FnOnce(Word) -> Option<Word>) -> Self
    where
        T: Sync,
        E: Sync,
    {
        self.one_more(step).expect("more handles than can be counted")
    }

    /// Another handle, if the step grants one, which counts it. `[bounds-2]`
    pub(super) fn one_more(&self, step: impl FnOnce(Word) -> Option<Word>) -> Option<Self>
    where
        T: Sync,
        E: Sync,
    {
        let mut inner = self.lock();
        inner.word = step(inner.word)?;
        drop(inner);
        Some(Self(self.0))
    }

    /// Gives the handle up in one step, and does what that says. `[cell-4]`
    ///
    /// # Safety
    ///
    /// This one is not used again.
    pub(super) unsafe fn give_up(&self, step: impl FnOnce(Word) -> (Word, Then)) {
        let mut inner = self.lock();
        let (word, then) = step(inner.word);
        inner.word = word;
        match then {
            Then::Free => {
                // SAFETY: the word says that this was the last handle, and by the contract it is not used again.
                drop(unsafe { self.end(inner) });
            }
            Then::Tell(until) => tell_of(inner, until),
            Then::Forget | Then::Lend => {}
        }
    }

    /// Ends the cell, in the step that gave up its last handle, and returns what was in the slot: frees the memory, or
    /// leaves it to weak handles. `[cell-4]` `[weak-2]`
    ///
    /// # Safety
    ///
    /// The word said in this step that this was the last handle, and it is not used again.
    pub(super) unsafe fn end(&self, inner: MutexGuard<'_, Inner<T, E>>) -> Slot<T, E> {
        if inner.word.is_kept() {
            // SAFETY: it is locked, and by the contract the last handle was given up.
            return unsafe { self.slot().take() };
        }
        drop(inner);
        // SAFETY: by the contract, and there is no weak handle, of which none can be made without a handle.
        unsafe { self.free() }
    }

    /// Frees the memory and returns what was in the slot, so that the user's values are dropped when the
    /// memory is gone already, outside every lock. `[cell-4]`
    ///
    /// # Safety
    ///
    /// No other handle exists, no other weak one either, and this one is not used again.
    pub(super) unsafe fn free(&self) -> Slot<T, E> {
        self.slot().end();
        // SAFETY: the pointer came from `Box::leak`; by the contract nobody else has it.
        let cell = unsafe { Box::from_raw(self.0.as_ptr()) };
        // Of the rest nothing is the user's: whoever waits or is called was taken out in the step that settled.
        cell.slot
    }

    /// The word at this moment, unless somebody has the lock.
    pub(super) fn word_now(&self) -> Option<Word> {
        self.cell().inner.try_lock().ok().map(|inner| inner.word)
    }

    /// What `Debug` prints; never waits for the lock.
    pub(crate) fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Read under the lock and printed without it: what is printed to is the user's.
        let seen = self.cell().inner.try_lock().ok();
        let seen = seen.map(|inner| (inner.word, inner.waiters.count(), inner.callbacks.len()));
        let mut debug = f.debug_struct(name);
        match seen {
            Some((word, waiters, callbacks)) => debug
                .field("state", &format_args!("{}", self.describe(word)))
                .field("waiters", &waiters)
                .field("callbacks", &callbacks)
                .finish(),
            None => debug.field("state", &format_args!("<locked>")).finish(),
        }
    }

    /// How the cell was seen, without what is in it.
    fn describe(&self, word: Word) -> &'static str {
        match word.state() {
            State::Pending => "Pending",
            State::Running => "Running",
            // The slot is left alone: it may be a promise that prints that it has lost.
            State::Cancelled => word.cause().kind(),
            State::Finished => self.outcome().as_ref().map_or_else(Failure::kind, |_| "Finished"),
        }
    }
}

/// A second handle hands `&T` to whoever gets it, hence the bounds. `[bounds-2]`
impl<T: Sync, E: Sync> Clone for Handle<T, E> {
    fn clone(&self) -> Self {
        self.another(Word::share)
    }
}

impl<T, E> Drop for Handle<T, E> {
    fn drop(&mut self) {
        // SAFETY: this is its drop.
        unsafe { self.give_up(Word::leave) }
    }
}
