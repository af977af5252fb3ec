//! A pool of processes that may die at every step: the books that ship, `src/process/books.rs`, between a client and
//! workers.
//!
//! One step is one event that the pool's thread tells the books, or one order that it obeys; a step of a worker's
//! process, which takes a message, begins, or writes an answer; a call of the client; or a death. What a process has
//! written stays in its pipe when it dies.

use std::collections::{BTreeMap, VecDeque};

use settled::{
    machine::{Event as Happens, State, Step as Effect},
    model::check::{self, ENVIRONMENT, Kinds},
};
use stateright::{Model, Property};

use crate::{
    Trials,
    books::{Books, Event, Far, Number, Order, Token},
    refuted, row,
};

/// `[process-4]`
const OWN: &str = "a death loses the job of its own worker alone";
/// `[process-3]`
const DEAD: &str = "who is told to have died is dead";
/// `[process-3]`
const AT_ONCE: &str = "a job is lost as soon as its worker's end is known";
/// `[process-4]`
const ONCE: &str = "nothing is run twice";
/// `[process-1]`
const KEPT: &str = "a settled job stays as it was settled";
/// `[process-3]`
const WHOLE: &str = "a whole answer in the pipe counts";
/// `[process-3]` `[process-1]`
const TRUE: &str = "what is told of a job is what has happened";
/// `[process-9]`
const SETTLES: &str = "every accepted job settles, and every worker ends";

pub(crate) fn add(trials: &mut Trials) {
    trials.add("processes::every_program", || {
        let pool = |max, jobs, each, deaths| Pool { max, jobs, each, deaths, wrong: None };
        let all = [pool(1, 2, 9, 2), pool(2, 2, 9, 1), pool(1, 1, 1, 4)];
        let proof = check::prove_all(all).map_err(|it| format!("{:?}: {}", it.0, it.1))?;
        row("a pool of processes that die at every step", "3 programs", &proof, [355_483, 52])
            .map(|row| vec![row])
    });
    let wrong = [
        (Wrong::BreaksAsAWhole, "a death breaks the pool", OWN, 15),
        (Wrong::RunsAgain, "what was lost is run again in silence", ONCE, 20),
        (Wrong::ByName, "a worker is known by a name that is used again", DEAD, 13),
        (Wrong::TakesLate, "a late answer of one thought dead is taken", KEPT, 16),
        (Wrong::DoesNotRead, "a pipe is not read to its end", WHOLE, 13),
    ];
    for (wrong, was, property, steps) in wrong {
        trials.add(format!("processes::{was}"), move || {
            let pool = Pool { max: 2, jobs: 2, each: 9, deaths: 1, wrong: Some(wrong) };
            let system = format!("a pool of processes: {was}");
            refuted(system, format!("not so: {property}"), pool, property, steps).map(|it| vec![it])
        });
    }
}

/// What a pool does that is wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    BreaksAsAWhole,
    RunsAgain,
    ByName,
    TakesLate,
    DoesNotRead,
}

/// A pool, and how much may happen.
#[derive(Clone, Copy, Debug)]
struct Pool {
    max: usize,
    jobs: Token,
    /// How many jobs a worker may do.
    each: u64,
    deaths: u8,
    wrong: Option<Wrong>,
}

/// What a worker has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Said {
    Ready,
    Began(Token),
    Answer(Token),
    Half,
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
    stands: Stands,
    /// A job, or that it is to leave.
    to_do: VecDeque<Option<Token>>,
    said: VecDeque<Said>,
    /// Whether the pool knows that its process has ended, and that its pipe has.
    is_told: [bool; 2],
    /// Whether it has ended its own pipe, and goes on.
    has_hung_up: bool,
    /// Whether the pool has forgotten it.
    is_gone: bool,
}

