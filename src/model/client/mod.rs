//! Clients that call anything at any time.

mod awake;

use stateright::{Model, Property};

use super::{
    program::{Agent, Do, Future, Kind, Piece, Program, Role},
    property::{self, Judge, NEEDLESS},
    state::{Entry, Frame, Life, Script, Set, System, Task, Waiting},
    step::{Does, Step},
};
use crate::machine::State;

/// A program whose scripts are menus: whoever is in one performs any of its operations, in any order and as often as
/// it likes, and leaves whenever it likes. A loop that runs nothing may begin a turn of its script again at any
/// time, as if somebody had posted it. Only what has an identity is done once: a callback is registered, a job posted
/// or submitted and a task made once for each piece, and a promise begins and delivers once.
///
/// Nobody has to do anything, so that a client never counts on another: *nobody waits for ever* says that if
/// the library has nothing left to do, whoever sleeps does so for something unsettled that somebody who does not
/// sleep may settle, and no loop sleeps over what it has accepted. What is said of the end of a program is said of
/// every state in which nobody is in the middle of anything.
#[derive(Clone, Debug)]
pub struct Client {
    program: Program,
    /// The first of the pieces that are all alike.
    others: Piece,
}

/// What one who takes part does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// A step of what it is in.
    Goes(Step),
    /// It calls the operation at this place of its menu, which takes its first step.
    Calls(u8, Step),
    /// It calls the operation at this place, and waits.
    Waits(u8, Agent),
    /// A loop begins a turn.
    Turns(Agent),
}

/// What stands before and after a menu. It is never performed.
const CHOOSES: Do = Do::Panics;

impl Client {
    /// Makes a client of a program, whose scripts are taken as menus.
    #[must_use]
    pub fn new(mut program: Program) -> Self {
        let shape = &mut program.shape;
        let members = shape.members.iter_mut().map(|member| &mut member.script);
        for script in members.chain(shape.pieces.iter_mut().map(|(_, script)| script)) {
            if !script.is_empty() {
                script.insert(0, CHOOSES);
                script.push(CHOOSES);
            }
        }
        let others = program.shape.pieces.len() as Piece;
        Self { program, others }
    }

    /// Takes the callbacks and posted jobs from this one on, which do nothing, as alike. One that has run, or never
    /// will, is forgotten, and may be registered or posted again: how many there are is how many are on their way at
    /// once.
    ///
    /// # Panics
    ///
    /// If one of them does something.
    #[must_use]
    pub fn alike(self, others: Piece) -> Self {
        let does_nothing =
            |(kind, script): &(Kind, Vec<Do>)| *kind == Kind::Call && script.is_empty();
        let all = &self.program.shape.pieces[usize::from(others)..];
        assert!(all.iter().all(does_nothing), "what is forgotten does nothing");
        Self { others, ..self }
    }

    /// The same under other rules.
    #[must_use]
    pub fn under(self, rules: super::Rules) -> Self {
        Self { program: self.program.under(rules), ..self }
    }

    /// Returns whether the property with this name says something of a state: its reachability twin.
    #[must_use]
    pub fn speaks(&self, property: &property::Always, state: &System) -> bool {
        property.says(self, state)
    }

    fn menu(&self, agent: Agent, frame: &Frame) -> &[Do] {
        self.program.shape.script(agent, frame.script)
    }

    /// Whether an agent is between two operations of this script.
    fn chooses(&self, agent: Agent, frame: &Frame) -> bool {
        frame.begun && frame.at == 0 && self.menu(agent, frame).first() == Some(&CHOOSES)
    }

    fn is_free(&self, state: &System, agent: Agent) -> bool {
        state.top(agent).is_none_or(|frame| self.chooses(agent, frame))
    }

    /// What the library, or an operation that goes on, does next in an agent.
    fn goes(&self, state: &System, agent: Agent) -> Option<Does> {
        match state.top(agent) {
            Some(frame) if self.chooses(agent, frame) => None,
            _ => self.program.choice(state, agent),
        }
    }

