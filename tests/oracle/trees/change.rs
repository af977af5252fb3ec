//! Trees of tasks that are made smaller, or nudged.

use super::program::{
    MOMENT, Node,
    Op::{Give, Timeout, WaitFor},
    Program,
};

/// By how many turns something is nudged.
const TURNS: u32 = 6;

/// Other times for something: a moment is moved by less than a moment, turns by a few.
fn nudges(delay: u32, turns: u32) -> Vec<(u32, u32)> {
    let mut all: Vec<_> = (turns.saturating_sub(TURNS)..=turns + TURNS)
        .filter(|it| *it != turns)
        .map(|it| (delay, it))
        .collect();
    if delay > 0 {
        all.extend([(delay - 1, turns), (delay + 1, turns)]);
    }
    all
}

impl Program {
    /// Smaller programs, the smallest first.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for at in 0..self.cancels.len() {
            let mut smaller = self.clone();
            smaller.cancels.remove(at);
            all.push(smaller);
        }
        if !self.after.is_empty() {
            all.push(Self { after: Vec::new(), ..self.clone() });
        }
        for tree in self.tree.smaller() {
            all.push(Self { tree, ..self.clone() });
        }
        for at in 0..self.cancels.len() {
            for (delay, turns) in [(MOMENT, 0), (0, 1)] {
                let mut smaller = self.clone();
                let cancel = &mut smaller.cancels[at];
                cancel.delay -= cancel.delay.min(delay);
                cancel.turns -= cancel.turns.min(turns);
                all.push(smaller);
            }
        }
        all.retain(|it| it != self);
        all
    }

    /// The program with one of its actions a little earlier or later: by one millisecond, or by some turns.
    pub(crate) fn nudged(&self) -> Vec<Self> {
        let mut all = Vec::new();
        let mut actions = Vec::new();
        self.tree.names(&mut actions);
        for name in actions {
            let here = self.tree.find(name).expect("it is there");
            for (delay, turns) in nudges(here.delay, here.turns) {
                let mut nudged = self.clone();
                let node = nudged.tree.find_mut(name).expect("it is there");
                (node.delay, node.turns) = (delay, turns);
                all.push(nudged);
            }
            if here.timeout() > 0 {
                for argument in [here.argument - 1, here.argument + 1] {
                    let mut nudged = self.clone();
                    nudged.tree.find_mut(name).expect("it is there").argument = argument;
                    all.push(nudged);
                }
            }
        }
        for (at, here) in self.cancels.iter().enumerate() {
            for (delay, turns) in nudges(here.delay, here.turns) {
                let mut nudged = self.clone();
                (nudged.cancels[at].delay, nudged.cancels[at].turns) = (delay, turns);
                all.push(nudged);
            }
        }
        for (at, here) in self.after.iter().enumerate() {
            for (_, turns) in nudges(0, here.turns) {
                let mut nudged = self.clone();
                nudged.after[at].turns = turns;
                all.push(nudged);
            }
        }
        all
    }
}

impl Node {
    fn names(&self, all: &mut Vec<usize>) {
        all.push(self.name);
        self.children.iter().for_each(|child| child.names(all));
    }

    fn smaller(&self) -> Vec<Self> {
        let mut all = self.children.clone();
        if !self.op.is_leaf() {
            all.push(Self { op: Give, argument: 0, children: Vec::new(), ..self.clone() });
        }
        for at in 0..self.children.len() {
            if self.children.len() > 1 {
                let mut smaller = self.clone();
                smaller.children.remove(at);
                all.push(smaller);
            }
            for child in self.children[at].smaller() {
                let mut smaller = self.clone();
                smaller.children[at] = child;
                all.push(smaller);
            }
        }
        let delay = self.delay.saturating_sub(MOMENT);
        let turns = self.turns.saturating_sub(1);
        let argument = match self.timeout() {
            MOMENT if matches!(self.op, WaitFor | Timeout) => self.argument,
            0 => self.argument,
            _ => self.argument - MOMENT,
        };
        all.extend([Self { delay, ..self.clone() }, Self { turns, ..self.clone() }]);
        all.push(Self { argument, ..self.clone() });
        all
    }
}
