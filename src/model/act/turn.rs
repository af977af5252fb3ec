//! What a loop does in its turns, and what is done to its views.

use stateright::semantics::SequentialSpec;

use super::super::{
    Answer, End, Op,
    own::Told,
    program::{Agent, Future, Piece, Program},
    state::{Entry, Frame, Life, Script, Seen, Set, System, Task, Waiting},
};
use crate::Cancel;

impl Program {
    /// A loop takes an entry of its queue.
    pub(super) fn take(&self, state: &mut System, agent: Agent, entry: Entry) {
        state.party(agent).queue.remove(0);
        state.party(agent).unsettled = Set::default();
        match entry {
            Entry::Job(piece) | Entry::Call(piece) => {
                Self::owe(state, agent, vec![piece], None, None, true);
            }
            Entry::Deliver(it) => self.deliver(state, agent, agent, it),
            Entry::Step(piece) => self.step_task(state, agent, piece),
            Entry::Copy(it) => self.copy(state, agent, it),
        }
    }

    /// What was settled is copied to the other cell, in the direction that is due.
    pub(super) fn copy(&self, state: &mut System, agent: Agent, it: Future) {
        let end = state.cell(it).spec.invoke(&Op::Read).answer;
        let copy = &mut state.party(agent).views[usize::from(it)].copy;
        match (end, copy.state().is_settled()) {
            (Answer::Read(Some(end)), false) => {
                let op = match end {
                    End::Cancelled(_) => Op::Cancel,
                    end => Op::Settle(end),
                };
                let _ = copy.invoke(&op);
                self.deliver(state, agent, agent, it);
            }
            (Answer::Read(None), true) => {
                self.cancel(state, agent, it, false);
            }
            _ => {}
        }
    }

    pub(super) fn close(&self, state: &mut System, agent: Agent) {
        state.party(agent).life = Life::Closing;
        if self.rules.close_forgets_tasks {
            state.party(agent).queue.retain(|entry| !matches!(entry, Entry::Step(_)));
            return;
        }
        // Every coroutine is dropped, then every task settled, and then comes what was queued. Programs make their
        // tasks in the order of their numbers.
        let mut settles = self.owned_first(state, agent);
        if self.rules.close_ends_owners_first {
            settles.sort_unstable();
        }
        let settles: Vec<Entry> = settles.into_iter().map(Entry::Step).collect();
        let exists = |piece: &Piece| {
            let task = state.tasks[usize::from(*piece)];
            settles.contains(&Entry::Step(*piece)) && !matches!(task, Task::Stopping(_))
        };
        let pieces = 0..self.shape.pieces.len() as Piece;
        let drops: Vec<Entry> = pieces.filter(exists).map(Entry::Step).collect();
        let queue = &mut state.parties[usize::from(agent)].queue;
        queue.retain(|entry| !settles.contains(entry));
        queue.insert_many(0, drops.into_iter().chain(settles));
    }

    pub(super) fn sweep(&self, state: &mut System, agent: Agent) {
        state.party(agent).life = Life::Over;
        for it in 0..self.shape.futures {
            for waiting in std::mem::take(&mut state.party(agent).views[usize::from(it)].waiting) {
                if let Waiting::Call(piece) = waiting {
                    state.notes.dropped.add(piece);
                    self.drop_piece(state, agent, piece);
                }
            }
        }
    }

    /// Notes that code of a loop is told that a future is not settled.
    pub(super) fn note_unsettled(state: &mut System, agent: Agent, it: Future) {
        if state.parties[usize::from(agent)].life == Life::Over && state.is_settled(it) {
            state.notes.stale = true;
        }
    }

    pub(super) fn look_on_loop(&self, state: &mut System, agent: Agent, it: Future) {
        if !self.sees(state, agent, it) {
            Self::note_unsettled(state, agent, it);
            state.party(agent).unsettled.add(it);
            return;
        }
        let party = &state.parties[usize::from(agent)];
        if party.unsettled.has(it) {
            state.notes.flipped = true;
        }
        let copy = &party.views[usize::from(it)].copy;
        let from = if self.rules.views_are_copies { copy } else { state.future(it) };
        if let Some(end) = from.end() {
            state.cell(it).seen.add(Seen::of(end) as u8);
        }
        state.party(agent).knows.add(it);
    }

    pub(super) fn cancel_copy(&self, state: &mut System, agent: Agent, it: Future) -> Told {
        state.cell(it).asked = true;
        let copy = &mut state.party(agent).views[usize::from(it)].copy;
        let Answer::Cancel(answer) = copy.invoke(&Op::Cancel).answer else {
            unreachable!("it was a cancel")
        };
        if answer == Cancel::Now {
            self.push(state, agent, agent, Entry::Deliver(it));
            self.push(state, agent, agent, Entry::Copy(it));
        }
        Told::cancel(answer)
    }

    pub(super) fn add_on_loop(&self, state: &mut System, agent: Agent, it: Future, piece: Piece) {
        state.notes.viewed.push((agent, it, piece));
        let sees = self.sees(state, agent, it);
        let party = state.party(agent);
        if party.life == Life::Over {
            state.notes.dropped.add(piece);
            self.drop_piece(state, agent, piece);
        } else if sees && self.rules.late_callbacks_inline {
            Self::owe(state, agent, vec![piece], Some(it), None, true);
        } else {
            party.views[usize::from(it)].waiting.push(Waiting::Call(piece));
            // While the loop closes nothing new is scheduled.
            if sees && party.life != Life::Closing {
                self.push(state, agent, agent, Entry::Deliver(it));
            }
        }
    }

    pub(super) fn remove(&self, state: &mut System, agent: Agent, it: Future, piece: Piece) {
        let party = state.party(agent);
        let waiting = &mut party.views[usize::from(it)].waiting;
        let before = waiting.len();
        waiting.retain(|it| *it != Waiting::Call(piece));
        let mut found = waiting.len() < before;
        let due = |frame: &Frame| frame.script == Script::Piece(piece) && !frame.begun;
        if party.frames.iter().any(due) {
            found = true;
            if !self.rules.removal_overlooks_due {
                party.frames.retain(|frame| !due(frame));
            }
        }
        if found {
            state.notes.removed.add(piece);
        }
    }

    pub(super) fn post(&self, state: &mut System, agent: Agent, home: Agent, piece: Piece) {
        let life = state.parties[usize::from(home)].life;
        if !matches!(life, Life::Closing | Life::Over) {
            state.notes.accepted.add(piece);
            self.push(state, agent, home, Entry::Job(piece));
        } else {
            if self.rules.closed_loop_swallows {
                state.notes.accepted.add(piece);
            } else {
                state.notes.refused.add(piece);
            }
            self.drop_piece(state, agent, piece);
        }
    }
}
