//! The sequential specification of a barrier, and the histories that it must explain: those who are polled and dropped
//! against each other, and against who breaks it or makes it whole.
//!
//! A poll is not one step: whoever comes for the first time comes, tells those in a round that he ends, and looks whether his
//! own is over. Each of these is a call of its own in the history, over the time of the whole.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use loom::thread;
use settled::primitives::Barrier;
use stateright::semantics::SequentialSpec;

use crate::{
    explore::{bound, explore_histories},
    history::{Caller, History},
    shows::meeting::{Arrival, Meeting},
    turns::{
        Wakes,
        gate::Gate,
        line::{Ticket, Turns},
    },
};

/// A call, by whose future it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Comes(Caller),
    /// He tells those who wait in the rounds that he has ended.
    Tells(Caller),
    Looks(Caller),
    Leaves(Caller),
    Aborts(Caller),
    Resets(Caller),
    Waiting,
    Woken,
}

/// What a call was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Done,
    Waits,
    Is(Result<usize, ()>),
    Left(usize, bool),
    Woken(u8),
}

/// Where one stands who has come.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// In this round, with this number; the second time in its line.
    There(usize, usize),
    Waits(usize, usize, Ticket),
    Over(Result<usize, ()>),
}

#[derive(Clone, Debug)]
struct Spec {
    meeting: Meeting,
    /// The rounds, and whether each was broken.
    rounds: Vec<(Gate<Caller>, bool)>,
    places: BTreeMap<Caller, Place>,
    /// The rounds that each has ended, and of which he has told nobody.
    ended: BTreeMap<Caller, Vec<usize>>,
    woken: u8,
}

impl Spec {
    fn new(parties: usize) -> Self {
        Self {
            meeting: Meeting::new(parties),
            rounds: vec![(Gate::new(), false)],
            places: BTreeMap::new(),
            ended: BTreeMap::new(),
            woken: 0,
        }
    }

    fn ends(&mut self, who: Caller, is_broken: bool) {
        let round = self.rounds.len() - 1;
        self.rounds[round].1 = is_broken;
        self.rounds.push((Gate::new(), false));
        self.ended.entry(who).or_default().push(round);
    }

    fn comes(&mut self, who: Caller) {
        let round = self.rounds.len() - 1;
        let place = match self.meeting.arrive() {
            Arrival::Waits(number) => Place::There(round, number),
            Arrival::Last(number) => {
                self.ends(who, false);
                Place::Over(Ok(number))
            }
            Arrival::Broken => Place::Over(Err(())),
        };
        self.places.insert(who, place);
    }

    fn end_of(&self, round: usize, number: usize) -> Result<usize, ()> {
        if self.rounds[round].1 { Err(()) } else { Ok(number) }
    }

    fn looks(&mut self, who: Caller) -> Option<Told> {
        Some(match *self.places.get(&who)? {
            Place::There(round, number) => match self.rounds[round].0.enter(who) {
                Ok(ticket) => {
                    self.places.insert(who, Place::Waits(round, number, ticket));
                    Told::Waits
                }
                Err(_) => Told::Is(self.end_of(round, number)),
            },
            Place::Waits(round, number, ticket) => {
                if self.rounds[round].0.come(ticket) {
                    self.places.insert(who, Place::Over(self.end_of(round, number)));
                    Told::Is(self.end_of(round, number))
                } else {
                    Told::Waits
                }
            }
            // The last has told the others when he looks.
            Place::Over(_) if self.ended.get(&who).is_some_and(|it| !it.is_empty()) => return None,
            Place::Over(end) => Told::Is(end),
        })
    }

    fn leaves(&mut self, who: Caller) {
        match self.places.remove(&who) {
            Some(Place::There(round, _)) => {
                if self.meeting.leave(round as u64) {
                    self.ends(who, true);
                }
            }
            Some(Place::Waits(round, _, ticket)) => {
                let _own = self.rounds[round].0.leave(ticket);
                if self.meeting.leave(round as u64) {
                    self.ends(who, true);
                }
            }
            Some(Place::Over(_)) | None => {}
        }
    }

    fn tells(&mut self, who: Caller) {
        for round in self.ended.remove(&who).unwrap_or_default() {
            self.rounds[round].0.set().for_each(|told| self.woken |= 1 << told);
        }
    }

