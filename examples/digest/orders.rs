//! Who else may end the program: the user, by a signal, and the reader of the lines, by going away.

use std::{
    convert::Infallible,
    io::{self, ErrorKind},
    os::fd::AsFd,
    process,
    rc::Rc,
    thread,
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::stat::{SFlag, fstat},
};

use crate::collect::Collector;

/// The exit status that shells give to what Ctrl-C has ended.
const INTERRUPTED: i32 = 130;

impl Collector {
    /// What another thread may call, once, to have the loop do something; it says whether the loop will.
    /// That thread cannot touch the collector. What it can do is to post to the loop a job that keeps a
    /// promise, and on the loop a callback waits for it.
    fn from_elsewhere(
        self: &Rc<Self>,
        act: impl FnOnce(&Self) + 'static,
    ) -> impl FnMut() -> bool + Send + 'static {
        let (promise, called) = self.here.create_future::<(), Infallible>();
        let this = Rc::clone(self);
        called.add_done_callback(move |settled| {
            // There is no value if the program ends before the call.
            if settled.result().is_ok() {
                act(&this);
            }
        });
        let handle = self.here.handle();
        let mut promise = Some(promise);
        move || {
            promise.take().is_some_and(|promise| {
                let keep = || {
                    // It cannot lose, since nobody cancels its future.
                    let _ = promise.finish(());
                };
                handle.call_soon_threadsafe(keep).is_ok()
            })
        }
    }

    pub(crate) fn stop_on_interrupt(self: &Rc<Self>) -> Result<(), ctrlc::Error> {
        let why = "interrupted (once more ends the program at once)";
        let mut stop = self.from_elsewhere(move |this| this.stop(why));
        ctrlc::set_handler(move || {
            // The second interrupt, or one for which the loop that would see to it is closed.
            if !stop() {
                process::exit(INTERRUPTED);
            }
        })
    }

    /// Ends everything when the reader of the lines goes away, even if the next line takes long.
    pub(crate) fn stop_without_reader(self: &Rc<Self>) {
        let stdout = io::stdout();
        let is_pipe = |mode| SFlag::from_bits_truncate(mode) & SFlag::S_IFMT == SFlag::S_IFIFO;
        if !fstat(&stdout).is_ok_and(|found| is_pipe(found.st_mode)) {
            return;
        }
        let mut leave = self.from_elsewhere(|this| this.abandon(ErrorKind::BrokenPipe.into()));
        // It is not waited for: it waits as long as the reader is there.
        thread::spawn(move || {
            // What is asked for is nothing but what is always told: that nobody reads.
            let mut pipe = [PollFd::new(stdout.as_fd(), PollFlags::empty())];
            while poll(&mut pipe, PollTimeout::NONE) == Err(Errno::EINTR) {}
            leave();
        });
    }
}
