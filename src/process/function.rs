//! Functions that have a name on both sides.

use std::{
    any::type_name,
    cell::RefCell,
    collections::HashMap,
    convert::Infallible,
    fmt,
    sync::{Arc, OnceLock},
};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    format::{Format, Unwritten},
    frame::HEADER,
    inbox::Inbox,
    job::guarded,
    shape,
};
use crate::{
    lost::UnsentKind,
    sync::{Mutex, lock},
};

/// A function that a pool and its workers know by its name: from `A`, to `T` or an error `E`. `[process-2]`
///
/// To compare its types, the pool and the worker both read all three of them out of nothing, when a thread uses it first:
/// from ones, empty texts and lists of one element, and again for other variants of an enum, up to 64 times. A
/// `Deserialize` of your own has to bear that, and to ask for the same in each process, or it passes for another build.
/// `[process-5]`
///
/// It is a constant beside the function itself. The pool submits it with arguments, and
/// [`worker`](super::worker) is given all of them.
///
/// ```
/// use settled::process::{Current, Function};
///
/// const SQUARE: Function<u64, u64> = Function::new("square", |n| n * n);
/// const PARSE: Function<String, u64, String> =
///     Function::fallible("parse", |text| text.parse().map_err(|_| format!("{text} is no number")));
/// const COUNT: Function<(), u64, u64> = Function::asked("count", count);
///
/// fn count((): (), job: &Current) -> Result<u64, u64> {
///     (0..u64::MAX).find(|_| job.cancel_requested()).map_or(Ok(u64::MAX), Err)
/// }
/// // In a worker that is another program:
/// const RESIZE: Function<String, u64, String> = Function::foreign("resize");
/// assert_eq!((SQUARE.name(), PARSE.name(), COUNT.name(), RESIZE.name()), ("square", "parse", "count", "resize"));
/// ```
pub struct Function<A, T, E = Infallible> {
    name: &'static str,
    call: Call<A, T, E>,
    pub(super) write: Write<A>,
    pub(super) write_each: Write<Vec<A>>,
    pub(super) value: Read<T>,
    pub(super) values: Read<Vec<T>>,
    pub(super) error: Read<E>,
    arguments: Read<A>,
    each: Read<Vec<A>>,
    write_value: Write<T>,
    write_values: Write<Vec<T>>,
    write_error: Write<E>,
    /// What is in the types, as numbers after others.
    shapes: [fn(u64) -> u64; 3],
}

pub(super) type Read<T> = fn(Format, &[u8]) -> Result<T, String>;
pub(super) type Write<T> = fn(Format, &T, &mut Vec<u8>, usize) -> Result<(), Unwritten>;

thread_local! {
    /// The numbers of types that this thread has asked for, by where their names and what looks into them are.
    static SIGNATURES: RefCell<HashMap<[[usize; 3]; 2], u64>> = RefCell::default();
}

enum Call<A, T, E> {
    Plain(fn(A) -> T),
    Fallible(fn(A) -> Result<T, E>),
    Asked(fn(A, &Current) -> Result<T, E>),
    Foreign,
}

impl<A, T> Function<A, T, Infallible>
where
    A: Serialize + DeserializeOwned,
    T: Serialize + DeserializeOwned,
{
    /// Makes one that has no errors. `[process-2]`
    #[must_use]
    pub const fn new(name: &'static str, call: fn(A) -> T) -> Self {
        Self::with(
            name,
            Call::Plain(call),
            |_, _| Err("there is no error of this type".into()),
            |_, never, _, _| match *never {},
            |number| number,
        )
    }
}

impl<A, T, E> Function<A, T, E>
where
    A: Serialize + DeserializeOwned,
    T: Serialize + DeserializeOwned,
    E: Serialize + DeserializeOwned,
{
    /// Makes one that can fail. `[process-2]`
    #[must_use]
    pub const fn fallible(name: &'static str, call: fn(A) -> Result<T, E>) -> Self {
        Self::with(name, Call::Fallible(call), Format::read, Format::write, shape::of::<E>)
    }

    /// Makes one that can fail, and can see a request to cancel. `[process-2]` `[process-7]`
    #[must_use]
    pub const fn asked(name: &'static str, call: fn(A, &Current) -> Result<T, E>) -> Self {
        Self::with(name, Call::Asked(call), Format::read, Format::write, shape::of::<E>)
    }

    /// Makes one that only workers know which are other programs. `[process-6]`
    #[must_use]
    pub const fn foreign(name: &'static str) -> Self {
        Self::with(name, Call::Foreign, Format::read, Format::write, shape::of::<E>)
    }
}

impl<A, T, E> Function<A, T, E> {
    const fn with(
        name: &'static str,
        call: Call<A, T, E>,
        error: Read<E>,
        write_error: Write<E>,
        shape_of_error: fn(u64) -> u64,
    ) -> Self
    where
        A: Serialize + DeserializeOwned,
        T: Serialize + DeserializeOwned,
    {
        Self {
            name,
            call,
            write: Format::write,
            write_each: Format::write,
            value: Format::read,
            values: Format::read,
            error,
            arguments: Format::read,
            each: Format::read,
            write_value: Format::write,
            write_values: Format::write,
            write_error,
            shapes: [shape::of::<A>, shape::of::<T>, shape_of_error],
        }
    }

