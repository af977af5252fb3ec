//! A real future, its promise and everyone who was told something.

use std::{
    future::{Future, IntoFuture},
    panic::resume_unwind,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use settled::{
    AwaitThread, Panic, Promise, Settled, ThreadFuture, WaitError,
    phase::{Owned, Pending, Running},
};

use crate::sequence::{Answer, End, Entry, Op};

/// Counts those of its kind that are there.
#[derive(Debug)]
pub(crate) struct Value {
    pub(crate) number: u32,
    there: Arc<AtomicUsize>,
}

impl Drop for Value {
    fn drop(&mut self) {
        assert_ne!(self.there.fetch_sub(1, Ordering::Relaxed), 0, "dropped twice");
    }
}

enum Producer {
    Pending(Promise<Value, Value, Pending>),
    Running(Promise<Value, Value, Running>),
    Owned(Promise<Value, Value, Owned>),
    Gone,
}

type Log = Arc<Mutex<Vec<Entry>>>;
type Awaiting = Pin<Box<AwaitThread<Value, Value>>>;

/// Writes down that it was woken.
struct Writer(Log, Entry);

impl Wake for Writer {
    fn wake(self: Arc<Self>) {
        self.0.lock().unwrap().push(self.1);
    }
}

pub(crate) struct System {
    there: Arc<AtomicUsize>,
    log: Log,
    producer: Producer,
    futures: Vec<ThreadFuture<Value, Value>>,
    proofs: Vec<Settled<Value, Value>>,
    awaits: Vec<(Waker, Awaiting)>,
}

impl System {
    pub(crate) fn new(owned: bool) -> Self {
        let log = Log::default();
        let (producer, future) = if owned {
            let owner = Waker::from(Arc::new(Writer(Arc::clone(&log), Entry::Owner)));
            let (promise, future) = ThreadFuture::owned_pair(owner);
            (Producer::Owned(promise), future)
        } else {
            let (promise, future) = ThreadFuture::pair();
            (Producer::Pending(promise), future)
        };
        let futures = vec![future];
        let (proofs, awaits) = (Vec::new(), Vec::new());
        Self { there: Arc::default(), log, producer, futures, proofs, awaits }
    }

    pub(crate) fn log(&self) -> Vec<Entry> {
        self.log.lock().unwrap().clone()
    }

    /// How many values there are.
    pub(crate) fn values(&self) -> usize {
        self.there.load(Ordering::Relaxed)
    }

    /// Drops everything, and says how many values are left.
    pub(crate) fn drop_handles(self) -> usize {
        let there = Arc::clone(&self.there);
        drop(self);
        there.load(Ordering::Relaxed)
    }

    fn value(&self, number: u32) -> Value {
        self.there.fetch_add(1, Ordering::Relaxed);
        Value { number, there: Arc::clone(&self.there) }
    }

    pub(crate) fn apply(&mut self, op: Op, number: u32) -> Answer {
        match op {
            Op::Start => self.start(),
            Op::Finish => self.finish(number),
            Op::Fail => self.fail(number),
            Op::Panicked => self.panicked(number),
            Op::Stopped => self.stopped(),
            Op::CancelRequested => match &self.producer {
                Producer::Running(promise) => Answer::Requested(promise.cancel_requested()),
                Producer::Owned(promise) => Answer::Requested(promise.cancel_requested()),
                Producer::Pending(_) | Producer::Gone => Answer::Impossible,
            },
            Op::DropPromise => match self.promise() {
                Producer::Gone => Answer::Impossible,
                promise => {
                    drop(promise);
                    Answer::Done
                }
            },
            Op::Take => self.take(),
            Op::Poll => self.poll(number),
            Op::DropAwait if self.awaits.is_empty() => Answer::Impossible,
            Op::DropAwait => {
                drop(self.awaits.remove(number as usize % self.awaits.len()));
                Answer::Done
            }
            Op::Drop => self.futures.pop().map_or(Answer::Impossible, |_| Answer::Done),
            Op::Await => self.begin_await(number),
            _ => match self.futures.last() {
                None => Answer::Impossible,
                Some(future) => self.ask(future.clone(), op, number),
            },
        }
    }

    /// What one asks by a future. The clone that asks stays only if that was what was asked for.
    fn ask(&mut self, future: ThreadFuture<Value, Value>, op: Op, number: u32) -> Answer {
        match op {
            Op::Cancel => Answer::Cancel(future.cancel()),
            Op::Look => {
                let done = future.done();
                assert_eq!(future.settled().is_some(), done, "there is one notion of settled");
                Answer::Look { done, cancelled: future.cancelled(), running: future.running() }
            }
            Op::Read => read(&future),
            Op::AddCallback | Op::AddPanickingCallback => {
                let log = Arc::clone(&self.log);
                future.add_done_callback(move |settled| {
                    let end = End::of(settled);
                    // While it is lent to a callback it is shared, if there is anything to share.
                    assert_eq!(settled.clone().take().is_ok(), settled.cancelled());
                    log.lock().unwrap().push(Entry::Ran(number, end));
                    if op == Op::AddPanickingCallback {
                        resume_unwind(Box::new("isolated"));
                    }
                });
                Answer::Done
            }
            Op::Clone => {
                self.futures.push(future);
                Answer::Done
            }
            other => unreachable!("{other:?} is not asked by a future"),
        }
    }

    fn promise(&mut self) -> Producer {
        std::mem::replace(&mut self.producer, Producer::Gone)
    }

    fn start(&mut self) -> Answer {
        match self.promise() {
            Producer::Pending(promise) => match promise.start() {
                Ok(running) => {
                    self.producer = Producer::Running(running);
                    Answer::Done
                }
                Err(cause) => Answer::Lost(None, cause),
            },
            other => self.put_back(other),
        }
    }

    fn put_back(&mut self, producer: Producer) -> Answer {
        self.producer = producer;
        Answer::Impossible
    }

    fn finish(&mut self, number: u32) -> Answer {
        match self.promise() {
            Producer::Pending(promise) => match promise.finish(self.value(number)) {
                Ok(()) => return Answer::Done,
                Err(lost) => return Answer::Lost(Some(lost.value.number), lost.cause),
            },
            Producer::Running(promise) => promise.finish(self.value(number)),
            Producer::Owned(promise) => promise.finish(self.value(number)),
            Producer::Gone => return Answer::Impossible,
        }
        Answer::Done
    }

    fn fail(&mut self, number: u32) -> Answer {
        match self.promise() {
            Producer::Pending(promise) => match promise.fail(self.value(number)) {
                Ok(()) => return Answer::Done,
                Err(lost) => return Answer::Lost(Some(lost.value.number), lost.cause),
            },
            Producer::Running(promise) => promise.fail(self.value(number)),
            Producer::Owned(promise) => promise.fail(self.value(number)),
            Producer::Gone => return Answer::Impossible,
        }
        Answer::Done
    }

    fn panicked(&mut self, number: u32) -> Answer {
        let panic = Panic::new(Box::new(number.to_string()));
        match self.promise() {
            Producer::Running(promise) => promise.panicked(panic),
            Producer::Owned(promise) => promise.panicked(panic),
            other => return self.put_back(other),
        }
        Answer::Done
    }

    fn stopped(&mut self) -> Answer {
        match self.promise() {
            Producer::Owned(promise) => promise.stopped(),
            other => return self.put_back(other),
        }
        Answer::Done
    }

    fn begin_await(&mut self, number: u32) -> Answer {
        let Some(future) = self.futures.pop() else { return Answer::Impossible };
        let waker = Waker::from(Arc::new(Writer(Arc::clone(&self.log), Entry::Woken(number))));
        self.awaits.push((waker, Box::pin(future.into_future())));
        Answer::Done
    }

    fn poll(&mut self, number: u32) -> Answer {
        if self.awaits.is_empty() {
            return Answer::Impossible;
        }
        let at = number as usize % self.awaits.len();
        let (waker, future) = &mut self.awaits[at];
        match future.as_mut().poll(&mut Context::from_waker(waker)) {
            Poll::Pending => Answer::Unsettled,
            Poll::Ready(settled) => {
                drop(self.awaits.remove(at));
                let end = End::of(&settled);
                self.proofs.push(settled);
                Answer::End(end)
            }
        }
    }

    fn take(&mut self) -> Answer {
        let proof = match self.proofs.pop() {
            Some(proof) => proof,
            None => match self.futures.pop_if(|future| future.done()) {
                Some(future) => future.into_settled().expect("it is settled"),
                None => return Answer::Impossible,
            },
        };
        match proof.take() {
            Ok(outcome) => Answer::End(End::from(outcome.as_ref())),
            Err(proof) => {
                self.proofs.push(proof);
                Answer::Shared
            }
        }
    }
}

/// All the ways to read without waiting answer the same.
fn read(future: &ThreadFuture<Value, Value>) -> Answer {
    let waited = future.wait_timeout(Duration::ZERO);
    let tried = future.try_result();
    assert_eq!(tried.is_ok(), matches!(waited, Ok(settled) if settled.result().is_ok()));
    match waited {
        Err(WaitError::Expired(_)) => Answer::Unsettled,
        Err(refused) => panic!("{refused}"),
        Ok(settled) => {
            // Settled, so that these do not wait.
            assert_eq!(future.result().is_err(), future.exception().unwrap().is_some());
            Answer::End(End::of(settled))
        }
    }
}
