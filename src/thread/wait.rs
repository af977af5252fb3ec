//! Waiting for several futures: [`wait`] and [`as_completed`].

use std::{
    collections::{BTreeSet, VecDeque},
    fmt,
    iter::FusedIterator,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{ThreadFuture, watched::Watched};
use crate::{
    addresses::Addresses,
    blocking::{Cells, Looked, May, Wanted, before_parking, is_worker},
    cell::{Address, Ticket, Until},
    deferred,
    error::WaitError,
    inbox::Inbox,
    output::JoinError,
    settled::Settled,
    sync::{after, is_over},
    waiter::Waiter,
};

/// When [`wait`] and [`tasks::wait`](crate::tasks::wait) return. `[wait-5]` `[combine-4]`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReturnWhen {
    /// When at least one future is settled.
    #[doc(alias = "FIRST_COMPLETED")]
    FirstCompleted,
    /// When at least one future finished without a value, or all are settled. A cancelled future is
    /// settled, and does not count as one that failed.
    #[doc(alias = "FIRST_EXCEPTION")]
    FirstException,
    /// When all futures are settled.
    #[doc(alias = "ALL_COMPLETED")]
    AllCompleted,
}

impl ReturnWhen {
    /// Whether a wait for several has heard enough, once it has heard of this one. Of all of them is always enough.
    pub(crate) fn is_met_by<T, E>(self, settled: &Settled<T, E>) -> bool {
        match self {
            Self::FirstCompleted => true,
            Self::FirstException => settled.peek().is_err() && !settled.cancelled(),
            Self::AllCompleted => false,
        }
    }
}

