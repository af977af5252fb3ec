//! Trees of tasks as data, and how they are written.

use std::fmt::{self, Write as _};

/// What separates two moments of a program, in milliseconds of the clock. A nudge is one of them.
pub(crate) const MOMENT: u32 = 4;

/// Added to the argument of a wait, once for each further way to return.
pub(crate) const WAYS: u32 = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Give,
    Fail,
    Forever,
    WaitOne,
    Series,
    Gather,
    GatherAll,
    Shield,
    Wait,
    AsCompleted,
    WaitFor,
    Timeout,
    Group,
    GroupFails,
}

use Op::{
    AsCompleted, Fail, Forever, Gather, GatherAll, Give, Group, GroupFails, Series, Shield,
    Timeout, Wait, WaitFor, WaitOne,
};

impl Op {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Give => "give",
            Fail => "fail",
            Forever => "forever",
            WaitOne => "wait_one",
            Series => "series",
            Gather => "gather",
            GatherAll => "gather_all",
            Shield => "shield",
            Wait => "wait",
            AsCompleted => "as_completed",
            WaitFor => "wait_for",
            Timeout => "timeout",
            Group => "group",
            GroupFails => "group_fails",
        }
    }

    pub(crate) fn is_leaf(self) -> bool {
        matches!(self, Give | Fail | Forever)
    }

    /// Whether a stop of the task goes on to its children.
    pub(crate) fn owns(self) -> bool {
        !matches!(self, Shield | Wait | AsCompleted)
    }

    pub(crate) fn takes_one(self) -> bool {
        matches!(self, WaitOne | Shield | WaitFor | Timeout)
    }
}

/// A task: it sleeps for a delay, passes some turns, and does one thing with its children.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) name: usize,
    pub(crate) delay: u32,
    pub(crate) turns: u32,
    pub(crate) op: Op,
    /// A timeout, or the time for which the body of a group sleeps; none if zero.
    pub(crate) argument: u32,
    pub(crate) children: Vec<Node>,
}

/// A cancel of a task at a moment, and some turns later.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cancel {
    pub(crate) delay: u32,
    pub(crate) turns: u32,
    pub(crate) target: usize,
}

/// A callback of a task's end that cancels a task, some turns later.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct After {
    pub(crate) cause: usize,
    pub(crate) turns: u32,
    pub(crate) target: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Program {
    pub(crate) tree: Node,
    pub(crate) cancels: Vec<Cancel>,
    pub(crate) after: Vec<After>,
}

impl Program {
    pub(crate) fn line(&self) -> String {
        let cancels: Vec<_> = self
            .cancels
            .iter()
            .map(|it| format!("[{},{},{}]", it.delay, it.turns, it.target))
            .collect();
        let after: Vec<_> = self
            .after
            .iter()
            .map(|it| format!("[{},{},{}]", it.cause, it.turns, it.target))
            .collect();
        format!("[{},[{}],[{}]]", self.tree.line(), cancels.join(","), after.join(","))
    }
}

impl Node {
    pub(crate) fn find(&self, name: usize) -> Option<&Self> {
        if self.name == name {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(name))
    }

    /// Its argument as a time, zero if there is none.
    pub(crate) fn timeout(&self) -> u32 {
        self.argument % WAYS
    }

    /// The tasks above one, from the root.
    pub(crate) fn above(&self, name: usize) -> Vec<&Self> {
        let (mut node, mut above) = (self, Vec::new());
        while node.name != name {
            above.push(node);
            node = node.children.iter().find(|it| it.find(name).is_some()).expect("it is below");
        }
        above
    }

    pub(crate) fn find_mut(&mut self, name: usize) -> Option<&mut Self> {
        if self.name == name {
            return Some(self);
        }
        self.children.iter_mut().find_map(|child| child.find_mut(name))
    }

    fn line(&self) -> String {
        let Self { name, delay, turns, op, argument, children } = self;
        let children: Vec<_> = children.iter().map(Self::line).collect();
        format!("[{name},{delay},{turns},\"{}\",{argument},[{}]]", op.name(), children.join(","))
    }

    fn write(&self, text: &mut String, depth: usize) {
        let Self { name, delay, turns, op, argument, children } = self;
        let indent = 2 * depth + 2;
        let _ = write!(text, "{:indent$}task {name}: ", "");
        if *delay > 0 {
            let _ = write!(text, "sleep {delay}, ");
        }
        if *turns > 0 {
            let _ = write!(text, "pass {turns} turns, ");
        }
        *text += op.name();
        if *op == Wait {
            *text += [" for the first", " for the first failure", " for all"]
                [(argument / WAYS) as usize];
        }
        if self.timeout() > 0 {
            let what =
                if matches!(op, Group | GroupFails) { "whose body sleeps" } else { "timeout" };
            let _ = write!(text, ", {what} {}", self.timeout());
        }
        *text += "\n";
        children.iter().for_each(|child| child.write(text, depth + 1));
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.tree.write(&mut text, 0);
        f.write_str(&text)?;
        for Cancel { delay, turns, target } in &self.cancels {
            writeln!(f, "  at {delay}, {turns} turns later: cancel task {target}")?;
        }
        for After { cause, turns, target } in &self.after {
            writeln!(
                f,
                "  when task {cause} has ended, {turns} turns later: cancel task {target}"
            )?;
        }
        Ok(())
    }
}
