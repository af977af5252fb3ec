//! A row, and the rounds in which its sides take turns.

use std::{fmt, iter, thread, time::Duration};

use crate::clock::{Clock, Cpus, cpus, pin};

/// One kind of work, which several crates do.
pub(crate) struct Row {
    /// One word.
    pub(crate) name: &'static str,
    /// What one operation is, and where the sides are unequal.
    pub(crate) what: &'static str,
    /// At most this is wanted of our time to that of the fastest peer that counts.
    pub(crate) aim: f64,
    pub(crate) cpus: Cpus,
    /// Ours first. Made where it is measured, on a thread of its own.
    pub(crate) sides: fn(&Place) -> Vec<Side>,
}

/// Where a row is measured.
pub(crate) struct Place {
    clock: Clock,
    /// The second CPU, or the only one.
    other: usize,
    own: Option<usize>,
    length: Length,
}

impl Place {
    /// How many there are of what the row is about so many of.
    pub(crate) fn count(&self, full: usize) -> usize {
        match self.length {
            Length::Full => full,
            Length::Quick => full.min(1_000),
        }
    }

    /// The row's clock.
    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// Has the threads that `start` starts run where the row's other threads shall.
    pub(crate) fn elsewhere<R>(&self, start: impl FnOnce() -> R) -> R {
        let Some(own) = self.own else { return start() };
        pin(&[self.other]);
        let started = start();
        pin(&[own]);
        started
    }
}

/// What one crate does of a row.
pub(crate) struct Side {
    pub(crate) name: &'static str,
    /// Does so many operations at least; how long they took, and how many they were.
    run: Box<dyn FnMut(usize) -> (Duration, usize)>,
    /// Whether the ratio may be the one to this.
    pub(crate) counts: bool,
}

impl Side {
    pub(crate) fn new(
        name: &'static str,
        run: impl FnMut(usize) -> (Duration, usize) + 'static,
    ) -> Self {
        Self { name, run: Box::new(run), counts: true }
    }

    /// Work of one thread, all of which is timed.
    pub(crate) fn all(place: &Place, name: &'static str, work: fn(usize)) -> Self {
        let clock = place.clock();
        Self::new(name, move |times| (clock.time(|| work(times)), times))
    }

    /// Shown beside the others, because its work is another.
    pub(crate) fn beside(self) -> Self {
        Self { counts: false, ..self }
    }

    fn nanoseconds(&mut self, times: usize) -> f64 {
        let (elapsed, times) = (self.run)(times);
        elapsed.as_secs_f64() * 1e9 / times as f64
    }

    /// How many operations take as long as one run shall.
    fn calibrate(&mut self, wanted: Duration) -> usize {
        // Whatever is only done once.
        (self.run)(1);
        let mut times = 1;
        loop {
            let (elapsed, done) = (self.run)(times);
            if elapsed >= wanted / 2 || done > times && elapsed >= wanted / 8 {
                let factor = wanted.as_secs_f64() / elapsed.as_secs_f64();
                return ((done as f64 * factor) as usize).max(1);
            }
            // It does no more at once, however quick it is.
            if done < times {
                return done;
            }
            times *= 2;
        }
    }
}

/// How long it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Full,
    /// Only to see that it works.
    Quick,
}

/// What several rounds came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Figures {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<_> = values.collect();
        values.sort_by(f64::total_cmp);
        Self { median: values[values.len() / 2], least: values[0], most: values[values.len() - 1] }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} [{:.2}-{:.2}]", self.median, self.least, self.most)
    }
}

/// What a row came to.
pub(crate) struct Measured<'a> {
    pub(crate) row: &'a Row,
    pub(crate) ratio: Figures,
    /// Ours first; in nanoseconds an operation.
    pub(crate) sides: Vec<(&'static str, Figures)>,
    /// Which side the ratio is to.
    pub(crate) fastest: usize,
}

/// Measures a row; nothing where there are not as many CPUs as it needs.
pub(crate) fn measure(row: &Row, length: Length) -> Option<Measured<'_>> {
    let cpus = cpus();
    if row.cpus == Cpus::Two && cpus.len() < 2 {
        println!("none {}: it needs two CPUs", row.name);
        return None;
    }
    thread::scope(|scope| {
        let here = scope.spawn(|| {
            let (own, other) = (cpus[0], cpus[if row.cpus == Cpus::Two { 1 } else { 0 }]);
            let own = (row.cpus != Cpus::Any).then_some(own);
            own.into_iter().for_each(|own| pin(&[own]));
            let place = Place { clock: row.cpus.clock(), other, own, length };
            measure_here(row, &mut (row.sides)(&place), length)
        });
        Some(here.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

fn measure_here<'a>(row: &'a Row, sides: &mut [Side], length: Length) -> Measured<'a> {
    let (rounds, long) = match length {
        Length::Full => (11, Duration::from_millis(20)),
        Length::Quick => (2, Duration::from_micros(100)),
    };
    let times: Vec<_> = sides.iter_mut().map(|side| side.calibrate(long)).collect();
    let mut found = vec![Vec::new(); sides.len()];
    for round in 0..rounds {
        let mut order: Vec<_> = (0..sides.len()).collect();
        order.rotate_left(round % sides.len());
        if round % 2 == 1 {
            order.reverse();
        }
        for side in order {
            found[side].push(sides[side].nanoseconds(times[side]));
        }
    }
    let figures: Vec<_> = found.iter().map(|found| Figures::of(found.iter().copied())).collect();
    let peers = (1..sides.len()).filter(|&side| sides[side].counts);
    // Other programs make some rounds longer, and none shorter.
    let by_least = |&a: &usize, &b: &usize| figures[a].least.total_cmp(&figures[b].least);
    let fastest = peers.min_by(by_least).expect("a peer counts");
    let ratio =
        Figures::of(iter::zip(&found[0], &found[fastest]).map(|(ours, theirs)| ours / theirs));
    let names = sides.iter().map(|side| side.name);
    Measured { row, ratio, sides: iter::zip(names, figures).collect(), fastest }
}
