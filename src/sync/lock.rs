//! The lock of a cell. It is one byte, because every cell has one and few are ever waited for: who finds it taken sleeps in a
//! room of the process, of which there are some for all locks.
//!
//! ```text
//! site      ordering  pairs with, and what that is for
//! lock      Acquire   unlock: who takes the lock sees what those have done who had it before
//! sleep     Acquire   unlock: the same for who takes it when he has said that he sleeps
//! unlock    Release   lock, sleep
//! ```
//!
//! Who sleeps says so in the byte, with the door of the room held, and is in the room before the door opens. So whoever frees
//! the lock and finds that said waits for the door, and then wakes all in the room, if there is anybody: none of them can have
//! overslept it. Those who sleep there for another lock look, and sleep on. Once it is free the lock is not touched any more:
//! its memory may be gone.

#[cfg(not(any(settled_loom, settled_shuttle)))]
use std::sync::atomic::AtomicU8;

#[cfg(settled_loom)]
use loom::{lazy_static, sync::atomic::AtomicU8};
#[cfg(settled_shuttle)]
use shuttle::{lazy_static, sync::atomic::AtomicU8};

use super::{Condvar, Mutex, Ordering, at, lock, wait};

/// A lock of one byte. What it guards lies beside it.
#[derive(Debug)]
pub(crate) struct Lock(AtomicU8);

/// As long as this is there, the lock is taken.
#[derive(Debug)]
#[must_use = "dropped, it frees the lock"]
pub(crate) struct Locked<'a>(&'a Lock);

const FREE: u8 = 0;
const TAKEN: u8 = 1;
/// Taken, and somebody may sleep until it is free.
const AWAITED: u8 = 2;

/// Where threads sleep until a lock is free.
struct Room {
    /// With how many sleep there.
    door: Mutex<u32>,
    freed: Condvar,
}

impl Room {
    /// That of the lock at this address.
    fn of(address: usize) -> &'static Self {
        &ROOMS[address / 16 % ROOMS.len()]
    }
}

/// A prime number of rooms, since addresses are multiples.
#[cfg(not(any(settled_loom, settled_shuttle)))]
static ROOMS: [Room; 61] = [const { Room { door: Mutex::new(0), freed: Condvar::new() } }; 61];
#[cfg(any(settled_loom, settled_shuttle))]
lazy_static! {
    static ref ROOMS: [Room; 1] = [Room { door: Mutex::new(0), freed: Condvar::new() }];
}

impl Lock {
    pub(crate) fn new() -> Self {
        Self(AtomicU8::new(FREE))
    }

    /// Takes the lock. It sleeps as long as another thread has it.
    #[inline]
    pub(crate) fn lock(&self) -> Locked<'_> {
        self.try_lock().unwrap_or_else(|| self.sleep())
    }

    /// Takes the lock, if it is free.
    #[inline]
    pub(crate) fn try_lock(&self) -> Option<Locked<'_>> {
        let taken =
            self.0.compare_exchange(FREE, TAKEN, at("lock", Ordering::Acquire), Ordering::Relaxed);
        taken.is_ok().then(|| Locked(self))
    }

    /// Takes the lock when it is free. Others may sleep besides, so that it says so.
    #[cold]
    fn sleep(&self) -> Locked<'_> {
        let room = Room::of(self.address());
        let mut door = lock(&room.door);
        while self.0.swap(AWAITED, at("sleep", Ordering::Acquire)) != FREE {
            *door += 1;
            door = wait(&room.freed, door);
            *door -= 1;
        }
        Locked(self)
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

impl Drop for Locked<'_> {
    #[inline]
    fn drop(&mut self) {
        let address = self.0.address();
        if self.0.0.swap(FREE, at("unlock", Ordering::Release)) == AWAITED {
            wake(address);
        }
    }
}

/// Wakes who sleeps in the room of the lock that was here.
#[cold]
fn wake(address: usize) {
    let room = Room::of(address);
    let sleepers = *lock(&room.door);
    if sleepers > 0 {
        room.freed.notify_all();
    }
}
