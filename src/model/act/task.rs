//! Tasks: their steps, and how they are stopped.

use std::collections::BTreeSet;

use stateright::semantics::SequentialSpec;

use super::super::{
    Answer, Op,
    program::{Agent, Do, Future, Kind, Piece, Program},
    state::{Entry, Frame, Life, Script, System, Task, Waiting},
};
use super::Outcome;

impl Program {
    /// Notes what an operation of a task must not be.
    pub(super) fn note_of_task(&self, state: &mut System, agent: Agent) {
        let Some(&Frame { script: Script::Piece(piece), .. }) = state.top(agent) else { return };
        if let Kind::Task(it, on) = self.shape.kind(piece) {
            let (astray, undead) = (agent != on, state.is_settled(it));
            if astray || undead {
                state.notes.astray |= astray;
                state.notes.undead |= undead;
            }
        }
    }

    pub(super) fn step_task(&self, state: &mut System, agent: Agent, piece: Piece) {
        let Kind::Task(it, on) = self.shape.kind(piece) else { return };
        let closing = state.parties[usize::from(on)].life == Life::Closing;
        let at = match state.tasks[usize::from(piece)] {
            Task::Live(at) => at,
            Task::Sent => 0,
            Task::Stopping(_) if closing && self.rules.close_ends_owners_first => {
                let depth = state.party(agent).frames.len();
                return Self::end_stops(state, agent, depth, [piece]);
            }
            Task::Stopping(_) => {
                let depth = state.party(agent).frames.len();
                return Self::end_stops(state, agent, depth, self.due(state, piece));
            }
            Task::Unborn | Task::Running | Task::Done => return,
        };
        let asked = state.cell(it).spec.invoke(&Op::Requested).answer == Answer::Requested(true);
        let cancelled = self.rules.cancelled_before_stopped && state.is_settled(it);
        let resumes = at > 0;
        if asked || closing || cancelled {
            return self.stop(state, agent, piece, at, closing);
        }
        state.tasks[usize::from(piece)] = Task::Running;
        let at = at.saturating_sub(1);
        let frame = Frame { at, viewed: true, ..Frame::new(Script::Piece(piece), resumes) };
        state.party(agent).frames.push(frame);
    }

    /// Stopped tasks are settled in the next steps, below what is to come first.
    fn end_stops(
        state: &mut System,
        agent: Agent,
        depth: usize,
        pieces: impl IntoIterator<Item = Piece>,
    ) {
        for piece in pieces {
            state.tasks[usize::from(piece)] = Task::Done;
            let stop = Frame::new(Script::Stop(piece), true);
            state.party(agent).frames.insert(depth, stop);
        }
    }

    /// The tasks that may be settled as far as a stopped one of them tells: it alone if nothing is left to it; with
    /// those that own each other with it, if all their coroutines are gone.
    fn due(&self, state: &System, piece: Piece) -> BTreeSet<Piece> {
        let (mut found, mut at) = (BTreeSet::new(), piece);
        while found.insert(at) {
            let Task::Stopping(owned) = state.tasks[usize::from(at)] else {
                return BTreeSet::new();
            };
            let left = owned.filter(|it| !state.is_settled(*it));
            match left.and_then(|it| self.shape.piece_of(it)) {
                None if at == piece => return found,
                None => return BTreeSet::new(),
                Some(next) => at = next,
            }
        }
        if at == piece && !self.rules.circles_wait { found } else { BTreeSet::new() }
    }

    /// The future that a coroutine awaits.
    fn awaits(&self, piece: Piece, at: u8) -> Option<Future> {
        match self.shape.pieces[usize::from(piece)].1.get(usize::from(at.checked_sub(1)?)) {
            Some(Do::Await(it)) => Some(*it),
            _ => None,
        }
    }

    /// Whether a future that a coroutine of this loop awaits is that of a task which has not ended.
    fn owns_task(&self, state: &System, agent: Agent, it: Future) -> bool {
        let task = self.shape.piece_of(it).map(|task| (task, self.shape.kind(task)));
        let lives = |task| {
            let task = state.tasks[usize::from(task)];
            matches!(task, Task::Sent | Task::Live(_) | Task::Stopping(_))
        };
        !self.rules.cancel_is_not_forwarded
            && matches!(task, Some((task, Kind::Task(_, on))) if on == agent && lives(task))
    }

    /// Whether a stopped task waits for one that it owned.
    fn waits_for(&self, state: &System, it: Future) -> bool {
        let task = self.shape.piece_of(it).map(|task| state.tasks[usize::from(task)]);
        !(self.rules.stopped_before_owned
            || self.rules.stopping_is_forgotten && matches!(task, Some(Task::Stopping(_)))
            || self.rules.sent_is_forgotten && task == Some(Task::Sent))
    }

