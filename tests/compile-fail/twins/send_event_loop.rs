// A loop runs on the thread that made it.
use settled::EventLoop;

fn send_to_thread(_: impl FnOnce() + Send) {}

fn main() {
    let event_loop = EventLoop::new();
    let handle = event_loop.handle();
    send_to_thread(move || drop(handle));
}
