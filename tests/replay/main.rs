//! The model against the code: paths of the model, replayed on the real crate in the same order by one driver. What the
//! code answers, which callback begins in which thread, the future's state and the length of the loop's queue are what
//! the model says, after each step.
//!
//! A call that may block is made when it is the agent's turn to make it, and heard of when the model lets it return. Waits
//! with a timeout are left out, since the real clock decides them, and tasks, which are the crate's own loop's.

mod agents;
#[path = "../support/closing.rs"]
mod closing;
#[path = "../support/real.rs"]
mod real;

use std::process::ExitCode;

use agents::{Agent, Command, Report, World};
use quickcheck::{Gen, QuickCheck, TestResult, Testable};
use settled::model::{Answer, Do, Does, End, Futures, Op, Program, Step, System};
use stateright::{Model, semantics::SequentialSpec};

const F: u8 = 0;
const ONE: Futures = Futures::of(&[F]);
const LOOP: u8 = 2;

/// A program and the scripts that it is made of, which the driver has to follow.
#[derive(Clone, Debug)]
struct Play {
    program: Program,
    own: [Vec<Do>; 3],
    pieces: Vec<Vec<Do>>,
}

impl Play {
    fn new(own: [Vec<Do>; 3]) -> Self {
        // Callbacks call their future again; posted jobs and callbacks of the view look at it.
        let piece =
            |number: u8| if number < 4 { vec![Do::Cancel(F)] } else { vec![Do::LoopDone(F)] };
        let pieces: Vec<_> = (0..8).map(piece).collect();
        let mut program =
            Program::new().thread("A", &own[0]).thread("B", &own[1]).event_loop("loop", &own[2]);
        for piece in &pieces {
            program = program.call(piece);
        }
        Self { program, own, pieces }
    }
}

/// Where an agent is, in the real code.
#[derive(Debug)]
enum Frame {
    /// In an operation that has begun callbacks, and what it is to be told; `None` if that is nothing to compare.
    In(Option<Answer>),
    /// In a callback or posted job, with so many operations done.
    Piece(u8, usize),
}

struct Driver<'a> {
    play: &'a Play,
    agents: &'a [Agent; 3],
    world: std::sync::Arc<World>,
    frames: [Vec<Frame>; 3],
    /// How many operations of its own script each has done, and whether it has made the next, which may block.
    at: [usize; 3],
    made: [bool; 3],
    /// A callback that has begun in the code, and not yet in the model.
    begun: [Option<u8>; 3],
}

type Result<T> = std::result::Result<T, String>;

impl<'a> Driver<'a> {
    fn new(play: &'a Play, agents: &'a [Agent; 3]) -> Self {
        let world = World::new();
        for (agent, number) in agents.iter().zip(0..) {
            agent.tell(Command::Begin(world.clone(), number == LOOP));
            agent.hear();
        }
        let frames = [Vec::new(), Vec::new(), Vec::new()];
        Self { play, agents, world, frames, at: [0; 3], made: [false; 3], begun: [None; 3] }
    }

    fn end(self) {
        drop(self.world);
        for agent in self.agents {
            agent.tell(Command::End);
            agent.hear();
        }
    }

    /// What comes of an operation or of the end of a callback: it returns, or another callback begins.
    fn hear(&mut self, agent: usize) -> Result<()> {
        match self.agents[agent].hear() {
            Report::Began(piece) => self.begun[agent] = Some(piece),
            Report::Told(told) => {
                let Some(Frame::In(expected)) = self.frames[agent].pop() else {
                    return Err(format!("{agent} returned from nothing"));
                };
                if expected.is_some() && told != expected {
                    return Err(format!("{agent} was told {told:?}, the model says {expected:?}"));
                }
                self.advance(agent)?;
            }
        }
        Ok(())
    }

    /// An operation of the innermost script is over.
    fn advance(&mut self, agent: usize) -> Result<()> {
        match self.frames[agent].last_mut() {
            None => {
                self.at[agent] += 1;
                self.made[agent] = false;
                Ok(())
            }
            Some(Frame::Piece(piece, at)) => {
                *at += 1;
                if *at < self.play.pieces[usize::from(*piece)].len() {
                    return Ok(());
                }
                self.frames[agent].pop();
                self.agents[agent].tell(Command::Leave);
                self.hear(agent)
            }
            Some(Frame::In(_)) => Err(format!("{agent} returned inside of a call")),
        }
    }

    /// Makes the calls that may block and whose turn it is.
    fn make_calls(&mut self) {
        for agent in 0..3 {
            let next = self.play.own[agent].get(self.at[agent]);
            if let Some(what @ (Do::Result(_) | Do::Wait(_) | Do::AsCompleted(_))) = next
                && self.frames[agent].is_empty()
                && !std::mem::replace(&mut self.made[agent], true)
            {
                self.agents[agent].tell(Command::Do(*what));
            }
        }
    }

