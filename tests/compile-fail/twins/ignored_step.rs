// A refused event changed nothing, and its sender must be told.
#![deny(unused_must_use)]
use settled::machine::{Event, State};

fn main() {
    assert_eq!(State::Running.on(Event::Cancel), settled::machine::Step::Refused);
}
