//! The order of writes, and of everything.

use super::{Litmus, X, Y, allowed, forbidden, xyz};
use crate::program::{
    Order::{self, AcqRel, Acquire, Relaxed, Release, SeqCst},
    Program, Thread,
};

fn store(at: usize, order: Order) -> impl Fn(&mut Thread<'_>) -> crate::program::Run {
    move |t| t.store(at, 1, order).map(|()| 0)
}

/// Reads two places, with a fence between if there is one: `10 * a + b`.
fn two(
    [a, b]: [usize; 2],
    [first, second]: [Order; 2],
    fence: Option<Order>,
) -> impl Fn(&mut Thread<'_>) -> crate::program::Run {
    move |t| {
        let first = t.load(a, first)?;
        if let Some(order) = fence {
            t.fence(order)?;
        }
        Ok(10 * first + t.load(b, second)?)
    }
}

/// Two who read one place twice, which two write.
fn corr2() -> Program {
    let read = || two([X, X], [Relaxed; 2], None);
    xyz()
        .thread(|t| t.store(X, 1, Relaxed).map(|()| 0))
        .thread(|t| t.store(X, 2, Relaxed).map(|()| 0))
        .thread(read())
        .thread(read())
}

/// Each writes both, the other way round.
fn two_plus_two(order: Order, fence: Option<Order>) -> Program {
    let one = move |a, b| {
        move |t: &mut Thread<'_>| {
            t.store(a, 1, order)?;
            if let Some(order) = fence {
                t.fence(order)?;
            }
            t.store(b, 2, order)?;
            Ok(0)
        }
    };
    xyz().thread(one(X, Y)).thread(one(Y, X))
}

/// Independent reads of independent writes.
fn iriw(write: Order, reads: [Order; 2], fence: Option<Order>) -> Program {
    xyz()
        .thread(store(X, write))
        .thread(store(Y, write))
        .thread(two([X, Y], reads, fence))
        .thread(two([Y, X], reads, fence))
}

/// Read to write causality.
fn rwc(order: [Order; 2], fence: Option<Order>) -> Program {
    let [write, read] = order;
    xyz().thread(store(X, write)).thread(two([X, Y], [read; 2], fence)).thread(move |t| {
        t.store(Y, 1, write)?;
        if let Some(order) = fence {
            t.fence(order)?;
        }
        t.load(X, read)
    })
}

/// `x=2; y=1` against a read of `y` and `x=1`.
fn s([write, read]: [Order; 2]) -> Program {
    xyz()
        .thread(move |t| {
            t.store(X, 2, Relaxed)?;
            t.store(Y, 1, write)?;
            Ok(0)
        })
        .thread(move |t| {
            let y = t.load(Y, read)?;
            t.store(X, 1, Relaxed)?;
            Ok(y)
        })
}

/// `x=1; y=1` against `y=2` and a read of `x`.
fn r([write, read]: [Order; 2], fence: Option<Order>) -> Program {
    let fenced = move |t: &mut Thread<'_>| fence.map_or(Ok(()), |order| t.fence(order));
    xyz()
        .thread(move |t| {
            t.store(X, 1, write)?;
            fenced(t)?;
            t.store(Y, 1, write)?;
            Ok(0)
        })
        .thread(move |t| {
            t.store(Y, 2, write)?;
            fenced(t)?;
            t.load(X, read)
        })
}

/// SC on a place does not order what another order does to another place.
fn z6u() -> Program {
    xyz()
        .thread(|t| {
            t.store(X, 1, SeqCst)?;
            t.store(Y, 1, Release)?;
            Ok(0)
        })
        .thread(|t| {
            let update = t.fetch(Y, SeqCst, |it| it + 1)?;
            Ok(10 * update + t.load(Y, Relaxed)?)
        })
        .thread(|t| {
            t.store(Y, 3, SeqCst)?;
            t.load(X, SeqCst)
        })
}

