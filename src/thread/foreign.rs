//! Executors that people already have, each behind a feature of its name.
//!
//! What a foreign pool does with a job at its own end is its own affair; a job that it drops settles its
//! future as [`Cancelled(Dropped)`](crate::Cancelled::Dropped). `[pool-1]` Waits inside their workers are not
//! tracked: neither are queued jobs helped with nor circles refused. `[pool-7]` `[pool-8]`

#[cfg(feature = "rayon")]
mod rayon {
    use crate::{Closed, Executor, Job, waiter::isolate};

    /// Runs jobs in rayon's pool. It takes every job. A job that blocks keeps a thread of the pool from
    /// other work. `[pool-1]`
    #[cfg_attr(docsrs, doc(cfg(feature = "rayon")))]
    impl Executor for rayon::ThreadPool {
        fn execute(&self, job: Job) -> Result<(), Closed<Job>> {
            self.spawn(|| isolate(|| job.run()));
            Ok(())
        }
    }
}

#[cfg(feature = "tokio")]
mod tokio {
    use crate::{Closed, Executor, Job};

    /// Runs jobs in the runtime's threads for blocking work. It takes every job; what is queued when the
    /// runtime is shut down is run or dropped, and what comes later is dropped. `[pool-1]`
    #[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
    impl Executor for tokio::runtime::Handle {
        fn execute(&self, job: Job) -> Result<(), Closed<Job>> {
            drop(self.spawn_blocking(|| job.run()));
            Ok(())
        }
    }
}
