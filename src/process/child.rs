//! One worker, as its pool has it: a process, a channel, and its standard output and error.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read, Write},
    mem,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::{
            net::UnixStream,
            process::{CommandExt, ExitStatusExt},
        },
    },
    path::PathBuf,
    process::{Command, ExitStatus, Stdio},
};

use rustix::{event::PollFlags, io::Errno};

use super::{
    books::{Far, Number, Token},
    frame::{Decoder, Frame, Garbage},
    job::Given,
    system::{self, is_readable, waiting},
};
use crate::lost::{Death, DeathCause, Progress};

/// How workers are started.
#[derive(Clone, Debug)]
pub(super) struct How {
    pub(super) program: PathBuf,
    pub(super) name: Option<OsString>,
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: Vec<(OsString, Option<OsString>)>,
    pub(super) directory: Option<PathBuf>,
    /// Whether its standard output and error are read.
    pub(super) reads: bool,
    pub(super) limit: u32,
}

impl How {
    /// What cannot be done if a program does not start.
    fn what(&self) -> String {
        let directory = self.directory.as_ref().map(|it| format!(" in {}", it.display()));
        format!("could not start {}{}", self.program.display(), directory.unwrap_or_default())
    }
}

/// How many bytes of one worker are taken before others are looked at.
const AT_ONCE: usize = 128 << 10;

/// How many bytes of what a worker wrote last are kept.
const TAIL: usize = 4 << 10;

pub(super) struct Child {
    number: Number,
    process: std::process::Child,
    /// Readable when the process has ended. `None` where the system has none, and when it was told.
    ended: Option<OwnedFd>,
    /// `None` when it has ended.
    channel: Option<UnixStream>,
    decoder: Decoder,
    /// How many bytes were read from the channel.
    received: u64,
    /// What is to be written, and how much of it was.
    outgoing: Vec<u8>,
    written: usize,
    /// Its standard output and error, if they are read.
    streams: [Option<File>; 2],
    tail: Vec<u8>,
    status: Option<ExitStatus>,
    /// Whether it was gone when it was looked for, and its status with it.
    is_reaped: bool,
    pub(super) given: Option<(Token, Given)>,
    pub(super) fault: Option<String>,
    pub(super) asked: bool,
    pub(super) is_ready: bool,
    /// The job that it said last that it began.
    pub(super) began: Option<Token>,
    /// Whether its end was seen, or that it reads no more: it is given nothing any more.
    pub(super) is_over: bool,
}

/// What of a child can be waited for, in the order in which it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Channel,
    Stream(usize),
    Process,
}

/// What came out of a channel.
pub(super) enum Came {
    /// Something, or nothing for now.
    Some,
    /// Its end.
    End,
}

/// Why a worker could not be started.
pub(super) struct Refused {
    pub(super) why: String,
    /// Whether it will not be otherwise in a moment.
    pub(super) lasts: bool,
}

impl Refused {
    fn new(what: &str, error: &io::Error) -> Self {
        let of_the_moment =
            [Errno::AGAIN, Errno::NOMEM, Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::TXTBSY];
        let errno = Errno::from_io_error(error);
        let lasts = errno.is_none_or(|errno| !of_the_moment.contains(&errno));
        Self { why: format!("{what}: {error}"), lasts }
    }
}

impl Child {
    pub(super) fn start(number: Number, how: &How) -> Result<Self, Refused> {
        let no_channel = |error| Refused::new("there is no channel for a worker", &error);
        let (channel, theirs) = UnixStream::pair().map_err(no_channel)?;
        channel.set_nonblocking(true).map_err(no_channel)?;
        let stream = || if how.reads { Stdio::piped() } else { Stdio::inherit() };
        let mut command = Command::new(&how.program);
        command.args(&how.arguments).stdin(OwnedFd::from(theirs)).stdout(stream()).stderr(stream());
        // What a terminal sends to the program is for the program.
        command.process_group(0);
        if let Some(name) = &how.name {
            command.arg0(name);
        }
        for (name, value) in &how.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(directory) = &how.directory {
            command.current_dir(directory);
        }
        let mut process = command.spawn().map_err(|error| {
            let Refused { why, lasts } = Refused::new(&how.what(), &error);
            Refused { why: why + "; see program and current_dir of the pool's builder", lasts }
        })?;
        let stdout = process.stdout.take().map(|it| File::from(OwnedFd::from(it)));
        let stderr = process.stderr.take().map(|it| File::from(OwnedFd::from(it)));
        let (ended, is_reaped) = match system::notice(&process) {
            Ok(it) => (it, false),
            // Somebody else in this program has waited for it: its number may be another's by now.
            Err(Errno::SRCH) => (None, true),
            Err(error) => {
                let _ = process.kill();
                let _ = process.wait();
                let what = "there is no descriptor for the process of a worker";
                return Err(Refused::new(what, &error.into()));
            }
        };
        Ok(Self {
            number,
            ended,
            process,
            channel: Some(channel),
            decoder: Decoder::new(how.limit),
            received: 0,
            outgoing: Vec::new(),
            written: 0,
            streams: [stdout, stderr],
            tail: Vec::new(),
            status: None,
            is_reaped,
            given: None,
            fault: None,
            asked: false,
            is_ready: false,
            began: None,
            is_over: false,
        })
    }

