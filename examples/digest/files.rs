//! The account: every file that was found is in it once, until it and all before it have ended.

use std::{collections::VecDeque, mem, path::PathBuf};

use crate::{hash::Sum, report::print_sum};

#[derive(Debug)]
pub(crate) enum Outcome {
    Finished(Sum),
    Failed(String),
    Cancelled,
}

/// The files, in order. What has become of the first ones is final and is only counted.
#[derive(Debug, Default)]
pub(crate) struct Files {
    open: VecDeque<(PathBuf, Option<Outcome>)>,
    /// How many were before the first of `open`.
    closed: usize,
    /// The place of the first file that no lane has taken yet.
    next: usize,
    /// The lines of those that are final, as far as they have not been taken to be printed.
    lines: Vec<u8>,
    pub(crate) ended: usize,
    pub(crate) finished: usize,
    pub(crate) failed: Vec<(PathBuf, String)>,
}

impl Files {
    pub(crate) fn add(&mut self, found: Vec<PathBuf>) {
        self.open.extend(found.into_iter().map(|path| (path, None)));
    }

    pub(crate) fn found(&self) -> usize {
        self.closed + self.open.len()
    }

    /// How many no lane has taken yet.
    pub(crate) fn untaken(&self) -> usize {
        self.found() - self.next
    }

    pub(crate) fn take_next(&mut self) -> Option<(usize, PathBuf)> {
        let place = self.next;
        let (path, _) = self.open.get(place - self.closed)?;
        self.next += 1;
        Some((place, path.clone()))
    }

    /// Notes what became of a file.
    pub(crate) fn end(&mut self, place: usize, outcome: Outcome) {
        self.open[place - self.closed].1 = Some(outcome);
        self.ended += 1;
        while let Some((path, outcome)) = self.open.pop_front_if(|(_, outcome)| outcome.is_some()) {
            self.closed += 1;
            match outcome {
                Some(Outcome::Finished(sum)) => {
                    self.finished += 1;
                    print_sum(&mut self.lines, &sum, &path);
                }
                Some(Outcome::Failed(reason)) => self.failed.push((path, reason)),
                Some(Outcome::Cancelled) | None => {}
            }
        }
    }

    /// Cancels every file that no lane has taken, so that none is missing from the account.
    pub(crate) fn cancel_rest(&mut self) {
        while let Some((place, _)) = self.take_next() {
            self.end(place, Outcome::Cancelled);
        }
    }

    /// The lines that can be printed and have not been.
    pub(crate) fn take_lines(&mut self) -> Vec<u8> {
        mem::take(&mut self.lines)
    }
}
