//! What a pool says to its worker: read by the thread that runs jobs, when it has none, and whenever a job looks.

use std::{
    io::{self, Read},
    os::unix::net::UnixStream,
    sync::Arc,
};

use super::{
    frame::{Decoder, Kind},
    system::is_readable,
    worker::{end, gone},
};

/// What a worker is to do.
pub(super) enum Task {
    Setup(Vec<u8>, u8),
    Job { token: u64, format: u8, payload: Vec<u8> },
    Leave,
}

/// What has come from the pool. When that has gone, whoever reads ends the process.
pub(super) struct Inbox {
    channel: UnixStream,
    decoder: Decoder,
    bytes: Vec<u8>,
    /// What a job has found that was not for it.
    kept: Option<Task>,
}

/// What a pool has said.
enum Said {
    Task(Task),
    /// Somebody asks to cancel this job, for this reason.
    Cancel(u64, Arc<str>),
}

impl Inbox {
    pub(super) fn new(channel: UnixStream) -> Self {
        Self { channel, decoder: Decoder::new(u32::MAX), bytes: vec![0; 64 << 10], kept: None }
    }

    /// Waits for the next task. A request to cancel comes too late here.
    pub(super) fn next(&mut self) -> Task {
        if let Some(task) = self.kept.take() {
            return task;
        }
        loop {
            match self.decode() {
                Some(Said::Task(task)) => return task,
                Some(Said::Cancel(..)) => {}
                None => self.read(),
            }
        }
    }

    /// The reason of a request to cancel this job, if one has come. Waits for nothing.
    pub(super) fn cancel_reason(&mut self, job: u64) -> Option<Arc<str>> {
        while self.kept.is_none() {
            match self.decode() {
                Some(Said::Task(task)) => self.kept = Some(task),
                Some(Said::Cancel(token, reason)) if token == job => return Some(reason),
                Some(Said::Cancel(..)) => {}
                None if is_readable(&self.channel) => self.read(),
                None => return None,
            }
        }
        None
    }

    /// Takes what has come, and waits for something.
    fn read(&mut self) {
        match self.channel.read(&mut self.bytes) {
            Ok(0) => gone(),
            Ok(count) => self.decoder.feed(&self.bytes[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => gone(),
            Err(error) => end(format_args!(
                "it cannot read what its pool says, which starts it by itself: {error}"
            )),
        }
    }

    /// What comes next of what was read.
    fn decode(&mut self) -> Option<Said> {
        let frame = match self.decoder.next() {
            Ok(frame) => frame?,
            Err(garbage) => end(garbage),
        };
        let (token, format, payload) = (frame.token, frame.format, frame.payload);
        Some(match frame.kind {
            Kind::Setup => Said::Task(Task::Setup(payload.into(), format)),
            Kind::Job => Said::Task(Task::Job { token, format, payload: payload.into() }),
            Kind::Cancel => Said::Cancel(token, String::from_utf8_lossy(payload).into()),
            Kind::Leave => Said::Task(Task::Leave),
            _ => end("the pool said what only workers say"),
        })
    }
}
