//! What is called: an event, a semaphore or a lock.

use std::time::Duration;

use settled::{
    WaitError,
    primitives::{Event, Lock, LockGuard, Permit, Semaphore},
};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Semaphore,
    Bounded,
    Event,
    Lock,
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
}

/// What whoever went on has, and gives back.
pub(crate) enum Held {
    Permit { _it: Permit<'static> },
    Guard { _it: LockGuard<'static, ()> },
    Nothing,
}

impl From<Permit<'_>> for Held {
    fn from(it: Permit<'_>) -> Self {
        Self::Permit { _it: it.into_owned() }
    }
}

impl From<LockGuard<'_, ()>> for Held {
    fn from(it: LockGuard<'_, ()>) -> Self {
        Self::Guard { _it: it.into_owned() }
    }
}

impl Object {
    pub(crate) fn new(kind: Kind) -> Self {
        match kind.what {
            What::Semaphore => Self::Semaphore(Semaphore::new(kind.permits)),
            What::Bounded => Self::Semaphore(Semaphore::bounded(kind.permits)),
            What::Event => Self::Event(Event::new()),
            What::Lock => Self::Lock(Lock::new(())),
        }
    }

    pub(crate) fn wait(&self) -> Result<Held, WaitError> {
        match self {
            Self::Semaphore(it) => it.acquire().map(Held::from),
            Self::Event(it) => it.wait().map(|()| Held::Nothing),
            Self::Lock(it) => it.lock().map(Held::from),
        }
    }

    pub(crate) fn wait_timeout(&self, timeout: Duration) -> Result<Held, WaitError> {
        match self {
            Self::Semaphore(it) => it.acquire_timeout(timeout).map(Held::from),
            Self::Event(it) => it.wait_timeout(timeout).map(|()| Held::Nothing),
            Self::Lock(it) => it.lock_timeout(timeout).map(Held::from),
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
        }
    }

    pub(crate) fn attempt(&self) -> Option<Held> {
        match self {
            Self::Semaphore(it) => it.try_acquire().map(Held::from),
            Self::Event(_) => unreachable!("nobody acquires an event"),
            Self::Lock(it) => it.try_lock().map(Held::from),
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
            Self::Lock(_) => unreachable!("only a guard unlocks"),
        }
    }

    pub(crate) fn clear(&self) {
        let Self::Event(it) = self else { unreachable!("only events are cleared") };
        it.clear();
    }

    pub(crate) fn look(&self) -> &'static str {
        truth(match self {
            Self::Semaphore(it) => it.available() == 0,
            Self::Event(it) => it.is_set(),
            Self::Lock(it) => it.is_locked(),
        })
    }

    /// How many stand in the line, which is what is printed of it.
    pub(crate) fn waiting(&self) -> usize {
        let text = match self {
            Self::Semaphore(it) => format!("{it:?}"),
            Self::Event(it) => format!("{it:?}"),
            Self::Lock(it) => format!("{it:?}"),
        };
        let number = text.rsplit("waiting: ").next().unwrap_or_default();
        let number = number.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        // One that is locked for a moment is looked at again.
        number.parse().unwrap_or(usize::MAX)
    }
}

pub(crate) fn truth(is: bool) -> &'static str {
    if is { "T" } else { "F" }
}