    /// The tasks of a loop that is closing which have not ended, each after the one that it owns.
    pub(super) fn owned_first(&self, state: &System, agent: Agent) -> Vec<Piece> {
        let mut order = Vec::new();
        for piece in 0..self.shape.pieces.len() as Piece {
            let mut chain = vec![piece];
            while let Some(it) =
                chain.last().and_then(|last| match state.tasks[usize::from(*last)] {
                    Task::Live(at) => self.awaits(*last, at),
                    Task::Stopping(it) => it,
                    Task::Unborn | Task::Sent | Task::Running | Task::Done => None,
                })
            {
                match self.shape.piece_of(it) {
                    Some(next) if !chain.contains(&next) && self.owns_task(state, agent, it) => {
                        chain.push(next);
                    }
                    _ => break,
                }
            }
            for piece in chain.into_iter().rev() {
                let here = matches!(self.shape.kind(piece), Kind::Task(_, on) if on == agent);
                let task = state.tasks[usize::from(piece)];
                let left = matches!(task, Task::Sent | Task::Live(_) | Task::Stopping(_));
                if here && left && !order.contains(&piece) {
                    order.push(piece);
                }
            }
        }
        order
    }

    /// Drops a coroutine; its future is settled when the task that it owned has ended, or, while its loop is
    /// closing, when all coroutines of that are gone.
    pub(super) fn stop(
        &self,
        state: &mut System,
        agent: Agent,
        piece: Piece,
        at: u8,
        closing: bool,
    ) {
        let below = state.party(agent).frames.len();
        let awaits = self.awaits(piece, at);
        let owned = awaits.filter(|it| self.owns_task(state, agent, *it));
        state.release(agent, Script::Piece(piece));
        let waits_for = owned.filter(|it| self.waits_for(state, *it));
        state.tasks[usize::from(piece)] = Task::Stopping(waits_for);
        if let Some(it) = awaits {
            let waiting = &mut state.party(agent).views[usize::from(it)].waiting;
            waiting.retain(|it| *it != Waiting::Task(piece));
            if !self.rules.cancel_is_not_forwarded {
                // Whoever stops the task asks for it.
                self.ask(state, agent, it, true);
            }
            if !state.cell(it).ran {
                state.notes.orphans.add(it);
            }
        }
        if let (Some(it), Kind::Task(own, _)) = (owned, self.shape.kind(piece)) {
            state.notes.owned.push((own, it));
        }
        if !closing {
            Self::end_stops(state, agent, below, self.due(state, piece));
        }
        self.drop_promises(state, agent, &self.shape.pieces[usize::from(piece)].1);
    }

    /// Those that owned the task of a future go on when the callbacks before them have run.
    pub(super) fn wake_owners(&self, state: &mut System, agent: Agent, it: Future) {
        let owners = state.notes.owned.iter().rev().filter(|(_, other)| *other == it);
        let owners = owners.filter_map(|(own, _)| self.shape.piece_of(*own));
        let waits = |piece: &Piece| state.tasks[usize::from(*piece)] == Task::Stopping(Some(it));
        let wakes = owners.filter(waits).map(|owner| Frame::new(Script::Wake(owner), false));
        let wakes: Vec<_> = wakes.collect();
        state.party(agent).frames.extend(wakes);
    }

    pub(super) fn suspend(
        &self,
        state: &mut System,
        agent: Agent,
        home: Agent,
        it: Future,
    ) -> Outcome {
        if self.sees(state, home, it) {
            return Outcome::Returned(self.tells(state, agent, Do::AwaitOf(home, it)));
        }
        let frame = state.party(agent).frames.pop().expect("it acts");
        let Script::Piece(piece) = frame.script else { unreachable!("only tasks await") };
        state.tasks[usize::from(piece)] = Task::Live(frame.at + 1);
        state.party(home).views[usize::from(it)].waiting.push(Waiting::Task(piece));
        Outcome::Suspends
    }

    pub(super) fn spawn(&self, state: &mut System, agent: Agent, piece: Piece) {
        let Kind::Task(_, home) = self.shape.kind(piece) else { unreachable!("a task is spawned") };
        let refuses = matches!(state.party(home).life, Life::Closing | Life::Over);
        if refuses {
            state.notes.refused.add(piece);
            self.drop_piece(state, agent, piece);
        } else if self.rules.task_starts_at_once && home == agent {
            Self::owe(state, agent, vec![piece], None, None, true);
        } else {
            let sent = if home == agent { Task::Live(0) } else { Task::Sent };
            state.tasks[usize::from(piece)] = sent;
            self.push(state, agent, home, Entry::Step(piece));
        }
    }
}
