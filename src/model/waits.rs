//! Who waits for whom, who owns what, and what has ended.

use super::{
    program::{Agent, Do, Future, Kind, Piece, Program, Role},
    shape::Member,
    shared::Shared,
    state::{Entry, Frame, Life, Party, Script, Set, System, Task},
    step::Does,
};

impl Program {
    /// Returns whether all workers of a pool have ended.
    ///
    /// # Panics
    ///
    /// If nobody takes part of whom the state tells.
    #[must_use]
    #[doc(hidden)]
    pub fn have_ended(&self, state: &System, pool: u8) -> bool {
        self.shape
            .members
            .iter()
            .zip(&state.parties)
            .all(|(member, party)| member.role != Role::Worker(pool) || party.life == Life::Over)
    }

    /// What an agent has begun to wait for, if it cannot go on.
    pub(super) fn blocked(&self, state: &System, agent: Agent) -> Option<Do> {
        let frame = state.top(agent)?;
        let what = *self.shape.script(agent, frame.script).get(usize::from(frame.at))?;
        let waits = match what {
            Do::Poll(_) => false,
            Do::Shutdown => !self.have_ended(state, 0) && !self.rules.pool_end_blocks,
            _ => what.waits_for().is_some() && !self.may_return(state, agent, frame, what),
        };
        (frame.begun && waits).then_some(what)
    }

    /// Whether a worker that waits now would wait for ever, as far as workers and their jobs tell: the
    /// wait closes a cycle. Threads that are no workers, and promises that are not those of jobs, are
    /// taken to go on.
    pub(super) fn is_hopeless(&self, state: &System, agent: Agent) -> bool {
        self.rules.pool_refuses_every_wait || !self.who_goes_on(state, agent).has(agent)
    }

    /// Who may still go on if this agent waits.
    fn who_goes_on(&self, state: &System, agent: Agent) -> Set {
        let is_worker =
            |it: Agent| matches!(self.shape.members[usize::from(it)].role, Role::Worker(_));
        let mut live = Set::default();
        for it in 0..self.agents() {
            if !is_worker(it) || it != agent && self.blocked(state, it).is_none() {
                live.add(it);
            }
        }
        loop {
            let before = live;
            for it in (0..self.agents()).filter(|it| !before.has(*it)) {
                let hope = |what: Do| {
                    if what == Do::Shutdown {
                        return self.workers(0).all(|it| before.has(it));
                    }
                    let these = what.waits_for().expect("it waits");
                    let ends = |it| state.is_settled(it) || self.may_settle(state, it, before);
                    match what {
                        Do::WaitFirst(_) => these.iter().any(ends),
                        _ => these.iter().all(ends),
                    }
                };
                if self.blocked(state, it).is_none_or(hope) {
                    live.add(it);
                }
            }
            if live == before {
                return live;
            }
        }
    }

    /// Whether a future may still be settled, if these agents go on.
    pub(super) fn may_settle(&self, state: &System, it: Future, live: Set) -> bool {
        let Some(piece) = self.shape.piece_of(it) else { return true };
        let Kind::Job(_, pool) = self.shape.kind(piece) else { return true };
        match state.tasks[usize::from(piece)] {
            Task::Running => self.runs(state, piece).is_some_and(|agent| live.has(agent)),
            Task::Live(_) => self.workers(pool).any(|agent| live.has(agent)),
            Task::Unborn | Task::Sent | Task::Stopping(_) | Task::Done => true,
        }
    }

    /// The workers of a pool.
    fn workers(&self, pool: u8) -> impl Iterator<Item = Agent> {
        let works = move |it: &(&Member, Agent)| it.0.role == Role::Worker(pool);
        self.shape.members.iter().zip(0..).filter(works).map(|(_, agent)| agent)
    }

    /// Who runs a piece.
    pub(super) fn runs(&self, state: &System, piece: Piece) -> Option<Agent> {
        (0..self.agents()).find(|agent| {
            let mut frames = state.parties[usize::from(*agent)].frames.iter();
            frames.any(|frame| frame.script == Script::Piece(piece))
        })
    }

    /// Whether everything has ended properly.
    pub(super) fn ended(&self, state: &System) -> bool {
        let is_live = |(piece, task): (usize, &Task)| match (self.shape.pieces[piece].0, task) {
            (Kind::Task(_, on), Task::Sent | Task::Live(_) | Task::Stopping(_)) => {
                state.parties[usize::from(on)].life != Life::Over
            }
            _ => false,
        };
        let has_ended = |party: &Shared<Party>| {
            party.frames.is_empty()
                && party.queue.is_empty()
                && matches!(party.life, Life::Open | Life::Over)
        };
        state.parties.iter().all(has_ended)
            && state.pools.iter().all(|pool| pool.queue.is_empty())
            && (0..self.shape.pools)
                .all(|pool| !state.pools[usize::from(pool)].over || self.have_ended(state, pool))
            && !state.tasks.iter().enumerate().any(is_live)
    }

    /// Whether nobody can take a step but the clock.
    pub(super) fn stuck(&self, state: &System) -> bool {
        (0..self.agents())
            .all(|agent| matches!(self.choice(state, agent), None | Some(Does::Expire(_))))
    }

    /// Whether somebody is in a wait that may expire.
    pub(super) fn may_expire(&self, state: &System) -> bool {
        (0..self.agents()).any(|agent| matches!(self.choice(state, agent), Some(Does::Expire(_))))
    }

