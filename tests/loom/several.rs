//! `wait` and `as_completed` of two futures, which two threads settle: one history of both futures.
//!
//! At most three preemptions, or four with `SETTLED_FULL=1`: a settlement is one critical section of the cell and one
//! of the inbox, and each of the two settlers can be interrupted between its two, and the one who waits before it
//! goes to sleep.

use std::array;

use loom::thread;
use settled::{
    ReturnWhen::{self, AllCompleted, FirstCompleted, FirstException},
    as_completed,
    model::{Answer, Op, Spec},
    wait,
};

use crate::{
    explore::{bound, explore_histories},
    futures::{Call, Futures, Recorder, Told},
    history::{Caller, History},
    pairs::{Begin, ERROR, VALUE},
    real::end,
    uses::{Future, produce_all, use_at_last},
};

/// How one waits for both.
#[derive(Clone, Copy, Debug)]
enum Waits {
    For(ReturnWhen),
    AsCompleted,
}

/// A program: how each of two promises is settled, and how their futures are waited for.
#[derive(Clone, Copy, Debug)]
struct Program {
    settle: [Op; 2],
    waits: Waits,
}

impl Program {
    fn run(self, history: &History<Futures>) -> Futures {
        let first = Recorder::new(history);
        let recorders = [first.of(0), first.of(1)];
        let mut futures = Vec::new();
        let settlers = array::from_fn::<_, 2, _>(|at| {
            let (mut producer, future, _) = Begin::Pending.make();
            futures.push(future);
            let recorder = recorders[at].clone();
            thread::spawn(move || produce_all(&recorder, &mut producer, &self.settle[at..=at]))
        });
        match self.waits {
            Waits::For(when) => self.wait(&recorders, &futures, when),
            Waits::AsCompleted => complete(&first, &futures),
        }
        for settler in settlers {
            settler.join().unwrap();
        }
        for (recorder, future) in recorders.iter().zip(&futures) {
            use_at_last(recorder, future);
        }
        Futures::new([Spec::new(), Spec::new()])
    }

    /// The wait is one look at each of the two.
    fn wait(self, recorders: &[Recorder; 2], futures: &[Future], when: ReturnWhen) {
        const LOOKS: [Caller; 2] = [100, 101];
        for (recorder, look) in recorders.iter().zip(LOOKS) {
            recorder.begins(look, Op::Read);
        }
        let (done, not_done) = wait(futures, None, when).unwrap();
        let fails = |at: &usize| self.settle[*at] == ERROR;
        let is_enough = match when {
            FirstCompleted => !done.is_empty(),
            FirstException => done.iter().any(|(at, _)| fails(at)),
            AllCompleted => false,
        };
        assert!(is_enough || not_done.is_empty(), "it waited for less than was asked for");
        for (at, settled) in done {
            recorders[at].ends(LOOKS[at], Answer::Read(Some(end(settled.result()))));
        }
        for (at, _) in not_done {
            recorders[at].ends(LOOKS[at], Answer::Read(None));
        }
    }
}

/// Yields each in the order in which they settle.
fn complete(recorder: &Recorder, futures: &[Future]) {
    let mut completed = None;
    recorder.call(Call::Listen, || {
        completed = Some(as_completed(futures, None));
        Told::Listens
    });
    let mut completed = completed.unwrap();
    for _ in 0..3 {
        recorder.call(Call::Next, || {
            let next = completed.next().map(Result::unwrap);
            Told::Yielded(
                next.map(|(at, settled)| (u8::try_from(at).unwrap(), end(settled.result()))),
            )
        });
    }
}

/// `[wait-5]` `[wait-6]` Each way to wait against each pair of ways to settle: three threads.
pub(crate) fn every_wait_for_two() {
    const SETTLES: [Op; 3] = [VALUE, ERROR, Op::Abandon];
    let waits = [
        Waits::For(AllCompleted),
        Waits::For(FirstCompleted),
        Waits::For(FirstException),
        Waits::AsCompleted,
    ];
    let mut programs = 0;
    for waits in waits {
        for one in SETTLES {
            for other in SETTLES {
                let program = Program { settle: [one, other], waits };
                explore_histories(&format!("{program:?}"), bound(), move |it| program.run(it));
                programs += 1;
            }
        }
    }
    println!("loom: every_wait_for_two: {programs} programs");
    assert_eq!(programs, 4 * 3 * 3);
}
