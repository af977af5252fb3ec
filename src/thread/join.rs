//! Taking the outcome of a [`ThreadFuture`] by value.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use super::{AwaitThread, ThreadFuture};
use crate::{
    cell::Until,
    error::{Expired, WaitError},
    output::{Back, JoinError, Output, OutputResult, apart},
    sync::{after, is_past},
};

/// # The outcome by value
///
/// Each of these waits until the future is settled and its callbacks have returned, which read it until then, and takes
/// the outcome out. The error goes up with `?`. Of several handles by which it is taken one gets it; a handle that only
/// lies somewhere keeps it. `[settled-5]`
impl<T, E> ThreadFuture<T, E> {
    /// Waits like [`wait`](Self::wait), then for the callbacks to return, and takes the value. `[settled-5]`
    ///
    /// `?` takes the error up where `E` is a [`std::error::Error`]. Where it is none, such as an `anyhow::Error` or a
    /// `String`, write [`join_result()??`](Self::join_result).
    ///
    /// ```
    /// use settled::{Executor, ThreadPool};
    ///
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     let pool = ThreadPool::default();
    ///     let job = pool.submit_result(|| std::fs::read_to_string("Cargo.toml"))?;
    ///     let text: String = job.join()?;
    ///     assert!(text.contains("settled"));
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`JoinError::Failed`] if there is no value and never will be; [`JoinError::Shared`] if another handle shares it;
    /// [`JoinError::Back`] with the future and the [`WaitError`] of [`wait`](Self::wait), and
    /// [`WouldDeadlock::Lent`](crate::WouldDeadlock::Lent) inside a callback of the future, which has to return first.
    #[doc(alias("into_inner", "blocking_recv", "get"))]
    pub fn join(self) -> Result<T, JoinError<E, Back<WaitError, Self>>> {
        self.join_until(None)
    }

    /// The same, for `timeout` at the most, counted from this call. A zero timeout only looks. `[settled-5]` `[wait-2]`
    ///
    /// # Errors
    ///
    /// As [`join`](Self::join); and [`JoinError::Back`] with the future and [`WaitError::Expired`] if the time is over
    /// first, also if the future is settled by then and its callbacks have not returned.
    ///
    /// ```
    /// use std::time::Duration;
    /// use settled::{Executor, ThreadPool};
    ///
    /// let job = ThreadPool::default().submit(|| 7).unwrap();
    /// assert_eq!(job.join_timeout(Duration::from_secs(60)).unwrap(), 7);
    /// ```
    pub fn join_timeout(self, timeout: Duration) -> Result<T, JoinError<E, Back<WaitError, Self>>> {
        self.join_until(after(timeout))
    }

    /// The same, until `deadline` at the latest. `[settled-5]` `[wait-2]`
    ///
    /// # Errors
    ///
    /// As [`join_timeout`](Self::join_timeout).
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use settled::{Executor, ThreadPool};
    ///
    /// let pool = ThreadPool::default();
    /// let (deadline, minute) = (Instant::now() + Duration::from_secs(60), Duration::from_secs(60));
    /// assert_eq!(pool.submit(|| 7).unwrap().join_deadline(deadline).unwrap(), 7);
    /// assert_eq!(pool.submit(|| 7).unwrap().join_result_timeout(minute).unwrap(), Ok(7));
    /// assert_eq!(pool.submit(|| 7).unwrap().join_result_deadline(deadline).unwrap(), Ok(7));
    /// ```
    pub fn join_deadline(
        self,
        deadline: Instant,
    ) -> Result<T, JoinError<E, Back<WaitError, Self>>> {
        self.join_until(Some(deadline))
    }

    /// As [`join`](Self::join), with the work's own error apart: `job.join_result()??` takes it up as it is, whatever
    /// it is. `[settled-5]`
    ///
    /// ```
    /// use settled::{Executor, ThreadPool};
    ///
    /// let pool = ThreadPool::default();
    /// let job = pool.submit_result(|| "12".parse::<u32>()).unwrap();
    /// assert_eq!(job.join_result().unwrap(), Ok(12));
    /// ```
    ///
    /// # Errors
    ///
    /// As [`join`](Self::join), but for the work's own error.
    pub fn join_result(self) -> Result<Result<T, E>, JoinError<Infallible, Back<WaitError, Self>>> {
        apart(self.join())
    }

    /// The same, for `timeout` at the most, counted from this call. `[settled-5]` `[wait-2]`
    ///
    /// # Errors
    ///
    /// As [`join_timeout`](Self::join_timeout), but for the work's own error.
    pub fn join_result_timeout(
        self,
        timeout: Duration,
    ) -> Result<Result<T, E>, JoinError<Infallible, Back<WaitError, Self>>> {
        apart(self.join_timeout(timeout))
    }

    /// The same, until `deadline` at the latest. `[settled-5]` `[wait-2]`
    ///
    /// # Errors
    ///
    /// As [`join_timeout`](Self::join_timeout), but for the work's own error.
    pub fn join_result_deadline(
        self,
        deadline: Instant,
    ) -> Result<Result<T, E>, JoinError<Infallible, Back<WaitError, Self>>> {
        apart(self.join_deadline(deadline))
    }

    /// Awaits the value, by value, on any executor: the async form of [`join`](Self::join). As for an await by value, a
    /// task of this crate's loop that is stopped while it awaits asks to cancel the future. `[settled-5]` `[await-3]`
    /// Dropped elsewhere, it asks for nothing, and its handle goes: work of which that was the last sees
    /// [`is_closed`](crate::Promise::is_closed).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use settled::{EventLoop, Executor, ThreadPool};
    ///
    /// let (event_loop, pool) = (EventLoop::new(), ThreadPool::default());
    /// let job = pool.submit_result(|| "12".parse::<u32>())?;
    /// let number = event_loop.run_until_complete(async { job.output().await })??;
    /// assert_eq!(number, 12);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`JoinError::Failed`] and [`JoinError::Shared`], as [`join`](Self::join).
    ///
    /// # Panics
    ///
    /// Polled again after it was ready.
    pub fn output(self) -> Output<AwaitThread<T, E>, T, E> {
        Output::of(self)
    }

    /// As [`output`](Self::output), with the work's own error apart, for `??`. `[settled-5]`
    ///
    /// # Errors
    ///
    /// As [`output`](Self::output), but for the work's own error.
    ///
    /// ```
    /// use settled::{EventLoop, Executor, ThreadPool};
    ///
    /// let job = ThreadPool::default().submit_result(|| "12".parse::<u32>()).unwrap();
    /// let number = EventLoop::new().run_until_complete(async { job.output_result().await }).unwrap();
    /// assert_eq!(number.unwrap(), Ok(12));
    /// ```
    pub fn output_result(self) -> OutputResult<AwaitThread<T, E>, T, E> {
        OutputResult::of(self)
    }

    fn join_until(
        self,
        deadline: Option<Instant>,
    ) -> Result<T, JoinError<E, Back<WaitError, Self>>> {
        let over = if is_past(deadline) && !self.handle().is_over(Until::Returned) {
            Err(WaitError::Expired(Expired))
        } else {
            self.block(Until::Returned, deadline)
        };
        match over {
            Ok(()) => self.into_inner().give(),
            Err(why) => Err(JoinError::Back(Back::new(why, self))),
        }
    }
}
