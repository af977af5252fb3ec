//! Waiting for several futures.

use std::{
    borrow::Borrow,
    cell::RefCell,
    collections::VecDeque,
    fmt,
    future::{Future, poll_fn},
    marker::PhantomData,
    mem,
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::{Sleep, sleep};
use crate::{
    Expired, LoopFuture, ReturnWhen, Settled, Token,
    addresses::Addresses,
    context::{self, Id},
    event_loop::forward,
};

/// Waits for all of several futures, or for the first that has no value; the others then go on. Python's
/// `asyncio.gather`. `[combine-3]`
///
/// The values come in the order of the input. None at all is complete at once.
///
/// # Errors
///
/// The first, in time, that settled without a value.
///
/// # Panics
///
/// For a future of another loop that is not settled, and for the future of the very task that waits. `[await-5]`
///
/// ```
/// use settled::{EventLoop, LoopRef, ReturnWhen, tasks};
///
/// let event_loop = EventLoop::new();
/// event_loop.run_until_complete(async {
///     let here = LoopRef::current().unwrap();
///     let squares = || (0..3_u32).map(|n| here.create_task(async move { n * n }).unwrap());
///     let values = tasks::gather(squares()).await.unwrap();
///     assert_eq!(values[2].result().unwrap(), &4);
///     assert_eq!(tasks::gather_all(squares()).await.len(), 3);
///
///     let jobs: Vec<_> = squares().collect();
///     let (done, not_done) = tasks::wait(&jobs, None, ReturnWhen::AllCompleted).await;
///     assert_eq!((done.len(), not_done.len()), (3, 0));
///     let mut each = tasks::as_completed(&jobs, None);
///     while let Some(next) = each.next().await {
///         let (place, square) = next.unwrap();
///         assert_eq!(*square.result().unwrap() as usize, place * place);
///     }
/// }).unwrap();
/// ```
#[doc(alias("join_all", "try_join_all"))]
pub async fn gather<T: 'static, E: 'static>(
    futures: impl IntoIterator<Item = LoopFuture<T, E>>,
) -> Result<Vec<Settled<T, E>>, Settled<T, E>> {
    let mut group = Group::of(futures);
    while let Some(number) = group.next().await {
        if group.members[number].0.settled().is_some_and(|it| it.peek().is_err()) {
            return Err(group.into_futures().swap_remove(number).await);
        }
    }
    Ok(all(group.into_futures()).await)
}

/// Waits for all of several futures, whatever they end with. Python's
/// `asyncio.gather(return_exceptions=True)`. `[combine-3]`
///
/// The outcomes come in the order of the input. None at all is complete at once.
///
/// # Panics
///
/// For a future of another loop that is not settled, and for the future of the very task that waits. `[await-5]`
#[doc(alias("join_all", "return_exceptions"))]
pub async fn gather_all<T: 'static, E: 'static>(
    futures: impl IntoIterator<Item = LoopFuture<T, E>>,
) -> Vec<Settled<T, E>> {
    let mut group = Group::of(futures);
    while group.next().await.is_some() {}
    all(group.into_futures()).await
}

/// The proofs of futures that are settled: an await by value lets the callbacks that are lent them run
/// first.
async fn all<T: 'static, E: 'static>(futures: Vec<LoopFuture<T, E>>) -> Vec<Settled<T, E>> {
    let mut settled = Vec::with_capacity(futures.len());
    for future in futures {
        settled.push(future.await);
    }
    settled
}

/// The futures that are settled and those that are not, each with its place in the input. Made by
/// [`wait`]. `[combine-4]`
///
/// ```
/// use std::future::{pending, ready};
/// use settled::{EventLoop, ReturnWhen, tasks};
///
/// let event_loop = EventLoop::new();
/// let (soon, never) = (event_loop.create_task(ready(7)).unwrap(), event_loop.create_task(pending()).unwrap());
/// let waits = tasks::wait([&soon, &never], None, ReturnWhen::FirstCompleted);
/// let (done, not_done): tasks::Parted<'_, u32, _> = event_loop.run_until_complete(waits).unwrap();
/// assert_eq!((done[0].0, not_done[0].0), (0, 1)); // the places
/// ```
pub type Parted<'a, T, E> = (Vec<(usize, &'a Settled<T, E>)>, Vec<(usize, &'a LoopFuture<T, E>)>);

/// Waits until enough of several futures are settled, for `timeout` at the most. Python's
/// `asyncio.wait`. `[combine-4]`
///
/// As [`settled::wait`](crate::wait()), it returns what is settled and what is not, in the order of the
/// input; a future that was given several times counts once, in the first place; the end of the timeout is no
/// error, nothing is consumed, and nothing cancelled. None at all returns at once (in Python it is an error, D38).
///
/// # Panics
///
/// As [`sleep`] if there is a timeout, for a future of another loop that is not settled, and for the future of the
/// very task that waits. `[await-5]`
#[doc(alias = "select_all")]
pub async fn wait<'a, T: 'static, E: 'static>(
    futures: impl IntoIterator<Item = &'a LoopFuture<T, E>>,
    timeout: Option<Duration>,
    return_when: ReturnWhen,
) -> Parted<'a, T, E> {
    let mut sleep = pin!(timeout.map(sleep));
    let (places, futures) = distinct(futures);
    let mut group = Group::of(futures);
    let mut enough = false;
    while !enough {
        let next = poll_fn(|cx| match group.poll_next(cx) {
            Poll::Ready(next) => Poll::Ready(next),
            Poll::Pending => match sleep.as_mut().as_pin_mut() {
                Some(sleep) => sleep.poll(cx).map(|()| None),
                None => Poll::Pending,
            },
        });
        let Some(number) = next.await else { break };
        let settled = group.members[number].0.settled();
        enough = settled.is_some_and(|it| return_when.is_met_by(it));
    }
    let (mut done, mut not_done) = (Vec::new(), Vec::new());
    for (place, future) in places.into_iter().zip(group.into_futures()) {
        match future.settled() {
            Some(settled) => done.push((place, settled)),
            None => not_done.push((place, future)),
        }
    }
    (done, not_done)
}

