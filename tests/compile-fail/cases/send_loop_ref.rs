// A loop is used from its own thread only; others have a `LoopHandle`.
use settled::EventLoop;

fn send_to_thread(_: impl FnOnce() + Send) {}

fn main() {
    let event_loop = EventLoop::new();
    let far = settled::LoopRef::clone(&event_loop);
    send_to_thread(move || drop(far));
}
