//! [`Queue`]: values that go from one to another, first in, first out.

use std::{
    collections::VecDeque,
    fmt,
    time::{Duration, Instant},
};

use super::{
    event::Event,
    queueing::{AwaitGet, AwaitJoin, AwaitPut, Getter, Joiner, Putter, Shared},
    stock::Stock,
};
use crate::{
    blocking::{Looked, May, Wanted, before_parking},
    error::{NoneUnfinished, NotPut, QueueClosed, QueueError, TryPutError, WaitError},
    sync::{after, is_past},
};

/// Values that threads and tasks hand to each other, first in, first out. Python's `queue.Queue` and `asyncio.Queue`, in one.
///
/// While it is full, whoever puts one waits; while it is empty, whoever gets one does. Threads and tasks stand in the same
/// two lines, and are served first come, first served. `[queue-1]` `[queue-2]` What somebody brings who waits to put is taken
/// in by whoever makes room. What somebody waits to get is promised to him, and if he leaves, to the next. `[queue-3]` Clones
/// are the same queue.
///
/// Closed, it takes nothing more, gives what is in it, and tells everybody that waits: who waits to get, once there will be
/// none. `[queue-7]` It is not closed by itself: handles that are dropped tell nobody.
///
/// ```
/// use settled::{EventLoop, primitives::Queue};
///
/// let orders = Queue::bounded(1);
/// let shared = orders.clone();
/// let kitchen = std::thread::spawn(move || {
///     let mut done = Vec::new();
///     while let Ok(order) = shared.get() {
///         done.push(order);
///     }
///     done
/// });
/// EventLoop::new().run_until_complete(async move {
///     for order in ["soup", "bread", "tea"] {
///         orders.put_async(order).await.unwrap();
///     }
///     orders.close();
/// }).unwrap();
/// assert_eq!(kitchen.join().unwrap(), ["soup", "bread", "tea"]);
/// ```
///
/// ```
/// use std::time::{Duration, Instant};
/// use settled::{EventLoop, primitives::Queue};
///
/// let (queue, now) = (Queue::bounded(2), Instant::now());
/// queue.put_deadline(1, now).unwrap();
/// queue.put(2).unwrap();
/// assert_eq!((queue.len(), queue.is_full(), queue.capacity()), (2, true, Some(2)));
/// assert_eq!((queue.get_deadline(now), queue.get_timeout(Duration::ZERO)), (Ok(1), Ok(2)));
/// assert!(queue.join_deadline(now).is_err());
/// EventLoop::new().run_until_complete(async move {
///     queue.put_async(3).await.unwrap();
///     assert_eq!(queue.get_async().await, Ok(3));
///     (0..3).for_each(|_| queue.task_done().unwrap());
///     queue.join_async().await;
/// }).unwrap();
/// ```
#[doc(alias("Channel", "SimpleQueue", "Mailbox"))]
pub struct Queue<T>(Shared<T>);

impl<T> Queue<T> {
    /// One that is full when it has so many values. With a capacity of zero it is always full: a value is put when somebody
    /// waits to get it, or comes to. Python's `maxsize`, but that zero is none there: see [`unbounded`](Self::unbounded).
    /// `[queue-4]`
    ///
    /// ```
    /// use settled::primitives::Queue;
    ///
    /// let queue = Queue::bounded(0);
    /// assert_eq!(queue.try_put("it").unwrap_err().value, "it");
    /// let shared = queue.clone();
    /// let thread = std::thread::spawn(move || shared.get());
    /// queue.put("it").unwrap();
    /// assert_eq!(thread.join().unwrap(), Ok("it"));
    /// ```
    #[must_use]
    pub fn bounded(capacity: usize) -> Self {
        Self(Shared::new(capacity))
    }

    /// One that is never full: nobody waits to put. Python's `maxsize=0`. `[queue-4]`
    #[must_use]
    pub fn unbounded() -> Self {
        Self::bounded(usize::MAX)
    }

    /// Puts a value, if there is room, or somebody waits for one. It never blocks for long, and overtakes nobody. Python's
    /// `put_nowait`. `[queue-2]`
    ///
    /// # Errors
    ///
    /// [`TryPutError`], with the value.
    #[doc(alias = "put_nowait")]
    pub fn try_put(&self, value: T) -> Result<(), NotPut<T, TryPutError>> {
        self.0.put(value)
    }