/// The futures that are settled and those that are not, each with its place in the input. Made by
/// [`wait`]. `[wait-5]`
///
/// ```
/// use settled::{Parted, ReturnWhen, ThreadFuture, wait};
///
/// let (promise, future) = ThreadFuture::<u32, ()>::pair();
/// promise.finish(7).unwrap();
/// let (done, not_done): Parted<'_, u32, ()> = wait([&future], None, ReturnWhen::AllCompleted).unwrap();
/// assert_eq!((done.len(), not_done.len()), (1, 0));
/// ```
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
/// [`WaitError::WouldDeadlock`] instead of blocking, on a thread that runs an event loop, or on a worker whose
/// wait would close a circle, or in many callbacks that wait inside each other. `[deadlock-1]` `[pool-8]`
/// `[callback-8]` [`WaitError::Interrupted`] if an [`Interrupt`](crate::Interrupt) that this thread has entered ends
/// the wait. `[wait-9]`
#[doc(alias("select_all", "join_all", "wait_any", "wait_all"))]
pub fn wait<'a, T, E>(
    futures: impl IntoIterator<Item = &'a ThreadFuture<T, E>>,
    timeout: Option<Duration>,
    return_when: ReturnWhen,
) -> Result<Parted<'a, T, E>, WaitError> {
    let deadline = timeout.and_then(after);
    let mut group = Watch::register(futures);
    let all = group.members.len();
    let (mut heard, mut enough) = (0, false);
    let mut told = Vec::new();
    loop {
        group.inbox.take(&mut told);
        for number in told.drain(..) {
            heard += 1;
            group.hear(number);
            let settled = group.members[number].future.and_then(ThreadFuture::settled);
            enough |= settled.is_some_and(|it| return_when.is_met_by(it));
        }
        if enough || heard == all {
            break;
        }
        let slept = match return_when {
            ReturnWhen::AllCompleted => group.sleep(all - heard, Wanted::All, deadline),
            _ => group.sleep(1, Wanted::Any, deadline),
        };
        match slept {
            Ok(()) => {}
            Err(WaitError::Expired(_)) => break,
            Err(error) => return Err(error.told()),
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
/// Of futures by value it yields the outcome of each by value, as [`ThreadFuture::join`] does, when the callbacks have
/// returned that read it. The iterator then borrows nothing, and can live in a struct or go to another thread. It drops
/// the second handle of a future, and its own when it is dropped; [`into_left`](AsCompleted::into_left) gives back what
/// it has not yielded. `[wait-8]` Where the work's error is no [`std::error::Error`], such as an `anyhow::Error`, go
/// over them by reference, and take each with [`join_result()??`](ThreadFuture::join_result).
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
/// for item in as_completed(jobs, None) {
///     let (place, square) = item.unwrap();
///     assert_eq!(square.unwrap(), place * place);   // by value
/// }
/// ```
#[doc(alias = "FuturesUnordered")]
pub fn as_completed<F: IntoCompleted>(
    futures: impl IntoIterator<Item = F>,
    timeout: Option<Duration>,
) -> AsCompleted<F> {
    let deadline = timeout.and_then(after);
    let group = Watch::register(futures);
    let left = group.members.len();
    AsCompleted { group, deadline, ready: VecDeque::new(), told: Vec::new(), left }
}

/// A handle that [`as_completed`] takes: `&ThreadFuture`, for which it yields the proof that it is settled, or
/// `ThreadFuture`, for which it yields the outcome by value. `[wait-6]` `[wait-8]`
///
/// ```
/// use settled::{IntoCompleted, ThreadFuture, as_completed};
///
/// // Of futures by value, and by reference.
/// fn count(futures: Vec<impl IntoCompleted>) -> usize {
///     as_completed(futures, None).map(Result::unwrap).count()
/// }
///
/// let futures: Vec<_> = (0..2).map(|n| {
///     let (promise, future) = ThreadFuture::<u32, ()>::pair();
///     promise.finish(n).unwrap();
///     future
/// }).collect();
/// assert_eq!(count(futures.iter().collect()), 2);
/// assert_eq!(count(futures), 2);
/// ```
pub trait IntoCompleted: Handed {
    /// What is yielded for it.
    type Completed;

    /// Gives it for a handle that is settled, and of which no callback reads the outcome if it goes by value.
    #[doc(hidden)]
    fn complete(self) -> Self::Completed;
}

/// What the iterator needs of a handle. Nobody else can implement it.
pub trait Handed {
    #[doc(hidden)]
    type T;
    #[doc(hidden)]
    type E;
    /// Whether it waits for the callbacks to return, too.
    #[doc(hidden)]
    const RETURNED: bool;
    #[doc(hidden)]
    fn future(&self) -> &ThreadFuture<Self::T, Self::E>;
}

impl<T, E> Handed for &ThreadFuture<T, E> {
    type T = T;
    type E = E;
    const RETURNED: bool = false;

    fn future(&self) -> &ThreadFuture<T, E> {
        self
    }
}

impl<'a, T, E> IntoCompleted for &'a ThreadFuture<T, E> {
    type Completed = &'a Settled<T, E>;

    fn complete(self) -> Self::Completed {
        self.settled().expect("it was told")
    }
}

impl<T, E> Handed for ThreadFuture<T, E> {
    type T = T;
    type E = E;
    const RETURNED: bool = true;

    fn future(&self) -> &Self {
        self
    }
}

impl<T, E> IntoCompleted for ThreadFuture<T, E> {
    type Completed = Result<T, JoinError<E>>;

    fn complete(self) -> Self::Completed {
        self.into_inner().give()
    }
}

/// The iterator of [`as_completed`]. `next` blocks until a future is settled. `[wait-6]`
///
/// An item is [`WaitError::WouldDeadlock`] instead of a wait on a thread that runs an event loop, or
/// on a worker whose wait would close a circle, or of a value that only callbacks still read inside which this thread
/// is; the iterator is then at its end. So it is after [`WaitError::Interrupted`]. `[deadlock-1]` `[wait-8]` `[wait-9]`
///
/// Of futures by value it owns all that it needs:
///
/// ```
/// use std::convert::Infallible;
/// use settled::{AsCompleted, Executor, ThreadFuture, ThreadPool, as_completed};
///
/// struct Batch {
///     results: AsCompleted<ThreadFuture<u32, Infallible>>,
/// }
///
/// let pool = ThreadPool::default();
/// let mut batch = Batch { results: as_completed([pool.submit(|| 7).unwrap()], None) };
/// let (_place, result) = batch.results.next().unwrap().unwrap();
/// assert_eq!(result.unwrap(), 7);
/// ```
#[must_use = "it yields nothing unless it is iterated"]
pub struct AsCompleted<F: IntoCompleted> {
    group: Watch<F>,
    deadline: Option<Instant>,
    ready: VecDeque<usize>,
    told: Vec<usize>,
    /// How many are still to be yielded; none once an error was.
    left: usize,
}

impl<F: IntoCompleted> AsCompleted<F> {
    /// Returns how many futures have not been yielded, also when it is at its end because the time was over. Python
    /// tells it in the message of its `TimeoutError`. `[wait-6]`
    #[must_use]
    pub fn left(&self) -> usize {
        self.group.members.iter().filter(|member| member.future.is_some()).count()
    }

    /// Returns the futures that were not yielded, each with its place in the input, in the order of the input. Some of
    /// them may be settled. `[wait-8]`
    ///
    /// ```
    /// use std::time::Duration;
    /// use settled::{ThreadFuture, as_completed};
    ///
    /// let (promise, future) = ThreadFuture::<u32, ()>::pair();
    /// let mut results = as_completed([future], Some(Duration::ZERO));
    /// assert!(results.next().unwrap().is_err(), "the time is over");
    /// assert_eq!(results.left(), 1);
    /// let (_place, future) = results.into_left().remove(0);
    /// promise.finish(5).unwrap();
    /// assert_eq!(future.join().unwrap(), 5);
    /// ```
    #[must_use]
    pub fn into_left(mut self) -> Vec<(usize, F)> {
        self.group.leave().collect()
    }
}

impl<F: IntoCompleted> Iterator for AsCompleted<F> {
    type Item = Result<(usize, F::Completed), WaitError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let wanted = if F::RETURNED { Wanted::AnyReturned } else { Wanted::Any };
        loop {
            if let Some(number) = self.ready.pop_front() {
                if self.group.lends_again(number) {
                    continue;
                }
                self.left -= 1;
                self.group.hear(number);
                let Member { place, future, .. } = &mut self.group.members[number];
                let future = future.take().expect("it is told of once");
                return Some(Ok((*place, future.complete())));
            }
            self.group.inbox.take(&mut self.told);
            if !self.told.is_empty() {
                self.ready.extend(self.told.drain(..));
                continue;
            }
            if let Err(error) = self.group.sleep(1, wanted, self.deadline) {
                self.left = 0;
                return Some(Err(error.told()));
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.left > 0), Some(self.left))
    }
}

impl<F: IntoCompleted> FusedIterator for AsCompleted<F> {}

impl<F: IntoCompleted> fmt::Debug for AsCompleted<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted").field("left", &self.left).finish_non_exhaustive()
    }
}

