//! What somebody does, written down.

use super::{Callback, Channel, EventLoop, Future, Lock, Plan, Pool, Variable};
use crate::model::{
    Futures, Is, Kind, Misuse, Program, Put,
    program::{self, Do},
};

/// What a thread, loop, callback, job or task does, one call after the other.
///
/// Each call takes effect in one step, unless it says otherwise, and between two steps of one everybody else may take
/// some.
///
/// What a call may answer, for [`when`](Answer::when):
///
/// | call | answers |
/// |---|---|
/// | `start`, `abandon` | [`Is::Yes`] |
/// | `finish`, `finish_or_return`, `fail`, `is_closed`, `done`, `upgrade`, `view_done`, `view_remove_done_callback`, `post`, `spawn`, `submit`, `send` | [`Is::Yes`], [`Is::No`] |
/// | `cancel`, `view_cancel` | [`Is::Now`], [`Is::Already`], [`Is::Requested`], [`Is::Refused`] |
/// | `until_done` | how it ended: [`Is::Value`], [`Is::Error`], [`Is::Panicked`], [`Is::Abandoned`], [`Is::Cancelled`] |
/// | `try_result`, `result`, `view_result`, `awaits` | how it ended, [`Is::Unsettled`] |
/// | `wait_timeout` | how it ended, [`Is::Unsettled`], [`Is::Expired`] |
/// | `wait_all_timeout` | [`Is::Yes`], [`Is::Unsettled`], [`Is::Expired`] |
/// | `load`, `add` | a number: [`Is::Equal`], [`Is::Other`], [`Is::Below`], [`Is::Above`] |
/// | `recv` | a number, [`Is::No`] |
///
/// A worker that takes jobs until it is told the end, once more than there are jobs:
///
/// ```
/// use settled::model::{Is, Plan};
///
/// let mut plan = Plan::new();
/// let (jobs, made) = (plan.channel("jobs", 1), plan.variable("made", 0));
/// plan.thread("worker", |it| {
///     it.repeat(3, |it| {
///         it.recv(jobs).when(Is::No, |it| it.returns());
///         it.add(made, 1);
///     });
/// });
/// plan.thread("main", |it| {
///     it.repeat(2, |it| { it.send(jobs, 7); });
///     it.close(jobs);
/// });
/// plan.finally(made, Is::Equal(2));
/// plan.check().unwrap();
/// ```
#[derive(Debug)]
pub struct Script<'a> {
    plan: &'a mut Plan,
    calls: Vec<Do>,
}

/// What a call answers: what is to be done then.
#[derive(Debug)]
pub struct Answer<'s, 'a> {
    script: &'s mut Script<'a>,
    call: Do,
    /// Where the cases before go on when they are over.
    ends: Vec<usize>,
}

impl Answer<'_, '_> {
    /// If the answer is this, and none of the cases before was it. What the call never answers is a
    /// [`Misuse`](Misuse::NeverAnswered); the table at [`Script`] says what it may.
    pub fn when(mut self, is: Is, then: impl FnOnce(&mut Script<'_>)) -> Self {
        if !is.may_be_of(self.call) {
            let operation = self.script.plan.program.shape.names.call(self.call);
            self.script.plan.refuse(Misuse::NeverAnswered { operation, is });
        }
        let at = self.script.calls.len();
        self.script.calls.push(Do::Unless(is, 0));
        then(self.script);
        self.ends.push(self.script.calls.len());
        self.script.calls.push(Do::Skip(0));
        self.script.calls[at] = Do::Unless(is, self.script.over(at));
        self.join();
        self
    }

    /// If the answer is none of those before: what `else` is.
    pub fn otherwise(mut self, then: impl FnOnce(&mut Script<'_>)) {
        then(self.script);
        self.join();
    }

    /// The cases before go on behind what was written last.
    fn join(&mut self) {
        for at in &self.ends {
            self.script.calls[*at] = Do::Skip(self.script.over(*at));
        }
    }
}

/// Calls that are made on a future and answer something.
macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident: $call:ident;)*) => {
        impl<'a> Script<'a> { $(
            $(#[$doc])*
            pub fn $name(&mut self, future: Future) -> Answer<'_, 'a> {
                let future = self.future(future);
                self.asks(Do::$call(future))
            }
        )* }
    };
}

