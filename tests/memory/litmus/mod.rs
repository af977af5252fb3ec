//! The litmus tests of the literature, and what it says of them. Its marks are explained in `spec/memory.md`.

mod buffering;
mod order;
mod passing;
pub(crate) mod patterns;

use super::{
    axioms::Axioms,
    explore::{End, Found, explore},
    program::Program,
};

/// What is said of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// Some execution ends so.
    Allowed,
    /// None does.
    Forbidden,
    /// Some execution has a race, so that nothing is said.
    Racy,
}

impl Says {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Forbidden => "forbidden",
            Self::Racy => "race",
        }
    }
}

/// A litmus test.
pub(crate) struct Litmus {
    pub(crate) name: &'static str,
    /// By the marks of `spec/memory.md`, where it is from; and what is to be said of it.
    pub(crate) from: &'static str,
    pub(crate) program: Make,
    /// The end that is asked for.
    ends: Ends,
    pub(crate) says: Says,
    /// The same where load buffering is allowed.
    pub(crate) loose: Says,
}

impl Litmus {
    /// It is otherwise where loads are buffered.
    const fn loose(self, loose: Says) -> Self {
        Self { loose, ..self }
    }

    /// The marks of where it is from.
    pub(crate) fn marks(&self) -> impl Iterator<Item = &str> {
        let marks = self.from.split(':').next().unwrap_or_default();
        marks.split(", ").filter_map(|it| it.split(' ').next())
    }

    /// What these axioms say, and of how many executions.
    pub(crate) fn verdict(&self, axioms: &Axioms) -> (Result<Says, String>, Found) {
        let found = explore(&(self.program)(), axioms);
        let says = if found.executions == 0 {
            Err("no execution".to_owned())
        } else if found.has("race") {
            Ok(Says::Racy)
        } else if let Some((what, how)) = found.wrong.first() {
            Err(format!("{what}{how}"))
        } else if found.ends.iter().any(self.ends) {
            Ok(Says::Allowed)
        } else {
            Ok(Says::Forbidden)
        };
        (says, found)
    }
}

/// How an execution ends that is asked for.
type Ends = fn(&End) -> bool;
type Make = fn() -> Program;

/// It may end so.
const fn allowed(name: &'static str, from: &'static str, ends: Ends, program: Make) -> Litmus {
    Litmus { name, from, program, ends, says: Says::Allowed, loose: Says::Allowed }
}

/// It never ends so.
const fn forbidden(name: &'static str, from: &'static str, ends: Ends, program: Make) -> Litmus {
    Litmus { name, from, program, ends, says: Says::Forbidden, loose: Says::Forbidden }
}

/// It has a race.
const fn racy(name: &'static str, from: &'static str, program: Make) -> Litmus {
    Litmus { name, from, program, ends: |_| true, says: Says::Racy, loose: Says::Racy }
}

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Litmus> {
    [passing::ALL, buffering::ALL, order::ALL, patterns::ALL].into_iter().flatten()
}

/// The places of most of them.
const X: usize = 0;
const Y: usize = 1;
const Z: usize = 2;

fn xyz() -> Program {
    Program::new(&["x", "y", "z"])
}
