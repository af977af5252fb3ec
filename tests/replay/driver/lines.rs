//! The threads that play, and what they say.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

use settled::model::{Agent, Piece};

use super::{Driver, Result};
use crate::agents::{self, Command, Line, Report, WORKERS};

/// After which time of silence it is said what is waited for. The test goes on waiting.
const SILENCE: Duration = Duration::from_secs(60);

/// The threads that play one path after the other.
pub(crate) struct Stage {
    pub(super) commands: Vec<Sender<Command>>,
    pub(super) lines: Sender<(Line, Report)>,
    pub(super) reports: Receiver<(Line, Report)>,
}

impl Stage {
    /// With as many threads, of which some may run a loop.
    pub(crate) fn new(threads: usize) -> Self {
        let (lines, reports) = channel();
        let commands = (0..threads).map(|line| agents::start(line, lines.clone())).collect();
        Self { commands, lines, reports }
    }
}

impl Driver<'_> {
    pub(super) fn tell(&self, agent: Agent, command: Command) {
        let line = self.lines[usize::from(agent)].expect("it has a thread");
        let told = if line < WORKERS {
            self.stage.commands[line].send(command).is_ok()
        } else {
            self.world.workers.lock().unwrap()[&line].send(command).is_ok()
        };
        assert!(told, "{agent} lives");
    }

    /// What a thread says next.
    pub(super) fn hear(&mut self, agent: Agent) -> Result<Report> {
        let line = self.lines[usize::from(agent)].expect("it has a thread");
        loop {
            if let Some(heard) = self.heard.get_mut(&line)
                && !heard.is_empty()
            {
                return Ok(heard.remove(0));
            }
            self.listen();
        }
    }

    /// What a thread says next about itself.
    pub(super) fn hear_next(&mut self, agent: Agent) -> Result<Report> {
        loop {
            match self.hear(agent)? {
                Report::Settled(_) => {}
                said => return Ok(said),
            }
        }
    }

    pub(super) fn listen(&mut self) {
        let (line, said) = loop {
            match self.stage.reports.recv_timeout(SILENCE) {
                Ok(said) => break said,
                Err(_) => {
                    eprintln!("replay: nobody says anything, at {:?} of {:?}", self.real, self.play)
                }
            }
        };
        self.heard.entry(line).or_default().push(said);
    }

    pub(super) fn expect(&mut self, agent: Agent, report: &Report) -> Result<()> {
        let said = self.hear_next(agent)?;
        if said == *report { Ok(()) } else { Err(format!("{agent} said {said:?}, not {report:?}")) }
    }

    /// A job has begun, on the worker that waits for it or on any that has nothing to do.
    pub(super) fn began(&mut self, agent: Agent, piece: Piece) -> Result<()> {
        let began = Report::Began(piece);
        self.heard.values_mut().for_each(|said| said.retain(is_no_end));
        if self.lines[usize::from(agent)].is_some() {
            return self.expect(agent, &began);
        }
        loop {
            let bound = &self.lines;
            let found = self.heard.iter_mut().find(|(line, said)| {
                !bound.contains(&Some(**line)) && said.first() == Some(&began)
            });
            if let Some((line, said)) = found {
                said.remove(0);
                self.lines[usize::from(agent)] = Some(*line);
                return Ok(());
            }
            self.listen();
        }
    }
}

pub(super) fn is_no_end(said: &Report) -> bool {
    !matches!(said, Report::Settled(_))
}