calls! {
    /// The promise begins the work. If the future was cancelled before, the script ends here, as with
    /// `let Ok(running) = promise.start() else { return };`.
    start: Start;
    /// The promise delivers a value: [`Is::Yes`], or [`Is::No`] if a cancel came first.
    finish: Finish;
    /// The promise delivers an error: [`Is::Yes`], or [`Is::No`] if a cancel came first.
    fail: Fail;
    /// The promise is dropped.
    abandon: Abandon;
    /// `finish_or_return`: the promise delivers a value: [`Is::Yes`], or [`Is::No`] if a cancel came first or nobody
    /// can ever see it, and it comes back.
    finish_or_return: FinishOrReturn;
    /// `is_closed`, asked of the promise: [`Is::Yes`] if nobody can see any more what it would deliver, or [`Is::No`].
    is_closed: IsClosed;
    /// Waits for `closed`, of the promise. In a thread.
    closed: Closed;
    /// Drops the handle that this script has of its own. A script that uses a future and does not say so keeps what it
    /// has, and so does a loop with a view of it.
    drop: Drop;
    /// `upgrade` of a weak handle: [`Is::Yes`], or [`Is::No`] if nobody was left. What it gives is dropped at once, in
    /// a step of its own.
    upgrade: Upgrade;
    /// `cancel`: [`Is::Now`], [`Is::Already`], [`Is::Requested`] or [`Is::Refused`].
    cancel: Cancel;
    /// `done`: [`Is::Yes`] or [`Is::No`].
    done: Done;
    /// `try_result`: how it ended, [`Is::Value`] and so on, or [`Is::Unsettled`].
    try_result: Read;
    /// `result`: waits; how it ended, or [`Is::Unsettled`] where waiting is refused.
    result: Result;
    /// `wait_timeout`, and `result` of what it answers: waits; how it ended, or [`Is::Expired`], which may be the
    /// answer at any time.
    wait_timeout: WaitTimeout;
    /// Asks `done` again and again until it is, for ever if it never is: how it ended.
    until_done: Poll;
    /// `done` of the loop's view. On a loop.
    view_done: LoopDone;
    /// `result` of the loop's view. On a loop.
    view_result: LoopRead;
    /// `cancel` of the loop's view. On a loop.
    view_cancel: LoopCancel;
    /// Awaits the future, by value: how it ended. In a task.
    awaits: Await;
}

