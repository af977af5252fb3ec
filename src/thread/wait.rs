//! Waiting for several futures: [`wait`] and [`as_completed`].

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    iter::FusedIterator,
    sync::Arc,
    time::{Duration, Instant},
};

use super::ThreadFuture;
use crate::{
    blocking::{Cells, May, Wanted, before_parking, is_worker},
    cell::{Address, Ticket},
    error::{Expired, WaitError, WouldDeadlock},
    inbox::Inbox,
    settled::Settled,
    sync::{after, is_over},
    waiter::Waiter,
};

/// When [`wait`] returns. `[wait-5]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReturnWhen {
    /// When at least one future is settled.
    FirstCompleted,
    /// When at least one future finished without a value, or all are settled. A cancelled future is
    /// settled, and does not count as one that failed.
    FirstException,
    /// When all futures are settled.
    AllCompleted,
}

/// The futures that are settled and those that are not, each with its place in the input. Made by
/// [`wait`]. `[wait-5]`
pub type Parted<'a, T, E> = (Vec<(usize, &'a Settled<T, E>)>, Vec<(usize, &'a ThreadFuture<T, E>)>);

/// Waits for several futures: blocks this thread until enough of them are settled, for `timeout` at the
/// most, counted from this call. Python's `concurrent.futures.wait`. `[wait-5]`
///
/// It returns what is settled and what is not, in the order of the input, with the place of each in it.
/// The end of the timeout is no error: what has not settled is then among the second. It looks at one future after
/// the other, so that of two that settle meanwhile the later may be among the first, and the earlier not. Nothing is
/// consumed, and nothing cancelled. A future that was given several times, or several handles of one
/// future, count once, in the first place. No future at all returns at once, whatever was asked for
/// (D38). A cancelled future is settled (D39).
///
/// It takes thread futures only, so that it cannot be called for those of a loop (D45). The work for each
/// future does not depend on how many there are. A zero timeout only looks.
///
/// ```
/// use settled::{Executor, ReturnWhen, ThreadPool, wait};
///
/// let pool = ThreadPool::default();
/// let jobs: Vec<_> = (0..4).map(|n| pool.submit(move || n * n).unwrap()).collect();
/// let (done, not_done) = wait(&jobs, None, ReturnWhen::AllCompleted).unwrap();
/// assert_eq!((done.len(), not_done.len()), (4, 0));
/// let (place, square) = done[3];
/// assert_eq!((place, square.result().unwrap()), (3, &9));
/// ```
///
/// # Errors
///
/// [`WouldDeadlock`] instead of blocking, on a thread that runs an event loop, or on a worker whose
/// wait would close a circle, or in many callbacks that wait inside each other. `[deadlock-1]` `[pool-8]`
/// `[callback-8]`
pub fn wait<'a, T, E>(
    futures: impl IntoIterator<Item = &'a ThreadFuture<T, E>>,
    timeout: Option<Duration>,
    return_when: ReturnWhen,
) -> Result<Parted<'a, T, E>, WouldDeadlock> {
    let deadline = timeout.and_then(after);
    let mut group = Group::register(futures);
    let all = group.members.len();
    let (mut heard, mut failed) = (0, false);
    let mut told = Vec::new();
    loop {
        group.inbox.take(&mut told);
        for number in told.drain(..) {
            heard += 1;
            let settled = group.hear(number);
            failed |= settled.exception().is_some() && !settled.cancelled();
        }
        let enough = match return_when {
            ReturnWhen::FirstCompleted => heard > 0,
            ReturnWhen::FirstException => failed,
            ReturnWhen::AllCompleted => false,
        };
        if enough || heard == all {
            break;
        }
        let in_time = match return_when {
            ReturnWhen::AllCompleted => group.sleep(all - heard, Wanted::All, deadline),
            _ => group.sleep(1, Wanted::Any, deadline),
        };
        if !in_time? {
            break;
        }
    }
    Ok(group.part())
}

/// Yields each of several futures as soon as it is settled, in the order in which they settle; of two
/// settlements that overlap, either may be told first. Python's
/// `concurrent.futures.as_completed`. `[wait-6]`
///
/// An item is the place of the future in the input, and the proof that it is settled. Those that are
/// settled already come first, in the order of the input. Nothing is consumed, and nothing cancelled. A
/// future that was given several times counts once, in the first place.
///
/// The timeout counts from this call (in Python it counts from the first `next`). When it is over, what is
/// ready is still yielded; then comes one [`Expired`](WaitError::Expired), and then nothing. Dropping the
/// iterator leaves the futures as they are, and nothing behind in them. The work for each future does not
/// depend on how many there are.
///
/// ```
/// use settled::{Executor, ThreadPool, as_completed};
///
/// let pool = ThreadPool::default();
/// let jobs: Vec<_> = (0..4).map(|n| pool.submit(move || n * n).unwrap()).collect();
/// let mut sum = 0;
/// for item in as_completed(&jobs, None) {
///     let (place, square) = item.unwrap();
///     assert_eq!(square.result().unwrap(), &(place * place));
///     sum += square.result().unwrap();
/// }
/// assert_eq!(sum, 14);
/// ```
pub fn as_completed<'a, T, E>(
    futures: impl IntoIterator<Item = &'a ThreadFuture<T, E>>,
    timeout: Option<Duration>,
) -> AsCompleted<'a, T, E> {
    let deadline = timeout.and_then(after);
    let group = Group::register(futures);
    let left = group.members.len();
    AsCompleted { group, deadline, ready: VecDeque::new(), told: Vec::new(), left }
}

