//! Who can see a future, and what its promise is told when nobody can.

use stateright::semantics::SequentialSpec;

use super::super::{
    Answer, End, Op,
    own::Told,
    program::{Agent, Do, Future, Piece, Program},
    state::{Frame, Script, System},
};
use crate::machine::State;

impl Program {
    /// An operation about who can see a future.
    pub(super) fn of_handles(&self, state: &mut System, agent: Agent, what: Do) -> Told {
        match what {
            Do::FinishOrReturn(it) => return self.finish_or_return(state, agent, it),
            Do::IsClosed(it) => return Told::whether(self.ask_closed(state, it)),
            Do::OnClosed(it, piece) => self.listen(state, agent, it, piece),
            Do::Closed(it) => state.notes.closed.add(it),
            Do::Drop(it) => self.drop_handle(state, agent, it),
            Do::Upgrade(it) => {
                let upgraded = state.top(agent).is_some_and(|frame| frame.part > 0);
                if upgraded {
                    self.drop_handle(state, agent, it);
                }
                return Told::whether(upgraded);
            }
            _ => unreachable!("{what:?} is about something else"),
        }
        Told::YES
    }

    /// A handle goes. If it was the last, those who listen are called here.
    fn drop_handle(&self, state: &mut System, agent: Agent, it: Future) {
        let cell = state.cell(it);
        let mut told = cell.spec.invoke(&Op::Leave).told;
        cell.alone |= !cell.spec.state().is_settled() && !cell.spec.is_seen();
        if self.rules.callback_is_nobody && cell.spec.handles() == 0 {
            told.extend(cell.spec.take_listeners());
        }
        if !self.rules.last_handle_tells_nobody {
            self.call_listeners(state, agent, it, told);
        }
    }

    /// A future is settled: those who listen are to be called, if it is cancelled, or go, and what they hold with them.
    pub(super) fn end_listeners(
        &self,
        state: &mut System,
        agent: Agent,
        it: Future,
        listeners: Vec<Piece>,
    ) {
        if state.cells[usize::from(it)].cancelled {
            return self.call_listeners(state, agent, it, listeners);
        }
        let holds = |piece: &Piece| {
            let script = &self.shape.pieces[usize::from(*piece)].1;
            script.iter().any(|what| what.promise().is_some())
        };
        let goes = |piece| Frame::new(Script::Drop(piece), false);
        let gone = listeners.into_iter().filter(holds).rev().map(goes);
        state.party(agent).frames.extend(gone);
    }

    /// Those who listen are to be called in a thread, before it goes on.
    fn call_listeners(&self, state: &mut System, agent: Agent, it: Future, told: Vec<Piece>) {
        if self.rules.listeners_stay {
            state.cell(it).spec.listen_on(&told);
        }
        Self::owe(state, agent, told, None, None, false);
    }

    /// Whether a promise that asks is told that nobody is left.
    fn is_closed(&self, state: &System, it: Future) -> bool {
        let spec = state.future(it);
        if self.rules.callback_is_nobody {
            return spec.state() == State::Cancelled || spec.handles() == 0;
        }
        spec.clone().invoke(&Op::Closed).answer == Answer::Closed(true)
    }

    /// Whether a promise that waits for it is told so.
    pub(in crate::model) fn hears(&self, state: &System, it: Future) -> bool {
        let by_drop = !self.rules.last_handle_tells_nobody;
        self.is_closed(state, it) && (by_drop || state.future(it).state() == State::Cancelled)
    }

    fn ask_closed(&self, state: &mut System, it: Future) -> bool {
        let closed = self.is_closed(state, it);
        if closed {
            state.notes.closed.add(it);
        }
        closed
    }

    fn listen(&self, state: &mut System, agent: Agent, it: Future, piece: Piece) {
        state.notes.listening.push((it, piece));
        let told = state.cell(it).spec.invoke(&Op::Listen(piece)).told;
        Self::owe(state, agent, told, None, None, false);
    }

    /// A value that nobody can ever see comes back.
    fn finish_or_return(&self, state: &mut System, agent: Agent, it: Future) -> Told {
        let too_late = state.is_settled(it);
        let looked = state.top(agent).map_or(0, |frame| frame.part);
        let delivered = if self.rules.unseen_is_dropped || looked > 0 {
            self.apply(state, agent, it, Op::Settle(End::Value(agent)));
            !too_late && looked != 1
        } else {
            self.apply(state, agent, it, Op::Return(agent)) == Answer::Done
        };
        let cell = state.cell(it);
        cell.kept |= !too_late && delivered;
        cell.returned |= !too_late && !delivered;
        Told::whether(delivered)
    }

    /// Whether a weak handle becomes another: somebody sees the future, or something of it is still on its way.
    pub(in crate::model) fn may_upgrade(&self, state: &System, it: Future) -> bool {
        let cell = &state.cells[usize::from(it)];
        if !cell.spec.state().is_settled() {
            return cell.spec.is_seen() || self.rules.closed_is_upgraded;
        }
        let lent = |frame: &Frame| frame.script == Script::Return(it);
        let deferred = |frame: &Frame| frame.of == Some(it) && !frame.viewed;
        let promised = || !cell.acknowledged && self.is_owned(state, it);
        cell.spec.handles() > 0
            || state.frames().any(lent)
            || state.parties.iter().flat_map(|party| &party.deferred).any(deferred)
            || cell.cancelled && promised()
    }
}
