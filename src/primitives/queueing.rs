//! Those who stand in the lines of a queue: each is told by an event of his own.

use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use super::{
    event::{AwaitEvent, Event},
    line::Ticket,
    stock::Stock,
};
use crate::{
    error::{NotPut, QueueClosed, QueueError, TryPutError, WaitError},
    sync::{Mutex, lock},
};

/// What the handles of a queue share.
pub(super) struct Shared<T>(Arc<Mutex<Stock<T, Event>>>);

impl<T> Shared<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self(Arc::new(Mutex::new(Stock::new(capacity))))
    }

    pub(super) fn read<R>(&self, read: impl FnOnce(&Stock<T, Event>) -> R) -> R {
        read(&lock(&self.0))
    }

    /// The same, unless somebody is about to change it.
    pub(super) fn look<R>(&self, look: impl FnOnce(&Stock<T, Event>) -> R) -> Option<R> {
        self.0.try_lock().ok().map(|stock| look(&stock))
    }

    /// Changes it, and then tells those who are to be told, with no lock held.
    pub(super) fn change<R, L: IntoIterator<Item = Event>>(
        &self,
        change: impl FnOnce(&mut Stock<T, Event>) -> (R, L),
    ) -> R {
        let (what, told) = change(&mut lock(&self.0));
        told.into_iter().for_each(|event| event.set());
        what
    }

    pub(super) fn put(&self, value: T) -> Result<(), NotPut<T, TryPutError>> {
        self.change(|stock| match stock.put(value) {
            Ok(told) => (Ok(()), told),
            Err(value) if stock.is_closed() => {
                (Err(NotPut { value, cause: QueueClosed.into() }), None)
            }
            Err(value) => (Err(NotPut { value, cause: TryPutError::Full }), None),
        })
    }

    pub(super) fn get(&self) -> Result<Option<T>, QueueClosed> {
        self.change(|stock| match stock.get() {
            Some((value, told)) => (Ok(Some(value)), told),
            None if stock.is_over() => (Err(QueueClosed), None),
            None => (Ok(None), None),
        })
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// One who waits to put. Dropped, he leaves, with what he brought.
pub(super) struct Putter<T> {
    queue: Shared<T>,
    /// `None` once he has his answer.
    ticket: Option<Ticket>,
}

/// What has become of one who waited to put.
enum Put<T> {
    IsIn,
    /// It was closed.
    Refused(T),
    /// He waited still.
    Left(T),
}

impl<T> Putter<T> {
    /// Puts the value, or says that it is closed, or stands in the line.
    pub(super) fn come(
        queue: &Shared<T>,
        value: T,
        event: &Event,
    ) -> Result<Self, Result<(), NotPut<T, QueueClosed>>> {
        let ticket = queue.change(|stock| match stock.put(value) {
            Ok(told) => (Err(Ok(())), told),
            Err(value) if stock.is_closed() => {
                (Err(Err(NotPut { value, cause: QueueClosed })), None)
            }
            Err(value) => (Ok(stock.wait_to_put(value, event.clone())), None),
        })?;
        Ok(Self { queue: queue.clone(), ticket: Some(ticket) })
    }

    fn leave(&mut self) -> Put<T> {
        let Some(ticket) = self.ticket.take() else { return Put::IsIn };
        match self.queue.change(|stock| (stock.end_put(ticket), None)) {
            (Ok(()), _) => Put::IsIn,
            (Err(value), None) => Put::Refused(value),
            (Err(value), Some(_)) => Put::Left(value),
        }
    }

    /// His answer, if he was told.
    fn come_for_it(&mut self) -> Option<Result<(), NotPut<T, QueueClosed>>> {
        let ticket = self.ticket?;
        let answer = self.queue.change(|stock| (stock.come_put(ticket), None))?;
        self.ticket = None;
        Some(answer.map_err(|value| NotPut { value, cause: QueueClosed }))
    }

    /// His wait has ended so.
    pub(super) fn end(mut self, wait: Result<(), WaitError>) -> Result<(), NotPut<T>> {
        match (self.leave(), wait) {
            (Put::IsIn, _) => Ok(()),
            (Put::Left(value), Err(error)) => Err(NotPut { value, cause: error.told().into() }),
            (Put::Refused(value) | Put::Left(value), _) => {
                Err(NotPut { value, cause: QueueClosed.into() })
            }
        }
    }
}

impl<T> Drop for Putter<T> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// One who waits to get. Dropped, he leaves, without what was promised to him.
pub(super) struct Getter<T> {
    queue: Shared<T>,
    /// `None` once he has his answer.
    ticket: Option<Ticket>,
}

impl<T> Getter<T> {
    /// Gets a value, or hears that there will be none, or stands in the line.
    pub(super) fn come(queue: &Shared<T>, event: &Event) -> Result<Self, Result<T, QueueClosed>> {
        let ticket = queue.change(|stock| match stock.get() {
            Some((value, told)) => (Err(Ok(value)), told),
            None if stock.is_over() => (Err(Err(QueueClosed)), None),
            None => (Ok(stock.wait_to_get(event.clone())), None),
        })?;
        Ok(Self { queue: queue.clone(), ticket: Some(ticket) })
    }

    /// What he has, if he was told.
    fn come_for_it(&mut self) -> Option<Result<T, QueueClosed>> {
        let ticket = self.ticket?;
        let answer = self.queue.change(|stock| {
            stock.take(ticket).map(|(value, told)| (Some(value), told)).unwrap_or_default()
        })?;
        self.ticket = None;
        Some(answer.ok_or(QueueClosed))
    }

    /// His wait has ended so: he has what he was told of, or leaves, in one step.
    pub(super) fn end(mut self, wait: Result<(), WaitError>) -> Result<T, QueueError> {
        let ticket = self.ticket.take();
        let answer = ticket.and_then(|ticket| {
            self.queue.change(|stock| match stock.take(ticket) {
                Some((value, told)) => (Some(value.ok_or(QueueClosed)), told),
                // He was promised nothing, and so nothing goes on.
                None => (None, stock.leave_get(ticket).2),
            })
        });
        match (answer, wait) {
            (Some(end), _) => Ok(end?),
            (None, Err(error)) => Err(error.told().into()),
            (None, Ok(())) => Err(QueueClosed.into()),
        }
    }
}

impl<T> Drop for Getter<T> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let gone = self.queue.change(|stock| {
                let (own, freed, told) = stock.leave_get(ticket);
                ((own, freed), told)
            });
            drop(gone);
        }
    }
}

