//! Waiting for futures of different types: [`join`] and [`select`].

use std::time::Duration;

use super::{
    wait::{IntoCompleted, Watch},
    watched::Watched,
};
use crate::{
    blocking::Wanted, cell::Until, error::WaitError, first::First, output::Back, sync::after,
};

/// Waits for two, three or four futures of different types: blocks this thread until all are settled, for `timeout` at
/// the most, counted from this call. `[wait-10]`
///
/// The outcomes come in the order of the tuple: of a `&ThreadFuture` the proof that it is settled; of a `ThreadFuture`
/// by value the outcome by value, as [`ThreadFuture::join`](crate::ThreadFuture::join) gives it, when the callbacks
/// have returned that read it. It waits for all, whether they fail or not. A zero timeout only looks. For many futures
/// of one type there are [`wait`](crate::wait) and [`as_completed`](crate::as_completed).
///
/// ```
/// use settled::{Executor, ThreadPool, join};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let pool = ThreadPool::default();
///     let (name, size) = (pool.submit(|| "Cargo.toml".to_owned())?, pool.submit_result(|| "12".parse::<u32>())?);
///     let (name, size) = join((name, size), None)?;
///     assert_eq!((name?.as_str(), size?), ("Cargo.toml", 12));
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// [`Back`] hands the futures back, as they were, with the [`WaitError`]: [`Expired`](WaitError::Expired) if the time
/// is over first; [`WouldDeadlock`](WaitError::WouldDeadlock) and [`Interrupted`](WaitError::Interrupted) as in
/// [`wait`](crate::wait), and [`WouldDeadlock::Lent`](crate::WouldDeadlock::Lent) inside a callback of one that is
/// taken by value.
#[doc(alias("zip", "gather"))]
pub fn join<F: Several>(
    futures: F,
    timeout: Option<Duration>,
) -> Result<F::Completed, Back<WaitError, F>> {
    match wait_for_all(&futures, timeout) {
        Ok(()) => Ok(futures.complete()),
        Err(why) => Err(Back::new(why, futures)),
    }
}

fn wait_for_all(futures: &impl Several, timeout: Option<Duration>) -> Result<(), WaitError> {
    let deadline = timeout.and_then(after);
    let Each(futures) = futures.each();
    let by_value = futures.iter().any(|it| it.until() == Until::Returned);
    let mut group = Watch::register(futures);
    let wanted = if by_value { Wanted::Returned } else { Wanted::All };
    let (mut told, mut left) = (Vec::new(), group.members.len());
    loop {
        group.inbox.take(&mut told);
        for number in told.drain(..) {
            group.hear(number);
            left -= 1;
        }
        // Of one that lends its outcome anew the inbox is told again.
        left += if left == 0 { group.lend_again() } else { 0 };
        if left == 0 {
            return Ok(());
        }
        group.sleep(left, wanted, deadline).map_err(WaitError::told)?;
    }
}

/// Waits for the first of two, three or four futures of different types: blocks this thread until one is settled, for
/// `timeout` at the most, counted from this call. `[wait-10]`
///
/// It takes references, so that the others stay with the caller, and the one that it answers too: its value is taken by
/// [`ThreadFuture::join`](crate::ThreadFuture::join), which does not wait any more. Of several that are settled it
/// answers the first in the tuple. Nothing is consumed, and nothing cancelled. A zero timeout only looks.
///
/// ```
/// use std::time::Duration;
/// use settled::{First, ThreadFuture, select};
///
/// let (promise, number) = ThreadFuture::<u32, ()>::pair();
/// let (_other, text) = ThreadFuture::<String, ()>::pair();
/// promise.finish(7).unwrap();
/// match select((&text, &number), Some(Duration::from_secs(60))).unwrap() {
///     First::A(text) => println!("{}", text.result().unwrap()),
///     First::B(number) => assert_eq!(number.result().unwrap(), &7),
/// }
/// assert!(!text.done());
/// ```
///
/// # Errors
///
/// [`Expired`](WaitError::Expired) if the time is over first; the others as in [`wait`](crate::wait).
#[doc(alias("race", "wait_any"))]
pub fn select<F: Borrowed>(futures: F, timeout: Option<Duration>) -> Result<F::First, WaitError> {
    let deadline = timeout.and_then(after);
    let mut group = Watch::register(futures.each().0);
    loop {
        if let Some(first) = futures.first() {
            return Ok(first);
        }
        if let Err(error) = group.sleep(1, Wanted::Any, deadline) {
            // It may have settled meanwhile. `[wait-3]`
            return futures.first().ok_or_else(|| error.told());
        }
    }
}

/// Two, three or four futures: a tuple of `ThreadFuture`s or of references to them, which [`join`] takes. Nobody else
/// can implement it. `[wait-10]`
///
/// ```
/// use settled::{ThreadFuture, join};
///
/// let (number, text) = (ThreadFuture::<u32, ()>::pair(), ThreadFuture::<&str, ()>::pair());
/// number.0.finish(7).unwrap();
/// text.0.finish("seven").unwrap();
/// let (settled, _) = join((&number.1, &text.1), None).unwrap(); // by reference: the proofs
/// assert_eq!(settled.result(), Ok(&7));
/// assert_eq!(join((number.1, text.1), None).unwrap(), (Ok(7), Ok("seven"))); // by value: the outcomes
/// ```
pub trait Several: Sized {
    /// What each of them gives, in their order.
    type Completed;

    #[doc(hidden)]
    fn each(&self) -> Each<'_>;

    #[doc(hidden)]
    fn complete(self) -> Self::Completed;
}

/// Each of several futures, in their order.
#[expect(missing_debug_implementations, reason = "nobody gets one")]
pub struct Each<'a>(Vec<&'a dyn Watched>);

/// Two, three or four references to futures, which [`select`] takes. Nobody else can implement it. `[wait-10]`
///
/// ```
/// use settled::{First, ThreadFuture, select};
///
/// let (promise, soon) = ThreadFuture::<u32, ()>::pair();
/// let (_promise, later) = ThreadFuture::<&str, ()>::pair();
/// promise.finish(7).unwrap();
/// let First::A(soon) = select((&soon, &later), None).unwrap() else { unreachable!() };
/// assert_eq!(soon.result(), Ok(&7));
/// ```
pub trait Borrowed: Several + Copy {
    /// The one that is settled.
    type First;

    #[doc(hidden)]
    fn first(self) -> Option<Self::First>;
}

macro_rules! tuple {
    ($($Place:ident $place:tt),+) => {
        impl<$($Place: IntoCompleted),+> Several for ($($Place,)+) {
            type Completed = ($($Place::Completed,)+);

            fn each(&self) -> Each<'_> {
                Each(vec![$(&self.$place),+])
            }

            fn complete(self) -> Self::Completed {
                ($(self.$place.complete(),)+)
            }
        }

        impl<$($Place: IntoCompleted + Copy),+> Borrowed for ($($Place,)+) {
            type First = First<$($Place::Completed),+>;

            fn first(self) -> Option<Self::First> {
                $(if self.$place.future().done() {
                    return Some(First::$Place(self.$place.complete()));
                })+
                None
            }
        }
    };
}

tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
