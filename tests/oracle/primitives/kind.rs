//! What is called: an event, a semaphore, a lock, a condition with its lock, or a barrier.

use std::{
    fmt::Debug,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use settled::{
    BarrierError, BrokenBarrier, WaitError,
    primitives::{Barrier, Condition, Event, Lock, LockGuard, Permit, Semaphore},
};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Semaphore,
    Bounded,
    Event,
    Lock,
    Condition,
    Barrier,
}

/// What a program is about.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) what: What,
    pub(crate) is_threads: bool,
    permits: usize,
}

impl Kind {
    pub(crate) fn of(program: &str) -> Result<Self, String> {
        let mut letters = program.chars();
        let kind = letters.next().unwrap_or('?');
        let what = match kind.to_ascii_lowercase() {
            's' => What::Semaphore,
            'b' => What::Bounded,
            'e' => What::Event,
            'l' => What::Lock,
            'c' => What::Condition,
            'm' => What::Barrier,
            _ => return Err(format!("{program} has no kind")),
        };
        let permits = letters.next().and_then(|it| it.to_digit(10)).unwrap_or_default() as usize;
        Ok(Self { what, is_threads: kind.is_lowercase(), permits })
    }
}

#[derive(Clone)]
pub(crate) enum Object {
    Semaphore(Semaphore),
    Event(Event),
    Lock(Lock<()>),
    Condition(Lock<()>, Condition),
    Barrier(Barrier),
}

/// What whoever went on has, and gives back.
pub(crate) enum Held {
    Permit {
        _it: Permit<'static>,
    },
    Guard(LockGuard<'static, ()>),
    Nothing,
    /// His number at a barrier, or that it is broken.
    Told(String),
}

impl Held {
    /// Whether it is given back.
    pub(crate) const fn is_held(&self) -> bool {
        matches!(self, Self::Permit { .. } | Self::Guard(_))
    }

    /// Whoever goes on, and what he is told besides.
    pub(crate) fn came(&self, name: usize) -> String {
        match self {
            Self::Told(told) => format!("{name}={told}"),
            _ => name.to_string(),
        }
    }
}

impl From<Result<usize, BrokenBarrier>> for Held {
    fn from(it: Result<usize, BrokenBarrier>) -> Self {
        Self::Told(it.map_or("B".to_owned(), |number| number.to_string()))
    }
}

impl From<Permit<'_>> for Held {
    fn from(it: Permit<'_>) -> Self {
        Self::Permit { _it: it.into_owned() }
    }
}

impl From<LockGuard<'_, ()>> for Held {
    fn from(it: LockGuard<'_, ()>) -> Self {
        Self::Guard(it.into_owned())
    }
}

impl Object {
    pub(crate) fn new(kind: Kind) -> Self {
        match kind.what {
            What::Semaphore => Self::Semaphore(Semaphore::new(kind.permits)),
            What::Bounded => Self::Semaphore(Semaphore::bounded(kind.permits)),
            What::Event => Self::Event(Event::new()),
            What::Lock => Self::Lock(Lock::new(())),
            What::Condition => Self::Condition(Lock::new(()), Condition::new()),
            What::Barrier => Self::Barrier(Barrier::new(kind.permits)),
        }
    }

    pub(crate) fn wait(&self) -> Result<Held, WaitError> {
        match self {
            Self::Semaphore(it) => it.acquire().map(Held::from),
            Self::Event(it) => it.wait().map(|()| Held::Nothing),
            Self::Lock(it) => it.lock().map(Held::from),
            Self::Condition(lock, it) => it.wait(&mut lock.lock()?).map(|()| Held::Nothing),
            Self::Barrier(it) => arrived(it.wait()),
        }
    }

    pub(crate) fn wait_timeout(&self, timeout: Duration) -> Result<Held, WaitError> {
        match self {
            Self::Semaphore(it) => it.acquire_timeout(timeout).map(Held::from),
            Self::Event(it) => it.wait_timeout(timeout).map(|()| Held::Nothing),
            Self::Lock(it) => it.lock_timeout(timeout).map(Held::from),
            Self::Condition(..) => unreachable!("it is waited for with a lock"),
            Self::Barrier(it) => arrived(it.wait_timeout(timeout)),
        }
    }