/// Yields each of several futures as soon as it is settled. Python's `asyncio.as_completed`. `[combine-4]`
///
/// The timeout counts from this call. When it is over, what is ready is still yielded; then comes one [`Expired`], and
/// then nothing, as from [`settled::as_completed`](crate::as_completed). The futures are as they were: call it again to
/// go on with them. In Python each that remains raises (D44). A future that was given several times counts once.
///
/// # Panics
///
/// As [`sleep`] if there is a timeout, for a future of another loop that is not settled, and for the future of the
/// very task that waits. `[await-5]`
#[doc(alias = "FuturesUnordered")]
pub fn as_completed<'a, T: 'static, E: 'static>(
    futures: impl IntoIterator<Item = &'a LoopFuture<T, E>>,
    timeout: Option<Duration>,
) -> AsCompleted<'a, T, E> {
    let (places, futures) = distinct(futures);
    let sleep = timeout.map(sleep).map(Box::pin);
    AsCompleted { places, group: Group::of(futures), sleep, expired: false }
}

/// Each future once, and its first place.
fn distinct<'a, T: 'static, E: 'static>(
    futures: impl IntoIterator<Item = &'a LoopFuture<T, E>>,
) -> (Vec<usize>, Vec<&'a LoopFuture<T, E>>) {
    let mut cells = Addresses::default();
    let first = |(_, future): &(usize, &LoopFuture<T, E>)| cells.insert(future.address());
    futures.into_iter().enumerate().filter(first).unzip()
}

/// What [`as_completed`] yields, one by one. `[combine-4]`
///
/// ```
/// use settled::{EventLoop, tasks};
///
/// let event_loop = EventLoop::new();
/// let futures = [1, 2].map(|n| event_loop.create_task(async move { n }).unwrap());
/// let sum = event_loop.run_until_complete(async {
///     let (mut each, mut sum) = (tasks::as_completed(&futures, None), 0);
///     while let Some(next) = each.next().await {
///         let (_place, settled) = next.unwrap();
///         sum += settled.result().unwrap();
///     }
///     sum
/// });
/// assert_eq!(sum, Ok(3));
/// ```
#[must_use = "it yields nothing unless `next` is awaited"]
pub struct AsCompleted<'a, T: 'static, E: 'static> {
    places: Vec<usize>,
    group: Group<T, E, &'a LoopFuture<T, E>>,
    sleep: Option<Pin<Box<Sleep>>>,
    /// Whether it is at its end because the time was over.
    expired: bool,
}

