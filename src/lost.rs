//! What may become of work that runs in another process: it dies there, or what it is given or gives cannot travel.

use std::fmt;

/// That a process ended in which a job ran, and its answer is not whole: the work may have run, wholly or partly.
/// `[process-3]`
///
/// Nothing of it runs any more in that process when this is told, and nobody runs it again; whether to is up to the
/// caller, who knows whether it may happen twice. [`progress`](Self::progress) says how far it had come. What the work
/// has left behind, files or processes of its own, is left behind.
///
/// [`new`](Self::new) is for other executors whose workers can die: see
/// [`Promise::died`](crate::Promise::died).
///
/// ```
/// use settled::{Death, DeathCause, Progress, ThreadFuture};
///
/// let (promise, future) = ThreadFuture::<u32, ()>::pair();
/// let cause = DeathCause::Signal(9);
/// promise.start().unwrap().died(Death::new("worker 3 on host b", "resize", cause, Progress::Begun));
/// let failure = future.exception().unwrap().unwrap();
/// assert_eq!(failure.death().map(Death::progress), Some(Progress::Begun));
///
/// let death = Death::new("worker 3", "resize", cause, Progress::CutShort)
///     .on_request()
///     .for_a_fault("an answer that was not asked for")
///     .with_last_words("out of memory");
/// assert_eq!((death.who(), death.work(), death.cause()), ("worker 3", "resize", cause));
/// assert_eq!((death.was_asked_for(), death.last_words()), (true, "out of memory"));
/// assert_eq!(death.fault(), Some("an answer that was not asked for"));
/// ```
#[doc(alias("BrokenProcessPool", "TerminatedWorkerError"))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death(
    /// In a box, so that an outcome is no larger for it.
    Box<Told>,
);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    who: Box<str>,
    work: Box<str>,
    cause: DeathCause,
    progress: Progress,
    asked: bool,
    fault: Option<Box<str>>,
    last_words: Box<str>,
}

/// How the process ended. `[process-3]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeathCause {
    /// It ended by itself, with this status.
    Exited(i32),
    /// This signal ended it.
    Signal(i32),
    /// Nobody could tell.
    Unknown,
}

/// How far the work of a lost job had come, as far as its process has told. `[process-3]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Progress {
    /// The process had been given the job, and had said nothing of it. One of this crate says so before it begins, so that
    /// none of the work has run; of a foreign one that ends its channel first and works all the same nobody knows.
    NotBegun,
    /// It had begun, and may have done anything up to all of it.
    Begun,
    /// It had come to its end, and a part of its answer has arrived.
    CutShort,
}

impl Death {
    /// Says that `who`, which ran `work`, has ended like this.
    #[must_use]
    pub fn new(
        who: impl Into<Box<str>>,
        work: impl Into<Box<str>>,
        cause: DeathCause,
        progress: Progress,
    ) -> Self {
        let (who, work) = (who.into(), work.into());
        let told = Told {
            who,
            work,
            cause,
            progress,
            asked: false,
            fault: None,
            last_words: Box::default(),
        };
        Self(Box::new(told))
    }

    /// Notes that somebody had it killed.
    #[must_use]
    pub fn on_request(mut self) -> Self {
        self.0.asked = true;
        self
    }

    /// Notes what it had done wrong, for which it was ended.
    #[must_use]
    pub fn for_a_fault(mut self, fault: impl Into<Box<str>>) -> Self {
        self.0.fault = Some(fault.into());
        self
    }

    /// Notes what it wrote last.
    #[must_use]
    pub fn with_last_words(mut self, last_words: impl Into<Box<str>>) -> Self {
        self.0.last_words = last_words.into();
        self
    }

    /// Returns who died: a worker with its number and its process.
    #[must_use]
    pub fn who(&self) -> &str {
        &self.0.who
    }

    /// Returns what it was to do: the name of the function.
    #[must_use]
    pub fn work(&self) -> &str {
        &self.0.work
    }

    /// Returns how its process ended.
    #[must_use]
    pub fn cause(&self) -> DeathCause {
        self.0.cause
    }

