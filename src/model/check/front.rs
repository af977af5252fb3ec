//! The front door: a program of a user, judged by all that there is.

use std::{
    collections::BTreeSet,
    fmt::{self, Display, Formatter},
};

use stateright::{Expectation, Model, Property};

use super::{
    cycles::{Edge, Graph},
    search::Search,
};
use crate::model::{
    Misuse, Program, Script, Step, System,
    chart::{chart, mermaid},
    property::{ENDS, IN_VAIN},
    state::Frame,
};

/// How many states [`Program::check`] explores at the most.
const MANY: usize = 4_000_000;

/// What the check of a program that is right has shown. `[program-3]`
///
/// ```
/// use settled::model::{Plan, Report};
///
/// let mut plan = Plan::new();
/// let job = plan.future("job");
/// plan.thread("worker", |it| { it.finish(job); });
/// plan.thread("user", |it| { it.result(job); });
/// let Report { states, needs_expiry, .. } = plan.check().unwrap();
/// assert!(states > 2 && !needs_expiry);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many states are reachable.
    pub states: usize,
    /// Whether some run ends only because a timed wait expires.
    pub needs_expiry: bool,
    /// The operations that no run comes to, each with its script: an assertion among them has never been judged.
    pub unreached: Vec<String>,
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "right in all {} states, and every fair run ends", self.states)?;
        if self.needs_expiry {
            write!(f, ", some only because a timed wait expires")?;
        }
        for it in &self.unreached {
            write!(f, "\nno run comes to {it}")?;
        }
        Ok(())
    }
}

/// Why a program is not right, or was not judged. Shows, also where it is unwrapped, the run that goes wrong.
/// `[program-3]`
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// It is no program.
    #[error(transparent)]
    Misuse(#[from] Misuse),
    /// It is too large.
    #[error(
        "the program has more than {most} states: nothing is shown; leave out what the question does not need, or allow \
         more with `check_up_to`, of a plan `plan.build()?.check_up_to(states)`"
    )]
    TooLarge {
        /// How many it may have.
        most: usize,
    },
    /// A shortest run of it goes wrong.
    #[error(transparent)]
    Wrong(#[from] Box<Run>),
}

impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{self}")
    }
}

impl Finding {
    /// Returns the run that goes wrong, if there is one.
    #[must_use]
    pub fn run(&self) -> Option<&Run> {
        match self {
            Self::Wrong(run) => Some(run),
            Self::Misuse(_) | Self::TooLarge { .. } => None,
        }
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wrong {
    /// Nobody can go on, and not everything has ended.
    Deadlock,
    /// It goes round for ever, although whoever can go on does.
    ForEver,
    /// An assertion of the program is not so.
    Assertion(String),
    /// Something that the library promises is not so, as it is only under other rules than those that ship.
    Property(&'static str),
}

/// A shortest run of a program that goes wrong. [`Display`] is its chart: a column a thread, loop or worker, a row a
/// step.
///
/// ```
/// use settled::model::{Does, Finding, Misuse, Plan, Run, Wrong};
///
/// let mut plan = Plan::new();
/// let (one, other) = (plan.lock("one"), plan.lock("other"));
/// plan.thread("left", |it| it.lock(one, |it| it.lock(other, |_| ())));
/// plan.thread("right", |it| it.lock(other, |it| it.lock(one, |_| ())));
/// let finding: Finding = plan.check().unwrap_err();
/// let run: &Run = finding.run().unwrap();
/// assert_eq!(run.wrong(), &Wrong::Deadlock);
/// assert!(run.steps().iter().all(|step| matches!(step.does, Does::Do(_))));
/// assert!(run.mermaid().starts_with("sequenceDiagram"));
///
/// plan.lock("one");
/// assert!(matches!(plan.check(), Err(Finding::Misuse(Misuse::SameName { .. }))));
/// ```
#[derive(Clone, Debug, thiserror::Error)]
pub struct Run {
    program: Program,
    wrong: Wrong,
    path: Vec<Step>,
    cycle: Vec<Step>,
}

impl Run {
    /// Returns what goes wrong.
    #[must_use]
    pub const fn wrong(&self) -> &Wrong {
        &self.wrong
    }

    /// Returns the steps that lead there, and, of what goes on for ever, once around.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        [&*self.path, &self.cycle].concat()
    }

    /// As a Mermaid sequence diagram.
    #[must_use]
    pub fn mermaid(&self) -> String {
        mermaid(&self.program, &self.steps())
    }
}

impl Display for Run {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let steps = self.steps();
        match &self.wrong {
            Wrong::Deadlock => {
                write!(f, "a deadlock: nobody can go on, and not everything has ended")?
            }
            Wrong::ForEver => write!(f, "it never ends, although whoever can go on does")?,
            Wrong::Assertion(what) => write!(f, "an assertion fails: {what}")?,
            Wrong::Property(name) => {
                write!(f, "a promise of the library is broken: not so: {name}")?
            }
        }
        write!(f, ", after {}\n\n{}", count(steps.len()), chart(&self.program, &steps))?;
        if !self.cycle.is_empty() {
            writeln!(f, "and again from the last {} on, for ever", self.cycle.len())?;
        }
        Ok(())
    }
}

impl Program {
    /// Looks for everything that can go wrong in the program: under every interleaving of its steps, that nobody can go
    /// on although not everything has ended, be it for a future, a lock, a channel or the end of a pool; that it goes
    /// round for ever; that an assertion is not so; that a promise of the library is broken. `[program-3]`
    ///
    /// A timed wait expires at some time, and whoever can always go on does so at some time. A loop that has nothing to
    /// do has ended.
    ///
    /// # Errors
    ///
    /// A shortest run that goes wrong, whose `Display` is its chart. What makes the program none: see [`Misuse`]. That
    /// it has more than four million states: see [`check_up_to`](Self::check_up_to), of a plan
    /// `plan.build()?.check_up_to(states)`.
    pub fn check(&self) -> Result<Report, Finding> {
        self.check_up_to(MANY)
    }

