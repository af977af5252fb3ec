//! Who does what to one cell.

use super::{
    CAUSE, SLOT, TOLD, WEAK, WORK,
    calls::{Twin, User, Way},
    cell, pending,
    word::{End, Until, Word},
};
use crate::{
    machine::State,
    program::{Program, Run, Thread},
};

/// A thread of a program.
fn by(
    way: Way,
    body: impl Fn(&mut User<'_, '_>) -> Run + 'static,
) -> impl Fn(&mut Thread<'_>) -> Run {
    move |t| body(&mut User { t, way })
}

fn leave(user: &mut User<'_, '_>) -> Run {
    user.leave()
}

/// Finishes, after some work.
fn finish(user: &mut User<'_, '_>) -> Run {
    user.t.write(WORK, 1)?;
    user.settle(End::Finish)
}

/// Cancels, after some work, and goes.
fn cancel(user: &mut User<'_, '_>) -> Run {
    user.t.write(CAUSE, 1)?;
    user.cancel(false)?;
    user.leave()
}

/// Looks; whoever sees the cell settled sees what came before.
fn seen(user: &mut User<'_, '_>, word: Word) -> Run<()> {
    if word.state().is_settled() {
        let before = if user.outcome()? == State::Finished { WORK } else { CAUSE };
        let is_there = user.t.read(before)? == 1;
        user.t.require(is_there, "who sees it settled sees what came before")?;
    }
    Ok(())
}

fn look(user: &mut User<'_, '_>) -> Run {
    let word = user.look()?;
    seen(user, word)?;
    user.leave()
}

/// A finished cell: so many handles besides the promise's, which is gone.
fn finished(futures: usize) -> Word {
    pending(futures).settle(End::Finish).0
}

