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
//! With `--readme` it also writes what it printed into `spec/speed.md` and the README.
//!
//! Arguments name the rows that run, by a part of their name: `cargo bench -p settled-bench -- create pool`. With
//! `--quick` each row runs for a moment, which tests that it works and says nothing else; `--list` says what
//! each does.

mod clock;
mod document;
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
/// If an argument is unknown, no row has such a name, a side has lost something, or the documents cannot be written.
pub fn main(arguments: impl Iterator<Item = String>, sizes: &str) {
    let (mut length, mut list, mut readme) = (Length::Full, false, false);
    let mut wanted = Vec::new();
    for argument in arguments {
        match argument.as_str() {
            "--bench" => {}
            "--quick" => length = Length::Quick,
            "--list" => list = true,
            "--readme" => readme = true,
            flag if flag.starts_with('-') => panic!("an unknown argument: {flag}"),
            name => wanted.push(name.to_owned()),
        }
    }
    assert!(
        !readme || wanted.is_empty() && length == Length::Full,
        "--readme writes what all rows come to: it takes no names, and no --quick"
    );
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
    let measured: Vec<_> = measured.inspect(report::print).collect();
    let weighed = sizes::weigh(sizes, is_wanted);
    let grown = growth::measure(length, is_wanted);
    let nothing = measured.is_empty() && weighed.is_empty() && grown.is_empty();
    assert!(!nothing, "no row has such a name: see --list");
    if readme {
        document::write(&measured, &weighed, &grown);
    }
}
