//! What a pool knows of its workers and jobs, and decides: one pure function, without processes, pipes or threads.
//!
//! Whoever keeps the books tells them what has happened, in the order in which it was seen, and does what they say. The
//! models step them, with processes that may die at every step. `[process-3]` `[process-4]`

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

/// Numbers a job, in the order in which they are accepted. Never used twice.
pub(crate) type Token = u64;

/// Numbers a worker. Never used twice, so that nothing said of one is ever taken for another.
pub(crate) type Number = u64;

/// How many workers in a row may end before they have begun a job.
pub(crate) const STARTS: u32 = 3;

/// How many starts in a row the system may refuse, with a pause after each.
pub(crate) const TRIES: u32 = 10;

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Doing {
    /// It was started, and has not said that it is ready.
    Starting,
    Nothing,
    /// It was given this job, and has said that it began it or has not.
    Job(Token, bool),
    /// It was told to end.
    Leaving,
}

/// A worker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Worker {
    pub(crate) doing: Doing,
    /// How many jobs it may still begin.
    left: u64,
    /// Whether its pipe has ended, and if so whether inside a message.
    pipe: Option<bool>,
    /// Whether its process has ended.
    process: bool,
    /// Whether it was ended, or is to be: nothing new is given to it.
    doomed: bool,
    /// Whether somebody has asked for that.
    asked: bool,
    /// Whether it has said what makes no sense: it is not listened to any more.
    deaf: bool,
    /// Whether it has begun a job, ever.
    is_of_use: bool,
}

impl Worker {
    const fn new(left: u64) -> Self {
        Self {
            doing: Doing::Starting,
            left,
            pipe: None,
            process: false,
            doomed: false,
            asked: false,
            deaf: false,
            is_of_use: false,
        }
    }

    /// Whether it has said what makes no sense.
    pub(crate) const fn is_deaf(&self) -> bool {
        self.deaf
    }
}

/// How far a lost job had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Far {
    NotBegun,
    Begun,
    CutShort,
}

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Event {
    /// A job was accepted.
    Submitted(Token),
    /// A job was cancelled that nobody has been given.
    Cancelled(Token),
    /// A job that was offered had been cancelled before.
    Withdrawn(Number),
    /// A job that was offered was not begun, since the worker's end has been seen: it is to be given to another one.
    Returned(Number, Token),
    /// A worker says that it is ready.
    Ready(Number),
    /// A worker says that it cannot be made ready.
    Unready(Number),
    /// A worker says that it begins its job.
    Began(Number, Token),
    /// A worker has answered its job, and all of the answer is here.
    Answered(Number, Token),
    /// A worker has sent what makes no sense.
    Nonsense(Number),
    /// Nothing more comes out of a worker's pipe; it ended inside a message or did not.
    PipeEnded(Number, bool),
    /// A worker's process has ended, and something may still be in its pipe.
    ProcessEnded(Number),
    /// A worker could not be started, for a reason that lasts or that is of the moment.
    NotStarted(Number, bool),
    /// The pause after a start that was refused is over.
    Rested,
    /// Nobody can be waited for any more.
    Blind,
    /// Somebody wants the worker with this job killed.
    Kill(Token),
    /// No more jobs are accepted.
    Closed,
    /// What is queued is to be dropped.
    DropQueued,
    /// Every worker is to be killed.
    Terminate,
}

/// What is to be done, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Order {
    /// Start a worker of this number.
    Start(Number),
    /// Begin this job and give it to this worker, or say that it is [`Withdrawn`](Event::Withdrawn) or
    /// [`Returned`](Event::Returned).
    Offer(Number, Token),
    /// Settle the job with what the worker has answered.
    Settle(Token),
    /// The job is lost with this worker, whose process has ended and whose pipe is empty.
    Lose(Number, Token, Far),
    /// Drop the job unrun.
    Drop(Token),
    /// Drop the job unrun, because the pool is broken.
    BreakOff(Token),
    /// Tell the worker to end.
    Dismiss(Number),
    /// Kill the worker's process.
    Kill(Number),
    /// Read what is left in the worker's pipe, say so, and then that it has ended.
    Drain(Number),
    /// Forget the worker: its process has ended and its pipe is empty.
    Forget(Number),
    /// No worker can be started any more, and none is left: the pool is broken.
    Break,
    /// Say [`Rested`](Event::Rested) after a pause, which is the longer the more starts in a row were refused.
    Rest(u32),
    /// Everything has ended.
    End,
}

/// The books.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Books {
    max: usize,
    jobs_each: u64,
    /// The jobs that nobody has been given, each in its place.
    queue: BTreeSet<Token>,
    workers: BTreeMap<Number, Worker>,
    next: Number,
    /// How many workers in a row have ended before they had begun a job.
    failed: u32,
    /// How many starts in a row were refused, and none has led to a worker that was ready or has ended.
    refused: u32,
    /// Whether there is a pause after one of them: none is tried in it.
    rests: bool,
    open: bool,
    broken: bool,
    ended: bool,
}

