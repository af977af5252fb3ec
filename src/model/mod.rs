//! What a future is, as something that can be explored: the sequential specification.
//!
//! With feature `model`. It steps [`State::on`](crate::machine::State::on), the table that ships, and
//! holds no second copy of any rule of it. The models in `models/` are built of it, and a test runs
//! the real cell beside it.

mod spec;

pub use spec::{Answer, End, Op, Ret, Spec};
