// A guard lends its value to be written, so that its type is exactly this one.
use settled::primitives::LockGuard;

fn shorten<'a, 'short>(
    long: LockGuard<'a, &'static str>,
    _: &'short str,
) -> LockGuard<'a, &'short str> {
    long
}

fn main() {
    let _ = shorten;
}
