//! The thread of a pool: it waits for all workers at once, and tells the books what has happened.

mod orders;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    io::{PipeReader, Read},
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

use super::{
    books::{Books, Event, Number, Token},
    child::{Came, Child, How, Part},
    frame::{self, Frame, Kind},
    job::Queued,
    shared::{Message, Shared},
};
use crate::{context, sync::lock, waiter::isolate};

/// Hears what workers print: the worker's number, whether it is its standard error, and the bytes.
pub(super) type Listener = Box<dyn Fn(Number, bool, &[u8]) + Send + Sync>;

/// What the pool's thread has.
pub(super) struct Manager {
    shared: Arc<Shared>,
    how: How,
    setup: Vec<u8>,
    listener: Option<Listener>,
    woken: PipeReader,
    books: Books,
    children: BTreeMap<Number, Child>,
    queued: HashMap<Token, Queued>,
    /// What has happened while orders were obeyed.
    later: VecDeque<Event>,
    /// Whose pipes are to be read to their end once all orders are obeyed: what is found there brings orders of its own.
    ended_with_a_pipe: VecDeque<Number>,
    /// What a worker has answered that is just being told of.
    answer: Option<(Number, Kind, u8, Vec<u8>)>,
    failure: String,
    /// When the pause after a start that was refused is over.
    rests_until: Option<Instant>,
    bytes: Vec<u8>,
    ended: bool,
}

impl Manager {
    pub(super) fn new(
        shared: &Arc<Shared>,
        how: How,
        setup: Vec<u8>,
        listener: Option<Listener>,
        woken: PipeReader,
        books: Books,
    ) -> Self {
        Self {
            shared: Arc::clone(shared),
            how,
            setup,
            listener,
            woken,
            books,
            children: BTreeMap::new(),
            queued: HashMap::new(),
            later: VecDeque::new(),
            ended_with_a_pipe: VecDeque::new(),
            answer: None,
            failure: String::new(),
            rests_until: None,
            bytes: vec![0; 64 << 10],
            ended: false,
        }
    }

    /// Runs until everything has ended.
    pub(super) fn run(mut self) {
        // A callback that waits here would keep every worker waiting.
        let _roles = (context::work(self.shared.id), context::enter_loop());
        while !self.ended {
            let mut state = lock(&self.shared.state);
            let messages = mem::take(&mut state.messages);
            drop(state);
            messages.into_iter().for_each(|message| self.hear(message));
            let mut state = lock(&self.shared.state);
            state.asleep = state.messages.is_empty();
            let sleeps = state.asleep;
            drop(state);
            if !self.ended {
                self.look(sleeps);
            }
        }
        // What was accepted just before the pool broke is broken off too.
        loop {
            let mut state = lock(&self.shared.state);
            let left = mem::take(&mut state.messages);
            state.ended = left.is_empty();
            drop(state);
            if left.is_empty() {
                break;
            }
            left.into_iter().for_each(|message| self.hear(message));
        }
        self.shared.told.notify_all();
    }

    fn hear(&mut self, message: Message) {
        match message {
            Message::Submit(token, job) => {
                self.queued.insert(token, job);
                self.happened(Event::Submitted(token));
            }
            Message::Cancel(token) if self.queued.contains_key(&token) => {
                let job = self.queued.remove(&token);
                isolate(|| drop(job));
                self.happened(Event::Cancelled(token));
            }
            Message::Cancel(token) => {
                let limit = self.how.limit;
                if let Some((child, reason)) = self.asked(token) {
                    child.send(frame::text(Kind::Cancel, token, &[], &reason, limit));
                }
            }
            Message::Kill(token) => {
                if let Some((child, _)) = self.asked(token) {
                    child.asked = true;
                    self.happened(Event::Kill(token));
                }
            }
            Message::Close => self.happened(Event::Closed),
            Message::DropQueued => self.happened(Event::DropQueued),
            Message::Terminate => {
                self.children.values_mut().for_each(|child| child.asked = true);
                self.happened(Event::Terminate);
            }
        }
    }

    /// The worker that has this job, and the reason of a cancel.
    fn asked(&mut self, token: Token) -> Option<(&mut Child, String)> {
        self.children.values_mut().find_map(|child| {
            let (own, given) = child.given.as_ref()?;
            let reason = given.promise.cancel_reason().map(|it| it.to_string()).unwrap_or_default();
            (*own == token).then_some((child, reason))
        })
    }

    /// Waits until something happens, or looks whether something has, and tells the books of it.
    fn look(&mut self, sleeps: bool) {
        let mut files = vec![PollFd::new(&self.woken, PollFlags::IN)];
        let mut parts = Vec::new();
        for (number, child) in &self.children {
            for (part, file, flags) in child.parts() {
                files.push(PollFd::from_borrowed_fd(file, flags));
                parts.push((*number, part));
            }
        }
        let now = Instant::now();
        let left = self.rests_until.map(|until| until.saturating_duration_since(now));
        let most = if sleeps { left } else { Some(Duration::ZERO) };
        let most = most.and_then(|most| Timespec::try_from(most).ok());
        match poll(&mut files, most.as_ref()) {
            Ok(0) | Err(Errno::INTR) => return self.look_at_the_clock(),
            Ok(_) => (),
            Err(error) => return self.cannot_look(error),
        }
        let is_woken = !files[0].revents().is_empty();
        let came = files[1..].iter().map(PollFd::revents).zip(parts).filter(|it| !it.0.is_empty());
        let came: Vec<_> = came.collect();
        if is_woken {
            let _ = (&self.woken).read(&mut self.bytes);
        }
        // What is read first brings jobs, which are for none of those whose end is among the rest.
        for (_, (number, _)) in came.iter().filter(|it| is_end(it.0, it.1.1)) {
            self.children.get_mut(number).into_iter().for_each(|child| child.is_over = true);
        }
        for (flags, (number, part)) in came {
            self.came(number, part, flags);
        }
        self.look_at_the_clock();
    }

