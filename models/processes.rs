//! A pool of processes that may die at every step: the books that ship, `src/process/books.rs`, between a client and
//! workers.
//!
//! One step is one event that the pool's thread tells the books, or one order that it obeys; a step of a worker's
//! process, which takes a message, begins, or writes an answer; a call of the client; or a death. What a process has
//! written stays in its pipe when it dies. Programs have besides what is named by [`May`].

mod properties;
mod reached;
mod steps;
mod trials;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use settled::{
    machine::{Event as Happens, State, Step as Effect},
    model::check::{ENVIRONMENT, Kinds},
};
use stateright::{Model, Property};

pub(crate) use self::trials::add;
use crate::books::{Books, Event, Far, Number, Order, TRIES, Token};

/// What a pool does that is wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    BreaksAsAWhole,
    RunsAgain,
    ByName,
    TakesLate,
    DoesNotRead,
    IsNotTold,
    WaitsForReady,
    BelievesAnybody,
    DropsWhatRuns,
    LetsGo,
    LosesLate,
    OffersToTheDead,
    ForgetsWhatComesBack,
    KillsEverybody,
    NeverTriesAgain,
    TriesAtOnce,
    KeepsWhatIsCancelled,
}

/// What may happen besides what happens in every program: workers begin, answer and leave; the client cancels, kills one and
/// closes. What goes wrong with workers does so as often as there may be deaths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum May {
    /// Workers die, hang up, or die in the middle of an answer.
    Die,
    /// The same, and who is killed goes on for a while.
    Linger,
    /// They cannot be started, cannot be made ready, or die.
    NotStart,
    /// They cannot be started for a moment, or die.
    NotFork,
    /// They write garbage, answer a job that another one was given, or die, also in the middle of an answer without having
    /// said that they begin.
    TalkNonsense,
    /// The client drops what is queued, or kills everybody, once; or workers die, or the pool's thread cannot wait any more.
    EndEarly,
}

/// A pool, and how much may happen.
#[derive(Clone, Copy, Debug)]
struct Pool {
    max: usize,
    jobs: Token,
    /// How many jobs a worker may do.
    each: u64,
    deaths: u8,
    may: May,
    wrong: Option<Wrong>,
}

/// What a worker has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Said {
    Ready,
    Unready,
    Began(Token),
    Answer(Token),
    Half,
    Garbage,
}

/// Where a worker's process stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stands {
    Starting,
    Waiting,
    Has(Token),
    Works(Token),
}

/// A worker's process and its pipes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Process {
    is_alive: bool,
    /// Whether the pool has had it killed: it goes on until it falls.
    is_killed: bool,
    stands: Stands,
    /// A job, or that it is to leave.
    to_do: VecDeque<Option<Token>>,
    said: VecDeque<Said>,
    /// Whether the pool knows that its process has ended, and that its pipe has.
    is_told: [bool; 2],
    /// Whether it has ended its own pipe, and goes on.
    has_hung_up: bool,
    /// Whether it has written what makes no sense.
    is_mad: bool,
    /// Whether the pool has heard that it began a job, or answered one.
    is_of_use: bool,
    /// Whether the pool has forgotten it.
    is_gone: bool,
}

