//! Plays a path of a program: each step of the model is taken by the real crate too, and what can be seen of it
//! is what the model says.
//!
//! A thread stands still between two steps, but for two cases. A call that waits is made when it is its turn, and
//! heard of when the model lets it return. And where the crate does in one go what the model does in several steps,
//! it runs *ahead*: until the model has caught up, nobody else takes a step.

mod catch_up;
mod lines;

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
};

pub(crate) use lines::Stage;
use lines::is_no_end;
use settled::{
    machine::State,
    model::{Agent, Do, Does, Entry, Future, Kind, Piece, Role, Script, Step, System},
};
use stateright::Model;

use crate::{
    agents::{Command, Line, OWN, Report, Told, WORKERS, World},
    play::Play,
    told::{expected, uses},
};

pub(crate) type Result<T> = std::result::Result<T, String>;

/// Where a thread of the real crate is; the innermost is the last.
#[derive(Debug)]
enum Real {
    /// In an operation.
    Call(Call),
    /// In a turn of its loop, or in the close of it.
    Turn,
    /// In a script.
    Piece(Piece),
    /// In the drop of a coroutine.
    Drop(Piece),
    /// At the end of a job, of which all but the callbacks have heard or not.
    Job(Future, bool),
}

#[derive(Debug)]
struct Call {
    what: Do,
    /// What it said, and what it should have, once the model has returned from it. `None` if that is not compared.
    told: Option<Told>,
    expected: Option<Option<Told>>,
    /// Whether it may be that it does not return before somebody else does something.
    waits: bool,
}

pub(crate) struct Driver<'a> {
    stage: &'a Stage,
    play: Arc<Play>,
    world: Arc<World>,
    state: System,
    real: Vec<Vec<Real>>,
    /// What each has said that the model has not done yet.
    ahead: Vec<Option<Report>>,
    heard: HashMap<Line, Vec<Report>>,
    /// The line of each.
    lines: Vec<Option<Line>>,
    made: Vec<Future>,
    closing: Vec<bool>,
}

impl<'a> Driver<'a> {
    pub(crate) fn new(stage: &'a Stage, play: &Arc<Play>) -> Result<Self> {
        let world = World::new(play, &stage.lines);
        let agents = usize::from(play.agents());
        let mut driver = Self {
            stage,
            play: Arc::clone(play),
            world,
            state: play.program.init_states().remove(0),
            real: (0..agents).map(|_| Vec::new()).collect(),
            ahead: vec![None; agents],
            heard: HashMap::new(),
            lines: vec![None; agents],
            made: (0..play.program.futures()).filter(|it| play.is_base(*it)).collect(),
            closing: vec![false; agents],
        };
        for agent in 0..play.agents() {
            let role = play.role(agent);
            if matches!(role, Role::Worker(_)) {
                continue;
            }
            let at = usize::from(agent);
            driver.lines[at] = Some(at);
            let on_loop = (role == Role::Loop).then_some(agent);
            driver.tell(agent, Command::Begin(Arc::clone(&driver.world), on_loop));
            driver.expect(agent, &Report::Ready)?;
            if on_loop.is_some() && play.has_script(agent) {
                driver.tell(agent, Command::Tick);
                driver.expect(agent, &Report::Began(OWN))?;
                driver.real[at].extend([Real::Turn, Real::Piece(OWN)]);
            }
        }
        driver.make_calls();
        Ok(driver)
    }

    pub(crate) fn state(&self) -> &System {
        &self.state
    }

