//! What each step does.

use stateright::semantics::SequentialSpec;

use super::{
    Answer, End, Op, Spec,
    program::{Agent, Do, Future, Kind, Piece, Program},
    state::{Entry, Frame, Held, Life, Script, Seen, System, Task, Waiting},
    step::{Does, Step},
};
use crate::{Cancel, Refusal};

/// What became of an operation.
enum Outcome {
    Returned,
    /// It has not returned yet.
    Goes,
    /// The script ends here.
    Ends,
    /// The task is suspended, and goes on with this operation.
    Suspends,
}

impl Program {
    pub(super) fn act(&self, state: &mut System, Step { agent, does }: Step) {
        let outcome = match does {
            Does::Take(entry) => return self.take(state, agent, entry),
            Does::Run(piece) => return self.run(state, agent, piece),
            Does::Close => return self.close(state, agent),
            Does::Exit => {
                state.party(agent).life = Life::Over;
                return;
            }
            Does::Sweep => {
                self.sweep(state, agent);
                Outcome::Returned
            }
            Does::End => return self.end(state, agent, None),
            Does::Begin(piece) => {
                self.begin_piece(state, agent, piece);
                Outcome::Goes
            }
            Does::Part(what) => self.part(state, agent, what),
            Does::Expire(what) => {
                self.expire(state, agent, what);
                Outcome::Returned
            }
            Does::Do(what) => self.perform(state, agent, what),
        };
        // What it brought about is not begun yet.
        let frames = &mut state.party(agent).frames;
        let Some(acted) = frames.iter().rposition(|frame| frame.begun) else { return };
        match outcome {
            Outcome::Ends => return self.end(state, agent, None),
            Outcome::Suspends => return,
            Outcome::Goes => {}
            Outcome::Returned => {
                frames[acted].at += 1;
                frames[acted].part = 0;
            }
        }
        self.leave(state, agent, acted);
    }

    /// Ends a script that has nothing left to do and nothing to settle.
    fn leave(&self, state: &mut System, agent: Agent, depth: usize) {
        let frame = &state.parties[usize::from(agent)].frames[depth];
        let script = self.shape.script(agent, frame.script);
        if usize::from(frame.at) < script.len() || !frame.begun {
            return;
        }
        let settles = match frame.script {
            Script::Piece(piece) => self.shape.kind(piece) != Kind::Call,
            Script::Own | Script::Stop(_) => false,
        };
        let holds = |what: &Do| what.promise().is_some_and(|it| !state.is_settled(it));
        if !settles && !script.iter().any(holds) {
            self.end(state, agent, Some(depth));
        }
    }

    /// A script is over, in the frame at `depth` or the topmost.
    fn end(&self, state: &mut System, agent: Agent, depth: Option<usize>) {
        let top = state.parties[usize::from(agent)].frames.len() - 1;
        let frame = state.party(agent).frames.remove(depth.unwrap_or(top));
        let script = self.shape.script(agent, frame.script);
        match frame.script {
            Script::Stop(piece) => return self.settle_piece(state, agent, piece, Op::Stop),
            Script::Piece(piece) => {
                let last = script.get(usize::from(frame.at));
                let panics = matches!(last, Some(Do::Panics | Do::AwaitOf(..)));
                let end = if panics { End::Panicked } else { End::Value(agent) };
                self.settle_piece(state, agent, piece, Op::Settle(end));
            }
            Script::Own => {}
        }
        self.drop_promises(state, agent, script);
    }

    /// A job or task settles its future.
    fn settle_piece(&self, state: &mut System, agent: Agent, piece: Piece, op: Op) {
        state.tasks[usize::from(piece)] = Task::Done;
        if let Kind::Job(it, _) | Kind::Task(it, _) = self.shape.kind(piece) {
            self.apply(state, agent, it, op);
        }
    }

    fn drop_promises(&self, state: &mut System, agent: Agent, script: &[Do]) {
        let mut held: Vec<Future> = script.iter().filter_map(|what| what.promise()).collect();
        held.dedup();
        for it in held {
            let elsewhere = self.holder(state, it).is_some();
            if !elsewhere && !state.is_settled(it) && !self.rules.dropped_promise_forgets {
                self.apply(state, agent, it, Op::Abandon);
            }
        }
    }

