//! The example `digest`, run as a program: on odd trees, on files that change under its hands, on a
//! terminal, with interrupts, and with its memory measured.

#[macro_use]
#[path = "../support/watchdog.rs"]
mod watchdog;

// What of the example no run of it shows.
#[path = "../../examples/digest/line.rs"]
mod line;
#[path = "../../examples/digest/open.rs"]
#[expect(dead_code, reason = "what is named is looked at by the program alone")]
mod open;
#[path = "../../examples/digest/walk.rs"]
mod walk;

mod changes;
mod memory;
#[cfg(feature = "process")]
mod processes;
mod stop;
mod stream;
mod support;
mod terminal;
mod tree;
mod usage;
