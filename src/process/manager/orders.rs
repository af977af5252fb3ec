//! What the pool's thread does when the books say so.

use std::time::{Duration, Instant};

use super::{Manager, told};
use crate::{
    process::{
        books::{Event, Number, Order, STARTS, Token},
        child::{Child, Refused},
        frame::{self, Frame, Kind},
        job::{Given, Queued},
    },
    sync::lock,
    waiter::isolate,
};

impl Manager {
    pub(super) fn obey(&mut self, order: Order) {
        match order {
            Order::Start(number) => self.start(number),
            Order::Offer(number, token) => self.offer(number, token),
            Order::Settle(token) => {
                let Some((number, kind, format, payload)) = self.answer.take() else { return };
                if let Some(Given { promise, .. }) = self.take(number, token) {
                    promise.answered(Frame { kind, format, token, payload: &payload });
                }
            }
            Order::Lose(number, token, far) => {
                let given = self.take(number, token);
                if let (Some(given), Some(child)) = (given, self.children.get_mut(&number)) {
                    child.hear_the_rest(&mut self.bytes, &mut told(self.listener.as_ref()));
                    let death = child.death(given.name, far);
                    given.promise.died(death);
                }
            }
            Order::Drop(token) => {
                let job = self.queued.remove(&token);
                isolate(|| drop(job));
            }
            Order::BreakOff(token) => {
                self.queued.remove(&token).into_iter().for_each(|job| job.promise.broken());
            }
            Order::Dismiss(number) => {
                let message = frame::text(Kind::Leave, 0, &[], "", self.how.limit);
                self.children
                    .get_mut(&number)
                    .into_iter()
                    .for_each(|child| child.send(message.clone()));
            }
            Order::Kill(number) => self.kill(number),
            Order::Drain(number) => self.ended_with_a_pipe.push_back(number),
            Order::Forget(number) => self.forget(number),
            Order::Break => {
                let why = if self.failure.is_empty() {
                    "no worker could be started"
                } else {
                    &*self.failure
                };
                let mut state = lock(&self.shared.state);
                state.broken = Some(why.into());
                state.closed = true;
            }
            Order::Rest(refused) => {
                let pause = Duration::from_millis(10) * 2_u32.pow(refused - 1);
                self.rests_until = Some(Instant::now() + pause);
            }
            Order::End => self.ended = true,
        }
    }

    fn start(&mut self, number: Number) {
        match Child::start(number, &self.how) {
            Ok(mut child) => {
                child.send(self.setup.clone());
                self.children.insert(number, child);
                lock(&self.shared.state).workers += 1;
            }
            Err(Refused { why, lasts }) => {
                self.failure = why;
                self.later.push_back(Event::NotStarted(number, lasts));
            }
        }
    }

    /// Begins the job, unless it was cancelled, and gives it to the worker, unless its end has been seen.
    fn offer(&mut self, number: Number, token: Token) {
        if self.children.get(&number).is_none_or(|child| child.is_over) {
            return self.later.push_back(Event::Returned(number, token));
        }
        let job = self.queued.remove(&token);
        let Some(Queued { name, message, promise }) = job else {
            return self.later.push_back(Event::Withdrawn(number));
        };
        // In one step for others: who sees it Running can have it killed.
        let mut state = lock(&self.shared.state);
        let (Some(child), Some(promise)) = (self.children.get_mut(&number), promise.start()) else {
            drop(state);
            return self.later.push_back(Event::Withdrawn(number));
        };
        state.running.insert(promise.address(), token);
        drop(state);
        child.given = Some((token, Given { name, promise }));
        child.send(message);
    }

    /// Takes the job from a worker that has it.
    fn take(&mut self, number: Number, token: Token) -> Option<Given> {
        let (own, given) = self.children.get_mut(&number)?.take_job()?;
        debug_assert_eq!(own, token, "the books know who has which job");
        lock(&self.shared.state).running.remove(&given.promise.address());
        Some(given)
    }

    fn kill(&mut self, number: Number) {
        let Some(child) = self.children.get_mut(&number) else { return };
        if self.books.workers().get(&number).is_some_and(|worker| worker.is_deaf()) {
            child.accuse("it told of a job that it does not have");
        } else if !child.asked && child.goes_on() {
            child.accuse("it ended its channel and went on, and the pool killed it");
        }
        if !child.kill() {
            self.later.push_back(Event::ProcessEnded(number));
        }
    }

    /// Reads all that a worker had written when its process had ended, and then says that nothing more comes. A child that has
    /// its pipe may go on writing.
    pub(super) fn drain(&mut self, number: Number) {
        let until = self.children.get(&number).map_or(0, Child::written_so_far);
        while self.children.get(&number).is_some_and(|child| child.has_more(until)) {
            self.read(number);
        }
        let Some(child) = self.children.get_mut(&number) else { return };
        child.close();
        let cut = child.is_cut();
        self.obey_all(Event::PipeEnded(number, cut));
    }

    fn forget(&mut self, number: Number) {
        let Some(mut child) = self.children.remove(&number) else { return };
        child.hear_the_rest(&mut self.bytes, &mut told(self.listener.as_ref()));
        if child.began.is_none() {
            let failure = child.failure();
            self.failure = format!(
                "{STARTS} workers in a row ended before they began a job; the last: {failure}"
            );
        }
        lock(&self.shared.state).workers -= 1;
    }
}
