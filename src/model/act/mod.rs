//! What each step does.

mod handle;
mod pool;
mod promise;
mod settle;
mod task;
mod turn;

use super::{
    End, Op,
    own::{Is, Told},
    program::{Agent, Do, Future, Futures, Program},
    state::{Life, Seen, System},
    step::{Does, Step},
};

/// What became of an operation.
enum Outcome {
    /// It has told its caller this.
    Returned(Told),
    /// It has not returned yet.
    Goes,
    /// The script ends here.
    Ends,
    /// The task is suspended, and goes on with this operation.
    Suspends,
}

impl Program {
    /// Takes a step; what it has told its caller, if that goes on.
    pub(super) fn act(&self, state: &mut System, step: Step) -> Option<Told> {
        if let Some(what) = self.refused_for_a_circle(state, step) {
            state.notes.circle = true;
            state.notes.needless |= self.could_end(state, step.agent, what);
        }
        self.go(state, step)
    }

    /// The same, with nothing noticed but what is part of the step.
    pub(super) fn go(&self, state: &mut System, step: Step) -> Option<Told> {
        let told = self.take_step(state, step);
        self.undefer(state, step.agent);
        told
    }

    fn take_step(&self, state: &mut System, Step { agent, does }: Step) -> Option<Told> {
        match does {
            Does::Take(entry) => self.take(state, agent, entry),
            Does::Run(piece) => self.run(state, agent, piece),
            Does::Close => self.close(state, agent),
            Does::Exit => state.party(agent).life = Life::Over,
            Does::End => self.end(state, agent, None),
            Does::Tell(..) | Does::Post(..) => self.pay(state, agent),
            Does::Drop(piece) => self.drop_job(state, agent, piece),
            Does::Withdraw(piece) => self.withdraw(state, agent, piece),
            Does::Return(_) => drop(state.party(agent).frames.pop()),
            Does::Sweep
            | Does::Begin(_)
            | Does::Part(_)
            | Does::Expire(_)
            | Does::Interrupt(_)
            | Does::Do(_) => {
                return self.go_on(state, agent, does);
            }
        }
        None
    }

    /// A step of a script.
    fn go_on(&self, state: &mut System, agent: Agent, does: Does) -> Option<Told> {
        let outcome = match does {
            Does::Sweep => {
                self.sweep(state, agent);
                Outcome::Returned(Told::YES)
            }
            Does::Begin(piece) => {
                self.begin_piece(state, agent, piece);
                Outcome::Goes
            }
            Does::Part(what) => self.part(state, agent, what),
            Does::Expire(what) => self.expire(state, agent, what),
            Does::Interrupt(what) => {
                if let (true, Do::Result(it)) = (self.rules.interrupt_cancels, what) {
                    self.cancel(state, agent, it, false);
                }
                Outcome::Returned(Told::Answer(Is::Interrupted))
            }
            Does::Do(what) => {
                self.note_of_task(state, agent);
                self.perform(state, agent, what)
            }
            _ => unreachable!("{does:?} is no step of a script"),
        };
        // What it brought about is not begun yet.
        let frames = &mut state.party(agent).frames;
        let acted = frames.iter().rposition(|frame| frame.begun)?;
        let told = match outcome {
            Outcome::Ends => {
                self.end(state, agent, None);
                return None;
            }
            Outcome::Suspends => return None,
            Outcome::Goes => None,
            Outcome::Returned(told) => {
                let frame = &mut frames[acted];
                frame.at = self.branch(agent, frame.script, frame.at + 1, told);
                frame.part = 0;
                let (script, at) = (frame.script, frame.at);
                self.forget(state, agent, script, at);
                Some(told)
            }
        };
        self.leave(state, agent, acted);
        told
    }

    /// An operation takes a part of its way.
    fn part(&self, state: &mut System, agent: Agent, what: Do) -> Outcome {
        let frame = state.parties[usize::from(agent)].frames.last().expect("it acts");
        let part = usize::from(frame.part);
        match what {
            Do::Poll(it) if self.shape.is_loop(agent) => {
                Self::note_unsettled(state, agent, it);
                return Outcome::Goes;
            }
            Do::Poll(_) | Do::LoopRead(_) => return Outcome::Goes,
            Do::Wait(these)
            | Do::WaitFirst(these)
            | Do::WaitAllTimeout(these)
            | Do::AsCompleted(these) => match these.iter().nth(part) {
                Some(it) => self.register(state, agent, it),
                None if !matches!(what, Do::AsCompleted(_)) => {
                    self.leave_next(state, agent, what);
                    return Outcome::Goes;
                }
                None => {}
            },
            Do::Add(it, piece) if self.rules.stored_before_looked => {
                self.add(state, agent, it, piece);
            }
            Do::Upgrade(it) => state.cell(it).spec.share(),
            // What it has seen it keeps in mind.
            Do::FinishOrReturn(it) if state.future(it).is_seen() => {
                let frame = state.party(agent).frames.last_mut().expect("it acts");
                frame.part += 1;
            }
            _ => {}
        }
        let frame = state.party(agent).frames.last_mut().expect("it acts");
        frame.part += 1;
        Outcome::Goes
    }

