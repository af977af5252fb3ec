//! Who can take which step, and who waits for whom.

use super::{
    program::{Agent, Do, Future, Kind, Piece, Program, Role},
    rules::LoopRead,
    state::{Entry, Frame, Held, Life, Script, System},
};

/// One step of one who takes part: one linearization point, or that one other is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Who takes it.
    pub agent: Agent,
    /// What it is.
    pub does: Does,
}

/// What a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// An operation takes effect and returns.
    Do(Do),
    /// An operation looks or registers, and has not returned yet.
    Part(Do),
    /// A wait expires. A step of the clock, which it need not take.
    Expire(Do),
    /// A wait is interrupted.
    Interrupt(Do),
    /// A callback, posted job, pool job or task begins; a pool job only if nobody has cancelled it since it was taken.
    Begin(Piece),
    /// A script is over: what it holds settles, one promise a step.
    End,
    /// Whoever has settled a future tells one who waits for it with others.
    Tell(Agent, Future),
    /// Whoever has settled a future, or asked a task to stop, posts to a loop that is to know.
    Post(Agent, Entry),
    /// The callbacks of a future have returned that were lent it.
    Return(Future),
    /// A job that was taken out of its queue is dropped, or a closure that has listened in vain.
    Drop(Piece),
    /// Takes a job out of its queue, to drop it.
    Withdraw(Piece),
    /// A loop takes the first entry of its queue.
    Take(Entry),
    /// A worker takes a job out of the queue: the first, or the one that it waits for.
    Run(Piece),
    /// A loop that was stopped is closed.
    Close,
    /// A closing loop has nothing left to run: it drops the callbacks that wait.
    Sweep,
    /// A worker of a pool that was shut down ends.
    Exit,
}

impl Program {
    /// Returns whether the view that a loop has of a future shows it as settled.
    ///
    /// # Panics
    ///
    /// If the program has no such loop or future.
    #[must_use]
    #[doc(hidden)]
    pub fn shows(&self, state: &System, on: Agent, it: Future) -> bool {
        self.sees(state, on, it)
    }

    /// The steps that an agent can take: one, or none; with a wait that can expire, or one that can
    /// be helped.
    pub(super) fn choice(&self, state: &System, agent: Agent) -> Option<Does> {
        let Some(frame) = state.top(agent) else { return self.idle(state, agent) };
        let piece = match frame.script {
            Script::Stop(_) => return Some(Does::End),
            Script::Tell(whom, it) => return Some(Does::Tell(whom, it)),
            Script::Post(home, entry) => return Some(Does::Post(home, entry)),
            Script::Drop(piece) => {
                let queued = state.pools.iter().any(|pool| pool.queue.contains(&piece));
                return Some(if queued { Does::Withdraw(piece) } else { Does::Drop(piece) });
            }
            Script::Return(it) => return Some(Does::Return(it)),
            Script::Piece(piece) => Some(piece),
            Script::Own | Script::Wake(_) => None,
        };
        if let (false, Some(piece)) = (frame.begun, piece) {
            return Some(Does::Begin(piece));
        }
        match self.shape.script(agent, frame.script).get(usize::from(frame.at)) {
            None => Some(Does::End),
            Some(what) => self.next(state, agent, frame, *what),
        }
    }

    fn idle(&self, state: &System, agent: Agent) -> Option<Does> {
        let party = &state.parties[usize::from(agent)];
        match self.shape.members[usize::from(agent)].role {
            Role::Thread => None,
            Role::Loop => match (party.life, party.queue.first()) {
                (Life::Over, _) => None,
                (Life::Stopping, _) => Some(Does::Close),
                (_, Some(entry)) => (!party.asleep).then_some(Does::Take(*entry)),
                (Life::Closing, None) => Some(Does::Sweep),
                (Life::Open, None) => None,
            },
            Role::Worker(pool) => {
                let of = &state.pools[usize::from(pool)];
                match of.queue.first() {
                    Some(_) if state.holds(Held::Pool(pool)) => None,
                    Some(piece) => Some(Does::Run(*piece)),
                    None => (of.over && party.life == Life::Open).then_some(Does::Exit),
                }
            }
        }
    }

