//! A loop's views of thread futures: what they tell is in one history with what the futures tell, which is explained
//! by the specification of one future.

use loom::thread;
use settled::{
    Cancel, EventLoop, LoopFuture, bridge,
    model::{Answer, End, Op, Spec},
};

use crate::{
    explore::{bound, explore_histories},
    futures::{Call, Futures, Recorder},
    history::{Caller, History},
    jobs,
    pairs::{Begin, PRODUCERS},
    real::end,
    uses::{Future, Use, produce, produce_all, use_at_last, use_it},
};

/// What a loop does with its view of a future.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ViewUse {
    Cancel,
    Register,
    Await,
    /// Asks it how it has ended, which lags: what it tells was so at some time since the last turn began, or it was
    /// wrapped. Asked twice in one turn, it tells the same.
    Look,
    /// Lets the loop run for one turn.
    Turn,
}

/// The callback of a view: its call is a wait that begins when it is registered.
const CALLBACK: Caller = 150;
/// Who awaits the view.
const TASK: Caller = 151;
/// Who looks at the view.
const LOOK: Caller = 152;

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
        recorder.begins(LOOK, Op::Read);
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
    history.takes_back(|_, (_, call)| *call == Call::Op(Op::Read));
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
        ViewUse::Look => {
            let look = || view.settled().map(|settled| end(settled.result()));
            let seen = look();
            assert_eq!((look(), view.done()), (seen, seen.is_some()), "nothing ran in between");
            assert_eq!(view.cancelled(), matches!(seen, Some(End::Cancelled(_))));
            recorder.ends(LOOK, Answer::Read(seen));
        }
        ViewUse::Turn => {
            recorder.history().takes_back(|caller, _| caller == LOOK);
            recorder.begins(LOOK, Op::Read);
            event_loop.stop();
            event_loop.run_forever().unwrap();
        }
    }
}

const VIEW_USES: [&[ViewUse]; 11] = {
    use ViewUse::*;
    [
        &[Cancel],
        &[Register],
        &[Await],
        &[Cancel, Register],
        &[Register, Cancel],
        &[Cancel, Await],
        &[Look],
        &[Look, Turn, Look],
        &[Turn, Look],
        &[Cancel, Look],
        &[Register, Turn, Look],
    ]
};

/// `[loop-1]` `[bridge-1]` `[read-2]` A promise in a thread against a loop that has a view of its future: two threads, without any bound.
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
    assert_eq!(programs, 17 * 11 * 2 * 2);
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
                    recorder.begins(LOOK, Op::Read);
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
    assert_eq!(programs, 3 * 11);
}