/// A program's name, how many values its threads have in the end, and the program.
pub(crate) type Make = (&'static str, u64, fn(Way) -> Program);

/// Short ones.
pub(crate) const SHORT: &[Make] = &[
    ("finish, and look", 1, |way| cell(pending(1)).thread(by(way, finish)).thread(by(way, look))),
    ("finish, and drop of the future", 1, |way| {
        cell(pending(1)).thread(by(way, finish)).thread(by(way, leave))
    }),
    ("finish, and cancel", 1, |way| {
        cell(pending(1)).thread(by(way, finish)).thread(by(way, |user| {
            user.t.write(CAUSE, 1)?;
            let is_cancelled = user.cancel(false)?;
            let word = user.look()?;
            let stays = !is_cancelled || word.state() == State::Cancelled;
            user.t.require(stays, "what was cancelled stays so")?;
            seen(user, word)?;
            user.leave()
        }))
    }),
    ("promise dropped, and look", 0, |way| {
        cell(pending(1))
            .thread(by(way, |user| {
                user.t.write(CAUSE, 1)?;
                user.settle(End::Drop)
            }))
            .thread(by(way, look))
    }),
    ("work begins, and cancel", 1, |way| {
        cell(pending(1))
            .thread(by(way, |user| {
                user.start()?;
                finish(user)
            }))
            .thread(by(way, cancel))
    }),
    ("cancel, and look", 0, |way| {
        cell(pending(2))
            .thread(by(way, |user| {
                cancel(user)?;
                user.settle(End::Drop)
            }))
            .thread(by(way, look))
    }),
    ("clone, and drop", 1, |way| {
        cell(finished(2))
            .starts(SLOT, 1)
            .thread(by(way, |user| {
                user.share()?;
                user.outcome()?;
                Ok(user.leave()? + user.leave()?)
            }))
            .thread(by(way, |user| {
                user.outcome()?;
                user.leave()
            }))
    }),
    ("take, and an upgrade", 1, |way| {
        cell(finished(1).hold())
            .starts(SLOT, 1)
            .starts(WEAK, 1)
            .thread(by(way, |user| Ok(user.take(Word::take_or_leave)?.0)))
            .thread(by(way, |user| {
                let mut value = 0;
                if user.upgrade()? {
                    user.outcome()?;
                    value = user.leave()?;
                }
                user.leave_weak()?;
                Ok(value)
            }))
    }),
    ("last handle, and weak ones that go", 1, |way| {
        cell(finished(1).hold())
            .starts(SLOT, 1)
            .starts(WEAK, 2)
            .thread(by(way, leave))
            .thread(by(way, |user| user.leave_weak().map(|()| 0)))
            .thread(by(way, |user| user.leave_weak().map(|()| 0)))
    }),
    ("downgrade, and the last weak handle", 1, |way| {
        cell(finished(1).hold())
            .starts(SLOT, 1)
            .starts(WEAK, 1)
            .thread(by(way, |user| {
                user.downgrade()?;
                let value = user.leave()?;
                user.leave_weak()?;
                Ok(value)
            }))
            .thread(by(way, |user| user.leave_weak().map(|()| 0)))
    }),
    ("take by each of two", 1, |way| {
        let one = |user: &mut User<'_, '_>| Ok(user.take(Word::take_or_leave)?.0);
        cell(finished(2)).starts(SLOT, 1).thread(by(way, one)).thread(by(way, one))
    }),
];

/// Those that take the lock, or have three threads that do much.
pub(crate) const LONG: &[Make] = &[
    ("finish, cancel, and look", 1, |way| {
        cell(pending(2)).thread(by(way, finish)).thread(by(way, cancel)).thread(by(way, look))
    }),
    ("finish, and a wait", 1, |way| {
        cell(pending(1)).thread(by(way, finish)).thread(by(way, |user| {
            user.wait(0, Until::Settled)?;
            let word = user.look()?;
            seen(user, word)?;
            let (value, is_gone) = user.take(Word::take)?;
            user.t.require(is_gone, "who has waited is alone")?;
            Ok(value)
        }))
    }),
    ("cancel, and a wait", 0, |way| {
        cell(pending(2))
            .thread(by(way, |user| {
                user.wait(0, Until::Closed)?;
                user.settle(End::Drop)
            }))
            .thread(by(way, cancel))
            .thread(by(way, leave))
    }),
    ("the promise waits for the last handle to go", 1, |way| {
        cell(pending(2))
            .thread(by(way, |user| {
                user.wait(0, Until::Closed)?;
                user.settle(End::Finish)
            }))
            .thread(by(way, leave))
            .thread(by(way, leave))
    }),
    ("the work waits for a request", 1, |way| {
        cell(pending(1))
            .thread(by(way, |user| {
                if user.start()? {
                    user.wait(0, Until::Requested)?;
                    let is_there = user.t.read(CAUSE)? == 1;
                    user.t.require(is_there, "who sees a request sees what came before")?;
                }
                user.settle(End::Finish)
            }))
            .thread(by(way, cancel))
    }),
    ("a cancel with a reason, and finish", 1, |way| {
        cell(pending(1)).thread(by(way, finish)).thread(by(way, |user| {
            user.t.write(CAUSE, 1)?;
            user.cancel(true)?;
            look(user)
        }))
    }),
    ("a cancel with a reason, and who asks for no reason", 0, |way| {
        cell(pending(2))
            .thread(by(way, |user| {
                user.t.write(CAUSE, 1)?;
                user.cancel(true)?;
                user.leave()?;
                user.settle(End::Drop)
            }))
            .thread(by(way, |user| {
                if user.look()?.state().is_settled() {
                    let is_there = user.t.read(CAUSE)? == 1;
                    user.t.require(is_there, "who sees it settled sees what came before")?;
                }
                user.leave()
            }))
    }),
    ("two reasons, and a look", 0, |way| {
        let one = |user: &mut User<'_, '_>| {
            user.cancel(true)?;
            user.leave()
        };
        let word = pending(3).leave().0;
        cell(word).thread(by(way, one)).thread(by(way, one)).thread(by(way, |user| {
            if user.look()?.state().is_settled() {
                user.outcome()?;
            }
            user.leave()
        }))
    }),
    ("a callback, and who takes by value", 1, |way| {
        cell(pending(1)).thread(by(way, finish)).thread(by(way, |user| {
            user.add_callback()?;
            user.wait(0, Until::Returned)?;
            Ok(user.take(Word::take_or_leave)?.0)
        }))
    }),
    ("a callback, and who takes by value before he is told", 1, |way| {
        cell(pending(1)).thread(by(way, finish)).thread(by(way, |user| {
            user.add_callback()?;
            if !user.register(0, Until::Returned)? {
                return Ok(user.take(Word::take_or_leave)?.0);
            }
            let mut value = 0;
            let is_over = user.look()?.is_over(Until::Returned);
            if is_over {
                value = user.take(Word::take_or_leave)?.0;
            }
            user.t.wait(TOLD[0])?;
            if !is_over {
                value = user.take(Word::take_or_leave)?.0;
            }
            Ok(value)
        }))
    }),
    ("finish, and two who wait", 1, |way| {
        let one = |who| {
            move |user: &mut User<'_, '_>| {
                user.wait(who, Until::Settled)?;
                user.outcome()?;
                user.leave()
            }
        };
        cell(pending(2)).thread(by(way, finish)).thread(by(way, one(0))).thread(by(way, one(1)))
    }),
    ("three who leave, with weak ones", 1, |way| {
        cell(finished(2).hold())
            .starts(SLOT, 1)
            .starts(WEAK, 1)
            .thread(by(way, |user| {
                user.outcome()?;
                user.leave()
            }))
            .thread(by(way, |user| {
                user.downgrade()?;
                let value = user.leave()?;
                user.leave_weak()?;
                Ok(value)
            }))
            .thread(by(way, |user| {
                user.leave_weak()?;
                Ok(0)
            }))
    }),
    ("finish, and a poll that is dropped", 1, |way| {
        cell(pending(1)).thread(by(way, finish)).thread(by(way, |user| {
            if !user.register(0, Until::Settled)? {
                return user.leave();
            }
            if user.has(Twin::LeavesLate) {
                let value = user.leave()?;
                user.deregister(0, |_| Ok(0))?;
                return Ok(value);
            }
            user.deregister(0, |_| Ok(0))?;
            user.leave()
        }))
    }),
    ("finish, and a task that polls twice", 1, |way| {
        cell(pending(1)).thread(by(way, finish)).thread(by(way, |user| {
            // Each waker has a handle, which goes with it.
            let drops =
                if user.has(Twin::ForgetsWaker) { |_: &mut User<'_, '_>| Ok(0) } else { leave };
            user.share()?;
            if !user.register(0, Until::Settled)? {
                return Ok(user.leave()? + user.leave()?);
            }
            user.share()?;
            let (_, value) = user.deregister(0, drops)?;
            if user.register(0, Until::Settled)? {
                user.deregister(0, leave)?;
                return Ok(value + user.leave()?);
            }
            Ok(value + user.leave()? + user.leave()?)
        }))
    }),
    ("cancel, and a waker whose drop drops the promise", 0, |way| {
        cell(pending(2)).thread(by(way, cancel)).thread(by(way, |user| {
            let drops = |user: &mut User<'_, '_>| user.settle(End::Drop);
            let value = match user.register(0, Until::Settled)? {
                true => user.deregister(0, drops)?.1,
                false => drops(user)?,
            };
            Ok(value + user.leave()?)
        }))
    }),
    ("cancel, and a waker whose clone finishes", 1, |way| {
        cell(pending(2)).thread(by(way, cancel)).thread(by(way, |user| {
            let finishes = |user: &mut User<'_, '_>| user.settle(End::Finish);
            let (is_in, value) = user.register_cloned(0, Until::Settled, finishes)?;
            user.t.require(!is_in, "who is settled by the clone is not registered")?;
            Ok(value + user.leave()?)
        }))
    }),
];

/// A mistake, the program that shows it, and what it was.
pub(crate) type Wrong = (Twin, &'static str, &'static str);

/// What others have shipped.
pub(crate) const WRONG: [Wrong; 10] = [
    (
        Twin::TwoSteps("settle so"),
        "finish, and cancel",
        "a value is sent although the channel is closed",
    ),
    (Twin::TwoSteps("leave so"), "clone, and drop", "both sides free a block"),
    (
        Twin::NoHold,
        "finish, and a poll that is dropped",
        "a wake frees what the waker is borrowed from",
    ),
    (Twin::StateBeforeSlot, "finish, and look", "what is on its way is said to be ready"),
    (Twin::RegistersUnchecked, "finish, and a wait", "a receiver looks, and then leaves its waker"),
    (
        Twin::LeavesLate,
        "finish, and a poll that is dropped",
        "a receiver goes, and then takes its waker back",
    ),
    (
        Twin::DropsLocked,
        "cancel, and a waker whose drop drops the promise",
        "the drop of a waker drops the sender",
    ),
    (Twin::ClonesLocked, "cancel, and a waker whose clone finishes", "the clone of a waker sends"),
    (
        Twin::ForgetsWaker,
        "finish, and a task that polls twice",
        "what is polled again forgets a waker",
    ),
    (
        Twin::TellsItself,
        "finish, and a wait",
        "a callback is called by who registers it, and again",
    ),
];