    /// Returns its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What its types are, and what is in them, as a number; 0 says nothing.
    pub(super) fn signature(&self) -> u64 {
        if matches!(self.call, Call::Foreign) {
            return 0;
        }
        let types = [type_name::<A>(), type_name::<T>(), type_name::<E>()];
        let known = [types.map(|it| it.as_ptr().addr()), self.shapes.map(|it| it as usize)];
        let found = SIGNATURES.try_with(|it| it.borrow().get(&known).copied()).ok().flatten();
        found.unwrap_or_else(|| {
            let names = types.iter().fold(0xcbf2_9ce4_8422_2325, |it, name| shape::note(it, name));
            let number = self.shapes.iter().fold(names, |it, shape| shape(it)) | 1;
            let _ = SIGNATURES.try_with(|it| it.borrow_mut().insert(known, number));
            number
        })
    }

    fn call(&self, arguments: A, job: &Current) -> Result<T, Return<E>> {
        match self.call {
            Call::Plain(call) => Ok(call(arguments)),
            Call::Fallible(call) => call(arguments).map_err(Return::Error),
            Call::Asked(call) => call(arguments, job).map_err(Return::Error),
            Call::Foreign => Err(Return::Unsent(
                UnsentKind::UnknownFunction,
                format!("{:?} is of another program", self.name),
            )),
        }
    }
}

/// What there is instead of a value.
enum Return<E> {
    Error(E),
    Unsent(UnsentKind, String),
}

/// What a worker does with a [`Function`], whatever its types. `[process-2]`
pub trait Served: sealed::Served {}

impl<A, T, E> Served for Function<A, T, E> {}

/// What was asked of a worker.
#[derive(Clone, Copy, Debug)]
pub struct Invocation<'a> {
    pub(super) format: Format,
    pub(super) each: bool,
    pub(super) arguments: &'a [u8],
    /// How many bytes the answer may have with its head.
    pub(super) end: usize,
}

/// What came of it. The bytes are those of the value or the error.
#[derive(Debug)]
pub enum Answer {
    /// The value was written.
    Value,
    /// The error was written.
    Error,
    /// Something could not travel.
    Unsent(UnsentKind, String),
}

pub(super) mod sealed {
    use super::{Answer, Current, Invocation};

    pub trait Served {
        fn name(&self) -> &'static str;
        fn signature(&self) -> u64;
        fn serve(&self, invocation: Invocation<'_>, job: &Current, bytes: &mut Vec<u8>) -> Answer;
    }
}

impl<A, T, E> sealed::Served for Function<A, T, E> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn signature(&self) -> u64 {
        self.signature()
    }

    fn serve(
        &self,
        Invocation { format, each, arguments, end }: Invocation<'_>,
        job: &Current,
        bytes: &mut Vec<u8>,
    ) -> Answer {
        let unread = |why| Return::Unsent(UnsentKind::Arguments, why);
        let unsent = |kind, unwritten| match unwritten {
            Unwritten::Why(why) => (kind, why),
            Unwritten::TooLarge => {
                let (name, limit) = (self.name, end - HEADER);
                let why = format!("{name:?} has run, and gave more than {limit} bytes");
                (UnsentKind::TooLarge, why)
            }
        };
        let unwritten = |it| {
            let (kind, why) = unsent(UnsentKind::Value, it);
            Return::Unsent(kind, why)
        };
        let written = if each {
            guarded(|| (self.each)(format, arguments))
                .map_err(unread)
                .and_then(|items| items.into_iter().map(|item| self.call(item, job)).collect())
                .and_then(|values| {
                    guarded(|| (self.write_values)(format, &values, bytes, end)).map_err(unwritten)
                })
        } else {
            guarded(|| (self.arguments)(format, arguments))
                .map_err(unread)
                .and_then(|arguments| self.call(arguments, job))
                .and_then(|value| {
                    guarded(|| (self.write_value)(format, &value, bytes, end)).map_err(unwritten)
                })
        };
        match written {
            Ok(()) => Answer::Value,
            Err(Return::Unsent(kind, why)) => Answer::Unsent(kind, why),
            Err(Return::Error(error)) => {
                match guarded(|| (self.write_error)(format, &error, bytes, end)) {
                    Ok(()) => Answer::Error,
                    Err(it) => {
                        let (kind, why) = unsent(UnsentKind::Error, it);
                        Answer::Unsent(kind, why)
                    }
                }
            }
        }
    }
}

/// The job that a worker runs at this moment, as far as it is told of it. `[process-7]`
#[derive(Default)]
pub struct Current {
    token: u64,
    /// Where a request comes in; nowhere while a worker is made ready.
    inbox: Option<Arc<Mutex<Inbox>>>,
    asked: OnceLock<Arc<str>>,
}

impl Current {
    pub(super) fn new(inbox: &Arc<Mutex<Inbox>>, token: u64) -> Self {
        Self { token, inbox: Some(Arc::clone(inbox)), asked: OnceLock::new() }
    }

    /// Says whether somebody has asked to cancel the job. The cancel was refused, since the job runs; a long one looks
    /// now and then, in order to stop early. It asks the system whether something has come, which takes some hundred
    /// nanoseconds. Never blocks. `[process-7]`
    #[must_use]
    pub fn cancel_requested(&self) -> bool {
        self.cancel_reason().is_some()
    }

    /// Returns the reason of the request that has come here, the first; an empty text if it gave none. `None` if nobody has
    /// asked. A reason that a later canceller gives does not travel. Looks as [`cancel_requested`](Self::cancel_requested)
    /// does.
    #[must_use]
    pub fn cancel_reason(&self) -> Option<&str> {
        if self.asked.get().is_none()
            && let Some(reason) = lock(self.inbox.as_ref()?).cancel_reason(self.token)
        {
            let _ = self.asked.set(reason);
        }
        self.asked.get().map(|reason| &**reason)
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Current").field("asked", &self.asked.get()).finish_non_exhaustive()
    }
}

impl<A, T, E> fmt::Debug for Function<A, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Function").field(&self.name).finish()
    }
}
