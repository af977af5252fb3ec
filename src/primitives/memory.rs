//! What is made when it is first needed, and what one has at a time. The one file of the primitives with `unsafe`.
//!
//! ```text
//! what               who touches it               when
//! what comes later   whoever made it, or lost     makes it before he puts it in place, and drops what he made if another was first
//!                    everybody                    from then on, until the drop of the place, which has it alone
//! the value          who has the guard            from the step on in which he passed or came, until the one in which he gives back
//! ```
//!
//! Each who unlocks has a hold on the memory, and lets it go after that: nobody touches what another may have freed. That one at
//! a time passes is what `word.rs`, `permits.rs`, `line.rs` and `waits.rs` decide, and what this relies on.
#![expect(
    unsafe_code,
    reason = "memory that several threads reach; every block says why it is sound"
)]

use std::{
    marker::PhantomData,
    ops::{Deref, DerefMut},
    panic::RefUnwindSafe,
    ptr,
    task::{Context, Poll, ready},
    time::Instant,
};

use super::{
    hold::Hold,
    permits::Permits,
    waits::{Core, Place},
};
use crate::{
    error::WaitError,
    sync::{Alive, AtomicPtr, Ordering, UnsafeCell, at},
    waiter::Waiter,
};

/// What is done with something before it goes.
pub(super) trait Ends {
    /// Nobody else has it. What this leaves in it has no code of others.
    fn end(&mut self);
}

/// Room of one pointer for what most have no need of. One thread makes it, all look at it, and any may drop it.
pub(super) struct Later<T: Ends>(AtomicPtr<Made<T>>, PhantomData<(Box<T>, std::sync::Mutex<T>)>);

/// What was made, with what shows under loom that all see it made.
struct Made<T> {
    it: T,
    alive: Alive,
}

impl<T> Made<T> {
    fn boxed(it: T) -> *mut Self {
        Box::into_raw(Box::new(Self { it, alive: Alive::new() }))
    }
}

impl<T: Ends> Later<T> {
    pub(super) fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()), PhantomData)
    }

    pub(super) fn of(it: T) -> Self {
        Self(AtomicPtr::new(Made::boxed(it)), PhantomData)
    }

    /// What is there, or is made.
    #[inline]
    pub(super) fn get(&self, make: impl FnOnce() -> T) -> &T {
        let mut there = self.0.load(at("there", Ordering::Acquire));
        if there.is_null() {
            there = self.put(make());
        }
        // SAFETY: it came from a box, is made by the load or by the failed step, and stays until the drop of this.
        let made = unsafe { &*there };
        made.alive.touch();
        &made.it
    }

    /// Puts it in place, unless another was first; what is in place.
    #[cold]
    fn put(&self, it: T) -> *mut Made<T> {
        let made = Made::boxed(it);
        // Who finds it sees all of it.
        let (done, failed) = (at("made", Ordering::Release), at("lost", Ordering::Acquire));
        match self.0.compare_exchange(ptr::null_mut(), made, done, failed) {
            Ok(_) => made,
            Err(there) => {
                // SAFETY: it came from a box a few lines ago, and nobody else has seen it.
                drop(unsafe { Box::from_raw(made) });
                there
            }
        }
    }
}

impl<T: Ends> Drop for Later<T> {
    fn drop(&mut self) {
        let there = self.0.load(Ordering::Relaxed);
        if !there.is_null() {
            // SAFETY: it came from a box, and who drops this has it alone: nobody has borrowed from it.
            unsafe { Box::from_raw(there) }.it.end();
        }
    }
}

/// A value, and whose turn it is to have it.
pub(super) struct Shared<T> {
    turn: Core<Permits<Waiter>>,
    value: UnsafeCell<T>,
}

// SAFETY: one at a time has a guard, in whatever thread, and reaches the value through it: that is as if it were sent there.
// What others reach is the turn, which threads share.
unsafe impl<T: Send> Sync for Shared<T> {}
/// A panic leaves the value as it is, and whoever has it next may look. `[lock-3]`
impl<T> RefUnwindSafe for Shared<T> {}

impl<T> Shared<T> {
    pub(super) fn new(value: T) -> Self {
        Self { turn: Core::of_one(), value: UnsafeCell::new(value) }
    }