    /// Puts a value, and blocks this thread while the queue is full. What this thread did before happens before what is done
    /// by whoever gets it. What the thread has deferred runs before it stands in the line. `[queue-5]` `[queue-9]`
    ///
    /// # Errors
    ///
    /// The value, and why it was not put: the queue is [closed](QueueError::Closed), by now or meanwhile, or the
    /// [wait](QueueError::Wait) ended. That is [`WaitError::WouldDeadlock`] if the queue is full and this thread runs an event
    /// loop, or is in many callbacks that wait inside each other; [`WaitError::Interrupted`] if an
    /// [`Interrupt`](crate::Interrupt) ends it. `[wait-9]` Who gets a value is not known, so that a worker neither helps nor
    /// is refused.
    #[doc(alias = "send")]
    pub fn put(&self, value: T) -> Result<(), NotPut<T>> {
        self.block_to_put(value, None)
    }

    /// The same, for `timeout` at the most, counted from this call. A zero timeout only looks. Python's `put(timeout=)`.
    /// `[queue-5]`
    ///
    /// ```
    /// use std::time::Duration;
    /// use settled::{Expired, QueueError, WaitError, primitives::Queue};
    ///
    /// let queue = Queue::bounded(1);
    /// queue.put(1).unwrap();
    /// let back = queue.put_timeout(2, Duration::from_millis(1)).unwrap_err();
    /// assert_eq!((back.value, back.cause), (2, QueueError::Wait(WaitError::Expired(Expired))));
    /// ```
    ///
    /// # Errors
    ///
    /// With [`WaitError::Expired`] if there was no room by then, and the others of [`put`](Self::put), but never
    /// [`WaitError::WouldDeadlock`] for a zero timeout.
    pub fn put_timeout(&self, value: T, timeout: Duration) -> Result<(), NotPut<T>> {
        self.block_to_put(value, after(timeout))
    }

    /// The same, until `deadline` at the latest. A value that is taken in while the deadline passes is put. `[queue-5]`
    ///
    /// # Errors
    ///
    /// As [`put_timeout`](Self::put_timeout).
    pub fn put_deadline(&self, value: T, deadline: Instant) -> Result<(), NotPut<T>> {
        self.block_to_put(value, Some(deadline))
    }

    fn block_to_put(&self, mut value: T, deadline: Option<Instant>) -> Result<(), NotPut<T>> {
        loop {
            value = match self.try_put(value) {
                Ok(()) => return Ok(()),
                Err(NotPut { value, cause: TryPutError::Full }) => value,
                Err(NotPut { value, .. }) => {
                    return Err(NotPut { value, cause: QueueClosed.into() });
                }
            };
            match may_wait(deadline) {
                Ok(true) => break,
                Ok(false) => {}
                Err(cause) => return Err(NotPut { value, cause: cause.into() }),
            }
        }
        let event = Event::new();
        match Putter::come(&self.0, value, &event) {
            Ok(putter) => putter.end(event.block(deadline)),
            Err(end) => end.map_err(NotPut::from_closed),
        }
    }

    /// Awaits that there is room, and puts a value, on any executor. It stands in the line, with the value, from its first
    /// poll on. `[queue-6]`
    ///
    /// Cancel safety: dropped, it leaves, and drops the value, unless it is in the queue by then: whoever makes room takes it
    /// in, also if this is not polled. [`take_back`](AwaitPut::take_back) leaves, and says which of these it is. `[queue-3]`
    pub fn put_async(&self, value: T) -> AwaitPut<T> {
        AwaitPut::new(self.0.clone(), value)
    }

    /// Gets the first value, if there is one that is promised to nobody. It never blocks for long. Python's `get_nowait`.
    /// `[queue-2]`
    ///
    /// # Errors
    ///
    /// [`QueueClosed`] if there is none, and there will be none. It is `None` while one is promised to somebody
    /// who may leave it.
    #[doc(alias = "get_nowait")]
    pub fn try_get(&self) -> Result<Option<T>, QueueClosed> {
        self.0.get()
    }

    /// Gets the first value, and blocks this thread while there is none. What the thread has deferred runs before it stands
    /// in the line. `[queue-1]` `[queue-5]`
    ///
    /// # Errors
    ///
    /// [`QueueError::Closed`] if there is none, and there will be none; otherwise as [`put`](Self::put).
    #[doc(alias = "recv")]
    pub fn get(&self) -> Result<T, QueueError> {
        self.block_to_get(None)
    }

