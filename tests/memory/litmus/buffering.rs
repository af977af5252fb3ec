//! Buffering stores, and loads.

use super::{
    Litmus,
    Says::{Allowed, Racy},
    X, Y, Z, allowed, forbidden, xyz,
};
use crate::explore::End;
use crate::program::{
    Order::{self, AcqRel, Acquire, Relaxed, Release, SeqCst},
    Program, Thread,
};

/// Each stores, and reads what the other stores; with a fence between if there is one.
fn sb(store: Order, load: Order, fences: [Option<Order>; 2]) -> Program {
    let one = move |a, b, fence: Option<Order>| {
        move |t: &mut Thread<'_>| {
            t.store(a, 1, store)?;
            if let Some(order) = fence {
                t.fence(order)?;
            }
            t.load(b, load)
        }
    };
    xyz().thread(one(X, Y, fences[0])).thread(one(Y, X, fences[1]))
}

/// The same with a read-modify-write between, both of one place.
fn sb_update(order: Order) -> Program {
    let one = move |a, b| {
        move |t: &mut Thread<'_>| {
            t.store(a, 1, Relaxed)?;
            t.fetch(Z, order, |it| it + 1)?;
            t.load(b, Relaxed)
        }
    };
    xyz().thread(one(X, Y)).thread(one(Y, X))
}

/// Each reads, and then stores what the other reads.
fn lb(load: Order, stores: [Order; 2]) -> Program {
    let one = move |a, b, store| {
        move |t: &mut Thread<'_>| {
            let read = t.load(a, load)?;
            t.store(b, 1, store)?;
            Ok(read)
        }
    };
    xyz().thread(one(X, Y, stores[0])).thread(one(Y, X, stores[1]))
}

/// Each stores what it has read.
fn lb_data() -> Program {
    let one = |a, b| {
        move |t: &mut Thread<'_>| {
            let read = t.load(a, Relaxed)?;
            t.store(b, read, Relaxed)?;
            Ok(read)
        }
    };
    xyz().guesses(X, 42).thread(one(X, Y)).thread(one(Y, X))
}

/// Each stores if it has read.
fn lb_control(load: Order) -> Program {
    let one = move |a, b| {
        move |t: &mut Thread<'_>| {
            let read = t.load(a, load)?;
            if read == 1 {
                t.store(b, 1, if load == Relaxed { Relaxed } else { Release })?;
            }
            Ok(read)
        }
    };
    xyz().guesses(X, 1).guesses(Y, 1).thread(one(X, Y)).thread(one(Y, X))
}

/// A thread writes what is not atomic if it reads so, and nobody does unless it has.
fn lb_plain() -> Program {
    xyz()
        .guesses(Y, 1)
        .guesses(X, 1)
        .thread(|t| {
            if t.read(X)? == 1 {
                t.store(Y, 1, Relaxed)?;
            }
            Ok(0)
        })
        .thread(|t| {
            if t.load(Y, Relaxed)? == 1 {
                t.write(X, 1)?;
            }
            Ok(0)
        })
}

/// Three in a ring.
fn lb3() -> Program {
    let one = |a, b| {
        move |t: &mut Thread<'_>| {
            let read = t.load(a, Relaxed)?;
            t.store(b, 1, Relaxed)?;
            Ok(read)
        }
    };
    xyz().thread(one(X, Y)).thread(one(Y, Z)).thread(one(Z, X))
}

fn none(end: &End) -> bool {
    end.seen == [0, 0]
}

fn both(end: &End) -> bool {
    end.seen == [1, 1]
}

pub(super) const ALL: &[Litmus] = &[
    allowed("SB", "Power, C11", none, || sb(Relaxed, Relaxed, [None; 2])),
    allowed("SB+rel+acq", "C11, RA", none, || sb(Release, Acquire, [None; 2])),
    forbidden("SB+sc", "C++, C11", none, || sb(SeqCst, SeqCst, [None; 2])),
    allowed("SB+sc stores", "C11", none, || sb(SeqCst, Acquire, [None; 2])),
    forbidden("SB+fences", "C11, RC11", none, || sb(Relaxed, Relaxed, [Some(SeqCst); 2])),
    allowed("SB+fence+po", "C11", none, || sb(Relaxed, Relaxed, [Some(SeqCst), None])),
    allowed("SB+acqrel fences", "C11", none, || sb(Relaxed, Relaxed, [Some(AcqRel); 2])),
    forbidden("SB+updates of one place", "RA", none, || sb_update(AcqRel)),
    allowed("SB+relaxed updates of one place", "RA", none, || sb_update(Relaxed)),
    forbidden("LB", "RC11: forbidden; C11: allowed", both, || lb(Relaxed, [Relaxed; 2]))
        .loose(Allowed),
    forbidden("LB+acq", "C11: no release is acquired", both, || lb(Acquire, [Relaxed; 2]))
        .loose(Allowed),
    forbidden("LB+rel+acq", "C11", both, || lb(Acquire, [Release; 2])),
    forbidden("LB+one rel+acq", "C11: one edge is enough", both, || {
        lb(Acquire, [Release, Relaxed])
    }),
    forbidden("LB in a ring of three", "Power", |it| it.seen == [1, 1, 1], lb3).loose(Allowed),
    forbidden("LB+datas", "Ghosts: 42 is out of thin air", |it| it.seen[0] == 42, lb_data)
        .loose(Allowed),
    forbidden("LB+ctrls", "Problem, Ghosts", both, || lb_control(Relaxed)).loose(Allowed),
    forbidden("LB+ctrls+rel+acq", "Problem", both, || lb_control(Acquire)),
    forbidden(
        "LB+ctrls+na",
        "Problem: the race is out of thin air",
        |it| it.memory[X] == 1,
        lb_plain,
    )
    .loose(Racy),
];
