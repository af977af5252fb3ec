//! The operations, made on the real crate.

use std::time::Duration;

use settled::{
    ReturnWhen, ThreadPool, as_completed,
    model::{Answer, Do, End, Future as It, Op},
    wait,
};

use super::{
    Told, block_on, event_loop,
    make::{Holds, is_accepted},
    part, view, world,
};
use crate::real::{end, read};

/// Waits for some futures with what the crate has for that.
fn wait_for(what: Do, timeout: Option<Duration>) -> Told {
    let world = world();
    let given: Vec<It> = what.waits_for().expect("it waits").iter().collect();
    let futures: Vec<_> = given.iter().map(|it| world.future(*it).expect("it is there")).collect();
    let these = || futures.iter().map(|it| &**it);
    let done = match what {
        Do::Result(_) => match futures[0].wait() {
            Ok(settled) => Ok(vec![(0, settled)]),
            Err(_) => Err(()),
        },
        Do::WaitTimeout(_) => match futures[0].wait_timeout(timeout.unwrap_or(Duration::MAX)) {
            Ok(settled) => Ok(vec![(0, settled)]),
            Err(settled::WaitError::Expired(_)) => Ok(Vec::new()),
            Err(_) => Err(()),
        },
        Do::AsCompleted(_) => {
            as_completed(these(), None).collect::<Result<Vec<_>, _>>().map_err(|_| ())
        }
        Do::WaitFirst(_) => wait(these(), timeout, ReturnWhen::FirstCompleted)
            .map(|parted| parted.0)
            .map_err(|_| ()),
        _ => {
            wait(these(), timeout, ReturnWhen::AllCompleted).map(|parted| parted.0).map_err(|_| ())
        }
    };
    let Ok(done) = done else { return Told::Refused };
    let mut done: Vec<_> = done.iter().map(|(at, it)| (given[*at], end(it.result()))).collect();
    done.sort_unstable_by_key(|(it, _)| *it);
    Told::Done(done)
}

pub(super) fn act(what: Do, timeout: Option<Duration>) -> Told {
    let world = world();
    let me = part(|part| part.line as u8).expect("a path is played");
    let thread = |it| world.future(it).expect("it is there");
    let looks = |settled: Option<End>| Told::Answer(Answer::Read(settled));
    match what {
        Do::Start(it) => world.produce(it, Op::Start),
        Do::Finish(it) => world.produce(it, Op::Settle(End::Value(me))),
        Do::Fail(it) => world.produce(it, Op::Settle(End::Error(0))),
        Do::Panic(it) => world.produce(it, Op::Settle(End::Panicked)),
        Do::Abandon(it) => world.produce(it, Op::Abandon),
        Do::Cancel(it) => Told::Answer(Answer::Cancel(thread(it).cancel())),
        Do::Done(it) | Do::Read(it) => looks(read(&thread(it))),
        Do::Poll(it) if part(|part| part.event_loop.is_none()) == Some(true) => {
            looks(read(&thread(it)))
        }
        Do::LoopDone(it) | Do::LoopRead(it) | Do::Poll(it) => {
            looks(view(it).settled().map(|settled| end(settled.result())))
        }
        Do::LoopCancel(it) => Told::Answer(Answer::Cancel(view(it).cancel())),
        Do::Add(it, number) => {
            let holds = Holds::new(number);
            thread(it).add_done_callback(move |_| {
                holds.begin();
            });
            Told::Nothing
        }
        Do::LoopAdd(it, number) => {
            let holds = Holds::new(number);
            let token = view(it).add_done_callback(move |_| {
                holds.begin();
            });
            part(|part| part.tokens.insert(number, token));
            Told::Nothing
        }
        Do::LoopRemove(it, number) => {
            let token = part(|part| part.tokens.get(&number).copied()).flatten();
            Told::Is(token.is_some_and(|token| view(it).remove_done_callback(token)))
        }
        Do::Post(home, number) => {
            let home = world.loops[usize::from(home)].lock().unwrap().clone().expect("it is made");
            let holds = Holds::new(number);
            Told::Is(
                home.call_soon_threadsafe(move || {
                    holds.begin();
                })
                .is_ok(),
            )
        }
        Do::Spawn(number) | Do::Submit(number) => Told::Is(is_accepted(number)),
        Do::Stop => {
            event_loop().stop();
            Told::Nothing
        }
        Do::ClosePool | Do::CancelPending | Do::Shutdown => shut_down(what, &world.pools[0]),
        // The model says who has it, and what it holds.
        _ if what.is_own() => Told::Nothing,
        _ if what.waits_for().is_none() => of_handles(what, me),
        _ => wait_for(what, timeout),
    }
}

/// What is about who can see a future.
fn of_handles(what: Do, me: u8) -> Told {
    let world = world();
    match what {
        Do::FinishOrReturn(it) => return world.produce(it, Op::Return(me)),
        Do::IsClosed(it) => return world.produce(it, Op::Closed),
        Do::Upgrade(it) => return Told::Is(world.weak(it).upgrade().is_some()),
        Do::Closed(it) => {
            world.with_promise(it, |promise| promise.closed().map_or((), block_on));
        }
        Do::Drop(it) => world.drop_handle(it),
        Do::OnClosed(it, number) => {
            let holds = Holds::new(number);
            let listener = move || _ = holds.begin();
            world.with_promise(it, |promise| promise.on_closed(listener));
        }
        _ => unreachable!("{what:?} is about something else"),
    }
    Told::Nothing
}

fn shut_down(what: Do, pool: &ThreadPool) -> Told {
    match what {
        Do::ClosePool => pool.close(),
        Do::CancelPending => pool.cancel_pending(),
        _ if pool.shutdown().is_err() => return Told::Refused,
        _ => {}
    }
    Told::Nothing
}