    /// The same, for `timeout` at the most, counted from this call. A zero timeout only looks. Python's `get(timeout=)`.
    /// `[queue-5]`
    ///
    /// # Errors
    ///
    /// With [`WaitError::Expired`] if there was none by then, and the others of [`get`](Self::get), but never
    /// [`WaitError::WouldDeadlock`] for a zero timeout.
    pub fn get_timeout(&self, timeout: Duration) -> Result<T, QueueError> {
        self.block_to_get(after(timeout))
    }

    /// The same, until `deadline` at the latest. A value that is promised while the deadline passes is taken. `[queue-5]`
    ///
    /// # Errors
    ///
    /// As [`get_timeout`](Self::get_timeout).
    pub fn get_deadline(&self, deadline: Instant) -> Result<T, QueueError> {
        self.block_to_get(Some(deadline))
    }

    fn block_to_get(&self, deadline: Option<Instant>) -> Result<T, QueueError> {
        loop {
            if let Some(value) = self.try_get()? {
                return Ok(value);
            }
            if may_wait(deadline)? {
                break;
            }
        }
        let event = Event::new();
        match Getter::come(&self.0, &event) {
            Ok(getter) => getter.end(event.block(deadline)),
            Err(end) => Ok(end?),
        }
    }

    /// Awaits the first value, on any executor. It stands in the line from its first poll on. `[queue-6]`
    ///
    /// Cancel safety: dropped, it leaves, and no value is lost: what was promised to it is promised to the next, or to
    /// whoever comes. `[queue-3]` Poll it or drop it: kept and not polled, it keeps one value from the others, and
    /// the news from them that a queue is closed.
    pub fn get_async(&self) -> AwaitGet<T> {
        AwaitGet::new(self.0.clone())
    }

    /// Nothing more is put. Who waits to put has his value back, and what is in the queue can be got. Who waits to get is
    /// told that there will be none: now, or when all have come or left to whom a value was promised, as one who leaves
    /// hands his on. Once is enough. Python's `shutdown()`. `[queue-7]`
    ///
    /// ```
    /// use settled::{QueueClosed, primitives::Queue};
    ///
    /// let queue = Queue::unbounded();
    /// queue.put(1).unwrap();
    /// queue.close();
    /// assert!(queue.is_closed() && queue.put(2).is_err());
    /// assert_eq!((queue.try_get(), queue.try_get()), (Ok(Some(1)), Err(QueueClosed)));
    /// ```
    #[doc(alias = "shutdown")]
    pub fn close(&self) {
        self.0.change(|stock| ((), stock.close()));
    }

    /// Closes it, and takes out what is promised to nobody, which is done with. So is what somebody leaves later to whom it
    /// was promised, if nobody waits for it: whoever leaves drops it. Python's `shutdown(immediate=True)`, which drops all.
    /// `[queue-7]` `[queue-8]`
    ///
    /// ```
    /// use settled::primitives::Queue;
    ///
    /// let queue = Queue::unbounded();
    /// queue.put(1).unwrap();
    /// assert_eq!(queue.close_and_drain(), [1]);
    /// assert!(queue.is_empty() && queue.try_get().is_err() && queue.join().is_ok());
    /// ```
    pub fn close_and_drain(&self) -> VecDeque<T> {
        self.0.change(Stock::drain)
    }

