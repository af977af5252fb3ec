//! Whether a program is one that can be stepped, and that somebody could write.

use super::{
    Is, Misuse,
    program::{Agent, Do, Future, Kind, Piece, Program, Role},
    state::Script,
};

type Result = std::result::Result<(), Misuse>;

/// How many futures and parties, how many pieces, and how many operations in a script a model keeps.
const FEW: usize = 8;
const PIECES: usize = 16;
const LONG: usize = 250;

/// Where a script runs.
#[derive(Clone, Copy)]
enum Place {
    Member(Agent),
    Piece(Piece),
}

impl Program {
    /// Whether the model can step this program, and mistakes nothing in it for something else.
    pub(super) fn fits(&self) -> Result {
        let shape = &self.shape;
        let (parties, pieces) = (shape.members.len(), shape.pieces.len());
        let counts = [
            ("futures", shape.names.futures.len().max(shape.futures.into()), FEW),
            ("threads, loops and workers", parties, FEW),
            ("callbacks, posted jobs, pool jobs and tasks", pieces, PIECES),
        ];
        for (what, found, most) in counts {
            if found > most {
                return Err(Misuse::TooMany { what, found, most });
            }
        }
        if let Some(channel) = shape.channels.iter().position(|holds| *holds == 0) {
            return Err(Misuse::NoRoom { channel });
        }
        for (variable, is) in &shape.finally {
            self.fits_here("the end", None, Do::Assert(*variable, *is))?;
        }
        for (place, script) in self.scripts() {
            let name = self.name_of(place);
            if script.len() > LONG {
                return Err(Misuse::TooLong { script: name, found: script.len(), most: LONG });
            }
            if matches!(script.first(), Some(Do::Unless(..) | Do::Skip(_))) {
                return Err(Misuse::NoAnswer { script: name });
            }
            for what in script {
                self.fits_here(&name, Some(place), *what)?;
            }
        }
        for (piece, (kind, _)) in (0..).zip(&shape.pieces) {
            let found = match *kind {
                Kind::Call => Ok(()),
                Kind::Job(_, pool) => {
                    self.has(Role::Worker(pool)).then_some(()).ok_or("a worker of its pool")
                }
                Kind::Task(_, on) => self.is_a_loop(on).then_some(()).ok_or("an event loop"),
            };
            let piece = || self.name_of(Place::Piece(piece));
            found.map_err(|what| Misuse::Nowhere { piece: piece(), what })?;
        }
        Ok(())
    }