    fn moves(&self, state: &System, agent: Agent, moves: &mut Vec<Move>) {
        moves.extend(self.goes(state, agent).map(|does| Move::Goes(Step { agent, does })));
        let own = &self.program.shape.members[usize::from(agent)];
        let Some(frame) = state.top(agent) else {
            let party = &state.parties[usize::from(agent)];
            if own.role == Role::Loop && !own.script.is_empty() && party.life == Life::Open {
                moves.push(Move::Turns(agent));
            }
            return;
        };
        if !self.chooses(agent, frame) {
            return;
        }
        let menu = self.menu(agent, frame);
        let last = menu.len() - 1;
        let mut other = None;
        for (at, what) in menu.iter().enumerate().take(last).skip(1) {
            if self.offers(state, agent, *what) && !self.is_like(&mut other, *what) {
                let at = at as u8;
                let mut calls = state.clone();
                put(&mut calls, agent, at);
                moves.push(match self.program.choice(&calls, agent) {
                    None | Some(Does::Expire(_)) => Move::Waits(at, agent),
                    Some(does) => Move::Calls(at, Step { agent, does }),
                });
            }
        }
        // A thread that does nothing any more is one that chooses, for ever.
        if own.role != Role::Thread || frame.script != Script::Own {
            moves.push(Move::Calls(menu.len() as u8, Step { agent, does: Does::End }));
        }
    }

    /// Whether this gives away another of the pieces that are alike, as an operation before it would.
    fn is_like(&self, other: &mut Option<(std::mem::Discriminant<Do>, u8)>, what: Do) -> bool {
        match what {
            Do::Add(to, piece) | Do::LoopAdd(to, piece) | Do::Post(to, piece)
                if piece >= self.others =>
            {
                let this = Some((std::mem::discriminant(&what), to));
                std::mem::replace(other, this) == this
            }
            _ => false,
        }
    }

    /// Forgets those that are alike and have run, or never will.
    fn forget(&self, state: &mut System) {
        for piece in self.others..self.program.shape.pieces.len() as Piece {
            let is_over = state.tasks[usize::from(piece)] == Task::Done
                || state.notes.removed.has(piece)
                || state.notes.refused.has(piece);
            let is_due = state.frames().any(|frame| frame.script == Script::Piece(piece));
            if is_over && !is_due {
                state.tasks[usize::from(piece)] = Task::Unborn;
                state.notes.forget(|it| it == piece);
            }
        }
    }

    /// Whether an operation can be called now.
    fn offers(&self, state: &System, agent: Agent, what: Do) -> bool {
        let notes = &state.notes;
        let cell = |it: Future| &state.cells[usize::from(it)];
        let is_new = |piece: Piece| {
            state.tasks[usize::from(piece)] == Task::Unborn
                && !notes.refused.has(piece)
                && !notes.accepted.has(piece)
        };
        match what {
            Do::Start(it) => cell(it).spec.state() == State::Pending,
            _ if what.promise().is_some() => what.promise().is_some_and(|it| {
                !state.is_settled(it) || cell(it).cancelled && !cell(it).acknowledged
            }),
            Do::Add(_, piece) | Do::LoopAdd(_, piece) => {
                !notes.added.iter().any(|(_, it)| *it == piece)
                    && !notes.viewed.iter().any(|(.., it)| *it == piece)
            }
            Do::LoopRemove(_, piece) => notes.viewed.iter().any(|(.., it)| *it == piece),
            Do::Post(_, piece) | Do::Spawn(piece) | Do::Submit(piece) => is_new(piece),
            Do::Stop | Do::Close => state.parties[usize::from(agent)].life == Life::Open,
            Do::ClosePool => !state.pools[0].over,
            Do::CancelPending => !state.pools[0].queue.is_empty(),
            _ => true,
        }
    }
}

