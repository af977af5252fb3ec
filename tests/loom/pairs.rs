//! Every pair of concurrent calls on one future, and many triples, each in every interleaving; and each history
//! is explained by the sequential specification that the models are built of.

use std::{sync::Arc, task::Waker};

use loom::thread;
use settled::{
    ReturnWhen, ThreadFuture, as_completed,
    model::{Answer, End, Op, Spec},
    wait,
};

use crate::{
    explore::{block_on, explore_histories},
    history::{Call, History},
    real::{Producer, end, read},
};

/// In which phase the promise is when the threads begin.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Begin {
    Pending,
    Running,
    Owned,
}

/// What somebody does who has a handle of the future.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Use {
    Cancel,
    Read,
    Done,
    Cancelled,
    Running,
    Register,
    /// `result`, which parks; an await; `wait` and `as_completed` of this one future.
    Result,
    Await,
    Wait,
    AsCompleted,
}

use Use::*;

const VALUE: Op = Op::Settle(End::Value(1));
const ERROR: Op = Op::Settle(End::Error(2));
const PANIC: Op = Op::Settle(End::Panicked);

/// Each transition that a promise can make, one or two at a time. What is left of it is dropped by its thread.
const PRODUCERS: [(Begin, &[Op]); 17] = [
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

const USES: [&[Use]; 15] = [
    &[Cancel],
    &[Read],
    &[Done],
    &[Cancelled],
    &[Running],
    &[Register],
    &[Result],
    &[Await],
    &[Wait],
    &[AsCompleted],
    &[Cancel, Register],
    &[Register, Cancel],
    &[Cancel, Cancel],
    &[Register, Result],
    &[Done, Read],
];

/// A program: the promise's thread and those of one or two others.
#[derive(Clone, Copy, Debug)]
struct Program {
    begin: Begin,
    /// Whether a callback is registered before they begin.
    registered: bool,
    producer: &'static [Op],
    users: [&'static [Use]; 2],
}

impl Program {
    fn run(self, history: &History) -> Spec {
        let (producer, future) = if self.begin == Begin::Owned {
            let (promise, future) = ThreadFuture::owned(Waker::noop().clone());
            (Producer::Owned(promise), future)
        } else {
            let (promise, future) = ThreadFuture::promise();
            (Producer::Pending(promise), future)
        };
        let (mut producer, future) = (producer, Arc::new(future));
        if self.begin == Begin::Running {
            produce(history, &mut producer, Op::Start);
        }
        if self.registered {
            use_it(history, &future, Register, 0);
        }
        let other = (!self.users[1].is_empty()).then(|| {
            let (history, future) = (history.clone(), Arc::clone(&future));
            thread::spawn(move || use_all(&history, &future, self.users[1], 4))
        });
        let settler = thread::spawn({
            let history = history.clone();
            move || {
                for op in self.producer {
                    produce(&history, &mut producer, *op);
                }
                produce(&history, &mut producer, Op::Abandon);
            }
        });
        use_all(history, &future, self.users[0], 1);
        settler.join().unwrap();
        if let Some(other) = other {
            other.join().unwrap();
        }
        // What all of them left behind.
        use_it(history, &future, Read, 0);
        use_it(history, &future, Register, 9);
        if self.begin == Begin::Owned { Spec::owned() } else { Spec::new() }
    }
}

fn produce(history: &History, producer: &mut Producer, op: Op) {
    if !matches!(producer, Producer::Gone) {
        history.op(op, || producer.invoke(op).expect("the types allow it"));
    }
}

fn use_all(history: &History, future: &ThreadFuture<u8, u8>, uses: &[Use], first: u8) {
    for (what, name) in uses.iter().zip(first..) {
        use_it(history, future, *what, name);
    }
}

fn use_it(history: &History, future: &ThreadFuture<u8, u8>, what: Use, name: u8) {
    match what {
        Cancel => drop(history.op(Op::Cancel, || Answer::Cancel(future.cancel()))),
        Read => drop(history.op(Op::Read, || Answer::Read(read(future)))),
        Done => drop(history.look(Call::Done, || future.done())),
        Cancelled => drop(history.look(Call::Cancelled, || future.cancelled())),
        Running => drop(history.look(Call::Running, || future.running())),
        Register => {
            let callback = history.callback(name);
            history.op(Op::Register(name), || {
                future.add_done_callback(move |_| callback());
                Answer::Done
            });
        }
        Result => drop(history.wait(|| end(future.wait().unwrap().result()))),
        Await => drop(history.wait(|| end(block_on(future).result()))),
        Wait => drop(history.wait(|| {
            let (done, _) = wait([future], None, ReturnWhen::AllCompleted).unwrap();
            end(done[0].1.result())
        })),
        AsCompleted => drop(
            history.wait(|| end(as_completed([future], None).next().unwrap().unwrap().1.result())),
        ),
    }
}

/// The promise against one user: two threads, without any bound.
pub(crate) fn every_pair() {
    let mut programs = 0;
    for (begin, producer) in PRODUCERS {
        for users in USES {
            for registered in [false, true] {
                let program = Program { begin, registered, producer, users: [users, &[]] };
                explore_histories(&format!("{program:?}"), None, move |it| program.run(it));
                programs += 1;
            }
        }
    }
    println!("loom: every_pair: {programs} programs");
    assert_eq!(programs, 17 * 15 * 2);
}

/// How many preemptions a triple may have: three, or four with `SETTLED_FULL=1`.
fn bound() -> Option<usize> {
    Some(if std::env::var_os("SETTLED_FULL").is_some() { 4 } else { 3 })
}

/// The promise against two users: three threads. At most three preemptions: each thread makes one call, which is one
/// critical section and at most one more, of who parks or is told; so that each of the three can be interrupted once
/// between its two.
pub(crate) fn many_triples() {
    const SETTLES: [(Begin, &[Op]); 5] = [
        (Begin::Pending, &[VALUE]),
        (Begin::Pending, &[Op::Start, VALUE]),
        (Begin::Pending, &[Op::Abandon]),
        (Begin::Running, &[ERROR]),
        (Begin::Owned, &[Op::Requested, Op::Stop]),
    ];
    let uses: [&[Use]; 7] =
        [&[Cancel], &[Read], &[Register], &[Result], &[Await], &[Wait], &[AsCompleted]];
    let mut programs = 0;
    for (begin, producer) in SETTLES {
        for (at, one) in uses.iter().enumerate() {
            for other in &uses[at..] {
                let program = Program { begin, registered: false, producer, users: [one, other] };
                explore_histories(&format!("{program:?}"), bound(), move |it| program.run(it));
                programs += 1;
            }
        }
    }
    println!("loom: many_triples: {programs} programs");
    assert_eq!(programs, 5 * 28);
}