pub(super) const ALL: &[Litmus] = &[
    forbidden(
        "CoRR",
        "C++ [intro.races]: read-read coherence",
        |it| it.seen[1] == 10,
        || xyz().thread(store(X, Relaxed)).thread(two([X, X], [Relaxed; 2], None)),
    ),
    forbidden("CoRR2", "Power", |it| it.seen[2..] == [12, 21], corr2),
    forbidden(
        "CoWW",
        "C++ [intro.races]: write-write coherence",
        |it| it.memory[X] == 1,
        || {
            xyz().thread(|t| {
                t.store(X, 1, Relaxed)?;
                t.store(X, 2, Relaxed)?;
                Ok(0)
            })
        },
    ),
    forbidden(
        "CoRW",
        "C++ [intro.races]: read-write coherence",
        |it| it.seen[0] == 2 && it.memory[X] == 2,
        || {
            xyz()
                .thread(|t| {
                    let x = t.load(X, Relaxed)?;
                    t.store(X, 1, Relaxed)?;
                    Ok(x)
                })
                .thread(|t| t.store(X, 2, Relaxed).map(|()| 0))
        },
    ),
    forbidden(
        "CoWR",
        "C++ [intro.races]: write-read coherence",
        |it| it.seen[0] == 2 && it.memory[X] == 1,
        || {
            xyz()
                .thread(|t| {
                    t.store(X, 1, Relaxed)?;
                    t.load(X, Relaxed)
                })
                .thread(|t| t.store(X, 2, Relaxed).map(|()| 0))
        },
    ),
    allowed("2+2W", "Power, RC11", |it| it.memory[..2] == [1, 1], || two_plus_two(Relaxed, None)),
    allowed("2+2W+rel", "RA", |it| it.memory[..2] == [1, 1], || two_plus_two(Release, None)),
    forbidden("2+2W+sc", "C11", |it| it.memory[..2] == [1, 1], || two_plus_two(SeqCst, None)),
    forbidden(
        "2+2W+fences",
        "Power, RC11",
        |it| it.memory[..2] == [1, 1],
        || two_plus_two(Relaxed, Some(SeqCst)),
    ),
    allowed("S", "Power", |it| it.seen[1] == 1 && it.memory[X] == 2, || s([Relaxed; 2])),
    forbidden(
        "S+rel+acq",
        "Power, C11",
        |it| it.seen[1] == 1 && it.memory[X] == 2,
        || s([Release, Acquire]),
    ),
    allowed(
        "R+rel+acq",
        "Power, RA",
        |it| it.seen[1] == 0 && it.memory[Y] == 2,
        || r([Release, Acquire], None),
    ),
    forbidden("R+sc", "C11", |it| it.seen[1] == 0 && it.memory[Y] == 2, || r([SeqCst; 2], None)),
    forbidden(
        "R+fences",
        "Power, RC11",
        |it| it.seen[1] == 0 && it.memory[Y] == 2,
        || r([Relaxed; 2], Some(SeqCst)),
    ),
    allowed(
        "IRIW",
        "Power, C11",
        |it| it.seen[2..] == [10, 10],
        || iriw(Relaxed, [Relaxed; 2], None),
    ),
    allowed(
        "IRIW+rel+acq",
        "C11, RA",
        |it| it.seen[2..] == [10, 10],
        || iriw(Release, [Acquire; 2], None),
    ),
    forbidden(
        "IRIW+sc",
        "C++, C11",
        |it| it.seen[2..] == [10, 10],
        || iriw(SeqCst, [SeqCst; 2], None),
    ),
    forbidden(
        "IRIW+fences",
        "RC11",
        |it| it.seen[2..] == [10, 10],
        || iriw(Relaxed, [Relaxed; 2], Some(SeqCst)),
    ),
    allowed(
        "IRIW+acqrel fences",
        "C11",
        |it| it.seen[2..] == [10, 10],
        || iriw(Relaxed, [Relaxed; 2], Some(AcqRel)),
    ),
    allowed(
        "IRIW-acq-sc",
        "RC11: C11 forbade it",
        |it| it.seen[2..] == [10, 10],
        || iriw(SeqCst, [Acquire, SeqCst], None),
    ),
    allowed(
        "RWC+rel+acq",
        "Power, RA",
        |it| it.seen[1..] == [10, 0],
        || rwc([Release, Acquire], None),
    ),
    forbidden("RWC+sc", "C11", |it| it.seen[1..] == [10, 0], || rwc([SeqCst; 2], None)),
    forbidden(
        "RWC+syncs",
        "RC11: C11 allowed it",
        |it| it.seen[1..] == [10, 0],
        || rwc([Relaxed; 2], Some(SeqCst)),
    ),
    allowed("Z6.U", "RC11: C11 forbade it", |it| it.seen[1..] == [13, 0], z6u),
];
