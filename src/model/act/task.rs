//! Tasks: their steps, and how they are stopped.

use stateright::semantics::SequentialSpec;

use super::super::{
    Answer, Op,
    program::{Agent, Do, Future, Kind, Piece, Program},
    state::{Entry, Frame, Life, Script, System, Task, Waiting},
};
use super::Outcome;

impl Program {
    /// Notes what a task's step must not be.
    pub(super) fn step_of_task(&self, state: &mut System, agent: Agent, piece: Piece) {
        if let Kind::Task(it, on) = self.shape.kind(piece) {
            state.notes.astray |= agent != on;
            state.notes.undead |= state.is_settled(it);
        }
    }

    pub(super) fn step_task(&self, state: &mut System, agent: Agent, piece: Piece) {
        let Kind::Task(it, on) = self.shape.kind(piece) else { return };
        let at = match state.tasks[usize::from(piece)] {
            Task::Live(at) => at,
            Task::Sent => 0,
            Task::Stopping(_) => return Self::end_stop(state, agent, piece),
            Task::Unborn | Task::Running | Task::Done => return,
        };
        let asked = state.cell(it).spec.invoke(&Op::Requested).answer == Answer::Requested(true);
        let closing = state.parties[usize::from(on)].life == Life::Closing;
        let cancelled = self.rules.cancelled_before_stopped && state.is_settled(it);
        let resumes = at > 0;
        if cancelled && resumes {
            // It was seen cancelled, and its coroutine hears of it only now.
            state.notes.undead = true;
        }
        if asked || closing || cancelled {
            let with_all = closing && state.tasks[usize::from(piece)] != Task::Sent;
            return self.stop(state, agent, piece, at, with_all);
        }
        if resumes {
            self.step_of_task(state, agent, piece);
        }
        state.tasks[usize::from(piece)] = Task::Running;
        let at = at.saturating_sub(1);
        let frame = Frame { at, viewed: true, ..Frame::new(Script::Piece(piece), resumes) };
        state.party(agent).frames.push(frame);
    }

    /// The task of a stopped coroutine is settled in the next step.
    fn end_stop(state: &mut System, agent: Agent, piece: Piece) {
        state.tasks[usize::from(piece)] = Task::Done;
        state.party(agent).frames.push(Frame::new(Script::Stop(piece), true));
    }

    /// Whether a future that a coroutine of this loop awaits is that of a task which goes on until it is stopped.
    fn owns_task(&self, state: &System, agent: Agent, it: Future) -> bool {
        let task = self.shape.piece_of(it).map(|task| (task, self.shape.kind(task)));
        !self.rules.cancel_is_not_forwarded
            && matches!(task, Some((task, Kind::Task(_, on)))
                if on == agent && matches!(state.tasks[usize::from(task)], Task::Live(_)))
    }

    /// Drops a coroutine; its future is settled when the task that it owned has stopped, or, while its loop
    /// is closing, when all coroutines of that are gone.
    pub(super) fn stop(
        &self,
        state: &mut System,
        agent: Agent,
        piece: Piece,
        at: u8,
        with_all: bool,
    ) {
        state.tasks[usize::from(piece)] = Task::Done;
        let below = state.party(agent).frames.len();
        let script = &self.shape.pieces[usize::from(piece)].1;
        let awaits = match at.checked_sub(1).and_then(|at| script.get(usize::from(at))) {
            Some(Do::Await(it)) => Some(*it),
            _ => None,
        };
        let owned = awaits.filter(|it| self.owns_task(state, agent, *it));
        if let Some(it) = awaits {
            let waiting = &mut state.party(agent).views[usize::from(it)].waiting;
            waiting.retain(|it| *it != Waiting::Task(piece));
            if !self.rules.cancel_is_not_forwarded {
                self.cancel(state, agent, it, true);
            }
            if !state.cell(it).ran {
                state.notes.orphans.add(it);
            }
        }
        if let (Some(it), Kind::Task(own, _)) = (owned, self.shape.kind(piece)) {
            state.notes.owned.push((own, it));
        }
        match owned.filter(|_| !self.rules.stopped_before_owned) {
            _ if with_all => state.tasks[usize::from(piece)] = Task::Stopping(None),
            Some(it) => {
                state.tasks[usize::from(piece)] = Task::Stopping(Some(it));
                let waiting = &mut state.party(agent).views[usize::from(it)].waiting;
                waiting.push(Waiting::Task(piece));
            }
            None => {
                let stop = Frame::new(Script::Stop(piece), true);
                state.party(agent).frames.insert(below, stop);
            }
        }
        self.drop_promises(state, agent, script);
    }

    pub(super) fn suspend(
        &self,
        state: &mut System,
        agent: Agent,
        home: Agent,
        it: Future,
    ) -> Outcome {
        if self.sees(state, home, it) {
            return Outcome::Returned;
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
