//! Programs of threads and one event loop over futures, as a model: one step is one linearization
//! point.
//!
//! A program is a script for each thread and for each callback. The futures are
//! [`Spec`]s, so that every rule of a single future is the shipped one. What a
//! [`Rules`] adds is how the two flavours make a program's calls of it; the default is what ships,
//! and a what-if is one field changed.

mod property;

pub(crate) use property::{
    ACCEPTED, ENDS, LOCKED, NESTED, NEVER_RUNS, ONCE, ORDER, THREAD, always,
};
use settled::{
    Cancel,
    model::{Answer, End, Op, Spec},
};
use stateright::{Model, Property, semantics::SequentialSpec};

pub(crate) type Future = usize;
pub(crate) type Callback = u8;

/// One step of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Do {
    /// The promise begins the work, or ends its script if it is too late.
    Start(Future),
    /// The promise delivers a value.
    Finish(Future),
    /// The promise is dropped.
    Abandon(Future),
    Cancel(Future),
    /// Blocks until the future is settled: `result`.
    Result(Future),
    /// Blocks in `wait`, the function over many futures.
    Wait(Future),
    /// Registers a thread callback.
    Add(Future, Callback),
    /// Registers a loop callback. Only on the loop's thread, the first.
    LoopAdd(Future, Callback),
    /// Reads through the loop's view; its thread is the loop's.
    LoopResult(Future),
    /// Posts a job to the loop.
    Post(Callback),
    /// Closes the loop. Only on the loop's thread.
    Close,
}

/// How calls are made of linearization points. The default is what ships.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Reading an unsettled future on the loop blocks it, instead of answering `InvalidState`.
    pub(crate) loop_read_blocks: bool,
    /// Loop callbacks run where the future settles, instead of through the loop.
    pub(crate) loop_callbacks_inline: bool,
    /// A loop callback for a settled future runs at once, instead of in a later turn.
    pub(crate) late_callbacks_inline: bool,
    /// A cancel wakes those who wait with `wait` only when the promise has acknowledged it.
    pub(crate) cancel_in_two_steps: bool,
    /// `start` looks and claims in two steps.
    pub(crate) claim_in_two_steps: bool,
    /// Registering a thread callback looks and registers in two steps.
    pub(crate) register_in_two_steps: bool,
    /// Callbacks run while the future's lock is held.
    pub(crate) callbacks_under_lock: bool,
    /// A closed loop takes jobs and drops them, instead of handing them back.
    pub(crate) closed_loop_swallows: bool,
}

impl Rules {
    pub(crate) const SHIPPED: Self = Self {
        loop_read_blocks: false,
        loop_callbacks_inline: false,
        late_callbacks_inline: false,
        cancel_in_two_steps: false,
        claim_in_two_steps: false,
        register_in_two_steps: false,
        callbacks_under_lock: false,
        closed_loop_swallows: false,
    };
}

/// A closed program under some rules.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) rules: Rules,
    pub(crate) futures: usize,
    /// Whether the first thread is an event loop: its script is the first job that it runs.
    pub(crate) has_loop: bool,
    pub(crate) threads: Vec<Vec<Do>>,
    pub(crate) callbacks: Vec<Vec<Do>>,
    /// The one property to check; all of them without.
    pub(crate) only: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Script {
    Thread(usize),
    Callback(Callback),
}

/// A script that is being run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Frame {
    script: Script,
    /// The number of steps taken. The first step of a callback is that it begins.
    taken: usize,
    /// Whether its next step has looked already, if it is one that looks first.
    looked: bool,
    /// Whose lock it runs under, if callbacks do.
    under: Option<Future>,
    /// Whether it is a callback of a loop's view.
    of_loop: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Entry {
    Job(Callback),
    /// Deliver the loop's view of a future.
    Deliver(Future),
}

