//! Trees of tasks by chance.

use super::program::{
    After, Cancel, MOMENT, Node,
    Op::{
        self, AsCompleted, Fail, Forever, Gather, GatherAll, Give, Group, GroupFails, Series,
        Shield, Timeout, Wait, WaitFor, WaitOne,
    },
    Program, WAYS,
};

const LEAVES: [Op; 6] = [Give, Give, Give, Give, Fail, Forever];
const INNER: [Op; 11] = [
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
];

/// Numbers by chance, the same ones for a seed.
struct Luck(u64);

impl Luck {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ mixed >> 31) % u64::from(end)) as u32
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.below(count) == 0
    }

    /// One of the first `last` moments.
    fn moment(&mut self, last: u32) -> u32 {
        MOMENT * (1 + self.below(last))
    }
}

impl Program {
    /// The same for a number every time.
    pub(crate) fn by_chance(seed: u64) -> Self {
        let mut luck = Luck(seed.wrapping_mul(0xD134_2543_DE82_EF95));
        let mut names = 0;
        let depth = 1 + luck.below(4);
        let tree = node(&mut luck, &mut names, depth);
        let target = |luck: &mut Luck| luck.below(names as u32) as usize;
        let cancels = if luck.one_in(3) { 0 } else { 1 + luck.below(2) };
        let cancels = (0..cancels)
            .map(|_| Cancel {
                delay: if luck.one_in(4) { 0 } else { luck.moment(12) },
                turns: luck.below(8) * luck.below(2),
                target: target(&mut luck),
            })
            .collect();
        let after = if luck.one_in(5) { 1 } else { 0 };
        let after = (0..after)
            .map(|_| After {
                cause: target(&mut luck),
                turns: if luck.one_in(2) { 0 } else { luck.below(8) },
                target: target(&mut luck),
            })
            .collect();
        Self { tree, cancels, after }
    }
}

fn node(luck: &mut Luck, names: &mut usize, depth: u32) -> Node {
    let name = *names;
    *names += 1;
    let of = |luck: &mut Luck, ops: &[Op]| ops[luck.below(ops.len() as u32) as usize];
    let op = if depth == 0 || luck.one_in(5) { of(luck, &LEAVES) } else { of(luck, &INNER) };
    let children = if op.is_leaf() {
        0
    } else if op.takes_one() {
        1
    } else {
        1 + luck.below(3)
    };
    let quick = if op.is_leaf() { 4 } else { 2 };
    let delay = if luck.below(quick) == 0 { 0 } else { luck.moment(8) };
    let turns = if luck.one_in(3) { luck.below(4) } else { 0 };
    let argument = match op {
        WaitFor | Timeout => luck.moment(12),
        Wait => WAYS * luck.below(3) + if luck.one_in(2) { luck.moment(12) } else { 0 },
        AsCompleted | Group | GroupFails if luck.one_in(2) => luck.moment(12),
        _ => 0,
    };
    let children = (0..children).map(|_| node(luck, names, depth.saturating_sub(1))).collect();
    Node { name, delay, turns, op, argument, children }
}
