//! Futures that two flavours see, the thread's and the loop's: their histories are explained by the
//! specification of one future.

use std::{future, panic, sync::Arc, task::Poll};

use loom::thread;
use settled::{
    Cancel, Closed, EventLoop, LoopFuture, LoopHandle, bridge,
    model::{Answer, End, Op, Spec},
};

use crate::{
    explore::{bound, explore_histories},
    futures::{Call, Futures, Recorder},
    history::{Caller, History},
    jobs,
    pairs::{Begin, ERROR, PANIC, PRODUCERS, VALUE},
    real::end,
    uses::{Future, USES, Use, produce, produce_all, spawn_user, use_all, use_at_last, use_it},
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
        let future = sent.map_err(|Closed(coroutine)| {
            // It never was the loop's.
            drop(coroutine);
            recorder.history().takes_back(|_| true);
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

/// A loop against the thread that sent it a coroutine. A loop that is closed at once is explored without any bound;
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

/// What a loop does with its view of a future.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ViewUse {
    Cancel,
    Register,
    Await,
}

/// The callback of a view: its call is a wait that begins when it is registered.
const CALLBACK: Caller = 150;
/// Who awaits the view.
const TASK: Caller = 151;

/// A program: a promise in a thread, and how a loop uses its view.
#[derive(Clone, Copy, Debug)]
struct Wrapped {
    begin: Begin,
    /// Whether a callback of the thread future is registered before they begin.
    registered: bool,
    producer: &'static [Op],
    uses: &'static [ViewUse],
    /// Whether the loop is closed after these uses, or awaits the future first.
    closes: bool,
}

impl Wrapped {
    fn run(self, history: &History<Futures>) -> Futures {
        let recorder = Recorder::new(history);
        let (mut producer, future, spec) = self.begin.make();
        if self.begin == Begin::Running {
            produce(&recorder, &mut producer, Op::Start);
        }
        if self.registered {
            use_it(&recorder, &future, Use::Register, 0);
        }
        let settler = thread::spawn({
            let recorder = recorder.clone();
            move || produce_all(&recorder, &mut producer, self.producer)
        });
        let view = use_through_a_loop(&recorder, &future, self.uses, self.closes);
        settler.join().unwrap();
        // The loop is closed: it reads through.
        recorder.wait(|| end(view.settled().unwrap().result()));
        use_at_last(&recorder, &future);
        Futures::new([spec])
    }
}

/// Uses the view of a loop of this thread, until the loop is closed.
fn use_through_a_loop(
    recorder: &Recorder,
    future: &Future,
    uses: &[ViewUse],
    closes: bool,
) -> LoopFuture<u8, u8> {
    let event_loop = EventLoop::new();
    let view = bridge::wrap_future(future, &event_loop);
    for what in uses {
        use_view(recorder, &event_loop, &view, *what);
    }
    if !closes {
        event_loop.run_until_complete(&view).unwrap();
    }
    drop(event_loop);
    let history = recorder.history();
    // A callback that has not run is dropped with the loop.
    assert!(closes || history.open(CALLBACK).is_none(), "the callback of the view did not run");
    history.takes_back(|(_, call)| *call == Call::Op(Op::Read));
    if history.open(history.here()).is_some() {
        recorder.ends(history.here(), Answer::Cancel(Cancel::Now));
    }
    view
}

fn use_view(recorder: &Recorder, event_loop: &EventLoop, view: &LoopFuture<u8, u8>, what: ViewUse) {
    match what {
        ViewUse::Cancel => {
            let here = recorder.history().here();
            recorder.begins(here, Op::Cancel);
            let answer = view.cancel();
            // If it has settled the future, the loop runs the callbacks of the thread future later.
            if answer != Cancel::Now {
                recorder.ends(here, Answer::Cancel(answer));
            }
        }
        ViewUse::Register => {
            recorder.begins(CALLBACK, Op::Read);
            let recorder = recorder.clone();
            view.add_done_callback(move |settled| {
                recorder.ends(CALLBACK, Answer::Read(Some(end(settled.result()))));
            });
        }
        ViewUse::Await => {
            recorder.begins(TASK, Op::Read);
            let settled = event_loop.run_until_complete(view).unwrap();
            recorder.ends(TASK, Answer::Read(Some(end(settled.result()))));
        }
    }
}

const VIEW_USES: [&[ViewUse]; 6] = {
    use ViewUse::*;
    [&[Cancel], &[Register], &[Await], &[Cancel, Register], &[Register, Cancel], &[Cancel, Await]]
};

/// A promise in a thread against a loop that has a view of its future: two threads, without any bound.
pub(crate) fn every_use_of_a_view() {
    let mut programs = 0;
    for (begin, producer) in PRODUCERS {
        for uses in VIEW_USES {
            for registered in [false, true] {
                for closes in [false, true] {
                    let program = Wrapped { begin, registered, producer, uses, closes };
                    explore_histories(&format!("{program:?}"), None, move |it| program.run(it));
                    programs += 1;
                }
            }
        }
    }
    println!("loom: every_use_of_a_view: {programs} programs");
    assert_eq!(programs, 17 * 6 * 2 * 2);
}

/// A worker against a loop that has a view of its job. Three preemptions, as for every job.
pub(crate) fn every_use_of_the_view_of_a_job() {
    let mut programs = 0;
    for end in [End::Value(1), End::Error(2), End::Panicked] {
        for uses in VIEW_USES {
            explore_histories(
                &format!("view of a job {end:?} {uses:?}"),
                bound(),
                move |history| {
                    let recorder = Recorder::new(history);
                    history.here();
                    let pool = jobs::pool(history, 1);
                    let future = jobs::submit(&recorder, &pool, end);
                    use_it(&recorder, &future, Use::Register, 0);
                    drop(use_through_a_loop(&recorder, &future, uses, false));
                    jobs::shut_down(&recorder, &pool, false);
                    use_at_last(&recorder, &future);
                    Futures::new([Spec::new()])
                },
            );
            programs += 1;
        }
    }
    println!("loom: every_use_of_the_view_of_a_job: {programs} programs");
    assert_eq!(programs, 3 * 6);
}