    /// A piece that will not run is dropped, and settles what it holds.
    fn drop_piece(&self, state: &mut System, agent: Agent, piece: Piece) {
        self.settle_piece(state, agent, piece, Op::Abandon);
        self.drop_promises(state, agent, &self.shape.pieces[usize::from(piece)].1);
    }

    /// The promise of a future applies an operation.
    fn apply(&self, state: &mut System, agent: Agent, it: Future, op: Op) {
        let before = state.is_settled(it);
        let cell = state.cell(it);
        let due = cell.spec.invoke(&op).due;
        let acknowledges = before && !std::mem::replace(&mut cell.acknowledged, true);
        if !before && state.is_settled(it) {
            self.settled(state, agent, it, due, false);
        } else if acknowledges && self.rules.cancel_in_two_steps {
            self.tell(state, it);
        }
    }

    /// Replaces the end of a future, as no rule that ships does.
    fn replace(state: &mut System, it: Future, op: &Op) {
        let mut spec = Spec::new();
        let _ = spec.invoke(op);
        state.cell(it).spec = spec;
    }

    fn tell(&self, state: &mut System, it: Future) {
        let waiters = std::mem::take(&mut state.cell(it).waiters);
        for waiter in waiters.iter() {
            state.party(waiter).told.add(it);
        }
    }

    /// What an agent owes after it settled a future: the waiters, the loops, the callbacks.
    fn settled(&self, state: &mut System, agent: Agent, it: Future, due: Vec<Piece>, viewed: bool) {
        state.party(agent).unsettled.remove(it);
        state.party(agent).knows.add(it);
        let cell = &state.cells[usize::from(it)];
        if !self.rules.cancel_in_two_steps || !cell.cancelled || cell.acknowledged {
            self.tell(state, it);
        }
        let on_loop = self.shape.is_loop(agent);
        let home_is_open = on_loop && state.parties[usize::from(agent)].life != Life::Over;
        if viewed && home_is_open && !self.rules.loop_cancel_inline {
            for piece in due {
                state.party(agent).queue.push(Entry::Call(piece));
            }
        } else {
            let under = self.rules.callbacks_under_lock.then_some(Held::Future(it));
            Self::owe(state, agent, due, Some(it), under, viewed);
        }
        for home in 0..self.agents() {
            if self.shape.views[usize::from(home)].contains(&it) {
                self.deliver_to(state, agent, home, it);
            }
        }
    }

    /// A loop is to hear that a future is settled.
    fn deliver_to(&self, state: &mut System, agent: Agent, home: Agent, it: Future) {
        let here = agent == home;
        let party = &state.parties[usize::from(home)];
        let accepts = here && party.life != Life::Over || matches!(party.life, Life::Open | Life::Stopping);
        if self.rules.views_are_copies {
            if accepts {
                self.push(state, agent, home, Entry::Copy(it));
            }
        } else if self.rules.loop_callbacks_inline {
            self.deliver(state, agent, home, it);
        } else {
            let view = &mut state.party(home).views[usize::from(it)];
            view.delivered |= here;
            if accepts && !(here && view.waiting.is_empty()) {
                self.push(state, agent, home, Entry::Deliver(it));
            }
        }
    }

    fn push(&self, state: &mut System, from: Agent, home: Agent, entry: Entry) {
        let party = state.party(home);
        let sleeps = party.frames.is_empty() && party.queue.is_empty();
        if self.rules.post_does_not_wake && from != home && sleeps {
            party.asleep = true;
        }
        let again = matches!(entry, Entry::Step(_) | Entry::Deliver(_)) && party.queue.contains(&entry);
        if !again {
            party.queue.push(entry);
        }
    }

    /// Calls what waits for a view, in the thread of `agent`.
    fn deliver(&self, state: &mut System, agent: Agent, home: Agent, it: Future) {
        let view = &mut state.party(home).views[usize::from(it)];
        view.delivered = true;
        let mut calls = Vec::new();
        for waiting in std::mem::take(&mut view.waiting) {
            match waiting {
                Waiting::Call(piece) => calls.push(piece),
                Waiting::Task(piece) => self.push(state, agent, home, Entry::Step(piece)),
            }
        }
        Self::owe(state, agent, calls, Some(it), None, true);
    }