    /// The steps that the model allows and that the real threads can take now.
    pub(crate) fn next(&mut self) -> Result<Vec<(Step, System)>> {
        let mut next = self.play.program.next_steps(&self.state);
        if let Some(agent) = (0..self.play.agents()).find(|it| self.is_under_way(*it)) {
            next.retain(|(step, _)| step.agent == agent);
            return Ok(next);
        }
        next.retain(|(step, _)| self.is_possible(*step));
        if next.iter().any(|(step, _)| self.is_of_a_worker(*step)) {
            // A worker that can go on by itself does not wait to be told: it says which it was.
            next.retain(|(step, _)| self.is_of_a_worker(*step));
            // It has registered before it can claim what it waits for.
            let registers = |it: &(Step, System)| matches!(it.0.does, Does::Part(_));
            if next.iter().any(registers) {
                next.retain(registers);
            }
            while !next.iter().any(|(step, _)| self.has_done(*step)) {
                self.listen();
            }
            next.retain(|(step, _)| self.has_done(*step));
        } else if let Some(agent) = (0..self.play.agents()).find(|it| self.is_ahead(*it)) {
            next.retain(|(step, _)| step.agent == agent);
            if next.is_empty() {
                return Err(format!("{agent} ran ahead: {:?}", self.ahead[usize::from(agent)]));
            }
        }
        Ok(next)
    }

    /// Whether the model has still to do what the code does in one go: it tells others, leaves futures that it waited
    /// for, drops what it has upgraded, or begins the job that it has taken.
    fn is_under_way(&self, agent: Agent) -> bool {
        let begins = match self.state.scripts(agent).next_back() {
            Some((Script::Piece(piece), false, _)) => {
                matches!(self.play.kind(piece), Kind::Job(..))
            }
            _ => false,
        };
        let upgrades = self.state.scripts(agent).next_back().is_some_and(|(script, _, done)| {
            let what = self.play.script(agent, script).get(done);
            matches!(what, Some(Do::Upgrade(_))) && self.state.progress(agent) > 0
        });
        begins
            || upgrades
            || self.state.is_telling(agent)
            || self.play.program.is_leaving(&self.state, agent)
    }

    /// Whether a worker takes a step by itself: it claims a job, or gives up to wait in a circle.
    fn is_of_a_worker(&self, Step { agent, does }: Step) -> bool {
        let is_worker = matches!(self.play.role(agent), Role::Worker(_));
        let unsettled = |it: Future| !self.state.future(it).state().is_settled();
        match does {
            Does::Run(_) => true,
            Does::Part(_) => is_worker,
            Does::Do(what @ (Do::Result(_) | Do::Wait(_) | Do::AsCompleted(_))) => {
                is_worker && uses(what).into_iter().any(unsettled)
            }
            Does::Do(Do::Shutdown) => is_worker && !self.play.program.have_ended(&self.state, 0),
            _ => false,
        }
    }

    /// Whether a worker has said that it has taken such a step, if it says so.
    fn has_done(&self, Step { agent, does }: Step) -> bool {
        let line = self.lines[usize::from(agent)];
        let first =
            |line: &Line| self.heard.get(line).and_then(|it| it.iter().find(|it| is_no_end(it)));
        match does {
            Does::Run(piece) => {
                let Kind::Job(it, _) = self.play.kind(piece) else { return false };
                let began = Some(Report::Began(piece));
                let has_begun = |line: &Line| first(line) == began.as_ref();
                let unbound = |it: &&Line| **it >= WORKERS && !self.lines.contains(&Some(**it));
                self.state.future(it).state().is_settled()
                    || line.map_or_else(
                        || self.heard.keys().filter(unbound).any(has_begun),
                        |line| has_begun(&line),
                    )
            }
            Does::Part(_) => true,
            _ => line.is_some_and(|line| matches!(first(&line), Some(Report::Told(_)))),
        }
    }

    /// A call on the future of a job or task needs somebody to have made it.
    fn is_possible(&self, step: Step) -> bool {
        match step.does {
            Does::Do(what) | Does::Part(what) | Does::Expire(what) => {
                uses(what).iter().all(|it| self.made.contains(it))
            }
            _ => true,
        }
    }

    /// Whether the real thread has done more than the model.
    fn is_ahead(&self, agent: Agent) -> bool {
        let at = usize::from(agent);
        match &self.ahead[at] {
            Some(Report::Began(piece)) => {
                let waiting = (Script::Piece(*piece), false, 0);
                self.state.scripts(agent).next_back() != Some(waiting)
            }
            Some(_) => true,
            None => false,
        }
    }

