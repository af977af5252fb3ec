//! An executor over processes: a function with a name runs in another process, and its future is a [`ThreadFuture`].
//!
//! A [`ProcessPool`] starts the program itself again, as often as it has work for, and gives each of these workers one
//! job at a time. What a future means across a process, the protocol, and where another executor can begin, is told in
//! `spec/processes.md`.
//!
//! * The future is Running from the moment on at which a worker that waits for work is given the job. A cancel before
//!   that is [`Now`](crate::Cancel::Now), and the job never runs; after it the request reaches the job. `[process-1]`
//!   `[process-7]`
//! * A worker that dies takes its own job with it, which fails as [`Failure::Died`](crate::Failure::Died), and no other.
//!   The pool starts another worker, and runs nothing again. `[process-3]` `[process-4]`
//! * Workers end when their pool's process does, whatever ended it. `[process-8]`
//!
//! On Unix. The end of a worker whose channel somebody else holds is seen on Linux alone, where no filter forbids it.
//!
//! A pool with all that can be chosen, what one may ask of it, and a job that stops on request:
//!
//! ```standalone_crate
//! use std::num::NonZero;
//! use settled::process::{self, Current, Format, Function, ProcessPool, Served, SubmitError};
//!
//! const BEGIN: Function<(), ()> = Function::new("begin", |()| ());
//! const SQUARE: Function<u64, u64> = Function::new("square", |n| n * n);
//! const WAIT: Function<(), (), String> = Function::asked("wait", wait);
//!
//! fn wait((): (), job: &Current) -> Result<(), String> {
//!     while !job.cancel_requested() {
//!         std::thread::yield_now(); // a piece of the work
//!     }
//!     Err(job.cancel_reason().unwrap_or_default().to_owned())
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let functions: [&dyn Served; 3] = [&BEGIN, &SQUARE, &WAIT];
//!     process::worker(&functions);
//!
//!     let [one, two] = [1, 2].map(|n| NonZero::new(n).unwrap());
//!     let pool = ProcessPool::builder()
//!         .workers(two)
//!         .jobs_per_worker(NonZero::new(100).unwrap())
//!         .program(std::env::current_exe()?, ["--settled-worker"]) // the file that has this name then
//!         .current_dir(std::env::temp_dir())
//!         .env("MODE", "worker")
//!         .env_remove("EDITOR")
//!         .format(Format::Postcard)
//!         .limit(1 << 20)
//!         .on_output(|worker, _is_error, bytes| println!("worker {worker}: {} bytes", bytes.len()))
//!         .initializer(&BEGIN, ())
//!         .build()?;
//!     let squares: Result<Vec<u64>, _> = pool.map(&SQUARE, [1, 2, 3], two)?.collect();
//!     assert_eq!(squares.unwrap(), [1, 4, 9]);
//!     assert!(pool.workers() <= pool.max_workers());
//!     assert!(!pool.is_broken() && pool.broken_reason().is_none());
//!
//!     let waits = pool.submit(&WAIT, &())?;
//!     while !waits.running() {
//!         std::thread::yield_now();
//!     }
//!     waits.cancel_with("no time");
//!     assert_eq!(waits.join_result()?, Err("no time".to_owned()));
//!
//!     let killed = pool.submit(&WAIT, &())?;
//!     while !pool.kill(&killed) {}
//!     assert!(killed.exception()?.unwrap().death().unwrap().was_asked_for());
//!
//!     pool.close();
//!     pool.cancel_pending();
//!     assert_eq!(pool.submit(&SQUARE, &7).unwrap_err(), SubmitError::Closed);
//!     pool.shutdown()?;
//!     pool.terminate(); // nothing is left
//!
//!     let other = ProcessPool::new(one)?;
//!     let last = other.submit(&SQUARE, &7)?;
//!     other.detach();
//!     assert_eq!(last.join()?, 49);
//!     Ok(())
//! }
//! ```
//!
//! [`ThreadFuture`]: crate::ThreadFuture

mod books;
mod builder;
mod child;
mod compact;
mod deep;
mod format;
mod frame;
mod function;
mod inbox;
mod job;
mod manager;
mod map;
mod pool;
mod shape;
mod shared;
mod system;
mod worker;

pub use self::{
    builder::ProcessPoolBuilder,
    format::Format,
    function::{Current, Function, Served},
    map::ProcessMap,
    pool::{ProcessPool, SubmitError},
    worker::worker,
};
use crate::lost::UnsentKind;

/// What could not travel, as a byte.
const fn code(kind: UnsentKind) -> u8 {
    match kind {
        UnsentKind::UnknownFunction => 1,
        UnsentKind::OtherVersion => 2,
        UnsentKind::Arguments => 3,
        UnsentKind::Value => 4,
        UnsentKind::Error => 5,
        UnsentKind::TooLarge => 6,
    }
}

/// The same back. What no byte is for is a value.
const fn kind(code: u8) -> UnsentKind {
    match code {
        1 => UnsentKind::UnknownFunction,
        2 => UnsentKind::OtherVersion,
        3 => UnsentKind::Arguments,
        5 => UnsentKind::Error,
        6 => UnsentKind::TooLarge,
        _ => UnsentKind::Value,
    }
}
