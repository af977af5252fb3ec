//! What whoever settles a future owes: the waiters, the loops, the callbacks.

use super::super::{
    program::{Agent, Future, Kind, Piece, Program},
    state::{Entry, Frame, Held, Life, Script, System, Task, Waiting},
};

impl Program {
    /// Those who wait for a future in `wait` or `as_completed` are to be told.
    pub(super) fn tell(&self, state: &mut System, agent: Agent, it: Future) {
        let waiters = std::mem::take(&mut state.cell(it).waiters);
        let tells = waiters.into_iter().map(|waiter| Script::Tell(waiter, it)).collect();
        self.notify(state, agent, tells, None);
    }

    /// An agent is to tell some, one a step and in this order, before it goes on.
    pub(super) fn notify(
        &self,
        state: &mut System,
        agent: Agent,
        tells: Vec<Script>,
        under: Option<Held>,
    ) {
        let frame = |script| Frame { under, ..Frame::new(script, false) };
        let frames = &mut state.party(agent).frames;
        let before = frames.len();
        frames.extend(tells.into_iter().rev().map(frame));
        while self.rules.settled_in_one_step
            && state.is_telling(agent)
            && state.parties[usize::from(agent)].frames.len() > before
        {
            self.pay(state, agent);
        }
    }

    /// The first whom an agent owes it is told. Callbacks that go to a loop are one post.
    pub(super) fn pay(&self, state: &mut System, agent: Agent) {
        match state.party(agent).frames.pop().map(|frame| frame.script) {
            Some(Script::Tell(whom, it)) => state.tell(whom, it),
            Some(Script::Post(home, Entry::Deliver(it))) => {
                self.deliver_to(state, agent, home, it);
            }
            Some(Script::Post(home, entry)) => {
                if self.accepts(state, agent, home) {
                    self.push(state, agent, home, entry);
                }
                let next = state.top(agent).map(|frame| frame.script);
                if let (Entry::Call(_), Some(Script::Post(_, Entry::Call(_)))) = (entry, next) {
                    self.pay(state, agent);
                }
            }
            _ => unreachable!("it owes something"),
        }
        self.wake(state, agent);
    }

    /// What an agent owes after it settled a future: the loops, the waiters, those who listen, the callbacks.
    pub(super) fn settled(
        &self,
        state: &mut System,
        agent: Agent,
        it: Future,
        [told, mut due]: [Vec<Piece>; 2],
        viewed: bool,
    ) {
        state.party(agent).unsettled.remove(it);
        state.party(agent).knows.add(it);
        // The views were there before anybody could wait.
        let homes = (0..self.agents()).filter(|home| self.is_owed(state, agent, *home, it));
        let mut tells: Vec<Script> =
            homes.map(|home| Script::Post(home, Entry::Deliver(it))).collect();
        if self.shape.views[usize::from(agent)].contains(&it) && !self.rules.views_are_copies {
            state.party(agent).views[usize::from(it)].delivered |=
                !self.rules.loop_callbacks_inline;
        }
        let cell = state.cell(it);
        if !self.rules.cancel_in_two_steps || !cell.cancelled || cell.acknowledged {
            let waiters = std::mem::take(&mut cell.waiters);
            tells.extend(waiters.into_iter().map(|waiter| Script::Tell(waiter, it)));
        }
        let on_loop = self.shape.is_loop(agent);
        let home_is_open = on_loop && state.parties[usize::from(agent)].life != Life::Over;
        if viewed && home_is_open && !self.rules.loop_cancel_inline {
            tells.extend(due.drain(..).map(|piece| Script::Post(agent, Entry::Call(piece))));
        }
        let under = self.rules.callbacks_under_lock.then_some(Held::Future(it));
        if self.rules.callbacks_before_waiters {
            self.notify(state, agent, tells, under);
            self.end_listeners(state, agent, it, told);
            self.call_back(state, agent, due, it, under, viewed);
        } else {
            self.call_back(state, agent, due, it, under, viewed);
            self.end_listeners(state, agent, it, told);
            self.notify(state, agent, tells, under);
        }
    }

    /// The callbacks of a future are to run in a thread, unless it is in too many already: then they are deferred.
    pub(super) fn call_back(
        &self,
        state: &mut System,
        agent: Agent,
        due: Vec<Piece>,
        it: Future,
        under: Option<Held>,
        viewed: bool,
    ) {
        if self.nest.is_none_or(|most| state.inside(agent) < usize::from(most)) {
            if self.shape.weak.has(it) && !due.is_empty() {
                state.party(agent).frames.push(Frame::new(Script::Return(it), false));
            }
            return Self::owe(state, agent, due, Some(it), under, viewed);
        }
        for piece in due {
            let frame = Frame { of: Some(it), viewed, ..Frame::new(Script::Piece(piece), false) };
            state.party(agent).deferred.push(frame);
            state.notes.deferred.push((agent, piece));
        }
    }