/// What became of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Became {
    Value,
    Died(Far),
    Dropped,
    Broken,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Job {
    cell: State,
    to: Option<Number>,
    runs: u8,
    has_ended: bool,
    is_answered: bool,
    became: Option<Became>,
    has_changed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Now {
    /// These and the processes are shared by the states in which they are the same.
    books: Arc<Books>,
    orders: VecDeque<Order>,
    later: VecDeque<Event>,
    jobs: Vec<Job>,
    processes: BTreeMap<Number, Arc<Process>>,
    submitted: Token,
    /// Of which cancels the pool's thread is to hear.
    cancels: VecDeque<Token>,
    is_closed: bool,
    /// Whose worker the client has had killed.
    has_killed: Option<Token>,
    /// Whether the client has dropped what is queued, and has killed everybody.
    has_ended: [bool; 2],
    /// How many workers could not be started.
    not_started: u8,
    /// Whether the pool makes a pause after that, and how many have passed since a worker was started.
    rests: bool,
    rested: u8,
    /// Whether the pool's thread cannot wait any more.
    is_blind: bool,
    is_broken: bool,
    deaths: u8,
    /// What a pool must not do.
    has_erred: Erred,
}

/// What a pool has done that it must not do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Erred {
    /// It has given a job to a worker whose end it had been told.
    offered_late: bool,
    /// It has killed a worker that had given no reason for it.
    killed_another: bool,
    /// It has started a worker when nothing was left that it had not heard to be cancelled.
    started_in_vain: bool,
    /// It has broken when nothing had just failed.
    broken_in_vain: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Submit,
    Cancel(Token),
    Kill(Token),
    Close,
    /// The pool's thread goes on with what it has in hand.
    Obey,
    /// It hears of a cancel.
    Hear,
    /// It takes what is first in a worker's pipe, or finds its end.
    Read(Number),
    /// It is told that a process has ended.
    Told(Number),
    /// A wrong pool thinks so by the clock.
    Thinks(Number),
    /// The pause after a start that was refused is over.
    Rest,
    /// It cannot wait for anybody any more.
    GoBlind,
    /// It gives a job back that a worker was to have, whose end it has seen.
    Return,
    Work(Number),
    /// One that was killed is.
    Fall(Number),
    Die(Number),
    /// In the middle of an answer.
    DieWriting(Number),
    /// It ends its pipe, and goes on.
    HangUp(Number),
    /// The worker that is to be started next cannot be, for a reason that lasts or not.
    FailToStart(bool),
    /// It says that it cannot be made ready.
    Refuse(Number),
    Babble(Number),
    /// It answers a job that another one was given.
    Lie(Number, Token),
    /// It dies in the middle of an answer, and has not said that it began.
    Blurt(Number),
    DropQueued,
    Terminate,
}

impl Process {
    fn new() -> Self {
        Self {
            is_alive: true,
            is_killed: false,
            stands: Stands::Starting,
            to_do: VecDeque::new(),
            said: VecDeque::new(),
            is_told: [false; 2],
            has_hung_up: false,
            is_mad: false,
            is_of_use: false,
            is_gone: false,
        }
    }
}

impl Now {
    fn tell(&mut self, event: Event) {
        let was_of_use = |it| self.processes.get(&it).is_some_and(|it| it.is_of_use);
        let may_break = match event {
            Event::NotStarted(_, false) => u32::from(self.rested) >= TRIES - 1,
            Event::NotStarted(_, true) | Event::Unready(_) | Event::Blind => true,
            Event::PipeEnded(it, _) | Event::ProcessEnded(it) => !was_of_use(it),
            _ => false,
        };
        let mut orders = Vec::new();
        Arc::make_mut(&mut self.books).on(event, &mut orders);
        let waits = |it: Token| {
            let cell = self.jobs[usize::try_from(it).expect("there are few")].cell;
            cell == State::Pending || cell == State::Cancelled && self.cancels.contains(&it)
        };
        let starts = orders.iter().any(|it| matches!(it, Order::Start(_)));
        self.has_erred.started_in_vain |= starts && !(0..self.submitted).any(waits);
        self.has_erred.broken_in_vain |= orders.contains(&Order::Break) && !may_break;
        self.orders.extend(orders);
    }

    fn happens(&mut self, job: Token, event: Happens) -> bool {
        let job = &mut self.jobs[usize::try_from(job).expect("there are few")];
        let Effect::To(next) = job.cell.on(event) else { return false };
        job.cell = next;
        true
    }

    fn cancel(&mut self, job: Token) {
        if self.happens(job, Happens::Cancel) {
            self.cancels.push_back(job);
        }
    }

    /// Everybody is killed, and waited for.
    fn go_blind(&mut self) {
        self.is_blind = true;
        self.tell(Event::Blind);
        for (it, process) in self.processes.iter_mut().filter(|it| !it.1.is_told[0]) {
            Arc::make_mut(process).is_told[0] = true;
            self.later.push_back(Event::ProcessEnded(*it));
        }
    }

    fn process(&mut self, it: Number) -> Option<&mut Process> {
        self.processes.get_mut(&it).map(Arc::make_mut)
    }

    fn job(&mut self, job: Token) -> &mut Job {
        &mut self.jobs[usize::try_from(job).expect("there are few")]
    }

