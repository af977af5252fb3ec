//! Executors of other crates keep the contract: each accepted job settles its future.

#[macro_use]
#[path = "support/watchdog.rs"]
mod watchdog;

use std::sync::mpsc;

use settled::{Cancelled, Executor, Failure, Job, ReturnWhen, as_completed, wait};

fn keeps_the_contract(executor: &impl Executor) {
    let jobs: Vec<_> = (0..100_u64).map(|n| executor.submit(move || n * n).unwrap()).collect();
    let (done, not_done) = wait(&jobs, None, ReturnWhen::AllCompleted).unwrap();
    assert_eq!((done.len(), not_done.len()), (100, 0));
    for item in as_completed(&jobs, None) {
        let (place, square) = item.unwrap();
        assert_eq!(*square.result().unwrap(), (place * place) as u64);
    }
    let panics = executor.submit(|| panic!("isolated")).unwrap();
    assert!(matches!(panics.exception(), Ok(Some(Failure::Panicked(_)))));
    // A job of one's own may panic, too, which harms nobody.
    let (last, is_last) = mpsc::channel();
    executor.execute(Job::new(|| panic!("isolated"))).unwrap();
    executor.execute(Job::new(move || last.send(()).unwrap())).unwrap();
    is_last.recv().unwrap();
    let values: Result<Vec<_>, _> = executor.map(0..10_u8, |n| n + 1).collect();
    assert_eq!(values.unwrap(), (1..=10).collect::<Vec<_>>());
}

#[test]
fn rayon_runs_jobs() {
    watch!();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    keeps_the_contract(&pool);
}

#[test]
fn tokio_runs_jobs_and_drops_those_that_come_too_late() {
    watch!();
    let runtime =
        tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    let handle = runtime.handle().clone();
    keeps_the_contract(&handle);
    let (begun, began) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let running = handle.submit(move || {
        begun.send(()).unwrap();
        released.recv().is_err()
    });
    began.recv().unwrap();
    let queued = handle.submit(|| ()).unwrap();
    runtime.shutdown_background();
    drop(release);
    assert_eq!(running.unwrap().result().unwrap(), &true);
    // A busy thread takes what is queued before it notices; either way it settles.
    queued.wait().unwrap();
    let late = handle.submit(|| ()).unwrap();
    let failure = late.exception().unwrap().unwrap();
    assert!(matches!(failure, Failure::Cancelled(it) if *it == Cancelled::Dropped), "{failure:?}");
}
