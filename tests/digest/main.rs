//! The example `digest`, run as a program: on odd trees, on files that change under its hands, on a
//! terminal, with interrupts, and with its memory measured.

#[macro_use]
#[path = "../support/watchdog.rs"]
mod watchdog;

mod changes;
mod memory;
#[cfg(feature = "process")]
mod processes;
mod stop;
mod support;
mod terminal;
mod tree;
mod usage;
