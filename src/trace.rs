//! What the feature `tracing` tells a subscriber, with target `settled`. Without the feature each of these functions is
//! empty, so that its callers look the same in both.
//!
//! The guide has the table of them, `src/guide/tracing.md`. `[report-4]`
//!
//! A subscriber is foreign code, as a callback is: no event is told under a lock, and none inside another that this
//! thread tells; a panic of the subscriber is caught. `[callback-6]`

use std::any::Any;
#[cfg(feature = "tracing")]
use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

use crate::{error::WouldDeadlock, event_loop::Incident};

/// When a job was queued; nothing without the feature.
pub(crate) struct Queued(#[cfg(feature = "tracing")] Instant);

impl Queued {
    pub(crate) fn now() -> Self {
        Self(
            #[cfg(feature = "tracing")]
            Instant::now(),
        )
    }
}

/// Calls the subscriber, unless this thread is inside it already. What it panics with is leaked, whose drop may panic.
#[cfg(feature = "tracing")]
fn tell(event: impl FnOnce()) {
    thread_local!(static INSIDE: Cell<bool> = const { Cell::new(false) });
    if INSIDE.try_with(|inside| inside.replace(true)).unwrap_or(true) {
        return;
    }
    std::mem::forget(catch_unwind(AssertUnwindSafe(event)));
    let _ = INSIDE.try_with(|inside| inside.set(false));
}

/// Each event is a function, which is empty without the feature.
macro_rules! events {
    ($( fn $name:ident($($arg:ident: $type:ty),*) $event:block )*) => { $(
        #[cfg(feature = "tracing")]
        pub(crate) fn $name($($arg: $type),*) {
            tell(|| $event);
        }

        #[cfg(not(feature = "tracing"))]
        pub(crate) const fn $name($(_: $type),*) {}
    )* };
}

events! {
    fn job_begins(queued: &Queued) {
        let queued_us = u64::try_from(queued.0.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(target: "settled", queued_us, "a job begins");
    }

    fn job_is_refused() {
        tracing::warn!(target: "settled", "a job is refused");
    }

    fn wait_is_refused(why: &WouldDeadlock) {
        tracing::warn!(target: "settled", %why, "a wait is refused");
    }

    fn callback_panicked(payload: &(dyn Any + Send)) {
        let text = payload.downcast_ref::<&str>().copied();
        let panic = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        tracing::warn!(target: "settled", panic = panic.unwrap_or("(not a text)"), "a callback panicked");
    }

    fn incident(incident: &Incident<'_>) {
        tracing::warn!(target: "settled", %incident, "an incident");
    }

    fn pool_begins(pool: &str, workers: usize) {
        tracing::debug!(target: "settled", pool, workers, "a pool begins");
    }

    fn pool_ends(pool: &str, workers: usize) {
        tracing::debug!(target: "settled", pool, workers, "a pool ends");
    }

    fn loop_begins(id: crate::context::Id) {
        tracing::debug!(target: "settled", %id, "a loop begins");
    }

    fn loop_ends(id: crate::context::Id) {
        tracing::debug!(target: "settled", %id, "a loop ends");
    }
}