/// A future as the program sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Cell {
    spec: Spec,
    /// Whether the promise knows of the end.
    acknowledged: bool,
    /// Whether its work has begun, and whether a cancel was answered `Now`.
    ran: bool,
    cancelled: bool,
    /// The loop's view: whether it is settled for the loop, and what is still to be called.
    delivered: bool,
    waiting: Vec<Callback>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct System {
    cells: Vec<Cell>,
    threads: Vec<Vec<Frame>>,
    queue: Vec<Entry>,
    closed: bool,
    /// The callbacks that have begun, each with its thread, in order.
    began: Vec<(Callback, usize)>,
    /// The callbacks of thread futures, and those of loop views, in the order in which they
    /// registered.
    added: Vec<(Future, Callback)>,
    registered: Vec<(Future, Callback)>,
    /// Jobs that the loop said it took, jobs that it handed back, callbacks that `close` dropped.
    accepted: Vec<Callback>,
    refused: usize,
    dropped: Vec<Callback>,
}

/// The next step of a thread, and what it is, for the reader of a counterexample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) thread: usize,
    pub(crate) does: Does,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    /// A step of a script.
    Do(Do),
    /// A callback or a job begins.
    Begin(Callback),
    /// The loop takes the first entry of its queue.
    Take(Entry),
}

/// The loop's thread.
const LOOP: usize = 0;

impl Program {
    fn script(&self, script: Script) -> &[Do] {
        match script {
            Script::Thread(thread) => &self.threads[thread],
            Script::Callback(callback) => &self.callbacks[usize::from(callback)],
        }
    }

    /// What a frame does next; `None` if it is a callback that begins.
    fn next(&self, frame: &Frame) -> Option<Do> {
        let begins = usize::from(matches!(frame.script, Script::Callback(_)));
        let at = frame.taken.checked_sub(begins)?;
        Some(self.script(frame.script)[at])
    }

    fn is_over(&self, frame: &Frame) -> bool {
        let begins = usize::from(matches!(frame.script, Script::Callback(_)));
        frame.taken == self.script(frame.script).len() + begins
    }

    /// Whether a thread can take a step.
    fn can_step(&self, state: &System, thread: usize) -> bool {
        let Some(frame) = state.threads[thread].last() else {
            return self.has_loop && thread == LOOP && !state.queue.is_empty();
        };
        let on_loop = self.has_loop && thread == LOOP;
        match self.next(frame) {
            None | Some(Do::Post(_) | Do::Close) => true,
            Some(
                Do::Start(it)
                | Do::Finish(it)
                | Do::Abandon(it)
                | Do::Cancel(it)
                | Do::Add(it, _)
                | Do::LoopAdd(it, _),
            ) => !state.is_locked(it),
            // On a loop's thread this answers `WouldDeadlock`, and so never blocks.
            Some(Do::Result(it)) => {
                !state.is_locked(it)
                    && (state.is_settled(it) || on_loop && !self.rules.loop_read_blocks)
            }
            Some(Do::LoopResult(it)) => state.cells[it].delivered || !self.rules.loop_read_blocks,
            Some(Do::Wait(it)) => {
                state.is_settled(it)
                    && (!self.rules.cancel_in_two_steps || state.cells[it].acknowledged)
            }
        }
    }

    fn ended(&self, state: &System) -> bool {
        state.threads.iter().all(Vec::is_empty) && state.queue.is_empty()
    }

    fn stuck(&self, state: &System) -> bool {
        (0..self.threads.len()).all(|thread| !self.can_step(state, thread))
    }

    /// What a thread does, by its top frame, which has not been counted as taken yet.
    fn take_step(&self, state: &mut System, thread: usize, what: Do) -> Taken {
        match what {
            Do::Start(it) => return self.start(state, thread, it),
            Do::Finish(it) => self.deliver(state, thread, it, Op::Settle(End::Value(1))),
            Do::Abandon(it) => self.deliver(state, thread, it, Op::Abandon),
            Do::Cancel(it) => {
                let ret = state.cells[it].spec.invoke(&Op::Cancel);
                if ret.answer == Answer::Cancel(Cancel::Now) {
                    state.cells[it].cancelled = true;
                    self.settled(state, thread, it, ret.due);
                }
            }
            Do::Add(it, callback) => return self.add(state, thread, it, callback),
            Do::LoopAdd(it, callback) => self.loop_add(state, it, callback),
            Do::Post(callback) => {
                if state.closed && !self.rules.closed_loop_swallows {
                    state.refused += 1;
                } else {
                    state.accepted.push(callback);
                    if !state.closed {
                        state.queue.push(Entry::Job(callback));
                    }
                }
            }
            Do::Close => state.close(),
            Do::Result(_) | Do::Wait(_) | Do::LoopResult(_) => {}
        }
        Taken::Step
    }

