//! The rows of the table: in what an answer may differ from Python's, and in nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

use super::{
    answer::{Answer, turned},
    play::play,
    program::{Node, Op, Program},
};

/// Of two things of one moment, of which neither waits for the other, another comes first.
const TURNS: &str = "another-turn";
/// The same, where it makes a difference: the answer is Python's if one action comes a little earlier or later.
pub(crate) const NUDGED: &str = "met-in-another-turn";
/// The body of a stopped task is left before those of the tasks that it owned.
const DROPS: &str = "stop-is-drop";
/// A stop goes down by one task in a turn: one that was about to end, or to make tasks, does so.
const LATE: &str = "stop-goes-down";
/// A stopped task has begun, which Python has stopped before its first step.
const BEGUN: &str = "begun-before-the-stop";
/// A stopped task ends after all that it owned.
const OWNER: &str = "owner-ends-last";
/// A stopped `gather` stops all its tasks, also when one has failed in the same turn.
const LETS_GO: &str = "gather-lets-go";
const GATHER: &str = "gather-swallows-a-stop";
const WAIT_FOR: &str = "wait-for-swallows-a-stop";
const GROUP: &str = "group-swallows-a-stop";

/// The rows of `spec/python.md`, in its order, and of which minor versions of Python 3 each is true.
pub(crate) const ROWS: [(&str, RangeInclusive<u32>); 10] = [
    (TURNS, 11..=u32::MAX),
    (NUDGED, 11..=u32::MAX),
    (DROPS, 11..=u32::MAX),
    (LATE, 11..=u32::MAX),
    (BEGUN, 11..=u32::MAX),
    (OWNER, 11..=u32::MAX),
    (LETS_GO, 11..=u32::MAX),
    (GATHER, 11..=u32::MAX),
    (GROUP, 11..=u32::MAX),
    // It is made of `timeout` from 3.12 on.
    (WAIT_FOR, 11..=11),
];

pub(crate) type Met = BTreeSet<&'static str>;

/// What the answers differ in, or what no row has.
pub(crate) fn explain(program: &Program, ours: &Answer, theirs: &Answer) -> Result<Met, String> {
    let mut met = Met::new();
    if ours == theirs {
        return Ok(met);
    }
    owners_end_last(program, ours)?;
    let Err(why) = compare(program, ours, theirs, &mut met) else { return Ok(met) };
    for nudged in program.nudged() {
        let mut met = Met::from([NUDGED]);
        if compare(program, &play(&nudged), theirs, &mut met).is_ok() {
            return Ok(met);
        }
    }
    Err(why)
}

/// Whatever Python says: a task that is stopped ends after all that it owned, and so does one that stopped them.
fn owners_end_last(program: &Program, ours: &Answer) -> Result<(), String> {
    let both =
        Both { program, ours: ours.outcomes(), theirs: ours.outcomes(), apart: BTreeSet::new() };
    let names = ours.names();
    for (at, owner) in names.iter().enumerate() {
        // A `gather` tells of the first that is cancelled, too, and the others go on.
        let told = |node: &&Node| node.op == Op::Gather && node.children.len() > 1;
        let owned = |name: &&usize| {
            both.time(**name) == both.time(*owner)
                && both.is_stopped(**name)
                && both.owns(*owner, **name)
                && !both.owners(**name).iter().any(told)
        };
        if let Some(name) = names[at + 1..].iter().find(owned) {
            return Err(format!(
                "task {owner} ended before {name}, which it owned and which was stopped"
            ));
        }
    }
    Ok(())
}

/// Without nudges.
fn compare(program: &Program, ours: &Answer, theirs: &Answer, met: &mut Met) -> Result<(), String> {
    let mut both =
        Both { program, ours: ours.outcomes(), theirs: theirs.outcomes(), apart: BTreeSet::new() };
    both.outcomes(met)?;
    let keep = |names: Vec<usize>| -> Vec<usize> {
        names.into_iter().filter(|name| !both.apart.contains(name)).collect()
    };
    for (first, second) in turned(&keep(ours.names()), &keep(theirs.names())) {
        met.insert(both.order(first, second, both.time(first) == both.time(second))?);
    }
    let (left, their_left) = (ours.lefts(), theirs.lefts());
    for (name, time) in left.iter().filter(|(name, _)| !both.apart.contains(name)) {
        match their_left.get(name) {
            Some(theirs) if theirs == time => {}
            None if both.theirs.get(name).is_none_or(|it| it.1 == "c") => drop(met.insert(BEGUN)),
            _ => return Err(format!("the body of task {name} is left at another time")),
        }
    }
    if let Some(name) =
        their_left.keys().find(|it| !left.contains_key(it) && !both.apart.contains(it))
    {
        return Err(format!("the body of task {name} has not begun"));
    }
    let left_names = |it: &Answer| keep(it.left.iter().map(|it| it.0).collect());
    for (first, second) in turned(&left_names(ours), &left_names(theirs)) {
        let same_time = left.get(&first) == left.get(&second);
        let row = match both.order(first, second, same_time) {
            Err(_) if same_time && both.is_stopped_here(first) && both.owns(first, second) => DROPS,
            row => row?,
        };
        met.insert(row);
    }
    Ok(())
}

