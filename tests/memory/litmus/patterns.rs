//! What programs are made of: counts, locks, flags.

use super::{Litmus, X, Y, Z, allowed, forbidden, racy, xyz};
use crate::explore::End;
use crate::program::{
    Order::{self, AcqRel, Acquire, Relaxed, Release, SeqCst},
    Program, Thread,
};

/// Two handles of one allocation: each writes through its own, and the last frees. `z` counts.
fn counted(decrement: Order, fence: Option<Order>) -> Program {
    let one = move |at| {
        move |t: &mut Thread<'_>| {
            t.read(at)?;
            if t.fetch(Z, decrement, |it| it.wrapping_sub(1))? > 1 {
                return Ok(0);
            }
            if let Some(order) = fence {
                t.fence(order)?;
            }
            t.free(&[X, Y])?;
            Ok(1)
        }
    };
    xyz().starts(Z, 2).thread(one(X)).thread(one(Y))
}

/// A writer, and a reader that reads again what it has read before: `x` and `y` are the data, `z` the sequence.
fn seqlock(data: Order, fence: Option<Order>) -> Program {
    xyz()
        .thread(move |t| {
            t.store(Z, 1, Relaxed)?;
            t.fence(Release)?;
            t.store(X, 1, data)?;
            t.store(Y, 1, data)?;
            t.store(Z, 2, Release)?;
            Ok(0)
        })
        .thread(move |t| {
            let before = t.load(Z, Acquire)?;
            let seen = 10 * t.load(X, data)? + t.load(Y, data)?;
            if let Some(order) = fence {
                t.fence(order)?;
            }
            let after = t.load(Z, if fence.is_some() { Relaxed } else { Acquire })?;
            Ok(if before == after && before % 2 == 0 { seen } else { 0 })
        })
}

/// Two who each add one under a lock made by hand; `y` is the lock.
fn locked(take: Order, release: Order) -> Program {
    let one = move |t: &mut Thread<'_>| {
        // Who does not get it does nothing.
        if t.cas(Y, [0, 1], [take, Relaxed])?.is_err() {
            return Ok(0);
        }
        let x = t.read(X)?;
        t.write(X, x + 1)?;
        t.store(Y, 0, release)?;
        Ok(1)
    };
    xyz().thread(one).thread(one)
}

/// The same with the lock of the suite.
fn locks() -> Program {
    let one = |t: &mut Thread<'_>| {
        t.lock(Y)?;
        let x = t.read(X)?;
        t.write(X, x + 1)?;
        t.unlock(Y)?;
        Ok(x)
    };
    xyz().thread(one).thread(one)
}

/// Dekker: each says that it wants to, and enters if the other does not.
fn dekker(order: [Order; 2], fence: Option<Order>) -> Program {
    let [store, load] = order;
    let one = move |mine, other| {
        move |t: &mut Thread<'_>| {
            t.store(mine, 1, store)?;
            if let Some(order) = fence {
                t.fence(order)?;
            }
            if t.load(other, load)? == 1 {
                return Ok(0);
            }
            t.write(Z, 1)?;
            Ok(1)
        }
    };
    xyz().thread(one(X, Y)).thread(one(Y, X))
}

/// Made once, and looked at before the lock is taken.
fn once(look: Order) -> Program {
    let one = move |t: &mut Thread<'_>| {
        if t.load(Y, look)? == 1 {
            return t.read(X);
        }
        t.lock(Z)?;
        if t.load(Y, Relaxed)? == 0 {
            t.write(X, 7)?;
            t.store(Y, 1, Release)?;
        }
        t.unlock(Z)?;
        t.read(X)
    };
    xyz().thread(one).thread(one)
}

/// A failed compare-and-swap that reads what was published.
fn failed(failure: Order) -> Program {
    xyz()
        .thread(|t| {
            t.write(X, 1)?;
            t.store(Y, 1, Release)?;
            Ok(0)
        })
        .thread(move |t| match t.cas(Y, [0, 2], [Relaxed, failure])? {
            Ok(_) => Ok(1),
            Err(_) => t.read(X),
        })
}

fn counts() -> Program {
    let one = |t: &mut Thread<'_>| t.fetch(X, Relaxed, |it| it + 1);
    xyz().thread(one).thread(one).thread(one)
}

fn swaps() -> Program {
    let one = |t: &mut Thread<'_>| Ok(u64::from(t.cas(X, [0, 1], [Relaxed; 2])?.is_ok()));
    xyz().thread(one).thread(one).thread(one)
}

/// Two locks, taken the other way round.
pub(crate) fn crossed() -> Program {
    let one = |a, b| {
        move |t: &mut Thread<'_>| {
            t.lock(a)?;
            t.lock(b)?;
            t.unlock(b)?;
            t.unlock(a)?;
            Ok(0)
        }
    };
    xyz().thread(one(X, Y)).thread(one(Y, X))
}

/// The reader has seen half of what was written.
fn torn(end: &End) -> bool {
    matches!(end.seen[1], 1 | 10)
}

pub(super) const ALL: &[Litmus] = &[
    forbidden(
        "Arc, release and an acquire fence",
        "FSL",
        |it| it.frees != 1,
        || counted(Release, Some(Acquire)),
    ),
    forbidden("Arc, acquire and release", "FSL", |it| it.frees != 1, || counted(AcqRel, None)),
    racy("Arc, relaxed", "FSL", || counted(Relaxed, Some(Acquire))),
    racy("Arc, no acquire", "FSL", || counted(Release, None)),
    forbidden("seqlock", "Seqlocks", torn, || seqlock(Relaxed, Some(Acquire))),
    allowed("seqlock, an acquire for the fence", "Seqlocks", torn, || seqlock(Relaxed, None)),
    racy("seqlock, plain data", "Seqlocks", || seqlock(Order::Plain, Some(Acquire))),
    forbidden(
        "lock by hand",
        "C++",
        |it| it.memory[X] != it.seen.iter().sum::<u64>(),
        || locked(Acquire, Release),
    ),
    racy("lock by hand, relaxed taken", "C++", || locked(Relaxed, Release)),
    racy("lock by hand, relaxed let go", "C++", || locked(Acquire, Relaxed)),
    forbidden("lock", "C++", |it| it.memory[X] != 2, locks),
    forbidden("Dekker+sc", "C++", |it| it.seen == [1, 1], || dekker([SeqCst; 2], None)),
    racy("Dekker+rel+acq", "C11", || dekker([Release, Acquire], None)),
    forbidden(
        "Dekker+fences",
        "C11",
        |it| it.seen == [1, 1],
        || dekker([Relaxed; 2], Some(SeqCst)),
    ),
    forbidden("made once", "C++", |it| it.seen != [7, 7], || once(Acquire)),
    racy("made once, relaxed look", "C++", || once(Relaxed)),
    forbidden(
        "failed swap that acquires",
        "C++ [atomics.types.operations]",
        |it| it.seen[1] == 0,
        || failed(Acquire),
    ),
    racy("failed swap, relaxed", "C++ [atomics.types.operations]", || failed(Relaxed)),
    forbidden("relaxed counting", "C++ [atomics.order]", |it| it.memory[X] != 3, counts),
    forbidden(
        "one of three swaps",
        "C++ [atomics.order]",
        |it| it.seen.iter().sum::<u64>() != 1,
        swaps,
    ),
];
