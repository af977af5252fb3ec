// What is posted to a loop comes from any thread.
use settled::EventLoop;

use std::rc::Rc as Shared;

fn main() {
    let event_loop = EventLoop::new();
    let shared = Shared::new(1);
    event_loop.handle().call_soon_threadsafe(move || drop(shared)).unwrap();
}
