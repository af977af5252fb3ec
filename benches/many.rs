//! What waiting for many futures costs for each of them: `cargo bench --bench many`.
//!
//! Absolute times are those of this machine under its load. What counts is the last column, the ratio to
//! ten futures: the work for one future does not depend on how many there are.

use std::{hint::black_box, time::Instant};

use settled::{ReturnWhen, ThreadFuture, as_completed, wait};

/// Nanoseconds per future of `run`, the least of several rounds; making the futures is not counted.
fn measure(count: usize, run: impl Fn(Vec<Pair>) -> Vec<Future>) -> f64 {
    let rounds = (2_000_000 / count).clamp(3, 1_000);
    let round = |_| {
        let pairs = (0..count).map(|_| ThreadFuture::pair()).collect();
        let begin = Instant::now();
        let futures = run(pairs);
        let elapsed = begin.elapsed().as_nanos() as f64 / count as f64;
        drop(futures);
        elapsed
    };
    (0..rounds).map(round).fold(f64::INFINITY, f64::min)
}

type Future = ThreadFuture<usize, ()>;
type Pair = (settled::Promise<usize, ()>, Future);

/// Registers with all, then settles all, then takes all that are told of.
fn completed(pairs: Vec<Pair>) -> Vec<Future> {
    let (promises, futures): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let iterator = as_completed(&futures, None);
    for (number, promise) in promises.into_iter().enumerate() {
        promise.finish(number).expect("nobody cancels");
    }
    for item in iterator {
        black_box(item.expect("all are settled"));
    }
    futures
}

/// Looks at all, registers with all, and leaves all; then all are settled, and it looks again.
fn waited(pairs: Vec<Pair>) -> Vec<Future> {
    let (promises, futures): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let none = Some(std::time::Duration::ZERO);
    black_box(wait(&futures, none, ReturnWhen::AllCompleted).expect("no loop runs here").1.len());
    for (number, promise) in promises.into_iter().enumerate() {
        promise.finish(number).expect("nobody cancels");
    }
    black_box(wait(&futures, None, ReturnWhen::AllCompleted).expect("no loop runs here").0.len());
    futures
}

fn main() {
    type Run = fn(Vec<Pair>) -> Vec<Future>;
    let runs: [(&str, Run); 2] = [("as_completed", completed), ("wait, twice", waited)];
    println!("{:<14} {:>9} {:>14} {:>10}", "", "futures", "ns per future", "to ten");
    for (name, run) in runs {
        let ten = measure(10, run);
        for count in [10, 1_000, 100_000, 1_000_000] {
            let each = measure(count, run);
            println!("{name:<14} {count:>9} {each:>14.1} {:>10.2}", each / ten);
        }
    }
}