impl<'a, T: 'static, E: 'static> AsCompleted<'a, T, E> {
    /// Returns the next future that is settled, with its place in the input; `None` when all were, or when the time was
    /// over. Those that are settled come in the order in which the loop delivered them. `[combine-4]`
    ///
    /// Cancel safety: dropping what this returns loses nothing.
    ///
    /// # Errors
    ///
    /// [`Expired`], once, when the time is over and nothing is ready.
    pub async fn next(&mut self) -> Option<Result<(usize, &'a Settled<T, E>), Expired>> {
        let Self { places, group, sleep, expired } = self;
        if *expired {
            return None;
        }
        let next = poll_fn(|cx| match (group.poll_next(cx), &mut *sleep) {
            (Poll::Ready(next), _) => Poll::Ready(Ok(next)),
            (Poll::Pending, Some(sleep)) => sleep.as_mut().poll(cx).map(|()| Err(Expired)),
            (Poll::Pending, None) => Poll::Pending,
        });
        match next.await {
            Ok(number) => {
                let number = number?;
                let settled = group.members[number].0.settled().expect("it was delivered");
                Some(Ok((places[number], settled)))
            }
            Err(over) => {
                *expired = true;
                Some(Err(over))
            }
        }
    }
}

impl<T: 'static, E: 'static> fmt::Debug for AsCompleted<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted").field("left", &self.group.left).finish_non_exhaustive()
    }
}

/// Several futures that tell one task of their arrival, by number.
struct Group<T: 'static, E: 'static, F: Member<T, E> = LoopFuture<T, E>> {
    members: Vec<(F, Token)>,
    arrivals: Rc<RefCell<Arrivals>>,
    /// How many have not been told of.
    left: usize,
    /// The task that waits for them: none of them is its own future.
    asked_by: Option<Id>,
    of: PhantomData<(T, E)>,
}

/// A future in a group, by value or by reference.
trait Member<T: 'static, E: 'static>: Borrow<LoopFuture<T, E>> {
    /// Whether a stop goes on to it.
    const OWNS: bool;
}

impl<T: 'static, E: 'static> Member<T, E> for LoopFuture<T, E> {
    const OWNS: bool = true;
}

impl<T: 'static, E: 'static> Member<T, E> for &LoopFuture<T, E> {
    const OWNS: bool = false;
}

#[derive(Default)]
struct Arrivals {
    ready: VecDeque<usize>,
    waker: Option<Waker>,
}

/// Tells of an arrival when it is called, and also when it is dropped uncalled because the loop was
/// closed.
struct Arrive(Rc<RefCell<Arrivals>>, usize);

impl Drop for Arrive {
    fn drop(&mut self) {
        let waker = {
            let mut arrivals = self.0.borrow_mut();
            arrivals.ready.push_back(self.1);
            arrivals.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T: 'static, E: 'static, F: Member<T, E>> Group<T, E, F> {
    fn of(futures: impl IntoIterator<Item = F>) -> Self {
        let arrivals = Rc::new(RefCell::new(Arrivals::default()));
        let mut members: Vec<(F, Token)> = Vec::new();
        for future in futures {
            future.borrow().check_home();
            let arrive = Arrive(Rc::clone(&arrivals), members.len());
            let token = future.borrow().wait_with(move |_| drop(arrive));
            members.push((future, token));
        }
        let left = members.len();
        Self { members, arrivals, left, asked_by: None, of: PhantomData }
    }

    /// The number of the next that has settled; `None` when there is none left.
    fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Option<usize>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let task = context::current_task();
        if self.asked_by != task {
            self.asked_by = task;
            for (future, _) in &self.members {
                future.borrow().check_other();
            }
        }
        // Cloning and dropping a waker is foreign code.
        let waker = cx.waker().clone();
        loop {
            let mut arrivals = self.arrivals.borrow_mut();
            let Some(number) = arrivals.ready.pop_front() else {
                let last = arrivals.waker.replace(waker);
                drop((arrivals, last));
                return Poll::Pending;
            };
            drop(arrivals);
            // One whose loop was closed before it settled is never delivered.
            if self.members[number].0.borrow().done() {
                self.left -= 1;
                return Poll::Ready(Some(number));
            }
        }
    }

    async fn next(&mut self) -> Option<usize> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Leaves the futures.
    fn leave(&mut self) -> Vec<F> {
        let members = mem::take(&mut self.members);
        let leave = |(future, token): (F, Token)| {
            future.borrow().remove_done_callback(token);
            future
        };
        members.into_iter().map(leave).collect()
    }

    fn into_futures(mut self) -> Vec<F> {
        self.leave()
    }
}

impl<T: 'static, E: 'static, F: Member<T, E>> Drop for Group<T, E, F> {
    fn drop(&mut self) {
        for future in self.leave() {
            if F::OWNS {
                forward(future.borrow());
            }
        }
    }
}