/// The iterator of [`as_completed`]. `next` blocks until a future is settled. `[wait-6]`
///
/// An item is [`WaitError::WouldDeadlock`] instead of a wait on a thread that runs an event loop, or
/// on a worker whose wait would close a circle; the iterator is then at its end. `[deadlock-1]`
#[must_use = "it yields nothing unless it is iterated"]
pub struct AsCompleted<'a, T, E> {
    group: Group<'a, T, E>,
    deadline: Option<Instant>,
    ready: VecDeque<usize>,
    told: Vec<usize>,
    /// How many are still to be yielded; none once an error was.
    left: usize,
}

impl<'a, T, E> Iterator for AsCompleted<'a, T, E> {
    type Item = Result<(usize, &'a Settled<T, E>), WaitError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        loop {
            if let Some(number) = self.ready.pop_front() {
                self.left -= 1;
                let settled = self.group.hear(number);
                return Some(Ok((self.group.members[number].place, settled)));
            }
            self.group.inbox.take(&mut self.told);
            if !self.told.is_empty() {
                self.ready.extend(self.told.drain(..));
                continue;
            }
            let error = match self.group.sleep(1, Wanted::Any, self.deadline) {
                Ok(true) => continue,
                Ok(false) => WaitError::Expired(Expired),
                Err(error) => WaitError::WouldDeadlock(error),
            };
            self.left = 0;
            return Some(Err(error));
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.left > 0), Some(self.left))
    }
}

impl<T, E> FusedIterator for AsCompleted<'_, T, E> {}

impl<T, E> fmt::Debug for AsCompleted<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted").field("left", &self.left).finish_non_exhaustive()
    }
}

/// Several futures that share an inbox, by number.
struct Group<'a, T, E> {
    members: Vec<Member<'a, T, E>>,
    inbox: Arc<Inbox>,
    /// The cells of those that were not heard of, on a worker.
    left: Option<Arc<HashSet<Address>>>,
}

struct Member<'a, T, E> {
    place: usize,
    future: &'a ThreadFuture<T, E>,
    /// Its place among the waiters of the cell, until it was heard of.
    ticket: Option<Ticket>,
}

impl<'a, T, E> Group<'a, T, E> {
    /// Registers with each future, once. Those that are settled are told of at once, so that the
    /// inbox hears of each exactly once.
    fn register(futures: impl IntoIterator<Item = &'a ThreadFuture<T, E>>) -> Self {
        let mut cells = HashSet::new();
        let mut group = Self { members: Vec::new(), inbox: Arc::default(), left: None };
        for (place, future) in futures.into_iter().enumerate() {
            if cells.insert(future.handle().address()) {
                let number = group.members.len();
                let waiter = Waiter::Member(Arc::clone(&group.inbox), number);
                let ticket = match future.handle().register(waiter) {
                    Ok(ticket) => Some(ticket),
                    Err(waiter) => {
                        waiter.notify();
                        None
                    }
                };
                group.members.push(Member { place, future, ticket });
            }
        }
        group.left = is_worker().then(|| Arc::new(cells));
        group
    }

    /// The inbox told of this one: it is settled, and nothing of this group is left in it.
    fn hear(&mut self, number: usize) -> &'a Settled<T, E> {
        let member = &mut self.members[number];
        member.ticket = None;
        if let Some(left) = &mut self.left {
            Arc::make_mut(left).remove(&member.future.handle().address());
        }
        member.future.settled().expect("it was told")
    }

    /// Sleeps until the inbox tells of this many, or the deadline has passed.
    fn sleep(
        &self,
        many: usize,
        wanted: Wanted,
        deadline: Option<Instant>,
    ) -> Result<bool, WouldDeadlock> {
        loop {
            if is_over(deadline) || self.inbox.count() >= many {
                return Ok(self.inbox.count() >= many);
            }
            let cells = self.left.as_ref().map(|left| Cells::Many(Arc::clone(left)));
            match before_parking(wanted, cells)? {
                May::LookAgain => {}
                May::Park(_registered) => return Ok(self.inbox.sleep(many, deadline)),
            }
        }
    }

    /// Leaves all futures, and says which of them are settled by then.
    fn part(mut self) -> Parted<'a, T, E> {
        let (mut done, mut not_done) = (Vec::new(), Vec::new());
        for Member { place, future, ticket } in self.members.drain(..) {
            // One whose ticket is gone has settled meanwhile.
            let left = ticket.is_some_and(|ticket| future.handle().deregister(ticket).is_some());
            match future.settled() {
                Some(settled) if !left => done.push((place, settled)),
                _ => not_done.push((place, future)),
            }
        }
        (done, not_done)
    }
}

impl<T, E> Drop for Group<'_, T, E> {
    fn drop(&mut self) {
        for Member { future, ticket, .. } in self.members.drain(..) {
            if let Some(ticket) = ticket {
                drop(future.handle().deregister(ticket));
            }
        }
    }
}