/// What became of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Became {
    Value,
    Died(Far),
    Dropped,
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
    books: Books,
    orders: VecDeque<Order>,
    later: VecDeque<Event>,
    jobs: Vec<Job>,
    processes: BTreeMap<Number, Process>,
    submitted: Token,
    is_closed: bool,
    has_killed: bool,
    is_broken: bool,
    deaths: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Submit,
    Cancel(Token),
    Kill(Token),
    Close,
    /// The pool's thread goes on with what it has in hand.
    Obey,
    /// It takes what is first in a worker's pipe, or finds its end.
    Read(Number),
    /// It is told that a process has ended.
    Told(Number),
    /// A wrong pool thinks so by the clock.
    Thinks(Number),
    Work(Number),
    Die(Number),
    /// In the middle of an answer.
    DieWriting(Number),
    /// It ends its pipe, and goes on.
    HangUp(Number),
}

impl Now {
    fn tell(&mut self, event: Event) {
        let mut orders = Vec::new();
        self.books.on(event, &mut orders);
        self.orders.extend(orders);
    }

    fn happens(&mut self, job: Token, event: Happens) -> bool {
        let job = &mut self.jobs[usize::try_from(job).expect("there are few")];
        let Effect::To(next) = job.cell.on(event) else { return false };
        job.cell = next;
        true
    }

    fn job(&mut self, job: Token) -> &mut Job {
        &mut self.jobs[usize::try_from(job).expect("there are few")]
    }

    fn settle(&mut self, job: Token, became: Became) {
        let happens = if became == Became::Dropped { Happens::Abandon } else { Happens::Finish };
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
        let process = self.processes.get_mut(&it)?;
        match process.said.pop_front() {
            Some(Said::Ready) => Some(Event::Ready(it)),
            Some(Said::Began(job)) => Some(Event::Began(it, job)),
            Some(Said::Answer(job)) => Some(Event::Answered(it, job)),
            said @ (Some(Said::Half) | None) => {
                process.is_told[1] = true;
                Some(Event::PipeEnded(it, said.is_some()))
            }
        }
    }
}

impl Pool {
    fn obey(&self, now: &mut Now) {
        if let Some(order) = now.orders.pop_front() {
            return self.order(now, order);
        }
        if let Some(event) = now.later.pop_front() {
            now.tell(event);
        }
    }

    fn order(&self, now: &mut Now, order: Order) {
        match order {
            Order::Start(it) => {
                let process = Process {
                    is_alive: true,
                    stands: Stands::Starting,
                    to_do: VecDeque::new(),
                    said: VecDeque::new(),
                    is_told: [false; 2],
                    has_hung_up: false,
                    is_gone: false,
                };
                now.processes.insert(it, process);
            }
            Order::Offer(it, job) => {
                let again = self.wrong == Some(Wrong::RunsAgain) && now.job(job).to.is_some();
                if !again && !now.happens(job, Happens::Start) {
                    return now.later.push_back(Event::Withdrawn(it));
                }
                now.job(job).to = Some(it);
                now.processes.get_mut(&it).expect("it was started").to_do.push_back(Some(job));
            }
            Order::Settle(job) => now.settle(job, Became::Value),
            Order::Lose(_, job, _) if self.wrong == Some(Wrong::RunsAgain) => {
                now.later.push_back(Event::Submitted(job));
            }
            Order::Lose(_, job, far) => {
                now.settle(job, Became::Died(far));
                if self.wrong == Some(Wrong::BreaksAsAWhole) {
                    let running = |it: &Token| now.jobs[*it as usize].cell == State::Running;
                    let others: Vec<_> = (0..self.jobs).filter(running).collect();
                    others.into_iter().for_each(|it| now.settle(it, Became::Died(far)));
                }
            }
            Order::Drop(job) => now.settle(job, Became::Dropped),
            Order::BreakOff(job) => now.settle(job, Became::Dropped),
            Order::Dismiss(it) => {
                now.processes.get_mut(&it).expect("it was started").to_do.push_back(None);
            }
            // Who thinks by the clock that it is dead has no reason to.
            Order::Kill(it) if self.wrong == Some(Wrong::TakesLate) => {
                now.processes.get_mut(&it).expect("it was started").is_alive &= !now.has_killed;
            }
            Order::Kill(it) => now.processes.get_mut(&it).expect("it was started").is_alive = false,
            Order::Drain(it) => {
                if self.wrong == Some(Wrong::DoesNotRead) {
                    now.processes.get_mut(&it).expect("it was started").said.clear();
                }
                loop {
                    let Some(event) = now.take(it) else { return };
                    now.later.push_back(event);
                    if matches!(event, Event::PipeEnded(..)) {
                        return;
                    }
                }
            }
            Order::Forget(it) => now.processes.get_mut(&it).expect("it was started").is_gone = true,
            Order::Break => now.is_broken = true,
            Order::End => (),
        }
    }