    /// An operation takes effect and returns.
    fn perform(&self, state: &mut System, agent: Agent, what: Do) -> Outcome {
        match what {
            Do::Start(it) => return self.start(state, agent, it),
            Do::Finish(it) => self.set(state, agent, it, End::Value(agent)),
            Do::Fail(it) => self.set(state, agent, it, End::Error(0)),
            Do::Panic(it) => self.set(state, agent, it, End::Panicked),
            Do::Abandon(it) => drop(self.apply(state, agent, it, Op::Abandon)),
            Do::FinishOrReturn(_)
            | Do::IsClosed(_)
            | Do::OnClosed(..)
            | Do::Closed(_)
            | Do::Drop(_)
            | Do::Upgrade(_) => return Outcome::Returned(self.of_handles(state, agent, what)),
            Do::Cancel(it) => return Outcome::Returned(self.ask(state, agent, it, false)),
            Do::Done(it) | Do::Read(it) => self.look(state, agent, it),
            Do::Result(it) | Do::WaitTimeout(it) => self.result(state, agent, it),
            Do::Poll(it) if !self.shape.is_loop(agent) => self.look(state, agent, it),
            Do::Poll(it) | Do::LoopDone(it) | Do::LoopRead(it) => {
                self.look_on_loop(state, self.home(agent), it)
            }
            Do::Wait(these)
            | Do::WaitFirst(these)
            | Do::WaitAllTimeout(these)
            | Do::AsCompleted(these) => return self.come_back(state, agent, what, these),
            Do::Add(it, piece) => self.add(state, agent, it, piece),
            Do::LoopCancel(it) => {
                return Outcome::Returned(if self.rules.views_are_copies {
                    self.cancel_copy(state, self.home(agent), it)
                } else {
                    self.ask(state, agent, it, true)
                });
            }
            Do::LoopAdd(it, piece) => self.add_on_loop(state, self.home(agent), it, piece),
            Do::LoopRemove(it, piece) => self.remove(state, self.home(agent), it, piece),
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
            Do::ClosePool => state.pools[0].over = true,
            Do::CancelPending => self.cancel_pending(state, agent),
            Do::Shutdown => {}
            Do::Interrupt(of) => state.party(of).interrupted = true,
            // What is left is the program's own.
            _ => return Outcome::Returned(self.own(state, agent, what)),
        }
        Outcome::Returned(self.tells(state, agent, what))
    }

    /// A wait for several comes back.
    fn come_back(&self, state: &mut System, agent: Agent, what: Do, these: Futures) -> Outcome {
        let expires = matches!(what, Do::WaitAllTimeout(_)) && self.is_leaving(state, agent);
        self.leave_next(state, agent, what);
        for it in these.iter() {
            state.cell(it).waiters.retain(|waiter| *waiter != agent);
        }
        let told = self.tells(state, agent, what);
        Outcome::Returned(if expires { Told::Answer(Is::Expired) } else { told })
    }

    fn expire(&self, state: &mut System, agent: Agent, what: Do) -> Outcome {
        state.notes.expired = true;
        match what {
            Do::WaitTimeout(it) => {
                if self.rules.expiry_cancels {
                    self.cancel(state, agent, it, false);
                }
                if self.rules.expiry_is_a_failure {
                    state.cell(it).seen.add(Seen::Error as u8);
                }
            }
            Do::WaitAllTimeout(_) => {
                if self.leave_next(state, agent, what) {
                    return Outcome::Goes;
                }
            }
            _ => unreachable!("only timed waits expire"),
        }
        Outcome::Returned(Told::Answer(Is::Expired))
    }

    /// `wait` and `as_completed` register with a future, or are told that it is settled.
    fn register(&self, state: &mut System, agent: Agent, it: Future) {
        let cell = state.cell(it);
        let acknowledged = !self.rules.cancel_in_two_steps || !cell.cancelled || cell.acknowledged;
        if state.is_settled(it) && acknowledged {
            state.tell(agent, it);
        } else {
            state.cell(it).waiters.push(agent);
        }
    }

    /// A wait that ends leaves the next of those of whom it was not told, and says whether there are more. One that
    /// it finds gone is settled.
    fn leave_next(&self, state: &mut System, agent: Agent, what: Do) -> bool {
        let Some(frame) = state.top(agent).cloned() else { return false };
        let mut untold = self.untold(state, agent, &frame, what);
        let Some((at, it)) = untold.next() else { return false };
        let waiters = &mut state.cell(it).waiters;
        if let Some(place) = waiters.iter().rposition(|waiter| *waiter == agent) {
            waiters.remove(place);
            state.notes.misreported |= state.parties[usize::from(agent)].knows.has(it);
        } else if state.is_settled(it) {
            state.tell(agent, it);
        }
        let given = what.waits_for().map_or(0, |these| these.iter().count());
        state.party(agent).frames.last_mut().expect("it acts").part = (given + at + 1) as u8;
        untold.next().is_some()
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
}
