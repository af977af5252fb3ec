//! What the pool's thread does with orders, what workers do, and what need not happen.

use settled::{
    machine::{Event as Happens, State},
    model::check::{ENVIRONMENT, Kinds},
};

use super::{Became, May, Now, Pool, Process, Said, Stands, Step, Wrong};
use crate::books::{Event, Number, Order, Token};

impl Pool {
    pub(super) fn obey(&self, now: &mut Now) {
        if let Some(order) = now.orders.pop_front() {
            return self.order(now, order);
        }
        if let Some(event) = now.later.pop_front() {
            now.tell(event);
        }
    }

    fn order(&self, now: &mut Now, order: Order) {
        match order {
            Order::Start(it) => {
                now.rested = 0;
                now.processes.insert(it, Process::new().into());
            }
            Order::Offer(it, job) => {
                let again = self.wrong == Some(Wrong::RunsAgain) && now.job(job).to.is_some();
                if !again && !now.happens(job, Happens::Start) {
                    return now.later.push_back(Event::Withdrawn(it));
                }
                now.job(job).to = Some(it);
                let process = now.process(it).expect("it was started");
                process.to_do.push_back(Some(job));
                let is_late = process.is_told != [false; 2];
                now.has_erred.offered_late |= is_late;
            }
            Order::Settle(job) => now.settle(job, Became::Value),
            Order::Lose(_, job, _) if self.wrong == Some(Wrong::RunsAgain) => {
                now.later.push_back(Event::Submitted(job));
            }
            // The pool's thread takes the job from the worker that was given it, if that was this one.
            Order::Lose(it, job, _) if now.job(job).to != Some(it) => (),
            Order::Lose(_, job, far) => {
                now.settle(job, Became::Died(far));
                if self.wrong == Some(Wrong::BreaksAsAWhole) {
                    let running = |it: &Token| now.jobs[*it as usize].cell == State::Running;
                    let others: Vec<_> = (0..self.jobs).filter(running).collect();
                    others.into_iter().for_each(|it| now.settle(it, Became::Died(far)));
                }
            }
            Order::Drop(job) => now.settle(job, Became::Dropped),
            Order::BreakOff(job) => now.settle(job, Became::Broken),
            // Of one that could not be started it may be ordered just before this is told.
            Order::Dismiss(it) => {
                now.process(it).into_iter().for_each(|it| it.to_do.push_back(None));
            }
            // Who thinks by the clock that it is dead has no reason to.
            Order::Kill(it) if self.wrong == Some(Wrong::TakesLate) => {
                let stays = now.has_killed.is_none();
                now.process(it).expect("it was started").is_alive &= stays;
            }
            Order::Kill(it) if self.wrong == Some(Wrong::LetsGo) && now.has_ended[1] => {
                now.later.extend([Event::PipeEnded(it, false), Event::ProcessEnded(it)]);
            }
            Order::Kill(it) => self.kill(now, it),
            Order::Drain(it) => {
                if self.wrong == Some(Wrong::DoesNotRead) {
                    now.process(it).expect("it was started").said.clear();
                }
                loop {
                    let Some(event) = now.take(it) else { return };
                    now.later.push_back(event);
                    if matches!(event, Event::PipeEnded(..)) {
                        return;
                    }
                }
            }
            Order::Forget(it) => now.process(it).expect("it was started").is_gone = true,
            Order::Break => now.is_broken = true,
            Order::Rest(_) => self.rest(now),
            Order::End => (),
        }
    }

    fn rest(&self, now: &mut Now) {
        if self.wrong == Some(Wrong::TriesAtOnce) {
            now.later.push_back(Event::Rested);
        } else {
            now.rests = true;
        }
    }

    fn kill(&self, now: &mut Now, it: Number) {
        let (killed, has_ended) = (now.has_killed, now.has_ended[1]);
        let is_asked_for = killed.is_some_and(|job| now.job(job).to == Some(it)) || has_ended;
        let is_blind = now.is_blind;
        let process = now.process(it).expect("it was started");
        let has_reason = process.has_hung_up || process.is_mad || !process.is_alive || is_blind;
        process.is_killed = true;
        process.is_alive &= self.may == May::Linger;
        now.has_erred.killed_another |= !is_asked_for && !has_reason;
    }

    pub(super) fn work(now: &mut Now, it: Number) {
        let Some(process) = now.process(it) else { return };
        let (says, stands) = match process.stands {
            Stands::Starting => (Said::Ready, Stands::Waiting),
            Stands::Waiting => {
                match process.to_do.pop_front().flatten() {
                    Some(job) => process.stands = Stands::Has(job),
                    None => process.is_alive = false,
                }
                return;
            }
            Stands::Has(job) => (Said::Began(job), Stands::Works(job)),
            Stands::Works(job) => (Said::Answer(job), Stands::Waiting),
        };
        process.stands = stands;
        let is_heard = !process.has_hung_up && !process.is_mad;
        if is_heard {
            process.said.push_back(says);
        }
        match says {
            Said::Began(job) => now.job(job).runs += 1,
            Said::Answer(job) => {
                let job = now.job(job);
                (job.has_ended, job.is_answered) = (true, is_heard);
            }
            Said::Ready | Said::Unready | Said::Half | Said::Garbage => (),
        }
    }