    /// Callbacks are to run in a thread, in this order, before it goes on.
    fn owe(
        state: &mut System,
        agent: Agent,
        due: Vec<Piece>,
        of: Option<Future>,
        under: Option<Held>,
        viewed: bool,
    ) {
        for piece in due.into_iter().rev() {
            let frame = Frame { of, under, viewed, ..Frame::new(Script::Piece(piece), false) };
            state.party(agent).frames.push(frame);
        }
    }

    fn begin_piece(&self, state: &mut System, agent: Agent, piece: Piece) {
        let frames = &mut state.party(agent).frames;
        let nested = frames.iter().any(|frame| frame.begun);
        let frame = frames.last_mut().expect("it begins");
        frame.begun = true;
        let of = frame.of;
        state.notes.early |= of.is_some_and(|it| !state.is_settled(it));
        if let Kind::Task(..) = self.shape.kind(piece) {
            state.notes.at_once |= nested;
            self.step_of_task(state, agent, piece);
        }
        state.notes.began.push((piece, agent));
        state.tasks[usize::from(piece)] = Task::Running;
    }

    /// Notes what a task's step must not be.
    fn step_of_task(&self, state: &mut System, agent: Agent, piece: Piece) {
        if let Kind::Task(it, on) = self.shape.kind(piece) {
            state.notes.astray |= agent != on;
            state.notes.undead |= state.is_settled(it);
        }
    }

    fn run(&self, state: &mut System, agent: Agent, piece: Piece) {
        let Kind::Job(it, pool) = self.shape.kind(piece) else { unreachable!("pools run jobs") };
        state.pools[usize::from(pool)].queue.retain(|queued| *queued != piece);
        let cell = state.cell(it);
        if cell.spec.invoke(&Op::Start).answer != Answer::Done {
            cell.acknowledged = true;
            state.tasks[usize::from(piece)] = Task::Done;
            return;
        }
        cell.ran = true;
        state.notes.orphan |= state.notes.orphans.has(it);
        state.notes.began.push((piece, agent));
        state.tasks[usize::from(piece)] = Task::Running;
        state.party(agent).frames.push(Frame::new(Script::Piece(piece), true));
    }

    /// A loop takes an entry of its queue.
    fn take(&self, state: &mut System, agent: Agent, entry: Entry) {
        state.party(agent).queue.remove(0);
        state.party(agent).unsettled = super::state::Set::default();
        match entry {
            Entry::Job(piece) | Entry::Call(piece) => {
                Self::owe(state, agent, vec![piece], None, None, true);
            }
            Entry::Deliver(it) => self.deliver(state, agent, agent, it),
            Entry::Step(piece) => self.step_task(state, agent, piece),
            Entry::Copy(it) => self.copy(state, agent, it),
        }
    }

    fn step_task(&self, state: &mut System, agent: Agent, piece: Piece) {
        let (Task::Live(at), Kind::Task(it, on)) =
            (state.tasks[usize::from(piece)], self.shape.kind(piece))
        else {
            return;
        };
        let asked = state.cell(it).spec.invoke(&Op::Requested).answer == Answer::Requested(true);
        let closing = state.parties[usize::from(on)].life == Life::Closing;
        let cancelled = self.rules.cancelled_before_stopped && state.is_settled(it);
        let resumes = at > 0;
        if cancelled && resumes {
            // It was seen cancelled, and its coroutine hears of it only now.
            state.notes.undead = true;
        }
        if asked || closing || cancelled {
            return self.stop(state, agent, piece, at);
        }
        if resumes {
            self.step_of_task(state, agent, piece);
        }
        state.tasks[usize::from(piece)] = Task::Running;
        let at = at.saturating_sub(1);
        let frame = Frame { at, viewed: true, ..Frame::new(Script::Piece(piece), resumes) };
        state.party(agent).frames.push(frame);
    }