/// One who waits until all is done with. Dropped, he leaves.
pub(super) struct Joiner<T> {
    queue: Shared<T>,
    ticket: Option<Ticket>,
}

impl<T> Joiner<T> {
    /// Stands in the line, unless all is done with.
    pub(super) fn come(queue: &Shared<T>, event: &Event) -> Option<Self> {
        let ticket = queue.change(|stock| {
            let waits = stock.unfinished() > 0;
            (waits.then(|| stock.wait_to_join(event.clone())), None)
        })?;
        Some(Self { queue: queue.clone(), ticket: Some(ticket) })
    }

    /// His answer, if he was told.
    fn come_for_it(&mut self) -> Option<()> {
        let ticket = self.ticket?;
        self.queue.change(|stock| (stock.come_join(ticket), None)).then(|| self.ticket = None)
    }

    /// Whether he was told, who leaves.
    fn leave(&mut self) -> bool {
        let Some(ticket) = self.ticket.take() else { return true };
        self.queue.change(|stock| (stock.end_join(ticket), None)).is_none()
    }

    /// His wait has ended so.
    pub(super) fn end(mut self, wait: Result<(), WaitError>) -> Result<(), WaitError> {
        if self.leave() { Ok(()) } else { wait.map_err(WaitError::told) }
    }
}

impl<T> Drop for Joiner<T> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// What one awaits of a queue.
enum Stage<B, S> {
    Begins(B),
    /// The wait goes before the place does.
    Waits(AwaitEvent<'static>, S),
    Over,
}

impl<B, S> Stage<B, S> {
    /// Ends at its first poll, or stands in the line from then on. Later it looks for what one has who was told: it may
    /// learn that before it is told.
    fn poll<E>(
        &mut self,
        cx: &mut Context<'_>,
        attempt: impl FnOnce(B) -> Result<E, B>,
        come: impl FnOnce(B, &Event) -> Result<S, E>,
        look: impl FnOnce(&mut S) -> Option<E>,
    ) -> Poll<E> {
        if let Self::Waits(told, place) = self {
            let _is_told = Pin::new(told).poll(cx);
            let Some(end) = look(place) else { return Poll::Pending };
            *self = Self::Over;
            return Poll::Ready(end);
        }
        match attempt(self.begin()) {
            Ok(end) => return Poll::Ready(end),
            // A waker that panics as it is cloned leaves him as he was.
            Err(with) => *self = Self::Begins(with),
        }
        let event = Event::new();
        let mut told = event.wait_as_an_owner();
        // Nothing is to be told before it comes, and it comes once it can be told.
        let _is_not_told = Pin::new(&mut told).poll(cx);
        match come(self.begin(), &event) {
            Ok(place) => *self = Self::Waits(told, place),
            Err(end) => return Poll::Ready(end),
        }
        Poll::Pending
    }

