//! Which of several came first.

use std::convert::Infallible;

/// The one that came first of two, three or four, by its place: what [`select`](crate::select) and
/// [`tasks::select`](crate::tasks::select) answer. `[wait-10]` `[combine-6]`
///
/// Those that there are not have no value, so that a `match` needs an arm for each that there is, and no other:
///
/// ```
/// use settled::First;
///
/// fn text(first: First<u32, &str>) -> String {
///     match first {
///         First::A(number) => number.to_string(),
///         First::B(text) => text.to_owned(),
///     }
/// }
///
/// assert_eq!(text(First::A(7)), "7");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "Either")]
pub enum First<A, B, C = Infallible, D = Infallible> {
    /// The first of them.
    A(A),
    /// The second.
    B(B),
    /// The third.
    C(C),
    /// The fourth.
    D(D),
}
