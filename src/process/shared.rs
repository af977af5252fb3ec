//! What a pool and its thread share.

use std::{
    collections::HashMap,
    io::{PipeWriter, Write},
    mem,
    sync::Arc,
};

use super::{books::Token, job::Queued};
use crate::{
    cell::Address,
    context,
    interrupt::Sleeper,
    sync::{Condvar, Mutex, lock},
};

/// What the pool's thread is told.
pub(super) enum Message {
    Submit(Token, Queued),
    Cancel(Token),
    Kill(Token),
    Close,
    DropQueued,
    Terminate,
}

/// What the pool shares with its thread.
pub(super) struct Shared {
    pub(super) id: context::Id,
    pub(super) state: Mutex<State>,
    /// Told when everything has ended.
    pub(super) told: Condvar,
    /// Ends the sleep of the pool's thread.
    wake: PipeWriter,
}

#[derive(Default)]
pub(super) struct State {
    /// The number of the last job that was accepted.
    pub(super) last: Token,
    pub(super) messages: Vec<Message>,
    /// Whether the pool's thread sleeps, or is about to.
    pub(super) asleep: bool,
    pub(super) closed: bool,
    pub(super) broken: Option<Arc<str>>,
    pub(super) ended: bool,
    pub(super) workers: usize,
    /// The jobs that workers have been given.
    pub(super) running: HashMap<Address, Token>,
}

impl Shared {
    pub(super) fn new(wake: PipeWriter) -> Self {
        let state = Mutex::new(State::default());
        Self { id: context::next_id(), state, told: Condvar::new(), wake }
    }

    /// Tells the pool's thread, under a lock that is held.
    pub(super) fn tell(&self, state: &mut State, message: Message) {
        if state.ended {
            return;
        }
        state.messages.push(message);
        if mem::take(&mut state.asleep) {
            // If there is no room, it is awake.
            let _ = (&self.wake).write(&[0]);
        }
    }
}

impl Sleeper for Shared {
    fn wake(&self) {
        // Whoever has looked sleeps by then.
        drop(lock(&self.state));
        self.told.notify_all();
    }
}