    fn begin(&mut self) -> B {
        match mem::replace(self, Self::Over) {
            Self::Begins(with) => with,
            _ => panic!("polled again after it was ready"),
        }
    }

    fn fmt(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waits = matches!(self, Self::Waits(..));
        f.debug_struct(name).field("waits", &waits).finish_non_exhaustive()
    }
}

/// Awaits that a [`Queue`](super::Queue) takes a value. Made by [`Queue::put_async`](super::Queue::put_async). `[queue-6]`
#[must_use = "futures do nothing unless they are polled"]
pub struct AwaitPut<T>(Stage<(Shared<T>, T), Putter<T>>);

impl<T> AwaitPut<T> {
    pub(super) const fn new(queue: Shared<T>, value: T) -> Self {
        Self(Stage::Begins((queue, value)))
    }

    /// Leaves. The value is given back, unless it is in the queue, or was given back before. `[queue-3]`
    ///
    /// ```
    /// use settled::primitives::Queue;
    ///
    /// let queue = Queue::bounded(0);
    /// let put = queue.put_async("it");
    /// assert_eq!(put.take_back(), Some("it"));
    /// ```
    #[must_use]
    pub fn take_back(self) -> Option<T> {
        match self.0 {
            Stage::Begins((_, value)) => Some(value),
            Stage::Waits(_, mut putter) => match putter.leave() {
                Put::IsIn => None,
                Put::Refused(value) | Put::Left(value) => Some(value),
            },
            Stage::Over => None,
        }
    }
}

/// The value is moved, and never lent.
impl<T> Unpin for AwaitPut<T> {}

impl<T> Future for AwaitPut<T> {
    type Output = Result<(), NotPut<T, QueueClosed>>;

    /// # Panics
    ///
    /// If polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let attempt = |(queue, value): (Shared<T>, T)| match queue.put(value) {
            Ok(()) => Ok(Ok(())),
            Err(NotPut { value, cause: TryPutError::Full }) => Err((queue, value)),
            Err(NotPut { value, .. }) => Ok(Err(NotPut { value, cause: QueueClosed })),
        };
        let come = |(queue, value): (_, _), event: &_| Putter::come(&queue, value, event);
        self.0.poll(cx, attempt, come, Putter::come_for_it)
    }
}

impl<T> fmt::Debug for AwaitPut<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt("AwaitPut", f)
    }
}

/// Awaits a value of a [`Queue`](super::Queue). Made by [`Queue::get_async`](super::Queue::get_async). `[queue-6]`
#[must_use = "futures do nothing unless they are polled"]
pub struct AwaitGet<T>(Stage<Shared<T>, Getter<T>>);

impl<T> AwaitGet<T> {
    pub(super) const fn new(queue: Shared<T>) -> Self {
        Self(Stage::Begins(queue))
    }
}

impl<T> Future for AwaitGet<T> {
    type Output = Result<T, QueueClosed>;

    /// # Panics
    ///
    /// If polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let attempt = |queue: Shared<T>| queue.get().transpose().ok_or(queue);
        let come = |queue: Shared<T>, event: &_| Getter::come(&queue, event);
        self.0.poll(cx, attempt, come, Getter::come_for_it)
    }
}

impl<T> fmt::Debug for AwaitGet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt("AwaitGet", f)
    }
}

/// Awaits that all values of a [`Queue`](super::Queue) are done with. Made by
/// [`Queue::join_async`](super::Queue::join_async). `[queue-8]`
#[must_use = "futures do nothing unless they are polled"]
pub struct AwaitJoin<T>(Stage<Shared<T>, Joiner<T>>);

impl<T> AwaitJoin<T> {
    pub(super) const fn new(queue: Shared<T>) -> Self {
        Self(Stage::Begins(queue))
    }
}

impl<T> Future for AwaitJoin<T> {
    type Output = ();

    /// # Panics
    ///
    /// If polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let is_over = |queue: &Shared<T>| queue.read(Stock::unfinished) == 0;
        let attempt = |queue: Shared<T>| if is_over(&queue) { Ok(()) } else { Err(queue) };
        let come = |queue: Shared<T>, event: &_| Joiner::come(&queue, event).ok_or(());
        self.0.poll(cx, attempt, come, Joiner::come_for_it)
    }
}

impl<T> fmt::Debug for AwaitJoin<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt("AwaitJoin", f)
    }
}
