//! A waker as executors have them: counted, and shared between threads.

use std::{
    hint::black_box,
    sync::Arc,
    task::{Wake, Waker},
};

struct Bell;

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        black_box(&self);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        black_box(self);
    }
}

/// One of its own.
pub(crate) fn waker() -> Waker {
    Waker::from(Arc::new(Bell))
}