    fn start(&self, state: &mut System, thread: usize, it: Future) -> Taken {
        let frame = state.threads[thread].last_mut().expect("somebody takes the step");
        let cell = &mut state.cells[it];
        if self.rules.claim_in_two_steps && frame.looked {
            // What it saw may be true no longer. The callbacks are forgotten with the old state, which
            // is of no interest to the one property that is checked under this rule.
            cell.spec = Spec::new();
            let _ = cell.spec.invoke(&Op::Start);
        } else if self.rules.claim_in_two_steps && !cell.spec.state().is_settled() {
            frame.looked = true;
            return Taken::Look;
        } else if cell.spec.invoke(&Op::Start).answer != Answer::Done {
            cell.acknowledged = true;
            return Taken::End;
        }
        cell.ran = true;
        Taken::Step
    }

    fn add(&self, state: &mut System, thread: usize, it: Future, callback: Callback) -> Taken {
        let frame = state.threads[thread].last_mut().expect("somebody takes the step");
        let looked = std::mem::take(&mut frame.looked);
        if self.rules.register_in_two_steps && !looked && !state.is_settled(it) {
            state.threads[thread].last_mut().expect("it is still there").looked = true;
            return Taken::Look;
        }
        state.added.push((it, callback));
        // Who has looked stores the callback, and nobody takes it any more if it is too late.
        if !(looked && state.is_settled(it)) {
            let due = state.cells[it].spec.invoke(&Op::Register(callback)).due;
            self.call(state, thread, it, due);
        }
        Taken::Step
    }

    /// The promise ends the work.
    fn deliver(&self, state: &mut System, thread: usize, it: Future, op: Op) {
        let before = state.is_settled(it);
        let due = state.cells[it].spec.invoke(&op).due;
        state.cells[it].acknowledged = true;
        if !before {
            self.settled(state, thread, it, due);
        }
    }

    /// What `thread` owes after it settled `it`.
    fn settled(&self, state: &mut System, thread: usize, it: Future, due: Vec<Callback>) {
        if self.has_loop && self.rules.loop_callbacks_inline {
            state.cells[it].delivered = true;
            let waiting = std::mem::take(&mut state.cells[it].waiting);
            state.call(thread, waiting, None, true);
        } else if self.has_loop {
            let here = thread == LOOP;
            state.cells[it].delivered |= here;
            if !(here && state.cells[it].waiting.is_empty() || state.closed && !here) {
                state.queue.push(Entry::Deliver(it));
            }
        }
        self.call(state, thread, it, due);
    }

    fn call(&self, state: &mut System, thread: usize, it: Future, due: Vec<Callback>) {
        state.call(thread, due, self.rules.callbacks_under_lock.then_some(it), false);
    }

    fn loop_add(&self, state: &mut System, it: Future, callback: Callback) {
        state.registered.push((it, callback));
        if state.closed {
            state.dropped.push(callback);
        } else if state.cells[it].delivered && self.rules.late_callbacks_inline {
            state.call(LOOP, vec![callback], None, true);
        } else {
            state.cells[it].waiting.push(callback);
            if state.cells[it].delivered && !state.queue.contains(&Entry::Deliver(it)) {
                state.queue.push(Entry::Deliver(it));
            }
        }
    }
}

/// What became of a step of a script.
enum Taken {
    Step,
    /// Only looked: the step is not over.
    Look,
    /// It was too late: the script is over.
    End,
}

impl System {
    fn is_settled(&self, it: Future) -> bool {
        self.cells[it].spec.state().is_settled()
    }

    /// Whether a callback runs under the lock of `it`.
    fn is_locked(&self, it: Future) -> bool {
        self.threads.iter().flatten().any(|frame| frame.under == Some(it))
    }

    fn times(&self, callback: Callback) -> usize {
        self.began.iter().filter(|(began, _)| *began == callback).count()
    }

    pub(crate) fn was_cancelled(&self) -> bool {
        self.cells.iter().any(|cell| cell.cancelled)
    }

    pub(crate) fn has_run(&self) -> bool {
        self.cells.iter().any(|cell| cell.ran)
    }