    /// Returns how far the work had come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.0.progress
    }

    /// Says whether somebody had it killed, with `ProcessPool::kill` for instance.
    #[must_use]
    pub fn was_asked_for(&self) -> bool {
        self.0.asked
    }

    /// Returns what it had done wrong, if it was ended for a fault of its own.
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        self.0.fault.as_deref()
    }

    /// Returns what it wrote last to its standard error, if that is read.
    #[must_use]
    pub fn last_words(&self) -> &str {
        &self.0.last_words
    }
}

impl fmt::Display for DeathCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(status) => write!(f, "it exited with status {status}"),
            Self::Signal(signal) => write!(f, "signal {signal} ended it"),
            Self::Unknown => f.write_str("it ended"),
        }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotBegun => "the work had not begun",
            Self::Begun => "the work had begun, and may have run wholly or partly",
            Self::CutShort => "the work had run, and its answer was cut short",
        })
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Told { who, work, cause, progress, asked, fault, last_words } = &*self.0;
        write!(f, "{who} died with its job {work:?}: {cause}")?;
        if *asked {
            f.write_str(", as somebody had asked for")?;
        }
        if let Some(fault) = fault {
            write!(f, ", because {fault}")?;
        }
        write!(f, "; {progress}; nobody runs it again")?;
        if !last_words.is_empty() {
            write!(f, "; it wrote last: {}", last_words.trim_end())?;
        }
        Ok(())
    }
}

impl std::error::Error for Death {}

/// That something could not travel to a process that was to do the work, or back from it. `[process-5]`
///
/// What was not sent was not run; what did not come back has run.
///
/// ```
/// use settled::{Failure, Unsent, UnsentKind};
///
/// let unsent = Unsent::new(UnsentKind::TooLarge, "90 bytes, of at most 64");
/// assert_eq!(unsent.why(), "90 bytes, of at most 64");
/// assert_eq!(Failure::<()>::Unsent(unsent).unsent().map(Unsent::kind), Some(UnsentKind::TooLarge));
/// ```
#[doc(alias("PicklingError", "PickleError"))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsent(Box<(UnsentKind, Box<str>)>);

/// What could not travel. `[process-5]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnsentKind {
    /// The worker knows no function of this name.
    UnknownFunction,
    /// The worker knows it with other types: it is another build of the program. The names of the types are compared, and
    /// what their `Deserialize` asks for: fields and variants, their names, order and types.
    OtherVersion,
    /// The arguments could not be written, or not be read by the worker.
    Arguments,
    /// The value could not be written by the worker, or not be read here. The work has run.
    Value,
    /// The same of the work's own error. The work has run.
    Error,
    /// The arguments, the value or the error are larger than is allowed, and no more of them was written; or the function's
    /// name is. What a pool of processes refuses so when it is submitted has not run; of a future it is the value or the
    /// error, and the work has run.
    TooLarge,
}

impl Unsent {
    /// Says that this could not travel, and why.
    #[must_use]
    pub fn new(kind: UnsentKind, why: impl Into<Box<str>>) -> Self {
        Self(Box::new((kind, why.into())))
    }

    /// Returns what could not travel.
    #[must_use]
    pub fn kind(&self) -> UnsentKind {
        self.0.0
    }

    /// Returns why, in the words of whoever tried.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.0.1
    }
}

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind() {
            UnsentKind::UnknownFunction => {
                "the worker knows no function of this name, and ran nothing; give it to the worker too"
            }
            UnsentKind::OtherVersion => {
                "the worker knows this function with other types, and ran nothing; it is another build of the program"
            }
            UnsentKind::Arguments => {
                "the arguments could not travel to the worker, and nothing ran"
            }
            UnsentKind::Value => "the work has run, and its value could not travel back",
            UnsentKind::Error => "the work has failed, and its error could not travel back",
            UnsentKind::TooLarge => {
                "what was to travel is too large; send less, a path for instance, or raise the limit of the pool"
            }
        };
        write!(f, "{what}: {}", self.why())
    }
}

impl std::error::Error for Unsent {}
