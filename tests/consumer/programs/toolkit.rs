//! What a window toolkit has, as far as the program `frames` needs it.

/// What wakes the loop of a window, which sleeps otherwise. Every thread may send it a `Wake`.
pub enum Event {
    Open(String),
    Wake,
    Close,
}