    /// Returns whether somebody could write this program with the types of the library.
    ///
    /// # Errors
    ///
    /// The first thing in it that nobody could.
    pub fn validate(&self) -> Result {
        self.fits()?;
        if self.shape.members.iter().all(|member| member.script.is_empty()) {
            return Err(Misuse::Idle);
        }
        (0..self.shape.futures).try_for_each(|it| self.has_one_promise(it))?;
        let all: Vec<Do> = self.shape.all().collect();
        for piece in 0..self.shape.pieces.len() as Piece {
            let times = all.iter().filter(|what| given(**what) == Some(piece)).count();
            if times > 1 {
                return Err(Misuse::GivenTwice { piece: self.name_of(Place::Piece(piece)), times });
            }
        }
        for (place, script) in self.scripts() {
            let script_name = || self.name_of(place);
            if let Some((it, what)) = uses_what_it_dropped(script) {
                let (future, operation) =
                    (self.shape.names.future(it), self.shape.names.call(what));
                return Err(Misuse::Dropped { script: script_name(), operation, future });
            }
            for (at, what) in script.iter().enumerate() {
                let locks = |lock| script[..at].contains(&Do::Lock(lock));
                match what {
                    Do::Unlock(lock) if !locks(*lock) => {
                        let (script, lock) = (script_name(), self.shape.names.lock(*lock));
                        return Err(Misuse::NotLocked { script, lock });
                    }
                    _ if is_of_loop(*what) && self.runs_anywhere(place) => {
                        return Err(self.unfit(
                            &script_name(),
                            *what,
                            "the thread of an event loop",
                        ));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn has_one_promise(&self, it: Future) -> Result {
        let settles = |place: Place, script: &[Do]| {
            let kind = match place {
                Place::Piece(piece) => self.shape.kind(piece),
                Place::Member(_) => Kind::Call,
            };
            matches!(kind, Kind::Job(of, _) | Kind::Task(of, _) if of == it)
                || script.iter().any(|what| what.promise() == Some(it))
        };
        let mut who = self.scripts().filter(|(place, script)| settles(*place, script));
        match (who.next(), who.next()) {
            (Some((first, _)), Some((second, _))) => {
                let future = self.shape.names.future(it);
                Err(Misuse::SharedPromise {
                    future,
                    first: self.name_of(first),
                    second: self.name_of(second),
                })
            }
            _ => Ok(()),
        }
    }

    /// Whether all that an operation names is there, and it can be done in this place.
    fn fits_here(&self, script: &str, place: Option<Place>, what: Do) -> Result {
        let shape = &self.shape;
        let unknown = |missing| {
            let (script, operation) = (script.to_owned(), shape.names.call(what));
            Err(Misuse::Unknown { script, operation, what: missing })
        };
        let variable = match what {
            Do::Load(it) | Do::Store(it, _) | Do::Change(it, _) | Do::Assert(it, _) => Some(it),
            _ => None,
        };
        let channel = match what {
            Do::Send(it, _) | Do::Recv(it) | Do::Disconnect(it) => Some(it),
            _ => None,
        };
        let named = match what {
            Do::LoopRemove(_, piece) => Some(piece),
            _ => given(what),
        };
        let kind = named.map(|piece| shape.pieces.get(usize::from(piece)).map(|it| it.0));
        if variable.is_some_and(|it| usize::from(it) >= shape.variables.len()) {
            return unknown("variable");
        }
        if channel.is_some_and(|it| usize::from(it) >= shape.channels.len()) {
            return unknown("channel");
        }
        if kind == Some(None) {
            return unknown("piece");
        }
        let fits = match (what, kind.flatten()) {
            (Do::Assert(_, is), _) if !is.is_of_numbers() => Err("a number to compare with"),
            (Do::Post(on, _) | Do::AwaitOf(on, _), _) if !self.is_a_loop(on) => {
                Err("an event loop")
            }
            (Do::Submit(_), Some(Kind::Job(..))) | (Do::Spawn(_), Some(Kind::Task(..))) => Ok(()),
            (Do::Submit(_), _) => Err("a job of a pool"),
            (Do::Spawn(_), _) => Err("a task"),
            (_, Some(Kind::Job(..) | Kind::Task(..))) => Err("a callback"),
            (Do::ClosePool | Do::CancelPending | Do::Shutdown, _) if shape.pools == 0 => {
                Err("a pool")
            }
            (Do::Await(_) | Do::AwaitOf(..), _) if !self.is_a_task(place) => Err("a task"),
            (Do::Interrupt(of), _) if !self.is_a_thread(Some(Place::Member(of))) => Err("a thread"),
            (Do::Closed(_), _) if !self.is_a_thread(place) => Err("a thread"),
            _ if is_of_loop(what) && self.never_on_loop(place) => {
                Err("the thread of an event loop")
            }
            _ => Ok(()),
        };
        fits.map_err(|needs| self.unfit(script, what, needs))
    }

    fn unfit(&self, script: &str, what: Do, needs: &'static str) -> Misuse {
        let (script, operation) = (script.to_owned(), self.shape.names.call(what));
        Misuse::Unfit { script, operation, needs }
    }

    fn has(&self, role: Role) -> bool {
        self.shape.members.iter().any(|member| member.role == role)
    }

    fn is_a_loop(&self, agent: Agent) -> bool {
        self.shape.members.get(usize::from(agent)).is_some_and(|it| it.role == Role::Loop)
    }

    fn is_a_task(&self, place: Option<Place>) -> bool {
        matches!(place, Some(Place::Piece(piece)) if matches!(self.shape.kind(piece), Kind::Task(..)))
    }

    fn is_a_thread(&self, place: Option<Place>) -> bool {
        let role = |agent: Agent| self.shape.members.get(usize::from(agent)).map(|it| it.role);
        matches!(place, Some(Place::Member(agent)) if role(agent) == Some(Role::Thread))
    }

    /// Whether a script runs in a thread or in a worker.
    fn never_on_loop(&self, place: Option<Place>) -> bool {
        match place {
            Some(Place::Member(agent)) => !self.shape.is_loop(agent),
            Some(Place::Piece(piece)) => matches!(self.shape.kind(piece), Kind::Job(..)),
            None => true,
        }
    }

    /// Whether a script runs wherever its future is settled.
    fn runs_anywhere(&self, place: Place) -> bool {
        let Place::Piece(piece) = place else { return false };
        self.shape.all().any(|what| matches!(what, Do::Add(_, it) if it == piece))
    }

    fn scripts(&self) -> impl Iterator<Item = (Place, &[Do])> {
        let members = (0..).zip(&self.shape.members);
        let pieces = (0..).zip(&self.shape.pieces);
        members
            .map(|(agent, member)| (Place::Member(agent), &*member.script))
            .chain(pieces.map(|(piece, (_, script))| (Place::Piece(piece), &**script)))
    }

    fn name_of(&self, place: Place) -> String {
        match place {
            Place::Member(agent) => self.whose(agent, Script::Own),
            Place::Piece(piece) => self.shape.names.piece(piece),
        }
    }
}

impl Is {
    /// Whether a call may answer this.
    pub(super) const fn may_be_of(self, call: Do) -> bool {
        match call {
            Do::Load(_) | Do::Change(..) => self.is_of_numbers(),
            Do::Recv(_) => self.is_of_numbers() || matches!(self, Self::No),
            Do::Cancel(_) | Do::LoopCancel(_) => {
                matches!(self, Self::Now | Self::Already | Self::Requested | Self::Refused)
            }
            Do::Poll(_) => self.is_an_end(),
            Do::Result(_) if matches!(self, Self::Interrupted) => true,
            Do::Read(_) | Do::Result(_) | Do::LoopRead(_) | Do::Await(_) | Do::AwaitOf(..) => {
                self.is_an_end() || matches!(self, Self::Unsettled)
            }
            Do::WaitTimeout(_) => {
                self.is_an_end() || matches!(self, Self::Unsettled | Self::Expired)
            }
            Do::WaitAllTimeout(_) => matches!(self, Self::Yes | Self::Unsettled | Self::Expired),
            Do::Start(_) | Do::Abandon(_) | Do::Closed(_) | Do::Drop(_) => {
                matches!(self, Self::Yes)
            }
            _ => matches!(self, Self::Yes | Self::No),
        }
    }

    /// Whether a future may have ended like this.
    const fn is_an_end(self) -> bool {
        matches!(
            self,
            Self::Value | Self::Error | Self::Panicked | Self::Abandoned | Self::Cancelled
        )
    }
}

/// The piece that an operation gives away.
const fn given(what: Do) -> Option<Piece> {
    match what {
        Do::Add(_, it)
        | Do::OnClosed(_, it)
        | Do::LoopAdd(_, it)
        | Do::Post(_, it)
        | Do::Spawn(it)
        | Do::Submit(it) => Some(it),
        _ => None,
    }
}

/// A future that a script uses after it has dropped it, on some way through it, and what it does with it then.
fn uses_what_it_dropped(script: &[Do]) -> Option<(Future, Do)> {
    (0..script.len()).find_map(|at| {
        let Do::Drop(it) = script[at] else { return None };
        let mut reached = vec![false; script.len()];
        let mut left = vec![at + 1];
        while let Some(at) = left.pop() {
            let Some(what) = script.get(at) else { continue };
            if std::mem::replace(&mut reached[at], true) {
                continue;
            }
            if what.handles().iter().any(|of| of == it) {
                return Some((it, *what));
            }
            match *what {
                Do::Unless(_, over) => left.extend([at + 1, at + 1 + usize::from(over)]),
                Do::Skip(over) => left.push(at + 1 + usize::from(over)),
                _ => left.push(at + 1),
            }
        }
        None
    })
}

/// Whether an operation is one of the loop that runs it.
const fn is_of_loop(what: Do) -> bool {
    what.views().is_some() || matches!(what, Do::Stop | Do::Close)
}
