//! What is told of a program: when each task ended, and with what, and when its body was left.

use std::{collections::BTreeMap, fmt};

use super::program::MOMENT;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) name: usize,
    /// In milliseconds since the program began.
    pub(crate) time: u32,
    /// A value, an error, or `c`.
    pub(crate) outcome: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// In the order in which callbacks were told.
    pub(crate) ends: Vec<End>,
    /// Who was left, and when, in order.
    pub(crate) left: Vec<(usize, u32)>,
}

impl Answer {
    /// What Python wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (ends, left) = text.split_once('|')?;
        let name_and_time = |text: &str| {
            let (name, time) = text.split_once('@')?;
            Some((name.parse().ok()?, time.parse().ok()?))
        };
        let end = |text: &str| {
            let (head, outcome) = text.split_once('=')?;
            let (name, time) = name_and_time(head)?;
            Some(End { name, time, outcome: outcome.to_owned() })
        };
        Some(Self {
            ends: ends.split_whitespace().map(end).collect::<Option<_>>()?,
            left: left.split_whitespace().map(name_and_time).collect::<Option<_>>()?,
        })
    }

    /// What became of each task, and at what moment.
    pub(crate) fn outcomes(&self) -> BTreeMap<usize, (u32, &str)> {
        let moment = |time: u32| (time + MOMENT / 2) / MOMENT;
        self.ends.iter().map(|it| (it.name, (moment(it.time), &*it.outcome))).collect()
    }

    pub(crate) fn names(&self) -> Vec<usize> {
        self.ends.iter().map(|end| end.name).collect()
    }

    /// At what moment each body was left.
    pub(crate) fn lefts(&self) -> BTreeMap<usize, u32> {
        self.left.iter().map(|&(name, time)| (name, (time + MOMENT / 2) / MOMENT)).collect()
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for End { name, time, outcome } in &self.ends {
            write!(f, " {name}@{time}={outcome}")?;
        }
        f.write_str("; left:")?;
        for (name, time) in &self.left {
            write!(f, " {name}@{time}")?;
        }
        Ok(())
    }
}

/// The pairs that stand in the other order in the second list.
pub(crate) fn turned(ours: &[usize], theirs: &[usize]) -> Vec<(usize, usize)> {
    let place: BTreeMap<_, _> = theirs.iter().enumerate().map(|(at, name)| (*name, at)).collect();
    let mut pairs = Vec::new();
    for (at, first) in ours.iter().enumerate() {
        for second in &ours[at + 1..] {
            let place = |name| place.get(name).copied();
            if place(first) > place(second) && place(second).is_some() {
                pairs.push((*first, *second));
            }
        }
    }
    pairs
}