    /// How many callbacks have begun.
    pub(crate) fn callbacks(&self) -> usize {
        self.began.len()
    }

    pub(crate) fn ran_on_loop(&self) -> bool {
        self.registered.iter().any(|(_, callback)| self.times(*callback) == 1)
    }

    pub(crate) fn has_accepted(&self) -> bool {
        !self.accepted.is_empty()
    }

    pub(crate) fn has_refused(&self) -> bool {
        self.refused > 0
    }

    pub(crate) fn has_dropped(&self) -> bool {
        !self.dropped.is_empty()
    }

    /// Callbacks are to run in a thread, in this order, before it goes on.
    fn call(&mut self, thread: usize, due: Vec<Callback>, under: Option<Future>, of_loop: bool) {
        for callback in due.into_iter().rev() {
            let script = Script::Callback(callback);
            self.threads[thread].push(Frame { script, taken: 0, looked: false, under, of_loop });
        }
    }

    /// The loop takes an entry of its queue.
    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Job(callback) => self.call(LOOP, vec![callback], None, false),
            Entry::Deliver(it) => {
                self.cells[it].delivered = true;
                let waiting = std::mem::take(&mut self.cells[it].waiting);
                self.call(LOOP, waiting, None, true);
            }
        }
    }

    /// Refuses new work and drops what waits for futures that are not settled; what was accepted
    /// still runs.
    fn close(&mut self) {
        self.closed = true;
        for it in 0..self.cells.len() {
            if !self.queue.contains(&Entry::Deliver(it)) {
                let waiting = std::mem::take(&mut self.cells[it].waiting);
                self.dropped.extend(waiting);
            }
        }
    }
}

impl Model for Program {
    type State = System;
    type Action = Step;

    fn init_states(&self) -> Vec<System> {
        let frame = |script| Frame {
            script: Script::Thread(script),
            taken: 0,
            looked: false,
            under: None,
            of_loop: false,
        };
        let cell = Cell {
            spec: Spec::new(),
            acknowledged: false,
            ran: false,
            cancelled: false,
            delivered: false,
            waiting: Vec::new(),
        };
        let begins = |thread: usize| {
            if self.threads[thread].is_empty() { Vec::new() } else { vec![frame(thread)] }
        };
        vec![System {
            cells: vec![cell; self.futures],
            threads: (0..self.threads.len()).map(begins).collect(),
            queue: Vec::new(),
            closed: false,
            began: Vec::new(),
            added: Vec::new(),
            registered: Vec::new(),
            accepted: Vec::new(),
            refused: 0,
            dropped: Vec::new(),
        }]
    }

    fn actions(&self, state: &System, actions: &mut Vec<Step>) {
        let threads = (0..self.threads.len()).filter(|thread| self.can_step(state, *thread));
        actions.extend(threads.map(|thread| {
            let does = match state.threads[thread].last() {
                None => Does::Take(state.queue[0]),
                Some(frame) => match (self.next(frame), frame.script) {
                    (Some(what), _) => Does::Do(what),
                    (None, Script::Callback(callback)) => Does::Begin(callback),
                    (None, Script::Thread(_)) => unreachable!("only callbacks begin"),
                },
            };
            Step { thread, does }
        }));
    }

    fn next_state(&self, state: &System, Step { thread, does }: Step) -> Option<System> {
        let mut next = state.clone();
        let taken = match does {
            Does::Take(entry) => {
                next.queue.remove(0);
                next.take(entry);
                return Some(next);
            }
            Does::Begin(callback) => {
                next.began.push((callback, thread));
                Taken::Step
            }
            Does::Do(what) => self.take_step(&mut next, thread, what),
        };
        // What the step called lies above the frame that took it.
        let top = state.threads[thread].len() - 1;
        let frame = &mut next.threads[thread][top];
        let over = match taken {
            Taken::Look => false,
            Taken::End => true,
            Taken::Step => {
                frame.taken += 1;
                self.is_over(frame)
            }
        };
        if over {
            next.threads[thread].remove(top);
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let all = property::always().into_iter().chain(property::reached(self));
        all.filter(|property| self.only.is_none_or(|it| it == property.name)).collect()
    }
}
