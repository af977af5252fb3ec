//! Every interleaving of small programs over the real cell, under loom's scheduler.
//!
//! ```sh
//! RUSTFLAGS="--cfg settled_loom" cargo test --release --test loom -- --nocapture
//! ```
//!
//! What loom does not see: timed waits never expire, condition variables never wake without a
//! reason, and a free is no access of the memory (`UnsafeCell::into_inner` is not watched). A use
//! after free shows only as what it breaks: a count of drops, an object of loom's that is gone, the
//! allocator's own check. `tests/sanitizer/run` looks for it properly.
#![cfg(settled_loom)]

#[path = "loom/callback.rs"]
mod callback;
#[path = "loom/event_loop.rs"]
mod event_loop;
#[path = "loom/explore.rs"]
mod explore;
#[path = "loom/many.rs"]
mod many;
#[path = "loom/owned.rs"]
mod owned;
#[path = "loom/pool.rs"]
mod pool;
#[path = "loom/race.rs"]
mod race;
#[path = "loom/wait.rs"]
mod wait;