    /// Whether it is closed. `[queue-7]`
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.read(Stock::is_closed)
    }

    /// How many values are in it that are promised to nobody. Others may get them, or put more, meanwhile. Python's `qsize`.
    /// `[queue-4]`
    #[must_use]
    #[doc(alias = "qsize")]
    pub fn len(&self) -> usize {
        self.0.read(Stock::free)
    }

    /// Whether no value is in it that is promised to nobody. One can be got all the same, if there is room for none, and
    /// somebody waits to put it. Python's `empty`. `[queue-4]`
    #[must_use]
    #[doc(alias = "empty")]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there are as many values as there is room for: one more would wait, unless somebody waits for it, or the
    /// queue is closed. Python's `full`. `[queue-4]`
    #[must_use]
    #[doc(alias = "full")]
    pub fn is_full(&self) -> bool {
        self.0.read(|stock| stock.free() >= stock.capacity())
    }

    /// How many values there is room for, unless it is never full. Python's `maxsize`. `[queue-4]`
    #[must_use]
    #[doc(alias = "maxsize")]
    pub fn capacity(&self) -> Option<usize> {
        Some(self.0.read(Stock::capacity)).filter(|capacity| *capacity < usize::MAX)
    }

    /// Says that one value is done with, which was got. When all are that were put, those go on who [join](Self::join).
    /// `[queue-8]`
    ///
    /// ```
    /// use settled::{NoneUnfinished, primitives::Queue};
    ///
    /// let queue = Queue::unbounded();
    /// queue.put("it").unwrap();
    /// assert_eq!((queue.get(), queue.task_done(), queue.join()), (Ok("it"), Ok(()), Ok(())));
    /// assert_eq!(queue.task_done(), Err(NoneUnfinished));
    /// ```
    ///
    /// # Errors
    ///
    /// [`NoneUnfinished`] if all are.
    pub fn task_done(&self) -> Result<(), NoneUnfinished> {
        self.0.change(|stock| match stock.task_done() {
            Some(told) => (Ok(()), told),
            None => (Err(NoneUnfinished), Vec::new()),
        })
    }

    /// Blocks this thread until all values that were put are done with. Whoever waits when that is so goes on, also if another
    /// is put at once. Who waits to put has not put yet. What was done before the last was done with happens before what
    /// this thread does then. `[queue-8]` `[queue-9]`
    ///
    /// # Errors
    ///
    /// As [`Event::wait`](super::Event::wait). The end of the queue is none: if nobody gets what is in it, this waits.
    pub fn join(&self) -> Result<(), WaitError> {
        self.block_to_join(None)
    }

    /// The same, for `timeout` at the most, counted from this call. A zero timeout only looks. `[queue-8]`
    ///
    /// ```
    /// use std::time::Duration;
    /// use settled::primitives::Queue;
    ///
    /// let queue = Queue::unbounded();
    /// assert!(queue.join_timeout(Duration::ZERO).is_ok());
    /// queue.put(1).unwrap();
    /// assert!(queue.join_timeout(Duration::from_millis(1)).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Event::wait_timeout`](super::Event::wait_timeout).
    pub fn join_timeout(&self, timeout: Duration) -> Result<(), WaitError> {
        self.block_to_join(after(timeout))
    }

    /// The same, until `deadline` at the latest. `[queue-8]`
    ///
    /// # Errors
    ///
    /// As [`join_timeout`](Self::join_timeout).
    pub fn join_deadline(&self, deadline: Instant) -> Result<(), WaitError> {
        self.block_to_join(Some(deadline))
    }

    fn block_to_join(&self, deadline: Option<Instant>) -> Result<(), WaitError> {
        loop {
            if self.0.read(Stock::unfinished) == 0 {
                return Ok(());
            }
            if may_wait(deadline)? {
                break;
            }
        }
        let event = Event::new();
        let Some(joiner) = Joiner::come(&self.0, &event) else { return Ok(()) };
        joiner.end(event.block(deadline))
    }

    /// Awaits that all values that were put are done with, on any executor. `[queue-8]`
    ///
    /// Cancel safety: dropped, it leaves, and changes nothing for anybody else.
    pub fn join_async(&self) -> AwaitJoin<T> {
        AwaitJoin::new(self.0.clone())
    }
}

/// Whether this thread may stand in a line now, or is to look again: a callback that it had deferred was run. None runs
/// once it stands there, and so none waits behind its own thread.
fn may_wait(deadline: Option<Instant>) -> Result<bool, WaitError> {
    if is_past(deadline) {
        return Err(WaitError::of(deadline));
    }
    let may = before_parking(Wanted::All, None, &mut Looked::default())?;
    Ok(matches!(may, May::Park(_)))
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Queue");
        let look = |stock: &Stock<T, _>| (stock.free(), stock.waiting(), stock.is_closed());
        let Some((len, [putting, getting, joining], is_closed)) = self.0.look(look) else {
            return debug.field("state", &format_args!("<locked>")).finish();
        };
        let waiting = [("putting", putting), ("getting", getting), ("joining", joining)];
        debug.field("len", &len);
        for (name, many) in waiting {
            debug.field(name, &many);
        }
        debug.field("closed", &is_closed).finish()
    }
}
