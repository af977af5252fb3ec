//! Lets the real threads go on to where the model is.

use settled::model::{Agent, Do, Kind, Role, Script};

use super::{Driver, Real, Result};
use crate::agents::{Command, OWN, Report, Told};

impl Driver<'_> {
    /// Lets the real thread go on until it stands where the model stands, or is ahead of it.
    pub(super) fn catch_up(&mut self, agent: Agent) -> Result<()> {
        let at = usize::from(agent);
        self.see_dropped(agent);
        loop {
            match self.real[at].last() {
                None => {
                    if matches!(self.play.role(agent), Role::Worker(_)) {
                        self.lines[at] = None;
                    }
                    return Ok(());
                }
                Some(Real::Piece(piece)) if self.is_in(agent, *piece) => return Ok(()),
                Some(Real::Piece(_)) => {
                    self.tell(agent, Command::Leave(agent));
                    self.leave_piece(agent);
                }
                Some(Real::Drop(task)) => {
                    let stops = Script::Stop(*task);
                    if self.closing[at] || self.state.scripts(agent).any(|it| it.0 == stops) {
                        return Ok(());
                    }
                    self.real[at].pop();
                    self.tell(agent, Command::GoOn);
                }
                Some(Real::Job(..)) => {
                    if !self.end_job(agent)? {
                        return Ok(());
                    }
                }
                Some(Real::Call(_)) => {
                    if !self.end_call(agent)? {
                        return Ok(());
                    }
                }
                Some(Real::Turn) => {
                    if !self.end_turn(agent)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    pub(super) fn leave_piece(&mut self, agent: Agent) {
        let at = usize::from(agent);
        if let Some(Real::Piece(piece)) = self.real[at].pop()
            && piece != OWN
            && let Kind::Job(it, _) = self.play.kind(piece)
        {
            self.real[at].push(Real::Job(it, false));
        }
    }

    /// A coroutine that the model has stopped was dropped before.
    pub(super) fn see_dropped(&mut self, agent: Agent) {
        let at = usize::from(agent);
        if let Some(Report::Dropped(task)) = self.ahead[at]
            && !self.state.is_suspended(task)
        {
            self.ahead[at] = None;
            self.real[at].push(Real::Drop(task));
        }
    }

    /// The job has settled its future, and then its callbacks run.
    pub(super) fn end_job(&mut self, agent: Agent) -> Result<bool> {
        let at = usize::from(agent);
        let Some(Real::Job(it, heard)) = self.real[at].last_mut() else { unreachable!() };
        if !std::mem::replace(heard, true) {
            let (it, mut said) = (*it, self.hear(agent)?);
            while said != Report::Settled(it) {
                if !matches!(said, Report::Settled(_)) {
                    return Err(format!("{agent} said {said:?} before it settled {it}"));
                }
                said = self.hear(agent)?;
            }
        }
        let due = self.state.scripts(agent).next_back().is_some_and(|(_, begun, _)| !begun);
        if due {
            self.run_ahead(agent)?;
            return Ok(false);
        }
        self.real[at].pop();
        Ok(true)
    }

    pub(super) fn run_ahead(&mut self, agent: Agent) -> Result<()> {
        let at = usize::from(agent);
        if self.ahead[at].is_none() {
            let said = self.hear_next(agent)?;
            self.ahead[at] = Some(said);
            self.see_dropped(agent);
        }
        Ok(())
    }

    pub(super) fn end_call(&mut self, agent: Agent) -> Result<bool> {
        let at = usize::from(agent);
        let Some(Real::Call(call)) = self.real[at].last() else { unreachable!() };
        let (waits, due, told) = (call.waits, call.expected.is_some(), call.told.is_some());
        if !told {
            if waits && !due || self.ahead[at].is_some() {
                return Ok(false);
            }
            match self.hear_next(agent)? {
                Report::Told(told) => {
                    let Some(Real::Call(call)) = self.real[at].last_mut() else { unreachable!() };
                    call.told = Some(told);
                }
                Report::Turned(true) => return self.suspend(agent),
                said => {
                    self.ahead[at] = Some(said);
                    self.see_dropped(agent);
                    return Ok(matches!(self.real[at].last(), Some(Real::Drop(_))));
                }
            }
        }
        if !due {
            return Ok(false);
        }
        let Some(Real::Call(call)) = self.real[at].pop() else { unreachable!() };
        match (&call.told, &call.expected) {
            (told, Some(expected @ Some(_))) if !agrees(call.what, told, expected) => Err(format!(
                "{agent} was told {told:?} by {:?}, the model says {expected:?}",
                call.what
            )),
            _ => Ok(true),
        }
    }

    /// The turn was over before the call was: it is an await, and suspends.
    pub(super) fn suspend(&mut self, agent: Agent) -> Result<bool> {
        let at = usize::from(agent);
        let real = &mut self.real[at];
        let (call, piece, turn) = (real.pop(), real.pop(), real.pop());
        match (call, piece, turn) {
            (Some(Real::Call(_)), Some(Real::Piece(task)), Some(Real::Turn))
                if task != OWN && self.state.is_suspended(task) =>
            {
                Ok(true)
            }
            other => Err(format!("{agent} suspends in the code only: {other:?}")),
        }
    }

    pub(super) fn end_turn(&mut self, agent: Agent) -> Result<bool> {
        let at = usize::from(agent);
        if self.ahead[at] == Some(Report::Turned(true)) {
            self.ahead[at] = None;
        } else if self.ahead[at].is_some() {
            return Ok(false);
        } else {
            match self.hear_next(agent)? {
                Report::Turned(true) => {}
                Report::Turned(false) => return Err(format!("the queue of {agent} is empty")),
                said => {
                    self.ahead[at] = Some(said);
                    self.see_dropped(agent);
                    return Ok(matches!(self.real[at].last(), Some(Real::Drop(_))));
                }
            }
        }
        let over = !self.closing[at] || self.state.is_closing(agent).1;
        if over && self.state.scripts(agent).next().is_none() {
            self.real[at].pop();
            return Ok(true);
        }
        self.ahead[at] = Some(Report::Turned(true));
        Ok(false)
    }
}

/// Whether somebody was told what the model says. A wait for the first of several may have returned before the
/// others were settled.
fn agrees(what: Do, told: &Option<Told>, expected: &Option<Told>) -> bool {
    match (what, told, expected) {
        (Do::WaitFirst(these), Some(Told::Done(told)), Some(Told::Done(expected))) => {
            told.iter().all(|it| expected.contains(it))
                && (!told.is_empty() || these.iter().next().is_none())
        }
        _ => told == expected,
    }
}