    fn step(&mut self, before: &System, Step { agent, does }: Step) -> Result<()> {
        let at = usize::from(agent);
        match does {
            Does::Part(_) => {}
            Does::Begin(piece) => {
                if self.begun[at].take() != Some(piece) {
                    return Err(format!("{piece} begins on {agent} in the model only"));
                }
                self.frames[at].push(Frame::Piece(piece, 0));
            }
            Does::Take(_) => {
                self.frames[at].push(Frame::In(None));
                self.agents[at].tell(Command::Take);
                self.hear(at)?;
                // The script of a loop is not advanced by its turns.
                if self.frames[at].is_empty() {
                    self.at[at] = self.play.own[at].len();
                }
            }
            Does::End => {
                // The promise goes, if it is there still.
                self.at[at] = self.play.own[at].len();
                let answer = before.future(F).clone().invoke(&Op::Abandon).answer;
                self.frames[at].push(Frame::In(Some(answer)));
                self.agents[at].tell(Command::Do(Do::Abandon(F)));
                self.hear(at)?;
            }
            Does::Do(what) => {
                let expected = self.expected(before, agent, what);
                let refused = matches!((what, expected), (Do::Start(_), Some(Answer::Lost(_))));
                self.frames[at].push(Frame::In(expected));
                if !self.made[at] || self.frames[at].len() > 1 {
                    self.agents[at].tell(Command::Do(what));
                }
                self.hear(at)?;
                if refused {
                    self.at[at] = self.play.own[at].len();
                }
            }
            other => return Err(format!("{other:?} is not replayed")),
        }
        Ok(())
    }

    /// What the specification answers.
    fn expected(&self, before: &System, agent: u8, what: Do) -> Option<Answer> {
        let op = match what {
            Do::Start(_) => Op::Start,
            Do::Finish(_) => Op::Settle(End::Value(0)),
            Do::Fail(_) => Op::Settle(End::Error(0)),
            Do::Abandon(_) => Op::Abandon,
            Do::Cancel(_) | Do::LoopCancel(_) => Op::Cancel,
            Do::Add(_, piece) => Op::Register(piece),
            Do::LoopDone(it) if !self.play.program.shows(before, agent, it) => {
                return Some(Answer::Read(None));
            }
            Do::Done(_) | Do::Read(_) | Do::Result(_) | Do::LoopDone(_) => Op::Read,
            Do::Wait(_) | Do::AsCompleted(_) => Op::Read,
            _ => return None,
        };
        Some(before.future(F).clone().invoke(&op).answer)
    }

    /// What can be seen after a step.
    fn compare(&self, after: &System) -> Result<()> {
        let state = after.future(F).state();
        let ours =
            (self.world.future.done(), self.world.future.cancelled(), self.world.future.running());
        use settled::machine::State::{Cancelled, Running};
        let theirs = (state.is_settled(), state == Cancelled, state == Running);
        if ours != theirs {
            return Err(format!("the code says {ours:?}, the model {theirs:?}"));
        }
        let (ours, theirs) = (self.world.queue.len(), after.queued(LOOP));
        if ours != theirs {
            return Err(format!("the loop's queue has {ours} jobs, the model's {theirs} entries"));
        }
        Ok(())
    }
}

/// Plays one path, of which `choose` picks each step; says how many steps it had.
fn walk(
    play: &Play,
    agents: &[Agent; 3],
    mut choose: impl FnMut(usize, usize) -> usize,
) -> Result<usize> {
    let mut driver = Driver::new(play, agents);
    let mut state = play.program.init_states().remove(0);
    let mut steps = Vec::new();
    loop {
        driver.make_calls();
        let next = play.program.next_steps(&state);
        if next.is_empty() {
            break;
        }
        let (step, after) = next[choose(steps.len(), next.len())].clone();
        let told = |why| {
            format!(
                "{why}\nafter {steps:?}\nat {step:?}\nof {:?} {:?} {:?}",
                play.own[0], play.own[1], play.own[2]
            )
        };
        driver.step(&state, step).map_err(told)?;
        driver.compare(&after).map_err(told)?;
        steps.push(step);
        state = after;
    }
    driver.end();
    Ok(steps.len())
}

