//! Passing messages: from one thread to another, and over a third.

use super::{Litmus, X, Y, Z, allowed, forbidden, racy, xyz};
use crate::program::{
    Order::{self, AcqRel, Acquire, Relaxed, Release, SeqCst},
    Program,
};

/// `x` is the message and `y` the flag: `10 * flag + message`.
fn mp(store: Order, load: Order) -> Program {
    xyz()
        .thread(move |t| {
            t.store(X, 1, Relaxed)?;
            t.store(Y, 1, store)?;
            Ok(0)
        })
        .thread(move |t| Ok(10 * t.load(Y, load)? + t.load(X, Relaxed)?))
}

/// The same with a plain message, which is read if the flag is seen.
fn plain(store: Order, load: Order) -> Program {
    xyz()
        .thread(move |t| {
            t.write(X, 1)?;
            t.store(Y, 1, store)?;
            Ok(0)
        })
        .thread(move |t| if t.load(Y, load)? == 1 { t.read(X) } else { Ok(1) })
}

/// The same with fences, of which one may be missing.
fn fenced(release: Option<Order>, acquire: Option<Order>) -> Program {
    xyz()
        .thread(move |t| {
            t.write(X, 1)?;
            if let Some(order) = release {
                t.fence(order)?;
            }
            t.store(Y, 1, Relaxed)?;
            Ok(0)
        })
        .thread(move |t| {
            if t.load(Y, Relaxed)? == 0 {
                return Ok(1);
            }
            if let Some(order) = acquire {
                t.fence(order)?;
            }
            t.read(X)
        })
}

/// A release, then what makes `y` 2, and a thread that acquires 2.
fn sequence(is_own: bool, update: bool) -> Program {
    let later = move |t: &mut crate::program::Thread<'_>| {
        if update {
            t.update(Y, [Relaxed; 2], |it| (it == 1).then_some(2)).map(drop)
        } else {
            t.store(Y, 2, Relaxed)
        }
    };
    let program = xyz().thread(move |t| {
        t.write(X, 1)?;
        t.store(Y, 1, Release)?;
        if is_own {
            later(t)?;
        }
        Ok(0)
    });
    let reads = |t: &mut crate::program::Thread<'_>| {
        if t.load(Y, Acquire)? == 2 { t.read(X) } else { Ok(1) }
    };
    if is_own {
        program.thread(reads)
    } else {
        program.thread(move |t| later(t).map(|()| 0)).thread(reads)
    }
}

/// Write to read causality: `10 * y + x` of the third.
fn wrc([store, load]: [Order; 2]) -> Program {
    xyz()
        .thread(|t| t.store(X, 1, Relaxed).map(|()| 0))
        .thread(move |t| {
            let x = t.load(X, load)?;
            t.store(Y, 1, store)?;
            Ok(x)
        })
        .thread(move |t| Ok(10 * t.load(Y, load)? + t.load(X, Relaxed)?))
}

/// `x` over `y` and `z`: what each has read.
fn isa2([store, load]: [Order; 2]) -> Program {
    xyz()
        .thread(move |t| {
            t.store(X, 1, Relaxed)?;
            t.store(Y, 1, store)?;
            Ok(0)
        })
        .thread(move |t| {
            let y = t.load(Y, load)?;
            t.store(Z, 1, store)?;
            Ok(y)
        })
        .thread(move |t| Ok(10 * t.load(Z, load)? + t.load(X, Relaxed)?))
}

pub(super) const ALL: &[Litmus] = &[
    allowed("MP", "C++", |it| it.seen[1] == 10, || mp(Relaxed, Relaxed)),
    forbidden("MP+rel+acq", "C++, C11", |it| it.seen[1] == 10, || mp(Release, Acquire)),
    allowed("MP+rel+rlx", "C11", |it| it.seen[1] == 10, || mp(Release, Relaxed)),
    allowed("MP+rlx+acq", "C11", |it| it.seen[1] == 10, || mp(Relaxed, Acquire)),
    forbidden("MP+sc+sc", "C++", |it| it.seen[1] == 10, || mp(SeqCst, SeqCst)),
    forbidden("MP+na+rel+acq", "C++, C11", |it| it.seen[1] == 0, || plain(Release, Acquire)),
    racy("MP+na+rlx+acq", "C++, C11", || plain(Relaxed, Acquire)),
    racy("MP+na+rel+rlx", "C++, C11", || plain(Release, Relaxed)),
    forbidden(
        "MP+fences",
        "C11, C++ [atomics.fences]",
        |it| it.seen[1] == 0,
        || fenced(Some(Release), Some(Acquire)),
    ),
    racy("MP+fence+po", "C11", || fenced(Some(Release), None)),
    racy("MP+po+fence", "C11", || fenced(None, Some(Acquire))),
    racy("MP+fences the wrong way round", "C11", || fenced(Some(Acquire), Some(Release))),
    forbidden(
        "release sequence, an update of another",
        "C11, P0982",
        |it| it.seen[2] == 0,
        || sequence(false, true),
    ),
    forbidden(
        "release sequence, an update of the same",
        "C11, P0982",
        |it| it.seen[1] == 0,
        || sequence(true, true),
    ),
    racy("release sequence, a store of another", "C11", || sequence(false, false)),
    racy(
        "release sequence, a store of the same",
        "P0982: no part of it since C++20, as it was in C11 and RC11",
        || sequence(true, false),
    ),
    allowed("WRC", "Power, C11", |it| it.seen[1..] == [1, 10], || wrc([Relaxed; 2])),
    forbidden(
        "WRC+rel+acq",
        "Power, C11",
        |it| it.seen[1..] == [1, 10],
        || wrc([Release, Acquire]),
    ),
    allowed("ISA2", "Power", |it| it.seen[1..] == [1, 10], || isa2([Relaxed; 2])),
    forbidden(
        "ISA2+rel+acq",
        "Power, C11",
        |it| it.seen[1..] == [1, 10],
        || isa2([Release, Acquire]),
    ),
    forbidden(
        "MP+acqrel fences",
        "C11",
        |it| it.seen[1] == 0,
        || fenced(Some(AcqRel), Some(AcqRel)),
    ),
];
