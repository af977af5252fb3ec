//! What the parts of a program are called: by their names, or else by their numbers.

use super::{
    own::{Channel, Put, Variable},
    program::{Do, Future, Futures, Lock, Piece, Program},
    state::{Script, System},
};

/// The names that a program gives to its parts, in the order of their numbers, as far as it does.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) futures: Vec<&'static str>,
    pub(super) pieces: Vec<&'static str>,
    pub(super) locks: Vec<&'static str>,
    pub(super) variables: Vec<&'static str>,
    pub(super) channels: Vec<&'static str>,
}

/// The name of a part, or else its number after a letter for its kind.
fn name(names: &[&'static str], kind: char, it: u8) -> String {
    names.get(usize::from(it)).map_or_else(|| format!("{kind}{it}"), |name| (*name).to_owned())
}

impl Names {
    pub(super) fn future(&self, it: Future) -> String {
        name(&self.futures, 'f', it)
    }

    pub(super) fn piece(&self, it: Piece) -> String {
        name(&self.pieces, '#', it)
    }

    pub(super) fn lock(&self, it: Lock) -> String {
        name(&self.locks, 'm', it)
    }

    fn variable(&self, it: Variable) -> String {
        name(&self.variables, 'v', it)
    }

    fn channel(&self, it: Channel) -> String {
        name(&self.channels, 'c', it)
    }

    /// An operation as a call.
    pub(super) fn call(&self, what: Do) -> String {
        let (f, p) = (|it| self.future(it), |it| self.piece(it));
        let these = |name: &str, it: Futures| {
            let all: Vec<String> = it.iter().map(f).collect();
            format!("{name}({})", all.join(", "))
        };
        match what {
            Do::Start(it) => format!("start({})", f(it)),
            Do::Finish(it) => format!("finish({})", f(it)),
            Do::Fail(it) => format!("fail({})", f(it)),
            Do::Panic(it) => format!("panicked({})", f(it)),
            Do::Abandon(it) => format!("drop of the promise of {}", f(it)),
            Do::FinishOrReturn(it) => format!("finish_or_return({})", f(it)),
            Do::IsClosed(it) => format!("is_closed({})", f(it)),
            Do::OnClosed(it, piece) => format!("on_closed({}, {})", f(it), p(piece)),
            Do::Closed(it) => format!("closed({})", f(it)),
            Do::Drop(it) => format!("drop({})", f(it)),
            Do::Upgrade(it) => format!("upgrade({})", f(it)),
            Do::Cancel(it) => format!("cancel({})", f(it)),
            Do::Done(it) => format!("done({})", f(it)),
            Do::Read(it) => format!("try_result({})", f(it)),
            Do::Result(it) => format!("result({})", f(it)),
            Do::WaitTimeout(it) => format!("wait_timeout({})", f(it)),
            Do::Poll(it) => format!("until done({})", f(it)),
            Do::Add(it, piece) => format!("add({}, {})", f(it), p(piece)),
            Do::Wait(it) => these("wait", it),
            Do::WaitFirst(it) => these("wait_first", it),
            Do::WaitAllTimeout(it) => these("wait_all_timeout", it),
            Do::AsCompleted(it) => these("as_completed", it),
            Do::LoopDone(it) => format!("view.done({})", f(it)),
            Do::LoopRead(it) => format!("view.result({})", f(it)),
            Do::LoopCancel(it) => format!("view.cancel({})", f(it)),
            Do::LoopAdd(it, piece) => format!("view.add({}, {})", f(it), p(piece)),
            Do::LoopRemove(it, piece) => format!("view.remove({}, {})", f(it), p(piece)),
            Do::Await(it) => format!("await {}", f(it)),
            Do::AwaitOf(_, it) => format!("await another loop's {}", f(it)),
            Do::Post(_, piece) => format!("post({})", p(piece)),
            Do::Spawn(piece) => format!("spawn({})", p(piece)),
            Do::Stop => "stop()".to_owned(),
            Do::Close => "close()".to_owned(),
            Do::Submit(piece) => format!("submit({})", p(piece)),
            Do::ClosePool => "pool.close()".to_owned(),
            Do::CancelPending => "pool.cancel_pending()".to_owned(),
            Do::Shutdown => "pool.shutdown()".to_owned(),
            Do::Interrupt(of) => format!("interrupt({of})"),
            Do::Panics => "panics".to_owned(),
            _ => self.own_call(what),
        }
    }

    /// An operation on what the program has of its own, as a call.
    fn own_call(&self, what: Do) -> String {
        let m = |it| self.lock(it);
        let (v, c) = (|it| self.variable(it), |it| self.channel(it));
        match what {
            Do::Lock(lock) => format!("lock({})", m(lock)),
            Do::Unlock(lock) => format!("unlock({})", m(lock)),
            Do::Load(it) => format!("load({})", v(it)),
            Do::Store(it, Put::Number(number)) => format!("store({}, {number})", v(it)),
            Do::Store(it, Put::Loaded(plus)) => format!("store({}, loaded{plus:+})", v(it)),
            Do::Change(it, by) => format!("change({}, {by:+})", v(it)),
            Do::Assert(it, is) => format!("assert({} {is})", v(it)),
            Do::Send(it, number) => format!("send({}, {number})", c(it)),
            Do::Recv(it) => format!("recv({})", c(it)),
            Do::Disconnect(it) => format!("close({})", c(it)),

            _ => unreachable!("{what:?} is no call"),
        }
    }
}

impl Program {
    /// Whose script it is.
    pub(super) fn whose(&self, agent: u8, script: Script) -> String {
        match script {
            Script::Own => self.shape.members[usize::from(agent)].name.clone(),
            Script::Piece(it) | Script::Stop(it) | Script::Wake(it) | Script::Drop(it) => {
                self.shape.names.piece(it)
            }
            Script::Tell(..) | Script::Post(..) | Script::Return(_) => {
                unreachable!("what is told is no script")
            }
        }
    }

    /// The assertion that is not so.
    pub(super) fn failed(&self, state: &System) -> Option<String> {
        let names = &self.shape.names;
        if let Some((agent, script, at)) = state.own.failed {
            let what = self.shape.script(agent, script)[usize::from(at)];
            return Some(format!("{}: {}", self.whose(agent, script), names.call(what)));
        }
        let (it, is) = self.untrue(state)?;
        let (name, value) = (names.variable(it), state.variable(it));
        Some(format!("at the end {name} {is}, and it is {value}"))
    }
}