    /// Whether those who can go no further wait for each other in a circle that the program wrote:
    /// through its own locks, or through promises that threads hold while they wait.
    pub(super) fn wrote_a_cycle(&self, state: &System) -> bool {
        let unfinished: Vec<Agent> =
            (0..self.agents()).filter(|agent| state.top(*agent).is_some()).collect();
        // A loop that is idle, and has something to do, is not kept from it by anybody.
        let sleeps = |party: &Shared<Party>| party.frames.is_empty() && !party.queue.is_empty();
        let circles = |start: &Agent| {
            let (mut at, mut written) = (*start, false);
            // After as many steps as there are agents it is on the circle; once more around it.
            for step in 0..2 * self.agents() {
                let Some((next, seen)) = self.waits_on(state, at) else { return false };
                written |= step >= self.agents() && !seen;
                at = next;
            }
            written
        };
        !unfinished.is_empty()
            && !state.parties.iter().any(sleeps)
            && unfinished.iter().all(circles)
    }

    /// On whom an agent waits, and whether the library can see that it does.
    pub(super) fn waits_on(&self, state: &System, agent: Agent) -> Option<(Agent, bool)> {
        let frame = state.top(agent)?;
        let what = *self.shape.script(agent, frame.script).get(usize::from(frame.at))?;
        if let Do::Lock(lock) = what {
            return Some((state.owner(lock)?, false));
        }
        if let Do::Closed(it) = what {
            return Some((self.who_drops(state, it)?, false));
        }
        let worker = matches!(self.shape.members[usize::from(agent)].role, Role::Worker(_));
        let left = |it: &Future| !state.is_settled(*it);
        let mut it = what.waits_for()?.iter().find(left)?;
        // A task that awaits waits for whom it awaits.
        for _ in 0..self.shape.futures {
            let piece = self.shape.piece_of(it);
            match piece.map(|piece| (self.shape.kind(piece), state.tasks[usize::from(piece)])) {
                Some((Kind::Job(..), _)) => return Some((self.runs(state, piece?)?, worker)),
                Some((Kind::Task(_, on), Task::Sent)) => return Some((on, true)),
                Some((Kind::Task(_, on), Task::Live(at))) => {
                    match self.shape.pieces[usize::from(piece?)]
                        .1
                        .get(usize::from(at).wrapping_sub(1))
                    {
                        Some(Do::Await(next)) if !state.is_settled(*next) => it = *next,
                        _ => return Some((on, true)),
                    }
                }
                Some((Kind::Task(_, on), Task::Stopping(next))) => match next {
                    Some(next) if !state.is_settled(next) => it = next,
                    _ => return Some((on, true)),
                },
                Some((Kind::Task(..), _)) => return Some((self.runs(state, piece?)?, false)),
                Some((Kind::Call, _)) | None => break,
            }
        }
        // A loop knows what lies in its own queue.
        self.holder(state, it).map(|agent| (agent, false)).or_else(|| {
            let queued = |entry: &Entry| match *entry {
                Entry::Job(piece) | Entry::Call(piece) => self.shape.pieces[usize::from(piece)]
                    .1
                    .iter()
                    .any(|what| what.promise() == Some(it)),
                _ => false,
            };
            let home = state.parties.iter().position(|party| party.queue.iter().any(queued))?;
            Some((home as Agent, true))
        })
    }

    /// Who is still to drop a handle of a future.
    fn who_drops(&self, state: &System, it: Future) -> Option<Agent> {
        (0..self.agents()).find(|agent| {
            let mut frames = state.parties[usize::from(*agent)].frames.iter();
            frames.any(|frame| {
                let script = self.shape.script(*agent, frame.script);
                script.iter().skip(frame.at.into()).any(|what| *what == Do::Drop(it))
            })
        })
    }

    /// Who holds the promise of a future in a script that is being run.
    pub(super) fn holder(&self, state: &System, it: Future) -> Option<Agent> {
        (0..self.agents()).find(|agent| {
            let mut frames = state.parties[usize::from(*agent)].frames.iter();
            frames.any(|frame| {
                let script = self.shape.script(*agent, frame.script);
                script.iter().any(|what| what.promise() == Some(it))
            })
        })
    }

    /// Whether a future has one who settles it: a promise, a job or a task that is still there.
    pub(super) fn is_owned(&self, state: &System, it: Future) -> bool {
        if self.holder(state, it).is_some() {
            return true;
        }
        self.shape.pieces.iter().zip(0..).any(|((kind, script), piece)| {
            let settles = matches!(kind, Kind::Job(of, _) | Kind::Task(of, _) if *of == it);
            let holds = script.iter().any(|what| what.promise() == Some(it));
            (settles || holds) && self.is_kept(state, piece)
        })
    }

    /// Whether a piece is still to come, or is kept by somebody who will run it.
    pub(super) fn is_kept(&self, state: &System, piece: Piece) -> bool {
        if self.runs(state, piece).is_some() {
            return true;
        }
        let ends = |frame: &Frame| {
            frame.script == Script::Stop(piece) || frame.script == Script::Drop(piece)
        };
        match (self.shape.kind(piece), state.tasks[usize::from(piece)]) {
            (_, Task::Unborn) => true,
            (Kind::Task(_, on), Task::Sent | Task::Live(_) | Task::Stopping(_)) => {
                state.parties[usize::from(on)].life != Life::Over
            }
            (Kind::Job(_, pool), Task::Live(_)) => {
                state.pools[usize::from(pool)].queue.contains(&piece)
            }
            (_, Task::Sent | Task::Live(_) | Task::Stopping(_)) => true,
            (_, Task::Running | Task::Done) => state.frames().any(ends),
        }
    }
}

impl System {
    /// The tasks that await something, and at which operation.
    pub(super) fn suspended(&self) -> impl Iterator<Item = (Piece, usize)> {
        (0..).zip(self.tasks.iter()).filter_map(|(piece, task)| match task {
            Task::Live(at) => Some((piece, usize::from(*at).checked_sub(1)?)),
            _ => None,
        })
    }
}
