//! Pools: what is queued, claimed and dropped.

use stateright::semantics::SequentialSpec;

use super::super::{
    Answer, Op,
    program::{Agent, Kind, Piece, Program},
    state::{Frame, Script, System, Task},
};

impl Program {
    pub(super) fn run(&self, state: &mut System, agent: Agent, piece: Piece) {
        let Kind::Job(it, pool) = self.shape.kind(piece) else { unreachable!("pools run jobs") };
        state.pools[usize::from(pool)].queue.retain(|queued| *queued != piece);
        let cell = state.cell(it);
        if cell.spec.invoke(&Op::Start).answer != Answer::Done {
            cell.acknowledged = true;
            state.tasks[usize::from(piece)] = Task::Done;
            return;
        }
        cell.ran = true;
        state.notes.orphan |= state.notes.orphans.has(it);
        state.notes.began.push((piece, agent));
        state.tasks[usize::from(piece)] = Task::Running;
        state.party(agent).frames.push(Frame::new(Script::Piece(piece), true));
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
}