    /// Tells the books when the pause after a start that was refused is over.
    fn look_at_the_clock(&mut self) {
        if self.rests_until.take_if(|until| *until <= Instant::now()).is_some() {
            self.happened(Event::Rested);
        }
    }

    /// Ends everybody, since nobody can be waited for: their ends are not told, and what is in their pipes is.
    fn cannot_look(&mut self, error: Errno) {
        self.failure = format!(
            "the system does not tell when a worker says something: {error}; see the limit of open files (RLIMIT_NOFILE)"
        );
        for child in self.children.values_mut() {
            child.accuse("the pool could not wait for it any more, and killed it");
        }
        self.happened(Event::Blind);
        for number in self.children.keys().copied().collect::<Vec<_>>() {
            self.children.get_mut(&number).into_iter().for_each(Child::reap);
            self.happened(Event::ProcessEnded(number));
        }
    }

    fn came(&mut self, number: Number, part: Part, flags: PollFlags) {
        let Some(child) = self.children.get_mut(&number) else { return };
        match part {
            Part::Channel => {
                if flags.contains(PollFlags::OUT) {
                    child.write();
                }
                if flags.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
                    self.read(number);
                }
            }
            Part::Stream(stream) => {
                child.hear(stream, &mut self.bytes, &mut told(self.listener.as_ref()));
            }
            Part::Process => {
                child.reap();
                self.happened(Event::ProcessEnded(number));
            }
        }
    }

    /// Reads once what a worker says.
    fn read(&mut self, number: Number) {
        let Some(child) = self.children.get_mut(&number) else { return };
        let came = child.read(&mut self.bytes);
        while let Some(child) = self.children.get_mut(&number) {
            let was_ready = child.is_ready;
            let event = match child.frame() {
                Ok(None) => break,
                Ok(Some(Frame { kind, format, token, payload })) => match kind {
                    Kind::Ready | Kind::Unready if was_ready => {
                        child.fault = Some("it told again how its start went".into());
                        Event::Nonsense(number)
                    }
                    Kind::Ready => {
                        child.is_ready = true;
                        Event::Ready(number)
                    }
                    Kind::Unready => {
                        self.failure =
                            format!("the initializer failed: {}", String::from_utf8_lossy(payload));
                        Event::Unready(number)
                    }
                    Kind::Began => {
                        if child.began.replace(token) == Some(token) {
                            child.fault = Some("it told twice that it began its job".into());
                        }
                        Event::Began(number, token)
                    }
                    Kind::Value | Kind::Error | Kind::Panic | Kind::Unsent => {
                        self.answer = Some((number, kind, format, payload.into()));
                        Event::Answered(number, token)
                    }
                    Kind::Setup | Kind::Job | Kind::Cancel | Kind::Leave => {
                        child.fault = Some("it sent what only a pool sends".into());
                        Event::Nonsense(number)
                    }
                },
                Err(garbage) => {
                    child.fault = Some(garbage.to_string());
                    child.close();
                    self.happened(Event::Nonsense(number));
                    self.happened(Event::PipeEnded(number, false));
                    return;
                }
            };
            self.happened(event);
        }
        if let (Came::End, Some(child)) = (came, self.children.get(&number)) {
            let event = Event::PipeEnded(number, child.is_cut());
            self.happened(event);
        }
    }

    /// Tells the books, and does what they say; then reads the pipes of those who have ended.
    fn happened(&mut self, event: Event) {
        self.obey_all(event);
        while let Some(number) = self.ended_with_a_pipe.pop_front() {
            self.drain(number);
        }
    }

    /// Tells the books, and does what they say, in this order.
    fn obey_all(&mut self, event: Event) {
        let mut next = Some(event);
        while let Some(event) = next {
            let mut orders = Vec::new();
            self.books.on(event, &mut orders);
            orders.into_iter().for_each(|order| self.obey(order));
            next = self.later.pop_front();
        }
        // Whoever sent what the books had no use for.
        self.answer = None;
    }
}

/// Whether this tells that a worker has ended, or its channel.
fn is_end(flags: PollFlags, part: Part) -> bool {
    match part {
        Part::Channel => flags.intersects(PollFlags::HUP | PollFlags::ERR),
        Part::Stream(_) => false,
        Part::Process => true,
    }
}

/// Tells what a worker has printed to whom it is told to.
fn told(listener: Option<&Listener>) -> impl FnMut(Number, bool, &[u8]) {
    move |number, is_error, bytes| {
        if let Some(listener) = listener {
            isolate(|| listener(number, is_error, bytes));
        }
    }
}