    fn next(&self, state: &System, agent: Agent, frame: &Frame, what: Do) -> Option<Does> {
        if self.is_kept_out(state, agent, frame, what) {
            return None;
        }
        match what {
            Do::Close if frame.part > 0 => {
                let queue = &state.parties[usize::from(agent)].queue;
                Some(queue.first().map_or(Does::Sweep, |entry| Does::Take(*entry)))
            }
            Do::Shutdown => {
                let worker = matches!(self.shape.members[usize::from(agent)].role, Role::Worker(_));
                let circle = worker && self.is_hopeless(state, agent);
                let returns = self.have_ended(state, 0) || self.refuses(agent, what) || circle;
                returns.then_some(Does::Do(what))
            }
            Do::Start(it) if self.rules.claim_in_two_steps && frame.part == 0 => {
                Some(if state.is_settled(it) { Does::Do(what) } else { Does::Part(what) })
            }
            Do::Finish(it) | Do::Fail(it) | Do::Panic(it)
                if self.rules.set_in_two_steps && frame.part == 0 =>
            {
                Some(if state.is_settled(it) { Does::Do(what) } else { Does::Part(what) })
            }
            Do::Closed(it) => self.hears(state, it).then_some(Does::Do(what)),
            Do::Upgrade(it) if frame.part == 0 && self.may_upgrade(state, it) => {
                Some(Does::Part(what))
            }
            Do::FinishOrReturn(it) if self.rules.unseen_in_two_steps && frame.part == 0 => {
                Some(if state.is_settled(it) { Does::Do(what) } else { Does::Part(what) })
            }
            Do::Add(it, _)
                if (self.rules.register_in_two_steps || self.rules.stored_before_looked)
                    && frame.part == 0 =>
            {
                Some(if state.is_settled(it) { Does::Do(what) } else { Does::Part(what) })
            }
            _ => match what.waits_for() {
                None => Some(Does::Do(what)),
                Some(_) => self.wait(state, agent, frame, what),
            },
        }
    }

    /// A call that may block.
    fn wait(&self, state: &System, agent: Agent, frame: &Frame, what: Do) -> Option<Does> {
        if self.refuses(agent, what) {
            return Some(Does::Do(what));
        }
        let these = what.waits_for()?;
        let registers = matches!(
            what,
            Do::Wait(_) | Do::WaitFirst(_) | Do::WaitAllTimeout(_) | Do::AsCompleted(_)
        );
        if registers && usize::from(frame.part) < these.iter().count() {
            return Some(Does::Part(what));
        }
        if self.is_leaving(state, agent) || self.may_return(state, agent, frame, what) {
            // One a step.
            let left = self.untold(state, agent, frame, what).count();
            return Some(if left > 1 { Does::Part(what) } else { Does::Do(what) });
        }
        if matches!(what, Do::AsCompleted(_)) && self.may_yield(state, agent, frame, what) {
            return Some(Does::Part(what));
        }
        if let Some(next) = self.next_deferred(state, agent)
            && !self.rules.deferred_forgotten_in_wait
            && !matches!(what, Do::Poll(_))
            && let Script::Piece(piece) = state.parties[usize::from(agent)].deferred[next].script
        {
            return Some(Does::Begin(piece));
        }
        if let Role::Worker(pool) = self.shape.members[usize::from(agent)].role {
            let queue = &state.pools[usize::from(pool)].queue;
            let own = queue.iter().find(|piece| {
                matches!(self.shape.kind(**piece), Kind::Job(it, _) if these.iter().any(|one| one == it))
            });
            if let (Some(piece), false) = (own, self.rules.pool_does_not_help) {
                return Some(Does::Run(*piece));
            }
            if !self.rules.pool_cycle_blocks && self.is_hopeless(state, agent) {
                return Some(Does::Do(what));
            }
        }
        if matches!(what, Do::Result(_) | Do::WaitTimeout(_))
            && state.parties[usize::from(agent)].interrupted
            && !self.rules.interrupt_wakes_nobody
        {
            return Some(Does::Interrupt(what));
        }
        match what {
            Do::WaitTimeout(_) | Do::WaitAllTimeout(_) => Some(Does::Expire(what)),
            Do::Poll(_) => Some(Does::Part(what)),
            Do::LoopRead(_) if self.rules.loop_read == LoopRead::Polls => Some(Does::Part(what)),
            _ => None,
        }
    }

    /// Returns whether an agent is leaving the futures of which it was not told, since its time is over or one has
    /// settled.
    ///
    /// # Panics
    ///
    /// If nobody with this number takes part.
    #[must_use]
    #[doc(hidden)]
    pub fn is_leaving(&self, state: &System, agent: Agent) -> bool {
        let Some(frame) = state.top(agent) else { return false };
        match self.shape.script(agent, frame.script).get(usize::from(frame.at)) {
            Some(Do::WaitFirst(these) | Do::WaitAllTimeout(these)) => {
                usize::from(frame.part) > these.iter().count()
            }
            _ => false,
        }
    }

    /// The futures that a call which ends has still to leave, each with its place.
    pub(super) fn untold(
        &self,
        state: &System,
        agent: Agent,
        frame: &Frame,
        what: Do,
    ) -> impl Iterator<Item = (usize, Future)> + use<> {
        let these: Vec<Future> = match what {
            Do::WaitFirst(these) | Do::WaitAllTimeout(these) => these.iter().collect(),
            _ => Vec::new(),
        };
        let from = usize::from(frame.part).saturating_sub(these.len());
        let untold: Vec<_> =
            (0..).zip(these).skip(from).filter(|(_, it)| !state.was_told(agent, *it)).collect();
        untold.into_iter()
    }

