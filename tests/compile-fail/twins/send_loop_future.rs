// A loop future stays on its loop's thread; its promise may go.
use settled::EventLoop;

fn send_to_thread(_: impl FnOnce() + Send) {}

fn main() {
    let event_loop = EventLoop::new();
    let (far, _future) = event_loop.create_future::<u8, ()>();
    send_to_thread(move || drop(far));
}
