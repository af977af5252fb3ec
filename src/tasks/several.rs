//! Awaiting several of different types: [`join`] and [`select`].

use std::{
    future::{Future, IntoFuture, poll_fn},
    pin::pin,
    task::Poll,
};

use crate::First;

/// Awaits two, three or four futures of different types, all of them, side by side. `[combine-6]`
///
/// It takes whatever can be awaited: a [`LoopFuture`](crate::LoopFuture), a [`ThreadFuture`](crate::ThreadFuture), a
/// coroutine, each by value or by reference; their outputs come in the order of the tuple. It waits for all, whether
/// they fail or not. For many futures of one type there are [`gather`](super::gather) and
/// [`gather_all`](super::gather_all).
///
/// Cancel safety: each is dropped as its own await says: in a task that is stopped, futures by value are asked to stop,
/// and what is awaited by reference is left as it is. `[await-3]`
///
/// ```
/// use settled::{EventLoop, Executor, ThreadPool, tasks};
///
/// let (event_loop, pool) = (EventLoop::new(), ThreadPool::default());
/// let job = pool.submit(|| 6 * 7).unwrap();
/// let task = event_loop.create_task(async { "text".to_owned() }).unwrap();
/// let both = tasks::join((job.output(), task.output()));
/// let (number, text) = event_loop.run_until_complete(both).unwrap();
/// assert_eq!((number.unwrap(), text.unwrap().as_str()), (42, "text"));
/// ```
///
/// # Panics
///
/// As their own awaits do.
#[doc(alias("zip", "gather"))]
pub async fn join<F: Several>(futures: F) -> F::Outputs {
    futures.join().await
}

/// Awaits the first of two, three or four futures of different types. `[combine-6]`
///
/// It takes whatever can be awaited, as [`join`] does. The others are dropped as their own awaits say: what is awaited
/// by reference is left as it is, with its caller, and nothing is cancelled unless this is a stop. `[await-3]` Of
/// several that are ready it answers the first in the tuple.
///
/// Cancel safety: as for [`join`]; nothing that was ready is lost, since what is ready ends it.
///
/// ```
/// use std::time::Duration;
/// use settled::{EventLoop, First, tasks};
///
/// let event_loop = EventLoop::new();
/// let (_promise, never) = event_loop.create_future::<u32, ()>();
/// event_loop
///     .run_until_complete(async {
///         match tasks::select((&never, tasks::sleep(Duration::from_millis(1)))).await {
///             First::A(number) => println!("{:?}", number.result()),
///             First::B(()) => println!("it takes long"),
///         }
///     })
///     .unwrap();
/// assert!(!never.done());
/// ```
///
/// # Panics
///
/// As their own awaits do.
#[doc(alias("race", "select_biased", "Either"))]
pub async fn select<F: Several>(futures: F) -> F::First {
    futures.select().await
}

/// Two, three or four of whatever can be awaited: a tuple, which [`join`] and [`select`] take. `[combine-6]`
///
/// ```
/// use std::future::ready;
/// use settled::{EventLoop, tasks};
///
/// let both = EventLoop::new().run_until_complete(tasks::join((ready(7), async { "seven" })));
/// assert_eq!(both, Ok((7, "seven")));
/// ```
pub trait Several: Sized {
    /// What each of them gives, in their order.
    type Outputs;

    /// What the one gives that comes first.
    type First;

    #[doc(hidden)]
    fn join(self) -> impl Future<Output = Self::Outputs>;

    #[doc(hidden)]
    fn select(self) -> impl Future<Output = Self::First>;
}

macro_rules! tuple {
    ($($Place:ident $future:ident $output:ident),+) => {
        impl<$($Place: IntoFuture),+> Several for ($($Place,)+) {
            type Outputs = ($($Place::Output,)+);
            type First = First<$($Place::Output),+>;

            async fn join(self) -> Self::Outputs {
                let ($($future,)+) = self;
                $(let mut $future = pin!($future.into_future());
                let mut $output = None;)+
                poll_fn(|cx| {
                    let mut all = true;
                    $(if $output.is_none() {
                        match $future.as_mut().poll(cx) {
                            Poll::Ready(it) => $output = Some(it),
                            Poll::Pending => all = false,
                        }
                    })+
                    if all { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
                ($($output.expect("it was ready"),)+)
            }

            async fn select(self) -> Self::First {
                let ($($future,)+) = self;
                $(let mut $future = pin!($future.into_future());)+
                poll_fn(|cx| {
                    $(if let Poll::Ready(it) = $future.as_mut().poll(cx) {
                        return Poll::Ready(First::$Place(it));
                    })+
                    Poll::Pending
                })
                .await
            }
        }
    };
}

tuple!(A a one, B b two);
tuple!(A a one, B b two, C c three);
tuple!(A a one, B b two, C c three, D d four);
