//! What a path is played on, and what is said in the course of it.

use std::{
    collections::HashMap,
    num::NonZero,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize},
        mpsc::Sender,
    },
};

use settled::{
    LoopHandle, ThreadFuture, ThreadPool, WeakThreadFuture,
    model::{Agent, Do, Future as It, Op, Piece},
};
use stateright::Model;

pub(crate) use crate::told::Told;
use crate::{play::Play, real::Producer};

/// The script of a loop, which is the first job that it runs.
pub(crate) const OWN: Piece = Piece::MAX;

/// Who speaks: one who takes part by number, a worker of a pool by one from here on.
pub(crate) type Line = usize;
pub(crate) const WORKERS: Line = 100;

/// What a thread is told to do.
pub(crate) enum Command {
    /// A new path begins.
    Begin(Arc<World>, Option<Agent>),
    Do(Do),
    /// Waits until now, and not longer.
    Expire(Do),
    /// A loop makes its view of a future.
    View(It),
    /// A loop runs what is due first.
    Tick,
    Close,
    /// The script that runs is over; if it settles something, then with this value.
    Leave(u8),
    /// Goes on with the drop of a coroutine.
    GoOn,
    /// The path is over.
    End,
}

/// What a thread says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Report {
    /// It has done what it does without being seen.
    Ready,
    /// An operation has returned.
    Told(Told),
    /// A script has begun in this thread, which waits for what to do.
    Began(Piece),
    /// A coroutine is dropped; it waits for leave to go on.
    Dropped(Piece),
    /// The loop has run what was due first, if there was anything, or is closed.
    Turned(bool),
    /// A job's future is settled, and all are told but its callbacks.
    Settled(It),
}

/// A future that somebody has made.
type Made = Arc<ThreadFuture<u8, u8>>;

/// What one path is played on.
pub(crate) struct World {
    pub(crate) play: Arc<Play>,
    /// Those that somebody has made.
    pub(crate) futures: Vec<Mutex<Option<Made>>>,
    /// The handles of those whose handles go: a call is made on another, so that each can go while it waits.
    handles: Vec<Mutex<Vec<ThreadFuture<u8, u8>>>>,
    weak: Vec<WeakThreadFuture<u8, u8>>,
    pub(super) producers: Vec<Mutex<Producer>>,
    pub(super) loops: Vec<Mutex<Option<LoopHandle>>>,
    pub(crate) pools: Vec<ThreadPool>,
    pub(crate) over: AtomicBool,
    pub(super) lines: Sender<(Line, Report)>,
    pub(crate) workers: Mutex<HashMap<Line, Sender<Command>>>,
    pub(super) next_worker: AtomicUsize,
}

impl World {
    pub(crate) fn new(play: &Arc<Play>, lines: &Sender<(Line, Report)>) -> Arc<Self> {
        let begin = play.program.init_states().remove(0);
        let (mut handles, mut weak) = (Vec::new(), Vec::new());
        let mut made = |it: It| {
            let (promise, future) = ThreadFuture::pair();
            weak.push(future.downgrade());
            handles.push(Mutex::default());
            if play.is_counted(it) {
                let mut all: Vec<_> =
                    (1..begin.future(it).handles()).map(|_| future.clone()).collect();
                all.push(future);
                handles[usize::from(it)] = Mutex::new(all);
                (Mutex::new(None), Mutex::new(Producer::Pending(promise)))
            } else if play.is_base(it) {
                (Mutex::new(Some(Arc::new(future))), Mutex::new(Producer::Pending(promise)))
            } else {
                (Mutex::new(None), Mutex::new(Producer::Gone))
            }
        };
        let (futures, producers) = (0..play.program.futures()).map(&mut made).unzip();
        let pool = |workers: &usize| ThreadPool::new(NonZero::new(*workers).expect("it has some"));
        Arc::new(Self {
            play: Arc::clone(play),
            futures,
            handles,
            weak,
            producers,
            loops: play.program.members().map(|_| Mutex::new(None)).collect(),
            pools: play.workers.iter().map(pool).collect(),
            over: AtomicBool::new(false),
            lines: lines.clone(),
            workers: Mutex::default(),
            next_worker: AtomicUsize::new(WORKERS),
        })
    }

    pub(crate) fn future(&self, it: It) -> Option<Made> {
        let counted = self.handles[usize::from(it)].lock().unwrap();
        let made = counted.first().map(|handle| Arc::new(handle.clone()));
        made.or_else(|| self.futures[usize::from(it)].lock().unwrap().clone())
    }

    pub(super) fn drop_handle(&self, it: It) {
        let handle = self.handles[usize::from(it)].lock().unwrap().pop();
        drop(handle);
    }

    pub(super) fn weak(&self, it: It) -> &WeakThreadFuture<u8, u8> {
        &self.weak[usize::from(it)]
    }

    pub(super) fn with_promise(&self, it: It, with: impl FnOnce(&Producer)) {
        let place = &self.producers[usize::from(it)];
        let producer = std::mem::replace(&mut *place.lock().unwrap(), Producer::Gone);
        with(&producer);
        *place.lock().unwrap() = producer;
    }

    pub(super) fn produce(&self, it: It, op: Op) -> Told {
        let place = &self.producers[usize::from(it)];
        let mut producer = std::mem::replace(&mut *place.lock().unwrap(), Producer::Gone);
        let answer = producer.invoke(op);
        *place.lock().unwrap() = producer;
        answer.map_or(Told::Nothing, Told::Answer)
    }

    /// Settles all that nobody in it will.
    pub(crate) fn drop_promises(&self) {
        for handles in &self.handles {
            let all = std::mem::take(&mut *handles.lock().unwrap());
            drop(all);
        }
        for producer in &self.producers {
            let last = std::mem::replace(&mut *producer.lock().unwrap(), Producer::Gone);
            drop(last);
        }
    }
}