    /// What it waits for.
    pub(super) fn parts(&self) -> impl Iterator<Item = (Part, BorrowedFd<'_>, PollFlags)> {
        let writes = if self.outgoing.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
        let channel =
            self.channel.iter().map(move |it| (Part::Channel, it.as_fd(), PollFlags::IN | writes));
        let streams = self.streams.iter().enumerate();
        let streams = streams
            .filter_map(|(at, it)| Some((Part::Stream(at), it.as_ref()?.as_fd(), PollFlags::IN)));
        let ended = self.ended.iter().map(|it| (Part::Process, it.as_fd(), PollFlags::IN));
        channel.chain(streams).chain(ended)
    }

    /// Writes a message as far as there is room, and the rest when there is.
    pub(super) fn send(&mut self, message: Vec<u8>) {
        if self.outgoing.is_empty() {
            self.outgoing = message;
        } else {
            self.outgoing.extend(message);
        }
        self.write();
    }

    /// Writes what there is room for.
    pub(super) fn write(&mut self) {
        let Some(mut channel) = self.channel.as_ref() else { return self.outgoing.clear() };
        while self.written < self.outgoing.len() {
            match channel.write(&self.outgoing[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // What comes after it would be read as a part of it: the worker is of no use any more.
                Err(error) => {
                    if self.goes_on() {
                        self.accuse(&format!("it reads no more, and the pool killed it: {error}"));
                    }
                    self.is_over = true;
                    self.signal();
                    break;
                }
            }
        }
        self.outgoing = Vec::new();
        self.written = 0;
    }

    /// Takes what has come, and no more than a little at once, since there are others.
    pub(super) fn read(&mut self, bytes: &mut [u8]) -> Came {
        let Some(mut channel) = self.channel.as_ref() else { return Came::Some };
        let mut left = AT_ONCE;
        while left > 0 {
            match channel.read(bytes) {
                Ok(0) => {
                    self.channel = None;
                    return Came::End;
                }
                Ok(count) => {
                    self.decoder.feed(&bytes[..count]);
                    self.received += count as u64;
                    left = if count < bytes.len() { 0 } else { left.saturating_sub(count) };
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Came::Some,
                Err(_) => {
                    self.channel = None;
                    return Came::End;
                }
            }
        }
        Came::Some
    }

    /// How many bytes have been written to the channel, those that are still in it included.
    pub(super) fn written_so_far(&self) -> u64 {
        self.received + self.channel.as_ref().map_or(0, |it| waiting(it.as_fd()))
    }

    /// Whether its channel is open, and some of its first bytes, so many, are still in it.
    pub(super) fn has_more(&self, until: u64) -> bool {
        self.received < until && self.channel.as_ref().is_some_and(is_readable)
    }

    pub(super) fn frame(&mut self) -> Result<Option<Frame<'_>>, Garbage> {
        self.decoder.next()
    }

    /// Whether what came ends inside a message.
    pub(super) fn is_cut(&self) -> bool {
        self.decoder.is_inside()
    }

    /// Closes the channel: nothing more is read.
    pub(super) fn close(&mut self) {
        self.channel = None;
    }

    /// Takes once what it has printed, and hands it on; says how much it was.
    pub(super) fn hear(
        &mut self,
        stream: usize,
        bytes: &mut [u8],
        tell: &mut dyn FnMut(Number, bool, &[u8]),
    ) -> u64 {
        let Some(file) = &mut self.streams[stream] else { return 0 };
        match file.read(bytes) {
            Ok(count @ 1..) => {
                let said = &bytes[..count];
                if stream == 1 {
                    self.tail.extend(said);
                    self.tail.drain(..self.tail.len().saturating_sub(TAIL));
                }
                tell(self.number, stream == 1, said);
                return count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(_) | Err(_) => self.streams[stream] = None,
        }
        0
    }

    /// Takes all that it has printed until now, and looks no more: its process has ended. A child of it may go on printing.
    pub(super) fn hear_the_rest(
        &mut self,
        bytes: &mut [u8],
        tell: &mut dyn FnMut(Number, bool, &[u8]),
    ) {
        for stream in [0, 1] {
            let mut left = self.streams[stream].as_ref().map_or(0, |it| waiting(it.as_fd()));
            while left > 0 && self.streams[stream].as_ref().is_some_and(is_readable) {
                left = left.saturating_sub(self.hear(stream, bytes, tell));
            }
            self.streams[stream] = None;
        }
    }

    /// Kills the process. Whether its end is told when it comes; else it has ended now.
    pub(super) fn kill(&mut self) -> bool {
        self.signal();
        if self.ended.is_none() {
            self.reap();
        }
        self.ended.is_some()
    }

    /// Kills the process and nothing else, also where another part of the program may have reaped it.
    fn signal(&mut self) {
        #[cfg(target_os = "linux")]
        if let Some(process) = &self.ended {
            let _ = rustix::process::pidfd_send_signal(process, rustix::process::Signal::KILL);
            return;
        }
        if self.has_its_number() {
            let _ = self.process.kill();
        }
    }

    /// Whether nobody has waited for the process as far as is known, so that no other one has its number.
    fn has_its_number(&self) -> bool {
        self.status.is_none() && !self.is_reaped
    }

    /// Whether it is certain that the process goes on, although its channel does not.
    pub(super) fn goes_on(&self) -> bool {
        self.has_its_number() && system::goes_on(&self.process)
    }

    /// Notes what it has done wrong, unless something was noted before.
    pub(super) fn accuse(&mut self, fault: &str) {
        self.fault.get_or_insert_with(|| fault.into());
    }

    /// Takes the status of the process, which has ended.
    pub(super) fn reap(&mut self) {
        self.ended = None;
        if self.has_its_number() {
            self.status = self.process.wait().ok();
        }
    }

    pub(super) fn who(&self) -> String {
        format!("worker {} (process {})", self.number, self.process.id())
    }

    fn cause(&self) -> DeathCause {
        let status = self.status.as_ref();
        let exited = status.and_then(ExitStatus::code).map(DeathCause::Exited);
        exited.or_else(|| status?.signal().map(DeathCause::Signal)).unwrap_or(DeathCause::Unknown)
    }

    fn last_words(&self) -> String {
        String::from_utf8_lossy(&self.tail).trim_end().to_owned()
    }

    pub(super) fn death(&mut self, work: &str, far: Far) -> Death {
        let progress = match far {
            Far::NotBegun => Progress::NotBegun,
            Far::Begun => Progress::Begun,
            Far::CutShort => Progress::CutShort,
        };
        let mut death = Death::new(self.who(), work, self.cause(), progress);
        if self.asked {
            death = death.on_request();
        }
        if let Some(fault) = self.fault.take() {
            death = death.for_a_fault(fault);
        }
        death.with_last_words(self.last_words())
    }

    /// How it ended that was never ready.
    pub(super) fn failure(&mut self) -> String {
        let (who, cause, words) = (self.who(), self.cause(), self.last_words());
        let fault = self.fault.take().map(|it| format!(", because {it}")).unwrap_or_default();
        let words = if words.is_empty() { words } else { format!("; it wrote last: {words}") };
        if self.is_ready {
            return format!("{who} ended before it began a job: {cause}{fault}{words}");
        }
        let hint =
            "a worker's main begins with settled::process::worker, or it speaks the protocol";
        format!("{who} ended before it was ready: {cause}{fault}; {hint}{words}")
    }

    pub(super) fn take_job(&mut self) -> Option<(Token, Given)> {
        mem::take(&mut self.given)
    }
}