    /// Takes a step.
    pub(crate) fn step(&mut self, step: Step, after: System) -> Result<()> {
        let (agent, at) = (step.agent, usize::from(step.agent));
        if let Some(Real::Drop(_)) = self.real[at].last() {
            self.real[at].pop();
            self.tell(agent, Command::GoOn);
        }
        let expires = self.play.program.is_leaving(&self.state, agent);
        let before = std::mem::replace(&mut self.state, after);
        // What expires was told so before it left the first.
        if !expires || !matches!(step.does, Does::Do(Do::WaitAllTimeout(_))) {
            self.act(&before, agent, step.does)?;
        }
        if self.is_under_way(agent) {
            return Ok(());
        }
        self.catch_up(agent)?;
        self.made(step.does)?;
        self.make_calls();
        let busy = (0..self.play.agents()).any(|it| self.is_ahead(it))
            || self.play.program.next_steps(&self.state).iter().any(|it| self.is_of_a_worker(it.0));
        if busy { Ok(()) } else { self.compare() }
    }

    /// Has the real thread do it.
    fn act(&mut self, before: &System, agent: Agent, does: Does) -> Result<()> {
        let at = usize::from(agent);
        match does {
            Does::Begin(piece) if matches!(self.play.kind(piece), Kind::Job(..)) => {
                if self.is_in(agent, piece) {
                    self.began(agent, piece)?;
                    self.real[at].push(Real::Piece(piece));
                }
            }
            Does::Begin(piece) => {
                let began = Some(Report::Began(piece));
                if self.ahead[at].take() != began {
                    return Err(format!("{piece} begins on {agent} in the model only"));
                }
                self.real[at].push(Real::Piece(piece));
            }
            Does::Run(_)
            | Does::Drop(_)
            | Does::Withdraw(_)
            | Does::Return(_)
            | Does::Tell(..)
            | Does::Post(..) => {}
            Does::Take(entry) => self.take(agent, entry),
            Does::Close => {
                self.closing[at] = true;
                self.real[at].push(Real::Turn);
                self.tell(agent, Command::Close);
            }
            // What is interrupted is not played.
            Does::Sweep | Does::Exit | Does::Interrupt(_) => {}
            Does::End => self.drop_promise(before, agent),
            Does::Part(what @ (Do::Poll(_) | Do::LoopRead(_))) => {
                self.call(before, agent, what, Command::Do(what));
            }
            Does::Part(_) => {}
            Does::Expire(what) => self.call(before, agent, what, Command::Expire(what)),
            Does::Do(Do::Panics) => {
                self.tell(agent, Command::Do(Do::Panics));
                self.leave_piece(agent);
            }
            Does::Do(what) => self.call(before, agent, what, Command::Do(what)),
        }
        Ok(())
    }

    fn take(&mut self, agent: Agent, entry: Entry) {
        let at = usize::from(agent);
        if !matches!(self.real[at].last(), Some(Real::Turn)) {
            self.tell(agent, Command::Tick);
            self.real[at].push(Real::Turn);
        }
        if let Entry::Step(task) = entry
            && self.is_in(agent, task)
            && let Some((script, true, done)) = self.state.scripts(agent).next_back()
        {
            // It goes on where it awaits.
            let what = self.play.script(agent, script)[done];
            let call = Call { what, told: None, expected: None, waits: false };
            self.real[at].extend([Real::Piece(task), Real::Call(call)]);
        }
    }

    /// What a script holds goes with it, one a step.
    fn drop_promise(&mut self, before: &System, agent: Agent) {
        let Some((script, ..)) = before.scripts(agent).next_back() else { return };
        let mut held: Vec<Future> =
            self.play.script(agent, script).iter().filter_map(|what| what.promise()).collect();
        held.dedup();
        held.retain(|it| !before.future(*it).state().is_settled());
        if let Some(it) = held.first().copied() {
            self.call(before, agent, Do::Abandon(it), Command::Do(Do::Abandon(it)));
        }
    }

    /// The model returns from a call; if it is not made yet, it is now.
    fn call(&mut self, before: &System, agent: Agent, what: Do, command: Command) {
        let expected = Some(expected(&self.play.program, [before, &self.state], agent, what));
        if let Some(Real::Call(call)) = self.real[usize::from(agent)].last_mut()
            && call.expected.is_none()
            && call.what == what
        {
            call.expected = expected;
            return;
        }
        let call = Call { what, told: None, expected, waits: false };
        self.real[usize::from(agent)].push(Real::Call(call));
        self.tell(agent, command);
    }

