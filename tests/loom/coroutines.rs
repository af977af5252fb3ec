//! Coroutines that one thread sends to the loop of another: the histories of their futures are explained by the
//! specification of a future whose work has an owner.

use std::{future, panic, sync::Arc, task::Poll};

use loom::thread;
use settled::{
    EventLoop, LoopHandle, Promise, ThreadFuture, bridge,
    model::{Answer, End, Op, Spec},
};

use crate::{
    explore::{bound, explore_histories},
    futures::{Call, Futures, Recorder},
    history::History,
    real::end,
    uses::{Future, USES, Use, spawn_user, use_all, use_at_last, use_it},
};

/// How a coroutine behaves, if nobody stops it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Coroutine {
    /// Ends so in its first step, or in its second.
    Ends(End),
    EndsLater(End),
    /// Never ends.
    Waits,
}

/// What a coroutine holds. It goes when the coroutine goes, and then the loop calls the promise; that is over when
/// the loop is.
struct Held {
    recorder: Recorder,
    op: Op,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.recorder.begins(self.recorder.history().here(), self.op);
    }
}

impl Coroutine {
    async fn run(self, mut held: Held) -> Result<u8, u8> {
        let end = match self {
            Self::Ends(end) => end,
            Self::EndsLater(end) => {
                yield_once().await;
                end
            }
            Self::Waits => future::pending().await,
        };
        held.op = Op::Settle(end);
        match end {
            End::Value(value) => Ok(value),
            End::Error(error) => Err(error),
            // Without the hook, which would report it.
            _ => panic::resume_unwind(Box::new(())),
        }
    }
}