    pub(super) fn turn(&self) -> &Core<Permits<Waiter>> {
        &self.turn
    }
}

/// The lock whose turn somebody waits for.
pub(super) struct Turn<'a, T>(Hold<'a, Shared<T>>);

impl<T> Deref for Turn<'_, T> {
    type Target = Core<Permits<Waiter>>;

    fn deref(&self) -> &Self::Target {
        &self.0.turn
    }
}

/// Where somebody stands in the line of a lock.
pub(super) type LockPlace<'a, T> = Place<Permits<Waiter>, Turn<'a, T>>;

pub(super) fn place<T>(of: Hold<'_, Shared<T>>) -> LockPlace<'_, T> {
    Place::new(Turn(of))
}

/// The value of a [`Lock`](super::Lock), as long as this lives. Leaked, it keeps the lock, and nobody has it any more.
/// `[lock-2]`
///
/// It borrows the lock. [`into_owned`](Self::into_owned) makes one that does not.
#[must_use = "dropped, it unlocks at once"]
#[doc(alias("MutexGuard", "OwnedMutexGuard", "release"))]
pub struct LockGuard<'a, T> {
    /// There is one guard at a time that has this: whoever makes one has passed, or has come in his turn. `None` while its
    /// owner waits for a condition, and once it has gone.
    of: Option<Hold<'a, Shared<T>>>,
    /// It is sent and shared as the value is.
    value: PhantomData<Box<T>>,
}

impl<'a, T> LockGuard<'a, T> {
    /// The guard of one whose turn it is. No function outside of this file makes one.
    #[inline]
    const fn new(of: Hold<'a, Shared<T>>) -> Self {
        Self { of: Some(of), value: PhantomData }
    }

    /// Locks, if nobody has it.
    #[inline]
    pub(super) fn try_lock(of: Hold<'a, Shared<T>>) -> Option<Self> {
        of.turn.lock_one().then(|| Self::new(of))
    }

    /// Locks when it is this thread's turn, or says why it is not.
    #[inline]
    pub(super) fn lock(
        of: Hold<'a, Shared<T>>,
        deadline: Option<Instant>,
    ) -> Result<Self, WaitError> {
        if !of.turn.lock_one() {
            of.turn.block_or_say_why(deadline)?;
        }
        Ok(Self::new(of))
    }

    /// Locks when it is the turn of who stands in this place.
    #[inline]
    pub(super) fn poll(place: &mut LockPlace<'a, T>, cx: &Context<'_>) -> Poll<Self> {
        ready!(place.poll(cx));
        Poll::Ready(Self::new(place.core.0.clone()))
    }

    /// Unlocks, and hands out what it is of. Nobody uses it until it is locked again.
    pub(super) fn unlock(&mut self) -> Hold<'a, Shared<T>> {
        let of = self.of.take().expect("it has the lock");
        of.turn.unlock_one();
        of
    }

    /// Blocks this thread until it is its turn, in any case.
    pub(super) fn lock_again(&mut self, of: Hold<'a, Shared<T>>) {
        of.turn.block_in_any_case();
        self.of = Some(of);
    }

    /// The same guard, which borrows nothing: it may outlive this handle of the lock, and go into a thread or task of its
    /// own. `[lock-2]`
    ///
    /// ```
    /// use settled::primitives::{Lock, LockGuard};
    ///
    /// fn locked(value: u32) -> LockGuard<'static, u32> {
    ///     let lock = Lock::new(value);
    ///     lock.try_lock().unwrap().into_owned()
    /// }
    ///
    /// let mut guard = locked(1);
    /// std::thread::spawn(move || *guard += 1).join().unwrap();
    /// ```
    #[doc(alias = "lock_owned")]
    pub fn into_owned(mut self) -> LockGuard<'static, T>
    where
        T: 'static,
    {
        LockGuard { of: self.of.take().map(Hold::into_owned), value: PhantomData }
    }

    #[inline]
    fn of(&self) -> &Shared<T> {
        self.of.as_ref().expect("nobody has it while it waits")
    }
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this is the one guard, which is borrowed, and nobody writes meanwhile.
        self.of().value.with(|value| unsafe { &*value })
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this is the one guard, which is borrowed alone.
        self.of().value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T> Drop for LockGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(of) = &self.of {
            of.turn.unlock_one();
        }
    }
}
