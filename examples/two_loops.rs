//! Two loops in two threads, each awaiting a coroutine of the other: `cargo run --example two_loops`.

use settled::{EventLoop, bridge};
use std::{sync::mpsc, thread};

fn main() {
    let (tell, told) = mpsc::channel();
    let other = thread::spawn(move || {
        let two = EventLoop::new();
        tell.send(two.handle()).unwrap();
        two.run_forever().unwrap();
    });
    let (one, two) = (EventLoop::new(), told.recv().unwrap());
    let home = one.handle();
    let asks_back = async move {
        let seven = bridge::run_coroutine_threadsafe(async { 7 }, &home).unwrap();
        6 * seven.await.result().unwrap() // loop one serves this while it awaits that
    };
    let answer = bridge::run_coroutine_threadsafe(asks_back, &two).unwrap();
    let answer = one.run_until_complete(bridge::wrap_future(&answer, &one)).unwrap();
    println!("loop one was told {}", answer.result().unwrap());
    two.stop();
    other.join().unwrap();
}
