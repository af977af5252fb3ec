//! What a property can see.

use std::fmt;

use crate::model::{
    program::{Agent, Future, Kind, Piece, Program},
    shape::Shape,
    state::{Cell, Life, Script, Seen, Set, System},
};

/// What a property is given.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) shape: &'a Shape,
    pub(super) state: &'a System,
    pub(super) judge: &'a dyn Judge,
}

/// What can be said of a state only by those who know how to go on from it.
pub(in crate::model) trait Judge {
    /// What is done.
    fn shape(&self) -> &Shape;
    /// Everything has ended properly.
    fn ended(&self, state: &System) -> bool;
    /// Nobody can take a step but the clock, if that can, without having ended, and no circle of waits that the
    /// program wrote is why.
    fn stuck(&self, state: &System, expires: bool) -> bool;
    /// Somebody is in a wait that may expire.
    fn may_expire(&self, state: &System) -> bool;
    /// There is one who will settle a future: a promise, a job or a task.
    fn owns(&self, state: &System, it: Future) -> bool;
}

impl Judge for Program {
    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn ended(&self, state: &System) -> bool {
        self.ended(state)
    }

    fn stuck(&self, state: &System, expires: bool) -> bool {
        self.stuck(state)
            && self.may_expire(state) == expires
            && !self.ended(state)
            && !self.wrote_a_cycle(state)
    }

    fn may_expire(&self, state: &System) -> bool {
        self.may_expire(state)
    }

    fn owns(&self, state: &System, it: Future) -> bool {
        self.is_owned(state, it)
    }
}

impl fmt::Debug for Sight<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state.fmt(f)
    }
}

impl<'a> Sight<'a> {
    /// Whether a frame's script is a piece of some kind.
    pub(super) fn is(self, script: Script, kind: fn(Kind) -> bool) -> bool {
        matches!(script, Script::Piece(piece) if kind(self.shape.kind(piece)))
    }

    pub(super) fn began(self, piece: Piece) -> bool {
        self.state.times(piece) > 0
    }

