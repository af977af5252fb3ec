// Work that has not begun cannot have panicked.
use settled::ThreadFuture;

fn main() {
    let (promise, _future) = ThreadFuture::<u8, ()>::pair();
    promise.start().unwrap().panicked(settled::Panic::new(Box::new("no")));
}