    fn settle(&mut self, job: Token, became: Became) {
        let is_dropped = matches!(became, Became::Dropped | Became::Broken);
        let happens = if is_dropped { Happens::Abandon } else { Happens::Finish };
        self.happens(job, happens);
        let job = self.job(job);
        job.has_changed |= job.became.is_some();
        job.became = Some(became);
    }

    fn is_idle(&self) -> bool {
        self.orders.is_empty() && self.later.is_empty()
    }

    /// Takes what a worker has written next; the event that it is for the books.
    fn take(&mut self, it: Number) -> Option<Event> {
        let process = self.process(it)?;
        process.is_of_use |= matches!(process.said.front(), Some(Said::Began(_) | Said::Answer(_)));
        match process.said.pop_front() {
            Some(Said::Ready) => Some(Event::Ready(it)),
            Some(Said::Began(job)) => Some(Event::Began(it, job)),
            Some(Said::Answer(job)) => Some(Event::Answered(it, job)),
            Some(Said::Unready) => Some(Event::Unready(it)),
            Some(Said::Garbage) => {
                // The pool reads no more.
                process.said.clear();
                process.has_hung_up = true;
                Some(Event::Nonsense(it))
            }
            said @ (Some(Said::Half) | None) => {
                process.is_told[1] = true;
                Some(Event::PipeEnded(it, said.is_some()))
            }
        }
    }
}

impl Pool {
    fn hear(&self, now: &mut Now) -> Option<()> {
        let job = now.cancels.pop_front()?;
        if self.wrong != Some(Wrong::KeepsWhatIsCancelled) {
            now.tell(Event::Cancelled(job));
        }
        Some(())
    }
}

impl Model for Pool {
    type State = Now;
    type Action = Step;

    fn init_states(&self) -> Vec<Now> {
        let job = Job {
            cell: State::Pending,
            to: None,
            runs: 0,
            has_ended: false,
            is_answered: false,
            became: None,
            has_changed: false,
        };
        vec![Now {
            books: Books::new(self.max, self.each).into(),
            orders: VecDeque::new(),
            later: VecDeque::new(),
            jobs: (0..self.jobs).map(|_| job.clone()).collect(),
            processes: BTreeMap::new(),
            submitted: 0,
            cancels: VecDeque::new(),
            is_closed: false,
            has_killed: None,
            has_ended: [false; 2],
            not_started: 0,
            rests: false,
            rested: 0,
            is_blind: false,
            is_broken: false,
            deaths: 0,
            has_erred: Erred::default(),
        }]
    }

    fn actions(&self, now: &Now, steps: &mut Vec<Step>) {
        self.workers_may(now, steps);
        for (it, job) in (0..).zip(&now.jobs) {
            if it < now.submitted && job.cell == State::Pending {
                steps.push(Step::Cancel(it));
            }
        }
        if !now.is_idle() {
            let starts = matches!(now.orders.front(), Some(Order::Start(_)));
            if matches!(self.may, May::NotStart | May::NotFork)
                && starts
                && now.deaths < self.deaths
            {
                steps.push(Step::FailToStart(false));
                if self.may == May::NotStart {
                    steps.push(Step::FailToStart(true));
                }
            }
            if let Some(Order::Offer(it, _)) = now.orders.front()
                && self.wrong.is_none_or(|it| it == Wrong::ForgetsWhatComesBack)
                && (!now.processes[it].is_alive || now.processes[it].has_hung_up)
            {
                steps.push(Step::Return);
            }
            return steps.push(Step::Obey);
        }
        // What the client tells the pool's thread is one of what this looks at.
        if now.submitted < self.jobs {
            steps.push(Step::Submit);
        } else if !now.is_closed {
            steps.push(Step::Close);
        }
        let runs = |it: &Token| now.jobs[*it as usize].cell == State::Running;
        if now.has_killed.is_none() {
            steps.extend((0..self.jobs).filter(runs).map(Step::Kill));
        }
        if self.may == May::EndEarly {
            let both = [Step::DropQueued, Step::Terminate];
            steps.extend(both.into_iter().zip(now.has_ended).filter(|it| !it.1).map(|it| it.0));
            if now.deaths < self.deaths {
                steps.push(Step::GoBlind);
            }
        }
        self.looks(now, steps);
    }

