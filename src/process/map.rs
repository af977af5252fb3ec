//! [`ProcessMap`]: a function over many items, in their order.

use std::{collections::VecDeque, fmt, iter::FusedIterator, vec};

use crate::{
    error::{Failure, NoValue, WaitError},
    lost::{Unsent, UnsentKind},
    output::JoinError,
    thread::ThreadFuture,
};

/// Why there is no value.
type Why<E> = NoValue<WaitError, Failure<E>>;

/// The iterator of [`ProcessPool::map`](super::ProcessPool::map). `next` waits for the chunk of one item. Dropping it
/// cancels what has not begun. `[process-2]`
#[must_use = "dropping it cancels what has not begun"]
pub struct ProcessMap<T, E> {
    /// Each chunk, and how many items are in it.
    ahead: VecDeque<(ThreadFuture<Vec<T>, E>, usize)>,
    values: vec::IntoIter<T>,
}

impl<T, E> ProcessMap<T, E> {
    pub(super) fn push(&mut self, chunk: ThreadFuture<Vec<T>, E>, items: usize) {
        self.ahead.push_back((chunk, items));
    }

    fn cancel(&mut self) {
        for (future, _) in self.ahead.drain(..) {
            future.cancel();
        }
    }

    /// The values of a chunk, one for each item.
    fn wait(&mut self, chunk: ThreadFuture<Vec<T>, E>, items: usize) -> Result<Vec<T>, Why<E>> {
        match chunk.join() {
            Ok(values) if values.len() == items => Ok(values),
            Ok(values) => {
                let why = format!("it gave {} values for {items} items", values.len());
                Err(NoValue::Failed(Failure::Unsent(Unsent::new(UnsentKind::Value, why))))
            }
            Err(JoinError::Failed(failure)) => Err(NoValue::Failed(failure)),
            Err(JoinError::Back(back)) => {
                let why = back.why();
                self.ahead.push_front((back.into_future(), items));
                Err(NoValue::Unsettled(why))
            }
            Err(JoinError::Shared) => unreachable!("nobody else has a handle"),
        }
    }
}

impl<T, E> Default for ProcessMap<T, E> {
    fn default() -> Self {
        Self { ahead: VecDeque::new(), values: Vec::new().into_iter() }
    }
}

impl<T, E> Iterator for ProcessMap<T, E> {
    type Item = Result<T, NoValue<WaitError, Failure<E>>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(value) = self.values.next() {
                return Some(Ok(value));
            }
            let (chunk, items) = self.ahead.pop_front()?;
            match self.wait(chunk, items) {
                Ok(values) => self.values = values.into_iter(),
                Err(why) => {
                    self.cancel();
                    return Some(Err(why));
                }
            }
        }
    }
}

impl<T, E> FusedIterator for ProcessMap<T, E> {}

impl<T, E> Drop for ProcessMap<T, E> {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl<T, E> fmt::Debug for ProcessMap<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessMap").field("ahead", &self.ahead.len()).finish_non_exhaustive()
    }
}