    /// What need not happen.
    pub(super) fn goes_on_otherwise(&self, now: &mut Now, step: Step) -> Option<()> {
        if self.by(&step) == ENVIRONMENT && !matches!(step, Step::Thinks(_)) {
            now.deaths += 1;
        }
        match step {
            Step::FailToStart(lasts) => {
                now.not_started += 1;
                let Some(Order::Start(it)) = now.orders.pop_front() else { return None };
                if self.wrong != Some(Wrong::IsNotTold) {
                    now.later.push_back(Event::NotStarted(it, lasts));
                }
            }
            Step::Refuse(it) => {
                let process = now.process(it)?;
                process.stands = Stands::Waiting;
                process.said.push_back(Said::Unready);
            }
            Step::Babble(it) | Step::Lie(it, _) => {
                let process = now.process(it)?;
                let says = match step {
                    Step::Lie(_, job) => Said::Answer(job),
                    _ => Said::Garbage,
                };
                process.is_mad = true;
                process.said.push_back(says);
            }
            Step::DropQueued => {
                now.has_ended[0] = true;
                now.tell(Event::DropQueued);
                if self.wrong == Some(Wrong::DropsWhatRuns) {
                    let runs = (0..self.jobs).filter(|it| now.job(*it).cell == State::Running);
                    let runs: Vec<_> = runs.collect();
                    runs.into_iter().for_each(|it| now.settle(it, Became::Dropped));
                }
            }
            Step::Terminate => {
                now.has_ended[1] = true;
                now.tell(Event::Terminate);
            }
            Step::GoBlind => now.go_blind(),
            Step::Die(it) => {
                now.process(it)?.is_alive = false;
            }
            Step::HangUp(it) => {
                now.process(it)?.has_hung_up = true;
            }
            Step::DieWriting(it) | Step::Blurt(it) => {
                let process = now.process(it)?;
                let (Stands::Works(job) | Stands::Has(job)) = process.stands else { return None };
                process.said.push_back(Said::Half);
                process.is_alive = false;
                let job = now.job(job);
                job.runs += u8::from(matches!(step, Step::Blurt(_)));
                job.has_ended = true;
            }
            _ => unreachable!("it is a step of somebody else"),
        }
        Some(())
    }

    /// What the pool's thread may look at, if it has nothing in hand.
    pub(super) fn looks(&self, now: &Now, steps: &mut Vec<Step>) {
        if !now.cancels.is_empty() {
            steps.push(Step::Hear);
        }
        if now.rests && self.wrong != Some(Wrong::NeverTriesAgain) {
            steps.push(Step::Rest);
        }
        for (it, process) in &now.processes {
            let has_ended = !process.is_alive;
            let is_closed = has_ended || process.has_hung_up;
            let half = process.said.front() == Some(&Said::Half);
            if process.is_gone {
                let late = matches!(process.said.front(), Some(Said::Answer(_)));
                if self.wrong == Some(Wrong::TakesLate) && late {
                    steps.push(Step::Read(*it));
                }
                if self.wrong == Some(Wrong::ByName) && has_ended && !process.is_told[0] {
                    steps.push(Step::Told(*it));
                }
                continue;
            }
            if !process.is_told[1] && (is_closed || !process.said.is_empty() && !half) {
                steps.push(Step::Read(*it));
            }
            if has_ended && !process.is_told[0] {
                steps.push(Step::Told(*it));
            }
            if self.wrong == Some(Wrong::TakesLate) && process.is_told == [false; 2] {
                steps.push(Step::Thinks(*it));
            }
        }
    }

    /// What workers may do, or what may be done to them.
    pub(super) fn workers_may(&self, now: &Now, steps: &mut Vec<Step>) {
        for (it, process) in now.processes.iter().filter(|it| it.1.is_alive) {
            if process.stands != Stands::Waiting || !process.to_do.is_empty() {
                steps.push(Step::Work(*it));
            }
            if process.is_killed {
                steps.push(Step::Fall(*it));
            }
            if now.deaths == self.deaths {
                continue;
            }
            if self.may == May::TalkNonsense && !process.has_hung_up {
                steps.push(Step::Babble(*it));
                if matches!(process.stands, Stands::Has(_)) {
                    steps.push(Step::Blurt(*it));
                }
                let others = |job: &Token| now.jobs[*job as usize].to.is_some_and(|to| to != *it);
                steps.extend((0..self.jobs).filter(others).map(|job| Step::Lie(*it, job)));
            }
            if self.may == May::NotStart && process.stands == Stands::Starting {
                steps.push(Step::Refuse(*it));
            }
            steps.push(Step::Die(*it));
            if matches!(self.may, May::Die | May::Linger) && !process.has_hung_up {
                steps.push(Step::HangUp(*it));
                if matches!(process.stands, Stands::Works(_)) {
                    steps.push(Step::DieWriting(*it));
                }
            }
        }
    }

    /// The pool's thread is told that a process has ended.
    pub(super) fn told(&self, now: &mut Now, it: Number) -> Option<()> {
        let process = now.process(it)?;
        process.is_told[0] = true;
        let [_, is_late] = process.is_told;
        let wrong = if is_late { Wrong::LosesLate } else { Wrong::OffersToTheDead };
        if self.wrong == Some(wrong) {
            return Some(());
        }
        // Of one that is gone the newest has the name.
        let named = if process.is_gone { *now.processes.last_key_value()?.0 } else { it };
        now.tell(Event::ProcessEnded(named));
        Some(())
    }
}
