//! Panics that are caught where they harm nobody, and that are to fail what tries schedules all the same.

use std::{cell::Cell, panic, sync::Once};

std::thread_local! {
    /// Panics in this thread. One thread of the system runs all threads of a scenario.
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

/// Runs `tries`, and panics if something in it has panicked, and was caught. Callbacks and wakers that panic harm
/// nobody, and so would what the scheduler finds there.
pub(super) fn none_caught(tries: impl FnOnce()) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            report(info);
        }));
    });
    let before = PANICS.get();
    tries();
    assert_eq!(
        PANICS.get(),
        before,
        "something has panicked in a callback, and was caught there: its message stands above; what it would have shown is \
         lost, so mend it or let it return what it found"
    );
}
