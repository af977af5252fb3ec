//! How what many do of one thing grows with their number: the exponent of the total. One is flat for each of them.

use crate::{
    clock::Clock,
    rounds::Length,
    rows::growing::{ROWS, Run},
};

/// The exponent that is wanted: caches and logarithms are above one.
pub(crate) const AIM: f64 = 1.1;

/// The work of so many, of which the given part counts.
pub(crate) struct Growing {
    pub(crate) name: &'static str,
    /// What each of them does.
    pub(crate) what: &'static str,
    /// From the least number on.
    pub(crate) counts: &'static [usize],
    pub(crate) run: Run,
}

/// Each is measured so often, and the least counts: other programs only make it longer.
const ROUNDS: usize = 2;
/// No number is begun with that would take longer, in seconds.
const LONG: f64 = 1.0;

/// What a row came to.
pub(crate) struct Grown {
    pub(crate) row: &'static Growing,
    /// How many, and how many nanoseconds for each.
    pub(crate) points: Vec<(usize, f64)>,
}

impl Grown {
    /// The exponent of the total, from the first number to the last.
    pub(crate) fn exponent(&self) -> f64 {
        let [first, .., last] = self.points[..] else { return 1.0 };
        let decades = (last.0 as f64 / first.0 as f64).log10();
        1.0 + (last.1 / first.1).log10() / decades
    }

    fn print(&self) {
        let name = self.row.name;
        println!("growth {name} {:.2} aim {AIM}", self.exponent());
        let points: Vec<_> =
            self.points.iter().map(|(count, each)| format!("{count}: {each:.1}")).collect();
        println!("grows {name} {} ns each", points.join(", "));
    }
}

/// Measures and prints those that are wanted.
pub(crate) fn measure(length: Length, is_wanted: impl Fn(&str) -> bool) -> Vec<Grown> {
    let wanted = ROWS.iter().filter(|row| is_wanted(row.name));
    wanted.map(|row| measure_one(row, length)).inspect(Grown::print).collect()
}

fn measure_one(row: &'static Growing, length: Length) -> Grown {
    let (counts, rounds) = match length {
        Length::Full => (row.counts, ROUNDS),
        Length::Quick => (&row.counts[..1], 1),
    };
    let mut points: Vec<(usize, f64)> = Vec::new();
    let mut before = 0.0;
    for &count in counts {
        let total = |_| (row.run)(count).as_secs_f64();
        let total = (0..rounds).map(total).fold(f64::INFINITY, f64::min);
        points.push((count, total * 1e9 / count as f64));
        if before > 0.0 && total * total / before > LONG {
            break;
        }
        before = total;
    }
    Grown { row, points }
}

/// In which order those leave that came one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    FirstFirst,
    LastFirst,
    Shuffled,
}

impl Order {
    /// The same in this order.
    pub(crate) fn of<T>(self, mut items: Vec<T>) -> Vec<T> {
        match self {
            Self::FirstFirst => {}
            Self::LastFirst => items.reverse(),
            Self::Shuffled => {
                let mut number = 1_u64;
                for place in (1..items.len()).rev() {
                    number = number
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    items.swap(place, (number >> 33) as usize % (place + 1));
                }
            }
        }
        items
    }

    /// The longest of the three.
    pub(crate) fn worst(run: impl Fn(Self) -> std::time::Duration) -> std::time::Duration {
        let orders = [Self::FirstFirst, Self::LastFirst, Self::Shuffled];
        orders.map(run).into_iter().max().unwrap_or_default()
    }
}

/// How long it takes in the process's time.
pub(crate) fn time(work: impl FnOnce()) -> std::time::Duration {
    Clock::Cpu.time(work)
}
