//! What the model says that somebody is told.

use settled::model::{Agent, Answer, Do, End, Future, Op, Role, System};
use stateright::semantics::SequentialSpec;

use super::Driver;
use crate::{agents::Told, play::uses};

impl Driver<'_> {
    /// What somebody is to be told, if it is compared.
    pub(super) fn expected(&self, before: &System, agent: Agent, what: Do) -> Option<Told> {
        let on_loop = self.play.role(agent) == Role::Loop;
        let look = |it: Future| before.future(it).clone().invoke(&Op::Read).answer;
        let op = match what {
            Do::Start(_) => Op::Start,
            Do::Finish(_) => Op::Settle(End::Value(agent)),
            Do::Fail(_) => Op::Settle(End::Error(0)),
            Do::Panic(_) => Op::Settle(End::Panicked),
            Do::Abandon(_) => Op::Abandon,
            Do::Cancel(_) | Do::LoopCancel(_) => Op::Cancel,
            Do::LoopDone(it) | Do::LoopRead(it) | Do::Poll(it)
                if on_loop && !self.play.program.shows(before, agent, it) =>
            {
                return Some(Told::Answer(Answer::Read(None)));
            }
            Do::Done(_) | Do::Read(_) | Do::LoopDone(_) | Do::LoopRead(_) | Do::Poll(_) => Op::Read,
            Do::Add(..) | Do::LoopAdd(..) | Do::Stop | Do::Shutdown | Do::ShutdownNow => {
                return Some(Told::Nothing);
            }
            Do::LoopRemove(_, it) => {
                let is = self.state.was_removed(it) && !before.was_removed(it);
                return Some(Told::Is(is));
            }
            Do::Post(_, it) | Do::Spawn(it) | Do::Submit(it) => {
                return Some(Told::Is(!self.state.was_refused(it)));
            }
            Do::Join if !self.play.program.have_ended(before, 0) => return Some(Told::Refused),
            Do::Join => return Some(Told::Nothing),
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
                let expires = matches!(what, Do::ResultTimeout(_) | Do::WaitTimeout(_)) && !on_loop;
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
}