/// One step more.
async fn yield_once() {
    let mut yielded = false;
    future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A program: a coroutine that one thread sends to the loop of another, and how it uses the future of it.
#[derive(Clone, Copy, Debug)]
struct Sent {
    coroutine: Coroutine,
    /// Whether the loop runs until the sender stops it, or is closed at once.
    runs: bool,
    /// Whether a callback is registered before the future is used.
    registered: bool,
    /// The uses of the sender, and of another thread.
    uses: [&'static [Use]; 2],
}

impl Sent {
    fn run(self, history: &History<Futures>) -> Futures {
        let recorder = Recorder::new(history);
        let event_loop = EventLoop::new();
        let sender = thread::spawn({
            let (recorder, handle) = (recorder.clone(), event_loop.handle());
            move || self.send(&recorder, &handle)
        });
        if self.runs {
            event_loop.run_forever().unwrap();
        }
        drop(event_loop);
        recorder.is_done(history.here());
        if let Some(future) = sender.join().unwrap() {
            use_at_last(&recorder, &future);
        }
        Futures::new([Spec::owned()])
    }

    fn send(self, recorder: &Recorder, handle: &LoopHandle) -> Option<Arc<Future>> {
        let held = Held { recorder: recorder.clone(), op: Op::Stop };
        let sent = bridge::run_coroutine_threadsafe_result(self.coroutine.run(held), handle);
        let future = sent.map_err(|closed| {
            let coroutine = closed.into_inner();
            // It never was the loop's.
            drop(coroutine);
            recorder.history().takes_back(|_, (_, call)| *call == Call::Op(Op::Stop));
        });
        let future = future.ok()?;
        if self.registered {
            use_it(recorder, &future, Use::Register, 0);
        }
        let future = Arc::new(future);
        let [mine, others] = self.uses;
        let other = (!others.is_empty()).then(|| spawn_user(recorder, &future, others, 4));
        use_all(recorder, &future, mine, 1);
        if let Some(other) = other {
            other.join().unwrap();
        }
        handle.stop();
        Some(future)
    }
}

/// `[loop-7]` `[cancel-4]` `[bridge-3]` A loop against the thread that sent it a coroutine. A loop that is closed at once is explored without any bound;
/// one that runs has at most three preemptions, or four with `SETTLED_FULL=1`: there are four hand-overs, of the
/// coroutine, of a request, of the outcome and of the stop, one after the other, and three are enough to have any of
/// them met by the other thread in its own step, going to sleep or waking up. No bound finds no other history.
pub(crate) fn every_use_of_a_coroutine() {
    use Coroutine::*;
    let run = [Ends(End::Value(1)), EndsLater(End::Error(2)), Ends(End::Panicked)];
    let closed = [Ends(End::Value(1)), Waits];
    let all = run.map(|it| (it, true)).into_iter().chain(closed.map(|it| (it, false)));
    let mut programs = 0;
    for (coroutine, runs) in all {
        for registered in [false, true] {
            for uses in USES {
                let program = Sent { coroutine, runs, registered, uses: [uses, &[]] };
                let bound = if runs { bound() } else { None };
                explore_histories(&format!("{program:?}"), bound, move |it| program.run(it));
                programs += 1;
            }
        }
    }
    println!("loom: every_use_of_a_coroutine: {programs} programs");
    assert_eq!(programs, 5 * 2 * 15);
}

/// A loop against the thread that sent it a coroutine and another that uses it: three threads. Three preemptions, as
/// for two threads: one for each of them.
pub(crate) fn a_coroutine_against_two_users() {
    let uses: [[&[Use]; 2]; 4] = [
        [&[Use::Result], &[Use::Cancel]],
        [&[Use::Register], &[Use::Cancel]],
        [&[Use::Cancel], &[Use::Cancel]],
        [&[Use::Read], &[Use::Await]],
    ];
    for coroutine in [Coroutine::Ends(End::Value(1)), Coroutine::EndsLater(End::Error(2))] {
        for uses in uses {
            let program = Sent { coroutine, runs: true, registered: false, uses };
            explore_histories(&format!("{program:?}"), bound(), move |it| program.run(it));
        }
    }
}

/// Awaits a coroutine of another loop, whose future this recorder is for, while this loop runs one of that loop's;
/// until the other loop has had its answer too.
fn serve(
    recorder: &Recorder,
    event_loop: &EventLoop,
    other: &LoopHandle,
    done: Promise<(), ()>,
    other_done: &ThreadFuture<(), ()>,
) {
    let task = 150 + recorder.number();
    let held = Held { recorder: recorder.clone(), op: Op::Stop };
    let coroutine = Coroutine::Ends(End::Value(5)).run(held);
    let Ok(remote) = bridge::run_coroutine_threadsafe_result(coroutine, other) else {
        panic!("the other loop is open")
    };
    let view = bridge::wrap_future(&remote, event_loop);
    let other_done = bridge::wrap_future(other_done, event_loop);
    let served = event_loop.run_until_complete(async {
        recorder.begins(task, Op::Read);
        let settled = view.await;
        recorder.ends(task, Answer::Read(Some(end(settled.result()))));
        done.finish(()).unwrap();
        other_done.await;
    });
    served.unwrap();
    // What this loop has run is over.
    recorder.is_done(recorder.history().here());
}

/// `[bridge-3]` `[deadlock-1]` Two loops in two threads, each awaiting a coroutine of the other. Three preemptions: each
/// hand-over is one post, and between any two of them a preemption of each thread is allowed for.
pub(crate) fn two_loops_await_each_other() {
    explore_histories("two loops", bound(), |history| {
        let first = Recorder::new(history);
        let (tell, told) = loom::sync::mpsc::channel();
        let (one_done, one_is_done) = ThreadFuture::pair();
        let (two_done, two_is_done) = ThreadFuture::pair();
        let one = EventLoop::new();
        let home = one.handle();
        let second = first.of(1);
        let other = thread::spawn(move || {
            let two = EventLoop::new();
            tell.send(two.handle()).unwrap();
            serve(&second, &two, &home, two_done, &one_is_done);
        });
        serve(&first, &one, &told.recv().unwrap(), one_done, &two_is_done);
        other.join().unwrap();
        Futures::new([Spec::owned(), Spec::owned()])
    });
}
