//! How fast the crate is beside its peers: `cargo bench -p settled-bench`, which takes less than ten minutes on two CPUs.
//!
//! A row is one kind of work, and each side of it does the same work with another crate; where the work is not equal, the
//! row says so. All sides run once in each round, in an order that rotates and is reversed, and a ratio is that of two
//! times of one round. So it holds on a machine that is busy, where absolute times do not. It prints, one line each:
//!
//! ```text
//! ratio <row> <median> [<min>-<max>] aim <aim>     ours to the fastest of the peers that count
//! times <row> settled <ns>, <peer> <ns>, ...       of one operation, medians
//! size <row> <bytes> <allocations> aim <bytes> <allocations>
//! growth <row> <exponent> aim <exponent>           of the total, over several decades
//! ```
//!
//! A row that needs one CPU, or two, has its threads pinned to them. On one CPU the time of the process is counted, where
//! other programs do not; on two it is the time that goes by.
//!
//! Arguments name the rows that run, by a part of their name: `cargo bench -p settled-bench -- create pool`. With
//! `--quick` each row runs for a moment, which tests that it works and says nothing else; `--list` says what
//! each does.

mod clock;
mod growth;
mod handmade;
mod report;
mod rounds;
mod rows;
mod sizes;
mod waker;

use crate::rounds::Length;
pub use crate::sizes::measure as sizes;

/// Runs the rows that the arguments name; `sizes` is the program that prints what all takes in memory.
///
/// # Panics
///
/// If an argument is unknown, no row has such a name, or a side has lost something.
pub fn main(arguments: impl Iterator<Item = String>, sizes: &str) {
    let (mut length, mut list, mut wanted) = (Length::Full, false, Vec::new());
    for argument in arguments {
        match argument.as_str() {
            "--bench" => {}
            "--quick" => length = Length::Quick,
            "--list" => list = true,
            flag if flag.starts_with('-') => panic!("an unknown argument: {flag}"),
            name => wanted.push(name.to_owned()),
        }
    }
    let is_wanted =
        |name: &str| wanted.is_empty() || wanted.iter().any(|it| name.contains(it.as_str()));
    let rows: Vec<_> = rows::all().into_iter().filter(|row| is_wanted(row.name)).collect();
    if list {
        rows.iter().for_each(|row| println!("{}: {}", row.name, row.what));
        let growing = rows::growing::ROWS.iter().filter(|row| is_wanted(row.name));
        growing.for_each(|row| println!("{}: {}", row.name, row.what));
        return;
    }
    let measured = rows.iter().filter_map(|row| rounds::measure(row, length));
    let measured = measured.inspect(report::print).count();
    let weighed = sizes::weigh(sizes, is_wanted);
    let grown = growth::measure(length, is_wanted);
    assert!(measured + weighed + grown > 0, "no row has such a name: see --list");
}