    fn work(now: &mut Now, it: Number) {
        let Some(process) = now.processes.get_mut(&it) else { return };
        let (says, stands) = match process.stands {
            Stands::Starting => (Said::Ready, Stands::Waiting),
            Stands::Waiting => {
                match process.to_do.pop_front().flatten() {
                    Some(job) => process.stands = Stands::Has(job),
                    None => process.is_alive = false,
                }
                return;
            }
            Stands::Has(job) => (Said::Began(job), Stands::Works(job)),
            Stands::Works(job) => (Said::Answer(job), Stands::Waiting),
        };
        process.stands = stands;
        let is_heard = !process.has_hung_up;
        if is_heard {
            process.said.push_back(says);
        }
        match says {
            Said::Began(job) => now.job(job).runs += 1,
            Said::Answer(job) => {
                let job = now.job(job);
                (job.has_ended, job.is_answered) = (true, is_heard);
            }
            Said::Ready | Said::Half => (),
        }
    }

    /// What the pool's thread may look at, if it has nothing in hand.
    fn looks(&self, now: &Now, steps: &mut Vec<Step>) {
        for (it, process) in &now.processes {
            let has_ended = !process.is_alive;
            let is_closed = has_ended || process.has_hung_up;
            let half = process.said.front() == Some(&Said::Half);
            if process.is_gone {
                let late = matches!(process.said.front(), Some(Said::Answer(_)));
                if self.wrong == Some(Wrong::TakesLate) && late {
                    steps.push(Step::Read(*it));
                }
                if self.wrong == Some(Wrong::ByName) && has_ended && !process.is_told[0] {
                    steps.push(Step::Told(*it));
                }
                continue;
            }
            if !process.is_told[1] && (is_closed || !process.said.is_empty() && !half) {
                steps.push(Step::Read(*it));
            }
            if has_ended && !process.is_told[0] {
                steps.push(Step::Told(*it));
            }
            if self.wrong == Some(Wrong::TakesLate) && process.is_told == [false; 2] {
                steps.push(Step::Thinks(*it));
            }
        }
    }
}

