//! Pools: what is queued, claimed and dropped.

use stateright::semantics::SequentialSpec;

use super::super::{
    Answer, Op,
    program::{Agent, Future, Kind, Piece, Program},
    state::{Frame, Held, Script, System, Task},
};

impl Program {
    /// A worker takes a job out of the queue.
    pub(super) fn run(&self, state: &mut System, agent: Agent, piece: Piece) {
        self.take_job(state, piece, Task::Running);
        state.party(agent).frames.push(Frame::new(Script::Piece(piece), false));
    }

    /// A job that was taken begins, unless it was cancelled.
    pub(super) fn begin_job(
        &self,
        state: &mut System,
        agent: Agent,
        piece: Piece,
        it: Future,
    ) -> bool {
        let cell = state.cell(it);
        if cell.spec.invoke(&Op::Start).answer != Answer::Done {
            state.tasks[usize::from(piece)] = Task::Done;
            state.party(agent).frames.pop();
            self.acknowledge(state, agent, it);
            self.drop_promises(state, agent, &self.shape.pieces[usize::from(piece)].1);
            return false;
        }
        cell.ran = true;
        state.notes.orphan |= state.notes.orphans.has(it);
        true
    }

    pub(super) fn submit(&self, state: &mut System, agent: Agent, piece: Piece) {
        let Kind::Job(_, pool) = self.shape.kind(piece) else { unreachable!("a job is submitted") };
        if state.pools[usize::from(pool)].over {
            state.notes.refused.add(piece);
            self.drop_piece(state, agent, piece);
        } else {
            state.notes.accepted.add(piece);
            state.tasks[usize::from(piece)] = Task::Live(0);
            state.pools[usize::from(pool)].queue.push(piece);
        }
    }

    /// What is queued is to be taken out and dropped, one job after the other.
    pub(super) fn cancel_pending(&self, state: &mut System, agent: Agent) {
        let queued = state.pools[0].queue.clone();
        if self.rules.pending_taken_at_once || self.rules.shutdown_forgets_queue {
            queued.iter().for_each(|piece| self.take_job(state, *piece, Task::Done));
        }
        if self.rules.shutdown_forgets_queue {
            return;
        }
        let under = self.rules.pool_calls_under_lock.then_some(Held::Pool(0));
        for piece in queued.into_iter().rev() {
            let frame = Frame { under, ..Frame::new(Script::Drop(piece), false) };
            state.party(agent).frames.push(frame);
        }
    }

    /// The job that is to be dropped is taken out of its queue.
    pub(super) fn withdraw(&self, state: &mut System, agent: Agent, piece: Piece) {
        let frame = state.party(agent).frames.pop().expect("it drops");
        self.take_job(state, piece, Task::Done);
        state.party(agent).frames.push(frame);
    }

    /// A job is taken out of its queue, and nobody is to drop it any more.
    fn take_job(&self, state: &mut System, piece: Piece, becomes: Task) {
        let Kind::Job(_, pool) = self.shape.kind(piece) else { unreachable!("pools run jobs") };
        state.pools[usize::from(pool)].queue.retain(|queued| *queued != piece);
        state.tasks[usize::from(piece)] = becomes;
        for party in &mut state.parties {
            party.frames.retain(|frame| frame.script != Script::Drop(piece));
        }
    }

    /// A job that was taken out of the queue is dropped, or a closure.
    pub(super) fn drop_job(&self, state: &mut System, agent: Agent, piece: Piece) {
        let frame = state.party(agent).frames.pop().expect("it drops");
        let before = state.parties[usize::from(agent)].frames.len();
        self.drop_piece(state, agent, piece);
        for called in &mut state.party(agent).frames[before..] {
            called.under = frame.under;
        }
    }
}
