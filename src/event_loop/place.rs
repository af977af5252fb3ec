//! A task's place among those who are told of a future.

use std::task::{Context, Poll};

use super::future::{LoopFuture, Token};
use crate::{
    cell::{Registration, Until},
    context,
};

/// A task's place among the callbacks of a view: one, however often it polls. `[await-2]`
#[derive(Debug, Default)]
pub(super) struct Place {
    token: Option<Token>,
    /// The place in the cell instead, once the loop is closed.
    late: Registration,
}

impl Place {
    pub(super) fn poll<T, E>(
        &mut self,
        future: &LoopFuture<T, E>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        context::refuse_oneself(future.address());
        if future.view.home.is_closed() {
            return self.late.poll(future.view.cell(), Until::Settled, cx);
        }
        let here = context::current_loop();
        assert!(
            here.is_none_or(|here| here == future.view.home.id()),
            "a loop future was awaited on another loop than its own, which does not run meanwhile; \
             await a thread future, or wrap it for this loop"
        );
        self.queue(future, cx);
        Poll::Pending
    }

    /// Takes the place, or keeps it: the task is woken in its turn.
    pub(super) fn queue<T, E>(&mut self, future: &LoopFuture<T, E>, cx: &Context<'_>) {
        self.token = Some(future.await_with(self.token, cx));
    }

    /// Gives the place up, if there was one.
    pub(super) fn leave<T, E>(&mut self, future: &LoopFuture<T, E>) -> bool {
        let token = self.token.take();
        if let Some(token) = token {
            future.remove_done_callback(token);
        }
        self.late.leave(future.view.cell()) || token.is_some()
    }
}