/// Every path of a program: the choices are counted up like a number.
fn all_paths(play: &Play, agents: &[Agent; 3], steps: &mut usize) -> Result<usize> {
    let (mut choices, mut paths): (Vec<(usize, usize)>, usize) = (Vec::new(), 0);
    loop {
        let mut taken = Vec::new();
        *steps += walk(play, agents, |at, of| {
            let choice = choices.get(at).map_or(0, |(choice, _)| *choice);
            taken.push((choice, of));
            choice
        })?;
        paths += 1;
        choices = taken;
        while choices.pop_if(|(choice, of)| *choice + 1 == *of).is_some() {}
        match choices.last_mut() {
            Some((choice, _)) => *choice += 1,
            None => return Ok(paths),
        }
    }
}

fn calls(at: u8) -> Vec<Do> {
    vec![
        Do::Cancel(F),
        Do::Done(F),
        Do::Result(F),
        Do::Add(F, at),
        Do::Wait(ONE),
        Do::AsCompleted(ONE),
        Do::Post(LOOP, 4 + at),
    ]
}

/// What the promise's thread does, what a user does, and what the loop does.
fn scripts() -> [Vec<Vec<Do>>; 3] {
    let own = [
        vec![Do::Start(F)],
        vec![Do::Finish(F)],
        vec![Do::Abandon(F)],
        vec![Do::Start(F), Do::Finish(F)],
        vec![Do::Start(F), Do::Fail(F)],
    ];
    let of_loop = [
        vec![Do::LoopAdd(F, 6)],
        vec![Do::LoopCancel(F), Do::LoopAdd(F, 6)],
        vec![Do::LoopAdd(F, 6), Do::LoopAdd(F, 7), Do::LoopRemove(F, 6)],
        vec![Do::LoopDone(F), Do::LoopAdd(F, 6), Do::LoopDone(F)],
    ];
    [own.to_vec(), calls(2).into_iter().map(|call| vec![call]).collect(), of_loop.to_vec()]
}

/// A larger program and a walk through it, by chance.
struct Walks(std::sync::Mutex<([Agent; 3], usize, usize)>);

impl Testable for &'static Walks {
    fn result(&self, g: &mut Gen) -> TestResult {
        let pick = |g: &mut Gen, of: &[Do]| *g.choose(of).expect("there are some");
        let mut own = g.choose(&scripts()[0]).expect("there are some").clone();
        own.insert(0, pick(g, &calls(0)[..2]));
        if own.last().is_some_and(|last| !matches!(last, Do::Start(_))) {
            own.push(pick(g, &calls(1)));
        }
        let mut user = vec![pick(g, &calls(2)), pick(g, &calls(3)), pick(g, &calls(3))];
        let of_loop = g.choose(&scripts()[2]).expect("there are some").clone();
        if of_loop.contains(&Do::LoopCancel(F)) {
            // The code runs all callbacks of one cancel through the loop in one job, the model each in an entry of
            // its own, one after the other: the same order in other steps. One callback is one of either.
            let adds = |what: &&mut Do| matches!(what, Do::Add(..));
            own.iter_mut()
                .chain(&mut user)
                .filter(adds)
                .skip(1)
                .for_each(|what| *what = Do::Done(F));
        }
        let play = Play::new([own, user, of_loop]);
        let mut walks = self.0.lock().unwrap();
        let luck: Vec<usize> =
            (0..64).map(|_| *g.choose(&[0, 1, 2, 3, 4, 5]).expect("six")).collect();
        match walk(&play, &walks.0, |at, of| luck[at % 64] % of) {
            Ok(steps) => {
                walks.1 += 1;
                walks.2 += steps;
                TestResult::passed()
            }
            Err(why) => TestResult::error(why),
        }
    }
}

fn run() -> Result<(usize, usize)> {
    let agents = [Agent::start(), Agent::start(), Agent::start()];
    let (mut programs, mut paths, mut steps) = (0, 0, 0);
    let [producers, users, loops] = scripts();
    for producer in &producers {
        for user in &users {
            for of_loop in &loops {
                let play = Play::new([producer.clone(), user.clone(), of_loop.clone()]);
                paths += all_paths(&play, &agents, &mut steps)?;
                programs += 1;
            }
        }
    }
    println!("replayed: every path of {programs} programs: {paths} paths, {steps} steps");
    let walks: &'static Walks = Box::leak(Box::new(Walks(std::sync::Mutex::new((agents, 0, 0)))));
    let tests = if std::env::var_os("SETTLED_FULL").is_some() { 1_000_000 } else { 20_000 };
    QuickCheck::new()
        .tests(tests)
        .max_tests(tests)
        .quicktest(walks)
        .map_err(|why| format!("{why:?}"))?;
    let walked = walks.0.lock().unwrap();
    Ok((paths + walked.1, steps + walked.2))
}

fn main() -> ExitCode {
    closing::main("paths", || run().map(|(paths, _)| format!("replayed: {paths} paths")))
}
