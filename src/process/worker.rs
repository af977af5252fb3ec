//! What a worker does: it reads jobs, runs one at a time, and answers.

use std::{
    cell::RefCell,
    env,
    fs::File,
    io::{self, Write},
    os::unix::net::UnixStream,
    panic::{self, AssertUnwindSafe, catch_unwind},
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
};

use super::{
    format::Format,
    frame::{self, Call, Decoder, Frame, Kind},
    function::{Answer, Current, Invocation, Served},
    inbox::{Inbox, Task},
};
use crate::{
    error::Panic,
    lost::UnsentKind,
    sync::{Mutex, lock},
    waiter::isolate,
};

/// How a worker is told that it is one.
pub(super) const ARGUMENT: &str = "--settled-worker";

/// Whether [`worker`] was called in this process.
static CALLED: AtomicBool = AtomicBool::new(false);

/// Whether this process would be a worker if another one started it as such.
pub(super) fn was_called() -> bool {
    // ORDERING: Relaxed; it is a look at what the main thread has done before it made anything else.
    CALLED.load(Ordering::Relaxed)
}

/// Whether this process was started as a worker.
pub(super) fn is_one() -> bool {
    env::args_os().nth(1).is_some_and(|it| it == ARGUMENT)
}

/// Makes this process a worker, if a pool of this program has started it as one; returns at once if not. `[process-2]`
///
/// It is the first line of `main`, before anything reads the standard input. In a worker it runs jobs until the pool
/// needs it no more, and never returns. The worker was given its channel as its standard input, which it takes away
/// first of all: from then on that is `/dev/null`, and neither what a job prints nor what it starts touches the
/// channel. Jobs run in this thread, one after the other, which reads what the pool says itself. A second thread waits for
/// the end of the channel, and ends the process by force when the pool's process has ended, also in the middle of a job.
/// `[process-8]`
///
/// # Panics
///
/// If two of the functions have the same name, in the pool's process too. `[process-2]`
///
/// ```standalone_crate
/// use std::num::NonZero;
/// use settled::process::{self, Function, ProcessPool};
///
/// const SQUARE: Function<u64, u64> = Function::new("square", |n| n * n);
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     process::worker(&[&SQUARE]);
///     let pool = ProcessPool::new(NonZero::new(2).unwrap())?;
///     assert_eq!(pool.submit(&SQUARE, &7)?.join()?, 49);
///     Ok(())
/// }
/// ```
#[doc(alias("freeze_support", "init"))]
pub fn worker(functions: &[&dyn Served]) {
    for (at, function) in functions.iter().enumerate() {
        let name = function.name();
        let is_new = functions[..at].iter().all(|it| it.name() != name);
        assert!(is_new, "two functions of a worker have the name {name:?}; rename one");
    }
    // ORDERING: Relaxed, as above.
    CALLED.store(true, Ordering::Relaxed);
    if !is_one() {
        return;
    }
    let status = match serve(functions) {
        Ok(()) => 0,
        Err(error) => {
            let _ = writeln!(io::stderr(), "settled: this worker ends: {error}");
            1
        }
    };
    process::exit(status);
}

thread_local! {
    /// Where the last panic of this thread was.
    static PLACE: RefCell<String> = RefCell::default();
}

fn serve(functions: &[&dyn Served]) -> io::Result<()> {
    let channel = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    let channel = UnixStream::from(channel);
    let watched = channel.try_clone()?;
    thread::Builder::new().name("settled-watch".into()).spawn(move || watch(&watched))?;
    let inbox = Arc::new(Mutex::new(Inbox::new(channel.try_clone()?)));
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let _ = PLACE.try_with(|it| *it.borrow_mut() = place);
        told(info);
    }));
    let mut worker = Worker { functions, channel, limit: u32::MAX };
    loop {
        let task = lock(&inbox).next();
        match task {
            Task::Setup(payload, format) => worker.set_up(&payload, format)?,
            Task::Job { token, format, payload } => {
                let began = frame::text(Kind::Began, token, &[], "", worker.limit);
                worker.channel.write_all(&began)?;
                let current = Current::new(&inbox, token);
                let answer = worker.run(token, format, &payload, &current);
                worker.channel.write_all(&answer)?;
            }
            Task::Leave => return Ok(()),
        }
    }
}

/// Ends this process when the pool has gone: nothing here is of use to anybody then. What the pool says it leaves alone.
fn watch(channel: &UnixStream) -> ! {
    loop {
        let mut files = [PollFd::new(channel, PollFlags::HUP)];
        match poll(&mut files, None) {
            Err(Errno::INTR) => {}
            Err(_) => gone(),
            Ok(_) if files[0].revents().is_empty() => {}
            Ok(_) => gone(),
        }
    }
}

