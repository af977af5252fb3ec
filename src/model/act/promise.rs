//! What the owner of a promise does, and those who hold its future.

use stateright::semantics::SequentialSpec;

use super::super::{
    Answer, End, Op, Ret, Spec,
    own::{Is, Told},
    program::{Agent, Do, Future, Kind, Piece, Program},
    state::{Entry, Held, Life, Script, Seen, System, Task},
};
use super::Outcome;
use crate::{Cancel, Refusal};

impl Program {
    /// Ends a script that has nothing left to do and nothing to settle.
    pub(super) fn leave(&self, state: &mut System, agent: Agent, depth: usize) {
        let frame = &state.parties[usize::from(agent)].frames[depth];
        let script = self.shape.script(agent, frame.script);
        if usize::from(frame.at) < script.len() || !frame.begun {
            return;
        }
        let settles = match frame.script {
            Script::Piece(piece) => self.shape.kind(piece) != Kind::Call,
            _ => false,
        };
        let holds = |what: &Do| what.promise().is_some_and(|it| !state.is_settled(it));
        if !settles && !script.iter().any(holds) {
            self.end(state, agent, Some(depth));
        }
    }

    /// A script is over, in the frame at `depth` or the topmost.
    pub(super) fn end(&self, state: &mut System, agent: Agent, depth: Option<usize>) {
        let top = state.parties[usize::from(agent)].frames.len() - 1;
        let depth = depth.unwrap_or(top);
        let frame = state.party(agent).frames.remove(depth);
        let script = self.shape.script(agent, frame.script);
        let held = self.held(state, script);
        let settles =
            matches!(frame.script, Script::Piece(piece) if self.shape.kind(piece) != Kind::Call);
        if let Some(it) = held.first()
            && usize::from(frame.at) == script.len()
            && (settles || held.len() > 1)
        {
            state.party(agent).frames.insert(depth, frame);
            self.apply(state, agent, *it, Op::Abandon);
            return;
        }
        state.release(agent, frame.script);
        self.forget(state, agent, frame.script, u8::MAX);
        match frame.script {
            Script::Stop(piece) => return self.settle_piece(state, agent, piece, Op::Stop),
            Script::Piece(piece) => {
                let last = script.get(usize::from(frame.at));
                let panics = matches!(last, Some(Do::Panics | Do::AwaitOf(..)));
                let end = if panics { End::Panicked } else { End::Value(agent) };
                self.settle_piece(state, agent, piece, Op::Settle(end));
            }
            _ => {}
        }
        self.drop_promises(state, agent, script);
        self.wake(state, agent);
    }

    /// A job or task settles its future.
    pub(super) fn settle_piece(&self, state: &mut System, agent: Agent, piece: Piece, op: Op) {
        state.tasks[usize::from(piece)] = Task::Done;
        if let Kind::Job(it, _) | Kind::Task(it, _) = self.shape.kind(piece) {
            self.wake_owners(state, agent, it);
            self.apply(state, agent, it, op);
            self.wake(state, agent);
        }
    }

    pub(super) fn drop_promises(&self, state: &mut System, agent: Agent, script: &[Do]) {
        for it in self.held(state, script) {
            self.apply(state, agent, it, Op::Abandon);
        }
    }

    /// The promises that go with a script, of futures that are not settled.
    fn held(&self, state: &System, script: &[Do]) -> Vec<Future> {
        if self.rules.dropped_promise_forgets {
            return Vec::new();
        }
        let mut held: Vec<Future> = script.iter().filter_map(|what| what.promise()).collect();
        held.dedup();
        held.retain(|it| !state.is_settled(*it) && self.holder(state, *it).is_none());
        held
    }

    /// A piece that will not run is dropped, and settles what it holds.
    pub(super) fn drop_piece(&self, state: &mut System, agent: Agent, piece: Piece) {
        self.settle_piece(state, agent, piece, Op::Abandon);
        self.drop_promises(state, agent, &self.shape.pieces[usize::from(piece)].1);
    }

    /// The promise of a future applies an operation.
    pub(super) fn apply(&self, state: &mut System, agent: Agent, it: Future, op: Op) -> Answer {
        let before = state.is_settled(it);
        let cell = state.cell(it);
        let listeners = cell.spec.listeners().to_vec();
        let Ret { answer, due, .. } = cell.spec.invoke(&op);
        let acknowledges = before && !std::mem::replace(&mut cell.acknowledged, true);
        if !before && state.is_settled(it) {
            self.settled(state, agent, it, [listeners, due], false);
        } else if acknowledges && self.rules.cancel_in_two_steps {
            self.tell(state, agent, it);
        }
        answer
    }

    /// Replaces the end of a future, as no rule that ships does.
    pub(super) fn replace(state: &mut System, it: Future, op: &Op) {
        let mut spec = Spec::new();
        let _ = spec.invoke(op);
        state.cell(it).spec = spec;
    }