    /// Whether the model is in a script, which has begun.
    fn is_in(&self, agent: Agent, piece: Piece) -> bool {
        let script = if piece == OWN { Script::Own } else { Script::Piece(piece) };
        self.state.scripts(agent).any(|(it, begun, _)| begun && it == script)
    }

    /// Calls that may wait are made as soon as it is their turn.
    fn make_calls(&mut self) {
        for agent in 0..self.play.agents() {
            let at = usize::from(agent);
            let Some((script, true, done)) = self.state.scripts(agent).next_back() else {
                continue;
            };
            let is_here = match (self.real[at].last(), script) {
                (Some(Real::Piece(piece)), Script::Piece(it)) => *piece == it,
                (None, Script::Own) => true,
                _ => false,
            };
            let what = self.play.script(agent, script).get(done).copied();
            if let Some(
                what @ (Do::Result(_)
                | Do::Wait(_)
                | Do::WaitFirst(_)
                | Do::AsCompleted(_)
                | Do::Closed(_)
                | Do::Shutdown),
            ) = what
                && is_here
                && self.play.role(agent) != Role::Loop
                && uses(what).iter().all(|it| self.made.contains(it))
            {
                let call = Call { what, told: None, expected: None, waits: true };
                self.real[at].push(Real::Call(call));
                self.tell(agent, Command::Do(what));
            }
        }
    }

    /// A future that is made now is seen by the loops from now on.
    fn made(&mut self, does: Does) -> Result<()> {
        let Does::Do(Do::Spawn(piece) | Do::Submit(piece)) = does else { return Ok(()) };
        let (Kind::Job(it, _) | Kind::Task(it, _)) = self.play.kind(piece) else { return Ok(()) };
        if self.state.was_refused(piece) {
            return Ok(());
        }
        self.made.push(it);
        if !self.play.is_viewed(it) {
            return Ok(());
        }
        for agent in 0..self.play.agents() {
            if self.play.role(agent) != Role::Loop || self.closing[usize::from(agent)] {
                continue;
            }
            self.tell(agent, Command::View(it));
            self.expect(agent, &Report::Ready)?;
        }
        Ok(())
    }

    /// What can be seen of the futures.
    fn compare(&self) -> Result<()> {
        for it in 0..self.play.program.futures() {
            let Some(future) = self.world.future(it) else { continue };
            let state = self.state.future(it).state();
            let ours = (future.done(), future.cancelled(), future.running());
            let theirs = (state.is_settled(), state == State::Cancelled, state == State::Running);
            if ours != theirs {
                return Err(format!("of {it} the code says {ours:?}, the model {theirs:?}"));
            }
        }
        Ok(())
    }

    /// The path is over: that nothing is left in the queues is seen, and all are sent home.
    pub(crate) fn end(mut self) -> Result<()> {
        for agent in 0..self.play.agents() {
            let at = usize::from(agent);
            let idle = self.play.role(agent) == Role::Loop
                && self.real[at].is_empty()
                && self.state.queued(agent) == 0
                && self.state.is_closing(agent) == (false, false);
            if idle {
                self.tell(agent, Command::Tick);
                self.expect(agent, &Report::Turned(false))?;
            }
        }
        self.world.over.store(true, Ordering::SeqCst);
        let threads: Vec<Agent> = (0..self.play.agents())
            .filter(|it| !matches!(self.play.role(*it), Role::Worker(_)))
            .collect();
        for agent in &threads {
            self.tell(*agent, Command::End);
        }
        for worker in self.world.workers.lock().unwrap().values() {
            let _ = worker.send(Command::End);
        }
        self.world.drop_promises();
        for agent in threads {
            while self.hear(agent)? != Report::Ready {}
        }
        for pool in &self.world.pools {
            pool.close();
            pool.cancel_pending();
            pool.shutdown().map_err(|why| why.to_string())?;
        }
        Ok(())
    }
}
