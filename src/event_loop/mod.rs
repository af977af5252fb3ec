//! The loop flavour: a future that never blocks, and the event loop that delivers it.
//!
//! No module here imports one that imports it. From below:
//!
//! ```text
//! clock  ids  line  cancel  task                 what stands alone
//! queue                                          the door for other threads
//! ready  timers  table  stops  incident          what a loop has to do, its tasks, and who waits for whom to stop
//! registry                                       what a loop keeps on its thread, a foreign loop too
//! waker  future                                  what asks for a step; the view that never blocks
//! stop  place                                    a stop of a coroutine; a task's place among the callbacks of a view
//! awaiting  coroutine  turns                     an await; a task from inside; the turns of a loop, and its end
//! run  weak                                      what users have of a loop; a weak handle
//! ```

mod awaiting;
mod cancel;
mod clock;
mod coroutine;
mod future;
mod ids;
mod incident;
mod line;
mod place;
mod queue;
mod ready;
mod registry;
mod run;
mod stop;
mod stops;
mod table;
mod task;
mod timers;
mod turns;
mod waker;
mod weak;

pub use awaiting::{AwaitLoop, AwaitLoopRef};
pub use cancel::CancelHandle;
pub use clock::Clock;
pub(crate) use coroutine::send;
pub use future::{LoopFuture, Token};
pub use incident::{FutureId, Incident};
pub use queue::LoopHandle;
pub(crate) use registry::Registry;
pub(crate) use run::CENTURY;
pub use run::{CallHandle, EventLoop, LoopRef};
pub(crate) use stop::{Stopping, forward, stop, task_of, wait_in_stop};
pub use task::Task;
pub use weak::WeakLoopFuture;