    /// Drops a coroutine; its future is settled in the next step.
    fn stop(&self, state: &mut System, agent: Agent, piece: Piece, at: u8) {
        state.tasks[usize::from(piece)] = Task::Done;
        state.party(agent).frames.push(Frame::new(Script::Stop(piece), true));
        let script = &self.shape.pieces[usize::from(piece)].1;
        let Some(Do::Await(it)) = at.checked_sub(1).and_then(|at| script.get(usize::from(at))) else {
            return;
        };
        state.party(agent).views[usize::from(*it)].waiting.retain(|it| *it != Waiting::Task(piece));
        if !self.rules.cancel_is_not_forwarded {
            self.cancel(state, agent, *it, true);
        }
        if !state.cell(*it).ran {
            state.notes.orphans.add(*it);
        }
    }

    /// What was settled is copied to the other cell, in the direction that is due.
    fn copy(&self, state: &mut System, agent: Agent, it: Future) {
        let end = state.cell(it).spec.invoke(&Op::Read).answer;
        let copy = &mut state.party(agent).views[usize::from(it)].copy;
        match (end, copy.state().is_settled()) {
            (Answer::Read(Some(end)), false) => {
                let op = match end {
                    End::Cancelled(_) => Op::Cancel,
                    end => Op::Settle(end),
                };
                let _ = copy.invoke(&op);
                self.deliver(state, agent, agent, it);
            }
            (Answer::Read(None), true) => self.cancel(state, agent, it, false),
            _ => {}
        }
    }

    pub(super) fn cancel(&self, state: &mut System, agent: Agent, it: Future, viewed: bool) {
        let owner = self.shape.piece_of(it).map(|piece| (piece, self.shape.kind(piece)));
        let cell = state.cell(it);
        cell.asked = true;
        let ret = cell.spec.invoke(&Op::Cancel);
        let Answer::Cancel(answer) = ret.answer else { unreachable!("it was a cancel") };
        match answer {
            Cancel::Now => {
                cell.cancelled = true;
                self.settled(state, agent, it, ret.due, viewed);
            }
            Cancel::Already if self.rules.second_cancel_refused => cell.refused = true,
            Cancel::Already => state.party(agent).knows.add(it),
            Cancel::Refused(Refusal::Running) if self.rules.cancel_running => {
                cell.cancelled = true;
                let due = cell.spec.invoke(&Op::Abandon).due;
                Self::replace(state, it, &Op::Cancel);
                self.settled(state, agent, it, due, viewed);
            }
            Cancel::Refused(_) => cell.refused = true,
            Cancel::Requested => {}
        }
        if let Some((piece, Kind::Task(_, on))) = owner {
            let is_live = matches!(state.tasks[usize::from(piece)], Task::Live(_) | Task::Running);
            if is_live && state.parties[usize::from(on)].life != Life::Over {
                self.push(state, agent, on, Entry::Step(piece));
            }
        }
    }

    fn close(&self, state: &mut System, agent: Agent) {
        state.party(agent).life = Life::Closing;
        if self.rules.close_forgets_tasks {
            state.party(agent).queue.retain(|entry| !matches!(entry, Entry::Step(_)));
            return;
        }
        for (task, piece) in state.tasks.clone().into_iter().zip(0..) {
            if matches!((task, self.shape.kind(piece)), (Task::Live(_), Kind::Task(_, on)) if on == agent) {
                self.push(state, agent, agent, Entry::Step(piece));
            }
        }
    }

    fn sweep(&self, state: &mut System, agent: Agent) {
        state.party(agent).life = Life::Over;
        for it in 0..self.shape.futures {
            for waiting in std::mem::take(&mut state.party(agent).views[usize::from(it)].waiting) {
                if let Waiting::Call(piece) = waiting {
                    state.notes.dropped.add(piece);
                    self.drop_piece(state, agent, piece);
                }
            }
        }
    }

    fn expire(&self, state: &mut System, agent: Agent, what: Do) {
        state.notes.expired = true;
        match what {
            Do::ResultTimeout(it) => {
                if self.rules.expiry_cancels {
                    let asked = state.cells[usize::from(it)].asked;
                    self.cancel(state, agent, it, false);
                    state.cell(it).asked = asked;
                }
                if self.rules.expiry_is_a_failure {
                    state.cell(it).seen.add(Seen::Error as u8);
                }
            }
            Do::WaitTimeout(these) => {
                let party = &state.parties[usize::from(agent)];
                let (told, knows) = (party.told, party.knows);
                state.notes.misreported |= these.iter().any(|it| !told.has(it) && knows.has(it));
            }
            _ => unreachable!("only timed waits expire"),
        }
    }

