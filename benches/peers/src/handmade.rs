//! The cell that people write by hand: a lock of `parking_lot`, a condition variable, callbacks and wakers.
//!
//! It is the peer of callbacks, which no crate of one-shot cells has. It does less than ours: it counts no takes, catches
//! no panic, and knows no cancellation.

use std::sync::Arc;
use std::task::Waker;

use parking_lot::{Condvar, Mutex};

#[derive(Default)]
enum Phase {
    #[default]
    Pending,
    Finished,
}

type Callback = Box<dyn FnOnce(u64) + Send>;

#[derive(Default)]
struct State {
    phase: Phase,
    value: Option<u64>,
    callbacks: Vec<Callback>,
    wakers: Vec<Waker>,
}

/// A handle of it; both sides have the same.
#[derive(Clone, Default)]
pub(crate) struct Handmade(Arc<(Mutex<State>, Condvar)>);

impl Handmade {
    pub(crate) fn add_done_callback(&self, callback: impl FnOnce(u64) + Send + 'static) {
        let mut state = self.0.0.lock();
        match (&state.phase, state.value) {
            (Phase::Finished, Some(value)) => {
                drop(state);
                callback(value);
            }
            _ => state.callbacks.push(Box::new(callback)),
        }
    }

    pub(crate) fn finish(self, value: u64) {
        let mut state = self.0.0.lock();
        state.phase = Phase::Finished;
        state.value = Some(value);
        let callbacks = std::mem::take(&mut state.callbacks);
        let wakers = std::mem::take(&mut state.wakers);
        self.0.1.notify_all();
        drop(state);
        callbacks.into_iter().for_each(|callback| callback(value));
        wakers.into_iter().for_each(Waker::wake);
    }
}
