//! What threads and loops wait for besides futures: [`Event`], [`Semaphore`], [`Lock`], [`Condition`], [`Barrier`] and
//! [`Queue`].
//!
//! Python has each of them twice, in `threading` and in `asyncio`. Here each is one, with two ways to wait for it: a thread
//! blocks, in `wait`, `acquire` or `lock`, and a task awaits, with `wait_async`, `acquire_async` or `lock_async`. Threads
//! and the tasks of several loops may wait for one at the same time, without a copy, and stand in one line, first come,
//! first served. `[semaphore-2]` `[event-1]` No code of others runs under their locks. `[semaphore-7]` As long as nobody waits
//! for a semaphore, a lock or an event, one step of one word is all, and no lock is taken, but by whoever adds permits,
//! forgets one, or prints what it is.
//!
//! Permits and guards borrow what they are of, as `std`'s do; `into_owned` makes one that may go anywhere.
//!
//! | | a thread | a task |
//! |---|---|---|
//! | waits | blocked, with timeouts, deadlines and interrupts | suspended; `tasks::timeout` limits it, and stops it |
//! | on the thread of a loop | is [`WouldDeadlock`](crate::WouldDeadlock), where it would have to block | never blocks |
//! | is told | by being unparked | by its waker, so through its loop, and goes on in a later turn |
//! | leaves | at its deadline, or interrupted | when what it awaits is dropped, as when its loop is closed |
//! | a permit that was granted to it | is taken when its thread goes on, which it does by itself | waits until it is polled: keep no such future that you do not poll |
//!
//! A [`Condition`] gives a [`Lock`] up while one waits. A thread borrows its guard to it, and has the lock again however the
//! wait ends; a task gives its guard away, and it comes back with the notice. `[condition-1]` `[condition-3]`
//!
//! At a [`Barrier`] each waits for the others, so that one who leaves breaks it for them. `[barrier-2]`
//!
//! A [`Queue`] hands values on, first in, first out; while it is full or empty one waits to put or to get. `[queue-1]` What
//! one brings who waits to put is taken in whether he comes or not; what one waits to get is promised to him, and stays where
//! it is until he comes, or leaves. `[queue-2]` `[queue-3]`
//!
//! What one has done before he sets, or gives back, is seen by whoever goes on for that. Beyond it there is no order on which
//! all threads agree: of two who each set one event and then look at the other's, both may find it not set. Who needs more
//! takes one lock for both. `[semaphore-8]` `[event-4]`
//!
//! The last row of the table is what differs for a reason. Whoever holds a future that waits for a permit, and does not poll
//! it, may be given the permit and not know: all others then wait for it. Drop it, or poll it. `[semaphore-5]`
//!
//! A thread that waits for one of these is helped by nobody, also if it is a worker of a pool: who gives a permit back, sets,
//! notifies, comes or puts is not known, and may be any thread. So, unlike a thread that waits for a job's future, it runs no
//! queued job meanwhile, and a circle of such waits is not found. If only a queued job of its own pool would let it go on, it
//! waits until another worker runs that job: let it wait for the job's future instead. `[semaphore-4]`
//!
//! Whoever waits keeps what he waits for. If nobody else has it any more, he waits for ever, and a task does so until it is
//! stopped or its loop is closed: nothing tells him, as a dropped promise would.

mod barrier;
mod condition;
mod event;
mod gate;
mod hold;
mod line;
mod lock;
mod meeting;
mod memory;
mod notices;
mod permits;
mod queue;
mod queueing;
mod semaphore;
mod stock;
mod waits;
mod word;

use crate::places;

pub use barrier::{AwaitBarrier, Barrier};
pub use condition::{AwaitCondition, Condition};
pub use event::{AwaitEvent, Event};
pub use lock::{AwaitLock, Lock, LockGuard};
pub use queue::Queue;
pub use queueing::{AwaitGet, AwaitJoin, AwaitPut};
pub use semaphore::{AwaitPermit, Permit, Semaphore};