impl<'a> Script<'a> {
    /// The script that `write` writes.
    pub(super) fn write(plan: &'a mut Plan, write: impl FnOnce(&mut Script<'_>)) -> Vec<Do> {
        let mut script = Script { plan, calls: Vec::new() };
        write(&mut script);
        script.calls
    }

    /// `add_done_callback`: runs where the future is settled, or at once here.
    pub fn add_done_callback(
        &mut self,
        future: Future,
        name: &'static str,
        callback: impl FnOnce(&mut Script<'_>),
    ) {
        let future = self.future(future);
        let piece = self.plan.piece(name, Kind::Call, callback);
        self.calls.push(Do::Add(future, piece));
    }

    /// `on_closed` of the promise: runs where the last handle is dropped, or a cancel succeeds, or at once here.
    pub fn on_closed(
        &mut self,
        future: Future,
        name: &'static str,
        listener: impl FnOnce(&mut Script<'_>),
    ) {
        let future = self.future(future);
        let piece = self.plan.piece(name, Kind::Call, listener);
        self.calls.push(Do::OnClosed(future, piece));
    }

    /// `add_done_callback` of the loop's view: runs on the loop, in a later turn. On a loop.
    pub fn view_add_done_callback(
        &mut self,
        future: Future,
        name: &'static str,
        callback: impl FnOnce(&mut Script<'_>),
    ) -> Callback {
        let future = self.future(future);
        let at = self.plan.piece(name, Kind::Call, callback);
        self.calls.push(Do::LoopAdd(future, at));
        Callback(super::Part { name, at })
    }

    /// `remove_done_callback` of the loop's view: [`Is::Yes`] if it has not run and never will. On a loop.
    pub fn view_remove_done_callback(
        &mut self,
        future: Future,
        callback: Callback,
    ) -> Answer<'_, 'a> {
        let future = self.future(future);
        let callback = self.plan.known(callback.0, |program| &program.shape.names.pieces);
        self.asks(Do::LoopRemove(future, callback))
    }

    /// `wait` for all of up to four: registers with each in a step, then waits.
    pub fn wait(&mut self, these: &[Future]) {
        self.several(these, Do::Wait);
    }

    /// `wait` for the first of up to four.
    pub fn wait_first(&mut self, these: &[Future]) {
        self.several(these, Do::WaitFirst);
    }

    /// `wait` for all of up to four, with a timeout: [`Is::Yes`] or [`Is::Expired`], or [`Is::Unsettled`] where waiting
    /// is refused.
    pub fn wait_all_timeout(&mut self, these: &[Future]) -> Answer<'_, 'a> {
        self.several(these, Do::WaitAllTimeout)
    }

    /// `as_completed` of up to four: yields each in a step.
    pub fn as_completed(&mut self, these: &[Future]) {
        self.several(these, Do::AsCompleted);
    }

    /// `call_soon_threadsafe`: [`Is::Yes`], or [`Is::No`] if the loop is closed.
    pub fn post(
        &mut self,
        on: EventLoop,
        name: &'static str,
        job: impl FnOnce(&mut Script<'_>),
    ) -> Answer<'_, 'a> {
        let on = self.plan.place(on);
        let piece = self.plan.piece(name, Kind::Call, job);
        self.asks(Do::Post(on, piece))
    }

    /// Makes a task of a loop, `create_task` there and `run_coroutine_threadsafe` elsewhere: [`Is::Yes`], or [`Is::No`]
    /// if the loop is closed. It settles `future` as it ends.
    pub fn spawn(
        &mut self,
        on: EventLoop,
        future: Future,
        name: &'static str,
        task: impl FnOnce(&mut Script<'_>),
    ) -> Answer<'_, 'a> {
        let (on, future) = (self.plan.place(on), self.future(future));
        let piece = self.plan.piece(name, Kind::Task(future, on), task);
        self.asks(Do::Spawn(piece))
    }

    /// `submit`: [`Is::Yes`], or [`Is::No`] if the pool is shut down. The job settles `future` as it ends.
    pub fn submit(
        &mut self,
        to: Pool,
        future: Future,
        name: &'static str,
        job: impl FnOnce(&mut Script<'_>),
    ) -> Answer<'_, 'a> {
        let (to, future) = (self.pool(to), self.future(future));
        let piece = self.plan.piece(name, Kind::Job(future, to), job);
        self.asks(Do::Submit(piece))
    }

    /// Stops the loop that runs this, after its turn; it is then closed, as by
    /// [`EventLoop::close`](crate::EventLoop::close): its coroutines are dropped and their futures cancelled, what it
    /// has accepted still runs, and the callbacks of futures that are open are dropped. What is given to it later is
    /// refused.
    pub fn stop(&mut self) {
        self.calls.push(Do::Stop);
    }

    /// [`ThreadPool::close`](crate::ThreadPool::close): the pool, the first of the plan, refuses new jobs, and its
    /// workers end when they have run what is queued.
    pub fn close_pool(&mut self, pool: Pool) {
        self.first_pool(pool, Do::ClosePool);
    }

    /// [`ThreadPool::cancel_pending`](crate::ThreadPool::cancel_pending): what is queued is taken out in one step, and
    /// then dropped, a job a step. The pool, the first of the plan, stays open if it is.
    pub fn cancel_pending(&mut self, pool: Pool) {
        self.first_pool(pool, Do::CancelPending);
    }

    /// Waits until the workers of the pool, the first of the plan, have ended: what
    /// [`ThreadPool::shutdown`](crate::ThreadPool::shutdown) does after [`close_pool`](Self::close_pool).
    pub fn shutdown(&mut self, pool: Pool) {
        self.first_pool(pool, Do::Shutdown);
    }

    /// Takes a lock, and gives it back after `inside`, or where the script ends.
    pub fn lock(&mut self, lock: Lock, inside: impl FnOnce(&mut Script<'_>)) {
        let lock = self.plan.known(lock.0, |program| &program.shape.names.locks);
        self.calls.push(Do::Lock(lock));
        inside(self);
        self.calls.push(Do::Unlock(lock));
    }

    /// Reads a variable: [`Is::Equal`] and the like say what is done then.
    pub fn load(&mut self, variable: Variable) -> Answer<'_, 'a> {
        let variable = self.variable(variable);
        self.asks(Do::Load(variable))
    }

    /// Writes a number to a variable.
    pub fn store(&mut self, variable: Variable, number: i16) {
        let variable = self.variable(variable);
        self.calls.push(Do::Store(variable, Put::Number(number)));
    }

    /// Writes to a variable the sum of what was loaded or received last, and this.
    pub fn store_loaded(&mut self, variable: Variable, plus: i16) {
        let variable = self.variable(variable);
        self.calls.push(Do::Store(variable, Put::Loaded(plus)));
    }

    /// Adds to a variable in one step, as `fetch_add`: what it was before.
    pub fn add(&mut self, variable: Variable, by: i16) -> Answer<'_, 'a> {
        let variable = self.variable(variable);
        self.asks(Do::Change(variable, by))
    }

    /// A variable is so here, or the check fails: `Is::Above(-1)`.
    pub fn assert(&mut self, variable: Variable, is: Is) {
        let variable = self.variable(variable);
        self.calls.push(Do::Assert(variable, is));
    }

    /// Sends a number, and waits while the channel is full: [`Is::Yes`], or [`Is::No`] if it is closed.
    pub fn send(&mut self, channel: Channel, number: i16) -> Answer<'_, 'a> {
        let channel = self.channel(channel);
        self.asks(Do::Send(channel, number))
    }

    /// Receives a number, and waits while there is none: the number, [`Is::Equal`] and the like; [`Is::No`] if the
    /// channel is closed and empty. Any number is `recv(jobs).when(Is::No, …).otherwise(…)`.
    pub fn recv(&mut self, channel: Channel) -> Answer<'_, 'a> {
        let channel = self.channel(channel);
        self.asks(Do::Recv(channel))
    }

    /// Closes a channel, as the drop of its only sender does.
    pub fn close(&mut self, channel: Channel) {
        let channel = self.channel(channel);
        self.calls.push(Do::Disconnect(channel));
    }

    /// Panics: what runs this ends here, and its future, if it settles one, with a panic.
    pub fn panics(&mut self) {
        self.calls.push(Do::Panics);
    }

    /// Ends the script here: it gives back the locks that it has, and then drops its promises.
    pub fn returns(&mut self) {
        self.calls.push(Do::Skip(u8::MAX));
    }

    /// The same, as many times: it is written down so often, and each counts among the 250 calls of a script. Nothing
    /// else goes round but [`until_done`](Self::until_done).
    pub fn repeat(&mut self, times: usize, mut script: impl FnMut(&mut Script<'_>)) {
        for _ in 0..times {
            script(self);
        }
    }

    fn asks(&mut self, what: Do) -> Answer<'_, 'a> {
        self.calls.push(what);
        Answer { script: self, call: what, ends: Vec::new() }
    }

    /// How many calls there are behind this one.
    fn over(&self, at: usize) -> u8 {
        // A script with more of them is none.
        u8::try_from(self.calls.len() - at - 1).unwrap_or(u8::MAX)
    }

    fn several(&mut self, these: &[Future], what: fn(Futures) -> Do) -> Answer<'_, 'a> {
        let mut all: Vec<program::Future> = these.iter().map(|it| self.future(*it)).collect();
        if all.len() > Futures::MOST {
            let (found, most) = (all.len(), Futures::MOST);
            self.plan.refuse(Misuse::TooMany { what: "futures in one call", found, most });
            all.truncate(most);
        }
        self.asks(what(Futures::of(&all)))
    }

    fn first_pool(&mut self, pool: Pool, what: Do) {
        if self.pool(pool) > 0 {
            self.plan.refuse(Misuse::OtherPool { name: pool.0.name });
        }
        self.calls.push(what);
    }

    fn pool(&mut self, pool: Pool) -> u8 {
        let here = self.plan.pools.get(usize::from(pool.0.at)) == Some(&pool.0.name);
        self.plan.here(pool.0, here)
    }

    fn future(&mut self, it: Future) -> program::Future {
        self.plan.known(it.0, |program: &Program| &program.shape.names.futures)
    }

    fn variable(&mut self, it: Variable) -> u8 {
        self.plan.known(it.0, |program| &program.shape.names.variables)
    }

    fn channel(&mut self, it: Channel) -> u8 {
        self.plan.known(it.0, |program| &program.shape.names.channels)
    }
}
