//! What a cell is made of: memory that several threads access, which loom watches.

use super::Ordering;

#[cfg(settled_loom)]
pub(crate) use loom::cell::UnsafeCell;
#[cfg(settled_shuttle)]
use shuttle::sync::atomic;
#[cfg(not(any(settled_loom, settled_shuttle)))]
use std::sync::atomic;

/// `std`'s cell with loom's interface: the pointer is lent to a closure, so that loom can watch
/// from when to when it is used.
#[cfg(not(settled_loom))]
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(settled_loom))]
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

/// An atomic with which a step may begin by a guess.
#[cfg(not(settled_loom))]
#[derive(Debug)]
pub(crate) struct AtomicU64(atomic::AtomicU64);

#[cfg(not(settled_loom))]
impl AtomicU64 {
    pub(crate) fn new(value: u64) -> Self {
        Self(atomic::AtomicU64::new(value))
    }

    #[inline]
    pub(crate) fn load(&self, ordering: Ordering) -> u64 {
        self.0.load(ordering)
    }

    /// A value to begin with, and whether it was loaded: here it was.
    #[inline]
    pub(crate) fn guess(&self, ordering: Ordering) -> (u64, bool) {
        (self.0.load(ordering), true)
    }

    #[inline]
    pub(crate) fn compare_exchange_weak(
        &self,
        from: u64,
        to: u64,
        done: Ordering,
        failed: Ordering,
    ) -> Result<u64, u64> {
        self.0.compare_exchange_weak(from, to, done, failed)
    }

    pub(crate) fn swap(&self, value: u64, ordering: Ordering) -> u64 {
        self.0.swap(value, ordering)
    }

    #[inline]
    pub(crate) fn store(&self, value: u64, ordering: Ordering) {
        self.0.store(value, ordering);
    }
}

/// loom's, of which every access is one that may write, and beside it the newest value, of which loom knows nothing: it
/// runs one thread at a time.
///
/// loom keeps in mind who was the last to access an atomic, or to write it. Where one thread reads, another reads, and
/// that writes, it does not know that the first could have come last. So a load writes what it reads. It finds the
/// newest value then, unless `SETTLED_LOADS` is `stale`: then it is a load, which may find an older one, and schedules
/// are missed.
///
/// A step that begins with a guess is one access here, so that there are fewer schedules to explore.
#[cfg(settled_loom)]
#[derive(Debug)]
pub(crate) struct AtomicU64 {
    loom: loom::sync::atomic::AtomicU64,
    newest: std::sync::atomic::AtomicU64,
}

#[cfg(settled_loom)]
impl AtomicU64 {
    pub(crate) fn new(value: u64) -> Self {
        Self { loom: loom::sync::atomic::AtomicU64::new(value), newest: value.into() }
    }

    pub(crate) fn load(&self, ordering: Ordering) -> u64 {
        static STALE: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
        let stale = STALE.get_or_init(|| {
            let is_stale = std::env::var("SETTLED_LOADS").is_ok_and(|it| it == "stale");
            if is_stale {
                println!("\nloads: stale");
            }
            is_stale
        });
        if *stale { self.loom.load(ordering) } else { self.loom.fetch_or(0, ordering) }
    }

    pub(crate) fn guess(&self, _ordering: Ordering) -> (u64, bool) {
        (self.newest.load(Ordering::Relaxed), false)
    }

    pub(crate) fn compare_exchange_weak(
        &self,
        from: u64,
        to: u64,
        done: Ordering,
        failed: Ordering,
    ) -> Result<u64, u64> {
        let result = self.loom.compare_exchange_weak(from, to, done, failed);
        if result.is_ok() {
            self.newest.store(to, Ordering::Relaxed);
        }
        result
    }

    pub(crate) fn swap(&self, value: u64, ordering: Ordering) -> u64 {
        let last = self.loom.swap(value, ordering);
        self.newest.store(value, Ordering::Relaxed);
        last
    }

    /// A load writes here, and loom would take such a write for one that may come after a store.
    pub(crate) fn store(&self, value: u64, ordering: Ordering) {
        self.loom.swap(value, ordering);
        self.newest.store(value, Ordering::Relaxed);
    }
}

/// loom's lock in place of the one of a byte: it does the same in fewer steps, so that there are fewer schedules to explore.
#[cfg(settled_loom)]
#[derive(Debug)]
pub(crate) struct Lock(super::Mutex<()>);
#[cfg(settled_loom)]
pub(crate) type Locked<'a> = super::MutexGuard<'a, ()>;

#[cfg(settled_loom)]
impl Lock {
    pub(crate) fn new() -> Self {
        Self(super::Mutex::new(()))
    }

    pub(crate) fn lock(&self) -> Locked<'_> {
        super::lock(&self.0)
    }

    pub(crate) fn try_lock(&self) -> Option<Locked<'_>> {
        self.0.try_lock().ok()
    }
}

/// The lock of a byte, which is explored by itself.
#[cfg(settled_loom)]
#[derive(Debug)]
pub struct ByteLock(super::lock::Lock);

#[cfg(settled_loom)]
impl ByteLock {
    /// One that is free.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it is for tests")]
    pub fn new() -> Self {
        Self(super::lock::Lock::new())
    }

    /// Calls it with the lock taken, as soon as that is free.
    pub fn with<R>(&self, f: impl FnOnce() -> R) -> R {
        let _locked = self.0.lock();
        f()
    }

    /// The same, if it is free at once.
    pub fn try_with<R>(&self, f: impl FnOnce() -> R) -> Option<R> {
        let _locked = self.0.try_lock()?;
        Some(f())
    }
}

/// Something that ends, and that nobody touches then. loom does not see a free, but it sees a write, and that nothing
/// orders it after a touch.
#[cfg(settled_loom)]
#[derive(Debug)]
pub(crate) struct Alive(UnsafeCell<()>);
#[cfg(not(settled_loom))]
#[derive(Debug)]
pub(crate) struct Alive;

#[cfg(settled_loom)]
impl Alive {
    pub(crate) fn new() -> Self {
        Self(UnsafeCell::new(()))
    }

    pub(crate) fn touch(&self) {
        self.0.with(|_| ());
    }

    pub(crate) fn end(&self) {
        self.0.with_mut(|_| ());
    }
}

#[cfg(not(settled_loom))]
impl Alive {
    pub(crate) const fn new() -> Self {
        Self
    }

    pub(crate) const fn touch(&self) {}

    pub(crate) const fn end(&self) {}
}