/// Whether it was told to have died.
fn died(job: &Job) -> bool {
    matches!(job.became, Some(Became::Died(_)))
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
            books: Books::new(self.max, self.each),
            orders: VecDeque::new(),
            later: VecDeque::new(),
            jobs: (0..self.jobs).map(|_| job.clone()).collect(),
            processes: BTreeMap::new(),
            submitted: 0,
            is_closed: false,
            has_killed: false,
            is_broken: false,
            deaths: 0,
        }]
    }

    fn actions(&self, now: &Now, steps: &mut Vec<Step>) {
        for (it, process) in now.processes.iter().filter(|it| it.1.is_alive) {
            if process.stands != Stands::Waiting || !process.to_do.is_empty() {
                steps.push(Step::Work(*it));
            }
            if now.deaths < self.deaths {
                steps.push(Step::Die(*it));
                if !process.has_hung_up {
                    steps.push(Step::HangUp(*it));
                    if matches!(process.stands, Stands::Works(_)) {
                        steps.push(Step::DieWriting(*it));
                    }
                }
            }
        }
        for (it, job) in (0..).zip(&now.jobs) {
            if it < now.submitted && job.cell == State::Pending {
                steps.push(Step::Cancel(it));
            }
        }
        if !now.is_idle() {
            return steps.push(Step::Obey);
        }
        // What the client tells the pool's thread is one of what this looks at.
        if now.submitted < self.jobs {
            steps.push(Step::Submit);
        } else if !now.is_closed {
            steps.push(Step::Close);
        }
        let runs = |it: &Token| now.jobs[*it as usize].cell == State::Running;
        if !now.has_killed {
            steps.extend((0..self.jobs).filter(runs).map(Step::Kill));
        }
        self.looks(now, steps);
    }

    fn next_state(&self, last: &Now, step: Step) -> Option<Now> {
        let mut now = last.clone();
        match step {
            Step::Submit => {
                now.tell(Event::Submitted(now.submitted));
                now.submitted += 1;
            }
            Step::Cancel(job) => drop(now.happens(job, Happens::Cancel)),
            Step::Kill(job) => {
                now.has_killed = true;
                now.tell(Event::Kill(job));
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
                now.tell(event);
                if self.wrong == Some(Wrong::ByName) && matches!(event, Event::PipeEnded(..)) {
                    now.later.push_back(Event::ProcessEnded(it));
                }
            }
            Step::Told(it) => {
                let process = now.processes.get_mut(&it)?;
                process.is_told[0] = true;
                // Of one that is gone the newest has the name.
                let named = if process.is_gone { *now.processes.last_key_value()?.0 } else { it };
                now.tell(Event::ProcessEnded(named));
            }
            Step::Thinks(it) => {
                now.later.extend([Event::PipeEnded(it, false), Event::ProcessEnded(it)]);
            }
            Step::Work(it) => Self::work(&mut now, it),
            Step::Die(it) => {
                now.deaths += 1;
                now.processes.get_mut(&it)?.is_alive = false;
            }
            Step::HangUp(it) => {
                now.deaths += 1;
                now.processes.get_mut(&it)?.has_hung_up = true;
            }
            Step::DieWriting(it) => {
                now.deaths += 1;
                let process = now.processes.get_mut(&it)?;
                let Stands::Works(job) = process.stands else { return None };
                process.said.push_back(Said::Half);
                process.is_alive = false;
                now.job(job).has_ended = true;
            }
        }
        Some(now)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(OWN, |_, now: &Now| {
                let lost =
                    |it: Number| now.jobs.iter().filter(move |job| died(job) && job.to == Some(it));
                let is_dead = |job: &Job| job.to.is_some_and(|it| !now.processes[&it].is_alive);
                now.processes.keys().all(|it| lost(*it).count() <= 1)
                    && now.jobs.iter().all(|job| !died(job) || is_dead(job))
            }),
            Property::always(DEAD, |_, now: &Now| {
                now.processes.values().all(|it| !it.is_gone || !it.is_alive)
            }),
            Property::always(AT_ONCE, |_, now: &Now| {
                let is_lost = |job: &Job| {
                    let known = job.to.is_some_and(|it| now.processes[&it].is_told == [true; 2]);
                    job.cell != State::Running || !known
                };
                !now.is_idle() || now.jobs.iter().all(is_lost)
            }),
            Property::always(ONCE, |_, now: &Now| now.jobs.iter().all(|job| job.runs <= 1)),
            Property::always(KEPT, |_, now: &Now| now.jobs.iter().all(|job| !job.has_changed)),
            Property::always(WHOLE, |_, now: &Now| {
                now.jobs.iter().all(|job| !died(job) || !job.is_answered)
            }),
            Property::always(TRUE, |_, now: &Now| {
                // One that has hung up says nothing of what it begins.
                let is_mute = |job: &Job| job.to.is_some_and(|it| now.processes[&it].has_hung_up);
                now.jobs.iter().all(|job| match (job.became, job.cell) {
                    (Some(Became::Value), _) => job.is_answered,
                    (Some(Became::Died(Far::NotBegun)), _) => job.runs == 0 || is_mute(job),
                    (Some(Became::Dropped), _) => job.runs == 0,
                    (Some(Became::Died(Far::Begun)), _) => job.runs == 1,
                    (Some(Became::Died(Far::CutShort)), _) => job.has_ended,
                    (None, cell) => cell != State::Cancelled || job.runs == 0,
                })
            }),
            Property::always(SETTLES, |pool: &Self, now: &Now| {
                let mut steps = Vec::new();
                pool.actions(now, &mut steps);
                let has_ended = |it: &Process| it.is_gone && !it.is_alive;
                !steps.is_empty()
                    || now.jobs.iter().all(|job| job.cell.is_settled())
                        && now.processes.values().all(has_ended)
            }),
        ];
        if self.wrong.is_none() {
            properties.extend(reached());
        }
        properties
    }
}

