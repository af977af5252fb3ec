//! A pool of processes that may die at every step: the books that ship, `src/process/books.rs`, between a client and
//! workers.
//!
//! One step is one event that the pool's thread tells the books, or one order that it obeys; a step of a worker's
//! process, which takes a message, begins, or writes an answer; a call of the client; or a death. What a process has
//! written stays in its pipe when it dies. Programs have besides what is named by [`May`].

mod reached;

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
        let pool =
            |max, jobs, each, deaths, may| Pool { max, jobs, each, deaths, may, wrong: None };
        let all = [
            pool(1, 2, 9, 2, May::Die),
            pool(2, 2, 9, 1, May::Die),
            pool(1, 1, 1, 4, May::Die),
            pool(1, 2, 9, 1, May::NotStart),
            pool(1, 1, 9, 3, May::NotStart),
            pool(2, 2, 9, 1, May::TalkNonsense),
            pool(2, 2, 9, 0, May::EndEarly),
        ];
        let proof = check::prove_all(all).map_err(|it| format!("{:?}: {}", it.0, it.1))?;
        row("a pool of processes that die at every step", "7 programs", &proof, [960_977, 53])
            .map(|row| vec![row])
    });
    let wrong = [
        (Wrong::BreaksAsAWhole, May::Die, "a death breaks the pool", OWN, 15),
        (Wrong::RunsAgain, May::Die, "what was lost is run again in silence", ONCE, 20),
        (Wrong::ByName, May::Die, "a worker is known by a name that is used again", DEAD, 13),
        (Wrong::TakesLate, May::Die, "a late answer of one thought dead is taken", KEPT, 16),
        (Wrong::DoesNotRead, May::Die, "a pipe is not read to its end", WHOLE, 13),
        (Wrong::IsNotTold, May::NotStart, "a start that fails is not told", SETTLES, 14),
        (
            Wrong::WaitsForReady,
            May::NotStart,
            "whoever cannot be made ready is waited for",
            SETTLES,
            16,
        ),
        (
            Wrong::BelievesAnybody,
            May::TalkNonsense,
            "an answer is taken of whoever gives it",
            TRUE,
            9,
        ),
        (Wrong::DropsWhatRuns, May::EndEarly, "what runs is dropped with what is queued", TRUE, 8),
        (Wrong::LetsGo, May::EndEarly, "whoever is to be killed is taken to be dead", DEAD, 8),
    ];
    for (wrong, may, was, property, steps) in wrong {
        trials.add(format!("processes::{was}"), move || {
            let pool = Pool { max: 2, jobs: 2, each: 9, deaths: 1, may, wrong: Some(wrong) };
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
    IsNotTold,
    WaitsForReady,
    BelievesAnybody,
    DropsWhatRuns,
    LetsGo,
}

/// What may happen besides what happens in every program: workers begin, answer and leave; the client cancels, kills one and
/// closes. What goes wrong with workers does so as often as there may be deaths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum May {
    /// Workers die, hang up, or die in the middle of an answer.
    Die,
    /// They cannot be started, cannot be made ready, or die.
    NotStart,
    /// They write garbage, or answer a job that another one was given.
    TalkNonsense,
    /// The client drops what is queued, or kills everybody, once.
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
    /// Whether the client has dropped what is queued, and has killed everybody.
    has_ended: [bool; 2],
    /// How many workers could not be started.
    not_started: u8,
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
    /// The worker that is to be started next cannot be.
    FailToStart,
    /// It says that it cannot be made ready.
    Refuse(Number),
    Babble(Number),
    /// It answers a job that another one was given.
    Lie(Number, Token),
    DropQueued,
    Terminate,
}

impl Process {
    fn new() -> Self {
        Self {
            is_alive: true,
            stands: Stands::Starting,
            to_do: VecDeque::new(),
            said: VecDeque::new(),
            is_told: [false; 2],
            has_hung_up: false,
            is_mad: false,
            is_gone: false,
        }
    }
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
                now.processes.insert(it, Process::new());
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
            // Of one that could not be started it may be ordered just before this is told.
            Order::Dismiss(it) => {
                now.processes.get_mut(&it).into_iter().for_each(|it| it.to_do.push_back(None));
            }
            // Who thinks by the clock that it is dead has no reason to.
            Order::Kill(it) if self.wrong == Some(Wrong::TakesLate) => {
                now.processes.get_mut(&it).expect("it was started").is_alive &= !now.has_killed;
            }
            Order::Kill(it) if self.wrong == Some(Wrong::LetsGo) && now.has_ended[1] => {
                now.later.extend([Event::PipeEnded(it, false), Event::ProcessEnded(it)]);
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
        let is_heard = !process.has_hung_up && !process.is_mad;
        if is_heard {
            process.said.push_back(says);
        }
        match says {
            Said::Began(job) => now.job(job).runs += 1,
            Said::Answer(job) => {
                let job = now.job(job);
                (job.has_ended, job.is_answered) = (true, is_heard);
            }
            Said::Ready | Said::Unready | Said::Half | Said::Garbage => (),
        }
    }

    /// What need not happen.
    fn goes_on_otherwise(&self, now: &mut Now, step: Step) -> Option<()> {
        if self.by(&step) == ENVIRONMENT && !matches!(step, Step::Thinks(_)) {
            now.deaths += 1;
        }
        match step {
            Step::FailToStart => {
                now.not_started += 1;
                let Some(Order::Start(it)) = now.orders.pop_front() else { return None };
                if self.wrong != Some(Wrong::IsNotTold) {
                    now.later.push_back(Event::NotStarted(it));
                }
            }
            Step::Refuse(it) => {
                let process = now.processes.get_mut(&it)?;
                process.stands = Stands::Waiting;
                process.said.push_back(Said::Unready);
            }
            Step::Babble(it) | Step::Lie(it, _) => {
                let process = now.processes.get_mut(&it)?;
                let says = match step {
                    Step::Lie(_, job) => Said::Answer(job),
                    _ => Said::Garbage,
                };
                process.is_mad = true;
                process.said.push_back(says);
            }
            Step::DropQueued => {
                now.has_ended[0] = true;
                now.tell(Event::DropQueued);
                if self.wrong == Some(Wrong::DropsWhatRuns) {
                    let runs = (0..self.jobs).filter(|it| now.job(*it).cell == State::Running);
                    let runs: Vec<_> = runs.collect();
                    runs.into_iter().for_each(|it| now.settle(it, Became::Dropped));
                }
            }
            Step::Terminate => {
                now.has_ended[1] = true;
                now.tell(Event::Terminate);
            }
            Step::Die(it) => {
                now.processes.get_mut(&it)?.is_alive = false;
            }
            Step::HangUp(it) => {
                now.processes.get_mut(&it)?.has_hung_up = true;
            }
            Step::DieWriting(it) => {
                let process = now.processes.get_mut(&it)?;
                let Stands::Works(job) = process.stands else { return None };
                process.said.push_back(Said::Half);
                process.is_alive = false;
                now.job(job).has_ended = true;
            }
            _ => unreachable!("it is a step of somebody else"),
        }
        Some(())
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
            has_ended: [false; 2],
            not_started: 0,
            is_broken: false,
            deaths: 0,
        }]
    }

    fn actions(&self, now: &Now, steps: &mut Vec<Step>) {
        for (it, process) in now.processes.iter().filter(|it| it.1.is_alive) {
            if process.stands != Stands::Waiting || !process.to_do.is_empty() {
                steps.push(Step::Work(*it));
            }
            if now.deaths == self.deaths {
                continue;
            }
            if self.may == May::TalkNonsense && !process.has_hung_up {
                steps.push(Step::Babble(*it));
                let others = |job: &Token| now.jobs[*job as usize].to.is_some_and(|to| to != *it);
                steps.extend((0..self.jobs).filter(others).map(|job| Step::Lie(*it, job)));
            }
            if self.may == May::NotStart && process.stands == Stands::Starting {
                steps.push(Step::Refuse(*it));
            }
            if matches!(self.may, May::Die | May::NotStart) {
                steps.push(Step::Die(*it));
                if self.may == May::Die && !process.has_hung_up {
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
            let starts = matches!(now.orders.front(), Some(Order::Start(_)));
            if self.may == May::NotStart && starts && now.deaths < self.deaths {
                steps.push(Step::FailToStart);
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
        if !now.has_killed {
            steps.extend((0..self.jobs).filter(runs).map(Step::Kill));
        }
        if self.may == May::EndEarly {
            let both = [Step::DropQueued, Step::Terminate];
            steps.extend(both.into_iter().zip(now.has_ended).filter(|it| !it.1).map(|it| it.0));
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
            step => self.goes_on_otherwise(&mut now, step)?,
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
                // Nobody knows what one does that makes no sense: it may have begun.
                let is_mad = |job: &Job| job.to.is_some_and(|it| now.processes[&it].is_mad);
                now.jobs.iter().all(|job| match (job.became, job.cell) {
                    (Some(Became::Value), _) => job.is_answered,
                    (Some(Became::Died(Far::NotBegun)), _) => job.runs == 0 || is_mute(job),
                    (Some(Became::Dropped), _) => job.runs == 0,
                    (Some(Became::Died(Far::Begun)), _) => job.runs == 1 || is_mad(job),
                    (Some(Became::Died(Far::CutShort)), _) => job.has_ended,
                    (None, cell) => cell != State::Cancelled || job.runs == 0,
                })
            }),
            Property::always(SETTLES, |pool: &Self, now: &Now| {
                let mut steps = Vec::new();
                pool.actions(now, &mut steps);
                let has_ended = |it: &Process| it.is_gone && !it.is_alive;
                // Nothing is waited for that need not happen.
                let need_not = |it: &Step| {
                    let is_wish = matches!(
                        it,
                        Step::Cancel(_) | Step::Kill(_) | Step::DropQueued | Step::Terminate
                    );
                    is_wish || pool.by(it) == ENVIRONMENT
                };
                !steps.iter().all(need_not)
                    || now.jobs.iter().all(|job| job.cell.is_settled())
                        && now.processes.values().all(has_ended)
            }),
        ];
        if self.wrong.is_none() {
            properties.extend(reached::all());
        }
        properties
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
            Step::Read(_) => "read",
            Step::Told(_) => "told",
            Step::Thinks(_) => "thinks",
            Step::Work(_) => "work",
            Step::Die(_) => "die",
            Step::DieWriting(_) => "die writing",
            Step::HangUp(_) => "hang up",
            Step::FailToStart => "fail to start",
            Step::Refuse(_) => "refuse",
            Step::Babble(_) => "babble",
            Step::Lie(..) => "lie",
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
            Step::Obey | Step::Read(_) | Step::Told(_) => 1,
            Step::Work(it) => 2 + usize::try_from(*it).expect("there are few"),
            Step::Thinks(_)
            | Step::Die(_)
            | Step::DieWriting(_)
            | Step::HangUp(_)
            | Step::FailToStart
            | Step::Refuse(_)
            | Step::Babble(_)
            | Step::Lie(..) => ENVIRONMENT,
        }
    }
}