impl System {
    /// Returns what there is to see but for the pieces from this one on: they are left out of every list and set.
    #[must_use]
    #[doc(hidden)]
    pub fn without(&self, first: Piece) -> Self {
        let lies = |entry: Entry| match entry {
            Entry::Job(it) | Entry::Call(it) | Entry::Step(it) => it < first,
            Entry::Deliver(_) | Entry::Copy(_) => true,
        };
        let is_kept = |script: Script| match script {
            Script::Piece(it) | Script::Stop(it) | Script::Wake(it) | Script::Drop(it) => {
                it < first
            }
            Script::Post(_, entry) => lies(entry),
            Script::Own | Script::Tell(..) | Script::Return(_) => true,
        };
        let mut state = self.clone();
        state.cells.iter_mut().for_each(|cell| cell.spec.retain(|it| it < first));
        for party in &mut state.parties {
            party.frames.retain(|frame| is_kept(frame.script));
            party.deferred.retain(|frame| is_kept(frame.script));
            party.queue.retain(|entry| lies(*entry));
            for view in party.views.iter_mut() {
                view.waiting.retain(|(Waiting::Call(it) | Waiting::Task(it))| *it < first);
            }
        }
        state.tasks.truncate(usize::from(first));
        state.notes.forget(|it| it >= first);
        state
    }
}

/// Puts the innermost script of an agent at a place.
fn put(state: &mut System, agent: Agent, at: u8) {
    state.party(agent).frames.last_mut().expect("it calls").at = at;
}

impl Client {
    /// Takes a step; who has come to the end of an operation chooses again.
    fn step(&self, state: &mut System, step: Step) {
        let frames = &state.parties[usize::from(step.agent)].frames;
        let acts = frames.iter().rposition(|frame| frame.begun);
        let acts = acts.map(|depth| (depth, frames[depth].script, frames[depth].at));
        self.program.go(state, step);
        if let Some((depth, script, at)) = acts
            && let Some(frame) = state.party(step.agent).frames.get_mut(depth)
            && frame.script == script
            && frame.at == at + 1
        {
            frame.at = 0;
        }
        self.forget(state);
    }
}

impl Model for Client {
    type State = System;
    type Action = Move;

    fn init_states(&self) -> Vec<System> {
        vec![self.program.begin()]
    }

    fn actions(&self, state: &System, moves: &mut Vec<Move>) {
        (0..self.program.agents()).for_each(|agent| self.moves(state, agent, moves));
    }

    fn next_state(&self, state: &System, it: Move) -> Option<System> {
        let mut next = state.clone();
        match it {
            Move::Goes(step) => self.step(&mut next, step),
            Move::Calls(at, step) => {
                put(&mut next, step.agent, at);
                self.step(&mut next, step);
            }
            Move::Waits(at, agent) => put(&mut next, agent, at),
            Move::Turns(agent) => {
                let party = next.party(agent);
                party.unsettled = Set::default();
                party.frames.push(Frame { viewed: true, ..Frame::new(Script::Own, true) });
            }
        }
        next.remember();
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        // Whether a wait could have ended is judged in programs with an end.
        let mut all = property::all::<Self>();
        all.retain(|it| it.name != NEEDLESS);
        all.push(Property::sometimes("all are at rest", Self::ended));
        all
    }
}

impl super::check::Kinds for Client {
    fn kind(it: &Move) -> &'static str {
        match it {
            Move::Goes(step) | Move::Calls(_, step) => Program::kind(step),
            Move::Waits(..) => "wait",
            Move::Turns(_) => "turn",
        }
    }

    fn by(&self, it: &Move) -> usize {
        match it {
            Move::Goes(step) | Move::Calls(_, step) => self.program.by(step),
            Move::Waits(_, agent) | Move::Turns(agent) => usize::from(*agent),
        }
    }
}
