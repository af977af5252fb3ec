//! What those who take part in a program are told, by the model and by the real crate.

use settled::model::{Agent, Answer, Do, End, Future, Op, Program, Role, System};
use stateright::semantics::SequentialSpec;

/// What somebody was told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    Nothing,
    Answer(Answer),
    /// How these ended, which are done.
    Done(Vec<(Future, End)>),
    /// That the wait might never end.
    Refused,
    /// Whether it was accepted, or removed.
    Is(bool),
}

/// The futures that a call is made on.
pub(crate) fn uses(what: Do) -> Vec<Future> {
    let mut all: Vec<_> = what.promise().into_iter().chain(what.views()).collect();
    all.extend(what.waits_for().iter().flat_map(|these| these.iter().collect::<Vec<_>>()));
    match what {
        Do::Cancel(it)
        | Do::Done(it)
        | Do::Read(it)
        | Do::Add(it, _)
        | Do::Drop(it)
        | Do::Upgrade(it)
        | Do::AwaitOf(_, it) => all.push(it),
        _ => {}
    }
    all
}

/// A call of the promise, by the one who has it.
fn of_promise(what: Do, agent: Agent) -> Op {
    match what {
        Do::Start(_) => Op::Start,
        Do::Finish(_) => Op::Settle(End::Value(agent)),
        Do::Fail(_) => Op::Settle(End::Error(0)),
        Do::Panic(_) => Op::Settle(End::Panicked),
        Do::Abandon(_) => Op::Abandon,
        Do::FinishOrReturn(_) => Op::Return(agent),
        Do::IsClosed(_) => Op::Closed,
        _ => unreachable!("{what:?} is no call of a promise that answers"),
    }
}

/// What somebody is to be told, if it is compared.
pub(crate) fn expected(
    program: &Program,
    [before, after]: [&System; 2],
    agent: Agent,
    what: Do,
) -> Option<Told> {
    let on_loop = program.members().nth(usize::from(agent)).expect("it takes part").0 == Role::Loop;
    let look = |it: Future| before.future(it).clone().invoke(&Op::Read).answer;
    let op = match what {
        Do::Upgrade(_) => return Some(Told::Is(before.progress(agent) > 0)),
        Do::Cancel(_) | Do::LoopCancel(_) => Op::Cancel,
        Do::LoopDone(it) | Do::LoopRead(it) | Do::Poll(it)
            if on_loop && !program.shows(before, agent, it) =>
        {
            return Some(Told::Answer(Answer::Read(None)));
        }
        Do::Done(_) | Do::Read(_) | Do::LoopDone(_) | Do::LoopRead(_) | Do::Poll(_) => Op::Read,
        Do::OnClosed(..) | Do::Closed(_) | Do::Drop(_) | Do::Interrupt(_) => {
            return Some(Told::Nothing);
        }
        _ if what.promise().is_some() => of_promise(what, agent),
        Do::Add(..) | Do::LoopAdd(..) | Do::Stop | Do::ClosePool | Do::CancelPending => {
            return Some(Told::Nothing);
        }
        Do::LoopRemove(_, it) => {
            let is = after.was_removed(it) && !before.was_removed(it);
            return Some(Told::Is(is));
        }
        Do::Post(_, it) | Do::Spawn(it) | Do::Submit(it) => {
            return Some(Told::Is(!after.was_refused(it)));
        }
        Do::Shutdown if !program.have_ended(before, 0) => return Some(Told::Refused),
        Do::Shutdown => return Some(Told::Nothing),
        _ if what.is_own() => return Some(Told::Nothing),
        Do::Panics => return None,
        Do::Await(it) | Do::AwaitOf(_, it) => match look(it) {
            Answer::Read(Some(end)) => return Some(Told::Done(vec![(it, end)])),
            _ => return None,
        },
        _ => {
            let these = what.waits_for()?;
            let ends = these.iter().map(|it| (it, look(it)));
            let mut done: Vec<_> = ends
                .filter_map(|(it, read)| match read {
                    Answer::Read(Some(end)) => Some((it, end)),
                    _ => None,
                })
                .collect();
            done.sort_unstable_by_key(|(it, _)| *it);
            done.dedup();
            let all = these.iter().all(|it| done.iter().any(|(of, _)| *of == it));
            let expires = matches!(what, Do::WaitTimeout(_) | Do::WaitAllTimeout(_)) && !on_loop;
            return match what {
                Do::WaitFirst(_) if done.is_empty() && on_loop => Some(Told::Refused),
                Do::WaitFirst(_) => Some(Told::Done(done)),
                _ if all || expires => Some(Told::Done(done)),
                _ => Some(Told::Refused),
            };
        }
    };
    let it = uses(what)[0];
    Some(Told::Answer(before.future(it).clone().invoke(&op).answer))
}
