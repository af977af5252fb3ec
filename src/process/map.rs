//! [`ProcessMap`]: a function over many items, in their order.

use std::{collections::VecDeque, fmt, iter::FusedIterator, vec};

use crate::{
    error::{Failure, NoValue, WaitError},
    output::JoinError,
    thread::ThreadFuture,
};

/// The iterator of [`ProcessPool::map`](super::ProcessPool::map). `next` waits for the chunk of one item. Dropping it
/// cancels what has not begun. `[process-2]`
#[must_use = "dropping it cancels what has not begun"]
pub struct ProcessMap<T, E> {
    ahead: VecDeque<ThreadFuture<Vec<T>, E>>,
    values: vec::IntoIter<T>,
}

impl<T, E> ProcessMap<T, E> {
    pub(super) fn push(&mut self, chunk: ThreadFuture<Vec<T>, E>) {
        self.ahead.push_back(chunk);
    }

    fn cancel(&mut self) {
        for future in self.ahead.drain(..) {
            future.cancel();
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
            match self.ahead.pop_front()?.join() {
                Ok(values) => self.values = values.into_iter(),
                Err(error) => {
                    self.cancel();
                    return Some(Err(match error {
                        JoinError::Failed(failure) => NoValue::Failed(failure),
                        JoinError::Back(back) => NoValue::Unsettled(back.why()),
                        JoinError::Shared => unreachable!("nobody else has a handle"),
                    }));
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