    fn next_state(&self, last: &Now, step: Step) -> Option<Now> {
        let mut now = last.clone();
        match step {
            Step::Submit => {
                now.submitted += 1;
                now.tell(Event::Submitted(now.submitted - 1));
            }
            Step::Cancel(job) => now.cancel(job),
            Step::Hear => self.hear(&mut now)?,
            Step::Kill(job) => {
                now.has_killed = Some(job);
                let is_wrong = self.wrong == Some(Wrong::KillsEverybody);
                now.tell(if is_wrong { Event::Terminate } else { Event::Kill(job) });
            }
            Step::Close => {
                now.is_closed = true;
                now.tell(Event::Closed);
            }
            Step::Obey => self.obey(&mut now),
            Step::Read(it) if now.processes[&it].is_gone => {
                if let Some(Event::Answered(_, job)) = now.take(it) {
                    now.settle(job, Became::Value);
                }
            }
            Step::Read(it) => {
                let event = now.take(it)?;
                match (self.wrong, event) {
                    (Some(Wrong::WaitsForReady), Event::Unready(_)) => (),
                    (Some(Wrong::BelievesAnybody), Event::Answered(_, job)) => {
                        now.settle(job, Became::Value);
                    }
                    _ => now.tell(event),
                }
                if self.wrong == Some(Wrong::ByName) && matches!(event, Event::PipeEnded(..)) {
                    now.later.push_back(Event::ProcessEnded(it));
                }
            }
            Step::Told(it) => self.told(&mut now, it)?,
            Step::Rest => {
                (now.rests, now.rested) = (false, now.rested + 1);
                now.tell(Event::Rested);
            }
            Step::Return => {
                let Some(Order::Offer(it, job)) = now.orders.pop_front() else { return None };
                if self.wrong != Some(Wrong::ForgetsWhatComesBack) {
                    now.later.push_back(Event::Returned(it, job));
                }
            }
            Step::Thinks(it) => {
                now.later.extend([Event::PipeEnded(it, false), Event::ProcessEnded(it)]);
            }
            Step::Work(it) => Self::work(&mut now, it),
            Step::Fall(it) => now.process(it)?.is_alive = false,
            step => self.goes_on_otherwise(&mut now, step)?,
        }
        Some(now)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all(self)
    }
}

impl Kinds for Pool {
    fn kind(step: &Step) -> &'static str {
        match step {
            Step::Submit => "submit",
            Step::Cancel(_) => "cancel",
            Step::Kill(_) => "kill",
            Step::Close => "close",
            Step::Obey => "obey",
            Step::Hear => "hear",
            Step::Read(_) => "read",
            Step::Told(_) => "told",
            Step::Thinks(_) => "thinks",
            Step::Return => "return",
            Step::Rest => "rest",
            Step::GoBlind => "go blind",
            Step::Work(_) => "work",
            Step::Fall(_) => "fall",
            Step::Die(_) => "die",
            Step::DieWriting(_) => "die writing",
            Step::HangUp(_) => "hang up",
            Step::FailToStart(_) => "fail to start",
            Step::Refuse(_) => "refuse",
            Step::Babble(_) => "babble",
            Step::Lie(..) => "lie",
            Step::Blurt(_) => "blurt",
            Step::DropQueued => "drop queued",
            Step::Terminate => "terminate",
        }
    }

    fn by(&self, step: &Step) -> usize {
        match step {
            Step::Submit
            | Step::Cancel(_)
            | Step::Kill(_)
            | Step::Close
            | Step::DropQueued
            | Step::Terminate => 0,
            Step::Obey | Step::Hear | Step::Return | Step::Rest | Step::Read(_) | Step::Told(_) => {
                1
            }
            Step::Work(it) | Step::Fall(it) => 2 + usize::try_from(*it).expect("there are few"),
            Step::Thinks(_)
            | Step::Die(_)
            | Step::DieWriting(_)
            | Step::HangUp(_)
            | Step::FailToStart(_)
            | Step::GoBlind
            | Step::Refuse(_)
            | Step::Babble(_)
            | Step::Lie(..)
            | Step::Blurt(_) => ENVIRONMENT,
        }
    }
}