impl Books {
    /// Of a pool of so many workers at the most, each of which gets so many jobs.
    pub(crate) const fn new(max: usize, jobs_each: u64) -> Self {
        Self {
            max,
            jobs_each,
            queue: BTreeSet::new(),
            workers: BTreeMap::new(),
            next: 0,
            failed: 0,
            refused: 0,
            rests: false,
            open: true,
            broken: false,
            ended: false,
        }
    }

    pub(crate) fn workers(&self) -> &BTreeMap<Number, Worker> {
        &self.workers
    }

    /// Notes what has happened, and says what is to be done.
    pub(crate) fn on(&mut self, event: Event, orders: &mut Vec<Order>) {
        match event {
            Event::Submitted(job) if self.broken => orders.push(Order::BreakOff(job)),
            Event::Submitted(job) => {
                // Those who only start now show nothing.
                if self.workers.is_empty() || self.workers.values().any(|it| it.is_of_use) {
                    self.try_again();
                }
                self.queue.insert(job);
            }
            Event::Cancelled(job) => {
                self.queue.remove(&job);
            }
            Event::Ready(it) => {
                self.answers_its_start(it, Doing::Nothing, orders);
            }
            Event::Unready(it) => {
                if self.answers_its_start(it, Doing::Starting, orders) {
                    self.break_down(orders);
                }
            }
            Event::Began(it, job) => {
                self.tells_of_its_job(it, job, Doing::Job(job, true), orders);
            }
            Event::Answered(it, job) => {
                if self.tells_of_its_job(it, job, Doing::Nothing, orders) {
                    orders.push(Order::Settle(job));
                }
            }
            Event::Withdrawn(it) => self.change(it, orders, |worker| {
                worker.doing = Doing::Nothing;
                worker.left += 1;
            }),
            Event::Returned(it, job) => self.returned(it, job, orders),
            Event::Nonsense(it) => self.change(it, orders, |worker| worker.deaf = true),
            Event::PipeEnded(it, cut) => self.pipe_ended(it, cut, orders),
            Event::ProcessEnded(it) => self.process_ended(it, orders),
            Event::NotStarted(it, lasts) => {
                self.workers.remove(&it);
                self.refused(lasts, orders);
            }
            Event::Rested => self.rests = false,
            Event::Blind => {
                self.break_down(orders);
                self.doom(orders, |_, _| true);
            }
            Event::Kill(job) => {
                self.doom(orders, |_, it| matches!(it.doing, Doing::Job(own, _) if own == job));
            }
            Event::Closed => self.open = false,
            Event::DropQueued => {
                orders.extend(mem::take(&mut self.queue).into_iter().map(Order::Drop))
            }
            Event::Terminate => self.doom(orders, |_, _| true),
        }
        self.go_on(orders);
    }

    fn pipe_ended(&mut self, it: Number, cut: bool, orders: &mut Vec<Order>) {
        let Some(worker) = self.workers.get_mut(&it) else { return };
        worker.pipe = Some(cut);
        if worker.process {
            self.bury(it, orders);
        } else if !worker.doomed {
            worker.doomed = true;
            orders.push(Order::Kill(it));
        }
    }

    fn process_ended(&mut self, it: Number, orders: &mut Vec<Order>) {
        let Some(worker) = self.workers.get_mut(&it) else { return };
        (worker.process, worker.doomed) = (true, true);
        match worker.pipe {
            Some(_) => self.bury(it, orders),
            None => orders.push(Order::Drain(it)),
        }
    }

    /// Has those killed, and given nothing any more.
    fn doom(&mut self, orders: &mut Vec<Order>, which: impl Fn(Number, &Worker) -> bool) {
        let which = |it: &(&Number, &mut Worker)| !it.1.doomed && which(*it.0, it.1);
        for (it, worker) in self.workers.iter_mut().filter(which) {
            (worker.doomed, worker.asked) = (true, true);
            orders.push(Order::Kill(*it));
        }
    }

    /// Changes a worker that is listened to; one that turns out to make no sense is killed.
    fn change(&mut self, it: Number, orders: &mut Vec<Order>, change: impl FnOnce(&mut Worker)) {
        let Some(worker) = self.workers.get_mut(&it).filter(|worker| !worker.deaf) else { return };
        change(worker);
        if worker.deaf && !worker.doomed {
            worker.doomed = true;
            orders.push(Order::Kill(it));
        }
    }

    /// Notes that a worker has begun its job, or answered it.
    fn is_of_use(&mut self, it: Number) {
        let Some(worker) = self.workers.get_mut(&it) else { return };
        if worker.is_of_use {
            self.try_again();
        } else {
            (worker.is_of_use, self.failed) = (true, 0);
        }
    }

    /// Lets one more worker be started: what kept some from it may have been of the moment, since others are of use.
    fn try_again(&mut self) {
        self.failed = self.failed.min(STARTS - 1);
    }