    /// An operation takes a part of its way.
    fn part(&self, state: &mut System, agent: Agent, what: Do) -> Outcome {
        let frame = state.parties[usize::from(agent)].frames.last().expect("it acts");
        let part = usize::from(frame.part);
        match what {
            Do::Poll(_) | Do::LoopRead(_) => return Outcome::Goes,
            Do::ShutdownNow => {
                state.pools[0].over = true;
                let queue = &mut state.pools[0].queue;
                if self.rules.shutdown_forgets_queue {
                    for piece in std::mem::take(queue) {
                        state.tasks[usize::from(piece)] = Task::Done;
                    }
                } else if !queue.is_empty() {
                    let piece = queue.remove(0);
                    let before = state.parties[usize::from(agent)].frames.len();
                    self.drop_piece(state, agent, piece);
                    if self.rules.pool_calls_under_lock {
                        for frame in &mut state.party(agent).frames[before..] {
                            frame.under = Some(Held::Pool(0));
                        }
                    }
                    let frame = &mut state.party(agent).frames[before - 1];
                    frame.part = 1;
                    return Outcome::Goes;
                }
            }
            Do::Wait(these) | Do::WaitFirst(these) | Do::WaitTimeout(these) | Do::AsCompleted(these) => {
                if let Some(it) = these.iter().nth(part) {
                    let acknowledged = !self.rules.cancel_in_two_steps
                        || !state.cell(it).cancelled
                        || state.cell(it).acknowledged;
                    if state.is_settled(it) && acknowledged {
                        state.party(agent).told.add(it);
                    } else {
                        state.cell(it).waiters.add(agent);
                    }
                }
            }
            _ => {}
        }
        let frame = state.party(agent).frames.last_mut().expect("it acts");
        frame.part += 1;
        Outcome::Goes
    }

    /// An operation takes effect and returns.
    #[expect(clippy::too_many_lines, reason = "one arm an operation")]
    fn perform(&self, state: &mut System, agent: Agent, what: Do) -> Outcome {
        match what {
            Do::Start(it) => return self.start(state, agent, it),
            Do::Finish(it) => self.set(state, agent, it, End::Value(agent)),
            Do::Fail(it) => self.set(state, agent, it, End::Error(0)),
            Do::Panic(it) => self.set(state, agent, it, End::Panicked),
            Do::Abandon(it) => self.apply(state, agent, it, Op::Abandon),
            Do::Cancel(it) => self.cancel(state, agent, it, false),
            Do::Done(it) | Do::Read(it) => self.look(state, agent, it),
            Do::Result(it) | Do::ResultTimeout(it) => {
                state.notes.refused_wait |= !state.is_settled(it);
                if let Some(piece) = self.shape.piece_of(it) {
                    let queued = matches!(self.shape.kind(piece), Kind::Job(..))
                        && matches!(state.tasks[usize::from(piece)], Task::Live(_));
                    state.notes.unhelped |= queued && !self.shape.is_loop(agent);
                }
                self.look(state, agent, it);
            }
            Do::Poll(it) if !self.shape.is_loop(agent) => self.look(state, agent, it),
            Do::Poll(it) | Do::LoopDone(it) | Do::LoopRead(it) => self.look_on_loop(state, agent, it),
            Do::Wait(these) | Do::WaitFirst(these) | Do::WaitTimeout(these) | Do::AsCompleted(these) => {
                for it in these.iter() {
                    state.cell(it).waiters.remove(agent);
                }
            }
            Do::Add(it, piece) => self.add(state, agent, it, piece),
            Do::LoopCancel(it) if self.rules.views_are_copies => self.cancel_copy(state, agent, it),
            Do::LoopCancel(it) => self.cancel(state, agent, it, true),
            Do::LoopAdd(it, piece) => self.add_on_loop(state, agent, it, piece),
            Do::LoopRemove(it, piece) => self.remove(state, agent, it, piece),
            Do::Await(it) => return self.suspend(state, agent, agent, it),
            Do::AwaitOf(home, it) if home == agent || self.rules.foreign_loop_awaits => {
                return self.suspend(state, agent, home, it);
            }
            Do::AwaitOf(..) | Do::Panics => return self.panics(state, agent),
            Do::Post(home, piece) => self.post(state, agent, home, piece),
            Do::Spawn(piece) => self.spawn(state, agent, piece),
            Do::Stop => state.party(agent).life = Life::Stopping,
            Do::Close => {
                self.close(state, agent);
                state.party(agent).frames.last_mut().expect("it acts").part = 1;
                return Outcome::Goes;
            }
            Do::Submit(piece) => self.submit(state, agent, piece),
            Do::Shutdown => state.pools[0].over = true,
            Do::ShutdownNow | Do::Join => {}
            Do::Lock(lock) => state.locks[usize::from(lock)] = Some(agent),
            Do::Unlock(lock) => state.locks[usize::from(lock)] = None,
        }
        Outcome::Returned
    }

