//! Programs of a user, checked: what they have of their own, and what is no program.

#[macro_use]
#[path = "../support/watchdog.rs"]
mod watchdog;

mod explorer;
mod front;
mod misuse;
mod own;
mod services;
mod stranger;
