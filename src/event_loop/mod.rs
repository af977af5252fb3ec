//! The loop flavour: a future that never blocks, and the event loop that delivers it.
//!
//! No module here imports one that imports it. From below:
//!
//! ```text
//! clock  ids  cancel  task                       what stands alone
//! queue                                          the door for other threads
//! ready  timers  table  stops  incident          what a loop has to do, its tasks, and who waits for whom to stop
//! registry                                       what a loop keeps on its thread, a foreign loop too
//! reports  steps                                 what it tells of what went wrong; its tasks' steps and ends
//! waker  view                                    what asks for a step; a view of a cell, which never blocks
//! future                                         a handle of a view
//! stop  place                                    a stop of a coroutine; a task's place among the callbacks of a view
//! awaiting  coroutine  turns                     an await; a task from inside; the turns of a loop, and its end
//! run  weak                                      what users have of a loop; a weak handle
//! ```
//!
//! The way of a cancel. Task A awaits task B by value, and somebody cancels the future of A:
//!
//! ```text
//! the cancel        LoopFuture::cancel   future      asks the cell
//!                   Handle::cancel       cell        notes the request and its reason, and takes A's waker: once
//!                   TaskWaker::wake      waker       queues a step of A
//! A's next step     Registry::step       steps       finds A
//!                   Body::step           coroutine   sees the request, and does not poll
//!                   stop                 stop        notes the reason in `context`, and drops A's coroutine:
//!                     AwaitLoop::drop    awaiting      it gives its place among the callbacks of B's future up,
//!                     forward            stop          cancels B's future, for the same reason,
//!                     Stops::wait        stops         and notes that A waits for B
//!                   Registry::end_due    steps       A waits, and is not settled yet
//! B's next step     as above, until      steps       B waits for nobody:
//!                     Body::end          coroutine     it is settled as Cancelled,
//!                     View::arrived      view          whoever is told of that will be in a later turn,
//!                     Stops::leave       stops         and A is woken
//! A's last step     Body::step           coroutine   has nothing to poll
//!                   Registry::end_due    steps       A waits for nobody any more, and is settled as B was
//! ```

mod awaiting;
mod cancel;
mod clock;
mod coroutine;
mod future;
mod ids;
mod incident;
mod place;
mod queue;
mod ready;
mod registry;
mod reports;
mod run;
mod steps;
mod stop;
mod stops;
mod table;
mod task;
mod timers;
mod turns;
mod view;
mod waker;
mod weak;

pub use awaiting::{AwaitLoop, AwaitLoopRef};
pub use cancel::CancelHandle;
pub use clock::Clock;
pub(crate) use coroutine::send;
pub use future::{LoopFuture, Token};
pub use incident::{FutureId, Incident};
pub use queue::LoopHandle;
pub(crate) use ready::Scheduled;
pub(crate) use registry::Registry;
pub use run::{CallHandle, EventLoop, LoopRef};
pub(crate) use stop::{Stopping, forward, stop, task_of, wait_in_stop};
pub use task::Task;
pub use weak::WeakLoopFuture;
