// A thread callback may outlive the call that settles, and so what is borrowed cannot be its future's value.

use settled::ThreadFuture;

fn register(future: &ThreadFuture<&str, ()>) {
    future.add_done_callback(|_| ());
}

fn main() {
    let (_promise, future) = ThreadFuture::pair();
    register(&future);
}
