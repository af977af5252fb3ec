//! The same with tokio.

use std::{num::NonZero, sync::Arc};

use anyhow::{Context, Result};
use tokio::{runtime::Builder, task::JoinSet};

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
    let runtime = Builder::new_current_thread().max_blocking_threads(workers.get()).build()?;
    runtime.block_on(async {
        let mut jobs = JoinSet::new();
        let mut results = vec![0; names.len()];
        for (place, name) in names.into_iter().enumerate() {
            let work = work.clone();
            jobs.spawn_blocking(move || (place, retry(&name, attempts, work)));
        }
        while let Some(joined) = jobs.join_next().await {
            let (place, result) = joined?;
            results[place] = result?;
            progress(results.len() - jobs.len(), results.len());
        }
        Ok(results)
    })
}

fn retry(name: &str, attempts: u32, work: Work) -> Result<u64> {
    let mut result = work(name);
    for _ in 1..attempts {
        result = result.or_else(|_| work(name));
    }
    result.with_context(|| format!("{name}: gave up after {attempts} attempts"))
}
