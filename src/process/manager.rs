//! The thread of a pool: it does what the books say, and waits for all workers at once.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    io::{PipeReader, Read},
    mem,
    sync::Arc,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{
    books::{Books, Event, Number, Order, STARTS, Token},
    child::{Came, Child, How, Part},
    frame::{self, Frame, Kind},
    job::{Given, Queued},
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
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let found = poll(&mut files, if sleeps { None } else { Some(&now) });
        if !found.is_ok_and(|count| count > 0) {
            return;
        }
        let is_woken = !files[0].revents().is_empty();
        let came = files[1..].iter().map(PollFd::revents).zip(parts).filter(|it| !it.0.is_empty());
        let came: Vec<_> = came.collect();
        if is_woken {
            let _ = (&self.woken).read(&mut self.bytes);
        }
        for (flags, (number, part)) in came {
            self.came(number, part, flags);
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
                    Kind::Began => Event::Began(number, token),
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

    fn obey(&mut self, order: Order) {
        match order {
            Order::Start(number) => self.start(number),
            Order::Offer(number, token) => self.offer(number, token),
            Order::Settle(token) => {
                let Some((number, kind, format, payload)) = self.answer.take() else { return };
                if let Some(Given { promise, .. }) = self.take(number, token) {
                    promise.answered(Frame { kind, format, token, payload: &payload });
                }
            }
            Order::Lose(number, token, far) => {
                let given = self.take(number, token);
                if let (Some(given), Some(child)) = (given, self.children.get_mut(&number)) {
                    child.hear_the_rest(&mut self.bytes, &mut told(self.listener.as_ref()));
                    let death = child.death(given.name, far);
                    given.promise.died(death);
                }
            }
            Order::Drop(token) => {
                let job = self.queued.remove(&token);
                isolate(|| drop(job));
            }
            Order::BreakOff(token) => {
                self.queued.remove(&token).into_iter().for_each(|job| job.promise.broken());
            }
            Order::Dismiss(number) => {
                let message = frame::text(Kind::Leave, 0, &[], "", self.how.limit);
                self.children
                    .get_mut(&number)
                    .into_iter()
                    .for_each(|child| child.send(message.clone()));
            }
            Order::Kill(number) => self.kill(number),
            Order::Drain(number) => self.ended_with_a_pipe.push_back(number),
            Order::Forget(number) => self.forget(number),
            Order::Break => {
                let why = if self.failure.is_empty() {
                    "no worker could be started"
                } else {
                    &*self.failure
                };
                let mut state = lock(&self.shared.state);
                state.broken = Some(why.into());
                state.closed = true;
            }
            Order::End => self.ended = true,
        }
    }

    fn start(&mut self, number: Number) {
        match Child::start(number, &self.how) {
            Ok(mut child) => {
                child.send(self.setup.clone());
                self.children.insert(number, child);
                lock(&self.shared.state).workers += 1;
            }
            Err(error) => {
                self.failure = format!("{}: {error}", self.how.program.display());
                self.later.push_back(Event::NotStarted(number));
            }
        }
    }

    /// Begins the job, unless it was cancelled, and gives it to the worker.
    fn offer(&mut self, number: Number, token: Token) {
        let job = self.queued.remove(&token);
        let Some(Queued { name, message, promise }) = job else { return };
        // In one step for others: who sees it Running can have it killed.
        let mut state = lock(&self.shared.state);
        let (Some(child), Some(promise)) = (self.children.get_mut(&number), promise.start()) else {
            drop(state);
            return self.later.push_back(Event::Withdrawn(number));
        };
        state.running.insert(promise.address(), token);
        drop(state);
        let shared = Arc::clone(&self.shared);
        promise.on_cancel_request(Box::new(move || {
            shared.tell(&mut lock(&shared.state), Message::Cancel(token));
        }));
        child.given = Some((token, Given { name, promise }));
        child.send(message);
    }

    /// Takes the job from a worker that has it.
    fn take(&mut self, number: Number, token: Token) -> Option<Given> {
        let (own, given) = self.children.get_mut(&number)?.take_job()?;
        debug_assert_eq!(own, token, "the books know who has which job");
        lock(&self.shared.state).running.remove(&given.promise.address());
        Some(given)
    }

    fn kill(&mut self, number: Number) {
        let Some(child) = self.children.get_mut(&number) else { return };
        let is_deaf = self.books.workers().get(&number).is_some_and(|worker| worker.is_deaf());
        if is_deaf && child.fault.is_none() {
            child.fault = Some("it told of a job that it does not have".into());
        }
        if !child.kill() {
            self.later.push_back(Event::ProcessEnded(number));
        }
    }

    /// Reads all that a worker had written when its process had ended, and then says that nothing more comes. A child that has
    /// its pipe may go on writing.
    fn drain(&mut self, number: Number) {
        let until = self.children.get(&number).map_or(0, Child::written_so_far);
        while self.children.get(&number).is_some_and(|child| child.has_more(until)) {
            self.read(number);
        }
        let Some(child) = self.children.get_mut(&number) else { return };
        child.close();
        let cut = child.is_cut();
        self.obey_all(Event::PipeEnded(number, cut));
    }

    fn forget(&mut self, number: Number) {
        let Some(mut child) = self.children.remove(&number) else { return };
        child.hear_the_rest(&mut self.bytes, &mut told(self.listener.as_ref()));
        if !child.is_ready {
            let failure = child.failure();
            self.failure = format!(
                "{STARTS} workers in a row ended before they were ready; the last: {failure}"
            );
        }
        lock(&self.shared.state).workers -= 1;
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