    /// The same, for programs with as many states.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub fn check_up_to(&self, most: usize) -> Result<Report, Finding> {
        self.validate()?;
        let mut judge = Judge::new(self);
        let mut edges: Vec<Vec<Edge<Step>>> = Vec::new();
        let mut search = Search::new(self);
        let found = search.run(
            |state| judge.visit(state, most),
            |from, step, to| {
                edges.resize_with(from + 1, Vec::new);
                edges[from].push(Edge { to, by: step.agent.into(), action: *step });
            },
        );
        let run = |wrong, path, cycle| {
            let program = self.clone();
            Err(Finding::Wrong(Box::new(Run { program, wrong, path, cycle })))
        };
        match found {
            Some((_, None)) => return Err(Finding::TooLarge { most }),
            Some((at, Some(wrong))) => return run(wrong, search.path(at), Vec::new()),
            None => {}
        }
        let states = search.states.len();
        edges.resize_with(states, Vec::new);
        let left = (0..states).filter(|at| !self.ended(&search.states[*at])).collect();
        if let Some((at, cycle)) = Graph::new(edges, &[]).fair_cycle(left) {
            return run(Wrong::ForEver, search.path(at), cycle);
        }
        Ok(Report { states, needs_expiry: judge.needs_expiry, unreached: judge.unreached() })
    }
}

fn count(steps: usize) -> String {
    if steps == 1 { "1 step".to_owned() } else { format!("{steps} steps") }
}

/// What is asked of each state.
struct Judge<'a> {
    program: &'a Program,
    properties: Vec<Property<Program>>,
    states: usize,
    needs_expiry: bool,
    /// The operations that are next in some state: whose script, and where.
    reached: BTreeSet<(usize, usize)>,
}

impl<'a> Judge<'a> {
    fn new(program: &'a Program) -> Self {
        // These two excuse a circle that the program wrote, and count on no clock: they are about the library.
        let judged = |it: &Property<Program>| {
            it.expectation == Expectation::Always && it.name != ENDS && it.name != IN_VAIN
        };
        let properties = program.properties().into_iter().filter(judged).collect();
        Self { program, properties, states: 0, needs_expiry: false, reached: BTreeSet::new() }
    }

    /// What is wrong with a state, if anything is; nothing to say if there are too many.
    fn visit(&mut self, state: &System, most: usize) -> Option<Option<Wrong>> {
        self.states += 1;
        if self.states > most {
            return Some(None);
        }
        self.reach(state);
        if let Some(what) = self.program.failed(state) {
            return Some(Some(Wrong::Assertion(what)));
        }
        let broken = self.properties.iter().find(|it| !(it.condition)(self.program, state));
        if let Some(broken) = broken {
            return Some(Some(Wrong::Property(broken.name)));
        }
        if !self.program.stuck(state) || self.program.ended(state) {
            return None;
        }
        self.needs_expiry = true;
        let mut steps = Vec::new();
        self.program.actions(state, &mut steps);
        steps.is_empty().then_some(Some(Wrong::Deadlock))
    }

    fn reach(&mut self, state: &System) {
        for agent in 0..self.program.agents() {
            let calls = |frame: &&Frame| {
                frame.begun && matches!(frame.script, Script::Own | Script::Piece(_))
            };
            if let Some(frame) = state.top(agent).filter(calls) {
                let slot = self.program.slot(agent, frame.script);
                self.reached.insert((slot, frame.at.into()));
            }
        }
    }

    /// What was never next, but for what is no step of its own. Of a call that is repeated it is enough if one is.
    fn unreached(&self) -> Vec<String> {
        let program = self.program;
        let members = (0..program.agents()).map(|agent| (agent, Script::Own));
        let pieces = (0..).zip(&program.shape.pieces).map(|(piece, _)| (0, Script::Piece(piece)));
        let (mut reached, mut unreached) = (BTreeSet::new(), BTreeSet::new());
        for (agent, script) in members.chain(pieces) {
            let slot = program.slot(agent, script);
            let calls = program.shape.script(agent, script).iter().enumerate();
            for (at, what) in calls.filter(|(_, what)| !what.is_branch()) {
                let call = program.shape.names.call(*what);
                let said = format!("{call} of {}", program.whose(agent, script));
                let is = self.reached.contains(&(slot, at));
                if is { &mut reached } else { &mut unreached }.insert(said);
            }
        }
        unreached.difference(&reached).cloned().collect()
    }
}