    fn start(&self, state: &mut System, agent: Agent, it: Future) -> Outcome {
        let looked = state.top(agent).is_some_and(|frame| frame.part > 0);
        if looked && state.is_settled(it) {
            // What it saw is true no longer.
            Self::replace(state, it, &Op::Start);
        } else if state.cell(it).spec.invoke(&Op::Start).answer != Answer::Done {
            self.acknowledge(state, it);
            return Outcome::Ends;
        }
        state.cell(it).ran = true;
        Outcome::Returned
    }

    fn acknowledge(&self, state: &mut System, it: Future) {
        let before = std::mem::replace(&mut state.cell(it).acknowledged, true);
        if self.rules.cancel_in_two_steps && !before {
            self.tell(state, it);
        }
    }

    fn set(&self, state: &mut System, agent: Agent, it: Future, end: End) {
        let looked = state.top(agent).is_some_and(|frame| frame.part > 0);
        let finished = state.cells[usize::from(it)].spec.state() == crate::machine::State::Finished;
        if state.is_settled(it) && looked || finished && self.rules.set_twice {
            Self::replace(state, it, &Op::Settle(end));
        } else {
            self.apply(state, agent, it, Op::Settle(end));
        }
    }

    fn add(&self, state: &mut System, agent: Agent, it: Future, piece: Piece) {
        let looked = state.top(agent).is_some_and(|frame| frame.part > 0);
        state.notes.added.push((it, piece));
        if looked && state.is_settled(it) {
            // It stores the callback, and nobody takes it any more.
            return;
        }
        let due = state.cell(it).spec.invoke(&Op::Register(piece)).due;
        let under = self.rules.callbacks_under_lock.then_some(Held::Future(it));
        Self::owe(state, agent, due, Some(it), under, false);
    }

    fn look(&self, state: &mut System, agent: Agent, it: Future) {
        if let Answer::Read(Some(end)) = state.cell(it).spec.invoke(&Op::Read).answer {
            state.cell(it).seen.add(seen(end) as u8);
            state.party(agent).knows.add(it);
        }
    }

    fn look_on_loop(&self, state: &mut System, agent: Agent, it: Future) {
        if !self.sees(state, agent, it) {
            let over = state.party(agent).life == Life::Over;
            state.notes.stale |= over && state.is_settled(it);
            state.party(agent).unsettled.add(it);
            return;
        }
        state.notes.flipped |= state.parties[usize::from(agent)].unsettled.has(it);
        let cell = &mut state.cells[usize::from(it)];
        let copy = &mut state.parties[usize::from(agent)].views[usize::from(it)].copy;
        let from = if self.rules.views_are_copies { copy } else { &mut cell.spec };
        if let Answer::Read(Some(end)) = from.invoke(&Op::Read).answer {
            cell.seen.add(seen(end) as u8);
        }
        state.party(agent).knows.add(it);
    }

    fn cancel_copy(&self, state: &mut System, agent: Agent, it: Future) {
        state.cell(it).asked = true;
        let copy = &mut state.party(agent).views[usize::from(it)].copy;
        if copy.invoke(&Op::Cancel).answer == Answer::Cancel(Cancel::Now) {
            self.push(state, agent, agent, Entry::Deliver(it));
            self.push(state, agent, agent, Entry::Copy(it));
        }
    }