    /// Returns whether the call is answered at once here, `WouldDeadlock` or `InvalidState`, if it would have
    /// to wait.
    ///
    /// # Panics
    ///
    /// If nobody with this number takes part.
    #[must_use]
    #[doc(hidden)]
    pub fn refuses(&self, agent: Agent, what: Do) -> bool {
        let on_loop = self.shape.is_loop(agent);
        match what {
            Do::Result(_) | Do::WaitTimeout(_) | Do::Shutdown => {
                on_loop && !self.rules.loop_may_block
            }
            Do::Wait(_) | Do::WaitFirst(_) | Do::WaitAllTimeout(_) => {
                on_loop && !self.rules.wait_on_loop
            }
            Do::AsCompleted(_) => on_loop && !self.rules.as_completed_on_loop,
            Do::LoopRead(_) => self.rules.loop_read == LoopRead::Answers,
            _ => false,
        }
    }

    /// Whether what a call waits for is there.
    pub(super) fn may_return(&self, state: &System, agent: Agent, frame: &Frame, what: Do) -> bool {
        match what {
            Do::Result(it) | Do::WaitTimeout(it) => {
                let calling = |frame: &Frame| frame.of == Some(it) && !frame.viewed;
                state.is_settled(it)
                    && !(self.rules.callbacks_before_waiters && state.frames().any(calling))
            }
            Do::Poll(it) if self.shape.is_loop(agent) => self.sees(state, agent, it),
            Do::Poll(it) => state.is_settled(it),
            Do::LoopRead(it) => self.sees(state, agent, it),
            Do::Wait(these) | Do::WaitAllTimeout(these) => {
                these.iter().all(|it| state.was_told(agent, it))
                    && !(self.rules.empty_wait_waits && these.iter().next().is_none())
            }
            Do::WaitFirst(these) => {
                these.iter().any(|it| state.was_told(agent, it)) || these.iter().next().is_none()
            }
            Do::AsCompleted(these) => usize::from(frame.part) == 2 * these.iter().count(),
            _ => false,
        }
    }

    fn may_yield(&self, state: &System, agent: Agent, frame: &Frame, what: Do) -> bool {
        let Do::AsCompleted(these) = what else { return false };
        let given = these.iter().count();
        usize::from(frame.part) - given
            < these.iter().filter(|it| state.was_told(agent, *it)).count()
    }

    /// Whether a loop sees a future as settled.
    pub(super) fn sees(&self, state: &System, agent: Agent, it: Future) -> bool {
        let agent = self.home(agent);
        let party = &state.parties[usize::from(agent)];
        let view = &party.views[usize::from(it)];
        if self.rules.views_are_copies {
            return view.copy.state().is_settled();
        }
        let reads_through = self.rules.loop_reads_through
            || party.life == Life::Over && !self.rules.closed_view_stays;
        state.is_settled(it) && (view.delivered || reads_through)
    }

    /// The loop whose views code that an agent runs has: a flipped rule may run it in another thread.
    pub(super) fn home(&self, agent: Agent) -> Agent {
        let has = |it: &Agent| self.shape.is_loop(*it);
        Some(agent).filter(has).or((0..self.agents()).find(has)).unwrap_or(agent)
    }

    /// Whether a lock keeps an agent from its next operation.
    fn is_kept_out(&self, state: &System, agent: Agent, frame: &Frame, what: Do) -> bool {
        match what {
            _ if what.is_own() => self.own_blocks(state, what),
            Do::Submit(piece) => match self.shape.kind(piece) {
                Kind::Job(_, pool) => state.holds(Held::Pool(pool)),
                Kind::Call | Kind::Task(..) => false,
            },
            Do::ClosePool | Do::CancelPending => state.holds(Held::Pool(0)),
            Do::Cancel(it)
            | Do::Done(it)
            | Do::Read(it)
            | Do::Add(it, _)
            | Do::LoopCancel(it)
            | Do::Result(it)
            | Do::WaitTimeout(it) => {
                state.holds(Held::Future(it)) || self.is_taken(state, agent, it)
            }
            Do::Wait(these) => {
                let next = these.iter().nth(usize::from(frame.part));
                next.is_some_and(|it| self.is_taken(state, agent, it))
            }
            _ => what
                .promise()
                .is_some_and(|it| state.holds(Held::Future(it)) || self.is_taken(state, agent, it)),
        }
    }

    /// Whether somebody else who registers in `wait` holds the lock of a future, if that is a rule.
    fn is_taken(&self, state: &System, agent: Agent, it: Future) -> bool {
        self.rules.wait_locks_all
            && (0..self.agents()).filter(|other| *other != agent).any(|other| {
                let Some(frame) = state.top(other) else { return false };
                match self.shape.script(other, frame.script).get(usize::from(frame.at)) {
                    Some(Do::Wait(these)) if usize::from(frame.part) < these.iter().count() => {
                        these.iter().take(usize::from(frame.part)).any(|held| held == it)
                    }
                    _ => false,
                }
            })
    }

    pub(super) fn agents(&self) -> Agent {
        self.shape.members.len() as Agent
    }
}