    pub(super) fn acknowledge(&self, state: &mut System, agent: Agent, it: Future) {
        let before = std::mem::replace(&mut state.cell(it).acknowledged, true);
        if self.rules.cancel_in_two_steps && !before {
            self.tell(state, agent, it);
        }
    }

    pub(super) fn start(&self, state: &mut System, agent: Agent, it: Future) -> Outcome {
        let looked = state.top(agent).is_some_and(|frame| frame.part > 0);
        if looked && state.is_settled(it) {
            // What it saw is true no longer.
            Self::replace(state, it, &Op::Start);
        } else if state.cell(it).spec.invoke(&Op::Start).answer != Answer::Done {
            self.acknowledge(state, agent, it);
            return Outcome::Ends;
        }
        state.cell(it).ran = true;
        Outcome::Returned(Told::YES)
    }

    pub(super) fn set(&self, state: &mut System, agent: Agent, it: Future, end: End) {
        let looked = state.top(agent).is_some_and(|frame| frame.part > 0);
        let finished = state.cells[usize::from(it)].spec.state() == crate::machine::State::Finished;
        if state.is_settled(it) && looked || finished && self.rules.set_twice {
            Self::replace(state, it, &Op::Settle(end));
        } else {
            self.apply(state, agent, it, Op::Settle(end));
        }
    }

    /// A user asks to cancel a future.
    pub(super) fn ask(&self, state: &mut System, agent: Agent, it: Future, viewed: bool) -> Told {
        state.cell(it).asked = true;
        self.cancel(state, agent, it, viewed)
    }

    pub(super) fn cancel(
        &self,
        state: &mut System,
        agent: Agent,
        it: Future,
        viewed: bool,
    ) -> Told {
        let owner = self.shape.piece_of(it).map(|piece| (piece, self.shape.kind(piece)));
        let cell = state.cell(it);
        let before = cell.spec.invoke(&Op::Requested).answer;
        let ret = cell.spec.invoke(&Op::Cancel);
        let Answer::Cancel(answer) = ret.answer else { unreachable!("it was a cancel") };
        let mut told = Told::cancel(answer);
        match answer {
            Cancel::Now => {
                cell.cancelled = true;
                self.settled(state, agent, it, [ret.told, ret.due], viewed);
            }
            Cancel::Already if self.rules.second_cancel_refused => {
                cell.refused = true;
                told = Told::Answer(Is::Refused);
            }
            Cancel::Already => state.party(agent).knows.add(it),
            Cancel::Refused(Refusal::Running) if self.rules.cancel_running => {
                cell.cancelled = true;
                let due = cell.spec.invoke(&Op::Abandon).due;
                Self::replace(state, it, &Op::Cancel);
                self.settled(state, agent, it, [Vec::new(), due], viewed);
                told = Told::cancel(Cancel::Now);
            }
            Cancel::Refused(_) => cell.refused = true,
            Cancel::Requested => {}
        }
        if let Some((piece, Kind::Task(_, on))) = owner {
            let is_live = matches!(
                state.tasks[usize::from(piece)],
                Task::Sent | Task::Live(_) | Task::Running
            );
            // The first who asks wakes it.
            let first = before == Answer::Requested(false)
                && matches!(answer, Cancel::Requested | Cancel::Now);
            if first && is_live && state.parties[usize::from(on)].life != Life::Over {
                self.notify(state, agent, vec![Script::Post(on, Entry::Step(piece))], None);
            }
        }
        told
    }

    pub(super) fn look(&self, state: &mut System, agent: Agent, it: Future) {
        if let Some(end) = state.future(it).end() {
            state.cell(it).seen.add(Seen::of(end) as u8);
            state.party(agent).knows.add(it);
        }
    }

    /// A wait has come to an end, or is refused.
    pub(super) fn result(&self, state: &mut System, agent: Agent, it: Future) {
        if !state.is_settled(it) {
            state.notes.refused_wait = true;
        }
        self.look(state, agent, it);
    }

    pub(super) fn add(&self, state: &mut System, agent: Agent, it: Future, piece: Piece) {
        let is_second = state.top(agent).is_some_and(|frame| frame.part > 0);
        let due = if is_second && self.rules.stored_before_looked {
            // It was stored in the first step, and whoever has settled calls it too.
            if state.is_settled(it) { vec![piece] } else { Vec::new() }
        } else {
            state.notes.added.push((it, piece));
            if is_second && state.is_settled(it) {
                // It stores the callback, and nobody takes it any more.
                return;
            }
            state.cell(it).spec.invoke(&Op::Register(piece)).due
        };
        let under = self.rules.callbacks_under_lock.then_some(Held::Future(it));
        self.call_back(state, agent, due, it, under, false);
    }
}