type Outcomes<'a> = BTreeMap<usize, (u32, &'a str)>;

/// What became of the tasks here, and there.
struct Both<'a> {
    program: &'a Program,
    ours: Outcomes<'a>,
    theirs: Outcomes<'a>,
    /// The tasks whose outcome differs by a row, and so their places.
    apart: BTreeSet<usize>,
}

impl Both<'_> {
    /// Each outcome that differs has a row, or follows from one that has.
    fn outcomes(&mut self, met: &mut Met) -> Result<(), String> {
        let names: BTreeSet<_> = self.ours.keys().chain(self.theirs.keys()).copied().collect();
        let mut rest = Vec::new();
        for name in names.into_iter().filter(|name| self.ours.get(name) != self.theirs.get(name)) {
            let node = self.program.tree.find(name).expect("it is there");
            let row = if self.is_late(name) {
                met.insert(LATE);
                continue;
            } else if self.is_early(name) {
                NUDGED
            } else if self.outran(name) {
                LATE
            } else if self.was_let_go(name) {
                LETS_GO
            } else if self.ties(node) {
                TURNS
            } else if let Some(row) = self.swallows(node) {
                row
            } else {
                rest.push(node);
                continue;
            };
            met.insert(row);
            self.apart.insert(name);
        }
        match rest.iter().find(|node| !self.follows(node)) {
            Some(node) => Err(format!("task {} ends otherwise", node.name)),
            None => {
                self.apart.extend(rest.iter().map(|node| node.name));
                Ok(())
            }
        }
    }

    /// Whether what becomes of a task may depend on one whose outcome differs: on one below, or on one before it in a series.
    fn follows(&self, node: &Node) -> bool {
        let differs = |node: &Node| self.apart.iter().any(|it| node.find(*it).is_some());
        let above = self.program.tree.above(node.name);
        differs(node) || above.into_iter().any(|it| it.op == Op::Series && differs(it))
    }

    /// Who stops, at the same moment on both sides, what it owns.
    fn stops(&self, node: &Node, time: u32) -> bool {
        let (Some(ours), Some(theirs)) = (self.ours.get(&node.name), self.theirs.get(&node.name))
        else {
            return false;
        };
        // A group may have been told of more errors on one side.
        let failed = ours.1.starts_with("g(") && theirs.1.starts_with("g(");
        ours.0 == time && theirs.0 == time && (failed || ours.1 == theirs.1 && is_none(ours.1))
    }

    /// The tasks above one that own it, from the nearest to the root.
    fn owners(&self, name: usize) -> Vec<&Node> {
        let above = self.program.tree.above(name);
        above.into_iter().rev().take_while(|node| node.op.owns()).collect()
    }

    /// It ends at the moment at which an owner of it is stopped, and is stopped there. Or it was never made there, and
    /// here just before who made it was stopped.
    fn is_late(&self, name: usize) -> bool {
        let Some((time, _)) = self.ours.get(&name) else { return false };
        let Some(theirs) = self.theirs.get(&name) else {
            let above = self.program.tree.above(name);
            let maker = above.last().and_then(|it| self.ours.get(&it.name));
            return maker.is_some_and(|it| {
                it.1 == "c" && above.iter().any(|owner| self.stops(owner, it.0))
            });
        };
        *theirs == (*time, "c") && self.owners(name).iter().any(|owner| self.stops(owner, *time))
    }

    /// It is stopped at the moment at which an owner of it is, and there it ends by itself.
    fn is_early(&self, name: usize) -> bool {
        let (Some((time, "c")), Some((their_time, _))) =
            (self.ours.get(&name), self.theirs.get(&name))
        else {
            return false;
        };
        time == their_time && self.owners(name).iter().any(|owner| self.stops(owner, *time))
    }

    /// It goes on, since its `gather` has told of a failure when a stop came to that; there it was stopped all the same.
    fn outran(&self, name: usize) -> bool {
        let Some((time, "c")) = self.theirs.get(&name) else { return false };
        let owners = self.owners(name);
        let tells = |owner: &Node| {
            let failed =
                self.ours.get(&owner.name).is_some_and(|it| it.0 == *time && is_failure(it.1));
            owner.op == Op::Gather && failed
        };
        let stopped = |owner: &&Node| self.ours.get(&owner.name) == Some(&(*time, "c"));
        self.ours.get(&name).is_none_or(|it| it.0 > *time)
            && owners.first().is_some_and(|it| tells(it))
            && owners.iter().any(stopped)
    }

    /// It is stopped with its `gather`, and goes on there, where another task of that has just failed. Here it then
    /// makes no tasks any more.
    fn was_let_go(&self, name: usize) -> bool {
        let above = |owner: &&Node| {
            let Some((time, _)) = self.ours.get(&owner.name) else { return false };
            let fails = |child: &Node| {
                self.theirs.get(&child.name).is_some_and(|it| it.0 == *time && is_none(it.1))
            };
            let goes_on = |child: &Node| {
                child.find(name).is_some()
                    && self.ours.get(&child.name) == Some(&(*time, "c"))
                    && self.ended_after(&child.name, *time)
            };
            let stopped = self.ours.get(&name).is_none_or(|it| *it == (*time, "c"));
            owner.op == Op::Gather
                && stopped
                && self.ended_after(&name, *time)
                && self.stops(owner, *time)
                && owner.children.iter().any(fails)
                && owner.children.iter().any(goes_on)
        };
        self.program.tree.above(name).iter().any(above)
    }

    fn ended_after(&self, name: &usize, time: u32) -> bool {
        self.theirs.get(name).is_none_or(|it| it.0 > time)
    }

    /// What it tells happened at its own moment, and another part of it came first.
    fn ties(&self, node: &Node) -> bool {
        let (Some(ours), Some(theirs)) = (self.ours.get(&node.name), self.theirs.get(&node.name))
        else {
            return false;
        };
        let child_of = |answers: &Outcomes<'_>, end: &(u32, &str)| {
            is_none(end.1)
                && node.children.iter().any(|child| answers.get(&child.name) == Some(end))
        };
        let tied = |(place, child): (usize, &Node)| {
            let place = char::from_digit(place as u32, 10).expect("there are few");
            let now =
                |answers: &Outcomes<'_>| answers.get(&child.name).is_some_and(|it| it.0 == ours.0);
            ours.1.contains(place) == theirs.1.contains(place)
                || now(&self.ours) && now(&self.theirs)
        };
        let same_moment = ours.0 == theirs.0;
        match node.op {
            Op::Gather | Op::AsCompleted => {
                same_moment && child_of(&self.ours, ours) && child_of(&self.theirs, theirs)
            }
            Op::Wait => {
                let told = ours.1.starts_with('d') && theirs.1.starts_with('d');
                same_moment && told && node.children.iter().enumerate().all(tied)
            }
            // Its time is over at the moment at which it is stopped.
            Op::Timeout | Op::WaitFor => same_moment && ours.1 == "c" && theirs.1 == "t",
            _ => false,
        }
    }

    /// It is stopped here, and there it has an outcome at the same moment.
    fn swallows(&self, node: &Node) -> Option<&'static str> {
        let (Some((our_time, "c")), Some((time, outcome))) =
            (self.ours.get(&node.name), self.theirs.get(&node.name))
        else {
            return None;
        };
        let same = |child: &Node| self.theirs.get(&child.name) == Some(&(*time, *outcome));
        let failed = |child: &Node| self.theirs.get(&child.name).is_some_and(|it| is_failure(it.1));
        let is_outcome = match node.op {
            Op::Gather => node.children.iter().any(same) && is_failure(outcome),
            Op::WaitFor => node.children.iter().any(same),
            Op::Group => node.children.iter().any(failed) && outcome.starts_with("g("),
            Op::GroupFails => outcome.starts_with("g("),
            _ => false,
        };
        let row = match node.op {
            Op::Gather => GATHER,
            Op::WaitFor => WAIT_FOR,
            _ => GROUP,
        };
        (is_outcome && our_time == time).then_some(row)
    }

    fn time(&self, name: usize) -> Option<u32> {
        self.ours.get(&name).map(|it| it.0)
    }

    fn is_stopped_here(&self, name: usize) -> bool {
        self.ours.get(&name).is_some_and(|it| it.1 == "c")
    }

    fn is_stopped(&self, name: usize) -> bool {
        self.theirs.get(&name).is_none_or(|it| it.1 == "c")
    }

    /// Whether a task ends after another that it owns.
    fn owns(&self, owner: usize, owned: usize) -> bool {
        // The first failure of a `gather` is told at once, and the others go on.
        let stopped = self.is_stopped(owned);
        let tells = |node: &&Node| {
            let tells = |it: &(u32, &str)| is_failure(it.1) || it.1 == "c" && !stopped;
            node.op == Op::Gather && self.ours.get(&node.name).is_some_and(tells)
        };
        let owners = self.owners(owned);
        let Some(place) = owners.iter().position(|it| it.name == owner) else { return false };
        !owners[..=place].iter().any(tells)
    }

    /// Two come in this order here, and in the other there.
    fn order(&self, first: usize, second: usize, same_time: bool) -> Result<&'static str, String> {
        let stopped = self.is_stopped(first) || self.is_stopped_here(first);
        if same_time && self.owns(second, first) && stopped {
            return Ok(OWNER);
        }
        if same_time && !self.owns(first, second) && !self.owns(second, first) {
            return Ok(TURNS);
        }
        Err(format!("task {first} comes before {second}"))
    }
}

/// No value.
fn is_none(outcome: &str) -> bool {
    outcome == "c" || is_failure(outcome)
}

fn is_failure(outcome: &str) -> bool {
    outcome.starts_with(['x', 't', 'g']) && outcome != "g"
}
