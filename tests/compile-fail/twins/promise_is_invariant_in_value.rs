// Else a short-lived value could be put where a long-lived one is read.
use settled::Promise;

fn shorten<'short>(long: Promise<&'static str, ()>, _: &'short str) -> Promise<&'static str, ()> {
    long
}

fn main() {
    let _ = shorten;
}
