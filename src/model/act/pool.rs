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
        let Kind::Job(_, pool) = self.shape.kind(piece) else { unreachable!("pools run jobs") };
        state.pools[usize::from(pool)].queue.retain(|queued| *queued != piece);
        state.tasks[usize::from(piece)] = Task::Running;
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
    /// What is queued is taken out, and then to be dropped.
    pub(super) fn cancel_pending(&self, state: &mut System, agent: Agent) {
        let under = self.rules.pool_calls_under_lock.then_some(Held::Pool(0));
        for piece in std::mem::take(&mut state.pools[0].queue).into_iter().rev() {
            state.tasks[usize::from(piece)] = Task::Done;
            if !self.rules.shutdown_forgets_queue {
                let frame = Frame { under, ..Frame::new(Script::Drop(piece), false) };
                state.party(agent).frames.push(frame);
            }
        }
    }

    /// A job that was taken out of the queue is dropped.
    pub(super) fn drop_job(&self, state: &mut System, agent: Agent, piece: Piece) {
        let frame = state.party(agent).frames.pop().expect("it drops");
        let before = state.parties[usize::from(agent)].frames.len();
        self.drop_piece(state, agent, piece);
        for called in &mut state.party(agent).frames[before..] {
            called.under = frame.under;
        }
    }
}