/// Several futures that share an inbox, by number.
pub(super) struct Watch<F: Watched> {
    pub(super) members: Vec<Member<F>>,
    pub(super) inbox: Arc<Inbox>,
    /// The cells of those that were not heard of, once they have decided whether a thread may wait.
    left: Option<Arc<BTreeSet<Address>>>,
    /// Those of them that are waited for by reference, if others are by value.
    by_reference: Option<Arc<BTreeSet<Address>>>,
    /// What it has seen of the queue in which they may be.
    looked: Looked,
}

pub(super) struct Member<F> {
    place: usize,
    /// `None` once it was yielded.
    future: Option<F>,
    /// Its place among the waiters of the cell, until it was heard of.
    ticket: Option<Ticket>,
}

impl<F: Watched> Watch<F> {
    /// Registers with each future, once. Those for which there is nothing to wait are told of at once, so that the
    /// inbox hears of each exactly once.
    pub(super) fn register(futures: impl IntoIterator<Item = F>) -> Self {
        let futures = futures.into_iter();
        let many = futures.size_hint().0;
        let mut cells = Addresses::with_capacity_and_hasher(many, Default::default());
        let mut first = Some(Vec::new());
        let mut group = Self {
            members: Vec::with_capacity(many),
            inbox: Arc::default(),
            left: None,
            by_reference: None,
            looked: Looked::default(),
        };
        for (place, future) in futures.enumerate() {
            if cells.insert(future.address()) {
                let number = group.members.len();
                let ticket = group.enter(&future, number, &mut first);
                group.members.push(Member { place, future: Some(future), ticket });
            }
        }
        first.into_iter().for_each(|first| group.inbox.tell_first(first));
        group
    }

    /// Has the inbox told of this one: now, if there is nothing to wait for, which mostly is seen without a lock. Those
    /// of which that is so are told together, as long as nobody else can tell of another.
    fn enter(&self, future: &F, number: usize, first: &mut Option<Vec<usize>>) -> Option<Ticket> {
        let until = future.until();
        if !future.is_over(until) {
            first.take().into_iter().for_each(|first| self.inbox.tell_first(first));
            let waiter = Waiter::Member(Arc::clone(&self.inbox), number);
            if let Ok(ticket) = future.register_until(until, waiter) {
                return Some(ticket);
            }
        }
        match first {
            Some(first) => first.push(number),
            None => self.inbox.tell(number),
        }
        None
    }