    fn add_on_loop(&self, state: &mut System, agent: Agent, it: Future, piece: Piece) {
        state.notes.viewed.push((agent, it, piece));
        let sees = self.sees(state, agent, it);
        let party = state.party(agent);
        if party.life == Life::Over {
            state.notes.dropped.add(piece);
            self.drop_piece(state, agent, piece);
        } else if sees && self.rules.late_callbacks_inline {
            Self::owe(state, agent, vec![piece], Some(it), None, true);
        } else {
            party.views[usize::from(it)].waiting.push(Waiting::Call(piece));
            if sees {
                self.push(state, agent, agent, Entry::Deliver(it));
            }
        }
    }

    fn remove(&self, state: &mut System, agent: Agent, it: Future, piece: Piece) {
        let party = state.party(agent);
        let waiting = &mut party.views[usize::from(it)].waiting;
        let before = waiting.len();
        waiting.retain(|it| *it != Waiting::Call(piece));
        let mut found = waiting.len() < before;
        let due = |frame: &Frame| frame.script == Script::Piece(piece) && !frame.begun;
        if party.frames.iter().any(due) {
            found = true;
            if !self.rules.removal_overlooks_due {
                party.frames.retain(|frame| !due(frame));
            }
        }
        if found {
            state.notes.removed.add(piece);
        }
    }

    fn suspend(&self, state: &mut System, agent: Agent, home: Agent, it: Future) -> Outcome {
        if self.sees(state, home, it) {
            return Outcome::Returned;
        }
        let frame = state.party(agent).frames.pop().expect("it acts");
        let Script::Piece(piece) = frame.script else { unreachable!("only tasks await") };
        state.tasks[usize::from(piece)] = Task::Live(frame.at + 1);
        state.party(home).views[usize::from(it)].waiting.push(Waiting::Task(piece));
        Outcome::Suspends
    }

    /// A panic ends a script, and is isolated.
    fn panics(&self, state: &mut System, agent: Agent) -> Outcome {
        if self.rules.panic_skips_callbacks {
            let frames = &mut state.party(agent).frames;
            let of = frames.last().and_then(|frame| frame.of);
            frames.retain(|frame| frame.begun || frame.of != of);
        }
        Outcome::Ends
    }

    fn post(&self, state: &mut System, agent: Agent, home: Agent, piece: Piece) {
        let refuses = matches!(state.party(home).life, Life::Closing | Life::Over);
        if !refuses {
            state.notes.accepted.add(piece);
            self.push(state, agent, home, Entry::Job(piece));
        } else {
            if self.rules.closed_loop_swallows {
                state.notes.accepted.add(piece);
            } else {
                state.notes.refused.add(piece);
            }
            self.drop_piece(state, agent, piece);
        }
    }

    fn spawn(&self, state: &mut System, agent: Agent, piece: Piece) {
        let Kind::Task(_, home) = self.shape.kind(piece) else { unreachable!("a task is spawned") };
        let refuses = matches!(state.party(home).life, Life::Closing | Life::Over);
        if refuses {
            state.notes.refused.add(piece);
            self.drop_piece(state, agent, piece);
        } else if self.rules.task_starts_at_once && home == agent {
            Self::owe(state, agent, vec![piece], None, None, true);
        } else {
            state.tasks[usize::from(piece)] = Task::Live(0);
            self.push(state, agent, home, Entry::Step(piece));
        }
    }

    fn submit(&self, state: &mut System, agent: Agent, piece: Piece) {
        let Kind::Job(_, pool) = self.shape.kind(piece) else { unreachable!("a job is submitted") };
        if state.pools[usize::from(pool)].over {
            state.notes.refused.add(piece);
            self.drop_piece(state, agent, piece);
        } else {
            state.notes.accepted.add(piece);
            state.tasks[usize::from(piece)] = Task::Live(0);
            state.pools[usize::from(pool)].queue.push(piece);
        }
    }
}

/// How an end is seen. Two producers deliver two values.
pub(super) const fn seen(end: End) -> Seen {
    match end {
        End::Value(by) if by % 2 == 0 => Seen::Value,
        End::Value(_) => Seen::OtherValue,
        End::Error(_) => Seen::Error,
        End::Panicked => Seen::Panicked,
        End::Abandoned => Seen::Abandoned,
        End::Cancelled(_) => Seen::Cancelled,
    }
}