/// What the programs come to, one or another.
fn reached() -> [Property<Pool>; 8] {
    fn became(now: &Now, far: Far) -> bool {
        now.jobs.iter().any(|job| job.became == Some(Became::Died(far)))
    }
    [
        Property::sometimes("a job dies that had not begun", |_, now: &Now| {
            became(now, Far::NotBegun)
        }),
        Property::sometimes("a job dies that had begun", |_, now: &Now| became(now, Far::Begun)),
        Property::sometimes("an answer is cut short", |_, now: &Now| became(now, Far::CutShort)),
        Property::sometimes("an answer counts of one that is dead", |_, now: &Now| {
            let is_dead = |job: &Job| job.to.is_some_and(|it| now.processes[&it].is_told[0]);
            now.jobs.iter().any(|job| job.became == Some(Became::Value) && is_dead(job))
        }),
        Property::sometimes("a cancel wins, and the worker gets another job", |_, now: &Now| {
            now.jobs[0].cell == State::Cancelled
                && now.jobs.len() > 1
                && now.jobs[1].became == Some(Became::Value)
        }),
        Property::sometimes("one job is lost, and the other one is done", |_, now: &Now| {
            let is = |became| now.jobs.iter().any(|job| job.became == Some(became));
            is(Became::Died(Far::Begun)) && is(Became::Value)
        }),
        Property::sometimes("a process has ended whose pipe is not empty", |_, now: &Now| {
            now.processes.values().any(|it| it.is_told[0] && !it.said.is_empty())
        }),
        Property::sometimes("the pool is broken", |_, now: &Now| now.is_broken),
    ]
}

impl Kinds for Pool {
    fn kind(step: &Step) -> &'static str {
        match step {
            Step::Submit => "submit",
            Step::Cancel(_) => "cancel",
            Step::Kill(_) => "kill",
            Step::Close => "close",
            Step::Obey => "obey",
            Step::Read(_) => "read",
            Step::Told(_) => "told",
            Step::Thinks(_) => "thinks",
            Step::Work(_) => "work",
            Step::Die(_) => "die",
            Step::DieWriting(_) => "die writing",
            Step::HangUp(_) => "hang up",
        }
    }

    fn by(&self, step: &Step) -> usize {
        match step {
            Step::Submit | Step::Cancel(_) | Step::Kill(_) | Step::Close => 0,
            Step::Obey | Step::Read(_) | Step::Told(_) => 1,
            Step::Work(it) => 2 + usize::try_from(*it).expect("there are few"),
            Step::Thinks(_) | Step::Die(_) | Step::DieWriting(_) | Step::HangUp(_) => ENVIRONMENT,
        }
    }
}
