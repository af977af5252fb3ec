// A lock hands its value out to be written, so that its type is exactly this one.
use settled::primitives::Lock;

fn shorten<'short>(long: Lock<&'static str>, _: &'short str) -> Lock<&'short str> {
    long
}

fn main() {
    let _ = shorten;
}
