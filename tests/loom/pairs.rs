//! Every pair of concurrent calls on one future, many triples and some quadruples; and each history is explained by
//! the sequential specification that the models are built of.

use std::{sync::Arc, task::Waker};

use loom::thread;
use settled::{
    ThreadFuture,
    model::{End, Op, Spec},
};

use crate::{
    explore::{bound, explore_histories},
    futures::{Futures, Recorder},
    history::History,
    real::Producer,
    uses::{
        USES,
        Use::{self, *},
        produce, produce_all, spawn_user, use_all, use_at_last, use_it,
    },
};

/// In which phase the promise is when the threads begin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Begin {
    Pending,
    Running,
    Owned,
}

impl Begin {
    /// A promise, which is to be started if it is to be running, its future, and what they are like.
    pub(crate) fn make(self) -> (Producer, ThreadFuture<u8, u8>, Spec) {
        if self == Self::Owned {
            let (promise, future) = ThreadFuture::owned_pair(Waker::noop().clone());
            (Producer::Owned(promise), future, Spec::owned())
        } else {
            let (promise, future) = ThreadFuture::pair();
            (Producer::Pending(promise), future, Spec::new())
        }
    }
}

pub(crate) const VALUE: Op = Op::Settle(End::Value(1));
pub(crate) const ERROR: Op = Op::Settle(End::Error(2));
pub(crate) const PANIC: Op = Op::Settle(End::Panicked);

/// Each transition that a promise can make, one or two at a time. What is left of it is dropped by its thread.
pub(crate) const PRODUCERS: [(Begin, &[Op]); 17] = [
    (Begin::Pending, &[Op::Start]),
    (Begin::Pending, &[VALUE]),
    (Begin::Pending, &[ERROR]),
    (Begin::Pending, &[Op::Abandon]),
    (Begin::Pending, &[Op::Start, VALUE]),
    (Begin::Pending, &[Op::Start, Op::Requested, PANIC]),
    (Begin::Running, &[VALUE]),
    (Begin::Running, &[ERROR]),
    (Begin::Running, &[PANIC]),
    (Begin::Running, &[Op::Abandon]),
    (Begin::Running, &[Op::Requested, VALUE]),
    (Begin::Owned, &[VALUE]),
    (Begin::Owned, &[ERROR]),
    (Begin::Owned, &[PANIC]),
    (Begin::Owned, &[Op::Stop]),
    (Begin::Owned, &[Op::Abandon]),
    (Begin::Owned, &[Op::Requested, Op::Stop]),
];

/// A program: the promise's thread and those of up to three others.
#[derive(Clone, Copy, Debug)]
struct Program {
    begin: Begin,
    /// Whether a callback is registered before they begin.
    registered: bool,
    producer: &'static [Op],
    users: [&'static [Use]; 3],
}

impl Program {
    fn run(self, history: &History<Futures>) -> Futures {
        let recorder = Recorder::new(history);
        let (mut producer, future, spec) = self.begin.make();
        let future = Arc::new(future);
        if self.begin == Begin::Running {
            produce(&recorder, &mut producer, Op::Start);
        }
        if self.registered {
            use_it(&recorder, &future, Register, 0);
        }
        let others = self.users[1..].iter().filter(|uses| !uses.is_empty());
        let users: Vec<_> =
            others.zip([4, 6]).map(|(uses, at)| spawn_user(&recorder, &future, uses, at)).collect();
        let settler = thread::spawn({
            let recorder = recorder.clone();
            move || produce_all(&recorder, &mut producer, self.producer)
        });
        use_all(&recorder, &future, self.users[0], 1);
        settler.join().unwrap();
        for user in users {
            user.join().unwrap();
        }
        use_at_last(&recorder, &future);
        Futures::new([spec])
    }
}

/// `[read-1]` `[read-3]` `[promise-2]` `[cancel-1]` `[cancel-3]` The promise against one user: two threads, without any bound.
pub(crate) fn every_pair() {
    let mut programs = 0;
    for (begin, producer) in PRODUCERS {
        for users in USES {
            for registered in [false, true] {
                let program = Program { begin, registered, producer, users: [users, &[], &[]] };
                explore_histories(&format!("{program:?}"), None, move |it| program.run(it));
                programs += 1;
            }
        }
    }
    println!("loom: every_pair: {programs} programs");
    assert_eq!(programs, 17 * 15 * 2);
}

/// How the promise is settled against several users.
const SETTLES: [(Begin, &[Op]); 5] = [
    (Begin::Pending, &[VALUE]),
    (Begin::Pending, &[Op::Start, VALUE]),
    (Begin::Pending, &[Op::Abandon]),
    (Begin::Running, &[ERROR]),
    (Begin::Owned, &[Op::Requested, Op::Stop]),
];

/// The promise against two users: three threads. At most three preemptions: each thread makes one call, which is one
/// critical section and at most one more, of who parks or is told; so that each of the three can be interrupted once
/// between its two.
pub(crate) fn many_triples() {
    let uses: [&[Use]; 7] =
        [&[Cancel], &[Read], &[Register], &[Result], &[Await], &[Wait], &[AsCompleted]];
    let mut programs = 0;
    for (begin, producer) in SETTLES {
        for (at, one) in uses.iter().enumerate() {
            for other in &uses[at..] {
                let program =
                    Program { begin, registered: false, producer, users: [one, other, &[]] };
                explore_histories(&format!("{program:?}"), bound(), move |it| program.run(it));
                programs += 1;
            }
        }
    }
    println!("loom: many_triples: {programs} programs");
    assert_eq!(programs, 5 * 28);
}

/// The promise against three users: four threads. At most three preemptions, as for three threads: one settles and one
/// is told or registers, which are the two that can be parted between look and act; the third preemption is for
/// another who comes between them, and whoever is left goes before or after. Not all 84 triples of uses: those in
/// which all differ in kind, and those in which two cancellers or two registrants race. At most one of them waits for
/// several, since two that do have ten times as many interleavings.
pub(crate) fn some_quadruples() {
    let uses: [[&[Use]; 3]; 5] = [
        [&[Cancel], &[Result], &[Register]],
        [&[Cancel], &[Await], &[Register]],
        [&[Cancel], &[Wait], &[Register]],
        [&[Cancel], &[Cancel], &[Result]],
        [&[Register], &[Register], &[Read]],
    ];
    let mut programs = 0;
    for (begin, producer) in SETTLES {
        for users in uses {
            let program = Program { begin, registered: false, producer, users };
            explore_histories(&format!("{program:?}"), bound(), move |it| program.run(it));
            programs += 1;
        }
    }
    println!("loom: some_quadruples: {programs} programs");
    assert_eq!(programs, 5 * 5);
}
