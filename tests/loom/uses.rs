//! What somebody does who has a handle of a future, with its history.

use std::sync::Arc;

use loom::thread;
use settled::{
    ReturnWhen, ThreadFuture, as_completed,
    model::{Answer, Op},
    wait,
};

use crate::{
    explore::block_on,
    futures::{Call, Recorder, Told},
    real::{Producer, end, read},
};

/// What somebody does who has a handle of the future.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Use {
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

pub(crate) const USES: [&[Use]; 15] = [
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

pub(crate) type Future = ThreadFuture<u8, u8>;

/// Uses a future in this way, one after the other; the callbacks get names from `first` on.
pub(crate) fn use_all(recorder: &Recorder, future: &Future, uses: &[Use], first: u8) {
    for (what, name) in uses.iter().zip(first..) {
        use_it(recorder, future, *what, name);
    }
}

pub(crate) fn use_it(recorder: &Recorder, future: &Future, what: Use, name: u8) {
    match what {
        Cancel => drop(recorder.op(Op::Cancel, || Answer::Cancel(future.cancel()))),
        Read => drop(recorder.op(Op::Read, || Answer::Read(read(future)))),
        Done => recorder.call(Call::Done, || Told::Is(future.done())),
        Cancelled => recorder.call(Call::Cancelled, || Told::Is(future.cancelled())),
        Running => recorder.call(Call::Running, || Told::Is(future.running())),
        Register => {
            let callback = recorder.callback(name);
            recorder.op(Op::Register(name), || {
                future.add_done_callback(move |_| callback());
                Answer::Done
            });
        }
        Result => recorder.wait(|| end(future.wait().unwrap().result())),
        Await => recorder.wait(|| end(block_on(future).result())),
        Wait => recorder.wait(|| {
            let (done, _) = wait([future], None, ReturnWhen::AllCompleted).unwrap();
            end(done[0].1.result())
        }),
        AsCompleted => {
            recorder.wait(|| end(as_completed([future], None).next().unwrap().unwrap().1.result()));
        }
    }
}

/// What all of them have left behind.
pub(crate) fn use_at_last(recorder: &Recorder, future: &Future) {
    use_it(recorder, future, Read, 0);
    use_it(recorder, future, Register, 9);
}

/// Makes the calls of a promise, as far as its type allows, and drops what is left of it.
pub(crate) fn produce_all(recorder: &Recorder, producer: &mut Producer, ops: &[Op]) {
    for op in ops {
        produce(recorder, producer, *op);
    }
    produce(recorder, producer, Op::Abandon);
}

pub(crate) fn produce(recorder: &Recorder, producer: &mut Producer, op: Op) {
    if !matches!(producer, Producer::Gone) {
        recorder.op(op, || producer.invoke(op).expect("the types allow it"));
    }
}

/// A thread that uses a future.
pub(crate) fn spawn_user(
    recorder: &Recorder,
    future: &Arc<Future>,
    uses: &'static [Use],
    first: u8,
) -> thread::JoinHandle<()> {
    let (recorder, future) = (recorder.clone(), Arc::clone(future));
    thread::spawn(move || use_all(&recorder, &future, uses, first))
}
