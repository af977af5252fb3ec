//! A job queue with retries and progress. The first job that fails for good ends it: what has not begun never runs.

use std::{num::NonZero, sync::Arc};

use anyhow::{Context, Result};
use settled::{Executor, ThreadPool, as_completed};

/// What is done for each name.
pub type Work = Arc<dyn Fn(&str) -> Result<u64> + Send + Sync>;

/// Does the work for each of `names` in so many threads, and gives what it returned, in the order of the names.
/// `progress` is told how many are done, of how many.
pub fn run(
    names: Vec<String>,
    workers: NonZero<usize>,
    attempts: u32,
    work: Work,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Vec<u64>> {
    let pool = ThreadPool::new(workers);
    let mut jobs = Vec::new();
    for name in names {
        let work = work.clone();
        jobs.push(pool.submit_result(move || retry(&name, attempts, work))?);
    }
    for (before, completed) in as_completed(&jobs, None).enumerate() {
        let (_, job) = completed?;
        if job.exception().is_some() {
            pool.cancel_pending();
            break;
        }
        progress(before + 1, jobs.len());
    }
    jobs.into_iter().map(|job| job.join_result()?).collect()
}

fn retry(name: &str, attempts: u32, work: Work) -> Result<u64> {
    let mut result = work(name);
    for _ in 1..attempts {
        result = result.or_else(|_| work(name));
    }
    result.with_context(|| format!("{name}: gave up after {attempts} attempts"))
}
