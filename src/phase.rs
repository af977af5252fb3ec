//! The producer's three phases as types, checked against the table when the crate is compiled.
//!
//! A phase says which events the holder of a [`Promise`](crate::Promise) may still send, and
//! against whom it can lose. The build fails as soon as a phase claims an edge that [`State::on`] does
//! not have. `[promise-1]`

use crate::machine::{Event, State, Step};

mod sealed {
    pub trait Sealed {}
}

/// What a promise may still do. Sealed: [`Pending`], [`Running`] and [`Owned`] are all there are.
/// `[promise-1]`
///
/// ```
/// use settled::{Promise, phase::Phase};
///
/// // For whoever handles promises of any phase.
/// fn is_wanted<T, E, P: Phase>(promise: &Promise<T, E, P>) -> bool {
///     !promise.cancel_requested() && !promise.is_closed()
/// }
/// # let (promise, _future) = settled::ThreadFuture::<(), ()>::pair();
/// # assert!(is_wanted(&promise) && is_wanted(&promise.start().unwrap()));
/// ```
pub trait Phase: sealed::Sealed {
    /// The state the machine is in as long as nobody else has moved it.
    const STATE: State;
}

/// Nobody has begun the work: it may be started, finished or failed, and each of these may lose to
/// a cancel. `[promise-2]`
#[derive(Debug)]
pub enum Pending {}

/// The work has begun: nobody can cancel it any more, so that finishing and failing cannot fail.
/// `[promise-4]`
#[derive(Debug)]
pub enum Running {}

/// The machine is Pending for the whole life of this promise, but only its owner may apply a
/// cancel; anyone else's is a request. Hence finishing, failing and stopping cannot fail. This is
/// the phase of tasks and combinators. `[promise-5]`
///
/// ```
/// use std::task::Waker;
/// use settled::{Cancel, Promise, ThreadFuture, phase::Owned};
///
/// let (promise, future): (Promise<u32, (), Owned>, _) = ThreadFuture::owned_pair(Waker::noop().clone());
/// assert_eq!(future.cancel(), Cancel::Requested); // and the waker is woken
/// assert!(promise.cancel_requested() && !future.cancelled());
/// promise.stopped();                              // when the work has been stopped
/// assert!(future.cancelled());
/// ```
#[derive(Debug)]
pub enum Owned {}

impl sealed::Sealed for Pending {}
impl sealed::Sealed for Running {}
impl sealed::Sealed for Owned {}

impl Phase for Pending {
    const STATE: State = State::Pending;
}
impl Phase for Running {
    const STATE: State = State::Running;
}
impl Phase for Owned {
    const STATE: State = State::Pending;
}

/// Fails the build unless `event` leads from the state of phase `P` to `to`.
const fn edge<P: Phase>(event: Event, to: State) {
    match P::STATE.on(event) {
        Step::To(state) if state as u8 == to as u8 => {}
        _ => panic!("a phase claims an edge that the table does not have"),
    }
}

// Free items, so that they are checked whether or not anybody calls the methods.
const _: () = edge::<Pending>(Event::Start, Running::STATE);
const _: () = edge::<Pending>(Event::Finish, State::Finished);
const _: () = edge::<Pending>(Event::Cancel, State::Cancelled);
const _: () = edge::<Pending>(Event::Abandon, State::Cancelled);
const _: () = edge::<Running>(Event::Finish, State::Finished);
const _: () = edge::<Running>(Event::Abandon, State::Finished);
const _: () = edge::<Owned>(Event::Finish, State::Finished);
const _: () = edge::<Owned>(Event::Cancel, State::Cancelled);
const _: () = edge::<Owned>(Event::Abandon, State::Cancelled);
// Why finishing in phase Running returns `()`: the one rival, a cancel, is refused there.
const _: () = assert!(matches!(Running::STATE.on(Event::Cancel), Step::Refused));