    /// The answer; none if this call comes later.
    fn answer(&mut self, call: Call) -> Option<Told> {
        match call {
            Call::Comes(who) => self.comes(who),
            Call::Looks(who) => return self.looks(who),
            Call::Tells(who) => self.tells(who),
            Call::Leaves(who) => self.leaves(who),
            Call::Aborts(who) => {
                self.meeting.abort();
                self.ends(who, true);
            }
            Call::Resets(who) => {
                self.meeting.reset();
                self.ends(who, true);
            }
            Call::Waiting => {
                return Some(Told::Left(self.meeting.there(), self.meeting.is_broken()));
            }
            Call::Woken => return Some(Told::Woken(self.woken)),
        }
        Some(Told::Done)
    }
}

impl SequentialSpec for Spec {
    type Op = Call;
    type Ret = Told;

    fn invoke(&mut self, call: &Call) -> Told {
        self.answer(*call).expect("its turn has come")
    }

    fn is_valid_step(&mut self, call: &Call, told: &Told) -> bool {
        self.answer(*call) == Some(*told)
    }
}

type Calls = History<Spec>;

/// Makes these calls at once, each by a caller of its own, and writes down what the last of them was told.
fn calls(history: &Calls, who: Caller, these: &[Call], make: impl FnOnce() -> Told) -> Told {
    let callers = (10..).step_by(10).map(|more| who + more);
    callers.clone().zip(these).for_each(|(caller, call)| history.begins(caller, *call));
    let told = make();
    let last = these.len() - 1;
    for (at, caller) in callers.take(these.len()).enumerate() {
        history.ends(caller, |_| if at == last { told } else { Told::Done });
    }
    told
}

/// Polls it so often, as long as it waits, and drops it.
fn poll_and_leave<F>(history: &Calls, wakes: &Wakes, who: Caller, polls: usize, mut future: F)
where
    F: Future<Output = Result<usize, settled::BrokenBarrier>> + Unpin,
{
    let waker = wakes.of(who);
    for at in 0..polls {
        let poll = || match Pin::new(&mut future).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(end) => Told::Is(end.map_err(drop)),
            Poll::Pending => Told::Waits,
        };
        let these = [Call::Comes(who), Call::Tells(who), Call::Looks(who)];
        if calls(history, who, &these[if at == 0 { 0 } else { 2 }..], poll) != Told::Waits {
            return;
        }
    }
    let leave = || {
        drop(future);
        Told::Done
    };
    calls(history, who, &[Call::Leaves(who), Call::Tells(who)], leave);
}

/// Two who come, in threads of their own, and what this thread does meanwhile.
fn two_guests(
    history: &Calls,
    parties: usize,
    polls: [usize; 2],
    meanwhile: impl FnOnce(&Barrier, &Wakes),
) -> Spec {
    let (barrier, wakes) = (Barrier::new(parties), Wakes::default());
    let threads = [(1, polls[0]), (2, polls[1])].map(|(who, polls)| {
        let (history, wakes, future) = (history.clone(), wakes.clone(), barrier.wait_async());
        thread::spawn(move || poll_and_leave(&history, &wakes, who, polls, future))
    });
    meanwhile(&barrier, &wakes);
    for thread in threads {
        thread.join().unwrap();
    }
    let left = || Told::Left(barrier.waiting(), barrier.is_broken());
    calls(history, 0, &[Call::Waiting], left);
    calls(history, 0, &[Call::Woken], || Told::Woken(wakes.woken()));
    Spec::new(parties)
}

/// `[barrier-1]` `[barrier-2]` `[barrier-4]` Two who are enough, polled and dropped, and a third who comes meanwhile.
pub(crate) fn three_guests_of_two_or_three() {
    for (parties, polls) in [(2, [2, 1]), (3, [2, 1]), (3, [1, 2])] {
        explore_histories("barrier_guests", bound(), move |history| {
            two_guests(history, parties, polls, |barrier, wakes| {
                poll_and_leave(history, wakes, 0, 1, barrier.wait_async());
            })
        });
    }
}

/// `[barrier-2]` `[barrier-4]` Two who come to a barrier for two or three, against who breaks it, and makes it whole.
pub(crate) fn two_guests_against_an_abort_and_a_reset() {
    for parties in [2, 3] {
        explore_histories("barrier_abort", bound(), move |history| {
            two_guests(history, parties, [2, 2], |barrier, _| {
                let done = |does: fn(&Barrier)| {
                    does(barrier);
                    Told::Done
                };
                calls(history, 0, &[Call::Aborts(0), Call::Tells(0)], || done(Barrier::abort));
                calls(history, 0, &[Call::Resets(0), Call::Tells(0)], || done(Barrier::reset));
            })
        });
    }
}