/// Ends this process, which cannot go on with its pool, and says why.
pub(super) fn end(why: impl std::fmt::Display) -> ! {
    let text = format!("settled: this worker ends: {why}\n");
    // Without the lock of the standard error, which another thread may hold.
    let _ = rustix::io::write(rustix::stdio::stderr(), text.as_bytes());
    gone()
}

/// Ends this process, whose pool has gone, whatever its other threads do, and hold. A process that cannot end itself so is
/// let go.
pub(super) fn gone() -> ! {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    process::abort();
}

/// The error of an initializer, in whose types it is not known to anybody else: as a text, if it can be read as one.
fn error(frame: &Frame<'_>) -> String {
    let text = Format::of(frame.format).and_then(|it| it.read::<String>(frame.payload).ok());
    match text.filter(|it| !it.is_empty()) {
        Some(text) => format!("it gave an error, which reads {text:?}"),
        None => "it gave an error that is no text".to_owned(),
    }
}

struct Worker<'a> {
    functions: &'a [&'a dyn Served],
    channel: UnixStream,
    limit: u32,
}

impl Worker<'_> {
    /// Is told what is too large and how to begin, and says that it is ready.
    fn set_up(&mut self, payload: &[u8], format: u8) -> io::Result<()> {
        let Some((limit, initializer)) = payload.split_first_chunk() else {
            return Err(io::Error::other("the pool has not said what is too large"));
        };
        self.limit = u32::from_le_bytes(*limit);
        let mut ready = frame::text(Kind::Ready, 0, &[], "", self.limit);
        if !initializer.is_empty() {
            let answer = self.run(0, format, initializer, &Current::default());
            let mut decoder = Decoder::new(u32::MAX);
            decoder.feed(&answer);
            let why = match decoder.next() {
                Ok(Some(frame)) if frame.kind == Kind::Value => None,
                Ok(Some(frame)) if frame.kind == Kind::Error => Some(error(&frame)),
                Ok(Some(frame)) if frame.kind == Kind::Unsent => Some(
                    String::from_utf8_lossy(frame.payload.get(1..).unwrap_or_default())
                        .into_owned(),
                ),
                Ok(Some(frame)) => Some(String::from_utf8_lossy(frame.payload).into_owned()),
                Ok(None) | Err(_) => Some("the initializer gave no answer".to_owned()),
            };
            if let Some(why) = why {
                ready = frame::text(Kind::Unready, 0, &[], &why, self.limit);
            }
        }
        self.channel.write_all(&ready)
    }

    /// Runs a job; the message that answers it.
    fn run(&self, token: u64, tag: u8, payload: &[u8], current: &Current) -> Vec<u8> {
        let unsent = |kind: UnsentKind, why: &str| {
            frame::text(Kind::Unsent, token, &[super::code(kind)], why, self.limit)
        };
        let (Some(format), Some((call, arguments))) = (Format::of(tag), Call::read(payload)) else {
            let why = format!("what came, in format {tag}, is no call");
            return unsent(UnsentKind::Arguments, &why);
        };
        let Some(function) = self.functions.iter().find(|it| it.name() == call.name) else {
            return unsent(UnsentKind::UnknownFunction, &format!("{:?}", call.name));
        };
        if ![0, function.signature()].contains(&call.signature) {
            return unsent(UnsentKind::OtherVersion, &format!("{:?}", call.name));
        }
        PLACE.with(|it| it.borrow_mut().clear());
        let mut bytes = frame::begin(Kind::Value, tag, token);
        let end = frame::room(self.limit);
        let invocation = Invocation { format, each: call.each, arguments, end };
        let served =
            catch_unwind(AssertUnwindSafe(|| function.serve(invocation, current, &mut bytes)));
        match served {
            Ok(Answer::Value) => (),
            Ok(Answer::Error) => bytes[5] = Kind::Error as u8,
            Ok(Answer::Unsent(kind, why)) => return unsent(kind, &why),
            Err(payload) => {
                let panic = Panic::new(payload);
                let place = PLACE.with(|it| std::mem::take(&mut *it.borrow_mut()));
                let at = if place.is_empty() { "" } else { ", at " };
                let text = format!("{}{at}{place}", panic.message());
                isolate(|| drop(panic));
                return frame::text(Kind::Panic, token, &[], &text, self.limit);
            }
        }
        match frame::end(&mut bytes, self.limit) {
            Ok(()) => bytes,
            Err(length) => unsent(UnsentKind::TooLarge, &format!("{length} bytes")),
        }
    }
}