    /// The callback that an agent has deferred and runs next.
    pub(in crate::model) fn next_deferred(&self, state: &System, agent: Agent) -> Option<usize> {
        let deferred = &state.parties[usize::from(agent)].deferred;
        match deferred.len().checked_sub(1)? {
            _ if self.rules.deferred_never_run => None,
            last if self.rules.deferred_reversed => Some(last),
            _ => Some(0),
        }
    }

    /// What is due in a thread that is in no callback any more: the next that was deferred.
    pub(super) fn undefer(&self, state: &mut System, agent: Agent) {
        let calls = |frame: &Frame| frame.of.is_some();
        if !state.parties[usize::from(agent)].frames.iter().any(calls)
            && !state.is_telling(agent)
            && let Some(next) = self.next_deferred(state, agent)
        {
            let frame = state.party(agent).deferred.remove(next);
            state.party(agent).frames.push(frame);
        }
    }

    /// Whether a loop takes what its own thread, or another, posts to it.
    fn accepts(&self, state: &System, agent: Agent, home: Agent) -> bool {
        match state.parties[usize::from(home)].life {
            Life::Open | Life::Stopping => true,
            Life::Closing => agent == home,
            Life::Over => false,
        }
    }

    /// Whether a loop is to hear that a future is settled. One that settles it itself knows, but for what waits there.
    fn is_owed(&self, state: &System, agent: Agent, home: Agent, it: Future) -> bool {
        if !self.shape.views[usize::from(home)].contains(&it) {
            return false;
        }
        if self.rules.loop_callbacks_inline && !self.rules.views_are_copies {
            return true;
        }
        let waiting = &state.parties[usize::from(home)].views[usize::from(it)].waiting;
        let knows = agent == home && waiting.is_empty() && !self.rules.views_are_copies;
        self.accepts(state, agent, home) && !knows
    }

    /// A loop hears that a future is settled.
    fn deliver_to(&self, state: &mut System, agent: Agent, home: Agent, it: Future) {
        if self.rules.loop_callbacks_inline && !self.rules.views_are_copies {
            self.deliver(state, agent, home, it);
        } else if self.accepts(state, agent, home) {
            let copies = self.rules.views_are_copies;
            let entry = if copies { Entry::Copy(it) } else { Entry::Deliver(it) };
            self.push(state, agent, home, entry);
        }
    }

    pub(super) fn push(&self, state: &mut System, from: Agent, home: Agent, entry: Entry) {
        let party = state.party(home);
        let sleeps = party.frames.is_empty() && party.queue.is_empty();
        if self.rules.post_does_not_wake && from != home && sleeps {
            party.asleep = true;
        }
        let again =
            matches!(entry, Entry::Step(_) | Entry::Deliver(_)) && party.queue.contains(&entry);
        if !again {
            party.queue.push(entry);
        }
    }

    /// Calls what waits for a view, in the thread of `agent`.
    pub(super) fn deliver(&self, state: &mut System, agent: Agent, home: Agent, it: Future) {
        let view = &mut state.party(home).views[usize::from(it)];
        view.delivered = true;
        let mut due = std::mem::take(&mut view.waiting);
        // In the order in which they were registered, each when its turn comes.
        due.reverse();
        let frame = |waiting| match waiting {
            Waiting::Call(piece) => Script::Piece(piece),
            Waiting::Task(piece) => Script::Wake(piece),
        };
        let due = due.into_iter().map(|waiting| Frame {
            of: Some(it),
            viewed: true,
            ..Frame::new(frame(waiting), false)
        });
        state.party(agent).frames.extend(due);
        self.wake(state, agent);
    }

    /// Wakes the tasks whose turn it is.
    pub(super) fn wake(&self, state: &mut System, agent: Agent) {
        while let Some(&Frame { script: Script::Wake(piece), .. }) = state.top(agent) {
            state.party(agent).frames.pop();
            if let Kind::Task(_, home) = self.shape.kind(piece) {
                // A flipped rule may deliver in another thread than the loop's.
                let on = if self.shape.is_loop(agent) { agent } else { home };
                self.push(state, agent, on, Entry::Step(piece));
            }
        }
    }

    /// Callbacks are to run in a thread, in this order, before it goes on.
    pub(super) fn owe(
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

    pub(super) fn begin_piece(&self, state: &mut System, agent: Agent, piece: Piece) {
        if state.top(agent).is_some_and(|frame| frame.begun) {
            // One that waits runs what its thread has deferred.
            let next = self.next_deferred(state, agent).expect("it begins");
            let frame = state.party(agent).deferred.remove(next);
            state.party(agent).frames.push(frame);
        }
        let kind = self.shape.kind(piece);
        if let Kind::Job(it, _) = kind
            && !self.begin_job(state, agent, piece, it)
        {
            return;
        }
        let frames = &mut state.party(agent).frames;
        let frame = frames.last_mut().expect("it begins");
        frame.begun = true;
        let of = frame.of;
        state.notes.early |= of.is_some_and(|it| !state.is_settled(it));
        let listens = state.notes.listening.iter().find(|(_, listener)| *listener == piece);
        if let Some((it, _)) = listens.copied() {
            state.notes.closed.add(it);
        }
        state.notes.began.push((piece, agent));
        state.tasks[usize::from(piece)] = Task::Running;
    }
}