    /// Notes that the system has refused a start. Of several that are refused before the pause is over one counts.
    fn refused(&mut self, lasts: bool, orders: &mut Vec<Order>) {
        if lasts {
            self.refused = TRIES;
        } else if !self.rests {
            self.refused = TRIES.min(self.refused + 1);
        }
        if !self.rests {
            self.rests = true;
            orders.push(Order::Rest(self.refused));
        }
    }

    /// Lets a start be tried at once: there was room for a worker.
    fn is_refused_no_more(&mut self) {
        (self.refused, self.rests) = (0, false);
    }

    /// Whether a worker that starts says how that went, and is listened to. It does this then.
    fn answers_its_start(&mut self, it: Number, next: Doing, orders: &mut Vec<Order>) -> bool {
        let mut is_first = false;
        self.change(it, orders, |worker| match worker.doing {
            Doing::Starting => (worker.doing, is_first) = (next, true),
            Doing::Leaving => (),
            Doing::Nothing | Doing::Job(..) => worker.deaf = true,
        });
        if is_first {
            self.is_refused_no_more();
        }
        is_first
    }

    /// Whether a worker that is listened to tells of its own job, that it begins it or has answered it. It does this then.
    fn tells_of_its_job(
        &mut self,
        it: Number,
        job: Token,
        next: Doing,
        orders: &mut Vec<Order>,
    ) -> bool {
        let mut is_own = false;
        self.change(it, orders, |worker| match worker.doing {
            Doing::Job(own, begun) if own == job && !(begun && next != Doing::Nothing) => {
                (worker.doing, is_own) = (next, true);
            }
            _ => worker.deaf = true,
        });
        if is_own {
            self.is_of_use(it);
        }
        is_own
    }

    /// A job comes back of a worker whose end was seen, and nobody has heard of it.
    fn returned(&mut self, it: Number, job: Token, orders: &mut Vec<Order>) {
        if let Some(worker) = self.workers.get_mut(&it) {
            worker.doing = Doing::Nothing;
            worker.left += 1;
        }
        self.doom(orders, |other, _| other == it);
        if self.broken {
            orders.push(Order::BreakOff(job));
        } else {
            self.queue.insert(job);
        }
    }

    /// The worker's process has ended, and its pipe is empty.
    fn bury(&mut self, it: Number, orders: &mut Vec<Order>) {
        let Some(worker) = self.workers.remove(&it) else { return };
        match worker.doing {
            Doing::Job(job, begun) => {
                let far = match (begun, worker.deaf, worker.pipe == Some(true)) {
                    (true, false, true) => Far::CutShort,
                    (false, false, false) => Far::NotBegun,
                    // One that makes no sense, or says a part of an answer first, may have begun without a word.
                    _ => Far::Begun,
                };
                orders.push(Order::Lose(it, job, far));
                self.failed += u32::from(!begun && !worker.is_of_use && !worker.asked);
            }
            Doing::Starting | Doing::Nothing if !worker.is_of_use => self.failed += 1,
            Doing::Starting | Doing::Nothing | Doing::Leaving => (),
        }
        if worker.is_of_use {
            self.try_again();
        }
        self.is_refused_no_more();
        orders.push(Order::Forget(it));
    }

    /// No worker begins a job any more, and what is queued is dropped.
    fn break_down(&mut self, orders: &mut Vec<Order>) {
        if !self.broken {
            (self.broken, self.open) = (true, false);
            orders.push(Order::Break);
            orders.extend(mem::take(&mut self.queue).into_iter().map(Order::BreakOff));
        }
    }

    /// Gives jobs to workers that have none, starts workers for the others, and dismisses whom nobody needs.
    fn go_on(&mut self, orders: &mut Vec<Order>) {
        for (it, worker) in &mut self.workers {
            if worker.doomed || worker.doing != Doing::Nothing {
                continue;
            }
            if worker.left == 0 || self.queue.is_empty() && !self.open {
                worker.doing = Doing::Leaving;
                orders.push(Order::Dismiss(*it));
            } else if let Some(job) = self.queue.pop_first() {
                worker.left -= 1;
                worker.doing = Doing::Job(job, false);
                orders.push(Order::Offer(*it, job));
            }
        }
        let starting = |worker: &&Worker| worker.doing == Doing::Starting && !worker.doomed;
        let mut starting = self.workers.values().filter(starting).count();
        let is_hopeless = self.failed >= STARTS || self.refused >= TRIES;
        if is_hopeless && self.workers.is_empty() && !self.queue.is_empty() {
            self.break_down(orders);
        } else if self.failed < STARTS && !self.rests {
            while self.queue.len() > starting && self.workers.len() < self.max {
                self.workers.insert(self.next, Worker::new(self.jobs_each));
                orders.push(Order::Start(self.next));
                self.next += 1;
                starting += 1;
            }
        }
        if !self.open && self.queue.is_empty() {
            for (it, worker) in &mut self.workers {
                if worker.doing == Doing::Starting && !worker.doomed {
                    worker.doing = Doing::Leaving;
                    orders.push(Order::Dismiss(*it));
                }
            }
            if self.workers.is_empty() && !self.ended {
                self.ended = true;
                orders.push(Order::End);
            }
        }
    }
}