    pub(crate) async fn wait_async(&self) -> Held {
        match self {
            Self::Semaphore(it) => it.acquire_async().await.into(),
            Self::Event(it) => {
                it.wait_async().await;
                Held::Nothing
            }
            Self::Lock(it) => it.lock_async().await.into(),
            Self::Condition(lock, it) => {
                drop(it.wait_async(lock.lock_async().await).await);
                Held::Nothing
            }
            Self::Barrier(it) => it.wait_async().await.into(),
        }
    }

    pub(crate) fn attempt(&self) -> Option<Held> {
        match self {
            Self::Semaphore(it) => it.try_acquire().map(Held::from),
            Self::Lock(it) | Self::Condition(it, _) => it.try_lock().map(Held::from),
            Self::Event(_) | Self::Barrier(_) => unreachable!("nobody acquires it"),
        }
    }

    /// Comes to a barrier as the last, and is told his number; or does nothing.
    pub(crate) fn come_last(&self) -> Option<String> {
        let Self::Barrier(it) = self else { unreachable!("it is no barrier") };
        if it.is_broken() || it.waiting() + 1 < it.parties() {
            return None;
        }
        match pin!(it.wait_async()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(number)) => Some(number.to_string()),
            other => unreachable!("it is the last: {other:?}"),
        }
    }

    /// Adds a permit, or sets the event; what it is told.
    pub(crate) fn give(&self) -> &'static str {
        match self {
            Self::Semaphore(it) => it.release(1).map_or("V", |()| "o"),
            Self::Event(it) => {
                it.set();
                "o"
            }
            Self::Condition(_, it) => {
                it.notify_all();
                "o"
            }
            Self::Lock(_) | Self::Barrier(_) => unreachable!("nothing is given"),
        }
    }

    /// Notifies one. The lock has nothing to do with it here.
    pub(crate) fn notify(&self) -> &'static str {
        let Self::Condition(_, it) = self else { unreachable!("only conditions notify") };
        it.notify();
        "o"
    }

    /// Breaks the barrier, or makes it whole.
    pub(crate) fn end_round(&self, breaks: bool) -> &'static str {
        let Self::Barrier(it) = self else { unreachable!("it is no barrier") };
        if breaks {
            it.abort()
        } else {
            it.reset()
        }
        "o"
    }

    /// Whether a barrier is broken, which every answer of one has.
    pub(crate) fn state(&self) -> &'static str {
        if matches!(self, Self::Barrier(_)) { self.look() } else { "" }
    }

    pub(crate) fn clear(&self) {
        let Self::Event(it) = self else { unreachable!("only events are cleared") };
        it.clear();
    }

    pub(crate) fn look(&self) -> &'static str {
        truth(match self {
            Self::Semaphore(it) => it.available() == 0,
            Self::Event(it) => it.is_set(),
            Self::Lock(it) | Self::Condition(it, _) => it.is_locked(),
            Self::Barrier(it) => it.is_broken(),
        })
    }

    /// How many stand in the line; of a condition, in its own or in that of its lock.
    pub(crate) fn waiting(&self) -> usize {
        match self {
            Self::Semaphore(it) => in_line(it),
            Self::Event(it) => in_line(it),
            Self::Lock(it) => in_line(it),
            Self::Condition(lock, it) => in_line(it).saturating_add(in_line(lock)),
            Self::Barrier(it) => in_line(it),
        }
    }
}

/// How many stand in the line, which is what is printed of it.
pub(crate) fn in_line(of: &impl Debug) -> usize {
    let text = format!("{of:?}");
    let number = text.rsplit("waiting: ").next().unwrap_or_default();
    let number = number.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    // One that is locked for a moment is looked at again.
    number.parse().unwrap_or(usize::MAX)
}

/// What a wait at a barrier comes to. That it is broken is what one is told, as his number.
fn arrived(end: Result<usize, BarrierError>) -> Result<Held, WaitError> {
    match end {
        Err(BarrierError::Wait(error)) => Err(error),
        Err(BarrierError::Broken(broken)) => Ok(Err(broken).into()),
        Ok(number) => Ok(Ok(number).into()),
    }
}

pub(crate) fn truth(is: bool) -> &'static str {
    if is { "T" } else { "F" }
}