    /// The callbacks that were registered, with either view.
    pub(super) fn registered(self) -> impl Iterator<Item = Piece> + 'a {
        let notes = &self.state.notes;
        let added = notes.added.iter().map(|(_, piece)| *piece);
        added.chain(notes.viewed.iter().map(|(_, _, piece)| *piece))
    }

    /// The jobs that a loop took.
    pub(super) fn accepted(self) -> impl Iterator<Item = Piece> + 'a {
        let calls = (0..).zip(&self.shape.pieces).filter(|(_, (kind, _))| *kind == Kind::Call);
        calls.map(|(piece, _)| piece).filter(move |piece| self.state.notes.accepted.has(*piece))
    }

    pub(super) fn runs_viewed(self) -> bool {
        self.state.frames().any(|frame| frame.begun && frame.viewed)
    }

    pub(super) fn runs_task(self) -> bool {
        let task = |script| self.is(script, |kind| matches!(kind, Kind::Task(..)));
        self.state.frames().any(|frame| frame.begun && task(frame.script))
    }

    pub(super) fn misses_none(self) -> bool {
        let notes = &self.state.notes;
        let settled = |future: Future| self.state.is_settled(future);
        let called = |piece: Piece| {
            self.state.times(piece) > 0 || notes.dropped.has(piece) || notes.removed.has(piece)
        };
        !self.judge.ended(self.state)
            || notes.added.iter().all(|(future, piece)| called(*piece) || !settled(*future))
                && notes.viewed.iter().all(|(_, future, piece)| called(*piece) || !settled(*future))
    }

    pub(super) fn keeps_order(self) -> bool {
        let notes = &self.state.notes;
        let began = |piece: Piece| notes.began.iter().position(|(it, _)| *it == piece);
        let mut pairs = notes.viewed.iter().enumerate().flat_map(|(at, first)| {
            notes.viewed[at + 1..].iter().map(move |second| (first, second))
        });
        pairs.all(|((home, future, first), (home_2, future_2, second))| {
            let same = home == home_2 && future == future_2;
            let gone = notes.removed.has(*first) || notes.dropped.has(*first);
            !same
                || gone
                || match (began(*first), began(*second)) {
                    (Some(first), Some(second)) => first < second,
                    (None, Some(_)) => false,
                    (_, None) => true,
                }
        })
    }

    pub(super) fn keeps_deferred_order(self) -> bool {
        let notes = &self.state.notes;
        let began = |piece: Piece| notes.began.iter().position(|(it, _)| *it == piece);
        notes.deferred.iter().enumerate().all(|(at, (agent, first))| {
            let mut later = notes.deferred[at + 1..].iter().filter(|(by, _)| by == agent);
            later.all(|(_, second)| match (began(*first), began(*second)) {
                (Some(first), Some(second)) => first < second,
                (None, Some(_)) => false,
                (_, None) => true,
            })
        })
    }

    /// The loop that a piece belongs to, if it was given to one.
    fn home(self, piece: Piece) -> Option<Agent> {
        let viewed = &self.state.notes.viewed;
        viewed.iter().find(|(_, _, it)| *it == piece).map(|(home, _, _)| *home)
    }

    pub(super) fn keeps_threads(self) -> bool {
        let began = &self.state.notes.began;
        began.iter().all(|(piece, on)| self.home(*piece).is_none_or(|home| home == *on))
    }

    pub(super) fn one_at_a_time(self) -> bool {
        let runs = |home: Agent, agent: Agent| {
            let party = &self.state.parties[usize::from(agent)];
            party.frames.iter().any(|frame| {
                let of_home = match frame.script {
                    Script::Own => agent == home,
                    Script::Piece(piece) => self.home(piece) == Some(home),
                    _ => false,
                };
                frame.begun && of_home
            })
        };
        let agents = self.state.parties.len() as Agent;
        (0..agents)
            .filter(|home| self.shape.is_loop(*home))
            .all(|home| (0..agents).filter(|agent| runs(home, *agent)).count() <= 1)
    }

    pub(super) fn nests_none(self) -> bool {
        let closes = |agent: usize| self.state.parties[agent].life == Life::Closing;
        self.state.parties.iter().enumerate().all(|(agent, party)| {
            let mut begun = party.frames.iter().filter(|frame| frame.begun);
            let outer = begun.next();
            // A close runs what is left inside itself.
            closes(agent) || outer.is_none() || !begun.any(|frame| frame.viewed)
        })
    }

    pub(super) fn interrupts_no_task(self) -> bool {
        let is_task = |script| self.is(script, |kind| matches!(kind, Kind::Task(..)));
        self.state.parties.iter().filter(|party| party.life != Life::Closing).all(|party| {
            let begun = party.frames.iter().filter(|frame| frame.begun);
            let mut after = begun.skip_while(|frame| !is_task(frame.script)).skip(1);
            !after.any(|frame| frame.viewed)
        })
    }

    pub(super) fn agrees(self) -> bool {
        self.state.cells.iter().all(|cell| {
            cell.spec.end().map_or(cell.seen.is_empty(), |end| {
                cell.seen.iter().all(|it| it == Seen::of(end) as u8)
            })
        })
    }

    /// Whether two ends of one future were read.
    pub(super) fn contradicts(self) -> bool {
        self.state.cells.iter().any(|cell| cell.seen.iter().count() > 1)
    }

    /// That nothing is left of what a settled task owned, and of what that owned, but for those that own it in their
    /// turn. No coroutine is left of these: each has been stopped, or it would not have been noted.
    pub(super) fn outlives_what_it_owned(self) -> bool {
        let settled = self.state.notes.owned.iter().filter(|(own, _)| self.state.is_settled(*own));
        settled.copied().all(|(own, _)| {
            let left = |it: &Future| !self.state.is_settled(*it);
            self.owned_by(own).iter().filter(left).all(|other| self.owned_by(other).has(own))
        })
    }

    /// The futures of the tasks that a stopped task owned, those that they owned, and so on.
    fn owned_by(self, own: Future) -> Set {
        let mut found = Set::default();
        found.add(own);
        loop {
            let before = found;
            for (owner, other) in &self.state.notes.owned {
                if before.has(*owner) {
                    found.add(*other);
                }
            }
            if found == before {
                return found;
            }
        }
    }

    /// Whether nobody sees a future and nobody will, or it is cancelled.
    pub(super) fn is_left_alone(self, it: Future) -> bool {
        let cell = &self.state.cells[usize::from(it)];
        cell.cancelled || !cell.spec.is_seen()
    }

    /// Those who listen.
    pub(super) fn listened(self) -> impl Iterator<Item = Piece> + 'a {
        self.state.notes.listening.iter().map(|(_, piece)| *piece)
    }

    pub(super) fn hears_when_nobody_is_left(self) -> bool {
        let was_so = |it: Future| {
            let cell = &self.state.cells[usize::from(it)];
            cell.alone || cell.cancelled
        };
        let mut listening = self.state.notes.listening.iter();
        !self.judge.ended(self.state)
            || listening.all(|(it, piece)| self.began(*piece) || !was_so(*it))
    }

    pub(super) fn returns_what_nobody_sees(self) -> bool {
        let is_lost = |cell: &Cell| cell.kept && cell.alone;
        let is_shared =
            |cell: &Cell| cell.returned && (cell.spec.handles() > 0 || !cell.seen.is_empty());
        !self.state.cells.iter().any(|cell| is_lost(cell) || is_shared(cell))
    }

    pub(super) fn all_have_owners(self) -> bool {
        (0..self.state.cells.len() as Future).all(|it| {
            // One that nothing in the program can settle belongs to somebody outside of it.
            !self.shape.settled.has(it)
                || self.state.is_settled(it)
                || self.judge.owns(self.state, it)
        })
    }
}