    /// Whether a callback that was registered late and deferred reads the outcome after the inbox told of this one; the
    /// inbox is then told again. `[settled-5]`
    fn lends_again(&mut self, number: usize) -> bool {
        let member = &mut self.members[number];
        let by_value = |future: &&F| future.until() == Until::Returned;
        let Some(future) = member.future.as_ref().filter(by_value) else { return false };
        if future.is_over(Until::Returned) {
            member.ticket = None;
            return false;
        }
        let waiter = Waiter::Member(Arc::clone(&self.inbox), number);
        member.ticket = future.register_until(future.until(), waiter).ok();
        let address = future.address();
        if let (Some(left), Some(_)) = (&mut self.left, &member.ticket)
            && Arc::make_mut(left).insert(address)
        {
            // What was looked at for the others was not for this one.
            self.looked = Looked::default();
        }
        member.ticket.is_some()
    }

    /// Of how many this is so; the inbox told of all.
    pub(super) fn lend_again(&mut self) -> usize {
        (0..self.members.len()).filter(|number| self.lends_again(*number)).count()
    }

    /// Takes note that the inbox has told of this one: it is waited for no more, and holds no ticket of this group.
    pub(super) fn hear(&mut self, number: usize) {
        let member = &mut self.members[number];
        member.ticket = None;
        if let (Some(left), Some(future)) = (&mut self.left, &member.future) {
            Arc::make_mut(left).remove(&future.address());
        }
    }

    /// Takes note of the cells of those that were not heard of, where they decide whether this thread may wait: it need
    /// not be the one that has registered.
    fn take_note(&mut self, wanted: Wanted) {
        if self.left.is_none()
            && (is_worker() || wanted.returned() && !deferred::lending().is_empty())
        {
            let left = self.members.iter().filter(|member| member.ticket.is_some());
            let left = left.filter_map(|member| member.future.as_ref());
            self.left = Some(Arc::new(left.clone().map(Watched::address).collect()));
            let mut settled = left.filter(|future| future.until() == Until::Settled).peekable();
            if wanted.returned() && settled.peek().is_some() {
                self.by_reference = Some(Arc::new(settled.map(Watched::address).collect()));
            }
        }
    }

    /// Sleeps until the inbox tells of this many, or says why it does not; if it was interrupted, the caller's caller is
    /// still to be told. All that the inbox told of before was heard.
    pub(super) fn sleep(
        &mut self,
        many: usize,
        wanted: Wanted,
        deadline: Option<Instant>,
    ) -> Result<(), WaitError> {
        self.take_note(wanted);
        let is_told = loop {
            if is_over(deadline) || self.inbox.count() >= many {
                break self.inbox.count() >= many;
            }
            let cells = self.left.clone().map(|left| match self.by_reference.clone() {
                None => Cells::Many(left),
                Some(by_reference) => Cells::Mixed(left, by_reference),
            });
            match before_parking(wanted, cells, &mut self.looked)? {
                May::LookAgain => {}
                May::Park(_registered) => break self.inbox.sleep(many, deadline),
            }
        };
        if is_told { Ok(()) } else { Err(WaitError::of(deadline)) }
    }

    /// Leaves all futures that were not yielded, and gives them back.
    fn leave(&mut self) -> impl Iterator<Item = (usize, F)> {
        self.members.drain(..).filter_map(|Member { place, future, ticket }| {
            let future = future?;
            if let Some(ticket) = ticket {
                drop(future.deregister(ticket));
            }
            Some((place, future))
        })
    }
}

impl<'a, T, E> Watch<&'a ThreadFuture<T, E>> {
    /// Leaves all futures, and says which of them are settled by then.
    fn part(mut self) -> Parted<'a, T, E> {
        let (mut done, mut not_done) = (Vec::new(), Vec::new());
        for Member { place, future, ticket } in self.members.drain(..) {
            let Some(future) = future else { continue };
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

impl<F: Watched> Drop for Watch<F> {
    fn drop(&mut self) {
        self.leave().for_each(drop);
    }
}
