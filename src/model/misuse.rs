//! What no program can be, and how it is told.

use super::program::{Agent, Do, Future, Kind, Piece, Program, Role};

/// Why a [`Program`] is none that can be explored. `[program-1]`
///
/// Exploring one panics with this, in every build; what says only that no program of this crate's types could do so is
/// answered by [`Program::validate`] alone, since a what-if may need it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// More of something than a model keeps.
    #[error(
        "the program has {found} {what}, and a model keeps {most}: more would be mistaken for each other; leave out \
         what the question does not need, or make several programs"
    )]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// A script that is too long to be counted.
    #[error(
        "the script of {script} has {found} operations, and a model counts {most}: leave out what the question does \
         not need, or repeat less often"
    )]
    TooLong {
        /// Whose script.
        script: String,
        /// How many operations it has.
        found: usize,
        /// How many it may have.
        most: usize,
    },
    /// The number of something that was not declared.
    #[error(
        "{script} says `{operation}`, and the program has no such {what}: nobody could say what it is; declare it, or \
         correct the number"
    )]
    Unknown {
        /// Whose script.
        script: String,
        /// The operation, as it was written.
        operation: String,
        /// What is not there.
        what: &'static str,
    },
    /// An operation where it cannot be done.
    #[error(
        "{script} says `{operation}`, which takes {needs}: the real call does not exist here; move it there"
    )]
    Unfit {
        /// Whose script.
        script: String,
        /// The operation, as it was written.
        operation: String,
        /// What it takes.
        needs: &'static str,
    },
    /// A piece without a place where it could run.
    #[error(
        "{piece} is for {what}, and the program has none: it would never run; add {what}, or give it another"
    )]
    Nowhere {
        /// The piece.
        piece: String,
        /// Where it is to run.
        what: &'static str,
    },
    /// A channel that holds nothing.
    #[error(
        "channel {channel} holds nothing: nobody could ever send; give it room for one, as this kind hands nothing over \
         directly"
    )]
    NoRoom {
        /// Its number.
        channel: usize,
    },
    /// A branch without an answer to look at.
    #[error(
        "the script of {script} begins with a branch: there is no answer to look at; call something before it"
    )]
    NoAnswer {
        /// Whose script.
        script: String,
    },
    /// Two who settle one future.
    #[error(
        "{first} and {second} both settle future {future}: a promise cannot be shared, nor that of a job or task be had; \
         let one of them do it, or give each a future"
    )]
    SharedPromise {
        /// The future, by its name or number.
        future: String,
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// One closure that is given away twice.
    #[error("{piece} is given away {times} times: a closure can be moved once; make one for each")]
    GivenTwice {
        /// The piece.
        piece: String,
        /// How often.
        times: usize,
    },
    /// A lock that is given back by who cannot have it.
    #[error(
        "{script} gives back lock {lock} without having taken it: no guard can be dropped that there is not; lock it before"
    )]
    NotLocked {
        /// Whose script.
        script: String,
        /// The lock.
        lock: String,
    },
}

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
            ("futures", usize::from(shape.futures), FEW),
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

    /// Whether somebody could write this program with the types of the library.
    ///
    /// # Errors
    ///
    /// The first thing in it that nobody could.
    pub fn validate(&self) -> Result {
        self.fits()?;
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
            for (at, what) in script.iter().enumerate() {
                let locks = |lock| script[..at].contains(&Do::Lock(lock));
                match what {
                    Do::Unlock(lock) if !locks(*lock) => {
                        let (script, lock) = (script_name(), format!("m{lock}"));
                        return Err(Misuse::NotLocked { script, lock });
                    }
                    _ if is_of_loop(*what) && self.runs_anywhere(place) => {
                        return Err(unfit(&script_name(), *what, "the thread of an event loop"));
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
                let future = it.to_string();
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
            let (script, operation) = (script.to_owned(), format!("{what:?}"));
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
            (Do::Shutdown | Do::ShutdownNow | Do::Join, _) if shape.pools == 0 => Err("a pool"),
            (Do::Await(_) | Do::AwaitOf(..), _) if !self.is_a_task(place) => Err("a task"),
            _ if is_of_loop(what) && self.never_on_loop(place) => {
                Err("the thread of an event loop")
            }
            _ => Ok(()),
        };
        fits.map_err(|needs| unfit(script, what, needs))
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
            Place::Member(agent) => self.shape.members[usize::from(agent)].name.to_owned(),
            Place::Piece(piece) => format!("#{piece}"),
        }
    }
}

fn unfit(script: &str, what: Do, needs: &'static str) -> Misuse {
    Misuse::Unfit { script: script.to_owned(), operation: format!("{what:?}"), needs }
}

/// The piece that an operation gives away.
const fn given(what: Do) -> Option<Piece> {
    match what {
        Do::Add(_, it) | Do::LoopAdd(_, it) | Do::Post(_, it) | Do::Spawn(it) | Do::Submit(it) => {
            Some(it)
        }
        _ => None,
    }
}

/// Whether an operation is one of the loop that runs it.
const fn is_of_loop(what: Do) -> bool {
    what.views().is_some() || matches!(what, Do::Stop | Do::Close)
}
